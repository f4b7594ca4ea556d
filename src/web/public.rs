//! Reading without an account: what is taught is no secret. An operator can turn it off.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::error::{Error, Result};
use super::learn::{neighbours, toc};
use super::pages::{
    Crumb, Html, LessonPage, Link, PublicCourse, PublicCoursePage, PublicIndexPage, PublicModule,
};
use super::view::{self, public_shell, show_public};
use crate::app::App;
use crate::course::{Course, Module, markdown};
use crate::training::progress::released;

fn open(app: &App) -> Result<()> {
    if app.public_reading {
        Ok(())
    } else {
        Err(Error::NoPage)
    }
}

fn course_href(course: &Course) -> String {
    format!("/courses/{}", course.code)
}

fn module_href(course: &Course, module: &Module) -> String {
    format!("/courses/{}/{}", course.code, module.code)
}

pub(super) async fn index(State(app): State<Arc<App>>) -> Result<Response> {
    open(&app)?;
    let course = |c: &Course| PublicCourse {
        title: c.title.clone(),
        summary: Html(markdown::render_inline(&c.summary)),
        edition: c.edition.clone(),
        modules: released(c).count(),
        minutes: released(c).map(|m| m.minutes).sum(),
        href: course_href(c),
    };
    let page = PublicIndexPage {
        shell: public_shell("Courses".to_owned()),
        courses: app.catalogue.courses().iter().map(course).collect(),
    };
    show_public(&page)
}

pub(super) async fn course(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
) -> Result<Response> {
    open(&app)?;
    let course = app.catalogue.find_course(&code).ok_or(Error::NoPage)?;
    let module = |m: &Module| PublicModule {
        number: view::number(course, m),
        title: m.title.clone(),
        summary: m.summary.clone(),
        minutes: m.minutes,
        href: module_href(course, m),
    };
    let page = PublicCoursePage {
        shell: public_shell(course.title.clone()),
        title: course.title.clone(),
        summary: Html(markdown::render_inline(&course.summary)),
        edition: course.edition.clone(),
        version: course.version.to_string(),
        modules: released(course).map(module).collect(),
    };
    show_public(&page)
}

pub(super) async fn module(
    State(app): State<Arc<App>>,
    Path((code, module)): Path<(String, String)>,
) -> Result<Response> {
    open(&app)?;
    let course = app.catalogue.find_course(&code).ok_or(Error::NoPage)?;
    let module = released(course)
        .find(|m| m.code.as_str() == module)
        .ok_or(Error::NoPage)?;
    let lesson = &module.rendered().lesson;
    let (previous, next) = neighbours(course, module, |m| module_href(course, m));
    let page = LessonPage {
        shell: public_shell(format!("{} · {}", module.title, course.title)),
        crumb: Crumb {
            course: Link {
                href: course_href(course),
                label: course.title.clone(),
            },
            module: None,
        },
        module_number: view::number(course, module),
        title: module.title.clone(),
        summary: module.summary.clone(),
        minutes: module.minutes,
        version: module.version.to_string(),
        toc: toc(lesson),
        body: Html(lesson.html.clone()),
        sources: view::source_links(&module.sources),
        cwes: view::cwe_links(module),
        quiz: None,
        previous,
        next,
    };
    show_public(&page)
}
