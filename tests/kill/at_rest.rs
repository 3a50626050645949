//! What the disk has of a session at the moment of a kill, read as the next resident will read it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use runtime::settings::Keep;
use runtime::vault::Vault;
use world::person::Person;

/// What rests of the one account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtRest {
    /// Its session.
    pub(crate) session: Session,
    /// Until when the token is good that rests beside it, in milliseconds since 1970; none: one
    /// that had run out is not kept.
    pub(crate) expires: Option<i64>,
}

/// What the disk knows of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// A refresh token that was never presented.
    Unpresented,
    /// A refresh token with a note that it was about to be presented: whether it was, and what
    /// came back, the disk does not know. The kill fell between that note and the fsync of the
    /// reply.
    InDoubt,
    /// No session: the provider has ended it, and nobody has signed in again yet.
    Nothing,
}

/// Opens a copy of the vault: opening it puts things in order, and that is the resident's.
pub(crate) async fn read(person: &Person) -> Result<AtRest> {
    let copy = tempfile::tempdir()?;
    for entry in fs::read_dir(vault(person))? {
        let entry = entry?;
        fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    let loaded = Vault::open(copy.path(), None, Keep::Plain).load().await;
    ensure!(loaded.damaged.is_empty(), "{:?}", loaded.damaged);
    ensure!(loaded.accounts.len() <= 1, "one account: {loaded:?}");
    let record = loaded.accounts.first();
    let tokens = record.and_then(|record| record.tokens());
    let expires = tokens
        .map(|tokens| tokens.expires.0)
        .filter(|expires| *expires > 0);
    let presented = record.and_then(|record| record.attempt.as_ref());
    let session = match tokens.and_then(|tokens| tokens.refresh.as_ref()) {
        None => Session::Nothing,
        Some(refresh)
            if presented.is_some_and(|attempt| attempt.fingerprint == refresh.fingerprint()) =>
        {
            Session::InDoubt
        }
        Some(_) => Session::Unpresented,
    };
    Ok(AtRest { session, expires })
}

/// Which files the vault has: another set after each write, since a write is a rename.
pub(crate) fn files(person: &Person) -> BTreeSet<(PathBuf, u64)> {
    let entries = fs::read_dir(vault(person)).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.ino())))
        .collect()
}

fn vault(person: &Person) -> PathBuf {
    person.instance.join("data/vault")
}
