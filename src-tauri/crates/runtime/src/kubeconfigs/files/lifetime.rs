//! Since when a process runs, and whether it still does.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, SystemTime};

use broker::asker::ProcessId;
use broker::clock::Moment;

use crate::askers::asker::Found;
use crate::askers::ground::Ground;
use crate::os::processes;

/// By how much the system may be wrong about when a process started: it counts in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);
/// How far two times can be apart that are one, each being told in milliseconds.
const ROUNDED: Duration = Duration::from_millis(2);

/// Whether it still runs.
pub(super) fn lives(process: ProcessId) -> bool {
    processes::process(process.pid).is_some_and(|now| now.started == process.started)
}

/// When an asker started, for what it can have read; where that can't be told, at the beginning. In the tick in which it
/// starts nobody has read anything, being loaded for longer: what was written right before it, by the command before it,
/// was there.
pub(super) fn start(found: &Found) -> Moment {
    let started = started(found.asker.process);
    if started == Moment(0) {
        started
    } else {
        started.after(TICK + ROUNDED)
    }
}

/// When a process started, rather too early than too late; where that can't be told, at the beginning.
fn started(process: Option<ProcessId>) -> Moment {
    // The clocks are not read at one instant.
    let now = crate::clock::now().moment;
    let started = process.and_then(|process| processes::start_time(process.started));
    // It is told a tick too late, which can be later than now.
    let age = started.map(|started| {
        SystemTime::now()
            .duration_since(started)
            .unwrap_or_default()
    });
    age.map_or(Moment(0), |age| now.before(age + TICK))
}

/// Whether what stands there can have been made since an asker started. What was put there by another way tells that
/// by its last change.
pub(super) fn is_new(ground: &Ground, path: &Path, found: &Found) -> bool {
    let made = std::fs::metadata(ground.whole(path)).and_then(|found| found.created());
    let age = made.map(|made| SystemTime::now().duration_since(made).unwrap_or_default());
    age.is_ok_and(|age| crate::clock::now().moment.before(age) > start(found))
}

/// Makes room for one more among what is remembered of so `many` processes: from so `few` on those go that have ended.
pub(super) fn make_room<T>(
    all: &mut VecDeque<(ProcessId, T)>,
    (few, many): (usize, usize),
    lives: impl Fn(ProcessId) -> bool,
) {
    if all.len() >= few {
        all.retain(|(known, _)| lives(*known));
    }
    if all.len() >= many {
        all.pop_front();
    }
}
