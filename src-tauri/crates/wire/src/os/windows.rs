//! Windows: a named pipe, whose descriptor admits the user alone. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::null_mut;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_PIPE_BUSY, ERROR_SUCCESS, HANDLE, HANDLE_FLAG_INHERIT, LocalFree, SetHandleInformation,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, GetNamedSecurityInfoW, GetSecurityInfo, SE_FILE_OBJECT,
    SE_KERNEL_OBJECT,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, TOKEN_QUERY,
    TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OPEN_REPARSE_POINT, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Com::CoTaskMemFree;
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Environment::{CreateEnvironmentBlock, DestroyEnvironmentBlock};
use windows_sys::Win32::System::Pipes::{
    GetNamedPipeClientProcessId, GetNamedPipeServerProcessId, PeekNamedPipe,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS, GetCurrentProcess, OpenProcess, OpenProcessToken,
    PROCESS_QUERY_LIMITED_INFORMATION,
};
use windows_sys::Win32::UI::Shell::{FOLDERID_Profile, SHGetKnownFolderPath};

use super::{Patience, Peer, Purpose, Ready};
use crate::endpoint::{EndpointError, fnv1a};

/// Who a user is: a SID as text, `S-1-5-…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uid(String);

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a pipe's name takes.
pub(crate) const LONGEST_PATH: usize = 256;

/// The data folder, below the home: the one that does not roam.
pub(crate) const DATA: &str = r"AppData\Local\kubefob";

/// Where programs are, for one whose starter doesn't say.
pub(crate) const USUAL_PATH: &str = r"C:\Windows\System32;C:\Windows";

/// The file that this process runs.
///
/// # Errors
/// Where it should be.
pub fn this_program() -> Result<PathBuf, PathBuf> {
    std::env::current_exe().map_err(|_| PathBuf::from("kubefob.exe"))
}

/// A folder that keeps no disk from being taken out.
#[must_use]
pub fn root() -> PathBuf {
    std::env::var_os("SystemRoot").map_or_else(|| r"C:\".into(), PathBuf::from)
}

/// Whether a variable has this name. Case is nothing to Windows.
#[must_use]
pub fn is_named(variable: &OsStr, name: &str) -> bool {
    variable.eq_ignore_ascii_case(name)
}

/// Whether the resident may know a variable of whoever starts it.
pub(crate) fn is_passed(name: &str, _: &OsStr) -> bool {
    is_needed(OsStr::new(name))
}

/// Whether no program of this system works without a variable: it names the person's folders, or the system's.
#[must_use]
pub fn is_needed(name: &OsStr) -> bool {
    const NEEDED: [&str; 20] = [
        "PATH",
        "PATHEXT",
        "COMSPEC",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "USERPROFILE",
        "USERNAME",
        "USERDOMAIN",
        "HOMEDRIVE",
        "HOMEPATH",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
        "PUBLIC",
        "TEMP",
        "TMP",
        "COMPUTERNAME",
    ];
    NEEDED
        .iter()
        .any(|needed| name.eq_ignore_ascii_case(needed))
}

/// A file to be locked, made if it isn't there.
///
/// # Errors
/// What the system says.
pub fn open_lock(path: &Path) -> io::Result<File> {
    // A link is opened itself, and not what it leads to.
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// What a program that we started, and that has ended, said on its standard error, as far as `most` bytes of it.
pub(crate) fn said_so_far(stderr: &std::process::ChildStderr, most: usize) -> Vec<u8> {
    let mut said = vec![0; most];
    let copy = stderr.as_handle().try_clone_to_owned().map(File::from);
    let read = copy.and_then(|mut copy| copy.read(&mut said));
    said.truncate(read.unwrap_or(0));
    said
}

/// Windows has no such mask.
pub fn unmask_owner() {}

/// Says nothing on standard error from now on: whoever started us listens no longer. Nobody writes there by himself
/// here.
pub fn let_go_of_stderr() {}

/// Makes the process that `command` starts one without our console, whose Ctrl-C is not its.
pub(crate) fn detach(command: &mut Command) {
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

/// Keeps a process that we start from our standard streams. kubectl (and whoever runs it) would otherwise wait for
/// the end of a pipe that the resident holds open all day.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn inherit_nothing() -> io::Result<()> {
    for stream in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // SAFETY: the handle is this process's own, or none, for which the call fails without harm.
        unsafe { SetHandleInformation(GetStdHandle(stream), HANDLE_FLAG_INHERIT, 0) };
    }
    Ok(())
}

/// None: pipes have no folder.
#[must_use]
pub fn folder_of(_: &Path) -> Option<&Path> {
    None
}

/// Nothing to do: another process of the same user is not kept out on Windows, which is said in the docs.
///
/// # Errors
/// Never here; other systems can fail.
pub fn harden() -> io::Result<()> {
    Ok(())
}

/// Who we are.
///
/// # Errors
/// What the system says.
pub fn uid() -> io::Result<Uid> {
    // SAFETY: a constant that stands for this process and needs no closing.
    user_of(unsafe { GetCurrentProcess() })
}

/// Who serves the pipe: the user who owns it must be the one who runs the process that made it.
///
/// # Errors
/// What the system says, or that the two differ.
pub fn peer(pipe: &impl AsHandle) -> io::Result<Peer> {
    let pipe = pipe.as_handle().as_raw_handle();
    let mut pid = 0;
    // SAFETY: the handle is open, and `pid` lives through the call.
    checked(unsafe { GetNamedPipeServerProcessId(pipe, &raw mut pid) })?;
    let uid = user_of_process(pid)?;
    if owner_of_pipe(pipe)? != uid {
        return Err(io::Error::other(
            "the pipe's owner is not the user who serves it",
        ));
    }
    Ok(Peer {
        uid,
        pid: Some(pid),
    })
}

/// Who connected to a pipe that we serve. That it is the pipe's own user is said by its descriptor first.
///
/// # Errors
/// What the system says.
pub fn client(pipe: &impl AsRawHandle) -> io::Result<Peer> {
    let mut pid = 0;
    // SAFETY: the handle is open, and `pid` lives through the call.
    checked(unsafe { GetNamedPipeClientProcessId(pipe.as_raw_handle(), &raw mut pid) })?;
    Ok(Peer {
        uid: user_of_process(pid)?,
        pid: Some(pid),
    })
}

/// Who runs a process.
///
/// # Errors
/// What the system says.
pub fn user_of_process(pid: u32) -> io::Result<Uid> {
    // SAFETY: no memory is handed over; a handle that was opened is ours to close.
    let process = unsafe {
        let process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
        if process.is_null() {
            return Err(io::Error::last_os_error());
        }
        OwnedHandle::from_raw_handle(process)
    };
    user_of(process.as_raw_handle())
}

/// The environment that every program of this user's login is started with; none where the system doesn't say.
#[must_use]
pub fn environment_of_login() -> Option<Vec<(OsString, OsString)>> {
    // SAFETY: a constant that stands for this process and needs no closing.
    let token = token_of(unsafe { GetCurrentProcess() }).ok()?;
    let mut block = null_mut();
    // SAFETY: `block` lives through the call; without inheritance nothing of ours is in it.
    if unsafe { CreateEnvironmentBlock(&raw mut block, token.as_raw_handle(), 0) } == 0 {
        return None;
    }
    let mut variables = Vec::new();
    let mut at: *const u16 = block.cast();
    // SAFETY: texts that each end with zero, and an empty one at their end.
    while unsafe { *at } != 0 {
        // SAFETY: as above.
        let entry = unsafe { wide_to_string(at) };
        // SAFETY: as above: behind the text and its zero there is another, or the end.
        at = unsafe { at.add(entry.encode_utf16().count() + 1) };
        if let Some((name, value)) = entry.split_once('=') {
            variables.push((name.into(), value.into()));
        }
    }
    // SAFETY: the system made it for us.
    unsafe { DestroyEnvironmentBlock(block) };
    Some(variables)
}

/// Linux alone has such a folder.
#[must_use]
pub fn runtime_folder(_: &Uid) -> Option<PathBuf> {
    None
}

/// One pipe a user; there is no folder to look for.
pub(crate) fn runtime_socket(uid: &Uid) -> Option<PathBuf> {
    Some(PathBuf::from(format!(r"\\.\pipe\kubefob-{uid}")))
}

pub(crate) fn instance_socket(uid: &Uid, instance: &Path) -> PathBuf {
    let name = fnv1a(instance.as_os_str().as_encoded_bytes());
    PathBuf::from(format!(r"\\.\pipe\kubefob-{uid}-{name:016x}"))
}

/// None: pipes have no folder.
pub(crate) fn machine_socket(
    _: impl FnOnce() -> Result<PathBuf, EndpointError>,
) -> Option<Result<PathBuf, EndpointError>> {
    None
}

/// The profile folder of this process's user; nobody else's is ever asked for.
pub(crate) fn home(_: &Uid) -> Option<PathBuf> {
    let mut path = null_mut();
    // SAFETY: `path` lives through the call, and is freed below whatever came of it.
    let result = unsafe { SHGetKnownFolderPath(&FOLDERID_Profile, 0, null_mut(), &raw mut path) };
    // SAFETY: on success `path` is a string that ends with zero.
    let text = (result == 0).then(|| unsafe { wide_to_string(path) });
    // SAFETY: the call above asks for this, for null too.
    unsafe { CoTaskMemFree(path.cast()) };
    text.map(PathBuf::from)
}

/// Whose a file or folder is.
///
/// # Errors
/// What the system says.
pub fn owner(path: &Path) -> io::Result<Uid> {
    let path = wide(path.as_os_str());
    let (mut sid, mut descriptor): (PSID, PSECURITY_DESCRIPTOR) = (null_mut(), null_mut());
    // SAFETY: the path ends with zero, and the pointers live through the call.
    let result = unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut sid,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    owner_in(result, sid, descriptor)
}

/// `MachineGuid`, which Windows makes at its installation.
pub(crate) fn machine_id() -> Vec<u8> {
    let (key, name) = (
        wide(OsStr::new(r"SOFTWARE\Microsoft\Cryptography")),
        wide(OsStr::new("MachineGuid")),
    );
    let mut buffer = [0_u16; 64];
    let mut length = u32::try_from(size_of_val(&buffer)).unwrap_or(0);
    // SAFETY: both names end with zero, and `length` is how long the buffer is.
    let result = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_SZ,
            null_mut(),
            buffer.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != ERROR_SUCCESS {
        return Vec::new();
    }
    let text = buffer
        .iter()
        .copied()
        .take_while(|unit| *unit != 0)
        .collect::<Vec<_>>();
    String::from_utf16_lossy(&text).into_bytes()
}

/// A pipe's safety is its owner, which is checked once it is open.
pub(crate) fn check_socket(_: &Path, _: &Uid) -> Result<(), EndpointError> {
    Ok(())
}

/// The folder of the lock and the vault: it must be the user's.
pub(crate) fn check_folder(folder: &Path, uid: &Uid, _: Purpose) -> Result<(), EndpointError> {
    let path = || folder.to_path_buf();
    let found = std::fs::symlink_metadata(folder).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            EndpointError::Missing { path: path() }
        } else {
            EndpointError::Io {
                path: path(),
                error,
            }
        }
    })?;
    if found.is_symlink() {
        return Err(EndpointError::Symlink { path: path() });
    }
    if !found.is_dir() {
        return Err(EndpointError::WrongKind {
            path: path(),
            expected: "folder",
        });
    }
    let owner = owner(folder).map_err(|error| EndpointError::Io {
        path: path(),
        error,
    })?;
    if owner == *uid {
        Ok(())
    } else {
        Err(EndpointError::Foreign {
            path: path(),
            owner,
        })
    }
}

/// A folder below the profile inherits a list that admits the user (and administrators) alone.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// A client's connection. Every wait for an answer ends with its [`Patience`], by [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub struct Stream {
    pipe: File,
    patience: Patience,
}

impl Stream {
    pub(crate) fn connect(path: &Path, mut patience: Patience) -> io::Result<Self> {
        let mut pause = Pause::new();
        loop {
            // The server may learn who we are, and may not act as us.
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .security_qos_flags(SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION)
                .open(path);
            match opened {
                Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed()) => {
                    pause.within(&mut patience)?;
                }
                opened => {
                    return Ok(Self {
                        pipe: opened?,
                        patience,
                    });
                }
            }
        }
    }

    /// Who listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn peer(&self) -> io::Result<Peer> {
        peer(&self.pipe)
    }

    /// Waits until the peer has said something, or `input` says that it can be read. The peer comes first.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`].
    pub fn wait_with(&mut self, mut input: impl FnMut() -> bool) -> io::Result<Ready> {
        let mut pause = Pause::new();
        loop {
            if self.has_something() {
                return Ok(Ready::Peer);
            }
            if input() {
                return Ok(Ready::Input);
            }
            pause.within(&mut self.patience)?;
        }
    }

    /// Whether a read would not wait: something is there, or the pipe is closed.
    fn has_something(&self) -> bool {
        let mut there = 0;
        let pipe = self.pipe.as_raw_handle();
        // SAFETY: nothing is read, and `there` lives through the call.
        let result =
            unsafe { PeekNamedPipe(pipe, null_mut(), 0, null_mut(), &raw mut there, null_mut()) };
        result == 0 || there > 0
    }

    /// Sets how long the waits that follow may last together.
    pub fn set_patience(&mut self, patience: impl Into<Patience>) {
        self.patience = patience.into();
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pause = Pause::new();
        loop {
            // A closed pipe is said by the read below, as the end of the stream.
            if self.has_something() {
                return match self.pipe.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
                    read => read,
                };
            }
            pause.within(&mut self.patience)?;
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Pauses that grow: a synchronous pipe can't be waited for with a deadline.
struct Pause(Duration);

impl Pause {
    fn new() -> Self {
        Self(Duration::from_millis(1))
    }

    fn within(&mut self, patience: &mut Patience) -> io::Result<()> {
        if patience.left().is_none() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(self.0);
        self.0 = (self.0 * 2).min(Duration::from_millis(15));
        Ok(())
    }
}

fn token_of(process: HANDLE) -> io::Result<OwnedHandle> {
    let mut token = null_mut();
    // SAFETY: the handle is open, and `token` lives through the call.
    checked(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
    // SAFETY: it was just opened, and nobody else closes it.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

fn user_of(process: HANDLE) -> io::Result<Uid> {
    let token = token_of(process)?;
    // A TOKEN_USER and the SID that it points to (68 bytes at most), aligned as pointers are.
    let mut buffer = [0_usize; 32];
    let mut length = u32::try_from(size_of_val(&buffer)).unwrap_or(0);
    // SAFETY: `length` is how long the buffer is.
    checked(unsafe {
        let into = buffer.as_mut_ptr().cast();
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            into,
            length,
            &raw mut length,
        )
    })?;
    // SAFETY: the call has put a TOKEN_USER there, and the buffer is aligned for one.
    let user = unsafe { &*buffer.as_ptr().cast::<TOKEN_USER>() };
    // SAFETY: it is the system's, in a buffer that is still here.
    unsafe { named_by(user.User.Sid) }
}

fn owner_of_pipe(pipe: HANDLE) -> io::Result<Uid> {
    let (mut sid, mut descriptor): (PSID, PSECURITY_DESCRIPTOR) = (null_mut(), null_mut());
    // SAFETY: the handle is open, and the pointers live through the call.
    let result = unsafe {
        GetSecurityInfo(
            pipe,
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut sid,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    owner_in(result, sid, descriptor)
}

/// The owner that `descriptor` names, which is freed.
fn owner_in(result: u32, sid: PSID, descriptor: PSECURITY_DESCRIPTOR) -> io::Result<Uid> {
    if result != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(result.cast_signed()));
    }
    // SAFETY: it is in the descriptor, which is still here.
    let owner = unsafe { named_by(sid) };
    // SAFETY: the system allocated it for us; `sid` pointed into it and is used no more.
    unsafe { LocalFree(descriptor) };
    owner
}

/// The user (or group) that a SID names.
///
/// # Errors
/// It is none.
///
/// # Safety
/// `sid` is one that the system made, and is still there.
pub unsafe fn named_by(sid: PSID) -> io::Result<Uid> {
    let mut text = null_mut();
    // SAFETY: as the caller says; `text` lives through the call.
    checked(unsafe { ConvertSidToStringSidW(sid, &raw mut text) })?;
    // SAFETY: on success it is a string that ends with zero.
    let uid = Uid(unsafe { wide_to_string(text) });
    // SAFETY: the system allocated it for us.
    unsafe { LocalFree(text.cast()) };
    Ok(uid)
}

fn checked(result: i32) -> io::Result<()> {
    if result == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain(std::iter::once(0)).collect()
}

/// # Safety
/// `text` points to UTF-16 that ends with zero.
unsafe fn wide_to_string(text: *const u16) -> String {
    let mut length = 0;
    // SAFETY: the zero is not behind what is read here.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: that many units were just read.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}
