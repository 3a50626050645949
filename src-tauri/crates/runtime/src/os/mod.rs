//! What differs between systems, one file each.

pub(crate) mod clock;
#[cfg(unix)]
pub(crate) mod descriptor;
#[cfg(unix)]
pub(crate) mod execute;
pub(crate) mod keyring;
pub(crate) mod page;
pub(crate) mod processes;
