//! Linux and macOS.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Identity, Stamp};

/// Has a pipe or a device be opened without a wait, and without becoming our terminal.
pub(crate) fn without_a_wait(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
}

/// Has a link be refused, and a pipe that somebody put there not keep us. It means nothing for a regular file.
pub(crate) fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed())
}

/// Has a new file be its user's alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Sees to it that what was renamed in a folder is so after a crash too.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Has a file that takes another's place be its user's alone.
pub(crate) fn private_in_place(options: &mut atomic_write_file::OpenOptions) {
    use atomic_write_file::unix::OpenOptionsExt as _;
    options.mode(0o600).preserve_mode(false);
}

/// The file that is open.
pub(crate) fn of_file(file: &File) -> io::Result<Identity> {
    let found = file.metadata()?;
    Ok((found.dev(), found.ino()))
}

/// The entry itself, where it is a link.
pub(crate) fn of_entry(path: &Path) -> io::Result<Identity> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// What the path leads to.
pub(crate) fn of_target(path: &Path) -> io::Result<Identity> {
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// The state of an open file.
pub(crate) fn stamp(file: &File) -> io::Result<Stamp> {
    file.metadata().map(|found| stamped(&found))
}

/// The state of a regular file that can be run; none if it is not there, or is something else.
pub(crate) fn program(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    (found.is_file() && found.mode() & 0o111 != 0).then(|| stamped(&found))
}

fn stamped(found: &Metadata) -> Stamp {
    Stamp {
        device: found.dev(),
        inode: found.ino(),
        length: found.len(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    }
}

/// A path as the shim sends it.
pub(crate) fn path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
