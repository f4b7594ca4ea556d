//! The statements that people adopt. A text that was shown is never edited: a change is a new version.

use crate::crypto::sha256_hex;

/// A statement's text, before names and dates are put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Such as `att-en`.
    pub id: &'static str,
    /// Counts up with each change of the text.
    pub version: u32,
    /// BCP 47.
    pub lang: &'static str,
    paragraphs: [&'static str; 3],
}

const ALL: [Statement; 1] = [Statement {
    id: "att-en",
    version: 1,
    lang: "en",
    paragraphs: [
        "I, {name}, state that I have completed the training course \"{course}\", version {version}, and that I read \
         its lessons and answered its quizzes myself.",
        "I have understood the content and the duties that follow from it for my work. I will act on them, follow my \
         company's security policies, and report security incidents and weaknesses without delay.",
        "I adopt this statement on {date} by ticking the box and typing my name. I know that it is kept as evidence \
         and may be shown to auditors.",
    ],
}];

/// What is put into a statement.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The person, as the LMS names them.
    pub name: &'a str,
    /// The course's title.
    pub course: &'a str,
    /// The course's version.
    pub version: &'a str,
    /// The day, in words.
    pub date: &'a str,
}

impl Statement {
    /// The statement that a course names (`att-en/1`).
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        ALL.into_iter().find(|s| s.name() == name)
    }

    /// Id and version, as courses and forms name it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.id, self.version)
    }

    /// The paragraphs as shown.
    #[must_use]
    pub fn fill(&self, f: &Filling<'_>) -> Vec<String> {
        self.paragraphs.iter().map(|p| fill(p, f)).collect()
    }

    /// SHA-256 of the paragraphs as shown, joined by blank lines.
    #[must_use]
    pub fn digest(paragraphs: &[String]) -> String {
        sha256_hex(paragraphs.join("\n\n").as_bytes())
    }
}

/// One pass, so that a name such as `{date}` stays a name.
fn fill(text: &str, f: &Filling<'_>) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (word, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(match word {
            "name" => f.name,
            "course" => f.course,
            "version" => f.version,
            _ => f.date,
        });
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_place_stays_a_name() {
        let s = Statement::find("att-en/1").unwrap();
        let text = s.fill(&Filling {
            name: "{date}",
            course: "C",
            version: "1.0.0",
            date: "2 March 2026",
        });
        assert!(text[0].starts_with("I, {date}, state"), "{}", text[0]);
        assert!(text[2].contains("on 2 March 2026 by"));
        assert!(Statement::find("att-en/99").is_none());
    }
}
