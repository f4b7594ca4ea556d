//! What handlers are given: the person behind the session, their launch, forms as pairs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum_extra::extract::CookieJar;
use url::form_urlencoded;

use super::error::{Error, Result};
use super::headers::FrameAncestors;
use super::session;
use crate::app::App;
use crate::course::Course;
use crate::crypto::sha256;
use crate::storage::{Launch, Person, Tenant};

/// A form as pairs, in order; repeated names stay repeated.
#[derive(Debug)]
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl Pairs {
    /// The first value of a name.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    }

    /// The one value of a name; twice is as good as never.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter().filter(|(k, _)| k == name);
        all.next()
            .filter(|_| all.next().is_none())
            .map(|(_, v)| v.as_str())
    }

    /// All values of a name.
    pub(super) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.0
            .iter()
            .filter(move |(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Pairs {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        if !kind
            .trim()
            .to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
        {
            return Err(Error::BadForm(
                "It is not sent as a form (application/x-www-form-urlencoded).",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(|e| {
            if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Error::TooLarge
            } else {
                Error::BadForm("It did not arrive whole.")
            }
        })?;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&body)
            .into_owned()
            .take(200)
            .collect();
        if pairs
            .iter()
            .any(|(k, v)| k.contains('\u{fffd}') || v.contains('\u{fffd}'))
        {
            return Err(Error::BadForm("It holds bytes that are no text."));
        }
        Ok(Self(pairs))
    }
}

/// The person behind a session.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) tenant: Tenant,
    pub(super) person: Person,
    pub(super) csrf: String,
    session_hash: [u8; 32],
    /// The origins that may frame this tenant's pages.
    pub(super) ancestors: Vec<String>,
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let jar = CookieJar::from_headers(&parts.headers);
        let cookie = jar
            .get(&session::session_name(app))
            .ok_or(Error::SignedOut)?;
        let session_hash = sha256(cookie.value().as_bytes());
        let (tenant, person) = app
            .db
            .find_visitor(&session_hash, app.now())
            .await?
            .ok_or(Error::SignedOut)?;
        let platforms = app.db.list_platforms(&tenant.id).await?;
        let mut ancestors: Vec<String> = platforms
            .iter()
            .flat_map(super::super::lti::platform::Platform::frame_origins)
            .collect();
        ancestors.sort();
        ancestors.dedup();
        let csrf = session::csrf(app, &session_hash);
        Ok(Self {
            tenant,
            person,
            csrf,
            session_hash,
            ancestors,
        })
    }
}

impl Visitor {
    /// A launch of this very person, and its course.
    pub(super) async fn launch<'a>(&self, app: &'a App, id: &str) -> Result<(Launch, &'a Course)> {
        let id = id.parse().map_err(|_| Error::NotFound)?;
        let launch = app
            .db
            .find_launch(&self.tenant.id, &self.person.id, &id)
            .await?
            .ok_or(Error::NotFound)?;
        let course = app
            .catalogue
            .find_course(&launch.course_code)
            .ok_or(Error::NotFound)?;
        Ok((launch, course))
    }

    /// A form of ours, sent from a page of ours: the token fits, and no other site sent it.
    pub(super) fn check_form(&self, app: &App, headers: &HeaderMap, form: &Pairs) -> Result<()> {
        let origin = headers.get(header::ORIGIN).and_then(|v| v.to_str().ok());
        let ours = app.public_url.origin().ascii_serialization();
        let foreign = origin.is_some_and(|o| o != ours);
        let cross = headers
            .get("sec-fetch-site")
            .is_some_and(|v| v == "cross-site");
        let token = form.only("csrf").unwrap_or_default();
        if foreign || cross || !session::csrf_fits(app, &self.session_hash, token) {
            return Err(Error::Forged);
        }
        Ok(())
    }

    /// For the response's `frame-ancestors`.
    pub(super) fn frame(&self) -> axum::Extension<FrameAncestors> {
        axum::Extension(FrameAncestors(self.ancestors.clone()))
    }
}
