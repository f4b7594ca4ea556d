//! Companies and their API tokens.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{TenantId, TokenId};
use crate::time::Timestamp;

/// A company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Ours.
    pub id: TenantId,
    /// Its short name on the command line.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its IANA time zone: where its days begin and end.
    pub time_zone: String,
}

/// What an API token may do, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Ours.
    pub id: TokenId,
    /// The one company it can see.
    pub tenant_id: TenantId,
    /// Space-separated scopes, such as `reports:read`.
    pub scopes: String,
}

type TenantRow = (String, String, String, String);

fn tenant((id, slug, name, time_zone): TenantRow) -> Result<Tenant> {
    let id = id.try_into().map_err(|_| Error::corrupt("tenant", "id"))?;
    Ok(Tenant {
        id,
        slug,
        name,
        time_zone,
    })
}

impl Db {
    /// The company with this short name.
    pub async fn find_tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>> {
        let sql = "SELECT id, slug, name, time_zone FROM tenant WHERE slug = $1";
        let row: Option<TenantRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(slug)
            .fetch_optional(p)
            .await)?;
        row.map(tenant).transpose()
    }

    /// The company with this id.
    pub async fn find_tenant(&self, id: &TenantId) -> Result<Option<Tenant>> {
        let sql = "SELECT id, slug, name, time_zone FROM tenant WHERE id = $1";
        let row: Option<TenantRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(id.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(tenant).transpose()
    }

    /// The valid token with this hash; the one query that finds a tenant by a secret instead of being given one.
    pub async fn find_api_token(
        &self,
        secret_hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<ApiToken>> {
        let sql = "SELECT id, tenant_id, scopes FROM api_token WHERE secret_hash = $1 AND revoked_at_ms IS NULL \
                   AND (expires_at_ms IS NULL OR expires_at_ms > $2)";
        let row: Option<(String, String, String)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(secret_hash)
            .bind(now.as_ms())
            .fetch_optional(p)
            .await)?;
        row.map(|(id, tenant_id, scopes)| {
            let bad = |_| Error::corrupt("api_token", "id");
            Ok(ApiToken {
                id: id.try_into().map_err(bad)?,
                tenant_id: tenant_id.try_into().map_err(bad)?,
                scopes,
            })
        })
        .transpose()
    }
}

impl Tx {
    /// Adds a company; [`Error::Conflict`] when the short name is taken.
    pub async fn add_tenant(&mut self, tenant: &Tenant, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO tenant (id, slug, name, time_zone, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(tenant.id.as_str())
            .bind(&tenant.slug)
            .bind(&tenant.name)
            .bind(&tenant.time_zone)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Adds an API token by the hash of its secret.
    pub async fn add_api_token(
        &mut self,
        token: &ApiToken,
        label: &str,
        secret_hash: &[u8],
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO api_token (id, tenant_id, label, secret_hash, scopes, created_at_ms, expires_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(token.id.as_str())
            .bind(token.tenant_id.as_str())
            .bind(label)
            .bind(secret_hash)
            .bind(&token.scopes)
            .bind(now.as_ms())
            .bind(expires_at.map(Timestamp::as_ms))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
