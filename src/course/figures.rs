//! The figures of one bank, as data and as text.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::Serialize;

use super::guess::{Guess, as_f64, guesses, is_absolute, length};
use super::module::Module;
use crate::quiz::Question;
use crate::quiz::question::Kind;

/// Figures of one bank.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BankFigures {
    /// Course and module: `owasp-top10-2025/a05-injection`.
    pub module: String,
    /// Whether the course lists it.
    pub released: bool,
    /// Size of the bank.
    pub questions: usize,
    /// Questions per attempt.
    pub draw: usize,
    /// The least number of right answers that passes.
    pub needed: u32,
    /// Questions by objective id.
    pub per_objective: BTreeMap<String, usize>,
    /// Questions by kind.
    pub per_kind: BTreeMap<String, usize>,
    /// Questions by style.
    pub per_style: BTreeMap<String, usize>,
    /// Questions by the author's guess of difficulty.
    pub per_difficulty: BTreeMap<String, usize>,
    /// Questions with code, by language.
    pub per_language: BTreeMap<String, usize>,
    /// Single-answer questions by the place of their key, from 1.
    pub key_places: Vec<usize>,
    /// Single-answer questions by the length rank of their key, longest first (ties to the longer rank).
    pub key_lengths: Vec<usize>,
    /// Share of options with an absolute word among keys and among the others, in percent.
    pub absolutes: (f64, f64),
    /// Blind luck on a single-answer question, in percent.
    pub chance: f64,
    /// What guessers reach who read wording only.
    pub guesses: Vec<Guess>,
    /// Words per question (prompt and options), on average.
    pub words_per_question: f64,
    /// Words of the lesson outside code.
    pub lesson_words: usize,
    /// Minutes as stated and as computed.
    pub minutes: (u32, usize),
}

fn tally<K: ToString>(keys: impl Iterator<Item = K>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key.to_string()).or_default() += 1;
    }
    counts
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (as_f64(part) * 1000.0 / as_f64(whole)).round() / 10.0
    }
}

/// Counts a module's bank and lesson; renders the lesson when it is not rendered yet.
pub(super) fn figures(place: &str, module: &Module) -> BankFigures {
    let bank = &module.bank;
    let all = &bank.questions;
    let singles: Vec<&Question> = all.iter().filter(|q| q.kind == Kind::Single).collect();
    let most = singles.iter().map(|q| q.options.len()).max().unwrap_or(0);
    let (mut key_places, mut key_lengths) = (vec![0; most], vec![0; most]);
    for question in &singles {
        let options = &question.options;
        if let Some(key) = options.iter().position(|o| o.correct) {
            key_places[key] += 1;
            let longer = options.iter().filter(|o| length(o) > length(&options[key]));
            key_lengths[longer.count()] += 1;
        }
    }
    let absolutes = |correct: bool| {
        let options = all.iter().flat_map(|q| &q.options);
        let of: Vec<_> = options.filter(|o| o.correct == correct).collect();
        percent(of.iter().filter(|o| is_absolute(&o.text)).count(), of.len())
    };
    let chances: f64 = singles.iter().map(|q| 1.0 / as_f64(q.options.len())).sum();
    let words_of = |q: &Question| {
        let options = q.options.iter().map(|o| o.text.split_whitespace().count());
        q.prompt.split_whitespace().count() + options.sum::<usize>()
    };
    let lesson = &module.rendered().lesson;
    BankFigures {
        module: place.to_owned(),
        released: module.released,
        questions: all.len(),
        draw: bank.draw,
        needed: bank
            .pass_mark
            .least_score(u32::try_from(bank.draw).unwrap_or(u32::MAX)),
        per_objective: tally(all.iter().map(|q| &q.objective)),
        per_kind: tally(all.iter().map(|q| q.kind)),
        per_style: tally(all.iter().map(|q| q.style)),
        per_difficulty: tally(all.iter().map(|q| q.difficulty)),
        per_language: tally(all.iter().filter_map(|q| q.code.as_ref()).map(|c| &c.lang)),
        key_places,
        key_lengths,
        absolutes: (absolutes(true), absolutes(false)),
        chance: (chances * 1000.0 / as_f64(singles.len().max(1))).round() / 10.0,
        guesses: guesses(all.iter()),
        words_per_question: percent(all.iter().map(words_of).sum(), all.len() * 100),
        lesson_words: lesson.words,
        minutes: (module.minutes, lesson.minutes),
    }
}

impl fmt::Display for BankFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bank = self;
        let list = |counts: &BTreeMap<String, usize>| {
            counts.iter().fold(String::new(), |mut line, (key, n)| {
                let gap = if line.is_empty() { "" } else { ", " };
                let _ = write!(line, "{gap}{key} {n}");
                line
            })
        };
        let draft = if bank.released { "" } else { " (draft)" };
        writeln!(f, "{}{draft}", bank.module)?;
        let (stated, computed) = bank.minutes;
        writeln!(
            f,
            "  lesson      {} words, {stated} min stated, {computed} computed",
            bank.lesson_words
        )?;
        writeln!(
            f,
            "  bank        {} questions, draws {}, {} to pass, {:.0} words each",
            bank.questions, bank.draw, bank.needed, bank.words_per_question
        )?;
        for (name, counts) in [
            ("objectives", &bank.per_objective),
            ("kinds", &bank.per_kind),
            ("styles", &bank.per_style),
            ("difficulty", &bank.per_difficulty),
            ("code", &bank.per_language),
        ] {
            if !counts.is_empty() {
                writeln!(f, "  {name:<11} {}", list(counts))?;
            }
        }
        writeln!(f, "  key places  {:?}", bank.key_places)?;
        let singles = bank.key_lengths.iter().sum();
        let longest = bank
            .key_lengths
            .first()
            .map_or(0.0, |n| percent(*n, singles));
        writeln!(
            f,
            "  key length  {:?} from longest to shortest; longest {longest:.1} %",
            bank.key_lengths
        )?;
        let (keys, others) = bank.absolutes;
        writeln!(
            f,
            "  absolutes   {keys:.1} % of keys, {others:.1} % of the others"
        )?;
        writeln!(f, "  chance      {:.1} %; guessing by:", bank.chance)?;
        write_guesses(f, &bank.guesses)?;
        writeln!(f)
    }
}

/// A line for each guesser.
pub(super) fn write_guesses(f: &mut fmt::Formatter<'_>, guesses: &[Guess]) -> fmt::Result {
    for Guess { by, percent } in guesses {
        writeln!(f, "    {by:<24} {percent:5.1} %")?;
    }
    Ok(())
}
