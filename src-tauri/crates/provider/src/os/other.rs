//! Other systems.

use std::net::SocketAddr;

/// Not known here.
pub(crate) fn is_foreign(_peer: SocketAddr, _local: SocketAddr) -> Option<bool> {
    None
}

/// Whether this machine has no such family of addresses (Windows: WSAEAFNOSUPPORT; others:
/// EAFNOSUPPORT of the BSDs).
pub(crate) fn is_family_missing(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(if cfg!(windows) { 10047 } else { 47 })
}
