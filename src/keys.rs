//! The tool's own key pairs: making, reading, signing, publishing (RFC 7517, RFC 7638).
//!
//! `rsa` makes keys and reads their public half; signatures come from aws-lc-rs, with the key parsed once.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use rsa::{
    RsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
    rand_core::{CryptoRng, RngCore},
    traits::PublicKeyParts,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    crypto::sha256,
    entropy::{self, Entropy},
};

/// The size of keys that we make (1EdTech Security Framework §6.1: at least 2048).
const BITS: usize = 2048;

/// Why a key was not made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key came out of the generator.
    #[error("no key could be made")]
    Generate,
    /// No PKCS#8 RSA private key of a fit size.
    #[error("this is no PKCS#8 RSA private key of 2048 bits or more")]
    Malformed,
    /// The signature failed.
    #[error("the key does not sign")]
    Sign,
}

impl KeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Generate => "key.generate",
            Self::Malformed => "key.malformed",
            Self::Sign => "key.sign",
        }
    }
}

/// A private key in PKCS#8 DER: what is sealed and stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(Vec<u8>);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

impl PrivateKey {
    /// A fresh RSA key of 2048 bits, exponent 65537. Takes about a second: call it off the async threads.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::new(&mut Rng(entropy), BITS).map_err(|_| KeyError::Generate)?;
        let der = key.to_pkcs8_der().map_err(|_| KeyError::Generate)?;
        Ok(Self(der.as_bytes().to_vec()))
    }

    /// From PKCS#8 DER, as stored.
    #[must_use]
    pub const fn from_der(der: Vec<u8>) -> Self {
        Self(der)
    }

    /// From PEM (`BEGIN PRIVATE KEY`).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Malformed)?;
        let der = key.to_pkcs8_der().map_err(|_| KeyError::Malformed)?;
        Ok(Self(der.as_bytes().to_vec()))
    }

    /// PKCS#8 DER. A secret: seal it before it is stored.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// PKCS#8 PEM. A secret.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let key = RsaPrivateKey::from_pkcs8_der(&self.0).map_err(|_| KeyError::Malformed)?;
        let pem = key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| KeyError::Malformed)?;
        Ok(pem.to_string())
    }
}

/// Our entropy in the shape that `rsa` asks for (rand_core 0.6).
struct Rng<'a>(&'a dyn Entropy);

impl RngCore for Rng<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(entropy::bytes(self.0))
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(entropy::bytes(self.0))
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill(dest);
        Ok(())
    }
}

impl CryptoRng for Rng<'_> {}

/// The public half as a JWK (RFC 7517 §4): no private member exists in this type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    /// `RSA`.
    pub kty: &'static str,
    /// Names the key; ends in its RFC 7638 thumbprint.
    pub kid: String,
    /// `RS256`.
    pub alg: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Modulus, base64url without padding and without leading zero bytes.
    pub n: String,
    /// Exponent, the same way.
    pub e: String,
}

/// The key set document of these keys (RFC 7517 §5).
#[must_use]
pub fn public_jwks(keys: &[PublicJwk]) -> String {
    json!({ "keys": keys }).to_string()
}

/// A key pair that signs with RS256, parsed once and cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    public: PublicJwk,
    pair: Arc<RsaKeyPair>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.public.kid)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Parses a private key. Its kid is `kid_prefix` followed by the thumbprint: an empty prefix for the LTI
    /// keys, `https://…/keys/` where a kid must be an address.
    pub fn parse(key: &PrivateKey, kid_prefix: &str) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_pkcs8(key.as_der()).map_err(|_| KeyError::Malformed)?;
        let parts = RsaPrivateKey::from_pkcs8_der(key.as_der()).map_err(|_| KeyError::Malformed)?;
        let n = B64.encode(parts.n().to_bytes_be());
        let e = B64.encode(parts.e().to_bytes_be());
        let kid = format!("{kid_prefix}{}", thumbprint(&n, &e));
        let public = PublicJwk {
            kty: "RSA",
            kid,
            alg: "RS256",
            usage: "sig",
            n,
            e,
        };
        Ok(Self {
            public,
            pair: Arc::new(pair),
        })
    }

    /// The key's name in headers and key sets.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.public.kid
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// An RS256 signature over `message` (RFC 7518 §3.3).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut out = vec![0; self.pair.public_modulus_len()];
        // PKCS#1 v1.5 signatures are deterministic; the generator only blinds the computation.
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out)
            .map_err(|_| KeyError::Sign)?;
        Ok(out)
    }

    /// A compact JWS of `claims` with header `{alg, kid, typ}`; `typ` is `JWT` for LTI.
    pub fn sign_jwt<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, KeyError> {
        let header = json!({ "alg": "RS256", "kid": self.kid(), "typ": typ }).to_string();
        let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Sign)?;
        let mut token = format!("{}.{}", B64.encode(header), B64.encode(payload));
        let signature = self.sign(token.as_bytes())?;
        token.push('.');
        token.push_str(&B64.encode(signature));
        Ok(token)
    }
}

/// RFC 7638 §3: SHA-256 over the required members, in order, without spaces.
fn thumbprint(n: &str, e: &str) -> String {
    B64.encode(sha256(
        format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lti::testing::{key_a, private_key_a};

    #[test]
    fn a_thumbprint_is_that_of_the_rfc_s_example() {
        // RFC 7638 §3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(
            thumbprint(n, "AQAB"),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn a_key_survives_pem_and_der() {
        let pem = private_key_a().to_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_eq!(PrivateKey::from_pem(&pem).unwrap(), *private_key_a());
        assert!(PrivateKey::from_pem("-----BEGIN NONSENSE-----").is_err());
        let bad = PrivateKey::from_der(vec![1, 2, 3]);
        assert_eq!(
            SigningKey::parse(&bad, "").unwrap_err().code(),
            "key.malformed"
        );
    }

    #[test]
    fn the_key_set_has_no_private_member() {
        let set: serde_json::Value =
            serde_json::from_str(&public_jwks(&[key_a().public().clone()])).unwrap();
        let jwk = set["keys"][0].as_object().unwrap();
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!jwk.contains_key(name), "{name}");
        }
        assert_eq!(jwk["e"], "AQAB");
        assert!(!jwk["n"].as_str().unwrap().contains('='));
        assert_eq!(B64.decode(jwk["n"].as_str().unwrap()).unwrap().len(), 256);
        assert_eq!(jwk["use"], "sig");
    }

    #[test]
    fn debug_shows_no_secret_and_a_kid_takes_its_prefix() {
        assert_eq!(format!("{:?}", private_key_a()), "PrivateKey(redacted)");
        let key = SigningKey::parse(private_key_a(), "https://t.example/keys/").unwrap();
        assert!(key.kid().starts_with("https://t.example/keys/"));
        assert!(key.kid().ends_with(key_a().kid()));
        assert!(format!("{key:?}").len() < 150);
    }

    #[test]
    fn our_signatures_verify_with_a_standard_library() {
        let jwt = key_a()
            .sign_jwt("JWT", &json!({ "iss": "us", "exp": 4_000_000_000_u64 }))
            .unwrap();
        let public = key_a().public();
        let key = jsonwebtoken::DecodingKey::from_rsa_components(&public.n, &public.e).unwrap();
        let rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        let read = jsonwebtoken::decode::<serde_json::Value>(&jwt, &key, &rules).unwrap();
        assert_eq!(read.claims["iss"], "us");
        assert_eq!(read.header.kid.as_deref(), Some(key_a().kid()));
    }
}
