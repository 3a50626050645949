//! Which server may have tokens of which account, who said so, and what a person is asked.
//!
//! Trust is in pairs. An answer is once (until the asking process ends), always, or no (for that
//! process, and ten minutes for whoever needs the same servers). A server that can't be seen is never allowed for
//! good: what was read about it is not what the token would go to. Where whoever asks sits in a container, the longest
//! that it may have is until that container ends.

use std::collections::BTreeMap;
use std::time::Duration;

use kubeconfig::ServerKey;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

pub use crate::pair::{Pair, Server};
pub use crate::question::{Answer, Longest, Question, ServerLine, Vouched, Wary};

use crate::account::AccountId;
use crate::asker::{Container, ProcessId, Whose};
use crate::clock::{Moment, Wall};
use crate::manner::Manner;

/// How many of the contexts that led to a server are remembered.
const NAMED: usize = 16;
/// How many values are approved beside one pair; the oldest goes first.
const MOST_MANNERS: usize = 16;

/// How long a no holds for its servers, whoever asks.
pub(crate) const NO_HOLDS: Duration = Duration::from_secs(10 * 60);
/// How many refusals are remembered; the oldest goes first.
const MOST_REFUSALS: usize = 1024;

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
    within: Vec<(Container, Pair)>,
    refused: Vec<Refusal>,
}

/// Until when a no to these holds, whoever asks. Of a server that can't be seen nobody knows whether the next one with the
/// same words is the same: it holds for those alone who were refused.
pub(crate) fn no_holds_until(pairs: &[Pair], now: Moment) -> Moment {
    if pairs.iter().all(|pair| pair.server.is_seen()) {
        now.after(NO_HOLDS)
    } else {
        now
    }
}

/// A no. It was said to all of its servers together, and says nothing of one of them alone: whoever puts another's
/// server beside their own must not have it refused along.
#[derive(Debug)]
struct Refusal {
    pairs: Vec<Pair>,
    processes: Vec<ProcessId>,
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
    /// What was kept from earlier. What an older version kept for servers that can't be seen is left out.
    #[must_use]
    pub fn restored(always: Vec<(Pair, Approval)>) -> Self {
        let seen = always.into_iter().filter(|(pair, _)| pair.server.is_seen());
        Self {
            always: seen.collect(),
            ..Self::default()
        }
    }

    /// The pairs that are trusted for good, in order.
    pub fn always(&self) -> impl Iterator<Item = (&Pair, &Approval)> {
        self.always.iter()
    }

    /// What holds of a pair for whoever asks.
    #[must_use]
    pub fn standing(&self, pair: &Pair, whose: Whose, now: Moment) -> Standing {
        let once =
            |(known, once): &(ProcessId, Pair)| Some(*known) == whose.process && once == pair;
        let within = |container| self.is_within(pair, container);
        if self.always.contains_key(pair)
            || self.once.iter().any(once)
            || whose.container.is_some_and(within)
        {
            Standing::Trusted
        } else if self.is_refused(std::slice::from_ref(pair), whose, now) {
            Standing::Refused
        } else {
            Standing::New
        }
    }

    /// Whether somebody said no to these pairs, or to some of them together.
    #[must_use]
    pub fn is_refused(&self, pairs: &[Pair], whose: Whose, now: Moment) -> bool {
        self.refused.iter().any(|refusal| {
            let holds = now < refusal.until || whose.is_among(&refusal.processes);
            holds && refusal.pairs.iter().all(|pair| pairs.contains(pair))
        })
    }

    /// Trusts a pair for good. A server that can't be seen never is.
    pub fn approve(&mut self, pair: Pair, mut approval: Approval) {
        if !pair.server.is_seen() {
            return;
        }
        approval.contexts.truncate(NAMED);
        self.allowed(&pair);
        if let Some(known) = self.always.remove(&pair) {
            approval.manners = joined(known.manners, approval.manners);
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
            || self.within.iter().any(|(_, within)| within == pair)
    }

    /// Whether a pair is trusted for whatever sits in a container.
    #[must_use]
    pub(crate) fn is_within(&self, pair: &Pair, container: Container) -> bool {
        let mut all = self.within.iter();
        all.any(|(known, within)| *known == container && within == pair)
    }

    /// Trusts a pair until a process ends.
    pub fn approve_once(&mut self, pair: Pair, process: ProcessId) {
        self.allowed(&pair);
        self.once.push((process, pair));
    }

    /// Trusts a pair, for whatever sits in a container, until that ends.
    pub fn approve_within(&mut self, pair: Pair, container: Container) {
        self.allowed(&pair);
        self.within.push((container, pair));
    }

    /// A yes to one of the servers of a no: it would be another question now.
    fn allowed(&mut self, pair: &Pair) {
        self.refused.retain(|refusal| !refusal.pairs.contains(pair));
    }

    /// Remembers a no to these pairs together.
    pub fn refuse(&mut self, pairs: Vec<Pair>, processes: Vec<ProcessId>, now: Moment) {
        self.refused
            .retain(|refusal| now < refusal.until || !refusal.processes.is_empty());
        if self.refused.len() >= MOST_REFUSALS {
            self.refused.remove(0);
        }
        let until = no_holds_until(&pairs, now);
        self.refused.push(Refusal {
            pairs,
            processes,
            until,
        });
    }

    /// Takes a yes back. Whether there was one.
    pub fn revoke(&mut self, pair: &Pair) -> bool {
        self.once.retain(|(_, once)| once != pair);
        self.within.retain(|(_, within)| within != pair);
        self.always.remove(pair).is_some()
    }

    /// Takes back whatever was said of an account.
    pub fn revoke_account(&mut self, account: &AccountId) {
        self.once.retain(|(_, pair)| pair.account != *account);
        self.within.retain(|(_, pair)| pair.account != *account);
        self.always.retain(|pair, _| pair.account != *account);
        self.refused
            .retain(|refusal| refusal.pairs.iter().all(|pair| pair.account != *account));
    }

    /// A process ended: what was said for it alone is over, and what was said for the container that ended with it.
    pub fn ended(&mut self, process: ProcessId) {
        self.once.retain(|(known, _)| *known != process);
        self.within
            .retain(|(container, _)| container.first != process);
        for refusal in &mut self.refused {
            refusal.processes.retain(|known| *known != process);
        }
    }

    /// Whether the same place is trusted with another certificate authority.
    #[must_use]
    pub fn other_authority(&self, pair: &Pair) -> bool {
        let Server::Known(server) = &pair.server else {
            return false;
        };
        self.trusts_at(server, |other| other.ca != server.ca)
    }

    /// Whether the same place is trusted with another `tls-server-name`.
    #[must_use]
    pub fn other_name(&self, pair: &Pair) -> bool {
        let Server::Known(server) = &pair.server else {
            return false;
        };
        self.trusts_at(server, |other| {
            other.tls_server_name != server.tls_server_name
        })
    }

    /// Whether such a server is trusted at the same place.
    fn trusts_at(&self, server: &ServerKey, is_such: impl Fn(&ServerKey) -> bool) -> bool {
        let place = Place::of(&server.url);
        self.always.keys().any(|known| match &known.server {
            Server::Known(other) => is_such(other) && Place::of(&other.url) == place,
            Server::Unknown(_) => false,
        })
    }
}

/// Where an address leads: a host and a port have one certificate, however the rest of it reads. To warn of less than that
/// would leave it to the spelling whether somebody is warned.
#[derive(PartialEq, Eq)]
enum Place {
    At(Host, u16),
    /// It is no address: it stands for itself.
    Unread(String),
}

impl Place {
    fn of(url: &str) -> Self {
        let unread = || Self::Unread(url.to_owned());
        // As kubectl reads one with a certificate authority and without a scheme.
        let whole = match url.split_once("://") {
            Some((scheme, rest)) => format!("{}://{rest}", scheme.trim().to_lowercase()),
            None => format!("https://{url}"),
        };
        let Ok(read) = Url::parse(&whole) else {
            return unread();
        };
        let Some(port) = read.port_or_known_default() else {
            return unread();
        };
        match read.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                Self::At(Host::Domain(name.to_owned()), port)
            }
            Some(Host::Ipv4(address)) => Self::At(Host::Ipv4(address), port),
            Some(Host::Ipv6(address)) => {
                let mapped = address.to_ipv4_mapped();
                Self::At(mapped.map_or(Host::Ipv6(address), Host::Ipv4), port)
            }
            None => unread(),
        }
    }
}

/// What to be wary of before a pair is approved.
#[must_use]
pub fn wary(trust: &Trust, pair: &Pair) -> Vec<Wary> {
    let own_authority = pair.server.has_own_authority();
    let is_proxied = pair.server.proxy().is_some();
    match &pair.server {
        Server::Unknown(_) => vec![Wary::Unknown],
        Server::Known(server) => [
            (server.insecure_skip_tls_verify, Wary::SkipsTls),
            (is_proxied && !own_authority, Wary::Proxy),
            (is_proxied && own_authority, Wary::ProxyReads),
            (trust.other_authority(pair), Wary::OtherAuthority),
            (server.tls_server_name.is_some(), Wary::ServerName),
            (trust.other_name(pair), Wary::OtherName),
        ]
        .into_iter()
        .filter_map(|(holds, wary)| holds.then_some(wary))
        .collect(),
    }
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

/// What is approved beside a pair, with what is approved now: each value once, the newest last.
pub(super) fn joined(mut known: Vec<Manner>, newer: Vec<Manner>) -> Vec<Manner> {
    for manner in newer {
        known.retain(|other| *other != manner);
        known.push(manner);
    }
    let superfluous = known.len().saturating_sub(MOST_MANNERS);
    known.drain(..superfluous);
    known
}

#[cfg(test)]
mod tests {
    use crate::manner::tests::listening;
    use std::sync::Arc;

    use kubeconfig::CertificateAuthority;

    use super::*;

    fn pair(server: &str) -> Pair {
        Pair {
            account: crate::account::tests::key().id(),
            server: Server::Unknown(server.to_owned()),
        }
    }

    fn seen(server: &str) -> Pair {
        let key = ServerKey {
            url: server.to_owned(),
            ca: kubeconfig::CertificateAuthority::System,
            insecure_skip_tls_verify: false,
            proxy_url: None,
            tls_server_name: None,
        };
        Pair {
            account: crate::account::tests::key().id(),
            server: Server::Known(Arc::new(key)),
        }
    }

    fn by(process: Option<ProcessId>) -> Whose {
        Whose {
            process,
            container: None,
        }
    }

    fn approval() -> Approval {
        Approval {
            at: Wall(0),
            by: By::Terminal,
            contexts: vec![],
            file: None,
            manners: vec![],
        }
    }

    const FIRST: ProcessId = ProcessId { pid: 7, started: 1 };
    const LATER: ProcessId = ProcessId { pid: 7, started: 2 };

    #[test]
    fn once_holds_for_one_process_even_if_its_number_comes_again() {
        let mut trust = Trust::default();
        trust.approve_once(pair("a"), FIRST);
        let standing = |trust: &Trust, process| trust.standing(&pair("a"), by(process), Moment(0));
        assert_eq!(standing(&trust, Some(FIRST)), Standing::Trusted);
        assert_eq!(standing(&trust, Some(LATER)), Standing::New);
        assert_eq!(standing(&trust, None), Standing::New);
        trust.ended(FIRST);
        assert_eq!(standing(&trust, Some(FIRST)), Standing::New);
    }

    #[test]
    fn what_holds_for_a_container_holds_there_alone_and_ends_with_it() {
        let first = Container {
            namespace: (4, 9),
            first: FIRST,
        };
        let mut trust = Trust::default();
        trust.approve_within(pair("a"), first);
        let standing = |trust: &Trust, server, container| {
            let whose = Whose {
                process: None,
                container,
            };
            trust.standing(&pair(server), whose, Moment(0))
        };
        assert_eq!(standing(&trust, "a", Some(first)), Standing::Trusted);
        assert_eq!(standing(&trust, "b", Some(first)), Standing::New);
        assert_eq!(standing(&trust, "a", None), Standing::New);
        for other in [
            Container {
                namespace: (4, 10),
                ..first
            },
            Container {
                first: LATER,
                ..first
            },
        ] {
            assert_eq!(standing(&trust, "a", Some(other)), Standing::New);
        }
        trust.ended(LATER);
        assert_eq!(standing(&trust, "a", Some(first)), Standing::Trusted);
        trust.ended(FIRST);
        assert_eq!(standing(&trust, "a", Some(first)), Standing::New);
    }

    #[test]
    fn what_can_t_be_seen_is_never_trusted_for_good() {
        let mut trust = Trust::restored(vec![(pair("a"), approval()), (seen("b"), approval())]);
        trust.approve(pair("c"), approval());
        let kept: Vec<_> = trust.always().map(|(pair, _)| pair.clone()).collect();
        assert_eq!(kept, [seen("b")]);
    }

    #[test]
    fn no_holds_for_its_process_and_ten_minutes_for_the_pair() {
        let mut trust = Trust::default();
        trust.refuse(vec![seen("a")], vec![FIRST], Moment(0));
        let at = |seconds: u64, process| {
            trust.standing(&seen("a"), by(Some(process)), Moment(seconds * 1000))
        };
        assert_eq!(at(599, LATER), Standing::Refused);
        assert_eq!(at(600, LATER), Standing::New);
        assert_eq!(at(600, FIRST), Standing::Refused);
        assert_eq!(
            trust.standing(&pair("b"), by(Some(FIRST)), Moment(1)),
            Standing::New
        );
    }

    #[test]
    fn a_no_to_what_can_t_be_seen_is_one_to_whoever_asked() {
        let mut trust = Trust::default();
        trust.refuse(vec![pair("a")], vec![FIRST], Moment(0));
        let at = |whose| trust.standing(&pair("a"), whose, Moment(1));
        assert_eq!(at(by(Some(FIRST))), Standing::Refused);
        assert_eq!(at(by(Some(LATER))), Standing::New);
        let within = Whose {
            process: Some(LATER),
            container: Some(Container {
                namespace: (1, 1),
                first: FIRST,
            }),
        };
        assert_eq!(at(within), Standing::Refused, "in that container");
    }

    #[test]
    fn a_no_to_several_is_none_to_one_of_them() {
        let mut trust = Trust::default();
        trust.refuse(vec![pair("a"), pair("b")], vec![FIRST], Moment(0));
        let refused = |servers: &[&str]| {
            let pairs: Vec<_> = servers.iter().map(|server| pair(server)).collect();
            trust.is_refused(&pairs, by(Some(FIRST)), Moment(1))
        };
        assert!(refused(&["a", "b"]) && refused(&["c", "b", "a"]));
        assert!(!refused(&["a"]) && !refused(&["b"]) && !refused(&["b", "c"]));
    }

    #[test]
    fn a_yes_undoes_a_no_and_can_be_taken_back() {
        let mut trust = Trust::default();
        trust.refuse(vec![seen("a")], vec![], Moment(0));
        trust.approve(seen("a"), approval());
        let standing = |trust: &Trust| trust.standing(&seen("a"), by(None), Moment(1));
        assert_eq!(standing(&trust), Standing::Trusted);
        assert!(trust.revoke(&seen("a")));
        assert_eq!(standing(&trust), Standing::New);
    }

    #[test]
    fn another_name_of_a_certificate_is_said() {
        let named = |server: &str, name: Option<&str>| {
            let Server::Known(key) = seen(server).server else {
                panic!("it is seen");
            };
            let mut key = ServerKey::clone(&key);
            key.tls_server_name = name.map(str::to_owned);
            Pair {
                server: Server::Known(Arc::new(key)),
                ..seen(server)
            }
        };
        let trust = Trust::restored(vec![
            (named("a", None), approval()),
            (named("b", Some("x")), approval()),
        ]);
        let table = [
            ("a", None, vec![]),
            ("a", Some("x"), vec![Wary::ServerName, Wary::OtherName]),
            ("b", Some("x"), vec![Wary::ServerName]),
            ("b", None, vec![Wary::OtherName]),
            ("c", None, vec![]),
            ("c", Some("x"), vec![Wary::ServerName]),
        ];
        for (server, name, expected) in table {
            assert_eq!(
                wary(&trust, &named(server, name)),
                expected,
                "{server} {name:?}"
            );
        }
    }

    #[test]
    fn another_authority_is_said_however_the_address_is_spelled() {
        let with = |url: &str, ca: CertificateAuthority, proxy: Option<&str>| Pair {
            server: Server::Known(Arc::new(ServerKey {
                url: url.to_owned(),
                ca,
                insecure_skip_tls_verify: false,
                proxy_url: proxy.map(str::to_owned),
                tls_server_name: None,
            })),
            ..seen("")
        };
        let own = || CertificateAuthority::data(b"mine");
        let others = || CertificateAuthority::data(b"theirs");
        let known = [
            "https://api.acme.example",
            "https://10.0.0.1:6443/k8s/clusters/c-1",
            "https://[2001:db8::1]:6443",
        ];
        let known = known.map(|url| (with(url, own(), None), approval()));
        let trust = Trust::restored(known.to_vec());
        for (url, is_same) in [
            ("https://api.acme.example", true),
            ("https://api.acme.example/", true),
            ("https://api.acme.example//", true),
            ("HTTPS://api.acme.example", true),
            ("https://API.acme.example", true),
            ("https://api.acme.example:443", true),
            ("https://api.acme.example:0443/x/..", true),
            ("https://api.acme.example.", true),
            ("https://api.acme.example?x", true),
            ("https://api.acme.example#x", true),
            ("https://x@api.acme.example", true),
            ("api.acme.example", true),
            ("https://10.0.0.1:6443", true),
            ("https://10.1:6443", true),
            ("https://[::ffff:10.0.0.1]:6443/", true),
            ("https://[2001:DB8:0::1]:6443", true),
            ("https://api.acme.example:6443", false),
            ("https://api.acme.example.evil.example", false),
            ("https://10.0.0.2:6443", false),
            ("http://", false),
            ("", false),
        ] {
            let asked = wary(&trust, &with(url, others(), None));
            assert_eq!(asked.contains(&Wary::OtherAuthority), is_same, "{url}");
            assert_eq!(wary(&trust, &with(url, own(), None)), [], "{url}");
        }
        let proxied = |ca| wary(&trust, &with("https://new", ca, Some("http://p:1")));
        assert_eq!(proxied(CertificateAuthority::System), [Wary::Proxy]);
        assert_eq!(proxied(own()), [Wary::ProxyReads]);
    }

    #[test]
    fn a_name_is_its_content_s() {
        let name = pair("a").name();
        assert_eq!(name.len(), 24);
        assert_eq!(name, pair("a").name());
        assert_ne!(name, pair("b").name());
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
        assert_eq!(known.len(), MOST_MANNERS);
        let again = joined(known, values(10..11).collect());
        assert_eq!(
            (again.len(), &again[MOST_MANNERS - 1]),
            (MOST_MANNERS, &listening(None, &[10]))
        );
    }
}
