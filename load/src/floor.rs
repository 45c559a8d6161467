//! The bare loop that a server cannot be faster than: datagrams of the same size, so many segments a message, to the same
//! receivers over the same socket options, with nothing between.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::limits::{MESSAGE_BYTES_MAX, RECEIVERS_MAX, SEGMENTS_MAX};
use crate::machine;
use crate::result::{Machine, RunResult};
use crate::system::{Egress, Ingress, Poller, SocketOptions, bind, enlarge_send_buffer, pin, thread_cpu};

/// What is to be sent, to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// Receiving sockets.
    pub receivers: usize,
    /// Bytes of a datagram.
    pub size: usize,
    /// Datagrams a message, on the average; fractions are a mix.
    pub segments: f64,
    /// Datagrams a second, to all receivers together.
    pub packets_per_second: f64,
    /// How long, s.
    pub seconds: f64,
    /// Receivers take several datagrams at once.
    pub gro: bool,
    /// Core of the sender.
    pub sender_cpu: Option<usize>,
    /// Core of the receivers.
    pub receiver_cpu: Option<usize>,
}

/// What it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FloorResult {
    /// Where it was measured.
    pub machine: Machine,
    /// Receiving sockets.
    pub receivers: usize,
    /// Bytes of a datagram.
    pub size: usize,
    /// Datagrams a message.
    pub segments_per_message: f64,
    /// Whether receivers took several datagrams at once.
    pub gro: bool,
    /// Datagrams sent a second; less than was asked for when the sender could not keep up.
    pub packets_per_s: f64,
    /// Processor time of the sender in user space per datagram, µs.
    pub user_us_per_packet: f64,
    /// Processor time of the sender in the kernel per datagram, µs.
    pub system_us_per_packet: f64,
    /// Datagrams received.
    pub received: u64,
    /// Datagrams that receivers dropped because they were not read in time, or that came nowhere.
    pub lost: u64,
}

/// The sender sends once a tick, as the server does under load.
const TICK: Duration = Duration::from_millis(5);
/// Receive buffer of each receiver, and send buffer of the sender, bytes; as the scenarios and the server have them.
const RECEIVE_BUFFER_BYTES: usize = 1 << 20;
const SEND_BUFFER_BYTES: usize = 4 << 20;

impl Default for Floor {
    /// One camera of 2.5 Mbit/s to 300 viewers, sent singly.
    fn default() -> Self {
        Self {
            receivers: 300,
            size: 1_200,
            segments: 1.0,
            packets_per_second: 81_000.0,
            seconds: 5.0,
            gro: true,
            sender_cpu: None,
            receiver_cpu: None,
        }
    }
}

impl Floor {
    /// The floor under a run: its rate, sizes, segments and receivers.
    ///
    /// # Errors
    /// [`LoadError::FloorInvalid`] when nothing was received in it.
    pub fn under(result: &RunResult) -> Result<Self, LoadError> {
        let traffic = &result.traffic;
        if traffic.received == 0 || result.conditions.viewers == 0 {
            return Err(LoadError::FloorInvalid("nothing was received in that run".to_owned()));
        }
        let by_viewers = traffic.received as f64 / result.conditions.measured_s;
        Ok(Self {
            receivers: result.conditions.viewers,
            size: (traffic.bytes / traffic.received) as usize,
            segments: result.server.and_then(|server| server.segments_per_message).unwrap_or(1.0).max(1.0),
            packets_per_second: by_viewers,
            gro: result.conditions.gro,
            ..Self::default()
        })
    }

    fn check(&self) -> Result<(), LoadError> {
        let rules = [
            ((1..=RECEIVERS_MAX).contains(&self.receivers), "--receivers must be 1 to 20,000"),
            ((1..=1_472).contains(&self.size), "--size must be 1 to 1,472 bytes"),
            ((1.0..=SEGMENTS_MAX).contains(&self.segments), "--segments must be 1 to 64"),
            (
                self.size * self.segments.ceil() as usize <= MESSAGE_BYTES_MAX,
                "--size times --segments must be at most 65,000 bytes",
            ),
            (
                self.packets_per_second >= 1.0 && self.packets_per_second <= 1e8,
                "--packets-per-second must be 1 to 100,000,000",
            ),
            ((0.1..=3_600.0).contains(&self.seconds), "--seconds must be 0.1 to 3,600"),
        ];
        let broken = rules.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, rule)| Err(LoadError::FloorInvalid(rule.to_owned())))
    }

    /// Measures it.
    ///
    /// # Errors
    /// When a number makes no sense, or sockets, threads or cores are missing.
    pub fn measure(&self) -> Result<FloorResult, LoadError> {
        self.check()?;
        let harness = |error: std::io::Error| LoadError::Harness(error.to_string());
        let needed = self.receivers as u64 + 100;
        let allowed = rlimit::increase_nofile_limit(needed.max(1_024)).unwrap_or(0);
        if allowed < needed {
            return Err(LoadError::TooFewFiles { needed, allowed });
        }
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let options = SocketOptions { gro: self.gro, receive_buffer: RECEIVE_BUFFER_BYTES };
        let sockets = (0..self.receivers).map(|_| bind(ip, options)).collect::<std::io::Result<Vec<_>>>();
        let sockets = sockets.map_err(harness)?;
        let addresses = sockets.iter().map(UdpSocket::local_addr).collect::<std::io::Result<Vec<_>>>();
        let egress = Egress::new(&addresses.map_err(harness)?).map_err(harness)?;
        let (done, receiver_cpu, sender_cpu) = (Arc::new(AtomicBool::new(false)), self.receiver_cpu, self.sender_cpu);
        let receiver = {
            let done = Arc::clone(&done);
            std::thread::spawn(move || pinned(receiver_cpu, || receive(&sockets, &done)))
        };
        let plan = self.clone();
        let sender = std::thread::spawn(move || pinned(sender_cpu, || plan.send(egress)));
        let sent = join(sender);
        // What is on its way arrives: on loopback sending is delivering.
        std::thread::sleep(Duration::from_millis(200));
        done.store(true, Ordering::Relaxed);
        let received = join(receiver)?;
        let Sent { packets, messages, user, system, elapsed } = sent?;
        let per_packet = |time: Duration| time.as_secs_f64() * 1e6 / packets.max(1) as f64;
        Ok(FloorResult {
            machine: machine::machine(),
            receivers: self.receivers,
            size: self.size,
            segments_per_message: packets as f64 / messages.max(1) as f64,
            gro: self.gro,
            packets_per_s: packets as f64 / elapsed.as_secs_f64(),
            user_us_per_packet: per_packet(user),
            system_us_per_packet: per_packet(system),
            received,
            lost: packets.saturating_sub(received),
        })
    }

    fn send(&self, mut egress: Egress) -> std::io::Result<Sent> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        enlarge_send_buffer(&socket, SEND_BUFFER_BYTES)?;
        let payload = vec![0x5a; self.size * self.segments.ceil() as usize];
        let mut mix = Mix::new(self.segments);
        let per_tick = self.packets_per_second * TICK.as_secs_f64() / self.receivers as f64;
        let (mut credit, mut packets, mut messages) = (0.0, 0, 0);
        let (user, system) = thread_cpu();
        let began = Instant::now();
        let mut next = began;
        while began.elapsed().as_secs_f64() < self.seconds {
            credit += per_tick;
            while credit >= mix.peek() as f64 {
                let segments = mix.take();
                credit -= segments as f64;
                let taken = egress.send_to_all(&socket, &payload[..segments * self.size], self.size as u16);
                messages += taken as u64;
                packets += (taken * segments) as u64;
            }
            next += TICK;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let after = thread_cpu();
        Ok(Sent { packets, messages, user: after.0 - user, system: after.1 - system, elapsed: began.elapsed() })
    }
}

struct Sent {
    packets: u64,
    messages: u64,
    user: Duration,
    system: Duration,
    elapsed: Duration,
}

/// Whole numbers of segments whose mean is a fraction.
struct Mix {
    mean: f64,
    owed: f64,
}

impl Mix {
    fn new(mean: f64) -> Self {
        Self { mean, owed: 0.0 }
    }

    fn peek(&self) -> usize {
        // A hair more, so that sums of fractions do not fall just short.
        (self.owed + self.mean + 1e-9).floor() as usize
    }

    fn take(&mut self) -> usize {
        let segments = self.peek();
        self.owed += self.mean - segments as f64;
        segments
    }
}

fn pinned<T>(cpu: Option<usize>, work: impl FnOnce() -> std::io::Result<T>) -> Result<T, LoadError> {
    if let Some(cpu) = cpu {
        pin(cpu).map_err(|error| LoadError::CpuUnknown(cpu, error.to_string()))?;
    }
    work().map_err(|error| LoadError::Harness(error.to_string()))
}

fn join<T>(thread: std::thread::JoinHandle<Result<T, LoadError>>) -> Result<T, LoadError> {
    thread.join().unwrap_or_else(|_| Err(LoadError::Harness("a thread of the floor panicked".to_owned())))
}

/// Reads what comes until `done`, and counts the datagrams.
fn receive(sockets: &[UdpSocket], done: &AtomicBool) -> std::io::Result<u64> {
    let (mut poller, mut ingress, mut datagrams) = (Poller::new()?, Ingress::new(), 0);
    for (key, socket) in sockets.iter().enumerate() {
        poller.add(socket, key)?;
    }
    loop {
        let count = poller.wait(Duration::from_millis(50));
        if count == 0 && done.load(Ordering::Relaxed) {
            return Ok(datagrams);
        }
        for key in (0..count).filter_map(|n| poller.ready(n)) {
            for n in 0..ingress.receive(&sockets[key])? {
                let (bytes, arrival) = ingress.message(n);
                datagrams += bytes.len().div_ceil(arrival.segment) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor() -> Floor {
        Floor {
            receivers: 10,
            size: 500,
            segments: 2.5,
            packets_per_second: 20_000.0,
            seconds: 0.5,
            gro: true,
            sender_cpu: None,
            receiver_cpu: None,
        }
    }

    #[test]
    fn a_fraction_is_a_mix_of_whole_numbers() {
        for mean in [1.0, 2.0, 4.5, 1.35] {
            let mut mix = Mix::new(mean);
            let taken: Vec<usize> = (0..1_000).map(|_| mix.take()).collect();
            let sum = taken.iter().sum::<usize>() as f64;
            assert!((sum / 1_000.0 - mean).abs() < 0.002, "{mean}: {sum}");
            assert!(taken.iter().all(|n| (mean.floor()..=mean.ceil()).contains(&(*n as f64))));
        }
    }

    #[test]
    fn what_is_sent_is_received_and_costs_something() {
        for gro in [true, false] {
            let result = Floor { gro, ..floor() }.measure().unwrap();
            assert_eq!(result.lost, 0, "{result:?}");
            assert!(result.received > 1_000, "{result:?}");
            assert!((result.segments_per_message - 2.5).abs() < 0.1, "{result:?}");
            assert!(result.user_us_per_packet + result.system_us_per_packet > 0.0, "{result:?}");
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_named() {
        let code = |floor: Floor| floor.measure().unwrap_err().code();
        assert_eq!(code(Floor { receivers: 0, ..floor() }), "floor_invalid");
        assert_eq!(code(Floor { segments: 60.0, size: 1_400, ..floor() }), "floor_invalid");
        assert_eq!(code(Floor { packets_per_second: 0.0, ..floor() }), "floor_invalid");
        assert_eq!(code(Floor { sender_cpu: Some(100_000), ..floor() }), "cpu_unknown");
    }

    #[test]
    fn the_floor_under_a_run_has_its_rate_size_and_segments() {
        let mut run = RunResult::default();
        assert_eq!(Floor::under(&run).unwrap_err().code(), "floor_invalid");
        (run.traffic.received, run.traffic.bytes) = (1_000, 1_200_000);
        (run.conditions.viewers, run.conditions.measured_s) = (30, 10.0);
        let floor = Floor::under(&run).unwrap();
        assert_eq!((floor.receivers, floor.size, floor.segments), (30, 1_200, 1.0));
        assert!((floor.packets_per_second - 100.0).abs() < 1e-9);
    }
}
