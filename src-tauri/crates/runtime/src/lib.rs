//! The loop around the broker: effects performed, the socket served, tokens kept.

mod askers;
pub mod clock;
mod desk;
mod hall;
mod kubeconfigs;
mod life;
mod os;
mod own;
mod perform;
mod serve;
pub mod vault;

pub use life::{resident, single, upgrade};
pub use own::{folders, log, settings};
pub use serve::front;

#[cfg(target_os = "linux")]
pub use os::keyring::is_own_bus;

/// Whether this process was started where a person can sit: not over ssh, and not as a service.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn has_screen() -> bool {
    os::seat::Seat::named(&[]).is_some()
}

/// Lets go of what whoever started this process had set for itself. For the start of the resident, before its first
/// file.
pub fn shed_the_starter_s() {
    os::inherited::shed();
}

/// The version of this build.
pub const VERSION: &str = broker::VERSION;
