//! Every kubeconfig that was read, in the versions that it was known in, and from when until when each was known.
//!
//! A process reads its files when it starts, and asks later. So what a file said is kept beside what it says. What is
//! known of a version:
//!
//! - It stood from the last change of its file (ctime, which nobody sets back; that of a link on the way, or of a
//!   folder that was renamed, if that is later) until it was last seen so. It was seen by whoever asked, and by the
//!   watch on the person's own file and on files that were used: as long as that says nothing, nothing changes.
//! - It can have stood until its successor came: until that one's file changed, or, where that says nothing, until it
//!   was first seen.
//!
//! A process can have read each version that can have stood since it started. It is known what it started with, where
//! some version is known to have stood just then; once known, that holds until it ends. Where it is not known (nobody
//! watched, or no resident ran), what is there now says nothing of what the process read.
//!
//! What is not known: what stood for less than a look takes, after the start of the process, or for the tick in which it
//! started; a folder on the way
//! that was exchanged for another, where something was made in that one since; a file that a process inherited from
//! one that started it without a program of its own; and the truth, where the clock was set forward between a change
//! that nobody saw and the look, or where another computer's clock, which is behind, says when a file changed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use broker::asker::ProcessId;
use broker::clock::{Moment, Now};
use kubeconfig::Config;

use super::lifetime::make_room;
use crate::askers::ground::Ground;
use crate::askers::way::Changed;
use crate::os::files::Stamp;

/// By how much later than it happens a change can be told of, and by how much earlier than it happened a file says it was.
const DELAY: Duration = Duration::from_millis(10);
/// How many versions are kept, of all files together.
const MOST: usize = 64;
/// Of how many processes is remembered that it is known what they started with.
const MOST_KNOWN: usize = 256;

/// What was read of all files, the newest last.
#[derive(Debug, Default)]
pub(super) struct Versions {
    all: VecDeque<Version>,
    /// By whom it was asked for a file of which it was known what it said when they started.
    known: VecDeque<(ProcessId, Key)>,
}

/// Which file it is, and by which name it was asked for: entries are told apart by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The root that the path begins at.
    pub(super) root: (u64, u64),
    /// The whole path.
    pub(super) path: PathBuf,
    /// The path as it was named.
    pub(super) named: PathBuf,
}

/// When a file's state began, as the system has it, and on the running clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since {
    pub(super) changed: Changed,
    pub(super) at: Moment,
}

impl Since {
    /// By when a file changed, as it was told now.
    pub(super) fn of(changed: Changed, now: Now) -> Self {
        let age = changed.at().map_or(Duration::ZERO, |at| now.wall.since(at));
        Self {
            changed,
            at: now.moment.before(age),
        }
    }
}

#[derive(Debug)]
struct Version {
    key: Key,
    /// None: it was not there.
    said: Option<(Stamp, Arc<Config>)>,
    changed: Changed,
    /// Since when it is known to have stood.
    from: Moment,
    /// Until when it is known to have stood: when it was last seen to be so.
    seen: Moment,
    /// Until when it can have stood, another having been seen; none: it still is so.
    until: Option<Moment>,
}

impl Key {
    pub(super) fn of(ground: &Ground, path: &Path, named: &Path) -> Self {
        Self {
            root: ground.identity().0,
            path: ground.whole(path),
            named: named.to_owned(),
        }
    }
}

impl Versions {
    /// What a file says, if it was read in this state.
    pub(super) fn known(
        &mut self,
        key: &Key,
        stamp: &Stamp,
        since: Since,
        now: Moment,
    ) -> Option<Arc<Config>> {
        let (was, config) = self.now(key)?.said.clone()?;
        if was != *stamp {
            return None;
        }
        let said = Some((was, Arc::clone(&config)));
        self.note(key.clone(), said, since, now, now);
        Some(config)
    }

    /// A file was read: it was so at `seen`, and has been found to be so by `now`. What it said before is kept.
    pub(super) fn learn(
        &mut self,
        key: Key,
        stamp: Stamp,
        since: Since,
        config: Config,
        (seen, now): (Moment, Moment),
    ) -> Arc<Config> {
        let mut alike = self.all.iter().rev().filter(|version| version.key == key);
        let config = alike
            .find_map(|version| {
                let (_, known) = version.said.as_ref()?;
                (**known == config).then(|| Arc::clone(known))
            })
            .unwrap_or_else(|| Arc::new(config));
        let said = Some((stamp, Arc::clone(&config)));
        self.note(key, said, since, seen, now);
        config
    }

    /// A file is not there, or not any more.
    pub(super) fn gone(&mut self, key: Key, since: Since, now: Moment) {
        self.note(key, None, since, now, now);
    }

    fn note(
        &mut self,
        key: Key,
        said: Option<(Stamp, Arc<Config>)>,
        since: Since,
        seen: Moment,
        now: Moment,
    ) {
        let mut from = since.at.min(now);
        if let Some(version) = self.now(&key) {
            if since.changed.is_by(version.changed) && same(&version.said, &said) {
                version.seen = version.seen.max(seen);
                return;
            }
            if from.after(DELAY) < version.seen {
                // Something else was there after this one had been made: it was put in its place by another way.
                from = now;
            } else {
                // A file's clock ticks more slowly.
                from = from.max(version.seen);
            }
            version.until = Some(from);
        }
        if self.all.len() >= MOST {
            let oldest = self.all.iter().position(|version| version.until.is_some());
            self.all.remove(oldest.unwrap_or(0));
        }
        self.all.push_back(Version {
            key,
            said,
            changed: since.changed,
            from,
            seen: seen.max(from),
            until: None,
        });
    }

    /// What a file said before, at some time since a process started; none: it is not known what it said then.
    pub(super) fn since(
        &mut self,
        key: &Key,
        process: Option<ProcessId>,
        start: Moment,
        lives: impl Fn(ProcessId) -> bool,
    ) -> Option<Before> {
        self.knows(key, process, start, lives)
            .then(|| self.before(key, start))
    }

    /// What a file said before, as can have been so at some time since a process started: until when, and what. None:
    /// it was not there.
    fn before(&self, key: &Key, start: Moment) -> Before {
        let all = self.all.iter().filter(|version| version.key == *key);
        all.filter_map(|version| {
            let until = version.until.filter(|until| *until >= start)?;
            let config = version.said.as_ref().map(|(_, config)| Arc::clone(config));
            Some((until, config))
        })
        .collect()
    }

    /// Whether it is known what a file said when a process started; once known, that is remembered. `lives` tells
    /// whether a process is still there.
    fn knows(
        &mut self,
        key: &Key,
        process: Option<ProcessId>,
        start: Moment,
        lives: impl Fn(ProcessId) -> bool,
    ) -> bool {
        let is_noted = process.is_some_and(|process| self.is_noted(process, key));
        // Who asks has read its files: a start that is rather too late can be later than the look that followed.
        let start = self.now(key).map_or(start, |now| start.min(now.seen));
        let stood = |version: &Version| {
            version.key == *key && version.from <= start && start <= version.seen
        };
        if is_noted {
            return true;
        }
        if !self.all.iter().any(stood) {
            return false;
        }
        if let Some(process) = process {
            make_room(&mut self.known, (MOST_KNOWN, MOST_KNOWN), lives);
            self.known.push_back((process, key.clone()));
        }
        true
    }

    fn is_noted(&self, process: ProcessId, key: &Key) -> bool {
        let mut noted = self.known.iter();
        noted.any(|(known, of)| *known == process && of == key)
    }

    /// Whether a file by this path below a root has versions.
    pub(super) fn has(&self, root: (u64, u64), path: &Path) -> bool {
        let mut all = self.all.iter().map(|version| &version.key);
        all.any(|key| key.root == root && key.path == path)
    }

    /// Whether a file by this path, which was just seen to be as it was last, said something else at some time since a
    /// process started, or can have.
    pub(super) fn has_changed(
        &mut self,
        path: &Path,
        changed: Changed,
        process: Option<ProcessId>,
        start: Moment,
        now: Moment,
    ) -> bool {
        let mut others = false;
        let mut unknown = Vec::new();
        for version in self.all.iter_mut() {
            if version.key.path != path {
                continue;
            }
            match version.until {
                None if !changed.is_by(version.changed) => others = true,
                None => {
                    version.seen = now;
                    if version.from > start {
                        unknown.push(version.key.clone());
                    }
                }
                Some(until) => others |= until >= start,
            }
        }
        let is_noted = |key| process.is_some_and(|process| self.is_noted(process, key));
        others || !unknown.iter().all(is_noted)
    }

    /// A watch on these paths, which began then, has said nothing until just now: what was seen since has been so.
    /// `look` tells what is there now, and since when.
    pub(super) fn unchanged_until(
        &mut self,
        root: (u64, u64),
        paths: &[PathBuf],
        (began, now): (Moment, Moment),
        look: impl Fn(&Path) -> Option<(Option<Stamp>, Since)>,
    ) {
        for path in paths {
            let Some((stamp, since)) = look(path) else {
                continue;
            };
            let here = |version: &&mut Version| {
                let Key {
                    root: of, path: to, ..
                } = &version.key;
                *of == root && to == path && version.until.is_none() && version.seen >= began
            };
            for version in self.all.iter_mut().filter(here) {
                let was = version.said.as_ref().map(|(stamp, _)| *stamp);
                let is_so = was == stamp && since.changed.is_by(version.changed);
                // Whatever has changed since had not, before that was told. It is told with a delay.
                let until = if is_so {
                    now
                } else {
                    since.at.min(now).before(DELAY)
                };
                version.seen = version.seen.max(until);
            }
        }
    }

    fn now(&mut self, key: &Key) -> Option<&mut Version> {
        let mut all = self.all.iter_mut();
        all.find(|version| version.until.is_none() && version.key == *key)
    }
}

fn same(one: &Option<(Stamp, Arc<Config>)>, other: &Option<(Stamp, Arc<Config>)>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some((one, _)), Some((other, _))) => one == other,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// What a file said, until when; none: it was not there.
pub(super) type Before = Vec<(Moment, Option<Arc<Config>>)>;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> Key {
        Key {
            root: (1, 1),
            path: path.into(),
            named: path.into(),
        }
    }

    fn stamp(inode: u64) -> Stamp {
        Stamp {
            device: 1,
            inode,
            length: 1,
            modified: (0, 0),
            changed: (0, 0),
        }
    }

    fn config(current: &str) -> Config {
        let text = format!("current-context: '{current}'");
        kubeconfig::load(Path::new("/k"), text.as_bytes()).unwrap()
    }

    fn says(config: &Config) -> &str {
        config.current_context.as_deref().unwrap()
    }

    fn since(at: u64) -> Since {
        Since {
            changed: Changed::test(at),
            at: Moment(at),
        }
    }

    /// Versions of one file, each written at a time and first seen at another.
    fn written(all: &[(u64, u64, &str)]) -> Versions {
        let mut versions = Versions::default();
        for (at, seen, current) in all {
            learn(&mut versions, *at, *seen, current);
        }
        versions
    }

    fn learn(versions: &mut Versions, at: u64, seen: u64, current: &str) {
        let seen = (Moment(seen), Moment(seen));
        versions.learn(key("/k"), stamp(at), since(at), config(current), seen);
    }

    fn look(versions: &mut Versions, at: u64, now: u64) {
        let known = versions.known(&key("/k"), &stamp(at), since(at), Moment(now));
        assert!(known.is_some());
    }

    fn asker(pid: u32) -> Option<ProcessId> {
        Some(ProcessId { pid, started: 1 })
    }

    /// What the file said before, for a process that started then; none where that is not known.
    fn before(versions: &mut Versions, start: u64) -> Option<String> {
        let known = versions.knows(&key("/k"), None, Moment(start), |_| true);
        let before = versions.before(&key("/k"), Moment(start));
        let before = before.iter().map(|(_, config)| match config {
            Some(config) => says(config).to_owned(),
            None => "-".to_owned(),
        });
        let before = before.collect();
        known.then_some(before)
    }

    #[test]
    fn a_process_may_have_read_what_can_have_stood_since_it_started() {
        let mut versions = written(&[(0, 5, "a"), (10, 15, "b")]);
        look(&mut versions, 10, 20);
        learn(&mut versions, 30, 35, "c");
        for (start, expected) in [
            (0, Some("ab")),
            (5, Some("ab")),
            // Whatever stood between the last look and the change, nobody knows.
            (6, None),
            (9, None),
            (10, Some("ab")),
            (11, Some("b")),
            (20, Some("b")),
            (21, None),
            (30, Some("b")),
            (31, Some("")),
            (99, Some("")),
        ] {
            let found = before(&mut versions, start);
            assert_eq!(found.as_deref(), expected, "started at {start}");
            let changed = versions.has_changed(
                Path::new("/k"),
                Changed::test(30),
                None,
                Moment(start),
                Moment(35),
            );
            assert_eq!(changed, expected != Some(""), "started at {start}");
        }
        assert!(versions.before(&key("/other"), Moment(0)).is_empty());
    }

    #[test]
    fn what_was_looked_at_before_a_process_started_and_replaced_after_counts() {
        // Switched at 0, looked at at 1; the process starts at 1000; switched back at 2000.
        let mut versions = written(&[(0, 1, "evil")]);
        let here = |at| move |_: &Path| Some((Some(stamp(at)), since(at)));
        let watched = [PathBuf::from("/k")];
        let mut unwatched = written(&[(0, 1, "evil"), (2000, 2150, "own")]);
        versions.unchanged_until((1, 1), &watched, (Moment(1), Moment(2000)), here(2000));
        learn(&mut versions, 2000, 2150, "own");
        assert_eq!(before(&mut versions, 1000).as_deref(), Some("evil"));
        assert_eq!(before(&mut versions, 1989).as_deref(), Some("evil"));
        assert_eq!(before(&mut versions, 1995), None, "told with a delay");
        assert_eq!(before(&mut versions, 2001).as_deref(), Some(""));
        assert_eq!(before(&mut unwatched, 1000), None, "nobody watched");
    }

    #[test]
    fn the_watch_says_nothing_of_what_was_seen_before_it_began() {
        let here = |_: &Path| Some((Some(stamp(0)), since(0)));
        let watched = [PathBuf::from("/k")];
        for (began, until) in [(5, 100), (6, 5)] {
            let mut versions = written(&[(0, 5, "a")]);
            versions.unchanged_until((1, 1), &watched, (Moment(began), Moment(100)), here);
            assert_eq!(versions.all[0].seen, Moment(until));
            versions.unchanged_until((2, 2), &watched, (Moment(0), Moment(200)), here);
            assert_eq!(versions.all[0].seen, Moment(until), "another root");
        }
    }

    #[test]
    fn what_nobody_saw_is_not_known() {
        let mut versions = written(&[(2000, 2100, "own")]);
        assert_eq!(before(&mut versions, 1000), None);
        assert_eq!(before(&mut versions, 2000).as_deref(), Some(""));
    }

    #[test]
    fn what_was_known_of_a_process_once_is_known_until_it_ends() {
        let mut versions = written(&[(0, 5, "a")]);
        let knows = |versions: &mut Versions, pid| {
            versions.knows(&key("/k"), asker(pid), Moment(3), |_| true)
        };
        assert!(knows(&mut versions, 1));
        for at in 1..2 * MOST as u64 {
            learn(&mut versions, 10 * at, 10 * at, &at.to_string());
        }
        assert!(knows(&mut versions, 1));
        assert!(!knows(&mut versions, 2), "its version is forgotten");
    }

    #[test]
    fn what_was_put_in_its_place_by_another_way_came_between_two_looks() {
        // Written at 30, and put there after 50, when another one was seen.
        let mut versions = written(&[(0, 50, "a"), (30, 200, "b")]);
        assert_eq!(before(&mut versions, 100), None);
        assert_eq!(before(&mut versions, 50).as_deref(), Some("a"));
        assert_eq!(before(&mut versions, 200).as_deref(), Some("a"));
        look(&mut versions, 30, 300);
        assert_eq!(before(&mut versions, 210).as_deref(), Some(""));
    }

    #[test]
    fn who_asks_at_once_has_read_its_file_all_the_same() {
        let mut versions = written(&[(0, 50, "a")]);
        assert_eq!(before(&mut versions, 55).as_deref(), Some(""));
        let mut versions = written(&[(52, 54, "a")]);
        assert_eq!(before(&mut versions, 55).as_deref(), Some(""));
        assert_eq!(before(&mut versions, 51), None);
    }

    #[test]
    fn a_file_s_clock_ticks_more_slowly_than_ours() {
        // Written after the look, in the tick before.
        let mut versions = written(&[(0, 50, "a"), (46, 200, "b")]);
        assert_eq!(before(&mut versions, 50).as_deref(), Some("a"));
        assert_eq!(before(&mut versions, 51).as_deref(), Some(""));
    }

    #[test]
    fn a_link_that_led_elsewhere_meanwhile_leaves_a_gap() {
        let mut versions = written(&[(0, 5, "a")]);
        let known = versions.known(&key("/k"), &stamp(0), since(20), Moment(30));
        assert!(known.is_some());
        assert_eq!(before(&mut versions, 10), None);
        assert_eq!(before(&mut versions, 25).as_deref(), Some(""));
        let changed = |versions: &mut Versions, at| {
            let changed = Changed::test(at);
            versions.has_changed(Path::new("/k"), changed, None, Moment(25), Moment(40))
        };
        assert!(!changed(&mut versions, 20));
        assert!(changed(&mut versions, 35));
        // Something was made in a folder that had been renamed: its own change is not seen any more.
        look(&mut versions, 0, 50);
        assert_eq!(versions.all.len(), 2);
    }

    #[test]
    fn what_was_not_there_is_a_version_too() {
        let mut versions = Versions::default();
        versions.gone(key("/k"), since(0), Moment(10));
        versions.gone(key("/k"), since(0), Moment(20));
        learn(&mut versions, 30, 40, "a");
        assert_eq!(before(&mut versions, 15).as_deref(), Some("-"));
        assert_eq!(before(&mut versions, 25), None);
        versions.gone(key("/k"), since(50), Moment(60));
        assert_eq!(before(&mut versions, 35).as_deref(), Some("a"));
        assert_eq!(before(&mut versions, 55).as_deref(), Some(""));
    }

    #[test]
    fn what_was_is_forgotten_before_what_is() {
        let mut versions = Versions::default();
        let at = (Moment(0), Moment(0));
        versions.learn(key("/kept"), stamp(1), since(0), config("a"), at);
        for at in 0..2 * MOST as u64 {
            learn(&mut versions, at, at, &at.to_string());
        }
        assert_eq!(versions.all.len(), MOST);
        let kept = versions.known(&key("/kept"), &stamp(1), since(0), Moment(0));
        assert!(kept.is_some());
    }
}
