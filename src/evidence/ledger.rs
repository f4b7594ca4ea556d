//! The ledger: per tenant, an append-only Merkle log of every fact that counts (the tree of RFC 6962 §2.1).
//!
//! Appending keeps only the tree's right edge (the roots of its complete subtrees), so it reads no leaves. Entries
//! hold identifiers and digests, no names or addresses: a person can be forgotten and every proof still holds.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::crypto::{hex, sha256};
use crate::ids::{AttemptId, AttestationId, CompletionId, CreditId, PersonId, TenantId};
use crate::time::Timestamp;

/// A node or leaf of the tree.
pub type Hash = [u8; 32];

/// RFC 6962 §2.1: `SHA-256(0x00 || entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut c = Context::new(&SHA256);
    c.update(&[0]);
    c.update(entry);
    finish(c)
}

/// RFC 6962 §2.1: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut c = Context::new(&SHA256);
    c.update(&[1]);
    c.update(left);
    c.update(right);
    finish(c)
}

fn finish(c: Context) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(c.finish().as_ref());
    out
}

/// The log's state: how many entries, the roots of its complete subtrees from the largest on, and how many entries
/// of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    size: u64,
    peaks: Vec<Hash>,
    counts: BTreeMap<String, u64>,
}

impl Log {
    /// Reads the stored form; `None` when its parts contradict each other.
    #[must_use]
    pub fn from_stored(size: u64, frontier: &[u8], counts: &str) -> Option<Self> {
        let peaks: Vec<Hash> = frontier
            .chunks(32)
            .map(Hash::try_from)
            .collect::<Result<_, _>>()
            .ok()?;
        let counts: BTreeMap<String, u64> = serde_json::from_str(counts).ok()?;
        let whole = u32::try_from(peaks.len()) == Ok(size.count_ones())
            && counts.values().sum::<u64>() == size;
        whole.then_some(Self {
            size,
            peaks,
            counts,
        })
    }

    /// How many entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The subtree roots, one after the other.
    #[must_use]
    pub fn frontier_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Entries per kind, as JSON with sorted keys.
    #[must_use]
    pub fn counts_json(&self) -> String {
        serde_json::to_string(&self.counts).expect("a map of numbers is JSON")
    }

    /// Adds a leaf: each trailing one-bit of the size is a complete subtree that the new leaf completes further.
    pub fn append(&mut self, kind: &str, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
        *self.counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// The tree's root; of an empty tree, SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(b""))
    }

    /// The head at this moment.
    #[must_use]
    pub fn head(&self, now: Timestamp) -> Head {
        Head {
            size: self.size,
            root: hex(&self.root()),
            time: now.rfc3339_ms(),
            counts: self.counts.clone(),
        }
    }
}

/// A head of the log: whoever holds it can tell whether anything before it was changed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// Root, hexadecimal.
    pub root: String,
    /// When it was computed (RFC 3339, UTC).
    pub time: String,
    /// Entries per kind: a dropped failure shows here.
    pub counts: BTreeMap<String, u64>,
}

/// Something that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A quiz was handed in.
    Attempt {
        /// Which.
        id: AttemptId,
        /// By whom.
        person: PersonId,
        /// Course and version.
        course: (String, String),
        /// Module and version.
        module: (String, String),
        /// 1 for the first.
        attempt_no: i64,
        /// 8000 is 80.00 %.
        percent_hundredths: i64,
        /// At or above the mark.
        passed: bool,
        /// Digest of draw, answers and marks.
        record_sha256: String,
    },
    /// A module was first passed.
    Completion {
        /// Which.
        id: CompletionId,
        /// By whom.
        person: PersonId,
        /// Course and version.
        course: (String, String),
        /// Module and version.
        module: (String, String),
        /// By which attempt.
        attempt: AttemptId,
    },
    /// A course was completed.
    Credit {
        /// Which.
        id: CreditId,
        /// By whom.
        person: PersonId,
        /// Course and version.
        course: (String, String),
        /// Digest of the content.
        content_sha256: String,
        /// The last second it counts, RFC 3339.
        valid_until: String,
    },
    /// A statement was signed.
    Attestation {
        /// Which.
        id: AttestationId,
        /// By whom.
        person: PersonId,
        /// For what.
        credit: CreditId,
        /// SHA-256 of the `.jws` file.
        jws_sha256: String,
    },
}

#[derive(Serialize)]
struct Entry<'a> {
    v: u8,
    kind: &'a str,
    tenant: &'a str,
    id: &'a str,
    at: String,
    person: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    course: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    course_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_no: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent_hundredths: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refers_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

impl Fact {
    /// Its kind, as counted in heads.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Attempt { .. } => "attempt",
            Self::Completion { .. } => "completion",
            Self::Credit { .. } => "credit",
            Self::Attestation { .. } => "attestation",
        }
    }

    /// The id of what it tells of.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Attempt { id, .. } => id.as_str(),
            Self::Completion { id, .. } => id.as_str(),
            Self::Credit { id, .. } => id.as_str(),
            Self::Attestation { id, .. } => id.as_str(),
        }
    }

    /// The exact text that is hashed into the tree: one line of JSON, keys in fixed order.
    #[must_use]
    pub fn entry(&self, tenant: &TenantId, at: Timestamp) -> String {
        let mut e = Entry {
            v: 1,
            kind: self.kind(),
            tenant: tenant.as_str(),
            id: self.subject(),
            at: at.rfc3339_ms(),
            person: "",
            course: None,
            course_version: None,
            module: None,
            module_version: None,
            attempt_no: None,
            percent_hundredths: None,
            passed: None,
            refers_to: None,
            valid_until: None,
            sha256: None,
        };
        match self {
            Self::Attempt {
                person,
                course,
                module,
                attempt_no,
                percent_hundredths,
                passed,
                record_sha256,
                ..
            } => {
                e.person = person.as_str();
                (e.course, e.course_version) = (Some(course.0.as_str()), Some(course.1.as_str()));
                (e.module, e.module_version) = (Some(module.0.as_str()), Some(module.1.as_str()));
                (e.attempt_no, e.percent_hundredths) =
                    (Some(*attempt_no), Some(*percent_hundredths));
                (e.passed, e.sha256) = (Some(*passed), Some(record_sha256.as_str()));
            }
            Self::Completion {
                person,
                course,
                module,
                attempt,
                ..
            } => {
                e.person = person.as_str();
                (e.course, e.course_version) = (Some(course.0.as_str()), Some(course.1.as_str()));
                (e.module, e.module_version) = (Some(module.0.as_str()), Some(module.1.as_str()));
                e.refers_to = Some(attempt.as_str());
            }
            Self::Credit {
                person,
                course,
                content_sha256,
                valid_until,
                ..
            } => {
                e.person = person.as_str();
                (e.course, e.course_version) = (Some(course.0.as_str()), Some(course.1.as_str()));
                (e.valid_until, e.sha256) =
                    (Some(valid_until.as_str()), Some(content_sha256.as_str()));
            }
            Self::Attestation {
                person,
                credit,
                jws_sha256,
                ..
            } => {
                e.person = person.as_str();
                (e.refers_to, e.sha256) = (Some(credit.as_str()), Some(jws_sha256.as_str()));
            }
        }
        serde_json::to_string(&e).expect("plain texts and numbers are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    #[test]
    fn our_roots_are_those_of_an_independent_tree_at_every_size() {
        let mut ours = Log::default();
        let mut theirs: MemoryBackedTree<sha2::Sha256, Vec<u8>> = MemoryBackedTree::new();
        assert_eq!(ours.root().as_slice(), theirs.root().as_bytes().as_slice());
        for n in 0..200u32 {
            let entry = n.to_be_bytes().to_vec();
            ours.append("attempt", leaf_hash(&entry));
            theirs.push(entry);
            assert_eq!(
                ours.root().as_slice(),
                theirs.root().as_bytes().as_slice(),
                "size {}",
                n + 1
            );
            let again =
                Log::from_stored(ours.size(), &ours.frontier_bytes(), &ours.counts_json()).unwrap();
            assert_eq!(again, ours);
        }
    }

    #[test]
    fn a_stored_state_that_contradicts_itself_is_refused() {
        let mut log = Log::default();
        log.append("attempt", leaf_hash(b"x"));
        assert!(
            Log::from_stored(2, &log.frontier_bytes(), "{\"attempt\":2}").is_some(),
            "two leaves, one peak"
        );
        assert!(Log::from_stored(3, &log.frontier_bytes(), "{\"attempt\":3}").is_none());
        assert!(Log::from_stored(1, &log.frontier_bytes(), "{\"attempt\":2}").is_none());
        assert!(Log::from_stored(1, &log.frontier_bytes()[..31], "{\"attempt\":1}").is_none());
    }
}
