//! The desktop: tray and notifications. It draws what the resident says, and hands clicks back; it decides nothing.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod pictures;

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::draw;
#[cfg(target_os = "linux")]
pub(crate) use linux::draw;
