//! Grades as people see and change them.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::pages::{Chrome, Fault};
use super::people::{self, PEOPLE, Person};
use super::state::{Grade, LineItem, State as Course};
use super::{COURSE_TITLE, Lms, LmsError, score};
use crate::time::Timestamp;

/// A filled cell of the gradebook, for tests and the demo's own use.
#[derive(Debug, Clone, PartialEq)]
pub struct GradeRow {
    /// The line item's number, as in its address.
    pub line_item: String,
    /// The line item's label.
    pub label: String,
    /// The tool's `resourceId`.
    pub resource_id: Option<String>,
    /// The learner's `sub`.
    pub sub: String,
    /// Points that count; `None` when cleared or not yet graded.
    pub score: Option<f64>,
    /// Points at most.
    pub maximum: f64,
    /// The comment beside it; empty when there is none.
    pub comment: String,
    /// `activityProgress` of the tool's last score; empty when it sent none.
    pub activity_progress: String,
    /// `gradingProgress` of the tool's last score; empty when it sent none.
    pub grading_progress: String,
    /// The last score's own timestamp, or when the teacher changed it.
    pub at: Timestamp,
    /// Whether the teacher's grade stands against the tool's.
    pub overridden: bool,
}

/// A cell as a page shows it.
struct Cell {
    who: &'static Person,
    points: Option<String>,
    /// For the form's field.
    raw: String,
    comment: String,
    state: String,
    at: String,
    overridden: bool,
}

struct Column {
    id: String,
    label: String,
    maximum: String,
    about: String,
    cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "lms_gradebook.html")]
struct GradebookPage {
    chrome: Chrome,
    who: &'static Person,
    course: &'static str,
    learners: Vec<&'static Person>,
    columns: Vec<Column>,
}

#[derive(Template)]
#[template(path = "lms_grades.html")]
struct OwnGradesPage {
    chrome: Chrome,
    who: &'static Person,
    course: &'static str,
    columns: Vec<Column>,
}

/// What the teacher's form sends.
#[derive(Deserialize)]
pub(super) struct Change {
    item: String,
    sub: String,
    #[serde(default)]
    score: String,
    #[serde(default)]
    comment: String,
    act: String,
}

/// `GET /as/{user}/grades`: the gradebook, or one's own grades.
pub(super) async fn show(
    State(lms): State<Lms>,
    Path(user): Path<String>,
) -> Result<Response, Fault> {
    let who = lms.person(&user)?;
    let chrome = Chrome {
        who: Some(who),
        tab: "grades",
    };
    let learners: Vec<_> = PEOPLE.iter().filter(|p| !p.teacher).collect();
    let shown = if who.teacher {
        learners.clone()
    } else {
        vec![who]
    };
    let columns = lms.0.store.read(|s| {
        let items = s.line_items.iter();
        items.map(|item| column(s, item, &shown)).collect()
    });
    let course = COURSE_TITLE;
    if who.teacher {
        return Ok(lms.html(&GradebookPage {
            chrome,
            who,
            course,
            learners,
            columns,
        }));
    }
    Ok(lms.html(&OwnGradesPage {
        chrome,
        who,
        course,
        columns,
    }))
}

/// `POST /as/{user}/grades`: the teacher sets or clears a grade.
pub(super) async fn change(
    State(lms): State<Lms>,
    Path(user): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Change>,
) -> Result<Response, Fault> {
    let teacher = lms.teacher(&user)?;
    // There is no sign-in to protect, but another site's page should not play with the gradebook either.
    let origin = headers.get(header::ORIGIN);
    let own = lms.0.config.base_url.origin().ascii_serialization();
    if origin.is_some_and(|o| o.as_bytes() != own.as_bytes()) {
        return Err(lms.fault(
            StatusCode::FORBIDDEN,
            "Grades are changed on this LMS's own pages only.",
        ));
    }
    let refuse = |text: &str| lms.fault(StatusCode::BAD_REQUEST, text);
    let learner = people::by_sub(&form.sub).filter(|p| !p.teacher);
    let learner = learner.ok_or_else(|| refuse("Only learners have grades."))?;
    let points = match form.act.as_str() {
        "clear" => None,
        "set" => {
            let number = form.score.trim().parse::<f64>().ok();
            let number = number.filter(|n| n.is_finite() && *n >= 0.0);
            Some(number.ok_or_else(|| refuse("A grade is a number of points from 0 up."))?)
        }
        _ => return Err(refuse("A grade can be set or cleared.")),
    };
    let known = lms.0.store.read(|s| s.line_item(&form.item).is_some());
    if !known {
        return Err(refuse("There is no such column in the gradebook."));
    }
    let now = lms.0.clock.now();
    lms.0
        .store
        .change(|s| {
            s.put_grade(Grade {
                item_id: form.item.clone(),
                sub: learner.sub.to_owned(),
                score: points.map(score::round),
                comment: points
                    .map(|_| form.comment.trim().to_owned())
                    .unwrap_or_default(),
                activity: String::new(),
                grading: String::new(),
                at: now,
                overridden: points.is_some(),
            });
            Ok::<_, LmsError>(())
        })
        .map_err(|e| lms.fault(StatusCode::INTERNAL_SERVER_ERROR, &e.to_string()))?;
    let back = format!("/as/{}/grades#item-{}", teacher.key, form.item);
    Ok(Redirect::to(&back).into_response())
}

fn column(course: &Course, item: &LineItem, people: &[&'static Person]) -> Column {
    let about = [
        item.resource_id.as_ref().map(|r| format!("resourceId {r}")),
        item.tag.as_ref().map(|t| format!("tag {t}")),
        item.link_id
            .is_none()
            .then(|| "made by the tool, without a link".to_owned()),
    ];
    let cell = |who: &&'static Person| {
        let grade = course.grade(&item.id, who.sub);
        let points = grade.and_then(|g| g.score);
        Cell {
            who,
            points: points.map(|p| points_of(p, item.maximum)),
            raw: points.map(|p| p.to_string()).unwrap_or_default(),
            comment: grade.map(|g| g.comment.clone()).unwrap_or_default(),
            state: grade.map(state_of).unwrap_or_default(),
            at: grade
                .map(|g| g.at.moment_for_people("UTC"))
                .unwrap_or_default(),
            overridden: grade.is_some_and(|g| g.overridden),
        }
    };
    Column {
        id: item.id.clone(),
        label: item.label.clone(),
        maximum: item.maximum.to_string(),
        about: about.into_iter().flatten().collect::<Vec<_>>().join(", "),
        cells: people.iter().map(cell).collect(),
    }
}

fn state_of(grade: &Grade) -> String {
    match (grade.overridden, grade.grading.is_empty()) {
        (true, _) => "Set by the teacher".to_owned(),
        (false, true) => "Cleared by the teacher".to_owned(),
        (false, false) => format!("{}, {}", grade.activity, grade.grading),
    }
}

/// `92 of 100`.
pub(super) fn points_of(points: f64, maximum: f64) -> String {
    let points = (points * 100.0).round() / 100.0;
    format!("{points} of {maximum}")
}

impl Lms {
    /// Every filled cell of the gradebook, in the order the cells were last changed.
    #[must_use]
    pub fn grades(&self) -> Vec<GradeRow> {
        self.0.store.read(|s| {
            let rows = s.grades.iter().filter_map(|g| {
                let item = s.line_item(&g.item_id)?;
                Some(GradeRow {
                    line_item: item.id.clone(),
                    label: item.label.clone(),
                    resource_id: item.resource_id.clone(),
                    sub: g.sub.clone(),
                    score: g.score,
                    maximum: item.maximum,
                    comment: g.comment.clone(),
                    activity_progress: g.activity.clone(),
                    grading_progress: g.grading.clone(),
                    at: g.at,
                    overridden: g.overridden,
                })
            });
            rows.collect()
        })
    }
}
