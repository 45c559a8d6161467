//! Routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use dais_stage::{Codec, Preset};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::embedding::Embedding;
use crate::reach::Reach;
use crate::room::Directory;
use crate::token::TokenKeys;
use crate::{api, connectivity, session, socket, whip};

/// What sessions need.
#[derive(Clone)]
pub struct Signaling {
    /// Where rooms are found.
    pub directory: Arc<dyn Directory>,
    /// What tokens are checked with.
    pub keys: TokenKeys,
    /// What the HTTP API asks for; without one there is no API.
    pub api_key: Option<Arc<str>>,
    /// Of rooms that do not say.
    pub preset: Preset,
    /// Of rooms that do not say.
    pub codec: Codec,
    /// How clients reach the media.
    pub reach: Arc<dyn Reach>,
    /// Which pages of other origins there may be.
    pub embedding: Embedding,
}

/// Everything a page may load and do: only what comes from this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; \
     media-src 'self' blob:; style-src 'self'; object-src 'none'; base-uri 'none'";

/// What a page of this server asks of the browser is for itself, wherever it is shown: nothing it might load gets it.
const PERMISSIONS_POLICY: &str =
    "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), geolocation=()";

/// The protocol under `/v1` and, with the feature `client`, the room's page.
pub fn router(signaling: Signaling) -> Router {
    let security = signaling.embedding.content_security_policy(CONTENT_SECURITY_POLICY);
    let router = Router::new()
        .route("/v1/rooms/{room}/session", get(open_session))
        .route("/healthz", get(|| async { "ok" }))
        .merge(api::routes(&signaling))
        .with_state(signaling.clone())
        .merge(connectivity::routes(signaling.clone()))
        .merge(whip::routes(signaling));
    #[cfg(feature = "client")]
    let router = router.merge(crate::client::routes());
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, security))
        .layer(header(HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "no-referrer"))
}

async fn open_session(State(signaling): State<Signaling>, Path(room): Path<String>, request: Request) -> Response {
    // A page cannot read why a WebSocket was not opened: it is told in it.
    let admitted = signaling.embedding.admits(request.headers());
    socket::open(request, move |socket| session::run(socket, signaling, room, admitted))
}
