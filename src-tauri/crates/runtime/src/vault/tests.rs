//! The vault over a keyring of our own, which can be locked, lost, hung and taken away.

use std::fs;
use std::sync::{MutexGuard, mpsc};

use broker::problem::Code;
use broker::secret::RefreshToken;
use zeroize::Zeroizing;

use super::seal::tests::record;
use super::*;
use crate::os::keyring::{Found, Was, Watched};

/// A keyring as a test has it.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    entry: Option<String>,
    mood: Mood,
    prompts: usize,
    watching: Vec<mpsc::Sender<()>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Open,
    Locked,
    Gone,
    /// Never answers while it is so.
    Hung,
}

impl Fake {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn is(&self, mood: Mood) {
        let mut inside = self.inside();
        inside.mood = mood;
        inside.watching.clear();
    }

    fn mood(&self) -> Option<Found> {
        loop {
            let mood = self.inside().mood;
            match mood {
                Mood::Open => return None,
                Mood::Locked => return Some(Found::Locked),
                Mood::Gone => return Some(Found::NoKeyring("gone".into())),
                Mood::Hung => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Keyring for Fake {
    fn read(&self) -> Found {
        if let Some(found) = self.mood() {
            return found;
        }
        let entry = self.inside().entry.clone();
        entry.map_or(Found::Absent, |text| {
            Found::Texts(vec![Zeroizing::new(text)])
        })
    }

    fn write(&self, text: &str) -> Result<(), Found> {
        if let Some(found) = self.mood() {
            return Err(found);
        }
        self.inside().entry = Some(text.to_owned());
        Ok(())
    }

    fn remove(&self) -> Result<(), Found> {
        if let Some(found) = self.mood() {
            return Err(found);
        }
        self.inside().entry = None;
        Ok(())
    }

    fn watch(&self, was: Was, prompt: bool) -> Watched {
        let (sender, changed) = mpsc::channel();
        {
            let mut inside = self.inside();
            inside.prompts += usize::from(prompt);
            let is = match inside.mood {
                Mood::Open => Was::Useless,
                Mood::Locked | Mood::Hung => Was::Locked,
                Mood::Gone => Was::Gone,
            };
            if is != was {
                return Watched::Changed;
            }
            inside.watching.push(sender);
        }
        // The sender is dropped when the mood changes.
        let _ = changed.recv();
        Watched::Changed
    }
}

struct Place {
    folder: tempfile::TempDir,
    keyring: Fake,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            keyring: Fake::default(),
        }
    }

    fn vault(&self) -> Vault {
        self.kept(Keep::Keyring)
    }

    /// As after a start: nothing in memory.
    fn kept(&self, keep: Keep) -> Vault {
        Vault::with_keyring(&self.path(), keep, self.keyring.clone())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn names(&self) -> Vec<String> {
        let found = fs::read_dir(self.path()).into_iter().flatten();
        let mut names: Vec<_> = found
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn file(&self, record: &Record) -> PathBuf {
        self.path().join(format!("{}.sealed", record.key.id()))
    }
}

fn refreshes(loaded: &Loaded) -> Vec<Option<RefreshToken>> {
    let accounts = loaded.accounts.iter();
    accounts
        .map(|record| record.tokens()?.refresh.clone())
        .collect()
}

fn refresh(text: &str) -> Option<RefreshToken> {
    Some(RefreshToken::new(text.into()))
}

#[tokio::test]
async fn tokens_outlive_a_restart() {
    let place = Place::new();
    let vault = place.vault();
    assert_eq!(vault.state(), State::Unread);
    let loaded = vault.load().await;
    assert!(loaded.accounts.is_empty() && loaded.damaged.is_empty());
    assert_eq!(loaded.state, State::Sealed);
    assert_eq!(
        place.names(),
        Vec::<String>::new(),
        "nothing is made before it is needed"
    );
    assert!(place.keyring.inside().entry.is_none());

    let sealed = record("c", "r1");
    vault.seal(sealed.clone()).await.unwrap();
    vault.seal(record("d", "s1")).await.unwrap();
    vault.seal(record("c", "r2")).await.unwrap();

    let loaded = place.vault().load().await;
    assert_eq!(loaded.state, State::Sealed);
    let mut found = loaded.accounts;
    found.sort_by_key(|record| record.key.client_id.clone());
    let [c, d] = found.try_into().unwrap();
    assert_eq!((c.generation, d.generation), (2, 1));
    assert!(c.sealed.0 > 0);
    let (c, d) = (c.tokens().unwrap(), d.tokens().unwrap());
    let sealed = sealed.tokens().unwrap();
    assert_eq!((&c.refresh, &d.refresh), (&refresh("r2"), &refresh("s1")));
    assert_eq!(c.bearer, sealed.bearer);
    assert_eq!(c.client_secret, sealed.client_secret);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let record = record("c", "r1");
    place.vault().seal(record.clone()).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path()), 0o700);
    assert_eq!(mode(&place.file(&record)), 0o600);
    assert_eq!(
        place.names().len(),
        1,
        "no temporary file is left: {:?}",
        place.names()
    );
}

#[tokio::test]
async fn an_attempt_is_noted_and_settled() {
    let place = Place::new();
    let vault = place.vault();
    let record = record("c", "r1");
    let account = record.key.id();
    let unknown = vault.note_attempt(&account, "f", Wall(1)).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Internal);
    vault.seal(record.clone()).await.unwrap();
    let refresh = record.tokens().unwrap().refresh.clone();
    let fingerprint = refresh.unwrap().fingerprint();
    vault
        .note_attempt(&account, &fingerprint, Wall(77))
        .await
        .unwrap();
    let loaded = place.vault().load().await;
    let at = Wall(77);
    assert_eq!(
        loaded.accounts[0].attempt,
        Some(Attempt { fingerprint, at })
    );
    vault.seal(record).await.unwrap();
    assert_eq!(place.vault().load().await.accounts[0].attempt, None);
}

#[tokio::test]
async fn a_forgotten_account_leaves_nothing() {
    let place = Place::new();
    let vault = place.vault();
    let record = record("c", "r1");
    vault.seal(record.clone()).await.unwrap();
    fs::write(
        place
            .path()
            .join(format!("{}.sealed.damaged-1", record.key.id())),
        "x",
    )
    .unwrap();
    vault.forget(&record.key.id()).await.unwrap();
    assert_eq!(place.names(), Vec::<String>::new());
    vault.forget(&record.key.id()).await.unwrap();
    assert!(place.vault().load().await.accounts.is_empty());
}

#[tokio::test]
async fn the_client_secret_outlives_the_tokens_and_a_restart() {
    let place = Place::new();
    let vault = place.vault();
    let record = record("c", "r1-old");
    let account = record.key.id();
    vault.seal(record.clone()).await.unwrap();
    let aside = place.file(&record).with_extension("sealed.damaged-1");
    fs::write(&aside, "x").unwrap();
    vault.forget_tokens(&account).await.unwrap();
    assert_eq!(place.names(), [format!("{account}.sealed")]);

    let loaded = place.vault().load().await;
    assert_eq!(refreshes(&loaded), [None]);
    assert_eq!(
        loaded.accounts[0].client_secret(),
        record.client_secret(),
        "nobody is signed in, and the secret is there"
    );
    let unsigned = vault.note_attempt(&account, "f", Wall(1)).await;
    assert_eq!(unsigned.unwrap_err().code(), Code::Internal);

    // Another one takes its place only with tokens that came by it.
    let other = ClientSecret::new("another".into());
    vault
        .keep_secret(record.key.clone(), other.clone())
        .await
        .unwrap();
    let loaded = place.vault().load().await;
    assert_eq!(loaded.accounts[0].client_secret(), record.client_secret());
    let mut by_other = record.clone();
    if let Content::Tokens(tokens) = &mut by_other.content {
        tokens.client_secret = Some(other.clone());
    }
    vault.seal(by_other).await.unwrap();
    vault.forget_tokens(&account).await.unwrap();
    let loaded = place.vault().load().await;
    assert_eq!(loaded.accounts[0].client_secret(), Some(&other));

    vault.forget(&account).await.unwrap();
    assert_eq!(place.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_first_secret_is_kept_where_nothing_is_hurt_by_it() {
    let place = Place::new();
    let record = record("c", "r1");
    let secret = ClientSecret::new("s".into());
    let vault = place.vault();
    vault
        .keep_secret(record.key.clone(), secret.clone())
        .await
        .unwrap();
    let loaded = place.vault().load().await;
    assert_eq!(loaded.accounts[0].client_secret(), Some(&secret));
    vault.seal(record.clone()).await.unwrap();

    // A locked keyring: what rests can't be seen, and is newer than any flag.
    place.keyring.is(Mood::Locked);
    let vault = place.vault();
    let kept = vault.keep_secret(record.key.clone(), secret).await;
    assert_eq!(kept.unwrap_err().code(), Code::KeyringLocked);
    place.keyring.is(Mood::Open);
    let found = vault.retry().await.unwrap();
    assert_eq!(found.accounts[0].tokens(), record.tokens());
}

#[tokio::test]
async fn tokens_go_also_where_something_is_in_the_way_of_the_secret() {
    let place = Place::new();
    let vault = place.vault();
    let record = record("c", "r1");
    vault.seal(record.clone()).await.unwrap();
    let new = place.file(&record).with_extension("sealed.new");
    fs::create_dir(&new).unwrap();
    vault.forget_tokens(&record.key.id()).await.unwrap();
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        1,
        "the secret alone"
    );
    let loaded = place.vault().load().await;
    assert_eq!(refreshes(&loaded), [None]);
}

#[tokio::test]
async fn a_locked_keyring_keeps_nobody_and_is_mended_later() {
    let place = Place::new();
    place.vault().seal(record("old", "o1")).await.unwrap();
    place.keyring.is(Mood::Locked);

    let vault = place.vault();
    let loaded = vault.load().await;
    assert_eq!(loaded.state, State::MemoryLocked);
    assert!(loaded.accounts.is_empty() && loaded.damaged.is_empty());
    let problem = vault.seal(record("new", "n1")).await.unwrap_err();
    assert_eq!(problem.code(), Code::KeyringLocked);
    assert!(vault.retry().await.is_none(), "still locked, no news");

    place.keyring.is(Mood::Open);
    vault.woken().await;
    let mended = vault.retry().await.unwrap();
    assert_eq!(mended.state, State::Sealed);
    assert_eq!(refreshes(&mended), [refresh("o1")]);
    assert_eq!(place.keyring.inside().prompts, 1, "asked once");
    assert!(vault.retry().await.is_none());
    let loaded = place.vault().load().await;
    assert_eq!(loaded.accounts.len(), 2, "what was pending is sealed");
}

#[tokio::test]
async fn a_sign_in_while_it_was_locked_wins_over_the_disk() {
    let place = Place::new();
    let vault = place.vault();
    for refresh in ["r1", "r2", "r3"] {
        vault.seal(record("c", refresh)).await.unwrap();
    }
    place.keyring.is(Mood::Locked);
    let vault = place.vault();
    vault.load().await;
    vault.seal(record("c", "new")).await.unwrap_err();
    place.keyring.is(Mood::Open);
    vault.retry().await.unwrap();
    let loaded = place.vault().load().await;
    assert_eq!(refreshes(&loaded), [refresh("new")]);
    assert_eq!(loaded.accounts[0].generation, 4);
}

#[tokio::test]
async fn a_hung_keyring_is_left_at_its_deadline() {
    let place = Place::new();
    place.vault().seal(record("c", "r1")).await.unwrap();
    place.keyring.is(Mood::Hung);
    let vault = place.vault();
    let begun = std::time::Instant::now();
    assert_eq!(vault.load().await.state, State::MemoryLocked);
    assert!(begun.elapsed() < LOADING + Duration::from_secs(1));
    let begun = std::time::Instant::now();
    vault.seal(record("d", "s1")).await.unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "no wait at a sign-in"
    );
    place.keyring.is(Mood::Open);
    vault.woken().await;
    let mended = vault.retry().await.unwrap();
    assert_eq!((mended.state, mended.accounts.len()), (State::Sealed, 1));
}

#[tokio::test]
async fn without_a_keyring_tokens_are_in_memory_until_one_comes() {
    let place = Place::new();
    place.keyring.is(Mood::Gone);
    let vault = place.vault();
    assert_eq!(
        vault.load().await.state,
        State::MemoryNoKeyring("gone".into())
    );
    let problem = vault.seal(record("c", "r1")).await.unwrap_err();
    assert_eq!(problem.code(), Code::NoKeyring);
    let account = record("c", "r1").key.id();
    let problem = vault
        .note_attempt(&account, "f", Wall(1))
        .await
        .unwrap_err();
    assert_eq!(problem.code(), Code::NoKeyring);
    assert_eq!(place.names(), Vec::<String>::new());
    assert_eq!(place.keyring.inside().prompts, 0);

    place.keyring.is(Mood::Open);
    vault.woken().await;
    assert_eq!(vault.retry().await.unwrap().state, State::Sealed);
    assert!(place.vault().load().await.accounts[0].attempt.is_some());
}

#[tokio::test]
async fn a_lost_key_loses_nothing_until_a_person_signs_in() {
    let place = Place::new();
    let (c, d) = (record("c", "r1"), record("d", "s1"));
    let vault = place.vault();
    vault.seal(c.clone()).await.unwrap();
    vault.seal(d.clone()).await.unwrap();
    let right = place.keyring.inside().entry.take();

    let vault = place.vault();
    let loaded = vault.load().await;
    assert_eq!(loaded.state, State::MemoryKeyLost);
    let codes: Vec<_> = loaded.damaged.iter().map(|(_, why)| why.code()).collect();
    assert_eq!(codes, [Code::KeyLost, Code::KeyLost]);
    assert!(
        place.keyring.inside().entry.is_none(),
        "no key is made by looking"
    );
    assert_eq!(place.names().len(), 2);

    // The right keyring comes back before a sign-in: as if nothing had been.
    place.keyring.inside().entry = right.clone();
    let mended = vault.retry().await.unwrap();
    assert_eq!((mended.state, mended.accounts.len()), (State::Sealed, 2));

    // It does not: the new sign-in makes a key, and the old file is set aside.
    place.keyring.inside().entry = None;
    let vault = place.vault();
    vault.load().await;
    vault.seal(record("c", "r2")).await.unwrap();
    assert_eq!(vault.state(), State::Sealed);
    let aside = format!("{}.sealed.unreadable-1", c.key.id());
    assert!(place.names().contains(&aside), "{:?}", place.names());
    let old = fs::read(place.path().join(aside)).unwrap();
    let key = Key::parse(right.as_deref().unwrap()).unwrap();
    assert_eq!(
        seal::open(&[key], c.key.id().as_str(), &old)
            .unwrap()
            .tokens(),
        c.tokens()
    );

    // It comes back after that: what no sign-in replaced is there again, sealed with one key from now on.
    place.keyring.inside().entry = right;
    let mended = vault.retry().await.unwrap();
    assert_eq!(refreshes(&mended), [refresh("s1")]);
    let loaded = place.vault().load().await;
    assert_eq!((loaded.accounts.len(), loaded.damaged.len()), (2, 0));
}

#[tokio::test]
async fn damaged_files_are_set_aside_and_the_others_load() {
    let place = Place::new();
    let vault = place.vault();
    let records = [
        record("a", "r1"),
        record("b", "r2"),
        record("c", "r3"),
        record("d", "r4"),
        record("e", "r5"),
    ];
    for record in &records {
        vault.seal(record.clone()).await.unwrap();
    }
    let [flipped, cut, one, other, whole] = &records;
    let mut bytes = fs::read(place.file(flipped)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(place.file(flipped), bytes).unwrap();
    let bytes = fs::read(place.file(cut)).unwrap();
    fs::write(place.file(cut), &bytes[..bytes.len() / 2]).unwrap();
    let (first, second) = (
        fs::read(place.file(one)).unwrap(),
        fs::read(place.file(other)).unwrap(),
    );
    fs::write(place.file(one), second).unwrap();
    fs::write(place.file(other), first).unwrap();

    let vault = place.vault();
    let loaded = vault.load().await;
    assert_eq!(refreshes(&loaded), [refresh("r5")]);
    assert_eq!(loaded.damaged.len(), 4);
    for (path, problem) in &loaded.damaged {
        assert_eq!(problem.code(), Code::VaultDamaged);
        assert!(path.exists() && path.to_str().unwrap().contains(".damaged-1"));
    }
    assert_eq!(loaded.state, State::Sealed);
    vault.seal(flipped.clone()).await.unwrap();
    assert_eq!(place.vault().load().await.accounts.len(), 2);
    assert!(place.file(whole).exists());
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_left_alone() {
    let place = Place::new();
    let record = record("c", "r1");
    place.vault().seal(record.clone()).await.unwrap();
    let mut bytes = fs::read(place.file(&record)).unwrap();
    bytes[8] = 2;
    fs::write(place.file(&record), &bytes).unwrap();
    let vault = place.vault();
    let loaded = vault.load().await;
    assert_eq!(loaded.damaged[0].1.code(), Code::BadFile);
    assert_eq!(fs::read(place.file(&record)).unwrap(), bytes);
    vault.seal(record.clone()).await.unwrap();
    let aside = place
        .path()
        .join(format!("{}.sealed.unreadable-1", record.key.id()));
    assert_eq!(fs::read(aside).unwrap(), bytes);
}

#[tokio::test]
async fn a_write_that_a_kill_cut_off_counts_if_it_is_whole() {
    let place = Place::new();
    let vault = place.vault();
    let old = record("c", "r1");
    vault.seal(old.clone()).await.unwrap();
    let key = Key::parse(place.keyring.inside().entry.as_deref().unwrap()).unwrap();
    let new = place.path().join(format!("{}.sealed.new", old.key.id()));
    let mut newer = record("c", "r2");
    newer.generation = 2;
    let bytes = seal::seal(&key, &newer).unwrap();

    fs::write(&new, &bytes[..bytes.len() - 5]).unwrap();
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r1")]);
    assert!(!new.exists());

    fs::write(&new, &bytes).unwrap();
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r2")]);
    assert!(!new.exists());
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r2")]);

    newer.generation = 1;
    fs::write(&new, seal::seal(&key, &newer).unwrap()).unwrap();
    place.vault().seal(record("c", "r3")).await.unwrap();
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r3")]);
}

#[tokio::test]
async fn plain_is_a_key_beside_the_files_and_both_ways_are_open() {
    let place = Place::new();
    place.keyring.is(Mood::Gone);
    let vault = place.kept(Keep::Plain);
    vault.load().await;
    vault.seal(record("c", "r1")).await.unwrap();
    assert_eq!(vault.state(), State::Plain);
    assert!(place.names().contains(&"key.plain".to_owned()));
    let loaded = place.kept(Keep::Plain).load().await;
    assert_eq!(
        (loaded.state.clone(), refreshes(&loaded)),
        (State::Plain, vec![refresh("r1")])
    );

    // To the keyring: sealed anew with its key, and the plain one goes.
    place.keyring.is(Mood::Open);
    let loaded = place.vault().load().await;
    assert_eq!(
        (loaded.state.clone(), refreshes(&loaded)),
        (State::Sealed, vec![refresh("r1")])
    );
    assert_eq!(
        place.names(),
        [format!("{}.sealed", record("c", "").key.id())]
    );
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r1")]);

    // And back.
    let loaded = place.kept(Keep::Plain).load().await;
    assert_eq!(
        (loaded.state.clone(), refreshes(&loaded)),
        (State::Plain, vec![refresh("r1")])
    );
    place.keyring.is(Mood::Gone);
    assert_eq!(
        refreshes(&place.kept(Keep::Plain).load().await),
        [refresh("r1")]
    );
}

#[tokio::test]
async fn a_choice_counts_while_it_runs() {
    let place = Place::new();
    place.keyring.is(Mood::Gone);
    let vault = place.vault();
    vault.load().await;
    vault.seal(record("c", "r1")).await.unwrap_err();
    assert!(vault.is_restless() && !vault.rests());

    // No keyring at all, and the person chooses a file: what is in memory comes to rest.
    vault.choose(Keep::Plain);
    assert_eq!(vault.retry().await.unwrap().state, State::Plain);
    assert!(!vault.is_restless() && vault.rests() && vault.opens().await);
    assert_eq!(
        refreshes(&place.kept(Keep::Plain).load().await),
        [refresh("r1")]
    );

    // A keyring after all, locked at first: nothing that is at rest is lost by the choice.
    place.keyring.is(Mood::Locked);
    vault.choose(Keep::Keyring);
    assert_eq!(vault.retry().await.unwrap().state, State::MemoryLocked);
    assert!(!vault.rests());
    assert_eq!(
        refreshes(&place.kept(Keep::Plain).load().await),
        [refresh("r1")]
    );
    place.keyring.is(Mood::Open);
    assert_eq!(vault.retry().await.unwrap().state, State::Sealed);
    assert!(vault.rests() && vault.opens().await);
    assert_eq!(
        place.names(),
        [format!("{}.sealed", record("c", "").key.id())]
    );

    // At rest, and behind a lock: another process could not go on with it.
    place.keyring.is(Mood::Locked);
    assert!(vault.rests() && !vault.opens().await);
}

#[tokio::test]
async fn an_entry_that_is_no_key_is_not_written_over() {
    let place = Place::new();
    place.keyring.inside().entry = Some("somebody's".into());
    let vault = place.vault();
    assert!(matches!(
        vault.load().await.state,
        State::MemoryNoKeyring(_)
    ));
    vault.seal(record("c", "r1")).await.unwrap_err();
    assert_eq!(place.keyring.inside().entry.as_deref(), Some("somebody's"));
}

/// As root nothing is read-only, so what stands in the way is a file.
#[tokio::test]
async fn what_the_disk_does_not_take_is_in_memory_and_tried_again() {
    let place = Place::new();
    fs::write(place.path(), "in the way").unwrap();
    let vault = place.vault();
    let loaded = vault.load().await;
    assert_eq!(loaded.damaged[0].1.code(), Code::BadFile);
    let problem = vault.seal(record("c", "r1")).await.unwrap_err();
    assert_eq!(problem.code(), Code::CannotKeep);
    assert_eq!(vault.state(), State::MemoryCannotKeep(problem.clone()));
    assert_eq!(vault.state().problem(), Some(problem));
    let account = record("c", "r1").key.id();
    vault
        .note_attempt(&account, "f", Wall(1))
        .await
        .unwrap_err();
    assert!(vault.retry().await.is_none());

    fs::remove_file(place.path()).unwrap();
    let mended = vault.retry().await.unwrap();
    assert_eq!(mended.state, State::Sealed);
    let loaded = place.vault().load().await;
    assert_eq!(refreshes(&loaded), [refresh("r1")]);
    assert!(loaded.accounts[0].attempt.is_some());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_keeps_what_was_there() {
    let place = Place::new();
    let vault = place.vault();
    vault.seal(record("c", "r1")).await.unwrap();
    // A write onto /dev/full is one onto a full disk; O_NOFOLLOW and O_EXCL refuse the link itself before.
    let key = Key::random().unwrap();
    let folder = Path::new("/dev/full");
    let problem = file::write(folder, &key, &[], &record("c", "r2")).unwrap_err();
    assert_eq!(problem.code(), Code::CannotKeep);
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r1")]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_of_others_is_neither_read_nor_written() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    let vault = place.vault();
    vault.seal(record("c", "r1")).await.unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let loaded = place.vault().load().await;
    assert_eq!(loaded.damaged[0].1.code(), Code::BadFile);
    let problem = vault.seal(record("c", "r2")).await.unwrap_err();
    assert_eq!(problem.code(), Code::CannotKeep);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
    vault.retry().await.unwrap();
    assert_eq!(refreshes(&place.vault().load().await), [refresh("r2")]);

    // A file that is a link, or a pipe, is not followed nor waited for.
    let file = place.file(&record("c", ""));
    let elsewhere = place.folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    let loaded = place.vault().load().await;
    assert_eq!(
        (loaded.accounts.len(), loaded.damaged[0].1.code()),
        (0, Code::BadFile)
    );
    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert_eq!(
        place.vault().load().await.damaged[0].1.code(),
        Code::BadFile
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_leave_the_newest() {
    let place = Place::new();
    let vault = place.vault();
    vault.load().await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let vault = vault.clone();
        writers.spawn(async move {
            let client = if number % 2 == 0 { "even" } else { "odd" };
            vault
                .seal(record(client, &format!("r{number}")))
                .await
                .unwrap();
        });
    }
    writers.join_all().await;
    let in_memory = vault.load().await;
    let at_rest = place.vault().load().await;
    assert_eq!(at_rest.accounts.len(), 2);
    assert_eq!(refreshes(&at_rest), refreshes(&in_memory));
    assert!(
        at_rest
            .accounts
            .iter()
            .all(|record| record.generation == 20)
    );
}
