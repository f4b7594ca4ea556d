//! The one room that knows SQL: one text for each query over two native drivers, SQLite and PostgreSQL.
//!
//! A function takes the tenant first and has it in its `WHERE`. Writes, and reads that lead to a write, happen
//! inside [`Db::begin_write`]; SQLite takes its write lock at once there, so nothing read inside goes stale.

mod accounts;
mod attempts;
mod attestations;
mod completions;
mod error;
mod keys;
mod launches;
mod ledger;
mod logins;
mod passbacks;
mod platforms;
mod reports;
mod sessions;
mod tenants;

pub use accounts::{AccountUpsert, Person};
pub use attempts::{AttemptHead, NewAttempt, StoredAttempt, StoredResult};
pub use attestations::{NewAttestation, StoredAttestation};
pub use completions::{Completion, Credit};
pub use error::{Error, Result};
pub use keys::{KeyPurpose, StoredKey};
pub use launches::{Launch, LinkUpsert, NewLaunch};
pub use logins::LoginState;
pub use passbacks::{Delivery, DueScore, Outcome, PassbackState};
pub use reports::Cursor;
pub use sessions::Session;
pub use tenants::{ApiToken, Tenant};

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Postgres, Sqlite, Transaction};

/// Runs one query text on whichever pool this is; reads only.
macro_rules! on_db {
    ($db:expr, |$p:ident| $e:expr) => {
        match $db {
            $crate::storage::Db::Sqlite { read: $p, .. } => $e,
            $crate::storage::Db::Postgres($p) => $e,
        }
    };
}

/// Runs one query text inside a transaction.
macro_rules! on_tx {
    ($tx:expr, |$c:ident| $e:expr) => {
        match $tx {
            $crate::storage::Tx::Sqlite(t) => {
                let $c = &mut **t;
                $e
            }
            $crate::storage::Tx::Postgres(t) => {
                let $c = &mut **t;
                $e
            }
        }
    };
}
use {on_db, on_tx};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The database.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file. Writers queue for one connection instead of waking each other up; readers do not wait for them (WAL).
    Sqlite {
        /// Many readers.
        read: SqlitePool,
        /// The writer.
        write: SqlitePool,
    },
    /// A server, for several replicas.
    Postgres(PgPool),
}

/// A write transaction: dropped without [`Tx::commit`], nothing of it happened.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens `sqlite://file` (made when absent) or `postgres://…`.
    pub async fn connect(address: &str) -> Result<Self> {
        if address.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(address)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5));
            let write = SqlitePoolOptions::new()
                .max_connections(1)
                .connect_with(options.clone())
                .await?;
            let read = SqlitePoolOptions::new()
                .max_connections(4)
                .connect_with(options.read_only(false))
                .await?;
            Ok(Self::Sqlite { read, write })
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            Ok(Self::Postgres(
                PgPoolOptions::new()
                    .max_connections(10)
                    .connect(address)
                    .await?,
            ))
        } else {
            Err(Error::UnknownKind)
        }
    }

    /// Brings the schema to this version; harmless when it is there.
    pub async fn migrate(&self) -> Result<()> {
        match self {
            Self::Sqlite { write, .. } => SQLITE_MIGRATIONS.run(write).await?,
            Self::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Begins a write transaction. SQLite takes its write lock now, so a read inside cannot go stale.
    pub async fn begin_write(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        on_db!(self, |p| sqlx::query("SELECT 1").execute(p).await.map(drop))?;
        Ok(())
    }

    /// Closes the pools after their work; SQLite folds its log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes all of it last.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(t) => t.commit().await?,
            Self::Postgres(t) => t.commit().await?,
        }
        Ok(())
    }
}
