//! Guessers that know nothing of the subject and look at wording only. One that beats chance has found a cue.

use std::collections::BTreeSet;

use crate::quiz::Question;
use crate::quiz::question::{AnswerOption, Kind};

type Score = fn(&Question, &AnswerOption) -> i64;

/// What each guesser picks: the option with the highest figure; ties share the pick.
const GUESSERS: [(&str, Score); 9] = [
    ("longest", |_, o| length(o)),
    ("second longest", |q, o| {
        i64::from(rank_length(q, 1) == length(o))
    }),
    ("third longest", |q, o| {
        i64::from(rank_length(q, 2) == length(o))
    }),
    ("shortest", |_, o| -length(o)),
    ("words of the prompt", |q, o| {
        shared(&words(&o.text), &words(&q.prompt))
    }),
    ("words of other options", |q, o| {
        let own = words(&o.text);
        let others = q.options.iter().filter(|x| !std::ptr::eq(*x, o));
        others.map(|x| shared(&own, &words(&x.text))).sum()
    }),
    ("no absolutes", |_, o| i64::from(!is_absolute(&o.text))),
    ("most code", |_, o| count(&o.text, '`')),
    ("most commas", |_, o| count(&o.text, ',')),
];

/// How often a guesser is right, in percent of the single-answer questions.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Guess {
    /// What it looks at.
    pub by: &'static str,
    /// How often it is right; ties count by share.
    pub percent: f64,
}

/// Every guesser's figure over the single-answer questions; empty when there are none.
pub(super) fn guesses<'q>(questions: impl Iterator<Item = &'q Question>) -> Vec<Guess> {
    let singles: Vec<&Question> = questions.filter(|q| q.kind == Kind::Single).collect();
    if singles.is_empty() {
        return Vec::new();
    }
    // Per question, per guesser, the share of its pick that each option has.
    let picks: Vec<Vec<Vec<f64>>> = singles
        .iter()
        .map(|q| GUESSERS.iter().map(|(_, score)| pick(q, *score)).collect())
        .collect();
    let won = |q: usize, share: &[f64]| -> f64 {
        let keys = singles[q]
            .options
            .iter()
            .zip(share)
            .filter(|(o, _)| o.correct);
        keys.map(|(_, share)| share).sum()
    };
    let hit = |g: usize, q: usize| won(q, &picks[q][g]);
    let all: Vec<usize> = (0..singles.len()).collect();
    let percent = |rights: f64| (rights * 1000.0 / as_f64(all.len())).round() / 10.0;

    let mut guesses: Vec<Guess> = GUESSERS
        .iter()
        .enumerate()
        .map(|(g, (by, _))| Guess {
            by,
            percent: percent(all.iter().map(|&q| hit(g, q)).sum()),
        })
        .collect();
    let places = singles.iter().map(|q| q.options.len()).max().unwrap_or(0);
    let at_best_place = (0..places)
        .map(|p| {
            singles
                .iter()
                .filter(|q| q.options.get(p).is_some_and(|o| o.correct))
                .count()
        })
        .max()
        .unwrap_or(0);
    guesses.push(Guess {
        by: "one place",
        percent: percent(as_f64(at_best_place)),
    });
    let vote = |q: usize, weights: &[f64]| -> f64 { won(q, &winners(&weigh(&picks[q], weights))) };
    let even = [1.0; GUESSERS.len()];
    guesses.push(Guess {
        by: "vote of these",
        percent: percent(all.iter().map(|&q| vote(q, &even)).sum()),
    });
    // Five folds: the weights are learned on four, as a clever test-taker would learn on other modules.
    let mut mixed = 0.0;
    for fold in 0..5 {
        let learn: Vec<usize> = all.iter().copied().filter(|q| q % 5 != fold).collect();
        let chance: f64 = learn
            .iter()
            .map(|&q| 1.0 / as_f64(singles[q].options.len()))
            .sum();
        let weights: Vec<f64> = (0..GUESSERS.len())
            .map(|g| learn.iter().map(|&q| hit(g, q)).sum::<f64>() - chance)
            .collect();
        mixed += all
            .iter()
            .filter(|q| *q % 5 == fold)
            .map(|&q| vote(q, &weights))
            .sum::<f64>();
    }
    guesses.push(Guess {
        by: "learned mix",
        percent: percent(mixed),
    });
    guesses
}

fn pick(question: &Question, score: Score) -> Vec<f64> {
    let scores: Vec<f64> = question
        .options
        .iter()
        .map(|o| f64::from(i32::try_from(score(question, o)).unwrap_or(i32::MAX)))
        .collect();
    winners(&scores)
}

/// One pick, shared by the options with the highest score.
fn winners(scores: &[f64]) -> Vec<f64> {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let wins = |s: f64| best - s < 1e-9;
    let share = 1.0 / as_f64(scores.iter().filter(|s| wins(**s)).count().max(1));
    scores
        .iter()
        .map(|&s| if wins(s) { share } else { 0.0 })
        .collect()
}

fn weigh(picks: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let options = picks.first().map_or(0, Vec::len);
    (0..options)
        .map(|o| picks.iter().zip(weights).map(|(p, w)| p[o] * w).sum())
        .collect()
}

/// Counts are far below 2^32.
pub(super) fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Characters of an option's text.
pub(super) fn length(option: &AnswerOption) -> i64 {
    i64::try_from(option.text.chars().count()).unwrap_or(i64::MAX)
}

/// The length at that place when options are sorted from long to short; -1 when there are too few.
fn rank_length(question: &Question, rank: usize) -> i64 {
    let mut lengths: Vec<i64> = question.options.iter().map(length).collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    lengths.get(rank).copied().unwrap_or(-1)
}

fn count(text: &str, c: char) -> i64 {
    i64::try_from(text.matches(c).count()).unwrap_or(i64::MAX)
}

fn shared(a: &BTreeSet<String>, b: &BTreeSet<String>) -> i64 {
    i64::try_from(a.intersection(b).count()).unwrap_or(i64::MAX)
}

/// Whether an option speaks in absolutes, which testwise readers strike.
pub(super) fn is_absolute(text: &str) -> bool {
    const ABSOLUTES: [&str; 8] = [
        "always", "never", "only", "must", "every", "all", "none", "any",
    ];
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.any(|w| ABSOLUTES.contains(&w))
}

/// Words that carry no meaning of their own, between spaces.
const FILLERS: &str = " the a an of to in on is are was and or for with that this it its by as at be from not no which \
    what when where who how only into than then their there your you ";

/// The words of a text that carry meaning: lower case, three characters or more, no filler.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '\''))
        .filter(|w| w.len() > 2 && !FILLERS.contains(&format!(" {w} ")))
        .map(ToOwned::to_owned)
        .collect()
}
