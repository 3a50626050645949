//! Which account's tokens which server may have, and what a person is asked about it.

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
    /// The servers that the request needs; all of them are approved together.
    pub servers: Vec<ServerLine>,
    /// The file set's other servers of this account, to be ticked by whoever wants to.
    pub others: Vec<ServerLine>,
    /// The kubeconfig that names them, where it is known.
    pub file: Option<String>,
    /// The program that asks.
    pub asker: String,
}

/// One server, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLine {
    /// Its URL, or the words for an unknown one.
    pub server: String,
    /// The contexts that lead to it.
    pub contexts: Vec<String>,
    /// What to be wary of.
    pub wary: Vec<Wary>,
}

/// Something to be wary of in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wary {
    /// `insecure-skip-tls-verify`: anybody on the way can read the token.
    SkipsTls,
    /// `proxy-url`: the token goes through another host.
    Proxy,
    /// The same URL was trusted with another certificate authority.
    OtherAuthority,
    /// The server is not known: the request names none, and the file set is out of sight.
    Unknown,
}

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Until the asking process ends.
    Once,
    /// From now on.
    Always,
    /// Not for this process, and not for this pair for ten minutes.
    No,
}
