//! The event that the network changed: a link, an address or a route came or went.
//!
//! | name | is |
//! |---|---|
//! | `Network` | the wait for it |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod polled;

#[cfg(target_os = "linux")]
pub(crate) use linux::Network;
#[cfg(not(target_os = "linux"))]
pub(crate) use polled::Network;
