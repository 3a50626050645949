//! For which servers a question can be, by the files that its asker has.

mod words;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::account::AccountKey;
use broker::asker::Place;
use broker::command::Which;
use broker::event::{Candidate, Servers};
use broker::problem::Problem;
use broker::trust::Server;
use kubeconfig::{CertificateAuthority, ExecServer, Merged, Narrow, Origin, Reading, ServerKey};

use super::history::History;
use super::remembered::Ledger;
use super::{bad_kubeconfig, paths_of, sets};
use crate::askers::asker::Found;
use crate::askers::ground::Ground;
use crate::kubeconfigs::account::account_of;
use crate::os::environment;
use crate::os::files::regular::Unread;

/// One question, and where its asker stands.
pub(super) struct Look<'look> {
    pub(super) history: &'look History,
    /// The person's own folder.
    pub(super) home: &'look Path,
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
            Reading::NotUnderstood | Reading::AnotherProgram => vec![words::widest(self, &files)?],
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
                .and_then(|arguments| account_of(arguments, Path::new("/"), self.home))
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
            let is_as_found = || self.history.is_as_found(ground, &whole, found, false);
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

    /// The asker's file set, merged: as it was each time that it changed since the asker started, and as it is, last; with
    /// its relative paths in every way that they can count.
    fn merged(&self, files: &[sets::File]) -> Vec<Merged> {
        let folders = self.folders();
        let sets = sets::sets(files);
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
                || !self.history.is_as_found(ground, shells, found, true)
        };
        let shells = shells.filter(|shells| self.ground.is_none_or(|at| can_be_it(at, shells)));
        shells.into_iter().chain([folder]).collect()
    }

    /// The asker's files: what each said since the asker started, and what it says.
    fn read(&self) -> Result<Vec<sets::File>, Blind> {
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
            let now = match self.history.load(ground, path, path, self.ledger) {
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
            let Ok(before) = self.history.before(ground, path, found) else {
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
        let is_as_found =
            |path: PathBuf| self.history.is_as_found(ground, &path, self.found, false);
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

fn account_key(which: &Which) -> Option<&AccountKey> {
    match which {
        Which::Flags(flags) => Some(flags.key()),
        Which::Named(_) => None,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
