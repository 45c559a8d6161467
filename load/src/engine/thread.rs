//! A media thread: reads the sockets of its participants as datagrams come, and sends what publishers and browsers send
//! when it is due.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dais_media::{Identity, SrtpSession, rtcp};
use hdrhistogram::Histogram;
use slab::Slab;

use super::counts::{Counts, Report, Switch, latencies};
use super::participant::{Participant, Start, State};
use super::rtcp::{receiver_report, sender_report};
use super::side::Side;
use super::viewer::{Findings, Viewer};
use super::watching::Watching;
use super::{Command, Connect, Part, Settings};
use crate::publish::Publisher;
use crate::random::Random;
use crate::system::{Ingress, Poller, monotonic_ns, realtime_ns};

/// Timers are looked at this often.
const TICK_NS: u64 = 10_000_000;
/// Each participant has its second's turn in one of so many ticks.
const TICKS_PER_SECOND: usize = 100;
/// Each of those who report transport-wide does so once in so many ticks: every 100 ms, as libwebrtc does at ordinary
/// rates.
const TICKS_PER_FEEDBACK: usize = 10;
/// Every so many seconds a browser checks consent (RFC 7675 §5.1: 5 s, spread by ±20 %).
const CONSENT_EVERY: u64 = 5;
/// The handshake is kept for so many seconds after its end.
const HANDSHAKE_KEPT: Duration = Duration::from_secs(5);
/// Empty receiver reports a second that Chromium sends for slots it has never used, each its own datagram.
const IDLE_REPORTS: u32 = 25;
/// SSRC a viewer reports with; for idle slots those that follow.
const REPORTER_SSRC: u32 = 0x1000_0000;
/// Longest packet a publisher sends, with its tag, bytes.
const PACKET_BYTES: usize = 1_600;

/// See the module.
pub(super) struct MediaThread {
    settings: Settings,
    identity: Identity,
    commands: mpsc::Receiver<Command>,
    poller: Poller,
    ingress: Ingress,
    participants: Slab<Participant>,
    /// Key by number of the participant.
    keys: HashMap<usize, usize>,
    connecting: Vec<usize>,
    publishers: Vec<usize>,
    watchers: Vec<usize>,
    next_tick: u64,
    /// Counts the ticks.
    ticks: usize,
    next_pause: u64,
    /// Nothing is read until then; publishers go on.
    paused_until: u64,
    /// CLOCK_REALTIME, in which the kernel tells arrivals, less CLOCK_MONOTONIC, in which packets are stamped, ns.
    clocks_apart: u64,
    counts: Counts,
    /// Of those who are gone.
    gone: Counts,
    latency: Histogram<u64>,
    switches: Vec<Switch>,
    random: Random,
    packet: [u8; PACKET_BYTES],
    compound: Vec<u8>,
}

impl MediaThread {
    pub(super) fn new(
        settings: Settings,
        identity: Identity,
        commands: mpsc::Receiver<Command>,
        poller: Poller,
        random: Random,
    ) -> Self {
        Self {
            settings,
            identity,
            commands,
            poller,
            ingress: Ingress::new(),
            participants: Slab::new(),
            keys: HashMap::new(),
            connecting: Vec::new(),
            publishers: Vec::new(),
            watchers: Vec::new(),
            next_tick: 0,
            ticks: 0,
            next_pause: monotonic_ns(),
            paused_until: 0,
            clocks_apart: clocks_apart(),
            counts: Counts::default(),
            gone: Counts::default(),
            latency: latencies(),
            switches: Vec::new(),
            random,
            packet: [0; PACKET_BYTES],
            compound: Vec::new(),
        }
    }

    /// Runs until it is told to stop, or whoever commands it is gone.
    pub(super) fn run(mut self) {
        while self.obey() {
            let now = monotonic_ns();
            self.publish(now);
            if self.next_tick <= now {
                self.next_tick = now + TICK_NS;
                self.tick(now);
            }
            let due = self.publishers.iter().filter_map(|key| self.participants[*key].side.publisher()?.due());
            let due = due.min().map_or(self.next_tick, |due| due.min(self.next_tick));
            let wait = Duration::from_nanos(due.saturating_sub(monotonic_ns()));
            if now < self.paused_until {
                std::thread::sleep(wait);
                continue;
            }
            let count = self.poller.wait(wait);
            for n in 0..count {
                if let Some(key) = self.poller.ready(n) {
                    self.read(key);
                }
            }
        }
    }

    fn obey(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Connect(connect)) => self.connect(*connect),
                Ok(Command::Disconnect { number }) => self.disconnect(number),
                Ok(Command::SetSending { number, sending }) => {
                    self.publisher(number, |publisher, now| publisher.set_sending(sending, now));
                }
                Ok(Command::SetTalking { number, talking }) => {
                    self.publisher(number, |publisher, now| publisher.set_talking(talking, now));
                }
                Ok(Command::Report(answer)) => {
                    let _ = answer.send(self.report());
                }
                Err(mpsc::TryRecvError::Empty) => return true,
                Err(mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn publisher(&mut self, number: usize, change: impl FnOnce(&mut Publisher, u64)) {
        let key = self.keys.get(&number).and_then(|key| self.participants.get_mut(*key));
        if let Some(Participant { side: Side::Publisher(publisher), .. }) = key {
            change(publisher, monotonic_ns());
        }
    }

    fn connect(&mut self, connect: Connect) {
        let Connect { number, socket, local_ufrag, remote, you, part, feedback, awaits_media, done } = connect;
        if socket.connect(remote.address).is_err() {
            let _ = done.send(Err("media_unreachable"));
            return;
        }
        let side = match part {
            Part::Publish(publisher) => Side::Publisher(publisher),
            Part::View => Side::Viewer(Box::new(Viewer::new(number, self.settings.decrypt, &mut self.random))),
            Part::Watch => Side::Watcher(Box::new(Watching::new(number))),
        };
        let key = self.participants.vacant_key();
        if self.poller.add(&socket, key).is_err() {
            let _ = done.send(Err("too_few_files"));
            return;
        }
        let start = Start { socket, local_ufrag, remote, you, side, feedback, awaits_media, done };
        self.participants.insert(Participant::new(start, Instant::now()));
        self.keys.insert(number, key);
        self.connecting.push(key);
    }

    fn disconnect(&mut self, number: usize) {
        let Some(key) = self.keys.remove(&number) else { return };
        let participant = self.participants.remove(key);
        self.connecting.retain(|other| *other != key);
        self.publishers.retain(|other| *other != key);
        self.watchers.retain(|other| *other != key);
        participant.side.count(&mut self.gone);
    }

    fn report(&mut self) -> Report {
        let mut counts = self.counts.plus(self.gone);
        self.participants.iter().for_each(|(_, participant)| participant.side.count(&mut counts));
        Report {
            connected: self.participants.iter().filter(|(_, participant)| participant.is_connected()).count(),
            counts,
            latency: std::mem::replace(&mut self.latency, latencies()),
            switches: std::mem::take(&mut self.switches),
            watched: self.watchers.iter().filter_map(|key| self.participants[*key].side.watching()?.report()).collect(),
        }
    }

    /// Sends what publishers have to send.
    fn publish(&mut self, now: u64) {
        for key in &self.publishers {
            let Participant { side: Side::Publisher(publisher), state: State::Connected { keys, .. }, socket, .. } =
                &mut self.participants[*key]
            else {
                continue;
            };
            if publisher.due().is_none_or(|due| due > now) {
                continue;
            }
            publisher.poll(now, &mut self.packet, monotonic_ns, |out| {
                let len = keys.sender.protect_rtp(out.buf, out.header_len, out.len, out.ssrc, out.index);
                // What the kernel does not take is lost on the way to the server.
                let _ = socket.send(&out.buf[..len]);
            });
        }
    }

    fn tick(&mut self, now: u64) {
        let instant = Instant::now();
        self.clocks_apart = clocks_apart();
        let participants = &mut self.participants;
        self.connecting.retain(|key| {
            let participant = &mut participants[*key];
            participant.tend(&instant);
            participant.is_connecting()
        });
        self.ticks = self.ticks.wrapping_add(1);
        for key in (self.ticks % TICKS_PER_SECOND..self.participants.capacity()).step_by(TICKS_PER_SECOND) {
            self.visit(key, now);
        }
        for key in (self.ticks % TICKS_PER_FEEDBACK..self.participants.capacity()).step_by(TICKS_PER_FEEDBACK) {
            self.report_arrivals(key);
        }
        for key in &self.watchers {
            let participant = &mut self.participants[*key];
            let (Side::Watcher(watching), State::Connected { keys, .. }) =
                (&mut participant.side, &mut participant.state)
            else {
                continue;
            };
            watching.tend(now, |mut compound| {
                keys.sender.protect_rtcp(&mut compound);
                let _ = participant.socket.send(&compound);
            });
        }
        if let Some(pause) = self.settings.read_pause
            && self.next_pause <= now
        {
            (self.next_pause, self.paused_until) = (now + 1_000_000_000, now + pause.as_nanos() as u64);
        }
    }

    /// Says when packets came.
    fn report_arrivals(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let State::Connected { keys, .. } = &mut participant.state else { return };
        if let Some(mut compound) = participant.feedback.as_mut().and_then(|feedback| feedback.report()) {
            keys.sender.protect_rtcp(&mut compound);
            let _ = participant.socket.send(&compound);
        }
    }

    /// What a browser does once a second.
    fn visit(&mut self, key: usize, now: u64) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.visits += 1;
        if participant.is_connected() && participant.visits % CONSENT_EVERY == 0 {
            participant.check();
        }
        let State::Connected { keys, handshake, since } = &mut participant.state else { return };
        if since.elapsed() > HANDSHAKE_KEPT {
            *handshake = None;
        }
        let (compound, socket) = (&mut self.compound, &participant.socket);
        let mut send = |compound: &mut Vec<u8>| {
            keys.sender.protect_rtcp(compound);
            let _ = socket.send(compound);
        };
        match &mut participant.side {
            Side::Publisher(publisher) => publisher.reports(now, |stream| {
                sender_report(compound, stream, realtime_ns());
                send(compound);
            }),
            Side::Watcher(watching) => {
                receiver_report(compound, REPORTER_SSRC, watching.receptions());
                send(compound);
            }
            Side::Viewer(viewer) => {
                receiver_report(compound, REPORTER_SSRC, viewer.receptions());
                send(compound);
                if self.settings.chatty {
                    for idle in 1..=IDLE_REPORTS {
                        receiver_report(compound, REPORTER_SSRC + idle, std::iter::empty());
                        send(compound);
                    }
                }
            }
        }
    }

    /// Reads what a socket has, at most a batch.
    fn read(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        // An error, such as a server that is gone, shows as loss.
        let Ok(messages) = self.ingress.receive(&participant.socket) else { return };
        for n in 0..messages {
            let (bytes, arrival) = self.ingress.message(n);
            let came = arrival.at_ns.map_or_else(monotonic_ns, |at| at.saturating_sub(self.clocks_apart));
            if let (Some(dropped), Side::Viewer(viewer)) = (arrival.dropped, &mut participant.side) {
                viewer.set_dropped(dropped);
            }
            for datagram in bytes.chunks_mut(arrival.segment) {
                match datagram[0] {
                    0..=3 => participant.handle_stun(datagram, &self.identity),
                    20..=63 => {
                        let connected = participant.handle_dtls(datagram);
                        if connected {
                            participant.begin(&mut self.random);
                            match participant.side {
                                Side::Publisher(_) => self.publishers.push(key),
                                Side::Watcher(_) => self.watchers.push(key),
                                Side::Viewer(_) => {}
                            }
                        }
                    }
                    128..=191 => {
                        let mut findings = Findings {
                            counts: &mut self.counts,
                            latency: &mut self.latency,
                            switches: &mut self.switches,
                            random: &mut self.random,
                        };
                        handle_media(participant, datagram, came, &mut findings);
                    }
                    _ => {}
                }
            }
        }
    }
}

fn clocks_apart() -> u64 {
    realtime_ns().saturating_sub(monotonic_ns())
}

fn handle_media(participant: &mut Participant, datagram: &mut [u8], came: u64, findings: &mut Findings<'_>) {
    let State::Connected { keys, .. } = &mut participant.state else { return };
    if let Some(feedback) = participant.feedback.as_mut().filter(|_| !rtcp::is_rtcp(datagram)) {
        feedback.note(datagram, came);
    }
    match &mut participant.side {
        // What the server reports to viewers changes nothing here.
        Side::Viewer(_) | Side::Watcher(_) if rtcp::is_rtcp(datagram) => {}
        Side::Viewer(viewer) => {
            if viewer.receive(datagram, &keys.receiver, came, findings) {
                participant.note_media();
            }
        }
        Side::Watcher(watching) => {
            watching.receive(datagram, &keys.receiver, came);
            participant.note_media();
        }
        Side::Publisher(publisher) if rtcp::is_rtcp(datagram) => read_requests(publisher, keys, datagram),
        Side::Publisher(_) => {}
    }
}

/// What the server asks a publisher for.
fn read_requests(publisher: &mut Publisher, keys: &mut SrtpSession, datagram: &mut [u8]) {
    let Ok(len) = keys.receiver.unprotect_rtcp(datagram) else { return };
    let _ = rtcp::read(&datagram[..len], |message| {
        if let rtcp::Message::KeyFrameRequest { ssrc } = message {
            publisher.want_key_frame(ssrc);
        }
    });
}
