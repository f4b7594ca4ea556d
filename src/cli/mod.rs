//! The command line: one verb per job. Data goes to standard output, words to standard error; exit status 0 done,
//! 1 refused or failed, 2 usage.

mod demo;
mod key;
mod ledger;
mod migrate;
mod platform;
mod report;
mod serve;
mod tenant;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::app::App;
use crate::config::Settings;
use crate::entropy::OsEntropy;
use crate::storage::Tenant;
use crate::time::SystemClock;

/// Security training that passes an audit: an LTI 1.3 tool that keeps the evidence.
#[derive(Debug, Parser)]
#[command(name = "passmuster", version, about, max_term_width = 100)]
struct Cli {
    /// Settings file (default: passmuster.toml in this directory, if it is there).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything on one machine: the service, a demo company and a demo LMS.
    Demo(demo::Args),
    /// The service.
    Serve(serve::Args),
    /// Brings the database to this version's schema.
    Migrate,
    /// Companies.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// LMS platforms that are connected.
    #[command(subcommand)]
    Platform(platform::Command),
    /// Signing keys.
    #[command(subcommand)]
    Key(key::Command),
    /// API tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Reports: CSV to standard output or a file.
    Report(report::Args),
    /// The ledger: its sealed head, and a check of every entry.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Checks an attestation offline: says who, what and when, or why not.
    Verify(verify::Args),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("passmuster: {e}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("passmuster: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    let config = cli.config;
    let settings = || Settings::load(config.as_deref());
    match cli.command {
        Command::Demo(args) => demo::run(args).await?,
        Command::Serve(args) => serve::run(settings()?, args).await?,
        Command::Migrate => migrate::run(&settings()?).await?,
        Command::Tenant(c) => tenant::run(&settings()?, c).await?,
        Command::Platform(c) => platform::run(&settings()?, c).await?,
        Command::Key(c) => key::run(&settings()?, c).await?,
        Command::Token(c) => token::run(&settings()?, c).await?,
        Command::Report(args) => report::run(&settings()?, args).await?,
        Command::Ledger(c) => return ledger::run(&settings()?, c).await,
        Command::Verify(args) => return verify::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}

/// The service as a value, for a command.
async fn open(settings: &Settings) -> Result<Arc<App>> {
    Ok(Arc::new(
        App::open(settings, Arc::new(SystemClock), Arc::new(OsEntropy)).await?,
    ))
}

async fn find_tenant(app: &App, slug: &str) -> Result<Tenant> {
    app.db.find_tenant_by_slug(slug).await?.with_context(|| {
        format!("no tenant {slug}: make it with passmuster tenant create {slug} --name NAME")
    })
}
