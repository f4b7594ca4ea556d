//! The whole way of the demo in a real browser: a learner fails, passes, signs; the LMS and the record agree.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::common::db;

const COURSE: &str = "General Security Awareness";
const FRAME: &str = "iframe";
/// How long the LMS may wait for a score.
const SCORE_PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_fails_passes_signs_and_is_on_record() {
    for db in db::both().await {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let demo = Demo::start(&db.url);
        let answers = Answers::load("general-security-awareness");
        let kind = db.url.split(':').next().unwrap_or_default();
        let shot = |name: &str| format!("journey-{kind}-{name}");

        open_in_frame(&browser, &demo, "learner-one").await;
        browser.wait_for_text_of("h1", COURSE).await;
        browser.wait_for_text_of(".who", "Demo Learner One").await;
        browser.screenshot(&shot("1-course")).await;
        browser.click(".modules h3 a").await;
        browser.wait_for("body.page-lesson").await;
        assert_eq!(browser.sideways_overflow().await, 0);
        browser.click_text("Take the quiz").await;
        fail_the_quiz(&browser, &answers, &shot).await;

        browser.click_text("Start another attempt").await;
        for position in 1..=3 {
            answer_rightly(&browser, &answers, position).await;
            browser.click("button[value=next]").await;
        }
        // The fourth answer is saved by choosing it; then the browser is gone.
        answer_rightly(&browser, &answers, 4).await;
        browser.assert_quiet_console().await;
        drop(browser);

        let browser = Browser::start().await.expect("a second browser");
        open_in_frame(&browser, &demo, "learner-one").await;
        pass_the_quiz(&browser, &answers, &shot).await;
        let code = sign(&browser, &shot).await;

        browser.leave_frame().await;
        await_grade(&browser, &demo, "Demo Learner One", "100").await;
        browser.screenshot(&shot("7-gradebook")).await;
        browser.goto(&format!("{}verify/{code}", demo.tool)).await;
        browser.wait_for_text(COURSE).await;
        assert!(
            !browser.text().await.contains("Learner One"),
            "anyone may open this page: no name on it"
        );
        browser.assert_quiet_console().await;
        drop(browser);

        check_record(&demo, &code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_window_and_a_nameless_learner_work_too() {
    for db in db::both().await {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let demo = Demo::start(&db.url);
        let kind = db.url.split(':').next().unwrap_or_default();
        let shot = |name: &str| format!("journey-{kind}-{name}");

        open_in_frame(&browser, &demo, "learner-three").await;
        browser.wait_for_text_of("h1", COURSE).await;
        assert!(!browser.text().await.contains("Learner Three"));
        browser.click_text("Take the quiz").await;
        browser.click_text("Start attempt 1").await;
        browser.wait_for_text_of("h1", "Question 1 of").await;
        browser.screenshot(&shot("nameless")).await;
        browser.assert_quiet_console().await;

        // A refusal is readable in the frame too, where a page of another policy would stay blank.
        browser.script("location.assign('/learn/nothing')").await;
        browser.wait_for("body.page-error").await;
        browser.screenshot(&shot("refused")).await;
        let errors = browser.console_errors().await;
        assert!(
            errors.iter().all(|e| e.contains("status of 404")),
            "{errors:#?}"
        );
        browser.leave_frame().await;

        browser.goto(&format!("{}as/learner-two", demo.lms)).await;
        browser
            .click(&format!("[aria-label='Open {COURSE} in a new window']"))
            .await;
        browser.enter_new_window().await;
        browser.wait_for_text_of(".who", "Demo Learner Two").await;
        let address = browser.address().await;
        assert!(
            address.as_str().starts_with(&demo.tool) && address.query().is_none(),
            "{address}"
        );
        // A window has a size of its own.
        browser.set_page_size(390, 844).await;
        shoot_narrow(&browser, &shot("phone-course")).await;
        browser.click(".modules h3 a").await;
        browser.wait_for("body.page-lesson").await;
        shoot_narrow(&browser, &shot("phone-lesson")).await;
        browser.click_text("Take the quiz").await;
        browser.click_text("Start attempt 1").await;
        browser.wait_for_text_of("h1", "Question 1 of").await;
        shoot_narrow(&browser, &shot("phone-question")).await;
        browser.set_page_size(1280, 900).await;
        browser.set_dark(true).await;
        browser.screenshot(&shot("dark-question")).await;
        // As if tabbed into: a tab of its own may have come up without the focus.
        browser
            .script("document.querySelector('.choices').focus()")
            .await;
        browser.press("1").await;
        browser.wait_for_text_of("[data-save-state]", "Saved").await;
        browser.click("button[value=overview]").await;
        browser.wait_for_text("questions without an answer").await;
        browser.screenshot(&shot("dark-overview")).await;
        browser.assert_quiet_console().await;
    }
}

/// From the LMS's start page as this person into the course, inside the frame.
async fn open_in_frame(browser: &Browser, demo: &Demo, person: &str) {
    browser.goto(&demo.lms).await;
    browser
        .click(&format!("a.button[href='/as/{person}']"))
        .await;
    browser
        .click(&format!("[aria-label='Open {COURSE} here, in a frame']"))
        .await;
    browser.enter_frame(FRAME).await;
    browser.wait_for("body.page-course").await;
}

/// With all of a long page in the picture.
async fn shoot_tall(browser: &Browser, name: &str) {
    browser.set_page_size(1280, 1800).await;
    browser.screenshot(name).await;
    browser.set_page_size(1280, 900).await;
}

async fn shoot_narrow(browser: &Browser, name: &str) {
    browser.screenshot(name).await;
    assert_eq!(
        browser.sideways_overflow().await,
        0,
        "{name} is wider than a phone"
    );
}

/// From the quiz's start page to the result, every answer wrong.
async fn fail_the_quiz(browser: &Browser, answers: &Answers, shot: &impl Fn(&str) -> String) {
    browser.click_text("Start attempt 1").await;
    let total = count_questions(browser).await;
    for position in 1..=total {
        let shown = read_question(browser, position).await;
        let wrong = answers.wrong(&shown);
        browser.click(&choice(&wrong)).await;
        if position == 2 {
            browser.wait_for_text_of("[data-save-state]", "Saved").await;
            browser.screenshot(&shot("2-question")).await;
        }
        browser.click("button[value=next]").await;
    }
    browser.wait_for("body.page-overview").await;
    browser.click_text("Hand in").await;
    browser.wait_for_text_of("h1", "Not passed yet").await;
    shoot_tall(browser, &shot("3-failed")).await;
    let text = browser.text().await;
    assert!(text.contains(&format!("0 of {total}")), "{text}");
    // A retake must still mean something: no right answer is shown.
    assert_eq!(browser.count(".reviewed li.right").await, 0);
    browser.assert_quiet_console().await;
}

/// Finds the second attempt where it was left at question 4, and passes it.
async fn pass_the_quiz(browser: &Browser, answers: &Answers, shot: &impl Fn(&str) -> String) {
    browser.click_text("Continue attempt 2").await;
    browser.wait_for("body.page-quiz-start").await;
    browser.click_text("Continue attempt 2").await;
    browser.wait_for_text_of("h1", "Question 5 of").await;
    assert_eq!(browser.count(".strip button.answered").await, 4);
    browser.click(".strip button[value='4']").await;
    let shown = read_question(browser, 4).await;
    let mut kept: Vec<String> = shown
        .choices
        .iter()
        .filter(|c| c.checked)
        .map(|c| c.value.clone())
        .collect();
    let mut right = answers.right(&shown);
    right.sort();
    kept.sort();
    assert_eq!(kept, right, "what was chosen is what is kept");
    browser.click(".strip button[value='5']").await;
    let total = count_questions(browser).await;
    for position in 5..=total {
        answer_rightly(browser, answers, position).await;
        browser.click("button[value=next]").await;
    }
    browser.wait_for_text("Every question has an answer").await;
    browser.click_text("Hand in").await;
    browser.wait_for_text_of("h1", "Passed").await;
    browser.screenshot(&shot("4-passed")).await;
    browser.assert_quiet_console().await;
}

/// Signs, after two refusals; gives the verification code.
async fn sign(browser: &Browser, shot: &impl Fn(&str) -> String) -> String {
    browser.click_text("Read and sign the statement").await;
    browser.wait_for("body.page-attest").await;
    assert_eq!(browser.count("[name=accept]:checked").await, 0);
    browser.screenshot(&shot("5-attest")).await;
    browser.fill("[name=typed_name]", "Demo Learner One").await;
    browser.click_text("Sign").await;
    browser
        .wait_for_text_of("#accept-error", "Tick the box")
        .await;
    assert_eq!(browser.count("#name-error").await, 0);
    browser.click("label.choice:has([name=accept])").await;
    browser.fill("[name=typed_name]", "Somebody Else").await;
    browser.click_text("Sign").await;
    browser
        .wait_for_text_of("#name-error", "Type your name")
        .await;
    assert_eq!(browser.count("#accept-error").await, 0);
    shoot_tall(browser, &shot("5-attest-refused")).await;
    // Chromium tells of the two refusals; of nothing else.
    let errors = browser.console_errors().await;
    assert!(
        errors.iter().all(|e| e.contains("status of 422")),
        "{errors:#?}"
    );

    browser.fill("[name=typed_name]", "demo learner  one").await;
    browser.click_text("Sign").await;
    browser.wait_for("body.page-certificate").await;
    assert_eq!(browser.text_of(".holder").await, "Demo Learner One");
    shoot_tall(browser, &shot("6-certificate")).await;
    browser.assert_quiet_console().await;
    browser.text_of("#code").await
}

/// Waits until the teacher's gradebook has this many points for the learner.
async fn await_grade(browser: &Browser, demo: &Demo, learner: &str, points: &str) {
    let deadline = Instant::now() + SCORE_PATIENCE;
    loop {
        browser
            .goto(&format!("{}as/teacher/grades", demo.lms))
            .await;
        let script = "return [...document.querySelectorAll('table.cells tbody tr')].map(r => \
             [r.cells[0].innerText, r.cells[1].innerText])";
        let rows: Vec<(String, String)> =
            serde_json::from_value(browser.script(script).await).unwrap();
        if rows
            .iter()
            .any(|(who, grade)| who == learner && grade.starts_with(points))
        {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "no grade {points} for {learner}: {rows:?}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What the command line says afterwards.
fn check_record(demo: &Demo, code: &str) {
    let completions = demo.rows(&["report", "completions", "--tenant", "demo"]);
    let mine: Vec<_> = completions
        .iter()
        .filter(|r| cell(r, "full_name") == "Demo Learner One")
        .collect();
    assert_eq!(mine.len(), 1, "{completions:?}");
    for (column, value) in [
        ("email", "demo.learner.one@example.com"),
        ("course_code", "general-security-awareness"),
        ("status", "completed"),
        ("attempts_total", "2"),
        ("attempts_failed", "1"),
        ("attestation_id", code),
    ] {
        assert_eq!(cell(mine[0], column), value, "{column}");
    }
    let attempts = demo.rows(&["report", "attempts", "--tenant", "demo"]);
    let passed: Vec<_> = attempts
        .iter()
        .map(|r| (cell(r, "attempt_no"), cell(r, "passed")))
        .collect();
    assert_eq!(passed, [("1", "false"), ("2", "true")]);
    assert!(
        attempts
            .iter()
            .all(|r| cell(r, "person_id") == cell(mine[0], "person_id"))
    );
    let checked = demo.run(&["ledger", "check", "--tenant", "demo"]);
    assert!(checked.starts_with("ok: "), "{checked}");
}

/// A row of a report, with its columns' names.
type Row = Vec<(String, String)>;

fn cell<'r>(row: &'r Row, column: &str) -> &'r str {
    let found = row.iter().find(|(name, _)| name == column);
    &found.unwrap_or_else(|| panic!("no column {column}")).1
}

/// `passmuster demo` on free ports, with a folder and a database of its own. Ends when dropped.
struct Demo {
    process: Child,
    lms: String,
    tool: String,
    folder: TempDir,
}

impl Demo {
    fn start(database_url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = File::create(folder.path().join("log")).expect("a log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_passmuster"))
            .args([
                "demo",
                "--listen",
                "127.0.0.1:0",
                "--database-url",
                database_url,
                "--data",
            ])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("passmuster starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped above")).lines();
        let mut demo = Self {
            process,
            lms: String::new(),
            tool: String::new(),
            folder,
        };
        for line in lines.by_ref().map_while(Result::ok) {
            let address = |name: &str| line.trim().strip_prefix(name).map(|a| a.trim().to_owned());
            if let Some(a) = address("Demo LMS") {
                demo.lms = a;
            }
            if let Some(a) = address("Passmuster  ") {
                demo.tool = a;
            }
            if !demo.lms.is_empty() && !demo.tool.is_empty() {
                // A pipe that nobody empties would stop it one day.
                std::thread::spawn(move || lines.for_each(drop));
                return demo;
            }
        }
        panic!("passmuster demo does not say where it listens");
    }

    /// Runs a command with the demo's settings file and gives what it prints.
    fn run(&self, arguments: &[&str]) -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_passmuster"))
            .arg("--config")
            .arg(self.folder.path().join("passmuster.toml"))
            .args(arguments)
            .output()
            .expect("passmuster starts");
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "{arguments:?}: {} {words}",
            done.status
        );
        String::from_utf8(done.stdout).expect("text")
    }

    fn rows(&self, arguments: &[&str]) -> Vec<Row> {
        let text = self.run(arguments);
        let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let names = reader.headers().expect("a header").clone();
        let row = |r: csv::StringRecord| {
            let pairs = names.iter().zip(&r);
            pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
        };
        reader.records().map(|r| row(r.expect("a row"))).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("the demo's log:\n{log}");
        }
    }
}

/// A question as the browser shows it.
#[derive(Deserialize)]
struct Shown {
    prompt: String,
    choices: Vec<ShownChoice>,
}

#[derive(Deserialize)]
struct ShownChoice {
    value: String,
    text: String,
    checked: bool,
}

async fn count_questions(browser: &Browser) -> usize {
    browser.wait_for_text_of("h1", "Question").await;
    let heading = browser.text_of("h1").await;
    heading
        .rsplit(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("Question 1 of 10")
}

/// Waits for the question to be there, and reads it.
async fn read_question(browser: &Browser, position: usize) -> Shown {
    browser
        .wait_for_text_of("h1", &format!("Question {position} of"))
        .await;
    let script = "return { prompt: document.getElementById('prompt').textContent, \
         choices: [...document.querySelectorAll('.choices label')].map(l => { const i = l.querySelector('input'); \
         return { value: i.value, checked: i.checked, text: l.querySelector('.text').textContent } }) }";
    serde_json::from_value(browser.script(script).await).expect("a question")
}

fn choice(value: &str) -> String {
    format!(".choices label:has(input[value='{value}'])")
}

/// Chooses what is right, without pressing a button, and waits for it to be saved.
async fn answer_rightly(browser: &Browser, answers: &Answers, position: usize) {
    let shown = read_question(browser, position).await;
    for value in answers.right(&shown) {
        browser.click(&choice(&value)).await;
        browser.wait_for_text_of("[data-save-state]", "Saved").await;
    }
}

/// The keys of a course's question banks, found by the texts of the options.
struct Answers(Vec<Known>);

struct Known {
    prompt: String,
    options: BTreeSet<String>,
    right: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bank {
    question: Vec<BankQuestion>,
}

#[derive(Deserialize)]
struct BankQuestion {
    prompt: String,
    options: Vec<BankOption>,
}

#[derive(Deserialize)]
struct BankOption {
    text: String,
    correct: bool,
}

impl Answers {
    fn load(course: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("content/courses")
            .join(course);
        let files = fs::read_dir(&folder)
            .expect("the course's folder")
            .map(|e| e.expect("an entry").path());
        let texts = files.filter_map(|f| fs::read_to_string(f.join("quiz.toml")).ok());
        let banks = texts.map(|t| toml::from_str::<Bank>(&t).expect("a question bank"));
        let known = banks.flat_map(|b| b.question).map(|q| Known {
            prompt: plain(&q.prompt),
            options: q.options.iter().map(|o| plain(&o.text)).collect(),
            right: q
                .options
                .iter()
                .filter(|o| o.correct)
                .map(|o| plain(&o.text))
                .collect(),
        });
        Self(known.collect())
    }

    fn find(&self, shown: &Shown) -> &Known {
        let options: BTreeSet<String> = shown.choices.iter().map(|c| plain(&c.text)).collect();
        let prompt = plain(&shown.prompt);
        let found = self
            .0
            .iter()
            .find(|k| k.options == options && k.prompt == prompt);
        found.unwrap_or_else(|| panic!("a question that is in no bank: {}", shown.prompt))
    }

    /// The values of the right options.
    fn right(&self, shown: &Shown) -> Vec<String> {
        let known = self.find(shown);
        let right = shown
            .choices
            .iter()
            .filter(|c| known.right.contains(&plain(&c.text)));
        right.map(|c| c.value.clone()).collect()
    }

    /// The value of an option that is not right.
    fn wrong(&self, shown: &Shown) -> String {
        let known = self.find(shown);
        let wrong = shown
            .choices
            .iter()
            .find(|c| !known.right.contains(&plain(&c.text)));
        wrong
            .expect("no question has right options only")
            .value
            .clone()
    }
}

/// A text without spaces, mark-up and typographic niceties.
fn plain(text: &str) -> String {
    let ornament = |c: char| c.is_whitespace() || "`*_\\\"'“”‘’-–—.…".contains(c);
    text.chars().filter(|c| !ornament(*c)).collect()
}
