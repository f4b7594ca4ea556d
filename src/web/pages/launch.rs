//! The page for a browser that keeps our cookie out of the LMS's frame.

use askama::Template;

use super::Shell;

/// Asks the person to go on in a window of its own, where the cookie is ours.
#[derive(Debug, Clone, Template)]
#[template(path = "new_window.html")]
pub struct NewWindowPage {
    /// The frame.
    pub shell: Shell,
    /// What was being opened, such as the course's title; may be empty.
    pub what: String,
    /// How to open it.
    pub reopen: Reopen,
}

/// How the new window is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reopen {
    /// By a link.
    Link {
        /// The address.
        href: String,
    },
    /// By a form, which keeps what it carries out of addresses and logs.
    Post {
        /// The address.
        action: String,
        /// Hidden fields, name and value.
        fields: Vec<(String, String)>,
    },
}
