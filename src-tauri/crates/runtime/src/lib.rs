//! The loop around the broker: effects performed, the socket served, tokens kept.

mod asker;
mod autostart;
mod blocking;
mod browser;
pub mod clock;
mod contexts;
mod desktop;
mod edit;
mod files;
pub mod folders;
pub mod front;
mod ground;
mod handover;
mod inbox;
mod line;
pub mod log;
mod notices;
mod os;
mod perform;
mod plugin;
mod regular;
pub mod resident;
mod room;
mod run;
mod server;
pub mod settings;
mod settled;
pub mod single;
mod store;
mod surroundings;
mod survey;
mod under_way;
pub mod upgrade;
pub mod vault;
mod way;
mod window;

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
