//! Logins under way: one row from third-party initiated login to launch, consumed by one statement.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::PlatformId;
use crate::time::Timestamp;

/// What a login remembers until the platform's answer comes (LTI Security Framework §5.1.1: state and nonce).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginState {
    /// The registration that the login was begun for; the answer is checked against this one only.
    pub platform_id: PlatformId,
    /// The nonce the id_token must carry.
    pub nonce: String,
    /// Hash of the value in the browser's cookie.
    pub binding_hash: Vec<u8>,
    /// The address named at login.
    pub target_link_uri: String,
    /// Of no use after this.
    pub expires_at: Timestamp,
}

type LoginRow = (String, String, Vec<u8>, String, i64);

fn login(
    (platform_id, nonce, binding_hash, target_link_uri, expires): LoginRow,
) -> Result<LoginState> {
    let platform_id = platform_id
        .try_into()
        .map_err(|_| Error::corrupt("login_state", "platform id"))?;
    let expires_at = Timestamp::from_ms(expires);
    Ok(LoginState {
        platform_id,
        nonce,
        binding_hash,
        target_link_uri,
        expires_at,
    })
}

impl Db {
    /// Looks at a login without using it up.
    pub async fn find_login(&self, state_hash: &[u8]) -> Result<Option<LoginState>> {
        let sql = "SELECT platform_id, nonce, binding_hash, target_link_uri, expires_at_ms FROM login_state \
                   WHERE state_hash = $1";
        let row: Option<LoginRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(state_hash)
            .fetch_optional(p)
            .await)?;
        row.map(login).transpose()
    }
}

impl Tx {
    /// Remembers a login.
    pub async fn add_login(&mut self, state_hash: &[u8], login: &LoginState) -> Result<()> {
        let sql = "INSERT INTO login_state (state_hash, platform_id, nonce, binding_hash, target_link_uri, \
                   expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(state_hash)
            .bind(login.platform_id.as_str())
            .bind(&login.nonce)
            .bind(&login.binding_hash)
            .bind(&login.target_link_uri)
            .bind(login.expires_at.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Forgets logins and sessions that ended an hour ago or more; run now and then.
    pub async fn forget_ended(&mut self, now: Timestamp) -> Result<()> {
        let before = now.minus(std::time::Duration::from_hours(1)).as_ms();
        for sql in [
            "DELETE FROM login_state WHERE expires_at_ms < $1",
            "DELETE FROM web_session WHERE expires_at_ms < $1",
        ] {
            on_tx!(self, |c| sqlx::query(sql)
                .bind(before)
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// Uses a login up: one caller gets `true`, whoever comes second gets `false`.
    pub async fn redeem_login(&mut self, state_hash: &[u8]) -> Result<bool> {
        let sql = "DELETE FROM login_state WHERE state_hash = $1";
        let n = on_tx!(self, |c| sqlx::query(sql)
            .bind(state_hash)
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        Ok(n == 1)
    }
}
