//! The learner's own copy of what they completed and signed.

use askama::Template;

use super::{Crumb, Link, Shell};

/// A certificate, for the screen and for one sheet of A4 or Letter.
#[derive(Debug, Clone, Template)]
#[template(path = "certificate.html")]
pub struct CertificatePage {
    /// The frame.
    pub shell: Shell,
    /// The way back to the course.
    pub crumb: Crumb,
    /// The person's name as signed.
    pub name: String,
    /// The company.
    pub tenant_name: String,
    /// The course.
    pub course_title: String,
    /// The content version.
    pub course_version: String,
    /// The modules, each with its passing attempt.
    pub modules: Vec<CertificateModule>,
    /// The day the last module was passed.
    pub completed: String,
    /// The moment the statement was signed.
    pub signed: String,
    /// The day until which it counts; absent where the course does not expire.
    pub valid_until: Option<String>,
    /// The statement as signed, a string a paragraph.
    pub statement: Vec<String>,
    /// The verification code.
    pub code: String,
    /// The public page of this attestation, absolute.
    pub verify_url: String,
    /// Files to keep: the signed record (`.jws`) and whatever else there is.
    pub downloads: Vec<Link>,
}

/// A module on a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateModule {
    /// The module's number.
    pub number: String,
    /// The module's title.
    pub title: String,
    /// The day it was first passed.
    pub completed: String,
    /// The score of the passing attempt.
    pub score: String,
}
