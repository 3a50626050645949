//! Where tokens rest: a key in the system's keyring, one file an account sealed with it. The client secret is in
//! that file too and stays there when the session is over.
//!
//! Whatever the keyring and the disk do, tokens are in memory first and stay there: a seal that fails is
//! pending, and [`Vault::retry`] mends it without a restart. No wait for the keyring is longer than its
//! deadline here, and nothing that could still be opened is deleted.

mod file;
mod key;
pub mod seal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::account::{AccountId, AccountKey};
use broker::clock::Wall;
use broker::problem::{Code, Problem};
use broker::secret::ClientSecret;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

use self::key::Caller;
use crate::blocking::blocking;
use crate::clock;
use crate::os::keyring::{Found, Keyring, System, Was};
use crate::settings::Keep;

pub use self::key::{Key, KeyId};
pub use self::seal::{Attempt, Content, Record};

/// How long a start waits for the keyring: the bus may have to start it.
const LOADING: Duration = Duration::from_secs(4);
/// How long a sign-in waits for it, at its end.
const SEALING: Duration = Duration::from_secs(2);

/// The vault, shared by its clones.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

/// Where tokens rest, as it is. Each but the first three can be mended without a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// [`Vault::load`] has not been here yet.
    Unread,
    /// In sealed files; the key in the keyring.
    Sealed,
    /// In sealed files; the key in a file beside them, which helps against nobody who can read them.
    Plain,
    /// In memory: the keyring is locked, or does not answer.
    MemoryLocked,
    /// In memory: there is no keyring, or none that works. With the system's word for it.
    MemoryNoKeyring(String),
    /// The keyring works and has not the key of the sealed files that are there. They stay as they are, until
    /// a person has signed in again.
    MemoryKeyLost,
    /// In memory, at least an account's: the disk does not take them (`CannotKeep`).
    MemoryCannotKeep(Problem),
}

/// What was found at rest.
#[derive(Debug)]
pub struct Loaded {
    /// The accounts, with what is kept of them.
    pub accounts: Vec<Record>,
    /// The files that could not be opened, where they are now, and why.
    pub damaged: Vec<(PathBuf, Problem)>,
    /// The state after that.
    pub state: State,
}

impl State {
    /// What to tell a person; none: all is as chosen.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Unread | Self::Sealed | Self::Plain => None,
            Self::MemoryLocked => Some(Problem::plain(Code::KeyringLocked)),
            Self::MemoryNoKeyring(_) => Some(Problem::plain(Code::NoKeyring)),
            Self::MemoryKeyLost => Some(Problem::plain(Code::KeyLost)),
            Self::MemoryCannotKeep(problem) => Some(problem.clone()),
        }
    }
}

impl Vault {
    /// The vault in a folder, which need not be there. Touches neither the disk nor the keyring.
    #[must_use]
    pub fn open(folder: &Path, instance: Option<&str>, keep: Keep) -> Self {
        let user = instance.map_or_else(|| "vault".into(), |label| format!("vault:{label}"));
        let service = "kubefob";
        Self::with_keyring(folder, keep, System { service, user })
    }

    fn with_keyring(folder: &Path, keep: Keep, keyring: impl Keyring) -> Self {
        Self(Arc::new(Inner {
            folder: folder.to_path_buf(),
            keyring: Caller::new(keyring),
            one: AsyncMutex::default(),
            held: Mutex::new(Held {
                keep,
                ..Held::default()
            }),
            woken: Notify::new(),
        }))
    }

    /// Reads what rests. A keyring that does not answer in a few seconds is called locked, the person is asked
    /// for it once if anything rests, and a later [`Vault::retry`] loads.
    pub async fn load(&self) -> Loaded {
        let mut loaded = self.0.attend(LOADING).await;
        if loaded.state == State::MemoryLocked && self.0.holds_any().await {
            self.0.prompt_once();
        }
        self.0.keep_pending().await;
        loaded.state = self.state();
        loaded.accounts = {
            let held = self.0.held();
            let entries = held.entries.values();
            entries.map(|entry| entry.record.clone()).collect()
        };
        loaded
    }

    /// Whether there are files of accounts, readable or not. It looks at the disk, for a moment.
    #[must_use]
    pub fn holds_any(&self) -> bool {
        file::holds_any(&self.0.folder)
    }

    /// Keeps the tokens of an account, and returns once the disk has them. `generation` and `sealed` are
    /// counted here.
    ///
    /// # Errors
    /// Why they are in memory alone for now. The sign-in stands.
    pub async fn seal(&self, record: Record) -> Result<(), Problem> {
        let account = record.key.id();
        self.0.held().put(record);
        self.0.keep(&account).await
    }

    /// Notes that a refresh token is about to be presented, and returns once the disk has the note.
    ///
    /// # Errors
    /// Why the note is in memory alone for now; an account that the vault does not have is `Internal`.
    pub async fn note_attempt(
        &self,
        account: &AccountId,
        refresh_fingerprint: &str,
        at: Wall,
    ) -> Result<(), Problem> {
        {
            let mut held = self.0.held();
            let entry = held.entries.get(account);
            let Some(entry) = entry.filter(|entry| entry.record.tokens().is_some()) else {
                let reason = "an attempt of an account that is not kept".to_owned();
                return Err(Problem::new(Code::Internal, vec![("reason", reason)]));
            };
            let mut record = entry.record.clone();
            record.attempt = Some(Attempt {
                fingerprint: refresh_fingerprint.to_owned(),
                at,
            });
            held.put(record);
        }
        self.0.keep(account).await
    }

    /// Keeps a client secret, where nothing is kept of its account: what rests already worked, this one may
    /// not. It waits for no keyring that is locked, and takes no place of a file that does not open: it comes
    /// again with the next kubectl.
    ///
    /// # Errors
    /// Why it is not kept.
    pub async fn keep_secret(&self, key: AccountKey, secret: ClientSecret) -> Result<(), Problem> {
        if matches!(self.0.held().access, Access::Unread) {
            self.0.attend(LOADING).await;
        }
        let account = key.id();
        {
            let mut held = self.0.held();
            if let Some(problem) = held.state().problem() {
                return Err(problem);
            }
            if held.entries.contains_key(&account) {
                return Ok(());
            }
            held.put(Record::of_secret(key, secret));
        }
        self.0.keep(&account).await
    }

    /// Forgets an account's tokens, and what was set aside of it. Its client secret stays.
    ///
    /// # Errors
    /// `CannotKeep` that names the file which could not be removed.
    pub async fn forget_tokens(&self, account: &AccountId) -> Result<(), Problem> {
        let left = {
            let mut held = self.0.held();
            let record = held.entries.get(account).map(|entry| &entry.record);
            let left = record.and_then(|record| {
                let secret = record.client_secret()?.clone();
                Some(Record::of_secret(record.key.clone(), secret))
            });
            let some = left.is_some();
            left.into_iter().for_each(|record| held.put(record));
            some
        };
        if !left {
            return self.forget(account).await;
        }
        let kept = self.0.keep(account).await;
        let turn = self.0.turn(account).await;
        let (folder, account, stands) = (self.0.folder.clone(), account.clone(), kept.is_ok());
        blocking(move || {
            // Where the disk or the keyring does not take the secret, it waits in memory: the tokens go all the
            // same.
            let removed = if stands {
                file::remove_set_aside(&folder, &account)
            } else {
                file::remove(&folder, &account)
            };
            drop(turn);
            removed
        })
        .await?
    }

    /// Forgets an account: memory, file, and what was set aside of it.
    ///
    /// # Errors
    /// `CannotKeep` that names the file which could not be removed.
    pub async fn forget(&self, account: &AccountId) -> Result<(), Problem> {
        // A look under way must not bring it back, nor a write come after the removal.
        let _one = self.0.one.lock().await;
        let turn = self.0.turn(account).await;
        self.0.held().entries.remove(account);
        let (folder, account) = (self.0.folder.clone(), account.clone());
        blocking(move || {
            let removed = file::remove(&folder, &account);
            drop(turn);
            removed
        })
        .await?
    }

    /// Tries again what could not be done: reads the keyring without a prompt, writes what is pending. Returns
    /// what that brought, if the state changed or accounts came to light.
    pub async fn retry(&self) -> Option<Loaded> {
        let before = self.state();
        let mut loaded = None;
        if self.0.held().wants_the_keyring() {
            loaded = Some(self.0.attend(LOADING).await);
        }
        self.0.keep_pending().await;
        let state = self.state();
        let news = state != before
            || loaded
                .as_ref()
                .is_some_and(|found| !found.accounts.is_empty());
        news.then(|| {
            let (accounts, damaged) = loaded
                .map(|found| (found.accounts, found.damaged))
                .unwrap_or_default();
            Loaded {
                accounts,
                damaged,
                state,
            }
        })
    }

    /// Asks the person, through the keyring's own prompt, to unlock it. Returns at once; [`Vault::woken`] says
    /// when there is news.
    pub fn unlock(&self) {
        self.0.watch(true);
    }

    /// Whether a [`Vault::retry`] may mend something that nothing tells of.
    #[must_use]
    pub fn is_restless(&self) -> bool {
        match self.state() {
            State::Sealed | State::Plain => false,
            State::Unread
            | State::MemoryLocked
            | State::MemoryNoKeyring(_)
            | State::MemoryKeyLost
            | State::MemoryCannotKeep(_) => true,
        }
    }

    /// Something happened that may help.
    pub fn wake(&self) {
        self.0.woken.notify_one();
    }

    /// Waits until the keyring may have been unlocked, or came, or [`Vault::wake`]: time for [`Vault::retry`].
    /// Where a system does not say so it never returns, so a slow timer belongs beside it while
    /// [`Vault::is_restless`].
    pub async fn woken(&self) {
        self.0.woken.notified().await;
    }

    /// Takes in that the person chose another place for the key. [`Vault::retry`] then seals with the key that
    /// is there; what is sealed already stays as it is until that has worked.
    pub fn choose(&self, keep: Keep) {
        let mut held = self.0.held();
        if held.keep != keep {
            held.keep = keep;
            held.access = Access::Unread;
            held.other_key = 0;
            // What the disk has is sealed with the key of the earlier choice.
            for entry in held.entries.values_mut() {
                entry.on_disk = None;
            }
        }
    }

    /// Whether all that this process has is at rest, so that another could go on with it.
    #[must_use]
    pub fn rests(&self) -> bool {
        let held = self.0.held();
        if held.entries.is_empty() {
            return true;
        }
        match held.state() {
            State::Sealed | State::Plain => held.pending().is_empty(),
            State::Unread
            | State::MemoryLocked
            | State::MemoryNoKeyring(_)
            | State::MemoryKeyLost
            | State::MemoryCannotKeep(_) => false,
        }
    }

    /// Whether another process would find the key just now, without a prompt.
    pub async fn opens(&self) -> bool {
        let (key, empty) = {
            let held = self.0.held();
            (held.sealing(), held.entries.is_empty())
        };
        let Some(key) = key else { return empty };
        match self.0.look(LOADING).await {
            Look::Keys { sealing, .. } => sealing.iter().any(|found| found.id() == key),
            Look::Nothing(_) => false,
        }
    }

    /// Where tokens rest now.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.held().state()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Vault").field(&self.0.folder).finish()
    }
}

struct Inner {
    folder: PathBuf,
    keyring: Caller,
    /// One look at keyring and folder at a time.
    one: AsyncMutex<()>,
    held: Mutex<Held>,
    woken: Notify,
}

#[derive(Default)]
struct Held {
    /// What the person chose.
    keep: Keep,
    access: Access,
    entries: BTreeMap<AccountId, Entry>,
    /// Whose turn it is to write an account's file. They outlive their account.
    turns: BTreeMap<AccountId, Arc<AsyncMutex<()>>>,
    /// Every key that opens files which we may write over.
    openers: Vec<Key>,
    /// The key to make, should one be needed: always the same, so that a write which the keyring finished late
    /// can't come between a later one and its files.
    fresh: Option<Key>,
    /// Sealed files that wait for another key.
    other_key: usize,
    /// The person was asked to unlock the keyring.
    prompted: bool,
}

/// What is known of the key.
#[derive(Default)]
enum Access {
    #[default]
    Unread,
    Locked,
    NoKeyring(String),
    /// A key can be kept and there is none. The sealed files that are there, if any, are another's.
    NoKey,
    Open(Key),
}

struct Entry {
    record: Record,
    /// The generation that the disk has, sealed with the key in use.
    on_disk: Option<u64>,
    /// Why the disk does not have the newest.
    fault: Option<Problem>,
}

/// What keyring and key file gave.
enum Look {
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
    fn put(&mut self, mut record: Record) {
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

    fn state(&self) -> State {
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
    fn wants_the_keyring(&self) -> bool {
        match self.access {
            Access::Unread | Access::Locked | Access::NoKeyring(_) => true,
            // The right keyring may be back.
            Access::NoKey | Access::Open(_) => self.other_key > 0,
        }
    }

    fn pending(&self) -> Vec<AccountId> {
        let entries = self.entries.iter();
        let pending = entries.filter(|(_, entry)| entry.on_disk != Some(entry.record.generation));
        pending.map(|(account, _)| account.clone()).collect()
    }

    fn sealing(&self) -> Option<KeyId> {
        match &self.access {
            Access::Open(key) => Some(key.id()),
            Access::Unread | Access::Locked | Access::NoKeyring(_) | Access::NoKey => None,
        }
    }

    fn open_with(&mut self, key: Key) {
        if self.sealing() != Some(key.id()) {
            for entry in self.entries.values_mut() {
                entry.on_disk = None;
            }
        }
        self.may_open(&key);
        self.access = Access::Open(key);
    }

    fn may_open(&mut self, key: &Key) {
        if self.openers.iter().all(|known| known.id() != key.id()) {
            self.openers.push(key.clone());
        }
    }

    /// Takes in what was found, and gives the records that are new.
    fn settle(&mut self, look: Look, records: Vec<(Record, KeyId)>) -> Vec<Record> {
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
    fn new(record: Record) -> Self {
        Self {
            record,
            on_disk: None,
            fault: None,
        }
    }
}

impl Inner {
    fn held(&self) -> MutexGuard<'_, Held> {
        // No half-made change is left behind by a panic that this guards against: there are none.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn turn(&self, account: &AccountId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut held = self.held();
            held.turns.entry(account.clone()).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Has an account's newest record on the disk.
    async fn keep(self: &Arc<Self>, account: &AccountId) -> Result<(), Problem> {
        if matches!(self.held().access, Access::Unread) {
            self.attend(SEALING).await;
        }
        if matches!(self.held().access, Access::NoKey)
            && let Err(problem) = self.make_key().await
        {
            if problem.code == Code::CannotKeep {
                self.fault(account, &problem);
            }
            return Err(problem);
        }
        if matches!(self.held().access, Access::Locked) {
            self.prompt_once();
        }
        self.write(account).await
    }

    async fn keep_pending(self: &Arc<Self>) {
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
    async fn write(self: &Arc<Self>, account: &AccountId) -> Result<(), Problem> {
        let turn = self.turn(account).await;
        let (key, known, record) = {
            let held = self.held();
            let key = match &held.access {
                Access::Open(key) => key.clone(),
                Access::Unread | Access::Locked => {
                    return Err(Problem::plain(Code::KeyringLocked));
                }
                Access::NoKeyring(_) => return Err(Problem::plain(Code::NoKeyring)),
                Access::NoKey => return Err(Problem::plain(Code::KeyLost)),
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

    fn wrote(&self, account: &AccountId, generation: u64, key: &Key) {
        let mut held = self.held();
        let current = held.sealing() == Some(key.id());
        if let Some(entry) = held.entries.get_mut(account) {
            entry.fault = None;
            entry.on_disk = Some(generation).filter(|_| current);
        }
    }

    /// Said in the log once, until it is mended.
    fn fault(&self, account: &AccountId, problem: &Problem) {
        let mut held = self.held();
        if let Some(entry) = held.entries.get_mut(account)
            && entry.fault.replace(problem.clone()).is_none()
        {
            let reason = problem.parameter("reason");
            tracing::warn!(%account, reason, "tokens are in memory alone");
        }
    }

    /// Looks for keys, and for what they open. Nothing that is in memory is lost by it.
    async fn attend(self: &Arc<Self>, deadline: Duration) -> Loaded {
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
                    let damaged = damaged.filter(|(_, why)| why.code == Code::VaultDamaged);
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

    async fn look(self: &Arc<Self>, deadline: Duration) -> Look {
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

    async fn read_keyring(self: &Arc<Self>, deadline: Duration) -> Look {
        let inner = self.clone();
        let late = move || inner.woken.notify_one();
        let found = self.keyring.call(deadline, |keyring| keyring.read(), late);
        match found.await {
            None => Look::Nothing(Access::Locked),
            Some(found) => understood(found),
        }
    }

    async fn scan(&self, keys: &[Key]) -> file::Scan {
        let (folder, keys) = (self.folder.clone(), keys.to_vec());
        let scan = blocking(move || file::scan(&folder, &keys)).await;
        scan.unwrap_or_default()
    }

    /// Makes the key that there is none of.
    async fn make_key(self: &Arc<Self>) -> Result<(), Problem> {
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
            return Err(Problem::new(Code::Internal, vec![("reason", reason)]));
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

    async fn holds_any(&self) -> bool {
        let folder = self.folder.clone();
        blocking(move || file::holds_any(&folder))
            .await
            .unwrap_or(false)
    }

    /// Once in the life of the process: a person who said no is not asked again by us.
    fn prompt_once(self: &Arc<Self>) {
        if !std::mem::replace(&mut self.held().prompted, true) {
            self.watch(true);
        }
    }

    /// Listens for what would help, if anything would.
    fn watch(self: &Arc<Self>, prompt: bool) {
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
fn make(keyring: &dyn Keyring, key: &Key) -> Found {
    match keyring.read() {
        Found::Absent => match keyring.write(&key.text()) {
            Ok(()) => keyring.read(),
            Err(found) => found,
        },
        found @ (Found::Texts(_) | Found::Locked | Found::NoKeyring(_)) => found,
    }
}

fn understood(found: Found) -> Look {
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

#[cfg(test)]
mod tests;
