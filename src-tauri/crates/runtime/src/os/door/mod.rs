//! What the holder of the lock has to be found by, and what it leaves to the program that takes its place.
//!
//! | name | is |
//! |---|---|
//! | `Door` | one bound socket: `bind`, `path`, `folder`, `listener`, `in_place`, `remove` |
//! | `Handed` | what whoever started this process left it: `take_lock`, `door_at` |
//! | `INHERIT` | the variable that says what was left |
//! | `Unclaimed` | why there is no claim |
//! | `hand_over`, `keep` | leaves lock and doors to a successor, by the text that is returned; undoes it |

use std::io;
use std::path::{Path, PathBuf};

use wire::endpoint::EndpointError;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::Handed;
#[cfg(unix)]
pub(crate) use unix::{Door, hand_over, keep};
#[cfg(windows)]
pub use windows::Handed;
#[cfg(windows)]
pub(crate) use windows::{Door, hand_over, keep};

#[cfg(test)]
pub(crate) use unix::Handle;

/// The variable that says what an upgrade left for its successor: descriptors of lock and sockets, or the process to
/// wait for.
pub const INHERIT: &str = "KUBEFOB_INHERIT";

/// Why there is no claim.
#[derive(Debug, thiserror::Error)]
pub enum Unclaimed {
    /// Another resident is there.
    #[error("another resident is there")]
    Taken,
    /// A folder that can't be used.
    #[error(transparent)]
    Place(#[from] EndpointError),
    /// The lock can't be used: without it nobody knows who is the resident.
    #[error(
        "the lock {path} can't be used ({error}): move it away if no Kubefob runs, or make it yours again"
    )]
    Lock {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The socket can't be made.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Why a socket can't be made.
pub(crate) fn io_at(path: &Path, error: io::Error) -> Unclaimed {
    Unclaimed::Io {
        path: path.to_owned(),
        error,
    }
}
