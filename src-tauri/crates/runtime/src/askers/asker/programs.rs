//! The programs of those who ask, looked at: each is read once.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use broker::asker::{Asker, ProcessId};
use wire::frame::Run;

use super::Found;
use super::language::language;
use super::place::{container, descends_from_sshd, is_with_us, place};
use super::program::{Program, Stands};
use crate::os::processes::{self, Held, Process};

/// The programs of those who asked last, shared by its clones.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(super) kept: Arc<Mutex<VecDeque<Known>>>,
    most: usize,
}

#[derive(Debug)]
pub(super) struct Known {
    pid: u32,
    held: Held,
    process: Process,
    program: Arc<Program>,
}

/// A process that was looked at.
pub(super) struct Seen {
    pub(super) pid: u32,
    pub(super) process: Process,
    pub(super) program: Arc<Program>,
    /// Whose environment and folder count.
    pub(super) person: ProcessId,
}

/// How many programs may stand between whoever asks and the shim.
const PASSING_ON: usize = 16;

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
            container: container(place, peer, seen.as_ref().map(|seen| seen.pid)),
            foreground: kubectl && terminals.stderr && seen.as_ref().is_some_and(is_in_front),
            // A plugin's standard input is kubectl's to give: the shim asks the terminal itself.
            types: plugin || terminals.stdin,
            terminal: terminals.stderr,
            completion: kubectl && arguments.as_deref().is_some_and(completes),
            proxies: program.proxies.clone(),
            own_ca: program.own_ca,
            language: language(program.language, run),
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
    pub(super) fn look(&self, pid: u32, in_front_counts: bool) -> Option<Seen> {
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
