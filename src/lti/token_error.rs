//! Why no access token was had: stable codes, and what an administrator can do about each.

use super::help::{self, Help, helped};
use crate::net::FetchError;

/// Why no access token was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The platform does not accept our signature, audience or clock (`invalid_client`).
    #[error("the platform does not accept our client assertion")]
    InvalidClient,
    /// None, or not all, of the scopes are granted (`invalid_scope`).
    #[error("the platform does not grant the scopes")]
    InvalidScope,
    /// The tool is switched off or not set up there (`unauthorized_client`, `access_denied`).
    #[error("the platform does not let this tool in")]
    UnauthorizedClient,
    /// Any other refusal.
    #[error("the platform refused the token request with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// Too many requests.
    #[error("the platform asks to slow down")]
    RateLimited,
    /// The platform does not answer, or answers with 5xx.
    #[error("the platform's token endpoint does not answer")]
    PlatformDown,
    /// The address may not be called.
    #[error("the token endpoint may not be called: {0}")]
    Forbidden(FetchError),
    /// The answer has no token.
    #[error("the platform's answer has no access token")]
    BadResponse,
    /// Our own key failed.
    #[error("the client assertion could not be signed")]
    Signing,
}

impl TokenError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidClient => "token.invalid_client",
            Self::InvalidScope => "token.invalid_scope",
            Self::UnauthorizedClient => "token.unauthorized_client",
            Self::Refused { .. } => "token.refused",
            Self::RateLimited => "token.rate_limited",
            Self::PlatformDown => "token.platform_down",
            Self::Forbidden(_) => "token.forbidden_address",
            Self::BadResponse => "token.bad_response",
            Self::Signing => "token.signing",
        }
    }

    /// Whether a later try may succeed without anybody changing a setting.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::RateLimited | Self::PlatformDown)
    }
}

impl From<FetchError> for TokenError {
    fn from(e: FetchError) -> Self {
        match e {
            FetchError::TooLarge => Self::BadResponse,
            e if e.is_temporary() => Self::PlatformDown,
            e => Self::Forbidden(e),
        }
    }
}

helped!(TokenError, HELP);

/// Every code that a token request can end with.
pub const ALL_CODES: &[&str] = &help::codes::<{ HELP.len() }>(HELP);

/// What people are told, by code.
#[rustfmt::skip]
pub const HELP: &[Help] = &[
    Help::new("token.invalid_client", "The LMS does not accept our signature",
        "To send scores, this service proves itself with its own key. The LMS could not check that: it does not see the key, expects another audience, or its clock differs.",
        "From the LMS's own server, open this service's /lti/jwks.json: it must be reachable there (Moodle refuses private addresses and ports other than 80 and 443 by default). Then check client ID, token URL and, for D2L, the token audience of the registration; and set both clocks by NTP."),
    Help::new("token.invalid_scope", "The LMS does not allow this service",
        "The LMS grants this tool none of the rights that were asked for, such as sending scores.",
        "In the LMS's tool settings, allow the assignment and grade services (and names and roles, if wanted), then launch once more."),
    Help::new("token.unauthorized_client", "The tool is switched off in the LMS",
        "The LMS knows this tool, but does not let it in.",
        "Activate the tool in the LMS, and check that its developer key or registration is on."),
    Help::new("token.refused", "The LMS refused access",
        "The LMS refused to give an access token without a reason that is known here.",
        "Compare token URL and client ID with the LMS's tool settings."),
    Help::new("token.rate_limited", "The LMS asks to slow down",
        "The LMS receives more requests than it wants to answer.",
        "Nothing: it is tried again later."),
    Help::new("token.platform_down", "The LMS does not answer",
        "The LMS's token endpoint cannot be reached, or fails.",
        "Nothing, if the LMS is down: it is tried again later. Otherwise check token URL, certificate and firewall."),
    Help::new("token.forbidden_address", "The LMS's address may not be called",
        "The token URL is not https, or lies on a network that this server may not call.",
        "Correct the token URL of the registration; an LMS on a private network must be named in PASSMUSTER_FETCH_ALLOW."),
    Help::new("token.bad_response", "The LMS's answer has no token",
        "The address answered, but not with an access token.",
        "Compare the token URL of the registration with the one the LMS shows for this tool."),
    Help::new("token.signing", "Our own key does not sign",
        "The signing key of this service could not be used.",
        "Ask the operator to look at 'passmuster key list', and to rotate the key."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_text() {
        use TokenError as E;
        let all = [
            E::InvalidClient,
            E::InvalidScope,
            E::UnauthorizedClient,
            E::Refused { status: 400 },
            E::RateLimited,
            E::PlatformDown,
            E::Forbidden(FetchError::NotHttps),
            E::BadResponse,
            E::Signing,
        ];
        help::check_table(HELP, &all.map(|e| e.code()));
        assert_eq!(ALL_CODES.len(), all.len());
    }
}
