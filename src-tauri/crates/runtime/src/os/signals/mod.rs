//! What the system or a person tells this process.
//!
//! | name | is |
//! |---|---|
//! | `Signals::new`, `next` | what tells us to end, as it is called |

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::Signals;
#[cfg(windows)]
pub(crate) use windows::Signals;
