//! What a caller is owed.

use std::sync::Arc;

use crate::account::AccountId;
use crate::accounts::adding::Draft;
use crate::accounts::held::Client;
use crate::asker::Asker;
use crate::command::{Add, Flags};
use crate::credential::ExecVersion;
use crate::manner::Manner;
use crate::pair::{Servers, name_of};

/// What a caller is owed.
#[derive(Debug)]
pub(crate) enum Wish {
    /// A credential of an account, for servers.
    Credential(Credential),
    /// An account's raw token, for a person.
    Token { account: AccountId },
    /// An account's tokens renewed, now.
    Renewal { account: AccountId },
    /// To be signed in.
    SignIn {
        account: AccountId,
        open_browser: bool,
    },
    /// An answer to a question that waits.
    Answer,
    /// The end of a session, of an account, or of everything: `ending` knows which.
    End,
    /// What a provider announces, or the account that is made of it.
    Discovery { draft: Option<Box<Draft>> },
    /// A line that a person types.
    Line(Asked),
    /// Something that is told at once, or by whoever carries it out.
    Reply,
}

/// A credential that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) version: ExecVersion,
    /// Whether a client library asks, which keeps what it is given.
    pub(crate) by_client: bool,
    pub(crate) account: AccountId,
    pub(crate) servers: Arc<Servers>,
    /// What it is asked with; none: by the account's name.
    pub(crate) flags: Option<Arc<Flags>>,
    /// The asker's kubeconfigs.
    pub(crate) files: Arc<[String]>,
}

impl Credential {
    /// Who keeps what it is given; none: nobody does, or that can't be told.
    pub(crate) fn client(&self, asker: &Asker) -> Option<Client> {
        let process = asker.process.filter(|_| self.by_client)?;
        let servers = self.servers.needed.iter();
        let servers: Vec<_> = servers.map(|candidate| &candidate.server).collect();
        Some(Client {
            process,
            account: self.account.clone(),
            manner: self.manner().cloned(),
            cluster: name_of(&servers),
        })
    }

    /// How it would have the person sign in; none: as the account does.
    pub(crate) fn manner(&self) -> Option<&Manner> {
        self.flags.as_ref().map(|flags| flags.manner())
    }
}

/// What a person was asked to type.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A client secret, and then the account is made.
    Secret(Box<Add>),
    /// Whether an account is to be removed.
    Removal(AccountId),
    /// Whether all of it is to be forgotten.
    Reset,
}

impl Wish {
    /// The account whose token or session it is about.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Credential(Credential { account, .. })
            | Self::Token { account }
            | Self::Renewal { account }
            | Self::SignIn { account, .. }
            | Self::Line(Asked::Removal(account)) => Some(account),
            Self::Answer
            | Self::End
            | Self::Discovery { .. }
            | Self::Line(Asked::Secret(_) | Asked::Reset)
            | Self::Reply => None,
        }
    }

    /// The credential that it is.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        if let Self::Credential(credential) = self {
            Some(credential)
        } else {
            None
        }
    }

    /// Whether a person asks to be signed in, and by which means: a browser, or an address to be told.
    pub(crate) fn opens_browser(&self) -> Option<bool> {
        if let Self::SignIn { open_browser, .. } = self {
            Some(*open_browser)
        } else {
            None
        }
    }
}

/// Whether a line that was typed after a question says yes, in any of our languages.
pub(crate) fn is_yes(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    ["y", "yes", "예", "네"].contains(&line.as_str())
}
