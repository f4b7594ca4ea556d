//! The claims of an id_token, one struct per claim (LTI 1.3 Core §5).
//!
//! Real platforms send nulls, numbers as strings, strangers in lists and claims of their own: what only informs is
//! read leniently, what decides is read strictly, and a key that stands twice anywhere is refused.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// Why a payload was not read. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// Not a JSON object.
    #[error("the payload is no JSON object")]
    NotJson,
    /// A member's name stands twice in one object: readers would differ on which one counts.
    #[error("a name stands twice in the payload")]
    DuplicateKey,
    /// A claim that decides has another type than the standard's.
    #[error("a claim has the wrong type")]
    WrongType,
}

/// Reads a JSON object into `T`, refusing a name that stands twice at any depth.
pub(crate) fn read_unique<T: DeserializeOwned>(json: &[u8]) -> Result<T, ClaimsError> {
    let unique = serde_json::from_slice::<Unique>(json).map_err(|_| ClaimsError::NotJson)?;
    if !unique.object {
        return Err(ClaimsError::NotJson);
    }
    if !unique.names_unique {
        return Err(ClaimsError::DuplicateKey);
    }
    serde_json::from_slice(json).map_err(|_| ClaimsError::WrongType)
}

/// Walks any JSON value and remembers whether all names were unique.
struct Unique {
    object: bool,
    names_unique: bool,
}

impl Unique {
    const LEAF: Self = Self {
        object: false,
        names_unique: true,
    };
}

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
            type Value = Unique;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
                Ok(Unique::LEAF)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
                Ok(Unique::LEAF)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
                Ok(Unique::LEAF)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
                Ok(Unique::LEAF)
            }
            fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
                Ok(Unique::LEAF)
            }
            fn visit_unit<E>(self) -> Result<Unique, E> {
                Ok(Unique::LEAF)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
                let mut all = Unique::LEAF;
                while let Some(item) = seq.next_element::<Unique>()? {
                    all.names_unique &= item.names_unique;
                }
                Ok(all)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
                let mut seen = HashSet::new();
                let mut all = Unique {
                    object: true,
                    names_unique: true,
                };
                while let Some(name) = map.next_key::<String>()? {
                    all.names_unique &= seen.insert(name);
                    if all.names_unique {
                        all.names_unique &= map.next_value::<Unique>()?.names_unique;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(all)
            }
        }
        d.deserialize_any(Walk)
    }
}

/// A claim that only informs: anything of an unexpected shape counts as absent.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(d)?).ok())
}

/// Text that only informs: other types, blank and null count as absent; control characters go, 255 characters stay.
fn note<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = match Value::deserialize(d)? {
        Value::String(s) => s,
        Value::Number(n) => n.to_string(),
        _ => return Ok(None),
    };
    let clean: String = text.chars().filter(|c| !c.is_control()).take(255).collect();
    let clean = clean.trim();
    Ok((!clean.is_empty()).then(|| clean.to_owned()))
}

/// An identifier or address: text or a number, kept as it is; empty and null count as absent.
fn token_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::String(s) if !s.is_empty() => Some(s),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    })
}

/// A list of text; strangers in it are left out, a single text is a list of one, null is empty.
fn texts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::String(s) => vec![s],
        Value::Array(items) => strings(items),
        _ => Vec::new(),
    })
}

/// A claim that must be a list: any other type counts as absent.
fn list<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::Array(items) => Some(strings(items)),
        _ => None,
    })
}

fn strings(items: Vec<Value>) -> Vec<String> {
    items
        .into_iter()
        .filter_map(|v| match v {
            Value::String(s) => Some(s),
            _ => None,
        })
        .collect()
}

/// `aud`: a text or a list of nothing but texts (RFC 7519 §4.1.3).
fn audience<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<String>>, D::Error> {
    match Value::deserialize(d)? {
        Value::Null => Ok(None),
        Value::String(s) => Ok(Some(vec![s])),
        list => serde_json::from_value(list)
            .map(Some)
            .map_err(|_| D::Error::custom("aud")),
    }
}

/// A `NumericDate` in whole seconds, rounded down: integer, float or either as text (RFC 7519 §2).
fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    let wrong = || D::Error::custom("NumericDate");
    let number = match Value::deserialize(d)? {
        Value::Null => return Ok(None),
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|n| n.is_finite()).ok_or_else(wrong)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seconds since 1970 fit; absurd values saturate and are refused as expired or future"
    )]
    Ok(Some(number.floor() as i64))
}

/// Custom parameters: scalars as text; null, compound and unresolved values (`$User.username`) are absent.
fn custom<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let Value::Object(members) = Value::deserialize(d)? else {
        return Ok(BTreeMap::new());
    };
    let text = |v| match v {
        Value::String(s) => Some(s),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    Ok(members
        .into_iter()
        .filter_map(|(k, v)| Some((k, text(v)?)))
        .filter(|(_, v)| !is_unresolved(v))
        .collect())
}

/// Platforms that do not know a variable send its name as it stands (LTI 1.3 Core §5.4.6.1).
fn is_unresolved(value: &str) -> bool {
    let mut c = value.chars();
    c.next() == Some('$') && c.next().is_some_and(|c| c.is_ascii_alphabetic())
}

/// The payload of an id_token. Names of people are in it: its `Debug` leaves them out.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// Issuer.
    pub iss: Option<String>,
    /// Audience.
    #[serde(deserialize_with = "audience")]
    pub aud: Option<Vec<String>>,
    /// Authorized party.
    pub azp: Option<String>,
    /// The platform's name for the user.
    pub sub: Option<String>,
    /// Expiry, in seconds.
    #[serde(deserialize_with = "seconds")]
    pub exp: Option<i64>,
    /// Time of making, in seconds.
    #[serde(deserialize_with = "seconds")]
    pub iat: Option<i64>,
    /// Not before, in seconds (D2L sends it).
    #[serde(deserialize_with = "seconds")]
    pub nbf: Option<i64>,
    /// Ours, given back.
    pub nonce: Option<String>,
    /// Full name.
    #[serde(deserialize_with = "note")]
    pub name: Option<String>,
    /// Given name.
    #[serde(deserialize_with = "note")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(deserialize_with = "note")]
    pub family_name: Option<String>,
    /// E-mail address; never used to tell who someone is.
    #[serde(deserialize_with = "note")]
    pub email: Option<String>,
    /// Language of the user, such as `de-CH`.
    #[serde(deserialize_with = "note")]
    pub locale: Option<String>,
    /// Kind of message.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/message_type")]
    pub message_type: Option<String>,
    /// LTI version.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/version")]
    pub version: Option<String>,
    /// Deployment.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/deployment_id")]
    pub deployment_id: Option<String>,
    /// Where the launch wants to end.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/target_link_uri")]
    pub target_link_uri: Option<String>,
    /// Roles; `None` when the claim is absent or no list.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/roles",
        deserialize_with = "list"
    )]
    pub roles: Option<Vec<String>>,
    /// The placement.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/resource_link",
        deserialize_with = "lenient"
    )]
    pub resource_link: Option<ResourceLink>,
    /// The course or group.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/context",
        deserialize_with = "lenient"
    )]
    pub context: Option<Context>,
    /// The LMS itself.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/tool_platform",
        deserialize_with = "lenient"
    )]
    pub tool_platform: Option<ToolPlatform>,
    /// Whom a mentor watches.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/role_scope_mentor",
        deserialize_with = "texts"
    )]
    pub role_scope_mentor: Vec<String>,
    /// Frame, language, way back.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/launch_presentation",
        deserialize_with = "lenient"
    )]
    pub launch_presentation: Option<LaunchPresentation>,
    /// Identifiers of the student information system.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/lis",
        deserialize_with = "lenient"
    )]
    pub lis: Option<Lis>,
    /// Custom parameters: signed by the platform, but a teacher can edit them.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/custom",
        deserialize_with = "custom"
    )]
    pub custom: BTreeMap<String, String>,
    /// Whose submission is reviewed.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti/claim/for_user",
        deserialize_with = "lenient"
    )]
    pub for_user: Option<ForUser>,
    /// Line items and scores.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint",
        deserialize_with = "lenient"
    )]
    pub ags: Option<AgsEndpoint>,
    /// Membership.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice",
        deserialize_with = "lenient"
    )]
    pub nrps: Option<NamesRoleService>,
    /// What may be picked.
    #[serde(
        rename = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings",
        deserialize_with = "lenient"
    )]
    pub deep_linking_settings: Option<DeepLinkingSettings>,
}

impl Claims {
    /// Reads a verified payload.
    pub fn read(json: &[u8]) -> Result<Self, ClaimsError> {
        read_unique(json)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss)
            .field("aud", &self.aud)
            .field("exp", &self.exp)
            .field("iat", &self.iat)
            .field("message_type", &self.message_type)
            .field("version", &self.version)
            .field("deployment_id", &self.deployment_id)
            .field("has_sub", &self.sub.is_some())
            .finish_non_exhaustive()
    }
}

/// `resource_link` (LTI 1.3 Core §5.3.5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResourceLink {
    /// Unique within the deployment.
    #[serde(deserialize_with = "token_text")]
    pub id: Option<String>,
    /// Title, plain text.
    #[serde(deserialize_with = "note")]
    pub title: Option<String>,
}

/// `context` (LTI 1.3 Core §5.4.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Context {
    /// Unique within the deployment.
    #[serde(deserialize_with = "token_text")]
    pub id: Option<String>,
    /// Short name.
    #[serde(deserialize_with = "note")]
    pub label: Option<String>,
    /// Title.
    #[serde(deserialize_with = "note")]
    pub title: Option<String>,
    /// `…/course#CourseOffering` and the like, or Moodle's bare `CourseSection`.
    #[serde(rename = "type", deserialize_with = "texts")]
    pub types: Vec<String>,
}

/// `tool_platform` (LTI 1.3 Core §5.4.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ToolPlatform {
    /// Identifies the installation.
    #[serde(deserialize_with = "note")]
    pub guid: Option<String>,
    /// Name of the installation.
    #[serde(deserialize_with = "note")]
    pub name: Option<String>,
    /// `moodle`, `canvas`, …
    #[serde(deserialize_with = "note")]
    pub product_family_code: Option<String>,
    /// The LMS's version.
    #[serde(deserialize_with = "note")]
    pub version: Option<String>,
}

/// `launch_presentation` (LTI 1.3 Core §5.4.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LaunchPresentation {
    /// `iframe`, `window`, `frame` (Moodle), …
    #[serde(deserialize_with = "note")]
    pub document_target: Option<String>,
    /// Where to go on leaving.
    #[serde(deserialize_with = "token_text")]
    pub return_url: Option<String>,
    /// Language of the platform's page.
    #[serde(deserialize_with = "note")]
    pub locale: Option<String>,
}

/// `lis` (LTI 1.3 Core §5.4.5).
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Lis {
    /// The person in the student information system.
    #[serde(deserialize_with = "note")]
    pub person_sourcedid: Option<String>,
    /// The section in the student information system.
    #[serde(deserialize_with = "note")]
    pub course_section_sourcedid: Option<String>,
}

impl fmt::Debug for Lis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lis(..)")
    }
}

/// `for_user` (Submission Review §3.2).
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ForUser {
    /// The learner's `sub`.
    #[serde(deserialize_with = "token_text")]
    pub user_id: Option<String>,
}

impl fmt::Debug for ForUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForUser(..)")
    }
}

/// `endpoint` (AGS 2.0 §3.1). Addresses as sent: they are compared as text and checked before any use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AgsEndpoint {
    /// What a token may be asked for.
    #[serde(deserialize_with = "texts")]
    pub scope: Vec<String>,
    /// The context's line items.
    #[serde(deserialize_with = "token_text")]
    pub lineitems: Option<String>,
    /// This link's own line item, when there is exactly one.
    #[serde(deserialize_with = "token_text")]
    pub lineitem: Option<String>,
}

/// `namesroleservice` (NRPS 2.0 §3.6.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NamesRoleService {
    /// The members' address, as sent.
    #[serde(deserialize_with = "token_text")]
    pub context_memberships_url: Option<String>,
}

/// `deep_linking_settings` (Deep Linking 2.0 §4.4.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DeepLinkingSettings {
    /// Where the answer is posted to.
    #[serde(deserialize_with = "token_text")]
    pub deep_link_return_url: Option<String>,
    /// Kinds of items.
    #[serde(deserialize_with = "texts")]
    pub accept_types: Vec<String>,
    /// `iframe`, `window`, …
    #[serde(deserialize_with = "texts")]
    pub accept_presentation_document_targets: Vec<String>,
    /// Whether several items may come back.
    #[serde(deserialize_with = "lenient")]
    pub accept_multiple: Option<bool>,
    /// Whether line items are accepted.
    #[serde(deserialize_with = "lenient")]
    pub accept_lineitem: Option<bool>,
    /// Opaque, to be given back.
    #[serde(deserialize_with = "token_text")]
    pub data: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lti::vocab;

    #[test]
    fn odd_but_honest_payloads_are_read() {
        let c = Claims::read(
            format!(
                r#"{{"iss":"https://p.example","aud":["us"],"iat":1732335631.9,"exp":"1732335691","name":null,"given_name":" A\u0000na ","email":7,
                "{}":{{"quiz":1,"open":true,"x":null,"due":"$ResourceLink.submission.endDateTime","cash":"$5","list":[1],"hist":""}},
                "{}":{{"id":5,"type":"CourseSection","title":null}},
                "{}":["a",1,null,"b"],"{}":"nonsense","unheard":{{"of":[{{}}]}}}}"#,
                vocab::claim::CUSTOM,
                vocab::claim::CONTEXT,
                vocab::claim::ROLES,
                vocab::claim::LAUNCH_PRESENTATION,
            )
            .as_bytes(),
        )
        .unwrap();
        assert_eq!((c.iat, c.exp), (Some(1_732_335_631), Some(1_732_335_691)));
        assert_eq!(c.aud.unwrap(), ["us"]);
        assert_eq!((c.name, c.email.as_deref()), (None, Some("7")));
        assert_eq!(c.given_name.as_deref(), Some("Ana"));
        let custom: Vec<_> = c.custom.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(
            custom,
            [
                ("cash", "$5"),
                ("hist", ""),
                ("open", "true"),
                ("quiz", "1")
            ]
        );
        let context = c.context.unwrap();
        assert_eq!(context.id.as_deref(), Some("5"));
        assert_eq!(context.types, ["CourseSection"]);
        assert_eq!(c.roles.unwrap(), ["a", "b"]);
        assert_eq!(c.launch_presentation, None);
    }

    #[test]
    fn every_renamed_claim_is_the_vocabulary_s() {
        let json = serde_json::json!({
            vocab::claim::MESSAGE_TYPE: "m", vocab::claim::VERSION: "v", vocab::claim::DEPLOYMENT_ID: "d",
            vocab::claim::TARGET_LINK_URI: "t", vocab::claim::RESOURCE_LINK: {"id": "r"},
            vocab::claim::TOOL_PLATFORM: {"guid": "g"}, vocab::claim::ROLE_SCOPE_MENTOR: ["s"],
            vocab::claim::LAUNCH_PRESENTATION: {"locale": "de"}, vocab::claim::LIS: {"person_sourcedid": "p"},
            vocab::claim::FOR_USER: {"user_id": "u"}, vocab::claim::AGS_ENDPOINT: {"lineitem": "l"},
            vocab::claim::NRPS: {"context_memberships_url": "n"},
            vocab::claim::DEEP_LINKING_SETTINGS: {"deep_link_return_url": "b"},
        });
        let c = Claims::read(json.to_string().as_bytes()).unwrap();
        assert_eq!(c.message_type.as_deref(), Some("m"));
        assert_eq!(c.version.as_deref(), Some("v"));
        assert_eq!(c.deployment_id.as_deref(), Some("d"));
        assert_eq!(c.target_link_uri.as_deref(), Some("t"));
        assert_eq!(c.resource_link.unwrap().id.as_deref(), Some("r"));
        assert_eq!(c.tool_platform.unwrap().guid.as_deref(), Some("g"));
        assert_eq!(c.role_scope_mentor, ["s"]);
        assert_eq!(c.launch_presentation.unwrap().locale.as_deref(), Some("de"));
        assert_eq!(c.lis.unwrap().person_sourcedid.as_deref(), Some("p"));
        assert_eq!(c.for_user.unwrap().user_id.as_deref(), Some("u"));
        assert_eq!(c.ags.unwrap().lineitem.as_deref(), Some("l"));
        assert!(c.nrps.unwrap().context_memberships_url.is_some());
        assert!(
            c.deep_linking_settings
                .unwrap()
                .deep_link_return_url
                .is_some()
        );
    }

    #[test]
    fn what_decides_is_read_strictly() {
        for (json, error) in [
            (r#"{"iss":["https://p.example"]}"#, ClaimsError::WrongType),
            (r#"{"azp":["us"]}"#, ClaimsError::WrongType),
            (r#"{"aud":["us",7]}"#, ClaimsError::WrongType),
            (r#"{"sub":17}"#, ClaimsError::WrongType),
            (r#"{"exp":"soon"}"#, ClaimsError::WrongType),
            (r#"{"iss":"a","iss":"b"}"#, ClaimsError::DuplicateKey),
            (r#"{"x":[{"y":1,"y":1}]}"#, ClaimsError::DuplicateKey),
            (r#"{"x":1,"\u0078":2}"#, ClaimsError::DuplicateKey),
            ("[]", ClaimsError::NotJson),
            ("{} {}", ClaimsError::NotJson),
            ("", ClaimsError::NotJson),
        ] {
            assert_eq!(Claims::read(json.as_bytes()).unwrap_err(), error, "{json}");
        }
    }

    #[test]
    fn debug_names_nobody() {
        let c = Claims::read(br#"{"sub":"canary1","name":"canary2","email":"canary3"}"#).unwrap();
        assert!(!format!("{c:?}").contains("canary"));
    }
}
