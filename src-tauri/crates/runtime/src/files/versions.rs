//! Every kubeconfig that was read, in the versions that it was known in.
//!
//! A process that started before a file changed may have read it as it was. So what a file said is kept beside what it
//! says, with the moment at which it was last seen to say so.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::clock::Moment;
use kubeconfig::Config;

use crate::ground::Ground;
use crate::os::files::Stamp;

/// How many versions are kept, of all files together.
const MOST: usize = 64;

/// What was read of all files, the newest last.
#[derive(Debug, Default)]
pub(super) struct Versions(VecDeque<Version>);

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

#[derive(Debug)]
struct Version {
    key: Key,
    stamp: Stamp,
    config: Arc<Config>,
    /// When it was last seen to be so.
    seen: Moment,
    /// When another was seen; none: it still is so.
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
    pub(super) fn known(&mut self, key: &Key, stamp: &Stamp, now: Moment) -> Option<Arc<Config>> {
        let version = self.now(key).filter(|version| version.stamp == *stamp)?;
        version.seen = now;
        Some(Arc::clone(&version.config))
    }

    /// A file was read. What it said before is kept if that was something else.
    pub(super) fn learn(
        &mut self,
        key: Key,
        stamp: Stamp,
        config: Config,
        now: Moment,
    ) -> Arc<Config> {
        if let Some(version) = self.now(&key) {
            if *version.config == config {
                version.stamp = stamp;
                version.seen = now;
                return Arc::clone(&version.config);
            }
            version.until = Some(now);
        }
        let config = Arc::new(config);
        if self.0.len() >= MOST {
            let oldest = self.0.iter().position(|version| version.until.is_some());
            self.0.remove(oldest.unwrap_or(0));
        }
        self.0.push_back(Version {
            key,
            stamp,
            config: Arc::clone(&config),
            seen: now,
            until: None,
        });
        config
    }

    /// A file is not there any more.
    pub(super) fn gone(&mut self, key: &Key, now: Moment) {
        if let Some(version) = self.now(key) {
            version.until = Some(now);
        }
    }

    /// What a file said before, as was seen at some time since a process started: until when, and what.
    pub(super) fn before(&self, key: &Key, since: Moment) -> Vec<(Moment, Arc<Config>)> {
        let all = self.0.iter().filter(|version| version.key == *key);
        all.filter_map(|version| {
            let until = version.until.filter(|_| version.seen >= since)?;
            Some((until, Arc::clone(&version.config)))
        })
        .collect()
    }

    /// Whether a file by this path, which was just seen to be as it was last, said something else at some time since
    /// then, as far as is known.
    pub(super) fn has_changed(&mut self, path: &Path, since: Moment, now: Moment) -> bool {
        let mut changed = false;
        for version in self.0.iter_mut().filter(|version| version.key.path == path) {
            match version.until {
                None => version.seen = now,
                Some(_) => changed |= version.seen >= since,
            }
        }
        changed
    }

    fn now(&mut self, key: &Key) -> Option<&mut Version> {
        let mut all = self.0.iter_mut();
        all.find(|version| version.until.is_none() && version.key == *key)
    }
}

/// What a file said, until when; and what it says now, if it is there.
pub(super) type File = (Vec<(Moment, Arc<Config>)>, Option<Arc<Config>>);

/// The file sets that a process can have read since it started: one for each time that one of its files changed, and
/// what they are now, last. Each file comes with its versions of then, in order, and with what it is now.
pub(super) fn sets(files: &[File]) -> Vec<Vec<Arc<Config>>> {
    let mut times: Vec<Moment> = files
        .iter()
        .flat_map(|(before, _)| before.iter().map(|(until, _)| *until))
        .collect();
    times.sort_unstable();
    times.dedup();
    let until = |time: Option<Moment>| {
        let of = |(before, now): &File| {
            let then = time.and_then(|time| before.iter().find(|(until, _)| *until >= time));
            then.map(|(_, config)| Arc::clone(config)).or(now.clone())
        };
        files.iter().filter_map(of).collect()
    };
    times
        .into_iter()
        .map(Some)
        .chain([None])
        .map(until)
        .collect()
}

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

    #[test]
    fn a_process_may_have_read_what_a_file_was_seen_to_say_since_it_started() {
        let mut versions = Versions::default();
        for (at, current) in [(0, "a"), (10, "b"), (20, "b"), (30, "c")] {
            versions.learn(key("/k"), stamp(at), config(current), Moment(at));
        }
        assert!(versions.known(&key("/k"), &stamp(30), Moment(31)).is_some());
        let was = versions.known(&key("/k"), &stamp(0), Moment(31));
        assert!(was.is_none());
        for (since, expected) in [(0, "ab"), (1, "b"), (20, "b"), (21, "")] {
            let before = versions.before(&key("/k"), Moment(since));
            let before: String = before.iter().map(|(_, config)| says(config)).collect();
            assert_eq!(before, expected, "since {since}");
            let changed = versions.has_changed(Path::new("/k"), Moment(since), Moment(32));
            assert_eq!(changed, !expected.is_empty());
        }
        assert!(versions.before(&key("/other"), Moment(0)).is_empty());
        versions.gone(&key("/k"), Moment(40));
        assert_eq!(
            versions.before(&key("/k"), Moment(32)).len(),
            1,
            "seen at 32"
        );
    }

    #[test]
    fn what_was_is_forgotten_before_what_is() {
        let mut versions = Versions::default();
        versions.learn(key("/kept"), stamp(1), config("a"), Moment(0));
        for at in 0..2 * MOST as u64 {
            versions.learn(key("/k"), stamp(at), config(&at.to_string()), Moment(at));
        }
        assert_eq!(versions.0.len(), MOST);
        assert!(
            versions
                .known(&key("/kept"), &stamp(1), Moment(0))
                .is_some()
        );
    }

    #[test]
    fn a_set_is_what_its_files_were_together() {
        let file = |before: &[(u64, &str)], now: Option<&str>| {
            let before = before
                .iter()
                .map(|(until, current)| (Moment(*until), Arc::new(config(current))));
            (before.collect(), now.map(|now| Arc::new(config(now))))
        };
        let files = [
            file(&[(10, "a"), (30, "b")], Some("c")),
            file(&[(20, "x")], Some("y")),
            file(&[(20, "gone")], None),
        ];
        let sets: Vec<Vec<String>> = sets(&files)
            .iter()
            .map(|set| set.iter().map(|config| says(config).to_owned()).collect())
            .collect();
        let expected = [
            vec!["a", "x", "gone"],
            vec!["b", "x", "gone"],
            vec!["b", "y"],
            vec!["c", "y"],
        ];
        assert_eq!(sets, expected);
    }
}
