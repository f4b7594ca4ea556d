//! The whole route table, nothing else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::timeout::TimeoutLayer;

use super::{
    api, attest, error, headers, health, keys, learn, lti, public, quiz, result, statics, verify,
};
use crate::app::App;

/// The largest form that is read, in bytes.
const MAX_BODY: usize = 128 * 1024;
/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every address of the service.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(public::index))
        .route("/courses/{course}", get(public::course))
        .route("/courses/{course}/{module}", get(public::module))
        .route("/lti/login", get(lti::login_get).post(lti::login_post))
        .route(
            "/lti/login/{key}",
            get(lti::keyed_login_get).post(lti::keyed_login_post),
        )
        .route("/lti/launch", post(lti::launch))
        .route("/lti/jwks.json", get(keys::lti_jwks))
        .route("/learn/{launch}", get(learn::course))
        .route("/learn/{launch}/modules/{module}", get(learn::lesson))
        .route(
            "/learn/{launch}/modules/{module}/quiz",
            get(quiz::start_page).post(quiz::begin),
        )
        .route("/learn/{launch}/attempts/{attempt}", get(quiz::overview))
        .route(
            "/learn/{launch}/attempts/{attempt}/questions/{position}",
            get(quiz::question).post(quiz::save),
        )
        .route(
            "/learn/{launch}/attempts/{attempt}/hand-in",
            post(quiz::hand_in),
        )
        .route(
            "/learn/{launch}/attempts/{attempt}/result",
            get(result::page),
        )
        .route(
            "/learn/{launch}/attest",
            get(attest::page).post(attest::sign),
        )
        .route("/learn/{launch}/certificate", get(attest::certificate))
        .route("/learn/{launch}/attestation.jws", get(attest::download))
        .route("/verify/{attestation}", get(verify::page))
        .route("/.well-known/jwks.json", get(keys::evidence_jwks))
        .route("/keys/{kid}", get(keys::one))
        .route("/api/v1/reports/{file}", get(api::report))
        .route("/api/v1/ledger/head", get(api::ledger_head))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/static/{file}", get(statics::file))
        .fallback(error::no_such_page)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .layer(from_fn_with_state(Arc::clone(&app), headers::around))
        .with_state(app)
}
