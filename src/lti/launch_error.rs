//! Why a launch was refused: stable codes, and what an administrator can do about each.

use super::{
    claims::ClaimsError,
    help::{self, Help, helped},
    jwks::JwksError,
};

/// Why a launch was refused. No variant holds anything about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[rustfmt::skip]
pub enum LaunchError {
    /// The platform reported an error instead of sending an id_token; the word is one of the known ones.
    #[error("the platform answered with the error {word}")]
    PlatformError { /** The platform's word, or `other`. */ word: &'static str },
    /// Neither an id_token nor an error came.
    #[error("the launch has no id_token")]
    MissingToken,
    /// No such state: never issued, or long gone.
    #[error("the launch's state is unknown")]
    StateUnknown,
    /// The login is too old.
    #[error("the launch's state has expired")]
    StateExpired,
    /// The login began in another browser, or this one kept no cookie.
    #[error("the launch's state belongs to another browser")]
    StateOtherBrowser,
    /// The same launch came a second time.
    #[error("this launch was used already")]
    Replayed,
    /// The registration is switched off.
    #[error("the registration is switched off")]
    PlatformDisabled,
    /// The platform's key set cannot be had.
    #[error("the platform's key set cannot be fetched")]
    KeysUnavailable,
    /// No compact JWS with a JSON object in it, or a claim of the wrong type.
    #[error("the id_token is malformed")]
    BadFormat,
    /// Any `alg` but RS256, or a critical header.
    #[error("the id_token is not signed with RS256")]
    UnsupportedAlgorithm,
    /// No `kid` in the header, or an absurd one.
    #[error("the id_token names no key")]
    MissingKid,
    /// The key set has no key with this name.
    #[error("the id_token's key is not in the platform's key set")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the id_token's signature is wrong")]
    BadSignature,
    /// A claim that every launch must have is absent.
    #[error("the id_token has no {claim}")]
    MissingClaim { /** The claim's short name. */ claim: &'static str },
    /// `iss` is not the registration's.
    #[error("the id_token comes from another issuer")]
    WrongIssuer,
    /// `aud` is not us, or not only us.
    #[error("the id_token is for another client")]
    WrongAudience,
    /// Several audiences and no `azp`.
    #[error("the id_token has several audiences and no azp")]
    AzpMissing,
    /// `azp` is not us.
    #[error("the id_token's azp is another client")]
    WrongAzp,
    /// `exp` has passed.
    #[error("the id_token has expired")]
    Expired,
    /// `iat` lies ahead.
    #[error("the id_token was issued in the future")]
    IssuedInFuture,
    /// `iat` lies too far back.
    #[error("the id_token is too old")]
    Stale,
    /// `nbf` lies ahead.
    #[error("the id_token is not valid yet")]
    NotYetValid,
    /// The nonce is not the login's.
    #[error("the id_token answers another login")]
    NonceMismatch,
    /// Not LTI 1.3.0.
    #[error("the LTI version is not 1.3.0")]
    WrongVersion,
    /// A message that this address does not take.
    #[error("the message type is not supported here")]
    UnsupportedMessage,
    /// No deployment id.
    #[error("the id_token has no deployment id")]
    MissingDeployment,
    /// The deployment is not one of the registration's.
    #[error("the deployment is not known")]
    UnknownDeployment,
    /// No `sub`: an anonymous launch.
    #[error("the id_token has no sub")]
    MissingSubject,
    /// `target_link_uri` is not on this service.
    #[error("target_link_uri is not on this service")]
    ForeignTarget,
    /// No list of roles.
    #[error("the id_token has no roles")]
    MissingRoles,
    /// No resource link, or none with an id.
    #[error("the id_token has no resource link")]
    MissingResourceLink,
}

impl LaunchError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PlatformError { .. } => "launch.platform_error",
            Self::MissingToken => "launch.missing_token",
            Self::StateUnknown => "launch.state_unknown",
            Self::StateExpired => "launch.state_expired",
            Self::StateOtherBrowser => "launch.state_other_browser",
            Self::Replayed => "launch.replayed",
            Self::PlatformDisabled => "launch.platform_disabled",
            Self::KeysUnavailable => "launch.keys_unavailable",
            Self::BadFormat => "launch.bad_format",
            Self::UnsupportedAlgorithm => "launch.unsupported_algorithm",
            Self::MissingKid => "launch.missing_kid",
            Self::UnknownKey => "launch.unknown_key",
            Self::BadSignature => "launch.bad_signature",
            Self::MissingClaim { .. } => "launch.missing_claim",
            Self::WrongIssuer => "launch.wrong_issuer",
            Self::WrongAudience => "launch.wrong_audience",
            Self::AzpMissing => "launch.azp_missing",
            Self::WrongAzp => "launch.wrong_azp",
            Self::Expired => "launch.expired",
            Self::IssuedInFuture => "launch.issued_in_future",
            Self::Stale => "launch.stale",
            Self::NotYetValid => "launch.not_yet_valid",
            Self::NonceMismatch => "launch.nonce_mismatch",
            Self::WrongVersion => "launch.wrong_version",
            Self::UnsupportedMessage => "launch.unsupported_message",
            Self::MissingDeployment => "launch.missing_deployment",
            Self::UnknownDeployment => "launch.unknown_deployment",
            Self::MissingSubject => "launch.missing_subject",
            Self::ForeignTarget => "launch.foreign_target",
            Self::MissingRoles => "launch.missing_roles",
            Self::MissingResourceLink => "launch.missing_resource_link",
        }
    }

    /// From the `error` of an error response (OpenID Connect Core §3.1.2.6). Only known words are repeated.
    #[must_use]
    pub fn from_platform(error: &str) -> Self {
        const WORDS: &[&str] = &[
            "access_denied",
            "account_selection_required",
            "consent_required",
            "interaction_required",
            "invalid_request",
            "invalid_request_object",
            "invalid_request_uri",
            "invalid_scope",
            "launch_no_longer_valid",
            "login_required",
            "registration_not_supported",
            "request_not_supported",
            "request_uri_not_supported",
            "server_error",
            "temporarily_unavailable",
            "unauthorized_client",
            "unsupported_response_type",
        ];
        let word = WORDS
            .iter()
            .copied()
            .find(|w| *w == error)
            .unwrap_or("other");
        Self::PlatformError { word }
    }
}

impl From<ClaimsError> for LaunchError {
    fn from(_: ClaimsError) -> Self {
        Self::BadFormat
    }
}

impl From<JwksError> for LaunchError {
    fn from(e: JwksError) -> Self {
        match e {
            JwksError::UnknownKey => Self::UnknownKey,
            _ => Self::KeysUnavailable,
        }
    }
}

helped!(LaunchError, HELP);

/// Every code that a launch can be refused with.
pub const ALL_CODES: &[&str] = &help::codes::<{ HELP.len() }>(HELP);

/// What people are told, by code.
#[rustfmt::skip]
pub const HELP: &[Help] = &[
    Help::new("launch.platform_error", "The LMS refused the launch",
        "The LMS answered with an error instead of a launch. login_required means that its own session was lost, unauthorized_client that the tool is switched off there, launch_no_longer_valid that the page was open too long.",
        "Open the activity again from the course. If it fails for everyone, check in the LMS that the tool is active and that its redirect URI is exactly this service's /lti/launch."),
    Help::new("launch.missing_token", "The LMS sent no launch",
        "This address takes launches from an LMS. The request had no id_token: it was opened directly, or something in between dropped the form.",
        "Open the activity from the course. If it fails for everyone, check that the tool is set up as LTI 1.3 in the LMS."),
    Help::new("launch.state_unknown", "This launch was not begun here",
        "Every launch begins with a login that this service remembers for a short time. It does not know of this one.",
        "Open the activity again from the course. If it fails for everyone, check that the login URL and the redirect URI in the LMS both point to this service and to the same host name."),
    Help::new("launch.state_expired", "The launch took too long",
        "More than ten minutes passed between the start of the launch and its end, often because the sign-in page of the LMS stayed open.",
        "Open the activity again from the course."),
    Help::new("launch.state_other_browser", "The browser did not keep the launch's cookie",
        "The launch ended in another browser than it began in, or the browser blocks this service's cookies inside the LMS's page.",
        "Open the activity in a new window. For everyone: set the tool to open in a new window in the LMS, or allow cookies for this service in the browsers you manage."),
    Help::new("launch.replayed", "This launch was used already",
        "Each launch works once. The page was reloaded or sent twice.",
        "Open the activity again from the course."),
    Help::new("launch.platform_disabled", "This connection is switched off",
        "The registration of this LMS exists, but has been switched off.",
        "Ask the operator of this service to switch the registration on again."),
    Help::new("launch.keys_unavailable", "The keys of the LMS cannot be fetched",
        "To check a launch, this service fetches the LMS's public keys. The address did not answer, or did not answer with keys.",
        "Check the key set URL (JWKS) of the registration, the LMS's certificate, and that this server may reach it; an LMS on a private network must be named in PASSMUSTER_FETCH_ALLOW."),
    Help::new("launch.bad_format", "The launch cannot be read",
        "The id_token is no signed JSON, holds a name twice, or a claim of the wrong type.",
        "Check that the tool is set up as LTI 1.3 in the LMS. If it is, send this code to the maker of the LMS."),
    Help::new("launch.unsupported_algorithm", "The launch is signed in a way we do not accept",
        "Only RS256 signatures are accepted.",
        "Set the signature algorithm of the tool or of the LMS's keys to RS256."),
    Help::new("launch.missing_kid", "The launch does not name its key",
        "The header of the id_token has no key id (kid), so the right key cannot be chosen.",
        "Update the LMS, or switch on key ids in its signing key settings."),
    Help::new("launch.unknown_key", "The launch is signed with an unpublished key",
        "The key that signed this launch is not in the LMS's key set, not even after fetching it again.",
        "Compare the key set URL (JWKS) of the registration with the one the LMS shows for this tool. After a key change, wait a minute and try again."),
    Help::new("launch.bad_signature", "The signature of the launch is wrong",
        "The id_token was changed on its way, or signed with another key than the published one.",
        "Compare the key set URL (JWKS) of the registration with the one the LMS shows. After restoring or cloning the LMS, let it make new keys."),
    Help::new("launch.missing_claim", "The launch is incomplete",
        "The id_token lacks something that every LTI 1.3 launch must have.",
        "Check that the tool is set up as LTI 1.3 (not as plain sign-in) in the LMS; if it is, send this code to the maker of the LMS."),
    Help::new("launch.wrong_issuer", "The launch comes from another LMS",
        "The issuer in the id_token is not the issuer of the registration that the login was for.",
        "Compare the issuer (platform ID) with 'passmuster platform list', letter by letter. If the LMS's address has changed, connect it anew."),
    Help::new("launch.wrong_audience", "The launch is for another tool",
        "The client id in the id_token is not ours, or not the only one.",
        "Compare the client ID in the LMS's tool settings with 'passmuster platform list'."),
    Help::new("launch.azp_missing", "The launch is for several tools",
        "The id_token names several audiences without saying which one is meant (azp).",
        "Leave only this tool's client ID as audience in the LMS."),
    Help::new("launch.wrong_azp", "The launch was made for another tool",
        "The authorized party (azp) of the id_token is another client.",
        "Compare the client ID in the LMS's tool settings with 'passmuster platform list'."),
    Help::new("launch.expired", "The launch has expired",
        "The id_token was valid until a moment that has passed. Some LMSs give it only one minute, so that a wrong clock is enough.",
        "Open the activity again. If it fails for everyone, set the clocks of this server and of the LMS by NTP."),
    Help::new("launch.issued_in_future", "The launch comes from the future",
        "By this server's clock, the id_token has not been made yet.",
        "Set the clocks of this server and of the LMS by NTP."),
    Help::new("launch.stale", "The launch is too old",
        "The id_token was made more than ten minutes ago.",
        "Open the activity again from the course. If it fails for everyone, set the clocks of this server and of the LMS by NTP."),
    Help::new("launch.not_yet_valid", "The launch is not valid yet",
        "The id_token is valid only from a later moment on.",
        "Set the clocks of this server and of the LMS by NTP."),
    Help::new("launch.nonce_mismatch", "The launch answers another login",
        "The id_token does not hold the one-time value of the login that it claims to answer.",
        "Open the activity again from the course. If it fails for everyone, the LMS or a proxy caches launches: switch that off."),
    Help::new("launch.wrong_version", "This is not LTI 1.3",
        "The launch names another LTI version than 1.3.0.",
        "Set the tool's LTI version to 1.3 in the LMS."),
    Help::new("launch.unsupported_message", "This kind of launch is not supported here",
        "The LMS asked for something that this address does not do.",
        "Use the tool as an activity (resource link). In the LMS's tool settings, switch off the message types and placements that this service did not ask for."),
    Help::new("launch.missing_deployment", "The launch names no deployment",
        "The id_token has no deployment id, so it is not known which install of the tool was opened.",
        "Deploy the tool anew in the LMS; if it persists, send this code to the maker of the LMS."),
    Help::new("launch.unknown_deployment", "This deployment is not known",
        "The LMS is connected, but this install of the tool has not been let in.",
        "Take the deployment ID from the LMS's tool settings and add it to the registration ('passmuster platform add' with --deployment-id)."),
    Help::new("launch.missing_subject", "The launch does not say who it is for",
        "Anonymous launches are refused: a training record belongs to a person.",
        "Sign in to the LMS before opening the activity. In the LMS's tool settings, let the tool have the user's ID; name and e-mail are not needed."),
    Help::new("launch.foreign_target", "The destination is not on this service",
        "The launch asks for an address that does not belong to this service.",
        "Set the activity's launch URL (target link URI) in the LMS to an address that begins with this service's public URL. If the service has moved, check PASSMUSTER_PUBLIC_URL."),
    Help::new("launch.missing_roles", "The launch names no roles",
        "The roles claim is absent. It may be empty, but it has to be there.",
        "Let the LMS send roles to this tool; if it cannot, send this code to the maker of the LMS."),
    Help::new("launch.missing_resource_link", "The launch names no activity",
        "The id_token has no resource link, so it is not known which activity was opened.",
        "Open the tool from an activity in a course. Activities made before a move or restore may need to be saved once more."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_text() {
        use LaunchError as E;
        let all = [
            E::PlatformError { word: "other" },
            E::MissingToken,
            E::StateUnknown,
            E::StateExpired,
            E::StateOtherBrowser,
            E::Replayed,
            E::PlatformDisabled,
            E::KeysUnavailable,
            E::BadFormat,
            E::UnsupportedAlgorithm,
            E::MissingKid,
            E::UnknownKey,
            E::BadSignature,
            E::MissingClaim { claim: "iss" },
            E::WrongIssuer,
            E::WrongAudience,
            E::AzpMissing,
            E::WrongAzp,
            E::Expired,
            E::IssuedInFuture,
            E::Stale,
            E::NotYetValid,
            E::NonceMismatch,
            E::WrongVersion,
            E::UnsupportedMessage,
            E::MissingDeployment,
            E::UnknownDeployment,
            E::MissingSubject,
            E::ForeignTarget,
            E::MissingRoles,
            E::MissingResourceLink,
        ];
        help::check_table(HELP, &all.map(|e| e.code()));
        assert_eq!(ALL_CODES.len(), all.len());
    }

    #[test]
    fn only_known_words_of_the_platform_are_repeated() {
        let said = |e| LaunchError::from_platform(e).to_string();
        assert!(said("login_required").ends_with("login_required"));
        assert!(said("<script>ana@x.example").ends_with("other"));
    }
}
