//! The pages for people: start, course, frame, content, log, and what goes wrong.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::people::{self, PEOPLE, Person};
use super::service::{Entry, Query};
use super::{COURSE_LABEL, COURSE_TITLE, Lms, TOOL_NAME, gradebook, locked};

/// What the frame around each page shows.
pub(super) struct Chrome {
    pub who: Option<&'static Person>,
    /// The current tab.
    pub tab: &'static str,
}

/// A form that sends itself on, or by its button.
#[derive(Template)]
#[template(path = "lms_post.html")]
pub(super) struct PostForm<'a> {
    pub action: &'a str,
    pub fields: Vec<(&'static str, String)>,
}

/// What became of one picked item.
pub(super) struct Line {
    pub title: String,
    pub outcome: String,
    pub good: bool,
}

/// The end of "Add content", shown where the picker was.
#[derive(Template)]
#[template(path = "lms_added.html")]
pub(super) struct AddedPage {
    pub person_key: &'static str,
    pub tool: &'static str,
    pub added: usize,
    pub lines: Vec<Line>,
    pub message: String,
    pub error: String,
}

#[derive(Template)]
#[template(path = "lms_start.html")]
struct StartPage {
    chrome: Chrome,
    course: &'static str,
    tool: &'static str,
    people: &'static [Person],
}

struct Card {
    id: String,
    title: String,
    text: String,
    /// The learner's grade, or nothing for an ungraded link.
    grade: Option<String>,
    done: bool,
    added: bool,
}

#[derive(Template)]
#[template(path = "lms_course.html")]
struct CoursePage {
    chrome: Chrome,
    who: &'static Person,
    label: &'static str,
    course: &'static str,
    tool: &'static str,
    cards: Vec<Card>,
    message: Option<String>,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "lms_frame.html")]
struct FramePage {
    chrome: Chrome,
    who: &'static Person,
    course: &'static str,
    title: String,
    launch: String,
}

#[derive(Template)]
#[template(path = "lms_log.html")]
struct LogPage {
    chrome: Chrome,
    entries: Vec<LogLine>,
}

struct LogLine {
    at: String,
    method: String,
    path: String,
    status: u16,
    note: String,
    bad: bool,
}

#[derive(Template)]
#[template(path = "lms_fault.html")]
struct FaultPage<'a> {
    chrome: Chrome,
    text: &'a str,
}

/// A page that says what went wrong.
#[derive(Debug)]
pub(super) struct Fault(Box<Response>);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// `GET /`
pub(super) async fn start(State(lms): State<Lms>) -> Response {
    lms.html(&StartPage {
        chrome: Chrome {
            who: None,
            tab: "start",
        },
        course: COURSE_TITLE,
        tool: TOOL_NAME,
        people: &PEOPLE,
    })
}

/// `GET /as/{user}`; what the tool says at its return address is shown.
pub(super) async fn course(
    State(lms): State<Lms>,
    Path(user): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let who = lms.person(&user)?;
    let query = Query::read(query.as_deref());
    let cards = lms.0.store.read(|s| {
        let card = |link: &super::state::Link| {
            let item = s.line_item_of(&link.id);
            let grade = item.and_then(|i| s.grade(&i.id, who.sub));
            let points = grade.and_then(|g| g.score);
            Card {
                id: link.id.clone(),
                title: link.title.clone(),
                text: link.text.clone(),
                grade: item.map(|i| match points {
                    Some(points) => gradebook::points_of(points, i.maximum),
                    None => "Not graded yet".to_owned(),
                }),
                done: points.is_some(),
                added: link.key.is_none(),
            }
        };
        s.links.iter().map(card).collect()
    });
    Ok(lms.html(&CoursePage {
        chrome: Chrome {
            who: Some(who),
            tab: "course",
        },
        who,
        label: COURSE_LABEL,
        course: COURSE_TITLE,
        tool: TOOL_NAME,
        cards,
        message: query.get("lti_msg").map(str::to_owned),
        error: query.get("lti_errormsg").map(str::to_owned),
    }))
}

/// `GET /as/{user}/link/{link}`: the LMS's own page with the tool in a frame.
pub(super) async fn frame(
    State(lms): State<Lms>,
    Path((user, link)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let who = lms.person(&user)?;
    let title = lms.0.store.read(|s| s.link(&link).map(|l| l.title.clone()));
    let title = title.ok_or_else(|| {
        lms.fault(
            StatusCode::NOT_FOUND,
            "There is no such link in this course.",
        )
    })?;
    Ok(lms.html(&FramePage {
        chrome: Chrome {
            who: Some(who),
            tab: "course",
        },
        who,
        course: COURSE_TITLE,
        title,
        launch: format!("/as/{}/launch/{link}", who.key),
    }))
}

/// `GET /as/{user}/content`: the tool's picker in a frame.
pub(super) async fn content(
    State(lms): State<Lms>,
    Path(user): Path<String>,
) -> Result<Response, Fault> {
    let who = lms.teacher(&user)?;
    Ok(lms.html(&FramePage {
        chrome: Chrome {
            who: Some(who),
            tab: "course",
        },
        who,
        course: COURSE_TITLE,
        title: format!("Add content from {TOOL_NAME}"),
        launch: format!("/as/{}/content/pick", who.key),
    }))
}

/// `GET /log`
pub(super) async fn log(State(lms): State<Lms>) -> Response {
    let line = |e: &Entry| LogLine {
        at: e.at.rfc3339_ms()[11..19].to_owned(),
        method: e.method.to_string(),
        path: e.path.clone(),
        status: e.status,
        note: e.note.clone(),
        bad: e.status >= 400,
    };
    let entries = locked(&lms.0.log).iter().map(line).collect();
    lms.html(&LogPage {
        chrome: Chrome {
            who: None,
            tab: "log",
        },
        entries,
    })
}

/// `GET /static/{file}`
pub(super) async fn asset(State(lms): State<Lms>, Path(file): Path<String>) -> Response {
    let (kind, text) = match file.as_str() {
        "lms.css" => ("text/css; charset=utf-8", include_str!("../static/lms.css")),
        "lms.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../static/lms.js"),
        ),
        "lms.svg" => ("image/svg+xml", include_str!("../static/lms.svg")),
        _ => return nothing_here(State(lms)).await,
    };
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
        .into_response()
}

/// Everything else.
pub(super) async fn nothing_here(State(lms): State<Lms>) -> Response {
    lms.fault(
        StatusCode::NOT_FOUND,
        "There is no such page in the demo LMS.",
    )
    .into_response()
}

impl Lms {
    /// Whose pages these are.
    pub(super) fn person(&self, key: &str) -> Result<&'static Person, Fault> {
        people::by_key(key).ok_or_else(|| {
            self.fault(
                StatusCode::NOT_FOUND,
                "Nobody of that name is in this course.",
            )
        })
    }

    /// The same, for what only teachers may do.
    pub(super) fn teacher(&self, key: &str) -> Result<&'static Person, Fault> {
        let person = self.person(key)?;
        if person.teacher {
            return Ok(person);
        }
        Err(self.fault(StatusCode::FORBIDDEN, "Only the teacher can do this."))
    }

    /// A page with the one policy: own style and script, frames and forms of the tool, nothing inline.
    pub(super) fn html(&self, page: &impl Template) -> Response {
        let Ok(body) = page.render() else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let tool = self.0.config.tool_origins();
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
             frame-src 'self' {tool}; form-action 'self' {tool}; frame-ancestors 'self'; base-uri 'none'"
        );
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
        ];
        let mut response = (headers, body).into_response();
        if let Ok(policy) = HeaderValue::try_from(policy) {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// A page that says what went wrong.
    pub(super) fn fault(&self, status: StatusCode, text: &str) -> Fault {
        let mut response = self.html(&FaultPage {
            chrome: Chrome { who: None, tab: "" },
            text,
        });
        *response.status_mut() = status;
        response
            .extensions_mut()
            .insert(super::service::Note(text.to_owned()));
        Fault(Box::new(response))
    }
}
