//! How fast it is here (`make bench`; Linux, for it reads `/proc`). Starts `passmuster serve` on a fresh SQLite file,
//! plays the platform and the learners' browsers from this process, and measures the server's process only: time to
//! ready, memory, and processor time per step. Processor times are also given in bare RS256 verifications, measured
//! here in the same run: that number says more than milliseconds when two machines are compared.
//!
//! The requests come one after another over a kept connection, as from a reverse proxy.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use axum::extract::State;
use axum::http::header;
use axum::routing::{get, post};
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, DecodingKey};
use passmuster::course::Catalogue;
use passmuster::entropy::OsEntropy;
use passmuster::keys::{PrivateKey, SigningKey, public_jwks};
use passmuster::time::{Clock, SystemClock};
use reqwest::{StatusCode, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use url::Url;

const STARTS: usize = 5;
const LAUNCHES: usize = 1000;
/// So many of the learners take the quiz.
const HAND_INS: usize = 200;
const COURSE: &str = "owasp-top10-2025";
const MODULE: &str = "a05-injection";
const CLIENT_ID: &str = "bench";
const LTI: &str = "https://purl.imsglobal.org/spec/lti/claim";
const AGS: &str = "https://purl.imsglobal.org/spec/lti-ags";
/// For the work that goes on after an answer.
const SETTLE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::main]
async fn main() -> Result<()> {
    tokio::time::timeout(PATIENCE, bench())
        .await
        .context("more than three minutes: this machine is too slow, or busy")?
}

async fn bench() -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "the bench reads /proc: Linux only"
    );
    let folder = tempfile::tempdir()?;
    let platform = Platform::start().await?;
    let service = Service::set_up(folder.path(), &platform)?;
    let ticks = Ticks::new();
    let mut table = Table::default();

    let mut starts = Vec::new();
    for _ in 1..STARTS {
        let (server, took) = service.start()?;
        starts.push(took);
        server.stop()?;
    }
    let (server, took) = service.start()?;
    starts.push(took);
    starts.sort();
    let name = format!("start to ready (median of {STARTS})");
    table.add(&name, millis(starts[STARTS / 2]), "ms");
    tokio::time::sleep(SETTLE).await;
    table.memory("after the start", &server)?;

    let mut verified = platform.verify_for(Duration::from_secs(2), &ticks)?;
    let mut learners = Vec::with_capacity(LAUNCHES);
    let mut waits = Vec::with_capacity(LAUNCHES);
    let before = ticks.of(server.id())?;
    for n in 0..LAUNCHES {
        let (learner, waited) = Learner::enter(&service, &platform, n).await?;
        learners.push(learner);
        waits.push(waited);
    }
    let launch = ticks.since(before, server.id()).await?;
    waits.sort();
    table.memory(&format!("after {LAUNCHES} launches"), &server)?;

    let learners = &mut learners[..HAND_INS];
    let catalogue = Catalogue::built_in()?;
    let questions = questions(&catalogue)?;
    for learner in learners.iter_mut() {
        learner.begin().await?;
    }
    let before = ticks.of(server.id())?;
    for learner in learners.iter_mut() {
        learner.answer(questions).await?;
    }
    let save = ticks.since(before, server.id()).await?;
    let before = ticks.of(server.id())?;
    for learner in learners.iter_mut() {
        learner.hand_in().await?;
    }
    let hand_in = ticks.since(before, server.id()).await?;
    let before = ticks.of(server.id())?;
    platform.take_scores(HAND_INS).await?;
    let delivery = ticks.since(before, server.id()).await?;
    table.memory(&format!("after {HAND_INS} quizzes"), &server)?;
    service.open_lessons(&catalogue).await?;
    table.memory("after every lesson was opened", &server)?;
    let again = platform.verify_for(Duration::from_secs(2), &ticks)?;
    verified = (verified.0 + again.0, verified.1 + again.1);
    server.stop()?;

    let unit = verified.0 / float(verified.1);
    table.add("RS256 verification, bare", unit, "ms CPU");
    for (name, total, count) in [
        ("launch: login, id_token, course page", launch, LAUNCHES),
        ("saved answer", save, HAND_INS * questions),
        ("hand-in", hand_in, HAND_INS),
        ("score delivered to the gradebook", delivery, HAND_INS),
    ] {
        let each = total.sum() / float(count);
        let kernel = 100.0 * total.kernel / total.sum();
        table.add(name, each, "ms CPU");
        table.note(&format!(
            "{:.0} verifications; {kernel:.0} % of it in the kernel",
            each / unit
        ));
    }
    let median = millis(waits[LAUNCHES / 2]);
    table.add("launch: waited for the answers (median)", median, "ms");
    service.tell();
    table.print();
    Ok(())
}

/// How many questions an attempt has.
fn questions(catalogue: &Catalogue) -> Result<usize> {
    let (_, module) = catalogue
        .find_module(COURSE, MODULE)
        .context("the module of the bench is not in the content")?;
    Ok(module.bank.draw.min(module.bank.questions.len()))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Processor time in milliseconds.
#[derive(Clone, Copy)]
struct Cpu {
    user: f64,
    kernel: f64,
}

impl Cpu {
    fn sum(self) -> f64 {
        self.user + self.kernel
    }

    fn minus(self, before: Self) -> Self {
        Self {
            user: self.user - before.user,
            kernel: self.kernel - before.kernel,
        }
    }
}

/// The processor time of processes, as the kernel counts it.
struct Ticks {
    per_second: f64,
}

impl Ticks {
    fn new() -> Self {
        let told = Command::new("getconf").arg("CLK_TCK").output();
        let told = told.ok().and_then(|o| String::from_utf8(o.stdout).ok());
        let told = told.and_then(|t| t.trim().parse().ok());
        Self {
            per_second: told.unwrap_or(100.0),
        }
    }

    fn of(&self, process: u32) -> Result<Cpu> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name, in brackets, may hold anything; utime and stime are the 12th and 13th after it.
        let (_, rest) = stat.rsplit_once(')').context("an odd /proc/PID/stat")?;
        let mut fields = rest.split_whitespace().skip(11);
        let mut next = || -> Option<f64> {
            Some(fields.next()?.parse::<f64>().ok()? * 1000.0 / self.per_second)
        };
        let (user, kernel) = next().zip(next()).context("an odd /proc/PID/stat")?;
        Ok(Cpu { user, kernel })
    }

    async fn since(&self, before: Cpu, process: u32) -> Result<Cpu> {
        tokio::time::sleep(SETTLE).await;
        Ok(self.of(process)?.minus(before))
    }
}

/// The service's binary and where it keeps its things.
struct Service {
    binary: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    base: Url,
    http: reqwest::Client,
}

/// A running `passmuster serve`; dropped, it is killed.
struct Server(Child);

impl Service {
    /// Makes the database, a company and its platform.
    fn set_up(folder: &Path, platform: &Platform) -> Result<Self> {
        let own = std::env::current_exe()?;
        let built = own.parent().and_then(Path::parent).unwrap_or(folder);
        let binary = built.join("passmuster");
        ensure!(
            binary.exists(),
            "{} is missing: cargo build --release",
            binary.display()
        );
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy();
        let service = Self {
            binary,
            folder: folder.to_owned(),
            address,
            base: Url::parse(&format!("http://{address}/"))?,
            http: http.build()?,
        };
        service.run("migrate")?;
        service.run("tenant create bench --name Bench")?;
        let at = |path: &str| platform.base.join(path).map(String::from);
        service.run(&format!(
            "platform add --tenant bench --issuer {} --client-id {CLIENT_ID} --deployment-id 1 \
             --auth-url {} --token-url {} --jwks-url {}",
            platform.issuer(),
            at("auth")?,
            at("token")?,
            at("jwks")?,
        ))?;
        Ok(service)
    }

    /// The binary with our settings and no others.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PASSMUSTER_") {
                command.env_remove(name);
            }
        }
        let database = format!("sqlite://{}", self.folder.join("bench.db").display());
        command
            .current_dir(&self.folder)
            .env("PASSMUSTER_DATABASE_URL", database)
            .env("PASSMUSTER_PUBLIC_URL", self.base.as_str())
            .env("PASSMUSTER_SECRET_KEY", "x".repeat(32))
            .env("PASSMUSTER_FETCH_ALLOW", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &str) -> Result<()> {
        let out = self.command().args(words.split_whitespace()).output()?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "passmuster {words}: {said}");
        Ok(())
    }

    /// Starts the server, and tells how long it took until `/readyz` answered.
    fn start(&self) -> Result<(Server, Duration)> {
        let log = fs::File::create(self.folder.join("log"))?;
        let mut command = self.command();
        command
            .args(["serve", "--listen", &self.address.to_string()])
            .stderr(log);
        let begun = Instant::now();
        let mut server = Server(command.spawn()?);
        while !self.is_ready() {
            if server.0.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(30) {
                let log = fs::read_to_string(self.folder.join("log"))?;
                bail!("the server does not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok((server, begun.elapsed()))
    }

    fn is_ready(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.address)?;
            stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: bench\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.contains(" 200 OK"))
    }

    /// Lessons are rendered when they are first opened, and kept.
    async fn open_lessons(&self, catalogue: &Catalogue) -> Result<()> {
        for course in catalogue.courses() {
            for module in course.modules.iter().filter(|m| m.released) {
                let path = format!("courses/{}/{}", course.code.as_str(), module.code.as_str());
                let response = self.http.get(self.base.join(&path)?).send().await?;
                ensure!(response.status() == StatusCode::OK, "{path}");
            }
        }
        tokio::time::sleep(SETTLE).await;
        Ok(())
    }

    fn tell(&self) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find(|l| l.starts_with("model name"));
        let model = model.and_then(|l| l.split_once(':')).map(|(_, m)| m.trim());
        let size = fs::metadata(&self.binary).map_or(0, |m| m.len() / 1024);
        println!("cores            {cores} ({})", model.unwrap_or("unknown"));
        println!("binary           {:.1} MiB", mib(size));
        let place = self.folder.parent().unwrap_or(&self.folder);
        let place = place.display();
        println!("database         SQLite, WAL, synchronous=FULL, in {place}\n");
    }
}

impl Server {
    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Stops it as a service manager does.
    fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").arg(self.id().to_string()).status()?;
        ensure!(told.success(), "the server cannot be told to stop");
        ensure!(self.0.wait()?.success(), "the server did not end well");
        Ok(())
    }

    /// A line of kibibytes in a file of `/proc/PID`.
    fn kibibytes(&self, file: &str, line: &str) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.id()))?;
        let found = text.lines().find_map(|l| l.strip_prefix(line));
        let number = found.and_then(|l| l.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("no {line} in /proc/PID/{file}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Harmless when it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mib(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}

/// What was measured, line by line.
#[derive(Default)]
struct Table(Vec<(String, String)>);

impl Table {
    fn add(&mut self, name: &str, value: f64, unit: &str) {
        let digits = match value {
            ..0.1 => 4,
            ..10.0 => 2,
            _ => 1,
        };
        self.0
            .push((name.to_owned(), format!("{value:>9.digits$} {unit}")));
    }

    /// Goes behind the last line.
    fn note(&mut self, text: &str) {
        if let Some((_, value)) = self.0.last_mut() {
            *value = format!("{value:<17} = {text}");
        }
    }

    fn memory(&mut self, when: &str, server: &Server) -> Result<()> {
        let rss = mib(server.kibibytes("status", "VmRSS:")?);
        let anonymous = mib(server.kibibytes("status", "RssAnon:")?);
        let pss = mib(server.kibibytes("smaps_rollup", "Pss:")?);
        self.add(&format!("memory {when} (VmRSS)"), rss, "MiB");
        self.note(&format!("{anonymous:.1} own + files; PSS {pss:.1}"));
        Ok(())
    }

    fn print(&self) {
        for (name, value) in &self.0 {
            println!("{name:<40} {value}");
        }
    }
}

/// The LMS.
struct Platform {
    base: Url,
    key: SigningKey,
    scores: Arc<AtomicUsize>,
    /// Shut while the hand-ins are measured, so that the scores wait.
    gate: Arc<Semaphore>,
}

impl Platform {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let key = SigningKey::parse(&PrivateKey::generate(&OsEntropy)?, "")?;
        let jwks = public_jwks(&[key.public().clone()]);
        let scores = Arc::<AtomicUsize>::default();
        let keys = || async { ([(header::CONTENT_TYPE, "application/json")], jwks) };
        let gate = Arc::new(Semaphore::new(0));
        let router = Router::new()
            .route("/jwks", get(keys))
            .route("/token", post(give_token))
            .route("/columns/1/scores", post(score))
            .with_state((Arc::clone(&scores), Arc::clone(&gate)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            base,
            key,
            scores,
            gate,
        })
    }

    fn issuer(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The id_token of learner `n`.
    fn id_token(&self, service: &Service, nonce: &str, n: usize) -> Result<String> {
        let now = SystemClock.now().as_secs();
        let claims = json!({
            "iss": self.issuer(), "aud": CLIENT_ID, "sub": format!("user-{n}"), "nonce": nonce,
            "iat": now, "exp": now + 60,
            "name": format!("Learner {n}"), "email": format!("learner{n}@example.com"),
            format!("{LTI}/message_type"): "LtiResourceLinkRequest",
            format!("{LTI}/version"): "1.3.0",
            format!("{LTI}/deployment_id"): "1",
            format!("{LTI}/target_link_uri"): service.base.join("lti/launch")?.as_str(),
            format!("{LTI}/resource_link"): {"id": "link-1", "title": "Security"},
            format!("{LTI}/context"): {"id": "course-1", "title": "Course", "label": "C"},
            format!("{LTI}/roles"): ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            format!("{LTI}/custom"): {"passmuster_course": COURSE, "passmuster_module": MODULE},
            format!("{AGS}/claim/endpoint"): {
                "scope": [format!("{AGS}/scope/score")],
                "lineitem": self.base.join("columns/1")?.as_str(),
            },
        });
        Ok(self.key.sign_jwt("JWT", &claims)?)
    }

    /// Verifies an RS256 signature over and over: milliseconds of processor time, and how often.
    fn verify_for(&self, time: Duration, ticks: &Ticks) -> Result<(f64, usize)> {
        let token = self.key.sign_jwt("JWT", &json!({"a": "b".repeat(1000)}))?;
        let (message, signature) = token.rsplit_once('.').context("no JWT")?;
        let public = self.key.public();
        let key = DecodingKey::from_rsa_components(&public.n, &public.e)?;
        let own = std::process::id();
        let (before, begun, mut count) = (ticks.of(own)?, Instant::now(), 0);
        while begun.elapsed() < time {
            for _ in 0..100 {
                let message = std::hint::black_box(message.as_bytes());
                let good =
                    jsonwebtoken::crypto::verify(signature, message, &key, Algorithm::RS256)?;
                ensure!(good, "a signature does not verify");
            }
            count += 100;
        }
        Ok((ticks.of(own)?.minus(before).sum(), count))
    }

    /// Takes the scores that wait.
    async fn take_scores(&self, count: usize) -> Result<()> {
        self.gate.add_permits(1);
        for _ in 0..600 {
            if self.scores.load(Ordering::Relaxed) >= count {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{:?} of {count} scores arrived", self.scores)
    }
}

type Shared = State<(Arc<AtomicUsize>, Arc<Semaphore>)>;

async fn give_token(State((_, gate)): Shared) -> Json<Value> {
    let _open = gate.acquire().await;
    Json(json!({"access_token": "t", "token_type": "Bearer", "expires_in": 3600}))
}

async fn score(State((scores, _)): Shared) -> StatusCode {
    scores.fetch_add(1, Ordering::Relaxed);
    StatusCode::OK
}

/// A person's browser.
struct Learner<'s> {
    service: &'s Service,
    cookies: BTreeMap<String, String>,
    /// The course page, and where the attempt is once it began.
    home: String,
    attempt: String,
    csrf: String,
}

/// What came back.
struct Page {
    status: StatusCode,
    location: String,
    body: String,
}

impl<'s> Learner<'s> {
    /// Login, launch, course page; tells how long the three answers took.
    async fn enter(
        service: &'s Service,
        platform: &Platform,
        n: usize,
    ) -> Result<(Self, Duration)> {
        let mut learner = Self {
            service,
            cookies: BTreeMap::new(),
            home: String::new(),
            attempt: String::new(),
            csrf: String::new(),
        };
        let target = service.base.join("lti/launch")?;
        let form = [
            ("iss", platform.issuer()),
            ("login_hint", "7"),
            ("target_link_uri", target.as_str()),
            ("client_id", CLIENT_ID),
        ];
        let begun = Instant::now();
        let page = learner.send("/lti/login", Some(&form)).await?;
        let mut waited = begun.elapsed();
        page.expect(StatusCode::SEE_OTHER)?;
        let query: BTreeMap<String, String> = Url::parse(&page.location)?
            .query_pairs()
            .into_owned()
            .collect();
        let id_token = platform.id_token(service, &query["nonce"], n)?;
        let form = [
            ("state", query["state"].as_str()),
            ("id_token", id_token.as_str()),
        ];
        let begun = Instant::now();
        let page = learner.send("/lti/launch", Some(&form)).await?;
        page.expect(StatusCode::SEE_OTHER)?;
        learner.home = page.location;
        let page = learner.send(&learner.home.clone(), None).await?;
        waited += begun.elapsed();
        page.expect(StatusCode::OK)?;
        Ok((learner, waited))
    }

    /// Begins an attempt.
    async fn begin(&mut self) -> Result<()> {
        let quiz = format!("{}/modules/{MODULE}/quiz", self.home);
        let page = self.send(&quiz, None).await?;
        let field = page.body.split_once("name=\"csrf\" value=\"");
        let token = field.and_then(|(_, rest)| rest.split_once('"'));
        token
            .context("a form without a token")?
            .0
            .clone_into(&mut self.csrf);
        let page = self
            .send(&quiz, Some(&[("csrf", &self.csrf.clone())]))
            .await?;
        page.expect(StatusCode::SEE_OTHER)?;
        let attempt = page.location.split_once("/questions/");
        attempt
            .context("no question to go to")?
            .0
            .clone_into(&mut self.attempt);
        Ok(())
    }

    /// Saves an answer, some answer, to each question.
    async fn answer(&mut self, questions: usize) -> Result<()> {
        let csrf = self.csrf.clone();
        for position in 1..=questions {
            let form = [("csrf", csrf.as_str()), ("go", "next"), ("choice", "0")];
            let address = format!("{}/questions/{position}", self.attempt);
            let page = self.send(&address, Some(&form)).await?;
            page.expect(StatusCode::SEE_OTHER)?;
        }
        Ok(())
    }

    async fn hand_in(&mut self) -> Result<()> {
        let (address, csrf) = (format!("{}/hand-in", self.attempt), self.csrf.clone());
        let page = self.send(&address, Some(&[("csrf", &csrf)])).await?;
        page.expect(StatusCode::SEE_OTHER)?;
        ensure!(page.location.ends_with("/result"), "{}", page.location);
        Ok(())
    }

    /// One request; redirects are not followed.
    async fn send(&mut self, address: &str, form: Option<&[(&str, &str)]>) -> Result<Page> {
        let url = self.service.base.join(address)?;
        let request = match form {
            Some(form) => self.service.http.post(url).form(form),
            None => self.service.http.get(url),
        };
        let cookies = self.cookies.iter().map(|(k, v)| format!("{k}={v}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let response = request.header(header::COOKIE, cookies).send().await?;
        for value in response.headers().get_all(header::SET_COOKIE) {
            let pair = value.to_str()?.split(';').next().unwrap_or_default();
            match pair.split_once('=') {
                Some((name, "")) => drop(self.cookies.remove(name)),
                Some((name, value)) => {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                None => {}
            }
        }
        let location = response.headers().get(header::LOCATION);
        Ok(Page {
            status: response.status(),
            location: location.map_or(Ok(""), |l| l.to_str())?.to_owned(),
            body: response.text().await?,
        })
    }
}

impl Page {
    fn expect(&self, status: StatusCode) -> Result<()> {
        let code = self.body.split_once("<code>");
        let code = code.and_then(|(_, rest)| rest.split_once("</code>"));
        let code = code.map_or("", |(code, _)| code);
        ensure!(self.status == status, "{} {code}", self.status);
        Ok(())
    }
}
