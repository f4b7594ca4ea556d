//! The append-only log of facts, per tenant. Appending takes the tenant's frontier row first, so that entries of one
//! tenant are written one after the other on every database.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::evidence::ledger::{Fact, Head, Log, leaf_hash};
use crate::ids::TenantId;
use crate::time::Timestamp;

type FrontierRow = (i64, Vec<u8>, String);

fn log((size, frontier, counts): FrontierRow) -> Result<Log> {
    let size = u64::try_from(size).map_err(|_| Error::corrupt("ledger_frontier", "size"))?;
    Log::from_stored(size, &frontier, &counts).ok_or(Error::corrupt("ledger_frontier", "frontier"))
}

impl Db {
    /// The tenant's log as it stands, for a head.
    pub async fn ledger_log(&self, tenant: &TenantId) -> Result<Log> {
        let sql = "SELECT size, frontier, counts FROM ledger_frontier WHERE tenant_id = $1";
        let row: Option<FrontierRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .fetch_optional(p)
            .await)?;
        row.map_or_else(|| Ok(Log::default()), log)
    }

    /// The exact texts of a tenant's entries, in order, from `from` on, at most `limit`.
    pub async fn list_ledger_entries(
        &self,
        tenant: &TenantId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>> {
        let sql = "SELECT entry FROM ledger_entry WHERE tenant_id = $1 AND leaf_index >= $2 ORDER BY leaf_index \
                   LIMIT $3";
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows: Vec<(String,)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(from)
            .bind(i64::from(limit))
            .fetch_all(p)
            .await)?;
        Ok(rows.into_iter().map(|r| r.0).collect())
    }
}

impl Tx {
    /// Takes the tenant's turn at the log and tells where it stands.
    pub async fn lock_ledger(&mut self, tenant: &TenantId) -> Result<Log> {
        let sql = "INSERT INTO ledger_frontier (tenant_id, size, frontier, counts) VALUES ($1, 0, $2, '{}') \
                   ON CONFLICT (tenant_id) DO UPDATE SET size = ledger_frontier.size RETURNING size, frontier, counts";
        let row: FrontierRow = on_tx!(self, |c| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(&[][..] as &[u8])
            .fetch_one(c)
            .await)?;
        log(row)
    }

    /// Appends facts, in order, and tells the head that includes them.
    pub async fn append_ledger(
        &mut self,
        tenant: &TenantId,
        facts: &[Fact],
        now: Timestamp,
    ) -> Result<Head> {
        let mut log = self.lock_ledger(tenant).await?;
        let sql = "INSERT INTO ledger_entry (tenant_id, leaf_index, kind, subject_id, entry, leaf_hash, \
                   recorded_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        for fact in facts {
            let entry = fact.entry(tenant, now);
            let leaf = leaf_hash(entry.as_bytes());
            let index =
                i64::try_from(log.size()).map_err(|_| Error::corrupt("ledger_frontier", "size"))?;
            on_tx!(self, |c| sqlx::query(sql)
                .bind(tenant.as_str())
                .bind(index)
                .bind(fact.kind())
                .bind(fact.subject())
                .bind(&entry)
                .bind(&leaf[..])
                .bind(now.as_ms())
                .execute(c)
                .await
                .map(drop))?;
            log.append(fact.kind(), leaf);
        }
        let sql =
            "UPDATE ledger_frontier SET size = $2, frontier = $3, counts = $4 WHERE tenant_id = $1";
        let size =
            i64::try_from(log.size()).map_err(|_| Error::corrupt("ledger_frontier", "size"))?;
        on_tx!(self, |c| sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(size)
            .bind(log.frontier_bytes())
            .bind(log.counts_json())
            .execute(c)
            .await
            .map(drop))?;
        Ok(log.head(now))
    }
}
