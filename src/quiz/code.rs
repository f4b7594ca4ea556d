//! Short stable names in content: `a05-sqli-001`, `owasp-top10-2025`.

/// A text that is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to 64 characters: a-z and 0-9 in groups joined by single hyphens")]
pub struct CodeError;

/// Whether `text` is 1 to 64 characters of `[a-z0-9]` groups joined by single hyphens.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text.split('-').all(|group| {
            !group.is_empty()
                && group
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

macro_rules! code_types {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::quiz::code::CodeError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                if $crate::quiz::code::is_code(&text) {
                    Ok(Self(text))
                } else {
                    Err($crate::quiz::code::CodeError)
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::quiz::code::CodeError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text.to_owned())
            }
        }
    )*};
}
pub(crate) use code_types;

#[cfg(test)]
mod tests {
    use super::is_code;

    #[test]
    fn only_plain_names_are_codes() {
        for good in ["a", "a05-sqli-001", "owasp-top10-2025", "0"] {
            assert!(is_code(good), "{good}");
        }
        for bad in ["", "A1", "a--b", "-a", "a-", "a/b", "..", "a b", "é"] {
            assert!(!is_code(bad), "{bad}");
        }
        assert!(!is_code(&"a".repeat(65)));
    }
}
