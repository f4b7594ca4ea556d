//! The doors for browsers and machines: handlers translate between HTTP and the steps in [`crate::training`].

pub mod pages;
pub mod router;

mod api;
mod attest;
mod error;
mod extract;
mod headers;
mod health;
mod keys;
mod learn;
mod lti;
mod public;
mod quiz;
mod report;
mod result;
mod session;
mod statics;
mod verify;
mod view;

pub use report::{ReportKind, ReportOptions, csv_stream};
pub use router::router;
