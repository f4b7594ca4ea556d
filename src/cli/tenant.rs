//! `passmuster tenant create`.

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::config::Settings;
use crate::ids::TenantId;
use crate::storage::Tenant;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a company. Example: passmuster tenant create acme --name "Acme GmbH" --time-zone Europe/Berlin
    Create {
        /// Its short name on the command line: a-z, 0-9 and hyphens.
        slug: String,
        /// Its name for people.
        #[arg(long)]
        name: String,
        /// Its IANA time zone: where its days begin and end.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<()> {
    let Command::Create {
        slug,
        name,
        time_zone,
    } = command;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || slug.len() > 40 || !slug.chars().all(plain) {
        bail!("the short name must be 1 to 40 of a-z, 0-9 and hyphens");
    }
    if jiff::tz::TimeZone::get(&time_zone).is_err() {
        bail!("{time_zone} is no IANA time zone, such as Europe/Berlin");
    }
    let app = super::open(settings).await?;
    let now = app.now();
    let tenant = Tenant {
        id: TenantId::new(now, &*app.entropy),
        slug: slug.clone(),
        name,
        time_zone,
    };
    let mut tx = app.db.begin_write().await?;
    match tx.add_tenant(&tenant, now).await {
        Err(e) if e.is_conflict() => bail!("there is a tenant {slug} already"),
        other => other?,
    }
    tx.commit().await?;
    println!("{}", tenant.id);
    Ok(())
}
