//! Platforms' key sets (RFC 7517): read leniently, cached, fetched again when an unknown key turns up.
//!
//! An attacker can send tokens with made-up kids: each platform is asked at most once in [`REFETCH_PAUSE`] for
//! their sake, by one task at a time, and nobody whose key is at hand waits for that.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{platform::Platform, vocab::media};
use crate::{
    ids::PlatformId,
    net::{FetchError, Fetcher, Response},
    time::Timestamp,
};

/// The least time between two fetches that nothing but an unknown key or a failure asks for.
pub const REFETCH_PAUSE: Duration = Duration::from_secs(30);

/// How long old keys serve when the platform does not answer.
pub const STALE_FOR: Duration = Duration::from_hours(24);

/// How long a kid that was just looked for in vain is not looked for again.
const UNKNOWN_FOR: Duration = Duration::from_mins(1);
const MAX_UNKNOWN: usize = 100;
const MAX_KEYS: usize = 100;
const FRESH_DEFAULT: u64 = 3600;
const FRESH_LEAST: u64 = 60;
const FRESH_MOST: u64 = 24 * 3600;

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// The key set was fetched, and has no such key.
    #[error("the key is not in the platform's key set")]
    UnknownKey,
    /// The address does not answer, or may not be called.
    #[error("the platform's key set cannot be fetched: {0}")]
    Fetch(FetchError),
    /// The address answers with another status than 200.
    #[error("the platform's key set address answers with status {0}")]
    Status(u16),
    /// The answer is no key set.
    #[error("the platform's key set address does not answer with a key set")]
    NotAKeySet,
}

impl JwksError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey => "jwks.unknown_key",
            Self::Fetch(_) => "jwks.fetch",
            Self::Status(_) => "jwks.status",
            Self::NotAKeySet => "jwks.not_a_key_set",
        }
    }
}

/// The usable keys of a set.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<(String, DecodingKey)>,
}

impl KeySet {
    /// Reads a key set, leaving out what we cannot use: other kinds of keys, keys without a kid, RSA keys under
    /// 2048 or over 8192 bits, even or tiny exponents, keys for encryption or for other algorithms.
    pub fn parse(json: &[u8]) -> Result<Self, JwksError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(json).map_err(|_| JwksError::NotAKeySet)?;
        let entries = document.keys.into_iter().take(MAX_KEYS);
        let keys = entries.filter_map(usable_key).collect();
        Ok(Self { keys })
    }

    /// The keys of this name; several when the set repeats a kid.
    #[must_use]
    pub fn find(&self, kid: &str) -> Vec<DecodingKey> {
        let named = self.keys.iter().filter(|(k, _)| k == kid);
        named.map(|(_, key)| key.clone()).collect()
    }

    /// How many keys can be used.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

fn usable_key(entry: Value) -> Option<(String, DecodingKey)> {
    #[derive(Deserialize)]
    struct Entry {
        kty: String,
        kid: String,
        alg: Option<String>,
        #[serde(rename = "use")]
        usage: Option<String>,
        n: String,
        e: String,
    }
    let entry: Entry = serde_json::from_value(entry).ok()?;
    let fits = entry.kty == "RSA"
        && entry.alg.is_none_or(|a| a == "RS256")
        && entry.usage.is_none_or(|u| u == "sig");
    let (n, e) = (number(&entry.n)?, number(&entry.e)?);
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    let odd = e.last()? & 1 == 1;
    let exponent = odd && e.len() <= 4 && e != [1];
    (fits && exponent && (2048..=8192).contains(&bits))
        .then(|| (entry.kid, DecodingKey::from_rsa_raw_components(&n, &e)))
}

/// A base64url number without its leading zero bytes; padding is forgiven.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = B64.decode(text.trim_end_matches('=')).ok()?;
    let start = bytes.iter().position(|b| *b != 0)?;
    Some(bytes[start..].to_vec())
}

/// Fetches a platform's key set once, without the cache (for `platform check`).
pub async fn fetch(fetcher: &Fetcher, url: &Url) -> Result<KeySet, JwksError> {
    fetch_answer(fetcher, url).await.map(|(set, _)| set)
}

async fn fetch_answer(fetcher: &Fetcher, url: &Url) -> Result<(KeySet, Response), JwksError> {
    let answer = fetcher
        .get(url, media::JSON)
        .await
        .map_err(JwksError::Fetch)?;
    if answer.status != 200 {
        return Err(JwksError::Status(answer.status));
    }
    Ok((KeySet::parse(&answer.body)?, answer))
}

/// How long an answer stays fresh: `max-age` within a minute and a day, an hour when it says nothing.
fn freshness(cache_control: Option<&str>) -> Duration {
    let directives = || cache_control.unwrap_or_default().split(',').map(str::trim);
    let is = |d: &str, name: &str| d.eq_ignore_ascii_case(name);
    if directives().any(|d| is(d, "no-store") || is(d, "no-cache")) {
        return Duration::from_secs(FRESH_LEAST);
    }
    let age = directives().find_map(|d| {
        let (name, value) = d.split_once('=')?;
        is(name.trim(), "max-age").then(|| value.trim().trim_matches('"').parse().ok())?
    });
    Duration::from_secs(age.unwrap_or(FRESH_DEFAULT).clamp(FRESH_LEAST, FRESH_MOST))
}

/// Key sets by registration, in memory. Registrations never share an entry, whatever their issuer.
#[derive(Debug, Default)]
pub struct JwksCache {
    entries: Mutex<HashMap<PlatformId, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    url: Url,
    known: Mutex<Known>,
    /// Held by the one task that fetches.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    set: Option<Held>,
    /// The last fetch, good or bad.
    tried_at: Option<Timestamp>,
    failure: Option<JwksError>,
    unknown: HashMap<String, Timestamp>,
}

#[derive(Debug)]
struct Held {
    keys: KeySet,
    fresh_until: Timestamp,
}

enum Look {
    Found(Vec<DecodingKey>),
    Refused(JwksError),
    Fetch,
}

impl JwksCache {
    /// The keys that `kid` names in the platform's set, fetching it when it is not at hand, not fresh, or lacks the
    /// kid. Never gives an empty list.
    pub async fn keys(
        &self,
        fetcher: &Fetcher,
        platform: &Platform,
        kid: &str,
        now: Timestamp,
    ) -> Result<Vec<DecodingKey>, JwksError> {
        let entry = self.entry(platform);
        for waited in [false, true] {
            let gate = if waited {
                Some(entry.gate.lock().await)
            } else {
                None
            };
            match entry.look(kid, now) {
                Look::Found(keys) => return Ok(keys),
                Look::Refused(error) => return Err(error),
                Look::Fetch if gate.is_some() => {
                    let answer = fetch_answer(fetcher, &entry.url).await;
                    return entry.learn(answer, kid, now);
                }
                Look::Fetch => {}
            }
        }
        Err(JwksError::UnknownKey)
    }

    fn entry(&self, platform: &Platform) -> Arc<Entry> {
        let mut entries = lock(&self.entries);
        match entries.get(&platform.id) {
            Some(e) if e.url == platform.jwks_url => e.clone(),
            _ => {
                let new = Arc::new(Entry {
                    url: platform.jwks_url.clone(),
                    known: Mutex::default(),
                    gate: tokio::sync::Mutex::default(),
                });
                entries.insert(platform.id.clone(), new.clone());
                new
            }
        }
    }
}

impl Entry {
    fn look(&self, kid: &str, now: Timestamp) -> Look {
        let known = lock(&self.known);
        let paused = known.tried_at.is_some_and(|t| now < t.plus(REFETCH_PAUSE));
        let Some(held) = &known.set else {
            return match known.failure {
                Some(error) if paused => Look::Refused(error),
                _ => Look::Fetch,
            };
        };
        let found = held.keys.find(kid);
        let fresh = now < held.fresh_until;
        let usable = now < held.fresh_until.plus(STALE_FOR);
        if !found.is_empty() && (fresh || (paused && usable)) {
            return Look::Found(found);
        }
        let in_vain = known.unknown.get(kid).is_some_and(|until| now < *until);
        if found.is_empty() && (paused || (fresh && in_vain)) {
            return Look::Refused(known.failure.unwrap_or(JwksError::UnknownKey));
        }
        match known.failure {
            Some(error) if paused => Look::Refused(error),
            _ => Look::Fetch,
        }
    }

    /// Takes in an answer; on failure old keys serve on for a day.
    fn learn(
        &self,
        answer: Result<(KeySet, Response), JwksError>,
        kid: &str,
        now: Timestamp,
    ) -> Result<Vec<DecodingKey>, JwksError> {
        let mut known = lock(&self.known);
        known.tried_at = Some(now);
        match answer {
            Ok((keys, response)) => {
                let fresh_until = now.plus(freshness(response.cache_control.as_deref()));
                known.set = Some(Held { keys, fresh_until });
                known.failure = None;
            }
            Err(error) => known.failure = Some(error),
        }
        let failure = known.failure;
        let held = known.set.as_ref();
        let usable = held.filter(|h| now < h.fresh_until.plus(STALE_FOR));
        let found = usable.map(|h| h.keys.find(kid)).unwrap_or_default();
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(error) = failure {
            return Err(error);
        }
        known.unknown.retain(|_, until| now < *until);
        if known.unknown.len() < MAX_UNKNOWN {
            known.unknown.insert(kid.to_owned(), now.plus(UNKNOWN_FOR));
        }
        Err(JwksError::UnknownKey)
    }
}

/// A panic elsewhere leaves no half-written state in these maps.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::public_jwks;
    use crate::lti::testing::{NOW, Server, fetcher, key_a, key_b, platform_on};

    fn later(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn set_a() -> String {
        public_jwks(&[key_a().public().clone()])
    }

    #[test]
    fn odd_entries_are_left_out_and_good_ones_kept() {
        let good = json!(key_a().public());
        let with = |name: &str, value: Value| {
            let mut k = good.clone();
            k[name] = value;
            k
        };
        let without = |name: &str| {
            let mut k = good.clone();
            k.as_object_mut().unwrap().remove(name);
            k
        };
        let count = |k: Value| {
            KeySet::parse(json!({ "keys": [k] }).to_string().as_bytes())
                .unwrap()
                .len()
        };
        let n = key_a().public().n.clone();
        let short = B64.encode(vec![0xff; 255]);
        let zeros = B64.encode([vec![0; 2], B64.decode(&n).unwrap()].concat());
        for (k, kept) in [
            (good.clone(), true),
            (without("alg"), true),
            (without("use"), true),
            (with("alg", json!(null)), true),
            (with("n", json!(format!("{n}=="))), true),
            (with("n", json!(zeros)), true),
            (with("e", json!("Aw")), true),
            (with("unheard", json!({})), true),
            (with("kty", json!("EC")), false),
            (with("alg", json!("RS512")), false),
            (with("use", json!("enc")), false),
            (with("n", json!(short)), false),
            (with("n", json!(B64.encode(vec![0xff; 1025]))), false),
            (with("n", json!("***")), false),
            (with("n", json!("")), false),
            (with("e", json!("AQ")), false),
            (with("e", json!("AAAB")), false),
            (with("e", json!("Ag")), false),
            (with("e", json!("AQAA")), false),
            (with("e", json!("AQAAAAE")), false),
            (without("kid"), false),
            (json!("nonsense"), false),
            (json!(null), false),
        ] {
            assert_eq!(count(k.clone()) == 1, kept, "{k}");
        }
        for bad in ["", "{}", "[]", r#"{"keys":{}}"#] {
            assert_eq!(
                KeySet::parse(bad.as_bytes()).unwrap_err(),
                JwksError::NotAKeySet
            );
        }
    }

    #[test]
    fn a_repeated_kid_keeps_both_keys() {
        let mut b = key_b().public().clone();
        b.kid = key_a().kid().into();
        let set = KeySet::parse(public_jwks(&[b, key_a().public().clone()]).as_bytes()).unwrap();
        assert_eq!(set.find(key_a().kid()).len(), 2);
        assert!(set.find(key_b().kid()).is_empty());
    }

    #[test]
    fn freshness_stays_between_a_minute_and_a_day() {
        for (header, seconds) in [
            (None, 3600),
            (Some("public, max-age=600"), 600),
            (Some("Max-Age = \"600\""), 600),
            (Some("max-age=1"), 60),
            (Some("max-age=99999999"), 86400),
            (Some("max-age=-5"), 3600),
            (Some("no-store, max-age=600"), 60),
            (Some("private"), 3600),
        ] {
            assert_eq!(freshness(header).as_secs(), seconds, "{header:?}");
        }
    }

    #[tokio::test]
    async fn a_set_is_fetched_once_while_it_is_fresh() {
        let server = Server::start(|_, _| ("200 OK", "cache-control: max-age=100\r\n", set_a()));
        let (cache, platform, f) = (JwksCache::default(), platform_on(&server), fetcher());
        for t in [0, 50, 99] {
            assert!(
                cache
                    .keys(&f, &platform, key_a().kid(), later(t))
                    .await
                    .is_ok()
            );
        }
        assert_eq!(server.asked().len(), 1);
        assert!(
            cache
                .keys(&f, &platform, key_a().kid(), later(100))
                .await
                .is_ok()
        );
        assert_eq!(server.asked().len(), 2);
    }

    #[tokio::test]
    async fn a_rotated_key_is_found_by_one_more_fetch() {
        let server = Server::start(|n, _| {
            let key = if n == 0 { key_a() } else { key_b() };
            ("200 OK", "", public_jwks(&[key.public().clone()]))
        });
        let (cache, platform, f) = (JwksCache::default(), platform_on(&server), fetcher());
        assert!(cache.keys(&f, &platform, key_a().kid(), NOW).await.is_ok());
        assert!(
            cache
                .keys(&f, &platform, key_b().kid(), later(31))
                .await
                .is_ok()
        );
        assert_eq!(server.asked().len(), 2);
    }

    #[tokio::test]
    async fn a_flood_of_unknown_kids_causes_few_fetches() {
        let server = Server::start(|_, _| ("200 OK", "", set_a()));
        let (cache, platform, f) = (JwksCache::default(), platform_on(&server), fetcher());
        assert!(cache.keys(&f, &platform, key_a().kid(), NOW).await.is_ok());
        for i in 0..1000 {
            let error = cache.keys(&f, &platform, &format!("k{i}"), later(40)).await;
            assert_eq!(error.unwrap_err(), JwksError::UnknownKey);
        }
        assert_eq!(server.asked().len(), 2);
        // The very same kid again: no fetch for a minute, even after the pause.
        assert!(cache.keys(&f, &platform, "k0", later(75)).await.is_err());
        assert_eq!(server.asked().len(), 2);
        assert!(cache.keys(&f, &platform, "k0", later(101)).await.is_err());
        assert_eq!(server.asked().len(), 3);
    }

    #[tokio::test]
    async fn many_at_once_fetch_once() {
        let server = Server::start(|_, _| {
            std::thread::sleep(Duration::from_millis(50));
            ("200 OK", "", set_a())
        });
        let (cache, platform, f) = (JwksCache::default(), platform_on(&server), fetcher());
        let kid = key_a().kid();
        let all = (0..20).map(|_| cache.keys(&f, &platform, kid, NOW));
        assert!(
            futures_util::future::join_all(all)
                .await
                .iter()
                .all(Result::is_ok)
        );
        assert_eq!(server.asked().len(), 1);
    }

    #[tokio::test]
    async fn old_keys_serve_for_a_day_when_the_platform_is_down() {
        let server = Server::start(|n, _| match n {
            0 => ("200 OK", "", set_a()),
            _ => ("503 Unavailable", "", String::new()),
        });
        let (cache, platform, f) = (JwksCache::default(), platform_on(&server), fetcher());
        let kid = key_a().kid();
        for t in [0, 3600, 3601, 3600 + 86_399] {
            assert!(
                cache.keys(&f, &platform, kid, later(t)).await.is_ok(),
                "{t}"
            );
        }
        assert_eq!(server.asked().len(), 3, "a failure is not repeated at once");
        let over = cache.keys(&f, &platform, kid, later(3600 + 86_400)).await;
        assert_eq!(over.unwrap_err(), JwksError::Status(503));
    }

    #[tokio::test]
    async fn a_platform_that_never_answered_is_asked_again_after_a_pause() {
        let server = Server::start(|n, _| match n {
            0 => ("200 OK", "", "<html>".into()),
            _ => ("200 OK", "", set_a()),
        });
        let (cache, platform, f) = (JwksCache::default(), platform_on(&server), fetcher());
        let kid = key_a().kid();
        for t in [0, 29] {
            let error = cache.keys(&f, &platform, kid, later(t)).await.unwrap_err();
            assert_eq!(error, JwksError::NotAKeySet);
        }
        assert_eq!(server.asked().len(), 1);
        assert!(cache.keys(&f, &platform, kid, later(30)).await.is_ok());
    }
}
