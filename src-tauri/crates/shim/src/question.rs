//! One question: what we were called with, and the resident's replies until it says how to end.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Instant;

use rustix::stdio;
use wire::endpoint::Places;
use wire::frame::{
    self, Decoder, ENVIRONMENT, Encoder, FrameError, Reply, Request, Run, Terminals,
};
use wire::os::{Ready, Stream};

use crate::Deadlines;
use crate::say::Say;
use crate::streams::Streams;

/// Who asks, and what.
pub(crate) struct Asker {
    run: Run,
    person: Person,
}

/// The environment that is the person's own. A credential plugin's also has what a kubeconfig's `exec.env`
/// set, which is its author's word: the person's is then the parent's.
pub(crate) enum Person {
    /// Ours is: a person called us.
    Own,
    /// The parent's, as /proc shows it.
    Parent(Vec<u8>),
    /// The parent's, which can't be read.
    Unknown,
}

impl Asker {
    pub(crate) fn of_this_process() -> Self {
        let mut arguments = env::args_os().map(OsStringExt::into_vec);
        let program = arguments.next().unwrap_or_default();
        let exec_info = env::var_os("KUBERNETES_EXEC_INFO").map(OsString::into_vec);
        let variable = |name: &str| Some((name.into(), env::var_os(name)?.into_vec()));
        let run = Run {
            program,
            args: arguments.collect(),
            env: ENVIRONMENT
                .iter()
                .filter_map(|name| variable(name))
                .collect(),
            cwd: env::current_dir()
                .map_or_else(|_| Vec::new(), |cwd| cwd.into_os_string().into_vec()),
            terminals: Terminals {
                stdin: stdio::stdin().is_terminal(),
                stdout: stdio::stdout().is_terminal(),
                stderr: stdio::stderr().is_terminal(),
            },
            exec_info,
        };
        let person = if run.exec_info.is_some() {
            Person::parent()
        } else {
            Person::Own
        };
        Self { run, person }
    }

    pub(crate) fn is_plugin(&self) -> bool {
        self.run.exec_info.is_some()
    }

    pub(crate) fn terminals(&self) -> Terminals {
        self.run.terminals
    }

    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// Where the resident of whoever asks is.
    pub(crate) fn places(&self) -> Result<Places, Say> {
        let uid = wire::os::uid().map_err(Say::Nameless)?;
        let (kubefob_home, home) = (self.person.get("KUBEFOB_HOME"), self.person.get("HOME"));
        Places::new(uid, kubefob_home.as_deref(), home.as_deref()).map_err(Say::Place)
    }

    pub(crate) fn into_run(self) -> Run {
        self.run
    }
}

impl Person {
    fn parent() -> Self {
        let Some(parent) = rustix::process::getppid() else {
            return Self::Unknown;
        };
        let Ok(file) = File::open(format!("/proc/{}/environ", parent.as_raw_pid())) else {
            return Self::Unknown;
        };
        let mut environment = Vec::with_capacity(16 * 1024);
        match file.take(4 << 20).read_to_end(&mut environment) {
            Ok(_) => Self::Parent(environment),
            Err(_) => Self::Unknown,
        }
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        match self {
            Self::Own => env::var_os(name),
            Self::Parent(_) => self
                .variables()
                .into_iter()
                .find_map(|(each, value)| (each == name).then_some(value)),
            Self::Unknown => None,
        }
    }

    /// All variables: name and value.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        match self {
            Self::Own => env::vars_os().collect(),
            Self::Parent(environment) => {
                let entries = environment.split(|byte| *byte == 0);
                entries.filter_map(variable).collect()
            }
            Self::Unknown => Vec::new(),
        }
    }
}

fn variable(entry: &[u8]) -> Option<(OsString, OsString)> {
    let equals = entry.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (entry.get(..equals)?, entry.get(equals + 1..)?);
    Some((
        OsStr::from_bytes(name).to_owned(),
        OsStr::from_bytes(value).to_owned(),
    ))
}

/// Asks, does what the replies say, and returns the exit code.
pub(crate) fn ask(
    mut stream: Stream,
    run: Run,
    streams: &mut Streams,
    deadlines: &Deadlines,
) -> Result<u8, Say> {
    let (mut requests, mut replies) = (Encoder::new(), Decoder::new());
    stream.set_deadline(Instant::now() + deadlines.first);
    send(&mut stream, &mut requests, &Request::Run(run))?;
    let mut asked = false;
    loop {
        let reply = match replies.next().map_err(Say::Reply)? {
            Some(reply) => reply,
            // Approved in the browser meanwhile, a question is answered without its answer.
            None if asked && ready(&stream)? == Ready::Input => {
                if let Some(answer) = streams.line() {
                    asked = false;
                    stream.set_deadline(Instant::now() + deadlines.next);
                    send(&mut stream, &mut requests, &Request::Answer(answer))?;
                }
                continue;
            }
            None => {
                frame::read_more(&mut stream, &mut replies).map_err(Say::Reply)?;
                continue;
            }
        };
        stream.set_deadline(Instant::now() + deadlines.next);
        match reply {
            Reply::Stdout(bytes) => streams.stdout(bytes)?,
            Reply::Stderr(text) => streams.stderr(&text),
            Reply::Prompt(text) if streams.prompt(&text) => asked = true,
            Reply::Prompt(_) => {
                send(&mut stream, &mut requests, &Request::Answer(String::new()))?;
            }
            // A view is the window's: a resident that shows us one is of no age that we know.
            Reply::Alive | Reply::View(_) => {}
            Reply::Exit(code) => return streams.finish().map(|()| code),
        }
    }
}

fn ready(stream: &Stream) -> Result<Ready, Say> {
    stream
        .wait_with(stdio::stdin())
        .map_err(|error| Say::Reply(error.into()))
}

/// A resident that closes before it has read everything has said why, so its replies are read all the same.
fn send(stream: &mut Stream, encoder: &mut Encoder<Request>, request: &Request) -> Result<(), Say> {
    match frame::write_frame(stream, encoder, request) {
        Ok(()) | Err(FrameError::Closed) => Ok(()),
        Err(error @ FrameError::TooLong { .. }) => Err(Say::TooLong(error)),
        Err(error) => Err(Say::Reply(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_s_environment_is_its_own() {
        let person = Person::Parent(b"A=1\0EMPTY=\0broken\0B=x=y\0A=2\0".to_vec());
        for (name, value) in [
            ("A", Some("1")),
            ("EMPTY", Some("")),
            ("B", Some("x=y")),
            ("C", None),
        ] {
            assert_eq!(person.get(name), value.map(OsString::from), "{name}");
        }
        assert!(Person::Unknown.get("PATH").is_none());
        assert_eq!(Person::Own.get("PATH"), env::var_os("PATH"));
        assert!(matches!(Person::parent(), Person::Parent(_)));
    }
}
