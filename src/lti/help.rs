//! What a person is told about a refusal: by code, so that pages, logs and the troubleshooting guide agree.

/// One refusal, in words for an LMS administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Help {
    /// The stable code, such as `launch.expired`.
    pub code: &'static str,
    /// A short headline.
    pub title: &'static str,
    /// What happened, in plain words.
    pub explanation: &'static str,
    /// What to change, and where.
    pub remedy: &'static str,
}

impl Help {
    pub(crate) const fn new(
        code: &'static str,
        title: &'static str,
        explanation: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            code,
            title,
            explanation,
            remedy,
        }
    }
}

/// The codes of a table, in its order.
pub(crate) const fn codes<const N: usize>(table: &[Help]) -> [&'static str; N] {
    let mut out = [""; N];
    let mut i = 0;
    while i < N {
        out[i] = table[i].code;
        i += 1;
    }
    out
}

/// The entry of `table` for `code`.
pub(crate) fn find(table: &'static [Help], code: &str) -> &'static Help {
    table
        .iter()
        .find(|h| h.code == code)
        .expect("a test checks that every code has its entry")
}

/// Gives an error enum with `code()` its texts from a `HELP` table.
macro_rules! helped {
    ($error:ty, $table:ident) => {
        impl $error {
            /// The whole entry for people.
            #[must_use]
            pub fn help(&self) -> &'static $crate::lti::help::Help {
                $crate::lti::help::find($table, self.code())
            }

            /// A short headline.
            #[must_use]
            pub fn title(&self) -> &'static str {
                self.help().title
            }

            /// What happened, in plain words.
            #[must_use]
            pub fn explanation(&self) -> &'static str {
                self.help().explanation
            }

            /// What to change, and where.
            #[must_use]
            pub fn remedy(&self) -> &'static str {
                self.help().remedy
            }
        }
    };
}
pub(crate) use helped;

/// In tests: each sample's code has its entry, each entry its sample, and every text says something.
#[cfg(test)]
pub(crate) fn check_table(table: &'static [Help], sample_codes: &[&str]) {
    use std::collections::BTreeSet;
    let table_codes: BTreeSet<_> = table.iter().map(|h| h.code).collect();
    assert_eq!(table_codes.len(), table.len(), "a code stands twice");
    assert_eq!(table_codes, sample_codes.iter().copied().collect());
    for h in table {
        assert!(!h.title.is_empty() && !h.title.ends_with('.'), "{}", h.code);
        assert!(
            h.explanation.ends_with('.') && h.remedy.ends_with('.'),
            "{}",
            h.code
        );
    }
}
