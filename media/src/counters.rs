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
        /// A payload longer than the server forwards.
        RtpOversized => "rtp_oversized",
        /// A VP8 payload descriptor that does not parse.
        Vp8Malformed => "vp8_malformed",
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
        /// The ring to another worker was full.
        RingFull => "ring_full",
        /// The kernel did not take a datagram.
        SendRefused => "send_refused",
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
        /// Retransmissions sent to viewers.
        Retransmitted => "retransmitted",
        /// Packets viewers asked for that were not there any more.
        RetransmitMissed => "retransmit_missed",
        /// Packets recovered from publishers by retransmission.
        Recovered => "recovered",
        /// Key frames asked of publishers.
        KeyFrameRequests => "key_frame_requests",
        /// DTLS handshakes completed.
        Handshakes => "handshakes",
        /// Peers removed because their consent expired.
        ConsentExpired => "consent_expired",
        /// Address changes of connected peers.
        AddressChanges => "address_changes",
        /// Packet buffers allocated; stands still once the rings are filled.
        BuffersAllocated => "buffers_allocated",
    }
}

/// A snapshot of one worker's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    dropped: [u64; DropReason::ALL.len()],
    done: [u64; Tally::ALL.len()],
    /// Peers on the worker.
    pub peers: u64,
}

impl Counters {
    pub(crate) fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    pub(crate) fn add(&mut self, tally: Tally, amount: u64) {
        self.done[tally as usize] += amount;
    }

    /// How often something was dropped for `reason`.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
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
        self.peers += other.peers;
    }
}
