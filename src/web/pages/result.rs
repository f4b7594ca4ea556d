//! What a learner sees after handing in, and each time they open the attempt again.

use askama::Template;

use super::{Crumb, Html, Link, PostForm, Shell};

/// The result of one attempt.
#[derive(Debug, Clone, Template)]
#[template(path = "result.html")]
pub struct ResultPage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The module's title.
    pub module_title: String,
    /// The lesson.
    pub lesson_href: String,
    /// The attempt's number.
    pub attempt_number: u32,
    /// When it was handed in.
    pub handed_in: String,
    /// The score, such as `90 %`.
    pub score: String,
    /// Right answers.
    pub right: usize,
    /// Questions.
    pub total: usize,
    /// The pass mark, such as `80 %`.
    pub pass_mark: String,
    /// Whether the score reached the pass mark.
    pub passed: bool,
    /// What becomes of the grade, such as `Your grade is on its way to your LMS.`
    pub grade_note: Option<String>,
    /// Why something is held back, such as the key of an attempt that was not passed.
    pub key_note: Option<String>,
    /// How the learner did, objective by objective.
    pub objectives: Vec<ObjectiveRow>,
    /// The questions in the attempt's order.
    pub items: Vec<ResultItem>,
    /// Starts another attempt.
    pub retake: Option<PostForm>,
    /// The next module.
    pub next_module: Option<Link>,
    /// The attestation, once everything is passed.
    pub attest_href: Option<String>,
}

/// Right answers for one learning objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectiveRow {
    /// The objective.
    pub text: String,
    /// Right answers.
    pub right: usize,
    /// Questions about it in this attempt.
    pub total: usize,
}

/// One question of a graded attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultItem {
    /// Its place in the attempt, from 1.
    pub number: usize,
    /// What was asked.
    pub prompt: Html,
    /// The code it was about, a whole highlighted `<pre>`.
    pub code: Option<Html>,
    /// Whether it was answered right.
    pub correct: bool,
    /// The options in the attempt's order.
    pub choices: Vec<ReviewedChoice>,
    /// Where to read on.
    pub sources: Vec<Link>,
}

impl ResultItem {
    /// Whether nothing was chosen.
    #[must_use]
    pub fn unanswered(&self) -> bool {
        !self.choices.iter().any(|choice| choice.chosen)
    }
}

/// An option after grading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedChoice {
    /// The option.
    pub text: Html,
    /// Whether the learner chose it.
    pub chosen: bool,
    /// Whether it belongs to the key, where that may be said.
    pub verdict: Verdict,
    /// Why it is right or wrong, where that may be said.
    pub rationale: Option<Html>,
}

/// What is said about an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs to the key.
    Right,
    /// It does not.
    Wrong,
    /// Not told: the attempt was not passed and the learner did not choose it.
    Withheld,
}

impl Verdict {
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Withheld => "withheld",
        }
    }

    /// The words of the page; empty for what is not told.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Right => "Right answer",
            Self::Wrong => "Not right",
            Self::Withheld => "",
        }
    }
}
