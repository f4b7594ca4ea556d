//! Access tokens: the client assertion, the request, the cache (1EdTech Security Framework §4.1, RFC 7523).
//!
//! Tokens live in memory only, keyed by registration, token endpoint and scopes: platforms that share an issuer or a
//! client id never share a token.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

pub use super::token_error::{ALL_CODES, HELP, TokenError};
use super::{
    platform::Platform,
    vocab::{media, oauth},
};
use crate::keys::SigningKey;
use crate::{
    entropy::{self, Entropy},
    ids::PlatformId,
    net::{Fetcher, Response},
    time::Timestamp,
};

/// Moodle refuses an `iat` that lies even a second ahead of its own clock.
const BACKDATE: Duration = Duration::from_secs(5);
/// How long an assertion is valid: long enough for a slow platform, too short to be worth stealing.
const ASSERTION_LIFE: Duration = Duration::from_mins(2);
/// A token is not used in its last minute.
const MARGIN: Duration = Duration::from_mins(1);
/// What a token without `expires_in` is taken to live, and the most that is believed, in seconds.
const LIFE_DEFAULT: u64 = 300;
const LIFE_MOST: u64 = 24 * 3600;

/// The signed statement that proves who asks (RFC 7523 §3). A fresh one for each request: some platforms refuse a
/// `jti` seen before.
pub fn client_assertion(
    platform: &Platform,
    key: &SigningKey,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<String, TokenError> {
    #[derive(Serialize)]
    struct Assertion<'a> {
        iss: &'a str,
        sub: &'a str,
        aud: &'a str,
        iat: i64,
        exp: i64,
        jti: String,
    }
    let aud = platform.token_aud.as_deref();
    let claims = Assertion {
        iss: &platform.client_id,
        sub: &platform.client_id,
        aud: aud.unwrap_or(platform.token_url.as_str()),
        iat: now.minus(BACKDATE).as_secs(),
        exp: now.plus(ASSERTION_LIFE).as_secs(),
        jti: entropy::secret(entropy),
    };
    key.sign_jwt("JWT", &claims)
        .map_err(|_| TokenError::Signing)
}

/// An access token and what it is good for.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    secret: String,
    scopes: Vec<String>,
    usable_until: Timestamp,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("scopes", &self.scopes)
            .field("usable_until", &self.usable_until)
            .finish_non_exhaustive()
    }
}

impl AccessToken {
    /// The bearer text. A secret: goes into one header and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// Whether the platform granted this scope; it may grant fewer than were asked for.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }
}

/// Asks for a token for these scopes.
async fn request(
    fetcher: &Fetcher,
    platform: &Platform,
    key: &SigningKey,
    scopes: &[&str],
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<AccessToken, TokenError> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", oauth::CLIENT_CREDENTIALS)
        .append_pair("client_assertion_type", oauth::JWT_BEARER)
        .append_pair(
            "client_assertion",
            &client_assertion(platform, key, now, entropy)?,
        )
        .append_pair("scope", &scopes.join(" "))
        .finish();
    let answer = fetcher
        .post(
            &platform.token_url,
            media::FORM,
            media::JSON,
            None,
            body.as_bytes(),
        )
        .await?;
    read_answer(&answer, scopes, now)
}

/// Reads an answer whatever its media type: Moodle labels its JSON text/html (RFC 6749 §5).
fn read_answer(
    answer: &Response,
    asked: &[&str],
    now: Timestamp,
) -> Result<AccessToken, TokenError> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        #[serde(default)]
        token_type: Value,
        #[serde(default)]
        expires_in: Value,
        #[serde(default)]
        scope: Value,
    }
    if !answer.is_success() {
        return Err(refusal(answer));
    }
    let granted: Granted =
        serde_json::from_slice(&answer.body).map_err(|_| TokenError::BadResponse)?;
    let other_type = granted
        .token_type
        .as_str()
        .is_some_and(|t| !t.eq_ignore_ascii_case("bearer"));
    let secret = granted.access_token;
    // It becomes a header: anything else than visible ASCII would be somebody's trick.
    if other_type || secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(TokenError::BadResponse);
    }
    let life = match &granted.expires_in {
        Value::String(s) => s.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest whole number of the type, and is capped"
    )]
    let life = life.map_or(LIFE_DEFAULT, |s| s as u64).min(LIFE_MOST);
    let scopes = match &granted.scope {
        Value::String(s) if !s.trim().is_empty() => {
            s.split_whitespace().map(str::to_owned).collect()
        }
        _ => asked.iter().map(|s| (*s).to_owned()).collect(),
    };
    Ok(AccessToken {
        secret,
        scopes,
        usable_until: now.plus(Duration::from_secs(life)).minus(MARGIN),
    })
}

fn refusal(answer: &Response) -> TokenError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    match answer.status {
        429 => return TokenError::RateLimited,
        408 | 500.. => return TokenError::PlatformDown,
        _ => {}
    }
    let word = match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(r) => r.error,
        // Moodle's complaint about an unknown key is broken JSON: {"error" : ""kid" invalid, …""}.
        Err(_) if String::from_utf8_lossy(&answer.body).contains("kid") => "invalid_client".into(),
        Err(_) => String::new(),
    };
    match word.as_str() {
        "invalid_client" | "invalid_grant" => TokenError::InvalidClient,
        "invalid_scope" => TokenError::InvalidScope,
        "unauthorized_client" | "access_denied" => TokenError::UnauthorizedClient,
        w if w.contains("kid") => TokenError::InvalidClient,
        _ => TokenError::Refused {
            status: answer.status,
        },
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    platform: PlatformId,
    token_url: String,
    scopes: Vec<String>,
}

impl Key {
    fn new(platform: &Platform, scopes: &[&str]) -> Self {
        let mut scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
        scopes.sort();
        scopes.dedup();
        Self {
            platform: platform.id.clone(),
            token_url: platform.token_url.to_string(),
            scopes,
        }
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<AccessToken>>>;

/// Tokens in memory, each fetched by one task at a time.
#[derive(Debug, Default)]
pub struct TokenCache {
    slots: Mutex<HashMap<Key, Slot>>,
}

impl TokenCache {
    /// A token for these scopes at this platform, from memory while it has a minute to live.
    pub async fn get(
        &self,
        fetcher: &Fetcher,
        platform: &Platform,
        key: &SigningKey,
        scopes: &[&str],
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<AccessToken, TokenError> {
        let slot = self.slot(platform, scopes);
        let mut held = slot.lock().await;
        if let Some(token) = held.as_ref().filter(|t| now < t.usable_until) {
            return Ok(token.clone());
        }
        *held = None;
        let token = request(fetcher, platform, key, scopes, now, entropy).await?;
        *held = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that the platform answered 401 to; a newer one stays.
    pub async fn forget(&self, platform: &Platform, scopes: &[&str], token: &AccessToken) {
        let slot = self.slot(platform, scopes);
        let mut held = slot.lock().await;
        if held.as_ref() == Some(token) {
            *held = None;
        }
    }

    fn slot(&self, platform: &Platform, scopes: &[&str]) -> Slot {
        self.slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(Key::new(platform, scopes))
            .or_default()
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        entropy::SeededEntropy,
        lti::testing::{NOW, Server, decoding, fetcher, key_a, platform, platform_on},
    };

    const SCOPES: [&str; 2] = ["https://x/b", "https://x/a"];

    fn good() -> String {
        json!({ "access_token": "t-1", "token_type": "Bearer", "expires_in": 3600 }).to_string()
    }

    async fn get(
        cache: &TokenCache,
        p: &Platform,
        now: Timestamp,
    ) -> Result<AccessToken, TokenError> {
        let e = SeededEntropy::new([4; 32]);
        cache.get(&fetcher(), p, key_a(), &SCOPES, now, &e).await
    }

    fn read_claims(jwt: &str) -> Value {
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        jsonwebtoken::decode::<Value>(jwt, &decoding(key_a()), &rules)
            .unwrap()
            .claims
    }

    #[test]
    fn an_assertion_says_who_asks_whom_and_when() {
        let e = SeededEntropy::new([4; 32]);
        let mut p = platform();
        let assert = |p: &Platform| client_assertion(p, key_a(), NOW, &e).unwrap();
        let (one, two) = (read_claims(&assert(&p)), read_claims(&assert(&p)));
        assert_eq!((&one["iss"], &one["sub"]), (&json!("us"), &json!("us")));
        assert_eq!(one["aud"], "https://p.example/token");
        assert_eq!(one["iat"], NOW.as_secs() - 5);
        assert_eq!(one["exp"], NOW.as_secs() + 120);
        assert_eq!(one["jti"].as_str().unwrap().len(), 43);
        assert_ne!(one["jti"], two["jti"]);
        p.token_aud = Some("https://api.brightspace.example/auth/token".into());
        assert_eq!(
            read_claims(&assert(&p))["aud"],
            "https://api.brightspace.example/auth/token"
        );
    }

    #[tokio::test]
    async fn the_request_is_a_form_and_the_token_is_kept_until_its_last_minute() {
        // Moodle's label.
        let server = Server::start(|_, _| ("200 OK", "content-type: text/html\r\n", good()));
        let (cache, p) = (TokenCache::default(), platform_on(&server));
        let token = get(&cache, &p, NOW).await.unwrap();
        assert_eq!(token.reveal(), "t-1");
        assert!(token.grants(SCOPES[0]) && !token.grants("other"));
        assert!(!format!("{token:?}").contains("t-1"));
        let asked = &server.asked()[0];
        assert_eq!(asked.header("content-type"), Some(media::FORM));
        let form: BTreeMap<_, _> = form_urlencoded::parse(asked.body.as_bytes())
            .into_owned()
            .collect();
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form["client_assertion_type"], oauth::JWT_BEARER);
        assert_eq!(form["scope"], "https://x/b https://x/a");
        assert_eq!(read_claims(&form["client_assertion"])["iss"], "us");
        get(&cache, &p, NOW.plus(Duration::from_secs(3539)))
            .await
            .unwrap();
        assert_eq!(server.asked().len(), 1);
        get(&cache, &p, NOW.plus(Duration::from_mins(59)))
            .await
            .unwrap();
        assert_eq!(server.asked().len(), 2);
    }

    #[tokio::test]
    async fn registrations_and_endpoints_do_not_share_tokens_but_scope_order_does_not_matter() {
        let server = Server::start(|n, _| ("200 OK", "", good().replace("t-1", &format!("t-{n}"))));
        let (cache, p, e) = (
            TokenCache::default(),
            platform_on(&server),
            SeededEntropy::new([4; 32]),
        );
        let first = get(&cache, &p, NOW).await.unwrap();
        let swapped = [SCOPES[1], SCOPES[0]];
        let same = cache
            .get(&fetcher(), &p, key_a(), &swapped, NOW, &e)
            .await
            .unwrap();
        assert_eq!(first, same);
        let mut twin = p.clone();
        twin.id = PlatformId::new(NOW, &e);
        assert_ne!(get(&cache, &twin, NOW).await.unwrap(), first);
        let mut moved = p.clone();
        moved.token_url = server.url("/other");
        assert_ne!(get(&cache, &moved, NOW).await.unwrap(), first);
        let fewer = cache
            .get(&fetcher(), &p, key_a(), &SCOPES[..1], NOW, &e)
            .await
            .unwrap();
        assert_ne!(fewer, first);
    }

    #[tokio::test]
    async fn many_at_once_ask_once_and_a_refused_token_is_forgotten() {
        let server = Server::start(|n, _| {
            std::thread::sleep(Duration::from_millis(50));
            ("200 OK", "", good().replace("t-1", &format!("t-{n}")))
        });
        let (cache, p) = (TokenCache::default(), platform_on(&server));
        let all = futures_util::future::join_all((0..10).map(|_| get(&cache, &p, NOW))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(server.asked().len(), 1);
        let old = all[0].clone().unwrap();
        cache.forget(&p, &SCOPES, &old).await;
        let new = get(&cache, &p, NOW).await.unwrap();
        assert_ne!(new, old);
        cache.forget(&p, &SCOPES, &old).await;
        assert_eq!(get(&cache, &p, NOW).await.unwrap(), new);
    }

    fn answer(status: u16, body: &str) -> Result<AccessToken, TokenError> {
        let answer = Response {
            status,
            body: body.as_bytes().to_vec().into(),
            ..Response::default()
        };
        read_answer(&answer, &SCOPES, NOW)
    }

    #[test]
    fn odd_but_honest_answers_are_read() {
        for (body, seconds) in [
            (r#"{"access_token":"t"}"#, 300),
            (
                r#"{"access_token":"t","token_type":"bearer","expires_in":"3600"}"#,
                3600,
            ),
            (
                r#"{"access_token":"t","expires_in":null,"scope":null}"#,
                300,
            ),
            (r#"{"access_token":"t","expires_in":-7}"#, 0),
            (r#"{"access_token":"t","expires_in":1e300}"#, 86400),
        ] {
            let until = NOW.plus(Duration::from_secs(seconds)).minus(MARGIN);
            assert_eq!(answer(200, body).unwrap().usable_until, until, "{body}");
        }
        let fewer = answer(200, r#"{"access_token":"t","scope":"https://x/a z"}"#).unwrap();
        assert!(fewer.grants(SCOPES[1]) && !fewer.grants(SCOPES[0]));
        for bad in [
            "",
            "[]",
            "<html>",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a\r\nb"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
        ] {
            assert_eq!(
                answer(200, bad).unwrap_err(),
                TokenError::BadResponse,
                "{bad}"
            );
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        use TokenError as E;
        for (status, body, want) in [
            (400, r#"{"error":"invalid_client"}"#, E::InvalidClient),
            (
                401,
                r#"{"error":"invalid_client","error_description":"ana"}"#,
                E::InvalidClient,
            ),
            (
                400,
                r#"{"error" : ""kid" invalid, unable to lookup correct key""}"#,
                E::InvalidClient,
            ),
            (400, r#"{"error":"invalid_scope"}"#, E::InvalidScope),
            (
                400,
                r#"{"error":"unauthorized_client"}"#,
                E::UnauthorizedClient,
            ),
            (400, r#"{"error":"surprise"}"#, E::Refused { status: 400 }),
            (404, "<html>", E::Refused { status: 404 }),
            (302, "", E::Refused { status: 302 }),
            (429, "", E::RateLimited),
            (502, "", E::PlatformDown),
        ] {
            assert_eq!(answer(status, body).unwrap_err(), want, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn a_forbidden_endpoint_and_a_dead_one_differ() {
        let mut p = platform();
        p.token_url = "http://p.example/token".parse().unwrap();
        let error = get(&TokenCache::default(), &p, NOW).await.unwrap_err();
        assert_eq!(error.code(), "token.forbidden_address");
        p.token_url = "http://127.0.0.1:1/token".parse().unwrap();
        let error = get(&TokenCache::default(), &p, NOW).await.unwrap_err();
        assert_eq!(
            (error, error.is_temporary()),
            (TokenError::PlatformDown, true)
        );
    }
}
