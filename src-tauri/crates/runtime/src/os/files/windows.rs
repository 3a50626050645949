//! Windows: what only an open file tells. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_BASIC_INFO,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FileBasicInfo,
    GetFileInformationByHandle, GetFileInformationByHandleEx,
};

use super::{Identity, Stamp};

/// No file waits to be opened.
pub(crate) fn without_a_wait(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Has a link be opened itself, which is no file with anything in it.
pub(crate) fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
}

/// The profile's access list keeps others out.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A folder can't be synced; NTFS journals the rename.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The profile's access list keeps others out.
pub(crate) fn private_in_place(_: &mut atomic_write_file::OpenOptions) {}

/// The file that is open.
pub(crate) fn of_file(file: &File) -> io::Result<Identity> {
    let found = information(file)?;
    Ok((found.dwVolumeSerialNumber.into(), index(&found)))
}

/// The entry itself, where it is a link.
pub(crate) fn of_entry(path: &Path) -> io::Result<Identity> {
    of_file(&opened(path, FILE_FLAG_OPEN_REPARSE_POINT)?)
}

/// What the path leads to.
pub(crate) fn of_target(path: &Path) -> io::Result<Identity> {
    of_file(&opened(path, 0)?)
}

/// The state of an open file.
pub(crate) fn stamp(file: &File) -> io::Result<Stamp> {
    let found = information(file)?;
    let mut basic = FILE_BASIC_INFO::default();
    let length = u32::try_from(size_of_val(&basic)).unwrap_or(0);
    // SAFETY: the file is open, and `length` is how long `basic` is.
    let result = unsafe {
        let into = (&raw mut basic).cast();
        GetFileInformationByHandleEx(file.as_raw_handle(), FileBasicInfo, into, length)
    };
    if result == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Stamp {
        device: found.dwVolumeSerialNumber.into(),
        inode: index(&found),
        length: u64::from(found.nFileSizeHigh) << 32 | u64::from(found.nFileSizeLow),
        modified: since_1970(basic.LastWriteTime),
        changed: since_1970(basic.ChangeTime),
    })
}

/// The state of a regular file that can be run; none if it is not there, or is something else. What can be run is
/// said by its name, which the caller chose.
pub(crate) fn program(path: &Path) -> Option<Stamp> {
    let file = opened(path, 0).ok()?;
    let found = information(&file).ok()?;
    (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY == 0)
        .then(|| stamp(&file).ok())
        .flatten()
}

/// A path as the shim sends it.
pub(crate) fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// For its attributes alone: nobody who has it open stands in the way. Folders need the flag.
fn opened(path: &Path, flags: u32) -> io::Result<File> {
    File::options()
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | flags)
        .open(path)
}

fn information(file: &File) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the file is open, and `found` lives through the call.
    let result = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) };
    if result == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(found)
    }
}

fn index(found: &BY_HANDLE_FILE_INFORMATION) -> u64 {
    u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow)
}

/// Seconds and nanoseconds, of what Windows counts in 100 ns since 1601.
fn since_1970(time: i64) -> (i64, i64) {
    const SECOND: i64 = 10_000_000;
    const TO_1970: i64 = 11_644_473_600;
    (
        time.div_euclid(SECOND) - TO_1970,
        time.rem_euclid(SECOND) * 100,
    )
}
