//! A browser without scripts: keeps cookies, follows redirects inside the tool, finds forms.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header, redirect::Policy};
use url::Url;

/// Cookies and an HTTP client.
pub struct Browser {
    base: Url,
    http: reqwest::Client,
    /// Cookies by name; they are Secure, and sent over loopback http all the same, as browsers do.
    pub cookies: BTreeMap<String, String>,
    /// Sent as `Origin` with each post, when set.
    pub origin: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub url: Url,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Page {
    /// The `Location` of a redirect.
    pub fn location(&self) -> String {
        self.headers
            .get(header::LOCATION)
            .map(|v| v.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// The value of the first form's token.
    pub fn csrf(&self) -> String {
        between(&self.body, "name=\"csrf\" value=\"", "\"")
            .unwrap_or_default()
            .to_owned()
    }

    /// The code on an error page.
    pub fn code(&self) -> String {
        between(&self.body, "<code>", "</code>")
            .unwrap_or_default()
            .to_owned()
    }
}

/// The text between two marks.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0)
}

impl Browser {
    pub fn new(base: &Url) -> Self {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            base: base.clone(),
            http,
            cookies: BTreeMap::new(),
            origin: None,
        }
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// One request, no redirect followed.
    pub async fn send(
        &mut self,
        method: Method,
        address: &str,
        form: Option<&[(&str, &str)]>,
    ) -> Page {
        let url = self.base.join(address).unwrap();
        let mut request = self.http.request(method, url.clone());
        if !self.cookies.is_empty() {
            let all: Vec<String> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            request = request.header(header::COOKIE, all.join("; "));
        }
        if let Some(origin) = &self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        for value in response.headers().get_all(header::SET_COOKIE) {
            let pair = value.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, headers) = (response.status(), response.headers().clone());
        Page {
            status,
            url,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    pub async fn get(&mut self, address: &str) -> Page {
        let page = self.send(Method::GET, address, None).await;
        self.follow(page).await
    }

    pub async fn post(&mut self, address: &str, form: &[(&str, &str)]) -> Page {
        let page = self.send(Method::POST, address, Some(form)).await;
        self.follow(page).await
    }

    async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..5 {
            if !page.status.is_redirection() {
                break;
            }
            let to = page.url.join(&page.location()).unwrap();
            if to.origin() != self.base.origin() {
                break;
            }
            page = self.send(Method::GET, to.as_str(), None).await;
        }
        page
    }
}
