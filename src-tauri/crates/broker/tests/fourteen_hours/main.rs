//! Fourteen hours in the life of one account, from six in the evening to eight in the morning, in a
//! second: k9s, an editor and cron ask all the time, the provider goes away, loses replies and ends
//! the session at three, the computer sleeps, the screen is locked, its clock is set, and the person
//! answers or does not.
//!
//! What must hold is looked at after each event, in [`world`]. Nothing here waits or is random: a
//! seed makes the same night each time. `FOURTEEN_HOURS=7` takes that seed, `FOURTEEN_HOURS=1-200`
//! takes these; run with `--nocapture` to see what each night brought.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a surprise is a failed test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "what can't happen in this night fails it"
)]

mod night;
mod provider;
#[path = "../shared/mod.rs"]
mod shared;
mod world;

use broker::settings::{KeepFresh, Settings};
use world::{Told, World};

#[test]
fn nobody_is_disturbed_and_everybody_is_answered() {
    let mut all = Told::default();
    for seed in seeds() {
        for keep_fresh in [KeepFresh::Always, KeepFresh::WhileInUse] {
            let mut world = World::new(
                seed,
                Settings {
                    keep_fresh,
                    ..Settings::default()
                },
            );
            night::plan(&mut world);
            world.run();
            say(&format!("seed {seed}, {keep_fresh:?}: {}", world.told));
            all.add(&world.told);
        }
    }
    say(&format!("in all: {all}"));
    // A night in which nothing happened shows nothing.
    for (what, count) in [
        ("a page was opened", all.pages),
        ("a page was asked for by a person", all.pages_asked_for),
        ("a sign-in was refused or went unanswered", all.declined),
        ("a hundred were told of it at once", all.told_at_once),
        ("the provider ended a session", all.ended),
        ("a reply was lost", all.lost),
        ("the provider was out of reach", all.unreachable),
        (
            "somebody asked under a locked screen and got nothing",
            all.nobody,
        ),
        ("a TAB got nothing", all.tabs_failed),
    ] {
        assert!(count > 0, "in no night {what}");
    }
}

/// A few fixed ones, so that a landing is no gamble.
#[allow(
    clippy::disallowed_methods,
    reason = "it is the test that is told which nights to take"
)]
fn seeds() -> Vec<u64> {
    let Ok(chosen) = std::env::var("FOURTEEN_HOURS") else {
        return (1..=2).collect();
    };
    match chosen.split_once('-') {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).collect(),
        None => vec![chosen.parse().unwrap()],
    }
}

#[allow(clippy::disallowed_macros, reason = "what it did is told")]
fn say(text: &str) {
    println!("{text}");
}
