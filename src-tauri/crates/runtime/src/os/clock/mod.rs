//! The clock that counts through suspend, and waits on it.
//!
//! | name | is |
//! |---|---|
//! | `moment` | that clock, read |
//! | `wall` | the time of day |
//! | `Alarm` | a wait until a moment that can be moved |
//! | `ClockSet` | the event that somebody set the time of day, or that the computer woke up |
//! | `Jump` | which of both it was |

use broker::clock::Wall;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod polled;

#[cfg(target_os = "linux")]
pub use linux::{Alarm, ClockSet};
#[cfg(not(target_os = "linux"))]
pub use polled::{Alarm, ClockSet};

#[cfg(target_os = "linux")]
pub(crate) use linux::moment;
#[cfg(not(target_os = "linux"))]
pub(crate) use polled::moment;

/// The time of day.
#[must_use]
pub fn wall() -> Wall {
    let since = |ahead: bool, by: std::time::Duration| {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Wall(if ahead { milliseconds } else { -milliseconds })
    };
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since_epoch) => since(true, since_epoch),
        Err(before_epoch) => since(false, before_epoch.duration()),
    }
}

/// What happened to the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// Somebody set the time of day.
    Set,
    /// The computer woke up.
    Woke,
}

impl Jump {
    /// Which it was, from how long the computer had been asleep before and after, in milliseconds. Two clocks
    /// that are read one after the other differ by less than a nap.
    fn of(before: u64, after: u64) -> Self {
        const NAP: u64 = 500;
        if after.saturating_sub(before) >= NAP {
            Self::Woke
        } else {
            Self::Set
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Jump;

    #[test]
    fn a_nap_is_told_from_a_clock_that_was_set() {
        for (before, after, jump) in [
            (0, 0, Jump::Set),
            (7_000, 7_001, Jump::Set),
            (7_001, 7_000, Jump::Set),
            (7_000, 7_500, Jump::Woke),
            (0, 8 * 3_600_000, Jump::Woke),
        ] {
            assert_eq!(Jump::of(before, after), jump, "{before} {after}");
        }
    }
}
