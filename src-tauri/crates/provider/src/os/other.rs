//! Other systems.

use std::net::SocketAddr;

use crate::desk::Whose;

/// Nobody has written it for these yet: people are not told apart (SECURITY.md, "What is not
/// promised").
pub(crate) fn whose(_peer: SocketAddr, _local: SocketAddr) -> Whose {
    Whose::Ours
}

/// Whether this machine has no such family of addresses (Windows: WSAEAFNOSUPPORT; others:
/// EAFNOSUPPORT of the BSDs).
pub(crate) fn is_family_missing(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(if cfg!(windows) { 10047 } else { 47 })
}
