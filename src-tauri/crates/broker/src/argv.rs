//! From what the shim was called with to an [`Invocation`], once.
//!
//! Told apart by the program's name: kubelogin's dialect, whose flags parse as pflag parses them (`get_token`), the
//! `kubectl fob` verbs, which clap reads ([`fob`]), and what a shell asks about those ([`complete`]).

pub mod complete;
mod flags;
pub mod fob;
mod get_token;
mod value;

use std::path::Path;

use crate::command::{GetToken, Invocation};
use crate::credential::parse_exec_info;
use crate::problem::Problem;

/// What the shim was called with. It has no `Debug`: a client secret may be among the arguments.
#[derive(Clone, Copy)]
pub struct Called<'a> {
    /// The name that it was called by (`argv[0]`).
    pub program: &'a [u8],
    /// Its arguments, without that name.
    pub args: &'a [Vec<u8>],
    /// The folder that it was called in; empty if that is gone.
    pub cwd: &'a Path,
    /// The person's home; empty if there is none.
    pub home: &'a Path,
    /// KUBERNETES_EXEC_INFO, if it was set.
    pub exec_info: Option<&'a [u8]>,
}

/// An issuer as a person gives it, outside of kubelogin's flags.
pub(crate) fn issuer(text: &str) -> Result<String, Problem> {
    value::issuer("issuer", text)
}

/// Scopes as an account's key has them.
pub(crate) fn scopes(given: &[String]) -> Vec<String> {
    get_token::scopes(given)
}

/// Whose command line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// `kubectl oidc-login`, in kubelogin's place.
    Kubelogin,
    /// `kubectl fob`.
    Fob,
    /// What may follow `kubectl fob`, which kubectl asks for.
    Completion,
}

/// Reads a command line.
///
/// # Errors
///
/// A problem that names the word or flag that it is about, and never a value: a secret may stand
/// in the wrong place.
pub fn parse(called: &Called<'_>) -> Result<Invocation, Problem> {
    let args = texts(called.args)?;
    match Dialect::of(called.program) {
        Dialect::Kubelogin => kubelogin(&args, called),
        // kubectl's completion runs no plugin; a kubeconfig that says so has nothing to gain either.
        Dialect::Completion => Ok(Invocation::Complete(complete::parse(&args))),
        Dialect::Fob => match args.split_first() {
            Some((&"get-token", rest)) => get_token(rest, Dialect::Fob, called),
            // A kubeconfig's `exec` runs it, on the terminal of a person who typed something
            // else: its author would answer a question, or sign somebody out.
            Some((verb, _)) if called.exec_info.is_some() => Err(Problem::PluginVerb {
                command: format!("kubectl fob {verb}"),
            }),
            _ => fob::parse(&args, called),
        },
    }
}

impl Dialect {
    fn of(program: &[u8]) -> Self {
        let program = String::from_utf8_lossy(program).to_ascii_lowercase();
        let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
        match name.strip_suffix(".exe").unwrap_or(name) {
            "kubectl-oidc_login" | "kubectl-oidc-login" | "kubelogin" => Self::Kubelogin,
            "kubectl_complete-fob" => Self::Completion,
            _ => Self::Fob,
        }
    }

    /// How a person calls it.
    fn program(self) -> &'static str {
        match self {
            Self::Kubelogin => "kubectl oidc-login",
            Self::Fob | Self::Completion => "kubectl fob",
        }
    }
}

fn texts(args: &[Vec<u8>]) -> Result<Vec<&str>, Problem> {
    args.iter()
        .enumerate()
        .map(|(index, arg)| {
            std::str::from_utf8(arg).map_err(|_| Problem::NotUtf8 {
                number: (index + 1),
            })
        })
        .collect()
}

/// kubelogin's command line: cobra finds the command's name wherever it stands among the flags.
fn kubelogin(args: &[&str], called: &Called<'_>) -> Result<Invocation, Problem> {
    let place = command_place(args);
    let rest: Vec<&str> = args
        .iter()
        .enumerate()
        .filter(|(index, _)| Some(*index) != place)
        .map(|(_, arg)| *arg)
        .collect();
    let not_yet = |command: &str, instead: &str| {
        Err(Problem::CommandNotYet {
            command: command.to_owned(),
            instead: instead.to_owned(),
        })
    };
    match place.and_then(|place| args.get(place)).copied() {
        Some("get-token") => get_token(&rest, Dialect::Kubelogin, called),
        Some("version") => Ok(Invocation::Version { json: false }),
        Some("help") => Ok(help(Dialect::Kubelogin)),
        Some("setup") => not_yet("kubectl oidc-login setup", "kubectl fob login"),
        Some("clean") => not_yet("kubectl oidc-login clean", "kubectl fob logout"),
        Some(other) => Err(Problem::UnknownCommand {
            command: other.to_owned(),
        }),
        None if rest.iter().any(|flag| matches!(*flag, "-h" | "--help")) => {
            Ok(help(Dialect::Kubelogin))
        }
        None if rest.contains(&"--version") => Ok(Invocation::Version { json: false }),
        None => not_yet("kubectl oidc-login", "kubectl fob login"),
    }
}

/// Where the first word stands that is neither a flag nor the value of one.
fn command_place(args: &[&str]) -> Option<usize> {
    let mut value = false;
    args.iter().take_while(|arg| **arg != "--").position(|arg| {
        let word = !value && !flags::is_flag(arg);
        value = !value && flags::value_follows(arg);
        word
    })
}

fn get_token(args: &[&str], dialect: Dialect, called: &Called<'_>) -> Result<Invocation, Problem> {
    let Some(account) = get_token::parse(args, dialect, called)? else {
        return Ok(help(dialect));
    };
    let asked = parse_exec_info(called.exec_info)?;
    Ok(Invocation::GetToken(Box::new(GetToken {
        account,
        version: asked.version,
        cluster: asked.cluster,
    })))
}

fn help(dialect: Dialect) -> Invocation {
    Invocation::Help(get_token::help(dialect))
}

#[cfg(test)]
mod tests;
