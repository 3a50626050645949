//! Questions that were asked before, understood: what they ask for holds as long as the files behind it stay as
//! they were.
//!
//! An answer follows from what the asker is and says, and from the files that were read for it. So it is
//! kept with both, and given again only where all of that is the same; looking costs a few system calls,
//! none of which waits, so that it is done in the loop's own thread.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::asker::Place;
use broker::clock::Wall;
use wire::frame::Run;

use super::authority::CA_BYTES;
use super::wanted::Wanted;
use crate::askers::asker::{Found, Program};
use crate::askers::ground::{self, Ground};
use crate::askers::way::Changed;
use crate::kubeconfigs::settled::{self, Ours};
use crate::os::files::regular::Unread;
use crate::os::files::{self as os, Stamp};

/// How many bytes of certificate authorities the servers of one question may have, all together: a short file can name a
/// long one a thousand times.
const AUTHORITIES: u64 = 16 * 1024 * 1024;
/// With how many of them an answer is kept.
const KEPT: u64 = 4 * 1024 * 1024;
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
    ground: ground::Identity,
    folder: Option<PathBuf>,
    run: Run,
}

/// What was read for an answer.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    read: RefCell<Vec<(PathBuf, Option<Stamp>)>>,
    unsure: Cell<bool>,
    kubeconfigs: RefCell<Vec<PathBuf>>,
    authorities: RefCell<BTreeMap<PathBuf, Arc<[u8]>>>,
    /// How much of authorities was given out.
    given: Cell<u64>,
}

impl Question {
    pub(super) fn of(found: &Found, run: Run, ground: &Ground) -> Self {
        Self {
            program: Arc::clone(&found.program),
            kubectl: found.kubectl,
            container: found.asker.place == Place::Container,
            ground: ground.identity(),
            folder: found.folder.clone(),
            run,
        }
    }

    fn whole(&self, path: &Path) -> PathBuf {
        self.folder.as_deref().unwrap_or(Path::new("/")).join(path)
    }

    /// Whether this is asked again, by the same process or by another that was started the same way.
    fn is(&self, found: &Found, run: &Run) -> bool {
        let same_program = Arc::ptr_eq(&self.program, &found.program)
            || (self.program.arguments == found.program.arguments
                && self.program.executable == found.program.executable
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
    /// The answer, if this was asked before and nothing that was read for it has changed: neither since it was read nor,
    /// as `unchanged_since` tells, since the asker started.
    pub(super) fn answer(
        &self,
        found: &Found,
        run: &Run,
        unchanged_since: impl Fn((u64, u64), &Path, Changed) -> bool,
    ) -> Option<Wanted> {
        let answers = self.answers();
        let answer = answers
            .iter()
            .rev()
            .find(|answer| answer.question.is(found, run))?;
        let ground = found.ground().ok()??.without_a_wait();
        if ground.identity() != answer.question.ground {
            return None;
        }
        let unchanged = |(path, then): &(PathBuf, Option<Stamp>)| {
            let (now, changed) = ground.look(path);
            let now = state(now.as_ref().copied());
            let root = ground.identity().0;
            now == Some(*then) && unchanged_since(root, &ground.whole(path), changed)
        };
        let holds = answer.read.iter().all(unchanged);
        holds.then(|| answer.wanted.clone())
    }

    /// Keeps an answer, if it can be told later whether it still holds.
    pub(super) fn keep(&self, question: Question, ledger: Ledger, wanted: &Wanted, now: Wall) {
        let read = ledger.read.into_inner();
        let settled = |stamp: &Option<Stamp>| {
            stamp.is_none_or(|stamp| stamp.changed.0 + SETTLED_SECONDS <= now.seconds())
        };
        let sure = read
            .iter()
            .all(|(path, stamp)| settled(stamp) && os::local(&question.whole(path)));
        if ledger.unsure.get() || !sure || ledger.given.get() > KEPT {
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
    /// What was seen can't be told again: it is looked at anew each time.
    pub(super) fn forget(&self) {
        self.unsure.set(true);
    }

    #[cfg(test)]
    pub(super) fn is_forgotten(&self) -> bool {
        self.unsure.get()
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.read.borrow().len()
    }

    /// Notes a file's state, or that it is missing.
    pub(super) fn note(&self, path: &Path, found: Result<Stamp, &Unread>) {
        let seen = state(found);
        // What a disk could not read now it can read later.
        if seen.is_none() {
            self.unsure.set(true);
        }
        let seen = seen.flatten();
        self.read.borrow_mut().push((path.to_owned(), seen));
    }

    /// Notes the asker's kubeconfigs.
    pub(super) fn had(&self, files: impl Iterator<Item = PathBuf>) {
        self.kubeconfigs.borrow_mut().extend(files);
    }

    /// Those, by their paths.
    pub(super) fn kubeconfigs(&self) -> Arc<[String]> {
        let files = self.kubeconfigs.borrow();
        let paths = files.iter().map(|path| path.display().to_string());
        paths.collect()
    }

    /// Reads a regular file that has settled, with a bound, and notes it.
    pub(super) fn read(
        &self,
        ground: &Ground,
        path: &Path,
        most: u64,
        ours: &Ours,
    ) -> Result<(Vec<u8>, Stamp), Unread> {
        let open = || ground.open(path);
        let locked = || settled::locked(&ground.whole(path));
        let found = settled::read_by(open, locked, most, ours);
        self.note(path, found.as_ref().map(|(_, stamp)| *stamp));
        found
    }

    /// What a certificate authority's file says, which is read once. Each server has a copy of it: of all together there
    /// are [`AUTHORITIES`] at most.
    ///
    /// # Errors
    /// As [`Ledger::bytes`]; `TooLong`, where there would be more.
    pub(super) fn authority(&self, ground: &Ground, path: &Path) -> Result<Vec<u8>, Unread> {
        let known = self.authorities.borrow().get(path).map(Arc::clone);
        let bytes = match known {
            Some(bytes) => bytes,
            None => {
                let bytes: Arc<[u8]> = self.bytes(ground, path, CA_BYTES)?.into();
                let mut authorities = self.authorities.borrow_mut();
                authorities.insert(path.to_owned(), Arc::clone(&bytes));
                bytes
            }
        };
        let given = self.given.get().saturating_add(bytes.len() as u64);
        if given > AUTHORITIES {
            return Err(Unread::TooLong);
        }
        self.given.set(given);
        Ok(bytes.to_vec())
    }

    /// The same of a file that we don't write.
    pub(super) fn bytes(&self, ground: &Ground, path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
        self.read(ground, path, most, &Ours::default())
            .map(|(bytes, _)| bytes)
    }
}

/// A file's state, or that it is missing (`Some(None)`). None: that can't be told for good.
pub(super) fn state(found: Result<Stamp, &Unread>) -> Option<Option<Stamp>> {
    match found {
        Ok(stamp) => Some(Some(stamp)),
        Err(Unread::Missing) => Some(None),
        Err(
            Unread::NotRegular
            | Unread::TooLong
            | Unread::Malformed(_)
            | Unread::Unsettled
            | Unread::InDoubt(_)
            | Unread::Io(_),
        ) => None,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use broker::command::Which;
    use broker::credential::ExecVersion;
    use broker::event::Servers;

    use crate::askers::asker::Programs;

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
        let found = Programs::new(1).find(Some(std::process::id()), &run);
        let remembered = Remembered::default();
        let ledger = Ledger::default();
        let ground = found.ground().unwrap().unwrap();
        ledger
            .bytes(&ground, &folder.path().join("config"), 10)
            .unwrap();
        ledger
            .bytes(&ground, &folder.path().join("missing"), 10)
            .unwrap_err();
        let now = Wall(crate::clock::wall().0 + later);
        let question = Question::of(&found, run.clone(), &ground);
        remembered.keep(question, ledger, &wanted(), now);
        Asked {
            folder,
            found,
            run,
            remembered,
        }
    }

    fn wanted() -> Wanted {
        Wanted {
            files: Arc::new([]),
            account: Which::Named("work".to_owned()),
            is_named: false,
            version: ExecVersion::V1,
            servers: Arc::new(Servers {
                needed: Vec::new(),
                others: Vec::new(),
                claims: Vec::new(),
            }),
        }
    }

    impl Asked {
        fn answer(&self) -> Option<Wanted> {
            self.remembered
                .answer(&self.found, &self.run, |_, _, _| true)
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
    fn whoever_started_before_a_file_changed_may_have_read_another() {
        let asked = asked(LATER);
        let changed = |_, path: &Path, _| path.ends_with("missing");
        let answer = asked.remembered.answer(&asked.found, &asked.run, changed);
        assert_eq!(answer, None);
    }

    #[test]
    fn a_way_in_which_others_have_a_say_is_looked_at_anew() {
        use std::os::unix::fs::PermissionsExt as _;
        let asked = asked(LATER);
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(asked.folder.path(), everybody).unwrap();
        assert_eq!(asked.answer(), None);
    }
}
