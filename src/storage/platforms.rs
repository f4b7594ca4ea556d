//! Registrations at platforms and their deployments.

use url::Url;

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{PlatformId, TenantId};
use crate::lti::platform::{DeploymentPolicy, Platform};
use crate::time::Timestamp;

#[derive(sqlx::FromRow)]
struct PlatformRow {
    id: String,
    tenant_id: String,
    login_key: String,
    issuer: String,
    client_id: String,
    auth_url: String,
    token_url: String,
    token_aud: Option<String>,
    jwks_url: String,
    deployment_policy: String,
    service_origins: String,
    name: String,
}

impl TryFrom<PlatformRow> for Platform {
    type Error = Error;

    fn try_from(row: PlatformRow) -> Result<Self> {
        let bad = || Error::corrupt("platform", "registration");
        let url = |text: &str| Url::parse(text).map_err(|_| bad());
        Ok(Self {
            id: row.id.try_into().map_err(|_| bad())?,
            tenant_id: row.tenant_id.try_into().map_err(|_| bad())?,
            key: row.login_key,
            auth_url: url(&row.auth_url)?,
            token_url: url(&row.token_url)?,
            jwks_url: url(&row.jwks_url)?,
            issuer: row.issuer,
            client_id: row.client_id,
            token_aud: row.token_aud,
            deployments: DeploymentPolicy::parse(&row.deployment_policy).ok_or_else(bad)?,
            service_origins: row
                .service_origins
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            name: row.name,
        })
    }
}

const COLUMNS_BY: [&str; 4] = [
    "SELECT id, tenant_id, login_key, issuer, client_id, auth_url, token_url, token_aud, jwks_url, deployment_policy, \
     service_origins, name FROM platform WHERE tenant_id = $1 ORDER BY id",
    "SELECT id, tenant_id, login_key, issuer, client_id, auth_url, token_url, token_aud, jwks_url, deployment_policy, \
     service_origins, name FROM platform WHERE issuer = $1 AND (CAST($2 AS TEXT) IS NULL OR client_id = $2) LIMIT 3",
    "SELECT id, tenant_id, login_key, issuer, client_id, auth_url, token_url, token_aud, jwks_url, deployment_policy, \
     service_origins, name FROM platform WHERE login_key = $1",
    "SELECT id, tenant_id, login_key, issuer, client_id, auth_url, token_url, token_aud, jwks_url, deployment_policy, \
     service_origins, name FROM platform WHERE id = $1",
];

impl Db {
    /// A company's registrations.
    pub async fn list_platforms(&self, tenant: &TenantId) -> Result<Vec<Platform>> {
        let rows: Vec<PlatformRow> = on_db!(self, |p| sqlx::query_as(COLUMNS_BY[0])
            .bind(tenant.as_str())
            .fetch_all(p)
            .await)?;
        rows.into_iter().map(Platform::try_from).collect()
    }

    /// Registrations that a login initiation may mean, of any tenant: it names issuer and perhaps client id, and
    /// nothing is believed before a signature of the registration's own keys was verified.
    pub async fn find_platforms_by_issuer(
        &self,
        issuer: &str,
        client_id: Option<&str>,
    ) -> Result<Vec<Platform>> {
        let rows: Vec<PlatformRow> = on_db!(self, |p| sqlx::query_as(COLUMNS_BY[1])
            .bind(issuer)
            .bind(client_id)
            .fetch_all(p)
            .await)?;
        rows.into_iter().map(Platform::try_from).collect()
    }

    /// The registration with this login key (`/lti/login/{key}`).
    pub async fn find_platform_by_login_key(&self, key: &str) -> Result<Option<Platform>> {
        let row: Option<PlatformRow> = on_db!(self, |p| sqlx::query_as(COLUMNS_BY[2])
            .bind(key)
            .fetch_optional(p)
            .await)?;
        row.map(Platform::try_from).transpose()
    }

    /// The registration that a login state was made for.
    pub async fn find_platform(&self, id: &PlatformId) -> Result<Option<Platform>> {
        let row: Option<PlatformRow> = on_db!(self, |p| sqlx::query_as(COLUMNS_BY[3])
            .bind(id.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(Platform::try_from).transpose()
    }

    /// The deployment ids seen or listed for a registration.
    pub async fn list_deployments(&self, platform: &PlatformId) -> Result<Vec<String>> {
        let sql = "SELECT deployment_id FROM deployment WHERE platform_id = $1 ORDER BY first_seen_at_ms, deployment_id";
        let rows: Vec<(String,)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(platform.as_str())
            .fetch_all(p)
            .await)?;
        Ok(rows.into_iter().map(|r| r.0).collect())
    }
}

impl Tx {
    /// Adds a registration; [`Error::Conflict`] when the tenant has this issuer and client id already.
    pub async fn add_platform(&mut self, platform: &Platform, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO platform (id, tenant_id, login_key, issuer, client_id, auth_url, token_url, token_aud, \
                   jwks_url, deployment_policy, service_origins, name, created_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(platform.id.as_str())
            .bind(platform.tenant_id.as_str())
            .bind(&platform.key)
            .bind(&platform.issuer)
            .bind(&platform.client_id)
            .bind(platform.auth_url.as_str())
            .bind(platform.token_url.as_str())
            .bind(platform.token_aud.as_deref())
            .bind(platform.jwks_url.as_str())
            .bind(platform.deployments.as_str())
            .bind(platform.service_origins.join(" "))
            .bind(&platform.name)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Lists a deployment for a registration; harmless when it is there.
    pub async fn put_deployment(
        &mut self,
        platform: &PlatformId,
        deployment: &str,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO deployment (platform_id, deployment_id, first_seen_at_ms) VALUES ($1, $2, $3) \
                   ON CONFLICT (platform_id, deployment_id) DO NOTHING";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(platform.as_str())
            .bind(deployment)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The deployments of a registration, inside the launch's transaction.
    pub async fn list_deployments(&mut self, platform: &PlatformId) -> Result<Vec<String>> {
        let sql = "SELECT deployment_id FROM deployment WHERE platform_id = $1";
        let rows: Vec<(String,)> = on_tx!(self, |c| sqlx::query_as(sql)
            .bind(platform.as_str())
            .fetch_all(c)
            .await)?;
        Ok(rows.into_iter().map(|r| r.0).collect())
    }
}
