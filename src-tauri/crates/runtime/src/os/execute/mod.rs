//! Becoming another program.
//!
//! | name | is |
//! |---|---|
//! | `execute` | becomes it, or starts it where a process can't become another |

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::execute;
#[cfg(windows)]
pub(crate) use windows::execute;
