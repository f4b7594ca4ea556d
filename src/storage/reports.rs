//! Reports as pages of rows, a few hundred people at a time: no reader holds the database for the length of a slow
//! download, and nothing is collected.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::evidence::report::{AttemptFacts, CompletionFacts, Filter};
use crate::ids::{PersonId, ReportId, TenantId};
use crate::time::Timestamp;

/// How many people a page covers.
const PEOPLE_PER_PAGE: i64 = 400;

#[derive(sqlx::FromRow)]
struct CompletionRow {
    person_id: String,
    full_name: String,
    email: String,
    course_code: String,
    cycle: i64,
    course_title: Option<String>,
    course_version: Option<String>,
    modules_required: Option<i64>,
    modules_passed: i64,
    lowest_hundredths: Option<i64>,
    mean_hundredths: Option<i64>,
    pass_mark_percent: Option<i64>,
    attempts_total: i64,
    attempts_failed: i64,
    first_started_at_ms: Option<i64>,
    completed_at_ms: Option<i64>,
    valid_until_ms: Option<i64>,
    attested_at_ms: Option<i64>,
    attestation_id: Option<String>,
    attestation_sha256: Option<String>,
}

impl From<CompletionRow> for CompletionFacts {
    fn from(r: CompletionRow) -> Self {
        Self {
            person_id: r.person_id,
            full_name: r.full_name,
            email: r.email,
            course_code: r.course_code,
            cycle: r.cycle,
            course_title: r.course_title,
            course_version: r.course_version,
            modules_required: r.modules_required,
            modules_passed: r.modules_passed,
            lowest_hundredths: r.lowest_hundredths,
            mean_hundredths: r.mean_hundredths,
            pass_mark_percent: r.pass_mark_percent,
            attempts_total: r.attempts_total,
            attempts_failed: r.attempts_failed,
            first_started_at: r.first_started_at_ms.map(Timestamp::from_ms),
            completed_at: r.completed_at_ms.map(Timestamp::from_ms),
            valid_until: r.valid_until_ms.map(Timestamp::from_ms),
            attested_at: r.attested_at_ms.map(Timestamp::from_ms),
            attestation_id: r.attestation_id,
            attestation_sha256: r.attestation_sha256,
        }
    }
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    id: String,
    person_id: String,
    course_code: String,
    module_code: String,
    attempt_no: i64,
    started_at_ms: i64,
    submitted_at_ms: Option<i64>,
    percent_hundredths: Option<i64>,
    pass_mark_percent: i64,
    passed: Option<bool>,
    channel: String,
    assurance: String,
}

impl From<AttemptRow> for AttemptFacts {
    fn from(r: AttemptRow) -> Self {
        Self {
            attempt_id: r.id,
            person_id: r.person_id,
            course_code: r.course_code,
            module_code: r.module_code,
            attempt_no: r.attempt_no,
            started_at: Timestamp::from_ms(r.started_at_ms),
            submitted_at: r.submitted_at_ms.map(Timestamp::from_ms),
            percent_hundredths: r.percent_hundredths,
            pass_mark_percent: r.pass_mark_percent,
            passed: r.passed,
            channel: r.channel,
            assurance: r.assurance,
        }
    }
}

const COMPLETIONS: &str = "WITH base AS ( \
     SELECT person_id, course_code, CAST(1 AS BIGINT) AS cycle FROM launch \
     WHERE tenant_id = $1 AND person_id > $2 AND person_id <= $3 AND launched_at_ms <= $4 AND learner \
     AND NOT test_user \
     UNION SELECT person_id, course_code, cycle FROM attempt \
     WHERE tenant_id = $1 AND person_id > $2 AND person_id <= $3 AND started_at_ms <= $4 \
     AND NOT EXISTS (SELECT 1 FROM launch WHERE launch.id = attempt.launch_id AND launch.test_user)) \
     SELECT base.person_id, person.full_name, person.email, base.course_code, base.cycle, credit.course_title, \
     credit.course_version, credit.modules_required, credit.lowest_hundredths, credit.mean_hundredths, \
     credit.pass_mark_percent, credit.completed_at_ms, credit.valid_until_ms, \
     attestation.signed_at_ms AS attested_at_ms, attestation.id AS attestation_id, \
     attestation.jws_sha256 AS attestation_sha256, \
     (SELECT COUNT(*) FROM completion WHERE completion.tenant_id = $1 AND completion.person_id = base.person_id \
      AND completion.course_code = base.course_code AND completion.cycle = base.cycle \
      AND completion.passed_at_ms <= $4) AS modules_passed, \
     (SELECT COUNT(*) FROM attempt JOIN attempt_result ON attempt_result.attempt_id = attempt.id \
      WHERE attempt.tenant_id = $1 AND attempt.person_id = base.person_id \
      AND attempt.course_code = base.course_code AND attempt.cycle = base.cycle AND submitted_at_ms <= $4) \
      AS attempts_total, \
     (SELECT COUNT(*) FROM attempt JOIN attempt_result ON attempt_result.attempt_id = attempt.id \
      WHERE attempt.tenant_id = $1 AND attempt.person_id = base.person_id \
      AND attempt.course_code = base.course_code AND attempt.cycle = base.cycle AND submitted_at_ms <= $4 \
      AND NOT attempt_result.passed) AS attempts_failed, \
     (SELECT MIN(started_at_ms) FROM attempt WHERE attempt.tenant_id = $1 AND attempt.person_id = base.person_id \
      AND attempt.course_code = base.course_code AND attempt.cycle = base.cycle AND started_at_ms <= $4) \
      AS first_started_at_ms \
     FROM base JOIN person ON person.id = base.person_id AND person.tenant_id = $1 \
     LEFT JOIN credit ON credit.tenant_id = $1 AND credit.person_id = base.person_id \
      AND credit.course_code = base.course_code AND credit.cycle = base.cycle AND credit.completed_at_ms <= $4 \
     LEFT JOIN attestation ON attestation.credit_id = credit.id AND attestation.tenant_id = $1 \
      AND attestation.signed_at_ms <= $4 \
     WHERE (CAST($5 AS TEXT) IS NULL OR base.course_code = $5) \
     AND (CAST($6 AS TEXT) IS NULL OR lower(person.email) = $6) \
     AND (CAST($7 AS BIGINT) IS NULL OR credit.completed_at_ms >= $7) \
     AND (CAST($8 AS BIGINT) IS NULL OR credit.completed_at_ms < $8) \
     ORDER BY base.person_id, base.course_code, base.cycle";

const ATTEMPTS: &str = "SELECT attempt.id, attempt.person_id, course_code, module_code, attempt_no, started_at_ms, \
     submitted_at_ms, percent_hundredths, pass_mark_percent, passed, channel, assurance FROM attempt \
     JOIN person ON person.id = attempt.person_id AND person.tenant_id = $1 \
     LEFT JOIN attempt_result ON attempt_result.attempt_id = attempt.id AND submitted_at_ms <= $4 \
     WHERE attempt.tenant_id = $1 AND attempt.person_id > $2 AND attempt.person_id <= $3 AND started_at_ms <= $4 \
     AND NOT EXISTS (SELECT 1 FROM launch WHERE launch.id = attempt.launch_id AND launch.test_user) \
     AND (CAST($5 AS TEXT) IS NULL OR course_code = $5) \
     AND (CAST($6 AS TEXT) IS NULL OR lower(person.email) = $6) \
     AND (CAST($7 AS BIGINT) IS NULL OR submitted_at_ms >= $7) \
     AND (CAST($8 AS BIGINT) IS NULL OR submitted_at_ms < $8) \
     ORDER BY attempt.person_id, course_code, module_code, attempt_no";

/// Where a report goes on: after this person.
pub type Cursor = String;

impl Db {
    /// The last person of the page that follows `after`, or `None` when all are done.
    async fn page_end(&self, tenant: &TenantId, after: &str) -> Result<Option<String>> {
        let sql = "SELECT MAX(id) FROM (SELECT id FROM person WHERE tenant_id = $1 AND id > $2 ORDER BY id \
                   LIMIT $3) AS page";
        let (last,): (Option<String>,) = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(after)
            .bind(PEOPLE_PER_PAGE)
            .fetch_one(p)
            .await)?;
        Ok(last)
    }

    /// The next page of completions after `after` (empty at first), and where to go on; `None` at the end.
    pub async fn page_completions(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        after: &str,
    ) -> Result<Option<(Vec<CompletionFacts>, Cursor)>> {
        let Some(last) = self.page_end(tenant, after).await? else {
            return Ok(None);
        };
        let rows: Vec<CompletionRow> = on_db!(self, |p| sqlx::query_as(COMPLETIONS)
            .bind(tenant.as_str())
            .bind(after)
            .bind(&last)
            .bind(filter.as_of.as_ms())
            .bind(filter.course.as_deref())
            .bind(filter.email.as_deref())
            .bind(filter.from.map(Timestamp::as_ms))
            .bind(filter.to.map(Timestamp::as_ms))
            .fetch_all(p)
            .await)?;
        Ok(Some((
            rows.into_iter().map(CompletionFacts::from).collect(),
            last,
        )))
    }

    /// The next page of attempts, failed and open ones too.
    pub async fn page_attempts(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        after: &str,
    ) -> Result<Option<(Vec<AttemptFacts>, Cursor)>> {
        let Some(last) = self.page_end(tenant, after).await? else {
            return Ok(None);
        };
        let rows: Vec<AttemptRow> = on_db!(self, |p| sqlx::query_as(ATTEMPTS)
            .bind(tenant.as_str())
            .bind(after)
            .bind(&last)
            .bind(filter.as_of.as_ms())
            .bind(filter.course.as_deref())
            .bind(filter.email.as_deref())
            .bind(filter.from.map(Timestamp::as_ms))
            .bind(filter.to.map(Timestamp::as_ms))
            .fetch_all(p)
            .await)?;
        Ok(Some((
            rows.into_iter().map(AttemptFacts::from).collect(),
            last,
        )))
    }

    /// The people of a tenant in the order of their ids; for tests and small lists.
    pub async fn list_person_ids(&self, tenant: &TenantId) -> Result<Vec<PersonId>> {
        let sql = "SELECT id FROM person WHERE tenant_id = $1 ORDER BY id";
        let rows: Vec<(String,)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .fetch_all(p)
            .await)?;
        rows.into_iter()
            .map(|r| r.0.try_into().map_err(|_| Error::corrupt("person", "id")))
            .collect()
    }
}

impl Tx {
    /// Records that a report was run: which, with which parameters, by whom.
    pub async fn add_report_run(
        &mut self,
        id: &ReportId,
        tenant: &TenantId,
        report: &str,
        parameters: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO report_run (id, tenant_id, report, parameters, actor, started_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(id.as_str())
            .bind(tenant.as_str())
            .bind(report)
            .bind(parameters)
            .bind(actor)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
