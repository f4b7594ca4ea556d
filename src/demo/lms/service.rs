//! What the service endpoints share: refusals, bearer tokens, media types, paging, and the log of calls.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Map, Value, json};

use super::{COURSE_ID, Lms, LmsError, locked};
use crate::{crypto, time::Timestamp};

/// So many calls the log page shows.
const LOG_LENGTH: usize = 200;

/// A service's no, with a cause that names no person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {cause}")]
pub(super) struct Refusal {
    pub status: StatusCode,
    /// For OAuth the RFC 6749 §5.2 code, else a word of ours.
    pub code: &'static str,
    pub cause: String,
}

/// A remark on a response, for the log page.
#[derive(Debug, Clone)]
pub(super) struct Note(pub String);

/// A line of the log page.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub at: Timestamp,
    pub method: Method,
    /// Without query: that may name a person.
    pub path: String,
    pub status: u16,
    pub note: String,
}

impl Refusal {
    /// Any refusal.
    pub(super) fn new(status: StatusCode, code: &'static str, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        Self {
            status,
            code,
            cause,
        }
    }

    /// 400: the request says something wrong.
    pub(super) fn bad(cause: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", cause)
    }

    /// 404: there is no such thing here.
    pub(super) fn absent(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", what)
    }
}

impl From<LmsError> for Refusal {
    fn from(error: LmsError) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            error.code(),
            error.to_string(),
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code, "error_description": self.cause });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let note = Note(format!("{}: {}", self.code, self.cause));
        response.extensions_mut().insert(note);
        response
    }
}

/// A JSON answer of one media type, with a remark for the log.
pub(super) fn answer(
    status: StatusCode,
    media_type: &'static str,
    body: &Value,
    note: impl Into<String>,
) -> Response {
    let kind = [(header::CONTENT_TYPE, media_type)];
    let mut response = (status, kind, body.to_string()).into_response();
    response.extensions_mut().insert(Note(note.into()));
    response
}

/// Writes each call of a service into the log.
pub(super) async fn record(State(lms): State<Lms>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let note = response.extensions().get::<Note>();
    let entry = Entry {
        at: lms.0.clock.now(),
        method,
        path,
        status: response.status().as_u16(),
        note: note.map_or_else(String::new, |n| n.0.clone()),
    };
    let mut log = locked(&lms.0.log);
    log.push_front(entry);
    log.truncate(LOG_LENGTH);
    drop(log);
    response
}

/// Answers only under the configured name: the frame is cross-site for that name alone, and a foreign name
/// that resolves to this machine gets nothing.
pub(super) async fn only_by_its_name(
    State(lms): State<Lms>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST);
    if host.is_some_and(|h| h.as_bytes() == lms.0.config.authority().as_bytes()) {
        return next.run(request).await;
    }
    if request.method() == Method::GET {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        return Redirect::temporary(&lms.0.config.address(path)).into_response();
    }
    Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host",
        "the demo LMS answers under its own name only",
    )
    .into_response()
}

impl Lms {
    /// Lets a call through whose bearer token carries one of `scopes` (RFC 6750 §3.1).
    pub(super) fn allow(&self, headers: &HeaderMap, scopes: &[&str]) -> Result<(), Refusal> {
        let refuse = |cause| Refusal::new(StatusCode::UNAUTHORIZED, "invalid_token", cause);
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|h| h.to_str().ok())
            .and_then(|h| h.strip_prefix("Bearer "))
            .ok_or_else(|| refuse("no 'Authorization: Bearer …'"))?;
        let passing = locked(&self.0.passing);
        let granted = passing
            .tokens
            .get(&crypto::sha256_hex(token.as_bytes()), self.0.clock.now())
            .ok_or_else(|| refuse("the access token is unknown or has expired"))?;
        if scopes.iter().any(|s| granted.contains(s)) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            format!("the access token lacks the scope {}", scopes.join(" or ")),
        ))
    }
}

/// The course in a service's path must be ours, and the query must name the tool (`type_id=1`): a path
/// pasted behind the query loses it.
pub(super) fn in_course(course: &str, query: &Query) -> Result<(), Refusal> {
    if course != COURSE_ID {
        return Err(Refusal::absent("there is no such course"));
    }
    match query.get("type_id") {
        Some("1") => Ok(()),
        _ => Err(Refusal::bad(
            "the query must hold type_id=1: take line item addresses as they were given, and extend the path, not the end",
        )),
    }
}

/// A body's type must be exactly the service's (no parameters).
pub(super) fn content_type(headers: &HeaderMap, wanted: &str) -> Result<(), Refusal> {
    let sent = headers.get(header::CONTENT_TYPE);
    if sent.is_some_and(|v| v.as_bytes() == wanted.as_bytes()) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content_type",
        format!("Content-Type must be exactly {wanted}"),
    ))
}

/// `Accept`, when sent, must be exactly the service's type; `any` lets `*/*` pass as Moodle does everywhere
/// but for the line item container.
pub(super) fn accept(headers: &HeaderMap, wanted: &str, any: bool) -> Result<(), Refusal> {
    match headers.get(header::ACCEPT) {
        None => Ok(()),
        Some(v) if v.as_bytes() == wanted.as_bytes() => Ok(()),
        Some(v) if any && v.to_str().is_ok_and(|v| v.contains("*/*")) => Ok(()),
        Some(_) => Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            "accept",
            format!("Accept must be exactly {wanted}"),
        )),
    }
}

/// A request's query, decoded.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads it; absent is empty.
    pub(super) fn read(raw: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The first value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, v)| v.as_str())
    }

    /// The page that `limit` and `from` ask for, and the `Link` to the next one (RFC 8288).
    pub(super) fn page<T>(
        &self,
        all: Vec<T>,
        address: &str,
    ) -> Result<(Vec<T>, Option<HeaderValue>), Refusal> {
        let number = |name: &str| match self.get(name) {
            None => Ok(None),
            Some(text) => text
                .parse::<usize>()
                .map(Some)
                .map_err(|_| Refusal::bad(format!("{name} must be a whole number"))),
        };
        let from = number("from")?.unwrap_or(0);
        let Some(limit) = number("limit")? else {
            return Ok((all.into_iter().skip(from).collect(), None));
        };
        if limit == 0 {
            return Err(Refusal::bad("limit must be at least 1"));
        }
        let next = from.saturating_add(limit);
        let more = all.len() > next;
        let page = all.into_iter().skip(from).take(limit).collect();
        if !more {
            return Ok((page, None));
        }
        let kept = self.0.iter().filter(|(n, _)| n != "from");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("from", &next.to_string())
            .finish();
        let link = HeaderValue::try_from(format!("<{address}?{query}>; rel=\"next\"")).ok();
        Ok((page, link))
    }
}

/// The members of a JSON object, with the types the specification gives them; `null` is no value of any.
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// Reads a body that must be one JSON object.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Refusal::bad("the body must be one JSON object")),
            Err(e) => Err(Refusal::bad(format!(
                "the body is no JSON (line {}, column {})",
                e.line(),
                e.column()
            ))),
        }
    }

    /// As it came.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// An optional string.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::bad(format!("{name} must be a string"))),
        }
    }

    /// A string that must be there and not be blank.
    pub(super) fn need_text(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?
            .filter(|t| !t.trim().is_empty())
            .ok_or_else(|| Refusal::bad(format!("{name} is missing or blank")))
    }

    /// An optional number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .map(Some)
                .ok_or_else(|| Refusal::bad(format!("{name} must be a number"))),
        }
    }
}
