//! From login initiation to session: the steps of third-party initiated login and of a resource link launch, each
//! refusal with its own code. Nothing is stored of a launch that was refused.

use std::time::Duration;

use url::Url;

use crate::app::App;
use crate::crypto::{same_secret, sha256};
use crate::entropy;
use crate::ids::{AccountId, ContextId, LaunchId, PersonId, PlatformId, ResourceLinkId};
use crate::lti::launch::{self as id_token, Expected};
use crate::lti::launch_error::LaunchError;
use crate::lti::login::{self, LoginError, LoginRequest};
use crate::lti::platform::{DeploymentPolicy, Platform};
use crate::storage::{self, AccountUpsert, LinkUpsert, LoginState, NewLaunch, Session, Tx};
use crate::time::Timestamp;

/// How long a login may take: people do sit at the LMS's sign-in page.
pub const LOGIN_TTL: Duration = Duration::from_mins(10);
/// How long a browser stays signed in after a launch.
pub const SESSION_TTL: Duration = Duration::from_hours(8);

/// A refusal on the way in.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// At the first step.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// At the platform's answer.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The placement names no course of ours.
    #[error("the placement names no course of ours")]
    UnknownCourse,
    /// The database.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

/// What the browser gets at the first step.
#[derive(Debug)]
pub struct LoginStarted {
    /// Where the browser goes.
    pub redirect: Url,
    /// The state, which names the cookie.
    pub state: String,
    /// The cookie's value.
    pub binding: String,
    /// For `frame-ancestors`.
    pub platform: Platform,
}

/// The first step: finds the registration, remembers the login, sends the browser to the platform.
pub async fn start_login(
    app: &App,
    request: &LoginRequest,
    key: Option<&str>,
) -> Result<LoginStarted, EntryError> {
    let candidates = match key {
        Some(key) => app
            .db
            .find_platform_by_login_key(key)
            .await?
            .into_iter()
            .filter(|p| p.issuer == request.iss)
            .collect(),
        None => {
            app.db
                .find_platforms_by_issuer(&request.iss, request.client_id.as_deref())
                .await?
        }
    };
    let platform = request.choose(&candidates)?.clone();
    let target = login::check_target(&app.public_url, request)?;
    let (state, nonce, binding) = (
        entropy::secret(&*app.entropy),
        entropy::secret(&*app.entropy),
        entropy::secret(&*app.entropy),
    );
    let now = app.now();
    let row = LoginState {
        platform_id: platform.id.clone(),
        nonce: nonce.clone(),
        binding_hash: sha256(binding.as_bytes()).to_vec(),
        target_link_uri: target.to_string(),
        expires_at: now.plus(LOGIN_TTL),
    };
    let mut tx = app.db.begin_write().await?;
    tx.add_login(&sha256(state.as_bytes()), &row).await?;
    tx.commit().await?;
    let redirect_uri = app.url("lti/launch");
    let redirect = login::authorization_url(&platform, request, &state, &nonce, &redirect_uri);
    Ok(LoginStarted {
        redirect,
        state,
        binding,
        platform,
    })
}

/// A launch that is in.
#[derive(Debug)]
pub struct Entered {
    /// The launch.
    pub launch: LaunchId,
    /// The session's secret, for the cookie.
    pub session: String,
}

/// The platform's answer: verifies it against the registration that the state was made for, then writes everything
/// in one transaction.
pub async fn enter(
    app: &App,
    state: &str,
    binding: Option<&str>,
    id_token: &str,
) -> Result<Entered, EntryError> {
    let state_hash = sha256(state.as_bytes());
    let now = app.now();
    let login = app
        .db
        .find_login(&state_hash)
        .await?
        .ok_or(LaunchError::StateUnknown)?;
    if login.expires_at < now {
        return Err(LaunchError::StateExpired.into());
    }
    let bound = binding.is_some_and(|b| same_secret(&sha256(b.as_bytes()), &login.binding_hash));
    if !bound {
        return Err(LaunchError::StateOtherBrowser.into());
    }
    let platform = app
        .db
        .find_platform(&login.platform_id)
        .await?
        .ok_or(LaunchError::PlatformDisabled)?;
    let kid = id_token::peek_header(id_token)?;
    let keys = app
        .jwks
        .keys(&app.fetcher, &platform, kid.as_str(), now)
        .await
        .map_err(LaunchError::from)?;
    let expected = Expected {
        nonce: &login.nonce,
        public_url: &app.public_url,
    };
    let launch = id_token::verify(&platform, &expected, &keys, id_token, now)?;
    let (course, module) = find_content(app, &launch)?;

    let mut tx = app.db.begin_write().await?;
    if !tx.redeem_login(&state_hash).await? {
        return Err(LaunchError::Replayed.into());
    }
    admit_deployment(&mut tx, &platform, &launch.deployment_id, now).await?;
    let entered = write_launch(app, &mut tx, &platform, &launch, (&course, &module), now).await?;
    tx.commit().await?;
    Ok(entered)
}

/// Which content opens: what deep linking (or the admin) put into the custom parameters, else the signed target's
/// query.
fn find_content(app: &App, launch: &id_token::Launch) -> Result<(String, String), EntryError> {
    let query = |name: &str| {
        launch
            .target_link_uri
            .query_pairs()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.into_owned())
    };
    let named =
        |custom: &str, short: &str| launch.custom.get(custom).cloned().or_else(|| query(short));
    let course = named("passmuster_course", "course").ok_or(EntryError::UnknownCourse)?;
    let module = named("passmuster_module", "module").unwrap_or_default();
    let found = app
        .catalogue
        .find_course(&course)
        .ok_or(EntryError::UnknownCourse)?;
    if !module.is_empty() && found.find_module(&module).is_none() {
        return Err(EntryError::UnknownCourse);
    }
    Ok((course, module))
}

async fn admit_deployment(
    tx: &mut Tx,
    platform: &Platform,
    id: &str,
    now: Timestamp,
) -> Result<(), EntryError> {
    let known = tx.list_deployments(&platform.id).await?;
    if known.iter().any(|d| d == id) {
        return Ok(());
    }
    let admitted = match platform.deployments {
        DeploymentPolicy::Closed => false,
        DeploymentPolicy::PinnedAtFirstUse => known.is_empty(),
        DeploymentPolicy::Open => true,
    };
    if !admitted {
        return Err(LaunchError::UnknownDeployment.into());
    }
    tx.put_deployment(&platform.id, id, now).await?;
    Ok(())
}

async fn write_launch(
    app: &App,
    tx: &mut Tx,
    platform: &Platform,
    launch: &id_token::Launch,
    (course, module): (&str, &str),
    now: Timestamp,
) -> Result<Entered, EntryError> {
    let e = &*app.entropy;
    let tenant = &platform.tenant_id;
    let name = launch.person.display_name().map(|n| clip(&n, 300));
    let email = launch.person.email.as_deref().map(|m| clip(m, 320));
    let account = AccountUpsert {
        tenant_id: tenant,
        platform_id: &platform.id,
        sub: &launch.sub,
        full_name: name.as_deref(),
        email: email.as_deref(),
        new_account: AccountId::new(now, e),
        new_person: PersonId::new(now, e),
    };
    let (account, person) = tx.put_account(&account, now).await?;
    let ags = launch.ags.as_ref();
    let line_item = ags
        .and_then(|a| a.lineitem.as_deref())
        .filter(|u| pinned(platform, u));
    let line_items = ags
        .and_then(|a| a.lineitems.as_deref())
        .filter(|u| pinned(platform, u));
    let scopes = ags.map(|a| a.scope.join(" ")).unwrap_or_default();
    let text = |t: &Option<String>| clip(t.as_deref().unwrap_or_default(), 500);
    let context = launch
        .context
        .as_ref()
        .map(|c| (c.id.as_str(), text(&c.title), text(&c.label)));
    let link = tx
        .put_resource_link(&LinkUpsert {
            tenant_id: tenant,
            platform_id: &platform.id,
            deployment_id: &launch.deployment_id,
            context: context
                .as_ref()
                .map(|(id, title, label)| (*id, title.as_str(), label.as_str())),
            lms_id: &launch.resource_link.id,
            title: &text(&launch.resource_link.title),
            course_code: course,
            module_code: module,
            line_item_url: line_item,
            line_items_url: line_items,
            ags_scopes: &scopes,
            new_link: ResourceLinkId::new(now, e),
            new_context: ContextId::new(now, e),
        })
        .await?;
    let id = LaunchId::new(now, e);
    tx.add_launch(
        &NewLaunch {
            id: id.clone(),
            tenant_id: tenant,
            person_id: &person.id,
            account_id: &account,
            resource_link_id: &link,
            course_code: course,
            module_code: module,
            learner: launch.roles.is_learner(),
            instructor: launch.roles.is_instructor(),
            test_user: launch.roles.is_test_user(),
            locale: &clip(
                launch.presentation.locale.as_deref().unwrap_or_default(),
                35,
            ),
            return_url: launch.presentation.return_url.as_ref().map(Url::as_str),
        },
        now,
    )
    .await?;
    if tx.revive_passbacks(tenant, &link, &account, now).await? {
        app.passback_bell.notify_one();
    }
    let session = entropy::secret(e);
    let who = Session {
        tenant_id: tenant.clone(),
        person_id: person.id,
    };
    tx.add_session(
        &sha256(session.as_bytes()),
        &who,
        now.plus(SESSION_TTL),
        now,
    )
    .await?;
    Ok(Entered {
        launch: id,
        session,
    })
}

/// A service address is kept only where a token of ours may go.
fn pinned(platform: &Platform, address: &str) -> bool {
    Url::parse(address).is_ok_and(|u| platform.may_receive_tokens(&u))
}

fn clip(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// The platforms whose pages may frame us for a tenant: by registration id, for the headers.
pub async fn frame_origins(app: &App, id: &PlatformId) -> storage::Result<Vec<String>> {
    Ok(app
        .db
        .find_platform(id)
        .await?
        .map(|p| p.frame_origins())
        .unwrap_or_default())
}
