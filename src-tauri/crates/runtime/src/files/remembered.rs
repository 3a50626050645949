//! Questions that were asked before, understood: what they ask for holds as long as the files behind it stay as
//! they were.
//!
//! An answer follows from what the asker is and says, and from the files that were read for it. So it is
//! kept with both, and given again only where all of that is the same; looking costs a few system calls,
//! none of which waits, so that it is done in the loop's own thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::asker::Place;
use broker::clock::Wall;
use wire::frame::Run;

use super::Wanted;
use crate::asker::{Found, Program};
use crate::os::files::{self as os, Stamp};
use crate::os::processes;
use crate::regular::Unread;
use crate::settled::{self, Lock, Ours};

/// How many answers are kept.
const ANSWERS: usize = 16;
/// A file that was written less than this before it was read could be written again within the same
/// tick of its clock (Git calls that racily clean).
const SETTLED_SECONDS: i64 = 2;

/// The answers given last, shared by its clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered(Arc<Mutex<VecDeque<Answer>>>);

#[derive(Debug)]
struct Answer {
    question: Question,
    read: Vec<(PathBuf, Option<Stamp>)>,
    wanted: Wanted,
}

/// All that an answer follows from, but for the files.
#[derive(Debug)]
pub(super) struct Question {
    program: Arc<Program>,
    kubectl: bool,
    container: bool,
    started: Option<u64>,
    folder: Option<PathBuf>,
    run: Run,
}

/// What was read for an answer.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    read: RefCell<Vec<(PathBuf, Option<Stamp>)>>,
    unsure: Cell<bool>,
}

impl Question {
    pub(super) fn of(found: &Found, run: &Run) -> Self {
        Self {
            program: Arc::clone(&found.program),
            kubectl: found.kubectl,
            container: found.asker.place == Place::Container,
            started: found.asker.process.map(|process| process.started),
            folder: found.folder.clone(),
            run: run.clone(),
        }
    }

    /// Whether this is asked again, by the same process or by another that was started the same way.
    fn is(&self, found: &Found, run: &Run) -> bool {
        let same_program = Arc::ptr_eq(&self.program, &found.program)
            || (self.program.arguments == found.program.arguments
                && self.program.environment == found.program.environment);
        same_program
            && self.kubectl == found.kubectl
            && self.container == (found.asker.place == Place::Container)
            && self.folder == found.folder
            && self.run.program == run.program
            && self.run.args == run.args
            && self.run.exec_info == run.exec_info
            && self.run.cwd == run.cwd
    }
}

impl Remembered {
    /// The answer, if this was asked before and nothing that was read for it has changed.
    pub(super) fn answer(&self, found: &Found, run: &Run) -> Option<Wanted> {
        let answers = self.answers();
        let answer = answers
            .iter()
            .rev()
            .find(|answer| answer.question.is(found, run))?;
        let unchanged = |(path, then): &(PathBuf, Option<Stamp>)| os::state(path) == Some(*then);
        if !answer.read.iter().all(unchanged) {
            return None;
        }
        // For kubectl it matters whether a file was written since it started.
        let started = found.asker.process.map(|process| process.started);
        let as_old = started == answer.question.started
            || !found.kubectl
            || (older(answer.question.started, &answer.read) && older(started, &answer.read));
        as_old.then(|| answer.wanted.clone())
    }

    /// Keeps an answer, if it can be told later whether it still holds.
    pub(super) fn keep(&self, question: Question, ledger: Ledger, wanted: &Wanted, now: Wall) {
        let read = ledger.read.into_inner();
        let settled = |stamp: &Option<Stamp>| {
            stamp.is_none_or(|stamp| stamp.changed.0 + SETTLED_SECONDS <= now.seconds())
        };
        let sure = read
            .iter()
            .all(|(path, stamp)| settled(stamp) && os::local(path));
        if ledger.unsure.get() || !sure {
            return;
        }
        let mut answers = self.answers();
        answers.retain(|answer| {
            let Question {
                program,
                run,
                folder,
                ..
            } = &answer.question;
            !(Arc::ptr_eq(program, &question.program)
                && *run == question.run
                && *folder == question.folder)
        });
        if answers.len() >= ANSWERS {
            answers.pop_front();
        }
        answers.push_back(Answer {
            question,
            read,
            wanted: wanted.clone(),
        });
    }

    fn answers(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Notes a file's state, or that it is missing.
    pub(super) fn note(&self, path: &Path, found: Result<Stamp, &Unread>) {
        let seen = match found {
            Ok(stamp) => Some(stamp),
            Err(Unread::Missing) => None,
            // What a disk could not read now it can read later.
            Err(
                Unread::NotRegular
                | Unread::TooLong
                | Unread::Malformed(_)
                | Unread::Unsettled
                | Unread::Io(_),
            ) => {
                self.unsure.set(true);
                None
            }
        };
        self.read.borrow_mut().push((path.to_owned(), seen));
    }

    /// Reads a regular file that has settled, with a bound, and notes it.
    pub(super) fn read(
        &self,
        path: &Path,
        most: u64,
        ours: &Ours,
    ) -> Result<(Vec<u8>, Stamp), Unread> {
        let found = settled::read(path, most, Lock::Theirs, ours);
        self.note(path, found.as_ref().map(|(_, stamp)| *stamp));
        found
    }

    /// The same of a file that we don't write.
    pub(super) fn bytes(&self, path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
        self.read(path, most, &Ours::default())
            .map(|(bytes, _)| bytes)
    }
}

/// Whether all that was read was written before a process started.
fn older(started: Option<u64>, read: &[(PathBuf, Option<Stamp>)]) -> bool {
    let started = started
        .and_then(processes::start_time)
        .and_then(|started| started.duration_since(std::time::UNIX_EPOCH).ok());
    let Some(started) = started else { return false };
    let started = i64::try_from(started.as_secs()).unwrap_or(0);
    // A second that has begun counts as one that has not: rather read again than be wrong.
    read.iter()
        .all(|(_, stamp)| stamp.is_none_or(|stamp| stamp.modified.0 < started))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use broker::command::Which;
    use broker::credential::ExecVersion;
    use broker::event::Servers;

    use crate::asker::Programs;

    const LATER: i64 = 10_000;

    /// A file and a missing one, read for an answer to whoever started this test.
    struct Asked {
        folder: tempfile::TempDir,
        found: Found,
        run: Run,
        remembered: Remembered,
    }

    fn asked(later: i64) -> Asked {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config"), "one").unwrap();
        let run = Run {
            args: vec![b"get-token".to_vec()],
            exec_info: Some(b"{}".to_vec()),
            ..Run::default()
        };
        let found = Programs::default().find(Some(std::process::id()), &run);
        let remembered = Remembered::default();
        let ledger = Ledger::default();
        ledger.bytes(&folder.path().join("config"), 10).unwrap();
        ledger
            .bytes(&folder.path().join("missing"), 10)
            .unwrap_err();
        let now = Wall(crate::clock::wall().0 + later);
        remembered.keep(Question::of(&found, &run), ledger, &wanted(), now);
        Asked {
            folder,
            found,
            run,
            remembered,
        }
    }

    fn wanted() -> Wanted {
        Wanted {
            account: Which::Named("work".to_owned()),
            version: ExecVersion::V1,
            servers: Arc::new(Servers {
                needed: Vec::new(),
                others: Vec::new(),
                file: Some("config".to_owned()),
            }),
        }
    }

    impl Asked {
        fn answer(&self) -> Option<Wanted> {
            self.remembered.answer(&self.found, &self.run)
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer() {
        let asked = asked(LATER);
        assert_eq!(asked.answer(), Some(wanted()));
    }

    #[test]
    fn no_file_is_as_it_was_once_it_is_written_removed_or_there() {
        let changes: [fn(&Path); 4] = [
            |folder| std::fs::write(folder.join("config"), "two").unwrap(),
            |folder| std::fs::remove_file(folder.join("config")).unwrap(),
            |folder| std::fs::write(folder.join("missing"), "").unwrap(),
            |folder| std::os::unix::fs::symlink("config", folder.join("missing")).unwrap(),
        ];
        for change in changes {
            let asked = asked(LATER);
            change(asked.folder.path());
            assert_eq!(asked.answer(), None);
        }
    }

    #[test]
    fn a_file_that_was_written_just_now_is_read_again() {
        assert_eq!(asked(0).answer(), None);
    }

    #[test]
    fn another_asker_or_another_question_has_none() {
        let changes: [fn(&mut Asked); 6] = [
            |asked| asked.run.args.push(b"-v".to_vec()),
            |asked| asked.run.exec_info = None,
            |asked| asked.run.cwd = b"/elsewhere".to_vec(),
            |asked| asked.found.folder = Some("/elsewhere".into()),
            |asked| asked.found.program = Arc::default(),
            |asked| asked.found.asker.place = Place::Container,
        ];
        for change in changes {
            let mut asked = asked(LATER);
            change(&mut asked);
            assert_eq!(asked.answer(), None);
        }
    }

    #[test]
    fn a_kubectl_that_started_before_a_file_was_written_has_read_another() {
        let mut asked = asked(LATER);
        asked.found.asker.process.as_mut().unwrap().started += 1;
        assert_eq!(asked.answer(), Some(wanted()), "for others it is all one");
        let ledger = Ledger::default();
        ledger
            .bytes(&asked.folder.path().join("config"), 10)
            .unwrap();
        asked.found.kubectl = true;
        let question = Question::of(&asked.found, &asked.run);
        let now = Wall(crate::clock::wall().0 + LATER);
        asked.remembered.keep(question, ledger, &wanted(), now);
        assert_eq!(asked.answer(), Some(wanted()));
        asked.found.asker.process.as_mut().unwrap().started += 1;
        assert_eq!(asked.answer(), None);
    }
}
