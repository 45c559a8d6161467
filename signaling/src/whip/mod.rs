//! Publishing and playing over plain HTTP, for standard encoders and players: WHIP (RFC 9725) and WHEP
//! (draft-ietf-wish-whep-03). docs/whip.md says how it is used.
//!
//! A POST is a person who comes into the room, with a session like any other ([`crate::session`]) that cannot be told
//! anything; the resource it makes lives as long as that session.

mod endpoint;
mod fragment;
mod resource;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::api::{Answer, Failure};
use crate::limits;
use crate::protocol::SessionError;
use crate::room::{Reason, Wish};
use crate::server::Signaling;
use resource::Resources;

/// SDP offers and answers (RFC 8866 §8.1).
pub(crate) const SDP: &str = "application/sdp";
/// What changes in an ICE session (RFC 8840 §9).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// What requests need.
#[derive(Clone)]
struct Whip {
    signaling: Signaling,
    resources: Arc<Resources>,
}

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Whip,
    Whep,
}

impl Endpoint {
    /// As it stands in addresses.
    fn name(self) -> &'static str {
        match self {
            Self::Whip => "whip",
            Self::Whep => "whep",
        }
    }

    fn wish(self, offer: String) -> Wish {
        match self {
            Self::Whip => Wish::Publish { offer },
            Self::Whep => Wish::Play { offer },
        }
    }
}

pub(crate) fn routes(signaling: Signaling) -> Router {
    let whip = Whip { signaling, resources: Arc::default() };
    let mut endpoints = Router::new();
    let mut resources = Router::new();
    for endpoint in [Endpoint::Whip, Endpoint::Whep] {
        let path = format!("/v1/rooms/{{room}}/{}", endpoint.name());
        // RFC 9725 §4.1: neither resource has a representation.
        let open =
            post(move |whip, room, person, headers, body| endpoint::open(endpoint, whip, room, person, headers, body));
        endpoints = endpoints.route(&path, open.get(|| async { StatusCode::NO_CONTENT }));
        let one = get(move |whip, path, headers| resource::look(endpoint, whip, path, headers))
            .patch(move |whip, path, headers, body| resource::patch(endpoint, whip, path, headers, body))
            .delete(move |whip, path, headers| resource::delete(endpoint, whip, path, headers));
        resources = resources.route(&format!("{path}/{{resource}}"), one);
    }
    let accepts = |name: &'static str, kind| {
        SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(kind))
    };
    // W3C LDP §7.1 and RFC 5789 §3.1.
    let endpoints = endpoints.layer(DefaultBodyLimit::max(limits::SDP_BYTES_MAX)).layer(cors());
    let resources = resources.layer(DefaultBodyLimit::max(limits::FRAGMENT_BYTES_MAX)).layer(cors());
    let endpoints = endpoints.layer(accepts("accept-post", SDP));
    endpoints.merge(resources.layer(accepts("accept-patch", FRAGMENT))).with_state(whip)
}

/// Pages of any origin may publish and play: what lets them is the token, which no browser sends by itself.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH])
        .expose_headers([header::LOCATION, header::ETAG, header::LINK])
        .max_age(limits::PREFLIGHT_VALID)
}

impl Whip {
    /// A request that was refused here, counted.
    fn refused(&self, failure: Failure) -> Failure {
        self.signaling.directory.count_refusal(failure.reason.code);
        failure
    }
}

/// What a reason of the session or the stage is over HTTP.
pub(crate) fn failure(reason: Reason) -> Failure {
    let status = match reason.code {
        "token_invalid" | "token_expired" => StatusCode::UNAUTHORIZED,
        "room_locked" | "removed_from_room" | "stage_not_at_entry" | "ask_first" | "request_pending"
        | "invitation_needed" | "link_unknown" | "link_revoked" | "link_expired" | "link_used" => StatusCode::FORBIDDEN,
        "media_lost" | "replaced" => StatusCode::NOT_FOUND,
        "room_full" => StatusCode::SERVICE_UNAVAILABLE,
        "rate_limited" | "too_many_tests" => StatusCode::TOO_MANY_REQUESTS,
        "sdp_malformed" | "sdp_empty" => StatusCode::BAD_REQUEST,
        "sdp_too_long" => StatusCode::PAYLOAD_TOO_LARGE,
        "sdp_ssrc_collision" => StatusCode::CONFLICT,
        // It is SDP, and this server cannot do what it says.
        code if code.starts_with("sdp_") => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return reason.into(),
    };
    Failure { status, reason }
}

fn session_failure(error: SessionError) -> Failure {
    failure(error.into())
}

fn wrong(status: StatusCode, code: &'static str, text: &str) -> Failure {
    Failure::new(status, code, text)
}

/// The access token of a request. It is asked for first: who has none learns nothing else.
fn token(headers: &HeaderMap) -> Answer<&str> {
    let missing = || wrong(StatusCode::UNAUTHORIZED, "token_missing", "The request needs an access token.");
    crate::api::bearer(headers).ok_or_else(missing)
}

/// The text of a body that is said to be of `kind`.
pub(crate) fn text(kind: &'static str, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer<String> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // RFC 9110 §8.3.1: parameters may follow, and letters have no case.
    let given = given.split(';').next().unwrap_or_default().trim();
    if !given.eq_ignore_ascii_case(kind) {
        let text = format!("The content type must be {kind}.");
        return Err(wrong(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", &text));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            wrong(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The request is too large.")
        }
        status => wrong(status, "body_malformed", "The request could not be read."),
    })?;
    let malformed = |_| wrong(StatusCode::BAD_REQUEST, "body_malformed", "The request is not UTF-8.");
    String::from_utf8(body.into()).map_err(malformed)
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    // An id or a user fragment of ours, or the id of a room, which a token names.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// An entity tag (RFC 9110 §8.8.3). The server's user fragment tells ICE sessions apart.
fn entity_tag(ufrag: &str) -> String {
    format!("\"{ufrag}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_status_that_says_who_can_do_something_about_them() {
        let status = |code| failure(Reason { code, text: String::new() }).status.as_u16();
        let cases = [
            ("token_expired", 401),
            ("room_locked", 403),
            ("ask_first", 403),
            ("unknown_room", 404),
            ("session_ended", 410),
            ("stage_full", 409),
            ("name_missing", 400),
            ("sdp_malformed", 400),
            ("sdp_codec", 422),
            ("sdp_direction", 422),
            ("sdp_too_long", 413),
            ("room_full", 503),
            ("journal_failed", 503),
        ];
        for (code, expected) in cases {
            assert_eq!(status(code), expected, "{code}");
        }
    }
}
