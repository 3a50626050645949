//! What differs between systems: one file each.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::{is_family_missing, whose};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{is_family_missing, whose};
