//! The door for machines: a bearer token sees one tenant, and does what its scopes say.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::error::{Error, Result};
use super::report::{ReportKind, ReportOptions, csv_stream};
use crate::app::App;
use crate::crypto::sha256;
use crate::evidence::jws;
use crate::evidence::report::{Filter, Profile};
use crate::storage::{ApiToken, KeyPurpose};
use crate::time::Timestamp;

async fn token(app: &App, headers: &HeaderMap, scope: &'static str) -> Result<ApiToken> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let secret = match value.split_once(' ') {
        Some((kind, secret)) if kind.eq_ignore_ascii_case("bearer") => secret.trim(),
        _ => return Err(Error::Token),
    };
    let found = app
        .db
        .find_api_token(&sha256(secret.as_bytes()), app.now())
        .await?
        .ok_or(Error::Token)?;
    if found.scopes.split_whitespace().any(|s| s == scope) {
        Ok(found)
    } else {
        Err(Error::Scope(scope))
    }
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let token = token(&app, &headers, "reports:read").await?;
    let kind = file
        .strip_suffix(".csv")
        .and_then(ReportKind::parse)
        .ok_or(Error::NoPage)?;
    let tenant = app
        .db
        .find_tenant(&token.tenant_id)
        .await?
        .ok_or(Error::Token)?;
    let mut options = ReportOptions {
        kind,
        profile: Profile::Full,
        filter: Filter {
            course: None,
            email: None,
            from: None,
            to: None,
            as_of: app.now(),
        },
        actor: format!("token:{}", token.id),
    };
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    for (name, value) in pairs {
        let moment = || {
            Timestamp::parse_in(&value, &tenant.time_zone)
                .map_err(|e| Error::Parameter(format!("{name}: {e}")))
        };
        match name.as_str() {
            "course" => options.filter.course = Some(value),
            "person" => options.filter.email = Some(value.to_lowercase()),
            "from" => options.filter.from = Some(moment()?),
            "to" => options.filter.to = Some(moment()?),
            "as_of" => options.filter.as_of = moment()?,
            "profile" => {
                options.profile = Profile::parse(&value)
                    .ok_or_else(|| Error::Parameter("profile: write full or short".to_owned()))?;
            }
            _ => {
                let known = "course, person, from, to, as_of, profile";
                return Err(Error::Parameter(format!(
                    "there is no parameter of that name; known: {known}"
                )));
            }
        }
    }
    let stream = csv_stream(Arc::clone(&app), tenant.id, options).await?;
    let head = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present".to_owned(),
        ),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file}\""),
        ),
    ];
    Ok((head, Body::from_stream(stream)).into_response())
}

/// The ledger's head, sealed (`pm-ledger-head/1`).
pub(super) async fn ledger_head(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response> {
    let token = token(&app, &headers, "reports:read").await?;
    let now = app.now();
    let head = app.db.ledger_log(&token.tenant_id).await?.head(now);
    let payload = serde_json::json!({
        "type": "pm-ledger-head/1",
        "tenant": token.tenant_id,
        "size": head.size,
        "root": head.root,
        "time": head.time,
        "counts": head.counts,
    });
    let key = app
        .keys
        .signing(KeyPurpose::Evidence, now)
        .ok_or_else(|| Error::Ours("no evidence key".to_owned()))?;
    let sealed = jws::seal(&key, "pm-ledger-head+jws", payload.to_string().as_bytes())
        .map_err(|e| Error::Ours(e.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/jose")], sealed).into_response())
}
