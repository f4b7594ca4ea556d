//! What is wrong with content, said so that its author finds the place.

use crate::quiz::question::Kind;

/// Content that cannot be served: which file, where in it, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{fault}", in_place(.place))]
pub struct ContentError {
    /// The path below `content/`.
    pub file: String,
    /// A question, option, field or line; empty when it is the whole file.
    pub place: String,
    /// What is wrong.
    pub fault: Fault,
}

fn in_place(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!("{place}: ")
    }
}

/// What is wrong with content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file or folder cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is not there.
    #[error("is missing")]
    Missing,
    /// The text is not UTF-8.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// No `+++` block at the top.
    #[error("begins without front matter between two lines of +++")]
    NoFrontMatter,
    /// TOML that does not parse, lacks a field, or has an unknown one.
    #[error("{0}")]
    Toml(String),
    /// A text that must say something is empty.
    #[error("is empty")]
    Empty,
    /// A value outside what is allowed.
    #[error("{value:?}: {why}")]
    BadValue {
        /// As written.
        value: String,
        /// What is allowed.
        why: String,
    },
    /// A name that is taken.
    #[error("{id} is used before, in {first}")]
    Duplicate {
        /// The name.
        id: String,
        /// Where it was used first.
        first: String,
    },
    /// An objective that the bank does not list.
    #[error("objective {0} is not among the bank's objectives")]
    UnknownObjective(String),
    /// An objective that nothing tests.
    #[error("no question tests this objective")]
    Untested,
    /// Too few or too many keys for the kind.
    #[error("{kind} with {keys} keys among {options} options; {}", key_rule(*.kind))]
    Keys {
        /// The question's kind.
        kind: Kind,
        /// Right options.
        keys: usize,
        /// All options.
        options: usize,
    },
    /// A draw of nothing, or of more than there is.
    #[error("draws {draw} from {questions} questions")]
    Draw {
        /// The draw.
        draw: usize,
        /// The bank's size.
        questions: usize,
    },
    /// No source is named.
    #[error("names no source")]
    NoSource,
    /// Code without its language, or a language without code.
    #[error("code and code_lang go together")]
    CodeLanguage,
    /// A module asks for less than its course promises.
    #[error("pass mark {module} % is below the course's {course} %")]
    PassMark {
        /// The module's mark.
        module: u8,
        /// The course's mark.
        course: u8,
    },
}

const fn key_rule(kind: Kind) -> &'static str {
    match kind {
        Kind::Single => "a single question has exactly 1 among at least 2",
        Kind::Multiple => "a multiple question has at least 2 and at least one wrong option",
    }
}

impl Fault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "content.unreadable",
            Self::Missing => "content.missing",
            Self::NotUtf8 => "content.not_utf8",
            Self::NoFrontMatter => "content.no_front_matter",
            Self::Toml(_) => "content.toml",
            Self::Empty => "content.empty",
            Self::BadValue { .. } => "content.bad_value",
            Self::Duplicate { .. } => "content.duplicate",
            Self::UnknownObjective(_) => "content.unknown_objective",
            Self::Untested => "content.untested",
            Self::Keys { .. } => "content.keys",
            Self::Draw { .. } => "content.draw",
            Self::NoSource => "content.no_source",
            Self::CodeLanguage => "content.code_language",
            Self::PassMark { .. } => "content.pass_mark",
        }
    }

    /// A [`Self::BadValue`].
    pub(crate) fn bad_value(
        value: &(impl ToString + ?Sized),
        why: &(impl ToString + ?Sized),
    ) -> Self {
        Self::BadValue {
            value: value.to_string(),
            why: why.to_string(),
        }
    }
}

impl ContentError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    pub(crate) fn new(file: &str, place: impl Into<String>, fault: Fault) -> Self {
        Self {
            file: file.to_owned(),
            place: place.into(),
            fault,
        }
    }
}
