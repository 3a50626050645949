//! Windows: a pipe, which is there as long as an instance of it is. Nothing is handed over: a successor waits for our
//! end, and makes its own. Whoever connects meanwhile finds nobody, starts another, and that one finds the lock taken
//! or takes it. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // waiting for a process

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};
use wire::endpoint::Places;

use super::{INHERIT, Unclaimed, io_at};
use crate::os::socket::{Bound, first};

/// How long the one before us may take to end once it has let go of everything else.
const ENDING: Duration = Duration::from_secs(20);
/// How long its pipe may stay when its lock is free already.
const CLOSING: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// One pipe.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
    /// Until somebody serves it: who keeps an instance keeps its client too.
    bound: Option<Bound>,
}

/// What whoever started this process left for it: the process whose end is to be waited for.
#[derive(Debug, Default)]
pub struct Handed {
    before: Option<u32>,
}

impl Door {
    /// Makes the pipe. We hold the lock: one that is there is of somebody who ends, or no friend's.
    pub(crate) fn bind(path: &Path, _: &Places) -> Result<Self, Unclaimed> {
        let deadline = Instant::now() + CLOSING;
        loop {
            match first(path) {
                Ok(bound) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        bound: Some(bound),
                    });
                }
                Err(error)
                    if error.kind() == io::ErrorKind::PermissionDenied
                        && Instant::now() < deadline =>
                {
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(io_at(path, error)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// None: pipes have no folder.
    #[allow(clippy::unused_self, reason = "other systems' have one")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        None
    }

    /// What the server serves; once.
    pub(crate) fn listener(&mut self) -> io::Result<Bound> {
        let bound = self.bound.take();
        bound.ok_or_else(|| io::Error::other("the pipe is served already"))
    }

    /// Nobody can take a pipe away from who serves it.
    #[allow(clippy::unused_self, reason = "other systems' can go")]
    pub(crate) fn in_place(&self) -> bool {
        true
    }

    /// It goes with the server's own listener.
    pub(crate) fn remove(self) {
        drop(self);
    }
}

impl Handed {
    /// What the environment of this process names ([`INHERIT`]).
    pub(crate) fn to_this_process() -> Self {
        let before = std::env::var(INHERIT).ok();
        Self {
            before: before.and_then(|number| number.parse().ok()),
        }
    }

    /// None, once the one before us has ended: its lock is free then.
    pub(crate) fn take_lock(&mut self) -> Option<File> {
        let process = self.before.take().and_then(opened)?;
        let milliseconds = u32::try_from(ENDING.as_millis()).unwrap_or(u32::MAX);
        // SAFETY: the handle is open, and ours.
        unsafe { WaitForSingleObject(process.as_raw_handle(), milliseconds) };
        None
    }

    /// None: there never is one.
    #[allow(clippy::unused_self, reason = "other systems' may be")]
    pub(crate) fn door_at(&mut self, _: &Path) -> Option<Door> {
        None
    }
}

/// None: it has ended.
fn opened(pid: u32) -> Option<OwnedHandle> {
    // SAFETY: no memory is handed over; a handle that was opened is ours to close.
    unsafe {
        let process = OpenProcess(PROCESS_SYNCHRONIZE, 0, pid);
        (!process.is_null()).then(|| OwnedHandle::from_raw_handle(process))
    }
}

/// The value of [`INHERIT`] that names us.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn hand_over(_: &File, _: &[Door]) -> io::Result<OsString> {
    Ok(std::process::id().to_string().into())
}

/// Nothing was handed over.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn keep(_: &File, _: &[Door]) -> io::Result<()> {
    Ok(())
}
