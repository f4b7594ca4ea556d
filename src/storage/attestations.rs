//! Signed statements: the sealed bytes, and beside them what may be dropped later.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{AttestationId, CreditId, PersonId, TenantId};
use crate::time::Timestamp;

/// A statement just sealed.
pub struct NewAttestation<'a> {
    /// Ours.
    pub id: &'a AttestationId,
    /// The company.
    pub tenant_id: &'a TenantId,
    /// Who signed.
    pub person_id: &'a PersonId,
    /// For which completed course.
    pub credit_id: &'a CreditId,
    /// The text as shown.
    pub statement: &'a str,
    /// The seal: compact JWS over the record.
    pub jws: &'a str,
    /// SHA-256 of the `.jws` file's bytes, hexadecimal.
    pub jws_sha256: &'a str,
    /// The network address, kept apart from the sealed bytes.
    pub ip: &'a str,
    /// The browser's own words, at most 512 characters.
    pub user_agent: &'a str,
    /// The key of the hashes in the sealed record.
    pub hash_key: &'a [u8],
}

/// A statement as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAttestation {
    /// Ours.
    pub id: AttestationId,
    /// The company.
    pub tenant_id: TenantId,
    /// Who signed.
    pub person_id: PersonId,
    /// The seal.
    pub jws: String,
    /// SHA-256 of the `.jws` file's bytes, hexadecimal.
    pub jws_sha256: String,
    /// When.
    pub signed_at: Timestamp,
}

impl std::fmt::Debug for StoredAttestation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredAttestation")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

type Row = (String, String, String, String, String, i64);

fn attestation((id, tenant, person, jws, jws_sha256, at): Row) -> Result<StoredAttestation> {
    let bad = |_| Error::corrupt("attestation", "id");
    Ok(StoredAttestation {
        id: id.try_into().map_err(bad)?,
        tenant_id: tenant.try_into().map_err(bad)?,
        person_id: person.try_into().map_err(bad)?,
        jws,
        jws_sha256,
        signed_at: Timestamp::from_ms(at),
    })
}

impl Db {
    /// The statement that belongs to a credit.
    pub async fn find_attestation_of(
        &self,
        tenant: &TenantId,
        credit: &CreditId,
    ) -> Result<Option<StoredAttestation>> {
        let sql = "SELECT id, tenant_id, person_id, jws, jws_sha256, signed_at_ms FROM attestation \
                   WHERE tenant_id = $1 AND credit_id = $2";
        let row: Option<Row> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(credit.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(attestation).transpose()
    }

    /// The statement with this id, for its public page: whoever has the id was given it by its owner.
    pub async fn find_attestation(&self, id: &AttestationId) -> Result<Option<StoredAttestation>> {
        let sql = "SELECT id, tenant_id, person_id, jws, jws_sha256, signed_at_ms FROM attestation WHERE id = $1";
        let row: Option<Row> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(id.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(attestation).transpose()
    }
}

impl Tx {
    /// Keeps a sealed statement; [`Error::Conflict`] when the credit has one.
    pub async fn add_attestation(&mut self, a: &NewAttestation<'_>, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO attestation (id, tenant_id, person_id, credit_id, statement, jws, jws_sha256, \
                   signed_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(a.id.as_str())
            .bind(a.tenant_id.as_str())
            .bind(a.person_id.as_str())
            .bind(a.credit_id.as_str())
            .bind(a.statement)
            .bind(a.jws)
            .bind(a.jws_sha256)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        let sql = "INSERT INTO attestation_origin (attestation_id, tenant_id, hash_key, ip, user_agent) \
                   VALUES ($1, $2, $3, $4, $5)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(a.id.as_str())
            .bind(a.tenant_id.as_str())
            .bind(a.hash_key)
            .bind(a.ip)
            .bind(a.user_agent)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
