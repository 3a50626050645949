//! The way to a file that another program has read, walked part by part as that program walked it.
//!
//! kubectl read its files before we do, and without telling. What we find under a name is what it found only if
//! nobody else could have put something else there, then or since. So each part of the way is looked at by itself,
//! links too: it must belong to this person or to root, and nobody else may write it. Then a change is the person's
//! own, and there is no rule over times. What can't be walked so is in doubt: never shorter, and never "missing".
//!
//! Pure: the file system is a [`Tree`]. What a person's own files can't be protected from is said in the tests' model.

mod changed;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

pub(crate) use changed::{Changed, look};

use crate::os::tree::{Kind, Part, Place, Standing, Tree};

/// How many links a way may have (path_resolution(7)).
const LINKS: usize = 40;
/// How deep a folder may lie.
const DEPTH: usize = 256;

/// What is at the end of a way that nobody else has a say in.
#[derive(Debug)]
pub(crate) enum End<H> {
    /// A file, or whatever else is no folder.
    There(Place<H>),
    /// Nothing.
    Missing,
}

/// Why what is found under a path says nothing of what another process found there.
#[derive(Debug)]
pub(crate) enum Doubt {
    /// Somebody else has a say in this part.
    Foreign(PathBuf),
    /// The way leads through links without an end, or out of sight.
    Unseen,
    /// The system did not let us look.
    Refused(io::Error),
}

/// Walks a path from where a process stands.
///
/// # Errors
/// Why it is no evidence. An error that may be another the next time (no descriptors, no memory, a disk that does not
/// answer) is [`Doubt::Refused`] too: the system's `is_passing` tells it.
pub(crate) fn walk<T: Tree>(
    tree: &T,
    standing: &Standing<T::Handle>,
    path: &Path,
) -> Result<End<T::Handle>, Doubt>
where
    T::Handle: Clone,
{
    walk_by(tree, standing, path, &mut |_, _| {})
}

/// As what a part is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// A link that is followed.
    Link,
    /// A folder that is gone into.
    Folder,
    /// A folder that was gone into, and is left upwards: it need not hold anything, and can have been made at any time.
    Left,
    /// What is at the end.
    End,
    /// The folder in which there is nothing by that name.
    Missing,
}

/// The same, and shows what it passes.
///
/// # Errors
/// As [`walk`].
fn walk_by<T: Tree>(
    tree: &T,
    standing: &Standing<T::Handle>,
    path: &Path,
    passed: &mut dyn FnMut(Pass, &T::Handle),
) -> Result<End<T::Handle>, Doubt>
where
    T::Handle: Clone,
{
    let mut way = Way {
        tree,
        standing,
        root: standing.root.clone(),
        here: standing.folder.clone(),
        folders: Vec::new(),
        entered: 0,
        links: 0,
        ahead: VecDeque::new(),
        passed,
    };
    way.begin(path)?;
    way.go_on()
}

/// A walk under way. One folder is open at a time, however deep it lies.
struct Way<'walk, T: Tree> {
    tree: &'walk T,
    standing: &'walk Standing<T::Handle>,
    root: Place<T::Handle>,
    /// Where it has come to.
    here: Place<T::Handle>,
    /// The folders from the root to there, by their names, the root first.
    folders: Vec<(OsString, Part)>,
    /// How many of them, the last ones, were gone into by their names.
    entered: usize,
    links: usize,
    /// The parts to come.
    ahead: VecDeque<Step>,
    /// Who is shown what is passed.
    passed: &'walk mut dyn FnMut(Pass, &T::Handle),
}

/// What a path says to do next.
enum Step {
    Drive(OsString),
    Root,
    Up,
    Into(OsString),
}

impl<T: Tree> Way<'_, T>
where
    T::Handle: Clone,
{
    fn begin(&mut self, path: &Path) -> Result<(), Doubt> {
        // Where a process stands is not looked up; but what is above it counts for the paths that are made from it.
        if !path.has_root() {
            self.folders = self.above_the_folder()?;
        }
        self.put_in_front(path)
    }

    fn put_in_front(&mut self, path: &Path) -> Result<(), Doubt> {
        let mut steps = VecDeque::new();
        for component in path.components() {
            match component {
                Component::Prefix(drive) => {
                    steps.push_back(Step::Drive(drive.as_os_str().to_owned()));
                }
                Component::RootDir => steps.push_back(Step::Root),
                Component::CurDir => {}
                Component::ParentDir => steps.push_back(Step::Up),
                Component::Normal(name) => steps.push_back(Step::Into(name.to_owned())),
            }
        }
        steps.append(&mut self.ahead);
        self.ahead = steps;
        Ok(())
    }

    /// The folders from the root to where the process stands, each looked at as a part of a way.
    fn above_the_folder(&self) -> Result<Vec<(OsString, Part)>, Doubt> {
        let root = &self.standing.root.part;
        let mut lowest = self.standing.folder.clone();
        let mut parts = vec![lowest.part.clone()];
        while lowest.part.identity != root.identity {
            let (part, handle) = self
                .tree
                .enter(&lowest.handle, OsStr::new(".."))
                .map_err(Doubt::Refused)?;
            // The root is its own folder: this one is not below the process's.
            if part.identity == lowest.part.identity || parts.len() >= DEPTH {
                return Err(Doubt::Unseen);
            }
            parts.push(part.clone());
            lowest = Place { part, handle };
        }
        parts.reverse();
        let mut above: Option<&Part> = None;
        for part in &parts {
            judge(above, part, Path::new("."))?;
            above = Some(part);
        }
        Ok(parts
            .into_iter()
            .map(|part| (OsString::new(), part))
            .collect())
    }

    fn go_on(mut self) -> Result<End<T::Handle>, Doubt> {
        while let Some(step) = self.ahead.pop_front() {
            match step {
                Step::Drive(prefix) => {
                    self.root = self.tree.drive(&prefix).map_err(Doubt::Refused)?;
                }
                Step::Root => {
                    judge(None, &self.root.part, Path::new("/"))?;
                    self.folders = vec![(OsString::new(), self.root.part.clone())];
                    self.entered = 0;
                    self.here = self.root.clone();
                }
                Step::Up => self.up()?,
                Step::Into(name) => {
                    if let Some(end) = self.down(&name)? {
                        return Ok(end);
                    }
                }
            }
        }
        // A folder, where a file was meant.
        Ok(End::There(self.here))
    }

    /// To the folder that it came from. Above the root there is the root.
    fn up(&mut self) -> Result<(), Doubt> {
        if self.folders.len() < 2 {
            return Ok(());
        }
        self.folders.pop();
        if let Some(left) = self.entered.checked_sub(1) {
            self.entered = left;
            (self.passed)(Pass::Left, &self.here.handle);
        }
        let (part, handle) = self
            .tree
            .enter(&self.here.handle, OsStr::new(".."))
            .map_err(Doubt::Refused)?;
        let came_from = self.folders.last().map(|(_, part)| part.identity);
        if came_from != Some(part.identity) {
            return Err(Doubt::Unseen);
        }
        self.here = Place { part, handle };
        Ok(())
    }

    /// One step down. What it gives is the end.
    fn down(&mut self, name: &OsStr) -> Result<Option<End<T::Handle>>, Doubt> {
        if self.folders.is_empty() {
            return Err(Doubt::Unseen);
        }
        let folder = &self.here.part;
        let (part, handle) = match self.tree.enter(&self.here.handle, name) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Whoever may write here could have had it there.
                return if folder.others_write {
                    Err(Doubt::Foreign(self.so_far(name)))
                } else {
                    (self.passed)(Pass::Missing, &self.here.handle);
                    Ok(Some(End::Missing))
                };
            }
            Err(error) => return Err(Doubt::Refused(error)),
        };
        judge(Some(folder), &part, &self.so_far(name))?;
        match part.kind.clone() {
            Kind::Folder => {
                if self.folders.len() >= DEPTH {
                    return Err(Doubt::Unseen);
                }
                (self.passed)(Pass::Folder, &handle);
                self.folders.push((name.to_owned(), part.clone()));
                self.entered += 1;
                self.here = Place { part, handle };
                Ok(None)
            }
            Kind::Link(target) => {
                self.links += 1;
                if self.links > LINKS {
                    return Err(Doubt::Unseen);
                }
                (self.passed)(Pass::Link, &handle);
                self.put_in_front(&target)?;
                Ok(None)
            }
            // Below what is no folder there is nothing.
            Kind::File | Kind::Null | Kind::Other => {
                (self.passed)(Pass::End, &handle);
                Ok(Some(if self.ahead.is_empty() {
                    End::There(Place { part, handle })
                } else {
                    End::Missing
                }))
            }
        }
    }

    /// The part that is looked at, for whoever is told of a doubt.
    fn so_far(&self, name: &OsStr) -> PathBuf {
        let mut path = PathBuf::from("/");
        path.extend(self.folders.iter().map(|(name, _)| name));
        path.push(name);
        path
    }
}

/// Whether nobody else has a say in what a part is, `above` being the folder that it was found in.
fn judge(above: Option<&Part>, part: &Part, path: &Path) -> Result<(), Doubt> {
    let put_here_by_us = match above {
        None => true,
        Some(above) if !above.others_write => true,
        // Nobody can take it away who does not own it. But a second name for a file of ours may be anybody's doing.
        Some(above) => above.sticky && (part.kind == Kind::Folder || part.names <= 1),
    };
    // A folder that others may write is judged by what is found in it.
    let kept_by_us = match part.kind {
        Kind::File | Kind::Other => !part.others_write,
        Kind::Folder | Kind::Link(_) | Kind::Null => true,
    };
    if part.ours && !part.made_up && put_here_by_us && kept_by_us {
        Ok(())
    } else {
        Err(Doubt::Foreign(path.to_owned()))
    }
}

#[cfg(test)]
pub(crate) mod tests;
