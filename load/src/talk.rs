//! The script of who speaks when, and the law of who is removed: the person on stage who was silent the longest.

use crate::scenario::Talk;

/// Least time, s, by which a removal must be clear: speech is recognised, and forgotten, in less.
const MARGIN_S: f64 = 1.0;

/// Who is on stage, and since when, s; in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct Stage(Vec<(usize, f64)>);

impl Stage {
    /// The first `capacity` people, who came one after the other long before the script begins.
    pub(crate) fn new(capacity: usize) -> Self {
        Self((0..capacity).map(|who| (who, 2.0 * MARGIN_S * (who as f64 - capacity as f64))).collect())
    }

    /// Somebody comes.
    pub(crate) fn add(&mut self, who: usize, at: f64) {
        self.0.push((who, at));
    }

    /// Somebody goes.
    pub(crate) fn remove(&mut self, who: usize) {
        self.0.retain(|(other, _)| *other != who);
    }

    fn has(&self, who: usize) -> bool {
        self.0.iter().any(|(other, _)| *other == who)
    }

    /// Since when everybody has been silent at `at`, longest first. Whoever speaks has not been silent at all.
    fn silent_since(&self, talk: &Talk, at: f64) -> Vec<(usize, f64)> {
        let since = |(who, came): &(usize, f64)| {
            let turns = talk.turns.iter().filter(|turn| turn.who == *who && turn.from_s < at);
            (*who, turns.map(|turn| turn.to_s.min(at)).fold(*came, f64::max))
        };
        let mut people: Vec<_> = self.0.iter().map(since).collect();
        people.sort_by(|a, b| a.1.total_cmp(&b.1));
        people
    }

    /// Who must be removed for somebody who comes at `at`.
    pub(crate) fn longest_silent(&self, talk: &Talk, at: f64) -> Option<usize> {
        self.silent_since(talk, at).first().map(|(who, _)| *who)
    }
}

/// What is wrong with a script for `people` with so many microphones in a window of `measured_s`, if anything is.
pub(crate) fn check(talk: &Talk, people: usize, microphones: usize, measured_s: f64) -> Option<String> {
    for turn in &talk.turns {
        if turn.who >= microphones {
            return Some(format!("talk: {} speaks and has no microphone", turn.who));
        }
        if turn.from_s < 0.0 || turn.to_s < turn.from_s + MARGIN_S {
            return Some(format!("talk: a turn of {} lasts less than {MARGIN_S} s", turn.who));
        }
    }
    let mut stage = Stage::new(talk.capacity);
    let mut last = 0.0;
    for join in &talk.joins {
        let (who, at) = (join.who, join.at_s);
        if who >= people || stage.has(who) {
            return Some(format!("talk: {who} joins at {at} s, and is on stage already or nobody"));
        }
        if at < last + MARGIN_S || at + MARGIN_S > measured_s {
            return Some(format!(
                "talk: the join at {at} s must be {MARGIN_S} s after the one before and before the end"
            ));
        }
        if talk.turns.iter().any(|turn| turn.from_s < at && at < turn.from_s + MARGIN_S) {
            return Some(format!("talk: a turn begins less than {MARGIN_S} s before the join at {at} s"));
        }
        let silent = stage.silent_since(talk, at);
        if silent.len() > 1 && silent[1].1 < silent[0].1 + MARGIN_S {
            return Some(format!("talk: who was silent the longest at {at} s is not clear by {MARGIN_S} s"));
        }
        stage.remove(silent.first()?.0);
        stage.add(who, at);
        last = at;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{StageJoin, Turn};

    fn talk(turns: &[(usize, f64, f64)], joins: &[(usize, f64)]) -> Talk {
        Talk {
            capacity: 2,
            turns: turns.iter().map(|(who, from_s, to_s)| Turn { who: *who, from_s: *from_s, to_s: *to_s }).collect(),
            joins: joins.iter().map(|(who, at_s)| StageJoin { who: *who, at_s: *at_s }).collect(),
        }
    }

    fn checked(talk: &Talk) -> Option<String> {
        check(talk, 4, 4, 20.0)
    }

    #[test]
    fn who_has_never_spoken_has_been_silent_since_they_came() {
        let script = talk(&[(0, 1.0, 3.0)], &[]);
        assert_eq!(Stage::new(2).longest_silent(&script, 5.0), Some(1));
        assert_eq!(Stage::new(2).longest_silent(&talk(&[], &[]), 5.0), Some(0));
    }

    #[test]
    fn who_speaks_now_is_not_silent_and_the_next_is_removed() {
        let script = talk(&[(0, 1.0, 9.0), (1, 2.0, 4.0)], &[(2, 6.0), (3, 8.0)]);
        assert_eq!(checked(&script), None);
        let mut stage = Stage::new(2);
        assert_eq!(stage.longest_silent(&script, 6.0), Some(1));
        stage.remove(1);
        stage.add(2, 6.0);
        assert_eq!(stage.longest_silent(&script, 8.0), Some(2));
    }

    #[test]
    fn a_script_that_is_not_clear_is_refused() {
        let refused = |turns: &[_], joins: &[_], why: &str| {
            let reason = checked(&talk(turns, joins)).unwrap();
            assert!(reason.contains(why), "{reason}");
        };
        refused(&[(0, 1.0, 3.0), (1, 1.0, 3.5)], &[(2, 6.0)], "not clear");
        refused(&[(0, 1.0, 1.5)], &[], "lasts less");
        refused(&[(9, 1.0, 3.0)], &[], "microphone");
        refused(&[], &[(1, 3.0)], "on stage already");
        refused(&[(0, 3.0, 6.0)], &[(2, 3.5)], "begins less");
        refused(&[], &[(2, 30.0)], "before the end");
    }
}
