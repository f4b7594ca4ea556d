//! `passmuster demo`: service, demo company and demo LMS in one process, on this machine only. The LMS is under
//! `localhost` and the tool under `127.0.0.1`, so that the frame is cross-site, as for real users.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::app::App;
use crate::config::Settings;
use crate::demo::lms::{LinkSeed, Lms, LmsConfig};
use crate::entropy::{self, Entropy, OsEntropy};
use crate::ids::{PlatformId, TenantId};
use crate::lti::platform::{DeploymentPolicy, Platform};
use crate::storage::Tenant;
use crate::time::SystemClock;

use super::serve::{serve, start_log, stop_on_signal};

const CLIENT_ID: &str = "passmuster-demo";
const DEPLOYMENT: &str = "1";

/// Example: passmuster demo --data demo-data
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the tool listens; the demo LMS takes the next port. Loopback only.
    #[arg(long, default_value = "127.0.0.1:7100")]
    listen: SocketAddr,
    /// Where the demo keeps its files.
    #[arg(long, default_value = "passmuster-demo")]
    data: PathBuf,
    /// Another database than the SQLite file in the data folder.
    #[arg(long)]
    database_url: Option<String>,
    /// What is logged.
    #[arg(long, default_value = "warn")]
    log: String,
}

pub(super) async fn run(args: Args) -> Result<()> {
    if !args.listen.ip().is_loopback() {
        bail!("the demo listens on this machine only: give a loopback address");
    }
    start_log(&args.log);
    fs::create_dir_all(&args.data)
        .with_context(|| format!("{} cannot be made", args.data.display()))?;
    // Absolute, so that the printed commands work from any folder.
    let data = args.data.canonicalize()?;
    let tool = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("{} is taken", args.listen))?;
    let tool_at = tool.local_addr()?;
    let lms_port = if args.listen.port() == 0 {
        0
    } else {
        tool_at.port().saturating_add(1)
    };
    let lms_at = SocketAddr::from((Ipv4Addr::LOCALHOST, lms_port));
    let lms_listener = TcpListener::bind(lms_at)
        .await
        .with_context(|| format!("{lms_at} is taken"))?;
    let lms_url = format!("http://localhost:{}/", lms_listener.local_addr()?.port());

    let database_url = args
        .database_url
        .unwrap_or_else(|| format!("sqlite://{}", data.join("passmuster.db").display()));
    let secret_file = secret_file(&data)?;
    let settings = Settings {
        database_url: database_url.clone(),
        listen: tool_at,
        public_url: Some(format!("http://{tool_at}/")),
        secret_key_file: Some(secret_file.clone()),
        fetch_allow: "localhost,127.0.0.1".to_owned(),
        ..Settings::default()
    };
    let app = super::open(&settings).await?;
    let lms = demo_lms(&app, &lms_url, &data)?;
    connect(&app, &lms).await?;
    let config_file = data.join("passmuster.toml");
    fs::write(&config_file, config_text(&settings, &secret_file))
        .context("the demo's settings cannot be written")?;

    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let lms_stop = stop.clone();
    let router = lms.router();
    let lms_task = tokio::spawn(async move {
        axum::serve(lms_listener, router)
            .with_graceful_shutdown(async move { lms_stop.cancelled().await })
            .await
    });
    println!("{}", told(&lms_url, &app, &config_file));
    serve(app, tool, stop).await?;
    lms_task.await??;
    Ok(())
}

fn demo_lms(app: &App, lms_url: &str, data: &Path) -> Result<Lms> {
    let link =
        |key: &str, title: &str, course: &str, module: Option<&str>, description: &str| LinkSeed {
            key: key.to_owned(),
            title: title.to_owned(),
            course: course.to_owned(),
            module: module.map(str::to_owned),
            description: description.to_owned(),
        };
    let links = vec![
        link(
            "phishing",
            "General Security Awareness",
            "general-security-awareness",
            None,
            "A whole course with one module: the quickest way to a certificate.",
        ),
        link(
            "owasp",
            "OWASP Top 10:2025",
            "owasp-top10-2025",
            None,
            "A whole course with three modules, for people who write software.",
        ),
        link(
            "injection",
            "Injection only",
            "owasp-top10-2025",
            Some("a05-injection"),
            "One module as an activity of its own, with its own grade column.",
        ),
    ];
    let config = LmsConfig {
        base_url: Url::parse(lms_url)?,
        tool_login_url: Url::parse(&app.url("lti/login"))?,
        tool_launch_url: Url::parse(&app.url("lti/launch"))?,
        tool_jwks_url: Url::parse(&app.url("lti/jwks.json"))?,
        client_id: CLIENT_ID.to_owned(),
        deployment_id: DEPLOYMENT.to_owned(),
        links,
        state_file: Some(data.join("demo-lms.json")),
    };
    Ok(Lms::open(
        config,
        Arc::new(SystemClock),
        Arc::new(OsEntropy),
    )?)
}

/// The demo company and its platform; harmless when they are there.
async fn connect(app: &App, lms: &Lms) -> Result<()> {
    let now = app.now();
    let tenant = if let Some(tenant) = app.db.find_tenant_by_slug("demo").await? {
        tenant
    } else {
        let tenant = Tenant {
            id: TenantId::new(now, &*app.entropy),
            slug: "demo".to_owned(),
            name: "Demo Company".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        let mut tx = app.db.begin_write().await?;
        tx.add_tenant(&tenant, now).await?;
        tx.commit().await?;
        tenant
    };
    let known = app.db.list_platforms(&tenant.id).await?;
    if known
        .iter()
        .any(|p| p.issuer == lms.issuer() && p.client_id == CLIENT_ID)
    {
        return Ok(());
    }
    let platform = Platform {
        id: PlatformId::new(now, &*app.entropy),
        tenant_id: tenant.id,
        key: crate::crypto::hex(&entropy::bytes::<8>(&*app.entropy)),
        issuer: lms.issuer().to_owned(),
        client_id: CLIENT_ID.to_owned(),
        auth_url: lms.auth_url(),
        token_url: lms.token_url(),
        token_aud: None,
        jwks_url: lms.jwks_url(),
        deployments: DeploymentPolicy::Closed,
        service_origins: Vec::new(),
        name: "Demo LMS".to_owned(),
    };
    let mut tx = app.db.begin_write().await?;
    tx.add_platform(&platform, now).await?;
    tx.put_deployment(&platform.id, DEPLOYMENT, now).await?;
    tx.commit().await?;
    Ok(())
}

/// The demo's own secret key, made once, readable by its owner only.
fn secret_file(data: &Path) -> Result<PathBuf> {
    let file = data.join("secret.key");
    if !file.exists() {
        let mut bytes = [0; 32];
        OsEntropy.fill(&mut bytes);
        write_private(&file, &crate::crypto::hex(&bytes))
            .context("the demo's secret key cannot be written")?;
    }
    Ok(file)
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(file)?.write_all(text.as_bytes())
}

fn config_text(settings: &Settings, secret_file: &Path) -> String {
    let quoted = |text: String| toml::Value::String(text).to_string();
    format!(
        "# Written by passmuster demo, for the other commands.\ndatabase_url = {}\npublic_url = {}\nsecret_key_file = {}\n\
         fetch_allow = \"localhost,127.0.0.1\"\n",
        quoted(settings.database_url.clone()),
        quoted(settings.public_url.clone().unwrap_or_default()),
        quoted(secret_file.display().to_string()),
    )
}

fn told(lms_url: &str, app: &App, config_file: &Path) -> String {
    let config = config_file.display();
    format!(
        "Passmuster demo: everything here is made up, and on this machine only.\n\n  \
         Demo LMS    {lms_url}\n  Passmuster  {}\n\n\
         Try this:\n  \
         1. Open the demo LMS and choose a learner; open \"General Security Awareness\" in the frame.\n  \
         2. Read, take the quiz, fail it once, take it again; then sign the statement and look at the certificate.\n  \
         3. Go back to the demo LMS as the teacher: the gradebook has the score.\n  \
         4. In another terminal, pull the record:\n     \
         passmuster --config {config} report completions --tenant demo --profile short\n     \
         passmuster --config {config} report attempts --tenant demo\n     \
         passmuster --config {config} ledger check --tenant demo\n\n\
         (From a checkout: cargo run --quiet -- --config {config} report completions --tenant demo)\n\
         Stop with Ctrl-C; what was recorded stays in the data folder.",
        app.public_url
    )
}
