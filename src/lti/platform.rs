//! A registration of this tool at a platform: the three that identify it (issuer, client id, deployment)
//! and the addresses that were pinned when it was connected.

use url::Url;

use crate::ids::{PlatformId, TenantId};

/// One registration (LTI 1.3 Core §3.1.3: the tool's view of a platform).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Ours.
    pub id: PlatformId,
    /// The company that this registration belongs to.
    pub tenant_id: TenantId,
    /// A short key for the registration's own login address, `/lti/login/{key}`: it tells platforms apart
    /// that share issuer and client id (hosted and self-hosted Canvas).
    pub key: String,
    /// `iss`, compared byte for byte.
    pub issuer: String,
    /// Our client id there; ids are unique inside one issuer at best.
    pub client_id: String,
    /// Where the browser is sent to sign in (OIDC authorization endpoint); may hold a query.
    pub auth_url: Url,
    /// Where access tokens come from.
    pub token_url: Url,
    /// The assertion's audience where it is not the token URL (D2L).
    pub token_aud: Option<String>,
    /// The platform's key set.
    pub jwks_url: Url,
    /// What to do with a deployment id never seen before.
    pub deployments: DeploymentPolicy,
    /// Further origins that the platform's services live on, named by the operator.
    pub service_origins: Vec<String>,
    /// A name for people.
    pub name: String,
}

/// What to do with a deployment id that is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentPolicy {
    /// Refuse it: the only safe choice where several companies share one client id (Blackboard, Schoology).
    Closed,
    /// Take the first that arrives, then refuse others.
    PinnedAtFirstUse,
    /// Take any: a registration that belongs to one company as a whole (a Canvas root account).
    Open,
}

impl DeploymentPolicy {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::PinnedAtFirstUse => "pinned",
            Self::Open => "open",
        }
    }

    /// Reads the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Closed, Self::PinnedAtFirstUse, Self::Open]
            .into_iter()
            .find(|p| p.as_str() == text)
    }
}

impl Platform {
    /// The origins that may receive one of our bearer tokens: those pinned at registration, never one that
    /// only a launch named (LTI attack table: service URL confusion).
    #[must_use]
    pub fn may_receive_tokens(&self, url: &Url) -> bool {
        let origin = url.origin();
        let pinned = [&self.auth_url, &self.token_url, &self.jwks_url]
            .into_iter()
            .any(|u| u.origin() == origin);
        let issuer = Url::parse(&self.issuer).is_ok_and(|u| u.origin() == origin);
        let named = self
            .service_origins
            .iter()
            .any(|o| Url::parse(o).is_ok_and(|u| u.origin() == origin));
        origin.is_tuple() && (pinned || issuer || named)
    }

    /// The origins that may show us in a frame (`frame-ancestors`), sorted.
    #[must_use]
    pub fn frame_origins(&self) -> Vec<String> {
        let own = [&self.auth_url].into_iter().map(Url::origin);
        let issuer = Url::parse(&self.issuer).ok().map(|u| u.origin());
        let named = self
            .service_origins
            .iter()
            .filter_map(|o| Url::parse(o).ok())
            .map(|u| u.origin());
        let mut all: Vec<String> = own
            .chain(issuer)
            .chain(named)
            .filter(url::Origin::is_tuple)
            .map(|o| o.ascii_serialization())
            .collect();
        all.sort();
        all.dedup();
        all
    }
}
