//! What the demo LMS is told at its start, and the addresses that follow from it.

use std::path::PathBuf;

use url::Url;

/// How a demo LMS and the one tool that is installed in it find each other.
#[derive(Debug, Clone)]
pub struct LmsConfig {
    /// Where browsers and the tool reach this LMS, e.g. `http://localhost:7101`. Without its closing
    /// slash it is the issuer.
    pub base_url: Url,
    /// The tool's login initiation address.
    pub tool_login_url: Url,
    /// The tool's one redirect URI, which is also every link's `target_link_uri`.
    pub tool_launch_url: Url,
    /// The tool's key set.
    pub tool_jwks_url: Url,
    /// What the tool is called here.
    pub client_id: String,
    /// The tool's one deployment.
    pub deployment_id: String,
    /// The links that the course has from the start.
    pub links: Vec<LinkSeed>,
    /// Where key, links, line items and grades are kept; `None` forgets them at the end.
    pub state_file: Option<PathBuf>,
}

/// A link of the course as the demo's starter wants it. Each gets a line item of 100 points.
#[derive(Debug, Clone)]
pub struct LinkSeed {
    /// Stable over restarts; a known key keeps its link's id, line item and grades.
    pub key: String,
    /// What the course page shows.
    pub title: String,
    /// Sent as custom parameter `passmuster_course`.
    pub course: String,
    /// Sent as custom parameter `passmuster_module`; `None` means the whole course.
    pub module: Option<String>,
    /// A sentence for the course page.
    pub description: String,
}

impl LinkSeed {
    /// The line item's `resourceId`: `course` or `course/module`.
    pub(super) fn resource_id(&self) -> String {
        match &self.module {
            Some(module) => format!("{}/{module}", self.course),
            None => self.course.clone(),
        }
    }
}

impl LmsConfig {
    /// `iss`: the base address without its closing slash.
    pub(super) fn issuer(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    /// A full address here; `path` starts with a slash.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// What a request's `Host` must say: host, and port unless it is the scheme's own.
    pub(super) fn authority(&self) -> String {
        let host = self.base_url.host_str().unwrap_or_default();
        match self.base_url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The origins of the tool that forms may go to and frames may show.
    pub(super) fn tool_origins(&self) -> String {
        let mut origins: Vec<String> = [&self.tool_login_url, &self.tool_launch_url]
            .into_iter()
            .map(|u| u.origin().ascii_serialization())
            .collect();
        origins.dedup();
        origins.join(" ")
    }
}
