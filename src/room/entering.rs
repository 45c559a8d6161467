//! Who comes in, and as what.

use dais_media::sdp::{Offer, SdpError};
use dais_media::{Codec, MediaKind};
use dais_signaling::protocol::{Place, Presence, SessionError};
use dais_signaling::{Entering, Reason, Visitor, Welcome, Wish};
use dais_stage::{Command, Entry, EntryPlace, LinkId, ParticipantId, Refusal};

use super::Room;
use super::sessions::Session;
use super::turn::Deed;
use crate::journal::wall_clock;

impl Room {
    pub(super) fn welcome(&self, visitor: &Visitor) -> Result<Welcome, Reason> {
        let Visitor { identity, role, phone, may_enter, .. } = visitor;
        let present = self.stage.find(identity).filter(|person| person.role == *role);
        let present = present.map(|person| Presence {
            on_stage: person.on_stage().is_some(),
            lost: person.is_lost() || self.sessions.get(person.id).is_some_and(|session| session.gone.is_some()),
        });
        if present.is_none() {
            self.may_enter(visitor)?;
            if !may_enter {
                return Err(SessionError::TokenExpired.into());
            }
        }
        let may_join_stage = self.stage.may_join_at_entry(*role, *phone).is_ok();
        Ok(Welcome { may_join_stage, present, codec: self.stage.settings().codec.into() })
    }

    /// Whether somebody new may come in.
    fn may_enter(&self, visitor: &Visitor) -> Result<(), Refusal> {
        let Visitor { identity, role, link, until, .. } = visitor;
        let of_now = |link: &LinkId| {
            // The log of a room may have been deleted and begun anew: its numbers are given again, and a link that was
            // withdrawn before would be valid with another one. When it ends tells them apart.
            let known = self.stage.links().iter().find(|known| known.id == *link);
            known.is_none_or(|known| known.expires.0 / 1_000 == *until)
        };
        if !link.as_ref().is_none_or(of_now) {
            return Err(Refusal::LinkUnknown);
        }
        self.stage.may_enter(wall_clock(), identity, *role, *link)
    }

    pub(super) fn enter(&mut self, entering: Entering, offer: Option<Offer>) {
        if entering.entered.is_closed() {
            // The session ended while it waited.
            return;
        }
        self.pass_time();
        match self.admit(&entering, wanted_place(&entering.wish, offer.as_ref())) {
            Ok((id, refused)) => {
                self.turn.deeds.push(Deed::Enter { id, entering: Box::new(entering), offer, refused });
            }
            Err(reason) => self.turn_back(entering, reason),
        }
    }

    /// Lets somebody in, or back to their place. Who may not go on stage is let in as a viewer, with the reason.
    /// A publisher comes on stage or not at all.
    fn admit(&mut self, entering: &Entering, place: EntryPlace) -> Result<(ParticipantId, Option<Reason>), Reason> {
        let Visitor { identity, role, link, phone, may_enter, .. } = &entering.visitor;
        let publishes = matches!(entering.wish, Wish::Publish { .. });
        let keeps_media = matches!(entering.wish, Wish::Visit { keep_media: true, .. });
        if let Some((id, same_role)) = self.stage.find(identity).map(|person| (person.id, person.role == *role)) {
            if !same_role {
                // Nobody loses their place to somebody who is not let in.
                if !may_enter {
                    return Err(SessionError::TokenExpired.into());
                }
                self.may_enter(&entering.visitor)?;
                dais_stage::checked_name(entering.name.as_deref().unwrap_or_default())?;
                if publishes {
                    self.stage.may_join_at_entry(*role, *phone)?;
                }
            } else if publishes {
                self.may_publish(id)?;
            } else if keeps_media {
                // Nothing has happened, as far as the stage is concerned. The older session goes when they are let in.
                let goes_on = self.sessions.get(id).is_some_and(Session::has_media);
                return if goes_on { Ok((id, None)) } else { Err(SessionError::MediaLost.into()) };
            }
            // The newer session replaces the older.
            if let Some(older) = self.sessions.remove(id, None) {
                self.turn.deeds.push(Deed::Close { queue: older.queue, reason: SessionError::Replaced.into() });
            }
            // Refused to whoever fell off before. An older session may be on its way in, in this very turn.
            let _ = self.enact(&Command::LoseConnection { id });
            if same_role {
                self.enact(&Command::Return { id })?;
                if publishes && let EntryPlace::Stage { mic, camera } = place {
                    self.publish(id, mic, camera)?;
                }
                return Ok((id, None));
            }
            self.enact(&Command::Leave { id })?;
        }
        if keeps_media {
            return Err(SessionError::MediaLost.into());
        }
        if !may_enter {
            return Err(SessionError::TokenExpired.into());
        }
        self.may_enter(&entering.visitor)?;
        let mut entry = Entry {
            id: self.stage.next_id(),
            identity: identity.clone(),
            name: entering.name.clone().ok_or(Refusal::NameMissing)?,
            role: *role,
            link: *link,
            phone: *phone,
            place,
        };
        let id = entry.id;
        match self.enact(&Command::Enter(entry.clone())) {
            Ok(()) => Ok((id, None)),
            Err(refusal) if publishes => Err(refusal.into()),
            Err(refusal @ (Refusal::PhoneEntersAsViewer | Refusal::StageNotAtEntry | Refusal::StageFull)) => {
                entry.place = EntryPlace::Viewer;
                self.enact(&Command::Enter(entry))?;
                Ok((id, Some(self.counted(refusal.into()))))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whether somebody in the room may publish: they are on stage, or may join it.
    fn may_publish(&self, id: ParticipantId) -> Result<(), Refusal> {
        let join = Command::JoinStage { id, mic: false, camera: false };
        match self.stage.decide(wall_clock(), &join) {
            Ok(_) | Err(Refusal::AlreadyOnStage) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Brings somebody in the room on stage, or turns on and off what they have there.
    fn publish(&mut self, id: ParticipantId, mic: bool, camera: bool) -> Result<(), Refusal> {
        match self.enact(&Command::JoinStage { id, mic, camera }) {
            Err(Refusal::AlreadyOnStage) => {
                // Refused where it is like that already.
                let _ = self.enact(&Command::SetMic { id, on: mic });
                let _ = self.enact(&Command::SetCamera { id, on: camera });
                Ok(())
            }
            result => result,
        }
    }

    pub(super) fn turn_back(&mut self, entering: Entering, reason: Reason) {
        let Entering { id: request, queue, entered, .. } = entering;
        let reason = self.counted(reason);
        self.turn.deeds.push(Deed::TurnBack { request, queue, entered, reason });
    }
}

/// The offer of somebody who comes into a room of `codec`, if there is one.
pub(super) fn parsed_offer(wish: &Wish, codec: Codec) -> Result<Option<Offer>, SdpError> {
    match wish {
        Wish::Visit { offer, .. } => offer.as_deref().map(|offer| Offer::parse(offer, codec)).transpose(),
        Wish::Publish { offer } => Offer::parse_publisher(offer, codec).map(Some),
        Wish::Play { offer } => Offer::parse_player(offer, codec).map(Some),
    }
}

/// The place somebody asks for: a publisher's microphone and camera are on if they are offered.
fn wanted_place(wish: &Wish, offer: Option<&Offer>) -> EntryPlace {
    let offers = |kind| offer.is_some_and(|offer| offer.session.sending(kind).is_some());
    match *wish {
        Wish::Visit { place: Place::Stage, mic, camera, .. } => EntryPlace::Stage { mic, camera },
        Wish::Publish { .. } => EntryPlace::Stage { mic: offers(MediaKind::Mic), camera: offers(MediaKind::Camera) },
        Wish::Visit { place: Place::Viewer, .. } | Wish::Play { .. } => EntryPlace::Viewer,
    }
}
