//! What Kubefob's programs say to each other, and where they meet.
//!
//! The shim and the window ask, the resident answers. [`frame`] is the protocol: two enums and a pure
//! codec that both std's and tokio's sockets use. [`endpoint`] is the place: which paths the socket may
//! have, and every check that comes before the first byte. [`start`] starts the resident where nobody answers.
//! [`os`] has what differs between systems.

pub mod endpoint;
pub mod frame;
pub mod os;
pub mod start;
