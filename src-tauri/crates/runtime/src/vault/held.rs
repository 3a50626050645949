//! What the vault holds in memory, and what is known of its key. No wait, no disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::account::AccountId;
use broker::problem::Problem;
use tokio::sync::Mutex as AsyncMutex;

use super::State;
use super::key::{Key, KeyId};
use super::seal::Record;
use crate::clock;
use crate::own::settings::Keep;

#[derive(Default)]
pub(super) struct Held {
    /// What the person chose.
    pub(super) keep: Keep,
    pub(super) access: Access,
    pub(super) entries: BTreeMap<AccountId, Entry>,
    /// Whose turn it is to write an account's file. They outlive their account.
    pub(super) turns: BTreeMap<AccountId, Arc<AsyncMutex<()>>>,
    /// Every key that opens files which we may write over.
    pub(super) openers: Vec<Key>,
    /// The key to make, should one be needed: always the same, so that a write which the keyring finished late
    /// can't come between a later one and its files.
    pub(super) fresh: Option<Key>,
    /// Sealed files that wait for another key.
    pub(super) other_key: usize,
    /// The person was asked to unlock the keyring.
    pub(super) prompted: bool,
}

/// What is known of the key.
#[derive(Default)]
pub(super) enum Access {
    #[default]
    Unread,
    Locked,
    NoKeyring(String),
    /// A key can be kept and there is none. The sealed files that are there, if any, are another's.
    NoKey,
    Open(Key),
}

pub(super) struct Entry {
    pub(super) record: Record,
    /// The generation that the disk has, sealed with the key in use.
    pub(super) on_disk: Option<u64>,
    /// Why the disk does not have the newest.
    pub(super) fault: Option<Problem>,
}

/// What keyring and key file gave.
pub(super) enum Look {
    /// Nothing: this is why.
    Nothing(Access),
    /// Keys to seal with, of which there may be none, and keys that only open.
    Keys {
        sealing: Vec<Key>,
        opening: Vec<Key>,
    },
}

impl Held {
    /// Takes a record in as the newest of its account.
    pub(super) fn put(&mut self, mut record: Record) {
        let account = record.key.id();
        let before = self
            .entries
            .get(&account)
            .map(|entry| entry.record.generation);
        record.generation = before.unwrap_or(0).max(record.generation).saturating_add(1);
        record.sealed = clock::wall();
        match self.entries.get_mut(&account) {
            Some(entry) => entry.record = record,
            None => drop(self.entries.insert(account, Entry::new(record))),
        }
    }

    pub(super) fn state(&self) -> State {
        let fault = self.entries.values().find_map(|entry| entry.fault.as_ref());
        match (&self.access, fault) {
            (Access::Unread, _) => State::Unread,
            (Access::Locked, _) => State::MemoryLocked,
            (Access::NoKeyring(reason), _) => State::MemoryNoKeyring(reason.clone()),
            (Access::NoKey | Access::Open(_), Some(problem)) => {
                State::MemoryCannotKeep(problem.clone())
            }
            (Access::NoKey, None) if self.other_key > 0 => State::MemoryKeyLost,
            (Access::NoKey | Access::Open(_), None) => match self.keep {
                Keep::Keyring => State::Sealed,
                Keep::Plain => State::Plain,
            },
        }
    }

    /// Whether a look at the keyring can bring anything.
    pub(super) fn wants_the_keyring(&self) -> bool {
        match self.access {
            Access::Unread | Access::Locked | Access::NoKeyring(_) => true,
            // The right keyring may be back.
            Access::NoKey | Access::Open(_) => self.other_key > 0,
        }
    }

    pub(super) fn pending(&self) -> Vec<AccountId> {
        let entries = self.entries.iter();
        let pending = entries.filter(|(_, entry)| entry.on_disk != Some(entry.record.generation));
        pending.map(|(account, _)| account.clone()).collect()
    }

    pub(super) fn sealing(&self) -> Option<KeyId> {
        match &self.access {
            Access::Open(key) => Some(key.id()),
            Access::Unread | Access::Locked | Access::NoKeyring(_) | Access::NoKey => None,
        }
    }

    pub(super) fn open_with(&mut self, key: Key) {
        if self.sealing() != Some(key.id()) {
            for entry in self.entries.values_mut() {
                entry.on_disk = None;
            }
        }
        self.may_open(&key);
        self.access = Access::Open(key);
    }

    pub(super) fn may_open(&mut self, key: &Key) {
        if self.openers.iter().all(|known| known.id() != key.id()) {
            self.openers.push(key.clone());
        }
    }

    /// Takes in what was found, and gives the records that are new.
    pub(super) fn settle(&mut self, look: Look, records: Vec<(Record, KeyId)>) -> Vec<Record> {
        match (look, &self.access) {
            // The key is in memory, whatever has become of the keyring since.
            (Look::Nothing(_), Access::Open(_)) => {}
            (Look::Nothing(access), _) => self.access = access,
            (Look::Keys { sealing, .. }, access) => {
                // Of several, the one that most files want: a copy of a keyring does no harm then.
                let uses = |key: &&Key| records.iter().filter(|(_, id)| *id == key.id()).count();
                match (sealing.iter().rev().max_by_key(uses), access) {
                    (Some(key), _) => self.open_with(key.clone()),
                    (None, Access::Open(_)) => {}
                    (None, _) => self.access = Access::NoKey,
                }
            }
        }
        let sealing = self.sealing();
        let now = clock::wall();
        let mut new = Vec::new();
        for (record, id) in records {
            let account = record.key.id();
            if let Some(entry) = self.entries.get_mut(&account) {
                // Memory is newer: a person signed in while the keyring was locked.
                if entry.on_disk.is_none() && entry.record.generation <= record.generation {
                    entry.record.generation = record.generation.saturating_add(1);
                }
                continue;
            }
            let mut entry = Entry::new(record.without_expired(now));
            entry.on_disk = Some(entry.record.generation).filter(|_| sealing == Some(id));
            new.push(entry.record.clone());
            self.entries.insert(account, entry);
        }
        new
    }
}

impl Entry {
    pub(super) fn new(record: Record) -> Self {
        Self {
            record,
            on_disk: None,
            fault: None,
        }
    }
}
