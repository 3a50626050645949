//! How an ask would have a person signed in: what a kubeconfig's flags say of it. It is part of what is approved,
//! by exact value beside the pair, so that a file which nobody approved changes nothing about anybody's sign-in.
//!
//! A client secret is not in it: that is a credential with a rule of its own. Proxies are the person's, not the file's.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::account::{ClientSettings, ListenAddress, Pkce};

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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn listening(redirect: Option<&str>, ports: &[u16]) -> Manner {
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
}
