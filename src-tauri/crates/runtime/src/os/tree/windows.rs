//! Windows: a folder is its path, and who may write to it its access list. Type-checked only: nobody has run it yet.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::path::PathBuf;

use super::{Kind, Part, Place, Standing, Times, Tree};
use crate::os::files::{self, Stamp};
use crate::os::ownership;

/// `FILE_ATTRIBUTE_REPARSE_POINT`: a link, a junction, or something that leads elsewhere as well.
const LEADS_ELSEWHERE: u32 = 0x400;

/// The disks of this machine, for whoever runs this program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disk;

/// A part's path, without a link in it.
#[derive(Clone, Debug)]
pub(crate) struct Handle(PathBuf);

impl Disk {
    pub(crate) fn ours() -> Self {
        Self
    }

    pub(crate) fn without_a_wait(self) -> Self {
        self
    }

    fn part(&self, path: PathBuf) -> io::Result<(Part, Handle)> {
        // The device is in every folder, and nobody's.
        if path
            .file_name()
            .is_some_and(|name| name.eq_ignore_ascii_case("NUL"))
        {
            let part = Part {
                kind: Kind::Null,
                ours: true,
                others_write: false,
                sticky: false,
                names: 1,
                made_up: false,
                identity: (0, 0),
            };
            return Ok((part, Handle(path)));
        }
        let metadata = std::fs::symlink_metadata(&path)?;
        let kind = if metadata.file_attributes() & LEADS_ELSEWHERE != 0 {
            Kind::Link(std::fs::read_link(&path)?)
        } else if metadata.is_dir() {
            Kind::Folder
        } else if metadata.is_file() {
            Kind::File
        } else {
            Kind::Other
        };
        let ours = ownership::is_ours(&path)?;
        let part = Part {
            others_write: ownership::others_write(&path)?,
            // Who may make something in a folder may not therefore take something away.
            sticky: !ownership::others_replace(&path)?,
            kind,
            ours,
            names: 1,
            made_up: false,
            identity: files::of_entry(&path)?,
        };
        Ok((part, Handle(path)))
    }
}

impl Tree for Disk {
    type Handle = Handle;

    fn enter(&self, folder: &Handle, name: &OsStr) -> io::Result<(Part, Handle)> {
        let path = if name == ".." {
            folder.0.parent().unwrap_or(&folder.0).to_owned()
        } else {
            folder.0.join(name)
        };
        self.part(path)
    }

    /// Of what can't be opened as a file, the first alone.
    fn times(&self, handle: &Handle) -> io::Result<Times> {
        let metadata = std::fs::symlink_metadata(&handle.0)?;
        if metadata.is_file() {
            let stamp = stamp(handle)?;
            return Ok((stamp.modified, stamp.changed));
        }
        let since = metadata
            .modified()?
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .map_err(io::Error::other)?;
        let at = (
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            since.subsec_nanos().into(),
        );
        Ok((at, at))
    }

    fn drive(&self, prefix: &OsStr) -> io::Result<Place<Handle>> {
        let mut root = prefix.to_owned();
        root.push("\\");
        let (part, handle) = self.part(root.into())?;
        Ok(Place { part, handle })
    }
}

/// Where another process stands.
pub(crate) fn standing(disk: Disk, pid: u32) -> io::Result<Standing<Handle>> {
    let folder = crate::os::processes::folder(pid)
        .ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))?;
    stands_in(disk, folder)
}

/// Where this process stands: at the root of the drive that it was started from.
pub(crate) fn here(disk: Disk) -> io::Result<Standing<Handle>> {
    let folder = std::env::current_exe()?;
    let root = folder.ancestors().last().unwrap_or(&folder).to_owned();
    stands_in(disk, root)
}

fn stands_in(disk: Disk, folder: PathBuf) -> io::Result<Standing<Handle>> {
    let root = folder.ancestors().last().unwrap_or(&folder).to_owned();
    let place = |path| disk.part(path).map(|(part, handle)| Place { part, handle });
    Ok(Standing {
        root: place(root)?,
        folder: place(folder)?,
    })
}

/// A file at the end of a way, to be read.
pub(crate) fn open(handle: &Handle) -> io::Result<File> {
    File::open(&handle.0)
}

/// Its state.
pub(crate) fn stamp(handle: &Handle) -> io::Result<Stamp> {
    files::stamp(&File::open(&handle.0)?)
}

/// No memory, no handles, a disk that does not answer: it may be otherwise the next time.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound | io::ErrorKind::Unsupported
    )
}
