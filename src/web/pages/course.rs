//! The learner's course: its modules, how far they are, and the attestation at the end.

use askama::Template;

use super::{Html, Shell};

/// A course as one learner sees it.
#[derive(Debug, Clone, Template)]
#[template(path = "course.html")]
pub struct CoursePage {
    /// The frame.
    pub shell: Shell,
    /// The course's title.
    pub title: String,
    /// What it is about, from `course.toml`.
    pub summary: Html,
    /// The edition, such as `2025`.
    pub edition: String,
    /// The content version, such as `3.1.0`.
    pub version: String,
    /// How far the learner is.
    pub progress: Progress,
    /// The modules in order.
    pub modules: Vec<ModuleRow>,
    /// What the learner can do about the attestation.
    pub attestation: AttestationState,
    /// Says that attempts are recorded, but no grade is sent.
    pub instructor: bool,
}

/// Modules passed of modules there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Modules passed.
    pub passed: usize,
    /// Modules in the course (or in this placement).
    pub total: usize,
    /// The same in whole percent, rounded down.
    pub percent: usize,
}

/// One module in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleRow {
    /// `1`, `2`, or what the course calls it, such as `A01`.
    pub number: String,
    /// The module's title.
    pub title: String,
    /// One sentence; may be empty.
    pub summary: String,
    /// Minutes to read and answer.
    pub minutes: u32,
    /// Where the learner stands.
    pub state: ModuleState,
    /// The best score so far, such as `90 %`.
    pub best_score: Option<String>,
    /// Attempts handed in.
    pub attempts: usize,
    /// The lesson.
    pub lesson_href: String,
    /// The quiz's start page; absent for a module without a quiz.
    pub quiz_href: Option<String>,
    /// What the link to the quiz says, such as `Take the quiz` or `Continue attempt 2`.
    pub quiz_label: String,
}

/// Where a learner stands in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleState {
    /// No attempt yet.
    NotStarted,
    /// An attempt is open.
    AttemptOpen,
    /// Attempts were handed in, none passed.
    NotPassedYet,
    /// Passed once: it stays passed.
    Passed,
}

impl ModuleState {
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::NotStarted => "quiet",
            Self::AttemptOpen => "open",
            Self::NotPassedYet => "again",
            Self::Passed => "passed",
        }
    }

    /// The words of the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotStarted => "Not started",
            Self::AttemptOpen => "Attempt open",
            Self::NotPassedYet => "Not passed yet",
            Self::Passed => "Passed",
        }
    }
}

/// What a learner can do about the attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttestationState {
    /// Modules are missing.
    Locked {
        /// How many.
        missing: usize,
    },
    /// Everything is passed, the statement can be signed.
    Ready {
        /// The attestation page.
        href: String,
    },
    /// Signed.
    Done {
        /// The certificate.
        certificate_href: String,
        /// The day it was signed.
        signed: String,
        /// The day until which it counts, where the course expires.
        valid_until: Option<String>,
    },
    /// This placement has no attestation (some modules only).
    NotHere,
}
