//! The statement a learner adopts by a tick and their typed name.

use askama::Template;

use super::{Crumb, Link, PostForm, Shell};

/// The attestation before it is signed.
///
/// Posts `statement`, `typed_name` and `accept` (`yes` when ticked). After a refusal the page is shown
/// again with what was entered and [`AttestErrors`].
#[derive(Debug, Clone, Template)]
#[template(path = "attest.html")]
pub struct AttestPage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The course.
    pub course_title: String,
    /// The content version.
    pub course_version: String,
    /// The day the last module was passed.
    pub completed: String,
    /// The full statement, a string a paragraph, exactly as it will be sealed.
    pub statement: Vec<String>,
    /// Names the statement's text and version, so that what was read is what is sealed. Posted back.
    pub statement_id: String,
    /// The policies the statement refers to.
    pub policies: Vec<Link>,
    /// What is stored with the signature; depends on the tenant's settings.
    pub stored: String,
    /// Where the signature goes.
    pub form: PostForm,
    /// The name as the LMS gave it.
    pub expected_name: String,
    /// What was typed before, empty at first.
    pub typed_name: String,
    /// Whether the box was ticked before, `false` at first.
    pub accepted: bool,
    /// What is to be mended.
    pub errors: AttestErrors,
    /// Back without signing.
    pub decline_href: String,
}

/// What is wrong with a signature, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttestErrors {
    /// About the box.
    pub accept: Option<String>,
    /// About the typed name.
    pub typed_name: Option<String>,
}
