//! `passmuster verify`: offline, with the published keys in a file.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::evidence::verify::verify_attestation;
use crate::time::{Clock, SystemClock, Timestamp};

/// Example: passmuster verify attestation.jws --keys jwks.json
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Attestations (.jws).
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The published key set (`/.well-known/jwks.json`), saved as a file.
    #[arg(long, value_name = "JWKS")]
    keys: PathBuf,
    /// Tell whether the training counted at this moment (default: now).
    #[arg(long)]
    as_of: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let keys = fs::read_to_string(&args.keys)
        .with_context(|| format!("{} cannot be read", args.keys.display()))?;
    let moment = match &args.as_of {
        Some(text) => Timestamp::parse_in(text, "UTC")?,
        None => SystemClock.now(),
    };
    let mut code = ExitCode::SUCCESS;
    for file in &args.files {
        let text = fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        match verify_attestation(&text, &keys) {
            Ok(verified) => println!("{}: {}", file.display(), verified.summary(moment)),
            Err(why) => {
                println!("{}: NOT verified: {why}", file.display());
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
