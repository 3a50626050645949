//! What is written down without secrets: the accounts and the trusted pairs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use broker::event::Kept;
use broker::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;

/// How soon a disk that took nothing is tried again.
pub(crate) const AGAIN: Duration = Duration::from_secs(10);

/// The version of the file's form.
const VERSION: u32 = 1;

/// The file `accounts.json` in the data folder.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<PathBuf>);

/// What a start finds.
pub(crate) enum Stored {
    /// This is the first start ever.
    Nothing,
    /// What was written.
    Kept(Kept),
    /// Something that can't be read. It was set aside, so that nothing is lost and nothing that
    /// it said is believed.
    SetAside(PathBuf),
}

#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    #[serde(flatten)]
    kept: Kept,
}

/// Deletes a file, or a folder of files. What is not there is deleted.
///
/// # Errors
/// `CannotKeep`: the disk refuses.
pub(crate) fn remove(path: &Path) -> Result<(), Problem> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let path = path.display().to_string();
            let parameters = vec![("path", path), ("reason", error.to_string())];
            Err(Problem::new(Code::CannotKeep, parameters))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Store {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(Arc::new(folder.join("accounts.json")))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is there and can't be read at all.
    pub(crate) fn load(&self) -> io::Result<Stored> {
        let bytes = match std::fs::read(&*self.0) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::Nothing),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice::<Form>(&bytes) {
            Ok(form) if form.version == VERSION => Ok(Stored::Kept(form.kept)),
            Ok(_) | Err(_) => {
                let aside = self.0.with_extension("json.unreadable");
                std::fs::rename(&*self.0, &aside)?;
                Ok(Stored::SetAside(aside))
            }
        }
    }

    /// Writes down what comes, the newest of it. What the disk does not take is tried again until
    /// it does, each time after a pause of `again`. `Turn` is held while it is written for the first
    /// time.
    pub(crate) async fn keep_each<Turn>(
        self,
        mut coming: UnboundedReceiver<(Kept, Turn)>,
        again: Duration,
    ) {
        let mut owed = None;
        loop {
            let turn = tokio::select! {
                next = coming.recv() => {
                    let Some((mut newest, mut turn)) = next else { return };
                    while let Ok(newer) = coming.try_recv() {
                        (newest, turn) = newer;
                    }
                    owed = Some(newest);
                    Some(turn)
                }
                () = tokio::time::sleep(again), if owed.is_some() => None,
            };
            if let Some(kept) = owed.take()
                && let Err(error) = self.keep(kept.clone()).await
            {
                if turn.is_some() {
                    tracing::warn!(%error, "accounts are not written down yet");
                }
                owed = Some(kept);
            }
            drop(turn);
        }
    }

    /// Writes the file anew, whole or not at all.
    async fn keep(&self, kept: Kept) -> io::Result<()> {
        let path = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || write(&path, kept)).await?
    }
}

fn write(path: &Path, kept: Kept) -> io::Result<()> {
    use std::io::Write as _;
    let text = serde_json::to_vec_pretty(&Form {
        version: VERSION,
        kept,
    })?;
    let mut options = atomic_write_file::OpenOptions::new();
    crate::os::files::private_in_place(&mut options);
    let mut file = options.open(path)?;
    file.write_all(&text)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_comes_back_and_what_is_cut_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert!(matches!(store.load().unwrap(), Stored::Nothing));
        store.keep(Kept::default()).await.unwrap();
        assert!(matches!(store.load().unwrap(), Stored::Kept(_)));
        let path = folder.path().join("accounts.json");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(store.load().unwrap(), Stored::SetAside(_)));
        assert!(folder.path().join("accounts.json.unreadable").exists());
        assert!(matches!(store.load().unwrap(), Stored::Nothing));
    }

    #[tokio::test]
    async fn what_the_disk_does_not_take_is_written_once_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("later"));
        let (send, coming) = tokio::sync::mpsc::unbounded_channel();
        let keeping = tokio::spawn(store.clone().keep_each(coming, Duration::from_millis(5)));
        let (turn, over) = tokio::sync::oneshot::channel::<()>();
        send.send((Kept::default(), turn)).unwrap();
        assert!(over.await.is_err(), "the turn ends, whatever the disk says");
        assert!(matches!(store.load().unwrap(), Stored::Nothing));
        std::fs::create_dir(folder.path().join("later")).unwrap();
        while !matches!(store.load().unwrap(), Stored::Kept(_)) {
            tokio::task::yield_now().await;
        }
        drop(send);
        keeping.await.unwrap();
    }
}
