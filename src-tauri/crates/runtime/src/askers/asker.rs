//! Who asks: found out from the peer's process number, never from what the client says.
//!
//! What a process can't change but by becoming another program is read once, and kept while the
//! kernel says that it is the same process with the same program ([`Held`]): k9s asks again every few
//! seconds. Its folder, namespace and terminal are looked at each time.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use broker::account::Proxies;
use broker::asker::{Asker, Container, Place, ProcessId};
use broker::texts::Language;
use wire::frame::Run;

use crate::askers::ground::Ground;
use crate::os::environment::variable;
use crate::os::files::regular::Unread;
use crate::os::processes::{self, Held, Process};
use crate::os::tree::is_passing;

/// An asker, and what of its surroundings tells which kubeconfigs it uses.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What the broker needs.
    pub(crate) asker: Asker,
    /// Where its words come from.
    pub(crate) program: Arc<Program>,
    /// Whether it is kubectl, by its executable.
    pub(crate) kubectl: bool,
    /// Whether the server that KUBERNETES_EXEC_INFO names is the one that it asks for. Some client libraries set none,
    /// and there a kubeconfig's `exec.env` may.
    pub(crate) names_servers: bool,
    /// The folder that it stands in.
    pub(crate) folder: Option<PathBuf>,
    /// Whose environment, folder and root count.
    person: Option<ProcessId>,
}

impl Found {
    /// Where it stands; none where the system does not show that.
    ///
    /// # Errors
    /// Just now the system can't tell.
    pub(crate) fn ground(&self) -> Result<Option<Ground>, Unread> {
        let (Some(person), Some(folder)) = (self.person, &self.folder) else {
            return Ok(None);
        };
        let ground = match Ground::of(person.pid, folder.clone()) {
            Ok(ground) => ground,
            Err(error) if is_passing(&error) => return Err(Unread::Io(error)),
            Err(_) => return Ok(None),
        };
        // It is of the process that was looked at, and not of a later one with its number.
        let now = processes::process(person.pid);
        Ok(now
            .is_some_and(|now| now.started == person.started)
            .then_some(ground))
    }
}

/// What a process has as long as it runs one program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// Its arguments, its own name first; none where they can't be seen.
    pub(crate) arguments: Option<Arc<[String]>>,
    /// Its environment; none where the system does not show it.
    pub(crate) environment: Option<Vec<(OsString, OsString)>>,
    /// The file that it runs; none where the system does not show it.
    pub(crate) executable: Option<PathBuf>,
    kubectl: bool,
    /// Whether it says by itself what KUBERNETES_EXEC_INFO is, whatever `exec.env` says.
    names_servers: bool,
    /// Whether it descends from an sshd, or did when it was first seen.
    ssh: bool,
    proxies: Proxies,
    own_ca: bool,
    language: Option<Language>,
}

/// The programs of those who asked last, shared by its clones.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    kept: Arc<Mutex<VecDeque<Known>>>,
    most: usize,
}

#[derive(Debug)]
struct Known {
    pid: u32,
    held: Held,
    process: Process,
    program: Arc<Program>,
}

/// A process that was looked at.
struct Seen {
    pid: u32,
    process: Process,
    program: Arc<Program>,
    /// Whose environment and folder count.
    person: ProcessId,
}

/// What a client tells its plugin with.
const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// How many programs may stand between whoever asks and the shim.
const PASSING_ON: usize = 16;

/// How far up a family tree is looked for an sshd.
const GENERATIONS: usize = 64;

impl Programs {
    /// As many as may be kept, at two descriptors each.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            kept: Arc::default(),
            most,
        }
    }

    /// Looks at the parent of the shim with this process number, or at the shim itself where a person
    /// called it.
    pub(crate) fn find(&self, peer: Option<u32>, run: &Run) -> Found {
        let shim = peer.and_then(|pid| Some((pid, processes::process(pid)?)));
        let plugin = run.exec_info.is_some();
        let terminals = run.terminals;
        let seen = shim.and_then(|(pid, shim)| {
            if plugin {
                self.look_above(shim.parent, run, terminals.stderr)
            } else {
                Some(called_by_a_person(pid, shim))
            }
        });
        let sits = seen.as_ref().map(|seen| (seen.pid, seen.program.ssh));
        let place = place(peer, sits, is_with_us);
        let program = seen
            .as_ref()
            .map_or_else(Arc::default, |seen| Arc::clone(&seen.program));
        let kubectl = !plugin || program.kubectl;
        let is_in_front = |seen: &Seen| {
            let terminal = seen.process.in_front_of;
            terminal.is_some_and(|terminal| processes::writes_errors_to(seen.pid, terminal))
        };
        let arguments = program.arguments.clone();
        let asker = Asker {
            process: seen.as_ref().map(|seen| ProcessId {
                pid: seen.pid,
                started: seen.process.started,
            }),
            program: if plugin {
                name(&program, seen.as_ref())
            } else {
                "kubectl fob".to_owned()
            },
            place,
            container: container(place, peer, seen.as_ref()),
            foreground: kubectl && terminals.stderr && seen.as_ref().is_some_and(is_in_front),
            // A plugin's standard input is kubectl's to give: the shim asks the terminal itself.
            types: plugin || terminals.stdin,
            terminal: terminals.stderr,
            completion: kubectl && arguments.as_deref().is_some_and(completes),
            proxies: program.proxies.clone(),
            own_ca: program.own_ca,
            language: language(&program, run),
            arguments,
        };
        Found {
            asker,
            kubectl: plugin && kubectl,
            names_servers: program.names_servers,
            folder: seen
                .as_ref()
                .and_then(|seen| processes::folder(seen.person.pid)),
            person: seen.map(|seen| seen.person),
            program,
        }
    }

    /// The program that asks, above the shim. Between both may stand what passes the question on and waits: a `kubectl`
    /// on PATH that is a script, or the shim's own name that is one. Such a program has our KUBERNETES_EXEC_INFO and our
    /// arguments from whoever asks; and `exec.env` with them, so that its environment is the kubeconfig's word.
    ///
    /// One that has been told to be a plugin and was not told our question can be a client by itself, which asks for
    /// another server than those above it: that can't be told, and its environment is nobody's word.
    fn look_above(&self, parent: u32, run: &Run, in_front_counts: bool) -> Option<Seen> {
        let mut seen = self.look(parent, in_front_counts)?;
        for _ in 0..PASSING_ON {
            match seen.program.stands_in(run) {
                Stands::Above => return Some(seen),
                Stands::Between => seen = self.look(seen.process.parent, in_front_counts)?,
                Stands::InDoubt => break,
            }
        }
        let Program {
            arguments,
            environment: _,
            executable,
            kubectl,
            names_servers,
            ssh,
            proxies: _,
            own_ca: _,
            language: _,
        } = &*seen.program;
        seen.program = Arc::new(Program {
            arguments: arguments.clone(),
            executable: executable.clone(),
            kubectl: *kubectl,
            names_servers: *names_servers,
            ssh: *ssh,
            ..Program::default()
        });
        Some(seen)
    }

    /// A process and the program that it runs. Whether it is in the foreground can change at any time, and is looked at
    /// where it counts alone, of a kubectl that has a terminal: to tell it, the kernel adds up all that the process's threads did.
    fn look(&self, pid: u32, in_front_counts: bool) -> Option<Seen> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|known| known.pid == pid);
        let known = known.and_then(|at| all.remove(at));
        let seen = |process: Process, program| Seen {
            pid,
            person: ProcessId {
                pid,
                started: process.started,
            },
            process,
            program,
        };
        if let Some(known) = known
            && let Some(process) = known.now(in_front_counts)
        {
            let program = Arc::clone(&known.program);
            all.push_back(known);
            return Some(seen(process, program));
        }
        // Held before it is read, and looked at again afterwards: all of it is of one program.
        let held = Held::open(pid);
        let process = processes::process(pid)?;
        let program = Arc::new(Program::of(pid));
        if let Some(held) = held
            && held.process().is_some()
        {
            if all.len() >= self.most {
                all.pop_front();
            }
            all.push_back(Known {
                pid,
                held,
                process: process.clone(),
                program: Arc::clone(&program),
            });
        }
        Some(seen(process, program))
    }
}

impl Known {
    /// Its entry, as it is now or as it was; none once it has ended or become another program.
    fn now(&self, in_front_counts: bool) -> Option<Process> {
        if in_front_counts && self.program.kubectl {
            return self.held.process();
        }
        self.held.is_the_same().then(|| self.process.clone())
    }
}

/// Where a program stands that is above the shim, as seen from the shim's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// It is no plugin's: it is the one that asks.
    Above,
    /// It passes on what it was asked.
    Between,
    /// It is a plugin's, and may ask by itself.
    InDoubt,
}

/// The shim itself is looked at, but shows its arguments and environment to nobody: a person's come
/// from the shell.
fn called_by_a_person(pid: u32, shim: Process) -> Seen {
    let person = ProcessId {
        pid: shim.parent,
        started: processes::process(shim.parent).map_or(0, |parent| parent.started),
    };
    let environment = processes::environment(person.pid);
    Seen {
        pid,
        process: shim,
        program: Arc::new(Program {
            ssh: descends_from_sshd(pid),
            ..Program::with(environment)
        }),
        person,
    }
}

impl Program {
    fn of(pid: u32) -> Self {
        let (arguments, executable) = (processes::arguments(pid), processes::executable(pid));
        let kubectl = executable.as_deref().is_some_and(kubeconfig::is_kubectl);
        Self {
            arguments: arguments.map(Arc::from),
            executable,
            kubectl,
            names_servers: kubectl || processes::names_servers(pid),
            ssh: descends_from_sshd(pid),
            ..Self::with(processes::environment(pid))
        }
    }

    fn stands_in(&self, run: &Run) -> Stands {
        let environment = self.environment.as_deref().unwrap_or_default();
        let mut all = environment.iter();
        let Some((_, told)) = all.find(|(name, _)| wire::os::is_named(name, EXEC_INFO)) else {
            return Stands::Above;
        };
        let same = run.exec_info.as_deref() == Some(told.as_encoded_bytes());
        // kubectl becomes its plugin and does not wait for it: one that is there asks. A shell asks for nothing itself.
        let is_shell = self
            .executable
            .as_deref()
            .is_some_and(wire::start::is_shell);
        let is_told_all = || self.arguments.as_deref().is_some_and(|own| ends(own, run));
        if same && !self.kubectl && (is_shell || is_told_all()) {
            Stands::Between
        } else {
            Stands::InDoubt
        }
    }

    fn with(environment: Option<Vec<(OsString, OsString)>>) -> Self {
        let all = environment.as_deref().unwrap_or_default();
        Self {
            proxies: proxies(all),
            own_ca: ["SSL_CERT_FILE", "SSL_CERT_DIR"]
                .iter()
                .any(|name| variable(all, name).is_some()),
            language: spoken(all),
            environment,
            ..Self::default()
        }
    }
}

/// Whether a process is told to be in no container.
pub(crate) fn is_with_us(pid: u32) -> bool {
    processes::in_another_mount_namespace(pid) == Some(false)
}

/// The environment that a program was started in by somebody who sits here, not in ssh nor in a container. What the
/// program has itself it shows to nobody.
pub(crate) fn started_in(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    if !is_with_us(pid) || descends_from_sshd(pid) {
        return None;
    }
    processes::environment(processes::process(pid)?.parent)
}

/// Whether a program was called with the shim's arguments, whatever stands before them.
fn ends(own: &[String], run: &Run) -> bool {
    let asked = run.args.iter().map(|word| String::from_utf8_lossy(word));
    !run.args.is_empty()
        && own.len() > run.args.len()
        && own
            .iter()
            .rev()
            .zip(asked.rev())
            .all(|(own, asked)| *own == asked)
}

fn name(program: &Program, seen: Option<&Seen>) -> String {
    let executable = program.executable.as_deref().and_then(Path::file_name);
    executable
        .map(|name| name.to_string_lossy().into_owned())
        .or_else(|| seen.map(|seen| seen.process.name.clone()))
        .unwrap_or_else(|| "?".to_owned())
}

fn completes(arguments: &[String]) -> bool {
    arguments
        .get(1)
        .is_some_and(|word| word == "__complete" || word == "__completeNoDesc")
}

/// Where the asker sits and its shim; of the asker is known whether it came by ssh. What can't be told is a container, one
/// that can't be named: that costs a question, and anybody who wants to can hide it. The shim counts too: who starts a
/// container stands outside of it.
pub(crate) fn place(
    shim: Option<u32>,
    asker: Option<(u32, bool)>,
    is_with_us: impl Fn(u32) -> bool,
) -> Place {
    let (Some(shim), Some((asker, ssh))) = (shim, asker) else {
        return Place::Container;
    };
    if !is_with_us(asker) || (shim != asker && !is_with_us(shim)) {
        Place::Container
    } else if ssh {
        Place::Ssh
    } else {
        Place::Here
    }
}

/// Which container both sit in, where they do and that can be told.
fn container(place: Place, shim: Option<u32>, seen: Option<&Seen>) -> Option<Container> {
    if place != Place::Container {
        return None;
    }
    let (shim, seen) = (shim?, seen?);
    let namespace = processes::mount_namespace(seen.pid)?;
    if processes::mount_namespace(shim) != Some(namespace) {
        return None;
    }
    let first = processes::begun_with(seen.pid)?;
    Some(Container {
        namespace,
        first: ProcessId {
            pid: first,
            started: processes::process(first)?.started,
        },
    })
}

fn descends_from_sshd(pid: u32) -> bool {
    let mut next = pid;
    for _ in 0..GENERATIONS {
        let Some(process) = processes::process(next) else {
            return false;
        };
        // Its child for a session is the person's, and any of theirs can have that name.
        if processes::is_sshd(next, &process.name) {
            return true;
        }
        if process.parent <= 1 {
            return false;
        }
        next = process.parent;
    }
    false
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

const LANGUAGES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language of an environment.
pub(crate) fn spoken(environment: &[(OsString, OsString)]) -> Option<Language> {
    LANGUAGES
        .iter()
        .find_map(|name| variable(environment, name)?.to_str().map(Language::of))
}

/// The asker's language. What a plugin says of it is a kubeconfig's word.
fn language(program: &Program, run: &Run) -> Language {
    let said = || {
        let is_person_s = !run.asks_for_a_token();
        is_person_s.then(|| said(run)).flatten()
    };
    program.language.or_else(said).unwrap_or_default()
}

/// The language that the client says, where the asker's own can't be seen.
fn said(run: &Run) -> Option<Language> {
    LANGUAGES.iter().find_map(|name| {
        let value = run.variable(name).filter(|value| !value.is_empty())?;
        std::str::from_utf8(value).ok().map(Language::of)
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Child, ChildStdout, Command, Stdio};

    /// Reads a line and becomes what it says.
    const CHAMELEON: &str = "echo; read line; exec env MARK=$line sh -c 'echo; read line' $line";

    fn chameleon() -> (Child, BufReader<ChildStdout>) {
        let mut child = Command::new("sh")
            .args(["-c", CHAMELEON])
            .env("MARK", "first")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        (child, output)
    }

    fn mark(programs: &Programs, pid: u32) -> OsString {
        let seen = programs.look(pid, true).unwrap();
        let environment = seen.program.environment.as_deref().unwrap();
        variable(environment, "MARK").unwrap().to_owned()
    }

    #[test]
    fn a_program_is_read_once_and_another_one_of_the_same_process_anew() {
        let programs = Programs::new(16);
        let (mut child, mut output) = chameleon();
        let first = programs.look(child.id(), true).unwrap();
        let again = programs.look(child.id(), true).unwrap();
        assert!(Arc::ptr_eq(&first.program, &again.program), "read once");
        assert_eq!(mark(&programs, child.id()), "first");
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"second\n").unwrap();
        output.read_line(&mut String::new()).unwrap();
        let other = programs.look(child.id(), true).unwrap();
        assert_eq!(other.process.started, first.process.started);
        assert_eq!(mark(&programs, child.id()), "second");
        let arguments = other.program.arguments.clone().unwrap();
        assert_eq!(arguments.last().map(String::as_str), Some("second"));
        drop(input);
        child.wait().unwrap();
        assert!(
            programs.look(child.id(), false).is_none(),
            "nobody is there"
        );
    }

    fn seen(pid: u32, ssh: bool) -> Seen {
        let process = processes::process(pid).unwrap();
        Seen {
            pid,
            person: ProcessId {
                pid,
                started: process.started,
            },
            process,
            program: Arc::new(Program {
                ssh,
                ..Program::default()
            }),
        }
    }

    fn sits(shim: Option<u32>, asker: Option<&Seen>) -> Place {
        let asker = asker.map(|asker| (asker.pid, asker.program.ssh));
        place(shim, asker, is_with_us)
    }

    #[test]
    fn what_can_t_be_told_is_a_container_that_can_t_be_named() {
        let us = std::process::id();
        assert_eq!(sits(Some(us), Some(&seen(us, false))), Place::Here);
        assert_eq!(sits(Some(us), Some(&seen(us, true))), Place::Ssh);
        for (shim, asker) in [(None, Some(seen(us, true))), (Some(us), None), (None, None)] {
            assert_eq!(sits(shim, asker.as_ref()), Place::Container);
            assert_eq!(container(Place::Container, shim, asker.as_ref()), None);
        }
        // Nobody has this number.
        assert_eq!(sits(Some(0), Some(&seen(us, false))), Place::Container);
    }

    #[test]
    fn a_shim_in_a_container_is_in_one_whoever_started_it() {
        let started = Command::new("unshare")
            .args(["--mount", "sh", "-c", "echo; read line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut inside) = started else {
            println!("namespaces are not allowed here");
            return;
        };
        let mut line = String::new();
        let output = inside.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        if line.is_empty() {
            println!("namespaces are not allowed here");
            inside.wait().unwrap();
            return;
        }
        // Its parent is we, outside: as of whoever starts a container.
        let outside = seen(std::process::id(), false);
        assert_eq!(sits(Some(inside.id()), Some(&outside)), Place::Container);
        assert_eq!(
            container(Place::Container, Some(inside.id()), Some(&outside)),
            None
        );
        assert_eq!(started_in(inside.id()), None, "it says nothing of a screen");
        let both = container(
            Place::Container,
            Some(inside.id()),
            Some(&seen(inside.id(), false)),
        );
        assert_eq!(both.map(|one| one.first.pid), Some(inside.id()));
        drop(inside.stdin.take());
        inside.wait().unwrap();
    }

    /// A program with these arguments, and in its environment what it was told itself.
    fn program(executable: &str, arguments: &str, told: Option<&str>) -> Program {
        let environment = told.map(|told| (EXEC_INFO.into(), told.into()));
        Program {
            arguments: Some(arguments.split(' ').map(str::to_owned).collect()),
            executable: Some(executable.into()),
            kubectl: kubeconfig::is_kubectl(Path::new(executable)),
            environment: Some(environment.into_iter().collect()),
            ..Program::default()
        }
    }

    #[test]
    fn what_passes_a_question_on_is_not_who_asks() {
        use Stands::{Above, Between, InDoubt};
        let run = Run {
            args: vec![b"get-token".to_vec(), b"--a=b".to_vec()],
            exec_info: Some(b"{}".to_vec()),
            ..Run::default()
        };
        for (executable, arguments, told, expected) in [
            ("/bin/kubectl", "kubectl get ns", None, Above),
            ("/bin/sh", "sh script", None, Above),
            (
                "/bin/sh",
                "sh bin/kubectl oidc-login get-token --a=b",
                Some("{}"),
                Between,
            ),
            (
                "/bin/sh",
                "sh -c 'kubectl oidc-login $FLAGS; true'",
                Some("{}"),
                Between,
            ),
            (
                "/bin/logger",
                "logger kubectl oidc-login get-token --a=b",
                Some("{}"),
                Between,
            ),
            // Told something else, it asks for something else.
            (
                "/bin/sh",
                "sh bin/kubectl oidc-login get-token --a=b",
                Some("{ }"),
                InDoubt,
            ),
            (
                "/bin/helm",
                "helm list --kubeconfig evil",
                Some("{}"),
                InDoubt,
            ),
            // Its own name is none of its arguments.
            ("get-token", "get-token --a=b", Some("{}"), InDoubt),
            (
                "/bin/kubectl",
                "kubectl --kubeconfig evil exec p -- get-token --a=b",
                Some("{}"),
                InDoubt,
            ),
        ] {
            let stands = program(executable, arguments, told).stands_in(&run);
            assert_eq!(stands, expected, "{executable} {arguments}");
        }
    }

    #[test]
    fn a_kubeconfig_chooses_no_language() {
        let korean = |exec_info: Option<&[u8]>, word: &str| Run {
            args: vec![word.into()],
            exec_info: exec_info.map(<[u8]>::to_vec),
            env: vec![(b"LANG".to_vec(), b"ko_KR.UTF-8".to_vec())],
            ..Run::default()
        };
        let unseen = Program::default();
        assert_eq!(language(&unseen, &korean(None, "status")), Language::Ko);
        assert_eq!(language(&unseen, &korean(None, "get-token")), Language::En);
        assert_eq!(
            language(&unseen, &korean(Some(b"{}"), "status")),
            Language::En
        );
    }

    #[test]
    fn not_every_program_is_kept() {
        let programs = Programs::new(3);
        let shells: Vec<_> = (0..5).map(|_| chameleon()).collect();
        for (child, _) in &shells {
            programs.look(child.id(), true).unwrap();
        }
        assert_eq!(programs.kept.lock().unwrap().len(), 3);
        for (mut child, _) in shells {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
