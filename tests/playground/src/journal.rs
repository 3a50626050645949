//! What was asked and what came of it: a log of events, and counters over it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::fault::{Armed, Endpoint};

/// More events than this, and the oldest are forgotten.
const KEPT: usize = 200_000;

/// One line of the log. As JSON `{number, at, what, …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counted from 1.
    pub number: u64,
    /// Milliseconds since 1970 on the playground's clock.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. Tokens are named by their fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A request reached the provider.
    Request {
        /// Where.
        endpoint: Endpoint,
        /// Its path.
        path: String,
    },
    /// It was answered (not written when a fault kept the answer back).
    Answered {
        /// Where.
        endpoint: Endpoint,
        /// The status.
        status: u16,
        /// OAuth's `error`, if it was one.
        error: Option<String>,
    },
    /// The login page was shown.
    LoginShown {
        /// Who asks.
        client: String,
    },
    /// A wrong password.
    LoginFailed {
        /// The name that was typed.
        user: String,
    },
    /// An authorization code was handed out.
    CodeIssued {
        /// To whom.
        client: String,
        /// For whom.
        user: String,
        /// Whether the browser's cookie stood in for a password.
        silent: bool,
    },
    /// Tokens were handed out.
    TokensIssued {
        /// To whom.
        client: String,
        /// For whom.
        user: String,
        /// Whether for a code or a refresh token.
        grant: Endpoint,
        /// The refresh token, if there is one.
        refresh_token: Option<String>,
    },
    /// A refresh token was presented.
    RefreshPresented {
        /// Which.
        refresh_token: String,
        /// How often by now.
        times: u32,
    },
    /// A session of a client ended.
    SessionEnded {
        /// Whose.
        user: String,
        /// Which client's.
        client: String,
        /// Why.
        why: Ended,
    },
    /// A request reached the Kubernetes API.
    Kubernetes {
        /// `GET`, …
        method: String,
        /// Path and query.
        path: String,
        /// The bearer token's fingerprint; absent without an `Authorization`.
        authorization: Option<String>,
        /// As whom it was taken.
        user: Option<String>,
        /// The status.
        status: u16,
    },
    /// A fault was armed.
    FaultArmed {
        /// Which.
        armed: Armed,
    },
    /// Faults were lifted.
    FaultsLifted,
    /// A listener closed or opened.
    Listening {
        /// One of the endpoints behind it.
        endpoint: Endpoint,
        /// Whether it is open now.
        open: bool,
    },
    /// Simulated time passed.
    ClockAdvanced {
        /// How much.
        seconds: i64,
    },
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// A refresh token was presented that had been exchanged already.
    TokenReuse,
    /// A code was presented twice.
    CodeReuse,
    /// Revoked by its client.
    Revoked,
    /// Signed out.
    SignedOut,
    /// Ended by an administrator.
    Administrator,
    /// A newer sign-in of the same user took its place.
    Replaced,
}

/// Sums over the whole run; forgotten events are in them too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests by endpoint.
    pub requests: BTreeMap<Endpoint, u64>,
    /// The most requests that were under way at once, by endpoint.
    pub most_at_once: BTreeMap<Endpoint, u64>,
    /// How often the login page was shown.
    pub logins_shown: u64,
    /// Codes handed out.
    pub codes: u64,
    /// Codes exchanged.
    pub sign_ins: u64,
    /// Refreshes granted.
    pub refreshes: u64,
    /// How often each refresh token was presented.
    pub presented: BTreeMap<String, u32>,
    /// Sessions ended because a refresh token was presented again.
    pub ended_by_reuse: u64,
}

impl Counters {
    /// Requests at one endpoint.
    #[must_use]
    pub fn requests_at(&self, endpoint: Endpoint) -> u64 {
        self.requests.get(&endpoint).copied().unwrap_or(0)
    }

    /// The refresh tokens that were presented more than once.
    #[must_use]
    pub fn presented_twice(&self) -> Vec<String> {
        self.presented
            .iter()
            .filter(|&(_, &times)| times > 1)
            .map(|(token, _)| token.clone())
            .collect()
    }
}

/// Log and counters.
#[derive(Debug)]
pub(crate) struct Journal {
    clock: Arc<Clock>,
    inner: Mutex<Inner>,
    written: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<Event>,
    counters: Counters,
    under_way: BTreeMap<Endpoint, u64>,
}

impl Journal {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self {
            clock,
            inner: Mutex::default(),
            written: watch::Sender::new(0),
        }
    }

    pub(crate) fn write(&self, what: What) {
        let mut inner = self.lock();
        inner.counters.add(&what);
        let number = *self.written.borrow() + 1;
        let at = self.clock.milliseconds();
        inner.events.push_back(Event { number, at, what });
        if inner.events.len() > KEPT {
            inner.events.pop_front();
        }
        self.written.send_replace(number);
    }

    /// Counts a request, for as long as the answer is held.
    pub(crate) fn begin(self: &Arc<Self>, endpoint: Endpoint) -> UnderWay {
        let mut inner = self.lock();
        let now = inner.under_way.entry(endpoint).or_default();
        *now += 1;
        let now = *now;
        let most = inner.counters.most_at_once.entry(endpoint).or_default();
        *most = now.max(*most);
        UnderWay {
            journal: Arc::clone(self),
            endpoint,
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    /// The events after number `after`.
    pub(crate) fn since(&self, after: u64) -> Vec<Event> {
        let inner = self.lock();
        let first = inner.events.partition_point(|event| event.number <= after);
        inner.events.range(first..).cloned().collect()
    }

    /// Sleeps until there are events after number `after`.
    pub(crate) async fn wait(&self, after: u64) {
        let mut written = self.written.subscribe();
        // The sender lives as long as `self`: there is no error to report.
        let _ = written.wait_for(|&number| number > after).await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    fn add(&mut self, what: &What) {
        match what {
            What::Request { endpoint, .. } => *self.requests.entry(*endpoint).or_default() += 1,
            What::Kubernetes { .. } => {
                *self.requests.entry(Endpoint::Kubernetes).or_default() += 1;
            }
            What::LoginShown { .. } => self.logins_shown += 1,
            What::CodeIssued { .. } => self.codes += 1,
            What::TokensIssued {
                grant: Endpoint::Refresh,
                ..
            } => self.refreshes += 1,
            What::TokensIssued { .. } => self.sign_ins += 1,
            What::RefreshPresented {
                refresh_token,
                times,
            } => {
                self.presented.insert(refresh_token.clone(), *times);
            }
            What::SessionEnded {
                why: Ended::TokenReuse,
                ..
            } => self.ended_by_reuse += 1,
            What::SessionEnded { .. }
            | What::Answered { .. }
            | What::LoginFailed { .. }
            | What::FaultArmed { .. }
            | What::FaultsLifted
            | What::Listening { .. }
            | What::ClockAdvanced { .. } => {}
        }
    }
}

/// A request that is being answered.
pub(crate) struct UnderWay {
    journal: Arc<Journal>,
    endpoint: Endpoint,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(now) = self.journal.lock().under_way.get_mut(&self.endpoint) {
            *now -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Arc<Journal> {
        Arc::new(Journal::new(Arc::default()))
    }

    #[test]
    fn counts_what_is_written() {
        let journal = journal();
        for times in 1..=2 {
            journal.write(What::RefreshPresented {
                refresh_token: "a".to_owned(),
                times,
            });
        }
        journal.write(What::RefreshPresented {
            refresh_token: "b".to_owned(),
            times: 1,
        });
        assert_eq!(journal.counters().presented_twice(), ["a"]);
        assert_eq!(journal.since(1).len(), 2);
        assert_eq!(journal.since(3).len(), 0);
    }

    #[test]
    fn knows_the_most_at_once() {
        let journal = journal();
        let first = journal.begin(Endpoint::Refresh);
        drop(journal.begin(Endpoint::Refresh));
        drop(first);
        drop(journal.begin(Endpoint::Refresh));
        assert_eq!(journal.counters().most_at_once[&Endpoint::Refresh], 2);
    }

    #[test]
    fn an_event_as_json() {
        let event = Event {
            number: 1,
            at: 5,
            what: What::LoginFailed {
                user: "x".to_owned(),
            },
        };
        let json = serde_json::to_value(&event).unwrap();
        let expected =
            serde_json::json!({"number": 1, "at": 5, "what": "login_failed", "user": "x"});
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}
