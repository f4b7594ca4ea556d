//! Browser sessions: ids are random, and only their hashes are at rest.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{PersonId, TenantId};
use crate::time::Timestamp;

/// Who a browser is, since its last launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The company.
    pub tenant_id: TenantId,
    /// The person.
    pub person_id: PersonId,
}

impl Db {
    /// The session with this hash, unless it has ended.
    pub async fn find_session(&self, id_hash: &[u8], now: Timestamp) -> Result<Option<Session>> {
        let sql = "SELECT tenant_id, person_id FROM web_session WHERE id_hash = $1 AND expires_at_ms > $2";
        let row: Option<(String, String)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(id_hash)
            .bind(now.as_ms())
            .fetch_optional(p)
            .await)?;
        row.map(|(t, p)| {
            let bad = |_| Error::corrupt("web_session", "id");
            Ok(Session {
                tenant_id: t.try_into().map_err(bad)?,
                person_id: p.try_into().map_err(bad)?,
            })
        })
        .transpose()
    }
}

impl Tx {
    /// Begins a session, and forgets those that have ended.
    pub async fn add_session(
        &mut self,
        id_hash: &[u8],
        session: &Session,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "DELETE FROM web_session WHERE expires_at_ms < $1";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        let sql = "INSERT INTO web_session (id_hash, tenant_id, person_id, created_at_ms, expires_at_ms) \
                   VALUES ($1, $2, $3, $4, $5)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(id_hash)
            .bind(session.tenant_id.as_str())
            .bind(session.person_id.as_str())
            .bind(now.as_ms())
            .bind(expires_at.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
