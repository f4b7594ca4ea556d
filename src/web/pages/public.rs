//! Public reading: the list of courses and a course's modules, without an account.

use askama::Template;

use super::{Html, Shell};

/// The courses anyone may read.
#[derive(Debug, Clone, Template)]
#[template(path = "public_index.html")]
pub struct PublicIndexPage {
    /// The frame, without a person.
    pub shell: Shell,
    /// The courses.
    pub courses: Vec<PublicCourse>,
}

/// A course in the public list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicCourse {
    /// The course's title.
    pub title: String,
    /// What it is about.
    pub summary: Html,
    /// The edition, such as `2025`.
    pub edition: String,
    /// How many modules it has.
    pub modules: usize,
    /// Minutes to read them all.
    pub minutes: u32,
    /// Its page.
    pub href: String,
}

/// One course, open to anyone.
#[derive(Debug, Clone, Template)]
#[template(path = "public_course.html")]
pub struct PublicCoursePage {
    /// The frame, without a person.
    pub shell: Shell,
    /// The course's title.
    pub title: String,
    /// What it is about.
    pub summary: Html,
    /// The edition.
    pub edition: String,
    /// The content version.
    pub version: String,
    /// The modules in order.
    pub modules: Vec<PublicModule>,
}

/// A module in a public course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicModule {
    /// The module's number.
    pub number: String,
    /// The module's title.
    pub title: String,
    /// One sentence; may be empty.
    pub summary: String,
    /// Minutes to read.
    pub minutes: u32,
    /// The lesson.
    pub href: String,
}
