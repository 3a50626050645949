//! Which server may have tokens of which account, who said so, and what a person is asked.
//!
//! Trust is in pairs. An answer is once (until the asking process ends), always, or no (for that
//! process, and ten minutes for the pair).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubeconfig::ServerKey;
use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::asker::ProcessId;
use crate::clock::{Moment, Wall};
use crate::manner::{self, Change, Manner};

/// How many of the contexts that led to a server are remembered.
const NAMED: usize = 16;

/// How long a no holds for its pair, whoever asks.
pub(crate) const NO_HOLDS: Duration = Duration::from_secs(10 * 60);
/// How many refusals are remembered; the oldest goes first.
const MOST_REFUSALS: usize = 1024;

/// An account and a server that may have its tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// Whose tokens.
    pub account: AccountId,
    /// Where they may go.
    pub server: Server,
}

/// The server of a pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// As a kubeconfig describes it.
    Known(Arc<ServerKey>),
    /// The request named none and the file set is out of sight; the digest of the shim's
    /// arguments stands for it.
    Unknown(String),
}

/// Who said yes to a pair, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When.
    pub at: Wall,
    /// How.
    pub by: By,
    /// The contexts that led to the server then.
    pub contexts: Vec<String>,
    /// The file that named it then.
    pub file: Option<String>,
    /// The ways to sign in that were approved with it, the newest last.
    #[serde(default)]
    pub manners: Vec<Manner>,
}

/// How a pair came to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// It stood in `~/.kube/config` when Kubefob first started.
    FirstStart,
    /// Our page in the browser.
    Page,
    /// Our window.
    Window,
    /// A terminal.
    Terminal,
}

/// Everything that was answered.
#[derive(Debug, Default)]
pub struct Trust {
    always: BTreeMap<Pair, Approval>,
    once: Vec<(ProcessId, Pair)>,
    refused: Vec<Refusal>,
}

#[derive(Debug)]
struct Refusal {
    pair: Pair,
    process: Option<ProcessId>,
    until: Moment,
}

/// What is known of a pair for one asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Tokens may go there.
    Trusted,
    /// Somebody said no.
    Refused,
    /// Nobody was asked yet.
    New,
}

impl Trust {
    /// What was kept from earlier.
    #[must_use]
    pub fn restored(always: Vec<(Pair, Approval)>) -> Self {
        Self {
            always: always.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The pairs that are trusted for good, in order.
    pub fn always(&self) -> impl Iterator<Item = (&Pair, &Approval)> {
        self.always.iter()
    }

    /// What holds of a pair for this process.
    #[must_use]
    pub fn standing(&self, pair: &Pair, process: Option<ProcessId>, now: Moment) -> Standing {
        let asked = |known: &ProcessId| Some(*known) == process;
        if self.always.contains_key(pair)
            || self
                .once
                .iter()
                .any(|(known, once)| asked(known) && once == pair)
        {
            return Standing::Trusted;
        }
        let refused = self.refused.iter().any(|refusal| {
            refusal.pair == *pair
                && (now < refusal.until || refusal.process.as_ref().is_some_and(asked))
        });
        if refused {
            Standing::Refused
        } else {
            Standing::New
        }
    }

    /// Trusts a pair for good.
    pub fn approve(&mut self, pair: Pair, mut approval: Approval) {
        approval.contexts.truncate(NAMED);
        self.refused.retain(|refusal| refusal.pair != pair);
        if let Some(known) = self.always.remove(&pair) {
            approval.manners = manner::joined(known.manners, approval.manners);
        }
        self.always.insert(pair, approval);
    }

    /// The yes for good to a pair.
    #[must_use]
    pub(crate) fn approval(&self, pair: &Pair) -> Option<&Approval> {
        self.always.get(pair)
    }

    /// The same, to note what goes with it.
    pub(crate) fn approval_mut(&mut self, pair: &Pair) -> Option<&mut Approval> {
        self.always.get_mut(pair)
    }

    /// Whether a pair is trusted for somebody who is still there.
    #[must_use]
    pub(crate) fn lasts(&self, pair: &Pair) -> bool {
        self.once.iter().any(|(_, once)| once == pair)
    }

    /// Trusts a pair until a process ends.
    pub fn approve_once(&mut self, pair: Pair, process: ProcessId) {
        self.refused.retain(|refusal| refusal.pair != pair);
        self.once.push((process, pair));
    }

    /// Remembers a no.
    pub fn refuse(&mut self, pair: Pair, process: Option<ProcessId>, now: Moment) {
        self.refused
            .retain(|refusal| refusal.process.is_some() || now < refusal.until);
        if self.refused.len() >= MOST_REFUSALS {
            self.refused.remove(0);
        }
        self.refused.push(Refusal {
            pair,
            process,
            until: now.after(NO_HOLDS),
        });
    }

    /// Takes a yes back. Whether there was one.
    pub fn revoke(&mut self, pair: &Pair) -> bool {
        self.once.retain(|(_, once)| once != pair);
        self.always.remove(pair).is_some()
    }

    /// Takes back whatever was said of an account.
    pub fn revoke_account(&mut self, account: &AccountId) {
        self.once.retain(|(_, pair)| pair.account != *account);
        self.always.retain(|pair, _| pair.account != *account);
        self.refused
            .retain(|refusal| refusal.pair.account != *account);
    }

    /// A process ended: what was said for it alone is over.
    pub fn ended(&mut self, process: ProcessId) {
        self.once.retain(|(known, _)| *known != process);
        for refusal in &mut self.refused {
            if refusal.process == Some(process) {
                refusal.process = None;
            }
        }
    }

    /// The processes for which something was said.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessId> {
        let once = self.once.iter().map(|(process, _)| *process);
        let mut all: Vec<_> = once
            .chain(self.refused.iter().filter_map(|refusal| refusal.process))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the same URL is trusted with another certificate authority.
    #[must_use]
    pub fn other_authority(&self, pair: &Pair) -> bool {
        let Server::Known(server) = &pair.server else {
            return false;
        };
        self.always.keys().any(|known| match &known.server {
            Server::Known(other) => other.url == server.url && other.ca != server.ca,
            Server::Unknown(_) => false,
        })
    }
}

impl Pair {
    /// A short name for people to type: enough of a digest to tell a few hundred pairs apart.
    #[must_use]
    pub fn name(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let digest = ring::digest::digest(&ring::digest::SHA256, &text);
        crate::secret::hex(digest.as_ref().get(..4).unwrap_or_default())
    }
}

impl Server {
    /// As it is shown: its URL, or nothing for an unknown one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Known(server) => Some(&server.url),
            Self::Unknown(_) => None,
        }
    }
}

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
}

/// One server, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ServerLine {
    /// Its URL, its host always whole or its end; or the words for an unknown one.
    pub server: String,
    /// The first of the contexts that lead to it.
    pub contexts: Vec<String>,
    /// How many more contexts do.
    pub more: usize,
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
    /// The same URL was trusted with another certificate authority.
    OtherAuthority,
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
    /// From now on.
    Always,
    /// Not for this process, and not for this pair for ten minutes.
    No,
}

/// What to be wary of before a pair is approved.
#[must_use]
pub fn wary(trust: &Trust, pair: &Pair) -> Vec<Wary> {
    match &pair.server {
        Server::Unknown(_) => vec![Wary::Unknown],
        Server::Known(server) => [
            (server.insecure_skip_tls_verify, Wary::SkipsTls),
            (server.proxy_url.is_some(), Wary::Proxy),
            (trust.other_authority(pair), Wary::OtherAuthority),
        ]
        .into_iter()
        .filter_map(|(holds, wary)| holds.then_some(wary))
        .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(server: &str) -> Pair {
        Pair {
            account: crate::account::tests::key().id(),
            server: Server::Unknown(server.to_owned()),
        }
    }

    const FIRST: ProcessId = ProcessId { pid: 7, started: 1 };
    const LATER: ProcessId = ProcessId { pid: 7, started: 2 };

    #[test]
    fn once_holds_for_one_process_even_if_its_number_comes_again() {
        let mut trust = Trust::default();
        trust.approve_once(pair("a"), FIRST);
        let standing = |trust: &Trust, process| trust.standing(&pair("a"), process, Moment(0));
        assert_eq!(standing(&trust, Some(FIRST)), Standing::Trusted);
        assert_eq!(standing(&trust, Some(LATER)), Standing::New);
        assert_eq!(standing(&trust, None), Standing::New);
        trust.ended(FIRST);
        assert_eq!(standing(&trust, Some(FIRST)), Standing::New);
    }

    #[test]
    fn no_holds_for_its_process_and_ten_minutes_for_the_pair() {
        let mut trust = Trust::default();
        trust.refuse(pair("a"), Some(FIRST), Moment(0));
        let at =
            |seconds: u64, process| trust.standing(&pair("a"), process, Moment(seconds * 1000));
        assert_eq!(at(599, Some(LATER)), Standing::Refused);
        assert_eq!(at(600, Some(LATER)), Standing::New);
        assert_eq!(at(600, Some(FIRST)), Standing::Refused);
        assert_eq!(
            trust.standing(&pair("b"), Some(FIRST), Moment(1)),
            Standing::New
        );
    }

    #[test]
    fn a_yes_undoes_a_no_and_can_be_taken_back() {
        let mut trust = Trust::default();
        trust.refuse(pair("a"), None, Moment(0));
        let approval = Approval {
            at: Wall(0),
            by: By::Terminal,
            contexts: vec![],
            file: None,
            manners: vec![],
        };
        trust.approve(pair("a"), approval);
        assert_eq!(
            trust.standing(&pair("a"), None, Moment(1)),
            Standing::Trusted
        );
        assert!(trust.revoke(&pair("a")));
        assert_eq!(trust.standing(&pair("a"), None, Moment(1)), Standing::New);
    }
}
