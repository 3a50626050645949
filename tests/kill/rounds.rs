//! `kill -9` again and again, and after each what was lost and why.

use std::time::Duration;

use anyhow::{Result, ensure};
use world::person::Person;
use world::wait;

use crate::at_rest::{self, Session};

/// What the provider knows of all rounds so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Provider {
    /// How often somebody signed in.
    pub(crate) sign_ins: u64,
    /// How often a refresh token was good.
    pub(crate) refreshes: u64,
    /// How often one was presented a second time, which ends its session.
    pub(crate) reused: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    kills: u32,
    in_doubt: u64,
    /// Kills before which the resident had told of a token, and the disk was asked for it.
    told: u32,
    provider: Provider,
}

impl Tally {
    /// In a sentence.
    pub(crate) fn text(&self) -> String {
        let Self {
            kills,
            in_doubt,
            told,
            provider,
        } = self;
        format!(
            "{kills} kills, {in_doubt} of them between the note before sending and the fsync of the \
             reply; {} of those after the provider's commit, which cost a session each: {} sign-ins \
             after the first. No other session was lost; what had been told of was on disk, {told} \
             of {told}; {} refreshes",
            provider.reused,
            provider.sign_ins.saturating_sub(1),
            provider.refreshes,
        )
    }
}

/// Kills the person's resident `times`: a third right where it hurts, at most `window` after
/// `refreshing` has seen a refresh under way; a third at any moment; and a third as soon as it has
/// told of a renewed token. After each, kubectl works.
///
/// A session may be lost only where the provider took a token and our note of its reply did not
/// reach the disk: the same token is then presented once more, and the provider says so. So each
/// sign-in has a token behind it that was reused, and each of those a kill that left the disk in
/// doubt. A token that reached the disk and was never presented is in neither count. The disk is
/// in doubt no longer than it must be: what anybody was told of is on it.
pub(crate) async fn rounds(
    person: &Person,
    times: u32,
    window: Duration,
    mut refreshing: impl AsyncFnMut() -> Result<()>,
    mut provider: impl AsyncFnMut() -> Result<Provider>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for round in 0..times {
        let mut told = None;
        match round % 3 {
            0 => {
                refreshing().await?;
                tokio::time::sleep(chance.up_to(window)).await;
            }
            1 => tokio::time::sleep(chance.up_to(Duration::from_millis(600))).await,
            _ => {
                let before = expires(person)?;
                seen("a renewed token", async || {
                    told = expires(person)?;
                    Ok(told > before)
                })
                .await?;
            }
        }
        person.end_resident("KILL")?;
        tally.kills += 1;
        let at_rest = at_rest::read(person).await?;
        match at_rest.session {
            Session::InDoubt => tally.in_doubt += 1,
            Session::Unpresented | Session::Nothing => {}
        }
        if let (Some(told), Some(kept)) = (told, at_rest.expires) {
            ensure!(kept >= told, "told of {told}, and the disk has {kept}");
            tally.told += 1;
        }
        let said = person.kubectl(&["get", "ns", "-o=name"])?;
        ensure!(said.ok, "{said:?}\n{}", person.log());
        // A session that ended so goes on serving its last token, so that the new sign-in may
        // come rounds later; but each one has such an end behind it, the first apart.
        tally.provider = provider().await?;
        let Provider {
            sign_ins, reused, ..
        } = tally.provider;
        ensure!(
            sign_ins - 1 <= reused && reused <= tally.in_doubt,
            "a session was lost that the disk had: {tally:?}\n{}",
            person.log()
        );
    }
    ensure!(
        tally.told > 0,
        "never was anybody told of a token: {tally:?}"
    );
    Ok(tally)
}

/// Until when the token is good that the resident tells of.
fn expires(person: &Person) -> Result<Option<i64>> {
    Ok(person.fob(&["status"])?["accounts"][0]["expires"].as_i64())
}

/// Waits until it is so.
pub(crate) async fn seen(what: &str, is: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    wait::up_to(Duration::from_secs(120))
        .every(Duration::from_micros(200))
        .until_async(what, is)
        .await
}

/// xorshift64: the same moments in each run, as far as the machine lets them be.
struct Chance(u64);

impl Chance {
    fn up_to(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.0 % most.max(1))
    }
}
