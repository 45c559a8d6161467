//! Only publishing: people come on stage in a room, stay there for so long, and leave.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::Settings;
use crate::error::LoadError;
use crate::join::Venue;
use crate::limits::LEAVE_WITHIN;
use crate::people::publisher;
use crate::random::Random;
use crate::run::converse;
use crate::scenario::Scenario;
use crate::system::SocketOptions;
use crate::venue::{VenueOptions, runtime};

/// Receive buffer asked of the kernel, bytes: publishers receive RTCP only.
const RECEIVE_BUFFER: usize = 256 * 1_024;

/// Where to publish, and for how long.
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
    /// Addresses to send from, in turn; empty for whichever the server is reached from.
    pub local_ips: Vec<IpAddr>,
    /// For how long, from when the last one is on stage, s.
    pub seconds: u32,
}

/// Brings the publishers of `scenario` on stage, one after the other, and lets them stay; `ready` is called when all
/// of them are there. Its viewers do not come.
///
/// # Errors
/// When somebody could not come on stage, or was gone before the end.
pub fn publish(scenario: &Scenario, options: &Options, ready: impl FnOnce()) -> Result<(), LoadError> {
    scenario.check()?;
    let random = Random::new(scenario.seed);
    let venue = VenueOptions {
        url: &options.url,
        room: &options.room,
        token: options.token.as_deref(),
        token_secret: options.token_secret.as_deref(),
        local_ips: &options.local_ips,
        socket: SocketOptions { gro: false, receive_buffer: RECEIVE_BUFFER },
        threads: 1,
        people: scenario.publishers.people(),
    };
    let venue = venue.open(Settings { decrypt: 0.0, chatty: false, read_pause: None }, &random)?;
    runtime()?.block_on(publish_at(&venue, scenario, options, &random, ready))
}

async fn publish_at(
    venue: &Venue,
    scenario: &Scenario,
    options: &Options,
    random: &Random,
    ready: impl FnOnce(),
) -> Result<(), LoadError> {
    let (stop, stopped) = watch::channel(false);
    // What they are told changes nothing here: who is taken off the stage goes on sending to a closed gate.
    let (tell, _told) = mpsc::unbounded_channel();
    let (mut present, mut requests) = (JoinSet::new(), Vec::new());
    for number in 0..scenario.publishers.people() {
        let failed = |text| LoadError::PublisherFailed(number, text);
        let joined = venue.join(publisher(scenario, number, true, random)).await;
        let (session, _) = joined.map_err(|failure| failure.of_joining(&options.url, failed))?;
        // Nobody asks for anything; the channel has to stay open.
        let (request, receiver) = mpsc::unbounded_channel();
        requests.push(request);
        let (tell, stopped) = (tell.clone(), stopped.clone());
        present.spawn(async move {
            converse(session, number, receiver, tell, stopped).await;
            number
        });
    }
    ready();
    let end = Instant::now() + Duration::from_secs(options.seconds.into());
    tokio::select! {
        () = sleep_until(end) => {}
        Some(Ok(gone)) = present.join_next() => {
            return Err(LoadError::PublisherFailed(gone, "the session ended".to_owned()));
        }
    }
    let _ = stop.send(true);
    let all = async { while present.join_next().await.is_some() {} };
    // Who cannot say goodbye by then falls off.
    let _ = timeout(LEAVE_WITHIN, all).await;
    Ok(())
}
