//! The launch's two doors: third-party initiated login, and the platform's answer.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use url::form_urlencoded;

use super::error::{Error, Result, framed};
use super::extract::Pairs;
use super::session;
use crate::app::App;
use crate::crypto::sha256;
use crate::lti::launch_error::LaunchError;
use crate::lti::login::LoginRequest;
use crate::training::launch::{self, EntryError, LOGIN_TTL, SESSION_TTL};

pub(super) async fn login_get(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    login(&app, from_query(query), None).await
}

pub(super) async fn login_post(State(app): State<Arc<App>>, form: Pairs) -> Result<Response> {
    login(&app, form, None).await
}

pub(super) async fn keyed_login_get(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    login(&app, from_query(query), Some(&key)).await
}

pub(super) async fn keyed_login_post(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    form: Pairs,
) -> Result<Response> {
    login(&app, form, Some(&key)).await
}

fn from_query(query: Option<String>) -> Pairs {
    Pairs(
        form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .take(200)
            .collect(),
    )
}

async fn login(app: &App, pairs: Pairs, key: Option<&str>) -> Result<Response> {
    let pairs = pairs.0.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let request = LoginRequest::from_pairs(pairs).map_err(EntryError::from)?;
    let started = launch::start_login(app, &request, key).await?;
    let age = i64::try_from(LOGIN_TTL.as_secs()).unwrap_or(600);
    let cookie = session::cookie(
        session::login_name(app, &started.state),
        started.binding,
        age,
    );
    Ok((
        CookieJar::new().add(cookie),
        Redirect::to(started.redirect.as_str()),
    )
        .into_response())
}

pub(super) async fn launch(State(app): State<Arc<App>>, jar: CookieJar, form: Pairs) -> Response {
    let state = form.only("state").unwrap_or_default().to_owned();
    match enter(&app, &jar, &form, &state).await {
        Ok(response) => response,
        // The refusal is shown in the LMS's frame: its platform is known by the state, if by anything.
        Err(e) => framed(e, ancestors(&app, &state).await),
    }
}

async fn enter(app: &App, jar: &CookieJar, form: &Pairs, state: &str) -> Result<Response> {
    if let Some(error) = form.find("error") {
        return Err(EntryError::from(LaunchError::from_platform(error)).into());
    }
    let id_token = form
        .only("id_token")
        .ok_or(EntryError::from(LaunchError::MissingToken))?;
    let name = session::login_name(app, state);
    let binding = jar.get(&name).map(|c| c.value().to_owned());
    let entered = launch::enter(app, state, binding.as_deref(), id_token)
        .await
        .map_err(Error::from)?;
    let age = i64::try_from(SESSION_TTL.as_secs()).unwrap_or(28_800);
    // CookieJar::new() so that only what changes is sent back.
    let jar = CookieJar::new()
        .add(session::cookie(
            session::session_name(app),
            entered.session,
            age,
        ))
        .add(session::cookie(name, String::new(), 0));
    // 303: the id_token stays out of the history, and a reload is a plain GET.
    let to = format!("/learn/{}", entered.launch);
    Ok((jar, Redirect::to(&to)).into_response())
}

async fn ancestors(app: &App, state: &str) -> Vec<String> {
    match app.db.find_login(&sha256(state.as_bytes())).await {
        Ok(Some(login)) => launch::frame_origins(app, &login.platform_id)
            .await
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}
