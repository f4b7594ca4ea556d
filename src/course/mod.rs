//! Courses as they are read from `content/`: modules, lessons and banks, checked whole before anything is served.
//!
//! Pure but for [`Catalogue::from_dir`], which reads files. Banks and questions are [`crate::quiz`]'s; this room looks
//! there, never the other way round.

pub mod check;
#[expect(
    clippy::module_inception,
    reason = "a file is a noun of the field, and this one holds Course"
)]
pub mod course;
pub mod digest;
pub mod error;
mod figures;
mod format;
mod guess;
pub mod highlight;
pub mod loader;
pub mod markdown;
pub mod module;
mod rules;

pub use self::course::{ContentVersion, Course, CourseCode, Source};
pub use error::{ContentError, Fault};
pub use loader::{Catalogue, Drafts};
pub use module::{Module, ModuleCode, RenderedModule, RenderedOption, RenderedQuestion};
