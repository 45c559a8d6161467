//! The resource of a WHIP or WHEP session: ICE can be trickled and restarted through it, and it ends the session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dais_stage::ParticipantId;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::fragment::{Fragment, with_credentials};
use super::{Endpoint, FRAGMENT, Whip, entity_tag, failure, session_failure, set, text, token, wrong};
use crate::api::Answer;
use crate::protocol::IceCredentials;
use crate::protocol::SessionError;
use crate::rate::{Pace, Rate};
use crate::room::{QueueEnd, RoomHandle, RoomMessage, SessionId};
use crate::server::Signaling;

/// The resources there are, by id. Each belongs to a session in a room, so there are no more than the rooms let in.
#[derive(Default)]
pub(super) struct Resources(Mutex<HashMap<String, Arc<Resource>>>);

impl Resources {
    /// Keeps `resource` until its session is over, and returns its path. `outgoing` is what the room tells the session.
    pub(super) fn keep(self: &Arc<Self>, resource: Resource, outgoing: QueueEnd) -> Result<String, SessionError> {
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|_| SessionError::Internal)?;
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let path = format!("/v1/rooms/{}/{}/{id}", resource.room.info.id, resource.endpoint.name());
        self.lock().insert(id.clone(), Arc::new(resource));
        let resources = Arc::clone(self);
        tokio::spawn(async move {
            outgoing.drain().await;
            resources.lock().remove(&id);
        });
        Ok(path)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Resource>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module.
pub(super) struct Resource {
    endpoint: Endpoint,
    room: RoomHandle,
    session: SessionId,
    participant: ParticipantId,
    /// The token it was made with. It goes on to be good for it after it has expired, so that long sessions can end.
    token: String,
    /// Who that token says they are.
    subject: Option<String>,
    /// Held while a restart is on its way: of two at once the second finds the first one's entity tag.
    ice: tokio::sync::Mutex<Ice>,
}

/// The ICE session of a resource.
struct Ice {
    tag: String,
    /// User fragment and password of the client.
    remote: (String, String),
    /// What the server said of ICE.
    local: String,
    rate: Rate,
}

impl Resource {
    /// `who` came through which session, `owner` is their token and its subject; `remote` are the client's ICE
    /// credentials, `answer` is the SDP answer.
    pub(super) fn new(
        endpoint: Endpoint,
        room: RoomHandle,
        (session, participant): (SessionId, ParticipantId),
        (token, subject): (String, Option<String>),
        remote: (String, String),
        answer: &str,
    ) -> Self {
        let Fragment { ufrag, pwd } = Fragment::of(answer).unwrap_or(Fragment { ufrag: "", pwd: "" });
        let (tag, local) = (entity_tag(ufrag), with_credentials(answer, ufrag, pwd));
        let ice = tokio::sync::Mutex::new(Ice { tag, remote, local, rate: Rate::new(Instant::now()) });
        Self { endpoint, room, session, participant, token, subject, ice }
    }

    /// Whether `token` may do something to it: the one it was made with, or another of the same person.
    fn authorize(&self, signaling: &Signaling, token: &str) -> Answer<()> {
        if aws_lc_rs::constant_time::verify_slices_are_equal(token.as_bytes(), self.token.as_bytes()).is_ok() {
            return Ok(());
        }
        let claims = signaling.keys.check(token, &self.room.info.id).map_err(session_failure)?;
        if claims.sub.is_some() && claims.sub == self.subject {
            return Ok(());
        }
        Err(wrong(StatusCode::FORBIDDEN, "not_your_session", "This session belongs to somebody else."))
    }
}

/// RFC 9110 §13.1.1: compares strongly; `*` is any ICE session.
fn check_if_match(headers: &HeaderMap, tag: &str) -> Answer<()> {
    let mut given = headers.get_all(header::IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        let text = "The request needs If-Match with the entity tag of the ICE session.";
        return Err(wrong(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", text));
    }
    let mut tags = given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim);
    // Some clients quote the asterisk, as the examples of the drafts do.
    if tags.any(|given| given == tag || given == "*" || given == "\"*\"") {
        return Ok(());
    }
    let text = "The request is for an ICE session that is over.";
    Err(wrong(StatusCode::PRECONDITION_FAILED, "if_match_stale", text))
}

impl Whip {
    /// The resource that a request is for, which its token allows.
    fn resource(
        &self,
        endpoint: Endpoint,
        (room, id): &(String, String),
        headers: &HeaderMap,
    ) -> Answer<Arc<Resource>> {
        let token = token(headers)?;
        let resource = self.resources.lock().get(id).cloned();
        let fits = |resource: &Arc<Resource>| resource.endpoint == endpoint && resource.room.info.id == *room;
        let resource = resource.filter(fits).ok_or_else(unknown)?;
        resource.authorize(&self.signaling, token)?;
        Ok(resource)
    }
}

fn unknown() -> crate::api::Failure {
    wrong(StatusCode::NOT_FOUND, "session_unknown", "There is no such session, or it is over.")
}

pub(super) async fn look(
    endpoint: Endpoint,
    State(whip): State<Whip>,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let found = whip.resource(endpoint, &path, &headers);
    found.map(|_| StatusCode::NO_CONTENT).map_err(|failure| whip.refused(failure))
}

pub(super) async fn delete(
    endpoint: Endpoint,
    State(whip): State<Whip>,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let resource = whip.resource(endpoint, &path, &headers).map_err(|failure| whip.refused(failure))?;
    whip.resources.lock().remove(&path.1);
    let Resource { session, participant, .. } = *resource;
    // Over, where the room is over.
    let _ = resource.room.messages.send(RoomMessage::Gone { session, participant, left: true }).await;
    Ok(StatusCode::OK)
}

pub(super) async fn patch(
    endpoint: Endpoint,
    State(whip): State<Whip>,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let resource = whip.resource(endpoint, &path, &headers).map_err(|failure| whip.refused(failure))?;
    change(&resource, &headers, body).await.map_err(|failure| whip.refused(failure))
}

async fn change(resource: &Resource, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer<Response> {
    let body = text(FRAGMENT, headers, body)?;
    let malformed = || wrong(StatusCode::BAD_REQUEST, "fragment_malformed", "The body is not an ICE fragment.");
    let Fragment { ufrag, pwd } = Fragment::parse(&body).ok_or_else(malformed)?;
    let mut ice = resource.ice.lock().await;
    if ice.rate.request(Instant::now()) != Pace::Fine {
        return Err(session_failure(SessionError::RateLimited));
    }
    check_if_match(headers, &ice.tag)?;
    if (ufrag, pwd) == (ice.remote.0.as_str(), ice.remote.1.as_str()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    // RFC 9725 §4.3.3: other credentials are a restart.
    let (answer, restarted) = oneshot::channel();
    let Resource { session, participant, .. } = *resource;
    let sent = resource.room.messages.send(RoomMessage::RestartIce { session, participant, answer }).await;
    sent.map_err(|_| unknown())?;
    let credentials = restarted.await.map_err(|_| unknown())?.map_err(failure)?;
    let IceCredentials { ufrag: local_ufrag, pwd: local_pwd } = credentials;
    ice.remote = (ufrag.to_owned(), pwd.to_owned());
    ice.tag = entity_tag(&local_ufrag);
    ice.local = with_credentials(&ice.local, &local_ufrag, &local_pwd);
    let mut response = ice.local.clone().into_response();
    set(&mut response, header::CONTENT_TYPE, FRAGMENT);
    set(&mut response, header::ETAG, &ice.tag);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_entity_tag_is_compared_strongly_and_an_asterisk_is_any() {
        let check = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_MATCH, HeaderValue::from_static(value));
            }
            check_if_match(&headers, "\"abc\"").map_err(|failure| failure.status.as_u16())
        };
        assert_eq!(check(&[]), Err(428));
        assert_eq!(check(&["\"abc\""]), Ok(()));
        assert_eq!(check(&["\"xyz\", \"abc\""]), Ok(()));
        assert_eq!(check(&["\"xyz\"", "\"abc\""]), Ok(()));
        assert_eq!(check(&["*"]), Ok(()));
        assert_eq!(check(&["\"*\""]), Ok(()));
        assert_eq!(check(&["\"xyz\""]), Err(412));
        assert_eq!(check(&["W/\"abc\""]), Err(412), "a weak tag never matches");
        assert_eq!(check(&["abc"]), Err(412), "unquoted");
        assert_eq!(check(&[""]), Err(412));
    }
}
