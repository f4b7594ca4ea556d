//! Every page with sample data, for the tests and for looking at.

use std::sync::LazyLock;

use askama::Template;
use syntect::html::{ClassStyle, ClassedHTMLGenerator};
use syntect::parsing::SyntaxSet;
use syntect::util::LinesWithEndings;

use super::*;

/// All pages, by file name. `name` is what the LMS says the person is called.
pub(super) fn pages(name: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("course", course(name, 2).render().unwrap()),
        ("course-ready", course(name, 4).render().unwrap()),
        ("lesson", lesson(Some(name)).render().unwrap()),
        ("quiz-start", quiz_start(name).render().unwrap()),
        (
            "question",
            question(name, QuestionKind::Single, 3).render().unwrap(),
        ),
        (
            "question-multiple",
            question(name, QuestionKind::Multiple, 10).render().unwrap(),
        ),
        ("overview", overview(name, 2).render().unwrap()),
        ("overview-complete", overview(name, 0).render().unwrap()),
        ("result-passed", result(name, true).render().unwrap()),
        ("result-failed", result(name, false).render().unwrap()),
        ("attest", attest(name, false).render().unwrap()),
        ("attest-errors", attest(name, true).render().unwrap()),
        ("certificate", certificate(name).render().unwrap()),
        ("new-window", new_window(name, true).render().unwrap()),
        ("new-window-link", new_window(name, false).render().unwrap()),
    ];
    all.extend(public());
    all
}

/// The pages without a person.
pub(super) fn public() -> Vec<(&'static str, String)> {
    vec![
        ("public-lesson", lesson(None).render().unwrap()),
        ("public-index", public_index().render().unwrap()),
        ("public-course", public_course().render().unwrap()),
        ("verify", verify(Some(VerifyState::Valid)).render().unwrap()),
        (
            "verify-expired",
            verify(Some(VerifyState::Expired)).render().unwrap(),
        ),
        ("verify-unknown", verify(None).render().unwrap()),
        ("error", error().render().unwrap()),
    ]
}

fn shell(title: &str, name: &str) -> Shell {
    Shell {
        title: title.into(),
        lang: String::new(),
        tenant_name: Some("Acme Instruments".into()),
        who: Some(Who {
            name: name.into(),
            detail: "Security 2026".into(),
        }),
        home_href: Some("/learn/c1".into()),
        notice: None,
        lms_return_href: Some("https://lms.example/course/7".into()),
    }
}

fn public_shell(title: &str) -> Shell {
    Shell {
        title: title.into(),
        home_href: Some("/".into()),
        ..Shell::default()
    }
}

fn link(href: &str, label: &str) -> Link {
    Link {
        href: href.into(),
        label: label.into(),
    }
}

fn crumb(module: bool) -> Crumb {
    Crumb {
        course: link("/learn/c1", "Secure coding for the web"),
        module: module.then(|| link("/learn/c1/a01", "A01 Broken access control")),
    }
}

fn form() -> PostForm {
    PostForm {
        action: "/learn/c1/post".into(),
        csrf: "csrf-token-\"1\"".into(),
    }
}

fn html(text: &str) -> Html {
    Html(text.into())
}

fn highlighted(extension: &str, code: &str) -> Html {
    static SET: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);
    let set = &*SET;
    let syntax = set.find_syntax_by_extension(extension).unwrap();
    let style = ClassStyle::SpacedPrefixed { prefix: "hl-" };
    let mut generator = ClassedHTMLGenerator::new_with_class_style(syntax, set, style);
    for line in LinesWithEndings::from(code) {
        generator
            .parse_html_for_line_which_includes_newline(line)
            .unwrap();
    }
    Html(format!("<pre><code>{}</code></pre>", generator.finalize()))
}

const PYTHON: &str = r#"@app.get("/invoices/<int:invoice_id>")
@login_required
def invoice(invoice_id: int) -> Response:
    """Shows one invoice."""
    # Any signed-in person may ask for any number.
    row = db.fetch_one("SELECT id, total FROM invoice WHERE id = %s", [invoice_id])
    if row is None:
        raise NotFound(f"no invoice {invoice_id}")
    return render(row, retries=3, cached=False)
"#;

const DIFF: &str = "--- a/invoice.py\n+++ b/invoice.py\n@@ -6,3 +6,3 @@\n-    row = db.fetch_one(BY_ID, [invoice_id])\n+    row = db.fetch_one(BY_ID_AND_OWNER, [invoice_id, user.id])\n     if row is None:\n";

const JAVA: &str = "public final class Login {\n    private static final int TRIES = 5; // per minute\n\n    boolean allowed(String user, @Nullable Token token) throws IOException {\n        return token != null && limiter.count(user, \"login\\n\") < TRIES;\n    }\n}\n";

fn course(name: &str, passed: usize) -> CoursePage {
    let states = [
        ModuleState::Passed,
        ModuleState::Passed,
        ModuleState::AttemptOpen,
        ModuleState::NotPassedYet,
    ];
    let titles = [
        "Broken access control",
        "Security misconfiguration",
        "Software supply chain failures",
        "Cryptographic failures in systems that nobody remembers building",
    ];
    let modules = titles
        .iter()
        .zip(states)
        .enumerate()
        .map(|(i, (title, state))| ModuleRow {
            number: format!("A0{}", i + 1),
            title: (*title).into(),
            summary: "Who may do what, decided on the server, for every object and every request."
                .into(),
            minutes: 25,
            state: if passed == 4 {
                ModuleState::Passed
            } else {
                state
            },
            best_score: (i != 2).then(|| "90 %".into()),
            attempts: i,
            lesson_href: format!("/learn/c1/a0{}", i + 1),
            quiz_href: Some(format!("/learn/c1/a0{}/quiz", i + 1)),
            quiz_label: if i == 2 {
                "Continue attempt 1".into()
            } else {
                "Take the quiz".into()
            },
        });
    let mut shell = shell("Secure coding for the web", name);
    shell.notice = (passed < 4).then(|| Notice {
        kind: NoticeKind::Done,
        text: "Attempt 1 was handed in.".into(),
    });
    CoursePage {
        shell,
        title: "Secure coding for the web".into(),
        summary: html(
            "<p>What every developer should know about the ten most common risks, with code to read and mend.</p>",
        ),
        edition: "2025".into(),
        version: "3.1.0".into(),
        progress: Progress {
            passed,
            total: 4,
            percent: passed * 25,
        },
        modules: modules.collect(),
        attestation: if passed == 4 {
            AttestationState::Ready {
                href: "/learn/c1/attest".into(),
            }
        } else {
            AttestationState::Locked { missing: 2 }
        },
        instructor: passed < 4,
    }
}

fn lesson(name: Option<&str>) -> LessonPage {
    let body = format!(
        "<h2 id=\"what\">What goes wrong</h2>\n<p>The server knows <em>who</em> asks, and forgets to ask whether they <strong>may</strong>. The identifier in the address, <code>/invoices/1041</code>, becomes the permission.</p>\n{}\n<h3 id=\"guess\">Guessing a neighbour</h3>\n<p>Numbers in a row are easy to guess, but <a href=\"https://example.org/\">random identifiers</a> only hide the fault:</p>\n<ul><li>they are logged,</li><li>they are shared,</li><li>they stay valid.</li></ul>\n<blockquote><p>Hidden is not the same as forbidden.</p></blockquote>\n<h2 id=\"mend\">How to mend it</h2>\n<p>Put the owner into the query, so that the row of another person does not exist for this one.</p>\n{}\n<table><thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Where</th></tr></thead><tbody><tr><td>Is signed in</td><td>middleware</td></tr><tr><td>May see this row</td><td>the query itself</td></tr></tbody></table>\n<h2 id=\"java\">The same in Java</h2>\n{}\n<p>{}</p>",
        highlighted("py", PYTHON).0,
        highlighted("diff", DIFF).0,
        highlighted("java", JAVA).0,
        "A rule that stands in one place can be read, tested and changed. ".repeat(6),
    );
    let toc = [
        ("what", "What goes wrong", false),
        ("guess", "Guessing a neighbour", true),
        ("mend", "How to mend it", false),
        ("java", "The same in Java", false),
    ];
    LessonPage {
        shell: name.map_or_else(
            || public_shell("Broken access control"),
            |name| shell("Broken access control", name),
        ),
        crumb: crumb(false),
        module_number: "A01".into(),
        title: "Broken access control".into(),
        summary: "Who may do what, decided on the server, for every object and every request."
            .into(),
        minutes: 25,
        version: "3.1.0".into(),
        toc: toc
            .into_iter()
            .map(|(id, text, sub)| TocEntry {
                id: id.into(),
                text: text.into(),
                sub,
            })
            .collect(),
        body: Html(body),
        sources: vec![link(
            "https://owasp.org/Top10/2025/",
            "OWASP Top 10:2025, A01",
        )],
        cwes: vec![
            link(
                "https://cwe.mitre.org/data/definitions/862.html",
                "CWE-862 Missing Authorization",
            ),
            link(
                "https://cwe.mitre.org/data/definitions/639.html",
                "CWE-639 Authorization Bypass Through User-Controlled Key",
            ),
        ],
        quiz: name.map(|_| link("/learn/c1/a01/quiz", "Take the quiz")),
        previous: None,
        next: Some(link("/learn/c1/a02", "A02 Security misconfiguration")),
    }
}

fn quiz_start(name: &str) -> QuizStartPage {
    let row = |number, score: Option<&str>, outcome| AttemptRow {
        number,
        started: "2 Mar 2026, 09:14".into(),
        handed_in: score.map(|_| "2 Mar 2026, 09:31".into()),
        score: score.map(Into::into),
        outcome,
        href: score.map(|_| format!("/learn/c1/a01/attempts/{number}")),
    };
    QuizStartPage {
        shell: shell("Quiz: Broken access control", name),
        crumb: crumb(true),
        module_number: "A01".into(),
        module_title: "Broken access control".into(),
        lesson_href: "/learn/c1/a01".into(),
        questions: 10,
        needed: 8,
        pass_mark: "80 %".into(),
        attempts: vec![
            row(1, Some("70 %"), AttemptOutcome::NotPassed),
            row(2, Some("90 %"), AttemptOutcome::Passed),
            row(3, None, AttemptOutcome::Open),
        ],
        form: form(),
        button: "Continue attempt 3".into(),
        instructor: true,
    }
}

fn question(name: &str, kind: QuestionKind, position: usize) -> QuestionPage {
    let texts = [
        "Use random identifiers instead of numbers, so that nobody can guess the invoice of somebody else.",
        "Add <code>AND owner_id = %s</code> to the query and pass the signed-in person's id.",
        "Hide the link to invoices of other people.",
        "Log every access and look at the log once a week, because <code>a_very_long_identifier_without_any_place_to_break_it_in_two_halves()</code> says so.",
    ];
    QuestionPage {
        shell: shell("Question 3 of 10", name),
        crumb: crumb(true),
        module_title: "Broken access control".into(),
        attempt_number: 2,
        position,
        total: 10,
        prompt: html(
            "<p>A tester changes the number in the address and reads another customer's invoice. Which change mends the cause?</p>",
        ),
        code: Some(highlighted("py", PYTHON)),
        kind,
        choices: texts
            .iter()
            .enumerate()
            .map(|(i, text)| Choice {
                value: format!("o{i}"),
                text: html(text),
                checked: i == 1,
            })
            .collect(),
        form: form(),
        save_href: "/learn/c1/post".into(),
        strip: (1..=10)
            .map(|at| StripItem {
                position: at,
                answered: at < 4,
                current: at == position,
            })
            .collect(),
    }
}

fn overview(name: &str, unanswered: usize) -> OverviewPage {
    OverviewPage {
        shell: shell("Overview", name),
        crumb: crumb(true),
        module_title: "Broken access control".into(),
        attempt_number: 2,
        items: (1..=10)
            .map(|position| OverviewItem {
                position,
                href: format!("/learn/c1/attempts/9/{position}"),
                excerpt: "A tester changes the number in the address and reads another customer's <invoice>".into(),
                answered: position + unanswered <= 10,
            })
            .collect(),
        unanswered,
        form: form(),
        back_href: "/learn/c1/attempts/9/9".into(),
    }
}

fn result(name: &str, passed: bool) -> ResultPage {
    let choice = |text, chosen, verdict, rationale: Option<&str>| ReviewedChoice {
        text: html(text),
        chosen,
        verdict,
        rationale: rationale.map(html),
    };
    let other = if passed {
        Verdict::Wrong
    } else {
        Verdict::Withheld
    };
    let right = if passed {
        Verdict::Right
    } else {
        Verdict::Withheld
    };
    let items = vec![
        ResultItem {
            number: 1,
            prompt: html("<p>Which change mends the cause?</p>"),
            code: Some(highlighted("py", PYTHON)),
            correct: true,
            choices: vec![
                choice(
                    "Use random identifiers.",
                    false,
                    other,
                    passed.then_some("They hide the fault; a shared link still opens."),
                ),
                choice(
                    "Add the owner to the <code>WHERE</code> clause.",
                    true,
                    Verdict::Right,
                    Some("The row of another person does not exist for this one."),
                ),
            ],
            sources: vec![link(
                "https://cheatsheetseries.owasp.org/",
                "Authorization cheat sheet",
            )],
        },
        ResultItem {
            number: 2,
            prompt: html("<p>Where is access decided?</p>"),
            code: None,
            correct: false,
            choices: vec![
                choice(
                    "In the browser.",
                    true,
                    Verdict::Wrong,
                    Some("Whoever asks controls the browser."),
                ),
                choice(
                    "On the server.",
                    false,
                    right,
                    passed.then_some("It is the only place the person cannot change."),
                ),
            ],
            sources: Vec::new(),
        },
        ResultItem {
            number: 3,
            prompt: html("<p>What does 403 say that 404 does not?</p>"),
            code: None,
            correct: false,
            choices: vec![choice("That the row exists.", false, right, None)],
            sources: Vec::new(),
        },
    ];
    ResultPage {
        shell: shell("Result", name),
        crumb: crumb(true),
        module_title: "Broken access control".into(),
        lesson_href: "/learn/c1/a01".into(),
        attempt_number: 2,
        handed_in: "2 Mar 2026, 09:31".into(),
        score: if passed { "90 %" } else { "60 %" }.into(),
        right: if passed { 9 } else { 6 },
        total: 10,
        pass_mark: "80 %".into(),
        passed,
        grade_note: Some("Your grade is on its way to your LMS.".into()),
        key_note: (!passed).then(|| "Right answers you did not choose stay hidden until you pass, so that the next attempt means something.".into()),
        objectives: vec![
            ObjectiveRow { text: "Find a missing check in a handler".into(), right: 3, total: 3 },
            ObjectiveRow { text: "Put the check where it cannot be forgotten".into(), right: 1, total: 3 },
        ],
        items,
        retake: Some(form()),
        next_module: passed.then(|| link("/learn/c1/a02", "Security misconfiguration")),
        attest_href: None,
    }
}

fn attest(name: &str, errors: bool) -> AttestPage {
    AttestPage {
        shell: shell("Sign your statement", name),
        crumb: crumb(false),
        course_title: "Secure coding for the web".into(),
        course_version: "3.1.0".into(),
        completed: "2 March 2026".into(),
        statement: vec![
            format!("I, {name}, completed the course Secure coding for the web, version 3.1.0, on 2 March 2026."),
            "I understood its content and will follow the secure development policy in my work.".into(),
        ],
        statement_id: "att-en/4".into(),
        policies: vec![link("https://acme.example/policy", "Secure development policy, version 7")],
        stored: "With your signature we store your name, the time, your IP address and what your browser calls itself, to show that it was you. Your company decides how long.".into(),
        form: form(),
        expected_name: name.into(),
        typed_name: if errors { name.into() } else { String::new() },
        accepted: false,
        errors: AttestErrors {
            accept: errors.then(|| "Tick the box if the statement is true.".into()),
            typed_name: errors.then(|| "This is not the name your LMS gave us.".into()),
        },
        decline_href: "/learn/c1".into(),
    }
}

fn certificate(name: &str) -> CertificatePage {
    CertificatePage {
        shell: shell("Certificate", name),
        crumb: crumb(false),
        name: name.into(),
        tenant_name: "Acme Instruments".into(),
        course_title: "Secure coding for the web".into(),
        course_version: "3.1.0".into(),
        modules: (1..=10)
            .map(|i| CertificateModule {
                number: format!("A{i:02}"),
                title: "Software supply chain failures".into(),
                completed: "2 Mar 2026".into(),
                score: "90 %".into(),
            })
            .collect(),
        completed: "2 March 2026".into(),
        signed: "2 March 2026, 09:14 UTC".into(),
        valid_until: Some("2 March 2027".into()),
        statement: vec![
            format!(
                "I, {name}, completed the course Secure coding for the web, version 3.1.0, on 2 March 2026."
            ),
            "I understood its content and will follow the secure development policy in my work."
                .into(),
        ],
        code: "7XK4-Q2MN-9RTD-W3HP".into(),
        verify_url: "https://train.example/verify/7XK4-Q2MN-9RTD-W3HP".into(),
        downloads: vec![link(
            "/learn/c1/attestation.jws",
            "Signed record (.jws), verifiable offline",
        )],
    }
}

fn verify(state: Option<VerifyState>) -> VerifyPage {
    VerifyPage {
        shell: public_shell("Attestation"),
        record: state.map(|state| VerifiedRecord {
            state,
            code: "7XK4-Q2MN-9RTD-W3HP".into(),
            initials: "A. R.".into(),
            course_title: "Secure coding for the web".into(),
            course_version: "3.1.0".into(),
            completed: "2 March 2026".into(),
            signed: "2 March 2026, 09:14 UTC".into(),
            valid_until: Some("2 March 2027".into()),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            keys_url: "https://train.example/.well-known/jwks.json".into(),
        }),
    }
}

fn error() -> ErrorPage {
    ErrorPage {
        shell: public_shell("This link was used already"),
        heading: "This link was used already".into(),
        happened: "Your LMS opens Passmuster with a link that works once. This one was opened before, for example by going back in the browser.".into(),
        kept: Some("Everything you did is saved.".into()),
        next: vec![
            "Close this page and open the course again from your LMS.".into(),
            "If it happens again, give the code and the reference below to whoever runs your LMS.".into(),
        ],
        admin_note: Some("A proxy or link scanner that opens each address first uses the launch up. Exclude /lti/ from it.".into()),
        code: Some("launch.nonce_replayed".into()),
        reference: "01JQ8Z4M2V7XK4Q2MN9RTDW3HP".into(),
        link: Some(link("/", "Read the courses")),
    }
}

fn public_index() -> PublicIndexPage {
    PublicIndexPage {
        shell: public_shell("Courses"),
        courses: vec![PublicCourse {
            title: "Secure coding for the web".into(),
            summary: html("<p>The ten most common risks, with code to read and mend.</p>"),
            edition: "2025".into(),
            modules: 10,
            minutes: 250,
            href: "/courses/owasp-2025".into(),
        }],
    }
}

fn public_course() -> PublicCoursePage {
    PublicCoursePage {
        shell: public_shell("Secure coding for the web"),
        title: "Secure coding for the web".into(),
        summary: html("<p>The ten most common risks, with code to read and mend.</p>"),
        edition: "2025".into(),
        version: "3.1.0".into(),
        modules: (1..=3)
            .map(|i| PublicModule {
                number: format!("A{i:02}"),
                title: "Broken access control".into(),
                summary: "Who may do what, decided on the server.".into(),
                minutes: 25,
                href: format!("/courses/owasp-2025/a{i:02}"),
            })
            .collect(),
    }
}

fn new_window(name: &str, post: bool) -> NewWindowPage {
    let mut shell = shell("Go on in a new window", name);
    shell.who = None;
    NewWindowPage {
        shell,
        what: "Secure coding for the web".into(),
        reopen: if post {
            Reopen::Post {
                action: "/lti/continue".into(),
                fields: vec![("ticket".into(), name.into())],
            }
        } else {
            Reopen::Link {
                href: "/learn/c1?a=1&b=2".into(),
            }
        },
    }
}
