//! How an ask would have a person signed in: what a kubeconfig's flags say of it. It is part of what is approved,
//! by exact value beside the pair, so that a file which nobody approved changes nothing about anybody's sign-in.
//!
//! A client secret is not in it: that is a credential with a rule of its own. Proxies are the person's, not the file's.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::account::{AccountId, ClientSettings, ListenAddress, Pkce};
use crate::asker::ProcessId;
use crate::clock::Moment;
use crate::consent::trust::{Approval, Pair, Standing, no_holds_until};

/// How many values are approved beside one pair; the oldest goes first.
const MOST: usize = 16;
/// How many refusals are remembered; the oldest goes first.
const MOST_REFUSALS: usize = 512;

/// How an ask would have a person signed in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Manner {
    /// Where to listen for the redirect, tried in order.
    pub listen: Vec<ListenAddress>,
    /// The redirect URI to send, where flags fix it.
    pub redirect_url: Option<String>,
    /// All else. None: an earlier version approved this and did not write it down, so that the first ask by the
    /// pair says it.
    #[serde(default)]
    pub rest: Option<Rest>,
}

/// What earlier versions did not write down of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rest {
    /// Say the address instead of opening a browser.
    pub skip_open_browser: bool,
    /// Whether PKCE is used.
    pub pkce: Pkce,
    /// How long a person has to sign in, in seconds.
    pub seconds: u64,
}

/// Where a redirect leads.
#[derive(PartialEq, Eq)]
enum LeadsTo<'a> {
    /// To the port that we listen on: scheme, path and query.
    Us(String, String, Option<String>),
    /// Perhaps not: the URL, and where we listen.
    Elsewhere(&'a str, &'a [ListenAddress]),
}

impl LeadsTo<'_> {
    fn us(scheme: &str, path: &str, query: Option<&str>) -> Self {
        Self::Us(scheme.to_owned(), path.to_owned(), query.map(str::to_owned))
    }
}

/// One setting in which an ask differs from what was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Change {
    /// The flag of kubelogin's that sets it.
    pub flag: String,
    /// Its value as it was approved.
    pub was: String,
    /// Its value in this ask.
    pub now: String,
}

impl Manner {
    /// That of these settings.
    #[must_use]
    pub fn of(settings: &ClientSettings) -> Self {
        Self {
            listen: settings.listen.clone(),
            redirect_url: settings.redirect_url.clone(),
            rest: Some(Rest {
                skip_open_browser: settings.skip_open_browser,
                pkce: settings.pkce,
                seconds: settings.authentication_timeout.as_secs(),
            }),
        }
    }

    /// Whether it is that of these settings, to the letter.
    pub(crate) fn is_of(&self, settings: &ClientSettings) -> bool {
        *self == Self::of(settings)
    }

    /// Takes over what this says.
    pub(crate) fn apply(&self, settings: &mut ClientSettings) {
        settings.listen.clone_from(&self.listen);
        settings.redirect_url.clone_from(&self.redirect_url);
        if let Some(rest) = self.rest {
            settings.skip_open_browser = rest.skip_open_browser;
            settings.pkce = rest.pkce;
            settings.authentication_timeout = Duration::from_secs(rest.seconds);
        }
    }

    /// Whether an ask that says `asked` is approved by this value: it is the same, but for a port of this computer
    /// or the name of its loopback.
    pub(crate) fn covers(&self, asked: &Self) -> bool {
        self.changes(asked).is_empty()
    }

    /// In what an ask differs from this value, where it needs an approval.
    pub(crate) fn changes(&self, asked: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut change = |flag: &str, was: String, now: String| {
            changes.push(Change {
                flag: flag.to_owned(),
                was,
                now,
            });
        };
        let elsewhere = self.leads_to() != asked.leads_to();
        if elsewhere && self.redirect_url != asked.redirect_url {
            change("--oidc-redirect-url", self.redirect(), asked.redirect());
        }
        // The redirect may also lead elsewhere since nobody of ours listens there any more.
        let is_foreign = self.listen != asked.listen && !asked.listen.iter().all(is_loopback);
        if is_foreign || (elsewhere && self.redirect_url == asked.redirect_url) {
            change(
                "--listen-address",
                listed(&self.listen),
                listed(&asked.listen),
            );
        }
        if let (Some(was), Some(now)) = (self.rest, asked.rest) {
            if was.pkce != now.pkce {
                change("--oidc-pkce-method", pkce(was.pkce), pkce(now.pkce));
            }
            if was.skip_open_browser != now.skip_open_browser {
                let (was, now) = (was.skip_open_browser, now.skip_open_browser);
                change("--skip-open-browser", was.to_string(), now.to_string());
            }
            if was.seconds != now.seconds {
                let (was, now) = (was.seconds, now.seconds);
                let flag = "--authentication-timeout-sec";
                change(flag, was.to_string(), now.to_string());
            }
        }
        changes
    }

    /// Where the redirect leads, whatever the port, as long as that is the one that we listen on. Any other port can
    /// be another program's: then all of it counts, to the letter.
    fn leads_to(&self) -> LeadsTo<'_> {
        let Some(text) = self.redirect_url.as_deref() else {
            return LeadsTo::us("http", "/", None);
        };
        let Ok(url) = Url::parse(text) else {
            return LeadsTo::Elsewhere(text, &self.listen);
        };
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let port = url.port_or_known_default();
        let ours = self.listen.iter().all(|address| Some(address.port) == port);
        let plain = url.username().is_empty() && url.password().is_none();
        if here && ours && plain && !self.listen.is_empty() {
            LeadsTo::us(url.scheme(), url.path(), url.query())
        } else {
            LeadsTo::Elsewhere(text, &self.listen)
        }
    }

    fn redirect(&self) -> String {
        let usual = || "http://localhost:PORT".to_owned();
        self.redirect_url.clone().unwrap_or_else(usual)
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self::of(&ClientSettings::default())
    }
}

impl Change {
    /// The same in as many characters as a person reads.
    pub(crate) fn shortened(&self) -> Self {
        const LONGEST: usize = 120;
        let short = |text: &str| crate::texts::shortened(&crate::texts::clean(text), LONGEST);
        Self {
            flag: self.flag.clone(),
            was: short(&self.was),
            now: short(&self.now),
        }
    }
}

fn is_loopback(address: &ListenAddress) -> bool {
    let host = address.host.parse::<std::net::IpAddr>();
    address.host == "localhost" || host.is_ok_and(|address| address.is_loopback())
}

fn listed(addresses: &[ListenAddress]) -> String {
    let addresses = addresses.iter();
    let addresses = addresses.map(|ListenAddress { host, port }| format!("{host}:{port}"));
    addresses.collect::<Vec<_>>().join(",")
}

fn pkce(method: Pkce) -> String {
    match method {
        Pkce::Auto => "auto",
        Pkce::No => "no",
        Pkce::S256 => "S256",
    }
    .to_owned()
}

/// What is approved beside a pair, with what is approved now: each value once, the newest last.
pub(crate) fn joined(mut known: Vec<Manner>, newer: Vec<Manner>) -> Vec<Manner> {
    for manner in newer {
        known.retain(|other| *other != manner);
        known.push(manner);
    }
    let superfluous = known.len().saturating_sub(MOST);
    known.drain(..superfluous);
    known
}

impl Approval {
    /// Whether tokens may go to its server for an ask that would sign in so.
    pub(crate) fn covers(&self, asked: &Manner) -> bool {
        // Nobody knows any more what it was approved with.
        self.manners.is_empty() || self.manners.iter().any(|known| known.covers(asked))
    }

    /// Notes what an earlier version did not write down. Whether it did not.
    pub(crate) fn completes(&mut self, asked: &Manner) -> bool {
        if self.manners.is_empty() {
            self.manners.push(asked.clone());
            return true;
        }
        let incomplete = |known: &&mut Manner| known.rest.is_none() && known.covers(asked);
        let known = self.manners.iter_mut().find(incomplete);
        known.map(|known| known.rest = asked.rest).is_some()
    }
}

/// What was said of values other than for good: beside a pair that is trusted, or is for this process.
#[derive(Debug, Default)]
pub(crate) struct Manners {
    once: Vec<(Option<ProcessId>, Pair, Manner)>,
    refused: Vec<Refused>,
}

/// A no to a value, said to all of these pairs together: it says nothing of one of them alone.
#[derive(Debug)]
struct Refused {
    pairs: Vec<Pair>,
    manner: Manner,
    processes: Vec<ProcessId>,
    until: Moment,
}

impl Manners {
    /// What holds of a value beside a pair that is trusted; `approval`: for good; `first`: within the container of whoever
    /// asks, which this process began.
    pub(crate) fn standing(
        &self,
        pair: &Pair,
        approval: Option<&Approval>,
        asked: &Manner,
        process: Option<ProcessId>,
        first: Option<ProcessId>,
        now: Moment,
    ) -> Standing {
        if approval.is_some_and(|approval| approval.covers(asked)) {
            return Standing::Trusted;
        }
        // A pair that is trusted neither for good nor within a container is so for whoever was said yes to: whoever that
        // was, this value was approved with it.
        let anybody_s = approval.is_none() && first.is_none();
        let once = |(of, known, manner): &(Option<ProcessId>, Pair, Manner)| {
            let own = of.is_some() && (*of == process || *of == first);
            known == pair && (anybody_s || own) && manner.covers(asked)
        };
        if self.once.iter().any(once) {
            return Standing::Trusted;
        }
        if self.is_refused(std::slice::from_ref(pair), asked, [process, first], now) {
            Standing::Refused
        } else {
            Standing::New
        }
    }

    /// Whether somebody said no to a value beside these pairs, or beside some of them together; `who` asks: the process, and
    /// the first of its container.
    pub(crate) fn is_refused(
        &self,
        pairs: &[Pair],
        asked: &Manner,
        who: [Option<ProcessId>; 2],
        now: Moment,
    ) -> bool {
        let is_one = |processes: &[ProcessId]| {
            let mut who = who.iter().flatten();
            who.any(|process| processes.contains(process))
        };
        self.refused.iter().any(|refused| {
            let holds = now < refused.until || is_one(&refused.processes);
            holds
                && refused.manner == *asked
                && refused.pairs.iter().all(|pair| pairs.contains(pair))
        })
    }

    /// Approves a value until a process ends: the one that asks, or the first of its container.
    pub(crate) fn approve_once(&mut self, pair: &Pair, manner: &Manner, process: ProcessId) {
        self.forget_refusal(pair, manner);
        self.once
            .push((Some(process), pair.clone(), manner.clone()));
    }

    /// Remembers a no to a value beside these pairs together.
    pub(crate) fn refuse(
        &mut self,
        pairs: Vec<Pair>,
        manner: Manner,
        processes: Vec<ProcessId>,
        now: Moment,
    ) {
        self.refused
            .retain(|refused| !refused.processes.is_empty() || now < refused.until);
        if self.refused.len() >= MOST_REFUSALS {
            self.refused.remove(0);
        }
        let until = no_holds_until(&pairs, now);
        self.refused.push(Refused {
            pairs,
            manner,
            processes,
            until,
        });
    }

    /// A no to it is over: it was approved.
    pub(crate) fn forget_refusal(&mut self, pair: &Pair, manner: &Manner) {
        self.refused
            .retain(|refused| !refused.pairs.contains(pair) || refused.manner != *manner);
    }

    /// A pair is not trusted any more.
    pub(crate) fn revoke(&mut self, pair: &Pair) {
        self.once.retain(|(_, known, _)| known != pair);
        self.refused.retain(|refused| !refused.pairs.contains(pair));
    }

    /// An account is gone, and whatever was said of it.
    pub(crate) fn revoke_account(&mut self, account: &AccountId) {
        self.once.retain(|(_, pair, _)| pair.account != *account);
        self.refused
            .retain(|refused| refused.pairs.iter().all(|pair| pair.account != *account));
    }

    /// A process ended. What was approved for it goes with it, but beside a pair that somebody else still has a yes
    /// for that is not for good (`lasts`): that one rests on the same value.
    pub(crate) fn ended(&mut self, process: ProcessId, lasts: impl Fn(&Pair) -> bool) {
        for (known, _, _) in &mut self.once {
            *known = known.filter(|known| *known != process);
        }
        self.once
            .retain(|(known, pair, _)| known.is_some() || lasts(pair));
        for refused in &mut self.refused {
            refused.processes.retain(|known| *known != process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(redirect: Option<&str>, ports: &[u16]) -> Manner {
        let listen = ports.iter().map(|port| ListenAddress {
            host: "127.0.0.1".into(),
            port: *port,
        });
        Manner {
            listen: listen.collect(),
            redirect_url: redirect.map(str::to_owned),
            ..Manner::default()
        }
    }

    #[test]
    fn another_port_of_this_computer_needs_no_question() {
        let approved = Manner::default();
        for asked in [
            listening(None, &[9000]),
            listening(None, &[0]),
            listening(None, &[]),
            listening(Some("http://localhost:9000"), &[9000]),
            listening(Some("http://127.0.0.1:9000/"), &[9000, 9000]),
            listening(Some("http://[::1]:9000"), &[9000]),
        ] {
            assert_eq!(approved.changes(&asked), [], "{asked:?}");
        }
        let path = listening(Some("http://localhost:8000/callback"), &[8000]);
        let other_port = listening(Some("http://localhost:9000/callback"), &[9000]);
        assert!(path.covers(&other_port));
    }

    #[test]
    fn what_else_differs_is_named() {
        let approved = Manner::default();
        let with = |rest: Rest| Manner {
            rest: Some(rest),
            ..Manner::default()
        };
        let usual = Rest {
            skip_open_browser: false,
            pkce: Pkce::Auto,
            seconds: 180,
        };
        let mut elsewhere = Manner::default();
        elsewhere.listen[0].host = "10.0.0.1".into();
        let told = |asked: &Manner| {
            let changes = approved.changes(asked).into_iter();
            let changes = changes.map(|Change { flag, was, now }| format!("{flag} {was} -> {now}"));
            changes.collect::<Vec<_>>().join("; ")
        };
        for (asked, expected) in [
            (
                elsewhere,
                "--listen-address 127.0.0.1:8000,127.0.0.1:18000 -> 10.0.0.1:8000,127.0.0.1:18000",
            ),
            (
                // Nobody of ours listens there.
                listening(Some("http://localhost:4444"), &[8000]),
                "--oidc-redirect-url http://localhost:PORT -> http://localhost:4444",
            ),
            (
                listening(Some("http://localhost:8000/callback"), &[8000]),
                "--oidc-redirect-url http://localhost:PORT -> http://localhost:8000/callback",
            ),
            (
                listening(Some("https://localhost:8000"), &[8000]),
                "--oidc-redirect-url http://localhost:PORT -> https://localhost:8000",
            ),
            (
                listening(Some("https://evil.example:8000"), &[8000]),
                "--oidc-redirect-url http://localhost:PORT -> https://evil.example:8000",
            ),
            (
                with(Rest {
                    pkce: Pkce::No,
                    ..usual
                }),
                "--oidc-pkce-method auto -> no",
            ),
            (
                with(Rest {
                    pkce: Pkce::S256,
                    skip_open_browser: true,
                    seconds: 2,
                }),
                "--oidc-pkce-method auto -> S256; --skip-open-browser false -> true; \
                 --authentication-timeout-sec 180 -> 2",
            ),
        ] {
            assert_eq!(told(&asked), expected);
        }
        let path = "http://localhost:9000/callback";
        let approved = listening(Some(path), &[9000]);
        let left = approved.changes(&listening(Some(path), &[8000]));
        assert_eq!(
            left[0].flag, "--listen-address",
            "the code would go to whoever listens"
        );
        // The first port that is free is listened on, and the redirect leads to another.
        let first = listening(Some("http://localhost:4444"), &[8000, 4444]);
        assert!(!Manner::default().covers(&first));
        let approved = listening(Some(path), &[9000, 8000]);
        assert!(approved.covers(&approved));
        assert!(!approved.covers(&listening(Some(path), &[8000, 9000])));
    }

    #[test]
    fn an_old_approval_is_completed_by_the_first_ask_alone() {
        let mut approval = Approval {
            at: crate::clock::Wall(0),
            by: crate::consent::trust::By::Page,
            contexts: vec![],
            file: None,
            manners: vec![Manner {
                rest: None,
                ..Manner::default()
            }],
        };
        let path = listening(Some("http://localhost:8000/callback"), &[8000]);
        assert!(!approval.covers(&path), "what was written down holds");
        let mut quick = Manner::default();
        quick.rest.as_mut().unwrap().seconds = 60;
        assert!(approval.covers(&quick) && approval.completes(&quick));
        assert!(approval.covers(&quick) && !approval.completes(&quick));
        assert!(!approval.covers(&Manner::default()));
    }

    #[test]
    fn only_so_many_values_are_kept_beside_a_pair() {
        let values = |ports: std::ops::Range<u16>| ports.map(|port| listening(None, &[port]));
        let known = joined(vec![], values(0..20).collect());
        assert_eq!(known.len(), MOST);
        let again = joined(known, values(10..11).collect());
        assert_eq!(
            (again.len(), &again[MOST - 1]),
            (MOST, &listening(None, &[10]))
        );
    }
}
