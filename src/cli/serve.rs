//! `passmuster serve`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::config::Settings;
use crate::jobs::passback;
use crate::storage;
use crate::web;

/// Example: PASSMUSTER_SECRET_KEY_FILE=secret.key PASSMUSTER_PUBLIC_URL=<https://train.example.com> passmuster serve
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen (default: 127.0.0.1:7100).
    #[arg(long)]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(mut settings: Settings, args: Args) -> Result<()> {
    if let Some(listen) = args.listen {
        settings.listen = listen;
    }
    start_log(&settings.log);
    let app = super::open(&settings).await?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("{} is taken", settings.listen))?;
    tracing::info!(listen = %listener.local_addr()?, public_url = %app.public_url, "ready");
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    serve(app, listener, stop).await
}

/// Starts the log on standard error.
pub(super) fn start_log(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Serves until told to stop: requests under way are finished, scores under way are settled.
pub(super) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<()> {
    let worker = tokio::spawn(passback::run(Arc::clone(&app), stop.clone()));
    let house = tokio::spawn(housekeeping(Arc::clone(&app), stop.clone()));
    let router = web::router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    let end = stop.clone();
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { end.cancelled().await })
        .await?;
    stop.cancel();
    let _ = tokio::time::timeout(Duration::from_secs(15), async {
        tokio::join!(worker, house)
    })
    .await;
    app.db.close().await;
    Ok(())
}

async fn forget_ended(app: &App) -> storage::Result<()> {
    let mut tx = app.db.begin_write().await?;
    tx.forget_ended(app.now()).await?;
    tx.commit().await
}

/// Each minute: keys rotated by another process are seen, ended logins and sessions go.
async fn housekeeping(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_mins(1)) => {}
        }
        if let Err(error) = forget_ended(&app).await {
            tracing::error!(%error, "ended logins and sessions could not be forgotten");
        }
        if let Err(error) = app.keys.reload(&app.db).await {
            tracing::error!(%error, "the signing keys could not be read again");
        }
    }
}

pub(super) async fn stop_on_signal(stop: CancellationToken) {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            stop.cancel();
            return;
        }
    }
    let _ = interrupt.await;
    stop.cancel();
}
