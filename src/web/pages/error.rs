//! The one page for everything that went wrong.

use askama::Template;

use super::{Link, Shell};

/// What happened, what was kept, what to do. Holds no personal data.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// The heading, a sentence a learner understands.
    pub heading: String,
    /// What happened.
    pub happened: String,
    /// What was kept, such as `Your answers up to question 4 are saved.`
    pub kept: Option<String>,
    /// What to do next, a step a string.
    pub next: Vec<String>,
    /// For whoever runs the LMS: the setting to look at.
    pub admin_note: Option<String>,
    /// The stable code, such as `launch.unknown_key`; absent for our own faults.
    pub code: Option<String>,
    /// The request's id in the log.
    pub reference: String,
    /// The main way on.
    pub link: Option<Link>,
}
