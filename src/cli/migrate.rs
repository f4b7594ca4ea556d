//! `passmuster migrate`.

use anyhow::Result;

use crate::config::Settings;
use crate::storage::Db;

pub(super) async fn run(settings: &Settings) -> Result<()> {
    let db = Db::connect(&settings.database_url).await?;
    db.migrate().await?;
    db.close().await;
    eprintln!("The database has this version's schema.");
    Ok(())
}
