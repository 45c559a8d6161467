//! The endpoint: a POST with an offer brings somebody into the room.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::fragment::Fragment;
use super::resource::Resource;
use super::{Endpoint, SDP, Whip, entity_tag, failure, session_failure, set, text, token};
use crate::api::{Answer, Failure};
use crate::protocol::{IceServer, SessionError};
use crate::room::{Admitted, Entering, RoomMessage, SessionId, SessionQueue};
use crate::session::Known;

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Person {
    /// Display name, where the token has none.
    name: Option<String>,
}

pub(super) async fn open(
    endpoint: Endpoint,
    State(whip): State<Whip>,
    Path(room): Path<String>,
    Query(person): Query<Person>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let asked = ask(&whip, &room, &headers, body).map_err(|failure| whip.refused(failure))?;
    let Asked { known, token, offer, remote } = asked;
    let room = whip.signaling.directory.find(&room).map_err(|error| whip.refused(session_failure(error)))?;
    let (queue, outgoing) = SessionQueue::new();
    let (entered, answer) = oneshot::channel();
    let session = SessionId::next();
    let subject = known.claims.sub.clone();
    let entering = Entering {
        id: 0,
        asked: Instant::now(),
        session,
        visitor: known.visitor,
        name: known.claims.name.or(person.name),
        wish: endpoint.wish(offer),
        token: known.token,
        queue,
        entered,
    };
    let sent = room.messages.send(RoomMessage::Enter(Box::new(entering))).await;
    sent.map_err(|_| session_failure(SessionError::RoomGone))?;
    let Admitted { participant, answer } = match answer.await {
        // What the room refuses it counts.
        Ok(result) => result.map_err(failure)?,
        Err(_) => return Err(failure(outgoing.reason().unwrap_or_else(|| SessionError::RoomGone.into()))),
    };
    let internal = || whip.refused(session_failure(SessionError::Internal));
    let answer = answer.ok_or_else(internal)?;
    let tag = entity_tag(Fragment::of(&answer).ok_or_else(internal)?.ufrag);
    let resource = Resource::new(endpoint, room, (session, participant), (token, subject), remote, &answer);
    let location = whip.resources.keep(resource, outgoing).map_err(session_failure)?;
    let mut response = (StatusCode::CREATED, answer).into_response();
    set(&mut response, header::CONTENT_TYPE, SDP);
    set(&mut response, header::LOCATION, &location);
    set(&mut response, header::ETAG, &tag);
    for server in whip.signaling.reach.ice_servers().map_err(|_| internal())? {
        link(&mut response, &server);
    }
    Ok(response)
}

/// Names a TURN server (RFC 9725 §4.6).
fn link(response: &mut Response, IceServer { urls, username, credential }: &IceServer) {
    for url in urls {
        let text = format!(
            "<{url}>; rel=\"ice-server\"; username=\"{username}\"; credential=\"{credential}\"; \
             credential-type=\"password\""
        );
        // An address that is no text of a header is one nobody can use.
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::LINK, value);
        }
    }
}

/// What a request says, as far as it can be told without the room.
struct Asked {
    known: Known,
    token: String,
    offer: String,
    /// The client's ICE credentials.
    remote: (String, String),
}

fn ask(whip: &Whip, room: &str, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Asked, Failure> {
    let token = token(headers)?;
    let known = Known::by_token(&whip.signaling.keys, token, room, false).map_err(session_failure)?;
    let offer = text(SDP, headers, body)?;
    // Without them the room refuses the offer.
    let remote = Fragment::of(&offer).map(|ice| (ice.ufrag.to_owned(), ice.pwd.to_owned())).unwrap_or_default();
    Ok(Asked { known, token: token.to_owned(), remote, offer })
}
