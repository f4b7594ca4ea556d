//! Scores and results (AGS 2.0 §3.3, §3.4).

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::service::{self, Members, Note, Query, Refusal};
use super::state::Grade;
use super::vocab::{SCOPE_RESULT, SCOPE_SCORE, TYPE_RESULTS, TYPE_SCORE};
use super::{Lms, ags, people};
use crate::time::Timestamp;

const ACTIVITY: [&str; 5] = [
    "Initialized",
    "Started",
    "InProgress",
    "Submitted",
    "Completed",
];
const GRADING: [&str; 5] = [
    "FullyGraded",
    "Pending",
    "PendingManual",
    "Failed",
    "NotReady",
];

/// A score as the tool sent it, checked.
struct Score {
    sub: &'static str,
    at: Timestamp,
    /// Given and maximum.
    points: Option<(f64, f64)>,
    comment: String,
    activity: String,
    grading: String,
}

/// `POST …/lineitem/scores`
pub(super) async fn receive(
    State(lms): State<Lms>,
    Path((course, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_SCORE])?;
    service::in_course(&course, &Query::read(query.as_deref()))?;
    service::content_type(&headers, TYPE_SCORE)?;
    let score = read_score(&body)?;
    let note = lms.0.store.change(|s| {
        let item = s.line_item(&id).ok_or_else(ags::no_line_item)?;
        let old = s.grade(&id, score.sub);
        // In whole seconds, as Moodle compares.
        if old.is_some_and(|g| score.at.as_secs() <= g.at.as_secs()) {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "timestamp",
                "timestamp is not later than that of the grade kept here",
            ));
        }
        let graded = score.points.filter(|_| score.grading == "FullyGraded");
        let points = graded.map(|(given, maximum)| round(given / maximum * item.maximum));
        let mut grade = Grade {
            item_id: id.clone(),
            sub: score.sub.to_owned(),
            score: points,
            comment: score.comment,
            activity: score.activity,
            grading: score.grading,
            at: score.at,
            overridden: false,
        };
        let note = match (old, points) {
            (Some(kept), _) if kept.overridden => {
                grade.score = kept.score;
                grade.comment.clone_from(&kept.comment);
                grade.overridden = true;
                "taken, but the teacher's grade stands".to_owned()
            }
            (_, Some(points)) => format!("grade set: {points} of {}", item.maximum),
            (Some(Grade { score: Some(_), .. }), None) => format!(
                "grade erased: {} with {}",
                grade.grading,
                if score.points.is_some() {
                    "a score"
                } else {
                    "no score"
                }
            ),
            (_, None) => format!("no grade yet: {} {}", grade.activity, grade.grading),
        };
        s.put_grade(grade);
        Ok(note)
    })?;
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(Note(note));
    Ok(response)
}

/// `GET …/lineitem/results`
pub(super) async fn results(
    State(lms): State<Lms>,
    Path((course, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    lms.allow(&headers, &[SCOPE_RESULT])?;
    let query = Query::read(query.as_deref());
    service::in_course(&course, &query)?;
    service::accept(&headers, TYPE_RESULTS, true)?;
    let item_url = lms.line_item_url(&id);
    let (path, _) = item_url.split_once('?').unwrap_or((&item_url, ""));
    let wanted = query.get("user_id");
    let all: Vec<Value> = lms.0.store.read(|s| {
        let item = s.line_item(&id).ok_or_else(ags::no_line_item)?;
        let grades = s
            .grades
            .iter()
            .filter(|g| g.item_id == id && wanted.is_none_or(|w| w == g.sub));
        Ok::<_, Refusal>(
            grades
                .map(|g| {
                    let mut result = json!({
                        "id": format!("{path}/results/{}?type_id=1", g.sub),
                        "scoreOf": item_url, "userId": g.sub, "resultMaximum": item.maximum,
                    });
                    if let Some(score) = g.score {
                        result["resultScore"] = json!(score);
                    }
                    if !g.comment.is_empty() {
                        result["comment"] = json!(g.comment);
                    }
                    result
                })
                .collect(),
        )
    })?;
    let (page, next) = query.page(all, &format!("{path}/results"))?;
    let note = format!("{} results", page.len());
    let mut response = service::answer(StatusCode::OK, TYPE_RESULTS, &json!(page), note);
    if let Some(link) = next {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn read_score(body: &[u8]) -> Result<Score, Refusal> {
    let members = Members::read(body)?;
    let one_of = |name: &str, words: &[&str]| {
        let word = members.need_text(name)?;
        if words.contains(&word) {
            return Ok(word.to_owned());
        }
        Err(Refusal::bad(format!(
            "{name} must be one of {}",
            words.join(", ")
        )))
    };
    let activity = one_of("activityProgress", &ACTIVITY)?;
    let grading = one_of("gradingProgress", &GRADING)?;
    let at = moment(members.need_text("timestamp")?)
        .ok_or_else(|| Refusal::bad("timestamp must be an ISO 8601 moment with its time zone"))?;
    let points = match (
        members.number("scoreGiven")?,
        members.number("scoreMaximum")?,
    ) {
        (None, None) => None,
        (Some(given), _) if given < 0.0 => {
            return Err(Refusal::bad("scoreGiven must not be below 0"));
        }
        (_, Some(maximum)) if maximum <= 0.0 => {
            return Err(Refusal::bad("scoreMaximum must be above 0"));
        }
        (Some(_), None) => return Err(Refusal::bad("scoreMaximum must come with scoreGiven")),
        (given, maximum) => given.zip(maximum),
    };
    let person = people::by_sub(members.need_text("userId")?)
        .ok_or_else(|| Refusal::bad("userId is nobody in this course"))?;
    if person.teacher {
        return Err(Refusal::bad("userId is no learner here: not gradable"));
    }
    Ok(Score {
        sub: person.sub,
        at,
        points,
        comment: members.text("comment")?.unwrap_or_default().to_owned(),
        activity,
        grading,
    })
}

/// A moment with its zone; without one it could be any hour of the day.
fn moment(text: &str) -> Option<Timestamp> {
    let plain = text.contains('T') && !text.contains('[');
    let moment = text.parse::<jiff::Timestamp>().ok().filter(|_| plain)?;
    Some(Timestamp::from_ms(moment.as_millisecond()))
}

/// Five places, as Moodle keeps.
pub(super) fn round(points: f64) -> f64 {
    (points * 100_000.0).round() / 100_000.0
}
