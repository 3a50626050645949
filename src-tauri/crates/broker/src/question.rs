//! A question to a person, as it is shown, and what can be said to it.

use serde::{Deserialize, Serialize};

use crate::manner::Change;
use crate::short::listed;
use crate::texts::Language;

/// A question that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// What a person is asked before a server gets tokens of an account, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The account, by the name that people know it by.
    pub account: String,
    /// Its issuer.
    pub issuer: String,
    /// Its client id.
    pub client_id: String,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Who vouches for the issuer, beside those whom the system trusts.
    pub vouched: Vouched,
    /// The servers that the request needs; all of them are approved together.
    pub servers: Vec<ServerLine>,
    /// The file set's other servers of this account, to be ticked by whoever wants to.
    pub others: Vec<ServerLine>,
    /// How many more of them there are, which are asked about when they are needed.
    pub more: usize,
    /// The kubeconfig that names them, where it is known.
    pub file: Option<String>,
    /// The program that asks.
    pub asker: String,
    /// Nobody uses an account at this issuer: it may be anybody's.
    pub new_issuer: bool,
    /// In what it would have the person sign in otherwise than was approved.
    pub changes: Vec<Change>,
    /// The longest that a yes may hold.
    pub longest: Longest,
    /// The servers that the container's own files name. It is no evidence: the container is somebody else's, perhaps.
    pub claims: Vec<String>,
}

/// The certificate authorities that an account has of its own: with others it is another account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Vouched {
    /// Those that stand in files.
    pub files: Vec<String>,
    /// Whether the kubeconfig has one written in it.
    pub written: bool,
}

/// One server, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ServerLine {
    /// Its URL, its host always whole or its end; or the words for an unknown one.
    pub server: String,
    /// The first of the contexts that lead to it.
    pub contexts: Vec<String>,
    /// How many more contexts do.
    pub more: usize,
    /// The proxy that its tokens go through, by the file's word.
    pub proxy: Option<String>,
    /// Whether the file brings the authority that must have signed its certificate: else the system's count.
    pub own_authority: bool,
    /// What to be wary of.
    pub wary: Vec<Wary>,
}

/// Something to be wary of in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Wary {
    /// `insecure-skip-tls-verify`: anybody on the way can read the token.
    SkipsTls,
    /// `proxy-url`: the token goes through another host.
    Proxy,
    /// The same, and the file brings the authority too: whoever wrote it can have the proxy read the token.
    ProxyReads,
    /// The same address was trusted with another certificate authority.
    OtherAuthority,
    /// `tls-server-name`: whoever has the certificate of another name than the address's can get the token.
    ServerName,
    /// The same address was trusted with another `tls-server-name`, or without one.
    OtherName,
    /// The server is not known: the request names none, and the file set is out of sight.
    Unknown,
}

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Until the asking process ends.
    Once,
    /// Until the container that it sits in ends.
    Container,
    /// From now on.
    Always,
    /// Not for this process, and not for these servers for ten minutes.
    No,
}

/// The longest that a yes to a question may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Longest {
    /// For the asking process: it can't be seen which server it is.
    Once,
    /// Until the container that it sits in ends: its files can't be believed.
    Container,
    /// From now on.
    Always,
}

impl Question {
    /// Its first servers in a line, and how many more there are.
    pub(crate) fn servers_line(&self, language: Language) -> String {
        servers_line(&self.servers, language)
    }
}

/// The first servers of a question in a line, and how many more there are.
pub(crate) fn servers_line(servers: &[ServerLine], language: Language) -> String {
    const FIRST: usize = 2;
    let (first, rest) = servers.split_at(servers.len().min(FIRST));
    let first: Vec<String> = first.iter().map(|line| line.server.clone()).collect();
    listed(&first, rest.len(), language)
}

impl Answer {
    /// Whether it lets servers have tokens.
    pub(crate) fn is_yes(self) -> bool {
        match self {
            Self::Once | Self::Container | Self::Always => true,
            Self::No => false,
        }
    }
}

impl Longest {
    /// Whether a question that may be allowed so long takes this answer.
    #[must_use]
    pub fn takes(self, answer: Answer) -> bool {
        match (answer, self) {
            (Answer::Once | Answer::No, _)
            | (Answer::Container, Self::Container)
            | (Answer::Always, Self::Always) => true,
            (Answer::Container, Self::Once | Self::Always)
            | (Answer::Always, Self::Once | Self::Container) => false,
        }
    }
}
