//! A lesson: prose and code, for a learner in a launch and for anyone on the public pages.

use askama::Template;

use super::{Crumb, Html, Link, Shell};

/// One module's lesson.
#[derive(Debug, Clone, Template)]
#[template(path = "lesson.html")]
pub struct LessonPage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The module's number, such as `3` or `A01`.
    pub module_number: String,
    /// The module's title, the page's heading. The body starts at `<h2>`.
    pub title: String,
    /// What the lesson says in one or two sentences; may be empty.
    pub summary: String,
    /// Minutes to read.
    pub minutes: u32,
    /// The content version.
    pub version: String,
    /// The headings of the body.
    pub toc: Vec<TocEntry>,
    /// The lesson.
    pub body: Html,
    /// Where it comes from.
    pub sources: Vec<Link>,
    /// The weaknesses it treats, such as `CWE-862 Missing Authorization`.
    pub cwes: Vec<Link>,
    /// The quiz; absent on public pages.
    pub quiz: Option<Link>,
    /// The lesson before.
    pub previous: Option<Link>,
    /// The lesson after.
    pub next: Option<Link>,
}

/// A heading in a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TocEntry {
    /// The heading's `id`, without `#`.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Whether it is an `<h3>` under the `<h2>` before it.
    pub sub: bool,
}
