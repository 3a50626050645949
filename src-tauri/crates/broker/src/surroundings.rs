//! What is around the resident: the desktop and its tray, what was chosen, whose plugin comes first, how tokens rest,
//! and what is wrong with the resident itself.

pub mod plugin;
pub mod reach;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::asker::Desktop;
use crate::clock::{Deadline, Moment};
use crate::problem::Problem;
use crate::settings::{Keep, KeepFresh, Settings};
use plugin::Plugin;
use reach::{Reach, TrayHost};

/// What is around the resident.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) settings: Settings,
    pub(crate) desktop: Desktop,
    /// Whether Kubefob is started with it.
    pub(crate) autostart: bool,
    /// Whose plugin comes first on PATH; none: that is not to be told.
    pub(crate) plugin: Option<Plugin>,
    /// How tokens rest.
    pub(crate) keep: Keep,
    /// Where things rest; none: nobody has said.
    pub(crate) places: Option<Arc<RestingPlaces>>,
    /// What is wrong with the resident itself.
    pub(crate) notices: Vec<Problem>,
    /// That approvals of an older version, for servers that can't be seen, are over: said for as long as this resident
    /// lives, which is once, since they are then written down no more.
    pub(crate) unseen_dropped: Option<Problem>,
    reach: Reach,
}

/// Where things rest, as people write it, `~` for the home folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "PlacesView"))]
pub struct RestingPlaces {
    /// The folder of sealed tokens.
    pub tokens: String,
    /// The settings file.
    pub settings: String,
    /// The folder of the program's log.
    pub log: String,
}

impl Surroundings {
    /// Before anything was looked at; `told`: a person knows how to come back where no icon shows.
    pub(crate) fn new(settings: Settings, told: bool, unseen_dropped: Option<Problem>) -> Self {
        Self {
            settings,
            desktop: Desktop::None,
            autostart: false,
            plugin: None,
            keep: Keep::Unknown,
            places: None,
            notices: Vec::new(),
            unseen_dropped,
            reach: Reach::after(told),
        }
    }

    /// Whether tokens are renewed by themselves just now.
    pub(crate) fn renews(&self) -> bool {
        match self.settings.keep_fresh {
            KeepFresh::Always => true,
            KeepFresh::WhileInUse => self.desktop == Desktop::Unlocked,
        }
    }

    /// The desktop shows the tray's icon, or has no place for it.
    pub(crate) fn tray_host(&mut self, there: bool) {
        self.reach.host(there);
    }

    /// Whether it does, as far as that is known.
    pub(crate) fn tray(&self, now: Moment) -> TrayHost {
        self.reach.shown(self.desktop, now)
    }

    /// Whether a person is to be told now, once, how to come back.
    pub(crate) fn is_to_be_told(&mut self, now: Moment) -> bool {
        self.reach.is_to_be_told(self.desktop, now)
    }

    /// Whether they were told, in this resident's life or before.
    pub(crate) fn told_of_no_tray(&self) -> bool {
        self.reach.told
    }

    /// When what is known of the tray changes by itself.
    pub(crate) fn next(&self, now: Moment) -> Option<Deadline> {
        self.reach.known_at(now)
    }
}
