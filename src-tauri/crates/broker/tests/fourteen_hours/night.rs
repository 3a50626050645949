//! What happens when. Hours are counted from six in the evening; chance moves things a little.

use broker::asker::Desktop;

use crate::provider::{Away, How};
use crate::world::{Due, Mood, World, minutes, seconds};

/// Plans the night.
pub fn plan(world: &mut World) {
    // Everybody who asks.
    world.plan(seconds(3), Due::Kubectl);
    for asker in [Due::K9s, Due::Editor, Due::Cron, Due::Tab] {
        world.plan(seconds(30), asker);
    }
    world.plan(seconds(0), Due::Mood(Mood::Answers));
    world.plan(minutes(5), Due::Mood(Mood::ByChance));

    // The screen: a short while in the evening, and the night.
    world.plan(at(18, 40), Due::Screen(Desktop::Locked));
    world.plan(at(18, 55), Due::Screen(Desktop::Unlocked));
    world.plan(at(23, 30), Due::Screen(Desktop::Locked));
    world.plan(at(31, 10), Due::Screen(Desktop::Unlocked));

    // The provider: away twice for long, and now and then for a moment.
    let mut away = |from, until, how| {
        let (from, until) = (world.at(from), world.at(until));
        world.provider.goes_away(Away { from, until, how });
    };
    away(at(19, 30), at(19, 52), How::Refuses);
    away(at(21, 10), at(21, 40), How::Silent);
    for _ in 0..12 {
        let from = world.chance.up_to(minutes(14 * 60));
        let until = from + seconds(5) + world.chance.up_to(seconds(35));
        let how = if world.chance.percent(50) {
            How::Refuses
        } else {
            How::Silent
        };
        let (from, until) = (world.at(from), world.at(until));
        world.provider.goes_away(Away { from, until, how });
    }

    // The computer: its lid is closed twice, and somebody corrects its clock.
    world.plan(at(20, 15), Due::Sleep(minutes(30)));
    world.plan(at(25, 0), Due::Sleep(minutes(90)));
    world.plan(at(22, 30), Due::SetClock(7 * 60));
    world.plan(at(29, 0), Due::SetClock(-7 * 60));

    // At three the provider ends what was begun before; in some nights somebody far away signs in
    // again over ssh.
    world.maximum = world.at(at(27, 0));
    if world.chance.percent(40) {
        world.plan(at(28, 0), Due::Mood(Mood::Answers));
        world.plan(at(28, 1), Due::Ssh);
        world.plan(at(28, 30), Due::Mood(Mood::ByChance));
    }

    // In the morning the screen is unlocked and nobody looks at it, until somebody does.
    world.plan(at(31, 9), Due::Mood(Mood::Ignores));
    world.plan(at(31, 30), Due::Mood(Mood::Answers));
    world.plan(at(31, 31), Due::Kubectl);
    world.plan(at(32, 0), Due::End);
}

/// An hour of the day, from 18 on; past midnight it goes on counting.
fn at(hour: u64, minute: u64) -> std::time::Duration {
    minutes((hour - 18) * 60 + minute)
}
