//! The score that goes into a platform's gradebook (AGS 2.0 §3.4).

use std::fmt;

use serde::Serialize;
use serde_json::Number;

use crate::time::Timestamp;

/// The longest comment, in bytes as sent.
pub const MAX_COMMENT: usize = 1024;

/// How far the person is (AGS 2.0 §3.4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActivityProgress {
    /// Nothing done, or reset.
    Initialized,
    /// Begun.
    Started,
    /// Being worked on.
    InProgress,
    /// Handed in, more may follow.
    Submitted,
    /// Done.
    Completed,
}

/// How far grading is (AGS 2.0 §3.4.8). Anything but `FullyGraded` erases a grade on Moodle and Canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum GradingProgress {
    /// Final.
    FullyGraded,
    /// A machine is at it.
    Pending,
    /// A human has to.
    PendingManual,
    /// It could not be graded.
    Failed,
    /// Nothing to grade yet.
    NotReady,
}

/// Points reached, of points possible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    given: f64,
    maximum: f64,
}

impl Points {
    /// Real points, not a fraction of 1: Moodle rounds them before it scales. `None` unless both are finite,
    /// `given` is at least 0 and `maximum` above 0.
    #[must_use]
    pub fn new(given: f64, maximum: f64) -> Option<Self> {
        let good = given.is_finite() && given >= 0.0 && maximum.is_finite() && maximum > 0.0;
        good.then_some(Self { given, maximum })
    }
}

/// One score for one person. Personal: its `Debug` shows neither person nor comment.
#[derive(Clone, PartialEq)]
pub struct Score {
    /// The `sub` of the launch.
    pub user_id: String,
    /// Strictly later than that of the last score for this line item and person, by a second for Moodle.
    pub timestamp: Timestamp,
    /// How far the person is.
    pub activity_progress: ActivityProgress,
    /// How far grading is.
    pub grading_progress: GradingProgress,
    /// Absent clears the earlier score.
    pub points: Option<Points>,
    /// Plain text that the learner sees; absent clears the earlier comment.
    pub comment: Option<String>,
    /// For Canvas: whether this is a new attempt, and not the same once more (other platforms ignore it).
    pub new_submission: Option<bool>,
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Score")
            .field("timestamp", &self.timestamp)
            .field("activity_progress", &self.activity_progress)
            .field("grading_progress", &self.grading_progress)
            .finish_non_exhaustive()
    }
}

impl Score {
    /// The final result of an attempt: the one kind that is safe to send after a grade.
    #[must_use]
    pub fn graded(user_id: &str, points: Points, comment: &str, timestamp: Timestamp) -> Self {
        Self {
            user_id: user_id.to_owned(),
            timestamp,
            activity_progress: ActivityProgress::Completed,
            grading_progress: GradingProgress::FullyGraded,
            points: Some(points),
            comment: Some(comment.to_owned()),
            new_submission: None,
        }
    }

    /// The body: one line of ASCII JSON. Moodle takes a refused score with line breaks for a success, and its
    /// explanations get lost when a byte over 127 is in them.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            user_id: &'a str,
            timestamp: String,
            activity_progress: ActivityProgress,
            grading_progress: GradingProgress,
            #[serde(skip_serializing_if = "Option::is_none")]
            score_given: Option<Number>,
            #[serde(skip_serializing_if = "Option::is_none")]
            score_maximum: Option<Number>,
            #[serde(skip_serializing_if = "Option::is_none")]
            comment: Option<String>,
            #[serde(
                rename = "https://canvas.instructure.com/lti/submission",
                skip_serializing_if = "Option::is_none"
            )]
            canvas: Option<Canvas>,
        }
        #[derive(Serialize)]
        struct Canvas {
            new_submission: bool,
        }
        let body = Body {
            user_id: &self.user_id,
            timestamp: self.timestamp.rfc3339_ms(),
            activity_progress: self.activity_progress,
            grading_progress: self.grading_progress,
            score_given: self.points.and_then(|p| number(p.given)),
            score_maximum: self.points.and_then(|p| number(p.maximum)),
            comment: self.comment.as_deref().map(short_line),
            canvas: self
                .new_submission
                .map(|new_submission| Canvas { new_submission }),
        };
        let json = serde_json::to_string(&body).expect("text and finite numbers serialise");
        ascii(&json)
    }
}

/// An integer when whole: some platforms (Open edX) take no others.
fn number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and under 2^53")]
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

/// One line, cut to [`MAX_COMMENT`] bytes as sent.
fn short_line(text: &str) -> String {
    let line = text.replace(|c: char| c.is_control(), " ");
    let mut sent = 0;
    line.chars()
        .take_while(|c| {
            sent += match c {
                '"' | '\\' => 2,
                c if c.is_ascii() => 1,
                c => 6 * c.len_utf16(),
            };
            sent <= MAX_COMMENT
        })
        .collect()
}

/// Escapes what is not ASCII; in JSON that can only stand inside of text (RFC 8259 §7).
fn ascii(json: &str) -> String {
    use fmt::Write;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::lti::testing::NOW;

    fn score(comment: &str) -> Score {
        Score::graded("17", Points::new(92.0, 100.0).unwrap(), comment, NOW)
    }

    #[test]
    fn a_score_is_written_as_the_standard_wants() {
        assert_eq!(
            score("Passed 92 %").to_json(),
            concat!(
                r#"{"userId":"17","timestamp":"2026-11-23T04:35:00.000Z","activityProgress":"Completed","#,
                r#""gradingProgress":"FullyGraded","scoreGiven":92,"scoreMaximum":100,"comment":"Passed 92 %"}"#
            )
        );
        let bare = Score {
            points: None,
            comment: None,
            activity_progress: ActivityProgress::Initialized,
            grading_progress: GradingProgress::NotReady,
            new_submission: Some(false),
            ..score("")
        };
        let json: Value = serde_json::from_str(&bare.to_json()).unwrap();
        assert_eq!(
            json["https://canvas.instructure.com/lti/submission"],
            json!({ "new_submission": false })
        );
        for absent in ["scoreGiven", "scoreMaximum", "comment"] {
            assert!(json.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn a_body_is_one_short_line_of_ascii() {
        let text = "Bestanden: 92 %, Müller 😀 \"gut\"\r\nzweite\u{2028}Zeile\u{7f}";
        let json = score(text).to_json();
        assert!(json.bytes().all(|b| (0x20..0x7f).contains(&b)), "{json}");
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            read["comment"],
            "Bestanden: 92 %, Müller 😀 \"gut\"  zweite\u{2028}Zeile "
        );
        for long in ["x".repeat(5000), "ü".repeat(5000), "😀\"".repeat(5000)] {
            let read: Value = serde_json::from_str(&score(&long).to_json()).unwrap();
            let sent = ascii(&read["comment"].to_string()).len() - 2;
            assert!((MAX_COMMENT - 14..=MAX_COMMENT).contains(&sent), "{sent}");
        }
    }

    #[test]
    fn points_are_whole_numbers_where_they_can_be() {
        assert_eq!(number(100.0).unwrap().to_string(), "100");
        assert_eq!(number(0.0).unwrap().to_string(), "0");
        assert_eq!(number(66.67).unwrap().to_string(), "66.67");
        for (given, maximum) in [
            (-1.0, 100.0),
            (1.0, 0.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(Points::new(given, maximum).is_none());
        }
        assert!(Points::new(110.0, 100.0).is_some(), "extra credit");
    }

    #[test]
    fn debug_shows_nobody() {
        let text = format!("{:?}", score("canary"));
        assert!(!text.contains("canary") && !text.contains("17\""));
    }
}
