//! What rests of one account as a sealed file's bytes, and back. Pure.
//!
//! ```text
//! KFOBSEAL  version  key id   nonce     content, encrypted   tag
//! 8 bytes   1        8        12                             16
//! ```
//!
//! AES-256-GCM with a random nonce at every write. What stands before the nonce and the account's id are
//! authenticated too: a file under another account's name does not open, nor one with a changed version.

use broker::account::AccountKey;
use broker::clock::Wall;
use broker::secret::{BearerToken, ClientSecret, RefreshToken};
use broker::tokens::{ClientAuthentication, Identity, Tokens};
use ring::aead::{Aad, NONCE_LEN, Nonce};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::key::{Key, KeyId};

const MAGIC: &[u8; 8] = b"KFOBSEAL";
const VERSION: u8 = 1;
const HEADER: usize = MAGIC.len() + 1 + 8;

/// What rests of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The account.
    pub key: AccountKey,
    /// What is kept of it.
    pub content: Content,
    /// The refresh that was begun last and has not been heard of since. Where the fingerprint is that of
    /// the refresh token that is kept, the provider may have used that token up.
    pub attempt: Option<Attempt>,
    /// How often this account has been written. The vault counts.
    pub generation: u64,
    /// When it was written: after a restored backup it is what shows how old these tokens are. The vault's, too.
    pub sealed: Wall,
}

/// What is kept of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its tokens, with the client secret that they came by. A bearer token that had run out is not kept: it
    /// is then empty, and `expires` the epoch.
    Tokens(Tokens),
    /// The client secret alone: it is the client's and outlives every session. The next sign-in needs it, and
    /// may be asked for by somebody who has no kubeconfig at hand.
    Secret(ClientSecret),
}

/// A refresh, noted before it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// [`RefreshToken::fingerprint`] of the token that was presented.
    pub fingerprint: String,
    /// When.
    pub at: Wall,
}

/// Why bytes do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// Cut, changed, or another account's.
    Damaged,
    /// Sealed with a key that we do not have.
    OtherKey(KeyId),
    /// Written by a newer Kubefob.
    Newer(u8),
}

impl Record {
    /// A record to seal: nothing attempted, not written yet.
    #[must_use]
    pub fn new(key: AccountKey, tokens: Tokens) -> Self {
        Self::of(key, Content::Tokens(tokens))
    }

    /// A record of an account that nobody is signed in to.
    #[must_use]
    pub fn of_secret(key: AccountKey, secret: ClientSecret) -> Self {
        Self::of(key, Content::Secret(secret))
    }

    fn of(key: AccountKey, content: Content) -> Self {
        Self {
            key,
            content,
            attempt: None,
            generation: 0,
            sealed: Wall(0),
        }
    }

    /// The tokens, if somebody is signed in.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        match &self.content {
            Content::Tokens(tokens) => Some(tokens),
            Content::Secret(_) => None,
        }
    }

    /// The client secret, if the client has one.
    #[must_use]
    pub fn client_secret(&self) -> Option<&ClientSecret> {
        match &self.content {
            Content::Tokens(tokens) => tokens.client_secret.as_ref(),
            Content::Secret(secret) => Some(secret),
        }
    }

    /// Drops a bearer token that has run out.
    pub(super) fn without_expired(mut self, now: Wall) -> Self {
        if let Content::Tokens(tokens) = &mut self.content
            && tokens.expires <= now
        {
            tokens.bearer = BearerToken::new(String::new());
            tokens.expires = Wall(0);
        }
        self
    }
}

/// Seals a record.
///
/// # Errors
/// The system has no randomness.
pub fn seal(key: &Key, record: &Record) -> Result<Vec<u8>, ring::error::Unspecified> {
    let id = key.id();
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce)?;
    let mut content = Zeroizing::new(encode(record));
    let aad = Aad::from(authenticated(VERSION, id, record.key.id().as_str()));
    let tag = key.cipher()?.seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        aad,
        &mut content,
    )?;
    Ok([
        header(VERSION, id).as_slice(),
        &nonce,
        &content,
        tag.as_ref(),
    ]
    .concat())
}

/// Opens the sealed bytes of the account whose file has the name `account`.
///
/// # Errors
/// Why they do not open.
pub fn open(keys: &[Key], account: &str, bytes: &[u8]) -> Result<Record, Unopened> {
    let id = key_id(bytes)?;
    let key = keys
        .iter()
        .find(|key| key.id() == id)
        .ok_or(Unopened::OtherKey(id))?;
    let (nonce, sealed) = bytes
        .get(HEADER..)
        .and_then(<[u8]>::split_first_chunk::<NONCE_LEN>)
        .ok_or(Unopened::Damaged)?;
    let mut content = Zeroizing::new(sealed.to_vec());
    let aad = Aad::from(authenticated(VERSION, id, account));
    let content = key
        .cipher()
        .and_then(|cipher| {
            cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut content)
        })
        .map_err(|_| Unopened::Damaged)?;
    decode(content).ok_or(Unopened::Damaged)
}

/// Which key the bytes were sealed with.
///
/// # Errors
/// They are no sealed file, or one of a newer version.
pub fn key_id(bytes: &[u8]) -> Result<KeyId, Unopened> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Unopened::Damaged)?;
    let (version, rest) = rest.split_first().ok_or(Unopened::Damaged)?;
    if *version > VERSION {
        return Err(Unopened::Newer(*version));
    }
    let id = rest.first_chunk().ok_or(Unopened::Damaged)?;
    if *version == VERSION {
        Ok(KeyId(*id))
    } else {
        Err(Unopened::Damaged)
    }
}

fn header(version: u8, KeyId(id): KeyId) -> Vec<u8> {
    [MAGIC.as_slice(), &[version], &id].concat()
}

fn authenticated(version: u8, id: KeyId, account: &str) -> Vec<u8> {
    [header(version, id).as_slice(), account.as_bytes()].concat()
}

/// A record as JSON. Unknown fields of a later release are ignored, so its files open here.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Form {
    generation: u64,
    #[zeroize(skip)]
    sealed: Wall,
    #[zeroize(skip)]
    account: Option<AccountKey>,
    client_secret: Option<String>,
    tokens: Option<TokensForm>,
    #[zeroize(skip)]
    attempt: Option<Attempt>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct TokensForm {
    bearer: Option<String>,
    refresh: Option<String>,
    #[zeroize(skip)]
    identity: Identity,
    #[zeroize(skip)]
    obtained: Wall,
    #[zeroize(skip)]
    expires: Wall,
    skew_ms: i64,
    #[zeroize(skip)]
    refresh_expires: Option<Wall>,
    #[zeroize(skip)]
    signed_in: Wall,
    /// A word, not an enum: a way that a later release knows must not make the file unreadable.
    #[serde(default)]
    client_authentication: Option<String>,
}

#[allow(clippy::disallowed_methods, reason = "into the sealed file")]
fn encode(record: &Record) -> Vec<u8> {
    let form = Form {
        generation: record.generation,
        sealed: record.sealed,
        account: Some(record.key.clone()),
        client_secret: record
            .client_secret()
            .map(|secret| secret.expose_secret().into()),
        tokens: record.tokens().map(|tokens| TokensForm {
            bearer: Some(tokens.bearer.reveal())
                .filter(|bearer| !bearer.is_empty())
                .map(Into::into),
            refresh: tokens
                .refresh
                .as_ref()
                .map(|token| token.expose_secret().into()),
            identity: tokens.identity.clone(),
            obtained: tokens.obtained,
            expires: tokens.expires,
            skew_ms: tokens.skew_ms,
            refresh_expires: tokens.refresh_expires,
            signed_in: tokens.signed_in,
            client_authentication: tokens.client_authentication.map(|way| way.name().into()),
        }),
        attempt: record.attempt.clone(),
    };
    // Room from the start: a vector that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(256 * 1024);
    // Plain types into memory: this can't fail, and bytes that are cut would not decode.
    let _ = serde_json::to_writer(&mut bytes, &form);
    bytes
}

/// The content of a sealed file. Public for the fuzzer's sake.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Record> {
    let mut form: Form = serde_json::from_slice(bytes).ok()?;
    let secret = form.client_secret.take().map(ClientSecret::new);
    let content = match (form.tokens.take(), secret) {
        (Some(tokens), client_secret) => Content::Tokens(tokens.with(client_secret)),
        (None, Some(secret)) => Content::Secret(secret),
        (None, None) => return None,
    };
    Some(Record {
        key: form.account.take()?,
        content,
        attempt: form.attempt.take(),
        generation: form.generation,
        sealed: form.sealed,
    })
}

impl TokensForm {
    fn with(mut self, client_secret: Option<ClientSecret>) -> Tokens {
        let bearer = self.bearer.take();
        let expires = if bearer.is_some() {
            self.expires
        } else {
            Wall(0)
        };
        Tokens {
            bearer: BearerToken::new(bearer.unwrap_or_default()),
            refresh: self.refresh.take().map(RefreshToken::new),
            identity: self.identity.clone(),
            obtained: self.obtained,
            expires,
            skew_ms: self.skew_ms,
            refresh_expires: self.refresh_expires,
            signed_in: self.signed_in,
            client_secret,
            client_authentication: self
                .client_authentication
                .as_deref()
                .and_then(ClientAuthentication::named),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use broker::account::{Grant, Tls, TokenKind};

    use super::*;

    pub(in super::super) fn record(client: &str, refresh: &str) -> Record {
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
                groups: vec!["dev".into()],
            },
            obtained: Wall(1_000),
            expires: Wall(i64::MAX / 2),
            skew_ms: -3,
            refresh_expires: Some(Wall(9)),
            signed_in: Wall(5),
            client_secret: Some(ClientSecret::new("the client's".into())),
            client_authentication: Some(ClientAuthentication::Post),
        };
        Record::new(key, tokens)
    }

    fn tokens(record: &mut Record) -> &mut Tokens {
        match &mut record.content {
            Content::Tokens(tokens) => tokens,
            Content::Secret(_) => panic!("a secret alone"),
        }
    }

    fn sealed(record: &Record) -> (Key, Vec<u8>) {
        let key = Key::random().unwrap();
        let bytes = seal(&key, record).unwrap();
        (key, bytes)
    }

    #[test]
    fn what_is_sealed_opens_again() {
        let mut record = record("c", "r1");
        record.attempt = Some(Attempt {
            fingerprint: "f".into(),
            at: Wall(7),
        });
        record.generation = 12;
        let (key, bytes) = sealed(&record);
        let account = record.key.id();
        assert_eq!(open(&[key], account.as_str(), &bytes), Ok(record));
    }

    #[test]
    fn a_client_secret_rests_without_tokens_and_nothing_at_all_does_not() {
        let secret = ClientSecret::new("the client's".into());
        let record = Record::of_secret(record("c", "r1").key, secret);
        let (key, bytes) = sealed(&record);
        let account = record.key.id();
        assert_eq!(open(&[key], account.as_str(), &bytes), Ok(record.clone()));
        let json = String::from_utf8(encode(&record)).unwrap();
        let without = json.replace("\"the client's\"", "null");
        assert_eq!(decode(without.as_bytes()), None);
    }

    #[test]
    fn older_and_newer_files_open_whatever_they_say_of_the_client() {
        let record = record("c", "r1");
        let json = String::from_utf8(encode(&record)).unwrap();
        let ours = r#","client_authentication":"client_secret_post""#;
        for theirs in ["", r#","client_authentication":"a_later_way","later":1"#] {
            let json = json.replace(ours, theirs);
            let mut expected = record.clone();
            tokens(&mut expected).client_authentication = None;
            assert_eq!(decode(json.as_bytes()), Some(expected), "{json}");
        }
    }

    #[test]
    fn nothing_stands_in_the_clear_and_no_write_is_like_another() {
        let record = record("c", "r1-secret");
        let (key, bytes) = sealed(&record);
        for word in ["r1-secret", "the.id.token", "the client's", "sso.example"] {
            assert!(
                !bytes
                    .windows(word.len())
                    .any(|part| part == word.as_bytes())
            );
        }
        assert_ne!(seal(&key, &record).unwrap(), bytes);
    }

    #[test]
    fn each_flipped_bit_and_each_cut_is_noticed() {
        let record = record("c", "r1");
        let (key, bytes) = sealed(&record);
        let account = record.key.id();
        for place in 0..bytes.len() {
            for bit in [1, 0x10, 0x80] {
                let mut flipped = bytes.clone();
                flipped[place] ^= bit;
                let opened = open(std::slice::from_ref(&key), account.as_str(), &flipped);
                match place {
                    8 => assert!(matches!(
                        opened,
                        Err(Unopened::Newer(_) | Unopened::Damaged)
                    )),
                    9..17 => assert!(matches!(opened, Err(Unopened::OtherKey(_)))),
                    _ => assert_eq!(opened, Err(Unopened::Damaged), "byte {place}"),
                }
            }
            let cut = open(
                std::slice::from_ref(&key),
                account.as_str(),
                &bytes[..place],
            );
            assert_eq!(cut, Err(Unopened::Damaged), "cut at {place}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(
            open(&[key], account.as_str(), &longer),
            Err(Unopened::Damaged)
        );
    }

    #[test]
    fn a_file_under_another_account_s_name_does_not_open() {
        let (one, other) = (record("one", "r1"), record("other", "r2"));
        let (key, bytes) = sealed(&one);
        assert_eq!(
            open(&[key], other.key.id().as_str(), &bytes),
            Err(Unopened::Damaged)
        );
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let record = record("c", "r1");
        let (key, bytes) = sealed(&record);
        let account = record.key.id();
        let keys = [Key::random().unwrap()];
        let other = Err(Unopened::OtherKey(key.id()));
        assert_eq!(open(&keys, account.as_str(), &bytes), other);
        assert_eq!(open(&[], account.as_str(), &bytes), other);
        let keys = [Key::random().unwrap(), key];
        assert_eq!(open(&keys, account.as_str(), &bytes), Ok(record));
    }

    #[test]
    fn a_bearer_that_ran_out_is_not_kept() {
        let mut record = record("c", "r1");
        tokens(&mut record).expires = Wall(2_000);
        let kept = record.clone().without_expired(Wall(1_999));
        assert_eq!(kept, record);
        let (key, bytes) = sealed(&record.clone().without_expired(Wall(2_000)));
        let opened = open(&[key], record.key.id().as_str(), &bytes).unwrap();
        let opened = opened.tokens().unwrap();
        assert_eq!(opened.bearer.reveal(), "");
        assert_eq!(opened.expires, Wall(0));
        assert_eq!(opened.refresh, record.tokens().unwrap().refresh);
    }

    #[test]
    fn a_large_token_goes_through() {
        let mut record = record("c", "r1");
        tokens(&mut record).bearer = BearerToken::new("x".repeat(64 * 1024));
        let (key, bytes) = sealed(&record);
        assert_eq!(open(&[key], record.key.id().as_str(), &bytes), Ok(record));
    }
}
