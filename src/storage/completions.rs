//! Modules first passed, and courses completed.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{AttemptId, CompletionId, CreditId, PersonId, TenantId};
use crate::time::Timestamp;

/// A module first passed in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Ours.
    pub id: CompletionId,
    /// Course code.
    pub course_code: String,
    /// Course version.
    pub course_version: String,
    /// Module code.
    pub module_code: String,
    /// Module version.
    pub module_version: String,
    /// Which round of training.
    pub cycle: i64,
    /// The attempt that passed.
    pub attempt_id: AttemptId,
    /// 8000 is 80.00 %.
    pub percent_hundredths: i64,
    /// When.
    pub passed_at: Timestamp,
}

/// A course completed, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Ours.
    pub id: CreditId,
    /// Course code.
    pub course_code: String,
    /// Its title then.
    pub course_title: String,
    /// Its version.
    pub course_version: String,
    /// SHA-256 over the course's files, hexadecimal.
    pub content_sha256: String,
    /// Which round of training.
    pub cycle: i64,
    /// The modules that were required, as a JSON list of codes.
    pub modules: String,
    /// How many.
    pub modules_required: i64,
    /// Percent needed for each.
    pub pass_mark_percent: i64,
    /// The lowest passing score, in hundredths of a percent.
    pub lowest_hundredths: i64,
    /// The mean passing score, in hundredths of a percent.
    pub mean_hundredths: i64,
    /// When the last required module was passed.
    pub completed_at: Timestamp,
    /// The last second it counts.
    pub valid_until: Timestamp,
}

#[derive(sqlx::FromRow)]
struct CompletionRow {
    id: String,
    course_code: String,
    course_version: String,
    module_code: String,
    module_version: String,
    cycle: i64,
    attempt_id: String,
    percent_hundredths: i64,
    passed_at_ms: i64,
}

impl TryFrom<CompletionRow> for Completion {
    type Error = Error;

    fn try_from(r: CompletionRow) -> Result<Self> {
        let bad = |_| Error::corrupt("completion", "id");
        Ok(Self {
            id: r.id.try_into().map_err(bad)?,
            course_code: r.course_code,
            course_version: r.course_version,
            module_code: r.module_code,
            module_version: r.module_version,
            cycle: r.cycle,
            attempt_id: r
                .attempt_id
                .try_into()
                .map_err(|_| Error::corrupt("completion", "attempt id"))?,
            percent_hundredths: r.percent_hundredths,
            passed_at: Timestamp::from_ms(r.passed_at_ms),
        })
    }
}

#[derive(sqlx::FromRow)]
struct CreditRow {
    id: String,
    course_code: String,
    course_title: String,
    course_version: String,
    content_sha256: String,
    cycle: i64,
    modules: String,
    modules_required: i64,
    pass_mark_percent: i64,
    lowest_hundredths: i64,
    mean_hundredths: i64,
    completed_at_ms: i64,
    valid_until_ms: i64,
}

impl TryFrom<CreditRow> for Credit {
    type Error = Error;

    fn try_from(r: CreditRow) -> Result<Self> {
        Ok(Self {
            id: r
                .id
                .try_into()
                .map_err(|_| Error::corrupt("credit", "id"))?,
            course_code: r.course_code,
            course_title: r.course_title,
            course_version: r.course_version,
            content_sha256: r.content_sha256,
            cycle: r.cycle,
            modules: r.modules,
            modules_required: r.modules_required,
            pass_mark_percent: r.pass_mark_percent,
            lowest_hundredths: r.lowest_hundredths,
            mean_hundredths: r.mean_hundredths,
            completed_at: Timestamp::from_ms(r.completed_at_ms),
            valid_until: Timestamp::from_ms(r.valid_until_ms),
        })
    }
}

const LIST_COMPLETIONS: &str = "SELECT id, course_code, course_version, module_code, module_version, cycle, \
     attempt_id, percent_hundredths, passed_at_ms FROM completion \
     WHERE tenant_id = $1 AND person_id = $2 AND course_code = $3 AND cycle = $4 ORDER BY passed_at_ms, module_code";

const FIND_CREDIT: &str = "SELECT id, course_code, course_title, course_version, content_sha256, cycle, modules, \
     modules_required, pass_mark_percent, lowest_hundredths, mean_hundredths, completed_at_ms, valid_until_ms \
     FROM credit WHERE tenant_id = $1 AND person_id = $2 AND course_code = $3 ORDER BY cycle DESC LIMIT 1";

impl Db {
    /// The modules of a course that a person has passed in a cycle.
    pub async fn list_completions(
        &self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
        cycle: i64,
    ) -> Result<Vec<Completion>> {
        let rows: Vec<CompletionRow> = on_db!(self, |p| sqlx::query_as(LIST_COMPLETIONS)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .bind(cycle)
            .fetch_all(p)
            .await)?;
        rows.into_iter().map(Completion::try_from).collect()
    }

    /// A person's latest credit for a course.
    pub async fn find_credit(
        &self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
    ) -> Result<Option<Credit>> {
        let row: Option<CreditRow> = on_db!(self, |p| sqlx::query_as(FIND_CREDIT)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .fetch_optional(p)
            .await)?;
        row.map(Credit::try_from).transpose()
    }
}

impl Tx {
    /// The modules of a course that a person has passed in a cycle, inside a write.
    pub async fn list_completions(
        &mut self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
        cycle: i64,
    ) -> Result<Vec<Completion>> {
        let rows: Vec<CompletionRow> = on_tx!(self, |c| sqlx::query_as(LIST_COMPLETIONS)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .bind(cycle)
            .fetch_all(c)
            .await)?;
        rows.into_iter().map(Completion::try_from).collect()
    }

    /// A person's latest credit for a course, inside a write.
    pub async fn find_credit(
        &mut self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
    ) -> Result<Option<Credit>> {
        let row: Option<CreditRow> = on_tx!(self, |c| sqlx::query_as(FIND_CREDIT)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .fetch_optional(c)
            .await)?;
        row.map(Credit::try_from).transpose()
    }

    /// Records a first pass.
    pub async fn add_completion(
        &mut self,
        tenant: &TenantId,
        person: &PersonId,
        c: &Completion,
    ) -> Result<()> {
        let sql = "INSERT INTO completion (id, tenant_id, person_id, course_code, course_version, module_code, \
                   module_version, cycle, attempt_id, percent_hundredths, passed_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        on_tx!(self, |conn| sqlx::query(sql)
            .bind(c.id.as_str())
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(&c.course_code)
            .bind(&c.course_version)
            .bind(&c.module_code)
            .bind(&c.module_version)
            .bind(c.cycle)
            .bind(c.attempt_id.as_str())
            .bind(c.percent_hundredths)
            .bind(c.passed_at.as_ms())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Records a completed course.
    pub async fn add_credit(
        &mut self,
        tenant: &TenantId,
        person: &PersonId,
        c: &Credit,
    ) -> Result<()> {
        let sql = "INSERT INTO credit (id, tenant_id, person_id, course_code, course_title, course_version, \
                   content_sha256, cycle, modules, modules_required, pass_mark_percent, lowest_hundredths, \
                   mean_hundredths, completed_at_ms, valid_until_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        on_tx!(self, |conn| sqlx::query(sql)
            .bind(c.id.as_str())
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(&c.course_code)
            .bind(&c.course_title)
            .bind(&c.course_version)
            .bind(&c.content_sha256)
            .bind(c.cycle)
            .bind(&c.modules)
            .bind(c.modules_required)
            .bind(c.pass_mark_percent)
            .bind(c.lowest_hundredths)
            .bind(c.mean_hundredths)
            .bind(c.completed_at.as_ms())
            .bind(c.valid_until.as_ms())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }
}
