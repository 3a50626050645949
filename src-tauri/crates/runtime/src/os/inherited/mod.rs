//! What a process has of whoever happened to start it.
//!
//! | name | is |
//! |---|---|
//! | `shed` | the resident serves all of a person's programs for days: it keeps none of one shell's limits |

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::shed;

/// A process of Windows has nothing of the kind; a job's limits are whoever's who made the job.
#[cfg(windows)]
pub(crate) fn shed() {}
