//! The socket's connections, as the loop serves them.
//!
//! | name | is |
//! |---|---|
//! | `Bound` | what listens already, and nobody serves yet |
//! | `Listener` | what takes connections |
//! | `Stream` | one connection: tokio's |
//! | `peer` | who is at the other end |
//! | `Ours` | a connection with one program that we start, and with it alone |

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::Bound;
#[cfg(unix)]
pub(crate) use unix::{Listener, Ours, Stream, peer};
#[cfg(windows)]
pub use windows::Bound;
#[cfg(windows)]
pub(crate) use windows::{Listener, Ours, Stream, first, peer};
