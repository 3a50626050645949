//! Which token a client-go process holds, and what it says of it by asking again.
//!
//! client-go keeps a credential until the expiry that it was told, per process, stanza and cluster; when its API server
//! answers 401, it runs the plugin again (`plugin/pkg/client/auth/exec/exec.go`, `maybeRefreshCreds`). So who asks again
//! before that was refused with that token. It is renewed once: groups or keys may have changed. Where the next one is
//! refused too, renewing is no remedy.

use std::collections::{BTreeMap, VecDeque};

use crate::account::AccountId;
use crate::asker::ProcessId;
use crate::clock::Wall;

/// How many processes are remembered; the oldest goes first.
const MOST: usize = 256;
/// Of how many clusters it is remembered that they refused a token.
const MOST_REFUSING: usize = 64;

/// Who asks for a token of an account, for which servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) process: ProcessId,
    pub(crate) account: AccountId,
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
    /// It refused the next one too. The server, as people read it.
    All { server: String },
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
        if let Some(Refusing::One { token: old, next }) = self.refusing.get_mut(&key)
            && *old != token
        {
            next.get_or_insert_with(|| token.clone());
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

    /// A client asks, where this token is at hand; `server`: what it is for, as people read it.
    pub(crate) fn asks(&mut self, client: &Client, token: &str, server: &str, now: Wall) -> Says {
        let Some(held) = self.held.iter().find(|held| held.client == *client) else {
            return Says::Nothing;
        };
        let key = (client.account.clone(), client.cluster.clone());
        if now >= held.until {
            // It has asked for no other until it had to: it was taken.
            self.news |= self.refusing.remove(&key).is_some();
            return Says::Nothing;
        }
        if held.token != token {
            // There is a newer one already.
            return Says::Nothing;
        }
        match self.refusing.get(&key) {
            Some(Refusing::All { .. }) => Says::Refused,
            Some(Refusing::One { token: old, .. }) if old == token => Says::Refused,
            Some(Refusing::One {
                next: Some(next), ..
            }) if next == token => {
                let server = server.to_owned();
                self.refusing.insert(key, Refusing::All { server });
                self.news = true;
                Says::Refused
            }
            Some(Refusing::One { .. }) | None => {
                if self.refusing.len() >= MOST_REFUSING {
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

    /// The servers that refuse fresh tokens of an account.
    pub(crate) fn refusing(&self, id: &AccountId) -> Vec<&str> {
        let of_it = self
            .refusing
            .iter()
            .filter(|((account, _), _)| account == id);
        of_it
            .filter_map(|(_, refusing)| match refusing {
                Refusing::All { server } => Some(server.as_str()),
                Refusing::One { .. } => None,
            })
            .collect()
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
            cluster: cluster.to_owned(),
        }
    }

    /// A token is given, and asked for again at that second of its minute.
    fn given(held: &mut HeldTokens, client: &Client, token: &str) {
        held.given(client.clone(), token.to_owned(), Wall(60_000));
    }

    fn asks(held: &mut HeldTokens, client: &Client, token: &str, second: i64) -> Says {
        held.asks(client, token, "https://prod", Wall(second * 1_000))
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
        assert_eq!(held.refusing(&key().id()), Vec::<&str>::new());
        assert_eq!(asks(&mut held, &k9s, "b", 3), Says::Refused);
        assert_eq!(held.refusing(&key().id()), ["https://prod"]);
        // What is renewed in its time is refused too: nothing is renewed for it.
        given(&mut held, &k9s, "c");
        assert_eq!(asks(&mut held, &k9s, "c", 4), Says::Refused);
        // Another cluster has its own say.
        let dev = client(1, "dev");
        given(&mut held, &dev, "c");
        assert_eq!(asks(&mut held, &dev, "c", 5), Says::Renew);
        // It has kept one to its end: that was taken.
        assert_eq!(asks(&mut held, &k9s, "c", 60), Says::Nothing);
        assert_eq!(held.refusing(&key().id()), Vec::<&str>::new());
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
