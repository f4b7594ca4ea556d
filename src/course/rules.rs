//! From files as written to courses, modules and banks: every structural rule is checked here, once, at load.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::course::{Course, Source};
use super::error::{ContentError, Fault};
use super::format::{self, BankFile, CourseFile, OptionEntry, QuestionEntry, SourceEntry};
use super::module::Module;
use crate::quiz::code::CodeError;
use crate::quiz::question::{AnswerOption, Code, Kind, Objective};
use crate::quiz::{Bank, Question};

type Checked<T> = Result<T, ContentError>;

/// Reads values of one file, and says which file when one is wrong.
pub(super) struct Reader<'f>(pub(super) &'f str);

impl Reader<'_> {
    pub(super) fn fail<T>(&self, place: impl Into<String>, fault: Fault) -> Checked<T> {
        Err(ContentError::new(self.0, place, fault))
    }

    fn parse<T>(&self, place: &str, value: &str) -> Checked<T>
    where
        T: std::str::FromStr<Err: ToString>,
    {
        value
            .parse()
            .map_err(|why: T::Err| ContentError::new(self.0, place, Fault::bad_value(&value, &why)))
    }

    fn convert<V, T>(&self, place: &str, value: V) -> Checked<T>
    where
        V: Copy + ToString,
        T: TryFrom<V, Error: ToString>,
    {
        T::try_from(value)
            .map_err(|why| ContentError::new(self.0, place, Fault::bad_value(&value, &why)))
    }

    fn said(&self, place: impl Into<String>, text: String) -> Checked<String> {
        if text.trim().is_empty() {
            return self.fail(place, Fault::Empty);
        }
        Ok(text)
    }

    fn address(&self, place: impl Into<String>, address: &str) -> Checked<()> {
        let good = url::Url::parse(address)
            .is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        if !good {
            let fault = Fault::bad_value(address, "a source is an http or https address");
            return self.fail(place, fault);
        }
        Ok(())
    }

    fn sources(&self, entries: Vec<SourceEntry>) -> Checked<Vec<Source>> {
        let mut sources = Vec::with_capacity(entries.len());
        for (n, entry) in entries.into_iter().enumerate() {
            let place = format!("source {}", n + 1);
            self.address(&place, &entry.url)?;
            let title = self.said(place, entry.title)?;
            sources.push(Source {
                title,
                url: entry.url,
            });
        }
        Ok(sources)
    }

    fn within(&self, place: &str, value: u32, most: u32) -> Checked<u32> {
        if (1..=most).contains(&value) {
            return Ok(value);
        }
        let fault = Fault::bad_value(&value, &format!("a whole number from 1 to {most}"));
        self.fail(place, fault)
    }

    fn cwe(&self, place: &str, numbers: Vec<u32>) -> Checked<Vec<u32>> {
        for &number in &numbers {
            self.within(place, number, 9999)?;
        }
        Ok(numbers)
    }
}

/// A course without its modules yet, and the folders it releases, in order.
pub(super) fn course(file: &str, folder: &str, bytes: &[u8]) -> Checked<(Course, Vec<String>)> {
    let text = format::text(file, bytes)?;
    let raw: CourseFile = format::toml(file, text, 0)?;
    let r = Reader(file);
    if raw.code != folder {
        return r.fail(
            "code",
            Fault::bad_value(&raw.code, "the folder has another name"),
        );
    }
    let statement = raw.statement.split_once('/').is_some_and(|(id, version)| {
        crate::quiz::code::is_code(id) && version.parse::<u32>().is_ok_and(|v| v > 0)
    });
    if !statement {
        let fault = Fault::bad_value(&raw.statement, "an id and a version, such as att-en/1");
        return r.fail("statement", fault);
    }
    if raw.modules.is_empty() {
        return r.fail("modules", Fault::Empty);
    }
    for (n, module) in raw.modules.iter().enumerate() {
        if raw.modules[..n].contains(module) {
            let (id, first) = (module.clone(), file.to_owned());
            return r.fail("modules", Fault::Duplicate { id, first });
        }
    }
    for framework in &raw.frameworks {
        r.said("frameworks", framework.clone())?;
    }
    let course = Course {
        code: r.parse("code", &raw.code)?,
        title: r.said("title", raw.title)?,
        version: r.parse("version", &raw.version)?,
        edition: r.said("edition", raw.edition)?,
        audience: r.said("audience", raw.audience)?,
        summary: r.said("summary", raw.summary)?,
        validity_months: r.within("validity_months", raw.validity_months, 120)?,
        pass_mark: r.convert("pass_mark_percent", raw.pass_mark_percent)?,
        statement: raw.statement,
        frameworks: raw.frameworks,
        sources: r.sources(raw.source)?,
        modules: Vec::new(),
        content_sha256: String::new(),
    };
    Ok((course, raw.modules))
}

/// A module from its two files.
pub(super) fn module(
    folder: &str,
    (lesson_file, lesson): (&str, &[u8]),
    (bank_file, bank_bytes): (&str, &[u8]),
    names: &mut Names,
) -> Checked<Module> {
    let text = format::text(lesson_file, lesson)?;
    let (raw, body) = format::front_matter(lesson_file, text)?;
    let r = Reader(lesson_file);
    if raw.source.is_empty() {
        return r.fail("source", Fault::NoSource);
    }
    let bank = bank(bank_file, bank_bytes, names)?;
    Ok(Module {
        code: r.parse("code", &raw.code)?,
        folder: folder.to_owned(),
        released: true,
        title: r.said("title", raw.title)?,
        version: r.parse("version", &raw.version)?,
        minutes: r.within("minutes", raw.minutes, 240)?,
        summary: r.said("summary", raw.summary)?,
        cwe: r.cwe("cwe", raw.cwe)?,
        sources: r.sources(raw.source)?,
        markdown: r.said("lesson", body.to_owned())?,
        bank,
        content_sha256: String::new(),
        rendered: OnceLock::new(),
    })
}

/// Names that must be unique over all content, with the file that used each first.
#[derive(Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    fn claim(&mut self, r: &Reader<'_>, place: &str, id: &str) -> Checked<()> {
        if let Some(first) = self.0.insert(id.to_owned(), r.0.to_owned()) {
            let id = id.to_owned();
            return r.fail(place, Fault::Duplicate { id, first });
        }
        Ok(())
    }
}

fn bank(file: &str, bytes: &[u8], names: &mut Names) -> Checked<Bank> {
    let raw: BankFile = format::toml(file, format::text(file, bytes)?, 0)?;
    let r = Reader(file);
    let mut objectives = Vec::with_capacity(raw.objective.len());
    for entry in raw.objective {
        let place = format!("objective {}", entry.id);
        names.claim(&r, &place, &entry.id)?;
        objectives.push(Objective {
            id: r.parse(&place, &entry.id)?,
            text: r.said(place, entry.text)?,
        });
    }
    let mut questions = Vec::with_capacity(raw.question.len());
    for entry in raw.question {
        names.claim(&r, &format!("question {}", entry.id), &entry.id)?;
        questions.push(question(&r, entry, &objectives)?);
    }
    let untested = objectives
        .iter()
        .find(|o| !questions.iter().any(|q: &Question| q.objective == o.id));
    if let Some(objective) = untested {
        return r.fail(format!("objective {}", objective.id), Fault::Untested);
    }
    if raw.draw == 0 || raw.draw > questions.len() {
        let (draw, questions) = (raw.draw, questions.len());
        return r.fail("draw", Fault::Draw { draw, questions });
    }
    Ok(Bank {
        draw: raw.draw,
        pass_mark: r.convert("pass_mark_percent", raw.pass_mark_percent)?,
        scoring_rule: r.parse("scoring_rule", &raw.scoring_rule)?,
        objectives,
        questions,
    })
}

fn question(r: &Reader<'_>, raw: QuestionEntry, objectives: &[Objective]) -> Checked<Question> {
    let place = format!("question {}", raw.id);
    let Some(objective) = objectives.iter().find(|o| o.id.as_str() == raw.objective) else {
        return r.fail(place, Fault::UnknownObjective(raw.objective));
    };
    let keys = raw.options.iter().filter(|o| o.correct).count();
    let fits = match raw.kind {
        Kind::Single => keys == 1 && raw.options.len() >= 2,
        Kind::Multiple => keys >= 2 && keys < raw.options.len(),
    };
    if !fits {
        let (kind, options) = (raw.kind, raw.options.len());
        return r.fail(
            place,
            Fault::Keys {
                kind,
                keys,
                options,
            },
        );
    }
    let sources: Vec<String> = raw.source.into();
    if sources.is_empty() {
        return r.fail(place, Fault::NoSource);
    }
    for source in &sources {
        r.address(format!("{place}, source"), source)?;
    }
    let code = match (raw.code, raw.code_lang) {
        (None, None) => None,
        (Some(text), Some(lang)) => Some(Code {
            text: r.said(format!("{place}, code"), text)?,
            lang: r.said(format!("{place}, code_lang"), lang)?,
        }),
        _ => return r.fail(place, Fault::CodeLanguage),
    };
    Ok(Question {
        id: raw.id.parse().map_err(|why: CodeError| {
            ContentError::new(r.0, &place, Fault::bad_value(&raw.id, &why))
        })?,
        kind: raw.kind,
        version: r.within(&format!("{place}, version"), raw.version, u32::MAX)?,
        objective: objective.id.clone(),
        difficulty: raw.difficulty,
        style: raw.style,
        cwe: r.cwe(&format!("{place}, cwe"), raw.cwe)?,
        prompt: r.said(format!("{place}, prompt"), raw.prompt)?,
        code,
        sources,
        options: options(r, &place, raw.options)?,
    })
}

fn options(r: &Reader<'_>, place: &str, raw: Vec<OptionEntry>) -> Checked<Vec<AnswerOption>> {
    let mut options: Vec<AnswerOption> = Vec::with_capacity(raw.len());
    for (n, entry) in raw.into_iter().enumerate() {
        let place = format!("{place}, option {}", n + 1);
        if let Some(same) = options
            .iter()
            .position(|o| o.text.trim() == entry.text.trim())
        {
            let (id, first) = (format!("{:?}", entry.text), format!("option {}", same + 1));
            return r.fail(place, Fault::Duplicate { id, first });
        }
        r.said(format!("{place}, text"), entry.text.clone())?;
        r.said(format!("{place}, rationale"), entry.rationale.clone())?;
        options.push(entry.into());
    }
    Ok(options)
}
