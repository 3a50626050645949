//! What the holder of the lock has to be found by, and what it leaves to the program that takes its place.
//!
//! | name | is |
//! |---|---|
//! | `Door` | one bound socket: `bind`, `path`, `folder`, `listener`, `in_place`, `remove` |
//! | `Handed` | what whoever started this process left it: `take_lock`, `door_at` |
//! | `hand_over`, `keep` | leaves lock and doors to a successor, by the text that is returned; undoes it |

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
