//! Lesson and question Markdown to HTML that is safe by construction.
//!
//! Raw HTML is shown as text, images become their alternative text, a link keeps its address only when that is http(s),
//! mailto, a heading of the page or a plain relative path. No style attributes come out.

use std::collections::HashMap;

use pulldown_cmark::{
    Alignment, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html,
};

use super::highlight::Highlighter;

/// Words a careful reader takes in per minute.
const WORDS_PER_MINUTE: usize = 180;
/// Seconds a careful reader spends on a line of code.
const SECONDS_PER_CODE_LINE: usize = 4;

/// A lesson as HTML.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The body, headings from `h2` down; the page prints the title.
    pub html: String,
    /// The headings, in order.
    pub contents: Vec<Heading>,
    /// Words outside code blocks.
    pub words: usize,
    /// Lines of code in blocks.
    pub code_lines: usize,
    /// Reading time, rounded up: 180 words a minute, four seconds a line of code.
    pub minutes: usize,
    /// What was left out or changed, for the author.
    pub notices: Vec<Notice>,
}

/// An entry of the table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 2 to 6.
    pub level: u8,
    /// The anchor: `h-` and the text, so that it never meets an id of the page around it.
    pub id: String,
    /// The text without markup.
    pub text: String,
}

/// Something in a lesson that its author should know was not rendered as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// `# Title` stands in the body; rendered as a second-level heading.
    #[error("first-level heading {0:?}: the page prints the title")]
    TopHeading(String),
    /// HTML, shown as text.
    #[error("raw HTML is shown as text: {0:?}")]
    RawHtml(String),
    /// An image, replaced by its alternative text.
    #[error("image {0:?} is replaced by its alternative text")]
    Image(String),
    /// A link whose address is dropped.
    #[error("link to {0:?} is dropped")]
    Link(String),
    /// A link to a heading that is not there.
    #[error("no heading has the anchor {0:?}")]
    Anchor(String),
    /// A code block in a language without a grammar.
    #[error("no grammar for code in {0:?}")]
    Language(String),
}

/// Text made safe for element content and quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// Renders a lesson.
#[must_use]
pub fn render_lesson(markdown: &str, highlighter: &Highlighter) -> Lesson {
    let mut writer = Writer::new(Some(highlighter), Shape::Lesson);
    let html = writer.render(markdown);
    let seconds = writer.words * 60 / WORDS_PER_MINUTE + writer.code_lines * SECONDS_PER_CODE_LINE;
    for anchor in &writer.anchors {
        if !writer.contents.iter().any(|h| h.id == *anchor) {
            writer.notices.push(Notice::Anchor(anchor.clone()));
        }
    }
    Lesson {
        html,
        contents: writer.contents,
        words: writer.words,
        code_lines: writer.code_lines,
        minutes: seconds.div_ceil(60).max(1),
        notices: writer.notices,
    }
}

/// Renders a question's prompt: paragraphs, lists, tables, code. Headings become paragraphs.
#[must_use]
pub fn render_block(markdown: &str, highlighter: &Highlighter) -> String {
    Writer::new(Some(highlighter), Shape::Block).render(markdown)
}

/// Renders an option or a rationale as inline HTML, fit for a `<label>`: no block elements, whatever it begins with.
#[must_use]
pub fn render_inline(markdown: &str) -> String {
    let one_line = markdown.split_whitespace().collect::<Vec<_>>().join(" ");
    // A text such as "- 1" or "# root" would open a list or heading; a letter in front keeps it a paragraph.
    let opens_block = one_line.starts_with(['#', '>', '-', '+', '=', '|', '~', ':', '[', '<'])
        || one_line.starts_with(|c: char| c.is_ascii_digit())
        || one_line.starts_with("* ")
        || one_line.starts_with("***");
    let mut writer = Writer::new(None, Shape::Inline);
    if !opens_block {
        return writer.render(&one_line);
    }
    let html = writer.render(&format!("\u{2060}{one_line}"));
    html.replacen('\u{2060}', "", 1)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lesson,
    Block,
    Inline,
}

/// Turns parser events into events that are safe to print, and counts on the way.
struct Writer<'h> {
    highlighter: Option<&'h Highlighter>,
    shape: Shape,
    contents: Vec<Heading>,
    taken: HashMap<String, usize>,
    anchors: Vec<String>,
    notices: Vec<Notice>,
    words: usize,
    code_lines: usize,
    code_blocks: usize,
    tables: usize,
}

impl<'h> Writer<'h> {
    fn new(highlighter: Option<&'h Highlighter>, shape: Shape) -> Self {
        Self {
            highlighter,
            shape,
            contents: Vec::new(),
            taken: HashMap::new(),
            anchors: Vec::new(),
            notices: Vec::new(),
            words: 0,
            code_lines: 0,
            code_blocks: 0,
            tables: 0,
        }
    }

    fn render(&mut self, markdown: &str) -> String {
        let parser = Parser::new_ext(
            markdown,
            Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
        );
        let mut out = Vec::new();
        let mut links: Vec<bool> = Vec::new();
        // Where the open heading began in `out`, and its text so far.
        let mut heading: Option<(usize, String)> = None;
        // The open code block: language and text.
        let mut code: Option<(String, String)> = None;
        for event in parser {
            if let (Some((_, text)), Event::Text(t)) = (&mut code, &event) {
                text.push_str(t);
                continue;
            }
            if let Event::Text(t) | Event::Code(t) = &event {
                self.words += t
                    .split_whitespace()
                    .filter(|w| w.contains(char::is_alphanumeric))
                    .count();
                if let Some((_, text)) = &mut heading {
                    text.push_str(t);
                }
            }
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let lang = match &kind {
                        CodeBlockKind::Fenced(info) => info.split([' ', ',']).next().unwrap_or(""),
                        CodeBlockKind::Indented => "",
                    };
                    code = Some((lang.to_owned(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((lang, text)) = code.take() {
                        out.push(Event::Html(self.code_block(&text, &lang).into()));
                    }
                }
                Event::Start(Tag::Heading { .. }) if self.shape == Shape::Lesson => {
                    heading = Some((out.len(), String::new()));
                }
                Event::End(TagEnd::Heading(level)) if self.shape == Shape::Lesson => {
                    if let Some((start, text)) = heading.take() {
                        let tag = self.heading(level, text);
                        out.insert(start, Event::Html(tag.0.into()));
                        out.push(Event::Html(tag.1.into()));
                    }
                }
                Event::Start(Tag::Link { dest_url, .. }) => {
                    let open = self.link(&dest_url);
                    links.push(open.is_some());
                    out.extend(open.map(|a| Event::InlineHtml(a.into())));
                }
                Event::End(TagEnd::Link) => {
                    if links.pop() == Some(true) {
                        out.push(Event::InlineHtml("</a>".into()));
                    }
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    self.notices.push(Notice::Image(dest_url.into_string()));
                }
                Event::End(TagEnd::Image) => {}
                Event::Html(raw) | Event::InlineHtml(raw) => {
                    self.notices.push(Notice::RawHtml(raw.trim().to_owned()));
                    out.push(Event::Text(raw));
                }
                other => self.plain(other, &mut out),
            }
        }
        let mut html = String::with_capacity(markdown.len() * 3 / 2);
        html::push_html(&mut html, out.into_iter());
        html
    }

    /// Events that need no state: block elements fall away in inline text, tables get a frame that scrolls.
    fn plain<'e>(&mut self, event: Event<'e>, out: &mut Vec<Event<'e>>) {
        match event {
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {
                out.push(event);
            }
            Event::Start(_) | Event::End(_) | Event::Rule if self.shape == Shape::Inline => {}
            Event::SoftBreak | Event::HardBreak if self.shape == Shape::Inline => {
                out.push(Event::Text(CowStr::Borrowed(" ")));
            }
            Event::Start(Tag::Heading { .. } | Tag::HtmlBlock) => {
                out.push(Event::Start(Tag::Paragraph));
            }
            Event::End(TagEnd::Heading(_) | TagEnd::HtmlBlock) => {
                out.push(Event::End(TagEnd::Paragraph));
            }
            Event::Start(Tag::Table(columns)) => {
                self.tables += 1;
                out.push(Event::Html(
                    format!(
                        "<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table {}\">",
                        self.tables
                    )
                    .into(),
                ));
                // Alignment would be printed as a style attribute.
                out.push(Event::Start(Tag::Table(vec![
                    Alignment::None;
                    columns.len()
                ])));
            }
            Event::End(TagEnd::Table) => {
                out.push(event);
                out.push(Event::Html("</div>\n".into()));
            }
            other => out.push(other),
        }
    }

    fn code_block(&mut self, text: &str, lang: &str) -> String {
        self.code_blocks += 1;
        self.code_lines += text.lines().count();
        let Some(highlighter) = self.highlighter else {
            return format!("<code>{}</code>", escape(text.trim()));
        };
        if !highlighter.knows(lang) {
            self.notices.push(Notice::Language(lang.to_owned()));
        }
        highlighter.figure(text, lang, &format!("Code example {}", self.code_blocks))
    }

    /// The opening and closing tag of a heading, which enters the table of contents.
    fn heading(&mut self, level: HeadingLevel, text: String) -> (String, String) {
        if level == HeadingLevel::H1 {
            self.notices.push(Notice::TopHeading(text.clone()));
        }
        let level = (level as u8).max(2);
        let slug = anchor(&text);
        let times = self.taken.entry(slug.clone()).or_default();
        *times += 1;
        let id = if *times == 1 {
            slug
        } else {
            format!("{slug}-{times}")
        };
        let tags = (format!("<h{level} id=\"{id}\">"), format!("</h{level}>\n"));
        self.contents.push(Heading { level, id, text });
        tags
    }

    /// The opening tag of a link, when its address is one we print.
    fn link(&mut self, address: &str) -> Option<String> {
        if let Some(fragment) = address.strip_prefix('#') {
            let id = anchor(fragment);
            let tag = format!("<a href=\"#{id}\">");
            self.anchors.push(id);
            return Some(tag);
        }
        match url::Url::parse(address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Some(format!(
                "<a href=\"{}\" rel=\"noopener noreferrer\" target=\"_blank\">",
                escape(url.as_str())
            )),
            Ok(url) if url.scheme() == "mailto" => {
                Some(format!("<a href=\"{}\">", escape(url.as_str())))
            }
            Err(url::ParseError::RelativeUrlWithoutBase) if is_plain_path(address) => {
                Some(format!("<a href=\"{address}\">"))
            }
            _ => {
                self.notices.push(Notice::Link(address.to_owned()));
                None
            }
        }
    }
}

/// The anchor of a heading: `h-` and its letters and digits, joined by hyphens.
fn anchor(text: &str) -> String {
    let text = text.strip_prefix("h-").unwrap_or(text).to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|w| !w.is_empty()).collect();
    format!("h-{}", words.join("-"))
}

/// `../06-insecure-design`, `/courses/x#h-y`; no other host, no scheme, nothing to escape.
fn is_plain_path(address: &str) -> bool {
    !address.is_empty()
        && !address.contains("//")
        && address
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._~/#-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(markdown: &str) -> Lesson {
        render_lesson(markdown, &Highlighter::load())
    }

    #[test]
    fn nothing_hostile_gets_through() {
        let hostile = "<script>alert(1)</script>\n\nHi <img src=x onerror=alert(1)> \
            [a](javascript:alert(1)) [b](data:text/html,x) [c](java\tscript:x) [d](//evil.example/) \
            [e](JaVaScRiPt:x) [f](vbscript:x) ![pic](http://x.example/p.png) [g](<java&#x0A;script:x>)\n\n\
            | a | b |\n|:-:|--:|\n| <b>x</b> | y |\n\n```\"onx=1\n<x>\n```\n";
        let Lesson { html, notices, .. } = lesson(hostile);
        for bad in ["<script", "<img", "<b>", "href", "style", "\"onx", "<x>"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("&lt;script&gt;") && html.contains("pic"));
        assert!(notices.contains(&Notice::Link("javascript:alert(1)".to_owned())));
        assert!(notices.iter().any(|n| matches!(n, Notice::RawHtml(_))));
    }

    #[test]
    fn links_out_open_elsewhere_and_links_within_stay() {
        let html = lesson(
            "[o](https://owasp.org/Top10/?a=1&b=\"2) [s](#what-to-do) <m@x.example> [r](../06-x)\n\n## What to do?\n",
        )
        .html;
        assert!(html.contains(
            "<a href=\"https://owasp.org/Top10/?a=1&amp;b=%222\" rel=\"noopener noreferrer\" target=\"_blank\">o</a>"
        ), "{html}");
        assert!(html.contains("<a href=\"#h-what-to-do\">s</a>"));
        assert!(html.contains("<a href=\"../06-x\">r</a>"));
        assert!(html.contains("<h2 id=\"h-what-to-do\">What to do?</h2>"));
    }

    #[test]
    fn headings_make_a_table_of_contents_with_unique_anchors() {
        let Lesson {
            contents,
            html,
            notices,
            ..
        } = lesson("# T\n\n## A `b` *c*\n\n### D\n\n## D\n\n[x](#nowhere)\n");
        let short: Vec<_> = contents
            .iter()
            .map(|h| (h.level, h.id.as_str(), h.text.as_str()))
            .collect();
        assert_eq!(
            short,
            [
                (2, "h-t", "T"),
                (2, "h-a-b-c", "A b c"),
                (3, "h-d", "D"),
                (2, "h-d-2", "D")
            ]
        );
        assert!(html.contains("<h2 id=\"h-a-b-c\">A <code>b</code> <em>c</em></h2>"));
        assert_eq!(
            notices,
            [
                Notice::TopHeading("T".to_owned()),
                Notice::Anchor("h-nowhere".to_owned())
            ]
        );
    }

    #[test]
    fn code_blocks_are_named_focusable_and_counted_apart() {
        let Lesson {
            html,
            words,
            code_lines,
            minutes,
            ..
        } = lesson("One two three.\n\n```python\nx = 1\ny = 2\n```\n\n- four `five`\n");
        assert!(html.contains("<figcaption>Python</figcaption><pre tabindex=\"0\" role=\"group\" aria-label=\"Code example 1, Python\"><code>"));
        assert_eq!((words, code_lines, minutes), (5, 2, 1));
    }

    #[test]
    fn options_stay_inline_whatever_they_begin_with() {
        for (markdown, html) in [
            (
                "Use `a < b` **now**",
                "Use <code>a &lt; b</code> <strong>now</strong>",
            ),
            ("# root", "# root"),
            ("- 1", "- 1"),
            ("1. first", "1. first"),
            ("> quoted", "&gt; quoted"),
            ("* star", "* star"),
            ("    indented\ntext", "indented text"),
            ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
            ("```", "<code></code>"),
            ("[a]: b", "[a]: b"),
            ("`x`", "<code>x</code>"),
        ] {
            assert_eq!(render_inline(markdown), html, "{markdown}");
        }
    }

    #[test]
    fn prompts_have_blocks_without_headings() {
        let html = render_block("# Big\n\nText\n\n- a", &Highlighter::load());
        assert_eq!(html, "<p>Big</p>\n<p>Text</p>\n<ul>\n<li>a</li>\n</ul>\n");
    }
}
