//! What holds of a way in whatever world: made-up ones by the hundred thousand, and some on a real disk.
//!
//! A world is three users' doing: this person's (who is careless), another's and root's. Then kubectl reads a file as
//! this person; then the other goes on; then we walk to it. What we take for evidence must be what kubectl read.
//!
//! Not in these worlds, and not promised: a file of this person's that lies where others may take it away, and that
//! the other moves to where this person's kubectl looks for another one.

#[cfg(target_os = "linux")]
mod disk;
pub(crate) mod model;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::*;
use model::{Lie, Model};

/// How many worlds are made up: a share of them where many tests run, all where `KUBEFOB_THOROUGH` is 1.
pub(crate) fn worlds() -> u32 {
    if std::env::var_os("KUBEFOB_THOROUGH").is_some_and(|value| value == "1") {
        100_000
    } else {
        10_000
    }
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    Person,
    Other,
    Root,
}

/// A path of at most three names.
pub(crate) type Names = Vec<u8>;

/// Something that somebody tries; the system may refuse it.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    MakeFolder(Names, Mode),
    MakeFile(Names, Mode),
    MakeLink(Names, Target),
    /// What is there becomes a link.
    Turn(Names, Target),
    /// What is there gets another content.
    Write(Names),
    Remove(Names),
    Rename(Names, Names),
    Name(Names, Names),
    Protect(Names, Mode),
}

/// Where a link leads.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// From the root.
    Whole(Names),
    /// From the folder that it is in.
    Beside(Names),
    Above(Names),
    /// Where whoever follows it stands, as `/proc/self/cwd` does.
    Magic(Names),
}

/// Who else may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Nobody,
    /// A group that the other is in.
    Group,
    Everybody,
    /// Of a folder: but each may take away only what is theirs.
    Sticky,
}

/// What a reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Content(u64),
    Missing,
    /// An error that makes a program give up.
    Nothing,
    /// Another process may have found another file.
    Doubt,
}

/// A world in which deeds are tried.
pub(crate) trait World {
    fn attempt(&mut self, actor: Actor, deed: &Deed);
    /// What this person's kubectl reads, by a path from the root or from the folder that it stands in.
    fn kubectl_reads(&mut self, path: &Path) -> Seen;
    /// What we find by the same path, walked.
    fn walked(&mut self, path: &Path) -> Seen;
}

/// All that happens.
#[derive(Clone, Debug)]
struct Story {
    before: Vec<(Actor, Deed)>,
    path: PathBuf,
    meanwhile: Vec<Deed>,
}

pub(crate) fn names() -> impl Strategy<Value = Names> {
    prop_oneof![
        1 => prop::collection::vec(0..4u8, 1..=3),
        3 => (0..2u8, 0..4u8).prop_map(|(folder, name)| vec![folder, name]),
        1 => (0..2u8, 0..4u8, 0..4u8).prop_map(|(folder, below, name)| vec![folder, below, name]),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        4 => Just(Mode::Nobody),
        1 => Just(Mode::Group),
        2 => Just(Mode::Everybody),
        2 => Just(Mode::Sticky),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        3 => names().prop_map(Target::Whole),
        3 => names().prop_map(Target::Beside),
        1 => names().prop_map(Target::Above),
        1 => names().prop_map(Target::Magic),
    ]
}

pub(crate) fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (names(), mode()).prop_map(|(at, mode)| Deed::MakeFolder(at, mode)),
        4 => (names(), mode()).prop_map(|(at, mode)| Deed::MakeFile(at, mode)),
        2 => (names(), target()).prop_map(|(at, target)| Deed::MakeLink(at, target)),
        1 => (names(), target()).prop_map(|(at, target)| Deed::Turn(at, target)),
        1 => names().prop_map(Deed::Write),
        2 => names().prop_map(Deed::Remove),
        2 => (names(), names()).prop_map(|(from, to)| Deed::Rename(from, to)),
        1 => (names(), names()).prop_map(|(from, to)| Deed::Name(from, to)),
        1 => (names(), mode()).prop_map(|(at, mode)| Deed::Protect(at, mode)),
    ]
}

pub(crate) fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        4 => Just(Actor::Person),
        2 => Just(Actor::Other),
        1 => Just(Actor::Root),
    ]
}

/// From the root, or from the folder that everybody stands in: `/0`.
pub(crate) fn path() -> impl Strategy<Value = PathBuf> {
    (
        names(),
        any::<bool>(),
        prop::option::weighted(0.1, 0..3usize),
    )
        .prop_map(|(names, whole, up)| {
            let mut path = PathBuf::from(if whole { "/" } else { "" });
            let mut names = names.iter().map(name);
            path.extend(names.next());
            if up.is_some() {
                path.push("..");
            }
            path.extend(names);
            path
        })
}

pub(crate) fn name(number: &u8) -> String {
    number.to_string()
}

/// What is done, read and done again is mostly about the same few places.
fn story() -> impl Strategy<Value = Story> {
    let again = || prop::option::weighted(0.8, any::<prop::sample::Index>());
    (
        prop::collection::vec((actor(), deed(), again()), 0..12),
        (path(), again()),
        prop::collection::vec((deed(), again()), 0..5),
    )
        .prop_map(|(before, (path, read), meanwhile)| {
            let mut places: Vec<Names> = Vec::new();
            let mut done = Vec::new();
            for (index, (actor, deed, below)) in before.into_iter().enumerate() {
                // In a folder that was made before, every other time.
                let folder = below
                    .filter(|_| index % 2 == 1)
                    .map(|index| index.get(&places));
                let deed = match folder {
                    Some(folder) if folder.len() < 3 => {
                        let last = place(&deed).last().copied();
                        at(deed, folder.iter().copied().chain(last).collect())
                    }
                    Some(_) | None => deed,
                };
                places.push(place(&deed));
                done.push((actor, deed));
            }
            let known = |index: Option<prop::sample::Index>| {
                index
                    .filter(|_| !places.is_empty())
                    .map(|index| index.get(&places).clone())
            };
            let path = match known(read) {
                Some(names) => Path::new("/").join(names.iter().map(name).collect::<PathBuf>()),
                None => path,
            };
            let meanwhile = meanwhile
                .into_iter()
                .map(|(deed, again)| match known(again) {
                    Some(names) => at(deed, names),
                    None => deed,
                })
                .collect();
            Story {
                before: done,
                path,
                meanwhile,
            }
        })
}

/// Where something is done.
pub(crate) fn place(deed: &Deed) -> Names {
    match deed {
        Deed::MakeFolder(at, _)
        | Deed::MakeFile(at, _)
        | Deed::MakeLink(at, _)
        | Deed::Turn(at, _)
        | Deed::Write(at)
        | Deed::Remove(at)
        | Deed::Rename(_, at)
        | Deed::Name(_, at)
        | Deed::Protect(at, _) => at.clone(),
    }
}

/// The same, done there.
pub(crate) fn at(deed: Deed, at: Names) -> Deed {
    match deed {
        Deed::MakeFolder(_, mode) => Deed::MakeFolder(at, mode),
        Deed::MakeFile(_, mode) => Deed::MakeFile(at, mode),
        Deed::MakeLink(_, target) => Deed::MakeLink(at, target),
        Deed::Turn(_, target) => Deed::Turn(at, target),
        Deed::Write(_) => Deed::Write(at),
        Deed::Remove(_) => Deed::Remove(at),
        Deed::Rename(from, _) => Deed::Rename(from, at),
        Deed::Name(of, _) => Deed::Name(of, at),
        Deed::Protect(_, mode) => Deed::Protect(at, mode),
    }
}

/// The rule: what we take for evidence is what kubectl read.
fn holds(world: &mut impl World, story: &Story) -> Result<(), TestCaseError> {
    for (actor, deed) in &story.before {
        world.attempt(*actor, deed);
    }
    let read = world.kubectl_reads(&story.path);
    for deed in &story.meanwhile {
        world.attempt(Actor::Other, deed);
    }
    match world.walked(&story.path) {
        Seen::Doubt | Seen::Nothing => Ok(()),
        Seen::Missing => {
            prop_assert!(
                matches!(read, Seen::Missing | Seen::Nothing),
                "missing, but {read:?}"
            );
            Ok(())
        }
        walked @ Seen::Content(_) => {
            prop_assert_eq!(walked, read);
            Ok(())
        }
    }
}

pub(crate) fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn evidence_is_what_kubectl_read() {
    let result = runner(worlds()).run(&story(), |story| holds(&mut Model::new(Lie::None), &story));
    result.unwrap();
}

/// Each rule is there for a reason: without it, this happens.
#[test]
fn a_mutant_is_found_out() {
    use Actor::{Other, Person};
    use Mode::{Everybody, Nobody};
    for (lie, before, path, meanwhile) in [
        (
            Lie::OwnerOfFiles,
            vec![(Other, Deed::MakeFile(vec![1, 0], Nobody))],
            "/1/0",
            vec![Deed::Write(vec![1, 0])],
        ),
        (
            Lie::OwnerOfLinks,
            vec![(Other, Deed::MakeLink(vec![1, 0], Target::Whole(vec![0, 2])))],
            "/1/0",
            vec![Deed::Turn(vec![1, 0], Target::Whole(vec![0, 3]))],
        ),
        (
            Lie::OwnerOfFolders,
            vec![
                (Other, Deed::MakeFolder(vec![1, 0], Nobody)),
                (Other, Deed::MakeFile(vec![1, 0, 0], Nobody)),
            ],
            "/1/0/0",
            vec![Deed::Remove(vec![1, 0, 0])],
        ),
        (
            Lie::WritersOfFiles,
            vec![(Person, Deed::MakeFile(vec![0, 0], Everybody))],
            "0",
            vec![Deed::Write(vec![0, 0])],
        ),
        (
            Lie::WritersOfFolders,
            vec![
                (Person, Deed::MakeFolder(vec![0, 0], Everybody)),
                (Other, Deed::MakeFile(vec![0, 0, 0], Nobody)),
            ],
            "/0/0/0",
            vec![Deed::Remove(vec![0, 0, 0])],
        ),
        (
            Lie::Sticky,
            vec![
                (Person, Deed::MakeFolder(vec![0, 0], Everybody)),
                (Person, Deed::MakeFile(vec![0, 0, 0], Nobody)),
                (Person, Deed::MakeFile(vec![0, 0, 1], Nobody)),
            ],
            "0/0",
            vec![Deed::Rename(vec![0, 0, 1], vec![0, 0, 0])],
        ),
        (
            Lie::Names,
            vec![(Other, Deed::MakeFile(vec![1, 0], Nobody))],
            "/1/0",
            vec![Deed::Remove(vec![1, 0]), Deed::Name(vec![0, 2], vec![1, 0])],
        ),
        (
            Lie::MadeUp,
            vec![(Person, Deed::MakeLink(vec![0, 0], Target::Magic(vec![2])))],
            "/0/0",
            vec![],
        ),
    ] {
        let story = Story {
            before,
            path: path.into(),
            meanwhile,
        };
        let honest = holds(&mut Model::new(Lie::None), &story);
        assert!(honest.is_ok(), "{lie:?}: {honest:?}");
        let lying = holds(&mut Model::new(lie), &story);
        assert!(lying.is_err(), "{lie:?} is not found out");
    }
}

/// What a careful person does: whether `/1` is shared, what it and root do, what is read, what it does then.
type Careful = (bool, Vec<(Deed, bool)>, PathBuf, Vec<Deed>);

/// The rule: what this person's kubectl would read now is what we take for evidence.
fn is_quiet(
    mut world: Model,
    (shared, before, path, meanwhile): Careful,
) -> Result<(), TestCaseError> {
    if !shared {
        world.attempt(Actor::Root, &Deed::Protect(vec![1], Mode::Nobody));
    }
    for (deed, root) in before {
        let actor = if root { Actor::Root } else { Actor::Person };
        world.attempt(actor, &carefully(deed, shared));
    }
    for deed in meanwhile {
        world.attempt(Actor::Person, &carefully(deed, shared));
    }
    let now = world.kubectl_reads(&path);
    let walked = world.walked(&path);
    let is_the_same = walked == now
        // No file where a folder is, or below a file: kubectl gives up, and nobody asks.
        || now == Seen::Nothing
        // What is missing in a shared folder, another may have had there.
        || (shared && now == Seen::Missing);
    prop_assert!(is_the_same, "{walked:?}, and it is {now:?}");
    Ok(())
}

/// Where nobody else may write, nothing that this person does is ever in doubt.
#[test]
fn a_careful_person_is_not_asked() {
    let careful = (
        any::<bool>(),
        prop::collection::vec((deed(), any::<bool>()), 0..12),
        path(),
        prop::collection::vec(deed(), 0..5),
    );
    let result =
        runner(worlds() / 2).run(&careful, |careful| is_quiet(Model::new(Lie::None), careful));
    result.unwrap();
}

/// A walk that were stricter would ask.
#[test]
fn a_mutant_that_asks_is_found_out() {
    for (lie, shared, before, path) in [
        (Lie::Root, false, vec![], "/0/2"),
        (
            Lie::Kept,
            true,
            vec![(Deed::MakeFile(vec![1, 0], Mode::Nobody), false)],
            "/1/0",
        ),
    ] {
        let careful = (shared, before, path.into(), Vec::new());
        let honest = is_quiet(Model::new(Lie::None), careful.clone());
        assert!(honest.is_ok(), "{lie:?}: {honest:?}");
        let strict = is_quiet(Model::new(lie), careful);
        assert!(strict.is_err(), "{lie:?} is not found out");
    }
}

/// The same, where nobody else may write what it makes. (In a shared folder that is sticky, as `/tmp` is, a person may
/// well keep files, but no second names of them.)
pub(crate) fn carefully(deed: Deed, shared: bool) -> Deed {
    match deed {
        Deed::Name(of, _) if shared => Deed::Write(of),
        Deed::MakeFolder(at, _) => Deed::MakeFolder(at, Mode::Nobody),
        Deed::MakeFile(at, _) => Deed::MakeFile(at, Mode::Nobody),
        Deed::Protect(at, _) => Deed::Protect(at, Mode::Nobody),
        Deed::MakeLink(at, Target::Magic(_)) | Deed::Turn(at, Target::Magic(_)) => {
            Deed::MakeLink(at, Target::Whole(vec![0]))
        }
        other @ (Deed::MakeLink(..)
        | Deed::Turn(..)
        | Deed::Write(_)
        | Deed::Remove(_)
        | Deed::Rename(..)
        | Deed::Name(..)) => other,
    }
}
