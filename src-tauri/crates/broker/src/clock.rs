//! The two clocks that a decision may look at, as values. Nothing here reads a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A time of day on this computer's clock, in milliseconds since the Unix epoch. It jumps when
/// somebody sets the clock; tokens carry times of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Wall(pub i64);

/// A point on the clock that only runs forward and counts through suspend (CLOCK_BOOTTIME), in
/// milliseconds since boot. Deadlines are of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

/// When `handle` is next due.
pub type Deadline = Moment;

/// What both clocks say at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time of day.
    pub wall: Wall,
    /// The running clock.
    pub moment: Moment,
}

/// What a person's own clock says, where they are.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Now.
    pub now: Wall,
    /// How many seconds ahead of UTC it is at a time.
    pub ahead: fn(Wall) -> i64,
}

/// By how much this computer's clock is ahead of the running one, in milliseconds, as it was when somebody last set it:
/// what is said in times of day does not waver with when it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead(Option<i64>);

/// A clock that moved by more than this against the running one was set by somebody.
const CLOCK_SET: i64 = 2_000;

impl Ahead {
    /// By how many milliseconds somebody has set the clock since the last look, if they have.
    pub(crate) fn look(&mut self, now: Now) -> Option<i64> {
        let ahead = Self::at(now);
        let moved = ahead.saturating_sub(*self.0.get_or_insert(ahead));
        if moved.abs() < CLOCK_SET {
            return None;
        }
        self.0 = Some(ahead);
        Some(moved)
    }

    /// What this computer's clock says at a moment.
    pub(crate) fn wall_at(self, moment: Moment, now: Now) -> Wall {
        let ahead = self.0.unwrap_or_else(|| Self::at(now));
        Wall(ahead.saturating_add(i64::try_from(moment.0).unwrap_or(i64::MAX)))
    }

    fn at(now: Now) -> i64 {
        let running = i64::try_from(now.moment.0).unwrap_or(i64::MAX);
        now.wall.0.saturating_sub(running)
    }
}

impl Local {
    /// A time as a person reads it off the clock, with the day where that is not today: `17:30`, `2026-12-24 17:30`.
    #[must_use]
    pub fn clock(&self, time: Wall) -> String {
        let here = |time: Wall| {
            time.shifted((self.ahead)(time).saturating_mul(1000))
                .rfc3339()
        };
        let (today, then) = (here(self.now), here(time));
        let (Some((day, rest)), Some((today, _))) = (then.split_once('T'), today.split_once('T'))
        else {
            return then;
        };
        let minute = rest.get(..5).unwrap_or(rest);
        if day == today {
            minute.to_owned()
        } else {
            format!("{day} {minute}")
        }
    }
}

impl Wall {
    /// From whole seconds since the epoch, as JWT claims give them.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time, `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(by)))
    }

    /// This time, `by` earlier.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(by)))
    }

    /// This time, moved by a signed number of milliseconds.
    #[must_use]
    pub fn shifted(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// How long from `earlier` until this; zero if it is already past.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with whole seconds, as Kubernetes writes times.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let seconds = self.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl Moment {
    /// This moment, `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// This moment, `by` earlier; the clock's beginning if that was later.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// How long from `earlier` until this; zero if it is already past.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Now {
    /// Both clocks, `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self {
            wall: self.wall.after(by),
            moment: self.moment.after(by),
        }
    }

    /// The moment at which the time of day will be `wall`, if nobody sets the clock until then.
    #[must_use]
    pub fn moment_of(self, wall: Wall) -> Moment {
        self.moment.after(wall.since(self.wall))
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Howard Hinnant's `civil_from_days`: days since 1970-01-01 to year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_743_861_446, "2025-04-05T13:57:26Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(Wall::from_seconds(seconds).rfc3339(), text);
        }
    }

    #[test]
    fn a_past_time_is_due_now() {
        let now = Now {
            wall: Wall(10_000),
            moment: Moment(5),
        };
        assert_eq!(now.moment_of(Wall(9_000)), Moment(5));
        assert_eq!(now.moment_of(Wall(11_000)), Moment(1005));
    }
}
