//! Compact JWS over exact bytes (RFC 7515): sealing with a parsed key, and checking with a published key set.
//!
//! RS256 only: the algorithm is pinned by the key, never taken from the token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use crate::keys::{KeyError, SigningKey};

/// Seals `payload` as it is, byte for byte.
pub fn seal(key: &SigningKey, typ: &str, payload: &[u8]) -> Result<String, KeyError> {
    let header = serde_json::json!({ "alg": "RS256", "kid": key.kid(), "typ": typ }).to_string();
    let mut token = format!("{}.{}", B64.encode(header), B64.encode(payload));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&B64.encode(signature));
    Ok(token)
}

/// Why a sealed text is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three parts of base64url, or no JSON header.
    #[error("this is no compact JWS (three parts of base64url with a JSON header)")]
    Format,
    /// Another algorithm than the one our keys are for.
    #[error("the seal says algorithm {0}; only RS256 is accepted")]
    Algorithm(String),
    /// The key set does not hold the key that the seal names.
    #[error("no key {0} in the given key set")]
    UnknownKey(String),
    /// The key set is no JWK set.
    #[error("the key set is no JSON Web Key Set (RFC 7517)")]
    KeySet,
    /// The bytes were changed, or another key made the seal.
    #[error("the signature does not fit the content: a byte was changed, or another key made it")]
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// A seal that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The key that made it.
    pub kid: String,
    /// The exact bytes.
    pub payload: Vec<u8>,
}

/// Checks a compact JWS against a key set and gives the exact bytes that were sealed.
pub fn open(token: &str, jwks: &str) -> Result<Opened, JwsError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Format);
    };
    let head: Header = serde_json::from_slice(&B64.decode(header).map_err(|_| JwsError::Format)?)
        .map_err(|_| JwsError::Format)?;
    if head.alg != "RS256" {
        return Err(JwsError::Algorithm(head.alg.chars().take(32).collect()));
    }
    if head.crit.is_some() {
        return Err(JwsError::Format);
    }
    let kid = head.kid.unwrap_or_default();
    let set: KeySet = serde_json::from_str(jwks).map_err(|_| JwsError::KeySet)?;
    let key = set
        .keys
        .iter()
        .find(|k| k.kty == "RSA" && k.kid.as_deref() == Some(&kid))
        .and_then(|k| DecodingKey::from_rsa_components(k.n.as_deref()?, k.e.as_deref()?).ok())
        .ok_or_else(|| JwsError::UnknownKey(kid.clone()))?;
    let message = &token.as_bytes()[..header.len() + 1 + payload.len()];
    let good = jsonwebtoken::crypto::verify(signature, message, &key, Algorithm::RS256);
    if !matches!(good, Ok(true)) {
        return Err(JwsError::Signature);
    }
    let payload = B64.decode(payload).map_err(|_| JwsError::Format)?;
    Ok(Opened { kid, payload })
}
