//! Who comes, and how they are served: a shim by its frames, the window, and the tray.

pub mod front;
pub(crate) mod plugin;
pub(crate) mod room;
pub(crate) mod server;
pub(crate) mod window;
