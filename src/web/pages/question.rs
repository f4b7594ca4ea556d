//! One question of an open attempt.

use askama::Template;

use super::{Crumb, Html, PostForm, Shell};

/// One question. Whatever button is pressed, the answer is saved first.
///
/// The form posts `choice` (once per ticked option, absent when nothing is chosen) and `go`: `next`,
/// `back`, `overview`, or the position of a question (`1`, `2`, …) from the strip. The autosave posts the
/// same fields without `go` to [`save_href`](Self::save_href) with `X-Requested-With: passmuster`; any 2xx
/// answer means saved.
#[derive(Debug, Clone, Template)]
#[template(path = "question.html")]
pub struct QuestionPage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The module's title.
    pub module_title: String,
    /// The attempt's number.
    pub attempt_number: u32,
    /// The question's place in the attempt, from 1.
    pub position: usize,
    /// How many questions there are.
    pub total: usize,
    /// What is asked.
    pub prompt: Html,
    /// Code it is about, a whole highlighted `<pre>`.
    pub code: Option<Html>,
    /// One answer or several.
    pub kind: QuestionKind,
    /// The options in the attempt's order.
    pub choices: Vec<Choice>,
    /// Where the answer goes.
    pub form: PostForm,
    /// Where the autosave goes; often the form's own address.
    pub save_href: String,
    /// All questions of the attempt.
    pub strip: Vec<StripItem>,
}

impl QuestionPage {
    /// Whether there is a question before this one.
    #[must_use]
    pub const fn has_previous(&self) -> bool {
        self.position > 1
    }

    /// Whether this is the last question: its main button leads to the overview.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.position >= self.total
    }
}

/// How many options may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionKind {
    /// Exactly one: radio buttons.
    Single,
    /// Any number: check boxes.
    Multiple,
}

impl QuestionKind {
    /// The `type` of the inputs.
    #[must_use]
    pub const fn input(self) -> &'static str {
        match self {
            Self::Single => "radio",
            Self::Multiple => "checkbox",
        }
    }

    /// What the learner is asked to do.
    #[must_use]
    pub const fn instruction(self) -> &'static str {
        match self {
            Self::Single => "Choose one answer.",
            Self::Multiple => "Select all that apply.",
        }
    }
}

/// One option of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is posted when it is chosen; says nothing about the key.
    pub value: String,
    /// The option.
    pub text: Html,
    /// Whether it is the saved answer.
    pub checked: bool,
}

/// One number in the strip of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StripItem {
    /// Its place in the attempt, from 1.
    pub position: usize,
    /// Whether an answer is saved.
    pub answered: bool,
    /// Whether it is the question on this page.
    pub current: bool,
}
