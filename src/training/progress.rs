//! Where a person stands with a course: a reading of what is recorded.

use crate::app::App;
use crate::course::{Course, Module};
use crate::ids::{PersonId, TenantId};
use crate::storage::{self, AttemptHead, Completion, Credit, StoredAttestation};
use crate::time::Timestamp;

/// What is recorded of one person and one course.
#[derive(Debug)]
pub struct Progress {
    /// The round of training that counts now.
    pub cycle: i64,
    /// All attempts, open ones too.
    pub attempts: Vec<AttemptHead>,
    /// Modules passed in this cycle.
    pub completions: Vec<Completion>,
    /// The credit of this cycle.
    pub credit: Option<Credit>,
    /// The statement that belongs to it.
    pub attestation: Option<StoredAttestation>,
}

/// The round of training that counts now: the credit's while it counts, the next one after.
#[must_use]
pub fn cycle_at(credit: Option<&Credit>, now: Timestamp) -> i64 {
    credit.map_or(1, |c| {
        if c.valid_until.as_secs() < now.as_secs() {
            c.cycle + 1
        } else {
            c.cycle
        }
    })
}

/// Modules of a course that are passed, of those that are released.
#[must_use]
pub fn is_complete(course: &Course, passed: &[Completion]) -> bool {
    released(course).all(|m| passed.iter().any(|c| c.module_code == m.code.as_str()))
}

/// The modules that completion asks for, in order.
pub fn released(course: &Course) -> impl Iterator<Item = &Module> {
    course.modules.iter().filter(|m| m.released)
}

impl Progress {
    /// Reads it.
    pub async fn read(
        app: &App,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
        now: Timestamp,
    ) -> storage::Result<Self> {
        let latest = app.db.find_credit(tenant, person, course).await?;
        let cycle = cycle_at(latest.as_ref(), now);
        let credit = latest.filter(|c| c.cycle == cycle);
        let attestation = match &credit {
            Some(c) => app.db.find_attestation_of(tenant, &c.id).await?,
            None => None,
        };
        Ok(Self {
            cycle,
            attempts: app.db.list_attempts(tenant, person, course).await?,
            completions: app
                .db
                .list_completions(tenant, person, course, cycle)
                .await?,
            credit,
            attestation,
        })
    }

    /// The open attempt at a module.
    #[must_use]
    pub fn open_attempt(&self, module: &str) -> Option<&AttemptHead> {
        self.attempts
            .iter()
            .find(|a| a.module_code == module && a.result.is_none())
    }

    /// Whether a module is passed in this cycle.
    #[must_use]
    pub fn is_passed(&self, module: &str) -> bool {
        self.completions.iter().any(|c| c.module_code == module)
    }

    /// The best score at a module so far, in hundredths of a percent.
    #[must_use]
    pub fn best(&self, module: &str) -> Option<i64> {
        self.attempts
            .iter()
            .filter(|a| a.module_code == module)
            .filter_map(|a| a.result.map(|r| r.1))
            .max()
    }
}
