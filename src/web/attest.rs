//! Signing the statement, and what one gets for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::error::{Error, Result};
use super::extract::{Pairs, Visitor};
use super::pages::{
    AttestErrors, AttestPage, CertificateModule, CertificatePage, Link, Notice, NoticeKind,
    PostForm,
};
use super::view::{self, crumb, score, shell, show_to};
use crate::app::App;
use crate::course::Course;
use crate::evidence::attestation::Refusal;
use crate::evidence::verify::verify_attestation;
use crate::storage::{KeyPurpose, Launch};
use crate::training::attest::{self, AttestError, Signing};
use crate::training::progress::Progress;

const STORED: &str = "With your signature we keep your name, the time, the course and its version, your network (IP) \
     address and your browser's description of itself. They are evidence that it was you, and are shown to auditors \
     only. The sealed record holds address and browser as keyed hashes.";

/// What was entered, when the page is shown again.
#[derive(Default)]
struct Entered {
    typed_name: String,
    accepted: bool,
    errors: AttestErrors,
}

fn certificate_href(launch: &Launch) -> String {
    format!("/learn/{}/certificate", launch.id)
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    form_page(&app, &visitor, &launch, course, Entered::default()).await
}

async fn form_page(
    app: &App,
    visitor: &Visitor,
    launch: &Launch,
    course: &Course,
    entered: Entered,
) -> Result<Response> {
    let now = app.now();
    let progress = Progress::read(
        app,
        &launch.tenant_id,
        &launch.person_id,
        &launch.course_code,
        now,
    )
    .await?;
    if progress.attestation.is_some() {
        return Ok(Redirect::to(&certificate_href(launch)).into_response());
    }
    let back = Link {
        href: view::course_href(launch),
        label: "Back to the course".to_owned(),
    };
    let Some(credit) = progress.credit else {
        return Err(Error::Attest(AttestError::NotCompleted, Some(back)));
    };
    let zone = &visitor.tenant.time_zone;
    let (statement, text) = attest::shown(course, &credit, &visitor.person, zone, now).ok_or(
        Error::Attest(AttestError::OtherStatement, Some(back.clone())),
    )?;
    let mut shell = shell(visitor, launch, format!("Attestation · {}", course.title));
    if entered.errors != AttestErrors::default() {
        shell.notice = Some(Notice {
            kind: NoticeKind::Problem,
            text: "Not signed yet: please see what is marked below. Nothing was changed."
                .to_owned(),
        });
    }
    let page = AttestPage {
        shell,
        crumb: crumb(launch, course, None),
        course_title: credit.course_title.clone(),
        course_version: credit.course_version.clone(),
        completed: credit.completed_at.date_for_people(zone),
        statement: text,
        statement_id: statement.name(),
        policies: Vec::new(),
        stored: STORED.to_owned(),
        form: PostForm {
            action: format!("/learn/{}/attest", launch.id),
            csrf: visitor.csrf.clone(),
        },
        expected_name: visitor.person.full_name.clone(),
        typed_name: entered.typed_name,
        accepted: entered.accepted,
        errors: entered.errors,
        decline_href: back.href,
    };
    show_to(visitor, &page)
}

pub(super) async fn sign(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pairs,
) -> Result<Response> {
    visitor.check_form(&app, &headers, &form)?;
    let (launch, course) = visitor.launch(&app, &id).await?;
    let typed_name = form.only("typed_name").unwrap_or_default();
    let accepted = form.only("accept") == Some("yes");
    let signing = Signing {
        statement: form.only("statement").unwrap_or_default(),
        typed_name,
        accepted,
        ip: client_ip(&app, peer.ip(), &headers),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default(),
    };
    match attest::sign(
        &app,
        &visitor.tenant,
        &launch,
        &visitor.person,
        course,
        &signing,
    )
    .await
    {
        Ok(_) => Ok(Redirect::to(&certificate_href(&launch)).into_response()),
        Err(AttestError::Refused(refusal)) => {
            let entered = Entered {
                typed_name: typed_name.chars().take(300).collect(),
                accepted,
                errors: explain(refusal, &visitor.person.full_name),
            };
            let mut response = form_page(&app, &visitor, &launch, course, entered).await?;
            *response.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(AttestError::Signed) => {
            let link = Link {
                href: certificate_href(&launch),
                label: "See the certificate".to_owned(),
            };
            Err(Error::Attest(AttestError::Signed, Some(link)))
        }
        Err(e) => Err(e.into()),
    }
}

fn explain(refusal: Refusal, expected: &str) -> AttestErrors {
    AttestErrors {
        accept: refusal
            .unticked
            .then(|| "Tick the box to adopt the statement.".to_owned()),
        typed_name: refusal.wrong_name.then(|| {
            if expected.is_empty() {
                "Type your name.".to_owned()
            } else {
                format!("Type your name as your LMS has it: {expected}.")
            }
        }),
    }
}

/// The browser's address: the connection's, or what a trusted proxy says of it (the last address it did not add
/// itself). From anyone else `X-Forwarded-For` is words.
fn client_ip(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |ip: &IpAddr| app.trusted_proxies.iter().any(|t| *t == ip.to_string());
    if !trusted(&peer) {
        return peer;
    }
    let said: Vec<IpAddr> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|a| a.trim().parse().ok())
        .collect();
    said.into_iter()
        .rev()
        .find(|ip| !trusted(ip))
        .unwrap_or(peer)
}

pub(super) async fn certificate(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response> {
    let (launch, course) = visitor.launch(&app, &id).await?;
    let now = app.now();
    let progress = Progress::read(
        &app,
        &launch.tenant_id,
        &launch.person_id,
        &launch.course_code,
        now,
    )
    .await?;
    let (Some(credit), Some(attestation)) = (progress.credit, progress.attestation) else {
        return Ok(Redirect::to(&view::course_href(&launch)).into_response());
    };
    let verified = verify_attestation(&attestation.jws, &app.keys.jwks(KeyPurpose::Evidence, now))
        .map_err(|e| Error::Ours(format!("a stored attestation does not verify: {e}")))?;
    let zone = &visitor.tenant.time_zone;
    let modules = progress.completions.iter().map(|c| {
        let module = course.find_module(&c.module_code);
        CertificateModule {
            number: module.map(|m| view::number(course, m)).unwrap_or_default(),
            title: module.map_or_else(|| c.module_code.clone(), |m| m.title.clone()),
            completed: c.passed_at.date_for_people(zone),
            score: score(c.percent_hundredths),
        }
    });
    let page = CertificatePage {
        shell: shell(
            &visitor,
            &launch,
            format!("Certificate · {}", credit.course_title),
        ),
        crumb: crumb(&launch, course, None),
        name: verified.record.person.name,
        tenant_name: visitor.tenant.name.clone(),
        course_title: credit.course_title,
        course_version: credit.course_version,
        modules: modules.collect(),
        completed: credit.completed_at.date_for_people(zone),
        signed: attestation.signed_at.moment_for_people(zone),
        valid_until: Some(credit.valid_until.date_for_people(zone)),
        statement: verified.record.statement.text,
        code: attestation.id.to_string(),
        verify_url: app.url(&format!("verify/{}", attestation.id)),
        downloads: vec![Link {
            href: format!("/learn/{}/attestation.jws", launch.id),
            label: "Signed record (.jws)".to_owned(),
        }],
    };
    show_to(&visitor, &page)
}

pub(super) async fn download(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response> {
    let (launch, _) = visitor.launch(&app, &id).await?;
    let progress = Progress::read(
        &app,
        &launch.tenant_id,
        &launch.person_id,
        &launch.course_code,
        app.now(),
    )
    .await?;
    let attestation = progress.attestation.ok_or(Error::NotFound)?;
    let name = format!(
        "attachment; filename=\"attestation-{}.jws\"",
        attestation.id
    );
    let headers = [
        (header::CONTENT_TYPE, "application/jose".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, attestation.jws).into_response())
}
