//! What the tests with processes of their own share.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use broker::account::{AccountKey, Grant, Tls, TokenKind};
use broker::clock::Wall;
use broker::secret::{BearerToken, ClientSecret, RefreshToken};
use broker::tokens::{Identity, Tokens};
use runtime::vault::Record;

/// Which part a child of a test plays.
pub const ROLE: &str = "KUBEFOB_TEST_ROLE";

/// The part that this process plays; none: it is the test itself.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// This test program again, to run the one test `name` as `role`.
pub fn again(name: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ROLE, role);
    command
}

/// The programs of which one is missing, where one is.
pub fn missing<'a>(programs: &[&'a str]) -> Option<&'a str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let is_there = |program: &&&str| folders.iter().any(|folder| folder.join(program).is_file());
    programs.iter().find(|program| !is_there(program)).copied()
}

/// Looks every few milliseconds until it is so.
pub fn until(what: &str, latest: Duration, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < latest, "not within {latest:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn record(client: &str, refresh: &str) -> Record {
    let key = AccountKey {
        issuer: "https://sso.example.com/realms/r".into(),
        client_id: client.into(),
        scopes: vec![],
        grant: Grant::AuthorizationCode,
        token_kind: TokenKind::Id,
        tls: Tls::default(),
        name: None,
    };
    let tokens = Tokens {
        bearer: BearerToken::new("the.id.token".into()),
        refresh: Some(RefreshToken::new(refresh.into())),
        identity: Identity {
            subject: "s".into(),
            name: "test".into(),
            groups: vec![],
        },
        obtained: Wall(1_000),
        expires: Wall(i64::MAX / 2),
        skew_ms: 0,
        refresh_expires: None,
        signed_in: Wall(5),
        client_secret: Some(ClientSecret::new("the client's".into())),
        client_authentication: None,
    };
    Record::new(key, tokens)
}

/// The files of a folder by name, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
