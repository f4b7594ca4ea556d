//! The demo LMS: a small LTI 1.3 platform with one course, to try Passmuster out and to test it.
//!
//! It implements the platform's side of LTI 1.3 Core, the Security Framework 1.0, AGS 2.0, NRPS 2.0 and
//! LTI DL 2.0 strictly, and shares no code with the tool's side: a fault made in one place shows in the other.
//! Where the specifications leave a choice it does what Moodle does. It has no passwords; whoever starts it
//! binds it to the loopback interface and nothing else.

mod ags;
mod config;
mod deep_linking;
mod expiring;
mod gradebook;
mod keys;
mod launch;
mod nrps;
mod oidc;
mod pages;
mod people;
mod score;
mod service;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod vocab;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use url::Url;

pub use config::{LinkSeed, LmsConfig};
pub use gradebook::GradeRow;

use crate::{entropy::Entropy, time::Clock};
use deep_linking::Pick;
use expiring::Expiring;
use keys::{PlatformKey, ToolKeys};
use oidc::Hint;
use service::Entry;
use state::{State, Store};

/// The course's `context.id`.
const COURSE_ID: &str = "7";
/// Its short name.
const COURSE_LABEL: &str = "SEC-101";
/// Its name.
const COURSE_TITLE: &str = "Security training";
/// What the tool is called on the LMS's pages.
const TOOL_NAME: &str = "Passmuster";

/// Why the demo LMS does not start, or cannot keep what happened.
#[derive(Debug, thiserror::Error)]
pub enum LmsError {
    /// The state file cannot be read or written.
    #[error("the demo LMS's state file cannot be read or written: {0}")]
    StateFile(#[source] io::Error),
    /// The state file is there but is not one of ours.
    #[error("the demo LMS's state file is damaged: move it away to begin anew")]
    StateShape,
    /// The signing key cannot be made, read or used.
    #[error("the demo LMS's signing key is of no use")]
    Key,
    /// The HTTP client cannot be built.
    #[error("no HTTP client can be built")]
    HttpClient,
}

impl LmsError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::StateFile(_) => "demo.state_file",
            Self::StateShape => "demo.state_shape",
            Self::Key => "demo.key",
            Self::HttpClient => "demo.http_client",
        }
    }
}

/// A running demo LMS; clones share everything.
#[derive(Clone)]
pub struct Lms(Arc<Inner>);

struct Inner {
    config: LmsConfig,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    key: PlatformKey,
    tool_keys: ToolKeys,
    store: Store,
    passing: Mutex<Passing>,
    log: Mutex<VecDeque<Entry>>,
}

/// What a restart may forget.
#[derive(Debug, Default)]
struct Passing {
    /// Launches that were clicked and not yet fetched, by `lti_message_hint`.
    hints: Expiring<Hint>,
    /// Nonces the tool has used, in authorization requests and deep linking responses.
    nonces: Expiring<()>,
    /// Deep linking requests that wait for their answer, by id.
    picks: Expiring<Pick>,
    /// Client assertion ids seen.
    assertions: Expiring<()>,
    /// Scopes by the SHA-256 of an access token.
    tokens: Expiring<BTreeSet<&'static str>>,
}

/// A lock whose holder may have panicked: the values behind ours are whole at any time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Lms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lms")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

impl Lms {
    /// Reads the state file, or begins a new course with a new key, and adds the configured links.
    pub fn open(
        config: LmsConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, LmsError> {
        let store = Store::open(config.state_file.clone(), &config.links, || {
            PlatformKey::make(&*entropy).map(State::new)
        })?;
        let key = store.read(|s| PlatformKey::read(&s.key_pem))?;
        let tool_keys = ToolKeys::at(config.tool_jwks_url.clone())?;
        Ok(Self(Arc::new(Inner {
            config,
            clock,
            entropy,
            key,
            tool_keys,
            store,
            passing: Mutex::default(),
            log: Mutex::default(),
        })))
    }

    /// Everything this LMS answers to. The caller binds it, to the loopback interface only.
    pub fn router(&self) -> Router {
        let services = Router::new()
            .route("/lti/auth", get(oidc::authorize).post(oidc::authorize))
            .route("/lti/token", post(token::issue))
            .route("/lti/jwks.json", get(oidc::jwks))
            .route(
                "/lti/courses/{course}/lineitems",
                get(ags::list).post(ags::create),
            )
            .route(
                "/lti/courses/{course}/lineitems/{item}/lineitem",
                get(ags::read).put(ags::update).delete(ags::delete),
            )
            .route(
                "/lti/courses/{course}/lineitems/{item}/lineitem/scores",
                post(score::receive),
            )
            .route(
                "/lti/courses/{course}/lineitems/{item}/lineitem/results",
                get(score::results),
            )
            .route("/lti/courses/{course}/memberships", get(nrps::members))
            .route("/as/{user}/content/return", post(deep_linking::take_answer))
            .layer(axum::middleware::from_fn_with_state(
                self.clone(),
                service::record,
            ));
        let pages = Router::new()
            .route("/", get(pages::start))
            .route("/as/{user}", get(pages::course))
            .route("/as/{user}/link/{link}", get(pages::frame))
            .route("/as/{user}/launch/{link}", get(oidc::launch_link))
            .route("/as/{user}/content", get(pages::content))
            .route("/as/{user}/content/pick", get(oidc::launch_picker))
            .route(
                "/as/{user}/grades",
                get(gradebook::show).post(gradebook::change),
            )
            .route("/log", get(pages::log))
            .route("/static/{file}", get(pages::asset))
            .fallback(pages::nothing_here);
        services
            .merge(pages)
            .layer(DefaultBodyLimit::max(256 * 1024))
            .layer(axum::middleware::from_fn_with_state(
                self.clone(),
                service::only_by_its_name,
            ))
            .with_state(self.clone())
    }

    /// `iss` of every launch.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.0.config.issuer()
    }

    /// The OIDC authorization endpoint.
    #[must_use]
    pub fn auth_url(&self) -> Url {
        self.url("/lti/auth")
    }

    /// The access token endpoint, which is also the assertion's audience.
    #[must_use]
    pub fn token_url(&self) -> Url {
        self.url("/lti/token")
    }

    /// The platform's key set.
    #[must_use]
    pub fn jwks_url(&self) -> Url {
        self.url("/lti/jwks.json")
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.0.config.base_url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }
}
