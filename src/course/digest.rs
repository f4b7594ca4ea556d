//! Fingerprints of content, made so that an auditor can repeat them with two standard tools.
//!
//! A fingerprint is the SHA-256 of the text that `sha256sum` prints for the files in byte order of their names. Inside a
//! course folder, for a module: `(cd 05-injection && sha256sum module.md quiz.toml | sha256sum)`; for the course:
//! `sha256sum 05-injection/module.md 05-injection/quiz.toml course.toml | sha256sum`.

use crate::crypto::sha256_hex;

/// The fingerprint of files given by relative name (with `/`) and bytes, in any order.
#[must_use]
pub fn of_files<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable_by_key(|(name, _)| *name);
    let mut listing = String::new();
    for (name, bytes) in files {
        listing.push_str(&sha256_hex(bytes));
        listing.push_str("  ");
        listing.push_str(name);
        listing.push('\n');
    }
    sha256_hex(listing.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let base = of_files([("a", &b"1"[..]), ("b", b"2")]);
        assert_eq!(base, of_files([("b", &b"2"[..]), ("a", b"1")]));
        for other in [
            of_files([("a", &b"1"[..]), ("b", b"3")]),
            of_files([("a", &b"1"[..]), ("c", b"2")]),
            of_files([("a", &b"12"[..])]),
        ] {
            assert_ne!(base, other);
        }
    }

    /// `printf 1 >a; printf 2 >b; sha256sum a b | sha256sum`
    #[test]
    fn sha256sum_gives_the_same() {
        assert_eq!(
            of_files([("a", &b"1"[..]), ("b", b"2")]),
            "68c2919f4305e50800082ab7f11eb17d96c7832f59154e97b1d373a5179a63ea"
        );
    }
}
