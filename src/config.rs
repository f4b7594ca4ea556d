//! Settings: `passmuster.toml` < `PASSMUSTER_*` variables < flags.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::crypto::{hmac_sha256, sha256};

/// Settings as read. Unknown names are an error: a misspelt setting must not be silently absent.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `sqlite://FILE` or `postgres://…`.
    pub database_url: String,
    /// Where the service listens.
    pub listen: SocketAddr,
    /// The address under which browsers and platforms reach it.
    pub public_url: Option<String>,
    /// A text of 32 characters or more that seals private keys at rest and signs forms.
    pub secret_key: Option<String>,
    /// A file that holds the secret key.
    pub secret_key_file: Option<PathBuf>,
    /// Content to serve instead of what is built in.
    pub content_dir: Option<PathBuf>,
    /// Hosts and networks on private ranges that may be fetched from, comma-separated.
    pub fetch_allow: String,
    /// Addresses of proxies whose `X-Forwarded-For` is believed, comma-separated.
    pub trusted_proxies: String,
    /// Whether anyone may read the courses without an account.
    pub public_reading: bool,
    /// What is logged, in the words of `tracing` (`info`, `passmuster=debug`).
    pub log: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database_url: "sqlite://passmuster.db".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 7100)),
            public_url: None,
            secret_key: None,
            secret_key_file: None,
            content_dir: None,
            fetch_allow: String::new(),
            trusted_proxies: String::new(),
            public_reading: true,
            log: "info".to_owned(),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value is missing, misspelt or of the wrong kind.
    #[error("settings: {0}")]
    Read(Box<figment::Error>),
    /// No secret key.
    #[error(
        "no secret key: set PASSMUSTER_SECRET_KEY or PASSMUSTER_SECRET_KEY_FILE (make one with: openssl rand -base64 32)"
    )]
    NoSecret,
    /// Two secret keys.
    #[error("set PASSMUSTER_SECRET_KEY or PASSMUSTER_SECRET_KEY_FILE, not both")]
    TwoSecrets,
    /// Too short to be a secret.
    #[error("the secret key has fewer than 32 characters (make one with: openssl rand -base64 32)")]
    ShortSecret,
    /// The file with the secret key cannot be read.
    #[error("the secret key file {0} cannot be read")]
    SecretFile(PathBuf),
    /// Not an address that browsers can use.
    #[error(
        "the public address must be https://HOST (http is taken for a loopback host only), without query or user name"
    )]
    PublicUrl,
}

impl Settings {
    /// Reads file and environment; `file` defaults to `passmuster.toml` in the working directory, if it is there.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let toml = file.map_or_else(|| Toml::file("passmuster.toml"), Toml::file_exact);
        Figment::from(Serialized::defaults(Self::default()))
            .merge(toml)
            .merge(
                Env::prefixed("PASSMUSTER_")
                    .filter(|k| !k.starts_with("test_") && !k.starts_with("TEST_")),
            )
            .extract()
            .map_err(|e| ConfigError::Read(Box::new(e)))
    }

    /// The public address, with a trailing slash; `http://LISTEN/` when none is set.
    pub fn public_url(&self) -> Result<Url, ConfigError> {
        let text = self
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}/", self.listen));
        let mut url = Url::parse(&text).map_err(|_| ConfigError::PublicUrl)?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let good = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => is_loopback(&url),
            _ => false,
        };
        if good && bare && url.path() == "/" {
            Ok(url)
        } else {
            Err(ConfigError::PublicUrl)
        }
    }

    /// The secret key.
    pub fn secret(&self) -> Result<SecretKey, ConfigError> {
        let text = match (&self.secret_key, &self.secret_key_file) {
            (Some(_), Some(_)) => return Err(ConfigError::TwoSecrets),
            (Some(text), None) => text.clone(),
            (None, Some(file)) => {
                std::fs::read_to_string(file).map_err(|_| ConfigError::SecretFile(file.clone()))?
            }
            (None, None) => return Err(ConfigError::NoSecret),
        };
        SecretKey::from_text(text.trim())
    }
}

/// Whether an address is on this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// What everything secret is derived from. Never shown, never logged.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// From the operator's text.
    pub fn from_text(text: &str) -> Result<Self, ConfigError> {
        if text.len() < 32 {
            return Err(ConfigError::ShortSecret);
        }
        Ok(Self(sha256(text.as_bytes())))
    }

    /// A key for one purpose: what is derived for one never serves another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        hmac_sha256(&self.0, purpose.as_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_url(url: &str) -> Result<Url, ConfigError> {
        Settings {
            public_url: Some(url.to_owned()),
            ..Settings::default()
        }
        .public_url()
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert_eq!(
            with_url("https://train.example.com").unwrap().as_str(),
            "https://train.example.com/"
        );
        assert!(with_url("http://127.0.0.1:7100").is_ok());
        assert!(with_url("http://localhost:7100/").is_ok());
        for bad in [
            "http://train.example.com",
            "ftp://x",
            "https://u@x",
            "https://x/?a=1",
            "https://x/sub",
            "nonsense",
        ] {
            assert!(with_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_long_and_stays_hidden() {
        assert!(SecretKey::from_text("short").is_err());
        let s = SecretKey::from_text(&"x".repeat(32)).unwrap();
        assert_ne!(s.derive("a"), s.derive("b"));
        assert_eq!(format!("{s:?}"), "SecretKey(hidden)");
    }
}
