//! What differs between systems, one file each.

pub(crate) mod clock;
pub(crate) mod keyring;
pub(crate) mod page;
