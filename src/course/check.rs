//! What `passmuster content check` reports beyond the rules of loading: figures per bank, cues that let a reader pass
//! without knowledge, and what a lesson loses when it is rendered.
//!
//! It cannot see a wrong key, a dull question or an option that is implausible by its meaning: a second reader does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

pub use super::figures::BankFigures;
use super::figures::{figures, write_guesses};
pub use super::guess::Guess;
use super::guess::{as_f64, guesses, length, words};
use super::loader::Catalogue;
use super::module::Module;
use crate::quiz::question::{Kind, Style};
use crate::quiz::{Bank, Question};

/// Fewer single-answer questions than this say nothing about cues: their figures warn and do not fail.
const ENOUGH_SINGLES: usize = 20;
/// A guesser above this share of right answers, in percent, has found a cue in a bank.
const BANK_GUESS_LIMIT: f64 = 36.0;
/// The same over all banks together, where luck evens out; in force from 200 single-answer questions.
const TREE_GUESS_LIMIT: f64 = 32.0;
const TREE_ENOUGH_SINGLES: usize = 200;
/// These swing widely on one bank, so they are judged on all together; places have a test of their own.
const TREE_ONLY: [&str; 3] = ["learned mix", "one place", "vote of these"];
/// Words that two prompts share, of all their words, from which they are near twins.
const TWIN_SHARE: f64 = 0.55;
/// Upper 1 % point of chi-square with 3 degrees of freedom.
const CHI_SQUARE_LIMIT: f64 = 11.34;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The check fails.
    Fail,
    /// Worth a look.
    Warn,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave.
    pub level: Level,
    /// Course and module, and the question where it is one; empty for all content.
    pub place: String,
    /// What it is, one sentence.
    pub what: String,
}

/// Everything a check has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Figures per bank, in the order of courses and modules.
    pub banks: Vec<BankFigures>,
    /// Guessers over all banks together.
    pub guesses: Vec<Guess>,
    /// Failures first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|f| f.level != Level::Fail)
    }
}

/// Checks all banks and lessons. Renders what is not rendered yet.
#[must_use]
pub fn check(catalogue: &Catalogue) -> Report {
    catalogue.render_all();
    let mut found = Findings::default();
    let mut banks = Vec::new();
    let mut questions = Vec::new();
    for course in catalogue.courses() {
        for module in &course.modules {
            found.place = format!("{}/{}", course.code, module.code);
            banks.push(figures(&found.place, module));
            if let Some(figures) = banks.last() {
                judge_bank(figures, &module.bank, &mut found);
            }
            for question in &module.bank.questions {
                judge_question(question, &mut found);
                questions.push((question, found.place.clone()));
            }
            judge_lesson(module, &mut found);
        }
    }
    judge_twins(&questions, &mut found);
    let guesses = guesses(questions.iter().map(|(q, _)| *q));
    let singles = questions.iter().filter(|(q, _)| q.kind == Kind::Single);
    if singles.count() >= TREE_ENOUGH_SINGLES {
        found.place.clear();
        for guess in guesses.iter().filter(|g| g.percent > TREE_GUESS_LIMIT) {
            let Guess { by, percent } = guess;
            found.fail(format!(
                "guessing by {by} is right in {percent:.1} % of all banks"
            ));
        }
    }
    let mut findings = found.list;
    findings.sort_by_key(|f| f.level);
    Report {
        banks,
        guesses,
        findings,
    }
}

#[derive(Default)]
struct Findings {
    place: String,
    list: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, level: Level, inside: &str, what: impl Into<String>) {
        let place = [self.place.as_str(), inside].join(" ").trim().to_owned();
        let what = what.into();
        self.list.push(Finding { level, place, what });
    }

    fn fail(&mut self, what: impl Into<String>) {
        self.add(Level::Fail, "", what);
    }

    fn warn(&mut self, what: impl Into<String>) {
        self.add(Level::Warn, "", what);
    }
}

fn judge_bank(figures: &BankFigures, bank: &Bank, found: &mut Findings) {
    let all = &bank.questions;
    let singles: usize = figures.key_places.iter().sum();
    for guess in &figures.guesses {
        if guess.percent > BANK_GUESS_LIMIT && !TREE_ONLY.contains(&guess.by) {
            let Guess { by, percent } = guess;
            let what = format!(
                "guessing by {by} is right in {percent:.1} % (chance {:.1} %)",
                figures.chance
            );
            if singles >= ENOUGH_SINGLES {
                found.fail(what);
            } else {
                found.warn(format!(
                    "{what}; {singles} single-answer questions are too few to tell"
                ));
            }
        }
    }
    let expected = as_f64(singles) / 4.0;
    if figures.key_places.len() == 4 && singles >= ENOUGH_SINGLES {
        let squares = figures
            .key_places
            .iter()
            .map(|&n| (as_f64(n) - expected).powi(2) / expected);
        let chi_square: f64 = squares.sum();
        if chi_square > CHI_SQUARE_LIMIT {
            found.fail(format!(
                "keys stand unevenly at the four places: {:?} (chi-square {chi_square:.1})",
                figures.key_places
            ));
        }
    }
    let multiple = all.len() - singles;
    if multiple * 5 > all.len() {
        found.fail(format!(
            "{multiple} of {} questions are multiple-response, over 20 %",
            all.len()
        ));
    }
    let applied = all.iter().filter(|q| q.style.is_applied()).count();
    if applied * 10 < all.len() * 6 {
        found.fail(format!(
            "{applied} of {} questions are applied, under 60 %",
            all.len()
        ));
    }
    let recall = all.iter().filter(|q| q.style == Style::Recall).count();
    if recall * 10 > all.len() {
        found.fail(format!(
            "{recall} of {} questions are recall, over 10 %",
            all.len()
        ));
    }
    if all.len() * 2 < bank.draw * 5 {
        found.warn(format!(
            "{} questions for draws of {}: retakes will repeat",
            all.len(),
            bank.draw
        ));
    }
    if !(bank.draw * usize::from(bank.pass_mark.percent())).is_multiple_of(100) {
        let mark = bank.pass_mark.percent();
        found.warn(format!(
            "{mark} % of {} is not whole: {} are needed",
            bank.draw, figures.needed
        ));
    }
    for (objective, &questions) in &figures.per_objective {
        if questions < 4 {
            found.warn(format!(
                "objective {objective} has {questions} questions, under 4"
            ));
        }
    }
}

fn judge_question(question: &Question, found: &mut Findings) {
    let id = question.id.as_str();
    let fail = |found: &mut Findings, what: &str| found.add(Level::Fail, id, what);
    let stem = question.prompt.split(|c: char| !c.is_alphanumeric());
    if stem
        .into_iter()
        .any(|w| matches!(w, "NOT" | "EXCEPT" | "LEAST"))
    {
        fail(found, "the stem asks for the opposite (NOT, EXCEPT, LEAST)");
    }
    let above = |text: &str| {
        let text = text.to_lowercase();
        ["all", "none", "both", "any"].iter().any(|all| {
            ["of the above", "of these", "of the others"]
                .iter()
                .any(|these| text.contains(&format!("{all} {these}")))
        }) || text.starts_with("both a and")
    };
    if question.options.iter().any(|o| above(&o.text)) {
        fail(found, "an option speaks of all or none of the others");
    }
    if question.kind == Kind::Multiple {
        if !question.prompt.contains("elect all that apply") {
            fail(found, "a multiple question says \"Select all that apply.\"");
        }
        return;
    }
    if question.options.len() != 4 {
        found.add(
            Level::Warn,
            id,
            format!("{} options, usual are 4", question.options.len()),
        );
    }
    let of = |correct: bool| {
        let options = question
            .options
            .iter()
            .filter(move |o| o.correct == correct);
        options.map(length).max().unwrap_or(0)
    };
    if of(true) * 100 > of(false) * 135 {
        found.add(Level::Warn, id, "the key is by far the longest option");
    }
}

fn judge_lesson(module: &Module, found: &mut Findings) {
    let lesson = &module.rendered().lesson;
    for notice in &lesson.notices {
        found.warn(format!("lesson: {notice}"));
    }
    let stated = usize::try_from(module.minutes).unwrap_or(usize::MAX);
    if stated.abs_diff(lesson.minutes) > 3 {
        found.warn(format!(
            "lesson: {stated} minutes stated, about {} by its length",
            lesson.minutes
        ));
    }
}

/// Prompts (with their code) that share most of their words, over all banks.
fn judge_twins(questions: &[(&Question, String)], found: &mut Findings) {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut number = |word: String| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(word).or_insert(next)
    };
    let sets: Vec<BTreeSet<u32>> = questions
        .iter()
        .map(|(q, _)| {
            let code = q.code.as_ref().map_or("", |c| c.text.as_str());
            words(&format!("{} {code}", q.prompt))
                .into_iter()
                .map(&mut number)
                .collect()
        })
        .collect();
    for (n, a) in sets.iter().enumerate() {
        for (m, b) in sets[..n].iter().enumerate() {
            // Sets of very different size cannot be twins: spare the comparison.
            let (small, large) = (a.len().min(b.len()), a.len().max(b.len()));
            if as_f64(small) <= TWIN_SHARE * as_f64(large) {
                continue;
            }
            let shared = a.intersection(b).count();
            if as_f64(shared) > TWIN_SHARE * as_f64(a.len() + b.len() - shared) {
                let ((one, place), (other, other_place)) = (&questions[n], &questions[m]);
                found.place.clone_from(place);
                let what = format!("is a near twin of {} in {other_place}", other.id);
                found.add(Level::Fail, one.id.as_str(), what);
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for bank in &self.banks {
            write!(f, "{bank}")?;
        }
        if self.banks.len() > 1 {
            writeln!(f, "all banks")?;
            write_guesses(f, &self.guesses)?;
            writeln!(f)?;
        }
        for Finding { level, place, what } in &self.findings {
            let level = match level {
                Level::Fail => "FAIL",
                Level::Warn => "warn",
            };
            let colon = if place.is_empty() { "" } else { ": " };
            writeln!(f, "{level} {place}{colon}{what}")?;
        }
        let count = |level| self.findings.iter().filter(|f| f.level == level).count();
        let (failed, warned) = (count(Level::Fail), count(Level::Warn));
        let questions: usize = self.banks.iter().map(|b| b.questions).sum();
        writeln!(
            f,
            "{} modules, {questions} questions: {failed} failures, {warned} warnings",
            self.banks.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::course::Drafts;
    use crate::course::loader::fixture;

    /// A course whose only bank has `questions`: prompt, and option texts with the key first; keys move from place to place.
    fn course(questions: &[(String, Vec<String>)], keys_move: bool) -> Catalogue {
        let mut bank = String::from(
            "draw = 2\npass_mark_percent = 80\nscoring_rule = \"all-or-nothing/1\"\n[[objective]]\nid = \"f-o1\"\ntext = \"x\"\n",
        );
        for (n, (prompt, options)) in questions.iter().enumerate() {
            let _ = write!(
                bank,
                "[[question]]\nid = \"f-{n}\"\nkind = \"single\"\nversion = 1\nobjective = \"f-o1\"\ndifficulty = \"easy\"\n\
                 style = \"find\"\nprompt = \"{prompt}\"\nsource = \"https://cwe.mitre.org/\"\n"
            );
            let at = if keys_move { n % options.len() } else { 0 };
            let mut options: Vec<_> = options.iter().enumerate().collect();
            options.rotate_right(at);
            for (i, text) in options {
                let correct = i == 0;
                let _ = write!(
                    bank,
                    "[[question.options]]\ntext = \"{text}\"\ncorrect = {correct}\nrationale = \"r\"\n"
                );
            }
        }
        let files = fixture::files().into_iter().map(|(path, bytes)| {
            if path.ends_with("01-first/quiz.toml") {
                (path, bank.clone().into_bytes())
            } else {
                (path, bytes)
            }
        });
        Catalogue::from_files(files, Drafts::Skip).unwrap()
    }

    /// Words that differ from question to question.
    fn filler(n: usize, count: usize) -> String {
        let words: Vec<String> = (0..count).map(|i| format!("w{n}x{i}")).collect();
        words.join(" ")
    }

    fn fails(report: &Report, with: &str) -> bool {
        report
            .findings
            .iter()
            .any(|f| f.level == Level::Fail && f.what.contains(with))
    }

    #[test]
    fn a_bank_without_cues_is_good() {
        let questions: Vec<_> = (0..24)
            .map(|n| {
                // The key's length rank goes round 1 to 4, out of step with its place.
                let option = |i: usize| format!("{} o{i}", filler(n * 10 + i, 5 + (i + n / 4) % 4));
                (filler(n, 12), (0..4).map(option).collect())
            })
            .collect();
        let report = check(&course(&questions, true));
        assert!(report.is_good(), "{report}");
        let text = report.to_string();
        assert!(
            text.contains("demo/first") && text.contains("24 questions"),
            "{text}"
        );
        assert_eq!(report.banks[0].key_places, [6, 6, 6, 6]);
    }

    #[test]
    fn a_planted_bad_bank_fails_for_each_of_its_faults() {
        let questions: Vec<_> = (0..24)
            .map(|n| {
                let prompt = match n {
                    0 => "Which is NOT safe".to_owned(),
                    1 | 2 => format!("same words again {}", filler(99, 10)),
                    _ => filler(n, 12),
                };
                let mut options = vec![format!("{} {prompt} long and airtight", filler(n, 3))];
                options.extend((1..4).map(|i| format!("never o{i}")));
                if n == 3 {
                    options[3] = "All of the above".to_owned();
                }
                (prompt, options)
            })
            .collect();
        let report = check(&course(&questions, false));
        assert!(!report.is_good());
        for with in [
            "guessing by longest",
            "guessing by words of the prompt",
            "guessing by no absolutes",
            "unevenly",
            "opposite",
            "all or none",
            "near twin of f-1",
        ] {
            assert!(fails(&report, with), "{with} in\n{report}");
        }
        assert_eq!(report.banks[0].key_lengths[0], 24);
        assert!(report.findings.is_sorted_by_key(|f| f.level));
    }

    #[test]
    fn few_questions_warn_and_do_not_fail_on_cues() {
        let options = || {
            ["the longest option here", "b", "c", "d"]
                .map(str::to_owned)
                .to_vec()
        };
        let questions = [(filler(1, 5), options()), (filler(2, 5), options())];
        let report = check(&course(&questions, true));
        assert!(report.is_good(), "{report}");
        assert!(
            report
                .findings
                .iter()
                .any(|f| f.what.contains("too few to tell"))
        );
    }
}
