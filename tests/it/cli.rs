//! The command line as an operator uses it, on both databases.

use std::process::{Command, Output};

use crate::common::db::{TestDb, both};

struct Shell {
    db: TestDb,
    folder: tempfile::TempDir,
}

impl Shell {
    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_passmuster"))
            .current_dir(self.folder.path())
            .env_clear()
            .env("PASSMUSTER_DATABASE_URL", &self.db.url)
            .env(
                "PASSMUSTER_SECRET_KEY",
                "a secret key for tests, long enough for anyone",
            )
            .env("PASSMUSTER_PUBLIC_URL", "https://train.example")
            .args(words)
            .output()
            .unwrap()
    }

    fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, words: &[&str], code: i32, why: &str) {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(why), "{words:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn an_operator_sets_up_a_company_by_commands() {
    for db in both().await {
        let sh = Shell {
            db,
            folder: tempfile::tempdir().unwrap(),
        };
        sh.done(&["migrate"]);
        sh.done(&["migrate"]);
        assert_eq!(
            sh.done(&[
                "tenant",
                "create",
                "acme",
                "--name",
                "Acme",
                "--time-zone",
                "Europe/Berlin"
            ])
            .trim()
            .len(),
            26
        );
        sh.refused(
            &["tenant", "create", "acme", "--name", "Again"],
            1,
            "there is a tenant acme already",
        );
        sh.refused(
            &["tenant", "create", "Ac Me", "--name", "x"],
            1,
            "short name",
        );
        sh.refused(
            &[
                "tenant",
                "create",
                "b",
                "--name",
                "x",
                "--time-zone",
                "Mars/North",
            ],
            1,
            "no IANA time zone",
        );
        sh.refused(&["tenant", "create"], 2, "Usage");

        let lms = "https://lms.example";
        let add = [
            "platform",
            "add",
            "--tenant",
            "acme",
            "--issuer",
            lms,
            "--client-id",
            "c1",
            "--auth-url",
            "https://lms.example/auth",
            "--token-url",
            "https://lms.example/token",
            "--jwks-url",
            "https://lms.example/jwks",
            "--deployment-id",
            "7",
        ];
        let id = sh.done(&add);
        sh.refused(&add, 1, "already");
        let mut plain = add;
        (plain[7], plain[13]) = ("c2", "http://lms.example/jwks");
        plain[11] = "http://lms.example/token";
        sh.refused(&plain, 1, "must be https");
        sh.done(&[
            "platform",
            "deployment",
            "--tenant",
            "acme",
            "--platform",
            id.trim(),
            "--deployment-id",
            "8",
        ]);
        let listed = sh.done(&["platform", "list", "--tenant", "acme"]);
        assert!(
            listed.contains("closed\t7,8") && listed.contains(lms),
            "{listed}"
        );

        let keys = |sh: &Shell| {
            sh.done(&["key", "list"])
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&sh).len(), 2);
        let fresh = sh.done(&["key", "rotate", "--purpose", "evidence"]);
        let all = keys(&sh);
        assert_eq!(all.len(), 3);
        assert!(
            all.iter()
                .any(|k| k.starts_with(fresh.trim()) && k.contains("evidence"))
        );
        assert!(all.iter().filter(|k| k.contains("\tlti\t")).count() == 1);

        let token = sh.done(&[
            "token",
            "create",
            "--tenant",
            "acme",
            "--scope",
            "reports:read",
        ]);
        assert!(token.starts_with("pm_") && token.trim().len() > 40);
        sh.refused(
            &["token", "create", "--tenant", "acme", "--scope", "all"],
            1,
            "no scope all",
        );
        sh.refused(
            &[
                "token",
                "create",
                "--tenant",
                "nobody",
                "--scope",
                "reports:read",
            ],
            1,
            "no tenant nobody",
        );

        let empty = sh.done(&["report", "completions", "--tenant", "acme"]);
        assert_eq!(
            empty.matches("\r\n").count(),
            1,
            "an empty report is its header"
        );
        sh.refused(
            &[
                "report",
                "completions",
                "--tenant",
                "acme",
                "--from",
                "soon",
            ],
            1,
            "no moment or date",
        );
        assert!(
            sh.done(&["ledger", "check", "--tenant", "acme"])
                .starts_with("ok: 0 entries")
        );
    }
}

#[tokio::test]
async fn a_wrong_or_missing_secret_key_is_told_and_nothing_is_made() {
    for db in both().await {
        let sh = Shell {
            db,
            folder: tempfile::tempdir().unwrap(),
        };
        sh.done(&["key", "list"]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_passmuster"));
        command
            .current_dir(sh.folder.path())
            .env_clear()
            .env("PASSMUSTER_DATABASE_URL", &sh.db.url)
            .args(["key", "list"]);
        let said = |c: &mut Command| String::from_utf8(c.output().unwrap().stderr).unwrap();
        assert!(said(&mut command).contains("no secret key"));
        command.env("PASSMUSTER_SECRET_KEY", "short");
        assert!(said(&mut command).contains("fewer than 32"));
        command.env(
            "PASSMUSTER_SECRET_KEY",
            "another secret key that is long enough as well",
        );
        assert!(said(&mut command).contains("do not open with this secret key"));
        command.env("PASSMUSTER_LISTENN", "x");
        assert!(
            said(&mut command).contains("listenn"),
            "a misspelt setting is told"
        );
    }
}
