//! The claims of an id_token (LTI 1.3 Core §5.3, §5.4; LTI DL 2.0 §4.4).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::oidc::{Hint, Message};
use super::state::Link;
use super::{COURSE_ID, COURSE_LABEL, COURSE_TITLE, Lms, vocab};

/// As short as Moodle's.
const LIFETIME: Duration = Duration::from_mins(1);

/// The claims for what was clicked; none when its link has gone since.
pub(super) fn claims(lms: &Lms, hint: &Hint, nonce: &str) -> Option<Value> {
    let now = lms.0.clock.now();
    let config = &lms.0.config;
    let mut claims = Map::new();
    let mut plain = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    plain("iss", json!(lms.issuer()));
    plain("aud", json!(config.client_id));
    plain("sub", json!(hint.person.sub));
    plain("iat", json!(now.as_secs()));
    plain("exp", json!(now.plus(LIFETIME).as_secs()));
    plain("nonce", json!(nonce));
    if hint.person.shared {
        plain("name", json!(hint.person.name()));
        plain("given_name", json!(hint.person.given));
        plain("family_name", json!(hint.person.family));
        plain("email", json!(hint.person.email));
    }
    plain("locale", json!("en"));
    let mut lti = |name: &str, value: Value| claims.insert(format!("{}{name}", vocab::LTI), value);
    lti("version", json!("1.3.0"));
    lti("deployment_id", json!(config.deployment_id));
    lti("roles", json!(hint.person.roles));
    lti(
        "context",
        json!({
            "id": COURSE_ID, "label": COURSE_LABEL, "title": COURSE_TITLE,
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"],
        }),
    );
    lti(
        "tool_platform",
        json!({
            "guid": "demo-lms", "name": "Demo LMS", "version": env!("CARGO_PKG_VERSION"),
            "product_family_code": "passmuster-demo-lms",
        }),
    );
    lti(
        "launch_presentation",
        json!({
            "document_target": hint.target.as_str(), "locale": "en",
            "return_url": config.address(&format!("/as/{}", hint.person.key)),
        }),
    );
    lti(
        "lis",
        json!({ "person_sourcedid": "", "course_section_sourcedid": "" }),
    );
    let mut line_item = None;
    match &hint.message {
        Message::ResourceLink(id) => {
            let (link, item) = lms.0.store.read(|s| {
                let item = s.line_item_of(id).map(|i| i.id.clone());
                s.link(id).map(|l| (l.clone(), item))
            })?;
            line_item = item;
            lti("message_type", json!("LtiResourceLinkRequest"));
            lti(
                "target_link_uri",
                json!(
                    link.url
                        .as_deref()
                        .unwrap_or(config.tool_launch_url.as_str())
                ),
            );
            lti(
                "resource_link",
                json!({ "id": link.id, "title": link.title, "description": link.text }),
            );
            lti("custom", json!(substituted(&link, hint)));
        }
        Message::DeepLinking => {
            lti("message_type", json!("LtiDeepLinkingRequest"));
            lti("target_link_uri", json!(config.tool_launch_url.as_str()));
            claims.insert(
                format!("{}deep_linking_settings", vocab::DL),
                lms.start_pick(hint.person),
            );
        }
    }
    let services = |path: &str| config.address(&format!("/lti/courses/{COURSE_ID}/{path}"));
    let mut endpoint = json!({
        "scope": &vocab::SCOPES[..4],
        "lineitems": services("lineitems?type_id=1"),
    });
    if let Some(id) = line_item {
        endpoint["lineitem"] = json!(lms.line_item_url(&id));
    }
    claims.insert(vocab::AGS_ENDPOINT.to_owned(), endpoint);
    claims.insert(
        vocab::NRPS_CLAIM.to_owned(),
        json!({
            "context_memberships_url": services("memberships"),
            "service_versions": ["2.0"],
        }),
    );
    Some(Value::Object(claims))
}

/// Custom parameters with the variables known here replaced; an unknown one stays as it is written
/// (LTI 1.3 Core §C).
fn substituted(link: &Link, hint: &Hint) -> BTreeMap<String, String> {
    let value = |text: &str| match text {
        "$User.id" => hint.person.sub.to_owned(),
        "$Context.id" => COURSE_ID.to_owned(),
        "$Context.title" => COURSE_TITLE.to_owned(),
        "$ResourceLink.id" => link.id.clone(),
        "$ResourceLink.title" => link.title.clone(),
        "$ResourceLink.id.history" | "$Context.id.history" => String::new(),
        other => other.to_owned(),
    };
    link.custom
        .iter()
        .map(|(k, v)| (k.clone(), value(v)))
        .collect()
}
