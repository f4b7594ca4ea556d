//! The platform as a tool meets it: over HTTP on a bound port, with a key of the tool's own.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::{Json, Router, routing::get};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use reqwest::{Method, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::keys::PlatformKey;
use super::vocab::{
    AGS_ENDPOINT, DL, LTI, NRPS_CLAIM, SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY, SCOPE_NRPS,
    SCOPE_RESULT, SCOPE_SCORE, TYPE_LINEITEM, TYPE_LINEITEMS, TYPE_MEMBERS, TYPE_RESULTS,
    TYPE_SCORE,
};
use super::{LinkSeed, Lms, LmsConfig, LmsError};
use crate::entropy::SeededEntropy;
use crate::time::{Clock, FixedClock, Timestamp};

static TOOL_PEM: LazyLock<String> =
    LazyLock::new(|| PlatformKey::make(&SeededEntropy::new([9; 32])).unwrap());
static OTHER_PEM: LazyLock<String> =
    LazyLock::new(|| PlatformKey::make(&SeededEntropy::new([8; 32])).unwrap());

struct Rig {
    lms: Lms,
    clock: Arc<FixedClock>,
    http: reqwest::Client,
    base: String,
    tool: String,
    seed: std::sync::atomic::AtomicU32,
}

fn config(base: &str, tool: &str) -> LmsConfig {
    let url = |path: &str| Url::parse(&format!("{tool}{path}")).unwrap();
    let link = |key: &str, module: Option<&str>| LinkSeed {
        key: key.to_owned(),
        title: format!("Link {key}"),
        course: "secure-coding".to_owned(),
        module: module.map(str::to_owned),
        description: "A <b>demo</b> link".to_owned(),
    };
    LmsConfig {
        base_url: Url::parse(base).unwrap(),
        tool_login_url: url("/lti/login"),
        tool_launch_url: url("/lti/launch"),
        tool_jwks_url: url("/jwks.json"),
        client_id: "demo-client".to_owned(),
        deployment_id: "dep-1".to_owned(),
        links: vec![link("whole", None), link("one", Some("injection"))],
        state_file: None,
    }
}

async fn rig() -> Rig {
    let tool_socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tool = format!("http://{}", tool_socket.local_addr().unwrap());
    let keys = PlatformKey::read(&TOOL_PEM).unwrap().jwks();
    let tool_app = Router::new().route("/jwks.json", get(move || async move { Json(keys) }));
    tokio::spawn(async move { axum::serve(tool_socket, tool_app).await });

    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let clock = Arc::new(FixedClock::at(Timestamp::from_secs(1_780_000_000)));
    let entropy = Arc::new(SeededEntropy::new([1; 32]));
    let lms = Lms::open(config(&base, &tool), clock.clone(), entropy).unwrap();
    let app = lms.router();
    tokio::spawn(async move { axum::serve(socket, app).await });
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Rig {
        lms,
        clock,
        http,
        base,
        tool,
        seed: 0.into(),
    }
}

fn sign(pem: &str, kid: Option<&str>, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = kid.map(str::to_owned);
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

fn tool_kid() -> String {
    let keys = PlatformKey::read(&TOOL_PEM).unwrap().jwks();
    keys["keys"][0]["kid"].as_str().unwrap().to_owned()
}

fn sign_as_tool(claims: &Value) -> String {
    sign(&TOOL_PEM, Some(&tool_kid()), claims)
}

/// The form of a page: its address and hidden fields, as a browser reads them.
fn form_of(page: &str) -> (String, Vec<(String, String)>) {
    let plain = |text: &str| {
        text.replace("&#34;", "\"")
            .replace("&#38;", "&")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#39;", "'")
    };
    let between = |text: &str, open: &str| {
        let start = text.find(open).unwrap() + open.len();
        let end = text[start..].find('"').unwrap();
        plain(&text[start..start + end])
    };
    let fields = page
        .split("<input type=\"hidden\"")
        .skip(1)
        .map(|f| (between(f, "name=\""), between(f, "value=\"")));
    (between(page, "action=\""), fields.collect())
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.as_str())
}

impl Rig {
    fn fresh(&self) -> String {
        let n = self.seed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("fresh-{n}")
    }

    async fn page(&self, path: &str) -> (StatusCode, String) {
        let url = format!("{}{path}", self.base);
        let answer = self.http.get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Clicks a launch and gives the authorization request that a right tool would send.
    async fn login(&self, path: &str) -> Vec<(String, String)> {
        let (status, page) = self.page(path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let (action, fields) = form_of(&page);
        assert_eq!(action, format!("{}/lti/login", self.tool));
        assert_eq!(field(&fields, "iss"), Some(self.lms.issuer()));
        let get = |name: &str| field(&fields, name).unwrap().to_owned();
        [
            ("scope", "openid".to_owned()),
            ("response_type", "id_token".to_owned()),
            ("response_mode", "form_post".to_owned()),
            ("prompt", "none".to_owned()),
            ("client_id", get("client_id")),
            ("redirect_uri", format!("{}/lti/launch", self.tool)),
            ("login_hint", get("login_hint")),
            ("lti_message_hint", get("lti_message_hint")),
            ("state", self.fresh()),
            ("nonce", self.fresh()),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .to_vec()
    }

    async fn authorize(&self, params: &[(String, String)]) -> (StatusCode, String) {
        let mut url = self.lms.auth_url();
        url.query_pairs_mut().extend_pairs(params);
        let answer = self.http.get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// A whole launch; the id_token's claims, verified by the published key.
    async fn launch(&self, path: &str) -> Map<String, Value> {
        let params = self.login(path).await;
        let (status, page) = self.authorize(&params).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let (action, fields) = form_of(&page);
        assert_eq!(action, format!("{}/lti/launch", self.tool));
        assert_eq!(field(&fields, "state"), field(&params, "state"));
        let id_token = field(&fields, "id_token").unwrap_or_else(|| panic!("{fields:?}"));
        let claims = self.verified(id_token).await;
        assert_eq!(claims["nonce"].as_str(), field(&params, "nonce"));
        claims
    }

    async fn verified(&self, id_token: &str) -> Map<String, Value> {
        let answer = self.http.get(self.lms.jwks_url()).send().await.unwrap();
        let keys: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let jwk = &keys["keys"][0];
        assert!(jwk.get("d").is_none());
        let header = jsonwebtoken::decode_header(id_token).unwrap();
        assert_eq!(header.kid.as_deref(), jwk["kid"].as_str());
        let (n, e) = (jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap());
        let mut rules = Validation::new(Algorithm::RS256);
        rules.validate_exp = false;
        rules.set_audience(&["demo-client"]);
        let key = DecodingKey::from_rsa_components(n, e).unwrap();
        jsonwebtoken::decode(id_token, &key, &rules).unwrap().claims
    }

    fn assertion(&self) -> Value {
        let now = self.clock.now().as_secs();
        json!({
            "iss": "demo-client", "sub": "demo-client", "aud": self.lms.token_url().as_str(),
            "iat": now - 5, "exp": now + 60, "jti": self.fresh(),
        })
    }

    async fn ask_token(&self, assertion: &str, scope: &str) -> (StatusCode, Value) {
        let form = [
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
            ("scope", scope),
        ];
        let url = self.lms.token_url();
        let answer = self.http.post(url).form(&form).send().await.unwrap();
        let status = answer.status();
        let body = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (status, body)
    }

    async fn token(&self, scopes: &[&str]) -> String {
        let assertion = sign_as_tool(&self.assertion());
        let (status, body) = self.ask_token(&assertion, &scopes.join(" ")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["expires_in"], 3600);
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A service call; `kind` goes into both `Accept` and, with a body, `Content-Type`.
    async fn call(
        &self,
        token: &str,
        method: Method,
        url: &str,
        kind: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value, Option<String>) {
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(token)
            .header(header::ACCEPT, kind);
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, kind)
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let link = answer.headers().get(header::LINK);
        let link = link.map(|l| l.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::Null),
            link,
        )
    }

    /// Where scores for the whole course go.
    async fn line_item(&self) -> String {
        let claims = self.launch("/as/learner-one/launch/21").await;
        let url = claims[AGS_ENDPOINT]["lineitem"].as_str().unwrap();
        url.to_owned()
    }

    async fn score(&self, token: &str, item: &str, score: &Value) -> (StatusCode, Value) {
        let url = item.replace("/lineitem?", "/lineitem/scores?");
        let (status, body, _) = self
            .call(token, Method::POST, &url, TYPE_SCORE, Some(score))
            .await;
        (status, body)
    }
}

fn score(at: &str) -> Value {
    json!({
        "userId": "103", "timestamp": at, "activityProgress": "Completed",
        "gradingProgress": "FullyGraded", "scoreGiven": 23, "scoreMaximum": 25,
        "comment": "Passed 92 %",
    })
}

fn with(mut base: Value, name: &str, value: Value) -> Value {
    base[name] = value;
    base
}

fn without(mut base: Value, name: &str) -> Value {
    base.as_object_mut().unwrap().remove(name);
    base
}

#[tokio::test]
async fn a_launch_goes_from_click_to_verified_id_token() {
    let rig = rig().await;
    let claims = rig.launch("/as/learner-one/launch/23?in=window").await;
    let lti = |name: &str| &claims[&format!("{LTI}{name}")];
    assert_eq!(claims["iss"], rig.lms.issuer());
    assert_eq!(claims["sub"], "103");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        60
    );
    assert_eq!(claims["email"], "demo.learner.one@example.com");
    assert_eq!(lti("version"), "1.3.0");
    assert_eq!(lti("message_type"), "LtiResourceLinkRequest");
    assert_eq!(lti("deployment_id"), "dep-1");
    assert_eq!(lti("resource_link")["id"], "23");
    assert_eq!(
        *lti("custom"),
        json!({"passmuster_course": "secure-coding", "passmuster_module": "injection"})
    );
    assert_eq!(lti("launch_presentation")["document_target"], "window");
    let item = claims[AGS_ENDPOINT]["lineitem"].as_str().unwrap();
    assert!(item.ends_with("/lineitems/24/lineitem?type_id=1"), "{item}");
}

#[tokio::test]
async fn a_name_that_is_not_shared_is_neither_in_the_launch_nor_in_the_roster() {
    let rig = rig().await;
    let claims = rig.launch("/as/learner-three/launch/21").await;
    for name in ["name", "given_name", "family_name", "email"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    let url = claims[NRPS_CLAIM]["context_memberships_url"]
        .as_str()
        .unwrap();
    let token = rig.token(&[SCOPE_NRPS]).await;
    let (status, roster, _) = rig.call(&token, Method::GET, url, TYPE_MEMBERS, None).await;
    assert_eq!(status, StatusCode::OK);
    let members = roster["members"].as_array().unwrap();
    assert_eq!(members.len(), 5);
    let third = members.iter().find(|m| m["user_id"] == "105").unwrap();
    assert!(third.get("name").is_none() && third.get("email").is_none());
}

#[tokio::test]
async fn the_roster_comes_in_pages_and_by_role() {
    let rig = rig().await;
    let claims = rig.launch("/as/teacher/launch/21").await;
    let url = claims[NRPS_CLAIM]["context_memberships_url"]
        .as_str()
        .unwrap();
    let token = rig.token(&[SCOPE_NRPS]).await;
    let mut next = Some(format!("{url}?limit=2&role=Learner"));
    let mut seen = Vec::new();
    while let Some(url) = next {
        let (status, body, link) = rig
            .call(&token, Method::GET, &url, TYPE_MEMBERS, None)
            .await;
        assert_eq!(status, StatusCode::OK);
        seen.extend(
            body["members"]
                .as_array()
                .unwrap()
                .iter()
                .map(|m| m["user_id"].as_str().unwrap().to_owned()),
        );
        next = link.map(|l| {
            let (url, rel) = l.split_once(">; ").unwrap();
            assert_eq!(rel, "rel=\"next\"");
            url.trim_start_matches('<').to_owned()
        });
    }
    assert_eq!(seen, ["103", "104", "105", "106"]);
    let (status, ..) = rig
        .call(
            &token,
            Method::GET,
            &format!("{url}?rlid=999"),
            TYPE_MEMBERS,
            None,
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_authorization_request_is_answered_with_an_error_form_to_the_tool() {
    let rig = rig().await;
    let cases = [
        ("scope", "openid email", "invalid_scope"),
        ("response_type", "code", "unsupported_response_type"),
        ("response_mode", "query", "invalid_request"),
        ("prompt", "login", "invalid_request"),
        ("nonce", "", "invalid_request"),
        ("state", "", "invalid_request"),
        ("login_hint", "demo-lms|104", "access_denied"),
        ("lti_message_hint", "{}", "launch_no_longer_valid"),
    ];
    for (name, value, code) in cases {
        let mut params = rig.login("/as/learner-one/launch/21").await;
        for (n, v) in &mut params {
            if n == name {
                value.clone_into(v);
            }
        }
        let (_, page) = rig.authorize(&params).await;
        let (action, fields) = form_of(&page);
        assert_eq!(action, format!("{}/lti/launch", rig.tool));
        assert_eq!(field(&fields, "error"), Some(code), "{name}");
        assert_eq!(field(&fields, "id_token"), None, "{name}");
        assert_eq!(field(&fields, "state"), field(&params, "state"), "{name}");
    }
}

#[tokio::test]
async fn a_stranger_s_client_or_redirect_uri_is_sent_nowhere() {
    let rig = rig().await;
    for (name, value) in [
        ("client_id", "other".to_owned()),
        ("redirect_uri", format!("{}/lti/launch/", rig.tool)),
        ("redirect_uri", "https://elsewhere.example/".to_owned()),
    ] {
        let mut params = rig.login("/as/learner-one/launch/21").await;
        for (n, v) in &mut params {
            if n == name {
                v.clone_from(&value);
            }
        }
        let (status, page) = rig.authorize(&params).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(!page.contains("<form"), "{page}");
    }
}

#[tokio::test]
async fn a_hint_serves_once_and_for_ten_minutes_and_a_nonce_once() {
    let rig = rig().await;
    let params = rig.login("/as/learner-one/launch/21").await;
    let error = |page: &str| field(&form_of(page).1, "error").map(str::to_owned);
    assert_eq!(error(&rig.authorize(&params).await.1), None);
    assert_eq!(
        error(&rig.authorize(&params).await.1).as_deref(),
        Some("launch_no_longer_valid")
    );

    let mut again = rig.login("/as/learner-one/launch/21").await;
    let nonce = again.iter_mut().find(|(n, _)| n == "nonce").unwrap();
    field(&params, "nonce").unwrap().clone_into(&mut nonce.1);
    assert_eq!(
        error(&rig.authorize(&again).await.1).as_deref(),
        Some("invalid_request")
    );

    let late = rig.login("/as/learner-one/launch/21").await;
    rig.clock.advance(Duration::from_mins(10));
    assert_eq!(
        error(&rig.authorize(&late).await.1).as_deref(),
        Some("launch_no_longer_valid")
    );
}

#[tokio::test]
async fn the_token_endpoint_refuses_what_is_not_a_fresh_assertion_of_the_tool() {
    let rig = rig().await;
    let good = || rig.assertion();
    let now = rig.clock.now().as_secs();
    let bad_claims = [
        with(good(), "iss", json!("other")),
        with(good(), "sub", json!("other")),
        with(good(), "aud", json!(rig.lms.issuer())),
        without(good(), "aud"),
        with(good(), "exp", json!(now)),
        without(good(), "exp"),
        with(good(), "exp", json!(now + 7200)),
        with(good(), "iat", json!(now + 1)),
        with(good(), "iat", json!(now - 601)),
        without(good(), "iat"),
        with(good(), "nbf", json!(now + 1)),
        without(good(), "jti"),
        with(good(), "jti", json!("")),
    ];
    for claims in bad_claims {
        let (status, body) = rig.ask_token(&sign_as_tool(&claims), SCOPE_SCORE).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{claims}");
        assert_eq!(body["error"], "invalid_client", "{claims}");
    }
    let kid = tool_kid();
    let bad_signatures = [
        sign(&OTHER_PEM, Some(&kid), &good()),
        sign(&TOOL_PEM, None, &good()),
        sign(&TOOL_PEM, Some("unknown"), &good()),
        jsonwebtoken::encode(
            &Header {
                kid: Some(kid),
                ..Header::new(Algorithm::HS256)
            },
            &good(),
            &EncodingKey::from_secret(b"public"),
        )
        .unwrap(),
        "no.jwt.".to_owned(),
    ];
    for jwt in bad_signatures {
        let (status, body) = rig.ask_token(&jwt, SCOPE_SCORE).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["error"], "invalid_client", "{body}");
    }
    let once = sign_as_tool(&good());
    assert_eq!(rig.ask_token(&once, SCOPE_SCORE).await.0, StatusCode::OK);
    let (_, body) = rig.ask_token(&once, SCOPE_SCORE).await;
    assert_eq!(body["error"], "invalid_client");
    let (_, body) = rig.ask_token(&sign_as_tool(&good()), "openid").await;
    assert_eq!(body["error"], "invalid_scope");
    let asked = format!("{SCOPE_SCORE} unknown");
    let (_, body) = rig.ask_token(&sign_as_tool(&good()), &asked).await;
    assert_eq!(body["scope"], SCOPE_SCORE);
    let json_body = rig
        .http
        .post(rig.lms.token_url())
        .header(header::CONTENT_TYPE, "application/json")
        .body("{}");
    let answer = json_body.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_token_opens_its_scopes_for_an_hour() {
    let rig = rig().await;
    let item = rig.line_item().await;
    let token = rig.token(&[SCOPE_LINEITEM_READONLY]).await;
    let get = |token: String| {
        let (rig, item) = (&rig, &item);
        async move {
            let call = rig.call(&token, Method::GET, item, TYPE_LINEITEM, None);
            call.await.0
        }
    };
    assert_eq!(get(token.clone()).await, StatusCode::OK);
    let (status, body) = rig
        .score(&token, &item, &score("2026-06-01T10:00:00.000Z"))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body["error"], "insufficient_scope");
    assert_eq!(get("guess".to_owned()).await, StatusCode::UNAUTHORIZED);
    rig.clock.advance(Duration::from_hours(1));
    assert_eq!(get(token).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_full_score_sets_the_grade_and_anything_less_erases_it() {
    let rig = rig().await;
    let item = rig.line_item().await;
    let token = rig.token(&[SCOPE_SCORE, SCOPE_RESULT]).await;
    let (status, _) = rig
        .score(&token, &item, &score("2026-06-01T10:00:00.100Z"))
        .await;
    assert_eq!(status, StatusCode::OK);
    let row = &rig.lms.grades()[0];
    assert_eq!(
        (format!("{:?}", row.score), row.comment.as_str()),
        ("Some(92.0)".to_owned(), "Passed 92 %")
    );

    for at in [
        "2026-06-01T10:00:00.100Z",
        "2026-06-01T10:00:00.900Z",
        "2026-06-01T11:59:00+02:00",
    ] {
        let (status, _) = rig.score(&token, &item, &score(at)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{at}");
    }

    let url = item.replace("/lineitem?", "/lineitem/results?");
    let (_, results, _) = rig
        .call(&token, Method::GET, &url, TYPE_RESULTS, None)
        .await;
    assert_eq!(results[0]["resultScore"], 92.0);
    assert_eq!(results[0]["scoreOf"], item.as_str());
    let none = format!("{url}&user_id=104");
    let (_, results, _) = rig
        .call(&token, Method::GET, &none, TYPE_RESULTS, None)
        .await;
    assert_eq!(results, json!([]));

    let started = json!({
        "userId": "103", "timestamp": "2026-06-01T10:00:02Z",
        "activityProgress": "Started", "gradingProgress": "Pending",
    });
    let (status, _) = rig.score(&token, &item, &started).await;
    assert_eq!(status, StatusCode::OK);
    let row = &rig.lms.grades()[0];
    assert_eq!((row.score, row.comment.as_str()), (None, ""));
}

#[tokio::test]
async fn a_malformed_score_is_refused() {
    let rig = rig().await;
    let item = rig.line_item().await;
    let token = rig.token(&[SCOPE_SCORE]).await;
    let good = || score("2026-06-01T10:00:00.000Z");
    let bad = [
        with(good(), "userId", json!("999")),
        with(good(), "userId", json!("102")),
        with(good(), "userId", json!(103)),
        without(good(), "userId"),
        with(good(), "timestamp", json!("2026-06-01")),
        with(good(), "timestamp", json!("2026-06-01T10:00:00")),
        with(good(), "timestamp", json!(1_780_000_000)),
        with(good(), "activityProgress", json!("Done")),
        with(good(), "gradingProgress", json!("fullygraded")),
        without(good(), "gradingProgress"),
        without(good(), "scoreMaximum"),
        with(good(), "scoreMaximum", json!(0)),
        with(good(), "scoreGiven", json!(-1)),
        with(good(), "scoreGiven", json!("23")),
        with(good(), "comment", Value::Null),
        json!([good()]),
    ];
    for body in bad {
        let (status, _) = rig.score(&token, &item, &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
    let url = item.replace("/lineitem?", "/lineitem/scores?");
    let (status, ..) = rig
        .call(
            &token,
            Method::POST,
            &url,
            "application/json",
            Some(&good()),
        )
        .await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let pasted = format!("{item}/scores");
    let (status, ..) = rig
        .call(&token, Method::POST, &pasted, TYPE_SCORE, Some(&good()))
        .await;
    assert_ne!(status, StatusCode::OK);
    assert!(rig.lms.grades().is_empty());
}

#[tokio::test]
async fn a_teacher_s_grade_stands_until_it_is_cleared() {
    let rig = rig().await;
    let item = rig.line_item().await;
    let token = rig.token(&[SCOPE_SCORE]).await;
    let set = |act: &'static str| {
        let form = [
            ("item", "22"),
            ("sub", "103"),
            ("score", "50"),
            ("comment", "By hand"),
            ("act", act),
        ];
        let url = format!("{}/as/teacher/grades", rig.base);
        rig.http.post(url).form(&form).send()
    };
    assert_eq!(set("set").await.unwrap().status(), StatusCode::SEE_OTHER);
    let now = |s: i64| Timestamp::from_secs(rig.clock.now().as_secs() + s).rfc3339_ms();
    let (status, _) = rig.score(&token, &item, &score(&now(0))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = rig.score(&token, &item, &score(&now(1))).await;
    assert_eq!(status, StatusCode::OK);
    let row = &rig.lms.grades()[0];
    assert_eq!((row.score, row.comment.as_str()), (Some(50.0), "By hand"));
    assert!(row.overridden);
    set("clear").await.unwrap();
    assert_eq!(rig.lms.grades()[0].score, None);
    let (status, _) = rig.score(&token, &item, &score(&now(2))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(rig.lms.grades()[0].score, Some(92.0));

    let by_learner = rig
        .http
        .post(format!("{}/as/learner-one/grades", rig.base))
        .form(&[
            ("item", "22"),
            ("sub", "103"),
            ("score", "100"),
            ("act", "set"),
        ]);
    let answer = by_learner.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn line_items_are_made_found_replaced_and_removed() {
    let rig = rig().await;
    let claims = rig.launch("/as/teacher/launch/21").await;
    let list = claims[AGS_ENDPOINT]["lineitems"].as_str().unwrap();
    let token = rig.token(&[SCOPE_LINEITEM]).await;
    let call = |method, url: String, kind, body: Option<Value>| {
        let (rig, token) = (&rig, &token);
        async move { rig.call(token, method, &url, kind, body.as_ref()).await }
    };
    let new = json!({"label": "Own", "scoreMaximum": 10, "resourceId": "r", "tag": "t"});
    let (status, made, _) = call(
        Method::POST,
        list.to_owned(),
        TYPE_LINEITEM,
        Some(new.clone()),
    )
    .await;
    assert_eq!(status, StatusCode::CREATED);
    let url = made["id"].as_str().unwrap().to_owned();
    for bad in [
        with(new.clone(), "scoreMaximum", json!(0)),
        without(new.clone(), "scoreMaximum"),
        with(new.clone(), "label", json!(" ")),
        with(new.clone(), "tag", json!(1)),
    ] {
        let (status, ..) = call(Method::POST, list.to_owned(), TYPE_LINEITEM, Some(bad)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let foreign = with(new.clone(), "resourceLinkId", json!("999"));
    let (status, ..) = call(Method::POST, list.to_owned(), TYPE_LINEITEM, Some(foreign)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let found = |query: &str| call(Method::GET, format!("{list}&{query}"), TYPE_LINEITEMS, None);
    assert_eq!(found("resource_id=r&tag=t").await.1, json!([made.clone()]));
    let (_, one, link) = found("limit=1").await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert!(
        link.unwrap()
            .contains("type_id=1&limit=1&from=1>; rel=\"next\"")
    );
    let (status, ..) = call(Method::GET, list.to_owned(), "*/*", None).await;
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE);

    let less = json!({"id": url, "label": "Renamed", "scoreMaximum": 20});
    let (status, now, _) = call(Method::PUT, url.clone(), TYPE_LINEITEM, Some(less)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(now.get("tag").is_none() && now["scoreMaximum"] == 20.0);
    let gone = call(Method::DELETE, url.clone(), TYPE_LINEITEM, None).await;
    assert_eq!(gone.0, StatusCode::NO_CONTENT);
    let (status, ..) = call(Method::GET, url, TYPE_LINEITEM, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // A second line item on one link takes the claim away, as on Moodle.
    let second = with(new, "resourceLinkId", json!("21"));
    call(Method::POST, list.to_owned(), TYPE_LINEITEM, Some(second)).await;
    let claims = rig.launch("/as/teacher/launch/21").await;
    assert!(claims[AGS_ENDPOINT].get("lineitem").is_none());
}

/// The response that a right tool gives to a deep linking launch.
fn picked(rig: &Rig, settings: &Value) -> Value {
    let now = rig.clock.now().as_secs();
    json!({
        "iss": "demo-client", "aud": rig.lms.issuer(), "iat": now, "exp": now + 300,
        "nonce": rig.fresh(),
        format!("{LTI}message_type"): "LtiDeepLinkingResponse",
        format!("{LTI}version"): "1.3.0",
        format!("{LTI}deployment_id"): "dep-1",
        format!("{DL}data"): settings["data"],
        format!("{DL}msg"): "Two <chosen>",
        format!("{DL}content_items"): [
            {"type": "ltiResourceLink", "title": "Picked", "text": "t",
             "custom": {"passmuster_course": "c-9", "link": "$ResourceLink.id"},
             "lineItem": {"scoreMaximum": 100, "resourceId": "c-9", "tag": "quiz"}},
            {"type": "link", "title": "A page", "url": "https://elsewhere.example/"},
        ],
    })
}

#[tokio::test]
async fn picked_content_becomes_links_with_line_items_once() {
    let rig = rig().await;
    let claims = rig.launch("/as/teacher/content/pick").await;
    assert_eq!(
        claims[&format!("{LTI}message_type")],
        "LtiDeepLinkingRequest"
    );
    let settings = claims[&format!("{DL}deep_linking_settings")].clone();
    let back = settings["deep_link_return_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let send = |jwt: String| {
        let (rig, back) = (&rig, &back);
        async move {
            let form = [("JWT", jwt)];
            let answer = rig.http.post(back).form(&form).send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        }
    };
    let good = || picked(&rig, &settings);
    let bad = [
        with(good(), "iss", json!("other")),
        with(good(), "aud", json!("other")),
        with(good(), "exp", json!(1)),
        without(good(), "nonce"),
        with(good(), &format!("{LTI}deployment_id"), json!("dep-2")),
        with(good(), &format!("{LTI}message_type"), json!("other")),
        with(good(), &format!("{LTI}version"), json!("1.3")),
        with(good(), &format!("{DL}data"), json!("other")),
        without(good(), &format!("{DL}data")),
        with(good(), &format!("{DL}content_items"), json!({})),
    ];
    let last = bad.len() - 1;
    for claims in &bad[..last] {
        let (status, page) = send(sign_as_tool(claims)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{claims}");
        assert!(page.contains("refused"));
    }
    let forged = sign(&OTHER_PEM, Some(&tool_kid()), &good());
    assert_eq!(send(forged).await.0, StatusCode::BAD_REQUEST);

    let answer = sign_as_tool(&good());
    let (status, page) = send(answer.clone()).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("One link was added"), "{page}");
    assert!(page.contains("not added: its type is not ltiResourceLink"));
    assert!(!page.contains("<chosen>"));
    assert_eq!(send(answer).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        send(sign_as_tool(&bad[last])).await.0,
        StatusCode::BAD_REQUEST
    );

    let launched = rig.launch("/as/learner-two/launch/25").await;
    assert_eq!(
        launched[&format!("{LTI}custom")],
        json!({"passmuster_course": "c-9", "link": "25"})
    );
    assert!(launched[AGS_ENDPOINT].get("lineitem").is_some());
    let learner = rig.page("/as/learner-one/content/pick").await;
    assert_eq!(learner.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn pages_answer_under_the_lms_s_own_name_and_allow_nothing_inline() {
    let rig = rig().await;
    for path in [
        "/",
        "/as/teacher",
        "/as/learner-one",
        "/as/learner-one/link/21",
        "/as/teacher/grades",
        "/as/contractor/grades",
        "/as/teacher/content",
        "/log",
        "/static/lms.css",
    ] {
        let answer = rig.http.get(format!("{}{path}", rig.base)).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        if path.starts_with("/static") {
            continue;
        }
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(!policy.contains("unsafe") && policy.contains(&rig.tool));
        let page = answer.text().await.unwrap();
        assert!(
            !page.contains("<b>demo") && !page.contains("style=\""),
            "{path}"
        );
    }
    assert_eq!(rig.page("/as/nobody").await.0, StatusCode::NOT_FOUND);
    assert_eq!(rig.page("/static/../x").await.0, StatusCode::NOT_FOUND);
    let foreign = rig
        .http
        .get(format!("{}/log", rig.base))
        .header(header::HOST, "elsewhere.example");
    let answer = foreign.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(
        answer.headers()["location"].to_str().unwrap(),
        format!("{}/log", rig.base)
    );
}

#[tokio::test]
async fn the_log_tells_causes_and_no_tokens() {
    let rig = rig().await;
    let item = rig.line_item().await;
    let token = rig.token(&[SCOPE_SCORE]).await;
    rig.score(&token, &item, &score("2026-06-01T10:00:00.000Z"))
        .await;
    rig.score(&token, &item, &score("2026-06-01T10:00:00.000Z"))
        .await;
    let (_, page) = rig.page("/log").await;
    assert!(page.contains("grade set: 92 of 100"), "{page}");
    assert!(page.contains("timestamp is not later"));
    assert!(!page.contains(&token) && !page.contains("eyJ"));
}

#[test]
fn a_restart_keeps_key_links_and_gradebook_and_a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lms.json");
    let mut config = config("http://localhost:7101", "http://127.0.0.1:7100");
    config.state_file = Some(file.clone());
    let open = |config: &LmsConfig, seed: u8| {
        let clock = Arc::new(FixedClock::at(Timestamp::from_secs(0)));
        let entropy = Arc::new(SeededEntropy::new([seed; 32]));
        Lms::open(config.clone(), clock, entropy)
    };
    let first = open(&config, 1).unwrap();
    assert_eq!(first.issuer(), "http://localhost:7101");
    assert_eq!(
        first.token_url().as_str(),
        "http://localhost:7101/lti/token"
    );
    let keys = first.0.key.jwks();
    first
        .0
        .store
        .change(|s| {
            s.remove_line_item("24");
            Ok::<_, LmsError>(())
        })
        .unwrap();
    drop(first);
    "New title".clone_into(&mut config.links[0].title);
    let second = open(&config, 2).unwrap();
    assert_eq!(second.0.key.jwks(), keys);
    second.0.store.read(|s| {
        assert_eq!(s.links[0].title, "New title");
        assert_eq!((s.links.len(), s.line_items.len()), (2, 1));
    });
    std::fs::write(&file, "{").unwrap();
    let error = open(&config, 3).unwrap_err();
    assert_eq!(error.code(), "demo.state_shape");
}
