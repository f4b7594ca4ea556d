//! A module: a lesson and the bank that tests it; what learners and auditors say.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::course::{ContentVersion, Source};
use super::highlight::Highlighter;
use super::markdown::{self, Lesson};
use crate::quiz::code::code_types;
use crate::quiz::{Bank, Question, QuestionId};

code_types! {
    /// Names a module inside its course, in addresses, tables and evidence.
    ModuleCode,
}

/// A lesson with its bank.
#[derive(Debug)]
pub struct Module {
    /// Its stable name.
    pub code: ModuleCode,
    /// The folder it was read from, such as `05-injection`.
    pub folder: String,
    /// Whether the course lists it; a draft is loaded for checks and previews only.
    pub released: bool,
    /// As people read it.
    pub title: String,
    /// The version of the content, as its authors count.
    pub version: ContentVersion,
    /// Reading time in minutes, as its author states it.
    pub minutes: u32,
    /// What it is about, one or two sentences.
    pub summary: String,
    /// The main CWE numbers.
    pub cwe: Vec<u32>,
    /// Where it draws from.
    pub sources: Vec<Source>,
    /// The lesson as Markdown.
    pub markdown: String,
    /// The questions.
    pub bank: Bank,
    /// Fingerprint of every file in the module's folder (see [`super::digest`]).
    pub content_sha256: String,
    pub(super) rendered: OnceLock<RenderedModule>,
}

/// A module as HTML, ready for pages; made once.
#[derive(Debug)]
pub struct RenderedModule {
    /// The lesson.
    pub lesson: Lesson,
    questions: HashMap<QuestionId, RenderedQuestion>,
}

/// A question as HTML. Rationales are here too: a page shows what [`crate::quiz::Feedback`] allows, and no more.
#[derive(Debug)]
pub struct RenderedQuestion {
    /// The stem: block elements.
    pub prompt_html: String,
    /// The code, as a figure; absent when there is none.
    pub code_html: Option<String>,
    /// By the question's own option index.
    pub options: Vec<RenderedOption>,
}

/// An option as HTML.
#[derive(Debug)]
pub struct RenderedOption {
    /// What is shown: inline elements, fit for a label.
    pub text_html: String,
    /// Why it is right, or fails: inline elements.
    pub rationale_html: String,
}

impl Module {
    /// The module as HTML. The first call renders, and loads the grammars for it; [`super::Catalogue::render_all`]
    /// does that ahead for all.
    pub fn rendered(&self) -> &RenderedModule {
        self.rendered
            .get_or_init(|| RenderedModule::new(self, &Highlighter::load()))
    }
}

impl RenderedModule {
    pub(super) fn new(module: &Module, highlighter: &Highlighter) -> Self {
        let questions = module.bank.questions.iter();
        Self {
            lesson: markdown::render_lesson(&module.markdown, highlighter),
            questions: questions
                .map(|q| (q.id.clone(), RenderedQuestion::new(q, highlighter)))
                .collect(),
        }
    }

    /// The question of that name.
    #[must_use]
    pub fn find_question(&self, id: &QuestionId) -> Option<&RenderedQuestion> {
        self.questions.get(id)
    }
}

impl RenderedQuestion {
    /// Renders a question, also one that an attempt kept and the content at hand no longer has.
    #[must_use]
    pub fn new(question: &Question, highlighter: &Highlighter) -> Self {
        let option = |o: &crate::quiz::question::AnswerOption| RenderedOption {
            text_html: markdown::render_inline(&o.text),
            rationale_html: markdown::render_inline(&o.rationale),
        };
        Self {
            prompt_html: markdown::render_block(&question.prompt, highlighter),
            code_html: question
                .code
                .as_ref()
                .map(|c| highlighter.figure(&c.text, &c.lang, "Code of this question")),
            options: question.options.iter().map(option).collect(),
        }
    }
}
