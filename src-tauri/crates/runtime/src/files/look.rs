//! For which servers a question can be, by the files that its asker has.

use std::ffi::OsStr;
use std::path::Path;

use broker::account::AccountKey;
use broker::asker::Place;
use broker::command::Which;
use broker::event::{Candidate, Servers};
use broker::problem::Problem;
use broker::trust::Server;
use kubeconfig::{Merged, Narrow, Origin, ServerKey};

use super::remembered::Ledger;
use super::{CA_BYTES, Files, account_of, bad_kubeconfig, paths_of, started, versions};
use crate::asker::{self, Found};
use crate::ground::Ground;
use crate::regular::Unread;

/// One question, and where its asker stands.
pub(super) struct Look<'look> {
    pub(super) files: &'look Files,
    pub(super) found: &'look Found,
    /// None: that is out of sight.
    pub(super) ground: Option<&'look Ground>,
    /// The shim's.
    pub(super) arguments: &'look [String],
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
    /// The servers that the question is for; `named` is the one that kubectl itself names.
    ///
    /// # Errors
    /// `BadKubeconfig`, for a file set that kubectl could not load either, or that can't be looked at just now.
    pub(super) fn servers(
        &self,
        named: Option<ServerKey>,
        account: &Which,
    ) -> Result<Servers, Problem> {
        let found = match named {
            Some(server) => self.named(server, account),
            None => self.concluded(account),
        };
        match found {
            Ok(servers) => Ok(servers),
            Err(Blind::Refused(problem)) => Err(problem),
            Err(Blind::InDoubt) => Ok(self.unknown()),
        }
    }

    fn unknown(&self) -> Servers {
        let text = self.arguments.join("\0");
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        Servers {
            needed: vec![Candidate {
                server: Server::Unknown(broker::secret::hex(digest.as_ref())),
                contexts: Vec::new(),
            }],
            others: Vec::new(),
            file: None,
        }
    }

    /// kubectl itself names the server; the files only tell which contexts lead there.
    fn named(&self, server: ServerKey, account: &Which) -> Result<Servers, Blind> {
        let server = Server::Known(std::sync::Arc::new(server));
        let merged = match self.sets() {
            Ok(mut sets) => sets.pop(),
            Err(Blind::InDoubt) => None,
            Err(Blind::Refused(problem)) => return Err(Blind::Refused(problem)),
        };
        let mut contexts = Vec::new();
        if let Some(merged) = &merged {
            for candidate in kubeconfig::using(merged, |_| true) {
                if let Ok(known) = self.candidate(candidate)
                    && known.server == server
                {
                    contexts = known.contexts;
                }
            }
        }
        let needed = vec![Candidate { server, contexts }];
        Ok(Servers {
            others: self.others(merged.as_ref(), account, &needed)?,
            needed,
            file: merged.as_ref().and_then(file_of),
        })
    }

    /// Every server that the asker's files and arguments allow, as they are and as they were since it started.
    fn concluded(&self, account: &Which) -> Result<Servers, Blind> {
        let sets = self.sets()?;
        let mut needed: Vec<Candidate> = Vec::new();
        let mut file = None;
        for merged in sets.iter().rev() {
            match kubeconfig::servers(merged, self.arguments, &self.narrow()?) {
                Origin::Known(candidates) => {
                    let first = candidates.first();
                    file = file.or_else(|| first.map(|first| first.file.display().to_string()));
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
            file,
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
        narrow.default_server = asker::variable(environment, "KUBERNETES_MASTER")
            .map(|server| server.to_string_lossy().into_owned());
        let preferences = kubeconfig::kuberc(
            narrow.kuberc.as_deref().map(OsStr::new),
            asker::variable(environment, "KUBERC"),
            asker::variable(environment, "HOME").map(Path::new),
        );
        if let (Some(path), Some(ground)) = (preferences, self.ground) {
            let most = kubeconfig::MAX_BYTES as u64;
            narrow.preferences_choose = match self.ledger.bytes(ground, &folder.join(&path), most) {
                Ok(bytes) => kubeconfig::kuberc_chooses_server(&bytes),
                Err(Unread::Missing) => false,
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
        Ok(narrow)
    }

    /// The asker's file set, merged: as it was each time that it changed since the asker started, and as it is, last.
    fn sets(&self) -> Result<Vec<Merged>, Blind> {
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
        let home = asker::variable(environment, "HOME").map(Path::new);
        let set = kubeconfig::paths(
            narrow.kubeconfig.as_deref().map(OsStr::new),
            asker::variable(environment, "KUBECONFIG"),
            home,
        );
        let since = started(found.asker.process);
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
            files.push((self.files.before(ground, path, since), now));
        }
        if Ground::ours().is_ok_and(|ours| ours.identity().0 == ground.identity().0) {
            // Who may have what it asks for is decided later: until then nobody is shown what is in them.
            self.ledger.had(there.into_iter());
        }
        let sets = versions::sets(&files);
        let merged = sets
            .iter()
            .map(|set| kubeconfig::merge(set.iter().map(|config| &**config), folder));
        Ok(merged.collect())
    }

    fn candidate(&self, found: kubeconfig::Candidate) -> Result<Candidate, Blind> {
        let ground = self.ground.ok_or(Blind::InDoubt)?;
        let file = std::sync::Arc::clone(&found.file);
        candidate(ground, found, self.ledger).map_err(|unread| match unread {
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
/// `InDoubt`, where others have a say in the file; `Io`, where just now it can't be told.
pub(super) fn candidate(
    ground: &Ground,
    found: kubeconfig::Candidate,
    ledger: &Ledger,
) -> Result<Candidate, Unread> {
    let mut failed = None;
    let read = |path: &Path| match ledger.bytes(ground, path, CA_BYTES) {
        Ok(bytes) => Some(bytes),
        Err(unread @ (Unread::InDoubt(_) | Unread::Io(_))) => {
            failed = Some(unread);
            None
        }
        // kubectl refuses it too, and a path is no authority that was trusted.
        Err(
            Unread::Missing
            | Unread::NotRegular
            | Unread::TooLong
            | Unread::Malformed(_)
            | Unread::Unsettled,
        ) => None,
    };
    let server = found.server.with_ca_data(read);
    match failed {
        Some(unread) => Err(unread),
        None => Ok(Candidate {
            server: Server::Known(std::sync::Arc::new(server)),
            contexts: found.contexts,
        }),
    }
}

fn account_key(which: &Which) -> Option<&AccountKey> {
    match which {
        Which::Flags(flags) => Some(flags.key()),
        Which::Named(_) => None,
    }
}

fn file_of(merged: &Merged) -> Option<String> {
    merged
        .current_context_file
        .as_ref()
        .map(|file| file.display().to_string())
}
