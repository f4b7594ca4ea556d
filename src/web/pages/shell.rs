//! What all pages share: the frame around them, links, forms, and HTML that is already safe.

use std::fmt;

use askama::filters::HtmlSafe;

/// HTML that was made by us from our own content (rendered Markdown, highlighted code).
///
/// Wrapping a string says that it is safe to put into a page as it is. Never wrap what a person typed
/// or a platform sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(pub String);

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// Somewhere to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The address.
    pub href: String,
    /// What it is called.
    pub label: String,
}

/// The way back up from a page inside a course, shown above its heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// The course's page.
    pub course: Link,
    /// The module the page belongs to, where it is not the page itself.
    pub module: Option<Link>,
}

/// Where a form is posted, and the token that shows it was ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForm {
    /// The form's address.
    pub action: String,
    /// Sent back in the field `csrf`.
    pub csrf: String,
}

/// The frame around a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shell {
    /// The document's title, most specific part first, without the product's name.
    pub title: String,
    /// The language of the page, as a BCP 47 tag. Empty means `en`.
    pub lang: String,
    /// The company; absent on public pages.
    pub tenant_name: Option<String>,
    /// Who the page is for; absent on public pages.
    pub who: Option<Who>,
    /// Where the name in the corner leads: the course in a launch, `/` on public pages.
    pub home_href: Option<String>,
    /// Something to say before anything else.
    pub notice: Option<Notice>,
    /// The launch's `return_url`, checked before: back to the LMS (LTI 1.3 §5.4.4).
    pub lms_return_href: Option<String>,
}

impl Shell {
    /// The value of `lang`.
    #[must_use]
    pub fn lang_tag(&self) -> &str {
        if self.lang.is_empty() {
            "en"
        } else {
            &self.lang
        }
    }
}

/// The person a page is for. Shown on every learner's page, so that nobody trains in another's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The name the LMS gave.
    pub name: String,
    /// What tells two people of one name apart, such as the e-mail address or the class. May be empty.
    pub detail: String,
}

/// A message at the top of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub kind: NoticeKind,
    /// One or two sentences.
    pub text: String,
}

/// How a [`Notice`] is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Good to know.
    Info,
    /// Something worked.
    Done,
    /// Worth a second look.
    Warning,
    /// Something did not work; read out at once.
    Problem,
}

impl NoticeKind {
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Done => "done",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    /// The word in front of the text, so that colour is not the only sign.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Info => "Note",
            Self::Done => "Done",
            Self::Warning => "Please check",
            Self::Problem => "Problem",
        }
    }

    /// `alert` interrupts a screen reader, `status` waits.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Problem => "alert",
            Self::Info | Self::Done | Self::Warning => "status",
        }
    }
}
