//! Pages of the people in the room, in order of entry, and the search among its viewers.

use dais_signaling::api::ViewersPage;
use dais_signaling::limits;
use dais_signaling::protocol::{ServerMessage, SessionError};
use dais_stage::{NameSearch, Participant, ParticipantId, Stage};

use super::Room;
use super::roster::{clamp, participant, viewer_count};

/// Searches of one room between two ticks; more are refused with `too_many_searches`. Each takes up to 0.15 ms with 5,000
/// people (`cargo bench -p dais-stage -- search`), so that all of them have at most 3 % of the task's time, and 6 % in the
/// largest room.
const SEARCHES_PER_TICK: u32 = 20;

/// How many more searches the room's task has time for before the next tick.
#[derive(Debug)]
pub(super) struct Searches(u32);

impl Searches {
    pub(super) fn new() -> Self {
        Self(SEARCHES_PER_TICK)
    }

    fn take(&mut self) -> Result<(), SessionError> {
        self.0 = self.0.checked_sub(1).ok_or(SessionError::TooManySearches)?;
        Ok(())
    }
}

impl Room {
    /// A page of the viewers who entered after `after`, of all or of those whose names have `search`.
    ///
    /// # Errors
    /// For a search that is too long, or one too many.
    pub(super) fn list_viewers(
        &mut self,
        id: u32,
        after: ParticipantId,
        search: Option<&str>,
    ) -> Result<ServerMessage, SessionError> {
        let (page, matching) = match search.map(str::trim).filter(|search| !search.is_empty()) {
            None => (viewers(&self.stage, after), viewer_count(&self.stage)),
            Some(search) if search.chars().nth(limits::SEARCH_CHARS_MAX).is_some() => {
                return Err(SessionError::SearchTooLong);
            }
            Some(search) => {
                self.searches.take()?;
                found(&self.stage, after, search)
            }
        };
        let ViewersPage { participants, more } = page;
        Ok(ServerMessage::Viewers { id, participants, more, matching: clamp(matching) })
    }
}

/// A page of everyone who entered after `after`.
pub(super) fn everyone(stage: &Stage, after: ParticipantId) -> ViewersPage {
    page(stage, stage.participants_after(after))
}

fn viewers(stage: &Stage, after: ParticipantId) -> ViewersPage {
    page(stage, stage.participants_after(after).filter(|person| person.on_stage().is_none()))
}

/// A page of the viewers who entered after `after` and have `search` in their names, and how many have it at all.
fn found(stage: &Stage, after: ParticipantId, search: &str) -> (ViewersPage, usize) {
    let mut search = NameSearch::new(search);
    let viewers = stage.participants().filter(|person| person.on_stage().is_none());
    let found: Vec<_> = viewers.filter(|person| search.finds(&person.name)).collect();
    let matching = found.len();
    (page(stage, found.into_iter().skip_while(|person| person.id <= after)), matching)
}

fn page<'a>(stage: &'a Stage, mut people: impl Iterator<Item = &'a Participant>) -> ViewersPage {
    let participants = people.by_ref().take(limits::PAGE).map(|person| participant(stage, person)).collect();
    ViewersPage { participants, more: people.next().is_some() }
}
