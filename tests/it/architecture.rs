//! What keeps the picture in `docs/architecture.md` true.

use std::fs;
use std::path::{Path, PathBuf};

fn files(dir: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.to_string_lossy().ends_with(ending) {
            into.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&root, ".rs", &mut all);
    all.into_iter()
        .map(|p| {
            let name = p
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            let text = fs::read_to_string(&p).unwrap();
            // Tests at a file's end may use what they like.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let text: String = code
                .lines()
                .filter(|l| !l.trim_start().starts_with("//"))
                .flat_map(|l| [l, "\n"])
                .collect();
            (name, text)
        })
        .collect()
}

#[test]
fn only_storage_names_sqlx_only_doors_name_axum_only_cli_names_clap() {
    for (name, text) in sources() {
        let room = name.split('/').next().unwrap();
        assert!(
            !text.contains("sqlx::") || room == "storage",
            "{name} names sqlx"
        );
        assert!(
            !text.contains("axum::") || ["web", "demo", "cli"].contains(&room),
            "{name} names axum"
        );
        assert!(
            !text.contains("clap::") || room == "cli",
            "{name} names clap"
        );
    }
}

#[test]
fn domain_rooms_do_not_look_at_the_rooms_above_them() {
    let above = ["storage", "app", "training", "jobs", "web", "demo", "cli"];
    for (name, text) in sources() {
        let room = name.split(['/', '.']).next().unwrap();
        if [
            "lti", "course", "quiz", "evidence", "keys", "net", "ids", "time", "entropy", "crypto",
        ]
        .contains(&room)
        {
            for up in above {
                assert!(
                    !text.contains(&format!("crate::{up}")),
                    "{name} looks up at {up}"
                );
            }
        }
        if room == "quiz" {
            assert!(
                !text.contains("crate::course"),
                "{name}: the quiz does not know courses"
            );
        }
        if room == "lti" {
            assert!(
                !text.contains("crate::evidence") && !text.contains("crate::quiz"),
                "{name}"
            );
        }
    }
}

#[test]
fn migrations_come_in_pairs_with_the_same_tables_and_columns() {
    let shape = |kind: &str| {
        let mut all = Vec::new();
        files(
            &Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("migrations")
                .join(kind),
            ".sql",
            &mut all,
        );
        all.sort();
        all.iter()
            .map(|p| {
                let text = fs::read_to_string(p).unwrap();
                let words = text
                    .lines()
                    .filter(|l| !l.trim_start().starts_with("--"))
                    .map(|l| {
                        l.replace("INTEGER", "#")
                            .replace("BIGINT", "#")
                            .replace("BOOLEAN", "#")
                            .replace("BLOB", "#")
                            .replace("BYTEA", "#")
                            .replace(") STRICT;", ");")
                    });
                (
                    p.file_name().unwrap().to_owned(),
                    words.collect::<Vec<_>>().join("\n"),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(shape("sqlite"), shape("postgres"));
}

#[test]
fn every_code_has_its_entry_in_the_troubleshooting_guide() {
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md"))
            .unwrap();
    let lti = passmuster::lti::launch_error::ALL_CODES
        .iter()
        .chain(passmuster::lti::login::ALL_CODES)
        .chain(passmuster::lti::ags::ALL_CODES)
        .chain(passmuster::lti::token_error::ALL_CODES);
    for code in lti {
        assert!(
            guide.contains(&format!("### `{code}`")),
            "{code} has no entry"
        );
    }
    // Codes of the other rooms stand in the source as "room.words".
    for (name, text) in sources() {
        for prefix in [
            "quiz.", "attest.", "form.", "session.", "page.", "api.", "report.", "service.",
        ] {
            for piece in text.split('"').filter(|p| p.starts_with(prefix)) {
                let plain = piece[prefix.len()..]
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_')
                    && !["html", "toml"].iter().any(|e| piece.ends_with(e));
                if plain && piece.len() > prefix.len() {
                    assert!(
                        guide.contains(&format!("### `{piece}`")),
                        "{piece} ({name}) has no entry"
                    );
                }
            }
        }
    }
}
