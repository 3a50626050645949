//! Contexts: listing them, and making one the current one.
//!
//! What the kubeconfigs say comes in with the command; a change goes out as one effect, which locks, edits and writes,
//! and comes back with its outcome. A current context is always that of a file.

use std::path::PathBuf;

use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::asker::Asker;
use crate::command::Completing;
use crate::problem::Problem;

/// A person's command about contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextCommand {
    /// By which number it is answered.
    pub caller: CallerId,
    /// Who asks.
    pub asker: Asker,
    /// What for.
    pub wish: ContextWish,
    /// What the asker's kubeconfigs say.
    pub kubeconfigs: ContextList,
}

/// What is to be done with contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextWish {
    /// List them.
    List {
        /// As JSON.
        json: bool,
    },
    /// Make one the current one.
    Use {
        /// Its name.
        context: String,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Sign in to the account of the current one.
    SignIn {
        /// Whether to open a browser; if not, an address of one's own is told.
        open_browser: bool,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Complete the name of one.
    Complete(Completing),
}

/// A file set, merged as kubectl does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextList {
    /// The contexts, by name.
    pub contexts: Vec<Context>,
    /// The current one's name; it may lead nowhere.
    pub current: Option<String>,
    /// The file that a switch is written to (client-go `tools/clientcmd/config.go`: `ModifyConfig`, the default file).
    pub file: PathBuf,
}

/// A context, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The API server's address, where the cluster exists.
    pub server: Option<String>,
    /// The name of its user.
    pub user: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// The file that it stands in.
    pub file: String,
    /// The account that its user's `exec` makes, where it runs us.
    pub account: Option<AccountId>,
    /// Whether it calls us by kubelogin's name.
    pub kubelogin: bool,
}

/// A current context to be written, and who wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// By which number the outcome is told.
    pub caller: CallerId,
    /// The file.
    pub file: PathBuf,
    /// The context.
    pub context: String,
    /// The one before.
    pub previous: Option<String>,
}

/// A switch that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Switched {
    /// The context that is the current one now.
    pub(crate) context: String,
    /// The one before.
    pub(crate) previous: Option<String>,
    /// The file.
    pub(crate) file: PathBuf,
}

/// What becomes of a person's command about contexts.
#[derive(Debug)]
pub(crate) enum Step {
    /// They are listed.
    List(ContextList),
    /// The name of one is completed: these are there, and this is what each is.
    Complete(Completing, Vec<(String, String)>),
    /// Somebody signs in to the account of this context; none: the current one, if there is one, is not of an account.
    SignIn {
        current: Option<(String, AccountId)>,
        open_browser: bool,
    },
    /// A file is changed.
    Edit(Box<Edit>),
    /// There is no such context.
    Refuse(Problem),
}

/// What is done about a command.
pub(crate) fn carry_out(command: ContextCommand) -> Step {
    let ContextCommand {
        caller,
        asker: _,
        wish,
        kubeconfigs,
    } = command;
    match wish {
        ContextWish::List { .. } => Step::List(kubeconfigs),
        ContextWish::SignIn { open_browser, .. } => Step::SignIn {
            current: kubeconfigs.current_account(),
            open_browser,
        },
        ContextWish::Complete(completing) => {
            let names = kubeconfigs.contexts.into_iter();
            let names = names.map(|each| (each.name, each.server.unwrap_or_default()));
            Step::Complete(completing, names.collect())
        }
        ContextWish::Use { context, json: _ } => {
            if !kubeconfigs.contexts.iter().any(|each| each.name == context) {
                return Step::Refuse(no_such(context, &kubeconfigs));
            }
            Step::Edit(Box::new(Edit {
                caller,
                file: kubeconfigs.file,
                context,
                previous: kubeconfigs.current,
            }))
        }
    }
}

impl ContextList {
    /// The current context, and the account that signs in there.
    fn current_account(&self) -> Option<(String, AccountId)> {
        let current = self.current.as_ref()?;
        let context = self.contexts.iter().find(|one| one.name == *current)?;
        Some((context.name.clone(), context.account.clone()?))
    }
}

impl ContextWish {
    /// Whether the answer depends on the tokens that there are.
    pub(crate) fn needs_tokens(&self) -> bool {
        match self {
            Self::SignIn { .. } => true,
            Self::List { .. } | Self::Use { .. } | Self::Complete(_) => false,
        }
    }

    /// Whether its outcome is told as JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::List { json } | Self::Use { json, .. } | Self::SignIn { json, .. } => *json,
            Self::Complete(_) => false,
        }
    }
}

fn no_such(name: String, kubeconfigs: &ContextList) -> Problem {
    let wanted = name.to_lowercase();
    let near: Vec<&str> = kubeconfigs
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .filter(|known| !wanted.is_empty() && known.to_lowercase().contains(&wanted))
        .take(3)
        .collect();
    if near.is_empty() {
        Problem::NoSuchContext { name }
    } else {
        let near = near.join(", ");
        Problem::NoSuchContextNear { name, near }
    }
}
