//! The web client, embedded.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use include_dir::{Dir, include_dir};

/// What `build.rs` built.
static FILES: Dir<'_> = include_dir!("$OUT_DIR/web");

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/r/{room}", get(page))
        .route("/connectivity", get(page))
        .route("/assets/{file}", get(asset))
        .route("/dais-room.js", get(element))
        .route("/{file}", get(other))
}

/// The page is one file for every room; which room it is, it reads from its address.
async fn page() -> Response {
    file("index.html", "no-cache")
}

/// Names of assets contain a hash of their content.
async fn asset(Path(name): Path<String>) -> Response {
    file(&format!("assets/{name}"), "public, max-age=31536000, immutable")
}

/// The element for other people's pages. A module comes from another origin only with leave (CORS), and there is nothing secret
/// in it: whether a page may show a room is decided by the page within.
async fn element() -> Response {
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], file("dais-room.js", "no-cache")).into_response()
}

async fn other(Path(name): Path<String>) -> Response {
    file(&name, "no-cache")
}

fn file(path: &str, caching: &'static str) -> Response {
    let Some(file) = FILES.get_file(path) else { return StatusCode::NOT_FOUND.into_response() };
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let headers = [(header::CONTENT_TYPE, mime.as_ref()), (header::CACHE_CONTROL, caching)];
    (headers, file.contents()).into_response()
}
