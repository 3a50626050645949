//! Where processes sit.

use std::ffi::OsString;

use broker::asker::{Container, Place, ProcessId};

use crate::os::processes;

/// How far up a family tree is looked for an sshd.
const GENERATIONS: usize = 64;

/// Whether a process is told to be in no container.
pub(crate) fn is_with_us(pid: u32) -> bool {
    processes::in_another_mount_namespace(pid) == Some(false)
}

/// The environment that a program was started in by somebody who sits here, not in ssh nor in a container. What the
/// program has itself it shows to nobody.
pub(crate) fn started_in(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    if !is_with_us(pid) || descends_from_sshd(pid) {
        return None;
    }
    processes::environment(processes::process(pid)?.parent)
}

/// Where the asker sits and its shim; of the asker is known whether it came by ssh. What can't be told is a container, one
/// that can't be named: that costs a question, and anybody who wants to can hide it. The shim counts too: who starts a
/// container stands outside of it.
pub(crate) fn place(
    shim: Option<u32>,
    asker: Option<(u32, bool)>,
    is_with_us: impl Fn(u32) -> bool,
) -> Place {
    let (Some(shim), Some((asker, ssh))) = (shim, asker) else {
        return Place::Container;
    };
    if !is_with_us(asker) || (shim != asker && !is_with_us(shim)) {
        Place::Container
    } else if ssh {
        Place::Ssh
    } else {
        Place::Here
    }
}

/// Which container both sit in, where they do and that can be told.
pub(super) fn container(place: Place, shim: Option<u32>, asker: Option<u32>) -> Option<Container> {
    if place != Place::Container {
        return None;
    }
    let (shim, asker) = (shim?, asker?);
    let namespace = processes::mount_namespace(asker)?;
    if processes::mount_namespace(shim) != Some(namespace) {
        return None;
    }
    let first = processes::begun_with(asker)?;
    Some(Container {
        namespace,
        first: ProcessId {
            pid: first,
            started: processes::process(first)?.started,
        },
    })
}

/// Whether somebody came by ssh.
pub(super) fn descends_from_sshd(pid: u32) -> bool {
    let mut next = pid;
    for _ in 0..GENERATIONS {
        let Some(process) = processes::process(next) else {
            return false;
        };
        // Its child for a session is the person's, and any of theirs can have that name.
        if processes::is_sshd(next, &process.name) {
            return true;
        }
        if process.parent <= 1 {
            return false;
        }
        next = process.parent;
    }
    false
}
