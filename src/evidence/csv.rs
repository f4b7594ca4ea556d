//! CSV as auditors and spreadsheets want it: RFC 4180, CRLF, UTF-8 without a byte order mark, NFC, and a guard against
//! cells that a spreadsheet would run (CWE-1236).

use csv::{QuoteStyle, Terminator, WriterBuilder};
use unicode_normalization::UnicodeNormalization;

/// A text that came from people: normalised, and made harmless when it begins (after spaces) with something a
/// spreadsheet takes for a formula.
#[must_use]
pub fn guarded(text: &str) -> String {
    let text: String = text.nfc().collect();
    let risky = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '\0' | '＝' | '＋' | '－' | '＠'
        )
    };
    // A leading tab or carriage return is white space too, so look at both the first and the first visible one.
    let first = text.chars().next().is_some_and(risky);
    // Marks without width hide what follows as well as spaces do.
    let hidden = |c: char| {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
    };
    let visible = text
        .trim_start_matches(hidden)
        .chars()
        .next()
        .is_some_and(risky);
    if first || visible {
        format!("'{text}")
    } else {
        text
    }
}

/// Writes records into a buffer that is taken away page by page.
#[derive(Debug)]
pub struct Writer(csv::Writer<Vec<u8>>);

impl Default for Writer {
    fn default() -> Self {
        let writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(QuoteStyle::Necessary)
            .from_writer(Vec::new());
        Self(writer)
    }
}

impl Writer {
    /// Adds a record.
    ///
    /// # Panics
    ///
    /// When records differ in length: a fault of ours.
    pub fn write<I, T>(&mut self, record: I)
    where
        I: IntoIterator<Item = T>,
        T: AsRef<[u8]>,
    {
        self.0
            .write_record(record)
            .expect("records of one length go into memory");
    }

    /// What has been written so far.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("a buffer in memory flushes")
    }
}

/// One record as its line, with CRLF: what `record_sha256` is computed over.
#[must_use]
pub fn line<I, T>(record: I) -> Vec<u8>
where
    I: IntoIterator<Item = T>,
    T: AsRef<[u8]>,
{
    let mut w = Writer::default();
    w.write(record);
    w.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_that_spreadsheets_would_run_are_guarded() {
        for risky in [
            "=HYPERLINK(\"http://x\")",
            "+1",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =1",
            "＝1",
            "\0x",
            "\u{feff}=1",
            "\u{200b}+1",
        ] {
            assert!(guarded(risky).starts_with('\''), "{risky:?}");
        }
        for fine in ["Ana Ruiz, PhD", "a=b", "", " x"] {
            assert_eq!(guarded(fine), fine);
        }
        assert_eq!(guarded("e\u{301}"), "\u{e9}");
    }

    #[test]
    fn lines_end_with_crlf_and_quote_only_where_needed() {
        assert_eq!(
            line(["a", "b,c", "say \"x\"", "two\nlines", ""]),
            b"a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",\r\n"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_parses_back(rows in prop::collection::vec(prop::collection::vec(".*", 3), 1..5)) {
            let mut w = Writer::default();
            // A report begins with its header; a first cell that begins with U+FEFF would be taken for a mark.
            w.write(["a", "b", "c"]);
            for r in &rows {
                w.write(r);
            }
            let bytes = w.into_bytes();
            let mut reader = ::csv::ReaderBuilder::new().has_headers(true).from_reader(&bytes[..]);
            let back: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(back, rows);
        }
    }
}
