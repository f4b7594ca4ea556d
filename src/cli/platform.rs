//! `passmuster platform add|list`.

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use url::Url;

use crate::app::App;
use crate::config::{Settings, is_loopback};
use crate::crypto::hex;
use crate::entropy;
use crate::ids::PlatformId;
use crate::lti::platform::{DeploymentPolicy, Platform};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Connects an LMS by hand. Example: passmuster platform add --tenant acme --issuer <https://lms.example>
    /// --client-id abc --auth-url <https://lms.example/auth> --token-url <https://lms.example/token>
    /// --jwks-url <https://lms.example/jwks> --deployment-id 1
    Add(Box<Add>),
    /// Accepts a further deployment of a platform that is connected.
    Deployment {
        /// The company.
        #[arg(long)]
        tenant: String,
        /// The platform's id, as `platform list` shows it.
        #[arg(long)]
        platform: String,
        /// The deployment.
        #[arg(long)]
        deployment_id: String,
    },
    /// What is connected: id, name, issuer, client id, login key, policy, deployments.
    List {
        /// The company.
        #[arg(long)]
        tenant: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// The company.
    #[arg(long)]
    tenant: String,
    /// The platform's issuer, to the letter.
    #[arg(long)]
    issuer: String,
    /// Our client id there.
    #[arg(long)]
    client_id: String,
    /// OIDC authorization endpoint.
    #[arg(long)]
    auth_url: Url,
    /// Token endpoint.
    #[arg(long)]
    token_url: Url,
    /// Key set.
    #[arg(long)]
    jwks_url: Url,
    /// The assertion's audience, where it is not the token endpoint.
    #[arg(long)]
    token_aud: Option<String>,
    /// A deployment to accept; may be given several times.
    #[arg(long = "deployment-id")]
    deployment_ids: Vec<String>,
    /// What to do with a deployment that is not listed (default: closed when some are listed, else first).
    #[arg(long)]
    deployments: Option<Policy>,
    /// A further origin that the platform's services live on; may be given several times.
    #[arg(long = "service-origin")]
    service_origins: Vec<Url>,
    /// A name for people.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Policy {
    /// Refuse it.
    Closed,
    /// Take the first that arrives, then refuse others.
    First,
    /// Take any.
    Open,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<()> {
    let app = super::open(settings).await?;
    match command {
        Command::Add(add) => {
            let platform = connect(&app, *add).await?;
            println!("{}", platform.id);
            eprint!("{}", told(&app, &platform));
        }
        Command::Deployment {
            tenant,
            platform,
            deployment_id,
        } => {
            let tenant = super::find_tenant(&app, &tenant).await?;
            let all = app.db.list_platforms(&tenant.id).await?;
            let found = all.iter().find(|p| p.id.as_str() == platform);
            let found = found
                .context("this tenant has no platform of that id: see passmuster platform list")?;
            let mut tx = app.db.begin_write().await?;
            tx.put_deployment(&found.id, &deployment_id, app.now())
                .await?;
            tx.commit().await?;
            eprintln!("Deployment accepted.");
        }
        Command::List { tenant } => {
            let tenant = super::find_tenant(&app, &tenant).await?;
            for p in app.db.list_platforms(&tenant.id).await? {
                let deployments = app.db.list_deployments(&p.id).await?.join(",");
                println!(
                    "{}\t{}\t{}\t{}\t{}\t{}\t{deployments}",
                    p.id,
                    p.name,
                    p.issuer,
                    p.client_id,
                    p.key,
                    p.deployments.as_str()
                );
            }
        }
    }
    Ok(())
}

async fn connect(app: &App, add: Add) -> Result<Platform> {
    let tenant = super::find_tenant(app, &add.tenant).await?;
    for url in [&add.auth_url, &add.token_url, &add.jwks_url]
        .into_iter()
        .chain(&add.service_origins)
    {
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
            bail!("{url} must be https (plain http is for this machine only)");
        }
    }
    let deployments = match add.deployments {
        Some(Policy::Open) => DeploymentPolicy::Open,
        Some(Policy::First) => DeploymentPolicy::PinnedAtFirstUse,
        None if add.deployment_ids.is_empty() => DeploymentPolicy::PinnedAtFirstUse,
        Some(Policy::Closed) | None => DeploymentPolicy::Closed,
    };
    let now = app.now();
    let platform = Platform {
        id: PlatformId::new(now, &*app.entropy),
        tenant_id: tenant.id,
        key: hex(&entropy::bytes::<8>(&*app.entropy)),
        name: add.name.unwrap_or_else(|| add.issuer.clone()),
        issuer: add.issuer,
        client_id: add.client_id,
        auth_url: add.auth_url,
        token_url: add.token_url,
        token_aud: add.token_aud,
        jwks_url: add.jwks_url,
        deployments,
        service_origins: add
            .service_origins
            .iter()
            .map(|u| u.origin().ascii_serialization())
            .collect(),
    };
    let mut tx = app.db.begin_write().await?;
    match tx.add_platform(&platform, now).await {
        Err(e) if e.is_conflict() => {
            bail!("this tenant has a platform with that issuer and client id already")
        }
        other => other?,
    }
    for id in &add.deployment_ids {
        tx.put_deployment(&platform.id, id, now).await?;
    }
    tx.commit().await?;
    Ok(platform)
}

/// What to type into the LMS.
fn told(app: &App, platform: &Platform) -> String {
    format!(
        "Connected. In the LMS, set:\n  login (initiation) URL   {}\n    or, where issuers are shared   {}\n  \
         redirect URL             {}\n  target link (tool) URL   {}\n  key set (JWKS) URL       {}\n  \
         custom parameter         passmuster_course=owasp-top10-2025\n",
        app.url("lti/login"),
        app.url(&format!("lti/login/{}", platform.key)),
        app.url("lti/launch"),
        app.url("lti/launch"),
        app.url("lti/jwks.json"),
    )
}
