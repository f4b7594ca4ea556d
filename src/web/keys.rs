//! Public keys: LTI's for platforms, evidence's for whoever verifies, past ones too.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

use super::error::{Error, Result};
use crate::app::App;
use crate::storage::KeyPurpose;

type Keep = [(HeaderName, &'static str); 2];

const KEEP: Keep = [
    (header::CONTENT_TYPE, "application/jwk-set+json"),
    (header::CACHE_CONTROL, "public, max-age=300"),
];

pub(super) async fn lti_jwks(State(app): State<Arc<App>>) -> impl IntoResponse {
    (KEEP, app.keys.jwks(KeyPurpose::Lti, app.now()))
}

pub(super) async fn evidence_jwks(State(app): State<Arc<App>>) -> impl IntoResponse {
    (KEEP, app.keys.jwks(KeyPurpose::Evidence, app.now()))
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(kid): Path<String>,
) -> Result<impl IntoResponse> {
    let jwk = app.keys.public_jwk(&kid).ok_or(Error::NoPage)?;
    Ok((
        [
            (header::CONTENT_TYPE, "application/jwk+json"),
            (header::CACHE_CONTROL, "public, max-age=300"),
        ],
        jwk,
    ))
}
