//! Who asks: found out from the peer's process number, never from what the client says.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use broker::account::Proxies;
use broker::asker::{Asker, Place, ProcessId};
use broker::texts::Language;
use wire::frame::Run;

use crate::os::processes::{self, Process};

/// An asker, and what of its surroundings tells which kubeconfigs it uses.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What the broker needs.
    pub(crate) asker: Asker,
    /// Its environment; none where the system does not show it.
    pub(crate) environment: Option<Vec<(OsString, OsString)>>,
    /// Whether it is kubectl by its executable or, where that can't be seen, by its name.
    pub(crate) kubectl: bool,
    /// The folder that it stands in.
    pub(crate) folder: Option<PathBuf>,
}

/// How far up a family tree is looked for an sshd.
const GENERATIONS: usize = 64;

/// Looks at the parent of the shim with this process number, or at the shim itself where a person
/// called it.
pub(crate) fn find(peer: Option<u32>, run: &Run) -> Found {
    let shim = peer.and_then(|pid| Some((pid, processes::process(pid)?)));
    let plugin = run.exec_info.is_some();
    let of_interest = match &shim {
        Some((_, shim)) if plugin => {
            processes::process(shim.parent).map(|parent| (shim.parent, parent))
        }
        Some((pid, shim)) => Some((*pid, shim.clone())),
        None => None,
    };
    let pid = of_interest.as_ref().map(|(pid, _)| *pid);
    // The shim shows its arguments and environment to nobody, so a person's come from the shell.
    let readable = if plugin {
        pid
    } else {
        shim.as_ref().map(|(_, shim)| shim.parent)
    };
    let arguments = pid.filter(|_| plugin).and_then(processes::arguments);
    let environment = readable.and_then(processes::environment);
    let kubectl = !plugin || pid.is_some_and(|pid| runs_kubectl(pid, arguments.as_deref()));
    let foreground = of_interest
        .as_ref()
        .is_some_and(|(_, process)| process.foreground);
    let terminals = run.terminals;
    let asker = Asker {
        process: of_interest.as_ref().map(|(pid, process)| ProcessId {
            pid: *pid,
            started: process.started,
        }),
        program: program(
            pid,
            of_interest.as_ref().map(|(_, process)| process),
            plugin,
        ),
        place: place(pid),
        foreground: foreground && kubectl && terminals.stdin && terminals.stderr,
        terminal: terminals.stderr,
        completion: kubectl && arguments.as_deref().is_some_and(completes),
        proxies: environment.as_deref().map(proxies).unwrap_or_default(),
        own_ca: ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| {
            environment
                .as_deref()
                .is_some_and(|all| variable(all, name).is_some())
        }),
        language: language(environment.as_deref(), run),
        arguments,
    };
    Found {
        asker,
        environment,
        kubectl: plugin && kubectl,
        folder: readable.and_then(processes::folder),
    }
}

/// The value of a variable that is set to something.
pub(crate) fn variable<'a>(
    environment: &'a [(OsString, OsString)],
    name: &str,
) -> Option<&'a OsStr> {
    let found = environment.iter().find(|(known, _)| known == name);
    found
        .map(|(_, value)| value.as_os_str())
        .filter(|value| !value.is_empty())
}

fn program(pid: Option<u32>, process: Option<&Process>, plugin: bool) -> String {
    if !plugin {
        return "kubectl fob".to_owned();
    }
    pid.and_then(processes::executable)
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .or_else(|| process.map(|process| process.name.clone()))
        .unwrap_or_else(|| "?".to_owned())
}

fn runs_kubectl(pid: u32, arguments: Option<&[String]>) -> bool {
    let called = arguments
        .and_then(|arguments| arguments.first())
        .map(PathBuf::from);
    [processes::executable(pid), called]
        .into_iter()
        .flatten()
        .any(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_ascii_lowercase();
            // kubectl, kubectl.exe, kubectl-1.36.3, kubectl.real; not kubectl-fob or another plugin.
            name.strip_prefix("kubectl").is_some_and(|rest| {
                rest.is_empty()
                    || rest.starts_with('.')
                    || rest.starts_with('_')
                    || rest.strip_prefix('-').is_some_and(|version| {
                        version
                            .trim_start_matches('v')
                            .starts_with(|c: char| c.is_ascii_digit())
                    })
            })
        })
}

fn completes(arguments: &[String]) -> bool {
    arguments
        .get(1)
        .is_some_and(|word| word == "__complete" || word == "__completeNoDesc")
}

fn place(pid: Option<u32>) -> Place {
    let Some(pid) = pid else { return Place::Here };
    if processes::in_another_mount_namespace(pid) {
        return Place::Container;
    }
    let mut next = pid;
    for _ in 0..GENERATIONS {
        let Some(process) = processes::process(next) else {
            break;
        };
        if process.name == "sshd" || process.name.starts_with("sshd-") {
            return Place::Ssh;
        }
        if process.parent <= 1 {
            break;
        }
        next = process.parent;
    }
    Place::Here
}

fn proxies(environment: &[(OsString, OsString)]) -> Proxies {
    let either = |upper: &str| {
        let lower = upper.to_ascii_lowercase();
        // curl reads the lower-case name first, and so does Go.
        variable(environment, upper)
            .or_else(|| variable(environment, &lower))
            .and_then(OsStr::to_str)
            .map(str::to_owned)
    };
    Proxies {
        https: either("HTTPS_PROXY"),
        http: either("HTTP_PROXY"),
        all: either("ALL_PROXY"),
        no: either("NO_PROXY"),
    }
}

fn language(environment: Option<&[(OsString, OsString)]>, run: &Run) -> Language {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let theirs = environment.and_then(|environment| {
        names
            .iter()
            .find_map(|name| variable(environment, name)?.to_str().map(Language::of))
    });
    let said = || {
        names.iter().find_map(|name| {
            let value = run.variable(name).filter(|value| !value.is_empty())?;
            std::str::from_utf8(value).ok().map(Language::of)
        })
    };
    theirs.or_else(said).unwrap_or_default()
}
