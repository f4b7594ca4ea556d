//! The single mapping from what went wrong to a status and a page (or `application/problem+json` for machines).
//! A fault of ours shows only the request's id; what it was is in the log.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::headers::FrameAncestors;
use super::pages::{ErrorPage, Link, Shell};
use crate::lti::launch_error::LaunchError;
use crate::storage;
use crate::training::attempt::AttemptError;
use crate::training::attest::AttestError;
use crate::training::launch::EntryError;

/// What a handler could not do.
#[derive(Debug)]
pub(super) enum Error {
    /// The database, a template, a stored value: ours to mend.
    Ours(String),
    /// Refused on the way in from a platform.
    Entry(EntryError),
    /// No session, or it has ended.
    SignedOut,
    /// The session is somebody else's, or there is no such thing.
    NotFound,
    /// No such page.
    NoPage,
    /// No such method here.
    Method,
    /// The form was not ours, or came from elsewhere.
    Forged,
    /// The form cannot be read.
    BadForm(&'static str),
    /// Too much was sent.
    TooLarge,
    /// A step of an attempt was refused; where to go on.
    Attempt(AttemptError, Option<Link>),
    /// A signature was refused; where to go on.
    Attest(AttestError, Option<Link>),
    /// No token, or one that may not do this.
    Token,
    /// The token lacks the scope.
    Scope(&'static str),
    /// A parameter of a report makes no sense.
    Parameter(String),
}

impl From<storage::Error> for Error {
    fn from(e: storage::Error) -> Self {
        Self::Ours(format!("{e} ({})", e.driver_code()))
    }
}

impl From<askama::Error> for Error {
    fn from(e: askama::Error) -> Self {
        Self::Ours(format!("template: {e}"))
    }
}

impl From<EntryError> for Error {
    fn from(e: EntryError) -> Self {
        match e {
            EntryError::Storage(e) => e.into(),
            e => Self::Entry(e),
        }
    }
}

impl From<AttemptError> for Error {
    fn from(e: AttemptError) -> Self {
        match e {
            AttemptError::Storage(e) => e.into(),
            AttemptError::NotFound => Self::NotFound,
            AttemptError::Corrupt | AttemptError::Grade(_) => Self::Ours(e.to_string()),
            e => Self::Attempt(e, None),
        }
    }
}

impl From<AttestError> for Error {
    fn from(e: AttestError) -> Self {
        match e {
            AttestError::Storage(e) => e.into(),
            AttestError::Key(_) => Self::Ours(e.to_string()),
            e => Self::Attest(e, None),
        }
    }
}

/// A refusal on its way out: rendered where the request's id is known.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    heading: String,
    happened: String,
    kept: Option<String>,
    next: Vec<String>,
    admin_note: Option<String>,
    link: Option<Link>,
}

impl Problem {
    fn new(
        status: StatusCode,
        code: &'static str,
        heading: &str,
        happened: &str,
        next: &str,
    ) -> Self {
        Self {
            status,
            code,
            heading: heading.to_owned(),
            happened: happened.to_owned(),
            kept: None,
            next: vec![next.to_owned()],
            admin_note: None,
            link: None,
        }
    }

    pub(super) const fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn render(self, id: &str, for_machines: bool, before: Response) -> Response {
        let status = self.status;
        let (kind, body) = if for_machines {
            let problem = serde_json::json!({
                "type": format!("urn:passmuster:{}", self.code),
                "title": self.heading,
                "status": status.as_u16(),
                "detail": self.happened,
                "instance": format!("urn:passmuster:request:{id}"),
            });
            ("application/problem+json", problem.to_string())
        } else {
            let page = ErrorPage {
                shell: Shell {
                    title: self.heading.clone(),
                    ..Shell::default()
                },
                heading: self.heading,
                happened: self.happened,
                kept: self.kept,
                next: self.next,
                admin_note: self.admin_note,
                code: (!self.code.is_empty()).then(|| self.code.to_owned()),
                reference: id.to_owned(),
                link: self.link,
            };
            let page = page
                .render()
                .unwrap_or_else(|_| format!("Something went wrong. Reference: {id}"));
            ("text/html; charset=utf-8", page)
        };
        let (parts, _) = before.into_parts();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        for name in [header::SET_COOKIE, header::WWW_AUTHENTICATE, header::ALLOW] {
            for value in parts.headers.get_all(&name) {
                response.headers_mut().append(name.clone(), value.clone());
            }
        }
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

const REOPEN: &str = "Open the activity again from your course in the LMS.";

impl From<Error> for Problem {
    fn from(e: Error) -> Self {
        use StatusCode as S;
        match e {
            Error::Ours(what) => {
                tracing::error!(error = what, "a step failed");
                let mut p = Self::new(
                    S::INTERNAL_SERVER_ERROR,
                    "service.fault",
                    "Something went wrong on our side",
                    "The step could not be finished.",
                    "Try again in a moment. If it happens again, tell your administrator the reference below.",
                );
                p.kept = Some("What was saved before is still there.".to_owned());
                p
            }
            Error::Entry(e) => entry(&e),
            Error::SignedOut => Self::new(
                S::UNAUTHORIZED,
                "session.ended",
                "Please open the course again",
                "This browser is not signed in here any more, or it keeps our cookie away.",
                REOPEN,
            )
            .keeping("Saved answers and handed-in attempts are kept; an open attempt goes on where it was."),
            Error::NotFound => Self::new(
                S::NOT_FOUND,
                "page.not_yours",
                "There is nothing here for you",
                "It does not exist, or it belongs to another person: perhaps someone else has opened the course in this browser since.",
                REOPEN,
            ),
            Error::NoPage => Self::new(
                S::NOT_FOUND,
                "page.unknown",
                "No such page",
                "There is nothing at this address.",
                "Check the address, or open the activity again from your course in the LMS.",
            ),
            Error::Method => Self::new(
                S::METHOD_NOT_ALLOWED,
                "page.method",
                "That does not work here",
                "This address does not take this kind of request.",
                REOPEN,
            ),
            Error::Forged => Self::new(
                S::FORBIDDEN,
                "form.forged",
                "The form could not be accepted",
                "It does not belong to this browser's present session.",
                "Go back, reload the page and send the form again.",
            )
            .keeping("Nothing was changed."),
            Error::BadForm(why) => {
                Self::new(S::BAD_REQUEST, "form.unreadable", "The form could not be read", why, "Go back and send it again.")
                    .keeping("Nothing was changed.")
            }
            Error::TooLarge => Self::new(
                S::PAYLOAD_TOO_LARGE,
                "form.too_large",
                "That was too much",
                "More was sent than any form of ours holds.",
                "Go back and send it again.",
            )
            .keeping("Nothing was changed."),
            Error::Attempt(e, link) => attempt(&e, link),
            Error::Attest(e, link) => attest(&e, link),
            Error::Token => Self::new(
                S::UNAUTHORIZED,
                "api.token",
                "A valid API token is needed",
                "The request carries no valid API token (Authorization: Bearer).",
                "Make a token with: passmuster token create",
            ),
            Error::Scope(scope) => Self::new(
                S::FORBIDDEN,
                "api.scope",
                "The token may not do this",
                &format!("The token lacks the scope {scope}."),
                "Make a token with this scope.",
            ),
            Error::Parameter(why) => Self::new(
                S::BAD_REQUEST,
                "report.parameter",
                "A parameter makes no sense",
                &why,
                "Correct the parameter and ask again.",
            ),
        }
    }
}

impl Problem {
    fn keeping(mut self, kept: &str) -> Self {
        self.kept = Some(kept.to_owned());
        self
    }
}

fn entry(e: &EntryError) -> Problem {
    let (code, title, explanation, remedy) = match e {
        EntryError::Login(e) => (e.code(), e.title(), e.explanation(), e.remedy()),
        EntryError::Launch(e) => (e.code(), e.title(), e.explanation(), e.remedy()),
        EntryError::UnknownCourse | EntryError::Storage(_) => (
            "launch.unknown_course",
            "This activity is not set up yet",
            "The activity in the LMS names no course of ours.",
            "In the activity's settings, set the custom parameter passmuster_course to a course's code, such as owasp-top10-2025.",
        ),
    };
    let status = match e {
        EntryError::Launch(LaunchError::KeysUnavailable) => StatusCode::BAD_GATEWAY,
        EntryError::Launch(
            LaunchError::StateUnknown | LaunchError::Replayed | LaunchError::StateExpired,
        ) => StatusCode::CONFLICT,
        EntryError::UnknownCourse => StatusCode::NOT_FOUND,
        EntryError::Login(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    };
    let mut p =
        Problem::new(status, code, title, explanation, REOPEN).keeping("Nothing was changed.");
    p.admin_note = Some(remedy.to_owned());
    p
}

fn attempt(e: &AttemptError, link: Option<Link>) -> Problem {
    let (status, heading, happened, next) = match e {
        AttemptError::HandedIn => (
            StatusCode::CONFLICT,
            "This attempt was handed in already",
            "It was graded when it was handed in first; nothing can be added to it.",
            "Look at its result, or begin a new attempt.",
        ),
        _ => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "That answer does not fit",
            "What was sent does not belong to the questions of this attempt.",
            "Go back, reload the page and choose again.",
        ),
    };
    let mut p =
        Problem::new(status, e.code(), heading, happened, next).keeping("Nothing was changed.");
    p.link = link;
    p
}

fn attest(e: &AttestError, link: Option<Link>) -> Problem {
    let (status, heading, happened, next) = match e {
        AttestError::NotCompleted => (
            StatusCode::CONFLICT,
            "The course is not completed yet",
            "The statement can be signed when every module is passed.",
            "Go back to the course and pass the modules that are left.",
        ),
        AttestError::Signed => (
            StatusCode::CONFLICT,
            "This statement was signed already",
            "One completion has one statement.",
            "Look at your certificate.",
        ),
        AttestError::TestUser => (
            StatusCode::FORBIDDEN,
            "A preview user signs nothing",
            "The LMS has opened this page for its preview user, who is no person.",
            "Leave the preview and open the activity as yourself.",
        ),
        _ => (
            StatusCode::CONFLICT,
            "The statement has changed",
            "The text in force is not the one that was shown.",
            "Open the page again, read the statement, and sign it then.",
        ),
    };
    let mut p =
        Problem::new(status, e.code(), heading, happened, next).keeping("Nothing was changed.");
    p.link = link;
    p
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let needs_token = matches!(self, Self::Token);
        let problem = Problem::from(self);
        let mut response = problem.status.into_response();
        if needs_token {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(problem);
        response
    }
}

/// A refusal whose page may be shown in a platform's frame.
pub(super) fn framed(e: impl Into<Error>, ancestors: Vec<String>) -> Response {
    let mut response = e.into().into_response();
    response.extensions_mut().insert(FrameAncestors(ancestors));
    response
}

pub(super) async fn no_such_page() -> Error {
    Error::NoPage
}

pub(super) async fn no_such_method() -> Error {
    Error::Method
}

pub(super) type Result<T> = std::result::Result<T, Error>;
