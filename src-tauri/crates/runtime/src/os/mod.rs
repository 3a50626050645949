//! What differs between systems, one file each.

pub(crate) mod autostart;
#[cfg(target_os = "linux")]
pub(crate) mod children;
pub(crate) mod clock;
#[cfg(unix)]
pub(crate) mod descriptor;
#[cfg(unix)]
pub(crate) mod execute;
pub(crate) mod files;
#[cfg(unix)]
pub(crate) mod image;
pub(crate) mod keyring;
pub(crate) mod network;
pub(crate) mod ownership;
pub(crate) mod page;
pub(crate) mod processes;
pub(crate) mod seat;
pub(crate) mod watch;
