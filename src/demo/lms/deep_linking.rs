//! Adding content: the picker's settings and its answer (LTI DL 2.0 §4.4, §4.5).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, RawForm, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use url::Url;

use super::pages::{AddedPage, Fault, Line};
use super::people::Person;
use super::service::{Note, Query};
use super::state::{LineItem, Link, State as Course};
use super::{Lms, LmsError, TOOL_NAME, locked, token, vocab};
use crate::{crypto, entropy};

/// A teacher may take this long to choose.
const PICK_LIFETIME: Duration = Duration::from_hours(1);

/// A picker that is open.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    person: &'static Person,
    data: String,
}

/// A content item that can become a link.
struct Item {
    title: String,
    text: String,
    url: Option<String>,
    custom: BTreeMap<String, String>,
    column: Option<LineItem>,
}

/// `POST /as/{user}/content/return`: the picker's answer, from the browser and therefore checked to the end.
pub(super) async fn take_answer(
    State(lms): State<Lms>,
    Path(user): Path<String>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Result<Response, Fault> {
    let person = lms.teacher(&user)?;
    let refuse = |cause: String| {
        let text = format!("The tool's answer was refused: {cause}.");
        lms.fault(StatusCode::BAD_REQUEST, &text)
    };
    let mut jwts = url::form_urlencoded::parse(&form).filter(|(name, _)| name == "JWT");
    let (Some((_, jwt)), None) = (jwts.next(), jwts.next()) else {
        return Err(refuse(
            "the form must hold exactly one field JWT".to_owned(),
        ));
    };
    let claims = lms.0.tool_keys.verify(&jwt).await.map_err(refuse)?;
    let id = Query::read(query.as_deref());
    let pick = lms
        .check_answer(&claims, person, id.get("pick").unwrap_or_default())
        .map_err(refuse)?;
    drop(pick);
    let items = claims.get(&format!("{}content_items", vocab::DL));
    let items = match items {
        None => [].as_slice(),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(refuse("content_items must be an array".to_owned())),
    };
    let (good, lines) = lms.sort_items(items);
    let added = good.len();
    lms.0
        .store
        .change(|s| {
            for item in good {
                add(s, item);
            }
            Ok::<_, LmsError>(())
        })
        .map_err(|e| lms.fault(StatusCode::INTERNAL_SERVER_ERROR, &e.to_string()))?;
    let said = |name: &str| {
        let text = claims.get(&format!("{}{name}", vocab::DL));
        text.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut page = lms.html(&AddedPage {
        person_key: person.key,
        tool: TOOL_NAME,
        added,
        lines,
        message: said("msg"),
        error: said("errormsg"),
    });
    page.extensions_mut()
        .insert(Note(format!("{added} of {} items added", items.len())));
    Ok(page.into_response())
}

impl Lms {
    /// Opens a pick and writes the request's `deep_linking_settings`.
    pub(super) fn start_pick(&self, person: &'static Person) -> Value {
        let now = self.0.clock.now();
        let id = crypto::hex(&entropy::bytes::<16>(&*self.0.entropy));
        let data = json!({ "from": "Add content", "check": entropy::secret(&*self.0.entropy) });
        let pick = Pick {
            person,
            data: data.to_string(),
        };
        let settings = json!({
            "deep_link_return_url": self.0.config.address(
                &format!("/as/{}/content/return?pick={id}", person.key)),
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe", "window"],
            "accept_multiple": true, "accept_lineitem": true, "auto_create": true,
            "title": "", "text": "", "data": pick.data,
        });
        let until = now.plus(PICK_LIFETIME);
        locked(&self.0.passing).picks.put(&id, pick, until, now);
        settings
    }

    /// The checks of LTI DL 2.0 §4.5 and Security Framework §5.2; the pick is spent by an answer that passes.
    fn check_answer(
        &self,
        claims: &Map<String, Value>,
        person: &'static Person,
        id: &str,
    ) -> Result<Pick, String> {
        let now = self.0.clock.now();
        let config = &self.0.config;
        let is = |name: &str, wanted: &str| match claims.get(name) {
            Some(v) if v == wanted => Ok(()),
            _ => Err(format!("{name} must be {wanted}")),
        };
        is("iss", &config.client_id)?;
        let aimed = match claims.get("aud") {
            Some(Value::Array(auds)) => auds.iter().any(|a| a == self.issuer()),
            aud => aud.is_some_and(|a| a == self.issuer()),
        };
        if !aimed {
            return Err("aud must be this LMS's issuer".to_owned());
        }
        token::check_times(claims, now)?;
        is(
            &format!("{}message_type", vocab::LTI),
            "LtiDeepLinkingResponse",
        )?;
        is(&format!("{}version", vocab::LTI), "1.3.0")?;
        is(
            &format!("{}deployment_id", vocab::LTI),
            &config.deployment_id,
        )?;
        let nonce = claims.get("nonce").and_then(Value::as_str);
        let nonce = nonce.filter(|n| !n.is_empty()).ok_or("nonce is missing")?;
        let mut passing = locked(&self.0.passing);
        let open = passing.picks.get(id, now);
        let open = open
            .filter(|p| p.person == person)
            .ok_or("this picker was answered before, or is not open any more")?;
        if claims.get(&format!("{}data", vocab::DL)) != Some(&json!(open.data)) {
            return Err("data must come back as it was sent".to_owned());
        }
        if !passing.nonces.put(nonce, (), now.plus(PICK_LIFETIME), now) {
            return Err("nonce was used before".to_owned());
        }
        passing
            .picks
            .take(id, now)
            .ok_or_else(|| "this picker is not open any more".to_owned())
    }

    /// Takes the items that can become links, and says what became of each.
    fn sort_items(&self, items: &[Value]) -> (Vec<Item>, Vec<Line>) {
        let mut good = Vec::new();
        let mut lines = Vec::new();
        for value in items {
            let title = value["title"].as_str().unwrap_or(TOOL_NAME).to_owned();
            match self.read_item(value) {
                Ok(item) => {
                    let outcome = match &item.column {
                        Some(line) => format!("added, {} points", line.maximum),
                        None => "added, without a grade".to_owned(),
                    };
                    lines.push(Line {
                        title,
                        outcome,
                        good: true,
                    });
                    good.push(item);
                }
                Err(cause) => lines.push(Line {
                    title,
                    outcome: format!("not added: {cause}"),
                    good: false,
                }),
            }
        }
        (good, lines)
    }

    /// Reads one content item (§3.2); members that a platform may ignore are ignored.
    fn read_item(&self, item: &Value) -> Result<Item, String> {
        if item["type"] != "ltiResourceLink" {
            return Err("its type is not ltiResourceLink".to_owned());
        }
        let text = |name: &str| match item.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{name} must be a string")),
        };
        let url = text("url")?;
        let own = self.0.config.tool_launch_url.origin();
        if url
            .as_deref()
            .is_some_and(|u| Url::parse(u).map(|u| u.origin()) != Ok(own))
        {
            return Err("its url is not the tool's".to_owned());
        }
        let mut custom = BTreeMap::new();
        match item.get("custom") {
            None => {}
            Some(Value::Object(members)) => {
                for (name, value) in members {
                    let value = value.as_str().ok_or("custom parameters must be strings")?;
                    custom.insert(name.clone(), value.to_owned());
                }
            }
            Some(_) => return Err("custom must be an object".to_owned()),
        }
        let title = text("title")?.unwrap_or_else(|| TOOL_NAME.to_owned());
        let column = match item.get("lineItem") {
            None => None,
            Some(line) => Some(read_line_item(line, &title)?),
        };
        Ok(Item {
            title,
            text: text("text")?.unwrap_or_default(),
            url,
            custom,
            column,
        })
    }
}

fn read_line_item(line: &Value, title: &str) -> Result<LineItem, String> {
    let text = |name: &str| match line.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("lineItem.{name} must be a string")),
    };
    let maximum = line["scoreMaximum"].as_f64().filter(|m| *m > 0.0);
    Ok(LineItem {
        id: String::new(),
        label: text("label")?.unwrap_or_else(|| title.to_owned()),
        maximum: maximum.ok_or("lineItem.scoreMaximum must be above 0")?,
        resource_id: text("resourceId")?,
        tag: text("tag")?,
        link_id: None,
        extras: BTreeMap::new(),
    })
}

fn add(course: &mut Course, item: Item) {
    let link_id = course.take_id();
    if let Some(mut line) = item.column {
        line.id = course.take_id();
        line.link_id = Some(link_id.clone());
        course.line_items.push(line);
    }
    course.links.push(Link {
        id: link_id,
        key: None,
        title: item.title,
        text: item.text,
        url: item.url,
        custom: item.custom,
    });
}
