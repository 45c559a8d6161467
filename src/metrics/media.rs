//! The data plane's counters as metrics.

use dais_media::{BUCKETS, Counters, Distribution, DropReason, Tally, TcpEnd, TurnRefusal};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// How one number of the data plane is shown.
struct Shown {
    name: &'static str,
    help: &'static str,
    /// How many of the data plane's units make one of the metric's. To divide by it keeps bounds exact, as labels have
    /// them: 1,000 µs are 0.001 s.
    divisor: f64,
}

const MICROSECONDS: f64 = 1e6;

fn shown(name: &'static str, help: &'static str) -> Shown {
    Shown { name, help, divisor: 1.0 }
}

fn shown_in_seconds(name: &'static str, help: &'static str) -> Shown {
    Shown { name, help, divisor: MICROSECONDS }
}

fn tally(tally: Tally) -> Shown {
    match tally {
        Tally::DatagramsIn => shown("dais_media_received_datagrams_total", "UDP datagrams received"),
        Tally::BytesIn => shown("dais_media_received_bytes_total", "Bytes in received UDP datagrams"),
        Tally::DatagramsOut => shown("dais_media_sent_datagrams_total", "UDP datagrams sent"),
        Tally::BytesOut => shown("dais_media_sent_bytes_total", "Bytes in sent UDP datagrams"),
        Tally::PacketsIn => shown("dais_media_accepted_packets_total", "RTP packets accepted from publishers"),
        Tally::PacketsForwarded => {
            shown("dais_media_forwarded_packets_total", "RTP packets forwarded, counted for each viewer")
        }
        Tally::Unwatched => {
            shown("dais_media_unwatched_packets_total", "Packets of publishers, of layers that no viewer gets")
        }
        Tally::Undecodable => shown(
            "dais_media_undecodable_packets_total",
            "Packets not sent to a viewer whose browser does not have their codec",
        ),
        Tally::FeedbackIn => {
            shown("dais_media_transport_feedback_total", "Transport-wide feedback of viewers that was made use of")
        }
        Tally::ProbeOut => {
            shown("dais_media_probe_bytes_total", "Bytes of padding that found out what viewers' lines carry")
        }
        Tally::Paced => shown("dais_media_paced_packets_total", "Packets that waited because a viewer's line is slow"),
        Tally::PicturesDropped => shown(
            "dais_media_dropped_pictures_total",
            "Pictures viewers were not sent any more because their line does not carry them",
        ),
        Tally::RtcpIgnored => {
            shown("dais_media_ignored_rtcp_packets_total", "RTCP packets of kinds the server does nothing with")
        }
        Tally::Retransmitted => shown(
            "dais_media_retransmitted_packets_total",
            "Packets sent to viewers again because they asked (RTX), on lines that lose some each twice",
        ),
        Tally::RedundantOut => shown(
            "dais_media_redundant_packets_total",
            "Packets of voices sent to viewers with the one before once more (RED), because their line loses some",
        ),
        Tally::RetransmitMissed => shown(
            "dais_media_retransmit_missed_packets_total",
            "Packets viewers asked for again that were not there any more",
        ),
        Tally::Nacked => shown("dais_media_nacked_packets_total", "Packets asked of publishers again (NACK)"),
        Tally::Recovered => shown(
            "dais_media_recovered_packets_total",
            "Packets of publishers that were lost, and came again: asked for, or carried by one after them",
        ),
        Tally::KeyFramesWanted => {
            shown("dais_media_key_frames_wanted_total", "Key frame requests of viewers (PLI, FIR), before the throttle")
        }
        Tally::KeyFrameRequests => shown("dais_media_key_frame_requests_total", "Key frames asked of publishers (PLI)"),
        Tally::Handshakes => shown("dais_media_handshakes_total", "DTLS handshakes completed"),
        Tally::ConsentExpired => {
            shown("dais_media_consent_expired_total", "Peers removed because their consent expired")
        }
        Tally::AddressChanges => shown("dais_media_address_changes_total", "Address changes of connected peers"),
        Tally::MessagesOut => shown(
            "dais_media_sent_messages_total",
            "Messages datagrams were given to the kernel with, one for each GSO run",
        ),
        Tally::PaddingOut => {
            shown("dais_media_padding_bytes_total", "Bytes of RTP padding that made GSO segments equal")
        }
        Tally::SegmentationRefused => shown(
            "dais_media_segmentation_refused_total",
            "GSO runs the kernel refused; their datagrams went one by one",
        ),
        Tally::CoalescingRefused => {
            shown("dais_media_coalescing_refused_total", "Sockets whose datagrams the kernel gives one by one (no GRO)")
        }
        Tally::HandedOver => {
            shown("dais_media_handed_over_datagrams_total", "Datagrams that reached another worker first")
        }
        Tally::BusyMicros => shown_in_seconds(
            "dais_media_worker_busy_seconds_total",
            "Time workers spent working, added up; for each worker, 1 second a second is a full core",
        ),
        Tally::TcpConnections => shown("dais_media_tcp_connections_total", "TCP connections taken for media"),
        Tally::TurnAllocations => shown("dais_turn_allocations_total", "Relays the TURN server made"),
        Tally::TurnRelayed => {
            shown("dais_turn_relayed_datagrams_total", "Datagrams the TURN server relayed, both ways")
        }
        Tally::BuffersAllocated => shown(
            "dais_media_packet_buffers_allocated_total",
            "Packet buffers allocated; stands still once the rings are filled",
        ),
    }
}

fn distribution(distribution: Distribution) -> Shown {
    match distribution {
        Distribution::ForwardLatency => shown_in_seconds(
            "dais_media_forward_latency_seconds",
            "From a packet's arrival to the hand-over of its last copy to the kernel, for each half of a room's viewers",
        ),
        Distribution::SegmentsPerMessage => {
            shown("dais_media_segments_per_message", "Datagrams the kernel was given with one message")
        }
        Distribution::Round => {
            shown_in_seconds("dais_media_worker_round_seconds", "What a worker did between two waits")
        }
        Distribution::RingDepth => shown("dais_media_ring_depth_packets", "Packets a worker found in another's ring"),
        Distribution::FirstCheck => shown_in_seconds(
            "dais_media_first_check_seconds",
            "From the answer's making to the first valid connectivity check of a peer",
        ),
        Distribution::Handshake => {
            shown_in_seconds("dais_media_handshake_seconds", "From a peer's first valid connectivity check to its keys")
        }
    }
}

const DROPPED: Shown =
    Shown { name: "dais_media_dropped_total", help: "Datagrams and packets that went no further", divisor: 1.0 };
const TCP_CLOSED: Shown = Shown {
    name: "dais_media_tcp_closed_total",
    help: "TCP connections for media that the server closed, or did not take",
    divisor: 1.0,
};
const TURN_REFUSED: Shown = Shown {
    name: "dais_turn_refused_total",
    help: "What clients wanted of the TURN server and did not get",
    divisor: 1.0,
};
const TURN_CLIENTS: Shown = Shown { name: "dais_turn_clients", help: "Clients the TURN server serves", divisor: 1.0 };
const TCP_CONNECTIONS: Shown =
    Shown { name: "dais_media_tcp_connections", help: "Open TCP connections for media", divisor: 1.0 };
const PEERS: Shown = Shown { name: "dais_media_peers", help: "Media connections", divisor: 1.0 };
const WORKERS: Shown = Shown { name: "dais_media_workers", help: "Media worker threads", divisor: 1.0 };

/// Reads the data plane's counters whenever it is scraped.
pub(super) struct MediaCollector<R> {
    read: R,
    workers: usize,
    descs: Vec<Desc>,
}

impl<R: Fn() -> Counters + Send + Sync> MediaCollector<R> {
    pub(super) fn new(read: R, workers: usize) -> Self {
        let tallies = Tally::ALL.iter().map(|known| tally(*known));
        let distributions = Distribution::ALL.iter().map(|known| distribution(*known));
        let descs = tallies
            .chain(distributions)
            .chain([TCP_CONNECTIONS, TURN_CLIENTS, PEERS, WORKERS])
            .map(|shown| desc(&shown, &[]));
        let descs = descs.chain([DROPPED, TCP_CLOSED, TURN_REFUSED].map(|shown| desc(&shown, &["reason"]))).collect();
        Self { read, workers, descs }
    }
}

fn desc(shown: &Shown, labels: &[&str]) -> Desc {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Desc::new(shown.name.to_owned(), shown.help.to_owned(), labels, Default::default()).expect("the name is valid")
}

impl<R: Fn() -> Counters + Send + Sync> Collector for MediaCollector<R> {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counters = (self.read)();
        let tallies = Tally::ALL.iter().map(|known| {
            let shown = tally(*known);
            let metric = counter(counters.done(*known) as f64 / shown.divisor, vec![]);
            family(&shown, MetricType::COUNTER, vec![metric])
        });
        let distributions = Distribution::ALL.iter().map(|known| {
            let shown = distribution(*known);
            let metric = histogram(counters.measured(*known), known.bounds(), shown.divisor);
            family(&shown, MetricType::HISTOGRAM, vec![metric])
        });
        let by_reason = |reason: &str, value: u64| {
            let mut label = LabelPair::default();
            label.set_name("reason".to_owned());
            label.set_value(reason.to_owned());
            counter(value as f64, vec![label])
        };
        let dropped = DropReason::ALL.iter().map(|reason| by_reason(reason.label(), counters.dropped(*reason)));
        let closed = TcpEnd::ALL.iter().map(|reason| by_reason(reason.label(), counters.closed(*reason)));
        let refused = TurnRefusal::ALL.iter().map(|reason| by_reason(reason.label(), counters.refused(*reason)));
        let mut families: Vec<_> = tallies.chain(distributions).collect();
        families.push(family(&DROPPED, MetricType::COUNTER, dropped.collect()));
        families.push(family(&TCP_CLOSED, MetricType::COUNTER, closed.collect()));
        families.push(family(&TURN_REFUSED, MetricType::COUNTER, refused.collect()));
        families.push(family(&TURN_CLIENTS, MetricType::GAUGE, vec![gauge(counters.turn_clients as f64)]));
        families.push(family(&TCP_CONNECTIONS, MetricType::GAUGE, vec![gauge(counters.tcp_connections as f64)]));
        families.push(family(&PEERS, MetricType::GAUGE, vec![gauge(counters.peers as f64)]));
        families.push(family(&WORKERS, MetricType::GAUGE, vec![gauge(self.workers as f64)]));
        families
    }
}

fn family(shown: &Shown, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(shown.name.to_owned());
    family.set_help(shown.help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn counter(value: f64, labels: Vec<LabelPair>) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = Metric::from_label(labels);
    metric.set_counter(counter);
    metric
}

fn gauge(value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    Metric::from_gauge(gauge)
}

/// The buckets of Prometheus are cumulative, and the last one, without a bound, is the count.
fn histogram(measured: &dais_media::Histogram, bounds: &[u64; BUCKETS - 1], divisor: f64) -> Metric {
    let mut below = 0;
    let buckets = bounds.iter().zip(&measured.counts).map(|(bound, count)| {
        below += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound as f64 / divisor);
        bucket.set_cumulative_count(below);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(measured.count());
    histogram.set_sample_sum(measured.sum as f64 / divisor);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    metric
}

#[cfg(test)]
mod tests {
    use prometheus::{Registry, TextEncoder};

    use super::*;

    #[test]
    fn what_the_data_plane_counted_is_served_in_base_units_with_cumulative_buckets() {
        let mut counters = Counters::default();
        counters.peers = 3;
        counters.add(Tally::BytesOut, 1_200);
        counters.add(Tally::BusyMicros, 1_500_000);
        counters.drop(DropReason::RingFull);
        for (value, times) in [(40, 2), (1_000, 1), (70_000, 4)] {
            counters.measure(Distribution::ForwardLatency, value, times);
        }
        let registry = Registry::new();
        registry.register(Box::new(MediaCollector::new(move || counters.clone(), 2))).unwrap();
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            "# TYPE dais_media_sent_bytes_total counter",
            "dais_media_sent_bytes_total 1200",
            "dais_media_worker_busy_seconds_total 1.5",
            r#"dais_media_dropped_total{reason="ring_full"} 1"#,
            r#"dais_media_dropped_total{reason="socket_full"} 0"#,
            "# TYPE dais_media_forward_latency_seconds histogram",
            r#"dais_media_forward_latency_seconds_bucket{le="0.00005"} 2"#,
            r#"dais_media_forward_latency_seconds_bucket{le="0.0005"} 2"#,
            r#"dais_media_forward_latency_seconds_bucket{le="0.001"} 3"#,
            r#"dais_media_forward_latency_seconds_bucket{le="0.05"} 3"#,
            r#"dais_media_forward_latency_seconds_bucket{le="+Inf"} 7"#,
            "dais_media_forward_latency_seconds_count 7",
            "dais_media_peers 3",
            "dais_media_workers 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
