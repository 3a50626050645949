//! What differs between systems: one file each, with the same names in all of them.
//!
//! | name | is |
//! |---|---|
//! | `Uid` | who a user is: a number, on Windows a SID |
//! | `Peer` | who is at the other end of a connection |
//! | `Stream` | a client's connection, with a [`Patience`] for every wait |
//! | `harden`, `uid`, `peer` | no other process of the user reads ours; who we are; who is there |
//! | `LONGEST_PATH`, `DATA` | what a socket's path may have; the data folder below the home |
//! | `runtime_socket`, `instance_socket`, `machine_socket` | where sockets are |
//! | `home`, `owner`, `machine_id` | what the system says |
//! | `group_is_harmless`, `has_access_list` | whether a group's bits let others in, on Unix |
//! | `environment`, `environment_of_login` | what a process was started with, or what any of this user's is |
//! | `parent_of`, `program_of` | what a process comes from and what it runs, on Linux |
//! | `this_program` | the file that this process runs |
//! | `detach`, `inherit_nothing` | a process that we start is one of its own |
//! | `USUAL_PATH`, `root`, `is_named`, `is_passed` | what it has of its starter's, and what stands in for that |
//! | `said_so_far`, `let_go_of_stderr` | what it says where it can't stay; and that it says no more |
//! | `unmask_owner` | what we make is ours to use |
//! | `open_lock`, `folder_of` | a file to be locked; the folder that a socket stands in |
//! | `check_folder`, `check_socket`, `create_folder` | the checks of `endpoint` |

use std::time::{Duration, Instant};

#[cfg(unix)]
mod child;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{
    environment, harden, has_access_list, has_access_list_open, knows_root, parent_of, peer,
    program_of, runtime_folder, this_program,
};
#[cfg(target_os = "macos")]
pub use macos::{
    Started, environment, harden, has_access_list, has_access_list_open, peer, runtime_folder,
    started, this_program,
};
#[cfg(unix)]
pub use unix::{
    Stream, Uid, folder_of, group_is_harmless, is_named, is_needed, let_go_of_stderr, open_lock,
    owner, root, unmask_owner,
};
#[cfg(windows)]
pub use windows::{
    Stream, Uid, client, environment_of_login, folder_of, harden, is_named, is_needed,
    let_go_of_stderr, named_by, open_lock, owner, peer, root, runtime_folder, this_program,
    unmask_owner, user_of_process,
};

#[cfg(unix)]
pub(crate) use child::{detach, inherit_nothing};
#[cfg(target_os = "linux")]
pub(crate) use linux::{DATA, LONGEST_PATH, OPEN_DESCRIPTORS, home, machine_id, runtime_socket};
#[cfg(target_os = "linux")]
pub(crate) use linux::{is_roots_group, is_shared, is_unmapped};
#[cfg(target_os = "macos")]
pub(crate) use macos::{DATA, LONGEST_PATH, OPEN_DESCRIPTORS, home, machine_id, runtime_socket};
#[cfg(target_os = "macos")]
pub(crate) use macos::{is_roots_group, is_shared, is_unmapped};
#[cfg(unix)]
pub(crate) use unix::{
    USUAL_PATH, check_folder, check_socket, create_folder, instance_socket, is_passed,
    machine_socket, said_so_far,
};
#[cfg(windows)]
pub(crate) use windows::{
    DATA, LONGEST_PATH, USUAL_PATH, check_folder, check_socket, create_folder, detach, home,
    inherit_nothing, instance_socket, is_passed, machine_id, machine_socket, runtime_socket,
    said_so_far,
};

#[cfg(unix)]
pub use unix::uid;
#[cfg(windows)]
pub use windows::uid;

/// What a folder is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To ask whoever listens in it. Who that is, the kernel says, by a number that is ours alone.
    Ask,
    /// To keep something in it.
    Keep,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: Uid,
    /// The process; none where the system doesn't say, or its namespace is another.
    pub pid: Option<u32>,
}

/// What `Stream::wait_with` waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// The peer has said something, or is gone.
    Peer,
    /// The input can be read, or has ended.
    Input,
}

/// How long waits may last together.
///
/// The clock is first read when a second wait begins: to a program as short as the shim, reading it at all
/// costs more than the wait's own call. So it can be up to twice as long, and never longer.
#[derive(Clone, Copy, Debug)]
pub struct Patience(State);

#[derive(Clone, Copy, Debug)]
enum State {
    Whole(Duration),
    Begun(Duration),
    Until(Instant),
}

impl Patience {
    /// Patience for that long.
    #[must_use]
    pub fn new(whole: Duration) -> Self {
        Self(State::Whole(whole))
    }

    /// How long the wait that now begins may last; none if there is no patience left.
    pub(crate) fn left(&mut self) -> Option<Duration> {
        let (state, left) = match self.0 {
            State::Whole(whole) => (State::Begun(whole), Some(whole)),
            State::Begun(whole) => (State::Until(Instant::now() + whole), Some(whole)),
            State::Until(end) => {
                let left = end.saturating_duration_since(Instant::now());
                (State::Until(end), Some(left).filter(|left| !left.is_zero()))
            }
        };
        self.0 = state;
        left
    }
}

impl From<Duration> for Patience {
    fn from(whole: Duration) -> Self {
        Self::new(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends() {
        let mut patience = Patience::new(Duration::from_millis(1));
        assert_eq!(patience.left(), Some(Duration::from_millis(1)));
        assert_eq!(
            patience.left(),
            Some(Duration::from_millis(1)),
            "the clock runs from here"
        );
        while patience.left().is_some() {}
        assert_eq!(patience.left(), None);
    }
}
