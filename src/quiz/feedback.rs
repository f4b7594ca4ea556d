//! What a person is shown after an attempt: enough to learn from, and after a failure no keys to memorise.

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::grade::Graded;
use super::question::{ObjectiveId, QuestionId, Questions};

/// What may be shown of a graded attempt.
///
/// After a pass: every key, every rationale and the sources. After a failure: the objectives missed, which questions
/// were missed, and for those the rationale of each wrong option that was chosen. A chosen option that is right (one of
/// several) is left unexplained then, since its rationale would give a key away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Whether the attempt passed, and so whether keys are shown.
    pub passed: bool,
    /// Objectives with a question answered wrong, by id.
    pub objectives_missed: Vec<ObjectiveId>,
    /// In the order shown in the attempt.
    pub items: Vec<ItemFeedback>,
}

/// What may be shown of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFeedback {
    /// Which question.
    pub question: QuestionId,
    /// In which version.
    pub version: u32,
    /// Whether it was answered right.
    pub correct: bool,
    /// In the order shown in the attempt.
    pub options: Vec<OptionFeedback>,
    /// Where to read on; empty after a failure.
    pub sources: Vec<String>,
}

/// What may be shown of one option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionFeedback {
    /// The question's own option index.
    pub option: usize,
    /// Whether it was chosen.
    pub chosen: bool,
    /// Whether it is a key; absent after a failure.
    pub key: Option<bool>,
    /// Why it is right or fails (Markdown); absent when not to be shown.
    pub rationale: Option<String>,
}

impl Feedback {
    /// Builds it. A question that `questions` no longer holds is shown without rationales.
    #[must_use]
    pub fn of(questions: &(impl Questions + ?Sized), draw: &Draw, graded: &Graded) -> Self {
        let missed = graded.per_objective.iter().filter(|o| o.right < o.of);
        let item = |(drawn, result): (&super::DrawnItem, &super::grade::ItemResult)| {
            let question = questions.find_question(&drawn.question, drawn.version);
            let option = |&option: &usize| {
                let chosen = result.chosen.contains(&option);
                let full = question.and_then(|q| q.options.get(option));
                let explained =
                    full.filter(|o| graded.passed || (chosen && !o.correct && !result.correct));
                OptionFeedback {
                    option,
                    chosen,
                    key: full.filter(|_| graded.passed).map(|o| o.correct),
                    rationale: explained.map(|o| o.rationale.clone()),
                }
            };
            ItemFeedback {
                question: drawn.question.clone(),
                version: drawn.version,
                correct: result.correct,
                options: drawn.options.iter().map(option).collect(),
                sources: question
                    .filter(|_| graded.passed)
                    .map(|q| q.sources.clone())
                    .unwrap_or_default(),
            }
        };
        Self {
            passed: graded.passed,
            objectives_missed: missed.map(|o| o.objective.clone()).collect(),
            items: draw.items.iter().zip(&graded.per_item).map(item).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiz::attempt::{Answers, Selection};
    use crate::quiz::draw::draw;
    use crate::quiz::grade::grade;
    use crate::quiz::question::{Bank, Kind, Question, fixture};

    /// All right but `wrong` questions, in which every option is chosen (or a wrong one, where one is asked for).
    fn sit(bank: &Bank, wrong: usize) -> (Draw, Graded) {
        let draw = draw(bank, &[], [4; 32]);
        let wrongly = |q: &Question| match q.kind {
            Kind::Multiple => (0..q.options.len()).collect(),
            Kind::Single => [q.options.iter().position(|o| !o.correct).unwrap()].into(),
        };
        let selection = |(n, item): (usize, &super::super::DrawnItem)| {
            let q = bank.find_question(&item.question, item.version).unwrap();
            Selection {
                question: q.id.clone(),
                chosen: if n < wrong { wrongly(q) } else { q.keys() },
            }
        };
        let answers: Answers = draw.items.iter().enumerate().map(selection).collect();
        let graded = grade(bank, &draw, &answers, bank.scoring_rule, bank.pass_mark).unwrap();
        (draw, graded)
    }

    #[test]
    fn a_failure_gives_no_key_away() {
        let bank = fixture::bank(5, 1, 1, 10);
        let (draw, graded) = sit(&bank, 10);
        let feedback = Feedback::of(&bank, &draw, &graded);
        assert!(!feedback.passed && feedback.objectives_missed.len() == 5);
        for item in &feedback.items {
            let question = bank.find_question(&item.question, item.version).unwrap();
            assert!(item.sources.is_empty());
            for shown in &item.options {
                assert_eq!(shown.key, None);
                let explained = shown.chosen && !question.options[shown.option].correct;
                assert_eq!(shown.rationale.is_some(), explained);
            }
        }
        let json = serde_json::to_string(&feedback).unwrap();
        assert!(!json.contains("\"key\":true") && !json.contains("\"key\":false"));
    }

    #[test]
    fn questions_answered_right_stay_unexplained_after_a_failure() {
        let bank = fixture::bank(5, 4, 0, 10);
        let (draw, graded) = sit(&bank, 3);
        let feedback = Feedback::of(&bank, &draw, &graded);
        let explained = |i: &&ItemFeedback| i.options.iter().any(|o| o.rationale.is_some());
        assert_eq!(feedback.items.iter().filter(explained).count(), 3);
    }

    #[test]
    fn a_pass_shows_everything() {
        let bank = fixture::bank(5, 4, 0, 10);
        let (draw, graded) = sit(&bank, 2);
        let feedback = Feedback::of(&bank, &draw, &graded);
        assert!(feedback.passed && !feedback.objectives_missed.is_empty());
        for item in &feedback.items {
            assert!(!item.sources.is_empty());
            assert!(item.options.iter().all(|o| o.rationale.is_some()));
            assert_eq!(
                item.options.iter().filter(|o| o.key == Some(true)).count(),
                1
            );
            let shown: Vec<usize> = item.options.iter().map(|o| o.option).collect();
            assert_eq!(shown, draw.find_item(&item.question).unwrap().options);
        }
    }
}
