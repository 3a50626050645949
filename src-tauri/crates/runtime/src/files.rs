//! The files that a question depends on: the asker's kubeconfigs, and certificate authorities.
//! All of it is read off the loop, regular files alone, with a bound; an answer that still holds is
//! given again.

mod remembered;

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use broker::account::AccountKey;
use broker::argv::{self, Called};
use broker::asker::Asker;
use broker::command::{Flags, GetToken, Invocation, Which};
use broker::credential::ExecVersion;
use broker::event::{Ask, Candidate, Found, Servers};
use broker::problem::{Code, Problem};
use broker::trust::Server;
use broker::waiters::CallerId;
use kubeconfig::{Config, FileSet, Merged, Origin, ServerKey};
use provider::Trusted;
use wire::frame::Run;

use crate::asker;
use crate::blocking::blocking;
use crate::os::files::Stamp;
use crate::regular::{self, Unread, bounded, open};
use crate::settled::Ours;
use crate::survey::Seen;

use remembered::{Ledger, Question, Remembered};

/// The most bytes that a certificate authority's file may have.
const CA_BYTES: u64 = 1024 * 1024;
/// How many parsed kubeconfigs are kept.
const PARSED: usize = 64;

/// Kubeconfigs, as far as they were read.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    home: PathBuf,
    parsed: Arc<Mutex<Parsed>>,
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
}

impl Wanted {
    /// The question, by who asks it.
    pub(crate) fn asked_by(self, caller: CallerId, asker: Asker) -> Ask {
        let Self {
            account,
            version,
            servers,
        } = self;
        Ask {
            caller,
            asker,
            account,
            version,
            servers,
        }
    }
}

/// The newest files that were parsed: each one's path, whole and as it was named, its state, and what
/// it says.
type Parsed = VecDeque<(PathBuf, PathBuf, Stamp, Arc<Config>)>;

impl Files {
    /// `home` is the person's own, where `~/.kube/config` is.
    pub(crate) fn new(home: PathBuf) -> Self {
        Self {
            home,
            parsed: Arc::default(),
            remembered: Remembered::default(),
            ours: Ours::default(),
            seen: Seen::default(),
        }
    }

    /// What is wanted, if the same was asked before and nothing that was read for it has changed.
    pub(crate) fn asked_before(&self, found: &asker::Found, run: &Run) -> Option<Wanted> {
        self.remembered.answer(found, run)
    }

    /// What is wanted, with the servers that it may be for.
    ///
    /// # Errors
    /// `BadKubeconfig`, for a file set that kubectl could not load either.
    pub(crate) async fn wanted(
        &self,
        found: asker::Found,
        run: &Run,
        asked: GetToken,
    ) -> Result<Wanted, Problem> {
        let question = Question::of(&found, run);
        let arguments: Vec<String> = run
            .args
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let named = match (&run.exec_info, asked.cluster) {
            (Some(info), Some(_)) => kubeconfig::from_exec_info(&String::from_utf8_lossy(info))
                .map_err(|error| {
                    Problem::new(Code::ExecInfo, vec![("reason", error.to_string())])
                })?,
            (Some(_) | None, Some(_) | None) => None,
        };
        let (account, version) = (asked.account, asked.version);
        let files = self.clone();
        let home = self.home.clone();
        blocking(move || {
            let ledger = Ledger::default();
            let servers = files.look(&found, &arguments, named, &account, &home, &ledger)?;
            let wanted = Wanted {
                account,
                version,
                servers: Arc::new(servers),
            };
            let now = crate::clock::wall();
            files.remembered.keep(question, ledger, &wanted, now);
            Ok(wanted)
        })
        .await?
    }

    fn look(
        &self,
        found: &asker::Found,
        arguments: &[String],
        named: Option<ServerKey>,
        account: &Which,
        home: &Path,
        ledger: &Ledger,
    ) -> Result<Servers, Problem> {
        let candidate = |found| candidate(found, ledger);
        let unknown = || {
            let text = arguments.join("\0");
            let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
            Servers {
                needed: vec![Candidate {
                    server: Server::Unknown(broker::secret::hex(digest.as_ref())),
                    contexts: Vec::new(),
                }],
                others: Vec::new(),
                file: None,
            }
        };
        let merged = self.file_set(found, ledger)?;
        let others = |needed: &[Candidate]| {
            let Some((merged, key)) = merged.as_ref().zip(account_key(account)) else {
                return Vec::new();
            };
            let using = kubeconfig::using(merged, |exec| {
                kubeconfig::shim_arguments(exec)
                    .and_then(|arguments| account_of(arguments, Path::new("/"), home))
                    .is_some_and(|other| other.key() == key)
            });
            let using = using.into_iter().map(candidate);
            using
                .filter(|other| needed.iter().all(|known| known.server != other.server))
                .collect()
        };
        if let Some(server) = named {
            // kubectl itself names the server; the files only tell which contexts lead there.
            let server = Server::Known(Arc::new(server));
            let contexts = merged.as_ref().map(|merged| {
                let all = kubeconfig::using(merged, |_| true);
                all.into_iter()
                    .map(candidate)
                    .find(|known| known.server == server)
            });
            let contexts = contexts
                .flatten()
                .map(|known| known.contexts)
                .unwrap_or_default();
            let needed = vec![Candidate { server, contexts }];
            let others = others(&needed);
            let file = merged.as_ref().and_then(file_of);
            return Ok(Servers {
                needed,
                others,
                file,
            });
        }
        let Some(merged_set) = &merged else {
            return Ok(unknown());
        };
        let narrow = self.narrow(found, merged_set, ledger);
        match kubeconfig::servers(merged_set, arguments, &narrow) {
            Origin::Known(candidates) => {
                let file = candidates
                    .first()
                    .map(|first| first.file.display().to_string());
                let needed: Vec<_> = candidates.into_iter().map(candidate).collect();
                let others = others(&needed);
                Ok(Servers {
                    needed,
                    others,
                    file,
                })
            }
            Origin::NoSuchStanza | Origin::Unknown => Ok(unknown()),
        }
    }

    /// What the asker's own arguments choose, if it is kubectl by more than its name.
    fn narrow(&self, found: &asker::Found, merged: &Merged, ledger: &Ledger) -> kubeconfig::Narrow {
        let Some(arguments) = found.asker.arguments.as_deref().filter(|_| found.kubectl) else {
            return kubeconfig::Narrow::default();
        };
        let folder = found.folder.as_deref().unwrap_or(Path::new(""));
        let mut narrow = kubeconfig::narrow(arguments, folder);
        let environment = found.program.environment.as_deref().unwrap_or_default();
        let preferences = kubeconfig::kuberc(
            narrow.kuberc.as_deref().map(OsStr::new),
            asker::variable(environment, "KUBERC"),
            asker::variable(environment, "HOME").map(Path::new),
        );
        if let Some(path) = preferences {
            narrow.preferences_choose =
                match ledger.bytes(&folder.join(path), kubeconfig::MAX_BYTES as u64) {
                    Ok(bytes) => kubeconfig::kuberc_chooses_server(&bytes),
                    Err(Unread::Missing) => false,
                    Err(_) => true,
                };
        }
        narrow.files_are_newer = files_of(merged).any(|file| {
            changed_since(
                &folder.join(file),
                found.asker.process.map(|process| process.started),
            )
        });
        narrow
    }

    /// The asker's file set, merged; none where it is out of sight.
    fn file_set(&self, found: &asker::Found, ledger: &Ledger) -> Result<Option<Merged>, Problem> {
        if found.asker.place == broker::asker::Place::Container {
            return Ok(None);
        }
        let (Some(environment), Some(folder)) = (&found.program.environment, &found.folder) else {
            return Ok(None);
        };
        let narrow =
            kubeconfig::narrow(found.asker.arguments.as_deref().unwrap_or_default(), folder);
        let home = asker::variable(environment, "HOME").map(Path::new);
        let set = kubeconfig::paths(
            narrow.kubeconfig.as_deref().map(OsStr::new),
            asker::variable(environment, "KUBECONFIG"),
            home,
        );
        let merged = self.load_noted(&set, folder, ledger)?;
        let paths = match &set {
            FileSet::Explicit(path) => std::slice::from_ref(path),
            FileSet::Optional(paths) => paths.as_slice(),
        };
        let there = paths.iter().map(|path| folder.join(path));
        self.seen.saw(there.filter(|path| path.exists()));
        Ok(Some(merged))
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

    /// Loads and merges a file set as kubectl does.
    pub(crate) fn load_set(&self, set: &FileSet, folder: &Path) -> Result<Merged, Problem> {
        self.load_noted(set, folder, &Ledger::default())
    }

    fn load_noted(&self, set: &FileSet, folder: &Path, ledger: &Ledger) -> Result<Merged, Problem> {
        let (paths, mandatory) = match set {
            FileSet::Explicit(path) => (std::slice::from_ref(path), true),
            FileSet::Optional(paths) => (paths.as_slice(), false),
        };
        let mut configs = Vec::new();
        for path in paths {
            match self.load(&folder.join(path), path, ledger) {
                Ok(config) => configs.push(config),
                Err(Unread::Missing) if !mandatory => {}
                Err(unread) => {
                    return Err(Problem::new(
                        Code::BadKubeconfig,
                        vec![
                            ("path", path.display().to_string()),
                            ("reason", unread.reason()),
                        ],
                    ));
                }
            }
        }
        Ok(kubeconfig::merge(
            configs.iter().map(|config| &**config),
            folder,
        ))
    }

    fn load(&self, path: &Path, named: &Path, ledger: &Ledger) -> Result<Arc<Config>, Unread> {
        // Unless it is known as it stands, be it that somebody is about to write it.
        if let Ok(stamp) = open(path).and_then(|file| regular::stamp(&file))
            && let Some(config) = self.known(path, named, &stamp)
        {
            ledger.note(path, Ok(stamp));
            return Ok(config);
        }
        let most = kubeconfig::MAX_BYTES as u64;
        let (text, stamp) = ledger.read(path, most, &self.ours)?;
        let config =
            kubeconfig::load(named, &text).map_err(|error| Unread::Malformed(error.to_string()))?;
        let config = Arc::new(config);
        let mut parsed = self.parsed();
        parsed.retain(|(whole, name, ..)| whole != path || name != named);
        if parsed.len() >= PARSED {
            parsed.pop_front();
        }
        parsed.push_back((
            path.to_owned(),
            named.to_owned(),
            stamp,
            Arc::clone(&config),
        ));
        Ok(config)
    }

    fn known(&self, path: &Path, named: &Path, stamp: &Stamp) -> Option<Arc<Config>> {
        self.parsed()
            .iter()
            .find(|(whole, name, known, _)| whole == path && name == named && known == stamp)
            .map(|(.., config)| Arc::clone(config))
    }

    fn parsed(&self) -> std::sync::MutexGuard<'_, Parsed> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands in the person's own `~/.kube/config` and uses us. A file that can't be loaded
    /// has nothing: nothing is trusted by mistake.
    pub(crate) fn first_start(&self) -> Vec<Found> {
        let path = self.home.join(".kube").join("config");
        let set = FileSet::Optional(vec![path.clone()]);
        let merged = match self.load_set(&set, Path::new("/")) {
            Ok(merged) => merged,
            Err(problem) => {
                tracing::warn!(
                    problem = problem.code.name(),
                    "no trust from the first start"
                );
                return Vec::new();
            }
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let pairs = kubeconfig::pairs(&merged);
        let found = pairs.into_iter().filter_map(|pair| {
            let flags = account_of(pair.arguments, folder, &self.home)?;
            let file = pair.candidate.file.display().to_string();
            Some(Found {
                key: flags.key().clone(),
                settings: flags.settings().clone(),
                candidate: candidate(pair.candidate, &Ledger::default()),
                file,
            })
        });
        found.collect()
    }
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
    Problem::new(
        Code::BadFile,
        vec![("path", path.to_owned()), ("reason", unread.reason())],
    )
}

/// A server with its certificate authority's content in place of its path: the same authority, by
/// file or by data, is one server.
fn candidate(found: kubeconfig::Candidate, ledger: &Ledger) -> Candidate {
    let read = |path: &Path| ledger.bytes(path, CA_BYTES).ok();
    Candidate {
        server: Server::Known(Arc::new(found.server.with_ca_data(read))),
        contexts: found.contexts,
    }
}

fn account_key(which: &Which) -> Option<&AccountKey> {
    match which {
        Which::Flags(flags) => Some(flags.key()),
        Which::Named(_) => None,
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

/// The files that a merged view came from.
fn files_of(merged: &Merged) -> impl Iterator<Item = &Path> {
    let clusters = merged.clusters.values().map(|cluster| &*cluster.file);
    let users = merged.users.values().map(|user| &*user.file);
    let contexts = merged.contexts.values().map(|context| &*context.file);
    clusters
        .chain(users)
        .chain(contexts)
        .chain(merged.current_context_file.as_deref())
}

/// Whether a file was written after a process started. What can't be told counts as yes.
fn changed_since(file: &Path, started: Option<u64>) -> bool {
    let started = started.and_then(crate::os::processes::start_time);
    let changed = std::fs::metadata(file)
        .and_then(|found| found.modified())
        .ok();
    match (started, changed) {
        (Some(started), Some(changed)) => changed > started,
        (None, _) | (_, None) => true,
    }
}

fn file_of(merged: &Merged) -> Option<String> {
    merged
        .current_context_file
        .as_ref()
        .map(|file| file.display().to_string())
}
