//! Newtypes for identifiers, so that a person is never passed where a tenant is wanted.
//!
//! All are ULIDs: 26 characters, sorted by time of making, 80 random bits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    entropy::{self, Entropy},
    time::Timestamp,
};

/// A text that is no identifier of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct IdError;

fn ulid(now: Timestamp, entropy: &dyn Entropy) -> String {
    let ms = u64::try_from(now.as_ms()).unwrap_or(0);
    ulid::Ulid::from_parts(ms, u128::from_le_bytes(entropy::bytes(entropy))).to_string()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A fresh one.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(ulid(now, entropy))
            }

            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let good = text.len() == 26 && text.parse::<ulid::Ulid>().is_ok_and(|u| u.to_string() == text);
                if good { Ok(Self(text)) } else { Err(IdError) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }
    )*};
}

ids! {
    /// A company. Nothing crosses it.
    TenantId,
    /// One registration of this tool at a platform (issuer and client id).
    PlatformId,
    /// One human in a tenant, however many LMS accounts they have.
    PersonId,
    /// What a platform calls a user: registration and `sub`.
    AccountId,
    /// A platform's course or group.
    ContextId,
    /// A placement of our content in a context.
    ResourceLinkId,
    /// One verified launch.
    LaunchId,
    /// One sitting of a quiz.
    AttemptId,
    /// A module first passed.
    CompletionId,
    /// A course completed, until it expires.
    CreditId,
    /// A signed statement.
    AttestationId,
    /// A score waiting for, or delivered to, a line item.
    PassbackId,
    /// An API token.
    TokenId,
    /// One run of a report.
    ReportId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn only_our_own_shape_parses() {
        let id = PersonId::new(
            Timestamp::from_ms(1_780_000_000_000),
            &SeededEntropy::new([3; 32]),
        );
        assert_eq!(id.as_str().parse::<PersonId>().unwrap(), id);
        for bad in [
            "",
            "abc",
            "../../etc/passwd",
            &id.as_str().to_lowercase(),
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ] {
            assert!(bad.parse::<PersonId>().is_err(), "{bad}");
        }
    }
}
