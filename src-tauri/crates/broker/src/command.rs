//! What a client asks for, typed once. Tray, window and terminal have no other way in.

use crate::account::{AccountKey, ClientSettings};
use crate::credential::{ExecCluster, ExecVersion};
use crate::trust::Answer;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A token for kubectl, as an exec credential plugin gives it.
    GetToken(Box<GetToken>),
    /// Sign in.
    Login {
        /// To which account; none: the only one, or the one that needs it.
        account: Option<String>,
        /// Whether to open a browser; if not, the address is said.
        open_browser: bool,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Sign out.
    Logout {
        /// Of which account; none: the only one.
        account: Option<String>,
        /// End the provider's own session too.
        everywhere: bool,
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
    /// Let a server have an account's tokens: opens the question, or answers it where the
    /// endpoint may.
    Trust {
        /// The short name of a question or pair; none: the question that waits.
        name: Option<String>,
        /// What a person answers; none: the question is shown and asked.
        answer: Option<Answer>,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Take an approval back.
    Untrust {
        /// The short name of the pair.
        name: String,
        /// Tell the outcome as JSON.
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
    /// Make a context the current one.
    Use {
        /// Its name.
        context: String,
        /// In this file alone (`--kubeconfig`).
        kubeconfig: Option<String>,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Which version this is.
    Version {
        /// As JSON.
        json: bool,
    },
    /// A help text, to be printed as it is.
    Help(String),
    /// A completion script.
    Completion {
        /// For which shell.
        shell: Shell,
    },
}

impl Command {
    /// Whether the answer depends on the tokens that there are.
    #[must_use]
    pub fn needs_tokens(&self) -> bool {
        match self {
            Self::GetToken(_) | Self::Login { .. } | Self::Logout { .. } | Self::Token { .. } => {
                true
            }
            Self::Status { .. }
            | Self::Accounts { .. }
            | Self::Trust { .. }
            | Self::Untrust { .. }
            | Self::Trusts { .. }
            | Self::Contexts { .. }
            | Self::Use { .. }
            | Self::Version { .. }
            | Self::Help(_)
            | Self::Completion { .. } => false,
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
    /// Whether the client says that it has a terminal. `kubectl __complete` says so too.
    pub interactive: bool,
    /// The server, where the client names it (`provideClusterInfo`).
    pub cluster: Option<ExecCluster>,
}

/// How a question names its account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "it lives in the box of its question"
)]
pub enum Which {
    /// By kubelogin's flags, which find or make an account.
    Flags {
        /// What they identify.
        key: AccountKey,
        /// What they say besides. The proxies are the asker's: they are not in any flag.
        settings: ClientSettings,
    },
    /// By the name of an account that exists (`--account NAME`).
    Named(String),
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
