//! Cases of a publisher behind the line: what a real browser sends over it, and what comes of that with a viewer. Lines and limits
//! are those of the viewers' cases.

use super::case::{Behind, Case};
use super::cases;
use super::seen::Check;

/// All of them, in the order of the page.
pub fn all() -> Vec<Case> {
    vec![
        upload("up-narrow", "a publisher on 1 Mbit/s, 50 ms", cases::narrow()),
        falling(),
        lossy(),
        upload("up-outage", "a publisher on 5 Mbit/s, 20 % loss for 3 s, 50 ms", cases::outage()),
        jittery(),
        upload("up-thin", "a publisher on 200 kbit/s, 50 ms", cases::thin()),
    ]
}

/// The line of `case` with a publisher behind it. Somebody else on stage has a good one.
fn upload(name: &'static str, title: &'static str, case: Case) -> Case {
    Case { name, title, stage: (1, 0), behind: Behind::Publisher, ..case }
}

/// A camera takes less than the line has, so that it cannot be full again.
fn falling() -> Case {
    Case {
        must: "under the line within 2 s, no freeze over 1 s, 80 % of before again within 10 s",
        checks: |seen, length| {
            let (mut checks, end) = (cases::fallen(seen, length), seen.end());
            let (fall, rise) = cases::falls(length);
            let (fall, rise) = (fall as f64, rise as f64);
            let again = seen.rate(false, rise + 10.0, end) / seen.rate(false, fall - 5.0, fall) * 100.0;
            checks.push(Check::min("of the bit rate before, from 10 s after it is back", again, 80.0, "%"));
            checks
        },
        ..upload("up-falling", "a publisher on 5 Mbit/s, for 20 s only 500 kbit/s, 50 ms", cases::falling())
    }
}

fn lossy() -> Case {
    Case {
        checks: cases::lost,
        ..upload("up-lossy", "a publisher on 5 Mbit/s, 5 % random loss, 100 ms", cases::lossy())
    }
}

fn jittery() -> Case {
    let title = "a publisher on 5 Mbit/s, nothing arrives for 300 ms of every 3 s, 50 ms";
    upload("up-jittery", title, cases::jittery())
}
