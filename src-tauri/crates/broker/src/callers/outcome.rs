//! What becomes of what a caller wants, as data. It gets its words in `show`.

use crate::account::AccountId;
use crate::clock::Wall;
use crate::command::{Completing, Shell};
use crate::credential::{ExecVersion, TokenFacts};
use crate::kubeconfigs::contexts::{ContextList, Switched};
use crate::problem::Problem;
use crate::question::{Answer, Question};
use crate::secret::BearerToken;
use crate::stanza::KubeconfigUser;
use crate::transaction::{Announced, SignOutOutcome};

/// What a caller is told, once.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is done, and there is nothing to say.
    Done,
    /// It is not done, and this is why.
    Refused(Problem),
    /// Which question is meant is not to be told: these wait, and nothing was answered.
    WhichQuestion(Problem),
    /// A credential for a plugin, good until then.
    Credential(ExecVersion, BearerToken, Wall),
    /// The token for a person, with what there is to say of it.
    Token(BearerToken, TokenFacts),
    /// Somebody is signed in.
    SignedIn {
        account: String,
        /// Who it is.
        name: String,
    },
    /// An account's tokens are renewed.
    Renewed {
        account: String,
        /// Who it is, by the new token.
        name: String,
        groups: Vec<String>,
        /// When it ends.
        expires: Wall,
    },
    /// A sign-in was given up.
    Cancelled(AccountId),
    /// A session is ended.
    SignedOut {
        account: String,
        ended: SignOutOutcome,
    },
    /// An account is removed.
    Removed {
        account: String,
        /// The contexts that still name it.
        contexts: Vec<String>,
        /// What became of its session; none: it had none.
        ended: Option<SignOutOutcome>,
    },
    /// All of it is forgotten, but for what the problems say.
    Reset {
        /// The sessions that were ended for it, by their accounts' names.
        ended: Vec<(String, SignOutOutcome)>,
        problems: Vec<Problem>,
        /// Where the settings are, which stay.
        settings: String,
    },
    /// A question is answered.
    Answered(Answer, Box<Question>),
    /// A question is closed without an answer.
    Left(String),
    /// An approval is taken back.
    Untrusted(String),
    /// A provider answers, and announces this.
    Provider(Announced),
    /// An account is made, or was there already.
    Added {
        account: AccountId,
        label: String,
        known: bool,
        stanza: KubeconfigUser,
    },
    /// How a kubeconfig uses an account.
    Stanza(KubeconfigUser),
    /// An account has another name.
    Renamed(String),
    /// A context is the current one.
    Switched(Switched),
    /// The contexts of a file set.
    Contexts(Box<ContextList>),
    /// What is shown, or a part of it.
    Listed(Listing),
    /// Which version this is.
    Version,
    /// A help text, as it is.
    Help(String),
    /// What may follow on a command line: some of what is shown.
    Completed(Completing),
    /// The same, with the contexts of a file set: their names, and what each is.
    CompletedWith(Completing, Vec<(String, String)>),
    /// A completion script.
    Completion(Shell),
    /// Something was done, and is not at rest.
    NotAtRest {
        /// Why. The first is told first: tray and window hear no more.
        problems: Vec<Problem>,
        /// What would have been told.
        done: Box<Outcome>,
    },
}

/// A part of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// All of it.
    Status,
    /// The accounts.
    Accounts,
    /// The approvals.
    Trusts,
    /// The questions that wait.
    Questions,
}

/// What a person is asked to type, in one line.
#[derive(Debug)]
pub(crate) enum Prompt {
    /// Whether servers may have tokens; and whether somebody waits for the answer.
    Question(Box<Question>, bool),
    /// A client secret, which is not shown.
    Secret,
    /// Whether an account is to be removed.
    Removal(String),
    /// Whether all of it is to be forgotten.
    Reset,
}

/// What happens meanwhile, told to whoever waits.
#[derive(Debug)]
pub(crate) enum Meanwhile {
    /// The question that it waits for stands in the window.
    AskedInWindow,
    /// It stands on a page.
    AskedOnPage,
    /// Its account is made; a sign-in follows.
    Outcome(Outcome),
    /// A yes for good is not at rest.
    Problem(Problem),
}

impl Outcome {
    /// The exit code of the command.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::WhichQuestion(_) | Self::NotAtRest { .. } => 1,
            Self::Reset { problems, .. } => u8::from(!problems.is_empty()),
            Self::Done
            | Self::Credential(..)
            | Self::Token(..)
            | Self::SignedIn { .. }
            | Self::Renewed { .. }
            | Self::Cancelled(_)
            | Self::SignedOut { .. }
            | Self::Removed { .. }
            | Self::Answered(..)
            | Self::Left(_)
            | Self::Untrusted(_)
            | Self::Provider(_)
            | Self::Added { .. }
            | Self::Stanza(_)
            | Self::Renamed(_)
            | Self::Switched(_)
            | Self::Contexts(_)
            | Self::Listed(_)
            | Self::Version
            | Self::Help(_)
            | Self::Completed(_)
            | Self::CompletedWith(..)
            | Self::Completion(_) => 0,
        }
    }
}
