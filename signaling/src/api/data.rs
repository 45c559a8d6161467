//! Deleting what is kept of a session that is over: all of it, or what is about one person.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use dais_stage::Identity;

use super::types::Error;
use super::{Answer, Failure};
use crate::room::Reason;
use crate::server::Signaling;

/// Deletes everything that is kept of a room: its journal, with all its sessions, and so its report. The room is unknown then.
/// A session that goes on has to be ended first.
#[utoipa::path(delete, path = "/v1/rooms/{room}/data", params(("room" = String, Path, description = "Id of the room")), responses(
    (status = 204, description = "It is deleted: docs/privacy.md says what that means"),
    (status = 404, description = "`unknown_room`", body = Error),
    (status = 409, description = "`session_open`", body = Error),
    (status = 503, description = "`journal_failed`: ask again", body = Error)
))]
pub(super) async fn delete(State(signaling): State<Signaling>, Path(room): Path<String>) -> Answer<StatusCode> {
    let deleted = signaling.directory.delete_room(&room).await;
    answer(&signaling, deleted)
}

/// Deletes what is kept of one person in a room: name, identity, what they wrote in the chat and asked in quick polls, in
/// all its sessions. Counts and rankings stay as they are, with *deleted person* in them. A session that goes on has to be ended first.
#[utoipa::path(delete, path = "/v1/rooms/{room}/data/people/{identity}", params(
    ("room" = String, Path, description = "Id of the room"),
    ("identity" = String, Path, description = "As the session's summary has it, percent-encoded")
), responses(
    (status = 204, description = "It is deleted: docs/privacy.md says what that means"),
    (status = 404, description = "`unknown_room` or `unknown_person`", body = Error),
    (status = 409, description = "`session_open`", body = Error),
    (status = 503, description = "`journal_failed`: ask again", body = Error)
))]
pub(super) async fn delete_person(
    State(signaling): State<Signaling>,
    Path((room, identity)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let deleted = signaling.directory.delete_person(&room, Identity(identity)).await;
    answer(&signaling, deleted)
}

fn answer(signaling: &Signaling, deleted: Result<(), Reason>) -> Answer<StatusCode> {
    deleted.map(|()| StatusCode::NO_CONTENT).map_err(|reason| {
        signaling.directory.count_refusal(reason.code);
        Failure::from(reason)
    })
}
