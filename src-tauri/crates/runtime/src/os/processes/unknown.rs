//! Systems that do not show other processes to us yet: everything about them is unknown, and what
//! is unknown is never to an asker's advantage.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use super::Process;

pub(crate) fn process(_pid: u32) -> Option<Process> {
    None
}

/// No process is held.
#[derive(Debug)]
pub(crate) enum Held {}

impl Held {
    pub(crate) fn open(_pid: u32) -> Option<Self> {
        None
    }

    pub(crate) fn is_the_same(&self) -> bool {
        match *self {}
    }

    pub(crate) fn process(&self) -> Option<Process> {
        match *self {}
    }
}

pub(crate) fn start_time(_started: u64) -> Option<std::time::SystemTime> {
    None
}

pub(crate) fn arguments(_pid: u32) -> Option<Vec<String>> {
    None
}

pub(crate) fn environment(_pid: u32) -> Option<Vec<(OsString, OsString)>> {
    None
}

pub(crate) fn folder(_pid: u32) -> Option<PathBuf> {
    None
}

pub(crate) fn executable(_pid: u32) -> Option<PathBuf> {
    None
}

pub(crate) fn in_another_mount_namespace(_pid: u32) -> bool {
    false
}

pub(crate) async fn ended(_pid: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
