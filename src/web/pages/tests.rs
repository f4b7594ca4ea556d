//! What holds for every page, with people whose names are meant to break it.

use super::samples;

const SCRIPT: &str = "<script>alert('1')</script>\" onfocus=\"alert(2)";
const ARABIC: &str = "\u{202e}\u{646}\u{648}\u{631} \u{627}\u{644}\u{647}\u{62f}\u{649}";

fn all_pages() -> Vec<(&'static str, String)> {
    let long = "Wolfeschlegelsteinhausenbergerdorff".repeat(9);
    [SCRIPT, ARABIC, &long, "Ana Ruiz"]
        .iter()
        .flat_map(|name| samples::pages(name))
        .collect()
}

/// The tags of a page, without their brackets.
fn tags(html: &str) -> Vec<&str> {
    html.split('<')
        .skip(1)
        .map(|rest| {
            let mut quoted = false;
            let end = rest.find(|c| {
                quoted ^= c == '"';
                c == '>' && !quoted
            });
            &rest[..end.expect("every tag is closed")]
        })
        .collect()
}

/// The value of an attribute; `Some("")` for one without a value.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    names_and_values(tag)
        .into_iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

fn names_and_values(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag
        .split_once(char::is_whitespace)
        .map_or("", |(_, rest)| rest);
    loop {
        rest = rest.trim_start();
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        if end == 0 {
            return found;
        }
        let name = &rest[..end];
        rest = &rest[end..];
        let value = if let Some(quoted) = rest.strip_prefix("=\"") {
            let (value, after) = quoted.split_once('"').expect("the quote is closed");
            rest = after;
            value
        } else {
            assert!(!rest.starts_with('='), "an unquoted value in <{tag}>");
            ""
        };
        found.push((name, value));
    }
}

#[test]
fn names_are_escaped_everywhere() {
    for (page, html) in samples::pages(SCRIPT) {
        assert!(!html.contains("<script>"), "{page}");
        assert!(!html.contains("\" onfocus"), "{page}");
    }
    let (_, course) = &samples::pages(SCRIPT)[0];
    assert!(course.contains("&#60;script&#62;alert(&#39;1&#39;)"));
}

#[test]
fn content_html_is_not_escaped_and_plain_text_is() {
    let pages = samples::pages("Ana Ruiz");
    let page = |name| &pages.iter().find(|(found, _)| *found == name).unwrap().1;
    assert!(page("question").contains("Add <code>AND owner_id = %s</code>"));
    assert!(page("overview").contains("customer&#39;s &#60;invoice&#62;"));
}

#[test]
fn nothing_inline_and_nothing_from_elsewhere() {
    for (page, html) in all_pages() {
        let mut scripts = 0;
        for tag in tags(&html) {
            for (name, _) in names_and_values(tag) {
                assert!(name != "style" && !name.starts_with("on"), "{page}: {tag}");
            }
            assert!(!tag.starts_with("style"), "{page}");
            assert!(!tag.starts_with("base"), "{page}");
            if tag.starts_with("script") {
                scripts += 1;
                assert_eq!(attribute(tag, "src"), Some("/static/app.js"));
            }
            if tag.starts_with("link") || tag.starts_with("img") {
                let address = attribute(tag, "href").or(attribute(tag, "src")).unwrap();
                assert!(address.starts_with("/static/"), "{page}: {address}");
            }
        }
        assert_eq!(scripts, 1, "{page}");
        assert!(html.contains("defer></script>"), "{page}");
    }
}

#[test]
fn every_page_has_one_main_heading_and_skips_no_level() {
    for (page, html) in all_pages() {
        let levels: Vec<u32> = tags(&html)
            .iter()
            .filter_map(|tag| tag.strip_prefix('h'))
            .filter_map(|rest| rest.chars().next()?.to_digit(10))
            .collect();
        assert_eq!(
            levels.iter().filter(|level| **level == 1).count(),
            1,
            "{page}"
        );
        assert_eq!(levels.first(), Some(&1), "{page}");
        assert!(
            levels.windows(2).all(|two| two[1] <= two[0] + 1),
            "{page}: {levels:?}"
        );
    }
}

#[test]
fn every_page_has_language_landmark_and_skip_link() {
    for (page, html) in all_pages() {
        assert!(
            html.starts_with("<!doctype html>\n<html lang=\"en\">"),
            "{page}"
        );
        assert!(html.contains("<main id=\"main\""), "{page}");
        assert!(html.contains("href=\"#main\""), "{page}");
        assert!(html.contains(" · Passmuster</title>"), "{page}");
    }
}

#[test]
fn ids_are_unique_and_everything_that_points_at_one_finds_it() {
    for (page, html) in all_pages() {
        let tags = tags(&html);
        let mut ids: Vec<_> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
        ids.sort_unstable();
        assert!(
            ids.windows(2).all(|two| two[0] != two[1]),
            "{page}: {ids:?}"
        );
        for tag in &tags {
            for name in ["for", "aria-labelledby", "aria-describedby", "data-copy"] {
                for id in attribute(tag, name).unwrap_or("").split_whitespace() {
                    assert!(ids.binary_search(&id).is_ok(), "{page}: {name} {id}");
                }
            }
        }
    }
}

#[test]
fn every_field_has_a_label_and_every_form_a_token() {
    for (page, html) in all_pages() {
        if page.starts_with("new-window") {
            continue; // carries its own ticket
        }
        let mut label_open = false;
        let labels_for: Vec<_> = tags(&html)
            .iter()
            .filter(|tag| tag.starts_with("label"))
            .filter_map(|tag| attribute(tag, "for").map(ToOwned::to_owned))
            .collect();
        for tag in tags(&html) {
            match tag.split_whitespace().next().unwrap() {
                "label" => label_open = true,
                "/label" => label_open = false,
                "input" if attribute(tag, "type") != Some("hidden") => {
                    let named =
                        attribute(tag, "id").is_some_and(|id| labels_for.iter().any(|l| l == id));
                    assert!(label_open || named, "{page}: {tag}");
                }
                _ => {}
            }
        }
        let forms = html.matches("<form").count();
        assert_eq!(html.matches("name=\"csrf\"").count(), forms, "{page}");
        assert_eq!(html.matches("method=\"post\"").count(), forms, "{page}");
    }
}

#[test]
fn learners_see_in_whose_name_they_learn_and_the_public_sees_nobody() {
    for (page, html) in samples::pages("Ana Ruiz") {
        let public = samples::public().iter().any(|(name, _)| *name == page);
        let named = html.contains("Learning as <strong><bdi>Ana Ruiz</bdi></strong>");
        assert_eq!(named, !public && !page.starts_with("new-window"), "{page}");
        assert_eq!(
            named,
            html.contains("(not you? Open it again from your own LMS account)")
        );
    }
}

#[test]
fn the_box_of_the_attestation_starts_unticked() {
    let pages = samples::pages("Ana Ruiz");
    let attest = &pages.iter().find(|(name, _)| *name == "attest").unwrap().1;
    let boxes: Vec<_> = tags(attest)
        .into_iter()
        .filter(|tag| attribute(tag, "type") == Some("checkbox"))
        .collect();
    assert_eq!(boxes.len(), 1);
    assert_eq!(attribute(boxes[0], "checked"), None);
}

#[test]
fn the_enter_key_saves_and_goes_on() {
    let pages = samples::pages("Ana Ruiz");
    let question = &pages
        .iter()
        .find(|(name, _)| *name == "question")
        .unwrap()
        .1;
    let first = tags(question)
        .into_iter()
        .find(|tag| tag.starts_with("button"))
        .unwrap();
    assert_eq!(attribute(first, "value"), Some("next"));
}

#[test]
fn an_unknown_code_reveals_nothing() {
    let pages = samples::public();
    let page = &pages
        .iter()
        .find(|(name, _)| *name == "verify-unknown")
        .unwrap()
        .1;
    assert!(!page.contains("Secure coding") && !page.contains("7XK4"));
}

#[test]
fn templates_never_switch_escaping_off() {
    for entry in std::fs::read_dir("src/web/templates").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("|safe") && !text.contains("| safe"),
            "{path:?}"
        );
    }
}

#[test]
fn the_script_stays_small() {
    assert!(include_str!("../static/app.js").len() < 6_000);
}

#[test]
#[ignore = "writes every page into $PAGES_DIR, to be looked at"]
fn write_every_page() {
    let dir = std::path::PathBuf::from(std::env::var("PAGES_DIR").unwrap());
    for (page, html) in samples::pages("Ana Ruiz, PhD") {
        std::fs::write(dir.join(format!("{page}.html")), html).unwrap();
    }
    for (page, html) in samples::pages(&"Wolfeschlegelsteinhausenbergerdorff".repeat(9)) {
        std::fs::write(dir.join(format!("long-{page}.html")), html).unwrap();
    }
}
