//! Assignment and Grade Services 2.0: sending a score (§3.4).
//!
//! One try: what a refusal means is said by [`AgsError::next`], when to try again is for the outbox to decide. A 2xx
//! means "accepted", which a platform may follow by silently keeping a newer grade.

use std::time::Duration;

use url::Url;

pub use super::score::{ActivityProgress, GradingProgress, Points, Score};
use super::{
    help::{self, Help, helped},
    platform::Platform,
    token::{AccessToken, TokenError},
    vocab::media,
};
use crate::{
    net::{FetchError, Fetcher, Response},
    time::Timestamp,
};

/// The longest `Retry-After` that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Why a score was not accepted. No variant holds anything about the person or the platform's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgsError {
    /// The launch named no line item.
    #[error("there is no line item for this activity")]
    NoLineItem,
    /// The line item's address is not on the platform.
    #[error("the line item is not on an address of this platform")]
    ForeignOrigin,
    /// No access token.
    #[error("no access token: {0}")]
    TokenRefused(TokenError),
    /// 401: the access token is not valid (any more).
    #[error("the platform does not accept the access token")]
    Unauthorized,
    /// 403: not allowed.
    #[error("the platform does not allow scores from this tool")]
    Forbidden,
    /// 404, 410: the line item is gone.
    #[error("the line item does not exist any more")]
    LineItemGone,
    /// 409: the platform holds a grade of the same second or newer.
    #[error("the platform holds a newer grade")]
    Conflict,
    /// 400, 412, 422: this person cannot be graded there.
    #[error("the platform cannot grade this person here")]
    NotGradable {
        /// The HTTP status.
        status: u16,
    },
    /// 429, or Canvas' 403 for it.
    #[error("the platform asks to slow down")]
    RateLimited {
        /// How long it asks to wait, when it says so.
        after: Option<Duration>,
    },
    /// 5xx, no answer, or a broken one: the score may have arrived all the same.
    #[error("the platform does not answer")]
    PlatformDown {
        /// How long it asks to wait, when it says so.
        after: Option<Duration>,
    },
    /// The address may not be called.
    #[error("the line item's address may not be called: {0}")]
    ForbiddenAddress(FetchError),
    /// Any other status.
    #[error("the platform answered with status {status}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
}

/// What to do about a score that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again later, with a newer timestamp (a timed-out try may have succeeded).
    Retry {
        /// What the platform asked for; `None` leaves it to our own pacing.
        after: Option<Duration>,
    },
    /// Forget the access token, and try once more with a new one; a second time it is for good.
    NewToken,
    /// The platform holds a grade of the same second or newer: read the result, then either done or again with a
    /// later timestamp.
    Conflict,
    /// It cannot arrive as things are: park it, and show the cause.
    Permanent {
        /// The stable code.
        code: &'static str,
    },
}

impl AgsError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLineItem => "ags.no_line_item",
            Self::ForeignOrigin => "ags.foreign_origin",
            Self::TokenRefused(_) => "ags.token_refused",
            Self::Unauthorized => "ags.unauthorized",
            Self::Forbidden => "ags.forbidden",
            Self::LineItemGone => "ags.line_item_gone",
            Self::Conflict => "ags.conflict",
            Self::NotGradable { .. } => "ags.not_gradable",
            Self::RateLimited { .. } => "ags.rate_limited",
            Self::PlatformDown { .. } => "ags.platform_down",
            Self::ForbiddenAddress(_) => "ags.forbidden_address",
            Self::Unexpected { .. } => "ags.unexpected",
        }
    }

    /// What to do now.
    #[must_use]
    pub const fn next(&self) -> Next {
        match self {
            Self::RateLimited { after } | Self::PlatformDown { after } => {
                Next::Retry { after: *after }
            }
            Self::TokenRefused(e) if e.is_temporary() => Next::Retry { after: None },
            Self::Unauthorized => Next::NewToken,
            Self::Conflict => Next::Conflict,
            _ => Next::Permanent { code: self.code() },
        }
    }
}

impl From<TokenError> for AgsError {
    fn from(e: TokenError) -> Self {
        Self::TokenRefused(e)
    }
}

helped!(AgsError, HELP);

/// Every code that sending a score can end with.
pub const ALL_CODES: &[&str] = &help::codes::<{ HELP.len() }>(HELP);

/// What people are told, by code.
#[rustfmt::skip]
pub const HELP: &[Help] = &[
    Help::new("ags.no_line_item", "The activity has no grade column",
        "The LMS told of no line item for this activity, so there is nowhere to send a score to. The record here is complete all the same.",
        "Switch grading on for the activity (Moodle: 'Accept grades from the tool'), or place it again through the content picker; then launch it once more."),
    Help::new("ags.foreign_origin", "The grade column is on a foreign address",
        "The line item's address is not on this LMS. Scores and access tokens are sent only to addresses that were pinned when the LMS was connected.",
        "If the LMS serves its API from another host, ask the operator to add that origin to the registration; otherwise look into who changed the activity."),
    Help::new("ags.token_refused", "The LMS gave no access",
        "Before a score is sent, the LMS must give an access token. It did not.",
        "Compare token URL, client ID and key set URL with the LMS's tool settings; the service's log names the token's code."),
    Help::new("ags.unauthorized", "The LMS does not accept our access",
        "A fresh access token was refused. Some LMSs answer so when the tool may not use this line item.",
        "In the LMS's tool settings, allow grade synchronisation, and check that the activity still belongs to this tool; then launch it once more."),
    Help::new("ags.forbidden", "The LMS does not allow scores from this tool",
        "The tool lacks the right to send scores, or is switched off.",
        "Allow the assignment and grade services for this tool in the LMS; the score is sent again at the person's next launch."),
    Help::new("ags.line_item_gone", "The grade column is gone",
        "The line item does not exist any more: the activity was deleted or moved, or the course is closed.",
        "If it was deleted on purpose, nothing. Otherwise place the activity again; the score is sent at the next launch."),
    Help::new("ags.conflict", "The gradebook is newer",
        "The LMS holds a grade of the same second or later, often one that a teacher has entered.",
        "Nothing, if the gradebook is right. To let our score count, remove the teacher's override; the score is sent again at the person's next launch."),
    Help::new("ags.not_gradable", "The LMS cannot grade this person here",
        "The LMS refused the score for good: the person is no longer enrolled, is no learner in this course, has no attempts left, or the course has ended.",
        "Check the person's enrolment and role in the course; the score is sent again at their next launch."),
    Help::new("ags.rate_limited", "The LMS asks to slow down",
        "The LMS receives more requests than it wants to answer.",
        "Nothing: the score is sent again later."),
    Help::new("ags.platform_down", "The LMS does not answer",
        "The LMS cannot be reached, or fails.",
        "Nothing, if the LMS is down: the score is kept and sent again. If it lasts, see whether the grade is locked."),
    Help::new("ags.forbidden_address", "The grade column's address may not be called",
        "The line item's address is not https, or lies on a network that this server may not call.",
        "An LMS on a private network must be named in PASSMUSTER_FETCH_ALLOW."),
    Help::new("ags.unexpected", "The LMS answered in an unforeseen way",
        "The answer to a score was neither an acceptance nor a refusal that is known here.",
        "Send this code and the status beside it to the operator of this service."),
];

/// Where scores for a line item go: its path plus `/scores`, its query kept (AGS 2.0 §3.4.4).
#[must_use]
pub fn scores_url(line_item: &str) -> Option<Url> {
    let mut url = Url::parse(line_item).ok()?;
    url.set_fragment(None);
    url.path_segments_mut().ok()?.pop_if_empty().push("scores");
    Some(url)
}

/// The address for scores, on an origin that may receive our access tokens. The only way to make one is to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoresUrl(Url);

impl ScoresUrl {
    /// For the line item that a launch named, if it is on the platform itself.
    pub fn new(platform: &Platform, line_item: Option<&str>) -> Result<Self, AgsError> {
        let url = scores_url(line_item.ok_or(AgsError::NoLineItem)?).ok_or(AgsError::NoLineItem)?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || !platform.may_receive_tokens(&url) {
            return Err(AgsError::ForeignOrigin);
        }
        Ok(Self(url))
    }

    /// The address.
    #[must_use]
    pub const fn as_url(&self) -> &Url {
        &self.0
    }
}

/// Posts one score, once.
pub async fn post_score(
    fetcher: &Fetcher,
    token: &AccessToken,
    url: &ScoresUrl,
    score: &Score,
    now: Timestamp,
) -> Result<(), AgsError> {
    let body = score.to_json();
    let answer = fetcher
        .post(
            &url.0,
            media::SCORE,
            media::SCORE,
            Some(token.reveal()),
            body.as_bytes(),
        )
        .await;
    match answer {
        Ok(answer) => judge(&answer, now),
        // The status was read, the body is beside the point: it may have arrived.
        Err(FetchError::TooLarge) => Err(AgsError::PlatformDown { after: None }),
        Err(e) if e.is_temporary() => Err(AgsError::PlatformDown { after: None }),
        Err(e) => Err(AgsError::ForbiddenAddress(e)),
    }
}

fn judge(answer: &Response, now: Timestamp) -> Result<(), AgsError> {
    let after = || {
        answer
            .retry_after
            .as_deref()
            .and_then(|t| retry_after(t, now))
    };
    Err(match answer.status {
        200..=299 => return Ok(()),
        400 | 412 | 422 => AgsError::NotGradable {
            status: answer.status,
        },
        401 => AgsError::Unauthorized,
        403 if is_canvas_rate_limit(answer) => AgsError::RateLimited { after: after() },
        403 => AgsError::Forbidden,
        404 | 410 => AgsError::LineItemGone,
        409 => AgsError::Conflict,
        429 => AgsError::RateLimited { after: after() },
        408 | 500..=599 => AgsError::PlatformDown { after: after() },
        status => AgsError::Unexpected { status },
    })
}

/// Canvas throttles with 403 and says so in the body or in a header.
fn is_canvas_rate_limit(answer: &Response) -> bool {
    let empty = |left: &str| left.trim().parse::<f64>().is_ok_and(|n| n <= 0.0);
    answer.rate_limit_remaining.as_deref().is_some_and(empty)
        || String::from_utf8_lossy(&answer.body).contains("Rate Limit Exceeded")
}

/// `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let wait = if let Ok(seconds) = text.trim().parse() {
        Duration::from_secs(seconds)
    } else {
        let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        let ms = date.timestamp().as_millisecond() - now.as_ms();
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entropy::SeededEntropy,
        lti::{
            testing::{NOW, Server, fetcher, key_a, platform, platform_on},
            token::TokenCache,
            vocab::scope,
        },
    };

    #[test]
    fn scores_go_before_the_query() {
        for (line_item, want) in [
            (
                "https://m.example/mod/lti/services.php/2/lineitems/7/lineitem?type_id=3",
                "https://m.example/mod/lti/services.php/2/lineitems/7/lineitem/scores?type_id=3",
            ),
            ("https://c.example/li/5", "https://c.example/li/5/scores"),
            ("https://c.example/li/5/", "https://c.example/li/5/scores"),
            (
                "https://c.example/l%2Fi?a=%20b&c=#f",
                "https://c.example/l%2Fi/scores?a=%20b&c=",
            ),
        ] {
            assert_eq!(scores_url(line_item).unwrap().as_str(), want);
        }
        assert!(scores_url("mailto:x@y.example").is_none());
        assert!(scores_url("/li/5").is_none());
    }

    #[test]
    fn tokens_go_to_the_platform_only() {
        let mut p = platform();
        let code = |p: &Platform, li| ScoresUrl::new(p, li).map_err(|e| e.code());
        assert!(code(&p, Some("https://p.example/li/1")).is_ok());
        assert_eq!(code(&p, None).unwrap_err(), "ags.no_line_item");
        assert_eq!(code(&p, Some("nonsense")).unwrap_err(), "ags.no_line_item");
        for foreign in [
            "https://evil.example/li/1",
            "http://p.example/li/1",
            "https://p.example:8443/li/1",
            "https://p.example@evil.example/li/1",
            "https://user@p.example/li/1",
        ] {
            assert_eq!(code(&p, Some(foreign)).unwrap_err(), "ags.foreign_origin");
        }
        p.service_origins.push("https://api.p.example".into());
        assert!(code(&p, Some("https://api.p.example/li/1")).is_ok());
    }

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            body: body.as_bytes().to_vec().into(),
            ..Response::default()
        }
    }

    #[test]
    fn each_status_has_its_meaning() {
        let retry = Next::Retry { after: None };
        let for_good = |code| Next::Permanent { code };
        for (status, body, code, next) in [
            (400, "{}", "ags.not_gradable", for_good("ags.not_gradable")),
            (401, "", "ags.unauthorized", Next::NewToken),
            (403, "", "ags.forbidden", for_good("ags.forbidden")),
            (
                403,
                "403 Forbidden (Rate Limit Exceeded)",
                "ags.rate_limited",
                retry,
            ),
            (
                404,
                "",
                "ags.line_item_gone",
                for_good("ags.line_item_gone"),
            ),
            (409, "", "ags.conflict", Next::Conflict),
            (412, "", "ags.not_gradable", for_good("ags.not_gradable")),
            (415, "", "ags.unexpected", for_good("ags.unexpected")),
            (422, "", "ags.not_gradable", for_good("ags.not_gradable")),
            (429, "", "ags.rate_limited", retry),
            (302, "", "ags.unexpected", for_good("ags.unexpected")),
            (500, "", "ags.platform_down", retry),
            (503, "", "ags.platform_down", retry),
        ] {
            let error = judge(&answer(status, body), NOW).unwrap_err();
            assert_eq!((error.code(), error.next()), (code, next), "{status}");
        }
        for status in [200, 201, 202, 204] {
            assert!(judge(&answer(status, ""), NOW).is_ok());
        }
        let mut canvas = answer(403, "");
        canvas.rate_limit_remaining = Some("0.0".into());
        assert_eq!(judge(&canvas, NOW).unwrap_err().next(), retry);
        let down = AgsError::from(TokenError::PlatformDown);
        assert_eq!(down.next(), retry);
        let refused = AgsError::from(TokenError::InvalidClient);
        assert_eq!(refused.next(), for_good("ags.token_refused"));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let at = |text| retry_after(text, NOW).map(|d| d.as_secs());
        assert_eq!(at("7"), Some(7));
        assert_eq!(at("Mon, 23 Nov 2026 04:36:00 GMT"), Some(60));
        assert_eq!(at("Sun, 22 Nov 2026 04:36:00 GMT"), Some(0));
        assert_eq!(at("99999999"), Some(86400));
        assert_eq!(at("soon"), None);
    }

    #[test]
    fn every_code_has_its_text() {
        use AgsError as E;
        let after = None;
        let all = [
            E::NoLineItem,
            E::ForeignOrigin,
            E::TokenRefused(TokenError::Signing),
            E::Unauthorized,
            E::Forbidden,
            E::LineItemGone,
            E::Conflict,
            E::NotGradable { status: 400 },
            E::RateLimited { after },
            E::PlatformDown { after },
            E::ForbiddenAddress(FetchError::NotHttps),
            E::Unexpected { status: 418 },
        ];
        help::check_table(HELP, &all.map(|e| e.code()));
        assert_eq!(ALL_CODES.len(), all.len());
    }

    #[tokio::test]
    async fn a_score_goes_out_with_its_token_and_media_type() {
        let server = Server::start(|_, asked| match asked.line.as_str() {
            l if l.contains("/token") => ("200 OK", "", r#"{"access_token":"t-1"}"#.into()),
            l if l.contains("/gone") => ("404 Gone {\"userId\":\"canary\"}", "", "canary".into()),
            _ => ("200 OK", "", String::new()),
        });
        let (p, f, e) = (platform_on(&server), fetcher(), SeededEntropy::new([5; 32]));
        let token = TokenCache::default()
            .get(&f, &p, key_a(), &[scope::SCORE], NOW, &e)
            .await
            .unwrap();
        let score = Score::graded("canary", Points::new(9.5, 10.0).unwrap(), "ok", NOW);
        let url = |path: &str| ScoresUrl::new(&p, Some(server.url(path).as_str())).unwrap();
        post_score(&f, &token, &url("/li/7?type_id=3"), &score, NOW)
            .await
            .unwrap();
        let asked = &server.asked()[1];
        assert_eq!(asked.line, "POST /li/7/scores?type_id=3 HTTP/1.1\r\n");
        assert_eq!(asked.header("content-type"), Some(media::SCORE));
        assert_eq!(asked.header("accept"), Some(media::SCORE));
        assert_eq!(asked.header("authorization"), Some("Bearer t-1"));
        assert_eq!(asked.body, score.to_json());
        let error = post_score(&f, &token, &url("/gone"), &score, NOW)
            .await
            .unwrap_err();
        assert_eq!(error, AgsError::LineItemGone);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
