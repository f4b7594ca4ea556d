//! The attestation: the statement a person adopts, and the record of that act which the service seals.
//!
//! The record (`pm-attestation/1`) is sealed as JWS over its exact bytes. Network address and browser are in it only
//! as keyed hashes: the values can be dropped later and the seal still holds. The learner's act is a simple
//! electronic signature; the service's key is a seal over the record of it.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::ledger::Head;
use crate::crypto::{hex, hmac_sha256, sha256_hex};

/// The record's `type`.
pub const TYPE: &str = "pm-attestation/1";

/// The `typ` of the sealing JWS.
pub const JWS_TYP: &str = "pm-attestation+jws";

/// What is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`TYPE`].
    #[serde(rename = "type")]
    pub schema: String,
    /// The attestation's id: the verification code.
    pub id: String,
    /// The company's short name.
    pub tenant: String,
    /// Who.
    pub person: PersonPart,
    /// What was completed.
    pub course: CoursePart,
    /// The credit that this statement is about.
    pub completion_id: String,
    /// When the last required module was passed (RFC 3339, UTC, whole seconds).
    pub completed_at: String,
    /// The last second it counts.
    pub valid_until: String,
    /// The lowest passing score of the required modules, one decimal.
    pub lowest_score_percent: String,
    /// What was shown.
    pub statement: StatementPart,
    /// Policies referred to.
    pub policies: Vec<PolicyPart>,
    /// How it was adopted.
    pub act: Act,
    /// The ledger just before this attestation was added to it.
    pub ledger: Head,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonPart {
    /// Ours.
    pub id: String,
    /// As the LMS names them.
    pub name: String,
    /// SHA-256 of the lower-cased address followed by the salt; empty without an address.
    pub email_sha256: String,
    /// The salt.
    pub email_salt: String,
    /// Role at signing, where known.
    pub role_at_signing: String,
}

/// What was completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoursePart {
    /// Code.
    pub code: String,
    /// Title.
    pub title: String,
    /// Version.
    pub version: String,
    /// Digest over the course's files.
    pub content_sha256: String,
}

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementPart {
    /// Id of the text.
    pub id: String,
    /// Version of the text.
    pub version: u32,
    /// SHA-256 of the paragraphs as shown, joined by blank lines.
    pub sha256: String,
    /// BCP 47.
    pub lang: String,
    /// The paragraphs as shown.
    pub text: Vec<String>,
}

/// A policy referred to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPart {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// Digest.
    pub sha256: String,
}

/// How the statement was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// `typed_name+checkbox`.
    pub method: String,
    /// The name as typed.
    pub typed_name: String,
    /// Server time, RFC 3339 UTC, whole seconds.
    pub signed_at: String,
    /// On whose word we know who signed.
    pub auth: Auth,
    /// Keyed hash of the network address.
    pub ip_hmac: String,
    /// Keyed hash of the browser's description.
    pub ua_hmac: String,
}

/// The platform's sign-in behind the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The platform's issuer.
    pub iss: String,
    /// The user there.
    pub sub: String,
    /// When they came from it.
    pub launched_at: String,
}

impl Record {
    /// The exact bytes to seal.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

/// The salted digest of an address; empty for none.
#[must_use]
pub fn email_digest(email: &str, salt: &str) -> String {
    if email.is_empty() {
        String::new()
    } else {
        sha256_hex(format!("{}{salt}", email.to_lowercase()).as_bytes())
    }
}

/// The keyed hash of a value that may be dropped later.
#[must_use]
pub fn keyed_hash(key: &[u8], value: &str) -> String {
    hex(&hmac_sha256(key, value.as_bytes()))
}

/// What is wrong with a signature as entered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The box is not ticked.
    pub unticked: bool,
    /// The name is missing or another one.
    pub wrong_name: bool,
}

/// Checks the act: the box is ticked and the typed name is the profile's (letter case, accents and spaces are
/// forgiven). Where the platform tells no name, any name of two characters or more is taken.
pub fn check_act(accepted: bool, typed: &str, expected: &str) -> Result<(), Refusal> {
    let typed = fold(typed);
    let wrong_name = if expected.trim().is_empty() {
        typed.chars().filter(|c| c.is_alphabetic()).count() < 2
    } else {
        typed != fold(expected)
    };
    let refusal = Refusal {
        unticked: !accepted,
        wrong_name,
    };
    if refusal == Refusal::default() {
        Ok(())
    } else {
        Err(refusal)
    }
}

fn fold(name: &str) -> String {
    let bare: String = name
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_with_forgiveness_and_nothing_is_signed_unticked() {
        assert!(check_act(true, "ana  ruiz", "Ana Ruiz").is_ok());
        assert!(check_act(true, "Zoe Müller", "Zoë Muller").is_ok());
        assert_eq!(
            check_act(false, "Ana Ruiz", "Ana Ruiz"),
            Err(Refusal {
                unticked: true,
                wrong_name: false
            })
        );
        assert_eq!(
            check_act(true, "Ana", "Ana Ruiz"),
            Err(Refusal {
                unticked: false,
                wrong_name: true
            })
        );
        assert_eq!(
            check_act(true, "", ""),
            Err(Refusal {
                unticked: false,
                wrong_name: true
            })
        );
        assert!(check_act(true, "Li", "").is_ok());
    }

    #[test]
    fn an_address_is_hashed_in_lower_case_with_its_salt_behind_it() {
        let want = sha256_hex(b"ana@example.comk3v9");
        assert_eq!(email_digest("Ana@Example.com", "k3v9"), want);
        assert_eq!(email_digest("", "k3v9"), "");
    }
}
