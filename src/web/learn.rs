//! The learner's course and lessons.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::error::{Error, Result};
use super::extract::Visitor;
use super::pages::{
    AttestationState, CoursePage, Html, LessonPage, Link, ModuleRow, ModuleState,
    Progress as ProgressBar, TocEntry,
};
use super::view::{self, module_href, score, shell, show_to};
use crate::app::App;
use crate::course::{Course, Module, markdown};
use crate::storage::Launch;
use crate::training::progress::{Progress, released};

/// The modules that this placement is about: all released ones, or the one it names.
pub(super) fn placed<'c>(
    launch: &'c Launch,
    course: &'c Course,
) -> impl Iterator<Item = &'c Module> {
    released(course)
        .filter(|m| launch.module_code.is_empty() || m.code.as_str() == launch.module_code)
}

/// A module of this placement.
pub(super) fn find_placed<'c>(
    launch: &'c Launch,
    course: &'c Course,
    code: &str,
) -> Result<&'c Module> {
    placed(launch, course)
        .find(|m| m.code.as_str() == code)
        .ok_or(Error::NotFound)
}

/// Whether this person is here as staff only: attempts are kept, no grade is sent.
pub(super) const fn as_instructor(launch: &Launch) -> bool {
    launch.instructor && !launch.learner
}

pub(super) async fn course(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    let now = app.now();
    let progress = Progress::read(
        &app,
        &launch.tenant_id,
        &launch.person_id,
        &launch.course_code,
        now,
    )
    .await?;
    let modules: Vec<ModuleRow> = placed(&launch, course)
        .map(|m| row(&launch, course, m, &progress))
        .collect();
    let passed = modules
        .iter()
        .filter(|m| m.state == ModuleState::Passed)
        .count();
    let total = modules.len();
    let page = CoursePage {
        shell: shell(&visitor, &launch, course.title.clone()),
        title: course.title.clone(),
        summary: Html(markdown::render_inline(&course.summary)),
        edition: course.edition.clone(),
        version: course.version.to_string(),
        progress: ProgressBar {
            passed,
            total,
            percent: passed * 100 / total.max(1),
        },
        modules,
        attestation: attestation(&visitor, &launch, course, &progress),
        instructor: as_instructor(&launch),
    };
    show_to(&visitor, &page)
}

fn row(launch: &Launch, course: &Course, module: &Module, progress: &Progress) -> ModuleRow {
    let code = module.code.as_str();
    let handed_in = progress
        .attempts
        .iter()
        .filter(|a| a.module_code == code && a.result.is_some())
        .count();
    let open = progress.open_attempt(code);
    let state = match (progress.is_passed(code), open, handed_in) {
        (true, _, _) => ModuleState::Passed,
        (false, Some(_), _) => ModuleState::AttemptOpen,
        (false, None, 0) => ModuleState::NotStarted,
        (false, None, _) => ModuleState::NotPassedYet,
    };
    let quiz_label = match (open, handed_in) {
        (Some(a), _) => format!("Continue attempt {}", a.attempt_no),
        (None, 0) => "Take the quiz".to_owned(),
        (None, _) => "Quiz and attempts".to_owned(),
    };
    ModuleRow {
        number: view::number(course, module),
        title: module.title.clone(),
        summary: module.summary.clone(),
        minutes: module.minutes,
        state,
        best_score: progress.best(code).map(score),
        attempts: handed_in,
        lesson_href: module_href(launch, module),
        quiz_href: Some(format!("{}/quiz", module_href(launch, module))),
        quiz_label,
    }
}

fn attestation(
    visitor: &Visitor,
    launch: &Launch,
    course: &Course,
    progress: &Progress,
) -> AttestationState {
    let zone = &visitor.tenant.time_zone;
    match (&progress.credit, &progress.attestation) {
        (Some(credit), Some(signed)) => AttestationState::Done {
            certificate_href: format!("/learn/{}/certificate", launch.id),
            signed: signed.signed_at.date_for_people(zone),
            valid_until: Some(credit.valid_until.date_for_people(zone)),
        },
        (Some(_), None) => AttestationState::Ready {
            href: format!("/learn/{}/attest", launch.id),
        },
        (None, _) if !launch.module_code.is_empty() => AttestationState::NotHere,
        (None, _) => {
            let missing = released(course)
                .filter(|m| !progress.is_passed(m.code.as_str()))
                .count();
            AttestationState::Locked { missing }
        }
    }
}

pub(super) fn toc(lesson: &markdown::Lesson) -> Vec<TocEntry> {
    let entry = |h: &markdown::Heading| TocEntry {
        id: h.id.clone(),
        text: h.text.clone(),
        sub: h.level > 2,
    };
    lesson
        .contents
        .iter()
        .filter(|h| h.level <= 3)
        .map(entry)
        .collect()
}

/// The lessons before and after, by whatever address the page uses.
pub(super) fn neighbours(
    course: &Course,
    module: &Module,
    href: impl Fn(&Module) -> String,
) -> (Option<Link>, Option<Link>) {
    let all: Vec<&Module> = released(course).collect();
    let at = all.iter().position(|m| m.code == module.code);
    let link = |i: Option<usize>| {
        i.and_then(|i| all.get(i)).map(|m| Link {
            href: href(m),
            label: m.title.clone(),
        })
    };
    (
        link(at.and_then(|i| i.checked_sub(1))),
        link(at.map(|i| i + 1)),
    )
}

pub(super) async fn lesson(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, module)): Path<(String, String)>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    let module = find_placed(&launch, course, &module)?;
    let progress = Progress::read(
        &app,
        &launch.tenant_id,
        &launch.person_id,
        &launch.course_code,
        app.now(),
    )
    .await?;
    let lesson = &module.rendered().lesson;
    let (previous, next) = if launch.module_code.is_empty() {
        neighbours(course, module, |m| module_href(&launch, m))
    } else {
        (None, None)
    };
    let page = LessonPage {
        shell: shell(
            &visitor,
            &launch,
            format!("{} · {}", module.title, course.title),
        ),
        crumb: view::crumb(&launch, course, None),
        module_number: view::number(course, module),
        title: module.title.clone(),
        summary: module.summary.clone(),
        minutes: module.minutes,
        version: module.version.to_string(),
        toc: toc(lesson),
        body: Html(lesson.html.clone()),
        sources: view::source_links(&module.sources),
        cwes: view::cwe_links(module),
        quiz: Some(Link {
            href: format!("{}/quiz", module_href(&launch, module)),
            label: row(&launch, course, module, &progress).quiz_label,
        }),
        previous,
        next,
    };
    show_to(&visitor, &page)
}
