//! Contexts, resource links and launches. A launch is kept on the server; its page carries only the id, so that two
//! tabs with two courses never mix.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{AccountId, ContextId, LaunchId, PersonId, PlatformId, ResourceLinkId, TenantId};
use crate::time::Timestamp;

/// A placement of our content, as the last launch described it (LTI Core §5.3.5, AGS 2.0 §3.1).
pub struct LinkUpsert<'a> {
    /// The company.
    pub tenant_id: &'a TenantId,
    /// The registration.
    pub platform_id: &'a PlatformId,
    /// The deployment, in whose scope link and context ids are unique.
    pub deployment_id: &'a str,
    /// `context.id`, title and label, where there is a context.
    pub context: Option<(&'a str, &'a str, &'a str)>,
    /// `resource_link.id`.
    pub lms_id: &'a str,
    /// The link's title.
    pub title: &'a str,
    /// Our course.
    pub course_code: &'a str,
    /// Our module, or empty for the whole course.
    pub module_code: &'a str,
    /// The one line item of this link, where the platform names it.
    pub line_item_url: Option<&'a str>,
    /// The context's line items.
    pub line_items_url: Option<&'a str>,
    /// What a token may be asked for, space-separated.
    pub ags_scopes: &'a str,
    /// The id to give a new link.
    pub new_link: ResourceLinkId,
    /// The id to give a new context.
    pub new_context: ContextId,
}

/// A verified launch about to be kept.
pub struct NewLaunch<'a> {
    /// Ours.
    pub id: LaunchId,
    /// The company.
    pub tenant_id: &'a TenantId,
    /// Who.
    pub person_id: &'a PersonId,
    /// As whom.
    pub account_id: &'a AccountId,
    /// From where.
    pub resource_link_id: &'a ResourceLinkId,
    /// Our course.
    pub course_code: &'a str,
    /// Our module, or empty.
    pub module_code: &'a str,
    /// A learner in the context: a score may be sent.
    pub learner: bool,
    /// Staff of the context.
    pub instructor: bool,
    /// The platform's preview user: no score, no attestation.
    pub test_user: bool,
    /// BCP 47, or empty.
    pub locale: &'a str,
    /// Where to go back to in the LMS.
    pub return_url: Option<&'a str>,
}

/// A kept launch.
#[derive(Clone, PartialEq, Eq)]
pub struct Launch {
    /// Ours.
    pub id: LaunchId,
    /// The company.
    pub tenant_id: TenantId,
    /// Who.
    pub person_id: PersonId,
    /// As whom.
    pub account_id: AccountId,
    /// From where.
    pub resource_link_id: ResourceLinkId,
    /// Our course.
    pub course_code: String,
    /// Our module, or empty.
    pub module_code: String,
    /// A learner in the context.
    pub learner: bool,
    /// Staff of the context.
    pub instructor: bool,
    /// The platform's preview user.
    pub test_user: bool,
    /// Where to go back to in the LMS.
    pub return_url: Option<String>,
    /// When.
    pub launched_at: Timestamp,
    /// The platform's issuer and the user's `sub` there, for the attestation's attribution.
    pub issuer: String,
    /// The user's id there.
    pub sub: String,
}

impl std::fmt::Debug for Launch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launch")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct LaunchRow {
    id: String,
    tenant_id: String,
    person_id: String,
    account_id: String,
    resource_link_id: String,
    course_code: String,
    module_code: String,
    learner: bool,
    instructor: bool,
    test_user: bool,
    return_url: Option<String>,
    launched_at_ms: i64,
    issuer: String,
    sub: String,
}

impl TryFrom<LaunchRow> for Launch {
    type Error = Error;

    fn try_from(r: LaunchRow) -> Result<Self> {
        let bad = |_| Error::corrupt("launch", "id");
        Ok(Self {
            id: r.id.try_into().map_err(bad)?,
            tenant_id: r.tenant_id.try_into().map_err(bad)?,
            person_id: r.person_id.try_into().map_err(bad)?,
            account_id: r.account_id.try_into().map_err(bad)?,
            resource_link_id: r.resource_link_id.try_into().map_err(bad)?,
            course_code: r.course_code,
            module_code: r.module_code,
            learner: r.learner,
            instructor: r.instructor,
            test_user: r.test_user,
            return_url: r.return_url,
            launched_at: Timestamp::from_ms(r.launched_at_ms),
            issuer: r.issuer,
            sub: r.sub,
        })
    }
}

impl Db {
    /// A launch of this very person: another's is not found.
    pub async fn find_launch(
        &self,
        tenant: &TenantId,
        person: &PersonId,
        id: &LaunchId,
    ) -> Result<Option<Launch>> {
        let sql = "SELECT launch.id, launch.tenant_id, launch.person_id, launch.account_id, launch.resource_link_id, \
                   launch.course_code, launch.module_code, launch.learner, launch.instructor, launch.test_user, \
                   launch.return_url, launch.launched_at_ms, platform.issuer, account.sub FROM launch \
                   JOIN account ON account.id = launch.account_id \
                   JOIN platform ON platform.id = account.platform_id \
                   WHERE launch.tenant_id = $1 AND launch.person_id = $2 AND launch.id = $3";
        let row: Option<LaunchRow> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(person.as_str())
            .bind(id.as_str())
            .fetch_optional(p)
            .await)?;
        row.map(Launch::try_from).transpose()
    }
}

impl Tx {
    /// Finds or makes context and resource link; titles and service addresses follow the latest launch.
    pub async fn put_resource_link(&mut self, l: &LinkUpsert<'_>) -> Result<ResourceLinkId> {
        let context_id: Option<String> = match l.context {
            None => None,
            Some((lms_id, title, label)) => {
                let sql = "INSERT INTO context (id, tenant_id, platform_id, deployment_id, lms_id, title, label) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (platform_id, deployment_id, lms_id) \
                           DO UPDATE SET title = excluded.title, label = excluded.label RETURNING id";
                let (id,): (String,) = on_tx!(self, |c| sqlx::query_as(sql)
                    .bind(l.new_context.as_str())
                    .bind(l.tenant_id.as_str())
                    .bind(l.platform_id.as_str())
                    .bind(l.deployment_id)
                    .bind(lms_id)
                    .bind(title)
                    .bind(label)
                    .fetch_one(c)
                    .await)?;
                Some(id)
            }
        };
        let sql = "INSERT INTO resource_link (id, tenant_id, platform_id, deployment_id, lms_id, context_id, title, \
                   course_code, module_code, line_item_url, line_items_url, ags_scopes) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                   ON CONFLICT (platform_id, deployment_id, lms_id) DO UPDATE SET context_id = excluded.context_id, \
                   title = excluded.title, course_code = excluded.course_code, module_code = excluded.module_code, \
                   line_item_url = excluded.line_item_url, line_items_url = excluded.line_items_url, \
                   ags_scopes = excluded.ags_scopes RETURNING id";
        let (id,): (String,) = on_tx!(self, |c| sqlx::query_as(sql)
            .bind(l.new_link.as_str())
            .bind(l.tenant_id.as_str())
            .bind(l.platform_id.as_str())
            .bind(l.deployment_id)
            .bind(l.lms_id)
            .bind(context_id)
            .bind(l.title)
            .bind(l.course_code)
            .bind(l.module_code)
            .bind(l.line_item_url)
            .bind(l.line_items_url)
            .bind(l.ags_scopes)
            .fetch_one(c)
            .await)?;
        id.try_into()
            .map_err(|_| Error::corrupt("resource_link", "id"))
    }

    /// Keeps a launch.
    pub async fn add_launch(&mut self, l: &NewLaunch<'_>, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO launch (id, tenant_id, person_id, account_id, resource_link_id, course_code, \
                   module_code, learner, instructor, test_user, locale, return_url, launched_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(l.id.as_str())
            .bind(l.tenant_id.as_str())
            .bind(l.person_id.as_str())
            .bind(l.account_id.as_str())
            .bind(l.resource_link_id.as_str())
            .bind(l.course_code)
            .bind(l.module_code)
            .bind(l.learner)
            .bind(l.instructor)
            .bind(l.test_user)
            .bind(l.locale)
            .bind(l.return_url)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
