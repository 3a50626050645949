//! What differs between systems: one file each, with the same names in all of them.
//!
//! | name | is |
//! |---|---|
//! | `Uid` | who a user is: a number, on Windows a SID |
//! | `Peer` | who is at the other end of a connection |
//! | `Stream` | a client's connection, with a deadline for every wait |
//! | `harden`, `uid`, `peer` | no other process of the user reads ours; who we are; who is there |
//! | `LONGEST_PATH`, `DATA` | what a socket's path may have; the data folder below the home |
//! | `runtime_socket`, `instance_socket`, `machine_socket` | where sockets are |
//! | `home`, `owner`, `machine_id` | what the system says |
//! | `check_folder`, `check_socket`, `create_folder` | the checks of `endpoint` |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{harden, peer};
#[cfg(target_os = "macos")]
pub use macos::{harden, peer};
#[cfg(unix)]
pub use unix::{Ready, Stream, Uid};
#[cfg(windows)]
pub use windows::{Stream, Uid, harden, peer};

#[cfg(target_os = "linux")]
pub(crate) use linux::{DATA, LONGEST_PATH, home, machine_id, runtime_socket};
#[cfg(target_os = "macos")]
pub(crate) use macos::{DATA, LONGEST_PATH, home, machine_id, runtime_socket};
#[cfg(unix)]
pub(crate) use unix::{
    check_folder, check_socket, create_folder, instance_socket, machine_socket, owner,
};
#[cfg(windows)]
pub(crate) use windows::{
    DATA, LONGEST_PATH, check_folder, check_socket, create_folder, home, instance_socket,
    machine_id, machine_socket, owner, runtime_socket,
};

#[cfg(unix)]
pub use unix::uid;
#[cfg(windows)]
pub use windows::uid;

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: Uid,
    /// The process; none where the system doesn't say, or its namespace is another.
    pub pid: Option<u32>,
}
