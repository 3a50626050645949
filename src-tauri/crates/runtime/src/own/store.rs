//! What is written down without secrets: the accounts and the trusted pairs.
//!
//! What stands in the person's own kubeconfig is trusted in bulk once in a life, at the first start. So whatever
//! says that there was one counts, and a list that is lost or damaged is none that was never there: see
//! [`Store::load`].

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::event::Kept;
use broker::problem::Problem;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use crate::os::files;
use crate::os::files::regular::{self, Unread};

/// How soon a disk that took nothing is tried again.
pub(crate) const AGAIN: Duration = Duration::from_secs(10);

/// The version of the file's form.
const VERSION: u32 = 1;

const NAME: &str = "accounts.json";

/// How a file is called that was set aside, with a number after it; an earlier release had none.
const ASIDE: &str = "accounts.json.unreadable";

/// Thousands of accounts and approvals; nothing of ours is larger.
const LARGEST: u64 = 16 << 20;

/// The file `accounts.json` in the data folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    path: Arc<PathBuf>,
    /// Why the folder can't be used.
    unusable: Option<Arc<str>>,
    /// Whether there is something that the disk did not take.
    owes: Arc<AtomicBool>,
}

/// What a start finds.
pub(crate) enum Stored {
    /// This is the first start ever.
    Nothing,
    /// What was written.
    Kept(Kept),
    /// There was a list once, and this is what became of it: nothing that it said is believed.
    Lost(Problem),
}

/// What is wanted of the store while it runs.
pub(crate) enum Wanted<Turn> {
    /// Write this down. `Turn` is held until that was tried.
    Keep(Box<Kept>, Turn),
    /// Say whether all that was wanted before rests by now, or why not.
    Settle(oneshot::Sender<Option<Problem>>),
}

#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    #[serde(flatten)]
    kept: Kept,
}

/// What a file of any version has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// Deletes a file, or a folder of files. What is not there is deleted.
///
/// # Errors
/// `CannotForget`: the disk refuses.
pub(crate) fn remove(path: &Path) -> Result<(), Problem> {
    let is_folder = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let reason = regular::refusal(&error);
            Err(Problem::CannotForget {
                path: shown(path),
                reason,
            })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Store {
    /// That of a folder, and why it can't be used, if so: it is then neither read nor written.
    pub(crate) fn new(folder: &Path, unusable: Option<&str>) -> Self {
        Self {
            path: Arc::new(folder.join(NAME)),
            unusable: unusable.map(Into::into),
            owes: Arc::default(),
        }
    }

    /// Reads the file, bounded, and only if it is a regular one. What can't be used is set aside, so that nothing is
    /// lost and nothing that it said is believed.
    ///
    /// It is a first start only where there is no such file, none was set aside, and nothing is `sealed`.
    pub(crate) fn load(&self, sealed: bool) -> Stored {
        let path = self.path.as_path();
        if let Some(reason) = &self.unusable {
            return Stored::Lost(Problem::AccountsUnused {
                path: shown(path),
                reason: reason.to_string(),
            });
        }
        let read = regular::open(path).and_then(|file| regular::bounded(&file, LARGEST));
        let reason = match read {
            Ok(bytes) => match parsed(&bytes) {
                Ok(kept) => return Stored::Kept(kept),
                Err(reason) => reason,
            },
            Err(Unread::Missing) if is_absent(path) => {
                return if sealed || !self.set_aside_before().is_empty() {
                    Stored::Lost(Problem::AccountsLost { path: shown(path) })
                } else {
                    Stored::Nothing
                };
            }
            Err(Unread::TooLong) => "it is far larger than anything that Kubefob writes".to_owned(),
            Err(unread) => unread.reason(),
        };
        Stored::Lost(match set_aside(path) {
            Ok(aside) => Problem::AccountsSetAside {
                path: shown(path),
                reason,
                aside: shown(&aside),
            },
            Err(error) => Problem::AccountsUnused {
                path: shown(path),
                reason: format!("{reason}; {error}"),
            },
        })
    }

    /// Writes the file anew, whole or not at all, and returns once the disk has it.
    ///
    /// # Errors
    /// `AccountsUnwritten`.
    pub(crate) fn write(&self, kept: Kept) -> Result<(), Problem> {
        let path = self.path.as_path();
        let written = match &self.unusable {
            Some(reason) => Err(io::Error::other(reason.to_string())),
            None => write(path, kept),
        };
        self.owes.store(written.is_err(), Ordering::Release);
        written.map_err(|error| {
            let reason = regular::refusal(&error);
            Problem::AccountsUnwritten {
                path: shown(path),
                reason,
            }
        })
    }

    /// Leaves an empty list, and removes whatever was set aside: for the end of everything. An empty one is one:
    /// the next start is no first one.
    ///
    /// # Errors
    /// What could not be written or deleted.
    pub(crate) fn empty(&self) -> Vec<Problem> {
        let written = self.write(Kept::default()).or_else(|problem| {
            // A full disk takes less for more, and what is cut to nothing is no first start either.
            match std::fs::File::options().write(true).open(&*self.path) {
                Ok(file) if file.set_len(0).is_ok() => self.write(Kept::default()).or(Ok(())),
                Ok(_) | Err(_) => Err(problem),
            }
        });
        let aside = self.set_aside_before();
        let removed = aside.iter().map(|path| remove(path));
        let all = std::iter::once(written).chain(removed);
        all.filter_map(Result::err).collect()
    }

    /// That the disk does not say whether it took what there is.
    pub(crate) fn unanswered(&self) -> Problem {
        let reason = "the disk does not answer".to_owned();
        Problem::AccountsUnwritten {
            path: shown(&self.path),
            reason,
        }
    }

    /// Whether all that is to be kept is at rest, so that another process could go on with it.
    pub(crate) fn rests(&self) -> bool {
        !self.owes.load(Ordering::Acquire)
    }

    /// Writes down what comes, the newest of it, `owed` first. What the disk does not take is tried again until it does,
    /// each time after a pause of `again`, when something new comes, and at the end. `told` hears how each
    /// try went.
    pub(crate) async fn keep_each<Turn>(
        self,
        mut coming: UnboundedReceiver<Wanted<Turn>>,
        again: Duration,
        mut owed: Option<Box<Kept>>,
        told: impl Fn(Option<Problem>),
    ) {
        let mut problem = None;
        let mut over = false;
        while !over {
            let (mut turns, mut askers) = (Vec::new(), Vec::new());
            let next = tokio::select! {
                next = coming.recv() => {
                    over = next.is_none();
                    next
                }
                () = tokio::time::sleep(again), if owed.is_some() => None,
            };
            let more = std::iter::from_fn(|| coming.try_recv().ok());
            for wanted in next.into_iter().chain(more) {
                match wanted {
                    Wanted::Keep(newest, turn) => {
                        owed = Some(newest);
                        turns.push(turn);
                    }
                    Wanted::Settle(asker) => askers.push(asker),
                }
            }
            if let Some(kept) = owed.take() {
                let (store, newest) = (self.clone(), (*kept).clone());
                let written = crate::hall::blocking::blocking(move || store.write(newest)).await;
                problem = written.and_then(|written| written).err();
                if let Some(problem) = &problem {
                    if !turns.is_empty() {
                        let reason = problem.parameter("reason");
                        tracing::warn!(reason, "accounts are not written down yet");
                    }
                    owed = Some(kept);
                }
                told(problem.clone());
            }
            drop(turns);
            for asker in askers {
                drop(asker.send(problem.clone()));
            }
        }
    }

    /// Whatever was set aside, ever; itself, where that is not to be found out.
    fn set_aside_before(&self) -> Vec<PathBuf> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let is_aside = |name: &OsStr| name.as_encoded_bytes().starts_with(ASIDE.as_bytes());
        let found = match std::fs::read_dir(folder) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(_) => return vec![folder.join(ASIDE)],
        };
        let entries = found.filter_map(Result::ok);
        let aside = entries.filter(|entry| is_aside(&entry.file_name()));
        aside.map(|entry| entry.path()).collect()
    }
}

fn parsed(bytes: &[u8]) -> Result<Kept, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let damaged = |error: serde_json::Error| format!("it is damaged: {error}");
    // The version first: what a newer file says otherwise need not fit.
    let Versioned { version } = serde_json::from_slice(bytes).map_err(damaged)?;
    if version > u64::from(VERSION) {
        return Err(format!("a newer Kubefob wrote it (version {version})"));
    }
    let form: Form = serde_json::from_slice(bytes).map_err(damaged)?;
    if form.version == VERSION {
        Ok(form.kept)
    } else {
        Err("its version is none that ever was".to_owned())
    }
}

/// Whether nothing is there, not even a link that leads nowhere.
fn is_absent(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Gives the file another name beside its own, over nothing that has it, and says which.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = (1_u32..)
        .map(|number| path.with_file_name(format!("{ASIDE}-{number}")))
        .find(|aside| is_absent(aside))
        .ok_or(io::ErrorKind::AlreadyExists)?;
    std::fs::rename(path, &aside)?;
    path.parent().map_or(Ok(()), files::sync_folder)?;
    Ok(aside)
}

fn write(path: &Path, kept: Kept) -> io::Result<()> {
    use std::io::Write as _;
    let text = serde_json::to_vec_pretty(&Form {
        version: VERSION,
        kept,
    })?;
    let mut options = atomic_write_file::OpenOptions::new();
    files::private_in_place(&mut options);
    let mut file = options.open(path)?;
    file.write_all(&text)?;
    file.commit()?;
    path.parent().map_or(Ok(()), files::sync_folder)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests;
