//! For which servers a question can be, by the files that its asker has.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::account::AccountKey;
use broker::asker::Place;
use broker::command::Which;
use broker::event::{Candidate, Servers};
use broker::problem::Problem;
use broker::trust::Server;
use kubeconfig::{
    CertificateAuthority, Config, ExecServer, Meant, Merged, Narrow, Origin, Reading, ServerKey,
    Told,
};

use super::remembered::Ledger;
use super::versions::Before;
use super::{Files, account_of, bad_kubeconfig, paths_of, versions};
use crate::askers::asker::Found;
use crate::askers::ground::Ground;
use crate::os::environment;
use crate::os::files::regular::{self, Unread};

/// How much is read of a file that nothing but a path leads to.
const IN_PASSING: u64 = 8 << 20;

/// One question, and where its asker stands.
pub(super) struct Look<'look> {
    pub(super) files: &'look Files,
    pub(super) found: &'look Found,
    /// None: that is out of sight.
    pub(super) ground: Option<&'look Ground>,
    /// The shim's.
    pub(super) arguments: &'look [String],
    /// What the files in a container say, which is no evidence.
    pub(super) claims: &'look [String],
    pub(super) ledger: &'look Ledger,
}

/// Why there is nothing to conclude from.
enum Blind {
    /// kubectl could not load it either, or just now nobody could.
    Refused(Problem),
    /// Another process can have read other files.
    InDoubt,
}

impl Look<'_> {
    /// The servers that the question is for; `named` is what kubectl itself says of it.
    ///
    /// # Errors
    /// `BadKubeconfig`, for a file set that kubectl could not load either, or that can't be looked at just now.
    pub(super) fn servers(&self, named: ExecServer, account: &Which) -> Result<Servers, Problem> {
        let found = match named {
            ExecServer::Named(server) if self.found.names_servers => self.named(server, account),
            // As of any other word of its: `exec.env` can have said it.
            ExecServer::Named(server) => self
                .concluded(account)
                .map(|servers| joined(servers, server)),
            ExecServer::Odd => Err(Blind::InDoubt),
            ExecServer::Unnamed => self.concluded(account),
        };
        match found {
            Ok(servers) => Ok(servers),
            Err(Blind::Refused(problem)) => Err(problem),
            Err(Blind::InDoubt) => {
                // What follows from one process's start says nothing of the next that asks the same.
                self.ledger.forget();
                Ok(self.unknown())
            }
        }
    }

    fn unknown(&self) -> Servers {
        // What is allowed for these arguments is not allowed where other files lie beside them.
        let said = self.claims.iter().map(|claim| format!("\0\0{claim}"));
        let text = self.arguments.join("\0") + &said.collect::<String>();
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        Servers {
            needed: vec![Candidate {
                server: Server::Unknown(broker::secret::hex(digest.as_ref())),
                contexts: Vec::new(),
                file: None,
            }],
            others: Vec::new(),
            claims: self.claims.to_vec(),
        }
    }

    /// kubectl itself names the server; the files only tell which contexts lead there.
    fn named(&self, server: ServerKey, account: &Which) -> Result<Servers, Blind> {
        let server = Server::Known(Arc::new(server));
        let merged = match self.read() {
            Ok(files) => self.merged(&files).pop(),
            Err(Blind::InDoubt) => None,
            Err(Blind::Refused(problem)) => return Err(Blind::Refused(problem)),
        };
        let using = merged.iter();
        let using = using.flat_map(|merged| kubeconfig::using(merged, |_| true));
        let known = using.filter_map(|candidate| self.candidate(candidate).ok());
        let known = known.filter(|known| known.server == server).last();
        let needed = vec![known.unwrap_or(Candidate {
            server,
            contexts: Vec::new(),
            file: None,
        })];
        Ok(Servers {
            others: self.others(merged.as_ref(), account, &needed)?,
            needed,
            claims: Vec::new(),
        })
    }

    /// Every server that the asker's files and arguments allow, as they are and as they were since it started.
    fn concluded(&self, account: &Which) -> Result<Servers, Blind> {
        let files = self.read()?;
        let sets = self.merged(&files);
        let narrow = self.narrow()?;
        let origins = match narrow.reading {
            Reading::Kubectl => sets
                .iter()
                .rev()
                .map(|merged| kubeconfig::servers(merged, self.arguments, &narrow))
                .collect(),
            Reading::NotUnderstood if narrow.preferences_choose => vec![Origin::Unknown],
            Reading::NotUnderstood | Reading::AnotherProgram => vec![self.widest(&files)?],
        };
        let mut needed: Vec<Candidate> = Vec::new();
        for origin in origins {
            match origin {
                Origin::Known(candidates) => {
                    for candidate in candidates {
                        let candidate = self.candidate(candidate)?;
                        if needed.iter().all(|known| known.server != candidate.server) {
                            needed.push(candidate);
                        }
                    }
                }
                // The process read another version.
                Origin::NoSuchStanza => {}
                Origin::Unknown => return Err(Blind::InDoubt),
            }
        }
        if needed.is_empty() {
            return Err(Blind::InDoubt);
        }
        Ok(Servers {
            others: self.others(sets.last(), account, &needed)?,
            needed,
            claims: Vec::new(),
        })
    }

    /// The file set's other servers that use the account.
    fn others(
        &self,
        merged: Option<&Merged>,
        account: &Which,
        needed: &[Candidate],
    ) -> Result<Vec<Candidate>, Blind> {
        let Some((merged, key)) = merged.zip(account_key(account)) else {
            return Ok(Vec::new());
        };
        let using = kubeconfig::using(merged, |exec| {
            kubeconfig::shim_arguments(exec)
                .and_then(|arguments| account_of(arguments, Path::new("/"), self.files.home()))
                .is_some_and(|other| other.key() == key)
        });
        let mut others = Vec::new();
        for candidate in using {
            match self.candidate(candidate) {
                Ok(other) if needed.iter().all(|known| known.server != other.server) => {
                    others.push(other);
                }
                // Nobody is offered what others have a say in.
                Ok(_) | Err(Blind::InDoubt) => {}
                Err(Blind::Refused(problem)) => return Err(Blind::Refused(problem)),
            }
        }
        Ok(others)
    }

    /// What the asker's own arguments choose, if it is kubectl.
    fn narrow(&self) -> Result<Narrow, Blind> {
        let found = self.found;
        let folder = found.folder.as_deref().unwrap_or(Path::new(""));
        let arguments = found.asker.arguments.as_deref().unwrap_or_default();
        let mut narrow = kubeconfig::narrow(arguments, found.kubectl, folder);
        if !found.kubectl {
            return Ok(narrow);
        }
        let environment = found.program.environment.as_deref().unwrap_or_default();
        let default_server = environment::variable(environment, "KUBERNETES_MASTER");
        narrow.default_server = default_server.and_then(OsStr::to_str).map(str::to_owned);
        // What is no text leads to who knows which server.
        let is_lost = default_server.is_some() && narrow.default_server.is_none();
        let preferences = kubeconfig::kuberc(
            narrow.kuberc.as_deref().map(OsStr::new),
            environment::variable(environment, "KUBERC"),
            environment::variable(environment, "HOME").map(Path::new),
        );
        if let (Some(path), Some(ground)) = (preferences, self.ground) {
            let most = kubeconfig::MAX_BYTES as u64;
            let whole = folder.join(&path);
            let is_told =
                narrow.kuberc.is_some() || environment::variable(environment, "KUBERC").is_some();
            let is_as_found = || self.files.is_as_found(ground, &whole, found, false);
            narrow.preferences_choose = match self.ledger.bytes(ground, &whole, most) {
                // kubectl can have read others.
                Ok(bytes) => kubeconfig::kuberc_chooses_server(&bytes) || !is_as_found(),
                // The usual one few people have; its folder is written whenever a kubeconfig is.
                Err(Unread::Missing) => is_told && !is_as_found(),
                Err(Unread::Io(error)) => {
                    return Err(Blind::Refused(bad_kubeconfig(&path, &Unread::Io(error))));
                }
                Err(
                    Unread::NotRegular
                    | Unread::TooLong
                    | Unread::Malformed(_)
                    | Unread::Unsettled
                    | Unread::InDoubt(_),
                ) => true,
            };
        }
        narrow.preferences_choose |= is_lost;
        Ok(narrow)
    }

    /// For which servers somebody can have asked whose arguments choose none: what they name counts with all that the
    /// file set has, or had since the asker started.
    fn widest(&self, files: &[versions::File]) -> Result<Origin, Blind> {
        let ground = self.ground.ok_or(Blind::InDoubt)?;
        let found = self.found;
        let folder = found.folder.as_deref().unwrap_or(Path::new(""));
        let folders = self.folders();
        let mut named = kubeconfig::named(&kubeconfig::Asker {
            executable: found.program.executable.as_deref(),
            arguments: found.asker.arguments.as_deref(),
            environment: found.program.environment.as_deref().unwrap_or_default(),
            folder,
        });
        let of_set = files.iter().flat_map(|(before, now)| {
            let before = before.iter().filter_map(|(_, config)| config.as_ref());
            before.chain(now)
        });
        let views_of = |config: &Config| {
            let of = |folder: &&Path| kubeconfig::merge([config], folder);
            folders.iter().map(of).collect::<Vec<_>>()
        };
        let mut views: Vec<_> = of_set.flat_map(|config| views_of(config)).collect();
        let words = named.words.iter().map(|path| (path, false));
        let paths = named.files.iter().map(|path| (path, true)).chain(words);
        let mut unclear = named.unclear;
        let mut counts = |path: &Path, told| {
            let before = match told {
                Told::Nothing => {
                    let meant = named.meant.get(path).copied().unwrap_or_default();
                    self.was(ground, path, meant)
                }
                Told::Kubeconfig(config) => {
                    views.extend(views_of(&config));
                    self.had(ground, path)
                }
                Told::Unclear => Err(Unread::InDoubt(None)),
            };
            match before {
                Ok(before) => {
                    let before = before.iter().filter_map(|(_, config)| config.as_ref());
                    views.extend(before.flat_map(|config| views_of(config)));
                }
                Err(_) => unclear = true,
            }
        };
        for (path, is_path) in paths {
            counts(path, self.told(ground, path, is_path)?);
        }
        for path in &named.in_passing {
            counts(path, self.told_in_passing(ground, path)?);
        }
        named.unclear = unclear;
        Ok(kubeconfig::widest(&views, self.arguments, &named))
    }

    /// What a file said before that a word leads to. It has versions from now on, as the set's own files have.
    ///
    /// # Errors
    /// `InDoubt`: it is not known what it said when the asker started.
    fn had(&self, ground: &Ground, path: &Path) -> Result<Before, Unread> {
        drop(self.files.load(ground, path, path, self.ledger));
        self.files.before(ground, path, self.found)
    }

    /// What a word led to before that leads to no kubeconfig now: nothing, where nothing there has changed since the asker
    /// started, or where the word is none that is written so.
    ///
    /// # Errors
    /// `InDoubt`: a kubeconfig can have been there when the asker started.
    fn was(&self, ground: &Ground, path: &Path, meant: Meant) -> Result<Before, Unread> {
        if self.files.had_versions(ground, path, self.ledger) {
            return self.files.before(ground, path, self.found);
        }
        let (found, _) = ground.look(path);
        let is_as_found = match (&found, meant) {
            (_, Meant::Word)
            | (
                Ok(_) | Err(Unread::NotRegular | Unread::TooLong | Unread::Malformed(_)),
                Meant::Path,
            ) => true,
            // Whoever has a say in where nothing is can have had it there, and taken it away.
            (
                Err(Unread::InDoubt(_) | Unread::Io(_) | Unread::Unsettled),
                Meant::Path | Meant::Kubeconfig,
            ) => false,
            (Err(Unread::Missing), Meant::Path | Meant::Kubeconfig) => {
                self.files.is_as_found(ground, path, self.found, false)
            }
            (
                Ok(_) | Err(Unread::NotRegular | Unread::TooLong | Unread::Malformed(_)),
                Meant::Kubeconfig,
            ) => {
                let is_folder = ground.is_folder(path);
                let is_new = is_folder && self.files.is_new(ground, path, self.found);
                !is_new && self.files.is_as_found(ground, path, self.found, is_folder)
            }
        };
        if is_as_found {
            Ok(Before::new())
        } else {
            Err(Unread::InDoubt(Some(path.to_owned())))
        }
    }

    /// What a variable leads to of which nothing says that it has to do with Kubernetes. There are many in any environment,
    /// most of them to folders, some to what others may write: only what is built as a kubeconfig counts, as it is now.
    fn told_in_passing(&self, ground: &Ground, path: &Path) -> Result<Told, Blind> {
        let whole = ground.whole(path);
        // A folder, a socket, a terminal.
        if std::fs::metadata(&whole).is_ok_and(|found| !found.is_file()) {
            return Ok(Told::Nothing);
        }
        // Before it is read: should it change meanwhile, it is looked at anew.
        let (stamp, _) = ground.look(path);
        self.ledger.note(path, stamp.as_ref().copied());
        let told = |bytes: &[u8]| kubeconfig::told_in_passing(path, bytes);
        match stamp {
            Ok(_) => match ground.beginning(path, IN_PASSING).map(|bytes| told(&bytes)) {
                // As it is once nobody writes it any more.
                Ok(Told::Kubeconfig(_)) => self.told(ground, path, true),
                Ok(other @ (Told::Unclear | Told::Nothing)) => Ok(other),
                Err(_) => Ok(Told::Unclear),
            },
            Err(Unread::Missing | Unread::NotRegular) => Ok(Told::Nothing),
            Err(
                Unread::InDoubt(_)
                | Unread::Io(_)
                | Unread::TooLong
                | Unread::Malformed(_)
                | Unread::Unsettled,
            ) => {
                let mut bytes = Vec::new();
                let read = regular::open(&whole)
                    .is_ok_and(|file| file.take(IN_PASSING).read_to_end(&mut bytes).is_ok());
                Ok(match told(&bytes) {
                    Told::Kubeconfig(_) | Told::Unclear if read => Told::Unclear,
                    Told::Kubeconfig(_) | Told::Unclear | Told::Nothing => Told::Nothing,
                })
            }
        }
    }

    /// What a word leads to, be it that it is no path as a rule.
    fn told(&self, ground: &Ground, path: &Path, is_path: bool) -> Result<Told, Blind> {
        let most = kubeconfig::MAX_BYTES as u64;
        match self.ledger.read(ground, path, most, self.files.ours()) {
            Ok((bytes, _)) => Ok(kubeconfig::told(path, &bytes, true)),
            Err(Unread::Missing) => Ok(Told::Nothing),
            // A program, as a rule: of a text so long nobody knows.
            Err(Unread::TooLong) => match ground.beginning(path, most) {
                Ok(bytes) => Ok(kubeconfig::told(path, &bytes, false)),
                Err(_) => Ok(Told::Unclear),
            },
            Err(Unread::NotRegular) if ground.is_folder(path) => Ok(Told::Nothing),
            Err(Unread::InDoubt(_)) if !is_path && !there(&ground.whole(path)) => Ok(Told::Nothing),
            Err(Unread::Io(error)) => Err(Blind::Refused(bad_kubeconfig(path, &Unread::Io(error)))),
            Err(
                Unread::NotRegular | Unread::Malformed(_) | Unread::Unsettled | Unread::InDoubt(_),
            ) => Ok(Told::Unclear),
        }
    }

    /// The asker's file set, merged: as it was each time that it changed since the asker started, and as it is, last; with
    /// its relative paths in every way that they can count.
    fn merged(&self, files: &[versions::File]) -> Vec<Merged> {
        let folders = self.folders();
        let sets = versions::sets(files);
        let mut all: Vec<Merged> = Vec::new();
        for set in &sets {
            for folder in &folders {
                let merged = kubeconfig::merge(set.iter().map(|config| &**config), folder);
                // What is now stays last.
                all.retain(|other| *other != merged);
                all.push(merged);
            }
        }
        all
    }

    /// What the folder that the asker stands in is called, for the paths that count from a file in it: as the system calls
    /// it, last, and as its shell does in PWD, by which Go makes a path whole (`os.Getwd`) where both are one folder. Beside
    /// a link, `..` is not the same to both.
    fn folders(&self) -> Vec<&Path> {
        let found = self.found;
        let folder = found.folder.as_deref().unwrap_or(Path::new(""));
        let environment = found.program.environment.as_deref().unwrap_or_default();
        let shells = environment::variable(environment, "PWD").map(Path::new);
        let shells = shells.filter(|shells| shells.is_absolute() && *shells != folder);
        let can_be_it = |ground: &Ground, shells: &Path| {
            ground.stands_in(shells).unwrap_or(true)
                || !self.files.is_as_found(ground, shells, found, true)
        };
        let shells = shells.filter(|shells| self.ground.is_none_or(|at| can_be_it(at, shells)));
        shells.into_iter().chain([folder]).collect()
    }

    /// The asker's files: what each said since the asker started, and what it says.
    fn read(&self) -> Result<Vec<versions::File>, Blind> {
        let found = self.found;
        if found.asker.place == Place::Container {
            return Err(Blind::InDoubt);
        }
        let (Some(ground), Some(environment), Some(folder)) =
            (self.ground, &found.program.environment, &found.folder)
        else {
            return Err(Blind::InDoubt);
        };
        let arguments = found.asker.arguments.as_deref().unwrap_or_default();
        let narrow = kubeconfig::narrow(arguments, found.kubectl, folder);
        let home = environment::variable(environment, "HOME").map(Path::new);
        let set = kubeconfig::paths(
            narrow.kubeconfig.as_deref().map(OsStr::new),
            environment::variable(environment, "KUBECONFIG"),
            home,
        );
        let (paths, mandatory) = paths_of(&set);
        let mut files = Vec::new();
        let mut there = Vec::new();
        for path in paths {
            // A relative path begins where the asker stands, and not where its folder's name leads now.
            let now = match self.files.load(ground, path, path, self.ledger) {
                Ok(config) => {
                    there.push(ground.whole(path));
                    Some(config)
                }
                Err(Unread::Missing) if !mandatory => None,
                Err(Unread::InDoubt(_)) => return Err(Blind::InDoubt),
                Err(
                    unread @ (Unread::Missing
                    | Unread::NotRegular
                    | Unread::TooLong
                    | Unread::Malformed(_)
                    | Unread::Unsettled
                    | Unread::Io(_)),
                ) => return Err(Blind::Refused(bad_kubeconfig(path, &unread))),
            };
            let Ok(before) = self.files.before(ground, path, found) else {
                return Err(Blind::InDoubt);
            };
            files.push((before, now));
        }
        if Ground::ours().is_ok_and(|ours| ours.identity().0 == ground.identity().0) {
            // Who may have what it asks for is decided later: until then nobody is shown what is in them.
            self.ledger.had(there.into_iter());
        }
        Ok(files)
    }

    fn candidate(&self, found: kubeconfig::Candidate) -> Result<Candidate, Blind> {
        let ground = self.ground.ok_or(Blind::InDoubt)?;
        let file = Arc::clone(&found.file);
        let authority = match &found.server.ca {
            CertificateAuthority::File(path) => Some(path.clone()),
            CertificateAuthority::System | CertificateAuthority::Data(_) => None,
        };
        let candidate = candidate(ground, found, self.ledger);
        // Who asks can have read another one, by the same name.
        let is_as_found = |path: PathBuf| self.files.is_as_found(ground, &path, self.found, false);
        if candidate.is_ok() && !authority.is_none_or(is_as_found) {
            return Err(Blind::InDoubt);
        }
        candidate.map_err(|unread| match unread {
            unread @ Unread::Io(_) => Blind::Refused(bad_kubeconfig(&file, &unread)),
            Unread::Missing
            | Unread::NotRegular
            | Unread::TooLong
            | Unread::Malformed(_)
            | Unread::Unsettled
            | Unread::InDoubt(_) => Blind::InDoubt,
        })
    }
}

/// A server with its certificate authority's content in place of its path: the same authority, by file or by data, is
/// one server.
///
/// # Errors
/// Why its authority can't be known: others have a say in the file, or it is none that we read; `Io`, where just now it
/// can't be told.
pub(super) fn candidate(
    ground: &Ground,
    found: kubeconfig::Candidate,
    ledger: &Ledger,
) -> Result<Candidate, Unread> {
    let mut failed = None;
    let read = |path: &Path| match ledger.authority(ground, path) {
        Ok(bytes) => Some(bytes),
        // A path is no authority that was trusted: what will be there is another one.
        Err(Unread::Missing) => None,
        // kubectl reads what we do not, as long as it may be, and whatever it says by then.
        Err(
            unread @ (Unread::InDoubt(_)
            | Unread::Io(_)
            | Unread::NotRegular
            | Unread::TooLong
            | Unread::Malformed(_)
            | Unread::Unsettled),
        ) => {
            failed = Some(unread);
            None
        }
    };
    let server = found.server.with_ca_data(read);
    match failed {
        Some(unread) => Err(unread),
        None => Ok(Candidate {
            server: Server::Known(Arc::new(server)),
            contexts: found.contexts,
            file: Some(found.file.display().to_string()),
        }),
    }
}

/// With one more server that is needed.
fn joined(mut servers: Servers, server: ServerKey) -> Servers {
    let server = Server::Known(Arc::new(server));
    servers.others.retain(|other| other.server != server);
    if servers.needed.iter().all(|known| known.server != server) {
        servers.needed.push(Candidate {
            server,
            contexts: Vec::new(),
            file: None,
        });
    }
    servers
}

/// Whether anything has this name just now, whoever has a say in that.
fn there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn account_key(which: &Which) -> Option<&AccountKey> {
    match which {
        Which::Flags(flags) => Some(flags.key()),
        Which::Named(_) => None,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
