//! What the demo LMS remembers: its key, links, line items and grades, in one JSON file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::{LmsError, config::LinkSeed, locked};
use crate::time::Timestamp;

/// The whole memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// The private key, PKCS#8 PEM.
    pub key_pem: String,
    /// The next number for a link or line item.
    pub next_id: u64,
    /// The course's links, in the order shown.
    pub links: Vec<Link>,
    /// The gradebook's columns.
    pub line_items: Vec<LineItem>,
    /// The gradebook's filled cells.
    pub grades: Vec<Grade>,
}

/// A placement of the tool in the course.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Link {
    /// `resource_link.id`.
    pub id: String,
    /// The seed's key, when it came from the configuration.
    pub key: Option<String>,
    /// `resource_link.title`.
    pub title: String,
    /// `resource_link.description`.
    pub text: String,
    /// Its own `target_link_uri`, when deep linking gave one.
    pub url: Option<String>,
    /// Its custom parameters, variables not yet replaced.
    pub custom: BTreeMap<String, String>,
}

/// A column of the gradebook (AGS 2.0 §3.2).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LineItem {
    /// The number in its address.
    pub id: String,
    /// What the gradebook calls it.
    pub label: String,
    /// Points at most.
    pub maximum: f64,
    /// The tool's own id for what is graded.
    pub resource_id: Option<String>,
    /// The tool's own word for the kind of line item.
    pub tag: Option<String>,
    /// The link it belongs to.
    pub link_id: Option<String>,
    /// Optional members that are kept and given back as they came.
    pub extras: BTreeMap<String, serde_json::Value>,
}

/// A filled cell of the gradebook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Grade {
    /// The column.
    pub item_id: String,
    /// Whose.
    pub sub: String,
    /// What counts, in the column's points.
    pub score: Option<f64>,
    /// Shown beside it.
    pub comment: String,
    /// `activityProgress` of the tool's last score.
    pub activity: String,
    /// `gradingProgress` of the tool's last score.
    pub grading: String,
    /// The last score's own timestamp, or the teacher's moment.
    pub at: Timestamp,
    /// The teacher's grade stands, whatever the tool sends.
    pub overridden: bool,
}

impl State {
    /// An empty course under a fresh key.
    pub(super) fn new(key_pem: String) -> Self {
        Self {
            key_pem,
            next_id: 21,
            links: Vec::new(),
            line_items: Vec::new(),
            grades: Vec::new(),
        }
    }

    /// A number not used before.
    pub(super) fn take_id(&mut self) -> String {
        let id = self.next_id;
        self.next_id += 1;
        id.to_string()
    }

    /// Brings the configured links in: new ones are added, known ones follow the configuration's words.
    pub(super) fn seed(&mut self, seeds: &[LinkSeed]) {
        for seed in seeds {
            let mut custom =
                BTreeMap::from([("passmuster_course".to_owned(), seed.course.clone())]);
            if let Some(module) = &seed.module {
                custom.insert("passmuster_module".to_owned(), module.clone());
            }
            let known = self
                .links
                .iter_mut()
                .find(|l| l.key.as_deref() == Some(&seed.key));
            if let Some(link) = known {
                link.title.clone_from(&seed.title);
                link.text.clone_from(&seed.description);
                link.custom = custom;
                continue;
            }
            let link_id = self.take_id();
            self.links.push(Link {
                id: link_id.clone(),
                key: Some(seed.key.clone()),
                title: seed.title.clone(),
                text: seed.description.clone(),
                url: None,
                custom,
            });
            let id = self.take_id();
            self.line_items.push(LineItem {
                id,
                label: seed.title.clone(),
                maximum: 100.0,
                resource_id: Some(seed.resource_id()),
                tag: None,
                link_id: Some(link_id),
                extras: BTreeMap::new(),
            });
        }
    }

    /// The link with this `resource_link.id`.
    pub(super) fn link(&self, id: &str) -> Option<&Link> {
        self.links.iter().find(|l| l.id == id)
    }

    /// The column with this number.
    pub(super) fn line_item(&self, id: &str) -> Option<&LineItem> {
        self.line_items.iter().find(|i| i.id == id)
    }

    /// The one column of a link; none when there are several, as AGS 2.0 §3.1 has it.
    pub(super) fn line_item_of(&self, link_id: &str) -> Option<&LineItem> {
        let mut all = self
            .line_items
            .iter()
            .filter(|i| i.link_id.as_deref() == Some(link_id));
        all.next().filter(|_| all.next().is_none())
    }

    /// A filled cell.
    pub(super) fn grade(&self, item_id: &str, sub: &str) -> Option<&Grade> {
        self.grades
            .iter()
            .find(|g| g.item_id == item_id && g.sub == sub)
    }

    /// Fills a cell anew.
    pub(super) fn put_grade(&mut self, grade: Grade) {
        self.grades
            .retain(|g| g.item_id != grade.item_id || g.sub != grade.sub);
        self.grades.push(grade);
    }

    /// Takes a column and its grades away.
    pub(super) fn remove_line_item(&mut self, id: &str) {
        self.line_items.retain(|i| i.id != id);
        self.grades.retain(|g| g.item_id != id);
    }
}

/// The memory and its file.
#[derive(Debug)]
pub(super) struct Store {
    file: Option<PathBuf>,
    state: Mutex<State>,
}

impl Store {
    /// Reads the file, or starts with what `fresh` makes.
    pub(super) fn open(
        file: Option<PathBuf>,
        seeds: &[LinkSeed],
        fresh: impl FnOnce() -> Result<State, LmsError>,
    ) -> Result<Self, LmsError> {
        let kept = match &file {
            Some(path) => load(path)?,
            None => None,
        };
        let mut state = match kept {
            Some(state) => state,
            None => fresh()?,
        };
        state.seed(seeds);
        if let Some(path) = &file {
            save(path, &state)?;
        }
        Ok(Self {
            file,
            state: Mutex::new(state),
        })
    }

    /// Looks something up.
    pub(super) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&locked(&self.state))
    }

    /// Changes something; nothing is changed when the step refuses or the file cannot be written.
    pub(super) fn change<R, E: From<LmsError>>(
        &self,
        step: impl FnOnce(&mut State) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut held = locked(&self.state);
        let mut next = held.clone();
        let out = step(&mut next)?;
        if let Some(path) = &self.file {
            save(path, &next)?;
        }
        *held = next;
        Ok(out)
    }
}

fn load(path: &Path) -> Result<Option<State>, LmsError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| LmsError::StateShape),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(LmsError::StateFile(e)),
    }
}

/// Writes beside the file and renames: a crash leaves the old state or the new one.
fn save(path: &Path, state: &State) -> Result<(), LmsError> {
    let bytes = serde_json::to_vec_pretty(state).map_err(|_| LmsError::StateShape)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let write = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600); // it holds a private key
        }
        let mut file = options.open(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(LmsError::StateFile)
}
