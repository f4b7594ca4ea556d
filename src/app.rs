//! The service as a value: settings, database, clock, randomness, keys, content and the way out to platforms; built
//! once and shared.

use std::sync::Arc;

use tokio::sync::Notify;
use url::Url;

use crate::config::{ConfigError, SecretKey, Settings};
use crate::course::{Catalogue, ContentError, Drafts};
use crate::entropy::Entropy;
use crate::keyring::{KeyRing, KeyRingError};
use crate::lti::jwks::JwksCache;
use crate::lti::token::TokenCache;
use crate::net::{FetchAllow, FetchAllowError, FetchError, Fetcher};
use crate::storage::{self, Db};
use crate::time::{Clock, Timestamp};

/// Everything a step needs.
#[derive(Debug)]
pub struct App {
    /// The address under which browsers and platforms reach us; ends in a slash.
    pub public_url: Url,
    /// What forms and keys at rest hang on.
    pub secret: SecretKey,
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Signing keys.
    pub keys: KeyRing,
    /// Courses.
    pub catalogue: Catalogue,
    /// The guarded way out.
    pub fetcher: Fetcher,
    /// Platforms' key sets.
    pub jwks: JwksCache,
    /// Access tokens to platforms' services.
    pub tokens: TokenCache,
    /// Rung when a score waits.
    pub passback_bell: Notify,
    /// Whether anyone may read the courses.
    pub public_reading: bool,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
}

impl App {
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An absolute address of ours.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.public_url, path.trim_start_matches('/'))
    }

    /// Whether browsers reach us over TLS; on a loopback address everything works without.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// Why the service cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error("{0}")]
    Storage(#[from] storage::Error),
    /// The signing keys.
    #[error("{0}")]
    Keys(#[from] KeyRingError),
    /// The content.
    #[error("content: {0}")]
    Content(#[from] ContentError),
    /// The list of networks that may be fetched from.
    #[error("PASSMUSTER_FETCH_ALLOW: {0}")]
    FetchAllow(#[from] FetchAllowError),
    /// The way out.
    #[error("the HTTP client: {0}")]
    Fetch(#[from] FetchError),
}

impl App {
    /// Sets the service up: connects, brings the schema to this version, reads content and keys.
    pub async fn open(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let secret = settings.secret()?;
        let public_url = settings.public_url()?;
        let catalogue = match &settings.content_dir {
            Some(dir) => Catalogue::from_dir(dir, Drafts::Skip)?,
            None => Catalogue::built_in()?,
        };
        let fetcher = Fetcher::new(settings.fetch_allow.parse::<FetchAllow>()?)?;
        let db = Db::connect(&settings.database_url).await?;
        db.migrate().await?;
        let keys = KeyRing::open(&db, &secret, &*entropy, clock.now()).await?;
        Ok(Self {
            public_url,
            secret,
            db,
            clock,
            entropy,
            keys,
            catalogue,
            fetcher,
            jwks: JwksCache::default(),
            tokens: TokenCache::default(),
            passback_bell: Notify::new(),
            public_reading: settings.public_reading,
            trusted_proxies: settings
                .trusted_proxies
                .split(',')
                .map(|p| p.trim().to_owned())
                .filter(|p| !p.is_empty())
                .collect(),
        })
    }
}
