//! A browser that does what a learner does: headless Chromium, third-party cookies blocked.
//!
//! Every step waits for what it needs and panics with the address, the text of the page and a
//! screenshot when it does not come, so that a journey reads as a list of steps.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::http::Method;
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// How long a step waits for its element.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const PERIOD: Duration = Duration::from_millis(50);

/// One browser window with a profile of its own. Dropping it ends browser and driver.
pub(crate) struct Browser {
    client: Client,
    artifacts: PathBuf,
    // Dropped in this order: the driver ends the browser before its profile goes.
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser, or says that there is none to start: `make test` brings one.
    pub(crate) async fn start() -> Option<Self> {
        let Some(driver) = std::env::var_os("PASSMUSTER_TEST_CHROMEDRIVER") else {
            // Past the capturing of test output: nobody shall take this for a tested browser.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no browser, PASSMUSTER_TEST_CHROMEDRIVER is not set (run `make test`)"
            );
            return None;
        };
        let driver = Driver::start(&PathBuf::from(driver));
        let profile =
            TempDir::with_prefix("passmuster-browser-").expect("a folder for the profile");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&profile));
        let client = builder
            .connect(&driver.address())
            .await
            .expect("a browser session");
        let artifacts = std::env::var_os("PASSMUSTER_TEST_ARTIFACTS")
            .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        fs::create_dir_all(&artifacts).expect("a folder for screenshots");
        let browser = Self {
            client,
            artifacts,
            _driver: driver,
            _profile: profile,
        };
        browser.set_page_size(1280, 900).await;
        Some(browser)
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) async fn goto(&self, address: &str) {
        let done = self.client.goto(address).await;
        self.must(&format!("go to {address}"), done).await;
    }

    /// The address of the page, not of the frame entered.
    pub(crate) async fn address(&self) -> Url {
        let done = self.client.current_url().await;
        self.must("ask for the address", done).await
    }

    /// The visible text of the page or the frame entered.
    pub(crate) async fn text(&self) -> String {
        let done = self.wait_for("body").await.text().await;
        self.must("read the text", done).await
    }

    /// The visible text of the first element that fits.
    pub(crate) async fn text_of(&self, css: &str) -> String {
        let done = self.wait_for(css).await.text().await;
        self.must(&format!("read {css}"), done).await
    }

    /// Waits for an element to be there.
    pub(crate) async fn wait_for(&self, css: &str) -> Element {
        self.wait_until(Locator::Css(css), false).await
    }

    /// Waits for a text to be on the page or in the frame entered.
    pub(crate) async fn wait_for_text(&self, text: &str) {
        self.wait_for_text_of("body", text).await;
    }

    /// Waits for the first element that fits to hold a text.
    pub(crate) async fn wait_for_text_of(&self, css: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if seen.contains(text) {
                return;
            }
            if Instant::now() > deadline {
                self.give_up(
                    &format!("wait for the text “{text}” in {css}"),
                    &format!("it shows “{}”", seen.chars().take(200).collect::<String>()),
                )
                .await;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// How many elements fit now, without waiting.
    pub(crate) async fn count(&self, css: &str) -> usize {
        let done = self.client.find_all(Locator::Css(css)).await;
        self.must(&format!("count {css}"), done).await.len()
    }

    /// Clicks the first visible element that fits.
    pub(crate) async fn click(&self, css: &str) {
        self.click_on(Locator::Css(css)).await;
    }

    /// Clicks the first visible link or button whose text contains this.
    pub(crate) async fn click_text(&self, text: &str) {
        assert!(
            !text.contains('"'),
            "XPath has no escapes: leave the quotes out of {text}"
        );
        let path = format!(
            "//*[self::a or self::button or self::summary][contains(normalize-space(.), \"{text}\")]"
        );
        self.click_on(Locator::XPath(&path)).await;
    }

    /// Empties a field and types into it.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.wait_until(Locator::Css(css), true).await;
        let done = match field.clear().await {
            Ok(()) => field.send_keys(text).await,
            Err(error) => Err(error),
        };
        self.must(&format!("fill {css}"), done).await;
    }

    /// Presses keys where the focus is; special ones by `fantoccini::key::Key`.
    pub(crate) async fn press(&self, keys: &str) {
        let done = match self.client.active_element().await {
            Ok(element) => element.send_keys(keys).await,
            Err(error) => Err(error),
        };
        self.must("press keys", done).await;
    }

    /// Steps into a frame; everything then happens in there, whatever the frame loads.
    pub(crate) async fn enter_frame(&self, css: &str) {
        let done = self.wait_for(css).await.enter_frame().await;
        self.must(&format!("enter the frame {css}"), done).await;
    }

    /// Steps back out to the page.
    pub(crate) async fn leave_frame(&self) {
        let done = self.client.clone().enter_parent_frame().await;
        self.must("leave the frame", done).await;
    }

    /// Goes on in the window that was opened last, and waits for there to be one.
    pub(crate) async fn enter_new_window(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let done = self.client.windows().await;
            let windows = self.must("list the windows", done).await;
            if windows.len() > 1 {
                let last = windows.into_iter().next_back().expect("more than one");
                let done = self.client.switch_to_window(last).await;
                return self.must("enter the new window", done).await;
            }
            if Instant::now() > deadline {
                self.give_up("enter a new window", "none was opened").await;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Runs a script; `return` gives its value.
    pub(crate) async fn script(&self, script: &str) -> Value {
        let done = self.client.execute(script, Vec::new()).await;
        self.must(&format!("run {script}"), done).await
    }

    /// Makes the page this big in CSS pixels, as a phone would: no window frame, no lower bound.
    pub(crate) async fn set_page_size(&self, width: u32, height: u32) {
        let parameters = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.tell("Emulation.setDeviceMetricsOverride", &parameters)
            .await;
    }

    /// Asks pages for their dark colours, or for their light ones again.
    pub(crate) async fn set_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let parameters =
            json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.tell("Emulation.setEmulatedMedia", &parameters).await;
    }

    /// Sends a command of the browser's own protocol.
    async fn tell(&self, command: &str, parameters: &Value) {
        let extension = Extension {
            path: "goog/cdp/execute",
            body: json!({ "cmd": command, "params": parameters }),
        };
        let done = self.client.issue_cmd(extension).await;
        self.must(command, done).await;
    }

    /// How many CSS pixels the page or the frame entered is too wide: 0 when nothing scrolls sideways.
    pub(crate) async fn sideways_overflow(&self) -> i64 {
        let script = "const e = document.documentElement; return e.scrollWidth - e.clientWidth";
        self.script(script).await.as_i64().unwrap_or(i64::MAX)
    }

    /// Saves what is seen as `NAME.png` among the artifacts of the run.
    pub(crate) async fn screenshot(&self, name: &str) {
        let done = self.client.screenshot().await;
        let png = self.must("take a screenshot", done).await;
        fs::write(self.artifacts.join(format!("{name}.png")), png).expect("write a screenshot");
    }

    /// What the browser's console said since the last call that a developer must look at, frames included:
    /// script errors, refused content, failed loads.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        let done = self
            .client
            .issue_cmd(Extension {
                path: "se/log",
                body: json!({ "type": "browser" }),
            })
            .await;
        let entries = self.must("read the console", done).await;
        let severe = |entry: &&Value| entry["level"] == "SEVERE";
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        entries
            .as_array()
            .into_iter()
            .flatten()
            .filter(severe)
            .map(text)
            .collect()
    }

    /// Panics when the console holds an error.
    pub(crate) async fn assert_quiet_console(&self) {
        let errors = self.console_errors().await;
        assert!(errors.is_empty(), "the browser's console says: {errors:#?}");
    }

    async fn click_on(&self, search: Locator<'_>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let element = self.wait_until(search, true).await;
            match element.click().await {
                Ok(()) => return,
                // The page changed under the pointer: look again.
                Err(CmdError::Standard(_)) if Instant::now() < deadline => {
                    tokio::time::sleep(PERIOD).await;
                }
                Err(error) => {
                    self.give_up(&format!("click {search:?}"), &error.to_string())
                        .await;
                }
            }
        }
    }

    async fn wait_until(&self, search: Locator<'_>, visible: bool) -> Element {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A frame that is just loading answers with all sorts of errors: only the deadline counts.
            let problem = match self.client.find_all(search).await {
                Ok(elements) => {
                    for element in elements {
                        if !visible || element.is_displayed().await.unwrap_or(false) {
                            return element;
                        }
                    }
                    "nothing fits".to_owned()
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                self.give_up(&format!("wait for {search:?}"), &problem)
                    .await;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn must<T>(&self, step: &str, done: Result<T, CmdError>) -> T {
        match done {
            Ok(value) => value,
            Err(error) => self.give_up(step, &error.to_string()).await,
        }
    }

    async fn give_up(&self, step: &str, problem: &str) -> ! {
        let address = self
            .client
            .current_url()
            .await
            .map_or_else(|_| "nowhere".to_owned(), |url| url.to_string());
        let text = match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        if let Ok(png) = self.client.screenshot().await {
            let name = std::thread::current()
                .name()
                .unwrap_or("test")
                .replace("::", "-");
            let _ = fs::write(self.artifacts.join(format!("failed-{name}.png")), png);
        }
        let shown: String = text.chars().take(1500).collect();
        panic!("could not {step}: {problem}\nat {address}, which shows:\n{shown}");
    }
}

fn capabilities(profile: &TempDir) -> Capabilities {
    let mut flags = vec![
        "--headless=new".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(), // 64 MiB of it in containers
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        "--lang=en-US".to_owned(),
        // A page that glides to where it was told to go is not yet there when the driver clicks.
        "--force-prefers-reduced-motion".to_owned(),
        // The console of a frame with a process of its own stays hidden from the driver, and the tool
        // lives in one. Cookies and origins are judged the same without.
        "--disable-site-isolation-trials".to_owned(),
        "--disable-features=IsolateOrigins,site-per-process".to_owned(),
        "--window-size=1280,1000".to_owned(),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        flags.push("--no-sandbox".to_owned()); // Chromium has no sandbox for root
    }
    let mut options = json!({
        "args": flags,
        "prefs": {
            "profile.block_third_party_cookies": true,
            "profile.cookie_controls_mode": 1,
        },
    });
    if let Ok(binary) = std::env::var("PASSMUSTER_TEST_CHROMIUM") {
        options["binary"] = binary.into();
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
    capabilities
}

/// A command of Chromium's own, below the session's address.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// A chromedriver process on a port of its own choice.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start(program: &PathBuf) -> Self {
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let mut lines = BufReader::new(process.stdout.take().expect("piped above")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.rsplit_once("successfully on port ")?
                    .1
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .expect("chromedriver says on which port it listens");
        // A pipe that nobody empties would stop it one day.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks the driver to end its browsers and itself: killed outright, it would leave them running.
    fn ask_to_end(&self) -> std::io::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.port
        )?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.ask_to_end();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
