//! Highlights code on the server: spans with classes and no style attributes, so that a strict content security policy holds.

use syntect::html::{ClassStyle, ClassedHTMLGenerator};
use syntect::parsing::{SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

use super::markdown::escape;

/// Every class in highlighted code begins so: `hl-string`, `hl-comment`, ...
pub const CLASS_PREFIX: &str = "hl-";

/// The grammars. Large, and slow to load in a debug build: load once, render, drop.
#[derive(Debug)]
pub struct Highlighter {
    grammars: SyntaxSet,
}

impl Highlighter {
    /// Loads the built-in grammars.
    #[must_use]
    pub fn load() -> Self {
        Self {
            grammars: SyntaxSet::load_defaults_newlines(),
        }
    }

    /// Whether there is a grammar for that language tag, or it is plain by intent.
    #[must_use]
    pub fn knows(&self, lang: &str) -> bool {
        is_plain(lang) || self.grammar("", lang).is_some()
    }

    /// The code as HTML to stand inside `<code>`; an unknown language, or code its grammar chokes on, is escaped only.
    #[must_use]
    pub fn highlight(&self, code: &str, lang: &str) -> String {
        let spans = self.grammar(code, lang).and_then(|grammar| {
            let style = ClassStyle::SpacedPrefixed {
                prefix: CLASS_PREFIX,
            };
            let mut spans =
                ClassedHTMLGenerator::new_with_class_style(grammar, &self.grammars, style);
            for line in LinesWithEndings::from(code) {
                spans
                    .parse_html_for_line_which_includes_newline(line)
                    .ok()?;
            }
            Some(spans.finalize())
        });
        spans.unwrap_or_else(|| escape(code))
    }

    /// The code as a figure with its language as caption. The `<pre>` takes the keyboard focus, since long lines scroll.
    #[must_use]
    pub fn figure(&self, code: &str, lang: &str, name: &str) -> String {
        let code = format!("{}\n", code.trim_matches(['\r', '\n']));
        let label = label(lang);
        format!(
            "<figure class=\"code\"><figcaption>{label}</figcaption>\
             <pre tabindex=\"0\" role=\"group\" aria-label=\"{}, {label}\"><code>{}</code></pre></figure>\n",
            escape(name),
            self.highlight(&code, lang),
        )
    }

    fn grammar(&self, code: &str, lang: &str) -> Option<&SyntaxReference> {
        if is_plain(lang) {
            return None;
        }
        // PHP's grammar reads HTML until `<?`; a snippet without that mark is plain PHP.
        if lang == "php" && !code.contains("<?") {
            return self.grammars.find_syntax_by_name("PHP Source");
        }
        let token = if lang == "csharp" { "cs" } else { lang };
        self.grammars.find_syntax_by_token(token)
    }
}

fn is_plain(lang: &str) -> bool {
    matches!(lang, "" | "text" | "http" | "console")
}

/// A language tag as people read it.
fn label(lang: &str) -> String {
    let known = match lang {
        "bash" | "sh" => "Shell",
        "c" => "C",
        "console" => "Terminal",
        "cpp" => "C++",
        "csharp" | "cs" => "C#",
        "css" => "CSS",
        "go" => "Go",
        "html" => "HTML",
        "http" => "HTTP",
        "java" => "Java",
        "javascript" | "js" => "JavaScript",
        "json" => "JSON",
        "php" => "PHP",
        "python" | "py" => "Python",
        "ruby" | "rb" => "Ruby",
        "rust" | "rs" => "Rust",
        "sql" => "SQL",
        "toml" => "TOML",
        "" | "text" => "Text",
        "xml" => "XML",
        "yaml" | "yml" => "YAML",
        _ => return escape(lang),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_gets_classes_and_never_styles() {
        let h = Highlighter::load();
        let html = h.highlight("def f(x):\n    return \"<b>\"  # why\n", "python");
        assert!(html.contains("hl-string") && html.contains("hl-comment"));
        assert!(html.contains("&lt;b&gt;") && !html.contains("style="));
        let classes = html.split("class=\"").skip(1);
        for class in classes.flat_map(|c| c.split('"').next().unwrap().split(' ')) {
            assert!(class.starts_with(CLASS_PREFIX), "{class}");
        }
        let (opened, closed) = (
            html.matches("<span").count(),
            html.matches("</span>").count(),
        );
        assert_eq!(opened, closed);
    }

    #[test]
    fn unknown_languages_are_plain_and_escaped() {
        let h = Highlighter::load();
        assert!(!h.knows("klingon") && h.knows("text"));
        assert_eq!(
            h.highlight("a < b & \"c\"", "klingon"),
            "a &lt; b &amp; &quot;c&quot;"
        );
        assert!(
            h.figure("x", "\"><script>", "n")
                .contains("&quot;&gt;&lt;script&gt;")
        );
    }

    #[test]
    fn every_language_of_the_content_has_a_grammar() {
        let h = Highlighter::load();
        for lang in [
            "python",
            "javascript",
            "java",
            "go",
            "rust",
            "sql",
            "html",
            "bash",
            "json",
            "yaml",
            "php",
            "ruby",
            "csharp",
            "c",
        ] {
            assert!(h.knows(lang), "{lang}");
            assert_ne!(label(lang), lang);
        }
        let php = h.highlight("$x = \"a\"; // b\n", "php");
        assert!(php.contains("hl-comment"), "{php}");
    }
}
