//! The access token endpoint: client credentials with a signed assertion (Security Framework 1.0 §4,
//! RFC 6749 §4.4, RFC 7523 §2.2 and §3).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{Lms, locked, service, service::Refusal, vocab};
use crate::{crypto, entropy, time::Timestamp};

/// How long a token works.
const LIFETIME: Duration = Duration::from_hours(1);
/// An assertion that lives longer than this is refused: its `jti` would have to be kept as long.
const LONGEST_ASSERTION: Duration = Duration::from_hours(1);

/// `POST /lti/token`
pub(super) async fn issue(
    State(lms): State<Lms>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = read_form(&headers, &body)?;
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("grant_type") != "client_credentials" {
        return Err(oauth(
            "unsupported_grant_type",
            "grant_type must be client_credentials",
        ));
    }
    if field("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
        return Err(oauth(
            "invalid_request",
            "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ));
    }
    let claims = lms
        .0
        .tool_keys
        .verify(field("client_assertion"))
        .await
        .map_err(|cause| oauth("invalid_client", cause))?;
    let now = lms.0.clock.now();
    check_assertion(
        &claims,
        &lms.0.config.client_id,
        lms.token_url().as_str(),
        now,
    )
    .map_err(|cause| oauth("invalid_client", cause))?;
    let scopes = granted(field("scope"))?;
    let mut passing = locked(&lms.0.passing);
    let jti = claims["jti"].as_str().unwrap_or_default();
    if !passing
        .assertions
        .put(jti, (), now.plus(LONGEST_ASSERTION), now)
    {
        return Err(oauth(
            "invalid_client",
            "the assertion's jti was used before",
        ));
    }
    let token = entropy::secret(&*lms.0.entropy);
    let list = scopes.iter().copied().collect::<Vec<_>>().join(" ");
    let until = now.plus(LIFETIME);
    let name = crypto::sha256_hex(token.as_bytes());
    passing.tokens.put(&name, scopes, until, now);
    drop(passing);
    let body = json!({
        "access_token": token, "token_type": "Bearer",
        "expires_in": LIFETIME.as_secs(), "scope": list,
    });
    let note = format!(
        "granted {}",
        list.replace("https://purl.imsglobal.org/spec/", "")
    );
    let mut response = service::answer(StatusCode::OK, "application/json", &body, note);
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

fn oauth(code: &'static str, cause: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, cause)
}

fn read_form(headers: &HeaderMap, body: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(oauth(
            "invalid_request",
            "the body must be application/x-www-form-urlencoded",
        ));
    }
    let mut form = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(oauth("invalid_request", "a parameter is there twice"));
        }
    }
    Ok(form)
}

/// What RFC 7523 §3 and the Security Framework want of the claims.
fn check_assertion(
    claims: &Map<String, Value>,
    client_id: &str,
    token_url: &str,
    now: Timestamp,
) -> Result<(), String> {
    let is = |name: &str, wanted: &str| claims.get(name).is_some_and(|v| v == wanted);
    if !is("iss", client_id) || !is("sub", client_id) {
        return Err("the assertion's iss and sub must both be the client_id".to_owned());
    }
    let aimed = match claims.get("aud") {
        Some(Value::String(aud)) => aud == token_url,
        Some(Value::Array(auds)) => auds.iter().any(|a| a == token_url),
        _ => false,
    };
    if !aimed {
        return Err("the assertion's aud must be the token endpoint's address".to_owned());
    }
    let exp = check_times(claims, now)?;
    if exp > now.plus(LONGEST_ASSERTION) {
        return Err("the assertion lives longer than an hour".to_owned());
    }
    match claims.get("jti").and_then(Value::as_str) {
        Some(jti) if !jti.is_empty() => Ok(()),
        _ => Err("the assertion has no jti".to_owned()),
    }
}

/// `exp` ahead, `iat` and `nbf` not; the same machine's clock needs no leeway. Gives `exp`.
pub(super) fn check_times(
    claims: &Map<String, Value>,
    now: Timestamp,
) -> Result<Timestamp, String> {
    let moment = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Timestamp::from_secs)
            .map(Some)
            .ok_or_else(|| format!("{name} must be whole seconds since 1970")),
    };
    let exp = moment("exp")?.ok_or("exp is missing")?;
    let iat = moment("iat")?.ok_or("iat is missing")?;
    if exp <= now {
        return Err("it has expired (exp)".to_owned());
    }
    if iat > now {
        return Err("it was issued in the future (iat)".to_owned());
    }
    if iat < now.minus(Duration::from_mins(10)) {
        return Err("it was issued more than ten minutes ago (iat)".to_owned());
    }
    if moment("nbf")?.is_some_and(|nbf| nbf > now) {
        return Err("it is not valid yet (nbf)".to_owned());
    }
    Ok(exp)
}

/// The asked scopes that exist here; unknown ones fall away unless nothing is left (RFC 6749 §3.3).
fn granted(asked: &str) -> Result<BTreeSet<&'static str>, Refusal> {
    let known = |word: &str| vocab::SCOPES.into_iter().find(|s| *s == word);
    let scopes: BTreeSet<_> = asked.split(' ').filter_map(known).collect();
    if scopes.is_empty() {
        return Err(oauth(
            "invalid_scope",
            "no scope that exists here was asked for",
        ));
    }
    Ok(scopes)
}
