//! One question: what we were called with, and the resident's replies until it says how to end.

use std::env;
use std::ffi::OsString;

use wire::endpoint::Places;
use wire::frame::{
    self, Decoder, ENVIRONMENT, Encoder, FrameError, Reply, Request, Run, Terminals,
};
use wire::os::{Ready, Stream};

use crate::Waits;
use crate::os;
use crate::say::Say;
use crate::streams::Streams;

/// Who asks, and what.
pub(crate) struct Asker {
    run: Run,
    person: Person,
}

/// Whose environment is the person's own. A credential plugin's has what a kubeconfig's `exec.env` set, which
/// is its author's word: the person's is then that of whoever asks. Some client libraries say nothing to their plugins,
/// so KUBERNETES_EXEC_INFO alone does not tell: what asks for a token is one, and so is what a library reads from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Person {
    /// Ours is: a person called us.
    Own,
    /// The asker's, as the system shows it; as good as empty if it doesn't.
    Parent,
}

impl Asker {
    /// This process, which was called with these arguments.
    pub(crate) fn of_this_process(arguments: Vec<Vec<u8>>) -> Self {
        let mut arguments = arguments.into_iter();
        let program = arguments.next().unwrap_or_default();
        let exec_info = env::var_os("KUBERNETES_EXEC_INFO").map(os::bytes);
        // A plugin's PATH is looked up where it is the person's own, and every token has to be quick.
        let wanted = |name: &&&str| exec_info.is_none() || **name != "PATH";
        let variable = |name: &str| Some((name.into(), os::bytes(env::var_os(name)?)));
        let run = Run {
            program,
            args: arguments.collect(),
            env: ENVIRONMENT
                .iter()
                .filter(wanted)
                .filter_map(|name| variable(name))
                .collect(),
            cwd: env::current_dir()
                .map_or_else(|_| Vec::new(), |cwd| os::bytes(cwd.into_os_string())),
            terminals: os::terminals(),
            exec_info,
        };
        let person = if run.asks_for_a_token() || os::is_run_by_a_library() {
            Person::Parent
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

    pub(crate) fn person(&self) -> Person {
        self.person
    }

    /// Where the resident of whoever asks is.
    pub(crate) fn places(&self) -> Result<Places, Say> {
        let uid = wire::os::uid().map_err(Say::Nameless)?;
        // `exec.env` can set a variable and not unset one: what we don't have, the parent doesn't have, and
        // its environment need not be read.
        let instance = env::var_os("KUBEFOB_HOME").and_then(|_| self.person.get("KUBEFOB_HOME"));
        let home = match self.person {
            Person::Own => || env::var_os("HOME"),
            Person::Parent => || Person::Parent.get("HOME"),
        };
        Places::new(uid, instance.as_deref(), home).map_err(Say::Place)
    }

    pub(crate) fn into_run(self) -> Run {
        self.run
    }
}

impl Person {
    /// The value of a variable.
    pub(crate) fn get(self, name: &str) -> Option<OsString> {
        match self {
            Self::Own => env::var_os(name),
            Self::Parent => {
                let mut environment = os::environment_of_asker()?.into_iter();
                let found = environment.find(|(each, _)| each == name);
                found.map(|(_, value)| value)
            }
        }
    }

    /// All variables: name and value.
    pub(crate) fn variables(self) -> Vec<(OsString, OsString)> {
        match self {
            Self::Own => env::vars_os().collect(),
            Self::Parent => os::environment_of_asker().unwrap_or_default(),
        }
    }
}

/// As a shell has it of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Asks, does what the replies say, and returns the exit code.
pub(crate) fn ask(
    mut stream: Stream,
    question: &Request,
    streams: &mut Streams,
    patience: &Waits,
) -> Result<u8, Say> {
    let (mut requests, mut replies) = (Encoder::new(), Decoder::new());
    stream.set_patience(patience.first);
    send(&mut stream, &mut requests, question)?;
    #[cfg(target_os = "linux")]
    {
        // Hardened, we would not show in which container we are, if in any, and count as one in a container that can't
        // be told. The resident has looked at us when it says the first thing; until we read that we hold no secret.
        let waited = stream.wait_for_peer();
        waited.map_err(|error| Say::Reply(error.into()))?;
        os::harden();
        stream.set_patience(patience.first);
    }
    let mut asked = false;
    loop {
        let reply = match replies.next().map_err(Say::Reply)? {
            Some(reply) => reply,
            // Approved in the browser meanwhile, a question is answered without its answer.
            None if asked && streams.wait(&mut stream)? == Ready::Input => {
                if let Some(answer) = streams.answer() {
                    if streams.was_interrupted() {
                        return Ok(INTERRUPTED);
                    }
                    asked = false;
                    stream.set_patience(patience.next);
                    send(&mut stream, &mut requests, &Request::Answer(answer))?;
                }
                continue;
            }
            None => {
                frame::read_more(&mut stream, &mut replies).map_err(Say::Reply)?;
                continue;
            }
        };
        stream.set_patience(patience.next);
        match reply {
            Reply::Stdout(bytes) => streams.stdout(bytes)?,
            Reply::Stderr(text) => streams.stderr(&text)?,
            Reply::Prompt(text) if streams.prompt(&text) => asked = true,
            Reply::Secret(text) if streams.prompt_unseen(&text) => asked = true,
            Reply::Prompt(_) | Reply::Secret(_) => {
                send(&mut stream, &mut requests, &Request::Answer(String::new()))?;
            }
            // A view is the window's: a resident that shows us one is of no age that we know.
            Reply::Alive | Reply::View(_) => {}
            Reply::Exit(code) => return streams.finish().map(|()| code),
        }
    }
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
    fn a_parent_s_environment_is_not_ours() {
        assert!(Person::Parent.get("PATH").is_some());
        assert_eq!(
            Person::Own.get("CARGO_PKG_NAME").as_deref(),
            Some("kubectl-fob".as_ref())
        );
    }
}
