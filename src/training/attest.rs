//! Signing the statement: the record is built, sealed, and put into the ledger in one transaction.

use std::net::IpAddr;

use crate::app::App;
use crate::course::Course;
use crate::crypto::{hex, sha256_hex};
use crate::entropy;
use crate::evidence::attestation::{
    self, Act, Auth, CoursePart, JWS_TYP, PersonPart, Record, Refusal, StatementPart, check_act,
};
use crate::evidence::jws;
use crate::evidence::ledger::Fact;
use crate::evidence::report::percent;
use crate::evidence::statement::{Filling, Statement};
use crate::ids::AttestationId;
use crate::keys::KeyError;
use crate::storage::{self, Credit, KeyPurpose, Launch, NewAttestation, Person, Tenant};
use crate::time::Timestamp;

/// Why nothing was signed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// What was entered does not do.
    #[error("the signature is not complete")]
    Refused(Refusal),
    /// The course is not completed in this cycle.
    #[error("the course is not completed yet")]
    NotCompleted,
    /// The text that was shown is not the one in force.
    #[error("the statement has changed since the page was shown")]
    OtherStatement,
    /// The platform's preview user signs nothing.
    #[error("a preview user signs nothing")]
    TestUser,
    /// It was signed before.
    #[error("this completion was signed already")]
    Signed,
    /// No key, or it does not sign.
    #[error("the seal could not be made")]
    Key(#[source] Option<KeyError>),
}

impl AttestError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Storage(_) => "storage.fault",
            Self::Refused(_) => "attest.refused",
            Self::NotCompleted => "attest.not_completed",
            Self::OtherStatement => "attest.other_statement",
            Self::TestUser => "attest.test_user",
            Self::Signed => "attest.signed",
            Self::Key(_) => "attest.no_key",
        }
    }
}

/// The act, as it came from the browser.
#[derive(Debug, Clone)]
pub struct Signing<'a> {
    /// Id and version of the text that was shown.
    pub statement: &'a str,
    /// As typed.
    pub typed_name: &'a str,
    /// The box.
    pub accepted: bool,
    /// From where.
    pub ip: IpAddr,
    /// The browser's own words.
    pub user_agent: &'a str,
}

/// The longest description of a browser that is kept, in characters.
const MAX_USER_AGENT: usize = 512;

/// The statement as shown to this person now.
#[must_use]
pub fn shown(
    course: &Course,
    credit: &Credit,
    person: &Person,
    zone: &str,
    now: Timestamp,
) -> Option<(Statement, Vec<String>)> {
    let statement = Statement::find(&course.statement)?;
    let date = now.date_for_people(zone);
    let name = if person.full_name.is_empty() {
        "the undersigned"
    } else {
        &person.full_name
    };
    let filling = Filling {
        name,
        course: &credit.course_title,
        version: &credit.course_version,
        date: &date,
    };
    Some((statement, statement.fill(&filling)))
}

/// Signs and seals.
#[expect(
    clippy::too_many_lines,
    reason = "most of it is the record, field by field"
)]
pub async fn sign(
    app: &App,
    tenant: &Tenant,
    launch: &Launch,
    person: &Person,
    course: &Course,
    signing: &Signing<'_>,
) -> Result<AttestationId, AttestError> {
    if launch.test_user {
        return Err(AttestError::TestUser);
    }
    let now = app.now();
    let mut tx = app.db.begin_write().await?;
    let log = tx.lock_ledger(&tenant.id).await?;
    let credit = tx
        .find_credit(&tenant.id, &person.id, course.code.as_str())
        .await?;
    let credit = credit
        .filter(|c| c.valid_until.as_secs() >= now.as_secs())
        .ok_or(AttestError::NotCompleted)?;
    let (statement, text) = shown(course, &credit, person, &tenant.time_zone, now)
        .ok_or(AttestError::OtherStatement)?;
    if statement.name() != signing.statement {
        return Err(AttestError::OtherStatement);
    }
    check_act(signing.accepted, signing.typed_name, &person.full_name)
        .map_err(AttestError::Refused)?;

    let id = AttestationId::new(now, &*app.entropy);
    let hash_key = entropy::bytes::<32>(&*app.entropy);
    let salt = hex(&entropy::bytes::<8>(&*app.entropy));
    let user_agent: String = signing.user_agent.chars().take(MAX_USER_AGENT).collect();
    let ip = signing.ip.to_string();
    let typed: String = signing.typed_name.trim().chars().take(300).collect();
    let record = Record {
        schema: attestation::TYPE.to_owned(),
        id: id.as_str().to_owned(),
        tenant: tenant.slug.clone(),
        person: PersonPart {
            id: person.id.as_str().to_owned(),
            name: if person.full_name.is_empty() {
                typed.clone()
            } else {
                person.full_name.clone()
            },
            email_sha256: attestation::email_digest(&person.email, &salt),
            email_salt: salt,
            role_at_signing: String::new(),
        },
        course: CoursePart {
            code: credit.course_code.clone(),
            title: credit.course_title.clone(),
            version: credit.course_version.clone(),
            content_sha256: credit.content_sha256.clone(),
        },
        completion_id: credit.id.as_str().to_owned(),
        completed_at: credit.completed_at.rfc3339_s(),
        valid_until: credit.valid_until.rfc3339_s(),
        lowest_score_percent: percent(credit.lowest_hundredths),
        statement: StatementPart {
            id: statement.id.to_owned(),
            version: statement.version,
            sha256: Statement::digest(&text),
            lang: statement.lang.to_owned(),
            text: text.clone(),
        },
        policies: Vec::new(),
        act: Act {
            method: "typed_name+checkbox".to_owned(),
            typed_name: typed,
            signed_at: now.rfc3339_s(),
            auth: Auth {
                iss: launch.issuer.clone(),
                sub: launch.sub.clone(),
                launched_at: launch.launched_at.rfc3339_s(),
            },
            ip_hmac: attestation::keyed_hash(&hash_key, &ip),
            ua_hmac: attestation::keyed_hash(&hash_key, &user_agent),
        },
        ledger: log.head(now),
    };
    let key = app
        .keys
        .signing(KeyPurpose::Evidence, now)
        .ok_or(AttestError::Key(None))?;
    let sealed =
        jws::seal(&key, JWS_TYP, &record.bytes()).map_err(|e| AttestError::Key(Some(e)))?;
    let jws_sha256 = sha256_hex(sealed.as_bytes());
    let new = NewAttestation {
        id: &id,
        tenant_id: &tenant.id,
        person_id: &person.id,
        credit_id: &credit.id,
        statement: &text.join("\n\n"),
        jws: &sealed,
        jws_sha256: &jws_sha256,
        ip: &ip,
        user_agent: &user_agent,
        hash_key: &hash_key,
    };
    match tx.add_attestation(&new, now).await {
        Err(e) if e.is_conflict() => return Err(AttestError::Signed),
        other => other?,
    }
    let fact = Fact::Attestation {
        id: id.clone(),
        person: person.id.clone(),
        credit: credit.id.clone(),
        jws_sha256: jws_sha256.clone(),
    };
    tx.append_ledger(&tenant.id, &[fact], now).await?;
    tx.commit().await?;
    Ok(id)
}
