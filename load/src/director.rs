//! Scenarios in which the stage changes: who comes on it when, who is removed, and whether that was right.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use dais_signaling::protocol::{ClientMessage, Notice, ServerMessage};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::{Engine, Switch};
use crate::scenario::{Churn, Talk};
use crate::talk::Stage;

/// Longest time from a join to the removal that it leads to.
const REMOVED_WITHIN: Duration = Duration::from_secs(3);

/// Something a publisher was told.
pub(crate) struct Told {
    pub(crate) who: usize,
    pub(crate) message: ServerMessage,
}

/// The publishers, to be told what to ask for.
pub(crate) struct Cast {
    pub(crate) engine: Arc<Engine>,
    /// By publisher.
    pub(crate) requests: Vec<mpsc::UnboundedSender<ClientMessage>>,
    pub(crate) told: mpsc::UnboundedReceiver<Told>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removals {
    pub(crate) all: u64,
    pub(crate) wrong: u64,
}

/// Numbers of the requests that come on stage; a session makes no others in the measured window.
const JOIN_ID: u32 = 1_000;

impl Cast {
    fn ask_to_join(&self, who: usize) {
        // Who is gone shows in the result: nobody is removed.
        let _ = self.requests[who].send(ClientMessage::JoinStage { id: JOIN_ID, mic: true, camera: true });
    }

    /// Takes one thing that was told. Who was removed from the full stage stops sending; who came begins. Returns the
    /// one removed.
    fn follow(&self, told: &Told) -> Option<usize> {
        match &told.message {
            ServerMessage::Ok { id: JOIN_ID } => {
                self.engine.set_sending(told.who, true);
                None
            }
            ServerMessage::Notice { notice: Notice::StageFull { .. } } => {
                self.engine.set_sending(told.who, false);
                Some(told.who)
            }
            _ => None,
        }
    }

    /// Lets those who wait come on stage, one after the other, until `end`.
    pub(crate) async fn churn(&mut self, churn: &Churn, end: Instant) -> Removals {
        let mut waiting: VecDeque<usize> = (churn.capacity..self.requests.len()).collect();
        let mut removals = Removals::default();
        let pause = Duration::from_secs_f64(1.0 / churn.joins_per_second);
        let mut next = Instant::now() + pause;
        loop {
            tokio::select! {
                () = sleep_until(end) => return removals,
                () = sleep_until(next) => {
                    next += pause;
                    if let Some(who) = waiting.pop_front() {
                        self.ask_to_join(who);
                    }
                }
                told = self.told.recv() => {
                    let Some(told) = told else { return removals };
                    if let Some(removed) = self.follow(&told) {
                        removals.all += 1;
                        waiting.push_back(removed);
                    }
                }
            }
        }
    }

    /// Plays the script from now on.
    pub(crate) async fn play(&mut self, talk: &Talk) -> Removals {
        let begin = Instant::now();
        let mut steps: Vec<(f64, Step)> = talk.joins.iter().map(|join| (join.at_s, Step::Join(join.who))).collect();
        for turn in &talk.turns {
            steps.push((turn.from_s, Step::Talk(turn.who, true)));
            steps.push((turn.to_s, Step::Talk(turn.who, false)));
        }
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut stage = Stage::new(talk.capacity);
        let mut removals = Removals::default();
        for (at, step) in steps {
            sleep_until(begin + Duration::from_secs_f64(at)).await;
            match step {
                Step::Talk(who, talking) => self.engine.set_talking(who, talking),
                Step::Join(who) => {
                    let expected = stage.longest_silent(talk, at);
                    self.ask_to_join(who);
                    let removed = timeout(REMOVED_WITHIN, self.removed()).await.ok().flatten();
                    removals.all += u64::from(removed.is_some());
                    removals.wrong += u64::from(removed.is_none() || removed != expected);
                    if let Some(removed) = removed {
                        stage.remove(removed);
                        stage.add(who, at);
                    }
                }
            }
        }
        removals
    }

    /// The next one to be removed.
    async fn removed(&mut self) -> Option<usize> {
        loop {
            let told = self.told.recv().await?;
            if let Some(removed) = self.follow(&told) {
                return Some(removed);
            }
        }
    }
}

enum Step {
    Talk(usize, bool),
    Join(usize),
}

/// A camera slot has another occupant, as everybody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ToldSwitch {
    pub(crate) slot_ssrc: u32,
    /// Nobody: the slot is free.
    pub(crate) occupant: Option<u32>,
    /// CLOCK_MONOTONIC, ns.
    pub(crate) at_ns: u64,
}

/// Media of a new occupant comes within this time of the news, or came so long before it.
const MEDIA_WITHIN_NS: u64 = 2_000_000_000;
const MEDIA_BEFORE_NS: u64 = 1_000_000_000;

/// How many changes of occupant that were told between `from` and `to` some viewer saw no media of. A viewer is whoever
/// saw anything: a join is over when media has come.
/// Changes that were overtaken by another one of the slot, or by the end, are not counted.
pub(crate) fn without_media(told: &[ToldSwitch], seen: &[Switch], (from, to): (u64, u64)) -> u64 {
    let in_time = |told: &ToldSwitch| {
        let until = told.at_ns + MEDIA_WITHIN_NS;
        (from..to.saturating_sub(MEDIA_WITHIN_NS)).contains(&told.at_ns) && until < to
    };
    let overtaken = |one: &ToldSwitch| {
        let later = |other: &&ToldSwitch| {
            other.slot_ssrc == one.slot_ssrc && other.at_ns > one.at_ns && other.at_ns < one.at_ns + MEDIA_WITHIN_NS
        };
        told.iter().any(|other| later(&other))
    };
    let saw = |viewer: usize, one: &ToldSwitch| {
        // Who comes back to the slot they were the last in changes nothing in the packets.
        let before = seen.iter().rfind(|seen| {
            seen.viewer == viewer && seen.slot_ssrc == one.slot_ssrc && seen.at_ns + MEDIA_BEFORE_NS < one.at_ns
        });
        let window = one.at_ns.saturating_sub(MEDIA_BEFORE_NS)..one.at_ns + MEDIA_WITHIN_NS;
        before.is_some_and(|before| Some(before.occupant) == one.occupant)
            || seen.iter().any(|seen| {
                seen.viewer == viewer
                    && seen.slot_ssrc == one.slot_ssrc
                    && Some(seen.occupant) == one.occupant
                    && window.contains(&seen.at_ns)
            })
    };
    let viewers: BTreeSet<usize> = seen.iter().map(|seen| seen.viewer).collect();
    let expected = told.iter().filter(|one| one.occupant.is_some() && in_time(one) && !overtaken(one));
    expected.filter(|one| !viewers.iter().all(|viewer| saw(*viewer, one))).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn told(slot_ssrc: u32, occupant: Option<u32>, at: u64) -> ToldSwitch {
        ToldSwitch { slot_ssrc, occupant, at_ns: at }
    }

    fn seen(viewer: usize, occupant: u32, at_ns: u64) -> Switch {
        Switch { viewer, slot_ssrc: 1, occupant, first: false, at_ns }
    }

    /// What both viewers saw in the beginning, long before the window.
    fn beginning() -> Vec<Switch> {
        vec![seen(0, 1, S), seen(1, 1, S)]
    }

    #[test]
    fn a_switch_that_one_viewer_saw_nothing_of_is_counted_once() {
        let news = [told(1, Some(7), 20 * S)];
        let count = |more: &[Switch]| without_media(&news, &[&beginning(), more].concat(), (10 * S, 60 * S));
        assert_eq!(count(&[seen(0, 7, 20 * S), seen(1, 7, 21 * S)]), 0);
        assert_eq!(count(&[seen(0, 7, 20 * S)]), 1);
        assert_eq!(count(&[seen(0, 7, 20 * S), seen(1, 8, 21 * S)]), 1, "somebody else's media");
        assert_eq!(count(&[seen(0, 7, 20 * S), seen(1, 7, 23 * S)]), 1, "too late");
        assert_eq!(count(&[seen(0, 7, 2 * S), seen(1, 7, 3 * S)]), 0, "they were the last in it");
    }

    #[test]
    fn switches_that_cannot_be_judged_are_not_counted() {
        let count = |news: &[ToldSwitch]| without_media(news, &beginning(), (10 * S, 60 * S));
        assert_eq!(count(&[told(1, None, 20 * S)]), 0, "nobody came");
        assert_eq!(count(&[told(1, Some(7), 5 * S), told(1, Some(8), 59 * S)]), 0, "outside of the window");
        assert_eq!(count(&[told(1, Some(7), 20 * S), told(1, Some(8), 21 * S)]), 1, "the first was overtaken");
    }
}
