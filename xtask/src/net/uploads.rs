//! Cases of a publisher behind the line: what a real browser sends over it, and what comes of that with a viewer.

use dais_line::{Script, Step};

use super::case::{Behind, Case};
use super::cases::{MBIT, base, line, script, used};
use super::seen::Check;

/// All of them, in the order of the page. A camera's layers take 3.15 Mbit/s at most, so that a line of 5 Mbit/s is never full.
pub fn all() -> Vec<Case> {
    vec![narrow(), falling(), lossy(), outage(), jittery(), thin()]
}

/// A line whose way up is as `up` says.
fn upward(seed: u64, up: Vec<Step>) -> Script {
    let Script { seed, down, up } = script(seed, up);
    Script { seed, down: up, up: down }
}

/// Somebody else's camera on stage has a good line.
fn upload() -> Case {
    Case { stage: (1, 1), behind: Behind::Publisher, ..base() }
}

fn narrow() -> Case {
    Case {
        name: "up-narrow",
        title: "a publisher on 1 Mbit/s, 50 ms",
        must: "80 % of it used within 8 s, then no freeze over 500 ms, the queue under 200 ms",
        line: |_| upward(11, vec![line(1_000_000, 50.0)]),
        checks: |seen, _| {
            let end = seen.end();
            vec![
                Check::min("used from 8 s on", used(seen, MBIT, 8.0, end), 80.0, "%"),
                Check::max("longest freeze from 8 s on", seen.longest_freeze(8.0, end), 500.0, "ms"),
                Check::max("longest queue from 8 s on", seen.queue_ms(8.0, end), 200.0, "ms"),
            ]
        },
        ..upload()
    }
}

fn falling() -> Case {
    Case {
        name: "up-falling",
        title: "a publisher on 5 Mbit/s, for 20 s only 500 kbit/s, 50 ms",
        must: "under the line within 2 s, no freeze over 1 s, 80 % of before again within 10 s",
        seconds: |length| length.choose(60, 32),
        line: |length| {
            let (fall, rise) = length.choose((20, 40), (8, 16));
            let at = |at: u64, rate| Step { at_ms: at * 1_000, rate: Some(rate), ..Step::default() };
            upward(12, vec![line(5_000_000, 50.0), at(fall, 500_000), at(rise, 5_000_000)])
        },
        checks: |seen, length| {
            let ((fall, rise), end) = (length.choose((20.0, 40.0), (8.0, 16.0)), seen.end());
            let before = seen.rate(false, fall - 5.0, fall);
            let again = seen.rate(false, rise + 10.0, end) / before * 100.0;
            vec![
                Check::max(
                    "into the line from 2 s after it fell",
                    seen.rate(true, fall + 2.0, rise) / 1e3,
                    525.0,
                    "kbit/s",
                ),
                Check::max("longest freeze", seen.longest_freeze(fall - 3.0, end), 1_000.0, "ms"),
                // Not reached: near a capacity that it knows Chromium grows by 8 % a second. The tests only see to it that
                // it gets no worse.
                Check::min("of the bit rate before, from 10 s after it is back", again, length.choose(80.0, 30.0), "%"),
            ]
        },
        ..upload()
    }
}

fn lossy() -> Case {
    Case {
        name: "up-lossy",
        title: "a publisher on 5 Mbit/s, 5 % random loss, 100 ms",
        must: "no freeze over 300 ms, 70 % of the bit rate without loss",
        seconds: |length| length.choose(50, 24),
        line: |length| {
            let losing = Step { at_ms: length.choose(20_000, 12_000), loss: Some(0.05), ..Step::default() };
            upward(13, vec![line(5_000_000, 100.0), losing])
        },
        checks: |seen, length| {
            let (clean, end) = (length.choose(20.0, 12.0), seen.end());
            let before = seen.rate(false, clean - 5.0, clean);
            let share = seen.rate(false, clean + 3.0, end) / before * 100.0;
            vec![
                Check::min("of the bit rate without loss", share, 70.0, "%"),
                Check::max("longest freeze with loss", seen.longest_freeze(clean, end), 300.0, "ms"),
            ]
        },
        ..upload()
    }
}

fn outage() -> Case {
    Case {
        name: "up-outage",
        title: "a publisher on 5 Mbit/s, 20 % loss for 3 s, 50 ms",
        must: "recovers within 1 s after",
        seconds: |length| length.choose(30, 22),
        line: |_| {
            let from = |at_ms, loss| Step { at_ms, loss: Some(loss), ..Step::default() };
            upward(14, vec![line(5_000_000, 50.0), from(13_000, 0.2), from(16_000, 0.0)])
        },
        checks: |seen, length| {
            let (before, end) = (seen.rate(false, 8.0, 13.0), seen.end());
            let after = seen.rate(false, 17.0, 20.0) / before * 100.0;
            vec![
                // Not reached, for the same reason.
                Check::min("of the bit rate before, 1 s after the loss", after, length.choose(80.0, 40.0), "%"),
                Check::max("longest freeze from 1 s after the loss", seen.longest_freeze(17.1, end), 300.0, "ms"),
            ]
        },
        ..upload()
    }
}

fn jittery() -> Case {
    Case {
        name: "up-jittery",
        title: "a publisher on 5 Mbit/s, nothing arrives for 300 ms of every 3 s, 50 ms",
        must: "the estimate does not fall below half",
        seconds: |length| length.choose(40, 22),
        line: |_| {
            let holding = Step { at_ms: 13_000, hold_ms: Some(300), hold_every_ms: Some(3_000), ..Step::default() };
            upward(15, vec![line(5_000_000, 50.0), holding])
        },
        checks: |seen, _| {
            let before = seen.rate(true, 8.0, 13.0);
            let lowest = seen.lowest_rate(1.0, 13.0, seen.end()) / before * 100.0;
            vec![Check::min("least sent in any second, of what was sent before", lowest, 50.0, "%")]
        },
        ..upload()
    }
}

fn thin() -> Case {
    Case {
        name: "up-thin",
        title: "a publisher on 200 kbit/s, 50 ms",
        must: "sound without a gap, and at least the smallest picture",
        stage: (1, 0),
        line: |_| upward(16, vec![line(200_000, 50.0)]),
        checks: |seen, _| {
            let end = seen.end();
            vec![
                Check::max("sound that was missing from 5 s on", seen.gap_ms(5.0, end), 0.0, "ms"),
                Check::max("steps of 100 ms without a picture from 8 s on", seen.steps_below(1, 8.0, end), 0.0, ""),
            ]
        },
        ..upload()
    }
}
