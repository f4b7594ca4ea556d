//! Attempts: begun, answered step by step, handed in once. Every one is kept.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{AttemptId, LaunchId, PersonId, TenantId};
use crate::time::Timestamp;

/// An attempt about to begin.
pub struct NewAttempt<'a> {
    /// Ours.
    pub id: AttemptId,
    /// The company.
    pub tenant_id: &'a TenantId,
    /// Who.
    pub person_id: &'a PersonId,
    /// In which launch.
    pub launch_id: &'a LaunchId,
    /// Course and its version.
    pub course: (&'a str, &'a str),
    /// Module and its version.
    pub module: (&'a str, &'a str),
    /// Which round of training.
    pub cycle: i64,
    /// 1 for a person's first at this module.
    pub attempt_no: i64,
    /// The questions drawn, their versions and order, as JSON.
    pub draw: &'a str,
    /// Name and version of the scoring rule.
    pub scoring_rule: &'a str,
    /// Percent needed.
    pub pass_mark_percent: i64,
    /// Whole text of each drawn question: (id, version, JSON).
    pub questions: Vec<(String, i64, String)>,
}

/// An attempt as stored, with its answers so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    /// Ours.
    pub id: AttemptId,
    /// In which launch it began.
    pub launch_id: LaunchId,
    /// Course code.
    pub course_code: String,
    /// Course version when it began.
    pub course_version: String,
    /// Module code.
    pub module_code: String,
    /// Module version when it began.
    pub module_version: String,
    /// Which round of training.
    pub cycle: i64,
    /// 1 for the first.
    pub attempt_no: i64,
    /// The questions drawn, as JSON.
    pub draw: String,
    /// Name and version of the scoring rule.
    pub scoring_rule: String,
    /// Percent needed.
    pub pass_mark_percent: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// Handed in already?
    pub result: Option<StoredResult>,
}

/// What a handed-in attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// When it was handed in.
    pub submitted_at: Timestamp,
    /// Questions right.
    pub score: i64,
    /// Questions asked.
    pub score_max: i64,
    /// 8000 is 80.00 %.
    pub percent_hundredths: i64,
    /// At or above the pass mark.
    pub passed: bool,
    /// Answers and marks per question, as JSON.
    pub graded: String,
}

/// One line of a person's history at a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptHead {
    /// Ours.
    pub id: AttemptId,
    /// Module code.
    pub module_code: String,
    /// 1 for the first.
    pub attempt_no: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was handed in, percent in hundredths, passed; absent while open.
    pub result: Option<(Timestamp, i64, bool)>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    id: String,
    launch_id: String,
    course_code: String,
    course_version: String,
    module_code: String,
    module_version: String,
    cycle: i64,
    attempt_no: i64,
    draw: String,
    scoring_rule: String,
    pass_mark_percent: i64,
    started_at_ms: i64,
    submitted_at_ms: Option<i64>,
    score: Option<i64>,
    score_max: Option<i64>,
    percent_hundredths: Option<i64>,
    passed: Option<bool>,
    graded: Option<String>,
}

impl TryFrom<AttemptRow> for StoredAttempt {
    type Error = Error;

    fn try_from(r: AttemptRow) -> Result<Self> {
        let bad = |_| Error::corrupt("attempt", "id");
        let result = match (
            r.submitted_at_ms,
            r.score,
            r.score_max,
            r.percent_hundredths,
            r.passed,
            r.graded,
        ) {
            (
                Some(at),
                Some(score),
                Some(score_max),
                Some(percent_hundredths),
                Some(passed),
                Some(graded),
            ) => {
                let submitted_at = Timestamp::from_ms(at);
                Some(StoredResult {
                    submitted_at,
                    score,
                    score_max,
                    percent_hundredths,
                    passed,
                    graded,
                })
            }
            _ => None,
        };
        Ok(Self {
            id: r.id.try_into().map_err(bad)?,
            launch_id: r.launch_id.try_into().map_err(bad)?,
            course_code: r.course_code,
            course_version: r.course_version,
            module_code: r.module_code,
            module_version: r.module_version,
            cycle: r.cycle,
            attempt_no: r.attempt_no,
            draw: r.draw,
            scoring_rule: r.scoring_rule,
            pass_mark_percent: r.pass_mark_percent,
            started_at: Timestamp::from_ms(r.started_at_ms),
            result,
        })
    }
}

const FIND_ATTEMPT: &str = "SELECT attempt.id, launch_id, course_code, course_version, module_code, module_version, \
     cycle, attempt_no, draw, scoring_rule, pass_mark_percent, started_at_ms, submitted_at_ms, score, score_max, \
     percent_hundredths, passed, graded FROM attempt \
     LEFT JOIN attempt_result ON attempt_result.attempt_id = attempt.id \
     WHERE attempt.tenant_id = $1 AND person_id = $2 AND attempt.id = $3";

const LIST_HEADS: &str = "SELECT attempt.id, module_code, attempt_no, started_at_ms, submitted_at_ms, \
     percent_hundredths, passed FROM attempt LEFT JOIN attempt_result ON attempt_result.attempt_id = attempt.id \
     WHERE attempt.tenant_id = $1 AND person_id = $2 AND course_code = $3 ORDER BY module_code, attempt_no";

type HeadRow = (
    String,
    String,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<bool>,
);

fn head(
    (id, module_code, attempt_no, started, at, percent, passed): HeadRow,
) -> Result<AttemptHead> {
    let id = id.try_into().map_err(|_| Error::corrupt("attempt", "id"))?;
    let result = at
        .zip(percent)
        .zip(passed)
        .map(|((at, percent), passed)| (Timestamp::from_ms(at), percent, passed));
    Ok(AttemptHead {
        id,
        module_code,
        attempt_no,
        started_at: Timestamp::from_ms(started),
        result,
    })
}

impl Db {
    /// An attempt of this very person: another's is not found.
    pub async fn find_attempt(
        &self,
        tenant: &TenantId,
        person: &PersonId,
        id: &AttemptId,
    ) -> Result<Option<StoredAttempt>> {
        let row: Option<AttemptRow> = on_db!(self, |p| sqlx::query_as(FIND_ATTEMPT)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(id.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(StoredAttempt::try_from).transpose()
    }

    /// A person's attempts at a course, by module and number.
    pub async fn list_attempts(
        &self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
    ) -> Result<Vec<AttemptHead>> {
        let rows: Vec<HeadRow> = on_db!(self, |p| sqlx::query_as(LIST_HEADS)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .fetch_all(p)
            .await)?;
        rows.into_iter().map(head).collect()
    }

    /// The draws of a person's earlier attempts at a module, as JSON.
    pub async fn list_draws(
        &self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
        module: &str,
    ) -> Result<Vec<String>> {
        let sql = "SELECT draw FROM attempt WHERE tenant_id = $1 AND person_id = $2 AND course_code = $3 \
                   AND module_code = $4 ORDER BY attempt_no";
        let rows: Vec<(String,)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .bind(module)
            .fetch_all(p)
            .await)?;
        Ok(rows.into_iter().map(|r| r.0).collect())
    }

    /// The selections saved for an attempt: (question id, JSON).
    pub async fn list_answers(
        &self,
        tenant: &TenantId,
        attempt: &AttemptId,
    ) -> Result<Vec<(String, String)>> {
        let sql = "SELECT question_id, selection FROM attempt_answer WHERE tenant_id = $1 AND attempt_id = $2";
        Ok(on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(attempt.as_str())
            .fetch_all(p)
            .await)?)
    }

    /// The text of a question as it was at a version: content carries no tenant.
    pub async fn find_question_version(&self, id: &str, version: i64) -> Result<Option<String>> {
        let sql = "SELECT body FROM question_version WHERE question_id = $1 AND version = $2";
        let row: Option<(String,)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(id)
            .bind(version)
            .fetch_optional(p)
            .await)?;
        Ok(row.map(|r| r.0))
    }
}

impl Tx {
    /// A person's attempts at a course, inside a write.
    pub async fn list_attempts(
        &mut self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
    ) -> Result<Vec<AttemptHead>> {
        let rows: Vec<HeadRow> = on_tx!(self, |c| sqlx::query_as(LIST_HEADS)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .fetch_all(c)
            .await)?;
        rows.into_iter().map(head).collect()
    }

    /// Begins an attempt; [`Error::Conflict`] when another tab has begun this number.
    pub async fn add_attempt(&mut self, a: &NewAttempt<'_>, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO question_version (question_id, version, body) VALUES ($1, $2, $3) \
                   ON CONFLICT (question_id, version) DO NOTHING";
        for (id, version, body) in &a.questions {
            on_tx!(self, |c| sqlx::query(sql)
                .bind(id)
                .bind(*version)
                .bind(body)
                .execute(c)
                .await
                .map(drop))?;
        }
        let sql = "INSERT INTO attempt (id, tenant_id, person_id, launch_id, course_code, course_version, \
                   module_code, module_version, cycle, attempt_no, draw, scoring_rule, pass_mark_percent, channel, \
                   assurance, started_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'lti', 'server_graded', $14)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(a.id.as_str())
            .bind(a.tenant_id.as_str())
            .bind(a.person_id.as_str())
            .bind(a.launch_id.as_str())
            .bind(a.course.0)
            .bind(a.course.1)
            .bind(a.module.0)
            .bind(a.module.1)
            .bind(a.cycle)
            .bind(a.attempt_no)
            .bind(a.draw)
            .bind(a.scoring_rule)
            .bind(a.pass_mark_percent)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Keeps a selection while the attempt is open; `false` when it has been handed in.
    pub async fn put_answer(
        &mut self,
        tenant: &TenantId,
        attempt: &AttemptId,
        question: &str,
        selection: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "INSERT INTO attempt_answer (attempt_id, tenant_id, question_id, selection, saved_at_ms) \
                   SELECT attempt.id, attempt.tenant_id, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT) \
                   FROM attempt WHERE attempt.tenant_id = $1 AND attempt.id = $2 \
                   AND NOT EXISTS (SELECT 1 FROM attempt_result WHERE attempt_id = $2) \
                   ON CONFLICT (attempt_id, question_id) DO UPDATE SET selection = excluded.selection, \
                   saved_at_ms = excluded.saved_at_ms";
        let n = on_tx!(self, |c| sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(attempt.as_str())
            .bind(question)
            .bind(selection)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        Ok(n == 1)
    }

    /// The selections saved for an attempt, inside the hand-in.
    pub async fn list_answers(
        &mut self,
        tenant: &TenantId,
        attempt: &AttemptId,
    ) -> Result<Vec<(String, String)>> {
        let sql = "SELECT question_id, selection FROM attempt_answer WHERE tenant_id = $1 AND attempt_id = $2";
        Ok(on_tx!(self, |c| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(attempt.as_str())
            .fetch_all(c)
            .await)?)
    }

    /// Records what an attempt came to; [`Error::Conflict`] when it was handed in before.
    pub async fn add_result(
        &mut self,
        tenant: &TenantId,
        attempt: &AttemptId,
        r: &StoredResult,
    ) -> Result<()> {
        let sql = "INSERT INTO attempt_result (attempt_id, tenant_id, submitted_at_ms, score, score_max, \
                   percent_hundredths, passed, graded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(attempt.as_str())
            .bind(tenant.as_str())
            .bind(r.submitted_at.as_ms())
            .bind(r.score)
            .bind(r.score_max)
            .bind(r.percent_hundredths)
            .bind(r.passed)
            .bind(&r.graded)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
