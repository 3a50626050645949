//! The desktop: tray and notifications. It draws what the resident says, and hands clicks back; it decides nothing.

#[cfg(any(test, not(target_os = "linux")))]
mod lines;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod main_loop;
mod pictures;
#[cfg(any(windows, all(test, not(target_os = "macos"))))]
mod taskbar;

#[cfg(target_os = "linux")]
pub(crate) use linux::lead;
#[cfg(not(target_os = "linux"))]
pub(crate) use main_loop::lead;
