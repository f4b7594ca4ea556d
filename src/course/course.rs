//! A course: a version of content that a person completes, attests to and gets credit for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::module::Module;
use crate::quiz::{PassMark, code::code_types};

code_types! {
    /// Names a course in addresses, tables and evidence; also the name of its folder.
    CourseCode,
}

/// A version of content: `MAJOR.MINOR.PATCH`, perhaps with `-suffix`, as Semantic Versioning 2.0.0 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentVersion(String);

/// A text that is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is MAJOR.MINOR.PATCH, such as 1.0.0 or 1.1.0-draft")]
pub struct VersionError;

impl ContentVersion {
    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ContentVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        let (numbers, suffix) = match text.split_once('-') {
            Some((numbers, suffix)) => (numbers, Some(suffix)),
            None => (text.as_str(), None),
        };
        let number = |n: &str| {
            (1..=9).contains(&n.len())
                && n.bytes().all(|b| b.is_ascii_digit())
                && (n == "0" || !n.starts_with('0'))
        };
        let part =
            |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let good = numbers.split('.').count() == 3
            && numbers.split('.').all(number)
            && suffix.is_none_or(|s| s.len() <= 32 && s.split('.').all(part));
        if good {
            Ok(Self(text))
        } else {
            Err(VersionError)
        }
    }
}

impl std::str::FromStr for ContentVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::try_from(text.to_owned())
    }
}

impl From<ContentVersion> for String {
    fn from(version: ContentVersion) -> Self {
        version.0
    }
}

impl fmt::Display for ContentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a course or module draws from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it is called.
    pub title: String,
    /// Its address.
    pub url: String,
}

/// A course with its released modules.
#[derive(Debug)]
pub struct Course {
    /// Its stable name.
    pub code: CourseCode,
    /// As people read it.
    pub title: String,
    /// The version of the content, as its authors count.
    pub version: ContentVersion,
    /// Which edition of a standard it follows, such as `owasp-2025`.
    pub edition: String,
    /// Whom it is for, one sentence.
    pub audience: String,
    /// What it is about, one or two sentences.
    pub summary: String,
    /// For how many months a completion counts.
    pub validity_months: u32,
    /// The mark that every module's quiz asks for at least.
    pub pass_mark: PassMark,
    /// The attestation statement: id and version, such as `att-en/1`.
    pub statement: String,
    /// Controls it is evidence for, such as `SOC2 CC1.4`.
    pub frameworks: Vec<String>,
    /// Where the course as a whole draws from.
    pub sources: Vec<Source>,
    /// In the order taught: the released ones, then drafts where these were asked for.
    pub modules: Vec<Module>,
    /// Fingerprint of `course.toml` and every file of the modules loaded (see [`super::digest`]).
    pub content_sha256: String,
}

impl Course {
    /// The module of that code.
    #[must_use]
    pub fn find_module(&self, module: impl AsRef<str>) -> Option<&Module> {
        let module = module.as_ref();
        self.modules.iter().find(|m| m.code.as_str() == module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_and_maybe_a_suffix() {
        for good in ["1.0.0", "0.12.345", "2.0.0-draft", "2.0.0-rc.1"] {
            assert!(good.parse::<ContentVersion>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.0",
            "01.0.0",
            "1.0.0.0",
            "1.0.x",
            "v1.0.0",
            "1.0.0-",
            "1.0.0-a..b",
            "1.0.0 ",
        ] {
            assert!(bad.parse::<ContentVersion>().is_err(), "{bad}");
        }
    }
}
