//! What the system tells of other processes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod unknown;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    Held, arguments, ended, environment, executable, folder, in_another_mount_namespace, process,
    start_time,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use unknown::{
    Held, arguments, ended, environment, executable, folder, in_another_mount_namespace, process,
    start_time,
};

/// A process, as the system's table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its short name.
    pub(crate) name: String,
    /// Its parent; 0: none that we can see.
    pub(crate) parent: u32,
    /// When it started, in a unit of the system's own.
    pub(crate) started: u64,
    /// Whether it is in the foreground of a terminal.
    pub(crate) foreground: bool,
}
