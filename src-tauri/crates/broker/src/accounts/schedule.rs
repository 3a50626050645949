//! When the next try is due. Everything here is arithmetic over what it is given.

use std::time::Duration;

use crate::clock::{Moment, Now};
use crate::tokens::Tokens;

/// How soon an ask may repeat a try that has just failed.
pub const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long an ask waits for a provider that does not answer, so that kubectl says something
/// within ten seconds.
pub const PATIENCE: Duration = Duration::from_secs(9);
/// How soon a token is renewed that nobody has asked for since it was renewed by itself, however
/// short its life: a provider says how long that is, and would have us ask it for ever.
pub const UNASKED: Duration = Duration::from_secs(10);
/// How soon a lost reply is asked for once more.
pub const LOST_REPLY: Duration = Duration::from_secs(2);

const BACK_OFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5 * 60));
const BLOCKED: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));

/// Random numbers for jitter alone (SplitMix64): many computers that woke together should not ask
/// together. Nothing secret comes from it.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A duration between zero and `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(mixed.checked_rem(most.saturating_add(1)).unwrap_or(0))
    }
}

/// Whether a token may still be handed out.
#[must_use]
pub fn good(tokens: &Tokens, now: Now) -> bool {
    tokens.expires.since(now.wall) > tokens.margin()
}

/// When to renew a token before it ends: a quarter of its life ahead, at least ten seconds and at
/// most five minutes, and before the refresh token itself would run out; a little earlier or
/// later by chance. Where it is `unasked`, not soon after now.
#[must_use]
pub fn renew_at(tokens: &Tokens, unasked: bool, now: Now, jitter: &mut Jitter) -> Moment {
    let life = tokens.lifetime();
    let ahead = (life / 4)
        .clamp(Duration::from_secs(10), Duration::from_secs(5 * 60))
        .min(life / 2);
    let ahead = ahead + jitter.up_to(ahead / 4);
    let mut due = tokens.expires.before(ahead);
    if let Some(end) = tokens.refresh_expires {
        let share = end.since(tokens.obtained) / 4;
        due = due.min(end.before(share.min(Duration::from_secs(5 * 60))));
    }
    let due = now.moment_of(due);
    if unasked {
        // By the clock that nobody sets.
        return due.max(now.moment.after(UNASKED));
    }
    due
}

/// When to try again after the provider was not reached `tries` times.
#[must_use]
pub fn back_off(tries: u32, now: Now, jitter: &mut Jitter) -> Moment {
    now.moment.after(doubling(BACK_OFF, tries, jitter))
}

/// When to try again after the provider refused `tries` times.
#[must_use]
pub fn blocked(tries: u32, now: Now, jitter: &mut Jitter) -> Moment {
    now.moment.after(doubling(BLOCKED, tries, jitter))
}

fn doubling((first, most): (Duration, Duration), tries: u32, jitter: &mut Jitter) -> Duration {
    let doubled = first
        .saturating_mul(1 << tries.saturating_sub(1).min(16))
        .min(most);
    doubled + jitter.up_to(doubled / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::session::tests::tokens;
    use crate::clock::Wall;

    fn now(seconds: i64) -> Now {
        Now {
            wall: Wall::from_seconds(seconds),
            moment: Moment(0),
        }
    }

    #[test]
    fn tokens_are_renewed_ahead_of_their_end_whatever_their_life() {
        for (life, earliest, latest) in [
            (10, 3, 5),
            (60, 41, 45),
            (300, 206, 225),
            (3600, 3225, 3300),
        ] {
            let tokens = tokens(0, life);
            for seed in 0..50 {
                let due = renew_at(&tokens, false, now(0), &mut Jitter::new(seed));
                assert!(
                    (earliest * 1000..=latest * 1000).contains(&due.0),
                    "{life}: {due:?}"
                );
                let at = now(0).after(Duration::from_millis(due.0));
                assert!(
                    good(&tokens, at),
                    "a token of {life} s is good when its renewal is due"
                );
            }
        }
    }

    #[test]
    fn a_session_that_idles_out_before_its_token_is_renewed_in_time() {
        let tokens = Tokens {
            refresh_expires: Some(Wall::from_seconds(1800)),
            ..tokens(0, 36_000)
        };
        let due = renew_at(&tokens, false, now(0), &mut Jitter::new(1));
        assert!(due <= Moment(1_500_000), "{due:?}");
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u64> = (1..9)
            .map(|tries| back_off(tries, now(0), &mut Jitter::new(7)).0 / 1000)
            .collect();
        for (wait, (least, most)) in waits.iter().zip([
            (5, 7),
            (10, 13),
            (20, 25),
            (40, 50),
            (80, 100),
            (160, 200),
            (300, 375),
            (300, 375),
        ]) {
            assert!((least..=most).contains(wait), "{waits:?}");
        }
    }
}
