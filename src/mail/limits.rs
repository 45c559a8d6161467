//! Every limit of invitations by e-mail: its value, its reason, and what happens there.

use std::time::Duration;

/// Most addresses in one request. More are refused with `too_many_invitations`: a list of addresses that went into the
/// wrong field is noticed before thousands have mail.
pub(crate) const ADDRESSES: usize = 100;
/// Most invitations of a room, withdrawn ones included. More are refused with `too_many_invitations`: each is a role link,
/// of which a room has as many.
pub(crate) const INVITATIONS: usize = dais_stage::limits::LINKS_MAX;
/// Longest address with its name, bytes: 254 of the address (RFC 5321 §4.5.3.1.3), and a name. A longer one is refused with
/// `address_invalid`.
pub(crate) const ADDRESS_BYTES: usize = 400;
/// Longest session said in an invitation, minutes: a day. A longer one is refused with `minutes_invalid`.
pub(crate) const MINUTES: u32 = 24 * 60;
/// How long a session takes that does not say, minutes.
pub(crate) const MINUTES_DEFAULT: u32 = 60;
/// The latest start that an invitation can have, from the day it is made: a year, as tokens. A later one is refused with
/// `start_invalid`.
pub(crate) const AHEAD: Duration = Duration::from_secs(dais_signaling::limits::VALID_SECONDS_MAX as u64);
/// How long the link of an invitation without a start is of use.
pub(crate) const VALID: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the link is of use after the end that the invitation says: sessions begin late, and last longer.
pub(crate) const VALID_AFTER_END: Duration = Duration::from_secs(24 * 60 * 60);
/// Farthest that a clock is ahead of UTC or behind it, minutes; more counts as this (Line Islands: 14 hours ahead).
pub(crate) const UTC_OFFSET: i16 = 14 * 60;
/// Mails taken from the outbox at a time: what is withdrawn meanwhile may still be sent, with a link that is of no use.
pub(crate) const BATCH: usize = 20;
/// A mail server that has not answered by then counts as not reached (RFC 5321 §4.5.3.2 allows minutes, to servers that
/// are far away; this one is a relay of the same house).
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// An attempt that failed for the moment is repeated after this long, then after four times as long with each attempt.
pub(crate) const RETRY_FIRST: Duration = Duration::from_secs(5);
/// Longest time between two attempts (RFC 5321 §4.5.4.1: at least 30 minutes, for servers that are not one's own).
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(30 * 60);
/// A mail that could not be sent for this long is given up, and its invitation says `failed`: whoever invited can still
/// pass the link on by hand.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest reason kept of what a mail server says, characters. What is longer is cut.
pub(crate) const REASON_CHARS: usize = 300;
/// How long a sender that cannot read or write its outbox waits.
pub(crate) const OUTBOX_RETRY: Duration = Duration::from_secs(5);
