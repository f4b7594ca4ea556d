//! Line items (AGS 2.0 §3.2).

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::service::{self, Members, Note, Query, Refusal};
use super::state::{LineItem, State as Course};
use super::vocab::{SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY, TYPE_LINEITEM, TYPE_LINEITEMS};
use super::{COURSE_ID, Lms};

/// Tells whether a value is of the type that a member wants.
type OfType = fn(&Value) -> bool;

/// Optional members that are kept and given back, and whether a value is of their type.
const EXTRAS: [(&str, OfType); 4] = [
    ("startDateTime", Value::is_string),
    ("endDateTime", Value::is_string),
    ("gradesReleased", Value::is_boolean),
    ("submissionReview", Value::is_object),
];

/// `GET …/lineitems`
pub(super) async fn list(
    State(lms): State<Lms>,
    Path(course): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY])?;
    let query = Query::read(query.as_deref());
    service::in_course(&course, &query)?;
    service::accept(&headers, TYPE_LINEITEMS, false)?;
    let fits = |name: &str, value: Option<&str>| query.get(name).is_none_or(|q| value == Some(q));
    let all: Vec<Value> = lms.0.store.read(|s| {
        s.line_items
            .iter()
            .filter(|i| {
                fits("resource_link_id", i.link_id.as_deref())
                    && fits("resource_id", i.resource_id.as_deref())
                    && fits("tag", i.tag.as_deref())
            })
            .map(|i| lms.line_item_json(i))
            .collect()
    });
    let address = lms
        .0
        .config
        .address(&format!("/lti/courses/{COURSE_ID}/lineitems"));
    let (page, next) = query.page(all, &address)?;
    let note = format!("{} line items", page.len());
    let mut response = service::answer(StatusCode::OK, TYPE_LINEITEMS, &json!(page), note);
    if let Some(link) = next {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// `POST …/lineitems`
pub(super) async fn create(
    State(lms): State<Lms>,
    Path(course): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_LINEITEM])?;
    service::in_course(&course, &Query::read(query.as_deref()))?;
    service::content_type(&headers, TYPE_LINEITEM)?;
    service::accept(&headers, TYPE_LINEITEM, true)?;
    let members = Members::read(&body)?;
    let item = lms.0.store.change(|s| {
        let mut item = line_item(&members, s)?;
        item.id = s.take_id();
        s.line_items.push(item.clone());
        Ok::<_, Refusal>(item)
    })?;
    let body = lms.line_item_json(&item);
    let note = format!("line item {} made", item.id);
    Ok(service::answer(
        StatusCode::CREATED,
        TYPE_LINEITEM,
        &body,
        note,
    ))
}

/// `GET …/lineitem`
pub(super) async fn read(
    State(lms): State<Lms>,
    Path((course, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY])?;
    service::in_course(&course, &Query::read(query.as_deref()))?;
    service::accept(&headers, TYPE_LINEITEM, true)?;
    let item = lms.0.store.read(|s| s.line_item(&id).cloned());
    let item = item.ok_or_else(no_line_item)?;
    let body = lms.line_item_json(&item);
    Ok(service::answer(StatusCode::OK, TYPE_LINEITEM, &body, ""))
}

/// `PUT …/lineitem`: replaces everything but the address.
pub(super) async fn update(
    State(lms): State<Lms>,
    Path((course, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_LINEITEM])?;
    service::in_course(&course, &Query::read(query.as_deref()))?;
    service::content_type(&headers, TYPE_LINEITEM)?;
    service::accept(&headers, TYPE_LINEITEM, true)?;
    let members = Members::read(&body)?;
    let named = members.text("id")?;
    if named.is_some_and(|named| named != lms.line_item_url(&id)) {
        return Err(Refusal::bad("id is not this line item's address"));
    }
    let item = lms.0.store.change(|s| {
        let mut item = line_item(&members, s)?;
        item.id.clone_from(&id);
        let old = s.line_items.iter_mut().find(|i| i.id == id);
        *old.ok_or_else(no_line_item)? = item.clone();
        Ok::<_, Refusal>(item)
    })?;
    let body = lms.line_item_json(&item);
    let note = "replaced: members not sent are gone";
    Ok(service::answer(StatusCode::OK, TYPE_LINEITEM, &body, note))
}

/// `DELETE …/lineitem`: with its grades.
pub(super) async fn delete(
    State(lms): State<Lms>,
    Path((course, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_LINEITEM])?;
    service::in_course(&course, &Query::read(query.as_deref()))?;
    lms.0.store.change(|s| {
        s.line_item(&id).ok_or_else(no_line_item)?;
        s.remove_line_item(&id);
        Ok::<_, Refusal>(())
    })?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let note = Note(format!("line item {id} and its grades removed"));
    response.extensions_mut().insert(note);
    Ok(response)
}

/// 404 for a line item.
pub(super) fn no_line_item() -> Refusal {
    Refusal::absent("there is no such line item: it was removed, or never was")
}

/// Reads a line item as the tool sends it; its number is still to be given.
fn line_item(members: &Members, course: &Course) -> Result<LineItem, Refusal> {
    let label = members.need_text("label")?;
    if label.chars().count() > 255 {
        return Err(Refusal::bad("label is longer than 255 characters"));
    }
    let maximum = members
        .number("scoreMaximum")?
        .filter(|m| *m > 0.0)
        .ok_or_else(|| Refusal::bad("scoreMaximum must be there and above 0"))?;
    let link_id = members.text("resourceLinkId")?;
    if link_id.is_some_and(|id| course.link(id).is_none()) {
        return Err(Refusal::absent(
            "resourceLinkId is no link of this tool here",
        ));
    }
    let mut extras = BTreeMap::new();
    for (name, of_type) in EXTRAS {
        if let Some(value) = members.value(name) {
            if !of_type(value) {
                return Err(Refusal::bad(format!("{name} is of the wrong JSON type")));
            }
            extras.insert(name.to_owned(), value.clone());
        }
    }
    Ok(LineItem {
        id: String::new(),
        label: label.to_owned(),
        maximum,
        resource_id: members.text("resourceId")?.map(str::to_owned),
        tag: members.text("tag")?.map(str::to_owned),
        link_id: link_id.map(str::to_owned),
        extras,
    })
}

impl Lms {
    /// A line item's address; the query is part of it, as on Moodle.
    pub(super) fn line_item_url(&self, id: &str) -> String {
        self.0.config.address(&format!(
            "/lti/courses/{COURSE_ID}/lineitems/{id}/lineitem?type_id=1"
        ))
    }

    fn line_item_json(&self, item: &LineItem) -> Value {
        let mut body = json!({
            "id": self.line_item_url(&item.id),
            "label": item.label,
            "scoreMaximum": item.maximum,
        });
        let texts = [
            ("resourceId", &item.resource_id),
            ("tag", &item.tag),
            ("resourceLinkId", &item.link_id),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        for (name, value) in &item.extras {
            body[name] = value.clone();
        }
        body
    }
}
