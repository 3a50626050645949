//! What may follow on a `kubectl fob` command line: kubectl asks for it by the program `kubectl_complete-fob`.
//!
//! Its form is cobra's, as kubectl reads it (kubectl `pkg/cmd/plugin/plugin_completion.go`, `getPluginCompletions`):
//! a line for each word, what it is for after a tab, and at the end `:` and what the shell should do besides.

use clap::Arg;

use super::fob::grammar;
use crate::command::{Completing, Names};

/// The shell completes nothing by itself, and no files (cobra `ShellCompDirectiveNoFileComp`).
const NO_FILES: &str = ":4\n";
/// It completes files where there is nothing else (cobra `ShellCompDirectiveDefault`).
const FILES: &str = ":0\n";

/// Reads the words of a command line, of which the last one is being typed.
pub(super) fn parse(args: &[&str]) -> Completing {
    let (beginning, before) = args
        .split_last()
        .map_or(("", args), |(last, rest)| (*last, rest));
    let mut completing = Completing {
        beginning: beginning.to_owned(),
        words: Vec::new(),
        names: None,
        file: false,
    };
    let grammar = grammar();
    let Some((verb, rest)) = before.split_first() else {
        completing.words = grammar
            .get_subcommands()
            .map(|verb| (verb.get_name().to_owned(), about(verb.get_about())))
            .collect();
        return completing;
    };
    let Some(verb) = grammar.find_subcommand(verb) else {
        return completing;
    };
    if beginning.starts_with('-') {
        completing.words = verb
            .get_arguments()
            .filter_map(|flag| Some((format!("--{}", flag.get_long()?), about(flag.get_help()))))
            .collect();
        return completing;
    }
    let mut places = verb.get_positionals();
    let (mut awaited, mut kubeconfig) = (None, None);
    for word in rest {
        if let Some(flag) = awaited.take() {
            kubeconfig = (flag == KUBECONFIG)
                .then(|| (*word).to_owned())
                .or(kubeconfig);
        } else if let Some(flag) = word.strip_prefix("--") {
            match flag.split_once('=') {
                Some((KUBECONFIG, file)) => kubeconfig = Some(file.to_owned()),
                Some(_) => {}
                None => awaited = verb.get_arguments().find_map(|arg| takes_value(arg, flag)),
            }
        } else {
            places.next();
        }
    }
    if awaited.is_some() {
        completing.file = true;
        return completing;
    }
    if let Some(place) = places.next() {
        completing.names = names(verb.get_name(), kubeconfig);
        completing.words = place
            .get_possible_values()
            .iter()
            .map(|value| (value.get_name().to_owned(), about(value.get_help())))
            .collect();
    }
    completing
}

/// The one flag whose value is something to complete by.
const KUBECONFIG: &str = "kubeconfig";

fn takes_value<'a>(arg: &'a Arg, flag: &str) -> Option<&'a str> {
    let long = arg.get_long().filter(|long| *long == flag)?;
    arg.get_action().takes_values().then_some(long)
}

/// Of what the names are that a verb takes.
fn names(verb: &str, kubeconfig: Option<String>) -> Option<Names> {
    match verb {
        "login" | "logout" | "token" => Some(Names::Accounts),
        "trust" => Some(Names::Questions),
        "untrust" => Some(Names::Approvals),
        "use" => Some(Names::Contexts(kubeconfig)),
        _ => None,
    }
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

impl Completing {
    /// What the shell is told, with the names that there are and what each is.
    #[must_use]
    pub fn told(&self, names: impl IntoIterator<Item = (String, String)>) -> String {
        let mut told = String::new();
        for (word, about) in self.words.iter().cloned().chain(names) {
            // A name with a line's end in it would be two.
            if word.starts_with(&self.beginning) && !word.contains(char::is_control) {
                told.push_str(&word);
                if !about.is_empty() {
                    told.push('\t');
                    told.extend(about.chars().filter(|char| !char.is_control()));
                }
                told.push('\n');
            }
        }
        told.push_str(if self.file { FILES } else { NO_FILES });
        told
    }
}
