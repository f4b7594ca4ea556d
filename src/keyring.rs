//! The service's signing keys: made at first start, sealed at rest, rotated by command, published for ever.
//!
//! A rotated key is published at once and signs from its `active_from` on, so that every replica and every platform
//! has seen it before. LTI and evidence keys are apart.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::config::SecretKey;
use crate::crypto;
use crate::entropy::Entropy;
use crate::keys::{KeyError, PrivateKey, SigningKey};
use crate::storage::{self, Db, KeyPurpose, StoredKey};
use crate::time::Timestamp;

/// Why no key is at hand.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// Making or reading a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Stored keys were sealed with another secret key.
    #[error(
        "the stored signing keys do not open with this secret key: give the one they were made with"
    )]
    Sealed,
}

#[derive(Debug, Clone)]
struct Loaded {
    purpose: KeyPurpose,
    active_from: Timestamp,
    public_jwk: String,
    key: SigningKey,
}

/// The keys in memory, parsed once.
#[derive(Debug, Clone)]
pub struct KeyRing {
    seal: [u8; 32],
    loaded: Arc<RwLock<Arc<Vec<Loaded>>>>,
}

const BOTH: [KeyPurpose; 2] = [KeyPurpose::Lti, KeyPurpose::Evidence];

/// How long a platform may go on using an LTI key set it has cached.
const LTI_RETENTION: Duration = Duration::from_hours(720);

impl KeyRing {
    /// Reads the keys, and makes those that are missing.
    pub async fn open(
        db: &Db,
        secret: &SecretKey,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, KeyRingError> {
        let ring = Self {
            seal: secret.derive("keys at rest"),
            loaded: Arc::default(),
        };
        let stored = db.list_keys().await?;
        for purpose in BOTH
            .into_iter()
            .filter(|p| !stored.iter().any(|k| k.purpose == *p))
        {
            let fresh = ring.make(purpose, entropy, now, now)?;
            let mut tx = db.begin_write().await?;
            // Another replica may have been first.
            if !tx.list_keys().await?.iter().any(|k| k.purpose == purpose) {
                tx.add_key(&fresh).await?;
            }
            tx.commit().await?;
        }
        ring.reload(db).await?;
        Ok(ring)
    }

    /// Reads the keys again: another process may have rotated.
    pub async fn reload(&self, db: &Db) -> Result<(), KeyRingError> {
        let stored = db.list_keys().await?;
        let known = Arc::clone(&self.loaded.read().expect("no writer panics"));
        if known.len() == stored.len() {
            return Ok(());
        }
        let loaded = stored
            .iter()
            .map(|k| self.unseal(k))
            .collect::<Result<Vec<_>, _>>()?;
        *self.loaded.write().expect("no writer panics") = Arc::new(loaded);
        Ok(())
    }

    /// Makes a new key that signs from `active_from` on.
    pub async fn rotate(
        &self,
        db: &Db,
        purpose: KeyPurpose,
        entropy: &dyn Entropy,
        active_from: Timestamp,
        now: Timestamp,
    ) -> Result<String, KeyRingError> {
        let fresh = self.make(purpose, entropy, active_from, now)?;
        let mut tx = db.begin_write().await?;
        tx.add_key(&fresh).await?;
        tx.commit().await?;
        self.reload(db).await?;
        Ok(fresh.kid)
    }

    /// Seals a freshly made key for storing.
    pub fn make(
        &self,
        purpose: KeyPurpose,
        entropy: &dyn Entropy,
        active_from: Timestamp,
        now: Timestamp,
    ) -> Result<StoredKey, KeyRingError> {
        seal_key(
            &self.seal,
            purpose,
            &PrivateKey::generate(entropy)?,
            active_from,
            now,
        )
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing(&self, purpose: KeyPurpose, now: Timestamp) -> Option<SigningKey> {
        let keys = self.loaded.read().expect("no writer panics");
        let mine = keys
            .iter()
            .filter(|k| k.purpose == purpose && k.active_from <= now);
        mine.max_by_key(|k| k.active_from).map(|k| k.key.clone())
    }

    /// The published key set: evidence keys for ever, LTI keys until no platform can still hold something they signed.
    #[must_use]
    pub fn jwks(&self, purpose: KeyPurpose, now: Timestamp) -> String {
        let keys = self.loaded.read().expect("no writer panics");
        let mine: Vec<&Loaded> = keys.iter().filter(|k| k.purpose == purpose).collect();
        let shown = mine.iter().enumerate().filter(|(i, _)| {
            let superseded = mine
                .get(i + 1)
                .map(|next| next.active_from.plus(LTI_RETENTION));
            purpose == KeyPurpose::Evidence || superseded.is_none_or(|until| now < until)
        });
        format!(
            "{{\"keys\":[{}]}}",
            shown
                .map(|(_, k)| k.public_jwk.as_str())
                .collect::<Vec<_>>()
                .join(",")
        )
    }

    /// One published key.
    #[must_use]
    pub fn public_jwk(&self, kid: &str) -> Option<String> {
        let keys = self.loaded.read().expect("no writer panics");
        keys.iter()
            .find(|k| k.key.kid() == kid)
            .map(|k| k.public_jwk.clone())
    }

    fn unseal(&self, stored: &StoredKey) -> Result<Loaded, KeyRingError> {
        let der = crypto::open(&self.seal, stored.purpose.as_str(), &stored.sealed_private)
            .map_err(|_| KeyRingError::Sealed)?;
        Ok(Loaded {
            purpose: stored.purpose,
            active_from: stored.active_from,
            public_jwk: stored.public_jwk.clone(),
            key: SigningKey::parse(&PrivateKey::from_der(der), "")?,
        })
    }
}

/// A private key ready for storing, sealed under `seal`.
pub fn seal_key(
    seal: &[u8; 32],
    purpose: KeyPurpose,
    key: &PrivateKey,
    active_from: Timestamp,
    now: Timestamp,
) -> Result<StoredKey, KeyRingError> {
    let parsed = SigningKey::parse(key, "")?;
    Ok(StoredKey {
        kid: parsed.kid().to_owned(),
        purpose,
        public_jwk: serde_json::to_string(parsed.public()).expect("a public key is JSON"),
        sealed_private: crypto::seal(seal, purpose.as_str(), key.as_der()),
        created_at: now,
        active_from,
    })
}
