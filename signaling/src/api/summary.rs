//! What a session was: who was there, what was said, how polls went. For the portal, and for hosts with their token.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dais_stage::Role as StageRole;
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

use super::types::Error;
use super::{Answer, Failure, bearer, is_api_key};
use crate::protocol::{Channel, Poll, PollKind, Role, SessionError};
use crate::server::Signaling;

/// A session, from when its room was opened.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    /// Id of the room.
    pub room: String,
    /// As people call it.
    pub title: String,
    /// When it was opened, RFC 3339.
    pub opened: String,
    /// When it ended, RFC 3339; nothing while it goes on.
    pub ended: Option<String>,
    /// Most people in the room at once.
    pub most: u32,
    /// Everybody who was there, in order of their first entry.
    pub people: Vec<Attendance>,
    /// What was said, without what was deleted or cleared.
    pub chat: Vec<ChatLine>,
    /// Polls and quizzes that were opened.
    pub polls: Vec<PollSummary>,
}

/// When somebody was there.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attendance {
    /// Who they are across connections.
    pub identity: String,
    /// Their name, as it was last.
    pub name: String,
    /// Their role, as it was last.
    pub role: Role,
    /// Each time they were there.
    pub visits: Vec<Visit>,
    /// How long they were there in all, seconds.
    pub present_seconds: u32,
    /// Of it on stage.
    pub stage_seconds: u32,
    /// Of it speaking.
    pub speaking_seconds: u32,
}

/// From entering to leaving.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct Visit {
    /// RFC 3339.
    pub entered: String,
    /// RFC 3339; nothing while they are there.
    pub left: Option<String>,
}

/// Something said in the chat.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct ChatLine {
    /// RFC 3339.
    pub at: String,
    /// Who said it.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Who could read it.
    pub channel: Channel,
    /// Plain text.
    pub text: String,
}

/// A poll or quiz with everything about it.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct PollSummary {
    /// With its results and, of a quiz, the whole ranking.
    #[serde(flatten)]
    pub poll: Poll,
    /// Who answered what; empty where it is anonymous.
    pub answers: Vec<AnswerLine>,
}

/// What somebody answered.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
pub struct AnswerLine {
    /// Who.
    pub name: String,
    /// Index of the question.
    pub question: u8,
    /// Indices of the options.
    pub choices: Vec<u8>,
}

/// The session of a room, going on or over: who was there, what was said, how polls went. With the API key, or with the
/// access token of a host of this room.
#[utoipa::path(get, path = "/v1/rooms/{room}/summary", params(("room" = String, Path, description = "Id of the room")), responses(
    (status = 200, description = "The session", body = SessionSummary),
    (status = 401, description = "`api_key_invalid`, or what is wrong with the token", body = Error),
    (status = 403, description = "`hosts_only`", body = Error),
    (status = 404, description = "`unknown_room`", body = Error)
))]
pub(super) async fn summary(
    State(signaling): State<Signaling>,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Answer<Json<SessionSummary>> {
    let found = find(&signaling, &room, &headers).await;
    Ok(Json(found.inspect_err(|failure| signaling.directory.count_refusal(failure.reason.code))?))
}

/// A part of the summary as CSV (RFC 4180), for a spreadsheet.
#[utoipa::path(get, path = "/v1/rooms/{room}/summary/{table}", params(
    ("room" = String, Path, description = "Id of the room"),
    ("table" = String, Path, description = "`attendance.csv`, `chat.csv` or `polls.csv`")
), responses(
    (status = 200, description = "The table", body = String, content_type = "text/csv"),
    (status = 401, description = "`api_key_invalid`, or what is wrong with the token", body = Error),
    (status = 403, description = "`hosts_only`", body = Error),
    (status = 404, description = "`unknown_room` or `unknown_table`", body = Error)
))]
pub(super) async fn table(
    State(signaling): State<Signaling>,
    Path((room, table)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let found = find(&signaling, &room, &headers).await;
    let summary = found.inspect_err(|failure| signaling.directory.count_refusal(failure.reason.code))?;
    let rows = match table.as_str() {
        "attendance.csv" => attendance(&summary),
        "chat.csv" => chat(&summary),
        "polls.csv" => polls(&summary),
        _ => return Err(Failure::new(StatusCode::NOT_FOUND, "unknown_table", "There is no such table.")),
    };
    let csv = written(&rows).map_err(|_| Failure::from(SessionError::Internal))?;
    let name = format!("attachment; filename=\"{}-{table}\"", summary.room);
    let kind = "text/csv; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], csv).into_response())
}

async fn find(signaling: &Signaling, room: &str, headers: &HeaderMap) -> Answer<SessionSummary> {
    let given = bearer(headers).unwrap_or_default();
    if !is_api_key(signaling, given) {
        let claims = signaling
            .keys
            .check(given, room)
            .map_err(|error| Failure { status: StatusCode::UNAUTHORIZED, ..Failure::from(error) })?;
        if claims.role != StageRole::Host {
            return Err(Failure::new(StatusCode::FORBIDDEN, "hosts_only", "Only a host can do this."));
        }
    }
    Ok(signaling.directory.summary(room).await?)
}

type Rows = Vec<Vec<String>>;

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn attendance(summary: &SessionSummary) -> Rows {
    let names = ["name", "role", "identity", "entered", "left", "present_seconds", "stage_seconds", "speaking_seconds"];
    let mut rows = vec![head(&names)];
    for person in &summary.people {
        let entered = person.visits.first().map_or_else(String::new, |visit| visit.entered.clone());
        let left = person.visits.last().and_then(|visit| visit.left.clone()).unwrap_or_default();
        let seconds = [person.present_seconds, person.stage_seconds, person.speaking_seconds];
        let mut row = vec![person.name.clone(), word(person.role), person.identity.clone(), entered, left];
        row.extend(seconds.map(|seconds| seconds.to_string()));
        rows.push(row);
    }
    rows
}

fn chat(summary: &SessionSummary) -> Rows {
    let mut rows = vec![head(&["at", "name", "role", "channel", "text"])];
    rows.extend(
        summary.chat.iter().map(|line| {
            vec![line.at.clone(), line.name.clone(), word(line.role), word(line.channel), line.text.clone()]
        }),
    );
    rows
}

/// A row for each option, and one for each answer where it is known whose it is.
fn polls(summary: &SessionSummary) -> Rows {
    let mut rows = vec![head(&["poll", "kind", "title", "question", "option", "right", "count", "name"])];
    for PollSummary { poll, answers } in &summary.polls {
        for question in &poll.questions {
            let row = |option: &str, right: &str, count: String, name: &str| {
                let about = [poll.poll.to_string(), word(poll.kind), poll.title.clone(), question.text.clone()];
                about.into_iter().chain([option.to_owned(), right.to_owned(), count, name.to_owned()]).collect()
            };
            let is_right = |index: u8| match (&question.right, poll.kind) {
                (Some(right), PollKind::Quiz) if right.contains(&index) => "yes",
                (_, PollKind::Quiz) => "no",
                (_, PollKind::Poll) => "",
            };
            for (option, index) in question.options.iter().zip(0..) {
                let count = question.results.as_ref().and_then(|results| results.counts.get(usize::from(index)));
                rows.push(row(option, is_right(index), count.map_or_else(String::new, u32::to_string), ""));
            }
            for answer in answers.iter().filter(|answer| answer.question == question.index) {
                for index in &answer.choices {
                    let option = question.options.get(usize::from(*index)).map_or("", String::as_str);
                    rows.push(row(option, is_right(*index), String::new(), &answer.name));
                }
            }
        }
    }
    rows
}

/// A word of the protocol.
fn word(word: impl Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn written(rows: &Rows) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// A spreadsheet takes a cell that begins like this for a formula (OWASP, "CSV Injection"): what people type is none.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_no_formula_and_stays_in_its_cell() {
        let rows = vec![head(&["name", "text"]), head(&["=1+1", "a, \"b\"\nc"])];
        assert_eq!(written(&rows).unwrap(), b"name,text\r\n'=1+1,\"a, \"\"b\"\"\nc\"\r\n");
    }
}
