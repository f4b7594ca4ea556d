//! Before and after the questions of an attempt: the start page and the overview.

use askama::Template;

use super::{Crumb, PostForm, Shell};

/// What a learner reads before an attempt, with the attempts so far.
#[derive(Debug, Clone, Template)]
#[template(path = "quiz_start.html")]
pub struct QuizStartPage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The module's number.
    pub module_number: String,
    /// The module's title.
    pub module_title: String,
    /// The lesson.
    pub lesson_href: String,
    /// Questions an attempt draws.
    pub questions: usize,
    /// Right answers that pass.
    pub needed: usize,
    /// The pass mark, such as `80 %`.
    pub pass_mark: String,
    /// Earlier attempts and an open one, oldest first.
    pub attempts: Vec<AttemptRow>,
    /// Starts an attempt, or goes on with the open one.
    pub form: PostForm,
    /// What the button says, such as `Start attempt 2` or `Continue attempt 2`.
    pub button: String,
    /// Says that attempts are recorded, but no grade is sent.
    pub instructor: bool,
}

/// One attempt in the table of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The attempt's number, from 1.
    pub number: u32,
    /// When it was started.
    pub started: String,
    /// When it was handed in.
    pub handed_in: Option<String>,
    /// The score, such as `70 %`.
    pub score: Option<String>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Its result page; absent while it is open.
    pub href: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Not handed in yet.
    Open,
    /// The score reached the pass mark.
    Passed,
    /// It did not.
    NotPassed,
}

impl AttemptOutcome {
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Passed => "passed",
            Self::NotPassed => "again",
        }
    }

    /// The words of the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Passed => "Passed",
            Self::NotPassed => "Not passed",
        }
    }
}

/// All questions of an attempt at a glance, and the button that hands it in.
#[derive(Debug, Clone, Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The module's title.
    pub module_title: String,
    /// The attempt's number.
    pub attempt_number: u32,
    /// The questions in the attempt's order.
    pub items: Vec<OverviewItem>,
    /// Questions without an answer.
    pub unanswered: usize,
    /// Hands the attempt in.
    pub form: PostForm,
    /// The question to go back to: the first without an answer, or the last.
    pub back_href: String,
}

/// One question in the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewItem {
    /// Its place in the attempt, from 1.
    pub position: usize,
    /// Its page.
    pub href: String,
    /// How the question begins, as plain text.
    pub excerpt: String,
    /// Whether an answer is saved.
    pub answered: bool,
}
