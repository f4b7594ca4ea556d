//! A platform for tests: signs any id_token, hands out access tokens, takes scores, and fails on demand.

use std::sync::{Arc, LazyLock, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use passmuster::app::App;
use passmuster::entropy::SeededEntropy;
use passmuster::keys::{PrivateKey, SigningKey, public_jwks};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::Browser;
use super::browser::Page;

/// Prefix of the LTI claims.
pub const LTI: &str = "https://purl.imsglobal.org/spec/lti/claim/";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::parse(
        &PrivateKey::generate(&SeededEntropy::new([9; 32])).unwrap(),
        "",
    )
    .unwrap()
});

#[derive(Default)]
struct Seen {
    scores: Vec<Value>,
    answers: Vec<u16>,
    token_requests: usize,
    jwks_requests: usize,
    requests: Vec<(String, HeaderMap)>,
}

/// The platform.
#[derive(Clone)]
pub struct TestPlatform {
    pub issuer: String,
    pub client_id: String,
    base: Url,
    seen: Arc<Mutex<Seen>>,
}

/// What the tool's login sent to the platform.
pub struct LaunchForm {
    pub state: String,
    pub nonce: String,
}

impl TestPlatform {
    /// Starts one on a free port.
    pub async fn start(_app: &App) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let platform = Self {
            issuer: base.as_str().trim_end_matches('/').to_owned(),
            client_id: "client-1".to_owned(),
            base,
            seen: Arc::default(),
        };
        let router = Router::new()
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/lineitems/1/lineitem/scores", post(score))
            .with_state(platform.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        platform
    }

    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap()
    }

    /// The next scores are answered with these statuses; after them, 200.
    pub fn answer_with(&self, statuses: &[u16]) {
        self.seen.lock().unwrap().answers = statuses.to_vec();
    }

    /// The scores taken, in order.
    pub fn scores(&self) -> Vec<Value> {
        self.seen.lock().unwrap().scores.clone()
    }

    /// Service calls: path with query, and headers.
    pub fn requests(&self) -> Vec<(String, HeaderMap)> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub fn token_requests(&self) -> usize {
        self.seen.lock().unwrap().token_requests
    }

    pub fn jwks_requests(&self) -> usize {
        self.seen.lock().unwrap().jwks_requests
    }

    /// Begins a login in a browser, as the platform's page would.
    pub async fn login(&self, browser: &mut Browser) -> LaunchForm {
        let target = browser_target(browser);
        let form = [
            ("iss", self.issuer.as_str()),
            ("login_hint", "hint 7"),
            ("target_link_uri", target.as_str()),
            ("client_id", self.client_id.as_str()),
            ("lti_message_hint", "{\"cmid\":7}"),
        ];
        let page = browser
            .send(reqwest::Method::POST, "/lti/login", Some(&form))
            .await;
        assert_eq!(page.status.as_u16(), 303, "{}", page.body);
        let redirect = Url::parse(&page.location()).unwrap();
        let find = |name: &str| {
            redirect
                .query_pairs()
                .find(|(k, _)| k == name)
                .unwrap()
                .1
                .into_owned()
        };
        LaunchForm {
            state: find("state"),
            nonce: find("nonce"),
        }
    }

    /// A good id_token's claims for a learner.
    pub fn claims(&self, app: &App, nonce: &str, sub: &str) -> Value {
        let now = app.now().as_secs();
        json!({
            "iss": self.issuer, "aud": self.client_id, "sub": sub, "iat": now, "exp": now + 60, "nonce": nonce,
            "name": format!("Person {sub}"), "email": format!("{sub}@example.com"),
            format!("{LTI}message_type"): "LtiResourceLinkRequest",
            format!("{LTI}version"): "1.3.0",
            format!("{LTI}deployment_id"): "1",
            format!("{LTI}target_link_uri"): app.url("lti/launch"),
            format!("{LTI}resource_link"): {"id": "link-1", "title": "Security"},
            format!("{LTI}context"): {"id": "course-1", "title": "Course", "label": "C"},
            format!("{LTI}roles"): ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            format!("{LTI}custom"): {"passmuster_course": "general-security-awareness"},
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
                "lineitem": self.url("/lineitems/1/lineitem?type_id=3").as_str(),
            },
        })
    }

    /// Signs claims with the platform's key.
    #[expect(clippy::unused_self, reason = "every test platform has the one key")]
    pub fn sign(&self, claims: &Value) -> String {
        KEY.sign_jwt("JWT", claims).unwrap()
    }

    /// The whole way: login, id_token, launch. Gives the page it ends on.
    pub async fn launch(&self, app: &App, browser: &mut Browser, sub: &str) -> Page {
        self.launch_with(app, browser, sub, |_| {}).await
    }

    /// The same with the claims bent.
    pub async fn launch_with(
        &self,
        app: &App,
        browser: &mut Browser,
        sub: &str,
        bend: impl FnOnce(&mut Value),
    ) -> Page {
        let form = self.login(browser).await;
        let mut claims = self.claims(app, &form.nonce, sub);
        bend(&mut claims);
        let id_token = self.sign(&claims);
        browser
            .post(
                "/lti/launch",
                &[("state", &form.state), ("id_token", &id_token)],
            )
            .await
    }
}

fn browser_target(browser: &Browser) -> String {
    browser.base().join("/lti/launch").unwrap().to_string()
}

async fn jwks(State(p): State<TestPlatform>) -> ([(header::HeaderName, &'static str); 1], String) {
    p.seen.lock().unwrap().jwks_requests += 1;
    (
        [(header::CONTENT_TYPE, "application/json")],
        public_jwks(&[KEY.public().clone()]),
    )
}

async fn token(State(p): State<TestPlatform>, body: String) -> Json<Value> {
    assert!(body.contains("client_assertion="));
    let mut seen = p.seen.lock().unwrap();
    seen.token_requests += 1;
    Json(
        json!({"access_token": format!("t{}", seen.token_requests), "token_type": "Bearer", "expires_in": 3600}),
    )
}

async fn score(
    State(p): State<TestPlatform>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let mut seen = p.seen.lock().unwrap();
    seen.requests.push((uri.to_string(), headers));
    let status = if seen.answers.is_empty() {
        200
    } else {
        seen.answers.remove(0)
    };
    if status == 200 {
        seen.scores.push(serde_json::from_str(&body).unwrap());
    }
    StatusCode::from_u16(status).unwrap()
}
