//! The launch: login initiation and the authorization endpoint (Security Framework 1.0 §5.1.1).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, RawForm, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::pages::{Fault, PostForm};
use super::people::Person;
use super::service::{self, Note, Query};
use super::{Lms, launch, locked};
use crate::{crypto, entropy};

/// A clicked launch may be fetched this long.
const HINT_LIFETIME: Duration = Duration::from_mins(10);
/// Nonces are remembered this long.
const NONCE_MEMORY: Duration = Duration::from_hours(1);

/// What someone clicked, waiting for the tool's authorization request.
#[derive(Debug, Clone)]
pub(super) struct Hint {
    pub person: &'static Person,
    pub message: Message,
    pub target: Target,
}

/// The two messages sent here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// `LtiResourceLinkRequest` for this link.
    ResourceLink(String),
    /// `LtiDeepLinkingRequest`.
    DeepLinking,
}

/// `launch_presentation.document_target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Iframe,
    Window,
}

impl Target {
    fn asked_for(query: Option<&str>) -> Self {
        match Query::read(query).get("in") {
            Some("window") => Self::Window,
            _ => Self::Iframe,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Iframe => "iframe",
            Self::Window => "window",
        }
    }
}

/// Why an authorization request is not answered with an id_token.
#[derive(Debug, PartialEq, Eq)]
enum AuthRefusal {
    /// The request does not come from our tool: shown here, sent nowhere.
    Here(&'static str),
    /// Posted to the registered redirect URI (OpenID Connect Core §3.1.2.6).
    ToTool(&'static str, &'static str),
}

/// `GET /as/{user}/launch/{link}`: the form that starts a resource link launch.
pub(super) async fn launch_link(
    State(lms): State<Lms>,
    Path((user, link)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let person = lms.person(&user)?;
    let target_uri = lms
        .0
        .store
        .read(|s| s.link(&link).map(|l| l.url.clone()))
        .ok_or_else(|| {
            lms.fault(
                StatusCode::NOT_FOUND,
                "There is no such link in this course.",
            )
        })?;
    let hint = Hint {
        person,
        message: Message::ResourceLink(link),
        target: Target::asked_for(query.as_deref()),
    };
    Ok(lms.login_form(hint, target_uri))
}

/// `GET /as/{user}/content/pick`: the form that opens the tool's content picker.
pub(super) async fn launch_picker(
    State(lms): State<Lms>,
    Path(user): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let person = lms.teacher(&user)?;
    let hint = Hint {
        person,
        message: Message::DeepLinking,
        target: Target::asked_for(query.as_deref()),
    };
    Ok(lms.login_form(hint, None))
}

/// `GET /lti/jwks.json`
pub(super) async fn jwks(State(lms): State<Lms>) -> Response {
    let keys = lms.0.key.jwks();
    service::answer(StatusCode::OK, "application/json", &keys, "")
}

/// `GET,POST /lti/auth`
pub(super) async fn authorize(State(lms): State<Lms>, RawForm(raw): RawForm) -> Response {
    let mut params = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(&raw) {
        if params
            .insert(name.into_owned(), value.into_owned())
            .is_some()
        {
            let text = "The tool's authorization request names a parameter twice.";
            return lms.fault(StatusCode::BAD_REQUEST, text).into_response();
        }
    }
    let answer = lms.check_request(&params).and_then(|hint| {
        let nonce = params.get("nonce").map_or("", String::as_str);
        let claims = launch::claims(&lms, &hint, nonce);
        claims
            .and_then(|c| lms.0.key.sign(&c).ok())
            .ok_or(AuthRefusal::ToTool(
                "server_error",
                "the launch cannot be written: was its link removed?",
            ))
    });
    let (mut fields, note) = match answer {
        Ok(id_token) => (vec![("id_token", id_token)], "id_token issued".to_owned()),
        Err(AuthRefusal::Here(cause)) => {
            let mut page = lms.fault(StatusCode::BAD_REQUEST, cause).into_response();
            page.extensions_mut().insert(Note(cause.to_owned()));
            return page;
        }
        Err(AuthRefusal::ToTool(code, cause)) => (
            vec![
                ("error", code.to_owned()),
                ("error_description", cause.to_owned()),
            ],
            format!("{code}: {cause}"),
        ),
    };
    if let Some(state) = params.remove("state") {
        fields.push(("state", state));
    }
    let mut page = lms.html(&PostForm {
        action: lms.0.config.tool_launch_url.as_str(),
        fields,
    });
    page.extensions_mut().insert(Note(note));
    page
}

impl Lms {
    /// Login initiation (§5.1.1.1): always a POST form, as Moodle does.
    fn login_form(&self, hint: Hint, target_uri: Option<String>) -> Response {
        let now = self.0.clock.now();
        let config = &self.0.config;
        let number = crypto::hex(&entropy::bytes::<16>(&*self.0.entropy));
        let place = match &hint.message {
            Message::ResourceLink(id) => id.as_str(),
            Message::DeepLinking => "content picker",
        };
        // JSON text with quotes, a space and a plus sign: a tool that does not encode it loses it.
        let message_hint = json!({ "place": place, "launch": format!("{number} +1") }).to_string();
        let login_hint = hint.person.login_hint();
        let until = now.plus(HINT_LIFETIME);
        locked(&self.0.passing)
            .hints
            .put(&message_hint, hint, until, now);
        let fields = vec![
            ("iss", self.issuer().to_owned()),
            (
                "target_link_uri",
                target_uri.unwrap_or_else(|| config.tool_launch_url.to_string()),
            ),
            ("login_hint", login_hint),
            ("lti_message_hint", message_hint),
            ("client_id", config.client_id.clone()),
            ("lti_deployment_id", config.deployment_id.clone()),
        ];
        self.html(&PostForm {
            action: config.tool_login_url.as_str(),
            fields,
        })
    }

    /// The checks of §5.1.1.2; the hint is spent by the first request that reaches it.
    fn check_request(&self, params: &BTreeMap<String, String>) -> Result<Hint, AuthRefusal> {
        let get = |name: &str| params.get(name).map_or("", String::as_str);
        if get("client_id") != self.0.config.client_id {
            return Err(AuthRefusal::Here(
                "The authorization request names a client_id that is not installed here.",
            ));
        }
        if get("redirect_uri") != self.0.config.tool_launch_url.as_str() {
            return Err(AuthRefusal::Here(
                "The authorization request's redirect_uri is not the registered one, to the letter.",
            ));
        }
        let refuse = |code, cause| Err(AuthRefusal::ToTool(code, cause));
        if get("scope") != "openid" {
            return refuse("invalid_scope", "scope must be openid");
        }
        if get("response_type") != "id_token" {
            return refuse(
                "unsupported_response_type",
                "response_type must be id_token",
            );
        }
        if get("response_mode") != "form_post" {
            return refuse("invalid_request", "response_mode must be form_post");
        }
        if get("prompt") != "none" {
            return refuse("invalid_request", "prompt must be none");
        }
        if get("state").is_empty() {
            return refuse("invalid_request", "state is missing");
        }
        if get("nonce").is_empty() {
            return refuse("invalid_request", "nonce is missing");
        }
        let now = self.0.clock.now();
        let mut passing = locked(&self.0.passing);
        let Some(hint) = passing.hints.take(get("lti_message_hint"), now) else {
            return refuse(
                "launch_no_longer_valid",
                "lti_message_hint was used before, has expired or was changed: open the link again from the course",
            );
        };
        if get("login_hint") != hint.person.login_hint() {
            return refuse(
                "access_denied",
                "login_hint is not that of the person who clicked",
            );
        }
        if !passing
            .nonces
            .put(get("nonce"), (), now.plus(NONCE_MEMORY), now)
        {
            return refuse("invalid_request", "nonce was used before");
        }
        Ok(hint)
    }
}
