use aws_lc_rs::hmac;
use serde_json::json;

use super::*;
use crate::lti::{
    testing::{IdToken, NOW, decoding, key_a, key_b, platform},
    vocab::claim,
};

fn launch(id_token: &str) -> Result<Launch, LaunchError> {
    launch_at(id_token, NOW)
}

fn launch_at(id_token: &str, now: Timestamp) -> Result<Launch, LaunchError> {
    let public_url = Url::parse("https://t.example").unwrap();
    let expected = Expected {
        nonce: "nonce-1",
        public_url: &public_url,
    };
    let kid = peek_header(id_token)?;
    let keys = if kid.as_str() == key_a().kid() {
        vec![decoding(key_a())]
    } else {
        vec![]
    };
    verify(&platform(), &expected, &keys, id_token, now)
}

fn code(result: Result<Launch, LaunchError>) -> &'static str {
    result.expect_err("refused").code()
}

#[test]
fn a_good_launch_says_all_it_says() {
    let l = launch(&IdToken::good().sign()).unwrap();
    assert_eq!((l.sub.as_str(), l.deployment_id.as_str()), ("17", "3"));
    assert_eq!(l.person.display_name().as_deref(), Some("Ana Lee"));
    assert_eq!(
        l.context.as_ref().unwrap().title.as_deref(),
        Some("Security")
    );
    assert_eq!(l.resource_link.id, "21");
    assert!(l.roles.is_learner());
    assert_eq!(l.target_link_uri.as_str(), "https://t.example/learn?quiz=1");
    let custom: Vec<_> = l.custom.iter().map(|(k, v)| (&**k, &**v)).collect();
    assert_eq!(custom, [("course", "c-77"), ("n", "4")]);
    let ags = l.ags.as_ref().unwrap();
    assert_eq!(
        ags.lineitem.as_deref(),
        Some("https://p.example/li/9/lineitem?type_id=3")
    );
    assert_eq!(l.nrps_url.as_deref(), Some("https://p.example/members"));
    assert_eq!(l.presentation.locale.as_deref(), Some("en"));
    assert_eq!(l.presentation.document_target.as_deref(), Some("iframe"));
    assert!(l.presentation.return_url.is_some());
    assert_eq!(l.issued_at, NOW);
    let debug = format!("{l:?} {:?}", l.person);
    for personal in ["Ana", "Lee", "x.example", "\"17\""] {
        assert!(!debug.contains(personal), "{personal}");
    }
}

/// Each case breaks one thing. The numbers are those of the certification's "known bad" payloads, N13 on are ours.
#[test]
fn each_broken_claim_has_its_own_refusal() {
    let now = NOW.as_secs();
    let good = IdToken::good;
    #[rustfmt::skip]
    let cases = [
        ("N1 no kid", good().header("kid", json!(null)), "launch.missing_kid"),
        ("N1 kid a number", good().header("kid", json!(7)), "launch.missing_kid"),
        ("N1 kid huge", good().header("kid", json!("k".repeat(256))), "launch.missing_kid"),
        ("N2 unknown kid", good().header("kid", json!("../../etc")), "launch.unknown_key"),
        ("N3 version", good().with(claim::VERSION, json!("11.3")), "launch.wrong_version"),
        ("N3 version 1.1", good().with(claim::VERSION, json!("LTI-1p0")), "launch.wrong_version"),
        ("N4 no version", good().without(&[claim::VERSION]), "launch.missing_claim"),
        ("N5 no LTI message", IdToken { claims: json!({ "name": "badltilaunch" }), ..good() }, "launch.missing_claim"),
        ("N6 five missing", good().without(&["iss", "aud", "sub", claim::DEPLOYMENT_ID, claim::ROLES]), "launch.missing_claim"),
        ("N7 in 1970", good().with("iat", json!(11111)).with("exp", json!(22222)), "launch.expired"),
        ("N7 issued in 1970", good().with("iat", json!(11111)), "launch.stale"),
        ("N8 no message type", good().without(&[claim::MESSAGE_TYPE]), "launch.missing_claim"),
        ("N9 no roles", good().without(&[claim::ROLES]), "launch.missing_roles"),
        ("N9 roles null", good().with(claim::ROLES, json!(null)), "launch.missing_roles"),
        ("N9 roles a text", good().with(claim::ROLES, json!("Instructor")), "launch.missing_roles"),
        ("N10 no deployment", good().without(&[claim::DEPLOYMENT_ID]), "launch.missing_deployment"),
        ("N10 deployment empty", good().with(claim::DEPLOYMENT_ID, json!("")), "launch.missing_deployment"),
        ("N10 deployment huge", good().with(claim::DEPLOYMENT_ID, json!("d".repeat(256))), "launch.missing_deployment"),
        ("N11 no link", good().without(&[claim::RESOURCE_LINK]), "launch.missing_resource_link"),
        ("N11 no link id", good().with(claim::RESOURCE_LINK, json!({ "title": "x" })), "launch.missing_resource_link"),
        ("N11 link id empty", good().with(claim::RESOURCE_LINK, json!({ "id": "" })), "launch.missing_resource_link"),
        ("N12 no sub", good().without(&["sub"]), "launch.missing_subject"),
        ("N12 sub empty", good().with("sub", json!("")), "launch.missing_subject"),
        ("N12 sub huge", good().with("sub", json!("s".repeat(256))), "launch.missing_subject"),
        ("N12 sub not ASCII", good().with("sub", json!("é")), "launch.missing_subject"),
        ("N16 other audience", good().with("aud", json!("other")), "launch.wrong_audience"),
        ("N16 audience in capitals", good().with("aud", json!("US")), "launch.wrong_audience"),
        ("N16 no audience", good().with("aud", json!([])), "launch.wrong_audience"),
        ("N17 list without azp", good().with("aud", json!(["us", "other"])), "launch.azp_missing"),
        ("N17 list with azp", good().with("aud", json!(["us", "other"])).with("azp", json!("us")), "launch.wrong_audience"),
        ("N18 other azp", good().with("azp", json!("other")), "launch.wrong_azp"),
        ("N18 azp a list", good().with("azp", json!(["us"])), "launch.bad_format"),
        ("N19 other nonce", good().with("nonce", json!("nonce-2")), "launch.nonce_mismatch"),
        ("N19 no nonce", good().without(&["nonce"]), "launch.missing_claim"),
        ("N21 expired", good().with("exp", json!(now - 60)), "launch.expired"),
        ("N21 no exp", good().without(&["exp"]), "launch.missing_claim"),
        ("N21 exp a word", good().with("exp", json!("never")), "launch.bad_format"),
        ("N22 future", good().with("iat", json!(now + 61)), "launch.issued_in_future"),
        ("N22 no iat", good().without(&["iat"]), "launch.missing_claim"),
        ("N22 eleven minutes old", good().with("iat", json!(now - 601)), "launch.stale"),
        ("nbf ahead", good().with("nbf", json!(now + 61)), "launch.not_yet_valid"),
        ("N24 other issuer", good().with("iss", json!("https://q.example")), "launch.wrong_issuer"),
        ("N24 issuer with a slash", good().with("iss", json!("https://p.example/")), "launch.wrong_issuer"),
        ("N24 issuer a list", good().with("iss", json!(["https://p.example"])), "launch.bad_format"),
        ("N25 deep linking", good().with(claim::MESSAGE_TYPE, json!("LtiDeepLinkingRequest")), "launch.unsupported_message"),
        ("N25 review", good().with(claim::MESSAGE_TYPE, json!("LtiSubmissionReviewRequest")), "launch.unsupported_message"),
        ("no target", good().without(&[claim::TARGET_LINK_URI]), "launch.missing_claim"),
        ("foreign target", good().with(claim::TARGET_LINK_URI, json!("https://t.evil.example/")), "launch.foreign_target"),
        ("scripted target", good().with(claim::TARGET_LINK_URI, json!("javascript:alert(1)")), "launch.foreign_target"),
        ("target with a user", good().with(claim::TARGET_LINK_URI, json!("https://t.example@evil.example/")), "launch.foreign_target"),
        ("critical header", good().header("crit", json!(["exp"])), "launch.unsupported_algorithm"),
        ("typ of another token", good().header("typ", json!("at+jwt")), "launch.bad_format"),
        ("RS512", good().header("alg", json!("RS512")), "launch.unsupported_algorithm"),
        ("no alg", good().header("alg", json!(null)), "launch.unsupported_algorithm"),
    ];
    for (name, token, want) in cases {
        assert_eq!(code(launch(&token.sign())), want, "{name}");
    }
}

#[test]
fn forged_signatures_are_refused() {
    let good = IdToken::good();
    // N13: another key under the platform's kid; a payload changed after signing; a key offered in the header.
    assert_eq!(
        code(launch(&good.sign_with(key_b()))),
        "launch.bad_signature"
    );
    let signature = good.sign().rsplit_once('.').unwrap().1.to_owned();
    let bent = IdToken::good().with("sub", json!("18")).message();
    assert_eq!(
        code(launch(&format!("{bent}.{signature}"))),
        "launch.bad_signature"
    );
    let offered = IdToken::good()
        .header("jwk", json!(key_b().public()))
        .header("jku", json!("https://evil.example/jwks"));
    assert_eq!(
        code(launch(&offered.sign_with(key_b()))),
        "launch.bad_signature"
    );
    assert!(
        launch(&offered.sign()).is_ok(),
        "the header's key is not looked at"
    );
    for odd in ["", "=", "AA", "!!"] {
        let token = format!("{}.{odd}", good.message());
        assert_eq!(code(launch(&token)), "launch.bad_signature", "{odd}");
    }
    // N14: none, in any spelling, with and without a signature.
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let token = IdToken::good().header("alg", json!(alg));
        for text in [format!("{}.", token.message()), token.sign()] {
            assert_eq!(code(launch(&text)), "launch.unsupported_algorithm", "{alg}");
        }
    }
    // N15: HMAC keyed with the public key.
    let token = IdToken::good().header("alg", json!("HS256"));
    let n = B64.decode(&key_a().public().n).unwrap();
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &n),
        token.message().as_bytes(),
    );
    let forged = format!("{}.{}", token.message(), B64.encode(tag));
    assert_eq!(code(launch(&forged)), "launch.unsupported_algorithm");
}

#[test]
fn what_is_no_id_token_is_malformed() {
    let signed = IdToken::good().sign();
    let (message, signature) = signed.rsplit_once('.').unwrap();
    let long = format!("{}.{signature}", "x".repeat(MAX_TOKEN));
    let cases = [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "..",
        "é.é.é",
        message,
        &format!("{signed}.x"),
        &format!("{}.e30.x", B64.encode("[]")),
        &format!(
            "{}.e30.x",
            B64.encode(r#"{"alg":"RS256","alg":"none","kid":"k"}"#)
        ),
        &long,
    ];
    for text in cases {
        assert_eq!(
            code(launch(text)),
            "launch.bad_format",
            "{}",
            &text[..text.len().min(40)]
        );
    }
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    // N27: the builder cannot say it, so the text is made by hand.
    let token = IdToken::good();
    let payload = token.claims.to_string();
    let doubled = format!(r#"{},"sub":"18"}}"#, &payload[..payload.len() - 1]);
    let message = format!(
        "{}.{}",
        B64.encode(token.header.to_string()),
        B64.encode(doubled)
    );
    let signature = B64.encode(key_a().sign(message.as_bytes()).unwrap());
    assert_eq!(
        code(launch(&format!("{message}.{signature}"))),
        "launch.bad_format"
    );
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let token = IdToken::good().with("nbf", json!(NOW.as_secs())).sign();
    for (seconds, good) in [(0, true), (119, true), (120, false)] {
        let at = NOW.plus(Duration::from_secs(seconds));
        assert_eq!(launch_at(&token, at).is_ok(), good, "{seconds} s later");
    }
    assert!(launch_at(&token, NOW.minus(SKEW)).is_ok());
    assert!(launch_at(&token, NOW.minus(Duration::from_secs(61))).is_err());
}

#[test]
fn a_repeated_kid_tries_each_key_and_none_means_unknown() {
    let public_url = Url::parse("https://t.example").unwrap();
    let expected = Expected {
        nonce: "nonce-1",
        public_url: &public_url,
    };
    let token = IdToken::good().sign();
    let both = [decoding(key_b()), decoding(key_a())];
    assert!(verify(&platform(), &expected, &both, &token, NOW).is_ok());
    let hmac_key = [DecodingKey::from_secret(b"secret")];
    assert_eq!(
        code(verify(&platform(), &expected, &hmac_key, &token, NOW)),
        "launch.bad_signature"
    );
    assert_eq!(
        code(verify(&platform(), &expected, &[], &token, NOW)),
        "launch.unknown_key"
    );
}

/// The certification's "known good" payloads, P11 to P19 being P1 to P8 and P10 with a learner.
#[test]
fn good_launches_with_little_in_them_work() {
    type Case = (&'static str, IdToken, fn(&Launch) -> bool);
    const INSTRUCTOR: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor";
    const UNKNOWN: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#unknown-helper";
    let roles = |list| IdToken::good().with(claim::ROLES, json!(list));
    let names = ["name", "given_name", "family_name"];
    let all = ["name", "given_name", "family_name", "email"];
    #[rustfmt::skip]
    let cases: [Case; 13] = [
        ("P1 teacher", roles(vec![INSTRUCTOR]), |l| l.roles.is_instructor() && !l.roles.is_learner()),
        ("P11 learner", IdToken::good(), |l| l.roles.is_learner() && !l.roles.is_instructor()),
        ("P2 several roles", roles(vec!["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student", INSTRUCTOR]), |l| l.roles.is_instructor()),
        ("P3 short role", roles(vec!["Instructor"]), |l| l.roles.is_instructor()),
        ("P4 unknown role", roles(vec![UNKNOWN]), |l| !l.roles.is_instructor() && !l.roles.is_learner()),
        ("P5 no role", roles(vec![]), |l| !l.roles.is_instructor() && !l.roles.is_learner()),
        ("P6 e-mail only", IdToken::good().without(&names), |l| l.person.display_name().is_none() && l.person.email.is_some()),
        ("P7 names only", IdToken::good().without(&["email"]), |l| l.person.display_name().is_some() && l.person.email.is_none()),
        ("P7 parts only", IdToken::good().without(&["name", "email"]), |l| l.person.display_name().as_deref() == Some("Ana Lee")),
        ("P8 nothing personal", IdToken::good().without(&all), |l| l.person == PersonClaims::default()),
        ("P9 no context", roles(vec![INSTRUCTOR]).without(&[claim::CONTEXT]), |l| l.context.is_none()),
        ("P10 link only", IdToken::good().without(&[claim::CONTEXT, claim::CUSTOM, claim::AGS_ENDPOINT, claim::NRPS, claim::LAUNCH_PRESENTATION]), |l| l.ags.is_none() && l.custom.is_empty()),
        ("Canvas: azp, list of one, float times", IdToken::good().with("aud", json!(["us"])).with("azp", json!("us")).with("iat", json!(1_795_408_500.5)), |l| l.issued_at == NOW),
    ];
    for (name, token, check) in cases {
        let launch = launch(&token.sign()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(check(&launch), "{name}");
    }
}

#[test]
fn a_return_address_is_a_web_address_or_nothing() {
    for (text, kept) in [
        ("https://p.example/back?x=1", true),
        ("http://localhost:8088/back", true),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("https://user:pw@p.example/", false),
        ("/back", false),
    ] {
        let token = IdToken::good().with(claim::LAUNCH_PRESENTATION, json!({ "return_url": text }));
        let launch = launch(&token.sign()).unwrap();
        assert_eq!(launch.presentation.return_url.is_some(), kept, "{text}");
    }
}
