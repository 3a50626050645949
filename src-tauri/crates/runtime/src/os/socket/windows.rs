//! Windows: named pipes, for their user alone. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::ffi::OsStr;
use std::io;
use std::mem;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{FromRawHandle as _, IntoRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

use tokio::process::Command;
use windows_sys::Win32::Foundation::{INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
};

pub(crate) use tokio::net::windows::named_pipe::NamedPipeServer as Stream;
pub(crate) use wire::os::client as peer;

/// A pipe with an instance that nobody serves yet.
#[derive(Debug)]
pub struct Bound {
    path: PathBuf,
    instance: OwnedHandle,
}

/// Makes a pipe that was not there: its first instance is ours, so all are.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`]: it is another's already. Else what the system says.
pub(crate) fn first(path: &Path) -> io::Result<Bound> {
    Ok(Bound {
        path: path.to_owned(),
        instance: instance(path, FILE_FLAG_FIRST_PIPE_INSTANCE)?,
    })
}

pub(crate) struct Listener {
    path: PathBuf,
    next: Stream,
}

impl Listener {
    pub(crate) fn new(bound: Bound) -> io::Result<Self> {
        Ok(Self {
            path: bound.path,
            next: served(bound.instance)?,
        })
    }

    /// The next instance is made before the one that connected is served: no client sees a closed door. Where it
    /// can't be, the one who connected stays, and is taken by the next call.
    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        self.next.connect().await?;
        let next = served(instance(&self.path, 0)?)?;
        Ok(mem::replace(&mut self.next, next))
    }
}

/// A pipe of one instance, whose name nobody else is told.
pub(crate) struct Ours(Stream);

impl Ours {
    /// Tells the program that `command` starts where its end is.
    pub(crate) fn new(command: &mut Command) -> io::Result<Self> {
        let mut name = [0; 16];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut name)
            .map_err(|_| io::Error::other("no randomness"))?;
        let name = u128::from_ne_bytes(name);
        let path = PathBuf::from(format!(r"\\.\pipe\kubefob-window-{name:032x}"));
        let instance = instance(&path, FILE_FLAG_FIRST_PIPE_INSTANCE)?;
        command.arg(format!("--descriptor={}", path.display()));
        served(instance).map(Self)
    }

    /// The connection with it, which has this process number. Whoever else came first is turned away, and nobody
    /// has the place.
    pub(crate) async fn with(self, pid: Option<u32>) -> io::Result<Stream> {
        self.0.connect().await?;
        if pid.is_some() && peer(&self.0)?.pid == pid {
            Ok(self.0)
        } else {
            Err(io::Error::other("another process took the window's place"))
        }
    }
}

fn served(instance: OwnedHandle) -> io::Result<Stream> {
    // SAFETY: it is a pipe's, made for overlapped use, and nobody else has it.
    unsafe { Stream::from_raw_handle(instance.into_raw_handle()) }
}

/// One instance, in this machine's reach alone, whose descriptor has the user as its owner and admits nobody else;
/// at the middle level, so that an administrator's resident and a plain kubectl of the same user meet.
fn instance(path: &Path, flags: u32) -> io::Result<OwnedHandle> {
    const BUFFER: u32 = 64 * 1024;
    let uid = wire::os::uid()?;
    let text = wide(OsStr::new(&format!(
        "O:{uid}D:P(A;;GA;;;{uid})S:(ML;;NW;;;ME)"
    )));
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the text ends with zero, and `descriptor` lives through the call.
    let converted = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        )
    };
    if converted == 0 {
        return Err(io::Error::last_os_error());
    }
    let attributes = SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
        lpSecurityDescriptor: descriptor,
        bInheritHandle: 0,
    };
    let name = wide(path.as_os_str());
    // SAFETY: the name ends with zero, and the attributes and their descriptor live through the call.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER,
            BUFFER,
            0,
            &raw const attributes,
        )
    };
    let made = if handle == INVALID_HANDLE_VALUE {
        Err(io::Error::last_os_error())
    } else {
        // SAFETY: it was just made, and nobody else closes it.
        Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
    };
    // SAFETY: the system allocated it for us.
    unsafe { LocalFree(descriptor) };
    made
}

fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}
