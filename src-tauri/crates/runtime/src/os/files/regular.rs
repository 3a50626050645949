//! Regular files, read with a bound: what a path leads to was chosen by others.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Stamp;

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    Missing,
    NotRegular,
    TooLong,
    Malformed(String),
    /// Another program went on writing it.
    Unsettled,
    /// Another process can have found another file there: by this part of the way, where one can be named.
    InDoubt(Option<PathBuf>),
    Io(io::Error),
}

impl Unread {
    /// In words, for a problem's `reason`.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Missing => "it does not exist".to_owned(),
            Self::NotRegular => "it is no regular file".to_owned(),
            Self::TooLong => "it is longer than 1 MiB".to_owned(),
            Self::Malformed(reason) => reason.clone(),
            Self::Unsettled => "another program is writing it".to_owned(),
            Self::InDoubt(Some(part)) => {
                format!("somebody else has a say in {}", part.display())
            }
            Self::InDoubt(None) => "it is out of sight".to_owned(),
            Self::Io(error) => error.to_string(),
        }
    }
}

/// Why something was not written or removed, in words.
pub(crate) fn refusal(error: &io::Error) -> String {
    let kind = error.kind();
    if matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) {
        "the disk is full".to_owned()
    } else if kind == io::ErrorKind::ReadOnlyFilesystem {
        "the file system is read-only".to_owned()
    } else {
        error.to_string()
    }
}

/// Opens a regular file. A pipe or a device is not waited for: it is opened without blocking and
/// looked at before a byte is read.
///
/// # Errors
/// It is missing, no regular file, or the system refuses.
pub(crate) fn open(path: &Path) -> Result<File, Unread> {
    let mut options = File::options();
    super::without_a_wait(options.read(true));
    let missing = |error: &io::Error| {
        [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
    };
    let file = options.open(path).map_err(|error| {
        if missing(&error) {
            Unread::Missing
        } else {
            Unread::Io(error)
        }
    })?;
    if file.metadata().map_err(Unread::Io)?.is_file() {
        Ok(file)
    } else {
        Err(Unread::NotRegular)
    }
}

/// A file's state; none if it is not there, or can't be told.
pub(crate) fn state(path: &Path) -> Option<Stamp> {
    stamp(&open(path).ok()?).ok()
}

/// Reads all of it.
///
/// # Errors
/// It is longer than `most` bytes, or the system refuses.
pub(crate) fn bounded(file: &File, most: u64) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(Unread::Io)?;
    if bytes.len() as u64 > most {
        Err(Unread::TooLong)
    } else {
        Ok(bytes)
    }
}

/// The state of an open file.
///
/// # Errors
/// The system refuses.
pub(crate) fn stamp(file: &File) -> Result<Stamp, Unread> {
    super::stamp(file).map_err(Unread::Io)
}
