//! The roster (NRPS 2.0 §2).

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::people::{PEOPLE, Person};
use super::service::{self, Query, Refusal};
use super::vocab::{LTI, SCOPE_NRPS, TYPE_MEMBERS};
use super::{COURSE_ID, COURSE_LABEL, COURSE_TITLE, Lms};

/// `GET …/memberships`, with `role`, `rlid` and `limit`.
pub(super) async fn members(
    State(lms): State<Lms>,
    Path(course): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_NRPS])?;
    service::accept(&headers, TYPE_MEMBERS, true)?;
    if course != COURSE_ID {
        return Err(Refusal::absent("there is no such course"));
    }
    let query = Query::read(query.as_deref());
    let custom = match query.get("rlid") {
        None => None,
        Some(id) => {
            let custom = lms.0.store.read(|s| s.link(id).map(|l| l.custom.clone()));
            Some(custom.ok_or_else(|| Refusal::absent("rlid is no link of this tool here"))?)
        }
    };
    let role = query.get("role");
    let found: Vec<Value> = PEOPLE
        .iter()
        .filter(|p| role.is_none_or(|r| has_role(p, r)))
        .map(|p| {
            let mut member = member(p);
            if let Some(custom) = &custom {
                member["message"] = json!([{
                    format!("{LTI}message_type"): "LtiResourceLinkRequest",
                    format!("{LTI}custom"): custom,
                }]);
            }
            member
        })
        .collect();
    let address = lms
        .0
        .config
        .address(&format!("/lti/courses/{COURSE_ID}/memberships"));
    let (page, next) = query.page(found, &address)?;
    let note = format!(
        "{} members{}",
        page.len(),
        if next.is_some() { ", more follow" } else { "" }
    );
    let body = json!({
        "id": address,
        "context": { "id": COURSE_ID, "label": COURSE_LABEL, "title": COURSE_TITLE },
        "members": page,
    });
    let mut response = service::answer(StatusCode::OK, TYPE_MEMBERS, &body, note);
    if let Some(link) = next {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn has_role(person: &Person, role: &str) -> bool {
    person.short_role() == role || person.roles.contains(&role)
}

fn member(person: &Person) -> Value {
    let mut member = json!({
        "status": "Active", "user_id": person.sub,
        "roles": [person.short_role()], "lis_person_sourcedid": "",
    });
    if person.shared {
        member["name"] = json!(person.name());
        member["given_name"] = json!(person.given);
        member["family_name"] = json!(person.family);
        member["email"] = json!(person.email);
    }
    member
}
