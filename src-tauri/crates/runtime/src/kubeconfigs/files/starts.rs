//! What is known of files without versions: that they are as they were when a process started.
//!
//! A word that leads to no kubeconfig now, a certificate authority, preferences: what the process read of them is what is
//! there, if nothing has changed since it started. Once that is known it is known until the process ends: what was there has
//! been counted then, and it has read its files.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher as _;
use std::path::Path;

use broker::asker::ProcessId;
use broker::clock::Moment;

use super::lifetime::make_room;
use super::versions::Since;

/// Of how many processes is remembered what is known.
const MOST: usize = 256;
/// Of how many files each.
const MOST_FILES: usize = 4096;

/// Processes, the newest last, and the files that they found as they are known to have been.
#[derive(Debug, Default)]
pub(super) struct Starts {
    all: VecDeque<(ProcessId, HashSet<u64>)>,
    digest: RandomState,
}

impl Starts {
    /// Whether it is known what a process found by a whole path below a root, which has been since then as it was just
    /// looked at; once known, that is remembered. `lives` tells whether a process is still there.
    pub(super) fn knows(
        &mut self,
        (root, path): ((u64, u64), &Path),
        since: Since,
        (process, start): (Option<ProcessId>, Moment),
        lives: impl Fn(ProcessId) -> bool,
    ) -> bool {
        let file = self.digest.hash_one((root, path));
        let at = process.and_then(|process| self.all.iter().position(|(of, _)| *of == process));
        let noted = at.and_then(|at| self.all.get_mut(at));
        if noted
            .as_ref()
            .is_some_and(|(_, files)| files.contains(&file))
        {
            return true;
        }
        if since.changed.at().is_none() || since.at > start {
            return false;
        }
        match (process, noted) {
            (_, Some((_, files))) => {
                if files.len() < MOST_FILES {
                    files.insert(file);
                }
            }
            (Some(process), None) => {
                make_room(&mut self.all, (MOST, MOST), lives);
                self.all.push_back((process, HashSet::from([file])));
            }
            (None, None) => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::askers::way::Changed;

    fn since(at: u64) -> Since {
        Since {
            changed: Changed::test(at),
            at: Moment(at),
        }
    }

    #[test]
    fn what_has_not_changed_since_a_process_started_is_what_it_found_and_stays_so() {
        let mut starts = Starts::default();
        let mut knows = |pid, root, path: &str, changed, start| {
            let process = Some(ProcessId { pid, started: 1 });
            let at = ((root, 1), Path::new(path));
            starts.knows(at, since(changed), (process, Moment(start)), |_| true)
        };
        assert!(knows(1, 1, "/a", 5, 5));
        assert!(knows(1, 1, "/a", 9, 5), "it has read it");
        for (pid, root, path) in [(1, 1, "/b"), (1, 2, "/a"), (2, 1, "/a")] {
            assert!(!knows(pid, root, path, 9, 5), "{pid} {root} {path}");
        }
        let nobody = (None, Moment(5));
        assert!(starts.knows(((1, 1), Path::new("/a")), since(5), nobody, |_| true));
        assert!(!starts.knows(((1, 1), Path::new("/a")), since(6), nobody, |_| true));
        let unknown = Since {
            changed: Changed::UNKNOWN,
            at: Moment(1),
        };
        assert!(!starts.knows(((1, 1), Path::new("/a")), unknown, nobody, |_| true));
    }

    #[test]
    fn those_that_have_ended_make_room() {
        let mut starts = Starts::default();
        for pid in 0..2 * MOST as u32 {
            let process = Some(ProcessId { pid, started: 1 });
            let at = ((1, 1), Path::new("/a"));
            starts.knows(at, since(5), (process, Moment(5)), |process| {
                process.pid == 0
            });
        }
        assert!(starts.all.len() <= MOST);
        assert!(starts.all.iter().any(|(process, _)| process.pid == 0));
    }
}
