//! Windows: the system's table of processes. Type-checked only: nobody has run it yet.
//!
//! Another process's environment and folder are in its own memory alone, and are not read: they count as unknown.
#![allow(unsafe_code)] // calls of the Windows API

use std::ffi::{OsString, c_void};
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::PathBuf;
use std::ptr::null_mut;
use std::time::{Duration, SystemTime};

use windows_sys::Wdk::System::Threading::{
    NtQueryInformationProcess, ProcessCommandLineInformation,
};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, FILETIME, INVALID_HANDLE_VALUE, LocalFree, UNICODE_STRING,
};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, INFINITE, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    QueryFullProcessImageNameW, WaitForSingleObject,
};
use windows_sys::Win32::UI::Shell::CommandLineToArgvW;

use super::Process;

/// The longest path that Windows has.
const LONGEST_PATH: u32 = 32_768;

/// Nobody is in front of a terminal here: see [`process`].
pub(crate) fn writes_errors_to(_: u32, _: u64) -> bool {
    false
}

/// The entry of a process. Nothing tells whether it is in front of a console: it counts as not.
pub(crate) fn process(pid: u32) -> Option<Process> {
    let (name, parent) = entry(pid)?;
    let started = started(pid).unwrap_or(0);
    // Windows keeps the number of a parent that is gone, and gives it to others.
    let elder = self::started(parent).is_some_and(|parent| started == 0 || parent <= started);
    Some(Process {
        name,
        parent: if elder { parent } else { 0 },
        started,
        in_front_of: None,
    })
}

/// The name without its `.exe`, and the parent's number.
fn entry(pid: u32) -> Option<(String, u32)> {
    // SAFETY: a handle that was made is ours to close.
    let all = unsafe {
        let all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
        if all == INVALID_HANDLE_VALUE {
            return None;
        }
        OwnedHandle::from_raw_handle(all)
    };
    let mut entry = PROCESSENTRY32W {
        dwSize: u32::try_from(size_of::<PROCESSENTRY32W>()).ok()?,
        ..PROCESSENTRY32W::default()
    };
    // SAFETY: the handle is open, and the entry says how long it is.
    let mut there = unsafe { Process32FirstW(all.as_raw_handle(), &raw mut entry) };
    while there != 0 {
        if entry.th32ProcessID == pid {
            let name = entry.szExeFile;
            let end = name.iter().position(|unit| *unit == 0);
            let name = String::from_utf16_lossy(name.get(..end.unwrap_or(name.len()))?);
            let stem = name.strip_suffix(".exe").unwrap_or(&name).to_owned();
            return Some((stem, entry.th32ParentProcessID));
        }
        // SAFETY: as above.
        there = unsafe { Process32NextW(all.as_raw_handle(), &raw mut entry) };
    }
    None
}

/// When it started, in 100 ns since 1601.
fn started(pid: u32) -> Option<u64> {
    let process = opened(pid, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open, and all four live through the call.
    let result = unsafe {
        GetProcessTimes(
            process.as_raw_handle(),
            &raw mut *created,
            &raw mut *ended,
            &raw mut *kernel,
            &raw mut *user,
        )
    };
    (result != 0)
        .then(|| u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// When a process started, by what [`Process::started`] says of it.
pub(crate) fn start_time(started: u64) -> Option<SystemTime> {
    const TO_1970: Duration = Duration::from_secs(11_644_473_600);
    let since_1601 = Duration::new(
        started / 10_000_000,
        u32::try_from(started % 10_000_000 * 100).ok()?,
    );
    SystemTime::UNIX_EPOCH.checked_add(since_1601.checked_sub(TO_1970)?)
}

/// A process's arguments, its own name first.
pub(crate) fn arguments(pid: u32) -> Option<Vec<String>> {
    let process = opened(pid, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    // A UNICODE_STRING and the text that it points to (64 KiB at most), aligned as pointers are.
    let mut buffer = vec![0_usize; 66 * 1024 / size_of::<usize>()];
    let length = u32::try_from(size_of_val(buffer.as_slice())).ok()?;
    // SAFETY: the handle is open, and `length` is how long the buffer is.
    let status = unsafe {
        NtQueryInformationProcess(
            process.as_raw_handle(),
            ProcessCommandLineInformation,
            buffer.as_mut_ptr().cast::<c_void>(),
            length,
            null_mut(),
        )
    };
    if status < 0 {
        return None;
    }
    // SAFETY: the call has put one there, and the buffer is aligned for it.
    let line = unsafe { &*buffer.as_ptr().cast::<UNICODE_STRING>() };
    // SAFETY: so many bytes stand where it points, in the same buffer.
    let line = unsafe { units(line.Buffer, usize::from(line.Length) / 2) };
    // An empty line would stand for our own.
    if line.is_empty() {
        return None;
    }
    let line: Vec<u16> = line.into_iter().chain([0]).collect();
    let mut count = 0;
    // SAFETY: the line ends with zero, and `count` lives through the call.
    let words = unsafe { CommandLineToArgvW(line.as_ptr(), &raw mut count) };
    if words.is_null() {
        return None;
    }
    let arguments = (0..usize::try_from(count).unwrap_or(0)).map(|index| {
        // SAFETY: so many texts are there, each of which ends with zero.
        let word = unsafe { *words.add(index) };
        let length = (0..)
            // SAFETY: the zero is not behind what is read here.
            .take_while(|length| unsafe { *word.add(*length) } != 0)
            .count();
        // SAFETY: that many units were just read.
        String::from_utf16_lossy(&unsafe { units(word, length) })
    });
    let arguments = arguments.collect();
    // SAFETY: the system allocated it for us.
    unsafe { LocalFree(words.cast()) };
    Some(arguments)
}

/// # Safety
/// `text` points to so many units.
unsafe fn units(text: *const u16, count: usize) -> Vec<u16> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(text, count) }.to_vec()
}

/// Unknown.
pub(crate) fn environment(_pid: u32) -> Option<Vec<(OsString, OsString)>> {
    None
}

/// Unknown.
pub(crate) fn folder(_pid: u32) -> Option<PathBuf> {
    None
}

/// The program that a process runs.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    let process = opened(pid, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    let mut path = vec![0_u16; usize::try_from(LONGEST_PATH).ok()?];
    let mut length = LONGEST_PATH;
    // SAFETY: the handle is open, and `length` is how long the buffer is.
    let result = unsafe {
        QueryFullProcessImageNameW(
            process.as_raw_handle(),
            0,
            path.as_mut_ptr(),
            &raw mut length,
        )
    };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (result != 0).then(|| OsString::from_wide(path).into())
}

/// Windows has none. What runs in WSL is no process of this system.
#[allow(clippy::unnecessary_wraps, reason = "other systems can't always tell")]
pub(crate) fn in_another_mount_namespace(_pid: u32) -> Option<bool> {
    Some(false)
}

/// Whether a process of this name is the system's sshd: it shows its user to nobody else, and whose it is can't be told
/// then. So none counts.
pub(crate) fn is_sshd(_pid: u32, _name: &str) -> bool {
    false
}

/// Waits until a process has ended; one that is already gone has.
///
/// # Errors
/// The system gives no handle to it.
pub(crate) async fn ended(pid: u32) -> io::Result<()> {
    let process = match opened(pid, PROCESS_SYNCHRONIZE) {
        Ok(process) => process,
        Err(error) if error.raw_os_error() == Some(ERROR_INVALID_PARAMETER.cast_signed()) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let waited = tokio::task::spawn_blocking(move || {
        // SAFETY: the handle is open, and ours.
        unsafe { WaitForSingleObject(process.as_raw_handle(), INFINITE) }
    });
    waited.await.map(drop).map_err(io::Error::other)
}

fn opened(pid: u32, access: u32) -> io::Result<OwnedHandle> {
    // SAFETY: no memory is handed over; a handle that was opened is ours to close.
    unsafe {
        let process = OpenProcess(access, 0, pid);
        if process.is_null() {
            Err(io::Error::last_os_error())
        } else {
            Ok(OwnedHandle::from_raw_handle(process))
        }
    }
}
