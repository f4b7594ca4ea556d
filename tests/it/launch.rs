//! Launches through the public doors: the certification table's good and bad payloads, replays, other browsers,
//! headers, what is written and what is not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::platform::LTI;
use crate::common::{TestApp, add_tenant, connect};

type Bend = fn(&mut Value);

fn claim(name: &str) -> String {
    format!("{LTI}{name}")
}

fn drop_claim(v: &mut Value, name: &str) {
    v.as_object_mut().unwrap().remove(name);
}

/// Certification table §13.1 and our additions: payload, and the code on the page.
const BAD: &[(&str, Bend, &str)] = &[
    (
        "version 11.3",
        |v| v[claim("version")] = json!("11.3"),
        "launch.wrong_version",
    ),
    (
        "no version",
        |v| drop_claim(v, &claim("version")),
        "launch.missing_claim",
    ),
    (
        "no LTI message",
        |v| *v = json!({"name": "badltilaunch"}),
        "launch.missing_claim",
    ),
    (
        "iat and exp long ago",
        |v| {
            v["iat"] = json!(11111);
            v["exp"] = json!(22222);
        },
        "launch.expired",
    ),
    (
        "no message type",
        |v| drop_claim(v, &claim("message_type")),
        "launch.missing_claim",
    ),
    (
        "no roles",
        |v| drop_claim(v, &claim("roles")),
        "launch.missing_roles",
    ),
    (
        "no deployment",
        |v| drop_claim(v, &claim("deployment_id")),
        "launch.missing_deployment",
    ),
    (
        "no resource link",
        |v| drop_claim(v, &claim("resource_link")),
        "launch.missing_resource_link",
    ),
    (
        "no resource link id",
        |v| v[claim("resource_link")] = json!({"title": "x"}),
        "launch.missing_resource_link",
    ),
    ("no sub", |v| drop_claim(v, "sub"), "launch.missing_subject"),
    (
        "wrong audience",
        |v| v["aud"] = json!("other"),
        "launch.wrong_audience",
    ),
    (
        "two audiences without azp",
        |v| v["aud"] = json!(["client-1", "other"]),
        "launch.azp_missing",
    ),
    (
        "azp of another",
        |v| v["azp"] = json!("other"),
        "launch.wrong_azp",
    ),
    (
        "wrong issuer",
        |v| v["iss"] = json!("https://other.example"),
        "launch.wrong_issuer",
    ),
    (
        "issuer as a list",
        |v| v["iss"] = json!([v["iss"].clone()]),
        "launch.bad_format",
    ),
    (
        "wrong nonce",
        |v| v["nonce"] = json!("other"),
        "launch.nonce_mismatch",
    ),
    (
        "expired by 61 s",
        |v| v["exp"] = json!(v["exp"].as_i64().unwrap() - 60 - 61),
        "launch.expired",
    ),
    (
        "issued in the future",
        |v| {
            v["iat"] = json!(v["iat"].as_i64().unwrap() + 120);
        },
        "launch.issued_in_future",
    ),
    (
        "unknown deployment",
        |v| v[claim("deployment_id")] = json!("2"),
        "launch.unknown_deployment",
    ),
    (
        "foreign target",
        |v| v[claim("target_link_uri")] = json!("https://evil.example/"),
        "launch.foreign_target",
    ),
    (
        "deep linking at this door",
        |v| v[claim("message_type")] = json!("LtiDeepLinkingRequest"),
        "launch.unsupported_message",
    ),
    (
        "no course of ours",
        |v| v[claim("custom")] = json!({"passmuster_course": "nonsense"}),
        "launch.unknown_course",
    ),
    (
        "module of another course",
        |v| v[claim("custom")] = json!({"passmuster_course": "owasp-top10-2025", "passmuster_module": "gsa02-phishing-and-social-engineering"}),
        "launch.unknown_course",
    ),
];

#[tokio::test]
async fn bad_payloads_are_refused_each_with_its_code_and_write_nothing() {
    for t in TestApp::on_both().await {
        for (what, bend, code) in BAD {
            let mut browser = t.browser();
            let page = t
                .platform
                .launch_with(&t.app, &mut browser, "bad", bend)
                .await;
            assert!(page.status.is_client_error(), "{what}: {}", page.status);
            assert_eq!(page.code(), *code, "{what}");
            assert!(
                !browser.cookies.contains_key("pm_session"),
                "{what}: a session was begun"
            );
            assert!(
                !page.body.contains("bad@example.com"),
                "{what}: personal data on an error page"
            );
        }
        assert!(
            t.app
                .db
                .list_person_ids(&t.tenant.id)
                .await
                .unwrap()
                .is_empty(),
            "a person was written"
        );
    }
}

/// Certification table §13.2: what must launch.
const GOOD: &[(&str, Bend)] = &[
    ("as it is", |_| {}),
    ("several roles", |v| {
        v[claim("roles")] = json!([
            "Learner",
            "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"
        ]);
    }),
    ("short role", |v| v[claim("roles")] = json!(["Instructor"])),
    ("unknown role", |v| {
        v[claim("roles")] =
            json!(["http://purl.imsglobal.org/vocab/lis/v2/membership#unknown-helper"]);
    }),
    ("no role", |v| v[claim("roles")] = json!([])),
    ("e-mail only", |v| drop_claim(v, "name")),
    ("name only", |v| drop_claim(v, "email")),
    ("nothing personal", |v| {
        drop_claim(v, "email");
        drop_claim(v, "name");
    }),
    ("no context", |v| drop_claim(v, &claim("context"))),
    ("resource link only", |v| {
        drop_claim(v, &claim("context"));
        drop_claim(v, "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint");
    }),
    ("audience as a list of one", |v| {
        v["aud"] = json!([v["aud"].clone()]);
    }),
    ("times with a fraction", |v| {
        v["iat"] = json!(v["iat"].as_f64().unwrap() + 0.5);
    }),
    ("nulls and strangers", |v| {
        v["given_name"] = Value::Null;
        v["x"] = json!({"a": [1]});
    }),
    ("course by the target's query", |v| {
        let target =
            v[claim("target_link_uri")].as_str().unwrap().to_owned() + "?course=owasp-top10-2025";
        v[claim("target_link_uri")] = json!(target);
        v[claim("custom")] = json!({"passmuster_course": "$Unresolved"});
    }),
];

#[tokio::test]
async fn good_payloads_launch_whatever_the_platform_leaves_out() {
    for t in TestApp::on_both().await {
        for (i, (what, bend)) in GOOD.iter().enumerate() {
            let mut browser = t.browser();
            let page = t
                .platform
                .launch_with(&t.app, &mut browser, &format!("good-{i}"), bend)
                .await;
            assert_eq!(page.status.as_u16(), 200, "{what}: {}", page.body);
            assert!(
                page.url.path().starts_with("/learn/"),
                "{what}: {}",
                page.url
            );
            assert!(
                page.url.query().is_none(),
                "{what}: something is in the address"
            );
        }
        assert_eq!(t.platform.jwks_requests(), 1, "the key set is fetched once");
    }
}

#[tokio::test]
async fn a_replayed_answer_a_foreign_browser_and_a_late_one_are_refused() {
    for t in TestApp::on_both().await {
        let mut browser = t.browser();
        let form = t.platform.login(&mut browser).await;
        let token = t
            .platform
            .sign(&t.platform.claims(&t.app, &form.nonce, "s1"));
        let answer = [("state", form.state.as_str()), ("id_token", token.as_str())];

        let mut other = t.browser();
        let page = other.post("/lti/launch", &answer).await;
        assert_eq!(page.code(), "launch.state_other_browser");

        let good_cookies = browser.cookies.clone();
        let page = browser.post("/lti/launch", &answer).await;
        assert_eq!(page.status.as_u16(), 200);
        browser.cookies = good_cookies;
        let page = browser.post("/lti/launch", &answer).await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (409, "launch.state_unknown"),
            "used once"
        );

        let form = t.platform.login(&mut browser).await;
        t.later(601);
        let token = t
            .platform
            .sign(&t.platform.claims(&t.app, &form.nonce, "s1"));
        let page = browser
            .post(
                "/lti/launch",
                &[("state", &form.state), ("id_token", &token)],
            )
            .await;
        assert_eq!(page.code(), "launch.state_expired");
    }
}

#[tokio::test]
async fn twenty_posts_of_one_answer_make_one_session() {
    for t in TestApp::on_both().await {
        let mut browser = t.browser();
        let form = t.platform.login(&mut browser).await;
        let token = t
            .platform
            .sign(&t.platform.claims(&t.app, &form.nonce, "s1"));
        let posts = (0..20).map(|_| {
            let (mut b, token, state) = (t.browser(), token.clone(), form.state.clone());
            b.cookies = browser.cookies.clone();
            async move {
                b.send(
                    Method::POST,
                    "/lti/launch",
                    Some(&[("state", &state), ("id_token", &token)]),
                )
                .await
                .status
            }
        });
        let all = futures_util::future::join_all(posts).await;
        assert_eq!(
            all.iter().filter(|s| s.is_redirection()).count(),
            1,
            "{all:?}"
        );
    }
}

#[tokio::test]
async fn a_platform_s_error_is_shown_and_its_words_are_not() {
    let t = TestApp::on(crate::common::db::sqlite()).await;
    let mut browser = t.browser();
    let form = t.platform.login(&mut browser).await;
    let answer = [
        ("state", form.state.as_str()),
        ("error", "login_required"),
        ("error_description", "<script>x</script>"),
    ];
    let page = browser.post("/lti/launch", &answer).await;
    assert_eq!(page.code(), "launch.platform_error");
    assert!(!page.body.contains("<script>x"));
    let csp = page.headers["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        csp.contains(&format!("frame-ancestors {}", t.platform.issuer)),
        "{csp}"
    );
}

#[tokio::test]
async fn login_refuses_what_it_cannot_place_and_redirects_nowhere() {
    let t = TestApp::on(crate::common::db::sqlite()).await;
    let target = t.app.url("lti/launch");
    let iss = t.platform.issuer.as_str();
    let long = "x".repeat(5000);
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[("login_hint", "1"), ("target_link_uri", &target)],
            "login.missing_parameter",
        ),
        (
            &[
                ("iss", "https://nobody.example"),
                ("login_hint", "1"),
                ("target_link_uri", &target),
            ],
            "login.unknown_platform",
        ),
        (
            &[
                ("iss", iss),
                ("client_id", "zz"),
                ("login_hint", "1"),
                ("target_link_uri", &target),
            ],
            "login.unknown_platform",
        ),
        (
            &[
                ("iss", iss),
                ("login_hint", "1"),
                ("target_link_uri", "https://evil.example/"),
            ],
            "login.foreign_target",
        ),
        (
            &[
                ("iss", iss),
                ("login_hint", &long),
                ("target_link_uri", &target),
            ],
            "login.parameter_too_long",
        ),
        (
            &[
                ("iss", iss),
                ("iss", iss),
                ("login_hint", "1"),
                ("target_link_uri", &target),
            ],
            "login.duplicate_parameter",
        ),
    ];
    for (form, code) in cases {
        let page = t
            .browser()
            .send(Method::POST, "/lti/login", Some(form))
            .await;
        assert_eq!((page.status.as_u16(), page.code().as_str()), (400, code));
        assert_eq!(page.location(), "");
    }
    // By GET it works the same.
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("iss", iss),
            ("login_hint", "1"),
            ("target_link_uri", &target),
        ])
        .finish();
    let page = t
        .browser()
        .send(Method::GET, &format!("/lti/login?{query}"), None)
        .await;
    assert_eq!(page.status.as_u16(), 303);
    assert!(
        page.location().contains("keep=me&scope=openid"),
        "the endpoint's own query is kept"
    );
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    for part in [
        "HttpOnly",
        "Secure",
        "SameSite=None",
        "Partitioned",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn platforms_that_share_issuer_and_client_id_stay_apart_by_their_login_addresses() {
    for t in TestApp::on_both().await {
        let other = add_tenant(&t.app, "other").await;
        let registration = connect(&t.app, &other.id, &t.platform).await;
        let target = t.app.url("lti/launch");
        let form = [
            ("iss", t.platform.issuer.as_str()),
            ("login_hint", "1"),
            ("target_link_uri", target.as_str()),
        ];
        let page = t
            .browser()
            .send(Method::POST, "/lti/login", Some(&form))
            .await;
        assert_eq!(page.code(), "login.ambiguous_platform");
        let keyed = format!("/lti/login/{}", registration.key);
        let mut browser = t.browser();
        let page = browser.send(Method::POST, &keyed, Some(&form)).await;
        assert_eq!(page.status.as_u16(), 303);
        let redirect = url::Url::parse(&page.location()).unwrap();
        let find = |n: &str| {
            redirect
                .query_pairs()
                .find(|(k, _)| k == n)
                .unwrap()
                .1
                .into_owned()
        };
        let token = t
            .platform
            .sign(&t.platform.claims(&t.app, &find("nonce"), "s1"));
        let page = browser
            .post(
                "/lti/launch",
                &[("state", &find("state")), ("id_token", &token)],
            )
            .await;
        assert_eq!(page.status.as_u16(), 200);
        assert_eq!(t.app.db.list_person_ids(&other.id).await.unwrap().len(), 1);
        assert!(
            t.app
                .db
                .list_person_ids(&t.tenant.id)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn learners_pages_may_be_framed_by_the_tenant_s_platforms_only() {
    let t = TestApp::on(crate::common::db::sqlite()).await;
    let mut browser = t.browser();
    let page = t.platform.launch(&t.app, &mut browser, "s1").await;
    let csp = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        csp.ends_with(&format!("frame-ancestors {}", t.platform.issuer)),
        "{csp}"
    );
    assert!(!csp.contains("unsafe-inline"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(!page.headers.contains_key("x-frame-options"));
    let page = browser.get("/").await;
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .ends_with("frame-ancestors 'none'")
    );
}
