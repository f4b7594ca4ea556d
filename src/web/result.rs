//! The result of an attempt: the score, what was missed and why, what becomes of the grade.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::error::Result;
use super::extract::Visitor;
use super::learn::{find_placed, placed};
use super::pages::{
    Html, Link, ObjectiveRow, PostForm, ResultItem, ResultPage, ReviewedChoice, Verdict,
};
use super::quiz::{Rendering, attempt_href, narrow, sitting};
use super::view::{self, crumb, module_href, score, shell, show_to};
use crate::app::App;
use crate::course::{Course, Module, RenderedQuestion};
use crate::quiz::feedback::{ItemFeedback, OptionFeedback};
use crate::quiz::grade::ObjectiveResult;
use crate::quiz::{Feedback, Graded};
use crate::storage::{Delivery, Launch, PassbackState};
use crate::training::attempt::AttemptError;
use crate::training::progress::Progress;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, attempt)): Path<(String, String)>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    let sitting = sitting(&app, &visitor, &attempt).await?;
    let Some(stored) = &sitting.stored.result else {
        return Ok(Redirect::to(&attempt_href(&launch, &sitting.stored.id)).into_response());
    };
    let graded: Graded = serde_json::from_str(&stored.graded).map_err(|_| AttemptError::Corrupt)?;
    let feedback = Feedback::of(&sitting.questions, &sitting.draw, &graded);
    let rendering = Rendering::of(&app, &sitting);
    let items = sitting.questions.iter().zip(&feedback.items).enumerate();
    let items = items
        .filter_map(|(i, (q, f))| Some(result_item(i + 1, f, rendering.find(q)?)))
        .collect();
    let module = course.find_module(&sitting.stored.module_code);
    let progress = Progress::read(
        &app,
        &launch.tenant_id,
        &launch.person_id,
        &launch.course_code,
        app.now(),
    )
    .await?;
    let delivery = app
        .db
        .find_delivery(
            &launch.tenant_id,
            &launch.resource_link_id,
            &launch.account_id,
        )
        .await?;
    let title = module.map_or_else(|| sitting.stored.module_code.clone(), |m| m.title.clone());
    let retake = module.filter(|m| find_placed(&launch, course, m.code.as_str()).is_ok());
    let page = ResultPage {
        shell: shell(&visitor, &launch, format!("Result · {title}")),
        crumb: crumb(&launch, course, module),
        module_title: title,
        lesson_href: module.map_or_else(|| view::course_href(&launch), |m| module_href(&launch, m)),
        attempt_number: narrow(sitting.stored.attempt_no),
        handed_in: stored.submitted_at.moment_for_people(&visitor.tenant.time_zone),
        score: score(stored.percent_hundredths),
        right: graded.score as usize,
        total: graded.max as usize,
        pass_mark: format!("{} %", graded.pass_mark.percent()),
        passed: graded.passed,
        grade_note: Some(grade_note(&launch, delivery.as_ref())),
        key_note: (!graded.passed).then(|| {
            "The right answers stay covered until you pass, so that a retake still means something. \
             For each question you missed, you see why your choice does not hold."
                .to_owned()
        }),
        objectives: objectives(module, &graded),
        items,
        retake: retake.map(|m| PostForm {
            action: format!("{}/quiz", module_href(&launch, m)),
            csrf: visitor.csrf.clone(),
        }),
        next_module: next_module(&launch, course, &progress).filter(|_| graded.passed),
        attest_href: (progress.credit.is_some() && progress.attestation.is_none())
            .then(|| format!("/learn/{}/attest", launch.id)),
    };
    show_to(&visitor, &page)
}

fn result_item(number: usize, f: &ItemFeedback, html: &RenderedQuestion) -> ResultItem {
    let choice = |o: &OptionFeedback| {
        let rendered = html.options.get(o.option);
        ReviewedChoice {
            text: Html(rendered.map(|r| r.text_html.clone()).unwrap_or_default()),
            chosen: o.chosen,
            verdict: match o.key {
                Some(true) => Verdict::Right,
                Some(false) => Verdict::Wrong,
                None if o.rationale.is_some() => Verdict::Wrong,
                None => Verdict::Withheld,
            },
            rationale: o
                .rationale
                .as_ref()
                .and_then(|_| rendered.map(|r| Html(r.rationale_html.clone()))),
        }
    };
    ResultItem {
        number,
        prompt: Html(html.prompt_html.clone()),
        code: html.code_html.clone().map(Html),
        correct: f.correct,
        choices: f.options.iter().map(choice).collect(),
        sources: f
            .sources
            .iter()
            .map(|s| Link {
                href: s.clone(),
                label: s.clone(),
            })
            .collect(),
    }
}

fn objectives(module: Option<&Module>, graded: &Graded) -> Vec<ObjectiveRow> {
    let row = |o: &ObjectiveResult| ObjectiveRow {
        text: module
            .and_then(|m| m.bank.find_objective(&o.objective))
            .map_or_else(|| o.objective.to_string(), |o| o.text.clone()),
        right: o.right as usize,
        total: o.of as usize,
    };
    graded.per_objective.iter().map(row).collect()
}

fn next_module(launch: &Launch, course: &Course, progress: &Progress) -> Option<Link> {
    let next = placed(launch, course).find(|m| !progress.is_passed(m.code.as_str()))?;
    Some(Link {
        href: module_href(launch, next),
        label: next.title.clone(),
    })
}

fn grade_note(launch: &Launch, delivery: Option<&Delivery>) -> String {
    if launch.test_user || !launch.learner {
        return "You are not here as a learner: the attempt is kept, no grade is sent to the LMS."
            .to_owned();
    }
    match delivery {
        None => "Your LMS gets a grade when there is a passed module to tell of.".to_owned(),
        Some(d) => match (d.state, &d.error_code) {
            (PassbackState::Delivered, _) => {
                format!(
                    "Your LMS has the grade {}.",
                    score(d.delivered_hundredths.unwrap_or(d.score_hundredths))
                )
            }
            (PassbackState::Queued, None) => {
                format!(
                    "The grade {} is on its way to your LMS.",
                    score(d.score_hundredths)
                )
            }
            (PassbackState::Queued, Some(code)) => format!(
                "The grade {} has not reached your LMS yet ({code}); it is kept here and sent again by itself.",
                score(d.score_hundredths)
            ),
            (PassbackState::Parked, code) => format!(
                "The grade {} could not be given to your LMS ({}). It is kept here, and sent again when you open the activity next.",
                score(d.score_hundredths),
                code.as_deref().unwrap_or("unknown cause")
            ),
        },
    }
}
