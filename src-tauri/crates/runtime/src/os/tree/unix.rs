//! Linux and macOS: a folder is a descriptor, and nothing is looked up but one name in it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;

use super::{Kind, Part, Place, Standing, Times, Tree};
use crate::os::files::Stamp;

/// The disks of this machine, for one person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disk {
    /// Whose files are evidence.
    person: u32,
    /// Look only where no disk and no network has to be waited for.
    cached: bool,
}

/// What stands for a part.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    descriptor: Arc<OwnedFd>,
    device: u64,
    made_up: bool,
}

const STICKY: u32 = 0o1000;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

impl Disk {
    /// For whoever runs this program.
    pub(crate) fn ours() -> Self {
        Self {
            person: rustix::process::geteuid().as_raw(),
            cached: false,
        }
    }

    /// The same, where nothing may be waited for.
    pub(crate) fn without_a_wait(self) -> Self {
        Self {
            cached: true,
            ..self
        }
    }

    #[cfg(test)]
    pub(crate) fn of(person: u32) -> Self {
        Self {
            person,
            cached: false,
        }
    }

    fn part(&self, stat: &Stat, kind: Kind, descriptor: BorrowedFd<'_>, made_up: bool) -> Part {
        #[allow(
            clippy::useless_conversion,
            reason = "a number is not as wide on every system"
        )]
        let (mode, names) = (u32::from(stat.st_mode), u64::from(stat.st_nlink));
        let has_list = || wire::os::has_access_list_open(&descriptor);
        let of_group = || {
            mode & GROUP_WRITES != 0
                && !wire::os::group_is_harmless(stat.st_gid, self.person, has_list)
        };
        Part {
            kind,
            ours: stat.st_uid == self.person || stat.st_uid == 0,
            others_write: mode & OTHERS_WRITE != 0 || of_group(),
            sticky: mode & STICKY != 0,
            names,
            made_up,
            identity: identity(stat),
        }
    }

    /// A folder that is open.
    fn place(&self, descriptor: OwnedFd) -> io::Result<Place<Handle>> {
        let stat = fstat(&descriptor)?;
        let made_up = system::made_up(&descriptor, &stat, self.person)?;
        Ok(Place {
            part: self.part(&stat, Kind::Folder, descriptor.as_fd(), made_up),
            handle: Handle {
                device: identity(&stat).0,
                made_up,
                descriptor: Arc::new(descriptor),
            },
        })
    }
}

impl Tree for Disk {
    type Handle = Handle;

    fn enter(&self, folder: &Handle, name: &OsStr) -> io::Result<(Part, Handle)> {
        let (descriptor, stat, link) = system::open(&folder.descriptor, name, self.cached)?;
        let device = identity(&stat).0;
        let made_up = if device == folder.device {
            folder.made_up
        } else {
            system::made_up(&descriptor, &stat, self.person)?
        };
        let kind = match (FileType::from_raw_mode(stat.st_mode), link) {
            (FileType::Symlink, Some(target)) => Kind::Link(target),
            (FileType::Directory, _) => Kind::Folder,
            (FileType::RegularFile, _) => Kind::File,
            (FileType::CharacterDevice, _) if is_null(&stat) => Kind::Null,
            (
                FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown,
                _,
            ) => Kind::Other,
        };
        let part = self.part(&stat, kind, descriptor.as_fd(), made_up);
        let handle = Handle {
            descriptor: Arc::new(descriptor),
            device,
            made_up,
        };
        Ok((part, handle))
    }

    fn times(&self, handle: &Handle) -> io::Result<Times> {
        let stat = fstat(&handle.descriptor)?;
        Ok((
            (stat.st_mtime, nanoseconds(stat.st_mtime_nsec)),
            (stat.st_ctime, nanoseconds(stat.st_ctime_nsec)),
        ))
    }
}

/// Where another process stands; it must be of this user.
///
/// # Errors
/// It has gone, or the system does not show it.
pub(crate) fn standing(disk: Disk, pid: u32) -> io::Result<Standing<Handle>> {
    let (root, folder) = system::places(pid)?;
    Ok(Standing {
        root: disk.place(root)?,
        folder: disk.place(folder)?,
    })
}

/// Where this process stands: at the root.
///
/// # Errors
/// The system refuses.
pub(crate) fn here(disk: Disk) -> io::Result<Standing<Handle>> {
    let root = openat(CWD, "/", system::FOLDER, Mode::empty())?;
    let root = disk.place(root)?;
    Ok(Standing {
        folder: root.clone(),
        root,
    })
}

/// A file at the end of a way, to be read. A pipe is not waited for.
///
/// # Errors
/// The system refuses.
pub(crate) fn open(handle: &Handle) -> io::Result<File> {
    system::reopen(&handle.descriptor)
}

/// Its state.
///
/// # Errors
/// The system refuses.
pub(crate) fn stamp(handle: &Handle) -> io::Result<Stamp> {
    let stat = fstat(&handle.descriptor)?;
    let (device, inode) = identity(&stat);
    Ok(Stamp {
        device,
        inode,
        length: u64::try_from(stat.st_size).unwrap_or(0),
        modified: (stat.st_mtime, nanoseconds(stat.st_mtime_nsec)),
        changed: (stat.st_ctime, nanoseconds(stat.st_ctime_nsec)),
    })
}

/// No descriptors, no memory, a disk that does not answer, or (where nothing is waited for) not in the caches: it may
/// be otherwise the next time. The rest says what this person is let see.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    let passing = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::IO,
        Errno::AGAIN,
        Errno::INTR,
        Errno::STALE,
        Errno::TIMEDOUT,
    ];
    Errno::from_io_error(error).is_some_and(|error| passing.contains(&error))
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    reason = "as wide as the system has them"
)]
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

fn is_null(device: &Stat) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == device.st_rdev)
}

fn nanoseconds<T: TryInto<i64>>(count: T) -> i64 {
    count.try_into().unwrap_or(0)
}

#[cfg(target_os = "linux")]
mod system {
    use super::*;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::{ResolveFlags, fstatfs, major, minor, openat2, readlinkat};

    /// For its place alone: neither read nor waited for, and no permission asked.
    pub(super) const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    const PART: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

    /// `PROC_SUPER_MAGIC` and `FUSE_SUPER_MAGIC` of statfs(2).
    const PROCFS: u64 = 0x9fa0;
    const FUSE: u64 = 0x6573_5546;

    pub(super) fn open(
        folder: &OwnedFd,
        name: &OsStr,
        cached: bool,
    ) -> io::Result<(OwnedFd, Stat, Option<PathBuf>)> {
        let part = if cached {
            openat2(folder, name, PART, Mode::empty(), ResolveFlags::CACHED)?
        } else {
            openat(folder, name, PART, Mode::empty())?
        };
        let stat = fstat(&part)?;
        let link = if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            let target = readlinkat(&part, "", Vec::new())?;
            Some(std::ffi::OsString::from_vec(target.into_bytes()).into())
        } else {
            None
        };
        Ok((part, stat, link))
    }

    /// Both by one descriptor of the process, so that they are of one process.
    pub(super) fn places(pid: u32) -> io::Result<(OwnedFd, OwnedFd)> {
        let process = openat(CWD, format!("/proc/{pid}"), FOLDER, Mode::empty())?;
        let root = openat(&process, "root", FOLDER, Mode::empty())?;
        let folder = openat(&process, "cwd", FOLDER, Mode::empty())?;
        Ok((root, folder))
    }

    pub(super) fn reopen(descriptor: &OwnedFd) -> io::Result<File> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        File::options()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(format!("/proc/self/fd/{}", descriptor.as_raw_fd()))
    }

    /// A file system that shows each onlooker something else, or that another user or another machine serves.
    pub(super) fn made_up(descriptor: &OwnedFd, stat: &Stat, person: u32) -> io::Result<bool> {
        let kind = u64::try_from(fstatfs(descriptor)?.f_type).unwrap_or(0);
        Ok(match kind {
            PROCFS => true,
            FUSE => !is_believed(stat.st_dev, person),
            _ => false,
        })
    }

    /// Whether what a FUSE file system shows is evidence. Other network file systems take root to be mounted, who is
    /// believed.
    fn is_believed(device: u64, user: u32) -> bool {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let number = format!("{}:{}", major(device), minor(device));
        let person = super::super::mounts::Person {
            user,
            knows_root: wire::os::knows_root(),
        };
        super::super::mounts::is_believed(&mounts, &number, person)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::*;
    use std::io::Seek as _;

    use rustix::fs::{AtFlags, statat};

    pub(super) const FOLDER: OFlags = OFlags::RDONLY
        .union(OFlags::DIRECTORY)
        .union(OFlags::CLOEXEC);

    /// A descriptor of a link itself is not had by name; the folder's stands in, and what it leads to is read here.
    pub(super) fn open(
        folder: &OwnedFd,
        name: &OsStr,
        _cached: bool,
    ) -> io::Result<(OwnedFd, Stat, Option<PathBuf>)> {
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, name, Vec::new())?;
                let target = std::ffi::OsString::from_vec(target.into_bytes());
                Ok((folder.try_clone()?, stat, Some(target.into())))
            }
            FileType::Directory | FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let part = openat(folder, name, flags, Mode::empty())?;
                // What was looked at and what was opened are one.
                let opened = fstat(&part)?;
                if identity(&opened) == identity(&stat) {
                    Ok((part, opened, None))
                } else {
                    Err(Errno::AGAIN.into())
                }
            }
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Ok((folder.try_clone()?, stat, None)),
        }
    }

    pub(super) fn places(pid: u32) -> io::Result<(OwnedFd, OwnedFd)> {
        let folder = crate::os::processes::folder(pid)
            .ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))?;
        let root = openat(CWD, "/", FOLDER, Mode::empty())?;
        let folder = openat(CWD, folder, FOLDER, Mode::empty())?;
        Ok((root, folder))
    }

    pub(super) fn reopen(descriptor: &OwnedFd) -> io::Result<File> {
        let mut file = File::from(descriptor.try_clone()?);
        file.rewind()?;
        Ok(file)
    }

    pub(super) fn made_up(_: &OwnedFd, _: &Stat, _person: u32) -> io::Result<bool> {
        Ok(false)
    }
}
