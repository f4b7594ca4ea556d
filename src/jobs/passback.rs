//! Delivers scores (AGS 2.0 §3.4): takes what is due, sends, records what it came to. Survives restarts, since what
//! waits is in the database; repeats do no harm, since a later timestamp carries the same or a better score.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::entropy;
use crate::lti::ags::{self, AgsError, Next, Points, Score, ScoresUrl};
use crate::lti::token_error::TokenError;
use crate::lti::vocab;
use crate::storage::{self, DueScore, KeyPurpose, Outcome};

/// How long a worker may hold a score before another takes it over.
const LEASE: Duration = Duration::from_mins(2);
/// Scores taken at once.
const BATCH: i64 = 8;
/// After this many failed tries a score is parked and shown.
const MAX_TRIES: i64 = 40;

/// Works until told to stop. Wakes when a score is queued, when one is due again, and every minute.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match deliver_due(&app).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!(%error, "scores could not be taken from storage"),
        }
        let pause = match app.db.next_passback_at().await {
            Ok(Some(at)) => at
                .as_ms()
                .saturating_sub(app.now().as_ms())
                .clamp(50, 60_000),
            _ => 60_000,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.passback_bell.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(pause.unsigned_abs())) => {}
        }
    }
}

/// Sends what is due once; tells how many were taken.
pub async fn deliver_due(app: &App) -> storage::Result<usize> {
    let now = app.now();
    let mut tx = app.db.begin_write().await?;
    let due = tx.claim_due_scores(BATCH, now.plus(LEASE), now).await?;
    tx.commit().await?;
    for score in &due {
        let outcome = match send(app, score).await {
            Ok(()) => Outcome::Delivered,
            Err(error) => settle(app, score, &error),
        };
        if let Outcome::Retry { code, .. } | Outcome::Parked { code } = &outcome {
            tracing::warn!(passback.id = %score.id, tenant.id = %score.tenant_id, code, "a score was not delivered");
        }
        let mut tx = app.db.begin_write().await?;
        tx.settle_score(score, &outcome, app.now()).await?;
        tx.commit().await?;
    }
    Ok(due.len())
}

async fn send(app: &App, due: &DueScore) -> Result<(), AgsError> {
    let now = app.now();
    let Ok(Some(platform)) = app.db.find_platform(&due.platform_id).await else {
        return Err(AgsError::PlatformDown { after: None });
    };
    let url = ScoresUrl::new(&platform, due.line_item_url.as_deref())?;
    let key = app
        .keys
        .signing(KeyPurpose::Lti, now)
        .ok_or(AgsError::TokenRefused(TokenError::Signing))?;
    let hundredths = f64::from(i32::try_from(due.score_hundredths).unwrap_or(0));
    let points =
        Points::new(hundredths / 100.0, 100.0).ok_or(AgsError::Unexpected { status: 0 })?;
    let score = Score::graded(&due.sub, points, &due.comment, due.timestamp);
    let scopes = [vocab::scope::SCORE];
    for last in [false, true] {
        let token = app
            .tokens
            .get(&app.fetcher, &platform, &key, &scopes, now, &*app.entropy)
            .await?;
        match ags::post_score(&app.fetcher, &token, &url, &score, now).await {
            Err(e) if !last && e.next() == Next::NewToken => {
                app.tokens.forget(&platform, &scopes, &token).await;
            }
            other => return other,
        }
    }
    Err(AgsError::Unauthorized)
}

fn settle(app: &App, due: &DueScore, error: &AgsError) -> Outcome {
    let code = error.code();
    match error.next() {
        Next::Retry { after } if due.tries < MAX_TRIES => {
            let at = app
                .now()
                .plus(after.unwrap_or_default().max(backoff(app, due.tries)));
            Outcome::Retry { at, code }
        }
        Next::Conflict if due.tries < 3 => Outcome::Retry {
            at: app.now().plus(Duration::from_secs(2)),
            code,
        },
        _ => Outcome::Parked { code },
    }
}

/// 30 s, doubled with each try up to 6 h, and up to a fifth more by lot.
fn backoff(app: &App, tries: i64) -> Duration {
    let doubled = 30_000u64 << tries.clamp(0, 10).unsigned_abs();
    let capped = doubled.min(6 * 3600 * 1000);
    let lot = entropy::below(&*app.entropy, usize::try_from(capped / 5).unwrap_or(1));
    Duration::from_millis(capped + lot as u64)
}
