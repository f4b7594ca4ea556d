//! The public page of an attestation: says what is attested, and no more than its bearer already knows.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::error::{Error, Result};
use super::pages::{VerifiedRecord, VerifyPage, VerifyState};
use super::view::{public_shell, show};
use crate::app::App;
use crate::evidence::verify::verify_attestation;
use crate::storage::KeyPurpose;
use crate::time::Timestamp;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
) -> Result<Response> {
    let now = app.now();
    let found = match code.parse() {
        Ok(id) => app.db.find_attestation(&id).await?,
        Err(_) => None,
    };
    let Some(attestation) = found else {
        let page = VerifyPage {
            shell: public_shell("Verification".to_owned()),
            record: None,
        };
        return Ok((StatusCode::NOT_FOUND, show(&page)?).into_response());
    };
    let verified = verify_attestation(&attestation.jws, &app.keys.jwks(KeyPurpose::Evidence, now))
        .map_err(|e| Error::Ours(format!("a stored attestation does not verify: {e}")))?;
    let state = if verified.counts_at(now) {
        VerifyState::Valid
    } else {
        VerifyState::Expired
    };
    let record = verified.record;
    let day = |text: &str| {
        Timestamp::parse_in(text, "UTC")
            .map(|t| t.date_for_people("UTC"))
            .unwrap_or_default()
    };
    let page = VerifyPage {
        shell: public_shell("Verification".to_owned()),
        record: Some(VerifiedRecord {
            state,
            code: record.id,
            initials: initials(&record.person.name),
            course_title: record.course.title,
            course_version: record.course.version,
            completed: day(&record.completed_at),
            signed: attestation.signed_at.moment_for_people("UTC"),
            valid_until: Some(day(&record.valid_until)),
            sha256: attestation.jws_sha256,
            keys_url: app.url(".well-known/jwks.json"),
        }),
    };
    show(&page)
}

fn initials(name: &str) -> String {
    let all: Vec<String> = name
        .split_whitespace()
        .filter_map(|w| w.chars().next())
        .take(4)
        .map(|c| format!("{c}."))
        .collect();
    all.join(" ")
}
