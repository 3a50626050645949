//! The files that a question depends on: the asker's kubeconfigs, and certificate authorities.
//! All of it is read off the loop, regular files alone, with a bound; an answer that still holds is
//! given again.

mod container;
mod look;
mod needs;
mod reading;
mod remembered;
mod starts;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use broker::account::AccountKey;
use broker::argv::{self, Called};
use broker::asker::{Asker, Place, ProcessId};
use broker::clock::Moment;
use broker::command::{Flags, GetToken, Invocation, Which};
use broker::credential::ExecVersion;
use broker::event::{Ask, Found, Servers};
use broker::problem::Problem;
use broker::waiters::CallerId;
use kubeconfig::{Config, ExecServer, FileSet, Merged};
use provider::Trusted;
use wire::frame::Run;

use crate::askers::asker;
use crate::askers::ground::Ground;
use crate::hall::blocking::blocking;
use crate::kubeconfigs::seen::Seen;
use crate::kubeconfigs::settled::{self, Lock, Ours};
use crate::os::files::Stamp;
use crate::os::files::regular::{self, Unread, bounded, open};
use crate::os::processes;

use look::Look;
use needs::Needs;
use reading::OnDisk;
use remembered::{Ledger, Question, Remembered, state};
use starts::Starts;
use versions::{Before, Key, Since, Versions};

/// The most bytes that a certificate authority's file may have.
const CA_BYTES: u64 = 1024 * 1024;
/// By how much the system may be wrong about when a process started: it counts in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);
/// How far two times can be apart that are one, each being told in milliseconds.
const ROUNDED: Duration = Duration::from_millis(2);

/// Kubeconfigs, as far as they were read.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    home: PathBuf,
    versions: Arc<Mutex<Versions>>,
    starts: Arc<Mutex<Starts>>,
    needs: Arc<Mutex<Needs>>,
    remembered: Remembered,
    ours: Ours,
    seen: Seen,
}

/// A credential plugin's question, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    account: Which,
    version: ExecVersion,
    servers: Arc<Servers>,
    /// Whether whoever asks named the server itself.
    is_named: bool,
    files: Arc<[String]>,
}

impl Wanted {
    /// The question, by who asks it; `by_client`: a client library runs the plugin.
    pub(crate) fn asked_by(self, caller: CallerId, asker: Asker, by_client: bool) -> Ask {
        let Self {
            account,
            version,
            servers,
            is_named: _,
            files,
        } = self;
        Ask {
            caller,
            asker,
            account,
            version,
            by_client,
            servers,
            files,
        }
    }
}

impl Files {
    /// `home` is the person's own, where `~/.kube/config` is.
    pub(crate) fn new(home: PathBuf) -> Self {
        Self {
            home,
            versions: Arc::default(),
            starts: Arc::default(),
            needs: Arc::default(),
            remembered: Remembered::default(),
            ours: Ours::default(),
            seen: Seen::default(),
        }
    }

    /// What is wanted, if the same was asked before and nothing that was read for it has changed.
    pub(crate) fn asked_before(&self, found: &asker::Found, run: &Run) -> Option<Wanted> {
        let process = found.asker.process;
        let start = start(found);
        let unchanged_since = |root, path: &Path, changed| {
            let now = crate::clock::now();
            let mut versions = self.versions();
            if versions.has_changed(path, changed, process, start, now.moment) {
                return false;
            }
            let by = (process, start);
            let since = Since::of(changed, now);
            versions.has(root, path) || self.starts().knows((root, path), since, by, lives)
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
                files: &files,
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
        &self.ours
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

    /// Loads and merges a file set as kubectl does, for what is shown and edited: a file in which others have a say is
    /// shown as it is, and is evidence of nothing.
    pub(crate) fn load_set(&self, set: &FileSet, folder: &Path) -> Result<Merged, Problem> {
        let ground = Ground::ours();
        let (paths, mandatory) = paths_of(set);
        let mut configs = Vec::new();
        for path in paths {
            let whole = folder.join(path);
            let evidence = match &ground {
                Ok(ground) => self.load(ground, &whole, path, &Ledger::default()),
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
        let (text, _) = settled::read(path, most, Lock::Theirs, &self.ours)?;
        reading::parse(named, &text).map(Arc::new)
    }

    /// Loads a file as whoever stands there finds it. Its versions are kept, by the name that it was given.
    fn load(
        &self,
        ground: &Ground,
        path: &Path,
        named: &Path,
        ledger: &Ledger,
    ) -> Result<Arc<Config>, Unread> {
        let sight = OnDisk {
            ground,
            ledger,
            ours: &self.ours,
        };
        let key = Key::of(ground, path, named);
        reading::load(&self.versions, &sight, &key, path, named)
    }

    /// What a file said before, at some time since its asker started.
    ///
    /// # Errors
    /// `InDoubt`: it is not known what it said when the asker started.
    fn before(&self, ground: &Ground, path: &Path, found: &asker::Found) -> Result<Before, Unread> {
        let key = Key::of(ground, path, path);
        let before = self
            .versions()
            .since(&key, found.asker.process, start(found), lives);
        before.ok_or_else(|| Unread::InDoubt(Some(path.to_owned())))
    }

    /// Whether a file that is no kubeconfig now has been one. That it is none is a version too, from now on.
    fn had_versions(&self, ground: &Ground, path: &Path, ledger: &Ledger) -> bool {
        let key = Key::of(ground, path, path);
        let had = self.versions().has(key.root, &key.path);
        if had {
            let sight = OnDisk {
                ground,
                ledger,
                ours: &self.ours,
            };
            reading::gone(&self.versions, &sight, &key, path);
        }
        had
    }

    /// Whether what stands there can have been made since an asker started. What was put there by another way tells that
    /// by its last change.
    fn is_new(&self, ground: &Ground, path: &Path, found: &asker::Found) -> bool {
        let made = std::fs::metadata(ground.whole(path)).and_then(|found| found.created());
        let age = made.map(|made| SystemTime::now().duration_since(made).unwrap_or_default());
        age.is_ok_and(|age| crate::clock::now().moment.before(age) > start(found))
    }

    /// Whether what a path leads to is known to be what an asker found there; it was looked at before.
    fn is_as_found(
        &self,
        ground: &Ground,
        path: &Path,
        found: &asker::Found,
        is_folder: bool,
    ) -> bool {
        let sight = OnDisk {
            ground,
            ledger: &Ledger::default(),
            ours: &self.ours,
        };
        let at = (ground.identity().0, path, &*ground.whole(path));
        let by = (found.asker.process, start(found));
        reading::is_as_found(&self.starts, &sight, at, by, is_folder, lives)
    }

    /// The kubeconfigs that are watched: the person's own, and those that were used.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        let mut files = self.seen.known();
        files.push(self.own_path());
        files
    }

    /// A watch on these, which began then, has said nothing until just now. It may block.
    pub(crate) fn unchanged_until(&self, watched: &[PathBuf], began: Moment, now: Moment) {
        let Ok(ground) = Ground::ours() else { return };
        let look = |path: &Path| {
            let (found, changed) = ground.look(path);
            let now = crate::clock::now();
            Some((state(found.as_ref().copied())?, Since::of(changed, now)))
        };
        let root = ground.identity().0;
        self.versions()
            .unchanged_until(root, watched, (began, now), look);
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn starts(&self) -> MutexGuard<'_, Starts> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands in the person's own `~/.kube/config` and uses us. A file that can't be loaded
    /// has nothing: nothing is trusted by mistake.
    pub(crate) fn first_start(&self) -> Vec<Found> {
        let path = self.own_path();
        let read = || {
            let ground = Ground::ours().map_err(Unread::Io)?;
            let config = self.load(&ground, &path, &path, &Ledger::default())?;
            Ok::<_, Unread>((ground, config))
        };
        let (ground, config) = match read() {
            Ok(read) => read,
            Err(Unread::Missing) => return Vec::new(),
            Err(unread) => {
                tracing::warn!(why = unread.reason(), "no trust from the first start");
                return Vec::new();
            }
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let merged = kubeconfig::merge([&*config], Path::new("/"));
        let pairs = kubeconfig::pairs(&merged);
        let found = pairs.into_iter().filter_map(|pair| {
            let flags = account_of(pair.arguments, folder, &self.home)?;
            let file = pair.candidate.file.display().to_string();
            // An authority in which others have a say is none to be trusted in bulk.
            let candidate = look::candidate(&ground, pair.candidate, &Ledger::default()).ok()?;
            Some(Found {
                key: flags.key().clone(),
                settings: flags.settings().clone(),
                candidate,
                file,
            })
        });
        found.collect()
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

fn lives(process: ProcessId) -> bool {
    processes::process(process.pid).is_some_and(|now| now.started == process.started)
}

/// When an asker started, for what it can have read; where that can't be told, at the beginning. In the tick in which it
/// starts nobody has read anything, being loaded for longer: what was written right before it, by the command before it,
/// was there.
fn start(found: &asker::Found) -> Moment {
    let started = started(found.asker.process);
    if started == Moment(0) {
        started
    } else {
        started.after(TICK + ROUNDED)
    }
}

/// When a process started, rather too early than too late; where that can't be told, at the beginning.
fn started(process: Option<ProcessId>) -> Moment {
    // The clocks are not read at one instant.
    let now = crate::clock::now().moment;
    let started = process.and_then(|process| processes::start_time(process.started));
    // It is told a tick too late, which can be later than now.
    let age = started.map(|started| {
        SystemTime::now()
            .duration_since(started)
            .unwrap_or_default()
    });
    age.map_or(Moment(0), |age| now.before(age + TICK))
}

/// What certificate authorities an account's key names, read.
///
/// # Errors
/// `BadFile`, which names the file and quotes nothing of it.
pub(crate) async fn trusted(key: &AccountKey) -> Result<Trusted, Problem> {
    let tls = key.tls.clone();
    blocking(move || {
        let mut ca_pem = Vec::new();
        for path in &tls.ca_files {
            let read = open(path).and_then(|file| bounded(&file, CA_BYTES));
            ca_pem.push(read.map_err(|unread| bad_file(&path.display().to_string(), &unread))?);
        }
        for data in &tls.ca_data {
            let decoded = base64::engine::general_purpose::STANDARD.decode(data.trim());
            let unread = || Unread::Malformed("not base64".to_owned());
            ca_pem.push(decoded.map_err(|_| bad_file("--certificate-authority-data", &unread()))?);
        }
        Ok(Trusted {
            ca_pem,
            own_ca: false,
        })
    })
    .await?
}

fn bad_file(path: &str, unread: &Unread) -> Problem {
    Problem::BadFile {
        path: path.to_owned(),
        reason: unread.reason(),
    }
}

/// The account that a stanza's arguments make.
pub(crate) fn account_of(arguments: &[String], folder: &Path, home: &Path) -> Option<Arc<Flags>> {
    let args: Vec<Vec<u8>> = arguments
        .iter()
        .map(|word| word.clone().into_bytes())
        .collect();
    let command = argv::parse(&Called {
        program: b"kubectl-oidc_login",
        args: &args,
        cwd: folder,
        home,
        exec_info: None,
    });
    let Ok(Invocation::GetToken(get_token)) = command else {
        return None;
    };
    match get_token.account {
        Which::Flags(flags) => Some(flags),
        Which::Named(_) => None,
    }
}
