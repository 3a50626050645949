//! The screen that this user sits at, as the system knows it.
//!
//! | name | is |
//! |---|---|
//! | `Seat::named` | the one that an environment names, if it is there and this user's |
//! | `Seat::is_there` | whether it still is |
//! | `Seat::folder` | where something happens when it goes |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod login;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::Seat;
#[cfg(not(target_os = "linux"))]
pub(crate) use login::Seat;
#[cfg(target_os = "macos")]
use macos::has_screen;
#[cfg(windows)]
use windows::has_screen;
