//! `passmuster ledger head|check`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::config::Settings;
use crate::crypto::hex;
use crate::evidence::ledger::{Log, leaf_hash};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The head as JSON: size, root, time, entries per kind.
    Head {
        /// The company.
        #[arg(long)]
        tenant: String,
    },
    /// Recomputes the tree from every entry and compares.
    Check {
        /// The company.
        #[arg(long)]
        tenant: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<ExitCode> {
    let app = super::open(settings).await?;
    match command {
        Command::Head { tenant } => {
            let tenant = super::find_tenant(&app, &tenant).await?;
            let head = app.db.ledger_log(&tenant.id).await?.head(app.now());
            println!("{}", serde_json::to_string(&head)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { tenant } => {
            let tenant = super::find_tenant(&app, &tenant).await?;
            // The state is read first: entries that come meanwhile are not counted in.
            let stored = app.db.ledger_log(&tenant.id).await?;
            let mut log = Log::default();
            while log.size() < stored.size() {
                let left = u32::try_from(stored.size() - log.size())
                    .unwrap_or(u32::MAX)
                    .min(1000);
                let entries = app
                    .db
                    .list_ledger_entries(&tenant.id, log.size(), left)
                    .await?;
                if entries.is_empty() {
                    break;
                }
                for entry in entries {
                    let value: serde_json::Value =
                        serde_json::from_str(&entry).context("an entry is no JSON")?;
                    log.append(
                        value["kind"].as_str().unwrap_or_default(),
                        leaf_hash(entry.as_bytes()),
                    );
                }
            }
            if log == stored {
                println!("ok: {} entries, root {}", log.size(), hex(&log.root()));
                return Ok(ExitCode::SUCCESS);
            }
            println!(
                "the ledger does not add up: {} entries give root {}, recorded are {} entries with root {}",
                log.size(),
                hex(&log.root()),
                stored.size(),
                hex(&stored.root())
            );
            Ok(ExitCode::FAILURE)
        }
    }
}
