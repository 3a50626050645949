//! What differs between systems, one file each.

pub(crate) mod autostart;
#[cfg(unix)]
pub(crate) mod children;
pub(crate) mod clock;
#[cfg(unix)]
pub(crate) mod descriptor;
pub(crate) mod door;
pub(crate) mod environment;
pub(crate) mod execute;
pub(crate) mod files;
pub(crate) mod image;
pub(crate) mod inherited;
pub(crate) mod keyring;
pub(crate) mod network;
pub(crate) mod ownership;
pub(crate) mod page;
pub(crate) mod processes;
pub(crate) mod seat;
pub(crate) mod signals;
pub(crate) mod socket;
pub(crate) mod tree;
pub(crate) mod watch;
