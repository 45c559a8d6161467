//! What each request does.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use dais_stage::{Actor, Command, ParticipantId, Settings, checked_name};
use tokio::sync::oneshot;

use super::types::{Error, NewRoom, NewToken, PageQuery, RoomChange, RoomReport, SignedToken, ViewersPage};
use super::{Answer, Body, Failure};
use crate::limits;
use crate::protocol::{RoomInfo, SessionError};
use crate::room::{Reason, RoomHandle, RoomMessage};
use crate::server::Signaling;
use crate::session::unix_seconds;
use crate::token::Claims;

/// Validity of a token that does not say: an hour.
const VALID_SECONDS_DEFAULT: u32 = 60 * 60;
/// Longest title in characters.
const TITLE_CHARS_MAX: usize = 200;
/// Longest room id, bytes.
const ROOM_ID_BYTES_MAX: usize = 64;

/// Makes a room. One that has ended is opened again.
#[utoipa::path(post, path = "/v1/rooms", request_body = NewRoom, responses(
    (status = 201, description = "The room is open", body = RoomInfo),
    (status = 400, description = "Something is wrong with the values", body = Error),
    (status = 409, description = "`room_exists`", body = Error)
))]
pub(super) async fn create(
    State(signaling): State<Signaling>,
    Body(room): Body<NewRoom>,
) -> Answer<(StatusCode, Json<RoomInfo>)> {
    let id = room.id.clone().map_or_else(random_id, Ok)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > ROOM_ID_BYTES_MAX || !id.chars().all(fits) {
        return Err(wrong("room_id_invalid", "A room's id is 1 to 64 letters, digits, - and _."));
    }
    let title = room.title.trim().to_owned();
    if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX || title.chars().any(char::is_control) {
        return Err(wrong("title_invalid", "A room's title is 1 to 200 characters."));
    }
    let info = RoomInfo { id, title };
    let settings = room.settings(signaling.preset, signaling.codec);
    settings.check().map_err(Reason::from)?;
    signaling.directory.create(info.clone(), settings).await?;
    Ok((StatusCode::CREATED, Json(info)))
}

/// A room as it is.
#[utoipa::path(get, path = "/v1/rooms/{room}", params(("room" = String, Path, description = "Id of the room")), responses(
    (status = 200, description = "The room as it is", body = RoomReport),
    (status = 404, description = "`unknown_room`", body = Error),
    (status = 410, description = "`session_ended`", body = Error)
))]
pub(super) async fn report(State(signaling): State<Signaling>, Path(room): Path<String>) -> Answer<Json<RoomReport>> {
    let room = signaling.directory.find(&room)?;
    Ok(Json(ask(&room, |answer| RoomMessage::PortalLooks { answer }).await?))
}

/// Changes access, capacity, camera limit, lock or permissions. Values that are so already are no fault; the answer is the room as
/// it is then.
#[utoipa::path(patch, path = "/v1/rooms/{room}", params(("room" = String, Path, description = "Id of the room")),
    request_body = RoomChange, responses(
    (status = 200, description = "The room as it is now", body = RoomReport),
    (status = 400, description = "Something is wrong with the values", body = Error),
    (status = 404, description = "`unknown_room`", body = Error),
    (status = 409, description = "Refused by the stage", body = Error)
))]
pub(super) async fn change(
    State(signaling): State<Signaling>,
    Path(room): Path<String>,
    Body(change): Body<RoomChange>,
) -> Answer<Json<RoomReport>> {
    let room = signaling.directory.find(&room)?;
    // Before the first change: all of them or none.
    let mut settings = Settings::default();
    change.capacity.inspect(|capacity| settings.capacity = *capacity as usize);
    change.camera_limit.inspect(|limit| settings.camera_limit = *limit as usize);
    settings.check().map_err(Reason::from)?;
    let by = Actor::Portal;
    let commands = [
        change.access.map(|access| Command::SetAccess { by, access: access.into() }),
        change.capacity.map(|capacity| Command::SetCapacity { by, capacity: capacity as usize }),
        change.camera_limit.map(|limit| Command::SetCameraLimit { by, limit: limit as usize }),
        change.locked.map(|locked| Command::SetLock { by, locked }),
    ];
    let permissions = change.permissions.unwrap_or_default().changes();
    let permissions = permissions.map(|(ability, allowed)| Command::SetPermission { by, ability, allowed });
    for command in commands.into_iter().flatten().chain(permissions) {
        match enact(&room, command).await {
            Err(failure) if failure.reason.code.ends_with("_unchanged") => {}
            result => result?,
        }
    }
    Ok(Json(ask(&room, |answer| RoomMessage::PortalLooks { answer }).await?))
}

/// Ends the session for all.
#[utoipa::path(delete, path = "/v1/rooms/{room}", params(("room" = String, Path, description = "Id of the room")), responses(
    (status = 204, description = "The session is over"),
    (status = 404, description = "`unknown_room`", body = Error),
    (status = 410, description = "`session_ended`", body = Error)
))]
pub(super) async fn end(State(signaling): State<Signaling>, Path(room): Path<String>) -> Answer<StatusCode> {
    enact(&signaling.directory.find(&room)?, Command::End { by: Actor::Portal }).await?;
    signaling.directory.until_over(&room).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs a token for the room.
#[utoipa::path(post, path = "/v1/rooms/{room}/tokens", params(("room" = String, Path, description = "Id of the room")),
    request_body = NewToken, responses(
    (status = 201, description = "The token", body = SignedToken),
    (status = 400, description = "Something is wrong with the values", body = Error),
    (status = 404, description = "`unknown_room`", body = Error)
))]
pub(super) async fn make_token(
    State(signaling): State<Signaling>,
    Path(room): Path<String>,
    Body(wanted): Body<NewToken>,
) -> Answer<(StatusCode, Json<SignedToken>)> {
    signaling.directory.find(&room)?;
    let seconds = wanted.valid_seconds.unwrap_or(VALID_SECONDS_DEFAULT);
    if seconds == 0 || seconds > limits::VALID_SECONDS_MAX {
        return Err(wrong("valid_seconds_invalid", "A token is valid for 1 second to a year."));
    }
    if wanted.identity.as_ref().is_some_and(|id| id.is_empty() || id.len() > limits::IDENTITY_BYTES_MAX) {
        return Err(wrong("identity_invalid", "An identity is 1 to 256 bytes."));
    }
    let name = wanted.name.as_deref().map(checked_name).transpose().map_err(Reason::from)?;
    let claims = Claims {
        name,
        sub: wanted.identity,
        ..Claims::new(&room, wanted.role.into(), unix_seconds() + u64::from(seconds))
    };
    let token = signaling.keys.sign(&claims)?;
    let path = format!("/r/{room}#token={token}");
    Ok((StatusCode::CREATED, Json(SignedToken { token, path })))
}

/// The people in the room, a page at a time.
#[utoipa::path(get, path = "/v1/rooms/{room}/participants", params(
    ("room" = String, Path, description = "Id of the room"),
    ("after" = Option<u32>, Query, description = "Those who entered after this one")
), responses(
    (status = 200, description = "Up to 100 people", body = ViewersPage),
    (status = 404, description = "`unknown_room`", body = Error)
))]
pub(super) async fn participants(
    State(signaling): State<Signaling>,
    Path(room): Path<String>,
    Query(page): Query<PageQuery>,
) -> Answer<Json<ViewersPage>> {
    let room = signaling.directory.find(&room)?;
    let after = ParticipantId(page.after);
    Ok(Json(ask(&room, |answer| RoomMessage::PortalLists { after, answer }).await?))
}

/// Does what a moderator can do to somebody.
#[utoipa::path(post, path = "/v1/rooms/{room}/participants/{participant}/{action}", params(
    ("room" = String, Path, description = "Id of the room"),
    ("participant" = u32, Path, description = "Number of the participant"),
    ("action" = String, Path, description = "`approve`, `decline`, `invite`, `withdraw-invitation`, \
        `remove-from-stage`, `mute`, `stop-camera`, `ask-to-unmute`, `lower-hand` or `stop-presenting`")
), responses(
    (status = 204, description = "Done"),
    (status = 404, description = "`unknown_room`, `unknown_participant` or `unknown_action`", body = Error),
    (status = 409, description = "Refused by the stage", body = Error)
))]
pub(super) async fn act(
    State(signaling): State<Signaling>,
    Path((room, participant, action)): Path<(String, u32, String)>,
) -> Answer<StatusCode> {
    let room = signaling.directory.find(&room)?;
    let (by, target) = (Actor::Portal, ParticipantId(participant));
    let command = match action.as_str() {
        "approve" => Command::Approve { by, target },
        "decline" => Command::Decline { by, target },
        "invite" => Command::Invite { by, target },
        "withdraw-invitation" => Command::WithdrawInvitation { by, target },
        "remove-from-stage" => Command::RemoveFromStage { by, target },
        "mute" => Command::Mute { by, target },
        "stop-camera" => Command::StopCamera { by, target },
        "ask-to-unmute" => Command::AskToUnmute { by, target },
        "stop-presenting" => Command::StopPresenting { by, target },
        "lower-hand" => Command::LowerHand { by, target },
        _ => return Err(Failure::new(StatusCode::NOT_FOUND, "unknown_action", "There is no such action.")),
    };
    enact(&room, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes somebody from the room for good.
#[utoipa::path(delete, path = "/v1/rooms/{room}/participants/{participant}", params(
    ("room" = String, Path, description = "Id of the room"),
    ("participant" = u32, Path, description = "Number of the participant")
), responses(
    (status = 204, description = "They are gone and cannot come back"),
    (status = 404, description = "`unknown_room` or `unknown_participant`", body = Error)
))]
pub(super) async fn remove(
    State(signaling): State<Signaling>,
    Path((room, participant)): Path<(String, u32)>,
) -> Answer<StatusCode> {
    let room = signaling.directory.find(&room)?;
    enact(&room, Command::RemoveFromRoom { by: Actor::Portal, target: ParticipantId(participant) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wrong(code: &'static str, text: &str) -> Failure {
    Reason { code, text: text.to_owned() }.into()
}

fn random_id() -> Result<String, SessionError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|_| SessionError::Internal)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

async fn enact(room: &RoomHandle, command: Command) -> Answer<()> {
    let command = Box::new(command);
    Ok(ask(room, |answer| RoomMessage::Portal { command, answer }).await??)
}

/// Sends a room a question and waits for the answer.
pub(super) async fn ask<T>(room: &RoomHandle, question: impl FnOnce(oneshot::Sender<T>) -> RoomMessage) -> Answer<T> {
    let (sender, answer) = oneshot::channel();
    room.messages.send(question(sender)).await.map_err(|_| SessionError::RoomGone)?;
    Ok(answer.await.map_err(|_| SessionError::RoomGone)?)
}
