//! The sessions of a room, and what goes to them.

use std::collections::BTreeMap;
use std::time::Duration;

use dais_media::ConnectionId;
use dais_signaling::protocol::{ServerMessage, SessionError};
use dais_signaling::{NotQueued, Outgoing, Reason, SessionId, SessionQueue};
use dais_stage::ParticipantId;
use tokio::time::Instant;

use super::notices::To;

/// Somebody's session, as the room sees it.
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) queue: SessionQueue,
    /// Which of its media connections is the current one.
    pub(super) connection: Option<ConnectionId>,
    /// What was said last of that connection: whoever takes it over is told again.
    pub(super) last: LastOfMedia,
    /// It can be sent pictures in the room's codec.
    pub(super) decodes: bool,
    /// The times of that connection, until its media can flow.
    pub(super) joining: Option<Joining>,
    /// Told what moderators are told.
    pub(super) moderates: bool,
    /// It could not take an update: it gets the whole state when it has taken what is queued.
    pub(super) lagging: bool,
    /// Nobody took from its queue at the last tick.
    pub(super) over: bool,
    /// The state it was told has everything up to this broadcast in it.
    pub(super) knows: u64,
    /// Since when it is gone, while its media go on and wait for another session.
    pub(super) gone: Option<Instant>,
}

/// The messages about a media connection that hold until the next of their kind.
#[derive(Clone, Default)]
pub(super) struct LastOfMedia {
    pub(super) camera: Option<Outgoing>,
    pub(super) screen: Option<Outgoing>,
    pub(super) held: Option<Outgoing>,
}

/// How long media go on without a session: a browser whose WebSocket is gone, or whose network has changed, is back
/// within that, and nobody has noticed.
const OUTLIVES_FOR: Duration = Duration::from_secs(3);

/// When a connection was asked for, and when its answer was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joining {
    pub(super) asked: Instant,
    pub(super) answered: Instant,
}

impl Session {
    /// Whether its media flow.
    pub(super) fn has_media(&self) -> bool {
        self.connection.is_some() && self.joining.is_none()
    }

    /// Queues what must not be lost: an answer, a notice. A session that cannot even take these is over.
    pub(super) fn say(&self, outgoing: Outgoing) {
        if self.queue.push(outgoing) == Err(NotQueued::Full) {
            self.queue.close(SessionError::TooSlow);
        }
    }

    /// Queues news, which a whole state makes up for.
    pub(super) fn update(&mut self, outgoing: Outgoing) {
        self.lagging = self.queue.push(outgoing) == Err(NotQueued::Full);
    }
}

/// Sessions that a broadcast reaches at once; the next ones have their turn [`BROADCAST_PAUSE`] later. Between two
/// portions answers get through: a message to thousands takes tens of milliseconds to write.
const BROADCAST_PORTION: usize = 100;
/// A broadcast has at most so many portions: everybody is told within 50 ms, and the next one is not kept waiting.
const BROADCAST_PORTIONS: usize = 25;
/// See [`BROADCAST_PORTION`].
pub(super) const BROADCAST_PAUSE: Duration = Duration::from_millis(2);

/// News on its way to all sessions, in order of participants.
struct Broadcast {
    outgoing: Vec<Outgoing>,
    next: ParticipantId,
}

/// The sessions by participant.
#[derive(Default)]
pub(super) struct Sessions {
    sessions: BTreeMap<ParticipantId, Session>,
    /// How many do not decode the room's codec.
    not_decoding: usize,
    broadcast: Option<Broadcast>,
    /// How many broadcasts there were.
    broadcasts: u64,
}

impl Sessions {
    pub(super) fn insert(&mut self, id: ParticipantId, session: Session) {
        self.not_decoding += usize::from(!session.decodes);
        let older = self.sessions.insert(id, session);
        self.not_decoding -= usize::from(older.is_some_and(|older| !older.decodes));
    }

    /// Whether everyone who receives pictures decodes the room's codec.
    pub(super) fn all_decode(&self) -> bool {
        self.not_decoding == 0
    }

    pub(super) fn get(&self, id: ParticipantId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ParticipantId) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    /// Takes away the session of `id`, if it is this one or, without one, any.
    pub(super) fn remove(&mut self, id: ParticipantId, session: Option<SessionId>) -> Option<Session> {
        let known = self.sessions.get(&id)?;
        if session.is_some_and(|session| session != known.id) {
            return None;
        }
        let removed = self.sessions.remove(&id);
        self.not_decoding -= usize::from(removed.as_ref().is_some_and(|session| !session.decodes));
        removed
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = (ParticipantId, &mut Session)> {
        self.sessions.iter_mut().map(|(id, session)| (*id, session))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.sessions.len()
    }

    /// The number of the latest broadcast.
    pub(super) fn broadcasts(&self) -> u64 {
        self.broadcasts
    }

    /// Whether a broadcast is on its way.
    pub(super) fn is_broadcasting(&self) -> bool {
        self.broadcast.is_some()
    }

    /// Tells everybody all of `outgoing`, but those who know it from a newer state. One broadcast at a time: call it only when none is on
    /// its way.
    pub(super) fn broadcast(&mut self, outgoing: Vec<Outgoing>) {
        self.broadcasts += 1;
        self.broadcast = Some(Broadcast { outgoing, next: ParticipantId(0) });
        self.broadcast_portion();
    }

    /// Tells the next ones.
    pub(super) fn broadcast_portion(&mut self) {
        let Some(Broadcast { outgoing, next }) = &mut self.broadcast else { return };
        let mut left = BROADCAST_PORTION.max(self.sessions.len().div_ceil(BROADCAST_PORTIONS));
        for (id, session) in self.sessions.range_mut(*next..) {
            if left == 0 {
                *next = *id;
                return;
            }
            left -= 1;
            if !session.lagging && session.knows < self.broadcasts {
                for message in outgoing.iter() {
                    session.update(message.clone());
                    if session.lagging {
                        break;
                    }
                }
            }
        }
        self.broadcast = None;
    }

    pub(super) fn tell(&self, to: To, message: &ServerMessage) {
        let outgoing = Outgoing::message(message);
        match to {
            To::One(id) => self.get(id).into_iter().for_each(|session| session.say(outgoing.clone())),
            To::Moderators => {
                self.sessions
                    .values()
                    .filter(|session| session.moderates)
                    .for_each(|session| session.say(outgoing.clone()));
            }
            To::Everyone => self.sessions.values().for_each(|session| session.say(outgoing.clone())),
        }
    }

    /// Whose session was over the last time too and has not said so, or has been gone for too long.
    pub(super) fn over(&mut self) -> Vec<ParticipantId> {
        let now = Instant::now();
        let was_over = |session: &mut Session| match session.gone {
            Some(since) => now >= since + OUTLIVES_FOR,
            None => std::mem::replace(&mut session.over, session.queue.is_over()),
        };
        let over = self.sessions.iter_mut().filter_map(|(id, session)| was_over(session).then_some(*id));
        over.collect()
    }

    /// Ends all sessions.
    pub(super) fn close(&mut self, reason: impl Into<Reason>) {
        let reason = reason.into();
        self.not_decoding = 0;
        std::mem::take(&mut self.sessions).into_values().for_each(|session| session.queue.close(reason.clone()));
    }
}
