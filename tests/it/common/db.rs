//! A fresh database of each kind for a test: a SQLite file, and a PostgreSQL database of its own.

use std::sync::atomic::{AtomicU32, Ordering};

/// A database that belongs to one test.
pub struct TestDb {
    /// What `PASSMUSTER_DATABASE_URL` would be.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

/// One of each kind. Without `PASSMUSTER_TEST_PG_URL` only SQLite, and it says so.
pub async fn both() -> Vec<TestDb> {
    let mut all = vec![sqlite()];
    match std::env::var("PASSMUSTER_TEST_PG_URL") {
        Ok(server) => all.push(postgres(&server).await),
        Err(_) => eprintln!(
            "SKIPPED on PostgreSQL: PASSMUSTER_TEST_PG_URL is not set (make test sets it)"
        ),
    }
    all
}

/// A SQLite file in a folder that goes with the test.
pub fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    TestDb {
        url,
        _folder: Some(folder),
    }
}

async fn postgres(server: &str) -> TestDb {
    use sqlx::Connection;
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "pm_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut c = sqlx::PgConnection::connect(server)
        .await
        .expect("the test PostgreSQL answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut c)
        .await
        .expect("a database");
    let mut url = url::Url::parse(server).expect("an address");
    url.set_path(&name);
    TestDb {
        url: url.to_string(),
        _folder: None,
    }
}
