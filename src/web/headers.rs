//! Around every request: an id, the security headers, the page of a refusal, and one line in the log that names the
//! route and not the address (an OIDC login's address is personal data).

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::error::Problem;
use super::pages;
use crate::app::App;
use crate::crypto::hex;
use crate::entropy;

/// Left in a response by a handler whose page may be framed: the platforms' origins.
#[derive(Debug, Clone)]
pub(super) struct FrameAncestors(pub(super) Vec<String>);

pub(super) async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = hex(&entropy::bytes::<6>(&*app.entropy));
    let begun = app.now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(String::new, |m| m.as_str().to_owned());
    let path = request.uri().path();
    let for_machines = path.starts_with("/api/");
    let for_frames = path.starts_with("/learn/") || path.starts_with("/lti/");
    let mut response = next.run(request).await;
    let code = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let code = problem.code();
            let known = response.extensions_mut().remove::<FrameAncestors>();
            response = problem.render(&id, for_machines, response);
            // Whose frame this is cannot be known without a session; a refusal holds nothing worth a clickjacking,
            // and a blank frame helps nobody.
            let anyone = for_frames.then(|| FrameAncestors(vec!["*".to_owned()]));
            if let Some(ancestors) = known.filter(|a| !a.0.is_empty()).or(anyone) {
                response.extensions_mut().insert(ancestors);
            }
            code
        }
        None => "",
    };
    let status = response.status().as_u16();
    let duration_ms = app.now().as_ms() - begun.as_ms();
    if status >= 500 {
        tracing::error!(request.id = %id, %method, route, status, duration_ms, code, "request failed");
    } else {
        tracing::info!(request.id = %id, %method, route, status, duration_ms, code, "request");
    }
    secure(&app, &mut response);
    response
}

fn secure(app: &App, response: &mut Response) {
    let ancestors = match response.extensions_mut().remove::<FrameAncestors>() {
        Some(FrameAncestors(list)) if !list.is_empty() => list.join(" "),
        _ => "'none'".to_owned(),
    };
    let policy = format!("{}; frame-ancestors {ancestors}", pages::CSP);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, which would look forged.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if app.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
}
