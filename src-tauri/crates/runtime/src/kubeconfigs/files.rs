//! The files that a question depends on: the asker's kubeconfigs, and certificate authorities.
//! All of it is read off the loop, regular files alone, with a bound; an answer that still holds is
//! given again.

mod authority;
mod container;
mod first;
mod history;
mod lifetime;
mod look;
mod needs;
mod reading;
mod remembered;
mod sets;
mod starts;
mod versions;
mod wanted;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use broker::asker::Place;
use broker::clock::Moment;
use broker::command::GetToken;
use broker::problem::Problem;
use kubeconfig::{Config, ExecServer, FileSet, Merged};
use wire::frame::Run;

use crate::askers::asker;
use crate::askers::ground::Ground;
use crate::hall::blocking::blocking;
use crate::kubeconfigs::seen::Seen;
use crate::kubeconfigs::settled::{self, Lock, Ours};
use crate::os::files::Stamp;
use crate::os::files::regular::{self, Unread};

use history::History;
use lifetime::{lives, start};
use look::Look;
use needs::Needs;
use remembered::{Ledger, Question, Remembered};

pub(crate) use authority::trusted;
pub(crate) use first::first_start;
pub(crate) use wanted::Wanted;

/// Kubeconfigs, as far as they were read.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    home: PathBuf,
    history: History,
    needs: Arc<Mutex<Needs>>,
    remembered: Remembered,
    seen: Seen,
}

impl Files {
    /// `home` is the person's own, where `~/.kube/config` is.
    pub(crate) fn new(home: PathBuf) -> Self {
        Self {
            home,
            history: History::default(),
            needs: Arc::default(),
            remembered: Remembered::default(),
            seen: Seen::default(),
        }
    }

    /// What is wanted, if the same was asked before and nothing that was read for it has changed.
    pub(crate) fn asked_before(&self, found: &asker::Found, run: &Run) -> Option<Wanted> {
        let start = start(found);
        let unchanged_since = |root, path: &Path, changed| {
            self.history.is_unchanged(root, path, changed, found, start)
        };
        let wanted = self.remembered.answer(found, run, unchanged_since)?;
        // Who needed more before is asked about that too.
        Some(self.with_earlier(found, wanted))
    }

    /// What is wanted, with the servers that it may be for.
    ///
    /// # Errors
    /// `BadKubeconfig`, for a file set that kubectl could not load either, or that can't be looked at just now.
    pub(crate) async fn wanted(
        &self,
        found: asker::Found,
        run: &Run,
        asked: GetToken,
    ) -> Result<Wanted, Problem> {
        let run = run.clone();
        let named = match (&run.exec_info, asked.cluster) {
            (Some(info), Some(_)) => kubeconfig::from_exec_info(&String::from_utf8_lossy(info))
                .map_err(|error| Problem::ExecInfo {
                    reason: error.to_string(),
                })?,
            (Some(_) | None, Some(_) | None) => ExecServer::Unnamed,
        };
        let (account, version) = (asked.account, asked.version);
        let arguments: Vec<String> = run
            .args
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let contained = found.asker.place == Place::Container;
        let claims = if contained && !matches!(named, ExecServer::Named(_)) {
            container::claims(&found, &arguments).await
        } else {
            Vec::new()
        };
        let files = self.clone();
        blocking(move || {
            let ledger = Ledger::default();
            if contained {
                ledger.forget();
            }
            let ground = match found.ground() {
                Ok(ground) => ground,
                Err(unread) => return Err(bad_kubeconfig(Path::new("/proc"), &unread)),
            };
            let look = Look {
                history: &files.history,
                home: &files.home,
                found: &found,
                ground: ground.as_ref(),
                arguments: &arguments,
                claims: &claims,
                ledger: &ledger,
            };
            let is_named = matches!(named, ExecServer::Named(_)) && found.names_servers;
            let servers = look.servers(named, &account)?;
            let wanted = Wanted {
                account,
                version,
                servers: Arc::new(servers),
                is_named,
                files: ledger.kubeconfigs(),
            };
            if let Some(ground) = &ground {
                let question = Question::of(&found, run, ground);
                let now = crate::clock::wall();
                files.remembered.keep(question, ledger, &wanted, now);
            }
            Ok(files.with_earlier(&found, wanted))
        })
        .await?
    }

    /// With what the same process needed before, where that was not named: what it names now is what it means.
    fn with_earlier(&self, found: &asker::Found, wanted: Wanted) -> Wanted {
        let Some(process) = found.asker.process.filter(|_| !wanted.is_named) else {
            return wanted;
        };
        let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
        let servers = needs.with_earlier(process, wanted.servers, lives);
        Wanted { servers, ..wanted }
    }

    /// The files that askers had.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// What our own writes left.
    pub(crate) fn ours(&self) -> &Ours {
        self.history.ours()
    }

    /// The person's own home folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Where that has its kubeconfig.
    pub(crate) fn own_path(&self) -> PathBuf {
        self.home().join(".kube").join("config")
    }

    /// The state of the person's own kubeconfig, whole or not; none if it is not there.
    pub(crate) fn own_state(&self) -> Option<Stamp> {
        regular::state(&self.own_path())
    }

    /// A watch on these, which began then, has said nothing until just now. It may block.
    pub(crate) fn unchanged_until(&self, watched: &[PathBuf], began: Moment, now: Moment) {
        self.history.unchanged_until(watched, began, now);
    }

    /// Loads and merges a file set as kubectl does, for what is shown and edited: a file in which others have a say is
    /// shown as it is, and is evidence of nothing.
    pub(crate) fn load_set(&self, set: &FileSet, folder: &Path) -> Result<Merged, Problem> {
        let ground = Ground::ours();
        let (paths, mandatory) = paths_of(set);
        let mut configs = Vec::new();
        for path in paths {
            let whole = folder.join(path);
            let evidence = match &ground {
                Ok(ground) => self.history.load(ground, &whole, path, &Ledger::default()),
                Err(_) => Err(Unread::InDoubt(None)),
            };
            let config = match evidence {
                Err(Unread::InDoubt(_)) => self.as_it_is(&whole, path),
                read => read,
            };
            match config {
                Ok(config) => configs.push(config),
                Err(Unread::Missing) if !mandatory => {}
                Err(unread) => return Err(bad_kubeconfig(path, &unread)),
            }
        }
        Ok(kubeconfig::merge(
            configs.iter().map(|config| &**config),
            folder,
        ))
    }

    fn as_it_is(&self, path: &Path, named: &Path) -> Result<Arc<Config>, Unread> {
        let most = kubeconfig::MAX_BYTES as u64;
        let (text, _) = settled::read(path, most, Lock::Theirs, self.ours())?;
        reading::parse(named, &text).map(Arc::new)
    }

    /// The kubeconfigs that are watched: the person's own, and those that were used.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        let mut files = self.seen.known();
        files.push(self.own_path());
        files
    }
}

fn paths_of(set: &FileSet) -> (&[PathBuf], bool) {
    match set {
        FileSet::Explicit(path) => (std::slice::from_ref(path), true),
        FileSet::Optional(paths) => (paths.as_slice(), false),
    }
}

fn bad_kubeconfig(path: &Path, unread: &Unread) -> Problem {
    let (path, reason) = (path.display().to_string(), unread.reason());
    match unread {
        Unread::Io(_) => Problem::CannotLook { path, reason },
        Unread::Missing
        | Unread::NotRegular
        | Unread::TooLong
        | Unread::Malformed(_)
        | Unread::Unsettled
        | Unread::InDoubt(_) => Problem::BadKubeconfig { path, reason },
    }
}
