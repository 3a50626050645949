//! What a client asks for, typed once.

use serde::{Deserialize, Serialize};

use std::sync::Arc;

use crate::account::{AccountId, AccountKey, ClientSettings, Tls};
use crate::credential::{ExecCluster, ExecVersion};
use crate::manner::Manner;
use crate::question::Answer;
use crate::secret::ClientSecret;
use crate::settings::Choice;

/// What a person wants done. Tray, window and terminal have no other way in; as JSON it is what a window sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Sign in. Where a page is open already, it is opened once more.
    SignIn {
        /// To which account; none: the only one, or the one that needs it.
        account: Option<String>,
        /// Whether to open a browser; if not, an address of one's own is told.
        open_browser: bool,
    },
    /// Renew the tokens now, without a page: what the provider says of the account has changed, its groups perhaps.
    Renew {
        /// Of which account; none: the only one.
        account: Option<String>,
    },
    /// Give the sign-in up that is under way.
    Cancel {
        /// Of which account.
        account: String,
    },
    /// Sign out.
    SignOut {
        /// Of which account; none: the only one.
        account: Option<String>,
        /// End the provider's own session too.
        everywhere: bool,
    },
    /// Take a question up that waits: it is asked where this person may be asked.
    Ask {
        /// Its name; none: the only one.
        question: Option<String>,
    },
    /// Answer a question. Whether it counts is the endpoint's.
    Answer {
        /// Its name; none: the only one.
        question: Option<String>,
        /// What a person says.
        answer: Answer,
        /// Which of the file's other servers were ticked, by their place in the question.
        others: Vec<usize>,
    },
    /// Close a question without an answer: the next command asks anew.
    Leave {
        /// Its name; none: all that the window asks.
        question: Option<String>,
    },
    /// Take an approval back.
    Untrust {
        /// The name of the pair.
        name: String,
    },
    /// Make a context the current one.
    Use {
        /// Its name.
        context: String,
        /// In this file; none: the one that the asker's own environment says.
        kubeconfig: Option<String>,
    },
    /// Look whether a provider is there, before anything is made of it.
    Discover {
        /// Its issuer.
        issuer: String,
    },
    /// Make an account.
    Add(Add),
    /// Say how a kubeconfig uses an account.
    Stanza {
        /// Which; none: the only one.
        account: Option<String>,
    },
    /// Call an account otherwise.
    Rename {
        /// Which.
        account: String,
        /// What it is called from now on.
        label: String,
    },
    /// Remove an account: sign it out, and forget all of it.
    Remove {
        /// Which.
        account: String,
        /// Ask on the terminal before. The window has asked by itself.
        #[serde(skip)]
        #[cfg_attr(test, ts(skip))]
        ask_first: bool,
    },
    /// Try a provider that was not reached again, at once.
    TryNow {
        /// Of which account.
        account: String,
    },
    /// Choose a setting.
    Choose {
        /// Which, and what.
        choice: Choice,
    },
    /// Show the window.
    Open {
        /// At which of its screens; none: where it is.
        screen: Option<ScreenName>,
    },
}

/// A screen of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ScreenName {
    /// Who is signed in.
    Accounts,
    /// The kubeconfigs' contexts.
    Contexts,
    /// Which servers may have tokens.
    Trusted,
    /// How Kubefob behaves.
    Settings,
    /// One that another version has.
    #[serde(other, skip_serializing)]
    #[cfg_attr(test, ts(skip))]
    Unknown,
}

/// An account to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The issuer.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// The client secret; none: a public client, or one whose secret is asked for.
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub client_secret: Option<ClientSecret>,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// What to call it; none: by its provider's host.
    pub label: Option<String>,
    /// Certificate authorities in the place of the system's. A command line names them; no window loosens TLS.
    #[serde(skip)]
    #[cfg_attr(test, ts(skip))]
    pub tls: Tls,
    /// Sign in to it at once.
    pub sign_in: bool,
    /// Ask for the client secret on the terminal before.
    #[serde(skip)]
    #[cfg_attr(test, ts(skip))]
    pub ask_secret: bool,
}

impl Command {
    /// Whether what becomes of it depends on the tokens that there are.
    #[must_use]
    pub fn needs_tokens(&self) -> bool {
        match self {
            Self::SignIn { .. }
            | Self::Renew { .. }
            | Self::SignOut { .. }
            | Self::Remove { .. } => true,
            Self::Cancel { .. }
            | Self::Ask { .. }
            | Self::Answer { .. }
            | Self::Leave { .. }
            | Self::Untrust { .. }
            | Self::Use { .. }
            | Self::Discover { .. }
            | Self::Add(_)
            | Self::Stanza { .. }
            | Self::Rename { .. }
            | Self::TryNow { .. }
            | Self::Choose { .. }
            | Self::Open { .. } => false,
        }
    }
}

impl Command {
    /// Whether whoever sits in a container may have it done: what asks a person, and what is undone by asking again.
    fn is_for_containers(&self) -> bool {
        match self {
            Self::SignIn { .. }
            | Self::Cancel { .. }
            | Self::Ask { .. }
            | Self::Answer { .. }
            | Self::Leave { .. }
            | Self::TryNow { .. }
            | Self::Open { .. } => true,
            Self::Renew { .. }
            | Self::SignOut { .. }
            | Self::Untrust { .. }
            | Self::Use { .. }
            | Self::Discover { .. }
            | Self::Add(_)
            | Self::Stanza { .. }
            | Self::Rename { .. }
            | Self::Remove { .. }
            | Self::Choose { .. } => false,
        }
    }
}

/// What a command line asks for: something to be done, or something to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// A token for kubectl, as an exec credential plugin gives it.
    GetToken(Box<GetToken>),
    /// Something to be done.
    Do {
        /// What.
        command: Command,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Who is signed in, until when, and what is wrong.
    Status {
        /// As JSON.
        json: bool,
    },
    /// Every account.
    Accounts {
        /// As JSON.
        json: bool,
    },
    /// The raw ID token, for a person who wants to look into it.
    Token {
        /// Of which account; none: the only one.
        account: Option<String>,
        /// With its expiry, as JSON.
        json: bool,
    },
    /// Which server may have which account's tokens.
    Trusts {
        /// The questions that wait for an answer instead.
        pending: bool,
        /// As JSON.
        json: bool,
    },
    /// The contexts of the asker's kubeconfigs.
    Contexts {
        /// Of this file alone (`--kubeconfig`).
        kubeconfig: Option<String>,
        /// As JSON.
        json: bool,
    },
    /// Which version this is.
    Version {
        /// As JSON.
        json: bool,
    },
    /// All of it forgotten, sessions ended before.
    Reset {
        /// Without a question.
        yes: bool,
    },
    /// A help text, to be printed as it is.
    Help(String),
    /// What may follow on a command line.
    Complete(Completing),
    /// A completion script.
    Completion {
        /// For which shell.
        shell: Shell,
    },
}

impl Invocation {
    /// Whether it is told as JSON.
    #[must_use]
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Do { json, .. }
            | Self::Status { json }
            | Self::Accounts { json }
            | Self::Token { json, .. }
            | Self::Trusts { json, .. }
            | Self::Contexts { json, .. }
            | Self::Version { json } => *json,
            Self::GetToken(_)
            | Self::Reset { .. }
            | Self::Help(_)
            | Self::Complete(_)
            | Self::Completion { .. } => false,
        }
    }

    /// Whether the answer depends on the tokens that there are.
    #[must_use]
    pub fn needs_tokens(&self) -> bool {
        match self {
            Self::GetToken(_) | Self::Token { .. } | Self::Reset { .. } | Self::Status { .. } => {
                true
            }
            Self::Do { command, .. } => command.needs_tokens(),
            Self::Accounts { .. }
            | Self::Trusts { .. }
            | Self::Contexts { .. }
            | Self::Version { .. }
            | Self::Help(_)
            | Self::Complete(_)
            | Self::Completion { .. } => false,
        }
    }
}

impl Invocation {
    /// Whether whoever sits in a container may have it. A container is given a socket so that it may ask for tokens, and a
    /// person says to which servers: it takes none without, changes nothing of theirs and reads none of their files.
    #[must_use]
    pub fn is_for_containers(&self) -> bool {
        match self {
            Self::GetToken(_)
            | Self::Status { .. }
            | Self::Accounts { .. }
            | Self::Trusts { .. }
            | Self::Version { .. }
            | Self::Help(_)
            | Self::Completion { .. } => true,
            Self::Do { command, .. } => command.is_for_containers(),
            Self::Complete(completing) => match completing.names {
                Some(Names::Contexts(_)) => false,
                Some(Names::Accounts | Names::Questions | Names::Approvals) | None => true,
            },
            Self::Token { .. } | Self::Contexts { .. } | Self::Reset { .. } => false,
        }
    }
}

/// A question for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetToken {
    /// Of which account.
    pub account: Which,
    /// The ExecCredential version to answer in.
    pub version: ExecVersion,
    /// The server, where the client names it (`provideClusterInfo`).
    pub cluster: Option<ExecCluster>,
}

/// How a question names its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By kubelogin's flags, which find or make an account.
    Flags(Arc<Flags>),
    /// By the name of an account that exists (`--account NAME`).
    Named(String),
}

/// What kubelogin's flags say, with the id that follows from it.
#[derive(Debug, PartialEq, Eq)]
pub struct Flags {
    id: AccountId,
    key: AccountKey,
    settings: ClientSettings,
    manner: Manner,
}

impl Flags {
    /// `settings` is what they say besides the key. The proxies are the asker's: they are not in any flag.
    #[must_use]
    pub fn new(key: AccountKey, settings: ClientSettings) -> Self {
        Self {
            id: key.id(),
            key,
            manner: Manner::of(&settings),
            settings,
        }
    }

    /// The account's id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// What they identify.
    #[must_use]
    pub fn key(&self) -> &AccountKey {
        &self.key
    }

    /// What they say besides.
    #[must_use]
    pub fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// What of it is approved by its value.
    #[must_use]
    pub fn manner(&self) -> &Manner {
        &self.manner
    }
}

/// A shell that completion can be had for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// What is being completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completing {
    /// How the word begins, as far as it was typed.
    pub beginning: String,
    /// The words that the grammar knows, and what each is for.
    pub words: Vec<(String, String)>,
    /// Names of something that may stand there too.
    pub names: Option<Names>,
    /// A file may.
    pub file: bool,
}

/// Of what the names are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Accounts.
    Accounts,
    /// Questions that wait.
    Questions,
    /// Approvals.
    Approvals,
    /// Contexts of the file that `--kubeconfig` names, else of the asker's.
    Contexts(Option<String>),
}
