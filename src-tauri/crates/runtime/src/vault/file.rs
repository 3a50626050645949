//! The sealed files in their folder: written so that a kill at any moment leaves a whole one, read so that
//! nothing that could still be opened is ever deleted.
//!
//! | name | is |
//! |---|---|
//! | `ID.sealed` | the account's tokens, or its client secret alone |
//! | `ID.sealed.new` | a write under way; after a kill, the newest if it is whole |
//! | `ID.sealed.damaged-N` | set aside: cut or changed |
//! | `ID.sealed.unreadable-N` | set aside when new tokens took its place: sealed with a key that is gone |
//! | `key.plain` | the key, in the clear, where the person chose that |

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use broker::account::AccountId;
use broker::problem::Problem;
use wire::endpoint::EndpointError;
use zeroize::Zeroizing;

use super::key::{Key, KeyId};
use super::seal::{self, Record, Unopened};
use crate::os::files::regular::refusal as reason;
use crate::os::files::{no_follow, private, sync_folder};

const SEALED: &str = ".sealed";
const NEW: &str = ".new";
const PLAIN_KEY: &str = "key.plain";

/// A token has 64 KB at most; nothing of ours is larger.
const LARGEST: u64 = 1 << 20;

/// What a folder held.
#[derive(Default)]
pub(super) struct Scan {
    /// What opened, and with which key.
    pub(super) records: Vec<(Record, KeyId)>,
    /// What did not, and why. Damaged files are set aside by now, the others stand where they stood.
    pub(super) unopened: Vec<(PathBuf, Problem)>,
    /// How many were sealed with a key that we do not have.
    pub(super) other_key: usize,
}

/// Whether anything sealed is in the folder. Needs no key.
pub(super) fn holds_any(folder: &Path) -> bool {
    names(folder).is_ok_and(|accounts| !accounts.is_empty())
}

/// Whether there is anything in the folder, or may be: something was sealed there once, and perhaps set aside since.
pub(super) fn was_used(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Removes all that the folder holds.
///
/// # Errors
/// `CannotForget`, of each that could not be removed.
pub(super) fn remove_all(folder: &Path) -> Vec<Problem> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![cannot_forget(folder, &error)],
    };
    let removed = entries.map(|entry| match entry {
        Ok(entry) => remove_file(&entry.path()),
        Err(error) => Err(cannot_forget(folder, &error)),
    });
    let mut problems: Vec<_> = removed.filter_map(Result::err).collect();
    problems.extend(
        sync_folder(folder)
            .err()
            .map(|error| cannot_forget(folder, &error)),
    );
    problems
}

/// Opens what the folder holds.
pub(super) fn scan(folder: &Path, keys: &[Key]) -> Scan {
    let mut scan = Scan::default();
    let accounts = match check(folder).and_then(|()| names(folder)) {
        Ok(accounts) => accounts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return scan,
        Err(error) => {
            let problem = bad_file(folder, &error.to_string());
            scan.unopened.push((folder.to_path_buf(), problem));
            return scan;
        }
    };
    for account in &accounts {
        scan_account(folder, account, keys, &mut scan);
    }
    scan
}

fn scan_account(folder: &Path, account: &str, keys: &[Key], scan: &mut Scan) {
    let (path, new) = paths(folder, account);
    let mut kept = load(&path, account, keys);
    let written = load(&new, account, keys);
    // A write that was cut off by a kill: it counts if it is whole, and was never shown to anybody if not.
    match (&kept, &written) {
        (_, Loaded::Missing | Loaded::OtherKey | Loaded::Unusable(_)) => {}
        (Loaded::Open(old, _), Loaded::Open(new_record, _))
            if new_record.generation <= old.generation =>
        {
            let _ = fs::remove_file(&new);
        }
        (_, Loaded::Damaged) => {
            let _ = fs::remove_file(&new);
        }
        (_, Loaded::Open(..)) => {
            let moved = match kept {
                Loaded::Missing | Loaded::Open(..) => Ok(()),
                Loaded::Damaged => set_aside(&path, "damaged").map(drop),
                Loaded::OtherKey | Loaded::Unusable(_) => set_aside(&path, "unreadable").map(drop),
            };
            // Where the home is read-only the record counts all the same.
            let _ = moved.and_then(|()| replace(&new, &path));
            kept = written;
        }
    }
    let problem = match kept {
        Loaded::Open(record, key) if record.key.id().as_str() == account => {
            scan.records.push((*record, key));
            return;
        }
        Loaded::Open(..) => bad_file(&path, "it is of an account that has another name here"),
        Loaded::Missing => return,
        Loaded::Damaged => {
            let aside = set_aside(&path, "damaged").unwrap_or_else(|_| path.clone());
            let problem = Problem::VaultDamaged { path: shown(&path) };
            scan.unopened.push((aside, problem));
            return;
        }
        Loaded::OtherKey => {
            scan.other_key += 1;
            Problem::KeyLost
        }
        Loaded::Unusable(reason) => bad_file(&path, &reason),
    };
    scan.unopened.push((path, problem));
}

/// Writes a record over what the account had, and returns once the disk has it.
///
/// # Errors
/// `CannotKeep`; what the account had is then still there.
pub(super) fn write(
    folder: &Path,
    key: &Key,
    known: &[KeyId],
    record: &Record,
) -> Result<(), Problem> {
    let account = record.key.id();
    let (path, new) = paths(folder, account.as_str());
    let bytes = seal::seal(key, record)
        .map_err(|_| cannot_keep(&path, "the system gives no random numbers"))?;
    let written = create_folder(folder)
        .and_then(|()| write_new(&new, known, &bytes))
        .and_then(|()| {
            if is_of_another_key(&path, known) {
                set_aside(&path, "unreadable")?;
            }
            replace(&new, &path)
        });
    written.map_err(|error| cannot_keep(&path, &reason(&error)))
}

/// Removes whatever there is of an account, what was set aside too.
///
/// # Errors
/// `CannotForget` that names what could not be removed.
pub(super) fn remove(folder: &Path, account: &AccountId) -> Result<(), Problem> {
    remove_if(folder, account, |_| true)
}

/// Removes what was set aside of an account: a session has ended, and its tokens are nobody's any more.
///
/// # Errors
/// `CannotForget` that names what could not be removed.
pub(super) fn remove_set_aside(folder: &Path, account: &AccountId) -> Result<(), Problem> {
    let current = format!("{account}{SEALED}");
    remove_if(folder, account, |name| name != current)
}

fn remove_if(
    folder: &Path,
    account: &AccountId,
    unwanted: impl Fn(&str) -> bool,
) -> Result<(), Problem> {
    let prefix = format!("{account}{SEALED}");
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_forget(folder, &error)),
    };
    let of_account = |entry: &fs::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(&prefix) && unwanted(name))
    };
    for entry in found.filter_map(Result::ok).filter(of_account) {
        remove_file(&entry.path())?;
    }
    sync_folder(folder).map_err(|error| cannot_forget(folder, &error))
}

/// Removes a file, or whatever stands in its place.
fn remove_file(path: &Path) -> Result<(), Problem> {
    crate::own::store::remove(path)
}

/// The key that rests beside the files, in the clear. None: there is none, or it is not readable as one.
pub(super) fn plain_key(folder: &Path) -> Option<Key> {
    let bytes = Zeroizing::new(read(&folder.join(PLAIN_KEY)).ok()??);
    Key::parse(str::from_utf8(&bytes).ok()?)
}

/// Puts a key beside the files, in the clear.
///
/// # Errors
/// `CannotKeep`.
pub(super) fn write_plain_key(folder: &Path, key: &Key) -> Result<(), Problem> {
    let path = folder.join(PLAIN_KEY);
    let new = folder.join(format!("{PLAIN_KEY}{NEW}"));
    let text = Zeroizing::new(format!("{}\n", *key.text()));
    let written = create_folder(folder)
        .and_then(|()| write_new(&new, &[], text.as_bytes()))
        .and_then(|()| {
            // One that can't be read as a key may still be mended by hand.
            if path.exists() {
                set_aside(&path, "unreadable")?;
            }
            replace(&new, &path)
        });
    written.map_err(|error| cannot_keep(&path, &reason(&error)))
}

/// Removes the key that rests in the clear, once no file needs it.
pub(super) fn remove_plain_key(folder: &Path) {
    if fs::remove_file(folder.join(PLAIN_KEY)).is_ok() {
        let _ = sync_folder(folder);
    }
}

enum Loaded {
    Open(Box<Record>, KeyId),
    Missing,
    Damaged,
    OtherKey,
    Unusable(String),
}

fn load(path: &Path, account: &str, keys: &[Key]) -> Loaded {
    let bytes = match read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Loaded::Missing,
        Err(error) => return Loaded::Unusable(error.to_string()),
    };
    match seal::key_id(&bytes).and_then(|id| Ok((seal::open(keys, account, &bytes)?, id))) {
        Ok((record, id)) => Loaded::Open(Box::new(record), id),
        Err(Unopened::Damaged) => Loaded::Damaged,
        Err(Unopened::OtherKey(_)) => Loaded::OtherKey,
        Err(Unopened::Newer(version)) => {
            Loaded::Unusable(format!("a newer Kubefob wrote it (version {version})"))
        }
    }
}

/// A file that opens with none of our keys, or is not even a sealed file of ours, is never written over.
fn is_of_another_key(path: &Path, known: &[KeyId]) -> bool {
    match read(path) {
        Ok(Some(bytes)) => !seal::key_id(&bytes).is_ok_and(|id| known.contains(&id)),
        Ok(None) => false,
        Err(_) => true,
    }
}

/// The file's bytes; none if it is not there. A symlink, a pipe or a giant is an error.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match no_follow(OpenOptions::new().read(true)).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if found.len() > LARGEST {
        return Err(io::Error::other(
            "far larger than anything that Kubefob writes",
        ));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Writes a file that nobody else can have opened, and waits for the disk.
fn write_new(path: &Path, known: &[KeyId], bytes: &[u8]) -> io::Result<()> {
    let create = || private(no_follow(OpenOptions::new().write(true).create_new(true))).open(path);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // A write of ours that failed, and would have been adopted if it had been whole; or one with a key
            // that is gone.
            match read(path).map(|bytes| seal::key_id(&bytes.unwrap_or_default())) {
                // What is no file of ours, or can't be read, stays beside it.
                Err(_) => drop(set_aside(path, "unreadable")?),
                Ok(Ok(id)) if !known.contains(&id) => drop(set_aside(path, "unreadable")?),
                Ok(Ok(_) | Err(_)) => fs::remove_file(path)?,
            }
            create()?
        }
        created => created?,
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        drop(file);
        let _ = fs::remove_file(path);
    }
    written
}

fn replace(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Gives a file another name beside its own, and says which.
fn set_aside(path: &Path, word: &str) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    let aside = loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{word}-{number}"));
        let aside = PathBuf::from(name);
        if fs::symlink_metadata(&aside).is_err() {
            break aside;
        }
        number = number.checked_add(1).ok_or(io::ErrorKind::AlreadyExists)?;
    };
    fs::rename(path, &aside)?;
    path.parent().map_or(Ok(()), sync_folder)?;
    Ok(aside)
}

/// The accounts that have a file, by name: 32 hexadecimal digits.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let account = |name: std::ffi::OsString| {
        let name = name.into_string().ok()?;
        let name = name.strip_suffix(NEW).unwrap_or(&name);
        let account = name.strip_suffix(SEALED)?;
        let fits = account.len() == 32 && account.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| account.to_owned())
    };
    fs::read_dir(folder)?
        .map(|entry| Ok(account(entry?.file_name())))
        .filter_map(Result::transpose)
        .collect()
}

fn paths(folder: &Path, account: &str) -> (PathBuf, PathBuf) {
    (
        folder.join(format!("{account}{SEALED}")),
        folder.join(format!("{account}{SEALED}{NEW}")),
    )
}

/// The folder must be the user's, and nobody else's to write to.
fn check(folder: &Path) -> io::Result<()> {
    let checked = wire::endpoint::check_folder(folder, &wire::os::uid()?);
    if matches!(checked, Err(EndpointError::Missing { .. })) {
        return Err(io::ErrorKind::NotFound.into());
    }
    checked.map_err(io::Error::other)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    wire::endpoint::create_folder(folder, &wire::os::uid()?).map_err(|error| {
        if let EndpointError::Uncreated { error, .. } = error {
            error
        } else {
            io::Error::other(error)
        }
    })
}

fn cannot_keep(path: &Path, reason: &str) -> Problem {
    Problem::CannotKeep {
        path: shown(path),
        reason: reason.to_owned(),
    }
}

fn cannot_forget(path: &Path, error: &io::Error) -> Problem {
    Problem::CannotForget {
        path: shown(path),
        reason: reason(error),
    }
}

fn bad_file(path: &Path, reason: &str) -> Problem {
    Problem::BadFile {
        path: shown(path),
        reason: reason.to_owned(),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
