//! Browser sessions: ids are random, and only their hashes are at rest.

use super::{Db, Error, Person, Result, Tenant, Tx, on_db, on_tx};
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

type VisitorRow = (String, String, String, String, String, String, String);

impl Db {
    /// Who a browser is, by its session's hash, unless the session has ended.
    pub async fn find_visitor(
        &self,
        id_hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<(Tenant, Person)>> {
        let sql = "SELECT tenant.id, slug, name, time_zone, person.id, full_name, email FROM web_session \
                   JOIN tenant ON tenant.id = web_session.tenant_id \
                   JOIN person ON person.id = web_session.person_id AND person.tenant_id = tenant.id \
                   WHERE id_hash = $1 AND expires_at_ms > $2";
        let row: Option<VisitorRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(id_hash)
            .bind(now.as_ms())
            .fetch_optional(p)
            .await)?;
        row.map(
            |(tenant, slug, name, time_zone, person, full_name, email)| {
                let bad = |_| Error::corrupt("web_session", "id");
                let tenant = Tenant {
                    id: tenant.try_into().map_err(bad)?,
                    slug,
                    name,
                    time_zone,
                };
                let person = Person {
                    id: person.try_into().map_err(bad)?,
                    full_name,
                    email,
                };
                Ok((tenant, person))
            },
        )
        .transpose()
    }
}

impl Tx {
    /// Begins a session.
    pub async fn add_session(
        &mut self,
        id_hash: &[u8],
        session: &Session,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
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
