//! Reads all courses, from what is built in or from a folder, and answers questions about them.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::course::Course;
use super::digest;
use super::error::{ContentError, Fault};
use super::highlight::Highlighter;
use super::module::{Module, RenderedModule};
use super::rules::{self, Names, Reader};
use crate::quiz::{Question, QuestionId, Questions};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/content");

/// Folders deeper than this below `content/` are not read.
const MAX_DEPTH: usize = 6;

/// Whether modules that no course lists yet are read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drafts {
    /// They are passed over, errors and all: what learners see.
    Skip,
    /// They follow the released ones, by folder name: for checks and previews.
    Include,
}

/// All courses in force.
#[derive(Debug, Default)]
pub struct Catalogue {
    courses: Vec<Course>,
    /// Course, module and place in its bank.
    questions: BTreeMap<QuestionId, (usize, usize, usize)>,
}

type Files = BTreeMap<String, Vec<u8>>;

impl Catalogue {
    /// Reads files named by their path below `content/` (`courses/<course>/course.toml`, ...). Others are ignored.
    pub fn from_files(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
        drafts: Drafts,
    ) -> Result<Self, ContentError> {
        let mut courses: BTreeMap<String, Files> = BTreeMap::new();
        for (path, bytes) in files {
            let below = path
                .strip_prefix("courses/")
                .and_then(|p| p.split_once('/'));
            if let Some((course, file)) = below.filter(|_| !is_hidden(&path)) {
                let course = courses.entry(course.to_owned()).or_default();
                course.insert(file.to_owned(), bytes);
            }
        }
        let mut catalogue = Self::default();
        let mut names = Names::default();
        for (folder, files) in &courses {
            let course = read_course(folder, files, drafts, &mut names)?;
            let c = catalogue.courses.len();
            for (m, module) in course.modules.iter().enumerate() {
                for (q, question) in module.bank.questions.iter().enumerate() {
                    catalogue.questions.insert(question.id.clone(), (c, m, q));
                }
            }
            catalogue.courses.push(course);
        }
        Ok(catalogue)
    }

    /// The content that this program carries.
    pub fn built_in() -> Result<Self, ContentError> {
        let mut files = Vec::new();
        collect_built_in(&BUILT_IN, &mut files);
        Self::from_files(files, Drafts::Skip)
    }

    /// The content in a folder laid out as `content/` is. Follows links; passes over names that begin with a dot.
    pub fn from_dir(dir: &Path, drafts: Drafts) -> Result<Self, ContentError> {
        if !dir.join("courses").is_dir() {
            return Err(ContentError::new("courses", "", Fault::Missing));
        }
        let mut files = Vec::new();
        collect_dir(&dir.join("courses"), "courses", 1, &mut files)?;
        Self::from_files(files, drafts)
    }

    /// All courses, by code.
    #[must_use]
    pub fn courses(&self) -> &[Course] {
        &self.courses
    }

    /// The course of that code.
    #[must_use]
    pub fn find_course(&self, course: impl AsRef<str>) -> Option<&Course> {
        let course = course.as_ref();
        self.courses.iter().find(|c| c.code.as_str() == course)
    }

    /// The module of that code in that course.
    #[must_use]
    pub fn find_module(
        &self,
        course: impl AsRef<str>,
        module: impl AsRef<str>,
    ) -> Option<(&Course, &Module)> {
        let course = self.find_course(course)?;
        Some((course, course.find_module(module)?))
    }

    /// Where a question lives, in the version in force.
    #[must_use]
    pub fn locate_question(&self, id: &QuestionId) -> Option<(&Course, &Module, &Question)> {
        let &(c, m, q) = self.questions.get(id)?;
        let course = self.courses.get(c)?;
        let module = course.modules.get(m)?;
        Some((course, module, module.bank.questions.get(q)?))
    }

    /// Renders what is not rendered yet, with one set of grammars that is dropped at the end. The content check
    /// calls it; in the service each module renders when it is first asked for.
    pub fn render_all(&self) {
        let highlighter = Highlighter::load();
        for module in self.courses.iter().flat_map(|c| &c.modules) {
            module
                .rendered
                .get_or_init(|| RenderedModule::new(module, &highlighter));
        }
    }
}

impl Questions for Catalogue {
    fn find_question(&self, id: &QuestionId, version: u32) -> Option<&Question> {
        let (_, _, question) = self.locate_question(id)?;
        Some(question).filter(|q| q.version == version)
    }
}

fn read_course(
    folder: &str,
    files: &Files,
    drafts: Drafts,
    names: &mut Names,
) -> Result<Course, ContentError> {
    let course_file = format!("courses/{folder}/course.toml");
    let Some(bytes) = files.get("course.toml") else {
        return Err(ContentError::new(&course_file, "", Fault::Missing));
    };
    let (mut course, released) = rules::course(&course_file, folder, bytes)?;
    let mut folders: Vec<(&str, bool)> = released.iter().map(|m| (m.as_str(), true)).collect();
    if drafts == Drafts::Include {
        let all = files.keys().filter_map(|f| f.split_once('/'));
        for (folder, _) in all {
            if folders.iter().all(|(known, _)| *known != folder) {
                folders.push((folder, false));
            }
        }
    }
    let mut counted = vec![("course.toml", bytes.as_slice())];
    for (module_folder, released) in folders {
        let inside = format!("{module_folder}/");
        let own: Vec<(&str, &[u8])> = files
            .range(inside.clone()..)
            .take_while(|(name, _)| name.starts_with(&inside))
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        if own.is_empty() {
            let fault = Fault::bad_value(module_folder, "there is no such folder");
            return Err(ContentError::new(&course_file, "modules", fault));
        }
        let module = read_module(folder, module_folder, &own, names)?;
        let first = course.find_module(&module.code).map(|m| m.folder.clone());
        if let Some(first) = first {
            let id = module.code.to_string();
            let file = format!("courses/{folder}/{inside}module.md");
            return Err(ContentError::new(
                &file,
                "code",
                Fault::Duplicate { id, first },
            ));
        }
        if module.bank.pass_mark < course.pass_mark {
            let fault = Fault::PassMark {
                module: module.bank.pass_mark.percent(),
                course: course.pass_mark.percent(),
            };
            let file = format!("courses/{folder}/{inside}quiz.toml");
            return Reader(&file).fail("pass_mark_percent", fault);
        }
        counted.extend(own);
        course.modules.push(Module { released, ..module });
    }
    course.content_sha256 = digest::of_files(counted);
    Ok(course)
}

/// `files` are the module's own, named from the course's folder.
fn read_module(
    course: &str,
    folder: &str,
    files: &[(&str, &[u8])],
    names: &mut Names,
) -> Result<Module, ContentError> {
    let find = |name: &str| {
        let path = format!("courses/{course}/{folder}/{name}");
        let relative = format!("{folder}/{name}");
        match files.iter().find(|(f, _)| *f == relative) {
            Some((_, bytes)) => Ok((path, *bytes)),
            None => Err(ContentError::new(&path, "", Fault::Missing)),
        }
    };
    let (lesson, bank) = (find("module.md")?, find("quiz.toml")?);
    let module = rules::module(folder, (&lesson.0, lesson.1), (&bank.0, bank.1), names)?;
    let own = files
        .iter()
        .map(|(name, bytes)| (name.split_once('/').map_or(*name, |(_, own)| own), *bytes));
    Ok(Module {
        content_sha256: digest::of_files(own),
        ..module
    })
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

fn collect_built_in(dir: &Dir<'_>, files: &mut Vec<(String, Vec<u8>)>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        files.push((path, file.contents().to_vec()));
    }
    dir.dirs().for_each(|d| collect_built_in(d, files));
}

fn collect_dir(
    dir: &Path,
    name: &str,
    depth: usize,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), ContentError> {
    let unreadable = |name: &str, e: std::io::Error| {
        ContentError::new(name, "", Fault::Unreadable(e.kind().to_string()))
    };
    for entry in std::fs::read_dir(dir).map_err(|e| unreadable(name, e))? {
        let entry = entry.map_err(|e| unreadable(name, e))?;
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with('.') {
            continue;
        }
        let (path, name) = (entry.path(), format!("{name}/{own}"));
        // `metadata` follows links: a mounted configuration map is made of them.
        let kind = std::fs::metadata(&path).map_err(|e| unreadable(&name, e))?;
        if kind.is_dir() {
            if depth < MAX_DEPTH {
                collect_dir(&path, &name, depth + 1, files)?;
            }
        } else {
            let bytes = std::fs::read(&path).map_err(|e| unreadable(&name, e))?;
            files.push((name, bytes));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod fixture {
    /// A small course of one released module and one draft, sound in every rule.
    pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
        let file = |path: &str, text: &str| (format!("courses/demo/{path}"), text.into());
        let course = r#"code = "demo"
title = "Demo course"
version = "1.0.0"
edition = "demo-1"
audience = "Everyone"
summary = "A short course."
validity_months = 12
pass_mark_percent = 80
statement = "att-en/1"
frameworks = ["SOC2 CC1.4"]
modules = ["01-first"]
"#;
        let lesson = "+++\ncode = \"first\"\ntitle = \"First\"\nversion = \"1.0.0\"\nminutes = 1\nsummary = \"S.\"\ncwe = [639]\n\
            [[source]]\ntitle = \"OWASP\"\nurl = \"https://owasp.org/\"\n+++\nHello.\n\n## Part\n\n```python\nx = 1\n```\n";
        vec![
            file("course.toml", course),
            file("01-first/module.md", lesson),
            file("01-first/quiz.toml", &bank("f")),
            file("02-draft/module.md", &lesson.replace("first", "second")),
            file("02-draft/quiz.toml", &bank("s")),
            file("02-draft/.swap", "junk"),
        ]
    }

    fn bank(prefix: &str) -> String {
        let option = |text: &str, correct: bool| {
            format!(
                "[[question.options]]\ntext = \"{text}\"\ncorrect = {correct}\nrationale = \"Because.\"\n"
            )
        };
        let question = |n: u32, kind: &str, keys: u32| {
            let options: String = (0..4)
                .map(|i| option(&format!("choice {i}"), i < keys))
                .collect();
            format!(
                "[[question]]\nid = \"{prefix}-{n}\"\nkind = \"{kind}\"\nversion = 1\nobjective = \"{prefix}-o1\"\n\
                 difficulty = \"easy\"\nstyle = \"find\"\nprompt = \"Which {n}?\"\ncode_lang = \"python\"\ncode = '''\nx = {n}\n'''\n\
                 source = \"https://cwe.mitre.org/\"\n{options}"
            )
        };
        format!(
            "draw = 2\npass_mark_percent = 80\nscoring_rule = \"all-or-nothing/1\"\n\
             [[objective]]\nid = \"{prefix}-o1\"\ntext = \"Find it\"\n{}{}",
            question(1, "single", 1),
            question(2, "multiple", 2)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: Vec<(String, Vec<u8>)>) -> Result<Catalogue, ContentError> {
        Catalogue::from_files(files, Drafts::Skip)
    }

    /// The fixture with one text replaced in one file.
    fn bent(file: &str, from: &str, to: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = fixture::files();
        let path = format!("courses/demo/{file}");
        let (_, bytes) = files.iter_mut().find(|(p, _)| *p == path).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{file} holds no {from}");
        *bytes = text.replacen(from, to, 1).into();
        files
    }

    #[test]
    fn a_sound_course_is_found_by_its_names() {
        let catalogue = load(fixture::files()).unwrap();
        let (course, module) = catalogue.find_module("demo", "first").unwrap();
        assert_eq!(
            (course.title.as_str(), module.bank.draw),
            ("Demo course", 2)
        );
        assert_eq!(course.modules.len(), 1, "drafts are passed over");
        assert!(catalogue.find_module("demo", "second").is_none());
        let id = "f-2".parse().unwrap();
        assert!(
            catalogue.find_question(&id, 1).is_some() && catalogue.find_question(&id, 2).is_none()
        );
        assert_eq!(catalogue.locate_question(&id).unwrap().1.folder, "01-first");
        let drafts = Catalogue::from_files(fixture::files(), Drafts::Include).unwrap();
        assert!(!drafts.find_module("demo", "second").unwrap().1.released);
    }

    /// File, text, what stands there instead, the code and a part of the message.
    const BREACHES: &str = r#"
        course.toml | title = | titel = | content.toml | line 2
        course.toml | "demo" | "other" | content.bad_value | code:
        course.toml | 1.0.0 | 1.0 | content.bad_value | version:
        course.toml | percent = 80 | percent = 0 | content.bad_value | pass_mark_percent:
        course.toml | percent = 80 | percent = 90 | content.pass_mark | 90 %
        course.toml | 01-first | 09-none | content.bad_value | 09-none
        course.toml | ["01-first"] | [] | content.empty | modules
        course.toml | ["01-first"] | ["01-first", "01-first"] | content.duplicate | modules
        course.toml | att-en/1 | att-en | content.bad_value | statement
        course.toml | = 12 | = 0 | content.bad_value | validity_months
        01-first/module.md | +++\ncode | code | content.no_front_matter | line 1
        01-first/module.md | minutes = 1\n | # none\n | content.toml | minutes
        01-first/module.md | [[source]] | [[sourse]] | content.toml | sourse
        01-first/module.md | https://owasp | owasp | content.bad_value | source 1
        01-first/module.md | [639] | [0] | content.bad_value | cwe
        01-first/quiz.toml | draw = 2 | draw = 3 | content.draw | draws 3 from 2
        01-first/quiz.toml | draw = 2 | draw = 0 | content.draw | draws 0
        01-first/quiz.toml | nothing/1 | nothing/2 | content.bad_value | scoring_rule
        01-first/quiz.toml | f-2 | f-1 | content.duplicate | question f-1
        01-first/quiz.toml | f-2 | F 2 | content.bad_value | question F 2
        01-first/quiz.toml | objective = "f-o1" | objective = "x" | content.unknown_objective | f-1
        01-first/quiz.toml | [[question]] | [[objective]]\nid = "o9"\ntext = "x"\n[[question]] | content.untested | o9
        01-first/quiz.toml | correct = true | correct = false | content.keys | 0 keys among 4
        01-first/quiz.toml | correct = false | correct = true | content.keys | single with 2
        01-first/quiz.toml | "single" | "multiple" | content.keys | multiple with 1
        01-first/quiz.toml | choice 1 | choice 0 | content.duplicate | question f-1, option 2
        01-first/quiz.toml | Because. | \t | content.empty | question f-1, option 1, rationale
        01-first/quiz.toml | rationale = | rationalle = | content.toml | line
        01-first/quiz.toml | "https://cwe.mitre.org/" | [] | content.no_source | question f-1
        01-first/quiz.toml | https://cwe | javascript:cwe | content.bad_value | source
        01-first/quiz.toml | code_lang = "python" | # none | content.code_language | question f-1
        01-first/quiz.toml | "easy" | "eazy" | content.toml | eazy
    "#;

    #[test]
    fn each_breach_is_named_with_its_place() {
        for line in BREACHES.lines().filter(|l| l.contains('|')) {
            let line = line.trim().replace("\\n", "\n").replace("\\t", " ");
            let parts: Vec<&str> = line.split(" | ").collect();
            let [file, from, to, code, said] = parts[..] else {
                panic!("{line}");
            };
            let error = load(bent(file, from, to)).expect_err(&line);
            assert_eq!(error.code(), code, "{line}: {error}");
            let text = error.to_string();
            // The mark is raised in the course and missed by its module: the module is named.
            let named = if code == "content.pass_mark" {
                "01-first/quiz.toml"
            } else {
                file
            };
            assert!(
                text.starts_with(&format!("courses/demo/{named}: ")),
                "{text}"
            );
            assert!(text.contains(said), "{line}: {text}");
        }
    }

    #[test]
    fn names_are_unique_over_all_courses() {
        let mut files = bent("course.toml", "01-first", "01-first");
        let other: Vec<_> = bent("course.toml", "\"demo\"", "\"zweit\"")
            .into_iter()
            .map(|(path, bytes)| (path.replace("/demo/", "/zweit/"), bytes))
            .collect();
        files.extend(other);
        let error = load(files).unwrap_err();
        assert_eq!(error.code(), "content.duplicate");
        assert!(
            error
                .to_string()
                .contains("courses/demo/01-first/quiz.toml"),
            "{error}"
        );
    }

    #[test]
    fn missing_files_are_named() {
        for gone in ["course.toml", "01-first/module.md", "01-first/quiz.toml"] {
            let path = format!("courses/demo/{gone}");
            let files = fixture::files().into_iter().filter(|(p, _)| *p != path);
            let error = load(files.collect()).unwrap_err();
            assert_eq!(error.to_string(), format!("{path}: is missing"));
        }
    }

    #[test]
    fn fingerprints_follow_what_learners_get() {
        let base = load(fixture::files()).unwrap();
        let hash = |c: &Catalogue| c.courses()[0].content_sha256.clone();
        let changed = load(bent("01-first/quiz.toml", "Find it", "Find them")).unwrap();
        assert_ne!(hash(&base), hash(&changed));
        let draft = load(bent("02-draft/quiz.toml", "Find it", "Find them")).unwrap();
        assert_eq!(hash(&base), hash(&draft));
    }

    #[test]
    fn modules_render_at_first_use_or_ahead() {
        let catalogue = load(fixture::files()).unwrap();
        let module = &catalogue.courses()[0].modules[0];
        assert!(module.rendered.get().is_none());
        catalogue.render_all();
        let rendered = module.rendered();
        assert_eq!(rendered.lesson.contents[0].id, "h-part");
        let question = rendered.find_question(&"f-1".parse().unwrap()).unwrap();
        assert!(question.prompt_html.contains("Which 1?") && question.options.len() == 4);
        assert!(question.code_html.as_ref().unwrap().contains("hl-"));
    }

    #[test]
    fn what_is_built_in_loads() {
        Catalogue::built_in().unwrap();
    }

    #[test]
    fn a_folder_reads_as_its_files_do() {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in fixture::files() {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let read = Catalogue::from_dir(dir.path(), Drafts::Skip).unwrap();
        let hash = load(fixture::files()).unwrap().courses()[0]
            .content_sha256
            .clone();
        assert_eq!(read.courses()[0].content_sha256, hash);
        let error = Catalogue::from_dir(&dir.path().join("courses"), Drafts::Skip).unwrap_err();
        assert_eq!(error.code(), "content.missing");
    }
}
