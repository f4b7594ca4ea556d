//! From what is recorded to the words of a page.

use askama::Template;
use axum::http::header;
use axum::response::{Html as HtmlResponse, IntoResponse, Response};

use super::error::Result;
use super::extract::Visitor;
use super::pages::{Crumb, Link, Shell, Who};
use crate::course::{Course, Module, Source};
use crate::storage::Launch;
use crate::training::progress::released;

/// A page as a response.
pub(super) fn show(page: &impl Template) -> Result<Response> {
    Ok(HtmlResponse(page.render()?).into_response())
}

/// A learner's page as a response that the tenant's platforms may frame.
pub(super) fn show_to(visitor: &Visitor, page: &impl Template) -> Result<Response> {
    Ok((visitor.frame(), HtmlResponse(page.render()?)).into_response())
}

/// Content that anyone may read and keep for a while.
pub(super) fn show_public(page: &impl Template) -> Result<Response> {
    let keep = [(header::CACHE_CONTROL, "public, max-age=300")];
    Ok((keep, HtmlResponse(page.render()?)).into_response())
}

/// The frame around a learner's page.
pub(super) fn shell(visitor: &Visitor, launch: &Launch, title: String) -> Shell {
    let name = match visitor.person.full_name.trim() {
        "" => format!("Learner {}", short(visitor.person.id.as_str())),
        name => name.to_owned(),
    };
    Shell {
        title,
        lang: String::new(),
        tenant_name: Some(visitor.tenant.name.clone()),
        who: Some(Who {
            name,
            detail: visitor.person.email.clone(),
        }),
        home_href: Some(course_href(launch)),
        notice: None,
        lms_return_href: launch.return_url.clone(),
    }
}

fn short(id: &str) -> &str {
    &id[id.len().saturating_sub(4)..]
}

/// The frame around a public page.
pub(super) fn public_shell(title: String) -> Shell {
    Shell {
        title,
        home_href: Some("/".to_owned()),
        ..Shell::default()
    }
}

pub(super) fn course_href(launch: &Launch) -> String {
    format!("/learn/{}", launch.id)
}

pub(super) fn module_href(launch: &Launch, module: &Module) -> String {
    format!("/learn/{}/modules/{}", launch.id, module.code)
}

pub(super) fn crumb(launch: &Launch, course: &Course, module: Option<&Module>) -> Crumb {
    Crumb {
        course: Link {
            href: course_href(launch),
            label: course.title.clone(),
        },
        module: module.map(|m| Link {
            href: module_href(launch, m),
            label: m.title.clone(),
        }),
    }
}

/// A module's number: its place in the course as released.
pub(super) fn number(course: &Course, module: &Module) -> String {
    let place = released(course).position(|m| m.code == module.code);
    place.map_or_else(String::new, |i| (i + 1).to_string())
}

/// `90 %`, `83.3 %`: hundredths of a percent, rounded down to one decimal so that no page shows a mark that was missed.
pub(super) fn score(hundredths: i64) -> String {
    let tenths = hundredths.div_euclid(10);
    if tenths % 10 == 0 {
        format!("{} %", tenths / 10)
    } else {
        format!("{}.{} %", tenths / 10, tenths % 10)
    }
}

pub(super) fn source_links(sources: &[Source]) -> Vec<Link> {
    sources
        .iter()
        .map(|s| Link {
            href: s.url.clone(),
            label: s.title.clone(),
        })
        .collect()
}

pub(super) fn cwe_links(module: &Module) -> Vec<Link> {
    let link = |n: &u32| Link {
        href: format!("https://cwe.mitre.org/data/definitions/{n}.html"),
        label: format!("CWE-{n}"),
    };
    module.cwe.iter().map(link).collect()
}
