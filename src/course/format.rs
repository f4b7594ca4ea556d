//! The files as written: serde shapes that refuse unknown keys, so that a typing error is seen and not ignored.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::course::Source;
use super::error::{ContentError, Fault};
use crate::quiz::question::{AnswerOption, Difficulty, Kind, Style};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CourseFile {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) edition: String,
    pub(super) audience: String,
    pub(super) summary: String,
    pub(super) validity_months: u32,
    pub(super) pass_mark_percent: u8,
    pub(super) statement: String,
    #[serde(default)]
    pub(super) frameworks: Vec<String>,
    pub(super) modules: Vec<String>,
    #[serde(default)]
    pub(super) source: Vec<SourceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceEntry {
    pub(super) title: String,
    pub(super) url: String,
}

impl From<SourceEntry> for Source {
    fn from(entry: SourceEntry) -> Self {
        Self {
            title: entry.title,
            url: entry.url,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontMatter {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) minutes: u32,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) cwe: Vec<u32>,
    #[serde(default)]
    pub(super) source: Vec<SourceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BankFile {
    pub(super) draw: usize,
    pub(super) pass_mark_percent: u8,
    pub(super) scoring_rule: String,
    #[serde(default)]
    pub(super) objective: Vec<ObjectiveEntry>,
    #[serde(default)]
    pub(super) question: Vec<QuestionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectiveEntry {
    pub(super) id: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionEntry {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) version: u32,
    pub(super) objective: String,
    pub(super) difficulty: Difficulty,
    pub(super) style: Style,
    #[serde(default)]
    pub(super) cwe: Vec<u32>,
    pub(super) prompt: String,
    pub(super) code: Option<String>,
    pub(super) code_lang: Option<String>,
    #[serde(default)]
    pub(super) source: OneOrMany,
    #[serde(default)]
    pub(super) options: Vec<OptionEntry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<OneOrMany> for Vec<String> {
    fn from(value: OneOrMany) -> Self {
        match value {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionEntry {
    pub(super) text: String,
    pub(super) correct: bool,
    pub(super) rationale: String,
}

impl From<OptionEntry> for AnswerOption {
    fn from(entry: OptionEntry) -> Self {
        Self {
            text: entry.text,
            correct: entry.correct,
            rationale: entry.rationale,
        }
    }
}

/// The bytes of `file` as text.
pub(super) fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, ContentError> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| ContentError::new(file, "", Fault::NotUtf8))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads TOML; `lines_before` is where it begins in `file`.
pub(super) fn toml<T: DeserializeOwned>(
    file: &str,
    source: &str,
    lines_before: usize,
) -> Result<T, ContentError> {
    toml::from_str(source).map_err(|error| {
        let at = error.span().and_then(|span| source.get(..span.start));
        let place = at.map_or_else(String::new, |before| {
            format!("line {}", lines_before + before.matches('\n').count() + 1)
        });
        ContentError::new(file, place, Fault::Toml(error.message().to_owned()))
    })
}

/// Splits `+++` front matter from the lesson below it.
pub(super) fn front_matter<'t>(
    file: &str,
    text: &'t str,
) -> Result<(FrontMatter, &'t str), ContentError> {
    let split = || {
        let rest = text
            .strip_prefix("+++\n")
            .or_else(|| text.strip_prefix("+++\r\n"))?;
        let end = rest
            .match_indices("\n+++")
            .find(|(i, _)| matches!(rest[i + 4..].chars().next(), None | Some('\n' | '\r')))?
            .0;
        Some((
            &rest[..=end],
            rest[end + 4..].trim_start_matches(['\r', '\n']),
        ))
    };
    let (matter, body) =
        split().ok_or_else(|| ContentError::new(file, "line 1", Fault::NoFrontMatter))?;
    Ok((toml(file, matter, 1)?, body))
}
