//! macOS and Windows: tokio's clock stops in suspend there, so a long wait is cut into pieces, after each
//! of which the right clock is looked at. Type-checked, and run under Wine; never tried across a sleep.

use std::io;
use std::time::Duration;

use broker::clock::{Moment, Wall};

use super::Jump;

/// What a wake-up can come late by.
const PIECE: Duration = Duration::from_secs(30);

/// How far the time of day may drift from the running clock between two looks.
const DRIFT: Duration = Duration::from_secs(2);

/// CLOCK_MONOTONIC counts through sleep on macOS.
#[cfg(target_os = "macos")]
pub(crate) fn moment() -> Moment {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let milliseconds = now
        .tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000);
    Moment(u64::try_from(milliseconds).unwrap_or(0))
}

#[cfg(windows)]
#[allow(unsafe_code)] // std's clock stops in sleep
pub(crate) fn moment() -> Moment {
    // SAFETY: takes nothing and can't fail.
    Moment(unsafe { windows_sys::Win32::System::SystemInformation::GetTickCount64() })
}

/// A wait until a moment. It is moved by [`Alarm::set`].
#[derive(Debug)]
pub struct Alarm {
    at: Option<Moment>,
}

impl Alarm {
    /// An alarm that is off.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub fn new() -> io::Result<Self> {
        Ok(Self { at: None })
    }

    /// Sets when it rings; none: never. A moment that is past rings at once.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub fn set(&mut self, moment: Option<Moment>) -> io::Result<()> {
        self.at = moment;
        Ok(())
    }

    /// Waits until it rings. It rings once for each time that it was set. Dropping the wait loses nothing.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub async fn rang(&mut self) -> io::Result<()> {
        let Some(at) = self.at else {
            return std::future::pending().await;
        };
        loop {
            let left = at.since(moment());
            if left.is_zero() {
                self.at = None;
                return Ok(());
            }
            tokio::time::sleep(left.min(PIECE)).await;
        }
    }
}

/// Somebody set the time of day or the computer woke up, noticed by looking.
#[derive(Debug)]
pub struct ClockSet {
    offset: i64,
}

impl ClockSet {
    /// Looks from now on.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub fn new() -> io::Result<Self> {
        Ok(Self { offset: offset() })
    }

    /// Waits until the clock is set or the computer wakes up.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub async fn happened(&mut self) -> io::Result<Jump> {
        loop {
            let before = moment();
            tokio::time::sleep(PIECE).await;
            // A piece that took far longer than it should: tokio's clock stood still meanwhile.
            let late = moment().since(before).saturating_sub(PIECE * 2);
            let found = offset();
            let set = Duration::from_millis(found.abs_diff(self.offset)) > DRIFT;
            self.offset = found;
            let late = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
            match Jump::of(0, late) {
                Jump::Woke => return Ok(Jump::Woke),
                Jump::Set if set => return Ok(Jump::Set),
                Jump::Set => {}
            }
        }
    }
}

fn offset() -> i64 {
    let Wall(wall) = super::wall();
    wall.saturating_sub(i64::try_from(moment().0).unwrap_or(i64::MAX))
}
