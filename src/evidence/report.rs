//! The rows of reports: `pm-completions/1` (45 columns in fixed order, and the seven-column `short` profile) and
//! `pm-attempts/1`. Pure: recorded facts in, cells out.

use super::csv::{self, guarded};
use crate::crypto::sha256_hex;
use crate::time::Timestamp;

/// The schema name in column 1.
pub const COMPLETIONS_SCHEMA: &str = "pm-completions/1";

/// The columns of `pm-completions/1`, in order.
pub const COMPLETIONS: [&str; 45] = [
    "schema_version",
    "report_id",
    "row_no",
    "person_id",
    "hr_id",
    "full_name",
    "email",
    "employment_type",
    "employer",
    "role_at_training",
    "department_at_training",
    "access_scope_at_training",
    "start_date",
    "end_date",
    "course_code",
    "course_title",
    "course_version",
    "assignment_id",
    "assignment_reason",
    "cycle",
    "assigned_at",
    "due_at",
    "status",
    "status_as_of",
    "modules_required",
    "modules_passed",
    "quiz_score_percent",
    "quiz_score_mean_percent",
    "pass_mark_percent",
    "attempts_total",
    "attempts_failed",
    "first_started_at",
    "completed_at",
    "days_from_due",
    "valid_until",
    "attested_at",
    "attestation_id",
    "attestation_sha256",
    "policy_ack_version",
    "policy_ack_at",
    "waiver_id",
    "waiver_until",
    "completion_source",
    "evidence_url",
    "record_sha256",
];

/// The columns of the `short` profile.
pub const SHORT: [&str; 7] = [
    "full_name",
    "email",
    "course_title",
    "modules_passed",
    "quiz_score_percent",
    "completed_at",
    "attested_at",
];

/// The columns of the attempts report.
pub const ATTEMPTS: [&str; 14] = [
    "assignment_id",
    "attempt_id",
    "person_id",
    "course_code",
    "module_code",
    "attempt_no",
    "started_at",
    "submitted_at",
    "score_percent",
    "pass_mark_percent",
    "passed",
    "channel",
    "assurance",
    "record_sha256",
];

/// Which rows a report shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only this course.
    pub course: Option<String>,
    /// Only the person with this address, in lower case.
    pub email: Option<String>,
    /// Completed (or handed in) at or after.
    pub from: Option<Timestamp>,
    /// Completed (or handed in) before.
    pub to: Option<Timestamp>,
    /// What was recorded up to this moment.
    pub as_of: Timestamp,
}

/// All columns, or the seven that most people ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// 45 columns.
    Full,
    /// Seven columns.
    Short,
}

impl Profile {
    /// Reads `full` or `short`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "short" => Some(Self::Short),
            _ => None,
        }
    }
}

/// What is recorded of one person, course and cycle up to a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionFacts {
    /// Ours.
    pub person_id: String,
    /// Last heard.
    pub full_name: String,
    /// Last heard.
    pub email: String,
    /// Course code.
    pub course_code: String,
    /// Which round of training.
    pub cycle: i64,
    /// From the credit, once there is one.
    pub course_title: Option<String>,
    /// From the credit.
    pub course_version: Option<String>,
    /// From the credit.
    pub modules_required: Option<i64>,
    /// Modules passed in this cycle.
    pub modules_passed: i64,
    /// Lowest passing score in hundredths of a percent, from the credit.
    pub lowest_hundredths: Option<i64>,
    /// Mean passing score, from the credit.
    pub mean_hundredths: Option<i64>,
    /// From the credit.
    pub pass_mark_percent: Option<i64>,
    /// Attempts handed in.
    pub attempts_total: i64,
    /// Of these, failed.
    pub attempts_failed: i64,
    /// First attempt begun.
    pub first_started_at: Option<Timestamp>,
    /// Last required module passed.
    pub completed_at: Option<Timestamp>,
    /// Last second the credit counts.
    pub valid_until: Option<Timestamp>,
    /// Statement signed.
    pub attested_at: Option<Timestamp>,
    /// The statement.
    pub attestation_id: Option<String>,
    /// SHA-256 of its `.jws` file.
    pub attestation_sha256: Option<String>,
}

/// What today's content says of a course, for rows without a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseNow {
    /// Title.
    pub title: String,
    /// Version.
    pub version: String,
    /// Released modules.
    pub modules_required: usize,
    /// Percent.
    pub pass_mark_percent: u8,
}

/// Where a person stands with a course, as far as no requirement says more (compliance facts §8.1; rows that need
/// assignments, waivers and due dates come with those).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing begun.
    Assigned,
    /// An attempt was begun.
    InProgress,
    /// All modules passed, statement missing.
    AwaitingAttestation,
    /// Done and counting.
    Completed,
    /// Counts for thirty days at most.
    Expiring,
    /// Counted once.
    Expired,
}

impl Status {
    /// The word in the report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::AwaitingAttestation => "awaiting_attestation",
            Self::Completed => "completed",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
        }
    }

    /// The status at a moment; comparisons in whole seconds.
    #[must_use]
    pub fn at(facts: &CompletionFacts, moment: Timestamp) -> Self {
        const THIRTY_DAYS_S: i64 = 30 * 24 * 3600;
        let now = moment.as_secs();
        match (facts.completed_at, facts.valid_until) {
            (Some(_), _) if facts.attested_at.is_none() => Self::AwaitingAttestation,
            (Some(_), Some(until)) if until.as_secs() < now => Self::Expired,
            (Some(_), Some(until)) if until.as_secs() - THIRTY_DAYS_S <= now => Self::Expiring,
            (Some(_), _) => Self::Completed,
            (None, _) if facts.first_started_at.is_some() => Self::InProgress,
            (None, _) => Self::Assigned,
        }
    }
}

/// What is the same for every row of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The run's id.
    pub report_id: String,
    /// The moment that statuses are told for.
    pub as_of: Timestamp,
    /// The service's public address, for links to evidence.
    pub public_url: String,
}

fn time(t: Option<Timestamp>) -> String {
    t.map(Timestamp::rfc3339_s).unwrap_or_default()
}

/// Hundredths of a percent with a dot and one decimal, half up.
#[must_use]
pub fn percent(hundredths: i64) -> String {
    let tenths = (hundredths + 5).div_euclid(10);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// One row of `pm-completions/1`. `row_no` counts from 1 over the report.
#[must_use]
pub fn completion_row(
    f: &CompletionFacts,
    now: Option<&CourseNow>,
    run: &Run,
    row_no: u64,
) -> Vec<String> {
    let text = |own: &Option<String>, today: fn(&CourseNow) -> String| {
        own.clone().or_else(|| now.map(today)).unwrap_or_default()
    };
    let number = |own: Option<i64>, today: fn(&CourseNow) -> i64| {
        own.or_else(|| now.map(today))
            .map(|n| n.to_string())
            .unwrap_or_default()
    };
    let required = number(f.modules_required, |c| {
        i64::try_from(c.modules_required).unwrap_or(0)
    });
    let mark = f
        .pass_mark_percent
        .or_else(|| now.map(|c| i64::from(c.pass_mark_percent)));
    let url = |id: &String| format!("{}verify/{id}", run.public_url);
    let mut row = vec![String::new(); COMPLETIONS.len()];
    let mut set = |name: &str, value: String| {
        let at = COMPLETIONS
            .iter()
            .position(|c| *c == name)
            .expect("a column of the schema");
        row[at] = value;
    };
    set("schema_version", COMPLETIONS_SCHEMA.to_owned());
    set("report_id", run.report_id.clone());
    set("row_no", row_no.to_string());
    set("person_id", f.person_id.clone());
    set("full_name", guarded(&f.full_name));
    set("email", guarded(&f.email));
    set("course_code", f.course_code.clone());
    set(
        "course_title",
        guarded(&text(&f.course_title, |c| c.title.clone())),
    );
    set(
        "course_version",
        text(&f.course_version, |c| c.version.clone()),
    );
    set("cycle", f.cycle.to_string());
    set("status", Status::at(f, run.as_of).as_str().to_owned());
    set("status_as_of", run.as_of.rfc3339_s());
    set("modules_required", required);
    set("modules_passed", f.modules_passed.to_string());
    set(
        "quiz_score_percent",
        f.lowest_hundredths.map(percent).unwrap_or_default(),
    );
    set(
        "quiz_score_mean_percent",
        f.mean_hundredths.map(percent).unwrap_or_default(),
    );
    set(
        "pass_mark_percent",
        mark.map(|m| percent(m * 100)).unwrap_or_default(),
    );
    set("attempts_total", f.attempts_total.to_string());
    set("attempts_failed", f.attempts_failed.to_string());
    set("first_started_at", time(f.first_started_at));
    set("completed_at", time(f.completed_at));
    set("valid_until", time(f.valid_until));
    set("attested_at", time(f.attested_at));
    set(
        "attestation_id",
        f.attestation_id.clone().unwrap_or_default(),
    );
    set(
        "attestation_sha256",
        f.attestation_sha256.clone().unwrap_or_default(),
    );
    set(
        "completion_source",
        f.completed_at
            .map(|_| "learner".to_owned())
            .unwrap_or_default(),
    );
    set(
        "evidence_url",
        f.attestation_id.as_ref().map(url).unwrap_or_default(),
    );
    seal_row(&mut row, &[1, 2]);
    row
}

/// The seven cells of the `short` profile, from a full row.
#[must_use]
pub fn short_row(full: &[String]) -> Vec<String> {
    SHORT
        .iter()
        .map(|name| {
            COMPLETIONS
                .iter()
                .position(|c| c == name)
                .and_then(|at| full.get(at))
                .cloned()
                .unwrap_or_default()
        })
        .collect()
}

/// What is recorded of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// Ours.
    pub attempt_id: String,
    /// Who.
    pub person_id: String,
    /// Course code.
    pub course_code: String,
    /// Module code.
    pub module_code: String,
    /// 1 for the first.
    pub attempt_no: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was handed in.
    pub submitted_at: Option<Timestamp>,
    /// 8000 is 80.00 %.
    pub percent_hundredths: Option<i64>,
    /// Percent needed.
    pub pass_mark_percent: i64,
    /// At or above the mark.
    pub passed: Option<bool>,
    /// `lti`.
    pub channel: String,
    /// `server_graded` or `client_reported`.
    pub assurance: String,
}

/// One row of the attempts report.
#[must_use]
pub fn attempt_row(f: &AttemptFacts) -> Vec<String> {
    let mut row = vec![
        String::new(),
        f.attempt_id.clone(),
        f.person_id.clone(),
        f.course_code.clone(),
        f.module_code.clone(),
        f.attempt_no.to_string(),
        f.started_at.rfc3339_s(),
        time(f.submitted_at),
        f.percent_hundredths.map(percent).unwrap_or_default(),
        percent(f.pass_mark_percent * 100),
        f.passed.map(|p| p.to_string()).unwrap_or_default(),
        f.channel.clone(),
        f.assurance.clone(),
        String::new(),
    ];
    seal_row(&mut row, &[]);
    row
}

/// Puts into the last cell the SHA-256 of the row's CSV line without the cells in `left_out` and the last itself.
fn seal_row(row: &mut [String], left_out: &[usize]) {
    let last = row.len() - 1;
    let cells = row
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != last && !left_out.contains(i))
        .map(|(_, c)| c);
    row[last] = sha256_hex(&csv::line(cells));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> CompletionFacts {
        CompletionFacts {
            person_id: "P".into(),
            full_name: "=HYPERLINK(\"http://x\")".into(),
            email: "li@vendor.example".into(),
            course_code: "owasp".into(),
            cycle: 1,
            course_title: None,
            course_version: None,
            modules_required: None,
            modules_passed: 1,
            lowest_hundredths: None,
            mean_hundredths: None,
            pass_mark_percent: None,
            attempts_total: 2,
            attempts_failed: 1,
            first_started_at: Some(Timestamp::from_secs(1_780_000_000)),
            completed_at: None,
            valid_until: None,
            attested_at: None,
            attestation_id: None,
            attestation_sha256: None,
        }
    }

    fn run() -> Run {
        let as_of = Timestamp::from_secs(1_790_000_000);
        Run {
            report_id: "R".into(),
            as_of,
            public_url: "https://t.example/".into(),
        }
    }

    #[test]
    fn a_person_without_completion_is_a_row_with_empty_cells_and_a_guarded_name() {
        let now = CourseNow {
            title: "OWASP".into(),
            version: "1.0.0".into(),
            modules_required: 3,
            pass_mark_percent: 80,
        };
        let row = completion_row(&facts(), Some(&now), &run(), 1);
        assert_eq!(row.len(), 45);
        let cell = |name: &str| row[COMPLETIONS.iter().position(|c| *c == name).unwrap()].as_str();
        assert_eq!(cell("full_name"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(cell("status"), "in_progress");
        assert_eq!(
            (cell("modules_required"), cell("modules_passed")),
            ("3", "1")
        );
        assert_eq!(
            (cell("completed_at"), cell("waiver_id"), cell("hr_id")),
            ("", "", "")
        );
        assert_eq!(cell("pass_mark_percent"), "80.0");
    }

    #[test]
    fn the_row_digest_leaves_out_the_run_and_the_row_number() {
        let a = completion_row(&facts(), None, &run(), 1);
        let b = completion_row(
            &facts(),
            None,
            &Run {
                report_id: "other".into(),
                ..run()
            },
            7,
        );
        assert_eq!(a[44], b[44]);
        let kept: Vec<&String> = a
            .iter()
            .enumerate()
            .filter(|(i, _)| ![1, 2, 44].contains(i))
            .map(|x| x.1)
            .collect();
        assert_eq!(a[44], sha256_hex(&csv::line(kept)));
        let c = completion_row(
            &CompletionFacts {
                attempts_total: 3,
                ..facts()
            },
            None,
            &run(),
            1,
        );
        assert_ne!(a[44], c[44]);
    }

    #[test]
    fn status_follows_the_clock() {
        let done = CompletionFacts {
            completed_at: Some(Timestamp::from_secs(1000)),
            valid_until: Some(Timestamp::from_secs(10_000_000)),
            ..facts()
        };
        let at = |f: &CompletionFacts, s: i64| Status::at(f, Timestamp::from_secs(s));
        assert_eq!(at(&done, 2000), Status::AwaitingAttestation);
        let signed = CompletionFacts {
            attested_at: Some(Timestamp::from_secs(1001)),
            ..done
        };
        assert_eq!(at(&signed, 2000), Status::Completed);
        assert_eq!(at(&signed, 10_000_000 - 30 * 86400), Status::Expiring);
        assert_eq!(at(&signed, 10_000_000), Status::Expiring);
        assert_eq!(at(&signed, 10_000_001), Status::Expired);
    }

    #[test]
    fn percents_have_one_decimal_half_up() {
        assert_eq!(
            (percent(8000), percent(8333), percent(6666), percent(8335)),
            ("80.0".into(), "83.3".into(), "66.7".into(), "83.4".into())
        );
    }
}
