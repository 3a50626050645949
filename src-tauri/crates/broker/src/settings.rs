//! What a person chose, and where tokens rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::texts::Language;

/// What a person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// When tokens are renewed by themselves.
    pub keep_fresh: KeepFresh,
    /// The language of the desktop. Whoever asks is answered in their own.
    pub language: Language,
    /// The language that a person chose for all of it.
    pub chosen_language: Option<Language>,
    /// How the window looks.
    pub theme: Theme,
    /// By exact issuer, other origins that are that provider's: its token endpoint may be there. Written in the file
    /// alone: no command says where codes and refresh tokens may go.
    pub provider_origins: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// What is said of one provider.
    pub(crate) fn origins_of(&self, issuer: &str) -> Vec<String> {
        self.provider_origins
            .get(issuer)
            .cloned()
            .unwrap_or_default()
    }
}

/// A setting, and what a person chooses for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "setting", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Choice {
    /// The language to speak.
    Language {
        /// None: that of the desktop, and of whoever asks.
        language: Option<Language>,
    },
    /// How the window looks.
    Theme {
        /// How.
        theme: Theme,
    },
    /// When tokens are renewed by themselves.
    KeepFresh {
        /// When.
        when: KeepFresh,
    },
    /// Whether Kubefob is started with the desktop.
    Autostart {
        /// Whether it is.
        on: bool,
    },
}

/// How the window looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the desktop has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// When tokens are renewed by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum KeepFresh {
    /// As long as the provider allows.
    #[default]
    Always,
    /// While this computer is in use: then the provider's idle time-out bites as its
    /// administrator meant it.
    WhileInUse,
}

/// Where tokens rest just now, said as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Not known yet.
    #[default]
    Unknown,
    /// Sealed on disk, the key in the keyring.
    Sealed,
    /// Sealed on disk, the key in a file beside them.
    Plain,
    /// In memory: the keyring is locked.
    MemoryLocked,
    /// In memory: there is no keyring.
    MemoryNoKeyring,
    /// In memory: the keyring has lost the key.
    MemoryKeyLost,
    /// In memory: the disk can't be written.
    MemoryNoDisk,
}
