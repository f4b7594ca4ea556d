//! The platform's own RS256 key, and the check of what the tool signed with its key.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::traits::PublicKeyParts;
use serde_json::{Map, Value, json};
use url::Url;

use super::LmsError;
use crate::{crypto, entropy::Entropy};

/// A key set larger than this is not read.
const LARGEST_KEY_SET: usize = 256 * 1024;

/// The key that signs id_tokens, parsed once.
pub(super) struct PlatformKey {
    signing: EncodingKey,
    kid: String,
    jwk: Value,
}

/// Lends our entropy to the `rsa` crate.
struct Rng<'a>(&'a dyn Entropy);

impl rsa::rand_core::RngCore for Rng<'_> {
    fn next_u32(&mut self) -> u32 {
        rsa::rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rsa::rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill(dest);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Rng<'_> {}

impl PlatformKey {
    /// A fresh 2048-bit key in PKCS#8 PEM.
    pub(super) fn make(entropy: &dyn Entropy) -> Result<String, LmsError> {
        let key = rsa::RsaPrivateKey::new(&mut Rng(entropy), 2048).map_err(|_| LmsError::Key)?;
        let pem = key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| LmsError::Key)?;
        Ok(pem.to_string())
    }

    /// Reads what [`PlatformKey::make`] wrote.
    pub(super) fn read(pem: &str) -> Result<Self, LmsError> {
        let key = rsa::RsaPrivateKey::from_pkcs8_pem(pem).map_err(|_| LmsError::Key)?;
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| LmsError::Key)?;
        let n = key.n().to_bytes_be();
        let kid = crypto::sha256_hex(&n)[..20].to_owned();
        let jwk = json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(&n),
            "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
        });
        Ok(Self { signing, kid, jwk })
    }

    /// The public key set (RFC 7517 §5).
    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk] })
    }

    /// Signs claims as a JWT.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, LmsError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.signing).map_err(|_| LmsError::Key)
    }
}

/// The tool's public keys, fetched anew whenever something has to be checked: a demo sees few of these, and a
/// rotated key counts at once.
#[derive(Debug)]
pub(super) struct ToolKeys {
    http: reqwest::Client,
    url: Url,
}

impl ToolKeys {
    /// Keys at `url`, on this machine: no proxy, no redirect.
    pub(super) fn at(url: Url) -> Result<Self, LmsError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .user_agent("demo-lms")
            .build()
            .map_err(|_| LmsError::HttpClient)?;
        Ok(Self { http, url })
    }

    /// The claims of a JWT that the tool signed with RS256, or why it is not one. What the claims say is not
    /// looked at here.
    pub(super) async fn verify(&self, jwt: &str) -> Result<Map<String, Value>, String> {
        let header = jsonwebtoken::decode_header(jwt)
            .map_err(|_| "this is no JWT with a known algorithm".to_owned())?;
        if header.alg != Algorithm::RS256 {
            return Err(format!("the JWT's alg is {:?}, not RS256", header.alg));
        }
        let kid = header.kid.ok_or("the JWT's header has no kid")?;
        let set = self.fetch().await?;
        let keys = set["keys"]
            .as_array()
            .ok_or("the tool's key set has no array 'keys'")?;
        if keys.iter().any(|k| k.get("d").is_some()) {
            return Err("the tool's key set publishes a private key".to_owned());
        }
        let mut cause = "the tool's key set has no RS256 signing key with the JWT's kid".to_owned();
        for jwk in keys.iter().filter(|k| k["kid"] == kid.as_str()) {
            match check_with(jwk, jwt) {
                Ok(claims) => return Ok(claims),
                Err(why) => why.clone_into(&mut cause),
            }
        }
        Err(cause)
    }

    async fn fetch(&self) -> Result<Value, String> {
        let unreachable = |_| "the tool's key set cannot be fetched".to_owned();
        let mut answer = self
            .http
            .get(self.url.clone())
            .send()
            .await
            .map_err(unreachable)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(format!(
                "the tool's key set answers {}",
                answer.status().as_u16()
            ));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_KEY_SET {
                return Err("the tool's key set is too large".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| "the tool's key set is no JSON".to_owned())
    }
}

fn check_with(jwk: &Value, jwt: &str) -> Result<Map<String, Value>, &'static str> {
    let allowed = |name: &str, wanted: &str| jwk.get(name).is_none_or(|v| v == wanted);
    if jwk["kty"] != "RSA" || !allowed("alg", "RS256") || !allowed("use", "sig") {
        return Err("the tool's key with this kid is no RS256 signing key");
    }
    let part = |name: &str| {
        let text = jwk[name].as_str().unwrap_or_default();
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .filter(|bytes| bytes.first().is_some_and(|b| *b != 0))
            .ok_or("the tool's key with this kid has an n or e that is not Base64urlUInt (RFC 7518 §2)")
    };
    let (n, e) = (part("n")?, part("e")?);
    if n.len() < 256 {
        return Err("the tool's key with this kid is shorter than 2048 bits");
    }
    let mut only_signature = Validation::new(Algorithm::RS256);
    only_signature.required_spec_claims.clear();
    only_signature.validate_exp = false; // with the injected clock, by the caller
    only_signature.validate_aud = false;
    let key = DecodingKey::from_rsa_raw_components(&n, &e);
    jsonwebtoken::decode::<Map<String, Value>>(jwt, &key, &only_signature)
        .map(|data| data.claims)
        .map_err(|_| "the signature does not belong to the tool's key with this kid")
}
