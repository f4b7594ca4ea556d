//! The service against an LTI platform and a JOSE library that are not ours.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::db;

const PASSMUSTER: &str = env!("CARGO_BIN_EXE_passmuster");
/// How long the service may take to start (it makes two RSA keys first).
const START_PATIENCE: Duration = Duration::from_mins(1);
/// How long the journey may take.
const JOURNEY_PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn an_lti_platform_and_a_jose_library_that_are_not_ours_agree_with_us() {
    let Some(python) = wanted("PASSMUSTER_TEST_PYTHON", "no LTI platform of others") else {
        return;
    };
    for db in db::both().await {
        let service = Service::start(&db.url).await;
        let platform = free_port();
        service.connect(platform);
        let kept = service.folder.path().join("kept");
        service.journey(&python, platform, &kept);

        let jws = kept.join("attestation.jws");
        let keys = kept.join("attestation-keys.json");
        let sealed = fs::read_to_string(&jws).unwrap();
        assert!(
            verify(&jws, &keys),
            "our own command refuses what we sealed"
        );
        for (what, jws, keys) in forgeries(&service, &kept, &sealed, &keys).await {
            assert!(!verify(&jws, &keys), "passmuster verify takes {what}");
            assert_ne!(verify_by_jose(&jws, &keys), Some(true), "jose takes {what}");
        }
        assert_ne!(
            verify_by_jose(&jws, &keys),
            Some(false),
            "jose refuses what we sealed"
        );

        // Everything was logged, and nobody is in the log.
        let log = fs::read_to_string(service.folder.path().join("log")).expect("a log");
        assert!(log.contains("/learn/{launch}"), "the log names routes");
        for canary in [
            "Test Learner",
            "test.learner",
            "u-4711",
            "eyJ",
            "id_token=",
            "login_hint",
        ] {
            assert!(!log.contains(canary), "the log holds {canary:?}");
        }
    }
}

/// What must not verify: the record changed, its seal changed, keys of another purpose, and such a key under
/// the right name.
async fn forgeries(
    service: &Service,
    kept: &Path,
    sealed: &str,
    keys: &Path,
) -> Vec<(&'static str, PathBuf, PathBuf)> {
    let save = |name: &str, text: &str| {
        let file = kept.join(name);
        fs::write(&file, text).expect("a file of the test's own");
        file
    };
    let parts: Vec<&str> = sealed.trim().split('.').collect();
    assert_eq!(parts.len(), 3);
    let record = with_one_changed(parts[1]);
    let seal = with_one_changed(parts[2]);
    let other = service.get("lti/jwks.json").await;
    let mut renamed: Value = serde_json::from_str(&other).expect("a key set");
    let ours: Value =
        serde_json::from_str(&fs::read_to_string(keys).expect("kept")).expect("a key set");
    renamed["keys"][0]["kid"] = ours["keys"][0]["kid"].clone();
    let jws = kept.join("attestation.jws");
    vec![
        (
            "a changed record",
            save("record.jws", &format!("{}.{record}.{}", parts[0], parts[2])),
            keys.to_owned(),
        ),
        (
            "a changed seal",
            save("seal.jws", &format!("{}.{}.{seal}", parts[0], parts[1])),
            keys.to_owned(),
        ),
        ("another key set", jws.clone(), save("other.json", &other)),
        (
            "another key under our name",
            jws,
            save("renamed.json", &renamed.to_string()),
        ),
    ]
}

/// A base64url text with one character in the middle changed.
fn with_one_changed(text: &str) -> String {
    let (before, rest) = text.split_at(text.len() / 2);
    let new = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{before}{new}{}", &rest[1..])
}

/// Whether `passmuster verify` believes it.
fn verify(jws: &Path, keys: &Path) -> bool {
    let done = Command::new(PASSMUSTER)
        .arg("verify")
        .arg(jws)
        .arg("--keys")
        .arg(keys)
        .output();
    told(&done.expect("passmuster starts"), [0, 1])
}

/// Whether the JOSE library believes it; `None` when it is not here.
fn verify_by_jose(jws: &Path, keys: &Path) -> Option<bool> {
    let packages = wanted("PASSMUSTER_TEST_NODE_DIR", "no JOSE library of others")?;
    let done = Command::new("node")
        .arg(peers_folder().join("verify_jws.mjs"))
        .args([jws, keys])
        .env("PASSMUSTER_TEST_NODE_DIR", packages)
        .output();
    Some(told(&done.expect("node starts"), [0, 1]))
}

/// Yes or no by exit status; anything else is a failure of the test.
fn told(done: &Output, [yes, no]: [i32; 2]) -> bool {
    let code = done.status.code();
    assert!(
        code == Some(yes) || code == Some(no),
        "{} {} {}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    code == Some(yes)
}

/// A path that `make test` sets; without it, says loudly what is not tested.
fn wanted(variable: &str, without: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        // Past the capturing of test output: nobody shall take this for a tested peer.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {without}, {variable} is not set (run `make test`)"
        );
    }
    found
}

fn peers_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// `passmuster serve` with settings from the environment alone. Ends when dropped.
struct Service {
    process: Child,
    url: String,
    settings: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Service {
    async fn start(database_url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let settings = vec![
            ("PASSMUSTER_DATABASE_URL", database_url.to_owned()),
            (
                "PASSMUSTER_SECRET_KEY",
                "a secret key for nothing but this test".to_owned(),
            ),
            ("PASSMUSTER_FETCH_ALLOW", "127.0.0.1".to_owned()),
            ("PASSMUSTER_LISTEN", format!("127.0.0.1:{port}")),
            ("PASSMUSTER_LOG", "debug".to_owned()),
        ];
        let log = File::create(folder.path().join("log")).expect("a log");
        let process = Command::new(PASSMUSTER)
            .arg("serve")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("passmuster starts");
        let mut service = Self {
            process,
            url: format!("http://127.0.0.1:{port}/"),
            settings,
            folder,
        };
        service.await_ready().await;
        service
    }

    async fn await_ready(&mut self) {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            let answer = reqwest::get(format!("{}readyz", self.url)).await;
            if answer.is_ok_and(|a| a.status().is_success()) {
                return;
            }
            let ended = self.process.try_wait().expect("our own child");
            assert!(ended.is_none(), "the service ends at once: {ended:?}");
            assert!(
                Instant::now() < deadline,
                "the service is not ready in time"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn get(&self, path: &str) -> String {
        let answer = reqwest::get(format!("{}{path}", self.url))
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.expect("a text")
    }

    /// Makes a company and connects the platform on this port, while the service runs.
    fn connect(&self, port: u16) {
        self.run(&[
            "tenant",
            "create",
            "acme",
            "--name",
            "Acme GmbH",
            "--time-zone",
            "Europe/Berlin",
        ]);
        let base = format!("http://127.0.0.1:{port}");
        let at = |path: &str| format!("{base}/{path}");
        self.run(&[
            "platform",
            "add",
            "--tenant",
            "acme",
            "--issuer",
            &base,
            "--client-id",
            "passmuster-peer",
            "--deployment-id",
            "1",
            "--auth-url",
            &at("auth"),
            "--token-url",
            &at("token"),
            "--jwks-url",
            &at("jwks"),
        ]);
    }

    fn run(&self, arguments: &[&str]) {
        let settings = self.settings.iter().map(|(name, value)| (name, value));
        let done = Command::new(PASSMUSTER)
            .args(arguments)
            .envs(settings)
            .current_dir(self.folder.path())
            .output();
        assert!(told(&done.expect("passmuster starts"), [0, 0]));
    }

    /// A learner's way through all modules of a course, from the other platform; keeps the signed record.
    fn journey(&self, python: &Path, port: u16, kept: &Path) {
        let said = self.folder.path().join("journey.txt");
        let out = File::create(&said).expect("a file");
        let mut process = Command::new(python)
            .arg(peers_folder().join("lti_journey.py"))
            .args([
                "--tool",
                self.url.trim_end_matches('/'),
                "--harness-port",
                &port.to_string(),
            ])
            .arg("--content")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("content"))
            .arg("--out")
            .arg(kept)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .expect("python starts");
        let deadline = Instant::now() + JOURNEY_PATIENCE;
        let ended = loop {
            if let Some(status) = process.try_wait().expect("our own child") {
                break Some(status);
            }
            if Instant::now() > deadline {
                let _ = process.kill();
                let _ = process.wait();
                break None;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let said = fs::read_to_string(said).unwrap_or_default();
        assert!(
            ended.is_some_and(|s| s.success()),
            "the journey did not hold ({ended:?}):\n{said}"
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("the service's log:\n{log}");
        }
    }
}
