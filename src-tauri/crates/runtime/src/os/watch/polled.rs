//! macOS and Windows: the folders' entries are looked at every few seconds. Type-checked, never tried there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::nearest;

/// How late a change may be seen.
const PIECE: Duration = Duration::from_secs(3);

/// Folders that are watched.
#[derive(Debug)]
pub(crate) struct Watch {
    folders: Vec<PathBuf>,
    seen: Entries,
}

/// The entries of all folders, with what tells one file from its successor.
type Entries = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

impl Watch {
    /// One that watches nothing yet.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            folders: Vec::new(),
            seen: Entries::new(),
        })
    }

    /// Watches these folders from now on, and no others. No file is watched so that silence says that nothing changed.
    pub(crate) fn set(
        &mut self,
        folders: impl IntoIterator<Item = PathBuf>,
        _files: impl IntoIterator<Item = PathBuf>,
    ) -> Vec<PathBuf> {
        self.folders = folders.into_iter().collect();
        self.seen = self.entries();
        Vec::new()
    }

    /// Whether something has happened already. It is told by [`Watch::changed`].
    pub(crate) fn has_news(&mut self) -> bool {
        false
    }

    /// Waits until something happened.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        loop {
            tokio::time::sleep(PIECE).await;
            let found = self.entries();
            if found != self.seen {
                self.seen = found;
                return Ok(());
            }
        }
    }

    fn entries(&self) -> Entries {
        let folders = self.folders.iter().filter_map(|folder| nearest(folder));
        let entries = folders.filter_map(|folder| fs::read_dir(folder).ok());
        entries
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let found = entry.metadata().ok()?;
                Some((entry.path(), (found.modified().ok(), found.len())))
            })
            .collect()
    }
}
