//! The browser of the journeys behaves as a learner's browser does where it matters.

use axum::{
    Router,
    http::{HeaderMap, header},
    response::{Html, IntoResponse},
    routing::get,
};
use fantoccini::key::Key;

use super::Browser;

/// Serves on a free port of 127.0.0.1 until the test ends.
async fn serve(router: Router) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

async fn set_cookies() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    for cookie in [
        "plain=1; Path=/; Secure; HttpOnly; SameSite=None",
        "parted=1; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
    ] {
        headers.append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    (
        headers,
        Html(
            "<title>In</title><h1>Frame</h1><a href='/cookies'>What came back?</a><input name=who>",
        ),
    )
}

async fn show_cookies(headers: HeaderMap) -> impl IntoResponse {
    let sent = headers
        .get(header::COOKIE)
        .map_or("none", |value| value.to_str().unwrap());
    Html(format!(
        "<title>In</title><h1>Cookies: {sent}</h1><script>console.error('in the frame')</script>"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn third_party_cookies_are_blocked_and_partitioned_ones_are_not() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let icon = || get(|| async { "" });
    let tool = Router::new()
        .route("/", get(set_cookies))
        .route("/cookies", get(show_cookies))
        .route("/favicon.ico", icon());
    let tool = serve(tool).await;
    let page =
        format!("<title>LMS</title><h1>LMS</h1><iframe src='http://127.0.0.1:{tool}/'></iframe>");
    let lms = Router::new()
        .route("/", get(|| async { Html(page) }))
        .route("/favicon.ico", icon());
    let lms = serve(lms).await;

    browser.goto(&format!("http://localhost:{lms}/")).await;
    browser.enter_frame("iframe").await;
    browser.fill("[name=who]", "Test").await;
    assert_eq!(browser.text_of("h1").await, "Frame");
    browser.assert_quiet_console().await;
    browser.click_text("What came back?").await;
    browser.wait_for_text("Cookies:").await;
    assert_eq!(browser.text_of("h1").await, "Cookies: parted=1");
    browser.screenshot("driver-frame").await;
    assert_eq!(
        browser.console_errors().await.len(),
        1,
        "a frame's errors are seen"
    );
    browser.leave_frame().await;
    assert_eq!(browser.text_of("h1").await, "LMS");
    assert_eq!(browser.address().await.port(), Some(lms));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_as_narrow_as_a_phone() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let page = "<title>Wide</title><meta name=viewport content='width=device-width, initial-scale=1'>\
        <body style='margin:0'><div style='width:400px'>wide</div>\
        <button onclick=\"this.textContent = 'pressed'\">Press</button><a href='/' target=_blank>Another</a>";
    let port = serve(Router::new().route("/", get(move || async move { Html(page) }))).await;
    browser.set_page_size(360, 640).await;
    browser.goto(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(browser.sideways_overflow().await, 40);
    assert_eq!(browser.count("div").await, 1);
    browser.press(&Key::Tab.to_string()).await;
    browser.press(&Key::Enter.to_string()).await;
    browser.wait_for_text("pressed").await;
    browser.click("a").await;
    browser.enter_new_window().await;
    browser.wait_for_text("Press").await;
    assert!(browser.text().await.contains("Another"));
}
