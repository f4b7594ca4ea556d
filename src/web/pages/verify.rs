//! The public page of one attestation. It says no more than its bearer already knows.

use askama::Template;

use super::Shell;

/// What is attested under a verification code.
#[derive(Debug, Clone, Template)]
#[template(path = "verify.html")]
pub struct VerifyPage {
    /// The frame, without a person.
    pub shell: Shell,
    /// The attestation. `None` for whatever cannot be shown: unknown, malformed, another tenant's.
    pub record: Option<VerifiedRecord>,
}

/// What the public page says about an attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRecord {
    /// Whether it still counts.
    pub state: VerifyState,
    /// The verification code.
    pub code: String,
    /// The initials of the person, such as `A. R.`
    pub initials: String,
    /// The course.
    pub course_title: String,
    /// The content version.
    pub course_version: String,
    /// The day the course was completed.
    pub completed: String,
    /// The moment it was signed.
    pub signed: String,
    /// The day until which it counts.
    pub valid_until: Option<String>,
    /// SHA-256 of the sealed record, in hex.
    pub sha256: String,
    /// The public keys (`/.well-known/jwks.json`), absolute.
    pub keys_url: String,
}

/// Whether an attestation counts at the moment of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyState {
    /// Genuine and in time.
    Valid,
    /// Genuine; the course has to be taken again.
    Expired,
}

impl VerifyState {
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Valid => "done",
            Self::Expired => "warning",
        }
    }

    /// The words of the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Valid => "Genuine and valid",
            Self::Expired => "Genuine, but expired",
        }
    }
}
