//! The quiz: start page, questions one by one, overview, hand-in. The server draws, keeps and grades; what the
//! browser holds never contains the key.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::error::{Error, Result};
use super::extract::{Pairs, Visitor};
use super::learn::{as_instructor, find_placed};
use super::pages::{
    AttemptOutcome, AttemptRow, Choice, Html, Link, OverviewItem, OverviewPage, PostForm,
    QuestionKind, QuestionPage, QuizStartPage, StripItem,
};
use super::view::{self, crumb, module_href, score, shell, show_to};
use crate::app::App;
use crate::course::highlight::Highlighter;
use crate::course::{Module, RenderedQuestion};
use crate::quiz::question::Kind;
use crate::quiz::{AnswerError, Question, Selection};
use crate::storage::Launch;
use crate::training::attempt::{self, AttemptError, Sitting};
use crate::training::progress::Progress;

pub(super) fn attempt_href(launch: &Launch, id: &impl std::fmt::Display) -> String {
    format!("/learn/{}/attempts/{id}", launch.id)
}

pub(super) fn narrow(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

pub(super) async fn start_page(
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
    let zone = &visitor.tenant.time_zone;
    let mine: Vec<_> = progress
        .attempts
        .iter()
        .filter(|a| a.module_code == module.code.as_str())
        .collect();
    let open = mine.iter().find(|a| a.result.is_none());
    let attempts = mine.iter().map(|a| AttemptRow {
        number: narrow(a.attempt_no),
        started: a.started_at.moment_for_people(zone),
        handed_in: a.result.map(|(at, _, _)| at.moment_for_people(zone)),
        score: a.result.map(|(_, percent, _)| score(percent)),
        outcome: match a.result {
            None => AttemptOutcome::Open,
            Some((_, _, true)) => AttemptOutcome::Passed,
            Some((_, _, false)) => AttemptOutcome::NotPassed,
        },
        href: a
            .result
            .map(|_| format!("{}/result", attempt_href(&launch, &a.id))),
    });
    let questions = module.bank.draw.min(module.bank.questions.len());
    let mark = module.bank.pass_mark;
    let page = QuizStartPage {
        shell: shell(&visitor, &launch, format!("Quiz: {}", module.title)),
        crumb: crumb(&launch, course, Some(module)),
        module_number: view::number(course, module),
        module_title: module.title.clone(),
        lesson_href: module_href(&launch, module),
        questions,
        needed: mark.least_score(u32::try_from(questions).unwrap_or(0)) as usize,
        pass_mark: format!("{} %", mark.percent()),
        attempts: attempts.collect(),
        form: PostForm {
            action: format!("{}/quiz", module_href(&launch, module)),
            csrf: visitor.csrf.clone(),
        },
        button: match open {
            Some(a) => format!("Continue attempt {}", a.attempt_no),
            None => format!("Start attempt {}", mine.len() + 1),
        },
        instructor: as_instructor(&launch),
    };
    show_to(&visitor, &page)
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, module)): Path<(String, String)>,
    headers: HeaderMap,
    form: Pairs,
) -> Result<Response> {
    visitor.check_form(&app, &headers, &form)?;
    let (launch, course) = visitor.launch(&app, &id).await?;
    let module = find_placed(&launch, course, &module)?;
    let attempt = attempt::begin(&app, &launch, course, module).await?;
    let sitting = sitting(&app, &visitor, attempt.as_str()).await?;
    let position = first_open(&sitting);
    Ok(Redirect::to(&question_href(&launch, &sitting, position)).into_response())
}

pub(super) async fn sitting(app: &App, visitor: &Visitor, id: &str) -> Result<Sitting> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    Ok(Sitting::read(app, &visitor.tenant.id, &visitor.person.id, &id).await?)
}

fn question_href(launch: &Launch, sitting: &Sitting, position: usize) -> String {
    format!(
        "{}/questions/{position}",
        attempt_href(launch, &sitting.stored.id)
    )
}

/// The first question without an answer, else the last.
fn first_open(sitting: &Sitting) -> usize {
    let open = sitting
        .draw
        .items
        .iter()
        .position(|i| sitting.answers.find(&i.question).is_none());
    open.map_or(sitting.draw.items.len(), |i| i + 1).max(1)
}

fn strip(sitting: &Sitting, current: usize) -> Vec<StripItem> {
    let item = |(i, drawn): (usize, &crate::quiz::DrawnItem)| StripItem {
        position: i + 1,
        answered: sitting.answers.find(&drawn.question).is_some(),
        current: i + 1 == current,
    };
    sitting.draw.items.iter().enumerate().map(item).collect()
}

/// Questions as HTML: those of the content as rendered there, others (of older content) rendered now.
pub(super) struct Rendering<'m> {
    module: Option<&'m Module>,
    old: HashMap<String, RenderedQuestion>,
}

impl<'m> Rendering<'m> {
    pub(super) fn of(app: &'m App, sitting: &Sitting) -> Self {
        let module = app
            .catalogue
            .find_module(&sitting.stored.course_code, &sitting.stored.module_code);
        let module = module.map(|(_, m)| m);
        let stale = |q: &&Question| {
            !module.is_some_and(|m| {
                m.bank
                    .questions
                    .iter()
                    .any(|now| now.id == q.id && now.version == q.version)
            })
        };
        let mut highlighter = None;
        let old = sitting.questions.iter().filter(stale).map(|q| {
            let h = highlighter.get_or_insert_with(Highlighter::load);
            (q.id.to_string(), RenderedQuestion::new(q, h))
        });
        Self {
            module,
            old: old.collect(),
        }
    }

    pub(super) fn find(&self, q: &Question) -> Option<&RenderedQuestion> {
        self.old
            .get(q.id.as_str())
            .or_else(|| self.module.and_then(|m| m.rendered().find_question(&q.id)))
    }
}

type Step = (String, String, usize);

pub(super) async fn question(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, attempt, position)): Path<Step>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    let sitting = sitting(&app, &visitor, &attempt).await?;
    if sitting.stored.result.is_some() {
        return Ok(Redirect::to(&format!(
            "{}/result",
            attempt_href(&launch, &sitting.stored.id)
        ))
        .into_response());
    }
    let index = position.checked_sub(1).ok_or(Error::NotFound)?;
    let (item, q) = sitting
        .draw
        .items
        .get(index)
        .zip(sitting.questions.get(index))
        .ok_or(Error::NotFound)?;
    let rendering = Rendering::of(&app, &sitting);
    let html = rendering.find(q).ok_or(Error::NotFound)?;
    let module = course.find_module(&sitting.stored.module_code);
    let choice = |&i: &usize| Choice {
        value: i.to_string(),
        text: Html(
            html.options
                .get(i)
                .map(|o| o.text_html.clone())
                .unwrap_or_default(),
        ),
        checked: sitting.answers.has(&q.id, i),
    };
    let href = question_href(&launch, &sitting, position);
    let title = module.map_or_else(|| sitting.stored.module_code.clone(), |m| m.title.clone());
    let page = QuestionPage {
        shell: shell(&visitor, &launch, format!("Question {position} · {title}")),
        crumb: crumb(&launch, course, module),
        module_title: title,
        attempt_number: narrow(sitting.stored.attempt_no),
        position,
        total: sitting.draw.items.len(),
        prompt: Html(html.prompt_html.clone()),
        code: html.code_html.clone().map(Html),
        kind: match q.kind {
            Kind::Single => QuestionKind::Single,
            Kind::Multiple => QuestionKind::Multiple,
        },
        choices: item.options.iter().map(choice).collect(),
        form: PostForm {
            action: href.clone(),
            csrf: visitor.csrf.clone(),
        },
        save_href: href,
        strip: strip(&sitting, position),
    };
    show_to(&visitor, &page)
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, attempt, position)): Path<Step>,
    headers: HeaderMap,
    form: Pairs,
) -> Result<Response> {
    visitor.check_form(&app, &headers, &form)?;
    let (launch, _) = visitor.launch(&app, &id).await?;
    let sitting = sitting(&app, &visitor, &attempt).await?;
    let result = Link {
        href: format!("{}/result", attempt_href(&launch, &sitting.stored.id)),
        label: "See the result".to_owned(),
    };
    if sitting.stored.result.is_some() {
        return Err(Error::Attempt(AttemptError::HandedIn, Some(result)));
    }
    let index = position.checked_sub(1).ok_or(Error::NotFound)?;
    let item = sitting.draw.items.get(index).ok_or(Error::NotFound)?;
    let selection = Selection::parse(
        &sitting.questions,
        &sitting.draw,
        item.question.as_str(),
        form.all("choice"),
    )
    .map_err(|e: AnswerError| Error::Attempt(e.into(), None))?;
    match attempt::save(&app, &visitor.tenant.id, &sitting, &selection).await {
        Err(AttemptError::HandedIn) => {
            return Err(Error::Attempt(AttemptError::HandedIn, Some(result)));
        }
        other => other?,
    }
    if headers
        .get("x-requested-with")
        .is_some_and(|v| v == "passmuster")
    {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let last = sitting.draw.items.len();
    let to = match form.find("go").unwrap_or("next") {
        "back" => question_href(&launch, &sitting, position.saturating_sub(1).max(1)),
        "next" if position < last => question_href(&launch, &sitting, position + 1),
        go => match go.parse::<usize>() {
            Ok(n) if (1..=last).contains(&n) => question_href(&launch, &sitting, n),
            _ => attempt_href(&launch, &sitting.stored.id),
        },
    };
    Ok(Redirect::to(&to).into_response())
}

/// The beginning of a prompt as plain text.
fn excerpt(prompt: &str) -> String {
    let plain: String = prompt.chars().filter(|c| !matches!(c, '`' | '*')).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match plain.char_indices().nth(90) {
        Some((end, _)) => format!("{}…", plain[..end].trim_end()),
        None => plain,
    }
}

pub(super) async fn overview(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, attempt)): Path<(String, String)>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    let sitting = sitting(&app, &visitor, &attempt).await?;
    let own = attempt_href(&launch, &sitting.stored.id);
    if sitting.stored.result.is_some() {
        return Ok(Redirect::to(&format!("{own}/result")).into_response());
    }
    let module = course.find_module(&sitting.stored.module_code);
    let items: Vec<OverviewItem> = sitting
        .questions
        .iter()
        .enumerate()
        .map(|(i, q)| OverviewItem {
            position: i + 1,
            href: question_href(&launch, &sitting, i + 1),
            excerpt: excerpt(&q.prompt),
            answered: sitting.answers.find(&q.id).is_some(),
        })
        .collect();
    let title = module.map_or_else(|| sitting.stored.module_code.clone(), |m| m.title.clone());
    let page = OverviewPage {
        shell: shell(&visitor, &launch, format!("Overview · {title}")),
        crumb: crumb(&launch, course, module),
        module_title: title,
        attempt_number: narrow(sitting.stored.attempt_no),
        unanswered: items.iter().filter(|i| !i.answered).count(),
        items,
        form: PostForm {
            action: format!("{own}/hand-in"),
            csrf: visitor.csrf.clone(),
        },
        back_href: question_href(&launch, &sitting, first_open(&sitting)),
    };
    show_to(&visitor, &page)
}

pub(super) async fn hand_in(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, attempt)): Path<(String, String)>,
    headers: HeaderMap,
    form: Pairs,
) -> Result<Response> {
    visitor.check_form(&app, &headers, &form)?;
    let (launch, course) = visitor.launch(&app, &id).await?;
    let sitting = sitting(&app, &visitor, &attempt).await?;
    let result = format!("{}/result", attempt_href(&launch, &sitting.stored.id));
    match attempt::hand_in(&app, &launch, course, &sitting).await {
        Ok(_) => Ok(Redirect::to(&result).into_response()),
        Err(AttemptError::HandedIn) => {
            let link = Link {
                href: result,
                label: "See the result".to_owned(),
            };
            Err(Error::Attempt(AttemptError::HandedIn, Some(link)))
        }
        Err(e) => Err(e.into()),
    }
}
