//! Invitations by e-mail: a role link for each address, and what became of its mail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dais_signaling::Reason;
use dais_signaling::protocol::{self, MailState, NewInvitations, ServerMessage, SessionError};
use dais_stage::{Actor, Command, Event, Link, LinkId, ParticipantId, Refusal, Role};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::turn::Deed;
use super::{Done, Room};
use crate::journal::wall_clock;
use crate::mail::{self, Change, Invitation};
use crate::store::StoreError;
use crate::tokens::sign_link;

/// The invitations of a room.
pub(super) struct Invitations {
    /// By the number of their link.
    known: BTreeMap<u32, Known>,
    /// What is told to hosts at the next tick.
    changed: BTreeSet<u32>,
    /// What becomes of the mails.
    pub(super) changes: mpsc::UnboundedReceiver<Change>,
}

struct Known {
    invitation: Invitation,
    /// It is in the outbox. Nobody is told of it before.
    saved: bool,
}

/// Who invites, and waits for the answer.
#[derive(Debug)]
pub(super) enum Inviter {
    Host { id: ParticipantId, request: u32 },
    Portal(oneshot::Sender<Result<Vec<protocol::Invitation>, Reason>>),
}

impl Inviter {
    fn actor(&self) -> Actor {
        match self {
            Self::Host { id, .. } => Actor::Person(*id),
            Self::Portal(_) => Actor::Portal,
        }
    }
}

/// Invitations whose links are made, on their way into the outbox.
#[derive(Debug)]
pub(super) struct Inviting {
    pub(super) inviter: Inviter,
    links: Vec<u32>,
}

impl Inviting {
    /// Their links could not be written to the journal.
    pub(super) fn undone(self) {
        if let Inviter::Portal(answer) = self.inviter {
            let _ = answer.send(Err(SessionError::JournalFailed.into()));
        }
    }
}

impl Invitations {
    pub(super) fn new(changes: mpsc::UnboundedReceiver<Change>) -> Self {
        Self { known: BTreeMap::new(), changed: BTreeSet::new(), changes }
    }

    /// Takes note of what became of a mail.
    pub(super) fn note_change(&mut self, Change { link, state, reason }: Change) {
        if let Some(Known { invitation, .. }) = self.known.get_mut(&link)
            && invitation.state == MailState::Queued
        {
            (invitation.state, invitation.reason) = (state, reason);
            self.changed.insert(link);
        }
    }

    /// Takes note of `event`. The number of a link whose mail is not to be sent any more.
    pub(super) fn note(&mut self, event: &Event) -> Option<u32> {
        match event {
            Event::LinkRevoked { link, .. } => {
                let Known { invitation, .. } = self.known.get_mut(&link.0)?;
                invitation.state = MailState::Withdrawn;
                self.changed.insert(link.0);
                Some(link.0)
            }
            // It is used from here on.
            Event::Entered { link: Some(link), .. } if self.known.contains_key(&link.0) => {
                self.changed.insert(link.0);
                None
            }
            _ => None,
        }
    }
}

impl Room {
    /// Reads from the outbox what there is.
    pub(super) async fn read_invitations(&mut self) {
        let (outbox, room) = (&self.shared.mail.outbox, &self.info.id);
        let invitations = match outbox.of_room(room).await {
            Ok(invitations) => invitations,
            Err(error) => return warn!(%error, "the invitations of a room cannot be read"),
        };
        let known = invitations.into_iter().map(|one| (one.link, Known { invitation: one, saved: true }));
        self.invitations.known = known.collect();
    }

    /// Makes a link for each address. The answer comes when their mails are in the outbox.
    pub(super) fn invite_by_mail(&mut self, inviter: Inviter, wanted: &NewInvitations) {
        match self.make_invitations(&inviter, wanted) {
            Ok(links) => self.turn.deeds.push(Deed::Invite(Inviting { inviter, links })),
            Err(reason) => self.answer_inviter(inviter, Err(reason)),
        }
    }

    fn make_invitations(&mut self, inviter: &Inviter, wanted: &NewInvitations) -> Result<Vec<u32>, Reason> {
        let by = inviter.actor();
        self.hosts_only(by)?;
        let now = wall_clock();
        let checked = mail::check(wanted, now)?;
        let count = checked.mailboxes.len();
        let full = self.invitations.known.len() + count > mail::limits::INVITATIONS;
        if full || self.stage.links().len() + count > dais_stage::limits::LINKS_MAX {
            let text = "This room cannot have so many invitations: each is a role link, of which it has 1,000 at most.";
            return Err(mail::too_many(text.to_owned()));
        }
        let name = match by {
            Actor::Person(_) => Some(self.stage.actor_name(by).to_owned()),
            Actor::Portal => None,
        };
        let state = if self.shared.mail.sends { MailState::Queued } else { MailState::LinkOnly };
        let letter = |mailbox| checked.letter(mailbox, &self.info.title, name.as_deref());
        let letters = checked.mailboxes.iter().map(letter).collect::<Result<Vec<_>, _>>()?;
        let mut links = Vec::new();
        for letter in letters {
            self.enact(&Command::MakeLink { by, role: checked.role, expires: checked.expires, personal: true })?;
            let link = self.stage.links().last().ok_or(SessionError::Internal)?.id.0;
            let invitation = Invitation { link, letter, state, reason: None };
            self.invitations.known.insert(link, Known { invitation, saved: false });
            links.push(link);
        }
        Ok(links)
    }

    /// The links are in the journal. The outbox writes to the disk, so the room does not wait for it.
    pub(super) fn save_invitations(&self, inviting: Inviting) {
        let known = |link: &u32| self.invitations.known.get(link).map(|known| known.invitation.clone());
        let invitations: Vec<_> = inviting.links.iter().filter_map(known).collect();
        let (mail, room, done) = (Arc::clone(&self.shared.mail), self.info.id.clone(), self.done.0.clone());
        tokio::spawn(async move {
            let result = mail.outbox.add(&room, invitations, wall_clock()).await;
            // The room may be gone by then.
            let _ = done.send(Done::Invited(inviting, result));
            mail.wake();
        });
    }

    /// The outbox has written the invitations, or could not.
    pub(super) fn invitations_saved(&mut self, inviting: Inviting, result: Result<(), StoreError>) {
        let Inviting { inviter, links } = inviting;
        if let Err(error) = result {
            warn!(%error, "invitations cannot be written");
            for link in links {
                self.invitations.known.remove(&link);
                // Refused to a host who is not there any more: then the link stays in the list, unused.
                let _ = self.enact(&Command::RevokeLink { by: inviter.actor(), link: LinkId(link) });
            }
            let text = "The invitations could not be saved, so none was sent. Try again.".to_owned();
            return self.answer_inviter(inviter, Err(Reason { code: "mail_not_saved", text }));
        }
        for link in &links {
            if let Some(known) = self.invitations.known.get_mut(link) {
                known.saved = true;
                self.invitations.changed.insert(*link);
            }
        }
        // Withdrawn before they were in the outbox.
        let withdrawn = |link: &u32| self.link(*link).is_none_or(|link| link.revoked);
        self.withdraw_mail(links.iter().copied().filter(withdrawn).collect());
        let invitations = links.iter().filter_map(|link| self.invitation(*link)).collect();
        self.answer_inviter(inviter, Ok(invitations));
    }

    fn answer_inviter(&mut self, inviter: Inviter, result: Result<Vec<protocol::Invitation>, Reason>) {
        match (inviter, result) {
            (Inviter::Host { id, request }, Ok(invitations)) => {
                let sends_mail = self.shared.mail.sends;
                let message = ServerMessage::Invitations { id: request, invitations, sends_mail };
                self.turn.deeds.push(Deed::Answer { to: id, message });
            }
            (Inviter::Host { id, request }, Err(reason)) => self.refuse(id, request, reason),
            (Inviter::Portal(answer), result) => {
                let _ = answer.send(result.map_err(|reason| self.counted(reason)));
            }
        }
    }

    /// What is withdrawn is not sent any more.
    pub(super) fn withdraw_mail(&self, links: Vec<u32>) {
        if links.is_empty() {
            return;
        }
        let (mail, room) = (Arc::clone(&self.shared.mail), self.info.id.clone());
        tokio::spawn(async move {
            if let Err(error) = mail.outbox.withdraw(&room, links).await {
                // They lead nowhere, and the next start makes up for it.
                warn!(%error, "withdrawn invitations may still be sent");
            }
        });
    }

    /// Answers a host with everybody invited.
    pub(super) fn list_invitations(&self, by: ParticipantId, id: u32) -> Result<ServerMessage, Reason> {
        self.hosts_only(Actor::Person(by))?;
        let (invitations, sends_mail) = (self.all_invitations(), self.shared.mail.sends);
        Ok(ServerMessage::Invitations { id, invitations, sends_mail })
    }

    pub(super) fn all_invitations(&self) -> Vec<protocol::Invitation> {
        self.invitations.known.keys().filter_map(|link| self.invitation(*link)).collect()
    }

    /// Tells hosts what is new.
    pub(super) fn tell_invitations(&mut self) {
        let changed = std::mem::take(&mut self.invitations.changed);
        let invitations: Vec<_> = changed.into_iter().filter_map(|link| self.invitation(link)).collect();
        if invitations.is_empty() {
            return;
        }
        let news = dais_signaling::Outgoing::message(&ServerMessage::InvitationsChanged { invitations });
        let stage = &self.stage;
        let hosts = self.sessions.all_mut().filter(|(id, _)| is_host(stage.participant(*id).map(|person| person.role)));
        hosts.for_each(|(_, session)| session.say(news.clone()));
    }

    /// An invitation for those who may know of it, if it is in the outbox.
    fn invitation(&self, link: u32) -> Option<protocol::Invitation> {
        let Known { invitation, saved: true } = self.invitations.known.get(&link)? else { return None };
        let Invitation { letter, state, reason, .. } = invitation;
        let made = self.link(link);
        let of_use = made.filter(|made| !made.revoked && made.expires > wall_clock());
        let sign = |made: &Link| sign_link(&self.shared.keys, &self.info.id, link, made.role, made.expires).ok();
        Some(protocol::Invitation {
            link,
            address: letter.address.clone(),
            name: letter.name.clone(),
            role: letter.role.into(),
            state: *state,
            reason: reason.clone(),
            used: made.is_some_and(|made| made.used_by.is_some()),
            token: of_use.and_then(sign),
        })
    }

    fn link(&self, number: u32) -> Option<&Link> {
        self.stage.links().get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    fn hosts_only(&self, by: Actor) -> Result<(), Refusal> {
        match by {
            Actor::Portal => Ok(()),
            Actor::Person(id) if is_host(self.stage.participant(id).map(|person| person.role)) => Ok(()),
            Actor::Person(_) => Err(Refusal::HostsOnly),
        }
    }
}

fn is_host(role: Option<Role>) -> bool {
    role == Some(Role::Host)
}
