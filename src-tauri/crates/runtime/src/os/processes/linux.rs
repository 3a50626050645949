//! Linux: `/proc`.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Process;

/// The entry of a process, from `/proc/PID/stat` (proc_pid_stat(5)).
pub(crate) fn process(pid: u32) -> Option<Process> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name stands in brackets and may hold brackets and blanks itself: the last one closes it.
fn parse(stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<i64>().ok();
    let (parent, group, terminal, foreground) = (number(1)?, number(2)?, number(4)?, number(5)?);
    Some(Process {
        name: name.to_owned(),
        parent: u32::try_from(parent).ok()?,
        started: fields.get(19)?.parse().ok()?,
        foreground: terminal != 0 && group == foreground,
    })
}

/// When a process started, by what [`Process::started`] says of it: clock ticks since boot. A tick
/// is added, and the boot time is whole seconds, so that it is rather too late than too early.
pub(crate) fn start_time(started: u64) -> Option<std::time::SystemTime> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let boot = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let since_boot = std::time::Duration::from_millis((started + 1).saturating_mul(1000) / ticks);
    let boot = std::time::UNIX_EPOCH + std::time::Duration::from_secs(boot);
    Some(boot + since_boot + std::time::Duration::from_secs(1))
}

/// A process's arguments, its own name first.
pub(crate) fn arguments(pid: u32) -> Option<Vec<String>> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = line.strip_suffix(&[0]).unwrap_or(&line);
    Some(
        line.split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}

/// The environment that a process was started with.
pub(crate) fn environment(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    let block = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let pairs = block.split(|byte| *byte == 0).filter_map(|entry| {
        let equals = entry.iter().position(|byte| *byte == b'=')?;
        let (name, value) = entry.split_at(equals);
        Some((
            OsString::from_vec(name.to_vec()),
            OsString::from_vec(value.get(1..)?.to_vec()),
        ))
    });
    Some(pairs.collect())
}

/// The folder that a process stands in.
pub(crate) fn folder(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The program that a process runs.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Whether a process sees another file system than we do. Where that can't be told: no.
pub(crate) fn in_another_mount_namespace(pid: u32) -> bool {
    let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    match (namespace(&pid.to_string()), namespace("self")) {
        (Some(theirs), Some(ours)) => theirs != ours,
        (None, _) | (_, None) => false,
    }
}

/// Waits until a process has ended; one that is already gone has.
///
/// # Errors
/// The system gives no descriptor for it.
pub(crate) async fn ended(pid: u32) -> io::Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(descriptor) => watched(descriptor)?.readable().await.map(drop),
        Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[allow(unsafe_code)] // tokio wants a promise
fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by what watches it, and is closed with it alone.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 3 7 7 34816 7 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 1";
        let expected = Process {
            name: "a) b (c".into(),
            parent: 3,
            started: 4242,
            foreground: true,
        };
        assert_eq!(parse(stat), Some(expected));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_is_seen() {
        let me = std::process::id();
        assert!(process(me).unwrap().parent > 0);
        assert!(!in_another_mount_namespace(me));
        assert!(!arguments(me).unwrap().is_empty());
        assert!(environment(me).is_some() && folder(me).is_some() && executable(me).is_some());
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_noticed() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        ended(child.id()).await.unwrap();
        child.wait().unwrap();
        ended(child.id()).await.unwrap();
    }
}
