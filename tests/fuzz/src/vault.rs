//! Sealed files and what is in them (`runtime::vault::seal`): what opens was sealed with our key
//! under this account's name, byte for byte; and what is read is written and read again the same.
//!
//! Input: a byte that chooses, and
//! - `c`: the content of a file that opened;
//! - `f`: a whole file of content that is sealed here, since no fuzzer can, and one byte of it
//!   that is changed: two bytes where, one how, and the content;
//! - anything else: a file as it comes.

use std::sync::LazyLock;
use std::time::Duration;

use broker::clock::{Moment, Now, Wall};
use broker::credential::stated_expiry;
use broker::schedule::{Jitter, good, renew_at};
use runtime::vault::Key;
use runtime::vault::seal::{Record, Unopened, decode, key_id, open, seal};

use crate::Decoded;

/// What a secret in the corpus looks like; looked for wherever a record is printed.
const SECRET: &str = "hunter2";

static KEY: LazyLock<Key> = LazyLock::new(|| Key::parse(&"07".repeat(32)).expect("64 digits"));

fn ours() -> &'static [Key] {
    std::slice::from_ref(&KEY)
}

pub(crate) fn run(input: &[u8]) -> Decoded {
    let Some((&kind, rest)) = input.split_first() else {
        return Decoded::Refused;
    };
    match kind {
        b'c' => content(rest),
        b'f' => changed(rest),
        _ => as_it_comes(rest),
    }
}

fn content(bytes: &[u8]) -> Decoded {
    let Some(record) = decode(bytes) else {
        return Decoded::Refused;
    };
    let account = record.key.id();
    let file = seal(&KEY, &record).expect("randomness");
    assert_eq!(open(ours(), account.as_str(), &file).as_ref(), Ok(&record));
    assert_eq!(open(ours(), "another", &file), Err(Unopened::Damaged));
    prints_no_secret(bytes, &record);
    can_be_used(&record);
    Decoded::Taken
}

/// The refresh token, the bearer token and the client secret; a name may be called so.
fn prints_no_secret(bytes: &[u8], record: &Record) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let secrets = text.matches(&format!("\":\"{SECRET}")).count();
    if secrets > 0 && secrets == text.matches(SECRET).count() {
        let printed = format!("{:?}", record.content);
        assert!(!printed.contains(SECRET), "{printed}");
    }
}

/// Whatever times stand there, the schedule is arithmetic that holds.
fn can_be_used(record: &Record) {
    let Some(tokens) = record.tokens() else {
        return;
    };
    let now = Now {
        wall: Wall(1_790_000_000_000),
        moment: Moment(1_000),
    };
    let _ = renew_at(tokens, true, now, &mut Jitter::new(1));
    if good(tokens, now) {
        let stated = stated_expiry(tokens, now.wall);
        assert!(stated <= tokens.expires);
        assert!(stated.rfc3339().ends_with('Z'));
        assert!(tokens.expires.since(now.wall) > Duration::ZERO);
    }
}

fn changed(input: &[u8]) -> Decoded {
    let Some((&[high, low, change], content)) = input.split_first_chunk() else {
        return Decoded::Refused;
    };
    let Some(record) = decode(content) else {
        return Decoded::Refused;
    };
    let mut file = seal(&KEY, &record).expect("randomness");
    let place = usize::from(u16::from_be_bytes([high, low])) % file.len();
    file[place] ^= change;
    let opened = open(ours(), record.key.id().as_str(), &file);
    assert_eq!(opened.is_ok(), change == 0, "byte {place} by {change}");
    Decoded::Taken
}

fn as_it_comes(file: &[u8]) -> Decoded {
    // Nothing here was sealed with this key but by `content` and `changed`.
    let opened = open(ours(), "0123456789abcdef0123456789abcdef", file);
    let why = opened.expect_err("nobody has sealed this");
    match key_id(file) {
        Ok(id) if id == KEY.id() => assert_eq!(why, Unopened::Damaged),
        Ok(id) => assert_eq!(why, Unopened::OtherKey(id)),
        Err(sooner) => assert_eq!(why, sooner),
    }
    Decoded::from(key_id(file).is_ok())
}
