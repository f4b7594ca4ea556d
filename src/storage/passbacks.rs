//! Scores on their way to gradebooks: one row for each resource link and account, holding the latest score wanted.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{AccountId, PassbackId, PersonId, PlatformId, ResourceLinkId, TenantId};
use crate::time::Timestamp;

/// Where a score stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassbackState {
    /// To be sent when `next_at` comes.
    Queued,
    /// The platform took it.
    Delivered,
    /// It cannot arrive before something changes; the cause is kept and shown.
    Parked,
}

impl PassbackState {
    const ALL: [Self; 3] = [Self::Queued, Self::Delivered, Self::Parked];

    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Parked => "parked",
        }
    }
}

/// A score due to be sent, with what is needed to send it; endpoints are read at this moment, since they change.
#[derive(Clone)]
pub struct DueScore {
    /// Ours.
    pub id: PassbackId,
    /// The company.
    pub tenant_id: TenantId,
    /// The registration.
    pub platform_id: PlatformId,
    /// The user's id there.
    pub sub: String,
    /// The line item, where known.
    pub line_item_url: Option<String>,
    /// What the last launch allowed.
    pub ags_scopes: String,
    /// 8000 is 80.00 of 100.
    pub score_hundredths: i64,
    /// For the gradebook.
    pub comment: String,
    /// Which wish this is: a newer one leaves the row queued.
    pub revision: i64,
    /// Failed tries since it was queued.
    pub tries: i64,
    /// The timestamp to send: strictly later than any before, by a second.
    pub timestamp: Timestamp,
}

impl std::fmt::Debug for DueScore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DueScore")
            .field("id", &self.id)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The platform took it.
    Delivered,
    /// Try again then.
    Retry {
        /// When.
        at: Timestamp,
        /// `ags.*` or `token.*`.
        code: &'static str,
    },
    /// No try will help until something changes.
    Parked {
        /// `ags.*` or `token.*`.
        code: &'static str,
    },
}

/// What to show of a score's delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it stands.
    pub state: PassbackState,
    /// What was wanted last.
    pub score_hundredths: i64,
    /// What the platform took last.
    pub delivered_hundredths: Option<i64>,
    /// When.
    pub delivered_at: Option<Timestamp>,
    /// Why not.
    pub error_code: Option<String>,
}

type DeliveryRow = (String, i64, Option<i64>, Option<i64>, Option<String>);

fn delivery(
    (state, score_hundredths, delivered_hundredths, at, error_code): DeliveryRow,
) -> Result<Delivery> {
    let state = PassbackState::ALL.into_iter().find(|s| s.as_str() == state);
    Ok(Delivery {
        state: state.ok_or(Error::corrupt("passback", "state"))?,
        score_hundredths,
        delivered_hundredths,
        delivered_at: at.map(Timestamp::from_ms),
        error_code,
    })
}

#[derive(sqlx::FromRow)]
struct ClaimRow {
    id: String,
    tenant_id: String,
    resource_link_id: String,
    account_id: String,
    score_hundredths: i64,
    comment: String,
    revision: i64,
    tries: i64,
    sent_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct EndpointRow {
    platform_id: String,
    sub: String,
    line_item_url: Option<String>,
    ags_scopes: String,
}

impl Db {
    /// How a person's score for a placement is doing.
    pub async fn find_delivery(
        &self,
        tenant: &TenantId,
        link: &ResourceLinkId,
        account: &AccountId,
    ) -> Result<Option<Delivery>> {
        let sql = "SELECT state, score_hundredths, delivered_hundredths, delivered_at_ms, error_code FROM passback \
                   WHERE tenant_id = $1 AND resource_link_id = $2 AND account_id = $3";
        let row: Option<DeliveryRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(link.as_str())
            .bind(account.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(delivery).transpose()
    }

    /// When the next score is due, if any waits.
    pub async fn next_passback_at(&self) -> Result<Option<Timestamp>> {
        let sql = "SELECT MIN(next_at_ms) FROM passback WHERE state = 'queued'";
        let (at,): (Option<i64>,) = on_db!(self, |p| sqlx::query_as(sql).fetch_one(p).await)?;
        Ok(at.map(Timestamp::from_ms))
    }
}

impl Tx {
    /// The placements through which a person takes a course as a learner, with the account of each: all of them get
    /// the score.
    pub async fn list_graded_links(
        &mut self,
        tenant: &TenantId,
        person: &PersonId,
        course: &str,
    ) -> Result<Vec<(ResourceLinkId, AccountId, String)>> {
        let sql = "SELECT DISTINCT launch.resource_link_id, launch.account_id, resource_link.module_code FROM launch \
                   JOIN resource_link ON resource_link.id = launch.resource_link_id \
                   WHERE launch.tenant_id = $1 AND launch.person_id = $2 AND resource_link.course_code = $3 \
                   AND launch.learner AND NOT launch.test_user";
        let rows: Vec<(String, String, String)> = on_tx!(self, |c| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(course)
            .fetch_all(c)
            .await)?;
        let bad = |_| Error::corrupt("launch", "id");
        rows.into_iter()
            .map(|(l, a, m)| Ok((l.try_into().map_err(bad)?, a.try_into().map_err(bad)?, m)))
            .collect()
    }

    /// Wishes a score into a gradebook. A lower one than wished or delivered before changes nothing: what we sent
    /// never gets worse by us. `true` when something is to be sent.
    #[expect(
        clippy::too_many_arguments,
        reason = "a row's fields; a struct would name each once more"
    )]
    pub async fn wish_score(
        &mut self,
        id: PassbackId,
        tenant: &TenantId,
        link: &ResourceLinkId,
        account: &AccountId,
        score_hundredths: i64,
        comment: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "INSERT INTO passback (id, tenant_id, resource_link_id, account_id, score_hundredths, comment, \
                   revision, state, tries, next_at_ms, lease_until_ms, sent_at_ms, queued_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, 1, 'queued', 0, $7, 0, 0, $7) \
                   ON CONFLICT (tenant_id, resource_link_id, account_id) DO UPDATE SET \
                   score_hundredths = excluded.score_hundredths, comment = excluded.comment, \
                   revision = passback.revision + 1, state = 'queued', tries = 0, next_at_ms = excluded.next_at_ms, \
                   queued_at_ms = excluded.queued_at_ms, error_code = NULL \
                   WHERE excluded.score_hundredths > passback.score_hundredths";
        let n = on_tx!(self, |c| sqlx::query(sql)
            .bind(id.as_str())
            .bind(tenant.as_str())
            .bind(link.as_str())
            .bind(account.as_str())
            .bind(score_hundredths)
            .bind(comment)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        Ok(n == 1)
    }

    /// A launch brings new endpoints and proves the person is there again: what was parked gets a new try.
    pub async fn revive_passbacks(
        &mut self,
        tenant: &TenantId,
        link: &ResourceLinkId,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "UPDATE passback SET state = 'queued', tries = 0, next_at_ms = $4 WHERE tenant_id = $1 \
                   AND resource_link_id = $2 AND account_id = $3 AND state = 'parked'";
        let n = on_tx!(self, |c| sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(link.as_str())
            .bind(account.as_str())
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        Ok(n > 0)
    }

    /// Takes up to `limit` due scores for sending, whatever the tenant, and writes down the timestamp that each will
    /// carry before it is sent: later by at least a second than any before. A worker that dies loses its lease.
    pub async fn claim_due_scores(
        &mut self,
        limit: i64,
        lease: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<DueScore>> {
        let sql = "UPDATE passback SET lease_until_ms = $2, sent_at_ms = CASE WHEN sent_at_ms + 1000 > $1 \
                   THEN sent_at_ms + 1000 ELSE $1 END WHERE id IN (SELECT id FROM passback WHERE state = 'queued' \
                   AND next_at_ms <= $1 AND lease_until_ms <= $1 ORDER BY next_at_ms, id LIMIT $3) \
                   AND lease_until_ms <= $1 RETURNING id, tenant_id, resource_link_id, account_id, score_hundredths, \
                   comment, revision, tries, sent_at_ms";
        let rows: Vec<ClaimRow> = on_tx!(self, |c| sqlx::query_as(sql)
            .bind(now.as_ms())
            .bind(lease.as_ms())
            .bind(limit)
            .fetch_all(c)
            .await)?;
        let sql = "SELECT resource_link.platform_id, account.sub, resource_link.line_item_url, \
                   resource_link.ags_scopes FROM resource_link JOIN account ON account.id = $3 \
                   WHERE resource_link.tenant_id = $1 AND resource_link.id = $2";
        let mut due = Vec::with_capacity(rows.len());
        for r in rows {
            let e: EndpointRow = on_tx!(self, |c| sqlx::query_as(sql)
                .bind(&r.tenant_id)
                .bind(&r.resource_link_id)
                .bind(&r.account_id)
                .fetch_one(c)
                .await)?;
            let bad = |_| Error::corrupt("passback", "id");
            due.push(DueScore {
                id: r.id.try_into().map_err(bad)?,
                tenant_id: r.tenant_id.try_into().map_err(bad)?,
                platform_id: e.platform_id.try_into().map_err(bad)?,
                sub: e.sub,
                line_item_url: e.line_item_url,
                ags_scopes: e.ags_scopes,
                score_hundredths: r.score_hundredths,
                comment: r.comment,
                revision: r.revision,
                tries: r.tries,
                timestamp: Timestamp::from_ms(r.sent_at_ms),
            });
        }
        Ok(due)
    }

    /// Records what a try came to. A wish that changed meanwhile stays queued.
    pub async fn settle_score(
        &mut self,
        due: &DueScore,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()> {
        let (state, next_at, code) = match outcome {
            Outcome::Delivered => (PassbackState::Delivered, now, None),
            Outcome::Retry { at, code } => (PassbackState::Queued, *at, Some(*code)),
            Outcome::Parked { code } => (PassbackState::Parked, now, Some(*code)),
        };
        let sql = "UPDATE passback SET lease_until_ms = 0, \
                   state = CASE WHEN revision = $3 THEN $4 ELSE 'queued' END, \
                   next_at_ms = CASE WHEN revision = $3 THEN CAST($5 AS BIGINT) ELSE next_at_ms END, \
                   tries = CASE WHEN revision = $3 THEN tries + 1 ELSE 0 END, error_code = CAST($6 AS TEXT) \
                   WHERE tenant_id = $1 AND id = $2";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(due.tenant_id.as_str())
            .bind(due.id.as_str())
            .bind(due.revision)
            .bind(state.as_str())
            .bind(next_at.as_ms())
            .bind(code)
            .execute(c)
            .await
            .map(drop))?;
        if *outcome == Outcome::Delivered {
            let sql = "UPDATE passback SET delivered_hundredths = $3, delivered_at_ms = $4 \
                       WHERE tenant_id = $1 AND id = $2";
            on_tx!(self, |c| sqlx::query(sql)
                .bind(due.tenant_id.as_str())
                .bind(due.id.as_str())
                .bind(due.score_hundredths)
                .bind(now.as_ms())
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }
}
