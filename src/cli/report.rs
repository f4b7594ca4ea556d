//! `passmuster report completions|attempts`.

use std::path::PathBuf;
use std::pin::pin;

use anyhow::{Context, Result};
use clap::ValueEnum;
use futures_util::TryStreamExt;
use tokio::io::AsyncWriteExt;

use crate::config::Settings;
use crate::evidence::report::{Filter, Profile};
use crate::time::Timestamp;
use crate::web::{ReportKind, ReportOptions, csv_stream};

/// Example: passmuster report completions --tenant acme --from 2026-01-01 --to 2027-01-01 --out completions.csv
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which report.
    report: Report,
    /// The company.
    #[arg(long)]
    tenant: String,
    /// Only this course.
    #[arg(long)]
    course: Option<String>,
    /// Only the person with this e-mail address.
    #[arg(long, value_name = "EMAIL")]
    person: Option<String>,
    /// Completed (or handed in) at or after: a date in the tenant's zone, or an RFC 3339 moment.
    #[arg(long)]
    from: Option<String>,
    /// Completed (or handed in) before.
    #[arg(long)]
    to: Option<String>,
    /// As it stood at this moment.
    #[arg(long)]
    as_of: Option<String>,
    /// All 45 columns, or the seven that most people ask for.
    #[arg(long, value_enum, default_value = "full")]
    profile: ProfileArg,
    /// A file instead of standard output.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Report {
    /// One row per person, course and cycle.
    Completions,
    /// One row per attempt, failed ones too.
    Attempts,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileArg {
    /// 45 columns.
    Full,
    /// Seven columns.
    Short,
}

pub(super) async fn run(settings: &Settings, args: Args) -> Result<()> {
    let app = super::open(settings).await?;
    let tenant = super::find_tenant(&app, &args.tenant).await?;
    let moment = |text: &Option<String>| {
        text.as_deref()
            .map(|t| Timestamp::parse_in(t, &tenant.time_zone))
            .transpose()
    };
    let options = ReportOptions {
        kind: match args.report {
            Report::Completions => ReportKind::Completions,
            Report::Attempts => ReportKind::Attempts,
        },
        profile: match args.profile {
            ProfileArg::Full => Profile::Full,
            ProfileArg::Short => Profile::Short,
        },
        filter: Filter {
            course: args.course,
            email: args.person.map(|p| p.to_lowercase()),
            from: moment(&args.from)?,
            to: moment(&args.to)?,
            as_of: moment(&args.as_of)?.unwrap_or_else(|| app.now()),
        },
        actor: "command line".to_owned(),
    };
    let mut stream = pin!(csv_stream(app, tenant.id, options).await?);
    let mut out: Box<dyn tokio::io::AsyncWrite + Unpin> = match &args.out {
        Some(path) => {
            let file = tokio::fs::File::create(path).await;
            Box::new(file.with_context(|| format!("{} cannot be written", path.display()))?)
        }
        None => Box::new(tokio::io::stdout()),
    };
    while let Some(chunk) = stream.try_next().await? {
        out.write_all(&chunk).await?;
    }
    out.flush().await?;
    Ok(())
}
