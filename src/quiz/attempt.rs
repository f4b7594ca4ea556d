//! What a person chose: from form values to answers that fit the draw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::question::{Kind, QuestionId, Questions};

/// How answers become a score; kept with each attempt, so that an old score can be worked out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScoringRule {
    /// A point for a question whose keys, and nothing else, were chosen; else none.
    #[serde(rename = "all-or-nothing/1")]
    AllOrNothing1,
}

/// A scoring rule that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown scoring rule; known: all-or-nothing/1")]
pub struct UnknownRule;

impl ScoringRule {
    /// The name with its version.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllOrNothing1 => "all-or-nothing/1",
        }
    }
}

impl fmt::Display for ScoringRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ScoringRule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        match text {
            "all-or-nothing/1" => Ok(Self::AllOrNothing1),
            _ => Err(UnknownRule),
        }
    }
}

/// Why what was sent is no answer to this draw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The question was not asked in this attempt.
    #[error("that question is not part of this attempt")]
    NotInDraw,
    /// The question has no such option.
    #[error("question {question} has no such option")]
    UnknownOption {
        /// Which question.
        question: QuestionId,
    },
    /// More than one option was chosen where one is asked for.
    #[error("question {question} takes one option")]
    TooMany {
        /// Which question.
        question: QuestionId,
    },
}

impl AnswerError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotInDraw => "quiz.not_in_draw",
            Self::UnknownOption { .. } => "quiz.unknown_option",
            Self::TooMany { .. } => "quiz.too_many",
        }
    }
}

/// The options chosen for one question of a draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Which question.
    pub question: QuestionId,
    /// The question's own option indices, whatever the order shown.
    pub chosen: BTreeSet<usize>,
}

impl Selection {
    /// Reads the values sent for one question: decimal option indices, the question's own.
    ///
    /// An empty value stands for "nothing chosen". The kind is looked up in `questions`; a question that is no longer
    /// there is held to be multiple-response, and grading says that it is gone.
    pub fn parse<'v>(
        questions: &(impl Questions + ?Sized),
        draw: &Draw,
        question: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<Self, AnswerError> {
        let asked = draw.items.iter().find(|i| i.question.as_str() == question);
        let item = asked.ok_or(AnswerError::NotInDraw)?;
        let mut chosen = BTreeSet::new();
        for value in values.into_iter().filter(|v| !v.is_empty()) {
            let option = value.parse().ok().filter(|o| item.options.contains(o));
            chosen.insert(option.ok_or_else(|| AnswerError::UnknownOption {
                question: item.question.clone(),
            })?);
        }
        let kind = questions
            .find_question(&item.question, item.version)
            .map(|q| q.kind);
        if kind == Some(Kind::Single) && chosen.len() > 1 {
            return Err(AnswerError::TooMany {
                question: item.question.clone(),
            });
        }
        Ok(Self {
            question: item.question.clone(),
            chosen,
        })
    }
}

/// All that was chosen in an attempt; a question that is absent is unanswered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<QuestionId, BTreeSet<usize>>);

impl Answers {
    /// Reads a form: pairs of question id and option index, a question once per chosen option.
    pub fn parse<'v>(
        questions: &(impl Questions + ?Sized),
        draw: &Draw,
        pairs: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) -> Result<Self, AnswerError> {
        let mut by_question: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (question, value) in pairs {
            by_question.entry(question).or_default().push(value);
        }
        let mut answers = Self::default();
        for (question, values) in by_question {
            answers.put(Selection::parse(questions, draw, question, values)?);
        }
        Ok(answers)
    }

    /// Sets the answer to one question; an empty selection takes it back.
    pub fn put(&mut self, selection: Selection) {
        if selection.chosen.is_empty() {
            self.0.remove(&selection.question);
        } else {
            self.0.insert(selection.question, selection.chosen);
        }
    }

    /// What was chosen for a question.
    #[must_use]
    pub fn find(&self, question: &QuestionId) -> Option<&BTreeSet<usize>> {
        self.0.get(question)
    }

    /// Whether that option of that question was chosen.
    #[must_use]
    pub fn has(&self, question: &QuestionId, option: usize) -> bool {
        self.find(question).is_some_and(|c| c.contains(&option))
    }

    /// All answered questions with what was chosen, by question id.
    pub fn iter(&self) -> impl Iterator<Item = (&QuestionId, &BTreeSet<usize>)> {
        self.0.iter()
    }

    /// How many questions have an answer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is answered yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Selection> for Answers {
    fn from_iter<I: IntoIterator<Item = Selection>>(selections: I) -> Self {
        let mut answers = Self::default();
        selections.into_iter().for_each(|s| answers.put(s));
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiz::draw::draw;
    use crate::quiz::question::{Bank, fixture};

    fn sitting() -> (Bank, Draw) {
        let bank = fixture::bank(2, 1, 1, 4);
        let drawn = draw(&bank, &[], [5; 32]);
        (bank, drawn)
    }

    #[test]
    fn what_does_not_fit_the_draw_is_refused_by_name() {
        let (bank, drawn) = sitting();
        let parse = |pairs: &[(&str, &str)]| Answers::parse(&bank, &drawn, pairs.iter().copied());
        for (pairs, code) in [
            (&[("m-o3-000", "1")][..], "quiz.not_in_draw"),
            (&[("../x", "1")], "quiz.not_in_draw"),
            (&[("m-o1-000", "4")], "quiz.unknown_option"),
            (&[("m-o1-000", "-1")], "quiz.unknown_option"),
            (&[("m-o1-000", "one")], "quiz.unknown_option"),
            (&[("m-o1-000", "1"), ("m-o1-000", "2")], "quiz.too_many"),
        ] {
            assert_eq!(parse(pairs).unwrap_err().code(), code, "{pairs:?}");
        }
    }

    #[test]
    fn repeated_and_empty_values_are_harmless() {
        let (bank, drawn) = sitting();
        let pairs = [
            ("m-o1-000", "1"),
            ("m-o1-000", "1"),
            ("m-o1-001", "0"),
            ("m-o1-001", "3"),
            ("m-o2-000", ""),
        ];
        let answers = Answers::parse(&bank, &drawn, pairs).unwrap();
        assert_eq!(
            serde_json::to_string(&answers).unwrap(),
            r#"{"m-o1-000":[1],"m-o1-001":[0,3]}"#
        );
        assert!(answers.has(&"m-o1-001".parse().unwrap(), 3));
        assert_eq!(answers.len(), 2);
    }

    #[test]
    fn rule_names_are_stable() {
        let rule: ScoringRule = "all-or-nothing/1".parse().unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), format!("\"{rule}\""));
        assert!("plus-minus/1".parse::<ScoringRule>().is_err());
    }
}
