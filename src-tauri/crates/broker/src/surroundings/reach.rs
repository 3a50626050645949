//! How a person reaches Kubefob: by the tray, or, where the desktop shows none (GNOME as it comes), by starting it once
//! more. That is said once, and stands where it can be looked up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::asker::Desktop;
use crate::clock::{Deadline, Moment};

/// A desktop that has just come may take so long until its tray is there.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the desktop shows the tray's icon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TrayHost {
    /// Not known yet, or there is no desktop.
    #[default]
    Unknown,
    /// It does.
    There,
    /// It does not.
    Missing,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    host: TrayHost,
    /// Since when somebody has waited for it.
    since: Option<Moment>,
    /// Whether a person was told, in this resident's life or before.
    pub(crate) told: bool,
}

impl Reach {
    /// What is known at the start.
    pub(crate) fn after(told: bool) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }

    /// The desktop's word.
    pub(crate) fn host(&mut self, there: bool) {
        self.host = if there {
            TrayHost::There
        } else {
            TrayHost::Missing
        };
    }

    /// What is shown of it.
    pub(crate) fn shown(&self, desktop: Desktop, now: Moment) -> TrayHost {
        match (desktop, self.host) {
            (Desktop::None, _) => TrayHost::Unknown,
            (Desktop::Locked | Desktop::Unlocked, TrayHost::Missing) => {
                if self.since.is_some_and(|since| now.since(since) >= PATIENCE) {
                    TrayHost::Missing
                } else {
                    TrayHost::Unknown
                }
            }
            (Desktop::Locked | Desktop::Unlocked, host @ (TrayHost::Unknown | TrayHost::There)) => {
                host
            }
        }
    }

    /// Whether a person is to be told now, once, how to come back; and since when somebody has waited for a tray.
    pub(crate) fn is_to_be_told(&mut self, desktop: Desktop, now: Moment) -> bool {
        let waits = match (desktop, self.host) {
            (Desktop::Unlocked | Desktop::Locked, TrayHost::Missing) => true,
            (Desktop::None, _) | (_, TrayHost::Unknown | TrayHost::There) => false,
        };
        if !waits {
            self.since = None;
            return false;
        }
        self.since.get_or_insert(now);
        let missing = self.shown(desktop, now) == TrayHost::Missing;
        let is_to_be_told = desktop == Desktop::Unlocked && missing && !self.told;
        self.told |= is_to_be_told;
        is_to_be_told
    }

    /// When it is known that there is none.
    pub(crate) fn known_at(&self, now: Moment) -> Option<Deadline> {
        let at = self.since?.after(PATIENCE);
        Some(at).filter(|at| now < *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Broker;
    use crate::clock::Now;
    use crate::clock::Wall;
    use crate::event::Effect;
    use crate::event::{Event, Kept};
    use crate::settings::Settings;

    fn at(seconds: u64) -> Now {
        Now {
            wall: Wall(1_700_000_000_000),
            moment: Moment(1_000_000),
        }
        .after(Duration::from_secs(seconds))
    }

    /// What a person is told, and what is kept of that.
    fn told(effects: &[Effect]) -> (usize, bool) {
        let notes = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Note(_)));
        let kept = |effect: &Effect| matches!(effect, Effect::Keep(kept) if kept.told_of_no_tray);
        (notes.count(), effects.iter().any(kept))
    }

    #[test]
    fn a_missing_tray_is_told_once_and_only_to_somebody() {
        let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
        broker.handle(Event::Desktop(Desktop::Unlocked), at(0));
        assert_eq!(
            told(&broker.handle(Event::TrayHost(false), at(0))),
            (0, false)
        );
        assert_eq!(broker.view(at(19)).tray, TrayHost::Unknown, "it may come");
        assert_eq!(broker.poll_timeout(), Some(at(20).moment));
        broker.handle(Event::Desktop(Desktop::Locked), at(15));
        assert_eq!(told(&broker.handle(Event::Timeout, at(20))), (0, false));
        assert_eq!(broker.view(at(20)).tray, TrayHost::Missing);
        assert_eq!(broker.poll_timeout(), None, "nothing is due any more");
        let back = Event::Desktop(Desktop::Unlocked);
        assert_eq!(told(&broker.handle(back, at(30))), (1, true));
        assert_eq!(told(&broker.handle(Event::Timeout, at(60))), (0, false));
        broker.handle(Event::TrayHost(true), at(70));
        assert_eq!(broker.view(at(70)).tray, TrayHost::There);
        broker.handle(Event::TrayHost(false), at(80));
        assert_eq!(told(&broker.handle(Event::Timeout, at(200))), (0, false));
        assert_eq!(broker.view(at(200)).tray, TrayHost::Missing);
        broker.handle(Event::Desktop(Desktop::None), at(210));
        assert_eq!(broker.view(at(210)).tray, TrayHost::Unknown);
    }

    #[test]
    fn who_was_told_in_an_earlier_life_is_not_told_again() {
        let kept = Kept {
            told_of_no_tray: true,
            ..Kept::default()
        };
        let mut broker = Broker::new(kept, Settings::default(), 1);
        broker.handle(Event::Desktop(Desktop::Unlocked), at(0));
        broker.handle(Event::TrayHost(false), at(0));
        assert_eq!(told(&broker.handle(Event::Timeout, at(30))), (0, false));
        assert_eq!(broker.view(at(30)).tray, TrayHost::Missing);
    }
}
