//! The connectivity test: what works from where somebody sits, without a room, a token or a device. The page at
//! `/connectivity` uses it; docs/protocol.md describes it for others.
//!
//! A media test is a real connection, which receives nothing: that it comes about over one kind of path is what is
//! tested. Anybody may make one, so there are few at a time, and each is short.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::SinkExt as _;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Message;

use crate::api::{Answer, Failure};
use crate::protocol::{IceServer, SessionError};
use crate::server::Signaling;
use crate::whip::{SDP, failure, text};
use crate::{limits, socket};

/// What the server offers beside UDP.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Offered {
    /// Media over TCP.
    tcp: bool,
    /// Relays.
    ice_servers: Vec<IceServer>,
}

/// What requests need.
#[derive(Clone)]
struct Testing {
    signaling: Signaling,
    tests: Tests,
}

pub(crate) fn routes(signaling: Signaling) -> Router {
    Router::new()
        .route("/v1/connectivity", get(offered))
        .route("/v1/connectivity/media", post(media).layer(DefaultBodyLimit::max(limits::TEST_OFFER_BYTES_MAX)))
        .route("/v1/connectivity/socket", get(greet))
        .with_state(Testing { signaling, tests: Tests::default() })
}

async fn offered(State(testing): State<Testing>) -> Answer<Response> {
    let Signaling { reach, .. } = &testing.signaling;
    let ice_servers = reach.ice_servers().map_err(|error| testing.refused(error.into()))?;
    let offered = Json(Offered { tcp: reach.takes_tcp(), ice_servers });
    // Credentials are for one client.
    Ok(([(header::CACHE_CONTROL, "no-store")], offered).into_response())
}

/// Answers an offer. The connection is closed by the client, or after [`limits::TEST_LASTS`].
async fn media(
    State(testing): State<Testing>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let offer = text(SDP, &headers, body).map_err(|failure| testing.refused(failure))?;
    let place = testing.tests.begin(from.ip()).map_err(|error| testing.refused(failure(error.into())))?;
    let answer = testing.signaling.reach.test(offer).await;
    let answer = answer.map_err(|reason| testing.refused(failure(reason)))?;
    tokio::spawn(async move {
        tokio::time::sleep(limits::TEST_LASTS).await;
        drop(place);
    });
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, SDP)], answer).into_response())
}

/// Says one word and is done: a WebSocket that says nothing may be one that a proxy holds back.
async fn greet(request: Request) -> Response {
    socket::open(request, |mut socket| async move {
        let _ = socket.send(Message::text("ok")).await;
    })
}

impl Testing {
    /// A request that was refused, counted.
    fn refused(&self, failure: Failure) -> Failure {
        self.signaling.directory.count_refusal(failure.reason.code);
        failure
    }
}

/// Media tests that are under way, by address.
#[derive(Clone, Default)]
struct Tests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// The place of one test, free again when it is dropped.
struct Place {
    tests: Tests,
    from: IpAddr,
}

impl Tests {
    fn begin(&self, from: IpAddr) -> Result<Place, SessionError> {
        let from = from.to_canonical();
        let mut tests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = tests.values().sum();
        let here = tests.get(&from).copied().unwrap_or(0);
        // From this machine comes its own proxy, for everybody.
        let most = if from.is_loopback() { limits::TESTS } else { limits::TESTS_PER_ADDRESS };
        if all >= limits::TESTS || here >= most {
            return Err(SessionError::TooManyTests);
        }
        tests.insert(from, here + 1);
        Ok(Place { tests: self.clone(), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tests = self.tests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = tests.get_mut(&self.from) {
            *here -= 1;
            if *here == 0 {
                tests.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_few_tests_at_a_time_from_one_address_and_in_all() {
        let tests = Tests::default();
        let from = |n: u8| IpAddr::from([192, 0, 2, n]);
        let mut of_one: Vec<_> = (0..limits::TESTS_PER_ADDRESS).map(|_| tests.begin(from(1)).ok().unwrap()).collect();
        assert_eq!(tests.begin(from(1)).err(), Some(SessionError::TooManyTests));
        of_one.pop();
        of_one.push(tests.begin(from(1)).ok().unwrap());
        let proxy = IpAddr::from([127, 0, 0, 1]);
        let left = limits::TESTS - limits::TESTS_PER_ADDRESS;
        let of_all: Vec<_> = (0..left).map(|_| tests.begin(proxy).ok().unwrap()).collect();
        assert_eq!(tests.begin(from(2)).err(), Some(SessionError::TooManyTests));
        drop((of_one, of_all));
        assert!(tests.0.lock().unwrap().is_empty());
    }
}
