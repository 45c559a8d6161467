//! One run: publishers come on stage, viewers come and watch, a window is measured, and everybody leaves.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dais_media::Slot;
use dais_signaling::protocol::{ClientMessage, Place, Role, ServerMessage, SlotKind};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::check::{StageFindings, check};
use crate::director::{Cast, Removals, Told, ToldSwitch, without_media};
use crate::engine::{Part, Settings};
use crate::error::LoadError;
use crate::join::{Guest, Venue};
use crate::limits::LEAVE_WITHIN;
use crate::machine;
use crate::metrics::{Figures, Metrics};
use crate::people::publisher;
use crate::random::Random;
use crate::result::{Conditions, RunResult, ServerUse, Traffic};
use crate::sampler::{Mark, Sampler};
use crate::scenario::Scenario;
use crate::sdp::Sections;
use crate::server::{Cpu, Process};
use crate::session::Session;
use crate::summary::{JoinLog, latency};
use crate::system::{SocketOptions, monotonic_ns, pin};
use crate::url::HttpUrl;
use crate::venue::{VenueOptions, runtime};

/// Where a run goes, and what it may use.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server, `http://host:port`.
    pub url: String,
    /// The room.
    pub room: String,
    /// A token that everybody shares.
    pub token: Option<String>,
    /// The server's secret, to sign a token for each.
    pub token_secret: Option<String>,
    /// The server's process, to see what it uses.
    pub pid: Option<u32>,
    /// The server's metrics, `http://host:port/metrics`.
    pub metrics: Option<String>,
    /// Receive several datagrams at once.
    pub gro: bool,
    /// Media threads.
    pub threads: usize,
    /// Addresses to send from, in turn; empty for whichever the server is reached from.
    pub local_ips: Vec<IpAddr>,
    /// Core to run on.
    pub cpu: Option<usize>,
    /// Print a line each second on stderr.
    pub progress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".to_owned(),
            room: "demo".to_owned(),
            token: None,
            token_secret: None,
            pid: None,
            metrics: None,
            gro: true,
            threads: 1,
            local_ips: Vec::new(),
            cpu: None,
            progress: false,
        }
    }
}

/// Runs `scenario` and says what it found.
///
/// # Errors
/// When there is nothing to say: the server cannot be reached, or the scenario cannot be played on it. Viewers who do
/// not come in and thresholds that are not met are findings, not errors.
pub fn run(scenario: &Scenario, options: &Options) -> Result<RunResult, LoadError> {
    scenario.check()?;
    let metrics = options
        .metrics
        .as_deref()
        .map(|text| HttpUrl::parse(text).ok_or_else(|| LoadError::MetricsInvalid(text.to_owned())));
    let metrics = metrics.transpose()?;
    let process = options.pid.map(Process::new).transpose()?;
    if let Some(cpu) = options.cpu {
        pin(cpu).map_err(|error| LoadError::CpuUnknown(cpu, error.to_string()))?;
    }
    let random = Random::new(scenario.seed);
    let read_pause = Some(Duration::from_millis(scenario.viewers.read_pause_ms)).filter(|pause| !pause.is_zero());
    let settings = Settings { decrypt: scenario.viewers.decrypt, chatty: scenario.viewers.chatty, read_pause };
    let venue = VenueOptions {
        url: &options.url,
        room: &options.room,
        token: options.token.as_deref(),
        token_secret: options.token_secret.as_deref(),
        local_ips: &options.local_ips,
        socket: SocketOptions { gro: options.gro, receive_buffer: scenario.viewers.receive_buffer },
        threads: options.threads,
        people: scenario.publishers.people() + scenario.viewers.count,
    };
    let venue = venue.open(settings, &random)?;
    let runtime = runtime()?;
    let mut play = Play {
        scenario,
        options,
        venue,
        random,
        metrics,
        process,
        stop: watch::channel(false).0,
        present: JoinSet::new(),
    };
    let result = runtime.block_on(async {
        let result = play.perform().await;
        play.send_home().await;
        result
    });
    drop(play);
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// The room's capacity was changed, and is to be changed back by the host who did it.
struct Host {
    session: Session,
    capacity: u32,
}

struct Play<'a> {
    scenario: &'a Scenario,
    options: &'a Options,
    venue: Arc<Venue>,
    random: Random,
    metrics: Option<HttpUrl>,
    process: Option<Process>,
    /// Becomes true when everybody is to leave.
    stop: watch::Sender<bool>,
    /// The sessions of those who are in the room.
    present: JoinSet<()>,
}

/// The measured window.
struct Window {
    opening: Mark,
    closing: Mark,
    figures: Figures,
    removals: Removals,
    /// CLOCK_MONOTONIC, ns.
    span_ns: (u64, u64),
}

impl Play<'_> {
    async fn perform(&mut self) -> Result<RunResult, LoadError> {
        let started = machine::now();
        // Metrics that cannot be read are told before anybody comes.
        self.scrape().await?;
        let idle_memory = self.process.and_then(|process| process.memory());
        let host = self.prepare_stage().await?;
        let cast = self.bring_publishers().await;
        let outcome = match cast {
            Ok(cast) => self.measure(cast, idle_memory, started).await,
            Err(error) => Err(error),
        };
        if let Some(Host { mut session, capacity }) = host {
            let id = session.id();
            // The room may be gone with the server: then there is nothing to change back.
            let _ = session.request(id, ClientMessage::SetCapacity { id, capacity }).await;
            session.leave().await;
        }
        outcome
    }

    async fn measure(
        &mut self,
        mut cast: Cast,
        idle_memory: Option<u64>,
        started: String,
    ) -> Result<RunResult, LoadError> {
        let Self { scenario, options, .. } = *self;
        let mut sampler = Sampler::new(Arc::clone(&self.venue.engine), self.process, options.progress);
        let cpu_before_joins = self.process.and_then(|process| process.cpu());
        let (news, mut told) = mpsc::unbounded_channel();
        let joins = self.bring_viewers(&mut sampler, news).await?;
        let cpu_after_joins = self.process.and_then(|process| process.cpu());
        if let (0, Some(failure)) = (joins.joined(), joins.first_failure()) {
            return Err(LoadError::NobodyJoined(failure.to_string()));
        }
        let window = self.window(&mut sampler, &mut cast).await?;
        let mut told_switches = Vec::new();
        while let Ok(switch) = told.try_recv() {
            told_switches.push(switch);
        }

        let people = scenario.publishers.people();
        let counts = window.closing.counts.since(window.opening.counts);
        let measured_s = (window.closing.at - window.opening.at).as_secs_f64();
        let (from, to) = window.span_ns;
        let observed = sampler.switches.iter().filter(|seen| seen.viewer == people && !seen.first);
        let slot_switches = observed.filter(|seen| (from..to).contains(&seen.at_ns)).count() as u64;
        let changing = scenario.churn.is_some() || scenario.talk.is_some();
        let findings = StageFindings {
            switches_without_media: changing.then(|| without_media(&told_switches, &sampler.switches, window.span_ns)),
            removals: changing.then_some(window.removals.all),
            wrong_removals: scenario.talk.is_some().then_some(window.removals.wrong),
        };
        let summary = joins.summary();
        let joining = cpu_before_joins.zip(cpu_after_joins).map(|(before, after)| after.since(before).total());
        let traffic = Traffic {
            sent: counts.sent,
            received: counts.received,
            bytes: counts.bytes,
            lost_by_server: counts.lost_by_server,
            lost_by_harness: counts.lost_by_harness,
            duplicates: counts.duplicates,
            decrypted: counts.decrypted,
            damaged: counts.damaged,
        };
        let mut result = RunResult {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            started,
            machine: machine::machine(),
            conditions: Conditions {
                url: options.url.clone(),
                publishers: people,
                viewers: scenario.viewers.count,
                gro: options.gro,
                measured_s,
                decrypted_share: scenario.viewers.decrypt,
            },
            samples: std::mem::take(&mut sampler.samples),
            joins: summary,
            traffic,
            latency: latency(&sampler.latency),
            slot_switches,
            server: None,
            checks: Vec::new(),
        };
        let present = people + result.joins.joined;
        result.server = server_use(&window, &result, idle_memory, joining, present);
        let thresholds = scenario.thresholds.iter();
        result.checks = thresholds.map(|(name, threshold)| check(name, *threshold, &result, findings)).collect();
        Ok(result)
    }

    /// Warms up, and measures.
    async fn window(&self, sampler: &mut Sampler, cast: &mut Cast) -> Result<Window, LoadError> {
        let timing = self.scenario.timing;
        for _ in 0..timing.warm_up_s {
            sampler.tick(false).await?;
        }
        let opening = sampler.tick(false).await?;
        let from = monotonic_ns();
        let before = self.scrape().await?;
        let seconds = async {
            let mut closing = opening;
            for _ in 0..timing.measured_s {
                closing = sampler.tick(true).await?;
            }
            Ok::<_, LoadError>(closing)
        };
        let end = tokio::time::Instant::now() + Duration::from_secs(timing.measured_s.into());
        let stage = async {
            match (&self.scenario.churn, &self.scenario.talk) {
                (Some(churn), _) => cast.churn(churn, end).await,
                (_, Some(talk)) => cast.play(talk).await,
                (None, None) => Removals::default(),
            }
        };
        let (closing, removals) = tokio::join!(seconds, stage);
        let (closing, to) = (closing?, monotonic_ns());
        let figures = match (before, self.scrape().await?) {
            (Some(before), Some(after)) => after.since(&before),
            _ => Figures::default(),
        };
        Ok(Window { opening, closing, figures, removals, span_ns: (from, to) })
    }

    async fn scrape(&self) -> Result<Option<Metrics>, LoadError> {
        match &self.metrics {
            Some(url) => Metrics::fetch(url).await.map(Some),
            None => Ok(None),
        }
    }

    /// Sets the capacity of the stage, where the scenario wants that.
    async fn prepare_stage(&mut self) -> Result<Option<Host>, LoadError> {
        let capacity = self.scenario.churn.as_ref().map(|churn| churn.capacity);
        let Some(wanted) = capacity.or(self.scenario.talk.as_ref().map(|talk| talk.capacity)) else { return Ok(None) };
        let number = self.scenario.publishers.people() + self.scenario.viewers.count;
        let joined = self.venue.join_without_media("Load host", Role::Host, number).await;
        let (mut session, entered) =
            joined.map_err(|failure| LoadError::Unreachable(self.options.url.clone(), failure.text))?;
        if entered.on_stage > 0 {
            session.leave().await;
            return Err(LoadError::StageInUse(entered.on_stage));
        }
        let (id, was) = (session.id(), entered.rules.capacity);
        let answer = session.request(id, ClientMessage::SetCapacity { id, capacity: wanted as u32 }).await;
        match answer {
            Err(failure) if failure.code != "capacity_unchanged" => Err(LoadError::HostNeeded(failure.to_string())),
            _ => Ok(Some(Host { session, capacity: was })),
        }
    }

    /// Brings everybody who sends, one after the other, so that their order is known.
    async fn bring_publishers(&mut self) -> Result<Cast, LoadError> {
        let scenario = self.scenario;
        let places = scenario.churn.as_ref().map(|churn| churn.capacity);
        let places = places.or(scenario.talk.as_ref().map(|talk| talk.capacity)).unwrap_or(usize::MAX);
        let (tell, told) = mpsc::unbounded_channel();
        let mut cast = Cast { engine: Arc::clone(&self.venue.engine), requests: Vec::new(), told };
        for number in 0..scenario.publishers.people() {
            let guest = publisher(scenario, number, number < places, &self.random);
            let joined = self.venue.join(guest).await;
            let failed = |text| LoadError::PublisherFailed(number, text);
            let (session, _) = joined.map_err(|failure| failure.of_joining(&self.options.url, failed))?;
            let (requests, receiver) = mpsc::unbounded_channel();
            cast.requests.push(requests);
            self.present.spawn(converse(session, number, receiver, tell.clone(), self.stop.subscribe()));
        }
        Ok(cast)
    }

    /// Brings everybody who watches, as fast as the scenario allows; returns when the last one is in or has failed.
    async fn bring_viewers(
        &mut self,
        sampler: &mut Sampler,
        news: mpsc::UnboundedSender<ToldSwitch>,
    ) -> Result<JoinLog, LoadError> {
        let (count, timing) = (self.scenario.viewers.count, self.scenario.timing);
        let people = self.scenario.publishers.people();
        let (outcomes, mut arrived) = mpsc::unbounded_channel();
        let (venue, stop) = (Arc::clone(&self.venue), self.stop.subscribe());
        let sections = Sections {
            mic_ssrc: None,
            camera_ssrc: None,
            layers: 1,
            cameras: self.scenario.viewers.camera_slots,
            voices: self.scenario.viewers.voice_slots,
            feedback: self.scenario.viewers.feedback,
        };
        let spawn = async move {
            let flight = Arc::new(Semaphore::new(timing.joins_in_flight));
            let begin = tokio::time::Instant::now();
            let mut present = JoinSet::new();
            let mut news = Some(news);
            for n in 0..count {
                if timing.joins_per_second > 0.0 {
                    sleep_until(begin + Duration::from_secs_f64(n as f64 / timing.joins_per_second)).await;
                }
                let Ok(permit) = Arc::clone(&flight).acquire_owned().await else { break };
                let guest = Guest {
                    number: people + n,
                    name: format!("Viewer {n}"),
                    role: Role::Participant,
                    place: Place::Viewer,
                    mic: false,
                    camera: false,
                    sections,
                    part: Part::View,
                    awaits_media: people > 0,
                };
                let (venue, stop, outcomes, news) = (Arc::clone(&venue), stop.clone(), outcomes.clone(), news.take());
                present.spawn(async move {
                    let began = Instant::now();
                    let joined = venue.join(guest).await;
                    drop(permit);
                    match joined {
                        Ok((session, times)) => {
                            let _ = outcomes.send((began, Ok(times)));
                            drop(outcomes);
                            attend(session, news, stop).await;
                            venue.engine.disconnect(people + n);
                        }
                        Err(failure) => {
                            let _ = outcomes.send((began, Err(failure)));
                        }
                    }
                });
            }
            present
        };
        let spawning = tokio::spawn(spawn);
        let mut log = JoinLog::default();
        let mut left = count;
        while left > 0 {
            tokio::select! {
                outcome = arrived.recv() => {
                    let Some((began, outcome)) = outcome else { break };
                    log.add(began, outcome);
                    left -= 1;
                }
                mark = sampler.tick(false) => { mark?; }
            }
        }
        let mut present = spawning.await.map_err(|error| LoadError::Harness(error.to_string()))?;
        self.present.spawn(async move { while present.join_next().await.is_some() {} });
        Ok(log)
    }

    /// Lets everybody leave.
    async fn send_home(&mut self) {
        let _ = self.stop.send(true);
        let all = async { while self.present.join_next().await.is_some() {} };
        // Who cannot say goodbye by then falls off.
        let _ = timeout(LEAVE_WITHIN, all).await;
    }
}

/// A publisher's session: asks what it is told to ask, and tells what matters.
pub(crate) async fn converse(
    mut session: Session,
    who: usize,
    mut requests: mpsc::UnboundedReceiver<ClientMessage>,
    tell: mpsc::UnboundedSender<Told>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            _ = stop.changed() => return session.leave().await,
            Some(request) = requests.recv() => {
                if session.send(&request).await.is_err() {
                    return;
                }
            }
            message = session.next() => match message {
                Ok(message @ (ServerMessage::Ok { .. } | ServerMessage::Error { .. } | ServerMessage::Notice { .. })) => {
                    let _ = tell.send(Told { who, message });
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// A viewer's session. One of them reads who stands in which slot, and tells it.
async fn attend(
    mut session: Session,
    news: Option<mpsc::UnboundedSender<ToldSwitch>>,
    mut stop: watch::Receiver<bool>,
) {
    let read = async {
        let Some(news) = news else { return drop(session.ignore().await) };
        while let Ok(message) = session.next().await {
            let ServerMessage::Update { slots, .. } = message else { continue };
            let cameras = slots.iter().filter(|slot| slot.kind == SlotKind::Camera);
            for slot in cameras {
                let Some(ssrc) = Slot::camera(slot.index.into()).map(|slot| slot.ssrc().0) else { continue };
                let _ = news.send(ToldSwitch { slot_ssrc: ssrc, occupant: slot.participant, at_ns: monotonic_ns() });
            }
        }
    };
    tokio::select! {
        _ = stop.changed() => {}
        () = read => return,
    }
    session.leave().await;
}

fn server_use(
    window: &Window,
    result: &RunResult,
    idle_memory: Option<u64>,
    joining: Option<Duration>,
    present: usize,
) -> Option<ServerUse> {
    let Window { opening, closing, figures, .. } = window;
    let cpu = opening.cpu.zip(closing.cpu).map(|(before, after)| after.since(before));
    if cpu.is_none() && figures.forwarded.is_none() {
        return None;
    }
    let seconds = result.conditions.measured_s;
    let by_viewers = (result.traffic.received + result.traffic.lost_by_server + result.traffic.lost_by_harness) as f64;
    let packets = figures.forwarded.unwrap_or(by_viewers);
    let Cpu { user, system } = cpu.unwrap_or_default();
    let per_packet = |time: Duration| if packets > 0.0 { time.as_secs_f64() * 1e6 / packets } else { 0.0 };
    let more_memory = idle_memory.zip(closing.memory).map(|(idle, now)| now.saturating_sub(idle) as f64);
    let joined = result.joins.joined;
    Some(ServerUse {
        user_us_per_packet: per_packet(user),
        system_us_per_packet: per_packet(system),
        cores_used: (user + system).as_secs_f64() / seconds,
        packets_per_s: packets / seconds,
        segments_per_message: figures.segments_per_message,
        memory_per_participant: more_memory.filter(|_| present > 0).map(|memory| memory / present as f64),
        cpu_us_per_join: joining.filter(|_| joined > 0).map(|time| time.as_secs_f64() * 1e6 / joined as f64),
        forward_latency_us: figures.forward_latency_us,
    })
}
