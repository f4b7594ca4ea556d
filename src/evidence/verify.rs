//! Offline verification of what we sealed: says who, what and when, or why not.

use super::attestation::{self, Record};
use super::jws::{self, JwsError};
use super::statement::Statement;
use crate::time::Timestamp;

/// Why an attestation is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The seal does not hold.
    #[error(transparent)]
    Seal(#[from] JwsError),
    /// The seal holds, but what is under it is no attestation record.
    #[error("the seal holds, but the content is no {0} record", attestation::TYPE)]
    Type,
    /// The record names another text than it shows.
    #[error("the statement in the record does not have the digest that the record names")]
    Statement,
}

/// An attestation that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The key that sealed it.
    pub kid: String,
    /// What was sealed.
    pub record: Record,
}

/// Checks an attestation against a key set, without a network.
pub fn verify_attestation(token: &str, jwks: &str) -> Result<Verified, VerifyError> {
    let opened = jws::open(token.trim(), jwks)?;
    let record: Record = serde_json::from_slice(&opened.payload).map_err(|_| VerifyError::Type)?;
    if record.schema != attestation::TYPE {
        return Err(VerifyError::Type);
    }
    if Statement::digest(&record.statement.text) != record.statement.sha256 {
        return Err(VerifyError::Statement);
    }
    Ok(Verified {
        kid: opened.kid,
        record,
    })
}

impl Verified {
    /// Whether the training counts at a moment: an expired attestation is genuine all the same.
    #[must_use]
    pub fn counts_at(&self, moment: Timestamp) -> bool {
        Timestamp::parse_in(&self.record.valid_until, "UTC").is_ok_and(|until| moment <= until)
    }

    /// A few lines for a person: who, what, when.
    #[must_use]
    pub fn summary(&self, moment: Timestamp) -> String {
        let r = &self.record;
        let (name, act) = (&r.person.name, &r.act);
        let still = if self.counts_at(moment) {
            "valid"
        } else {
            "genuine, but expired"
        };
        format!(
            "verified: {still} as of {}\n\
             who:       {name} (typed \"{}\"), signed in by {}\n\
             what:      {} [{}] version {}, lowest module score {} %\n\
             completed: {}\n\
             signed:    {}\n\
             counts to: {}\n\
             code:      {}\n\
             key:       {}\n\
             ledger:    {} entries before it, root {}",
            moment.rfc3339_s(),
            act.typed_name,
            act.auth.iss,
            r.course.title,
            r.course.code,
            r.course.version,
            r.lowest_score_percent,
            r.completed_at,
            act.signed_at,
            r.valid_until,
            r.id,
            self.kid,
            r.ledger.size,
            r.ledger.root,
        )
    }
}
