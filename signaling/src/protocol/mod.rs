//! The messages of the protocol, as JSON objects told apart by `type`. docs/protocol.md says who may send what when.

mod client;
mod error;
mod ice;
mod links;
mod notice;
mod polls;
mod server;
mod words;

use serde::Deserialize;
use ts_rs::TS;

pub use client::ClientMessage;
pub use error::SessionError;
pub use ice::{IceCredentials, IceServer};
pub use links::{Invitation, Language, Link, MailState, NewInvitations};
pub use notice::Notice;
pub use polls::{
    NewPoll, NewQuestion, OwnAnswer, OwnScore, Poll, PollQuestion, PollRank, PollResults, PollStep, ReactionCount,
};
pub use server::{
    Camera, ChatMessage, Dominant, OnStage, Participant, Permissions, Pin, Presence, Presentation, Refused, Relation,
    RoomInfo, RoomState, Rules, ServerMessage, Slot, SlotKind, Waiting,
};
pub use words::{Ability, Access, Allowed, Channel, Codec, Place, PollKind, QuickPoll, Reaction, Role, Watched};

use client::CLIENT_TYPES;

use crate::api::{AnswerLine, Attendance, ChatLine, PollSummary, SessionSummary, Visit};

/// Reads a client's message.
///
/// # Errors
/// [`SessionError::MessageTooLarge`], [`SessionError::MessageUnknownType`] or [`SessionError::MessageMalformed`], with
/// the number of the request where it could be read.
pub fn parse(text: &str) -> Result<ClientMessage, (Option<u32>, SessionError)> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "type")]
        kind: String,
        id: Option<u32>,
    }
    if text.len() > crate::limits::MESSAGE_BYTES_MAX {
        return Err((None, SessionError::MessageTooLarge));
    }
    serde_json::from_str(text).map_err(|_| match serde_json::from_str::<Envelope>(text) {
        Ok(envelope) if !CLIENT_TYPES.contains(&envelope.kind.as_str()) => {
            (envelope.id, SessionError::MessageUnknownType)
        }
        Ok(envelope) => (envelope.id, SessionError::MessageMalformed),
        Err(_) => (None, SessionError::MessageMalformed),
    })
}

/// TypeScript declarations of all messages, as they stand in `web/src/sdk/protocol.gen.ts`.
#[must_use]
pub fn typescript() -> String {
    let config = ts_rs::Config::default();
    let declarations = [
        ClientMessage::decl(&config),
        ServerMessage::decl(&config),
        Watched::decl(&config),
        IceServer::decl(&config),
        IceCredentials::decl(&config),
        RoomInfo::decl(&config),
        Presence::decl(&config),
        Refused::decl(&config),
        Relation::decl(&config),
        RoomState::decl(&config),
        Rules::decl(&config),
        Dominant::decl(&config),
        Participant::decl(&config),
        OnStage::decl(&config),
        Camera::decl(&config),
        Waiting::decl(&config),
        Link::decl(&config),
        Invitation::decl(&config),
        MailState::decl(&config),
        Language::decl(&config),
        Presentation::decl(&config),
        Slot::decl(&config),
        SlotKind::decl(&config),
        Place::decl(&config),
        Role::decl(&config),
        Access::decl(&config),
        Channel::decl(&config),
        Codec::decl(&config),
        Permissions::decl(&config),
        Ability::decl(&config),
        Allowed::decl(&config),
        NewPoll::decl(&config),
        NewQuestion::decl(&config),
        PollKind::decl(&config),
        QuickPoll::decl(&config),
        Poll::decl(&config),
        PollStep::decl(&config),
        PollQuestion::decl(&config),
        PollResults::decl(&config),
        PollRank::decl(&config),
        OwnAnswer::decl(&config),
        OwnScore::decl(&config),
        Reaction::decl(&config),
        ReactionCount::decl(&config),
        SessionSummary::decl(&config),
        Attendance::decl(&config),
        Visit::decl(&config),
        ChatLine::decl(&config),
        PollSummary::decl(&config),
        AnswerLine::decl(&config),
        ChatMessage::decl(&config),
        Pin::decl(&config),
        Notice::decl(&config),
    ];
    let head = "// Generated from signaling/src/protocol by `cargo xtask gen`.\n";
    let version = format!("\nexport const PROTOCOL = {};\n", crate::limits::PROTOCOL);
    let body = declarations.map(|declaration| format!("\nexport {declaration}\n"));
    [head, &version].into_iter().chain(body.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_message_is_known_by_its_name() {
        let samples = [
            r#"{"type":"hello","protocol":1,"token":"x","phone":true}"#,
            r#"{"type":"enter","id":1,"place":"stage","mic":true,"camera":false,"offer":"v=0"}"#,
            r#"{"type":"restart_ice","id":1}"#,
            r#"{"type":"offer","id":2,"sdp":"v=0"}"#,
            r#"{"type":"join_stage","id":3,"mic":true,"camera":true}"#,
            r#"{"type":"leave_stage","id":4}"#,
            r#"{"type":"ask_to_join","id":4}"#,
            r#"{"type":"cancel_request","id":4}"#,
            r#"{"type":"decline_invitation","id":4}"#,
            r#"{"type":"raise_hand","id":4}"#,
            r#"{"type":"lower_hand","id":4,"participant":9}"#,
            r#"{"type":"set_mic","id":5,"on":true}"#,
            r#"{"type":"set_camera","id":6,"on":false}"#,
            r#"{"type":"watch","id":6,"cameras":[{"slot":0,"height":360}]}"#,
            r#"{"type":"list_viewers","id":6,"after":0,"search":"ann"}"#,
            r#"{"type":"approve","id":7,"participant":9}"#,
            r#"{"type":"decline","id":7,"participant":9}"#,
            r#"{"type":"invite","id":7,"participant":9}"#,
            r#"{"type":"withdraw_invitation","id":7,"participant":9}"#,
            r#"{"type":"remove_from_stage","id":7,"participant":9}"#,
            r#"{"type":"mute","id":8,"participant":9}"#,
            r#"{"type":"stop_camera","id":9,"participant":9}"#,
            r#"{"type":"ask_to_unmute","id":9,"participant":9}"#,
            r#"{"type":"mute_all","id":9}"#,
            r#"{"type":"stop_all_cameras","id":9}"#,
            r#"{"type":"lower_all_hands","id":9}"#,
            r#"{"type":"remove_from_room","id":9,"participant":9}"#,
            r#"{"type":"set_access","id":9,"access":"request"}"#,
            r#"{"type":"set_capacity","id":9,"capacity":12}"#,
            r#"{"type":"set_camera_limit","id":9,"limit":12}"#,
            r#"{"type":"set_lock","id":9,"locked":true}"#,
            r#"{"type":"make_link","id":9,"role":"speaker","validSeconds":3600,"personal":true}"#,
            r#"{"type":"revoke_link","id":9,"link":1}"#,
            r#"{"type":"list_links","id":9}"#,
            r#"{"type":"invite_by_mail","id":9,"addresses":["ann@example.org"],"role":"speaker"}"#,
            r#"{"type":"list_invitations","id":9}"#,
            r#"{"type":"say","id":9,"channel":"everyone","text":"Hello"}"#,
            r#"{"type":"list_chat","id":9,"channel":"moderators","before":0}"#,
            r#"{"type":"delete_message","id":9,"message":1}"#,
            r#"{"type":"pin_message","id":9,"message":1}"#,
            r#"{"type":"clear_chat","id":9}"#,
            r#"{"type":"block_from_chat","id":9,"participant":9}"#,
            r#"{"type":"unblock_from_chat","id":9,"participant":9}"#,
            r#"{"type":"set_permission","id":9,"ability":"raise_hand","allowed":"nobody"}"#,
            r#"{"type":"react","id":9,"reaction":"applause"}"#,
            r#"{"type":"make_poll","id":9,"poll":{"kind":"poll","questions":[{"text":"Tea?","options":["Yes","No"]}]}}"#,
            r#"{"type":"quick_poll","id":9,"kind":"yes_no","text":""}"#,
            r#"{"type":"advance_poll","id":9,"poll":1,"step":"open","question":0}"#,
            r#"{"type":"delete_poll","id":9,"poll":1}"#,
            r#"{"type":"answer_poll","id":9,"poll":1,"question":0,"choices":[1]}"#,
            r#"{"type":"list_polls","id":9}"#,
            r#"{"type":"present","id":9,"sound":true}"#,
            r#"{"type":"stop_presenting","id":9,"participant":9}"#,
            r#"{"type":"end_session","id":9}"#,
            r#"{"type":"leave"}"#,
        ];
        assert_eq!(samples.len(), CLIENT_TYPES.len());
        for (sample, kind) in samples.iter().zip(CLIENT_TYPES) {
            let message = parse(sample).unwrap();
            let json = serde_json::to_value(&message).unwrap();
            assert_eq!(json["type"], kind);
        }
    }

    #[test]
    fn each_way_of_being_wrong_has_its_own_code() {
        let error = |text: &str| parse(text).unwrap_err();
        assert_eq!(error("{"), (None, SessionError::MessageMalformed));
        assert_eq!(error("[]"), (None, SessionError::MessageMalformed));
        assert_eq!(error(r#"{"type":"dance","id":4}"#), (Some(4), SessionError::MessageUnknownType));
        assert_eq!(error(r#"{"type":"set_mic","id":4}"#), (Some(4), SessionError::MessageMalformed));
        assert_eq!(error(r#"{"type":"set_mic","id":4,"on":true,"x":1}"#), (Some(4), SessionError::MessageMalformed));
        let long = format!(r#"{{"type":"offer","id":1,"sdp":"{}"}}"#, "a".repeat(crate::limits::MESSAGE_BYTES_MAX));
        assert_eq!(error(&long), (None, SessionError::MessageTooLarge));
    }

    #[test]
    fn codes_are_told_apart() {
        let codes: std::collections::BTreeSet<_> = SessionError::ALL.iter().map(|e| e.code()).collect();
        assert_eq!(codes.len(), SessionError::ALL.len());
    }

    #[test]
    fn the_typescript_types_are_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/sdk/protocol.gen.ts");
        if std::env::var_os("DAIS_UPDATE_GENERATED").is_some() {
            std::fs::write(path, typescript()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(committed, typescript(), "run `cargo xtask gen`");
    }
}
