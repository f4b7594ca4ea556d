//! Sitting a quiz: begin, save, hand in. A hand-in writes result, completion, credit, ledger entries and the scores
//! for the gradebooks in one transaction, or nothing.

use std::collections::BTreeMap;

use crate::app::App;
use crate::course::{Course, Module};
use crate::crypto::sha256_hex;
use crate::entropy;
use crate::evidence::ledger::Fact;
use crate::ids::{AttemptId, CompletionId, CreditId, PassbackId, PersonId, TenantId};
use crate::quiz::{
    self, AnswerError, Answers, Draw, GradeError, Graded, PassMark, Question, QuestionId,
    Questions, ScoringRule, SeenQuestion, Selection,
};
use crate::storage::{
    self, AttemptHead, Completion, Credit, Launch, NewAttempt, StoredAttempt, StoredResult, Tx,
};
use crate::time::Timestamp;

use super::progress::{cycle_at, is_complete, released};

/// Why a step of an attempt was refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// No such attempt of this person.
    #[error("no such attempt")]
    NotFound,
    /// It was handed in before.
    #[error("this attempt was handed in already")]
    HandedIn,
    /// What was sent fits no question of the draw.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A question of the draw cannot be found in content or storage.
    #[error(transparent)]
    Grade(#[from] GradeError),
    /// A stored attempt cannot be read.
    #[error("a stored attempt cannot be read")]
    Corrupt,
}

impl AttemptError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Storage(_) => "storage.fault",
            Self::NotFound => "quiz.no_such_attempt",
            Self::HandedIn => "quiz.handed_in",
            Self::Answer(e) => e.code(),
            Self::Grade(e) => e.code(),
            Self::Corrupt => "quiz.corrupt_attempt",
        }
    }
}

/// An attempt with its draw, questions and answers read.
#[derive(Debug)]
pub struct Sitting {
    /// As stored.
    pub stored: StoredAttempt,
    /// What was drawn.
    pub draw: Draw,
    /// The drawn questions in the versions drawn.
    pub questions: Vec<Question>,
    /// The answers so far.
    pub answers: Answers,
}

impl Sitting {
    /// Reads an attempt of this very person.
    pub async fn read(
        app: &App,
        tenant: &TenantId,
        person: &PersonId,
        id: &AttemptId,
    ) -> Result<Self, AttemptError> {
        let stored = app
            .db
            .find_attempt(tenant, person, id)
            .await?
            .ok_or(AttemptError::NotFound)?;
        let draw: Draw = serde_json::from_str(&stored.draw).map_err(|_| AttemptError::Corrupt)?;
        let mut questions = Vec::with_capacity(draw.items.len());
        for item in &draw.items {
            questions.push(find_question(app, &item.question, item.version).await?);
        }
        let answers = read_answers(app.db.list_answers(tenant, id).await?)?;
        Ok(Self {
            stored,
            draw,
            questions,
            answers,
        })
    }
}

/// A question in exactly the version that was drawn: from the content, or from what was kept when it was drawn.
async fn find_question(app: &App, id: &QuestionId, version: u32) -> Result<Question, AttemptError> {
    if let Some(q) = app.catalogue.find_question(id, version) {
        return Ok(q.clone());
    }
    let kept = app
        .db
        .find_question_version(id.as_str(), i64::from(version))
        .await?;
    let text = kept.ok_or_else(|| GradeError::UnknownQuestion {
        question: id.clone(),
        version,
    })?;
    serde_json::from_str(&text).map_err(|_| AttemptError::Corrupt)
}

fn read_answers(rows: Vec<(String, String)>) -> Result<Answers, AttemptError> {
    let mut answers = Answers::default();
    for (question, selection) in rows {
        let question: QuestionId = question.parse().map_err(|_| AttemptError::Corrupt)?;
        let chosen = serde_json::from_str(&selection).map_err(|_| AttemptError::Corrupt)?;
        answers.put(Selection { question, chosen });
    }
    Ok(answers)
}

/// Begins an attempt, or finds the one that is open.
pub async fn begin(
    app: &App,
    launch: &Launch,
    course: &Course,
    module: &Module,
) -> Result<AttemptId, AttemptError> {
    let (tenant, person) = (&launch.tenant_id, &launch.person_id);
    let now = app.now();
    let seen = seen_questions(app, tenant, person, course, module).await?;
    let draw = quiz::draw(&module.bank, &seen, entropy::bytes(&*app.entropy));
    let questions = draw
        .items
        .iter()
        .filter_map(|i| app.catalogue.find_question(&i.question, i.version))
        .map(|q| {
            Ok((
                q.id.as_str().to_owned(),
                i64::from(q.version),
                serde_json::to_string(q)?,
            ))
        })
        .collect::<Result<Vec<_>, serde_json::Error>>()
        .map_err(|_| AttemptError::Corrupt)?;
    let text = serde_json::to_string(&draw).map_err(|_| AttemptError::Corrupt)?;

    // A second tab may be a moment ahead: then its attempt is the one to go on with.
    for _ in 0..2 {
        let mut tx = app.db.begin_write().await?;
        let attempts = tx
            .list_attempts(tenant, person, course.code.as_str())
            .await?;
        let mine: Vec<&AttemptHead> = attempts
            .iter()
            .filter(|a| a.module_code == module.code.as_str())
            .collect();
        if let Some(open) = mine.iter().find(|a| a.result.is_none()) {
            return Ok(open.id.clone());
        }
        let credit = tx.find_credit(tenant, person, course.code.as_str()).await?;
        let id = AttemptId::new(now, &*app.entropy);
        let new = NewAttempt {
            id: id.clone(),
            tenant_id: tenant,
            person_id: person,
            launch_id: &launch.id,
            course: (course.code.as_str(), course.version.as_str()),
            module: (module.code.as_str(), module.version.as_str()),
            cycle: cycle_at(credit.as_ref(), now),
            attempt_no: mine.iter().map(|a| a.attempt_no).max().unwrap_or(0) + 1,
            draw: &text,
            scoring_rule: module.bank.scoring_rule.as_str(),
            pass_mark_percent: i64::from(module.bank.pass_mark.percent()),
            questions: questions.clone(),
        };
        match tx.add_attempt(&new, now).await {
            Ok(()) => {
                tx.commit().await?;
                return Ok(id);
            }
            Err(e) if e.is_conflict() => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(storage::Error::Conflict.into())
}

async fn seen_questions(
    app: &App,
    tenant: &TenantId,
    person: &PersonId,
    course: &Course,
    module: &Module,
) -> Result<Vec<SeenQuestion>, AttemptError> {
    let mut times: BTreeMap<QuestionId, u32> = BTreeMap::new();
    for text in app
        .db
        .list_draws(tenant, person, course.code.as_str(), module.code.as_str())
        .await?
    {
        let draw: Draw = serde_json::from_str(&text).map_err(|_| AttemptError::Corrupt)?;
        for item in draw.items {
            *times.entry(item.question).or_default() += 1;
        }
    }
    Ok(times
        .into_iter()
        .map(|(id, times)| SeenQuestion { id, times })
        .collect())
}

/// Saves what was chosen for one question of an open attempt.
pub async fn save(
    app: &App,
    tenant: &TenantId,
    sitting: &Sitting,
    selection: &Selection,
) -> Result<(), AttemptError> {
    let text = serde_json::to_string(&selection.chosen).map_err(|_| AttemptError::Corrupt)?;
    let mut tx = app.db.begin_write().await?;
    // In line with the hand-in: what is acknowledged here is graded there, on PostgreSQL too.
    tx.lock_ledger(tenant).await?;
    let id = &sitting.stored.id;
    if !tx
        .put_answer(tenant, id, selection.question.as_str(), &text, app.now())
        .await?
    {
        return Err(AttemptError::HandedIn);
    }
    tx.commit().await?;
    Ok(())
}

/// Hands an attempt in. Who comes second gets [`AttemptError::HandedIn`] and changes nothing.
pub async fn hand_in(
    app: &App,
    launch: &Launch,
    course: &Course,
    sitting: &Sitting,
) -> Result<Graded, AttemptError> {
    let (tenant, person, stored) = (&launch.tenant_id, &launch.person_id, &sitting.stored);
    if stored.result.is_some() {
        return Err(AttemptError::HandedIn);
    }
    let now = app.now();
    let rule = stored
        .scoring_rule
        .parse::<ScoringRule>()
        .map_err(|_| AttemptError::Corrupt)?;
    let mark = u8::try_from(stored.pass_mark_percent)
        .ok()
        .and_then(|m| PassMark::try_from(m).ok());
    let mark = mark.ok_or(AttemptError::Corrupt)?;

    let mut tx = app.db.begin_write().await?;
    // One after the other per tenant from here on: a save that is under way is either in or refused.
    tx.lock_ledger(tenant).await?;
    let answers = read_answers(tx.list_answers(tenant, &stored.id).await?)?;
    let graded = quiz::grade(&sitting.questions, &sitting.draw, &answers, rule, mark)?;
    let graded_text = serde_json::to_string(&graded).map_err(|_| AttemptError::Corrupt)?;
    let result = StoredResult {
        submitted_at: now,
        score: i64::from(graded.score),
        score_max: i64::from(graded.max),
        percent_hundredths: graded.percent_hundredths,
        passed: graded.passed,
        graded: graded_text,
    };
    match tx.add_result(tenant, &stored.id, &result).await {
        Err(e) if e.is_conflict() => return Err(AttemptError::HandedIn),
        other => other?,
    }
    let names = Names { course, stored };
    let mut facts = vec![Fact::Attempt {
        id: stored.id.clone(),
        person: person.clone(),
        course: names.course(),
        module: names.module(),
        attempt_no: stored.attempt_no,
        percent_hundredths: graded.percent_hundredths,
        passed: graded.passed,
        record_sha256: sha256_hex(format!("{}\n{}", stored.draw, result.graded).as_bytes()),
    }];
    let mut passed = tx
        .list_completions(tenant, person, course.code.as_str(), stored.cycle)
        .await?;
    if graded.passed && !passed.iter().any(|c| c.module_code == stored.module_code) {
        let completion = names.completion(app, &graded, now);
        tx.add_completion(tenant, person, &completion).await?;
        facts.push(Fact::Completion {
            id: completion.id.clone(),
            person: person.clone(),
            course: names.course(),
            module: names.module(),
            attempt: stored.id.clone(),
        });
        passed.push(completion);
        if is_complete(course, &passed) {
            let credit = names.credit(app, tx_zone(app, tenant).await?.as_str(), &passed, now);
            tx.add_credit(tenant, person, &credit).await?;
            facts.push(Fact::Credit {
                id: credit.id.clone(),
                person: person.clone(),
                course: names.course(),
                content_sha256: credit.content_sha256.clone(),
                valid_until: credit.valid_until.rfc3339_s(),
            });
        }
    }
    let head_attempts = tx
        .list_attempts(tenant, person, course.code.as_str())
        .await?;
    let wishes = Grades {
        course,
        passed: &passed,
        attempts: &head_attempts,
    };
    let sent = wishes.wish(app, &mut tx, tenant, person, now).await?;
    tx.append_ledger(tenant, &facts, now).await?;
    tx.commit().await?;
    if sent {
        app.passback_bell.notify_one();
    }
    Ok(graded)
}

async fn tx_zone(app: &App, tenant: &TenantId) -> storage::Result<String> {
    Ok(app
        .db
        .find_tenant(tenant)
        .await?
        .map_or_else(|| "UTC".to_owned(), |t| t.time_zone))
}

struct Names<'a> {
    course: &'a Course,
    stored: &'a StoredAttempt,
}

impl Names<'_> {
    fn course(&self) -> (String, String) {
        (
            self.stored.course_code.clone(),
            self.stored.course_version.clone(),
        )
    }

    fn module(&self) -> (String, String) {
        (
            self.stored.module_code.clone(),
            self.stored.module_version.clone(),
        )
    }

    fn completion(&self, app: &App, graded: &Graded, now: Timestamp) -> Completion {
        Completion {
            id: CompletionId::new(now, &*app.entropy),
            course_code: self.stored.course_code.clone(),
            course_version: self.stored.course_version.clone(),
            module_code: self.stored.module_code.clone(),
            module_version: self.stored.module_version.clone(),
            cycle: self.stored.cycle,
            attempt_id: self.stored.id.clone(),
            percent_hundredths: graded.percent_hundredths,
            passed_at: now,
        }
    }

    fn credit(&self, app: &App, zone: &str, passed: &[Completion], now: Timestamp) -> Credit {
        let required: Vec<&str> = released(self.course).map(|m| m.code.as_str()).collect();
        let scores: Vec<i64> = passed
            .iter()
            .filter(|c| required.contains(&c.module_code.as_str()))
            .map(|c| c.percent_hundredths)
            .collect();
        let count = i64::try_from(scores.len()).unwrap_or(1).max(1);
        let months = i32::try_from(self.course.validity_months).unwrap_or(12);
        Credit {
            id: CreditId::new(now, &*app.entropy),
            course_code: self.course.code.as_str().to_owned(),
            course_title: self.course.title.clone(),
            course_version: self.course.version.as_str().to_owned(),
            content_sha256: self.course.content_sha256.clone(),
            cycle: self.stored.cycle,
            modules: serde_json::to_string(&required).expect("a list of texts is JSON"),
            modules_required: i64::try_from(required.len()).unwrap_or(0),
            pass_mark_percent: i64::from(self.course.pass_mark.percent()),
            lowest_hundredths: scores.iter().copied().min().unwrap_or(0),
            mean_hundredths: (scores.iter().sum::<i64>() + count / 2) / count,
            completed_at: now,
            valid_until: now.end_of_day_after_months(months, zone),
        }
    }
}

/// What gradebooks are told. A module's column holds the best score; a course's column stays under the pass mark
/// until every module is passed (share of modules passed, of the mark), then it holds the mean of the best scores:
/// so a column says "passed" exactly when the course is. Nothing here ever falls.
struct Grades<'a> {
    course: &'a Course,
    passed: &'a [Completion],
    attempts: &'a [AttemptHead],
}

impl Grades<'_> {
    fn best(&self, module: &str) -> i64 {
        let of = self.attempts.iter().filter(|a| a.module_code == module);
        of.filter_map(|a| a.result.map(|r| r.1)).max().unwrap_or(0)
    }

    /// The score and its comment for a placement; nothing while there is nothing worth a grade.
    fn score(&self, module: &str) -> Option<(i64, String)> {
        if !module.is_empty() {
            let best = self.best(module);
            let tries = self
                .attempts
                .iter()
                .filter(|a| a.module_code == module && a.result.is_some())
                .count();
            let word = if self.passed.iter().any(|c| c.module_code == module) {
                "Passed"
            } else {
                "Not passed yet"
            };
            let comment = format!(
                "{word}: best score {} % after {tries} attempt(s).",
                best / 100
            );
            return (tries > 0).then_some((best, comment));
        }
        let required: Vec<&str> = released(self.course).map(|m| m.code.as_str()).collect();
        let total = i64::try_from(required.len()).unwrap_or(1).max(1);
        let done = required
            .iter()
            .filter(|m| self.passed.iter().any(|c| c.module_code == **m))
            .count();
        let done = i64::try_from(done).unwrap_or(0);
        if done == total {
            let sum: i64 = required.iter().map(|m| self.best(m)).sum();
            let comment = format!("Passed: {total} of {total} modules, mean of the best scores.");
            return Some(((sum + total / 2) / total, comment));
        }
        let mark = i64::from(self.course.pass_mark.percent()) * 100;
        let comment = format!("In progress: {done} of {total} modules passed.");
        (done > 0).then_some((mark * done / total, comment))
    }

    async fn wish(
        &self,
        app: &App,
        tx: &mut Tx,
        tenant: &TenantId,
        person: &PersonId,
        now: Timestamp,
    ) -> storage::Result<bool> {
        let mut any = false;
        for (link, account, module) in tx
            .list_graded_links(tenant, person, self.course.code.as_str())
            .await?
        {
            let Some((score, comment)) = self.score(&module) else {
                continue;
            };
            let id = PassbackId::new(now, &*app.entropy);
            any |= tx
                .wish_score(id, tenant, &link, &account, score, &comment, now)
                .await?;
        }
        Ok(any)
    }
}
