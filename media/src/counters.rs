//! What a worker counts: plain integers, published once a second as a snapshot.

macro_rules! counted_reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $label:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every reason, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable label for metrics and logs.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}

counted_reasons! {
    /// Why a datagram or packet went no further.
    DropReason {
        /// Neither STUN, DTLS nor RTP by its first byte (RFC 7983 §7).
        NotMultiplexed => "not_multiplexed",
        /// From an address no peer has proved.
        UnknownAddress => "unknown_address",
        /// STUN that does not parse, or lacks a needed attribute.
        StunMalformed => "stun_malformed",
        /// STUN, but no binding request.
        StunUnexpected => "stun_unexpected",
        /// STUN for a ufrag nobody here has.
        StunUnknownUser => "stun_unknown_user",
        /// STUN whose MESSAGE-INTEGRITY or FINGERPRINT is wrong.
        StunForged => "stun_forged",
        /// DTLS record the handshake does not accept.
        DtlsRejected => "dtls_rejected",
        /// DTLS certificate that is not the one of the offer.
        DtlsFingerprint => "dtls_fingerprint",
        /// RTP or RTCP before the keys are known.
        NoKeys => "no_keys",
        /// RTP whose header or extensions do not parse.
        RtpMalformed => "rtp_malformed",
        /// SRTP that does not authenticate.
        SrtpForged => "srtp_forged",
        /// SRTP or SRTCP seen before.
        SrtpReplayed => "srtp_replayed",
        /// RTCP that does not parse.
        RtcpMalformed => "rtcp_malformed",
        /// RTP with an SSRC, MID or payload type the session does not have.
        RtpUnknownStream => "rtp_unknown_stream",
        /// More than one publisher may send.
        PublisherLimited => "publisher_limited",
        /// A payload longer than the server forwards.
        RtpOversized => "rtp_oversized",
        /// A payload of video that does not parse as its codec.
        PayloadMalformed => "payload_malformed",
        /// Media of someone who may not send that kind now.
        GateClosed => "gate_closed",
        /// Padding only, sent to probe the line.
        Padding => "padding",
        /// A retransmission nobody waited for.
        Duplicate => "duplicate",
        /// A packet or key frame request for a slot that has another occupant by now.
        StaleGeneration => "stale_generation",
        /// A packet a viewer asked for again after it had asked for too many.
        RetransmitLimited => "retransmit_limited",
        /// Transport-wide feedback on packets that were never sent, or that does not parse.
        FeedbackFalse => "feedback_false",
        /// Packets that would have waited too long for a slow line.
        PacerFull => "pacer_full",
        /// The ring to another worker was full.
        RingFull => "ring_full",
        /// The kernel did not take a datagram.
        SendRefused => "send_refused",
        /// The socket's send buffer was full.
        SocketFull => "socket_full",
        /// A client over TCP, or one of the TURN server, reads more slowly than it is sent to.
        TcpQueueFull => "tcp_queue_full",
    }
}

counted_reasons! {
    /// Why the server closed a TCP connection.
    TcpEnd {
        /// There are as many as it takes.
        TooMany => "too_many",
        /// There are as many as it takes from one address.
        TooManyFromSource => "too_many_from_source",
        /// The first frame is no connectivity check.
        NotACheck => "not_a_check",
        /// The first connectivity check is for a worker there is not.
        UnknownWorker => "unknown_worker",
        /// No valid connectivity check came in time.
        Unproved => "unproved",
        /// A frame longer than any datagram.
        FrameTooLong => "frame_too_long",
        /// Nothing came for too long.
        Idle => "idle",
        /// The system had no UDP socket for it.
        NoSocket => "no_socket",
    }
}

counted_reasons! {
    /// Why the TURN server did not do what a client wanted.
    TurnRefusal {
        /// There are as many clients as it takes.
        TooMany => "too_many",
        /// There are as many clients as it takes from one address.
        TooManyFromSource => "too_many_from_source",
        /// Neither a TURN message nor channel data.
        NotTurn => "not_turn",
        /// Credentials this server did not make, or that are no longer valid.
        Credentials => "credentials",
        /// The client has had no relay for too long.
        Unproved => "unproved",
        /// To relay to, or from, anything else than the media of this server.
        PeerForbidden => "peer_forbidden",
        /// The client sends faster than it is served.
        QueueFull => "queue_full",
    }
}

counted_reasons! {
    /// What a worker did.
    Tally {
        /// Datagrams received.
        DatagramsIn => "datagrams_in",
        /// Bytes received.
        BytesIn => "bytes_in",
        /// Datagrams sent.
        DatagramsOut => "datagrams_out",
        /// Bytes sent.
        BytesOut => "bytes_out",
        /// RTP packets accepted from publishers.
        PacketsIn => "packets_in",
        /// RTP packets forwarded, counted per viewer.
        PacketsForwarded => "packets_forwarded",
        /// RTP packets of layers that nobody gets.
        Unwatched => "unwatched",
        /// RTP packets not sent to a viewer that has no format for their codec.
        Undecodable => "undecodable",
        /// Transport-wide feedback of viewers that was made use of.
        FeedbackIn => "feedback_in",
        /// Bytes of padding that probed viewers' lines.
        ProbeOut => "probe_out",
        /// Packets that waited for a slow line.
        Paced => "paced",
        /// Pictures that a viewer gets no more because its line does not carry them.
        PicturesDropped => "pictures_dropped",
        /// RTCP packets of kinds the server does nothing with.
        RtcpIgnored => "rtcp_ignored",
        /// Retransmissions sent to viewers.
        Retransmitted => "retransmitted",
        /// Packets of voices sent to viewers that carry the one before once more.
        RedundantOut => "redundant_out",
        /// Packets viewers asked for that were not there any more.
        RetransmitMissed => "retransmit_missed",
        /// Packets asked of publishers again, counted each time they are asked for.
        Nacked => "nacked",
        /// Packets of publishers that were lost, and came by retransmission or with one after them.
        Recovered => "recovered",
        /// Key frame requests (PLI, FIR) of viewers.
        KeyFramesWanted => "key_frames_wanted",
        /// Key frames asked of publishers.
        KeyFrameRequests => "key_frame_requests",
        /// DTLS handshakes completed.
        Handshakes => "handshakes",
        /// Peers removed because their consent expired.
        ConsentExpired => "consent_expired",
        /// Address changes of connected peers.
        AddressChanges => "address_changes",
        /// System messages the datagrams were sent with: one for each run of segments.
        MessagesOut => "messages_out",
        /// Bytes of RTP padding that made segments equal.
        PaddingOut => "padding_out",
        /// Runs of segments the kernel refused and that were sent one by one.
        SegmentationRefused => "segmentation_refused",
        /// Sockets whose datagrams the kernel gives one by one.
        CoalescingRefused => "coalescing_refused",
        /// Datagrams that reached another worker first.
        HandedOver => "handed_over",
        /// Work between waits, µs; per second and worker, 1,000,000 is a full core.
        BusyMicros => "busy_micros",
        /// TCP connections taken.
        TcpConnections => "tcp_connections",
        /// Relays the TURN server made.
        TurnAllocations => "turn_allocations",
        /// Datagrams the TURN server relayed, both ways.
        TurnRelayed => "turn_relayed",
        /// Packet buffers allocated; stands still once the rings are filled.
        BuffersAllocated => "buffers_allocated",
    }
}

counted_reasons! {
    /// What a worker measures.
    Distribution {
        /// From the arrival of a packet to the hand-over of its last copy to the kernel, µs; once for each packet and
        /// half of a room's viewers.
        ForwardLatency => "forward_latency",
        /// Datagrams the kernel was given with one message.
        SegmentsPerMessage => "segments_per_message",
        /// What a worker does between two waits, µs.
        Round => "round",
        /// Packets a worker found in the ring of another.
        RingDepth => "ring_depth",
        /// From the making of a peer to its first valid connectivity check, µs; once for each connection.
        FirstCheck => "first_check",
        /// From a peer's first valid connectivity check to its keys, µs; once for each connection.
        Handshake => "handshake",
    }
}

/// Buckets of a [`Distribution`], the last of which has no upper bound.
pub const BUCKETS: usize = 14;

impl Distribution {
    /// Upper bounds of all buckets but the last, inclusive, in the unit of the distribution.
    #[must_use]
    pub const fn bounds(self) -> &'static [u64; BUCKETS - 1] {
        match self {
            Self::ForwardLatency | Self::Round => {
                &[50, 100, 250, 500, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000, 10_000, 20_000, 50_000]
            }
            Self::SegmentsPerMessage => &[1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48],
            Self::FirstCheck | Self::Handshake => &[
                1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
                5_000_000, 10_000_000,
            ],
            Self::RingDepth => &[0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1_023],
        }
    }
}

/// How often a value fell into each bucket, and the sum of all values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By bucket; not cumulative.
    pub counts: [u64; BUCKETS],
    /// Of the values, in the unit of the distribution.
    pub sum: u64,
}

impl Histogram {
    fn record(&mut self, bounds: &[u64; BUCKETS - 1], value: u64, times: u64) {
        self.counts[bounds.partition_point(|bound| *bound < value)] += times;
        self.sum += value * times;
    }

    /// How many values there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A snapshot of one worker's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    dropped: [u64; DropReason::ALL.len()],
    done: [u64; Tally::ALL.len()],
    measured: [Histogram; Distribution::ALL.len()],
    tcp_closed: [u64; TcpEnd::ALL.len()],
    turn_refused: [u64; TurnRefusal::ALL.len()],
    /// Peers on the worker.
    pub peers: u64,
    /// Open TCP connections.
    pub tcp_connections: u64,
    /// Clients the TURN server serves.
    pub turn_clients: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            dropped: [0; DropReason::ALL.len()],
            done: [0; Tally::ALL.len()],
            measured: [Histogram::default(); Distribution::ALL.len()],
            tcp_closed: [0; TcpEnd::ALL.len()],
            turn_refused: [0; TurnRefusal::ALL.len()],
            peers: 0,
            tcp_connections: 0,
            turn_clients: 0,
        }
    }
}

impl Counters {
    /// Counts something dropped for `reason`.
    pub fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    pub(crate) fn drop_many(&mut self, reason: DropReason, times: u64) {
        self.dropped[reason as usize] += times;
    }

    /// Adds `amount` to `tally`.
    pub fn add(&mut self, tally: Tally, amount: u64) {
        self.done[tally as usize] += amount;
    }

    /// Notes `value`, in the unit of the distribution, as seen `times` times.
    pub fn measure(&mut self, distribution: Distribution, value: u64, times: u64) {
        self.measured[distribution as usize].record(distribution.bounds(), value, times);
    }

    /// How the values of `distribution` are spread.
    #[must_use]
    pub fn measured(&self, distribution: Distribution) -> &Histogram {
        &self.measured[distribution as usize]
    }

    /// How often something was dropped for `reason`.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Counts a TCP connection closed for `reason`.
    pub fn close(&mut self, reason: TcpEnd) {
        self.tcp_closed[reason as usize] += 1;
    }

    /// How many TCP connections were closed for `reason`.
    #[must_use]
    pub fn closed(&self, reason: TcpEnd) -> u64 {
        self.tcp_closed[reason as usize]
    }

    /// Counts something the TURN server refused for `reason`.
    pub fn refuse(&mut self, reason: TurnRefusal) {
        self.turn_refused[reason as usize] += 1;
    }

    /// How often the TURN server refused something for `reason`.
    #[must_use]
    pub fn refused(&self, reason: TurnRefusal) -> u64 {
        self.turn_refused[reason as usize]
    }

    /// How much of `tally` was done.
    #[must_use]
    pub fn done(&self, tally: Tally) -> u64 {
        self.done[tally as usize]
    }

    /// Adds another worker's counters.
    pub fn merge(&mut self, other: &Self) {
        self.dropped.iter_mut().zip(other.dropped).for_each(|(mine, theirs)| *mine += theirs);
        self.done.iter_mut().zip(other.done).for_each(|(mine, theirs)| *mine += theirs);
        for (mine, theirs) in self.measured.iter_mut().zip(&other.measured) {
            mine.counts.iter_mut().zip(theirs.counts).for_each(|(mine, theirs)| *mine += theirs);
            mine.sum += theirs.sum;
        }
        self.tcp_closed.iter_mut().zip(other.tcp_closed).for_each(|(mine, theirs)| *mine += theirs);
        self.peers += other.peers;
        self.tcp_connections += other.tcp_connections;
        self.turn_refused.iter_mut().zip(other.turn_refused).for_each(|(mine, theirs)| *mine += theirs);
        self.turn_clients += other.turn_clients;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_first_bucket_that_holds_it() {
        let mut counters = Counters::default();
        for (value, times) in [(1, 5), (2, 1), (9, 1), (49, 2)] {
            counters.measure(Distribution::SegmentsPerMessage, value, times);
        }
        let mut twice = counters.clone();
        twice.merge(&counters);
        let histogram = twice.measured(Distribution::SegmentsPerMessage);
        assert_eq!(histogram.counts, [10, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4]);
        assert_eq!((histogram.count(), histogram.sum), (18, 228));
    }
}
