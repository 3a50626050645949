//! Where tokens rest: a key in the system's keyring, one file an account sealed with it. The client secret is in
//! that file too and stays there when the session is over.
//!
//! Whatever the keyring and the disk do, tokens are in memory first and stay there: a seal that fails is
//! pending, and [`Vault::retry`] mends it without a restart. No wait for the keyring is longer than its
//! deadline here, and nothing that could still be opened is deleted.

mod file;
mod held;
mod key;
pub mod seal;
mod state;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::account::{AccountId, AccountKey};
use broker::clock::Wall;
use broker::problem::Problem;
use broker::secret::ClientSecret;
use tokio::sync::{Mutex as AsyncMutex, Notify};

use self::held::{Access, Held, Look};
use self::key::Caller;
use self::state::VaultState;
use crate::hall::blocking::blocking;
use crate::os::keyring::{Found, Keyring, System};
use crate::own::settings::Keep;

pub use self::key::{Key, KeyId};
pub use self::seal::{Attempt, Content, Record};

/// How long a start waits for the keyring: the bus may have to start it.
const LOADING: Duration = Duration::from_secs(4);
/// How long a sign-in waits for it, at its end.
const SEALING: Duration = Duration::from_secs(2);

/// The vault, shared by its clones.
#[derive(Clone)]
pub struct Vault(Arc<VaultState>);

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
            Self::MemoryLocked => Some(Problem::KeyringLocked),
            Self::MemoryNoKeyring(_) => Some(Problem::NoKeyring),
            Self::MemoryKeyLost => Some(Problem::KeyLost),
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
        Self(Arc::new(VaultState {
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

    /// Whether anything was ever sealed in a vault's folder, as far as can be told; it need not be this one's.
    #[must_use]
    pub fn was_used(folder: &Path) -> bool {
        file::was_used(folder)
    }

    /// Deletes all that rests, the key in the keyring too, and forgets what is in memory: for the end of everything.
    ///
    /// # Errors
    /// What could not be deleted.
    pub async fn erase(&self) -> Vec<Problem> {
        let _one = self.0.one.lock().await;
        {
            let mut held = self.0.held();
            *held = Held {
                keep: held.keep,
                ..Held::default()
            };
        }
        let folder = self.0.folder.clone();
        let files = blocking(move || file::remove_all(&folder)).await;
        let key = self
            .0
            .keyring
            .call(SEALING, |keyring| keyring.remove(), || {});
        let key = match key.await {
            Some(Ok(())) => Ok(()),
            Some(Err(Found::NoKeyring(_) | Found::Absent)) => Ok(()),
            Some(Err(Found::Locked | Found::Texts(_))) | None => Err(Problem::KeyringLocked),
        };
        let files = files.unwrap_or_else(|problem| vec![problem]);
        files.into_iter().chain(key.err()).collect()
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
                return Err(Problem::Internal { reason });
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
    /// `CannotForget` that names the file which could not be removed.
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
    /// `CannotForget` that names the file which could not be removed.
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

#[cfg(test)]
mod tests;
