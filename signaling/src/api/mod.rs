//! The HTTP API for the portal that a room belongs to: rooms, tokens, moderation. Described by OpenAPI, served at
//! `/v1/openapi.json`.

mod data;
mod invitations;
mod rooms;
mod summary;
mod types;

use axum::Json;
use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use crate::limits;
use crate::protocol::SessionError;
use crate::room::Reason;
use crate::server::Signaling;

pub use summary::{AnswerLine, Attendance, ChatLine, PollSummary, SessionSummary, Visit};
pub use types::{NewRoom, NewToken, Preset, RoomChange, RoomReport, SignedToken, ViewersPage};

/// The OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(title = "dais", description = "Rooms, tokens and moderation. Every request needs the API key of the server."),
    paths(
        rooms::create,
        rooms::report,
        rooms::change,
        rooms::end,
        rooms::make_token,
        rooms::participants,
        rooms::act,
        rooms::remove,
        summary::summary,
        summary::table,
        invitations::invite,
        invitations::list,
        data::delete,
        data::delete_person,
    ),
    security(("key" = []))
)]
struct Document;

/// The OpenAPI document, as served and as committed in docs/openapi.json.
#[must_use]
pub fn openapi() -> String {
    let mut document = Document::openapi();
    let key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("key", key);
    let mut json = document.to_pretty_json().expect("the document is JSON");
    json.push('\n');
    json
}

pub(crate) fn routes(signaling: &Signaling) -> Router<Signaling> {
    Router::new()
        .route("/v1/rooms", post(rooms::create))
        .route("/v1/rooms/{room}", get(rooms::report).patch(rooms::change).delete(rooms::end))
        .route("/v1/rooms/{room}/tokens", post(rooms::make_token))
        .route("/v1/rooms/{room}/participants", get(rooms::participants))
        .route("/v1/rooms/{room}/participants/{participant}", delete(rooms::remove))
        .route("/v1/rooms/{room}/participants/{participant}/{action}", post(rooms::act))
        .route("/v1/rooms/{room}/invitations", post(invitations::invite).get(invitations::list))
        .route("/v1/rooms/{room}/data", delete(data::delete))
        .route("/v1/rooms/{room}/data/people/{identity}", delete(data::delete_person))
        .layer(DefaultBodyLimit::max(limits::API_BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(signaling.clone(), authorized))
        .route("/v1/rooms/{room}/summary", get(summary::summary))
        .route("/v1/rooms/{room}/summary/{table}", get(summary::table))
        .route("/v1/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], openapi()) }))
}

/// A request that is refused. The body is `{"code": …, "text": …}`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) reason: Reason,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, text: &str) -> Self {
        Self { status, reason: Reason { code, text: text.to_owned() } }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Reason::from(error).into()
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        let status = match reason.code {
            "unknown_room" | "unknown_participant" | "unknown_person" | "link_unknown" => StatusCode::NOT_FOUND,
            "session_ended" => StatusCode::GONE,
            "capacity_invalid"
            | "camera_limit_invalid"
            | "room_id_invalid"
            | "title_invalid"
            | "valid_seconds_invalid"
            | "identity_invalid"
            | "addresses_missing"
            | "address_invalid"
            | "start_invalid"
            | "minutes_invalid"
            | "name_missing"
            | "name_too_long"
            | "name_invalid" => StatusCode::BAD_REQUEST,
            "internal" | "journal_failed" | "mail_not_saved" | "room_gone" | "shutting_down" => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::CONFLICT,
        };
        Self { status, reason }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, reason } = self;
        let body = types::Error { code: reason.code.to_owned(), text: reason.text };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2: it says how to authenticate.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What a request leads to.
pub(crate) type Answer<T> = Result<T, Failure>;

/// JSON whose faults are told like any other.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(body) = Json::<T>::from_request(request, state).await.map_err(|rejection: JsonRejection| Failure {
            status: rejection.status(),
            reason: Reason { code: "body_malformed", text: rejection.body_text() },
        })?;
        Ok(Self(body))
    }
}

/// Lets through what carries the key (RFC 6750 §2.1), and counts what is refused.
async fn authorized(State(signaling): State<Signaling>, request: Request, next: Next) -> Response {
    if signaling.api_key.is_none() {
        return refuse(&signaling, StatusCode::FORBIDDEN, "api_disabled", "This server has no API key, so no API.");
    }
    if !is_api_key(&signaling, bearer(request.headers()).unwrap_or_default()) {
        return refuse(&signaling, StatusCode::UNAUTHORIZED, "api_key_invalid", "The API key is missing or wrong.");
    }
    next.run(request).await
}

/// Whether `given` is the API key.
fn is_api_key(signaling: &Signaling, given: &str) -> bool {
    let same = |key: &str| aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), key.as_bytes()).is_ok();
    signaling.api_key.as_deref().is_some_and(same)
}

/// The bearer token of a request (RFC 6750 §2.1). The scheme's name has no case (RFC 9110 §11.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn refuse(signaling: &Signaling, status: StatusCode, code: &'static str, text: &str) -> Response {
    signaling.directory.count_refusal(code);
    Failure::new(status, code, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_openapi_document_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        if std::env::var_os("DAIS_UPDATE_GENERATED").is_some() {
            std::fs::write(path, openapi()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(committed, openapi(), "run `cargo xtask gen`");
    }
}
