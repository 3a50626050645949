//! Who asks, as the resident found out by itself; and where a person can be asked.

use serde::{Deserialize, Serialize};

use std::sync::Arc;

use crate::account::Proxies;
use crate::texts::Language;

/// A process, told apart from a later one with the same number by its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub started: u64,
}

/// The process that wants a token: the shim's parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Which process; none where it ended before it could be looked at.
    pub process: Option<ProcessId>,
    /// The name of its executable.
    pub program: String,
    /// Its arguments, its own name first; none where they can't be seen.
    pub arguments: Option<Arc<[String]>>,
    /// Where it lives.
    pub place: Place,
    /// Which container that is, where it is one and that can be told.
    pub container: Option<Container>,
    /// Whether a person sits at its terminal: it is a kubectl in the foreground of the terminal that its
    /// standard error leads to.
    pub foreground: bool,
    /// Whether they can type an answer there: not where a command of theirs has something else for its standard input.
    pub types: bool,
    /// Whether the shim's standard error is a terminal, so that more than one line is welcome.
    pub terminal: bool,
    /// Whether it is `kubectl __complete`, which a TAB runs and which must never ask.
    pub completion: bool,
    /// The proxies of its environment.
    pub proxies: Proxies,
    /// Whether its environment sets SSL_CERT_FILE or SSL_CERT_DIR.
    pub own_ca: bool,
    /// The language of its environment.
    pub language: Language,
}

/// Where an asker lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this computer, with or without a terminal.
    Here,
    /// Below an sshd: whoever sits there is elsewhere.
    Ssh,
    /// In another mount namespace: a container, a snap, a flatpak.
    Container,
}

/// Another mount namespace, for as long as it has the process that it began with: what was said of it is over then,
/// and another one that gets its number is not it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Container {
    /// The namespace: the device and the number that the kernel gives it.
    pub namespace: (u64, u64),
    /// The process that it ends with.
    pub first: ProcessId,
}

/// For whom an approval may hold that is not for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// The process that asks.
    pub process: Option<ProcessId>,
    /// The container that it sits in.
    pub container: Option<Container>,
}

impl Whose {
    /// The process, and the first of its container.
    pub(crate) fn both(&self) -> [Option<ProcessId>; 2] {
        [
            self.process,
            self.container.map(|container| container.first),
        ]
    }

    /// Whether it is one of these, or sits in a container that one of these is the first process of.
    pub(crate) fn is_among(&self, processes: &[ProcessId]) -> bool {
        let both = self.both();
        let mut both = both.iter().flatten();
        both.any(|process| processes.contains(process))
    }
}

impl Asker {
    /// Whose approvals are its own.
    #[must_use]
    pub fn whose(&self) -> Whose {
        Whose {
            process: self.process,
            container: self.container,
        }
    }
}

/// What is known of the person's graphical login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Desktop {
    /// There is none.
    #[default]
    None,
    /// There is one, and its screen is locked.
    Locked,
    /// There is one, and somebody may be looking.
    Unlocked,
}

/// The way by which a request came in. It decides what may be asked of us, whatever the client
/// says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The main socket: tokens of trusted pairs, commands.
    Control,
    /// The descriptor that our own window got from us when we started it.
    Consent,
    /// Our own page in the browser, by its one-time button.
    Page,
}

/// Where a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venue {
    /// On this desktop: in the browser, or in our window.
    Desktop,
    /// On the asker's terminal.
    Terminal,
    /// Nowhere: nobody is there.
    Nobody,
}

/// Where to ask the person behind this asker.
#[must_use]
pub fn venue(asker: &Asker, desktop: Desktop) -> Venue {
    if asker.completion {
        return Venue::Nobody;
    }
    let terminal = if asker.foreground {
        Venue::Terminal
    } else {
        Venue::Nobody
    };
    match (asker.place, desktop) {
        (Place::Ssh, _) | (_, Desktop::None | Desktop::Locked) => terminal,
        (Place::Here | Place::Container, Desktop::Unlocked) => Venue::Desktop,
    }
}

/// Whether an approval that comes by `endpoint` from `asker` counts.
///
/// Our page's button always does, and our window's where somebody can see it. A terminal does only while no desktop is adopted, or for an
/// asker that sits in ssh: otherwise whatever runs in a terminal could approve itself while a
/// person could have been asked where only a person answers.
#[must_use]
pub fn may_approve(endpoint: Endpoint, asker: &Asker, desktop: Desktop) -> bool {
    match endpoint {
        Endpoint::Page => true,
        Endpoint::Consent => match desktop {
            Desktop::Unlocked => true,
            Desktop::None | Desktop::Locked => false,
        },
        Endpoint::Control => {
            asker.foreground
                && asker.types
                && match (asker.place, desktop) {
                    (Place::Ssh, _) | (Place::Here, Desktop::None) => true,
                    (Place::Here, Desktop::Locked | Desktop::Unlocked) | (Place::Container, _) => {
                        false
                    }
                }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn asker(place: Place, foreground: bool) -> Asker {
        Asker {
            process: Some(ProcessId { pid: 1, started: 1 }),
            program: "kubectl".into(),
            arguments: Some(["kubectl", "get", "ns"].map(String::from).into()),
            place,
            container: None,
            foreground,
            types: foreground,
            terminal: foreground,
            completion: false,
            proxies: Proxies::default(),
            own_ca: false,
            language: Language::En,
        }
    }

    #[test]
    fn a_person_is_asked_where_the_asker_is() {
        use Desktop::{Locked, None, Unlocked};
        use Place::{Here, Ssh};
        for (place, foreground, desktop, expected) in [
            (Here, true, Unlocked, Venue::Desktop),
            (Here, false, Unlocked, Venue::Desktop),
            (Here, true, Locked, Venue::Terminal),
            (Here, false, Locked, Venue::Nobody),
            (Here, true, None, Venue::Terminal),
            (Here, false, None, Venue::Nobody),
            (Ssh, true, Unlocked, Venue::Terminal),
            (Ssh, false, Unlocked, Venue::Nobody),
        ] {
            assert_eq!(
                venue(&asker(place, foreground), desktop),
                expected,
                "{place:?} {desktop:?}"
            );
        }
        let tab = Asker {
            completion: true,
            ..asker(Here, true)
        };
        assert_eq!(venue(&tab, Unlocked), Venue::Nobody);
    }

    #[test]
    fn a_terminal_where_nothing_can_be_typed_approves_nothing() {
        for place in [Place::Here, Place::Ssh] {
            let asker = Asker {
                types: false,
                ..asker(place, true)
            };
            assert_eq!(venue(&asker, Desktop::None), Venue::Terminal);
            assert!(!may_approve(Endpoint::Control, &asker, Desktop::None));
        }
    }

    #[test]
    fn a_window_approves_only_where_somebody_can_see_it() {
        let asker = asker(Place::Here, false);
        for (desktop, expected) in [
            (Desktop::Unlocked, true),
            (Desktop::Locked, false),
            (Desktop::None, false),
        ] {
            assert_eq!(may_approve(Endpoint::Consent, &asker, desktop), expected);
            assert!(!may_approve(Endpoint::Control, &asker, desktop));
        }
    }

    #[test]
    fn a_terminal_approves_only_where_nobody_sits_at_a_desktop() {
        use Desktop::{Locked, None, Unlocked};
        for (place, foreground, desktop, expected) in [
            (Place::Here, true, None, true),
            (Place::Here, false, None, false),
            (Place::Here, true, Unlocked, false),
            (Place::Here, true, Locked, false),
            (Place::Ssh, true, Unlocked, true),
            (Place::Ssh, false, Unlocked, false),
            (Place::Container, true, None, false),
        ] {
            let asker = asker(place, foreground);
            assert_eq!(may_approve(Endpoint::Control, &asker, desktop), expected);
            assert!(may_approve(Endpoint::Page, &asker, desktop));
        }
    }
}
