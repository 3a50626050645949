//! The vault's key, and the keyring that it rests in, asked with a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::os::keyring::{Keyring, Was, Watched};
use crate::os::page::Page;

/// A key of 32 bytes. Clones share its one page of memory.
#[derive(Clone)]
pub struct Key(Arc<Page>);

/// What tells keys apart and gives nothing away: 64 bits of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl Key {
    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// The system has none.
    pub fn random() -> Result<Self, Unspecified> {
        Page::new(|bytes| SystemRandom::new().fill(bytes)).map(|page| Self(page.into()))
    }

    /// From the text that rests in a keyring: 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        if digits.len() != 64 {
            return None;
        }
        Page::new(|bytes| {
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                *byte = pair
                    .iter()
                    .try_fold(0, |high, digit| Some(high * 16 + nibble(*digit)?))
                    .ok_or(())?;
            }
            Ok::<(), ()>(())
        })
        .ok()
        .map(|page| Self(page.into()))
    }

    /// The text of it, for a keyring.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.bytes() {
            for nibble in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(nibble.into(), 16));
            }
        }
        text
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut input = Zeroizing::new([0; 48]);
        input[..16].copy_from_slice(b"kubefob key id 1");
        input[16..].copy_from_slice(self.0.bytes());
        let mut id = [0; 8];
        for (byte, from) in id.iter_mut().zip(digest(&SHA256, input.as_ref()).as_ref()) {
            *byte = *from;
        }
        KeyId(id)
    }

    pub(super) fn cipher(&self) -> Result<LessSafeKey, Unspecified> {
        UnboundKey::new(&AES_256_GCM, self.0.bytes()).map(LessSafeKey::new)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("****")
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// How many calls may hang at once: each is a thread that waits for a keyring which may never answer.
const HANGING: usize = 4;

/// The least time from one word of a change to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// The keyring, called from a thread of its own: its calls block behind prompts, and panic in async code.
pub(super) struct Caller {
    keyring: Arc<dyn Keyring>,
    calls: Arc<AtomicUsize>,
    watches: Arc<AtomicUsize>,
    prompts: Arc<AtomicUsize>,
}

impl Caller {
    pub(super) fn new(keyring: impl Keyring) -> Self {
        Self {
            keyring: Arc::new(keyring),
            calls: Arc::default(),
            watches: Arc::default(),
            prompts: Arc::default(),
        }
    }

    /// Calls, and waits for the answer at most so long. None: it did not come; if it comes later, `late` is
    /// called, so that somebody asks again.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        deadline: Duration,
        call: impl FnOnce(&dyn Keyring) -> T + Send + 'static,
        late: impl FnOnce() + Send + 'static,
    ) -> Option<T> {
        let turn = Turn::take(&self.calls, HANGING)?;
        let keyring = self.keyring.clone();
        let (sender, answer) = oneshot::channel();
        let thread = move || {
            let answer = call(&*keyring);
            drop(turn);
            if sender.send(answer).is_err() {
                late();
            }
        };
        spawn(thread)?;
        tokio::time::timeout(deadline, answer).await.ok()?.ok()
    }

    /// Has `changed` called once the keyring may be other than it `was`, and asks the person to unlock it if `prompt` says
    /// so. At most one of each kind is under way.
    pub(super) fn watch(&self, was: Was, prompt: bool, changed: impl FnOnce() + Send + 'static) {
        let under_way = if prompt { &self.prompts } else { &self.watches };
        let Some(turn) = Turn::take(under_way, 1) else {
            return;
        };
        let keyring = self.keyring.clone();
        spawn(move || {
            let begun = Instant::now();
            let watched = keyring.watch(was, prompt);
            // A keyring that says "changed" and stays as it is must not keep us busy.
            if watched == Watched::Changed {
                std::thread::sleep(PAUSE.saturating_sub(begun.elapsed()));
            }
            drop(turn);
            if watched == Watched::Changed {
                changed();
            }
        });
    }
}

fn spawn(thread: impl FnOnce() + Send + 'static) -> Option<()> {
    std::thread::Builder::new()
        .name("keyring".into())
        .spawn(thread)
        .map(drop)
        .ok()
}

/// One of a limited number, given back when dropped.
struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn take(turns: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        turns
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < most).then_some(taken + 1)
            })
            .ok()?;
        Some(Self(turns.clone()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text() {
        let key = Key::random().unwrap();
        let again = Key::parse(&key.text()).unwrap();
        assert_eq!(key.id(), again.id());
        assert_ne!(key.id(), Key::random().unwrap().id());
        assert_eq!(format!("{key:?}"), "****");
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        let short = "0".repeat(63);
        let letter = "g".repeat(64);
        let wide = "é".repeat(32);
        for text in ["", "0", &short, &letter, &wide] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
        assert!(Key::parse(&format!("{}\n", "a".repeat(64))).is_some());
    }
}
