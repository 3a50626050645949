//! Which token a client-go process holds, and what it says of it by asking again.
//!
//! client-go keeps a credential until the expiry that it was told, per process, stanza and cluster; when its API server
//! answers 401, it runs the plugin again (`plugin/pkg/client/auth/exec/exec.go`, `maybeRefreshCreds`). So who asks again
//! before that was refused with that token. It is renewed once: groups or keys may have changed. Where the next one is
//! refused too, renewing is no remedy.

use std::collections::{BTreeMap, VecDeque};

use crate::account::AccountId;
use crate::asker::ProcessId;
use crate::clock::{Moment, Now, Wall};
use crate::manner::Manner;
use crate::pair::{Candidate, Server};

/// How many processes are remembered; the oldest goes first.
const MOST: usize = 256;
/// Of how many clusters it is remembered that they refused a token.
const MOST_REFUSING: usize = 64;

/// Who asks for a token of an account, by which stanza and for which servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) process: ProcessId,
    pub(crate) account: AccountId,
    /// What its stanza says of ways to sign in, by which it is told from another of the same account; none: it names the
    /// account.
    pub(crate) manner: Option<Manner>,
    /// The servers, by a name that only they have.
    pub(crate) cluster: String,
}

/// What is held, and by whom it was refused.
#[derive(Debug, Default)]
pub(crate) struct HeldTokens {
    held: VecDeque<Held>,
    refusing: BTreeMap<(AccountId, String), Refusing>,
    /// Whether what is told of refusals may be another since it was looked at.
    news: bool,
}

/// A token that a client holds, by its fingerprint.
#[derive(Debug)]
struct Held {
    client: Client,
    token: String,
    /// Until when it does not ask again, as it was told.
    until: Wall,
}

/// What a cluster made of an account's tokens.
#[derive(Debug, PartialEq, Eq)]
enum Refusing {
    /// It refused this one, which was renewed for that.
    One { token: String, next: Option<String> },
    /// It refused the next one too.
    All(Verdict),
}

/// That a cluster refuses tokens however fresh they are. It stands until a token that it did not refuse was good until its
/// end.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    /// Which servers it may be.
    servers: Vec<Server>,
    /// The token that it refused last.
    last: String,
    /// When clients ask again that were given another one since, and have not asked before.
    taken_at: Option<Wall>,
}

impl Verdict {
    /// Whether it stands.
    fn stands(&self, now: Wall) -> bool {
        self.taken_at.is_none_or(|end| now < end)
    }
}

/// What an ask says of the token that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Nothing.
    Nothing,
    /// It was refused, and renewing it may help.
    Renew,
    /// It was refused, and renewing it does not help.
    Refused,
}

impl HeldTokens {
    /// A client was given a token, and told that it is good until then.
    pub(crate) fn given(&mut self, client: Client, token: String, until: Wall) {
        let key = (client.account.clone(), client.cluster.clone());
        match self.refusing.get_mut(&key) {
            Some(Refusing::One { token: old, next }) if *old != token => {
                next.get_or_insert_with(|| token.clone());
            }
            Some(Refusing::All(verdict)) if verdict.last != token && verdict.taken_at.is_none() => {
                verdict.taken_at = Some(until);
                self.news = true;
            }
            Some(Refusing::One { .. } | Refusing::All(_)) | None => {}
        }
        self.held.retain(|held| held.client != client);
        if self.held.len() >= MOST {
            self.held.pop_front();
        }
        self.held.push_back(Held {
            client,
            token,
            until,
        });
    }

    /// A client asks, where this token is at hand; `servers`: what it is for.
    pub(crate) fn asks(
        &mut self,
        client: &Client,
        token: &str,
        servers: &[Candidate],
        now: Wall,
    ) -> Says {
        let key = (client.account.clone(), client.cluster.clone());
        if let Some(Refusing::All(verdict)) = self.refusing.get(&key)
            && !verdict.stands(now)
        {
            self.refusing.remove(&key);
            self.news = true;
        }
        let held = self.held.iter().find(|held| held.client == *client);
        let Some(held) = held.filter(|held| now < held.until) else {
            return Says::Nothing;
        };
        let is_newest = held.token == token;
        match self.refusing.get_mut(&key) {
            Some(Refusing::All(verdict)) => {
                verdict.last.clone_from(&held.token);
                self.news |= verdict.taken_at.take().is_some();
                Says::Refused
            }
            Some(Refusing::One {
                next: Some(next), ..
            }) if *next == held.token => {
                let verdict = Verdict {
                    servers: servers.iter().map(|one| one.server.clone()).collect(),
                    last: held.token.clone(),
                    taken_at: None,
                };
                self.refusing.insert(key, Refusing::All(verdict));
                self.news = true;
                Says::Refused
            }
            Some(Refusing::One { token: old, .. }) if *old == held.token => Says::Refused,
            // There is a newer one already.
            Some(Refusing::One { .. }) | None if !is_newest => Says::Nothing,
            Some(Refusing::One { .. }) | None => {
                if self.refusing.len() >= MOST_REFUSING && !self.refusing.contains_key(&key) {
                    self.refusing.pop_first();
                }
                let token = token.to_owned();
                self.refusing
                    .insert(key, Refusing::One { token, next: None });
                Says::Renew
            }
        }
    }

    /// Whether what is told of refusals may be another since the last look.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// What refuses fresh tokens of an account: a server, or several that it may be.
    pub(crate) fn refusing(&self, id: &AccountId, now: Wall) -> impl Iterator<Item = &[Server]> {
        let of_it = self
            .refusing
            .iter()
            .filter(move |((account, _), _)| account == id);
        of_it.filter_map(move |(_, refusing)| match refusing {
            Refusing::All(verdict) => verdict.stands(now).then_some(verdict.servers.as_slice()),
            Refusing::One { .. } => None,
        })
    }

    /// When what is told of refusals changes by itself.
    pub(crate) fn next(&self, now: Now) -> Option<Moment> {
        let ends = self
            .refusing
            .values()
            .filter_map(|refusing| match refusing {
                Refusing::All(verdict) => verdict.taken_at.filter(|end| now.wall < *end),
                Refusing::One { .. } => None,
            });
        ends.map(|end| now.moment_of(end)).min()
    }

    /// An account's session is over: what was made of its tokens says nothing of others.
    pub(crate) fn forget(&mut self, id: &AccountId) {
        self.held.retain(|held| held.client.account != *id);
        self.refusing.retain(|(account, _), _| account != id);
    }

    /// A process ended.
    pub(crate) fn ended(&mut self, process: ProcessId) {
        self.held.retain(|held| held.client.process != process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::key;

    fn client(pid: u32, cluster: &str) -> Client {
        Client {
            process: ProcessId { pid, started: 1 },
            account: key().id(),
            manner: None,
            cluster: cluster.to_owned(),
        }
    }

    /// How many are said to refuse, at that second.
    fn refusing(held: &HeldTokens, second: i64) -> usize {
        held.refusing(&key().id(), Wall(second * 1_000)).count()
    }

    /// A token is given, and asked for again at that second of its minute.
    fn given(held: &mut HeldTokens, client: &Client, token: &str) {
        held.given(client.clone(), token.to_owned(), Wall(60_000));
    }

    fn asks(held: &mut HeldTokens, client: &Client, token: &str, second: i64) -> Says {
        held.asks(client, token, &[], Wall(second * 1_000))
    }

    #[test]
    fn who_asks_before_the_end_was_refused_and_after_it_was_not() {
        let mut held = HeldTokens::default();
        let k9s = client(1, "prod");
        assert_eq!(
            asks(&mut held, &k9s, "a", 0),
            Says::Nothing,
            "it holds none"
        );
        given(&mut held, &k9s, "a");
        assert_eq!(asks(&mut held, &k9s, "b", 10), Says::Nothing, "it is newer");
        assert_eq!(asks(&mut held, &client(2, "prod"), "a", 10), Says::Nothing);
        assert_eq!(asks(&mut held, &client(1, "dev"), "a", 10), Says::Nothing);
        assert_eq!(asks(&mut held, &k9s, "a", 60), Says::Nothing, "it is over");
        assert_eq!(asks(&mut held, &k9s, "a", 59), Says::Renew);
    }

    #[test]
    fn a_token_is_renewed_once_and_its_successor_not() {
        let mut held = HeldTokens::default();
        let k9s = client(1, "prod");
        given(&mut held, &k9s, "a");
        assert_eq!(asks(&mut held, &k9s, "a", 1), Says::Renew);
        // It could not be renewed: the same was given once more.
        given(&mut held, &k9s, "a");
        assert_eq!(asks(&mut held, &k9s, "a", 2), Says::Refused);
        given(&mut held, &k9s, "b");
        assert_eq!(refusing(&held, 3), 0);
        assert_eq!(asks(&mut held, &k9s, "b", 3), Says::Refused);
        assert_eq!(refusing(&held, 3), 1);
        // What is renewed in its time is refused too: nothing is renewed for it.
        given(&mut held, &k9s, "c");
        assert_eq!(asks(&mut held, &k9s, "c", 4), Says::Refused);
        // Another cluster has its own say.
        let dev = client(1, "dev");
        given(&mut held, &dev, "c");
        assert_eq!(asks(&mut held, &dev, "c", 5), Says::Renew);
        // It has kept that to its end, and was refused with it.
        assert_eq!(asks(&mut held, &k9s, "d", 60), Says::Nothing);
        assert_eq!(refusing(&held, 60), 1);
        // It keeps the next one to its end, and does not ask before: that was taken.
        held.given(k9s.clone(), "d".to_owned(), Wall(120_000));
        assert_eq!((refusing(&held, 119), refusing(&held, 120)), (1, 0));
        assert_eq!(asks(&mut held, &k9s, "e", 120), Says::Nothing);
        given(&mut held, &k9s, "e");
        assert_eq!(asks(&mut held, &k9s, "e", 5), Says::Renew);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut held = HeldTokens::default();
        let clients = u32::try_from(MOST).unwrap() * 2;
        for pid in 0..clients {
            let one = client(pid, &pid.to_string());
            given(&mut held, &one, "a");
            assert_eq!(asks(&mut held, &one, "a", 1), Says::Renew);
        }
        assert!(held.held.len() <= MOST && held.refusing.len() <= MOST_REFUSING);
        held.ended(ProcessId {
            pid: clients - 1,
            started: 1,
        });
        let last = client(clients - 1, &(clients - 1).to_string());
        assert_eq!(asks(&mut held, &last, "a", 1), Says::Nothing);
        held.forget(&key().id());
        assert!(held.held.is_empty() && held.refusing.is_empty());
    }
}
