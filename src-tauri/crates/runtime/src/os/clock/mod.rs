//! The clock that counts through suspend, and waits on it.
//!
//! | name | is |
//! |---|---|
//! | `moment` | that clock, read |
//! | `Alarm` | a wait until a moment that can be moved |
//! | `ClockSet` | the event that somebody set the time of day, or that the computer woke up |

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
