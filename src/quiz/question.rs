//! What a bank is made of: questions with rationales and sources, under learning objectives.
//!
//! A question is never edited in place: a change that could alter its answer makes a new `version`. Questions are
//! serialisable whole, so that an attempt can keep the very text that was shown.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::attempt::ScoringRule;
use super::code::code_types;

code_types! {
    /// Names one question in all content, for ever; never used again for another.
    QuestionId,
    /// Names one learning objective.
    ObjectiveId,
}

/// How many options a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exactly one option is right.
    Single,
    /// Two or more are right, and at least one is wrong; how many is not said.
    Multiple,
}

/// The author's guess; item statistics say later what is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Difficulty {
    /// Most who read the module answer it.
    Easy,
    /// In between.
    Medium,
    /// Needs the idea applied to a new case.
    Hard,
}

/// What a question asks a person to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// See what goes wrong, and when.
    Find,
    /// Pick the change that closes the hole.
    Fix,
    /// Say what will happen.
    Predict,
    /// Decide between designs or actions.
    Choose,
    /// Say what comes first.
    Triage,
    /// Remember a fact.
    Recall,
    /// Understand an idea.
    Concept,
}

impl Style {
    /// Whether the question applies knowledge to a case.
    #[must_use]
    pub const fn is_applied(self) -> bool {
        !matches!(self, Self::Recall | Self::Concept)
    }
}

macro_rules! display_as_serde {
    ($($name:ident { $($variant:ident => $text:literal),* $(,)? })*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $text),* })
            }
        }
    )*};
}
display_as_serde! {
    Kind { Single => "single", Multiple => "multiple" }
    Difficulty { Easy => "easy", Medium => "medium", Hard => "hard" }
    Style {
        Find => "find", Fix => "fix", Predict => "predict", Choose => "choose", Triage => "triage",
        Recall => "recall", Concept => "concept",
    }
}

/// What a person can do after the module: completes "You can ...".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// Its stable name.
    pub id: ObjectiveId,
    /// The rest of the sentence, light Markdown.
    pub text: String,
}

/// Code that belongs to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The text, as shown.
    pub text: String,
    /// The language tag: `python`, `http`, ...
    pub lang: String,
}

/// One option of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerOption {
    /// What is shown, light Markdown.
    pub text: String,
    /// Whether it is a key.
    pub correct: bool,
    /// Why it is right, or why it fails; light Markdown.
    pub rationale: String,
}

/// One question in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its stable name.
    pub id: QuestionId,
    /// How many options it asks for.
    pub kind: Kind,
    /// Counts up with each change that could alter the answer; starts at 1.
    pub version: u32,
    /// The objective it tests.
    pub objective: ObjectiveId,
    /// The author's guess.
    pub difficulty: Difficulty,
    /// What it asks a person to do.
    pub style: Style,
    /// CWE numbers it is about.
    pub cwe: Vec<u32>,
    /// The stem, light Markdown.
    pub prompt: String,
    /// Code shown under the stem.
    pub code: Option<Code>,
    /// Primary sources, as addresses; at least one.
    pub sources: Vec<String>,
    /// In the author's order; an index into this list names an option everywhere.
    pub options: Vec<AnswerOption>,
}

impl Question {
    /// The indices of the right options.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<usize> {
        let keyed = self.options.iter().enumerate().filter(|(_, o)| o.correct);
        keyed.map(|(i, _)| i).collect()
    }
}

/// A share of right answers in whole percent, 1 to 100, at which a quiz is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct PassMark(u8);

/// A number that is no pass mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pass mark is a whole percentage from 1 to 100")]
pub struct PassMarkError;

impl PassMark {
    /// The percentage.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Whether `score` of `max` passes: `score * 100 >= mark * max`, in integers.
    #[must_use]
    pub const fn is_met(self, score: u32, max: u32) -> bool {
        max > 0 && score as u64 * 100 >= self.0 as u64 * max as u64
    }

    /// The least score of `max` that passes (80 % of 12 is 10).
    #[must_use]
    pub const fn least_score(self, max: u32) -> u32 {
        // Never above `max`, since the mark is at most 100.
        #[expect(clippy::cast_possible_truncation, reason = "at most max, a u32")]
        let least = (self.0 as u64 * max as u64).div_ceil(100) as u32;
        least
    }
}

impl TryFrom<u8> for PassMark {
    type Error = PassMarkError;

    fn try_from(percent: u8) -> Result<Self, PassMarkError> {
        if (1..=100).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(PassMarkError)
        }
    }
}

impl From<PassMark> for u8 {
    fn from(mark: PassMark) -> Self {
        mark.0
    }
}

/// All questions of a module, and how a quiz is made of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// How many questions an attempt draws.
    pub draw: usize,
    /// When an attempt passes.
    pub pass_mark: PassMark,
    /// How answers become a score.
    pub scoring_rule: ScoringRule,
    /// What is tested, in the author's order.
    pub objectives: Vec<Objective>,
    /// In the author's order.
    pub questions: Vec<Question>,
}

impl Bank {
    /// The objective of that name.
    #[must_use]
    pub fn find_objective(&self, id: &ObjectiveId) -> Option<&Objective> {
        self.objectives.iter().find(|o| o.id == *id)
    }
}

/// Where the questions of a draw are looked up: a bank, a whole catalogue, or what an attempt kept.
pub trait Questions {
    /// The question in exactly that version.
    fn find_question(&self, id: &QuestionId, version: u32) -> Option<&Question>;
}

impl Questions for [Question] {
    fn find_question(&self, id: &QuestionId, version: u32) -> Option<&Question> {
        self.iter().find(|q| q.id == *id && q.version == version)
    }
}

impl Questions for Vec<Question> {
    fn find_question(&self, id: &QuestionId, version: u32) -> Option<&Question> {
        self.as_slice().find_question(id, version)
    }
}

impl Questions for Bank {
    fn find_question(&self, id: &QuestionId, version: u32) -> Option<&Question> {
        self.questions.find_question(id, version)
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    /// A bank with `singles` and `multiples` questions for each of `objectives` objectives; keys move about.
    pub(crate) fn bank(objectives: usize, singles: usize, multiples: usize, draw: usize) -> Bank {
        let mut questions = Vec::new();
        for o in 1..=objectives {
            for n in 0..singles + multiples {
                let kind = if n < singles {
                    Kind::Single
                } else {
                    Kind::Multiple
                };
                let key = (o + n) % 4;
                let option = |i: usize| AnswerOption {
                    text: format!("option {i} of {o} {n}"),
                    correct: i == key || (kind == Kind::Multiple && i == (key + 1) % 4),
                    rationale: format!("because {i}"),
                };
                questions.push(Question {
                    id: format!("m-o{o}-{n:03}").parse().unwrap(),
                    kind,
                    version: 1,
                    objective: format!("m-o{o}").parse().unwrap(),
                    difficulty: Difficulty::Medium,
                    style: Style::Find,
                    cwe: vec![],
                    prompt: format!("Prompt {o} {n}"),
                    code: None,
                    sources: vec!["https://example.org/".to_owned()],
                    options: (0..4).map(option).collect(),
                });
            }
        }
        let objective = |o: usize| Objective {
            id: format!("m-o{o}").parse().unwrap(),
            text: format!("do {o}"),
        };
        Bank {
            draw,
            pass_mark: PassMark(80),
            scoring_rule: ScoringRule::AllOrNothing1,
            objectives: (1..=objectives).map(objective).collect(),
            questions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_round_up_and_never_down() {
        let mark = PassMark::try_from(80).unwrap();
        for (score, max, passes) in [
            (8, 10, true),
            (7, 10, false),
            (9, 12, false),
            (10, 12, true),
            (0, 0, false),
        ] {
            assert_eq!(mark.is_met(score, max), passes, "{score}/{max}");
        }
        for max in 1..200 {
            let least = mark.least_score(max);
            assert!(mark.is_met(least, max) && !mark.is_met(least - 1, max));
        }
        assert!(PassMark::try_from(0).is_err() && PassMark::try_from(101).is_err());
    }

    #[test]
    fn words_in_files_are_words_on_pages() {
        assert_eq!(serde_json::to_string(&Style::Triage).unwrap(), "\"triage\"");
        assert_eq!(Style::Triage.to_string(), "triage");
        assert_eq!(Kind::Multiple.to_string(), "multiple");
    }
}
