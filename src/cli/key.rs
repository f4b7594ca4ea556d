//! `passmuster key rotate|list`.

use std::time::Duration;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

use crate::config::Settings;
use crate::storage::KeyPurpose;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a new key. It is published at once and signs after an hour, when every platform has seen it.
    Rotate {
        /// Which kind.
        #[arg(long, value_enum)]
        purpose: Purpose,
        /// Let it sign at once: for a key that has leaked.
        #[arg(long)]
        now: bool,
    },
    /// All keys: kid, purpose, made, signs from.
    List,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Purpose {
    /// Messages and assertions to platforms.
    Lti,
    /// Attestations and ledger heads.
    Evidence,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<()> {
    let app = super::open(settings).await?;
    let now = app.now();
    match command {
        Command::Rotate {
            purpose,
            now: at_once,
        } => {
            let purpose = match purpose {
                Purpose::Lti => KeyPurpose::Lti,
                Purpose::Evidence => KeyPurpose::Evidence,
            };
            let from = if at_once {
                now
            } else {
                now.plus(Duration::from_hours(1))
            };
            let kid = app
                .keys
                .rotate(&app.db, purpose, &*app.entropy, from, now)
                .await?;
            println!("{kid}");
            eprintln!(
                "Published now, signs from {}. Older public keys stay published.",
                from.rfc3339_s()
            );
        }
        Command::List => {
            for k in app.db.list_keys().await? {
                let (made, from) = (k.created_at.rfc3339_s(), k.active_from.rfc3339_s());
                println!("{}\t{}\t{made}\t{from}", k.kid, k.purpose.as_str());
            }
        }
    }
    Ok(())
}
