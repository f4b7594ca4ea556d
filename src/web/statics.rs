//! The style sheet, the script and the mark, as files that one can read.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::{Error, Result};

pub(super) async fn file(Path(name): Path<String>) -> Result<Response> {
    let (kind, body) = match name.as_str() {
        "app.css" => ("text/css; charset=utf-8", include_str!("static/app.css")),
        "app.js" => (
            "text/javascript; charset=utf-8",
            include_str!("static/app.js"),
        ),
        "logo.svg" => ("image/svg+xml", include_str!("static/logo.svg")),
        _ => return Err(Error::NoPage),
    };
    Ok((
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "public, max-age=600"),
        ],
        body,
    )
        .into_response())
}
