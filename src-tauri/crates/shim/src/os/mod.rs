//! What differs between systems: one file each, with the same names in all of them.
//!
//! | name | is |
//! |---|---|
//! | `terminals` | which of the standard streams are terminals |
//! | `Out`, `write` | a stream to write to, without a buffer |
//! | `Input` | where answers are typed, waited for beside the resident |
//! | `Unseen` | a terminal that doesn't show what is typed, until it is dropped |
//! | `bytes` | a text as the wire has it |
//! | `environment_of_asker` | what whoever asks has of its own |
//! | `is_run_by_a_library` | whether no person has started us, nor a script of theirs |
//! | `harden` | no other process of the user reads ours |
//! | `is_root` | whether we may do everything |

#[cfg(unix)]
mod start;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    Input, Out, Unseen, bytes, environment_of_asker, harden, is_root, is_run_by_a_library,
    terminals, write,
};
#[cfg(windows)]
pub(crate) use windows::{
    Input, Out, Unseen, bytes, environment_of_asker, harden, is_root, is_run_by_a_library,
    terminals, write,
};
