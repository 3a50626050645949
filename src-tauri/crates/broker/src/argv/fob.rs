//! The verbs of `kubectl fob`, read by clap.

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::{Called, Dialect, get_token, value};
use crate::account::Tls;
use crate::command::{Add, Command, Invocation, Shell};
use crate::problem::Problem;
use crate::question::Answer;
use crate::settings::{Choice, KeepFresh, Theme};
use crate::texts::Language;

/// Sign in once; every kubectl, k9s, Helm and Lens on this computer just works.
#[derive(Parser)]
#[command(
    name = "kubectl fob",
    bin_name = "kubectl fob",
    arg_required_else_help = true
)]
#[command(version, propagate_version = false)]
struct Fob {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Sign in
    Login {
        /// The account; optional if only one needs it
        account: Option<String>,
        /// Print the address instead of opening a browser
        #[arg(long)]
        no_browser: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Renew an account's tokens now, to pick up new groups
    Renew {
        /// The account; optional if there is only one
        account: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Sign out: end the session's tokens at the provider and here
    Logout {
        /// The account; optional if there is only one
        account: Option<String>,
        /// Also end the provider's own session, which signs you out of other applications
        #[arg(long)]
        everywhere: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Show who is signed in, until when, and what needs you
    Status(Output),
    /// List the accounts
    Accounts(Output),
    /// Add an account, and sign in to it
    Add {
        /// The provider's issuer URL
        issuer: String,
        /// The client id that the provider knows kubectl by
        client_id: String,
        /// A name for the account; the provider's host by default
        #[arg(long)]
        name: Option<String>,
        /// A scope besides openid; may be repeated
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// A PEM file of certificate authorities to trust at the provider instead of the system's
        #[arg(long, value_name = "FILE")]
        certificate_authority: Vec<String>,
        /// Ask for the client secret, which does not belong on a command line
        #[arg(long)]
        client_secret: bool,
        /// Do not sign in now
        #[arg(long)]
        no_login: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Rename an account
    Rename {
        /// The account
        account: String,
        /// Its new name
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// Remove an account: sign it out and forget it, its client secret and its trusted servers
    Remove {
        /// The account
        account: String,
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Print the kubeconfig user that uses an account
    Stanza {
        /// The account; optional if there is only one
        account: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Print the ID token
    Token {
        /// The account; optional if there is only one
        account: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Allow a server to receive an account's tokens
    Trust {
        /// The name given by the message; a yes needs it. Without it, the pending question is shown, or all are listed
        name: Option<String>,
        #[command(flatten)]
        answer: AnswerFlags,
        #[command(flatten)]
        output: Output,
    },
    /// Revoke an approval
    Untrust {
        /// The name that 'kubectl fob trusts' shows
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// List which servers may receive which account's tokens
    Trusts {
        /// List the pending questions instead
        #[arg(long)]
        pending: bool,
        #[command(flatten)]
        output: Output,
    },
    /// List the contexts, and which one is current in which file
    Contexts {
        #[command(flatten)]
        file: KubeconfigFlag,
        #[command(flatten)]
        output: Output,
    },
    /// Make a context the current one; nothing else in the file changes
    Use {
        /// The context's name
        context: String,
        #[command(flatten)]
        file: KubeconfigFlag,
        #[command(flatten)]
        output: Output,
    },
    /// Change a setting
    Set {
        #[command(subcommand)]
        setting: Setting,
    },
    /// Sign out everywhere and delete everything: tokens, their key, accounts, approvals, autostart, the log
    Reset {
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Show the version
    Version(Output),
    /// Print a completion script
    Completion {
        /// The shell
        shell: CompletionShell,
    },
}

#[derive(Subcommand)]
enum Setting {
    /// Start Kubefob with the desktop
    Autostart {
        /// Whether it is
        value: OnOff,
    },
    /// Renew sessions in the background, always or while somebody is at this desktop
    KeepFresh {
        /// When
        value: KeepFreshWhen,
    },
    /// How the window looks
    Theme {
        /// As the desktop, or always so
        value: Look,
    },
    /// Speak a language, or the desktop's and that of whoever asks
    Language {
        /// Which
        value: Spoken,
    },
}

#[derive(Clone, ValueEnum)]
enum Look {
    System,
    Light,
    Dark,
}

#[derive(Clone, ValueEnum)]
enum OnOff {
    On,
    Off,
}

#[derive(Clone, ValueEnum)]
enum KeepFreshWhen {
    Always,
    WhileInUse,
}

#[derive(Clone, ValueEnum)]
enum Spoken {
    En,
    Ko,
    Desktop,
}

#[derive(clap::Args)]
struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct KubeconfigFlag {
    /// This file instead of KUBECONFIG's, or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct AnswerFlags {
    /// Yes, until the program that asks ends
    #[arg(long)]
    once: bool,
    /// Yes, until the container that it runs in ends; for a server that can't be seen from here
    #[arg(long)]
    container: bool,
    /// Yes, from now on
    #[arg(long)]
    always: bool,
    /// No
    #[arg(long)]
    no: bool,
}

#[derive(Clone, ValueEnum)]
enum CompletionShell {
    Bash,
    Zsh,
    Fish,
}

/// Reads a `kubectl fob` command line that isn't `get-token`.
pub(super) fn parse(args: &[&str], called: &Called<'_>) -> Result<Invocation, Problem> {
    let words = std::iter::once("kubectl fob").chain(args.iter().copied());
    let read = grammar()
        .try_get_matches_from(words)
        .and_then(|matches| Fob::from_arg_matches(&matches));
    match read {
        Ok(fob) => fob.verb.invocation(called),
        Err(error) => outcome(&error, args),
    }
}

/// The completion script for a shell.
#[must_use]
pub fn completion(shell: Shell) -> String {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut grammar(), "kubectl-fob", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The grammar, with the one command that clap doesn't read listed among the others.
#[must_use]
pub fn grammar() -> clap::Command {
    let get_token = clap::Command::new("get-token")
        .about("Give kubectl a token, as an exec credential plugin")
        .override_help(get_token::help(Dialect::Fob));
    Fob::command().subcommand(get_token)
}

impl Verb {
    fn invocation(self, called: &Called<'_>) -> Result<Invocation, Problem> {
        Ok(match self {
            Verb::Login {
                account,
                no_browser,
                output,
            } => output.of(Command::SignIn {
                account,
                open_browser: !no_browser,
            }),
            Verb::Logout {
                account,
                everywhere,
                output,
            } => output.of(Command::SignOut {
                account,
                everywhere,
            }),
            Verb::Status(Output { json }) => Invocation::Status { json },
            Verb::Accounts(Output { json }) => Invocation::Accounts { json },
            Verb::Add {
                issuer,
                client_id,
                name,
                scopes,
                certificate_authority,
                client_secret,
                no_login,
                output,
            } => {
                let path = |file: &String| value::path("--certificate-authority", file, called);
                let ca_files = certificate_authority.iter().map(path);
                let mut ca_files = ca_files.collect::<Result<Vec<_>, _>>()?;
                ca_files.sort();
                ca_files.dedup();
                // The account in words, and then who is signed in, are two documents.
                let sign_in = !no_login && !output.json;
                output.of(Command::Add(Add {
                    issuer,
                    client_id,
                    client_secret: None,
                    scopes,
                    label: name,
                    tls: Tls {
                        ca_files,
                        ca_data: Vec::new(),
                    },
                    sign_in,
                    ask_secret: client_secret,
                }))
            }
            Verb::Renew { account, output } => output.of(Command::Renew { account }),
            Verb::Rename {
                account,
                name: label,
                output,
            } => output.of(Command::Rename { account, label }),
            Verb::Remove {
                account,
                yes,
                output,
            } => output.of(Command::Remove {
                account,
                ask_first: !yes,
            }),
            Verb::Stanza { account, output } => output.of(Command::Stanza { account }),
            Verb::Token { account, output } => Invocation::Token {
                account,
                json: output.json,
            },
            Verb::Trust {
                name: question,
                answer,
                output,
            } => output.of(match answer.answer() {
                Some(answer) => Command::Answer {
                    question,
                    answer,
                    others: Vec::new(),
                },
                None => Command::Ask { question },
            }),
            Verb::Untrust { name, output } => output.of(Command::Untrust { name }),
            Verb::Trusts { pending, output } => Invocation::Trusts {
                pending,
                json: output.json,
            },
            Verb::Contexts { file, output } => Invocation::Contexts {
                kubeconfig: file.kubeconfig,
                json: output.json,
            },
            Verb::Use {
                context,
                file,
                output,
            } => output.of(Command::Use {
                context,
                kubeconfig: file.kubeconfig,
            }),
            Verb::Reset { yes } => Invocation::Reset { yes },
            Verb::Set { setting } => Invocation::Do {
                command: Command::Choose {
                    choice: setting.into(),
                },
                json: false,
            },
            Verb::Version(Output { json }) => Invocation::Version { json },
            Verb::Completion { shell } => Invocation::Completion {
                shell: match shell {
                    CompletionShell::Bash => Shell::Bash,
                    CompletionShell::Zsh => Shell::Zsh,
                    CompletionShell::Fish => Shell::Fish,
                },
            },
        })
    }
}

impl From<Setting> for Choice {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Autostart { value } => Self::Autostart {
                on: match value {
                    OnOff::On => true,
                    OnOff::Off => false,
                },
            },
            Setting::KeepFresh { value } => Self::KeepFresh {
                when: match value {
                    KeepFreshWhen::Always => KeepFresh::Always,
                    KeepFreshWhen::WhileInUse => KeepFresh::WhileInUse,
                },
            },
            Setting::Theme { value } => Self::Theme {
                theme: match value {
                    Look::System => Theme::System,
                    Look::Light => Theme::Light,
                    Look::Dark => Theme::Dark,
                },
            },
            Setting::Language { value } => Self::Language {
                language: match value {
                    Spoken::En => Some(Language::En),
                    Spoken::Ko => Some(Language::Ko),
                    Spoken::Desktop => None,
                },
            },
        }
    }
}

impl Output {
    /// That command, its outcome told in this form.
    fn of(self, command: Command) -> Invocation {
        Invocation::Do {
            command,
            json: self.json,
        }
    }
}

impl AnswerFlags {
    fn answer(&self) -> Option<Answer> {
        [
            (self.once, Answer::Once),
            (self.container, Answer::Container),
            (self.always, Answer::Always),
            (self.no, Answer::No),
        ]
        .into_iter()
        .find_map(|(given, answer)| given.then_some(answer))
    }
}

/// What clap has to say other than a verb: a text that was asked for, or what is wrong.
fn outcome(error: &clap::Error, args: &[&str]) -> Result<Invocation, Problem> {
    let kind = error.kind();
    if kind == ErrorKind::DisplayVersion {
        return Ok(Invocation::Version { json: false });
    }
    if matches!(
        kind,
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return Ok(Invocation::Help(error.render().to_string()));
    }
    let context = |kind| error.get(kind).map(ToString::to_string);
    if let Some(command) = context(ContextKind::InvalidSubcommand) {
        return Err(Problem::UnknownCommand { command });
    }
    let command = match args.first() {
        Some(verb) if grammar().find_subcommand(verb).is_some() => format!("kubectl fob {verb}"),
        _ => "kubectl fob".to_owned(),
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let (argument, _) = argument.split_once('=').unwrap_or((&argument, ""));
    if kind == ErrorKind::MissingRequiredArgument {
        return Err(Problem::Incomplete {
            command,
            missing: argument.to_owned(),
        });
    }
    // The value is named where it is a word of its own, and not where it may be anything.
    let word = context(ContextKind::InvalidValue)
        .filter(|value| kind == ErrorKind::InvalidValue && !value.is_empty())
        .unwrap_or_else(|| argument.to_owned());
    Err(Problem::NotUnderstood { command, word })
}
