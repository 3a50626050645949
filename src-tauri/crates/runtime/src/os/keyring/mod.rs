//! The system's keyring: one entry of ours in it, a text. All of this blocks, on Linux until somebody has
//! answered a prompt: `vault::key` calls it from a thread of its own.
//!
//! | name | is |
//! |---|---|
//! | `Keyring` | the seam: the system's in [`System`], another in tests |
//! | `open_store` | keyring-core's store of this system, made anew at each call so that it can be tried again |
//! | `before_reading` | what is known without a prompt |
//! | `watch` | waits until the keyring may have changed |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod native;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use native as system;

#[cfg(target_os = "linux")]
pub use linux::is_own_bus;

use keyring::{Entry, Error};
use zeroize::Zeroizing;

/// A keyring with one entry.
pub(crate) trait Keyring: Send + Sync + 'static {
    /// The entry's texts. More than one where the person has copies in several keyrings.
    fn read(&self) -> Found;
    /// Writes the entry, over one that is there.
    fn write(&self, text: &str) -> Result<(), Found>;
    /// Deletes the entry, with its copies. One that is not there is deleted.
    fn remove(&self) -> Result<(), Found>;
    /// Waits until the keyring may be other than it `was`; with `prompt` it asks the person to unlock it first.
    fn watch(&self, was: Was, prompt: bool) -> Watched;
}

/// What a keyring says about the entry.
pub(crate) enum Found {
    /// It is there.
    Texts(Vec<Zeroizing<String>>),
    /// The keyring can be read, and has no such entry.
    Absent,
    /// The keyring is locked: whether it has the entry is not known.
    Locked,
    /// There is no keyring, or none that works; and why.
    NoKeyring(String),
}

/// What is known of the keyring when a wait begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    /// There, locked.
    Locked,
    /// Not there.
    Gone,
    /// There, unlocked, without an entry that helps.
    Useless,
}

/// What a wait ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// The keyring may have changed.
    Changed,
    /// Nothing will say so here.
    Blind,
}

/// The system's keyring.
pub(crate) struct System {
    pub(crate) service: &'static str,
    pub(crate) user: String,
}

impl Keyring for System {
    fn read(&self) -> Found {
        if let Some(found) = system::before_reading(self) {
            return found;
        }
        let entry = match self.entry() {
            Ok(entry) => entry,
            Err(error) => return found(&error),
        };
        let entries = match entry.get_password() {
            Ok(text) => return Found::Texts(vec![Zeroizing::new(text)]),
            Err(Error::Ambiguous(entries)) => entries,
            Err(error) => return found(&error),
        };
        let texts = entries.iter().filter_map(|entry| entry.get_password().ok());
        let texts: Vec<_> = texts.map(Zeroizing::new).collect();
        if texts.is_empty() {
            Found::Locked
        } else {
            Found::Texts(texts)
        }
    }

    fn write(&self, text: &str) -> Result<(), Found> {
        // As text: KWallet takes nothing else.
        self.entry()
            .and_then(|entry| entry.set_password(text))
            .map_err(|error| found(&error))
    }

    fn remove(&self) -> Result<(), Found> {
        match system::before_reading(self) {
            // Without a keyring there is no entry.
            Some(Found::Absent | Found::NoKeyring(_)) => return Ok(()),
            Some(locked @ (Found::Locked | Found::Texts(_))) => return Err(locked),
            None => {}
        }
        let entries = match self.entry().and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => return Ok(()),
            Err(Error::Ambiguous(entries)) => entries,
            Err(error) => return Err(found(&error)),
        };
        for entry in entries {
            entry.delete_credential().map_err(|error| found(&error))?;
        }
        Ok(())
    }

    fn watch(&self, was: Was, prompt: bool) -> Watched {
        system::watch(self, was, prompt)
    }
}

impl System {
    /// `Entry::new` would open the store once and for all: a keyring that comes later would never be seen.
    fn entry(&self) -> keyring::Result<Entry> {
        let inner = keyring_core::Entry::new_in_store_with_modifiers(
            &system::open_store()?,
            self.service,
            &self.user,
            &system::modifiers(),
        )?;
        Ok(Entry { inner })
    }
}

fn found(error: &Error) -> Found {
    if matches!(error, Error::NoEntry) {
        Found::Absent
    } else if matches!(error, Error::NoStorageAccess(_)) {
        Found::Locked
    } else {
        Found::NoKeyring(error.to_string())
    }
}
