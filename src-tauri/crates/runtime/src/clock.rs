//! Both clocks, read, and a wait for a moment on the one that counts through suspend.
//!
//! std's and tokio's clocks stop while a laptop sleeps, so a deadline of ours would come late by
//! the length of the nap. [`Alarm`] does not, and costs nothing until it rings.

use broker::clock::{Local, Moment, Now};
use chrono::{Offset as _, TimeZone as _};

use crate::os::clock as os;

pub use os::{Alarm, ClockSet, Jump, wall};

/// What both clocks say.
#[must_use]
pub fn now() -> Now {
    Now {
        wall: wall(),
        moment: os::moment(),
    }
}

/// The clock of whoever sits at this computer, by the system's own zone.
#[must_use]
pub fn local() -> Local {
    Local {
        now: wall(),
        ahead: |time| {
            let there = chrono::Local.timestamp_millis_opt(time.0).single();
            there.map_or(0, |there| there.offset().fix().local_minus_utc().into())
        },
    }
}

/// Waits until `moment`, sleep of the computer counted. A loop keeps one [`Alarm`] instead.
///
/// # Errors
/// The system gave no timer.
pub async fn sleep_until(moment: Moment) -> std::io::Result<()> {
    let mut alarm = Alarm::new()?;
    alarm.set(Some(moment))?;
    alarm.rang().await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clocks_run_forward_together() {
        let before = now();
        std::thread::sleep(Duration::from_millis(20));
        let after = now();
        assert!(after.moment.since(before.moment) >= Duration::from_millis(19));
        assert!(after.wall > before.wall);
        assert!(
            before.wall.seconds() > 1_700_000_000,
            "a clock of this century"
        );
    }

    #[tokio::test]
    async fn an_alarm_rings_at_its_moment_and_not_before() {
        let start = now().moment;
        sleep_until(start.after(Duration::from_millis(60)))
            .await
            .unwrap();
        let took = now().moment.since(start);
        assert!(took >= Duration::from_millis(60), "{took:?}");
    }

    #[tokio::test]
    async fn a_moment_that_is_past_rings_at_once() {
        sleep_until(Moment(0)).await.unwrap();
        sleep_until(now().moment).await.unwrap();
    }

    #[tokio::test]
    async fn an_alarm_is_moved_and_switched_off() {
        let mut alarm = Alarm::new().unwrap();
        let start = now().moment;
        alarm
            .set(Some(start.after(Duration::from_secs(3600))))
            .unwrap();
        alarm
            .set(Some(start.after(Duration::from_millis(10))))
            .unwrap();
        alarm.rang().await.unwrap();
        alarm
            .set(Some(now().moment.after(Duration::from_millis(10))))
            .unwrap();
        alarm.set(None).unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(50), alarm.rang()).await;
        assert!(silence.is_err(), "an alarm that is off does not ring");
    }

    #[tokio::test]
    async fn an_alarm_that_is_set_to_the_same_moment_again_rings_again() {
        let mut alarm = Alarm::new().unwrap();
        let past = now().moment;
        for _ in 0..2 {
            alarm.set(Some(past)).unwrap();
            alarm.set(Some(past)).unwrap();
            alarm.rang().await.unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_set_the_clock() {
        let mut set = ClockSet::new().unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(50), set.happened()).await;
        assert!(silence.is_err(), "silent while nobody sets it");
    }
}
