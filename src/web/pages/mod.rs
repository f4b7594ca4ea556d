//! The pages of the main job, one struct a page, one template a struct.
//!
//! A page struct holds what a person reads, ready for display: dates and scores are strings in the
//! words of the page, addresses are finished. Who may see what, and what follows from what, was decided
//! before. A template escapes everything except [`Html`], so there is no `|safe` in any template.
//!
//! Every page extends `base.html`, works without scripts, and loads only `/static/app.css` and
//! `/static/app.js` ([`CSP`] allows nothing else).
//!
//! Names of form fields, for those who read them: `csrf` in every form; `choice` (repeated) and `go` in
//! [`QuestionPage`]; `statement`, `typed_name` and `accept` in [`AttestPage`].

mod attest;
mod certificate;
mod course;
mod error;
mod launch;
mod lesson;
mod public;
mod question;
mod quiz;
mod result;
#[cfg(test)]
mod samples;
mod shell;
#[cfg(test)]
mod tests;
mod verify;

pub use attest::{AttestErrors, AttestPage};
pub use certificate::{CertificateModule, CertificatePage};
pub use course::{AttestationState, CoursePage, ModuleRow, ModuleState, Progress};
pub use error::ErrorPage;
pub use launch::{NewWindowPage, Reopen};
pub use lesson::{LessonPage, TocEntry};
pub use public::{PublicCourse, PublicCoursePage, PublicIndexPage, PublicModule};
pub use question::{Choice, QuestionKind, QuestionPage, StripItem};
pub use quiz::{AttemptOutcome, AttemptRow, OverviewItem, OverviewPage, QuizStartPage};
pub use result::{ObjectiveRow, ResultItem, ResultPage, ReviewedChoice, Verdict};
pub use shell::{Crumb, Html, Link, Notice, NoticeKind, PostForm, Shell, Who};
pub use verify::{VerifiedRecord, VerifyPage, VerifyState};

/// The policy these pages are written for: nothing inline, nothing from elsewhere.
///
/// `frame-ancestors` is not in it: it depends on the platform, and whoever sends the page adds it.
/// `connect-src` is for the autosave of `app.js`.
pub const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'";
