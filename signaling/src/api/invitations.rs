//! Invitations by e-mail.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::rooms::ask;
use super::types::{Error, InvitationList};
use super::{Answer, Body};
use crate::protocol::NewInvitations;
use crate::room::RoomMessage;
use crate::server::Signaling;

/// Invites people by e-mail, each with a role link of their own. Answered when their mails are on disk to be sent; where
/// the server sends no mail, the links are there to be passed on.
#[utoipa::path(post, path = "/v1/rooms/{room}/invitations", params(("room" = String, Path, description = "Id of the room")),
    request_body = NewInvitations, responses(
    (status = 201, description = "Those who are invited", body = InvitationList),
    (status = 400, description = "`addresses_missing`, `address_invalid`, `start_invalid` or `minutes_invalid`: \
        nobody is invited", body = Error),
    (status = 404, description = "`unknown_room`", body = Error),
    (status = 409, description = "`too_many_invitations`", body = Error),
    (status = 503, description = "`mail_not_saved`", body = Error)
))]
pub(super) async fn invite(
    State(signaling): State<Signaling>,
    Path(room): Path<String>,
    Body(wanted): Body<NewInvitations>,
) -> Answer<(StatusCode, Json<InvitationList>)> {
    let room = signaling.directory.find(&room)?;
    let invitations = ask(&room, |answer| RoomMessage::PortalInvites { wanted, answer }).await??;
    Ok((StatusCode::CREATED, Json(InvitationList { invitations })))
}

/// Everybody invited by e-mail, and what became of their mails.
#[utoipa::path(get, path = "/v1/rooms/{room}/invitations", params(("room" = String, Path, description = "Id of the room")),
    responses(
    (status = 200, description = "The invitations", body = InvitationList),
    (status = 404, description = "`unknown_room`", body = Error)
))]
pub(super) async fn list(State(signaling): State<Signaling>, Path(room): Path<String>) -> Answer<Json<InvitationList>> {
    let room = signaling.directory.find(&room)?;
    let invitations = ask(&room, |answer| RoomMessage::PortalListsInvitations { answer }).await?;
    Ok(Json(InvitationList { invitations }))
}
