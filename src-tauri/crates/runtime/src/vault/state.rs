//! What the vault's clones share, and the work on it: one look at keyring and folder at a time, and one writer an
//! account.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::account::AccountId;
use broker::problem::Problem;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

use super::held::{Access, Held, Look};
use super::key::{Caller, Key, KeyId};
use super::{Loaded, SEALING, file};
use crate::clock;
use crate::hall::blocking::blocking;
use crate::os::keyring::{Found, Keyring, Was};
use crate::own::settings::Keep;

pub(super) struct VaultState {
    pub(super) folder: PathBuf,
    pub(super) keyring: Caller,
    /// One look at keyring and folder at a time.
    pub(super) one: AsyncMutex<()>,
    pub(super) held: Mutex<Held>,
    pub(super) woken: Notify,
}

impl VaultState {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        // No half-made change is left behind by a panic that this guards against: there are none.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn turn(&self, account: &AccountId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut held = self.held();
            held.turns.entry(account.clone()).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Has an account's newest record on the disk.
    pub(super) async fn keep(self: &Arc<Self>, account: &AccountId) -> Result<(), Problem> {
        if matches!(self.held().access, Access::Unread) {
            self.attend(SEALING).await;
        }
        if matches!(self.held().access, Access::NoKey)
            && let Err(problem) = self.make_key().await
        {
            if matches!(problem, Problem::CannotKeep { .. }) {
                self.fault(account, &problem);
            }
            return Err(problem);
        }
        if matches!(self.held().access, Access::Locked) {
            self.prompt_once();
        }
        self.write(account).await
    }

    pub(super) async fn keep_pending(self: &Arc<Self>) {
        let pending = self.held().pending();
        for account in pending {
            // What fails is in the state.
            let _ = self.keep(&account).await;
        }
        let settled = {
            let held = self.held();
            (held.sealing().is_some() && held.pending().is_empty()).then_some(held.keep)
        };
        if settled == Some(Keep::Keyring) {
            let folder = self.folder.clone();
            // Every file that it opened is sealed with the keyring's key by now.
            let _ = blocking(move || file::remove_plain_key(&folder)).await;
        }
    }

    /// Writes an account's newest record, unless the disk has it.
    pub(super) async fn write(self: &Arc<Self>, account: &AccountId) -> Result<(), Problem> {
        let turn = self.turn(account).await;
        let (key, known, record) = {
            let held = self.held();
            let key = match &held.access {
                Access::Open(key) => key.clone(),
                Access::Unread | Access::Locked => {
                    return Err(Problem::KeyringLocked);
                }
                Access::NoKeyring(_) => return Err(Problem::NoKeyring),
                Access::NoKey => return Err(Problem::KeyLost),
            };
            let Some(entry) = held.entries.get(account) else {
                return Ok(());
            };
            if entry.on_disk == Some(entry.record.generation) {
                return Ok(());
            }
            let known: Vec<KeyId> = held.openers.iter().map(Key::id).collect();
            (key, known, entry.record.clone())
        };
        let (inner, account) = (self.clone(), account.clone());
        // To its end, also when whoever waits for it goes away.
        blocking(move || {
            let generation = record.generation;
            let at_rest = record.without_expired(clock::wall());
            let written = file::write(&inner.folder, &key, &known, &at_rest);
            match &written {
                Ok(()) => inner.wrote(&account, generation, &key),
                Err(problem) => inner.fault(&account, problem),
            }
            drop(turn);
            written
        })
        .await?
    }

    pub(super) fn wrote(&self, account: &AccountId, generation: u64, key: &Key) {
        let mut held = self.held();
        let current = held.sealing() == Some(key.id());
        if let Some(entry) = held.entries.get_mut(account) {
            entry.fault = None;
            entry.on_disk = Some(generation).filter(|_| current);
        }
    }

    /// Said in the log once, until it is mended.
    pub(super) fn fault(&self, account: &AccountId, problem: &Problem) {
        let mut held = self.held();
        if let Some(entry) = held.entries.get_mut(account)
            && entry.fault.replace(problem.clone()).is_none()
        {
            let reason = problem.parameter("reason");
            tracing::warn!(%account, reason, "tokens are in memory alone");
        }
    }

    /// Looks for keys, and for what they open. Nothing that is in memory is lost by it.
    pub(super) async fn attend(self: &Arc<Self>, deadline: Duration) -> Loaded {
        let one = self.one.lock().await;
        let before = self.held().state();
        let keep = self.held().keep;
        let look = self.look(deadline).await;
        let mut scan = file::Scan::default();
        if let Look::Keys { sealing, opening } = &look {
            let mut keys = [sealing.as_slice(), opening, &self.held().openers].concat();
            scan = self.scan(&keys).await;
            if keep == Keep::Plain && scan.other_key > 0 {
                // Files from before the person chose so. Without the keyring they wait for it.
                if let Look::Keys { sealing, .. } = self.read_keyring(deadline).await {
                    keys.extend(sealing);
                    let damaged = scan.unopened.into_iter();
                    let damaged =
                        damaged.filter(|(_, why)| matches!(why, Problem::VaultDamaged { .. }));
                    let damaged: Vec<_> = damaged.collect();
                    scan = self.scan(&keys).await;
                    scan.unopened.extend(damaged);
                }
            }
            let mut held = self.held();
            held.other_key = scan.other_key;
            keys.iter().for_each(|key| held.may_open(key));
        }
        let (accounts, state) = {
            let mut held = self.held();
            let accounts = held.settle(look, scan.records);
            (accounts, held.state())
        };
        drop(one);
        if state != before {
            tracing::info!(?state, "where tokens rest");
        }
        self.watch(false);
        Loaded {
            accounts,
            damaged: scan.unopened,
            state,
        }
    }

    pub(super) async fn look(self: &Arc<Self>, deadline: Duration) -> Look {
        let folder = self.folder.clone();
        let plain = blocking(move || file::plain_key(&folder)).await;
        let plain: Vec<Key> = plain.ok().flatten().into_iter().collect();
        let keep = self.held().keep;
        match keep {
            Keep::Plain => Look::Keys {
                sealing: plain,
                opening: vec![],
            },
            Keep::Keyring => match self.read_keyring(deadline).await {
                // What an earlier choice of `plain` left is sealed anew with the keyring's key.
                Look::Keys { sealing, .. } => Look::Keys {
                    sealing,
                    opening: plain,
                },
                nothing @ Look::Nothing(_) => nothing,
            },
        }
    }

    pub(super) async fn read_keyring(self: &Arc<Self>, deadline: Duration) -> Look {
        let inner = self.clone();
        let late = move || inner.woken.notify_one();
        let found = self.keyring.call(deadline, |keyring| keyring.read(), late);
        match found.await {
            None => Look::Nothing(Access::Locked),
            Some(found) => understood(found),
        }
    }

    pub(super) async fn scan(&self, keys: &[Key]) -> file::Scan {
        let (folder, keys) = (self.folder.clone(), keys.to_vec());
        let scan = blocking(move || file::scan(&folder, &keys)).await;
        scan.unwrap_or_default()
    }

    /// Makes the key that there is none of.
    pub(super) async fn make_key(self: &Arc<Self>) -> Result<(), Problem> {
        let _one = self.one.lock().await;
        let key = {
            let mut held = self.held();
            if !matches!(held.access, Access::NoKey) {
                return Ok(());
            }
            let key = held.fresh.take().or_else(|| Key::random().ok());
            held.fresh.clone_from(&key);
            key
        };
        let Some(key) = key else {
            let reason = "the system gives no random numbers".to_owned();
            return Err(Problem::Internal { reason });
        };
        if self.held().keep == Keep::Plain {
            let (folder, plain) = (self.folder.clone(), key.clone());
            blocking(move || file::write_plain_key(&folder, &plain)).await??;
            self.held().open_with(key);
            return Ok(());
        }
        let inner = self.clone();
        let late = move || inner.woken.notify_one();
        let made = self
            .keyring
            .call(SEALING, move |keyring| make(keyring, &key), late);
        let access = match made.await {
            None => Access::Locked,
            Some(found) => match understood(found) {
                Look::Nothing(access) => access,
                Look::Keys { sealing, .. } => match sealing.into_iter().next() {
                    Some(key) => {
                        self.held().open_with(key);
                        return Ok(());
                    }
                    None => Access::NoKeyring("it does not keep what it is given".into()),
                },
            },
        };
        self.held().access = access;
        self.watch(false);
        Ok(())
    }

    pub(super) async fn holds_any(&self) -> bool {
        let folder = self.folder.clone();
        blocking(move || file::holds_any(&folder))
            .await
            .unwrap_or(false)
    }

    /// Once in the life of the process: a person who said no is not asked again by us.
    pub(super) fn prompt_once(self: &Arc<Self>) {
        if !std::mem::replace(&mut self.held().prompted, true) {
            self.watch(true);
        }
    }

    /// Listens for what would help, if anything would.
    pub(super) fn watch(self: &Arc<Self>, prompt: bool) {
        let was = match &*self.held() {
            Held {
                access: Access::Locked,
                ..
            } => Was::Locked,
            Held {
                access: Access::NoKeyring(_),
                ..
            } => Was::Gone,
            Held {
                access: Access::NoKey | Access::Open(_),
                other_key: 1..,
                ..
            } => Was::Useless,
            Held { .. } => return,
        };
        let inner = Arc::downgrade(self);
        let changed = move || {
            if let Some(inner) = inner.upgrade() {
                inner.woken.notify_one();
            }
        };
        self.keyring.watch(was, prompt, changed);
    }
}

/// Writes the key unless there is one by now, and reads it back: what a keyring does not give back must not
/// seal anything.
pub(super) fn make(keyring: &dyn Keyring, key: &Key) -> Found {
    match keyring.read() {
        Found::Absent => match keyring.write(&key.text()) {
            Ok(()) => keyring.read(),
            Err(found) => found,
        },
        found @ (Found::Texts(_) | Found::Locked | Found::NoKeyring(_)) => found,
    }
}

pub(super) fn understood(found: Found) -> Look {
    match found {
        Found::Locked => Look::Nothing(Access::Locked),
        Found::NoKeyring(reason) => Look::Nothing(Access::NoKeyring(reason)),
        Found::Absent => Look::Keys {
            sealing: vec![],
            opening: vec![],
        },
        Found::Texts(texts) => {
            let keys: Vec<Key> = texts.iter().filter_map(|text| Key::parse(text)).collect();
            if keys.is_empty() {
                // Not written over: it may be somebody's, and a person can remove it.
                Look::Nothing(Access::NoKeyring("its entry is no key of ours".into()))
            } else {
                Look::Keys {
                    sealing: keys,
                    opening: vec![],
                }
            }
        }
    }
}
