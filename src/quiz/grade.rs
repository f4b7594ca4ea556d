//! Grades an attempt. Pure: the same questions, draw and answers give the same result, today and in ten years.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attempt::{Answers, ScoringRule};
use super::draw::Draw;
use super::question::{ObjectiveId, PassMark, QuestionId, Questions};

/// The stored form's name; a change of its meaning makes a new number.
pub const SCHEMA: &str = "passmuster-graded/1";

/// The result of an attempt, kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// [`SCHEMA`].
    pub schema: String,
    /// How answers became a score.
    pub scoring_rule: ScoringRule,
    /// Questions answered right.
    pub score: u32,
    /// Questions asked.
    pub max: u32,
    /// `score / max` in hundredths of a percent, rounded down, so that a figure never shows a mark that was missed.
    pub percent_hundredths: i64,
    /// The mark in force.
    pub pass_mark: PassMark,
    /// Whether the mark is met: `score * 100 >= pass_mark * max`.
    pub passed: bool,
    /// In the order shown.
    pub per_item: Vec<ItemResult>,
    /// By objective id.
    pub per_objective: Vec<ObjectiveResult>,
}

/// The result of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResult {
    /// Which question.
    pub question: QuestionId,
    /// In which version.
    pub version: u32,
    /// The question's own option indices, ascending; empty when unanswered.
    pub chosen: Vec<usize>,
    /// Whether it was answered right.
    pub correct: bool,
}

/// How an objective fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectiveResult {
    /// Which objective.
    pub objective: ObjectiveId,
    /// Questions answered right.
    pub right: u32,
    /// Questions asked.
    pub of: u32,
}

/// Why an attempt cannot be graded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GradeError {
    /// The content at hand no longer holds the question in the version that was drawn.
    #[error("question {question} version {version} is not in the content at hand")]
    UnknownQuestion {
        /// Which question.
        question: QuestionId,
        /// In which version.
        version: u32,
    },
}

impl GradeError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownQuestion { .. } => "quiz.unknown_question",
        }
    }
}

/// Grades `answers` to `draw`. Unanswered counts as wrong; answers to questions outside the draw count for nothing.
pub fn grade(
    questions: &(impl Questions + ?Sized),
    draw: &Draw,
    answers: &Answers,
    scoring_rule: ScoringRule,
    pass_mark: PassMark,
) -> Result<Graded, GradeError> {
    let mut per_item = Vec::with_capacity(draw.items.len());
    let mut objectives: BTreeMap<&ObjectiveId, (u32, u32)> = BTreeMap::new();
    let (mut score, mut max) = (0, 0);
    for item in &draw.items {
        let question = questions
            .find_question(&item.question, item.version)
            .ok_or_else(|| GradeError::UnknownQuestion {
                question: item.question.clone(),
                version: item.version,
            })?;
        let chosen = answers.find(&item.question).cloned().unwrap_or_default();
        let correct = match scoring_rule {
            ScoringRule::AllOrNothing1 => chosen == question.keys(),
        };
        let tally = objectives.entry(&question.objective).or_default();
        tally.0 += u32::from(correct);
        tally.1 += 1;
        score += u32::from(correct);
        max += 1;
        per_item.push(ItemResult {
            question: item.question.clone(),
            version: item.version,
            chosen: chosen.into_iter().collect(),
            correct,
        });
    }
    let result = |(objective, (right, of)): (&ObjectiveId, (u32, u32))| ObjectiveResult {
        objective: objective.clone(),
        right,
        of,
    };
    Ok(Graded {
        schema: SCHEMA.to_owned(),
        scoring_rule,
        score,
        max,
        percent_hundredths: if max == 0 {
            0
        } else {
            i64::from(score) * 10_000 / i64::from(max)
        },
        pass_mark,
        passed: pass_mark.is_met(score, max),
        per_item,
        per_objective: objectives.into_iter().map(result).collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quiz::attempt::Selection;
    use crate::quiz::draw::draw;
    use crate::quiz::question::{Bank, Question, fixture};

    const RULE: ScoringRule = ScoringRule::AllOrNothing1;

    fn drawn(bank: &Bank, drawn: &Draw) -> Vec<Question> {
        let find = |i: &crate::quiz::DrawnItem| bank.find_question(&i.question, i.version);
        drawn.items.iter().filter_map(find).cloned().collect()
    }

    /// Answers the first `right` questions of a draw rightly, and the others with one wrong option.
    fn answer(bank: &Bank, draw: &Draw, right: usize) -> Answers {
        let selection = |(n, q): (usize, Question)| Selection {
            chosen: if n < right {
                q.keys()
            } else {
                [q.options.iter().position(|o| !o.correct).unwrap()].into()
            },
            question: q.id,
        };
        drawn(bank, draw)
            .into_iter()
            .enumerate()
            .map(selection)
            .collect()
    }

    #[test]
    fn marks_and_percentages() {
        for (size, right, percent_hundredths, passed) in [
            (10, 10, 10_000, true),
            (10, 8, 8_000, true),
            (10, 7, 7_000, false),
            (10, 0, 0, false),
            (12, 10, 8_333, true),
            (12, 9, 7_500, false),
            (3, 2, 6_666, false),
        ] {
            let bank = fixture::bank(5, 5, 1, size);
            let draw = draw(&bank, &[], [2; 32]);
            let graded = grade(
                &bank,
                &draw,
                &answer(&bank, &draw, right),
                RULE,
                bank.pass_mark,
            );
            let graded = graded.unwrap();
            assert_eq!(
                (graded.score, graded.percent_hundredths, graded.passed),
                (u32::try_from(right).unwrap(), percent_hundredths, passed)
            );
        }
    }

    #[test]
    fn half_a_multiple_is_nothing() {
        let bank = fixture::bank(1, 0, 1, 1);
        let draw = draw(&bank, &[], [2; 32]);
        let keys = bank.questions[0].keys();
        let first = *keys.first().unwrap();
        let all: std::collections::BTreeSet<usize> = (0..4).collect();
        for (chosen, score) in [(keys, 1), ([first].into(), 0), (all, 0), ([].into(), 0)] {
            let question = bank.questions[0].id.clone();
            let answers = [Selection { question, chosen }].into_iter().collect();
            let graded = grade(&bank, &draw, &answers, RULE, bank.pass_mark).unwrap();
            assert_eq!(graded.score, score);
        }
    }

    #[test]
    fn a_question_that_is_gone_is_said_and_not_guessed() {
        let mut bank = fixture::bank(2, 3, 0, 4);
        let draw = draw(&bank, &[], [2; 32]);
        bank.questions.iter_mut().for_each(|q| q.version = 2);
        let error = grade(&bank, &draw, &Answers::default(), RULE, bank.pass_mark).unwrap_err();
        assert_eq!(error.code(), "quiz.unknown_question");
    }

    proptest! {
        #[test]
        fn scores_stay_in_bounds_and_add_up(seed: [u8; 32], picks in prop::collection::vec(0usize..4, 12)) {
            let bank = fixture::bank(4, 4, 1, 12);
            let draw = draw(&bank, &[], seed);
            let pairs: Vec<_> = draw
                .items
                .iter()
                .zip(&picks)
                .map(|(i, pick)| (i.question.to_string(), pick.to_string()))
                .collect();
            let parse = |pairs: &mut dyn Iterator<Item = &(String, String)>| {
                Answers::parse(&bank, &draw, pairs.map(|(q, v)| (q.as_str(), v.as_str()))).unwrap()
            };
            let (forth, back) = (parse(&mut pairs.iter()), parse(&mut pairs.iter().rev()));
            let graded = grade(&bank, &draw, &forth, RULE, bank.pass_mark).unwrap();
            prop_assert_eq!(&graded, &grade(&bank, &draw, &back, RULE, bank.pass_mark).unwrap());
            prop_assert!(graded.score <= graded.max && graded.max == 12);
            prop_assert!((0..=10_000).contains(&graded.percent_hundredths));
            prop_assert_eq!(graded.passed, graded.percent_hundredths >= 8_000);
            let right: u32 = graded.per_objective.iter().map(|o| o.right).sum();
            let of: u32 = graded.per_objective.iter().map(|o| o.of).sum();
            prop_assert_eq!((right, of), (graded.score, graded.max));
            let json = serde_json::to_string(&graded).unwrap();
            prop_assert_eq!(serde_json::from_str::<Graded>(&json).unwrap(), graded);
        }

        #[test]
        fn all_keys_are_a_hundred_percent(seed: [u8; 32], size in 1usize..20) {
            let bank = fixture::bank(4, 4, 1, size);
            let draw = draw(&bank, &[], seed);
            let answers = answer(&bank, &draw, size);
            let graded = grade(&drawn(&bank, &draw), &draw, &answers, RULE, bank.pass_mark).unwrap();
            prop_assert!(graded.passed && graded.percent_hundredths == 10_000);
        }
    }
}
