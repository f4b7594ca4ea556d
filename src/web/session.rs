//! Cookies and the tokens in forms.
//!
//! In a frame on another site only `SameSite=None; Secure; Partitioned` cookies come back. The `__Host-` prefix needs
//! https; on a loopback http address (trying out, tests) the same cookies go without the prefix.

use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::app::App;
use crate::crypto::{hex, hmac_sha256, same_secret, sha256};

fn named(app: &App, name: &str) -> String {
    if app.is_https() {
        format!("__Host-{name}")
    } else {
        name.to_owned()
    }
}

/// The session's cookie name.
pub(super) fn session_name(app: &App) -> String {
    named(app, "pm_session")
}

/// The login's cookie name: one for each login, so that two logins at once do not disturb each other.
pub(super) fn login_name(app: &App, state: &str) -> String {
    named(
        app,
        &format!("pm_login_{}", &hex(&sha256(state.as_bytes()))[..16]),
    )
}

/// A cookie that works inside a platform's frame.
pub(super) fn cookie(name: String, value: String, max_age_s: i64) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::None)
        .partitioned(true)
        .max_age(time::Duration::seconds(max_age_s))
        .build()
}

/// The token in a session's forms.
pub(super) fn csrf(app: &App, session_hash: &[u8]) -> String {
    hex(&hmac_sha256(&app.secret.derive("forms"), session_hash))
}

/// Whether a form's token is the session's.
pub(super) fn csrf_fits(app: &App, session_hash: &[u8], token: &str) -> bool {
    same_secret(csrf(app, session_hash).as_bytes(), token.as_bytes())
}
