//! Verifies an id_token, step by step (LTI 1.3 Core §5, 1EdTech Security Framework §5.1.3, OpenID Connect Core §3.1.3.7).
//!
//! Pure: [`peek_header`] tells which key to fetch, [`verify`] does the rest. State, replay and the deployment policy
//! need storage and stay with the caller. Everything fails closed, and each refusal has its own code.

use std::{collections::BTreeMap, fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

pub use super::launch_error::{ALL_CODES, HELP, LaunchError};
use super::{
    claims::{AgsEndpoint, Claims, ToolPlatform, read_unique},
    login::own_target,
    platform::Platform,
    roles::Roles,
    vocab,
};
use crate::{crypto::same_secret, time::Timestamp};

/// How far a platform's clock may be off.
pub const SKEW: Duration = Duration::from_mins(1);

/// How old an id_token may be, by its `iat`.
pub const MAX_AGE: Duration = Duration::from_mins(10);

/// The longest id_token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// The longest identifier, in bytes (LTI 1.3 Core §5.3.3, §5.3.5, §5.3.6).
const MAX_ID: usize = 255;

/// What the login has fixed for the launch that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The nonce issued with the state.
    pub nonce: &'a str,
    /// This service's public address: a launch may end nowhere else.
    pub public_url: &'a Url,
}

/// The name of the key that an id_token says it was signed with. Nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kid(String);

impl Kid {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Looks into the header: three parts, RS256, no critical extensions, a `kid` of at most 255 bytes
/// (RFC 7515 §4). Key material in the header (`jwk`, `jku`, `x5u`, `x5c`) is never looked at.
pub fn peek_header(id_token: &str) -> Result<Kid, LaunchError> {
    #[derive(Deserialize)]
    struct Header {
        alg: Option<Value>,
        typ: Option<Value>,
        kid: Option<Value>,
        crit: Option<Value>,
    }
    let [header, ..] = parts(id_token)?;
    let json = B64.decode(header).map_err(|_| LaunchError::BadFormat)?;
    let header: Header = read_unique(&json)?;
    if header.alg.as_ref().and_then(Value::as_str) != Some("RS256") || header.crit.is_some() {
        return Err(LaunchError::UnsupportedAlgorithm);
    }
    let is_jwt = |t: &Value| t.as_str().is_some_and(|t| t.eq_ignore_ascii_case("JWT"));
    if !header.typ.as_ref().is_none_or(is_jwt) {
        return Err(LaunchError::BadFormat);
    }
    match header.kid {
        Some(Value::String(kid)) if (1..=MAX_ID).contains(&kid.len()) => Ok(Kid(kid)),
        _ => Err(LaunchError::MissingKid),
    }
}

fn parts(id_token: &str) -> Result<[&str; 3], LaunchError> {
    if id_token.len() > MAX_TOKEN {
        return Err(LaunchError::BadFormat);
    }
    let parts: Vec<&str> = id_token.splitn(4, '.').collect();
    parts.try_into().map_err(|_| LaunchError::BadFormat)
}

/// What a verified launch says. Personal data is in it: its `Debug` leaves that out.
#[derive(Clone, PartialEq, Eq)]
pub struct Launch {
    /// The platform's name for the user: opaque, at most 255 ASCII characters.
    pub sub: String,
    /// What the platform chose to tell about the person; often nothing.
    pub person: PersonClaims,
    /// Which install of the tool. Its policy is for the caller to apply.
    pub deployment_id: String,
    /// The course or group; absent in launches from outside a course.
    pub context: Option<LaunchContext>,
    /// The placement.
    pub resource_link: LaunchLink,
    /// Roles, as sent and as read.
    pub roles: Roles,
    /// Whom a mentor watches (`sub` values).
    pub role_scope_mentor: Vec<String>,
    /// Where the launch ends: on this service, and signed.
    pub target_link_uri: Url,
    /// Custom parameters. A teacher can edit them: no source of rights, and never trusted across tenants.
    pub custom: BTreeMap<String, String>,
    /// Line items and scores, as sent; check the origin before any use ([`super::ags::ScoresUrl`]).
    pub ags: Option<AgsEndpoint>,
    /// The membership's address, as sent; check the origin before any use.
    pub nrps_url: Option<String>,
    /// Frame, language, way back.
    pub presentation: Presentation,
    /// The LMS's own words about itself.
    pub tool_platform: Option<ToolPlatform>,
    /// When the platform made the id_token.
    pub issued_at: Timestamp,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("deployment_id", &self.deployment_id)
            .field("resource_link", &self.resource_link.id)
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

/// What the platform tells about the person (OpenID Connect Core §5.1). All of it may be absent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonClaims {
    /// Full name.
    pub name: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// E-mail address; for show and for HR's list, never to merge accounts by.
    pub email: Option<String>,
    /// The person's id in the student information system.
    pub sourced_id: Option<String>,
}

impl fmt::Debug for PersonClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonClaims(..)")
    }
}

impl PersonClaims {
    /// A name to show: the full name, else its parts; `None` when the platform keeps names to itself.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        let parts = [&self.given_name, &self.family_name];
        let joined = parts
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        self.name.clone().or((!joined.is_empty()).then_some(joined))
    }
}

/// The course or group of a launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchContext {
    /// Unique within the deployment.
    pub id: String,
    /// Short name.
    pub label: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Kinds, as sent.
    pub types: Vec<String>,
}

/// The placement of a launch. On Canvas its id equals the context's where no placement exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchLink {
    /// Unique within the deployment.
    pub id: String,
    /// Title.
    pub title: Option<String>,
}

/// How the platform shows us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presentation {
    /// The platform page's language, else the user's.
    pub locale: Option<String>,
    /// Where to go on leaving: `http` or `https`, without a user name.
    pub return_url: Option<Url>,
    /// `iframe`, `window`, `frame`, …
    pub document_target: Option<String>,
}

/// Verifies an id_token against the registration that the *state* belongs to, in the order of the standard.
///
/// `keys` are those of the platform's key set whose `kid` is the token's (more than one when it repeats a kid);
/// none means `launch.unknown_key`.
pub fn verify(
    platform: &Platform,
    expected: &Expected<'_>,
    keys: &[DecodingKey],
    id_token: &str,
    now: Timestamp,
) -> Result<Launch, LaunchError> {
    peek_header(id_token)?;
    let claims = Claims::read(&signed_payload(keys, id_token)?)?;
    check_parties(platform, &claims)?;
    let issued_at = check_time(&claims, now)?;
    let nonce = required(claims.nonce.as_deref(), "nonce")?;
    if !same_secret(nonce.as_bytes(), expected.nonce.as_bytes()) {
        return Err(LaunchError::NonceMismatch);
    }
    if required(claims.version.as_deref(), "version")? != vocab::VERSION {
        return Err(LaunchError::WrongVersion);
    }
    // Deep linking and submission review are known, and come with their own endpoints' needs.
    if required(claims.message_type.as_deref(), "message_type")? != vocab::message::RESOURCE_LINK {
        return Err(LaunchError::UnsupportedMessage);
    }
    let id = |text: Option<String>| text.filter(|t| (1..=MAX_ID).contains(&t.len()));
    let deployment_id = id(claims.deployment_id).ok_or(LaunchError::MissingDeployment)?;
    let sub = id(claims.sub)
        .filter(|s| s.is_ascii())
        .ok_or(LaunchError::MissingSubject)?;
    let target = required(claims.target_link_uri.as_deref(), "target_link_uri")?;
    let target_link_uri =
        own_target(expected.public_url, target).ok_or(LaunchError::ForeignTarget)?;
    let roles = Roles::parse(&claims.roles.ok_or(LaunchError::MissingRoles)?);
    let link = claims.resource_link.unwrap_or_default();
    let resource_link = LaunchLink {
        id: id(link.id).ok_or(LaunchError::MissingResourceLink)?,
        title: link.title,
    };
    let context = claims.context.and_then(|c| {
        Some(LaunchContext {
            id: id(c.id)?,
            label: c.label,
            title: c.title,
            types: c.types,
        })
    });
    let shown = claims.launch_presentation.unwrap_or_default();
    Ok(Launch {
        sub,
        person: PersonClaims {
            name: claims.name,
            given_name: claims.given_name,
            family_name: claims.family_name,
            email: claims.email,
            sourced_id: claims.lis.and_then(|l| l.person_sourcedid),
        },
        deployment_id,
        context,
        resource_link,
        roles,
        role_scope_mentor: claims.role_scope_mentor,
        target_link_uri,
        custom: claims.custom,
        ags: claims.ags,
        nrps_url: claims.nrps.and_then(|n| n.context_memberships_url),
        presentation: Presentation {
            locale: shown.locale.or(claims.locale),
            return_url: shown.return_url.as_deref().and_then(web_address),
            document_target: shown.document_target,
        },
        tool_platform: claims.tool_platform,
        issued_at,
    })
}

/// The payload, once one of the keys fits the signature.
fn signed_payload(keys: &[DecodingKey], id_token: &str) -> Result<Vec<u8>, LaunchError> {
    let [_, payload, signature] = parts(id_token)?;
    let message = &id_token[..id_token.len() - signature.len() - 1];
    if keys.is_empty() {
        return Err(LaunchError::UnknownKey);
    }
    // Algorithm and key family are fixed here, so that a public key can never serve as an HMAC secret.
    let fits = keys.iter().any(|key| {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, Algorithm::RS256)
            .unwrap_or(false)
    });
    if !fits {
        return Err(LaunchError::BadSignature);
    }
    B64.decode(payload).map_err(|_| LaunchError::BadFormat)
}

fn required<'c>(value: Option<&'c str>, claim: &'static str) -> Result<&'c str, LaunchError> {
    value.ok_or(LaunchError::MissingClaim { claim })
}

/// `iss`, `aud`, `azp`: byte for byte, without forgiving a slash or a capital.
fn check_parties(platform: &Platform, claims: &Claims) -> Result<(), LaunchError> {
    if required(claims.iss.as_deref(), "iss")? != platform.issuer {
        return Err(LaunchError::WrongIssuer);
    }
    let audience = claims
        .aud
        .as_deref()
        .ok_or(LaunchError::MissingClaim { claim: "aud" })?;
    if !audience.contains(&platform.client_id) {
        return Err(LaunchError::WrongAudience);
    }
    match claims.azp.as_deref() {
        Some(azp) if azp != platform.client_id => return Err(LaunchError::WrongAzp),
        None if audience.len() > 1 => return Err(LaunchError::AzpMissing),
        _ => {}
    }
    // An audience that we know nothing of may not be told what we are told.
    if audience.iter().any(|a| *a != platform.client_id) {
        return Err(LaunchError::WrongAudience);
    }
    Ok(())
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<Timestamp, LaunchError> {
    let at = |seconds: Option<i64>, claim| {
        seconds
            .map(Timestamp::from_secs)
            .ok_or(LaunchError::MissingClaim { claim })
    };
    let (exp, iat) = (at(claims.exp, "exp")?, at(claims.iat, "iat")?);
    if exp <= now.minus(SKEW) {
        return Err(LaunchError::Expired);
    }
    if iat > now.plus(SKEW) {
        return Err(LaunchError::IssuedInFuture);
    }
    if iat < now.minus(MAX_AGE) {
        return Err(LaunchError::Stale);
    }
    if claims
        .nbf
        .is_some_and(|nbf| Timestamp::from_secs(nbf) > now.plus(SKEW))
    {
        return Err(LaunchError::NotYetValid);
    }
    Ok(iat)
}

/// An `http` or `https` address without a user name; anything else (`javascript:`) is dropped.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "http" | "https")).then_some(url)
}

#[cfg(test)]
mod tests;
