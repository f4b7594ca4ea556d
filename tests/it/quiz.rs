//! The main job by plain forms: attempts, grading, passback, attestation; and everything that must be refused.

use passmuster::quiz::{Draw, Questions};
use passmuster::storage::StoredAttempt;

use crate::common::browser::{Page, between};
use crate::common::{Browser, TestApp};

/// A learner on the course page of a launch.
struct Learner<'t> {
    t: &'t TestApp,
    browser: Browser,
    home: String,
    csrf: String,
}

const MODULE: &str = "gsa02-phishing-and-social-engineering";

impl<'t> Learner<'t> {
    async fn enter(t: &'t TestApp, sub: &str) -> Self {
        let mut browser = t.browser();
        let page = t.platform.launch(&t.app, &mut browser, sub).await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.body);
        let home = page.url.path().to_owned();
        let quiz = browser.get(&format!("{home}/modules/{MODULE}/quiz")).await;
        let csrf = quiz.csrf();
        assert!(!csrf.is_empty());
        Self {
            t,
            browser,
            home,
            csrf,
        }
    }

    /// Begins or continues; gives the attempt's address.
    async fn begin(&mut self) -> String {
        let quiz = format!("{}/modules/{MODULE}/quiz", self.home);
        let page = self.browser.post(&quiz, &[("csrf", &self.csrf)]).await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.body);
        page.url
            .path()
            .split_once("/questions/")
            .unwrap()
            .0
            .to_owned()
    }

    async fn stored(&self, attempt: &str) -> StoredAttempt {
        let id = attempt.rsplit('/').next().unwrap().parse().unwrap();
        let people = self
            .t
            .app
            .db
            .list_person_ids(&self.t.tenant.id)
            .await
            .unwrap();
        for person in people {
            if let Some(a) = self
                .t
                .app
                .db
                .find_attempt(&self.t.tenant.id, &person, &id)
                .await
                .unwrap()
            {
                return a;
            }
        }
        panic!("no such attempt");
    }

    /// Answers every question; the first `wrong` of them wrongly.
    async fn answer(&mut self, attempt: &str, wrong: usize) {
        let draw: Draw = serde_json::from_str(&self.stored(attempt).await.draw).unwrap();
        for (i, item) in draw.items.iter().enumerate() {
            let q = self
                .t
                .app
                .catalogue
                .find_question(&item.question, item.version)
                .unwrap();
            let keys = q.keys();
            let chosen: Vec<String> = if i < wrong {
                let other = (0..q.options.len()).find(|o| !keys.contains(o)).unwrap();
                vec![other.to_string()]
            } else {
                keys.iter().map(ToString::to_string).collect()
            };
            let mut form = vec![("csrf", self.csrf.as_str()), ("go", "next")];
            form.extend(chosen.iter().map(|c| ("choice", c.as_str())));
            let page = self
                .browser
                .post(&format!("{attempt}/questions/{}", i + 1), &form)
                .await;
            assert_eq!(page.status.as_u16(), 200, "{}", page.body);
        }
    }

    async fn hand_in(&mut self, attempt: &str) -> Page {
        self.browser
            .post(&format!("{attempt}/hand-in"), &[("csrf", &self.csrf)])
            .await
    }

    async fn sit(&mut self, wrong: usize) -> Page {
        let attempt = self.begin().await;
        self.answer(&attempt, wrong).await;
        self.hand_in(&attempt).await
    }

    async fn sign(&mut self, name: &str, accept: &str) -> Page {
        let form = [
            ("csrf", self.csrf.as_str()),
            ("statement", "att-en/1"),
            ("typed_name", name),
            ("accept", accept),
        ];
        self.browser
            .post(&format!("{}/attest", self.home), &form)
            .await
    }
}

#[tokio::test]
async fn fail_retake_pass_attest_and_the_grade_arrives_and_never_falls() {
    for t in TestApp::on_both().await {
        let mut l = Learner::enter(&t, "s1").await;
        let page = l.sit(3).await;
        assert!(page.url.path().ends_with("/result"), "{}", page.url);
        assert!(
            page.body.contains("70 %") && page.body.contains("Not passed"),
            "{}",
            page.body
        );
        assert!(
            !page.body.contains("verdict\">Right answer"),
            "a failed attempt gives no key away"
        );
        t.deliver().await;
        t.later(1);
        // A course's column tells nothing before a module is passed.
        assert!(t.platform.scores().is_empty());

        // Before the course is complete there is nothing to sign.
        let page = l.browser.get(&format!("{}/attest", l.home)).await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (409, "attest.not_completed")
        );

        t.later(60);
        let page = l.sit(1).await;
        assert!(
            page.body.contains("90 %") && page.body.contains("Right answer"),
            "{}",
            page.body
        );
        t.deliver().await;
        let scores = t.platform.scores();
        let last = scores.last().unwrap();
        assert_eq!(
            (&last["scoreGiven"], &last["scoreMaximum"]),
            (&90.into(), &100.into()),
            "{last}"
        );
        assert_eq!(
            (
                last["activityProgress"].as_str(),
                last["gradingProgress"].as_str()
            ),
            (Some("Completed"), Some("FullyGraded"))
        );
        assert_eq!(last["userId"], "s1");

        // A worse attempt later changes nothing in the gradebook.
        t.later(60);
        l.sit(10).await;
        t.deliver().await;
        assert_eq!(t.platform.scores().len(), scores.len());

        let (uri, headers) = t.platform.requests().pop().unwrap();
        assert_eq!(uri, "/lineitems/1/lineitem/scores?type_id=3");
        assert_eq!(
            headers["content-type"],
            "application/vnd.ims.lis.v1.score+json"
        );
        assert!(
            headers["user-agent"]
                .to_str()
                .unwrap()
                .starts_with("passmuster/")
        );

        // The statement: nothing without the tick, nothing in another's name.
        let page = l.sign("Person s1", "").await;
        assert_eq!(page.status.as_u16(), 422);
        assert!(page.body.contains("Tick the box") && page.body.contains("value=\"Person s1\""));
        let page = l.sign("Somebody Else", "yes").await;
        assert_eq!(page.status.as_u16(), 422);
        let page = l.sign("person S1", "yes").await;
        assert!(page.url.path().ends_with("/certificate"), "{}", page.body);
        let page = l.sign("Person s1", "yes").await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (409, "attest.signed"),
            "one completion, one statement"
        );

        // The record verifies offline with the published keys.
        let jws = l
            .browser
            .get(&format!("{}/attestation.jws", l.home))
            .await
            .body;
        let keys = t.browser().get("/.well-known/jwks.json").await.body;
        let verified = passmuster::evidence::verify::verify_attestation(&jws, &keys).unwrap();
        assert_eq!(verified.record.person.name, "Person s1");
        assert_eq!(verified.record.ledger.counts["attempt"], 3);
        assert_eq!(
            (
                verified.record.act.ip_hmac.len(),
                verified.record.act.ua_hmac.len()
            ),
            (64, 64),
            "address and browser are only hashed"
        );
        let head = t
            .app
            .db
            .ledger_log(&t.tenant.id)
            .await
            .unwrap()
            .head(t.app.now());
        assert_eq!(
            (
                head.size,
                head.counts["attempt"],
                head.counts["attestation"]
            ),
            (6, 3, 1)
        );

        let page = t
            .browser()
            .get(&format!("/verify/{}", verified.record.id))
            .await;
        assert_eq!(page.status.as_u16(), 200);
        assert!(page.body.contains("P. s.") && !page.body.contains("Person s1"));
        assert_eq!(
            t.browser()
                .get("/verify/01ARZ3NDEKTSV4RRFFQ69G5FAV")
                .await
                .status
                .as_u16(),
            404
        );
    }
}

#[tokio::test]
async fn an_open_attempt_goes_on_after_a_new_launch_with_its_answers() {
    for t in TestApp::on_both().await {
        let mut l = Learner::enter(&t, "s1").await;
        let attempt = l.begin().await;
        let form = [("csrf", l.csrf.as_str()), ("choice", "2"), ("go", "next")];
        l.browser
            .post(&format!("{attempt}/questions/1"), &form)
            .await;

        let mut again = Learner::enter(&t, "s1").await;
        let continued = again.begin().await;
        assert_eq!(continued.rsplit('/').next(), attempt.rsplit('/').next());
        let page = again.browser.get(&format!("{continued}/questions/1")).await;
        assert!(page.body.contains("value=\"2\" checked"), "{}", page.body);
        assert!(
            !page.body.contains("rationale") && !page.body.contains("correct"),
            "no key before grading"
        );
    }
}

#[tokio::test]
async fn one_attempt_is_handed_in_once_however_often_it_is_sent() {
    for t in TestApp::on_both().await {
        let mut l = Learner::enter(&t, "s1").await;
        let attempt = l.begin().await;
        l.answer(&attempt, 0).await;
        let posts = (0..8).map(|_| {
            let (mut b, csrf, to) = (t.browser(), l.csrf.clone(), format!("{attempt}/hand-in"));
            b.cookies = l.browser.cookies.clone();
            async move {
                b.send(reqwest::Method::POST, &to, Some(&[("csrf", &csrf)]))
                    .await
            }
        });
        let all = futures_util::future::join_all(posts).await;
        assert_eq!(all.iter().filter(|p| p.status.is_redirection()).count(), 1);
        assert!(
            all.iter()
                .filter(|p| !p.status.is_redirection())
                .all(|p| p.code() == "quiz.handed_in")
        );
        let log = t.app.db.ledger_log(&t.tenant.id).await.unwrap();
        assert_eq!(log.size(), 3, "attempt, completion, credit: once each");

        // Answers after the hand-in change nothing.
        let form = [("csrf", l.csrf.as_str()), ("choice", "0")];
        let page = l
            .browser
            .post(&format!("{attempt}/questions/1"), &form)
            .await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (409, "quiz.handed_in")
        );
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    for t in TestApp::on_both().await {
        let mut l = Learner::enter(&t, "s1").await;
        let attempt = l.begin().await;
        let question = format!("{attempt}/questions/1");
        let csrf = l.csrf.clone();
        let csrf = csrf.as_str();
        let too_many = [("csrf", csrf), ("choice", "99")];
        let page = l.browser.post(&question, &too_many).await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (422, "quiz.unknown_option")
        );
        let page = l
            .browser
            .post(&question, &[("csrf", csrf), ("choice", "zz")])
            .await;
        assert_eq!(page.status.as_u16(), 422);
        let page = l.browser.post(&question, &[("choice", "0")]).await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (403, "form.forged"),
            "without its token"
        );
        l.browser.origin = Some("https://evil.example".to_owned());
        let page = l
            .browser
            .post(&question, &[("csrf", csrf), ("choice", "0")])
            .await;
        assert_eq!(page.status.as_u16(), 403, "from another site");
        l.browser.origin = None;
        let page = l
            .browser
            .post(
                &format!("{attempt}/questions/11"),
                &[("csrf", csrf), ("choice", "0")],
            )
            .await;
        assert_eq!(page.status.as_u16(), 404, "outside the draw");
        let big = "x".repeat(200_000);
        let page = l
            .browser
            .post(&question, &[("csrf", csrf), ("choice", &big)])
            .await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (413, "form.too_large")
        );
        let id = attempt.rsplit('/').next().unwrap().parse().unwrap();
        assert!(
            t.app
                .db
                .list_answers(&t.tenant.id, &id)
                .await
                .unwrap()
                .is_empty(),
            "nothing was saved"
        );

        // Another person, with a session of their own, finds nothing.
        let mut other = Learner::enter(&t, "s2").await;
        for address in [
            attempt.clone(),
            question.clone(),
            format!("{attempt}/result"),
            l.home.clone(),
        ] {
            assert_eq!(
                other.browser.get(&address).await.status.as_u16(),
                404,
                "{address}"
            );
        }
        let foreign = format!(
            "{}/attempts/{}",
            other.home,
            attempt.rsplit('/').next().unwrap()
        );
        assert_eq!(other.browser.get(&foreign).await.status.as_u16(), 404);
        let page = other
            .browser
            .post(&format!("{foreign}/hand-in"), &[("csrf", &other.csrf)])
            .await;
        assert_eq!(page.status.as_u16(), 404);
        // And nobody without a session.
        assert_eq!(t.browser().get(&l.home).await.status.as_u16(), 401);
    }
}

#[tokio::test]
async fn a_teacher_s_attempt_is_kept_and_sends_no_grade() {
    for t in TestApp::on_both().await {
        let mut browser = t.browser();
        let role = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor";
        let page = t
            .platform
            .launch_with(&t.app, &mut browser, "t1", |v| {
                v[format!("{}roles", crate::common::platform::LTI)] = serde_json::json!([role]);
            })
            .await;
        let home = page.url.path().to_owned();
        let quiz = browser.get(&format!("{home}/modules/{MODULE}/quiz")).await;
        let mut l = Learner {
            t: &t,
            browser,
            home,
            csrf: quiz.csrf(),
        };
        l.sit(0).await;
        t.deliver().await;
        assert!(t.platform.scores().is_empty());
        assert_eq!(t.app.db.ledger_log(&t.tenant.id).await.unwrap().size(), 3);
    }
}

#[tokio::test]
async fn a_platform_that_fails_gets_the_score_later_with_a_later_timestamp() {
    for t in TestApp::on_both().await {
        t.platform.answer_with(&[503, 409, 401]);
        let mut l = Learner::enter(&t, "s1").await;
        l.sit(0).await;
        t.deliver().await;
        assert!(t.platform.scores().is_empty());
        for _ in 0..3 {
            t.later(120);
            t.deliver().await;
        }
        let scores = t.platform.scores();
        assert_eq!(scores.len(), 1);
        assert!(scores[0]["timestamp"].as_str().unwrap() > "2026-06-01T09:02:00.000Z");
        assert_eq!(t.platform.token_requests(), 2, "a 401 costs one new token");
    }
}

#[tokio::test]
async fn a_score_that_cannot_arrive_is_parked_shown_and_tried_again_at_the_next_launch() {
    for t in TestApp::on_both().await {
        t.platform.answer_with(&[422]);
        let mut l = Learner::enter(&t, "s1").await;
        let page = l.sit(0).await;
        t.deliver().await;
        let page = l.browser.get(page.url.path()).await;
        assert!(page.body.contains("ags.not_gradable"), "{}", page.body);
        t.later(7200);
        t.deliver().await;
        assert!(t.platform.scores().is_empty(), "not tried again by itself");
        Learner::enter(&t, "s1").await;
        t.deliver().await;
        assert_eq!(t.platform.scores().len(), 1);
    }
}

#[tokio::test]
async fn hostile_names_are_shown_as_text() {
    let t = TestApp::on(crate::common::db::sqlite()).await;
    let mut browser = t.browser();
    let page = t
        .platform
        .launch_with(&t.app, &mut browser, "x1", |v| {
            v["name"] = serde_json::json!("<script>alert(1)</script>");
        })
        .await;
    assert!(page.body.contains("&#60;script&#62;") || page.body.contains("&lt;script&gt;"));
    assert!(!page.body.contains("<script>alert"));
    assert!(between(&page.body, "<html lang=\"", "\"").is_some());
}

#[tokio::test]
async fn sessions_and_open_attempts_survive_a_restart() {
    for t in TestApp::on_both().await {
        let mut l = Learner::enter(&t, "s1").await;
        let attempt = l.begin().await;
        let form = [("csrf", l.csrf.as_str()), ("choice", "1"), ("go", "next")];
        l.browser
            .post(&format!("{attempt}/questions/1"), &form)
            .await;
        let mut after = Browser::new(&t.restarted().await);
        after.cookies = l.browser.cookies.clone();
        let page = after.get(&format!("{attempt}/questions/1")).await;
        assert_eq!(page.status.as_u16(), 200);
        assert!(page.body.contains("value=\"1\" checked"));
        assert_eq!(page.csrf(), l.csrf, "an open form still fits");
    }
}
