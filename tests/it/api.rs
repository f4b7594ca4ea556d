//! Reports through the API: who may, which rows, which bytes.

use reqwest::StatusCode;

use crate::common::{TestApp, add_tenant, add_token};

async fn get(t: &TestApp, path: &str, token: Option<&str>) -> (StatusCode, String, String) {
    let mut request = reqwest::Client::new().get(t.app.url(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (response.status(), kind, response.text().await.unwrap())
}

fn rows(csv: &str) -> Vec<csv::StringRecord> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv.as_bytes())
        .records()
        .map(Result::unwrap)
        .collect()
}

#[tokio::test]
async fn a_report_needs_a_token_with_its_scope_and_shows_one_tenant() {
    for t in TestApp::on_both().await {
        let mut browser = t.browser();
        t.platform.launch(&t.app, &mut browser, "s1").await;
        let path = "api/v1/reports/completions.csv";
        let (status, kind, body) = get(&t, path, None).await;
        assert_eq!(
            (status.as_u16(), kind.as_str()),
            (401, "application/problem+json")
        );
        assert!(body.contains("api.token"));
        assert_eq!(get(&t, path, Some("nonsense")).await.0.as_u16(), 401);
        let powerless = t.token("other:thing").await;
        assert_eq!(get(&t, path, Some(&powerless)).await.0.as_u16(), 403);

        let token = t.token("reports:read").await;
        let (status, kind, body) = get(&t, path, Some(&token)).await;
        assert_eq!(
            (status.as_u16(), kind.as_str()),
            (200, "text/csv; charset=utf-8; header=present")
        );
        let all = rows(&body);
        assert_eq!((all.len(), all[0].len(), all[1].len()), (2, 45, 45));
        assert_eq!(
            (&all[1][5], &all[1][14], &all[1][22]),
            ("Person s1", "general-security-awareness", "assigned")
        );
        assert!(body.ends_with("\r\n"));

        let other = add_tenant(&t.app, "other").await;
        let foreign = add_token(&t.app, &other.id, "reports:read").await;
        let (_, _, body) = get(&t, path, Some(&foreign)).await;
        assert_eq!(rows(&body).len(), 1, "an empty report is its header");
    }
}

#[tokio::test]
async fn filters_choose_rows_and_unknown_ones_are_refused() {
    for t in TestApp::on_both().await {
        for sub in ["s1", "s2"] {
            let mut browser = t.browser();
            t.platform.launch(&t.app, &mut browser, sub).await;
        }
        let token = t.token("reports:read").await;
        let count = async |query: &str| {
            let (status, _, body) = get(
                &t,
                &format!("api/v1/reports/completions.csv?{query}"),
                Some(&token),
            )
            .await;
            assert_eq!(status.as_u16(), 200, "{query}: {body}");
            rows(&body).len() - 1
        };
        assert_eq!(count("").await, 2);
        assert_eq!(count("person=S1@example.com").await, 1);
        assert_eq!(count("course=owasp-top10-2025").await, 0);
        assert_eq!(
            count("from=2026-01-01&to=2027-01-01").await,
            0,
            "nothing was completed"
        );
        assert_eq!(
            count("as_of=2026-05-31").await,
            0,
            "nobody had launched then"
        );
        for bad in ["from=yesterday", "profile=huge", "color=red"] {
            let (status, _, body) = get(
                &t,
                &format!("api/v1/reports/completions.csv?{bad}"),
                Some(&token),
            )
            .await;
            assert_eq!(status.as_u16(), 400, "{bad}");
            assert!(body.contains("report.parameter"));
        }
        let (_, _, short) = get(
            &t,
            "api/v1/reports/completions.csv?profile=short",
            Some(&token),
        )
        .await;
        assert!(short.starts_with("full_name,email,course_title,modules_passed,quiz_score_percent,completed_at,attested_at\r\n"));
        assert_eq!(
            get(&t, "api/v1/reports/secrets.csv", Some(&token))
                .await
                .0
                .as_u16(),
            404
        );
    }
}

#[tokio::test]
async fn the_ledger_s_head_is_sealed_with_the_published_key() {
    let t = TestApp::on(crate::common::db::sqlite()).await;
    let token = t.token("reports:read").await;
    let (_, kind, sealed) = get(&t, "api/v1/ledger/head", Some(&token)).await;
    assert_eq!(kind, "application/jose");
    let (_, _, keys) = get(&t, ".well-known/jwks.json", None).await;
    let opened = passmuster::evidence::jws::open(&sealed, &keys).unwrap();
    let head: serde_json::Value = serde_json::from_slice(&opened.payload).unwrap();
    assert_eq!(head["size"], 0);
    let (_, _, lti) = get(&t, "lti/jwks.json", None).await;
    assert!(
        passmuster::evidence::jws::open(&sealed, &lti).is_err(),
        "LTI and evidence keys are apart"
    );
    for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""] {
        assert!(!keys.contains(private) && !lti.contains(private));
    }
}
