//! Signing keys, sealed at rest. Public halves stay for ever: what was signed must verify in ten years.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::time::Timestamp;

/// What a key signs. The two never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Messages and assertions to platforms.
    Lti,
    /// Attestations and ledger heads.
    Evidence,
}

impl KeyPurpose {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lti => "lti",
            Self::Evidence => "evidence",
        }
    }
}

/// A key as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Ends in the RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs.
    pub purpose: KeyPurpose,
    /// The public JWK, as JSON text.
    pub public_jwk: String,
    /// PKCS#8 under the secret key.
    pub sealed_private: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs; it is published before.
    pub active_from: Timestamp,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

type KeyRow = (String, String, String, Vec<u8>, i64, i64);

fn key((kid, purpose, public_jwk, sealed_private, created, active): KeyRow) -> Result<StoredKey> {
    let purpose = [KeyPurpose::Lti, KeyPurpose::Evidence]
        .into_iter()
        .find(|p| p.as_str() == purpose)
        .ok_or(Error::corrupt("signing_key", "purpose"))?;
    let (created_at, active_from) = (Timestamp::from_ms(created), Timestamp::from_ms(active));
    Ok(StoredKey {
        kid,
        purpose,
        public_jwk,
        sealed_private,
        created_at,
        active_from,
    })
}

const LIST_KEYS: &str = "SELECT kid, purpose, public_jwk, sealed_private, created_at_ms, active_from_ms \
                         FROM signing_key ORDER BY active_from_ms, kid";

impl Db {
    /// All keys, oldest first.
    pub async fn list_keys(&self) -> Result<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = on_db!(self, |p| sqlx::query_as(LIST_KEYS).fetch_all(p).await)?;
        rows.into_iter().map(key).collect()
    }
}

impl Tx {
    /// All keys, oldest first, inside a write: so that two first starts do not both make one.
    pub async fn list_keys(&mut self) -> Result<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = on_tx!(self, |c| sqlx::query_as(LIST_KEYS).fetch_all(c).await)?;
        rows.into_iter().map(key).collect()
    }

    /// Adds a key.
    pub async fn add_key(&mut self, key: &StoredKey) -> Result<()> {
        let sql = "INSERT INTO signing_key (kid, purpose, public_jwk, sealed_private, created_at_ms, active_from_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(&key.kid)
            .bind(key.purpose.as_str())
            .bind(&key.public_jwk)
            .bind(&key.sealed_private)
            .bind(key.created_at.as_ms())
            .bind(key.active_from.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
