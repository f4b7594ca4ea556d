//! Third-party initiated login: from the platform's request to the authorization redirect
//! (1EdTech Security Framework §5.1.1).
//!
//! Pure. Finding candidates, storing state and nonce, and binding them to the browser belong to the caller.

use std::fmt;

use url::Url;

use super::{
    help::{self, Help, helped},
    platform::Platform,
    vocab::scope,
};

/// The longest value of one parameter, in bytes (Canvas' message hint is a JWT of about 1 KiB).
pub const MAX_PARAMETER: usize = 4096;

/// Why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// `iss`, `login_hint` or `target_link_uri` is missing or empty.
    #[error("the login request has no {name}")]
    MissingParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// A parameter stands twice: which one counts would be a guess.
    #[error("the login request has {name} more than once")]
    DuplicateParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// A parameter is longer than [`MAX_PARAMETER`].
    #[error("the login request's {name} is too long")]
    ParameterTooLong {
        /// The parameter's name.
        name: &'static str,
    },
    /// No registration has this issuer and client id.
    #[error("no registration has this issuer and client id")]
    UnknownPlatform,
    /// Several registrations fit.
    #[error("several registrations fit this login request")]
    AmbiguousPlatform,
    /// The registration is switched off.
    #[error("the registration is switched off")]
    PlatformDisabled,
    /// `target_link_uri` is not on this service.
    #[error("target_link_uri is not on this service")]
    ForeignTarget,
}

impl LoginError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingParameter { .. } => "login.missing_parameter",
            Self::DuplicateParameter { .. } => "login.duplicate_parameter",
            Self::ParameterTooLong { .. } => "login.parameter_too_long",
            Self::UnknownPlatform => "login.unknown_platform",
            Self::AmbiguousPlatform => "login.ambiguous_platform",
            Self::PlatformDisabled => "login.platform_disabled",
            Self::ForeignTarget => "login.foreign_target",
        }
    }
}

/// What people are told, by code.
pub const HELP: &[Help] = &[
    Help::new(
        "login.missing_parameter",
        "The LMS sent an incomplete request",
        "A launch begins with a login request that names the issuer, the user and the destination. One of them was missing, or this address was opened directly.",
        "Open the activity from the course. If it still fails, check that the tool's login URL in the LMS is this service's /lti/login and that nothing between them shortens the request.",
    ),
    Help::new(
        "login.duplicate_parameter",
        "The LMS sent a parameter twice",
        "The login request holds the same parameter more than once, so it is not clear which one counts.",
        "Remove the parameters that were added by hand to the tool's login URL in the LMS.",
    ),
    Help::new(
        "login.parameter_too_long",
        "The LMS sent an oversized parameter",
        "A parameter of the login request is longer than 4 KiB.",
        "Shorten the launch URL or the custom parameters of the activity in the LMS.",
    ),
    Help::new(
        "login.unknown_platform",
        "This LMS is not connected",
        "No registration here has the issuer and client id that the LMS named.",
        "Compare issuer (platform ID) and client ID in the LMS's tool settings with 'passmuster platform list', letter by letter, trailing slash included; or connect the LMS with 'passmuster platform add'.",
    ),
    Help::new(
        "login.ambiguous_platform",
        "More than one connected LMS fits",
        "Several registrations share this issuer, and the request does not tell which one is meant.",
        "Set the tool's login URL in the LMS to the registration's own address, /lti/login/ followed by its key, as 'passmuster platform list' shows it.",
    ),
    Help::new(
        "login.platform_disabled",
        "This connection is switched off",
        "The registration of this LMS exists, but has been switched off.",
        "Ask the operator of this service to switch the registration on again.",
    ),
    Help::new(
        "login.foreign_target",
        "The destination is not on this service",
        "The LMS asked to open an address that does not belong to this service.",
        "Set the activity's launch URL (target link URI) in the LMS to an address that begins with this service's public URL. If the service has moved, check PASSMUSTER_PUBLIC_URL.",
    ),
];

/// Every code that a login can be refused with.
pub const ALL_CODES: &[&str] = &help::codes::<{ HELP.len() }>(HELP);

helped!(LoginError, HELP);

/// A platform's login request. Its hints point at a person: `Debug` leaves them out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LoginRequest {
    /// Issuer.
    pub iss: String,
    /// Opaque; goes back unchanged.
    pub login_hint: String,
    /// Where the launch wants to end; not to be believed before it is signed.
    pub target_link_uri: String,
    /// Opaque; goes back unchanged when it came.
    pub lti_message_hint: Option<String>,
    /// Our client id there; older platforms leave it out.
    pub client_id: Option<String>,
    /// A hint at the deployment (`lti_deployment_id`, or Canvas' `deployment_id`).
    pub deployment_id: Option<String>,
    /// The frame that keeps values for us (platform storage), or `_parent`.
    pub lti_storage_target: Option<String>,
}

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest")
            .field("iss", &self.iss)
            .field("client_id", &self.client_id)
            .field("deployment_id", &self.deployment_id)
            .finish_non_exhaustive()
    }
}

impl LoginRequest {
    /// From the decoded pairs of a query or form. Unknown names are left alone.
    pub fn from_pairs<K, V, I>(pairs: I) -> Result<Self, LoginError>
    where
        K: AsRef<str>,
        V: Into<String>,
        I: IntoIterator<Item = (K, V)>,
    {
        const NAMES: [&str; 8] = [
            "iss",
            "login_hint",
            "target_link_uri",
            "lti_message_hint",
            "client_id",
            "lti_deployment_id",
            "deployment_id",
            "lti_storage_target",
        ];
        let mut found: [Option<String>; NAMES.len()] = Default::default();
        for (key, value) in pairs {
            let Some(at) = NAMES.iter().position(|n| *n == key.as_ref()) else {
                continue;
            };
            let (name, value) = (NAMES[at], value.into());
            if value.len() > MAX_PARAMETER {
                return Err(LoginError::ParameterTooLong { name });
            }
            if found[at].replace(value).is_some() {
                return Err(LoginError::DuplicateParameter { name });
            }
        }
        let [
            iss,
            hint,
            target,
            message,
            client,
            lti_deployment,
            deployment,
            storage,
        ] = found.map(|v| v.filter(|v| !v.is_empty()));
        let need = |v: Option<String>, name| v.ok_or(LoginError::MissingParameter { name });
        Ok(Self {
            iss: need(iss, "iss")?,
            login_hint: need(hint, "login_hint")?,
            target_link_uri: need(target, "target_link_uri")?,
            lti_message_hint: message,
            client_id: client,
            deployment_id: lti_deployment.or(deployment),
            lti_storage_target: storage,
        })
    }

    /// The one registration that is meant, of those found by issuer (or by the registration's own login address).
    /// A client id, when given, must fit; without one, only a single candidate will do.
    pub fn choose<'p>(&self, candidates: &'p [Platform]) -> Result<&'p Platform, LoginError> {
        let mut fitting = candidates.iter().filter(|p| {
            p.issuer == self.iss && self.client_id.as_ref().is_none_or(|c| *c == p.client_id)
        });
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(LoginError::AmbiguousPlatform),
            (None, _) => Err(LoginError::UnknownPlatform),
        }
    }
}

/// Reads an address and makes sure that it is on this service: same scheme, host and port as `public_url`,
/// nothing before an `@`. `None` otherwise.
#[must_use]
pub fn own_target(public_url: &Url, target: &str) -> Option<Url> {
    let url = Url::parse(target).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let ours = url.origin().is_tuple() && url.origin() == public_url.origin();
    (plain && ours).then_some(url)
}

/// [`own_target`] for the login's unsigned `target_link_uri`.
pub fn check_target(public_url: &Url, request: &LoginRequest) -> Result<Url, LoginError> {
    own_target(public_url, &request.target_link_uri).ok_or(LoginError::ForeignTarget)
}

/// The address that the browser is sent to (OpenID Connect authentication request). Only the registration says where;
/// a query that its address already has is kept. `state` and `nonce` are secrets of ours, `redirect_uri` the one
/// registered, to the byte.
#[must_use]
pub fn authorization_url(
    platform: &Platform,
    request: &LoginRequest,
    state: &str,
    nonce: &str,
    redirect_uri: &str,
) -> Url {
    let mut url = platform.auth_url.clone();
    url.set_fragment(None);
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("scope", scope::OPENID)
            .append_pair("response_type", "id_token")
            .append_pair("response_mode", "form_post")
            .append_pair("prompt", "none")
            .append_pair("client_id", &platform.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("login_hint", &request.login_hint);
        if let Some(hint) = &request.lti_message_hint {
            query.append_pair("lti_message_hint", hint);
        }
        query
            .append_pair("state", state)
            .append_pair("nonce", nonce);
        if let Some(target) = &request.lti_storage_target {
            query.append_pair("lti_storage_target", target);
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lti::testing::platform;

    fn pairs() -> Vec<(&'static str, String)> {
        vec![
            ("iss", "https://p.example".into()),
            ("login_hint", "17".into()),
            ("target_link_uri", "https://t.example/learn?quiz=1".into()),
            ("lti_message_hint", r#"{"cmid":7,"launchid":"a&b"}"#.into()),
            ("client_id", "us".into()),
            ("deployment_id", "3".into()),
            ("canvas_region", "eu".into()),
        ]
    }

    fn request() -> LoginRequest {
        LoginRequest::from_pairs(pairs()).unwrap()
    }

    #[test]
    fn each_fault_has_its_code() {
        let without =
            |name| LoginRequest::from_pairs(pairs().into_iter().filter(move |p| p.0 != name));
        for name in ["iss", "login_hint", "target_link_uri"] {
            assert_eq!(
                without(name).unwrap_err(),
                LoginError::MissingParameter { name }
            );
        }
        assert!(without("lti_message_hint").is_ok());
        let with = |name, value: String| {
            let mut p = pairs();
            p.push((name, value));
            LoginRequest::from_pairs(p)
        };
        assert_eq!(
            with("iss", "x".into()).unwrap_err().code(),
            "login.duplicate_parameter"
        );
        let long = with("lti_storage_target", "x".repeat(4097));
        assert_eq!(long.unwrap_err().code(), "login.parameter_too_long");
        assert!(with("unknown", "x".repeat(9000)).is_ok());
        assert_eq!(request().deployment_id.as_deref(), Some("3"));
        assert_eq!(
            with("lti_deployment_id", "4".into())
                .unwrap()
                .deployment_id
                .as_deref(),
            Some("4")
        );
    }

    #[test]
    fn a_registration_is_chosen_by_issuer_and_client_id() {
        let (a, mut b) = (platform(), platform());
        b.client_id = "other".into();
        let both = [a.clone(), b];
        assert_eq!(request().choose(&both).unwrap().client_id, "us");
        let mut bare = request();
        bare.client_id = None;
        assert_eq!(
            bare.choose(&both).unwrap_err(),
            LoginError::AmbiguousPlatform
        );
        assert!(bare.choose(&both[..1]).is_ok());
        bare.iss.push('/');
        assert_eq!(bare.choose(&both).unwrap_err(), LoginError::UnknownPlatform);
        assert_eq!(
            request().choose(&[a.clone(), a]).unwrap_err(),
            LoginError::AmbiguousPlatform
        );
    }

    #[test]
    fn only_our_own_origin_is_a_target() {
        let us = Url::parse("https://t.example/").unwrap();
        for good in ["https://t.example", "https://T.example:443/learn/x?y#z"] {
            assert!(own_target(&us, good).is_some(), "{good}");
        }
        for bad in [
            "",
            "/learn",
            "//t.example/learn",
            "http://t.example/",
            "https://t.example:8443/",
            "https://t.example.evil.example/",
            "https://evil.example/https://t.example/",
            "https://t.example@evil.example/",
            "https://user@t.example/",
            r"https://evil.example\@t.example/",
            "javascript:alert(1)//https://t.example",
            "data:text/html,x",
        ] {
            assert!(own_target(&us, bad).is_none(), "{bad}");
            let mut r = request();
            r.target_link_uri = bad.into();
            assert_eq!(
                check_target(&us, &r).unwrap_err().code(),
                "login.foreign_target"
            );
        }
    }

    #[test]
    fn the_redirect_has_the_standard_s_parameters_and_keeps_the_registered_query() {
        let mut p = platform();
        p.auth_url = Url::parse("https://p.example/auth?tenant=a%20b#x").unwrap();
        let url = authorization_url(
            &p,
            &request(),
            "st",
            "no",
            "https://t.example/lti/launch?x=1",
        );
        assert!(
            url.as_str()
                .starts_with("https://p.example/auth?tenant=a%20b&scope=openid&")
        );
        assert_eq!(url.fragment(), None);
        let got: Vec<(String, String)> = url.query_pairs().into_owned().skip(1).collect();
        let want = [
            ("scope", "openid"),
            ("response_type", "id_token"),
            ("response_mode", "form_post"),
            ("prompt", "none"),
            ("client_id", "us"),
            ("redirect_uri", "https://t.example/lti/launch?x=1"),
            ("login_hint", "17"),
            ("lti_message_hint", r#"{"cmid":7,"launchid":"a&b"}"#),
            ("state", "st"),
            ("nonce", "no"),
        ];
        assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn every_code_has_its_text_and_debug_no_hint() {
        let name = "iss";
        let all = [
            LoginError::MissingParameter { name },
            LoginError::DuplicateParameter { name },
            LoginError::ParameterTooLong { name },
            LoginError::UnknownPlatform,
            LoginError::AmbiguousPlatform,
            LoginError::PlatformDisabled,
            LoginError::ForeignTarget,
        ];
        help::check_table(HELP, &all.map(|e| e.code()));
        assert_eq!(ALL_CODES.len(), all.len());
        assert!(all[3].remedy().contains("client ID"));
        assert!(!format!("{:?}", request()).contains("17"));
    }
}
