//! What the system tells of other processes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "linux"))]
mod unheld;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    Held, arguments, begun_with, children, ended, environment, executable, folder,
    in_another_mount_namespace, is_sshd, mount_namespace, names_servers, process, start_time,
    writes_errors_to,
};
#[cfg(target_os = "macos")]
pub(crate) use macos::{
    arguments, children, ended, environment, executable, folder, in_another_mount_namespace,
    is_sshd, process, start_time, writes_errors_to,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use unheld::{Held, begun_with, mount_namespace, names_servers};
#[cfg(windows)]
pub(crate) use windows::{
    arguments, ended, environment, executable, folder, in_another_mount_namespace, is_sshd,
    process, start_time, writes_errors_to,
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
    /// The terminal that it is in the foreground of: its device number.
    pub(crate) in_front_of: Option<u64>,
}

/// Whether an sshd has this name: it has processes of several.
#[cfg(unix)]
fn is_sshd_s(name: &str) -> bool {
    name == "sshd" || name.starts_with("sshd-")
}
