//! The quiz, as pure functions: a bank and a seed give a draw, a draw and answers give a result.
//!
//! Nothing here knows Markdown, files, time or storage. Courses ([`crate::course`]) hold banks; this room does not look back.

pub(crate) mod code;

pub mod attempt;
pub mod draw;
pub mod feedback;
pub mod grade;
pub mod question;

pub use attempt::{AnswerError, Answers, ScoringRule, Selection};
pub use draw::{Draw, DrawnItem, SeenQuestion, draw};
pub use feedback::Feedback;
pub use grade::{GradeError, Graded, grade};
pub use question::{Bank, ObjectiveId, PassMark, Question, QuestionId, Questions};
