//! Who comes, and how they are served: a shim by its frames, the window, and the tray.

pub(crate) mod ask;
pub(crate) mod door;
mod frames;
pub mod front;
pub(crate) mod orders;
pub(crate) mod plugin;
pub(crate) mod room;
pub(crate) mod server;
pub(crate) mod shim;
pub(crate) mod window;
