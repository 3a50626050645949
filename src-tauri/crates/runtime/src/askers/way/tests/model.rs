//! A file system in memory, with the permissions of a real one.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::*;
use crate::os::files::Stamp;
use crate::os::tree::Times;

/// What a mutant of the walk would not look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    /// Whose a file is.
    OwnerOfFiles,
    /// Whose a link is.
    OwnerOfLinks,
    /// Whose a folder is.
    OwnerOfFolders,
    /// Who else may write a file.
    WritersOfFiles,
    /// Who else may write a folder.
    WritersOfFolders,
    /// Whether those who may write a folder may take away what is not theirs.
    Sticky,
    /// Whether a file has another name.
    Names,
    /// What is made up for whoever looks.
    MadeUp,
    /// That what is root's is as good as this person's.
    Root,
    /// That others may take away from a sticky folder only what is theirs.
    Kept,
}

#[derive(Clone, Debug)]
struct Node {
    what: What,
    owner: Actor,
    mode: Mode,
    /// Its content, in milliseconds.
    modified: u64,
    /// Anything about it.
    changed: u64,
}

#[derive(Clone, Debug)]
enum What {
    Folder(Rc<BTreeMap<String, usize>>),
    File(u64),
    Link(Target),
}

pub(crate) struct Model {
    nodes: RefCell<Vec<Node>>,
    contents: u64,
    lie: Lie,
    /// What a file's clock says, in milliseconds.
    now: u64,
    /// Folders that were moved.
    moved: RefCell<BTreeSet<usize>>,
    excused: Cell<bool>,
    /// What is mounted over what, for whom it is.
    mounted: Option<(usize, usize)>,
}

/// The folder that everything begins at, and the one that everybody stands in.
pub(crate) const ROOT: usize = 0;
pub(crate) const FOLDER: usize = 1;
/// Where we stand, whom a magic link leads elsewhere.
const OURS: usize = ROOT;

impl Model {
    pub(crate) fn new(lie: Lie) -> Self {
        let folder = |entries: &[(&str, usize)], owner, mode| Node {
            what: What::Folder(Rc::new(
                entries
                    .iter()
                    .map(|(name, node)| ((*name).to_owned(), *node))
                    .collect(),
            )),
            owner,
            mode,
            modified: 0,
            changed: 0,
        };
        let file = |content| Node {
            what: What::File(content),
            owner: Actor::Person,
            mode: Mode::Nobody,
            modified: 0,
            changed: 0,
        };
        Self {
            nodes: RefCell::new(vec![
                folder(&[("0", FOLDER), ("1", 2)], Actor::Root, Mode::Nobody),
                folder(&[("2", 3), ("3", 4)], Actor::Person, Mode::Nobody),
                // As `/tmp` is.
                folder(&[], Actor::Root, Mode::Sticky),
                file(1),
                file(2),
            ]),
            contents: 2,
            lie,
            now: 0,
            moved: RefCell::default(),
            excused: Cell::new(false),
            mounted: None,
        }
    }

    /// Has who looks next see one part in another's place.
    pub(crate) fn mount(&mut self, mounted: Option<(usize, usize)>) {
        self.mounted = mounted;
    }

    /// Whether a folder was put in another's place and something made in it then, or right before: what a folder tells of
    /// when it came there is gone after that.
    pub(crate) fn is_excused(&self) -> bool {
        self.excused.get()
    }

    /// What is done from now on is done then.
    pub(crate) fn set_clock(&mut self, now: u64) {
        self.now = now;
    }

    fn node(&self, at: usize) -> Node {
        self.nodes.borrow()[at].clone()
    }

    fn entries(&self, at: usize) -> Option<Rc<BTreeMap<String, usize>>> {
        match &self.nodes.borrow()[at].what {
            What::Folder(entries) => Some(Rc::clone(entries)),
            What::File(_) | What::Link(_) => None,
        }
    }

    fn change(&self, at: usize, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        let node = &mut self.nodes.borrow_mut()[at];
        if let What::Folder(entries) = &mut node.what {
            change(Rc::make_mut(entries));
            (node.modified, node.changed) = (self.now, self.now);
            if self.moved.borrow().contains(&at) {
                self.excused.set(true);
            }
        }
    }

    fn touch(&self, at: usize) {
        self.nodes.borrow_mut()[at].changed = self.now;
    }

    fn above(&self, of: usize) -> usize {
        let nodes = self.nodes.borrow();
        let holds = |node: &Node| match &node.what {
            What::Folder(entries) => entries.values().any(|at| *at == of),
            What::File(_) | What::Link(_) => false,
        };
        nodes.iter().position(holds).unwrap_or(ROOT)
    }

    fn names_of(&self, of: usize) -> usize {
        let nodes = self.nodes.borrow();
        let count = |node: &Node| match &node.what {
            What::Folder(entries) => entries.values().filter(|at| **at == of).count(),
            What::File(_) | What::Link(_) => 0,
        };
        nodes.iter().map(count).sum()
    }

    /// What a path leads to, as the kernel looks it up from a root and a folder; `follow` a link at its end too.
    fn look_up(
        &self,
        (root, begin): (usize, usize),
        path: &Path,
        follow: bool,
        links: usize,
    ) -> Result<usize, Seen> {
        if links > 8 {
            return Err(Seen::Nothing);
        }
        let mut here = begin;
        let components: Vec<_> = path.components().collect();
        for (index, component) in components.iter().enumerate() {
            let entries = self.entries(here).ok_or(Seen::Nothing)?;
            match component {
                Component::RootDir => here = root,
                Component::ParentDir if here == root => {}
                Component::ParentDir => here = self.above(here),
                Component::Normal(name) => {
                    let name = name.to_str().unwrap();
                    let found = *entries.get(name).ok_or(Seen::Missing)?;
                    let found = match self.mounted {
                        Some((over, instead)) if over == found => instead,
                        Some(_) | None => found,
                    };
                    let is_last = index + 1 == components.len();
                    here = match self.node(found).what {
                        What::Link(target) if follow || !is_last => {
                            let (begin, path) = led(&target, here, FOLDER);
                            self.look_up((root, begin), &path, true, links + 1)?
                        }
                        What::Link(_) | What::Folder(_) | What::File(_) => found,
                    };
                }
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Ok(here)
    }

    fn may_write(&self, actor: Actor, at: usize) -> bool {
        let node = self.node(at);
        actor == Actor::Root
            || node.owner == actor
            || match node.mode {
                Mode::Nobody => false,
                Mode::Group => actor == Actor::Other,
                Mode::Everybody | Mode::Sticky => true,
            }
    }

    fn may_take_away(&self, actor: Actor, folder: usize, entry: usize) -> bool {
        self.may_write(actor, folder)
            && (self.node(folder).mode != Mode::Sticky
                || actor == Actor::Root
                || [folder, entry]
                    .iter()
                    .any(|at| self.node(*at).owner == actor))
    }

    /// The folder that a path's last name is in.
    fn parent(&self, names: &Names) -> Option<(usize, String)> {
        let (last, above) = names.split_last()?;
        let above: PathBuf = Path::new("/").join(above.iter().map(name).collect::<PathBuf>());
        let folder = self.look_up((ROOT, ROOT), &above, true, 0).ok()?;
        self.entries(folder)?;
        Some((folder, name(last)))
    }

    fn entry(&self, names: &Names) -> Option<(usize, String, usize)> {
        let (folder, name) = self.parent(names)?;
        let at = *self.entries(folder)?.get(&name)?;
        Some((folder, name, at))
    }

    fn make(&mut self, actor: Actor, at: &Names, what: What, mode: Mode) -> Option<()> {
        let (folder, name) = self.parent(at)?;
        if self.entries(folder)?.contains_key(&name) || !self.may_write(actor, folder) {
            return None;
        }
        let number = self.nodes.borrow().len();
        self.nodes.borrow_mut().push(Node {
            what,
            owner: actor,
            mode,
            modified: self.now,
            changed: self.now,
        });
        self.change(folder, |entries| {
            entries.insert(name, number);
        });
        Some(())
    }

    fn rename(&mut self, actor: Actor, from: &Names, to: &Names) -> Option<()> {
        let (old, old_name, entry) = self.entry(from)?;
        let (new, new_name) = self.parent(to)?;
        let is_folder = self.entries(entry).is_some();
        // Into itself.
        let mut above = new;
        while above != ROOT {
            if above == entry {
                return None;
            }
            above = self.above(above);
        }
        let replaced = self.entries(new)?.get(&new_name).copied();
        if replaced == Some(entry)
            || replaced.is_some_and(|replaced| {
                self.entries(replaced).is_some() || is_folder || !self.may_take_away(actor, new, replaced)
            })
            || !self.may_take_away(actor, old, entry)
            || !self.may_write(actor, new)
            // Its own folder is written in it.
            || (is_folder && old != new && !self.may_write(actor, entry))
            || (actor == Actor::Other && old != new && self.node(entry).owner != Actor::Other)
        {
            return None;
        }
        self.change(old, |entries| {
            entries.remove(&old_name);
        });
        self.change(new, |entries| {
            entries.insert(new_name, entry);
        });
        self.touch(entry);
        if is_folder {
            self.moved.borrow_mut().insert(entry);
            if self.node(entry).modified + 100 >= self.now {
                self.excused.set(true);
            }
        }
        Some(())
    }

    fn done(&mut self, actor: Actor, deed: &Deed) -> Option<()> {
        match deed {
            Deed::MakeFolder(at, mode) => self.make(actor, at, What::Folder(Rc::default()), *mode),
            Deed::MakeFile(at, mode) => {
                self.contents += 1;
                let mode = if *mode == Mode::Sticky {
                    Mode::Nobody
                } else {
                    *mode
                };
                self.make(actor, at, What::File(self.contents), mode)
            }
            Deed::MakeLink(at, target) => {
                self.make(actor, at, What::Link(target.clone()), Mode::Everybody)
            }
            Deed::Turn(at, target) => {
                self.done(actor, &Deed::Remove(at.clone()))?;
                self.done(actor, &Deed::MakeLink(at.clone(), target.clone()))
            }
            Deed::Write(at) => {
                let path = Path::new("/").join(at.iter().map(name).collect::<PathBuf>());
                let file = self.look_up((ROOT, ROOT), &path, true, 0).ok()?;
                self.contents += 1;
                let allowed = self.may_write(actor, file);
                let node = &mut self.nodes.borrow_mut()[file];
                match &mut node.what {
                    What::File(content) if allowed => {
                        *content = self.contents;
                        (node.modified, node.changed) = (self.now, self.now);
                    }
                    What::File(_) | What::Folder(_) | What::Link(_) => {}
                }
                Some(())
            }
            Deed::Remove(at) => {
                let (folder, name, entry) = self.entry(at)?;
                let empty = self.entries(entry).is_none_or(|entries| entries.is_empty());
                if empty && entry != FOLDER && self.may_take_away(actor, folder, entry) {
                    self.change(folder, |entries| {
                        entries.remove(&name);
                    });
                    self.touch(entry);
                }
                Some(())
            }
            Deed::Rename(from, to) => self.rename(actor, from, to),
            Deed::Name(of, to) => {
                let (_, _, entry) = self.entry(of)?;
                let (folder, name) = self.parent(to)?;
                if self.entries(entry).is_none()
                    && !self.entries(folder)?.contains_key(&name)
                    && self.may_write(actor, folder)
                {
                    self.change(folder, |entries| {
                        entries.insert(name, entry);
                    });
                    self.touch(entry);
                }
                Some(())
            }
            Deed::Protect(at, mode) => {
                let (_, _, entry) = self.entry(at)?;
                let node = &mut self.nodes.borrow_mut()[entry];
                if actor == Actor::Root || node.owner == actor {
                    match node.what {
                        What::File(_) if *mode == Mode::Sticky => {}
                        What::Folder(_) | What::File(_) => {
                            node.mode = *mode;
                            node.changed = self.now;
                        }
                        What::Link(_) => {}
                    }
                }
                Some(())
            }
        }
    }

    /// What whoever stands there, with that root, reads by a path.
    pub(crate) fn read_from(&self, stands: (usize, usize), path: &Path) -> Seen {
        match self.look_up(stands, path, true, 0) {
            Ok(at) => self.content(at).map_or(Seen::Nothing, Seen::Content),
            Err(seen) => seen,
        }
    }

    /// What a path from the root leads to.
    pub(crate) fn at(&self, names: &Names) -> Option<usize> {
        let path = Path::new("/").join(names.iter().map(name).collect::<PathBuf>());
        self.look_up((ROOT, ROOT), &path, true, 0).ok()
    }

    /// The folder that it leads to.
    pub(crate) fn folder(&self, names: &Names) -> Option<usize> {
        let at = self.at(names)?;
        self.entries(at).map(|_| at)
    }

    /// What it is called from a root; nothing, where it is not below that.
    pub(crate) fn called(&self, (root, folder): (usize, usize)) -> Option<PathBuf> {
        let mut names = Vec::new();
        let mut here = folder;
        while here != root {
            let above = self.above(here);
            let entries = self.entries(above)?;
            let (name, _) = entries.iter().find(|(_, at)| **at == here)?;
            names.push(name.clone());
            here = above;
        }
        names.reverse();
        Some(Path::new("/").join(names.iter().collect::<PathBuf>()))
    }

    pub(crate) fn standing(&self, (root, folder): (usize, usize)) -> Standing<usize> {
        Standing {
            root: self.place(root),
            folder: self.place(folder),
        }
    }

    pub(crate) fn content(&self, at: usize) -> Option<u64> {
        match self.node(at).what {
            What::File(content) => Some(content),
            What::Folder(_) | What::Link(_) => None,
        }
    }

    pub(crate) fn stamp(&self, at: usize) -> Stamp {
        let node = self.node(at);
        Stamp {
            device: 1,
            inode: at as u64,
            length: 1,
            modified: time(node.modified),
            changed: time(node.changed),
        }
    }

    fn place(&self, at: usize) -> Place<usize> {
        Place {
            part: self.part(at),
            handle: at,
        }
    }

    fn part(&self, at: usize) -> Part {
        let node = self.node(at);
        let lies = |lie| self.lie == lie;
        let (kind, made_up) = match &node.what {
            What::Folder(_) => (Kind::Folder, false),
            What::File(_) => (Kind::File, false),
            What::Link(target @ Target::Magic(_)) => (Kind::Link(led(target, at, OURS).1), true),
            What::Link(target) => (Kind::Link(led(target, at, OURS).1), false),
        };
        let (owner, writers) = match kind {
            Kind::Folder => (Lie::OwnerOfFolders, Lie::WritersOfFolders),
            Kind::File | Kind::Null | Kind::Other => (Lie::OwnerOfFiles, Lie::WritersOfFiles),
            Kind::Link(_) => (Lie::OwnerOfLinks, Lie::None),
        };
        Part {
            ours: match node.owner {
                Actor::Person => true,
                Actor::Other => lies(owner),
                Actor::Root => !lies(Lie::Root),
            },
            others_write: node.mode != Mode::Nobody && !(lies(writers) && writers != Lie::None),
            sticky: (node.mode == Mode::Sticky && !lies(Lie::Kept)) || lies(Lie::Sticky),
            names: if lies(Lie::Names) {
                1
            } else {
                self.names_of(at) as u64
            },
            made_up: made_up && !lies(Lie::MadeUp),
            identity: (1, at as u64),
            kind,
        }
    }
}

/// Where a link leads: from which folder, and by which path.
fn led(target: &Target, folder: usize, stands_in: usize) -> (usize, PathBuf) {
    let path = |names: &Names| names.iter().map(name).collect::<PathBuf>();
    match target {
        Target::Whole(names) => (ROOT, Path::new("/").join(path(names))),
        Target::Beside(names) => (folder, path(names)),
        Target::Above(names) => (folder, Path::new("..").join(path(names))),
        Target::Magic(names) if stands_in == OURS => (ROOT, Path::new("/").join(path(names))),
        Target::Magic(names) => (stands_in, path(names)),
    }
}

impl Tree for Model {
    type Handle = usize;

    fn enter(&self, folder: &usize, name: &OsStr) -> io::Result<(Part, usize)> {
        let found = if name == ".." {
            self.above(*folder)
        } else {
            let entries = self.entries(*folder).ok_or(io::ErrorKind::NotADirectory)?;
            let name = name.to_str().unwrap();
            *entries.get(name).ok_or(io::ErrorKind::NotFound)?
        };
        Ok((self.part(found), found))
    }

    fn times(&self, at: &usize) -> io::Result<Times> {
        let node = self.node(*at);
        Ok((time(node.modified), time(node.changed)))
    }
}

fn time(milliseconds: u64) -> (i64, i64) {
    let [seconds, rest] = [milliseconds / 1000, milliseconds % 1000 * 1_000_000];
    (seconds.cast_signed(), rest.cast_signed())
}

impl World for Model {
    fn attempt(&mut self, actor: Actor, deed: &Deed) {
        self.done(actor, deed);
    }

    fn kubectl_reads(&mut self, path: &Path) -> Seen {
        self.read_from((ROOT, FOLDER), path)
    }

    fn walked(&mut self, path: &Path) -> Seen {
        let standing = self.standing((ROOT, FOLDER));
        match walk(self, &standing, path) {
            Ok(End::There(place)) => match self.content(place.handle) {
                Some(content) => Seen::Content(content),
                None => Seen::Nothing,
            },
            Ok(End::Missing) => Seen::Missing,
            Err(Doubt::Foreign(_) | Doubt::Unseen | Doubt::Refused(_)) => Seen::Doubt,
        }
    }
}
