//! `passmuster token create`.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::config::Settings;
use crate::crypto::sha256;
use crate::entropy;
use crate::ids::TokenId;
use crate::storage::ApiToken;

const SCOPES: [&str; 1] = ["reports:read"];

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes an API token and shows it once. Example: passmuster token create --tenant acme --scope reports:read
    Create {
        /// The company it can see.
        #[arg(long)]
        tenant: String,
        /// What it may do; may be given several times.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
        /// Days until it ends; without it, it does not end by itself.
        #[arg(long)]
        days: Option<u64>,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<()> {
    let Command::Create {
        tenant,
        scopes,
        label,
        days,
    } = command;
    if let Some(unknown) = scopes.iter().find(|s| !SCOPES.contains(&s.as_str())) {
        bail!("there is no scope {unknown}; known: {}", SCOPES.join(", "));
    }
    let app = super::open(settings).await?;
    let tenant = super::find_tenant(&app, &tenant).await?;
    let now = app.now();
    let secret = format!("pm_{}", entropy::secret(&*app.entropy));
    let token = ApiToken {
        id: TokenId::new(now, &*app.entropy),
        tenant_id: tenant.id,
        scopes: scopes.join(" "),
    };
    let until = days.map(|d| now.plus(Duration::from_secs(d.saturating_mul(86_400))));
    let mut tx = app.db.begin_write().await?;
    tx.add_api_token(&token, &label, &sha256(secret.as_bytes()), until, now)
        .await?;
    tx.commit().await?;
    println!("{secret}");
    eprintln!("Keep it: it is shown this once.");
    Ok(())
}
