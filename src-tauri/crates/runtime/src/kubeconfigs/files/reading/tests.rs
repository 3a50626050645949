//! What holds of a file's versions in made-up worlds: of the walk's ([`crate::askers::way::tests`]), in which time goes by.
//!
//! Processes start and read their files; everybody goes on; files are looked at, watched, and asked for, at any moment,
//! and anything can happen in the middle of a look. What a process read must be among what it is taken to need, or be in
//! doubt. Where only this person does anything, and carefully, nothing is in doubt.
//!
//! Not in these worlds: what [`super::super::versions`] says that it does not know.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;

use broker::asker::Place;
use broker::clock::Wall;
use broker::event::{Candidate, Servers};
use broker::trust::Server;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::super::needs::Needs;
use super::super::remembered::state;
use super::super::sets::{self, File};
use super::*;
use crate::askers::asker::place;
use crate::askers::way::tests::model::{FOLDER, Lie, Model, ROOT};
use crate::askers::way::tests::{self as worlds, Actor, Deed, Mode, Names, Seen, runner};
use crate::askers::way::{self, Doubt, End};

/// The wall's clock at the running clock's beginning.
const EPOCH: i64 = 0;
/// By how much a file's clock is behind.
const FILE_TICK: u64 = 4;
/// How long after it started a process reads its files, which takes no longer.
const LOADED: u64 = 30;
/// Within how much a change is told of.
const TOLD: u64 = 9;
/// As [`crate::kubeconfigs::settled`] has it.
const QUIET: u64 = 100;
/// As [`super::super::remembered`] has it.
const SETTLED: u64 = 2000;

/// What a mutant would not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Keep what a file said before.
    Before,
    /// Doubt what nobody saw when a process started.
    Unseen,
    /// Tell one root's file from another's of the same name.
    Root,
    /// Remember what a process needed.
    Needs,
    /// Count what a watch says only until it was first told of something.
    Told,
    /// Look again after a file was read.
    LookAgain,
    /// Count what has changed since a process started, where an answer is given again.
    Changed,
    /// Take a process to have started when it did, and not when it asks.
    Start,
    /// Tell who is in a mount namespace of its own.
    Namespace,
    /// Count a watch that says nothing.
    Silence,
    /// Doubt what a file without versions said, where it has changed since a process started.
    AsFound,
}

#[derive(Clone, Debug)]
enum Step {
    Deed(Actor, Deed),
    /// Somebody else asks for the same files.
    Look(Vec<Deed>),
    /// The watch tells of what happened, or that nothing did, and the files are looked at.
    Watch,
    /// A process starts and reads its files; meanwhile this is done, and told of at once.
    Start(Start, Vec<(u64, Actor, Deed)>),
    /// A process asks. In the middle of the looks that this takes, things happen.
    Ask(usize, Vec<(u8, Actor, Deed)>),
    /// Another resident takes over, which knows nothing.
    Restart,
}

#[derive(Clone, Debug)]
struct Start {
    /// A folder that is its root.
    root: Option<Names>,
    /// Whether it stands in its root, and not where everybody stands.
    at_root: bool,
    /// A namespace of its own, in which something is mounted over something.
    mounted: Option<(Names, Names)>,
}

/// Where everybody stands.
const HERE: Start = Start {
    root: None,
    at_root: false,
    mounted: None,
};

#[derive(Clone, Debug)]
struct Story {
    /// The files that every process has, in order.
    paths: Vec<PathBuf>,
    steps: Vec<(u64, Step)>,
}

#[derive(Clone, Debug)]
struct Process {
    id: ProcessId,
    stands: (usize, usize),
    is_with_us: bool,
    /// When it is taken to have started.
    start: u64,
    /// What each file said; none: it was not there.
    read: Vec<Option<u64>>,
    /// It could not read its files, and does not ask.
    gave_up: bool,
}

/// A machine on which a story happens.
struct Machine {
    model: RefCell<Model>,
    now: Cell<u64>,
    versions: Mutex<Versions>,
    starts: Mutex<Starts>,
    /// What was taken to be what a process found, by which whole path.
    counted: Vec<(ProcessId, PathBuf, Option<u64>)>,
    needs: Needs,
    processes: Vec<Process>,
    remembered: Vec<Answer>,
    paths: Vec<PathBuf>,
    /// Since when the watch looks, and when it was first told of something since.
    began: u64,
    told: Cell<Option<u64>>,
    /// What happens before how many more looks.
    midway: RefCell<VecDeque<(u8, Actor, Deed)>>,
    fault: Fault,
}

/// What was concluded, and from which states of files.
struct Answer {
    stands: (usize, usize),
    states: Vec<Option<Stamp>>,
    sets: Vec<String>,
}

/// What a process asks by.
struct Eyes<'machine> {
    machine: &'machine Machine,
    stands: (usize, usize),
    states: RefCell<Vec<Option<Stamp>>>,
    looks: Cell<u32>,
}

impl Sight for Eyes<'_> {
    fn look(&self, path: &Path) -> (Result<Stamp, Unread>, Changed) {
        self.machine.midway();
        self.looks.set(self.looks.get() + 1);
        let model = self.machine.model.borrow();
        let (end, changed) = way::look(&*model, &model.standing(self.stands), path);
        let found = ended(&model, end).map(|at| model.stamp(at));
        if self.machine.fault == Fault::LookAgain && self.looks.get() > 1 {
            // It is as it was before it was read.
            return (found, Changed::default());
        }
        (found, changed)
    }

    fn read(&self, path: &Path) -> Result<(Vec<u8>, Stamp), Unread> {
        self.machine.midway();
        let model = self.machine.model.borrow();
        let (end, _) = way::look(&*model, &model.standing(self.stands), path);
        let found = ended(&model, end);
        self.states
            .borrow_mut()
            .push(found.as_ref().ok().map(|at| model.stamp(*at)));
        let at = found?;
        // What was written just now is not read: it could be written again within the same tick.
        let settled = milliseconds(model.stamp(at).changed) + QUIET;
        self.machine.now.set(self.machine.now.get().max(settled));
        let content = model.content(at).ok_or(Unread::NotRegular)?;
        let text = format!("current-context: '{content}'");
        Ok((text.into_bytes(), model.stamp(at)))
    }

    fn known(&self, _: &Path, stamp: Stamp) {
        self.states.borrow_mut().push(Some(stamp));
    }

    fn now(&self) -> Now {
        self.machine.clocks()
    }
}

fn ended(model: &Model, end: Result<End<usize>, Doubt>) -> Result<usize, Unread> {
    match end {
        Ok(End::There(place)) if model.content(place.handle).is_some() => Ok(place.handle),
        Ok(End::There(_)) => Err(Unread::NotRegular),
        Ok(End::Missing) => Err(Unread::Missing),
        Err(Doubt::Refused(error)) => Err(Unread::Io(error)),
        Err(Doubt::Foreign(_) | Doubt::Unseen) => Err(Unread::InDoubt(None)),
    }
}

impl Machine {
    fn new(paths: Vec<PathBuf>, fault: Fault) -> Self {
        Self {
            model: RefCell::new(Model::new(Lie::None)),
            now: Cell::new(1000),
            versions: Mutex::default(),
            starts: Mutex::default(),
            counted: Vec::new(),
            needs: Needs::default(),
            processes: Vec::new(),
            remembered: Vec::new(),
            paths,
            began: 1000,
            told: Cell::new(None),
            midway: RefCell::default(),
            fault,
        }
    }

    fn clocks(&self) -> Now {
        let now = self.now.get();
        Now {
            wall: Wall(EPOCH + now.cast_signed()),
            moment: Moment(now),
        }
    }

    fn pass(&self, by: u64) {
        self.now.set(self.now.get() + by);
    }

    fn deed(&self, actor: Actor, deed: &Deed) {
        let now = self.now.get();
        let mut model = self.model.borrow_mut();
        model.set_clock(now - now % FILE_TICK);
        worlds::World::attempt(&mut *model, actor, deed);
        self.told.set(self.told.get().or(Some(now + TOLD)));
    }

    /// What happens before this look.
    fn midway(&self) {
        let mut all = self.midway.borrow_mut();
        self.pass(1);
        while let Some((before, _, _)) = all.front_mut() {
            if *before > 0 {
                *before -= 1;
                return;
            }
            if let Some((_, actor, deed)) = all.pop_front() {
                self.deed(actor, &deed);
            }
        }
    }

    fn key(&self, stands: (usize, usize), path: &Path) -> Key {
        let model = self.model.borrow();
        let folder = model.called(stands).unwrap_or_default();
        let root = if self.fault == Fault::Root {
            ROOT
        } else {
            stands.0
        };
        Key {
            root: (1, root as u64),
            path: folder.join(path),
            named: path.to_owned(),
        }
    }

    /// Looks at all files as whoever stands there. None: something is in doubt.
    fn load(&self, eyes: &Eyes<'_>) -> Option<Vec<(Key, Option<Arc<Config>>)>> {
        let mut files = Vec::new();
        for path in &self.paths {
            let key = self.key(eyes.stands, path);
            eyes.looks.set(0);
            match load(&self.versions, eyes, &key, path, path) {
                Ok(config) => files.push((key, Some(config))),
                Err(Unread::Missing) => files.push((key, None)),
                Err(_) => return None,
            }
        }
        Some(files)
    }

    fn eyes(&self, stands: (usize, usize)) -> Eyes<'_> {
        Eyes {
            machine: self,
            stands,
            states: RefCell::default(),
            looks: Cell::new(0),
        }
    }

    fn watch(&mut self) {
        self.pass(TOLD + 1);
        let now = self.now.get();
        let told = self.told.take().filter(|_| self.fault != Fault::Told);
        let until = told.unwrap_or(now);
        let paths: Vec<PathBuf> = self
            .paths
            .iter()
            .map(|path| self.key((ROOT, FOLDER), path).path)
            .collect();
        let look = |path: &Path| {
            let model = self.model.borrow();
            let (end, changed) = way::look(&*model, &model.standing((ROOT, ROOT)), path);
            let found = ended(&model, end).map(|at| model.stamp(at));
            let seen = state(found.as_ref().copied())?;
            Some((seen, Since::of(changed, self.clocks())))
        };
        let silence = (Moment(self.began), Moment(until));
        if self.fault != Fault::Silence {
            lock(&self.versions).unchanged_until((1, ROOT as u64), &paths, silence, look);
        }
        self.began = now;
        drop(self.load(&self.eyes((ROOT, FOLDER))));
    }

    fn start(&mut self, start: &Start, midway: &[(u64, Actor, Deed)]) {
        let model = self.model.borrow();
        let root = start.root.as_ref().and_then(|root| model.folder(root));
        let mounted = start.mounted.as_ref();
        let mounted =
            mounted.and_then(|(over, instead)| Some((model.at(over)?, model.at(instead)?)));
        drop(model);
        let root = root.unwrap_or(ROOT);
        let stands = (root, if start.at_root { root } else { FOLDER });
        let began = self.now.get();
        for (wait, actor, deed) in midway {
            self.pass(*wait);
            self.deed(*actor, deed);
            self.watch();
        }
        self.now.set(self.now.get().max(began + LOADED));
        let mut model = self.model.borrow_mut();
        model.mount(mounted);
        let all = self.paths.iter();
        let seen: Vec<_> = all.map(|path| model.read_from(stands, path)).collect();
        model.mount(None);
        drop(model);
        let read = |seen: &Seen| match seen {
            Seen::Content(content) => Some(*content),
            Seen::Missing | Seen::Nothing | Seen::Doubt => None,
        };
        self.processes.push(Process {
            id: ProcessId {
                pid: u32::try_from(self.processes.len()).unwrap(),
                started: 1,
            },
            stands,
            is_with_us: start.mounted.is_none(),
            // As the system tells it: in the tick, and the next.
            start: began + began % 13,
            read: seen.iter().map(read).collect(),
            gave_up: seen.contains(&Seen::Nothing),
        });
    }

    fn are_unread(&self) -> bool {
        let model = self.model.borrow();
        let mut all = self
            .paths
            .iter()
            .map(|path| model.read_from((ROOT, FOLDER), path));
        all.any(|seen| seen == Seen::Nothing)
    }

    /// What a process is taken to need, as one text for each set of files; none: in doubt.
    fn ask(&mut self, index: usize) -> Option<Vec<String>> {
        let process = self.processes[index].clone();
        let shim = process.id.pid + 1;
        let is_with_us = |_| process.is_with_us || self.fault == Fault::Namespace;
        match place(Some(shim), Some((process.id.pid, false)), is_with_us) {
            Place::Container => return None,
            Place::Here | Place::Ssh => {}
        }
        let sets = match self.again(&process) {
            Some(sets) => sets,
            None => self.concluded(&process)?,
        };
        if self.fault == Fault::Needs {
            return Some(sets);
        }
        let servers = Arc::new(Servers {
            needed: sets.iter().map(|set| candidate(set)).collect(),
            others: Vec::new(),
            claims: Vec::new(),
        });
        let servers = self.needs.with_earlier(process.id, servers, |_| true);
        Some(servers.needed.iter().map(said).collect())
    }

    fn started(&self, process: &Process) -> Moment {
        let asks_at_once = self.fault == Fault::Start;
        Moment(if asks_at_once {
            self.now.get()
        } else {
            process.start
        })
    }

    /// What was concluded before, if nothing has changed.
    fn again(&self, process: &Process) -> Option<Vec<String>> {
        let now = self.now.get();
        let answer = self
            .remembered
            .iter()
            .rev()
            .find(|answer| answer.stands == process.stands)?;
        let eyes = self.eyes(process.stands);
        for (path, then) in self.paths.iter().zip(&answer.states) {
            let (found, changed) = eyes.look(path);
            if state(found.as_ref().copied()) != Some(*then) {
                return None;
            }
            let whole = self.key(process.stands, path).path;
            let has_changed = lock(&self.versions).has_changed(
                &whole,
                changed,
                Some(process.id),
                self.started(process),
                Moment(now),
            );
            if has_changed && self.fault != Fault::Changed {
                return None;
            }
        }
        Some(answer.sets.clone())
    }

    fn concluded(&mut self, process: &Process) -> Option<Vec<String>> {
        let eyes = self.eyes(process.stands);
        let start = self.started(process);
        let mut files: Vec<File> = Vec::new();
        for (key, now) in self.load(&eyes)? {
            let mut versions = lock(&self.versions);
            let before = match versions.since(&key, Some(process.id), start, |_| true) {
                Some(_) if self.fault == Fault::Before => Vec::new(),
                Some(before) => before,
                None if self.fault == Fault::Unseen => Vec::new(),
                None => return None,
            };
            files.push((before, now));
        }
        let sets = sets::sets(&files);
        let sets: Vec<String> = sets.iter().map(|set| text(set)).collect();
        let states = eyes.states.into_inner();
        let now = self.now.get();
        let settled = |state: &Option<Stamp>| {
            state.is_none_or(|state| milliseconds(state.changed) + SETTLED <= now)
        };
        if states.len() == self.paths.len() && states.iter().all(settled) {
            self.remembered.push(Answer {
                stands: process.stands,
                states,
                sets: sets.clone(),
            });
        }
        Some(sets)
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Deed(actor, deed) => self.deed(*actor, deed),
            Step::Look(midway) => {
                let midway = midway.iter().map(|deed| (1, Actor::Person, deed.clone()));
                self.midway.replace(midway.collect());
                drop(self.load(&self.eyes((ROOT, FOLDER))));
            }
            Step::Watch => self.watch(),
            Step::Start(start, midway) => self.start(start, midway),
            Step::Ask(index, midway) => {
                if self.processes.is_empty() {
                    return Ok(());
                }
                let index = index % self.processes.len();
                self.midway.replace(midway.iter().cloned().collect());
                self.asked(index)?;
                self.midway.replace(midway.iter().cloned().collect());
                self.asked_of_words(index)?;
            }
            Step::Restart => {
                self.versions = Mutex::default();
                self.starts = Mutex::default();
                self.counted.clear();
                self.needs = Needs::default();
                self.remembered.clear();
                (self.began, self.told) = (self.now.get(), Cell::new(None));
            }
        }
        self.midway.replace(VecDeque::new());
        Ok(())
    }

    /// The rule: what a process read is among what it is taken to need.
    fn asked(&mut self, index: usize) -> Result<(), TestCaseError> {
        let process = self.processes[index].clone();
        let Some(needed) = self.ask(index) else {
            return Ok(());
        };
        if process.gave_up || self.model.borrow().is_excused() {
            return Ok(());
        }
        let read: Vec<String> = process
            .read
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        let read = read.join(" ");
        prop_assert!(needed.contains(&read), "needs {needed:?}, read {read:?}");
        Ok(())
    }
}

impl Machine {
    /// The same of files that have no versions: the paths are words of a process, or authorities. What it found there was
    /// counted, now or before, or is in doubt.
    fn asked_of_words(&mut self, index: usize) -> Result<(), TestCaseError> {
        let process = self.processes[index].clone();
        if !process.is_with_us {
            return Ok(());
        }
        for (at, path) in self.paths.clone().iter().enumerate() {
            let eyes = self.eyes(process.stands);
            let said = match eyes.read(path) {
                Ok((text, _)) => Some(number(&text)),
                Err(Unread::Missing) => None,
                Err(_) => continue,
            };
            let key = self.key(process.stands, path);
            let by = (Some(process.id), self.started(&process));
            let place = (key.root, &**path, &*key.path);
            if !is_as_found(&self.starts, &eyes, place, by, false, |_| true)
                && self.fault != Fault::AsFound
            {
                continue;
            }
            // One file by two names is one.
            self.counted.push((process.id, key.path.clone(), said));
            if process.gave_up || self.model.borrow().is_excused() {
                continue;
            }
            let found = (process.id, key.path.clone(), process.read[at]);
            prop_assert!(self.counted.contains(&found), "{said:?}, found {found:?}");
        }
        Ok(())
    }
}

/// What a file says that a process reads.
fn number(text: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn text(set: &[Arc<Config>]) -> String {
    let said = set
        .iter()
        .map(|config| config.current_context.clone().unwrap());
    said.collect::<Vec<_>>().join(" ")
}

fn candidate(set: &str) -> Candidate {
    Candidate {
        server: Server::Unknown(set.to_owned()),
        contexts: Vec::new(),
        file: None,
    }
}

fn said(candidate: &Candidate) -> String {
    match &candidate.server {
        Server::Unknown(set) => set.clone(),
        Server::Known(_) => String::new(),
    }
}

fn milliseconds((seconds, nanoseconds): (i64, i64)) -> u64 {
    (seconds * 1000 + nanoseconds / 1_000_000).cast_unsigned()
}

fn wait() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..15u64,
        2 => 15..300u64,
        1 => Just(5000u64),
    ]
}

/// Mostly where the files are, which are two.
fn deed() -> BoxedStrategy<Deed> {
    (worlds::deed(), prop::option::weighted(0.7, 2..4u8))
        .prop_map(|(deed, file)| match file {
            Some(file) => worlds::at(deed, vec![0, file]),
            None => deed,
        })
        .boxed()
}

fn step() -> BoxedStrategy<Step> {
    let root = prop::option::weighted(0.2, worlds::names());
    let mounted = prop::option::weighted(0.1, (worlds::names(), worlds::names()));
    let start = (root, any::<bool>(), mounted).prop_map(|(root, at_root, mounted)| Start {
        root,
        at_root,
        mounted,
    });
    let midway = || prop::collection::vec((0..4u8, worlds::actor(), deed()), 0..3);
    prop_oneof![
        6 => (worlds::actor(), deed()).prop_map(|(actor, deed)| Step::Deed(actor, deed)),
        2 => prop::collection::vec(deed(), 0..2).prop_map(Step::Look),
        3 => Just(Step::Watch),
        3 => (start, prop::collection::vec((0..15u64, worlds::actor(), deed()), 0..2))
            .prop_map(|(start, midway)| Step::Start(start, midway)),
        5 => (0..8usize, midway())
            .prop_map(|(index, midway)| Step::Ask(index, midway)),
        1 => Just(Step::Restart),
    ]
    .boxed()
}

fn paths() -> impl Strategy<Value = Vec<PathBuf>> {
    let path = prop_oneof![
        3 => Just(PathBuf::from("/0/2")),
        2 => Just(PathBuf::from("3")),
        1 => worlds::path(),
    ];
    prop::collection::vec(path, 1..3)
}

fn story() -> impl Strategy<Value = Story> {
    let steps = prop::collection::vec((wait(), step()), 1..20);
    (paths(), steps).prop_map(|(paths, steps)| Story { paths, steps })
}

fn happens(story: &Story, fault: Fault) -> Result<(), TestCaseError> {
    let mut machine = Machine::new(story.paths.clone(), fault);
    for (wait, step) in &story.steps {
        machine.pass(*wait);
        machine.step(step)?;
    }
    Ok(())
}

#[test]
fn what_a_process_read_is_among_what_it_needs() {
    let result = runner(worlds::worlds()).run(&story(), |story| happens(&story, Fault::None));
    result.unwrap();
}

/// A folder that is made on a way that leaves it again holds nothing.
#[test]
fn a_folder_that_was_left_again_may_not_have_been_there() {
    let steps = [
        Step::Start(HERE, Vec::new()),
        Step::Deed(Actor::Person, Deed::MakeFolder(vec![0, 1], Mode::Nobody)),
        Step::Ask(0, Vec::new()),
    ];
    let story = Story {
        paths: vec![PathBuf::from("1/../2")],
        steps: steps.map(|step| (0, step)).to_vec(),
    };
    happens(&story, Fault::None).unwrap();
}

/// What only a file that is read anew and a watch tell of.
fn quiet_step() -> impl Strategy<Value = Step> {
    let deed = || deed().prop_map(|deed| worlds::carefully(deed, false));
    // What is changed in the very moment in which a process starts is told of too late.
    let meanwhile = (27..45u64, Just(Actor::Person), deed());
    prop_oneof![
        6 => deed().prop_map(|deed| Step::Deed(Actor::Person, deed)),
        2 => Just(Step::Look(Vec::new())),
        3 => prop::collection::vec(meanwhile, 0..2).prop_map(|midway| {
            Step::Start(HERE, midway)
        }),
        5 => (0..8usize).prop_map(|index| Step::Ask(index, Vec::new())),
    ]
}

/// The rule: nothing is in doubt.
fn is_quiet(paths: Vec<PathBuf>, steps: &[(u64, Step)], fault: Fault) -> Result<(), TestCaseError> {
    let mut machine = Machine::new(paths, fault);
    machine.deed(Actor::Root, &Deed::Protect(vec![1], Mode::Nobody));
    machine.watch();
    for (wait, step) in steps {
        machine.pass(*wait);
        if let Step::Ask(index, _) = step {
            if !machine.processes.is_empty() {
                let index = index % machine.processes.len();
                let needed = machine.ask(index);
                prop_assert!(needed.is_some(), "asked");
            }
            continue;
        }
        machine.step(step)?;
        if let Step::Deed(..) = step {
            machine.watch();
        }
        // A folder, a link to itself: kubectl can't read that either.
        if machine.are_unread() {
            return Ok(());
        }
    }
    Ok(())
}

/// Where nobody else does anything and all is told, nothing that this person does is ever in doubt.
#[test]
fn a_careful_person_who_is_watched_is_not_asked() {
    let path = prop_oneof![Just(PathBuf::from("/0/2")), Just(PathBuf::from("3"))];
    let paths = prop::collection::vec(path, 1..3);
    let steps = prop::collection::vec((wait(), quiet_step()), 1..20);
    let result = runner(worlds::worlds() / 2).run(&(paths, steps), |(paths, steps)| {
        is_quiet(paths, &steps, Fault::None)
    });
    result.unwrap();
}

/// Each rule is there for a reason: without it, this happens.
#[test]
fn a_mutant_is_found_out() {
    use Actor::Person;
    let file = || vec![0, 2];
    let deed = |deed| (0, Step::Deed(Person, deed));
    let start = || (0, Step::Start(HERE, Vec::new()));
    let midway = |deed| (0, Step::Start(HERE, vec![(3, Person, deed)]));
    let ask = || (0, Step::Ask(0, Vec::new()));
    let ask_while = |before, deed| (0, Step::Ask(0, vec![(before, Person, deed)]));
    let make = |at| Deed::MakeFile(at, Mode::Nobody);
    let in_its_own_root = Start {
        root: Some(vec![0, 0]),
        ..HERE
    };
    let in_its_own_namespace = Start {
        mounted: Some((file(), vec![0, 3])),
        ..HERE
    };
    let often = (0..70).flat_map(|_| [deed(Deed::Write(file())), (0, Step::Watch)]);
    for (fault, steps) in [
        (
            Fault::Before,
            vec![start(), (0, Step::Watch), deed(Deed::Write(file())), ask()],
        ),
        (
            Fault::Unseen,
            vec![start(), deed(Deed::Write(file())), ask()],
        ),
        (
            Fault::Root,
            vec![
                deed(Deed::MakeFolder(vec![0, 0], Mode::Nobody)),
                deed(Deed::MakeFolder(vec![0, 0, 0], Mode::Nobody)),
                deed(make(vec![0, 0, 0, 2])),
                (0, Step::Start(in_its_own_root, Vec::new())),
                (0, Step::Watch),
                deed(Deed::Write(vec![0, 0, 0, 2])),
                ask(),
            ],
        ),
        (
            Fault::Needs,
            [start(), ask()]
                .into_iter()
                .chain(often)
                .chain([ask()])
                .collect(),
        ),
        (
            Fault::Told,
            vec![
                (0, Step::Look(Vec::new())),
                deed(Deed::Remove(file())),
                start(),
                midway(make(file())),
                ask(),
            ],
        ),
        (
            Fault::LookAgain,
            vec![start(), ask_while(1, Deed::Write(file()))],
        ),
        (
            Fault::Changed,
            vec![
                start(),
                (0, Step::Restart),
                midway(Deed::Remove(file())),
                (0, Step::Ask(1, Vec::new())),
                ask(),
            ],
        ),
        (
            Fault::Start,
            vec![start(), ask_while(0, Deed::Write(file()))],
        ),
        (
            Fault::AsFound,
            vec![start(), deed(Deed::Remove(file())), ask()],
        ),
        (
            Fault::Namespace,
            vec![(0, Step::Start(in_its_own_namespace, Vec::new())), ask()],
        ),
    ] {
        let story = Story {
            paths: vec![PathBuf::from("/0/2")],
            steps,
        };
        let honest = happens(&story, Fault::None);
        assert!(honest.is_ok(), "{fault:?}: {honest:?}");
        let faulty = happens(&story, fault);
        assert!(faulty.is_err(), "{fault:?} is not found out");
    }
}

/// And without this, a person is asked.
#[test]
fn a_mutant_that_asks_is_found_out() {
    let steps = [
        (500, Step::Start(HERE, Vec::new())),
        (500, Step::Deed(Actor::Person, Deed::Write(vec![0, 2]))),
        (0, Step::Ask(0, Vec::new())),
    ];
    let asked = |fault| is_quiet(vec![PathBuf::from("/0/2")], &steps, fault).is_err();
    assert!(!asked(Fault::None));
    assert!(asked(Fault::Silence));
}
