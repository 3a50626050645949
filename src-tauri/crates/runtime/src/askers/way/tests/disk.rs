//! The same worlds on a real disk, as two users of this machine and root: what the kernel allows is what is tried.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::*;
use crate::os::tree;

/// How many worlds are tried.
const WORLDS: u32 = 500;

/// Numbers that no user of a machine has.
const PERSON: u32 = 64_731;
const OTHER: u32 = 64_732;
const SHARED: u32 = 64_733;

type Work = Box<dyn FnOnce() + Send>;

/// A thread of each user's.
struct Users {
    person: Sender<Work>,
    other: Sender<Work>,
}

impl Users {
    fn new() -> Self {
        Self {
            person: of(PERSON),
            other: of(OTHER),
        }
    }

    fn run<T: Send + 'static>(&self, actor: Actor, work: impl FnOnce() -> T + Send + 'static) -> T {
        let user = match actor {
            Actor::Person => &self.person,
            Actor::Other => &self.other,
            Actor::Root => return work(),
        };
        let (tell, told) = channel();
        user.send(Box::new(move || drop(tell.send(work()))))
            .unwrap();
        told.recv().unwrap()
    }
}

/// A thread becomes another user by itself: the system call is the thread's, and only libraries make it the process's.
fn of(user: u32) -> Sender<Work> {
    let (sender, works) = channel::<Work>();
    thread::spawn(move || {
        let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
        set_thread_groups(&[Gid::from_raw(SHARED)]).unwrap();
        set_thread_res_gid(gid, gid, gid).unwrap();
        set_thread_res_uid(uid, uid, uid).unwrap();
        for work in works {
            work();
        }
    });
    sender
}

/// A world below a folder of root's.
struct OnDisk<'users> {
    folder: tempfile::TempDir,
    users: &'users Users,
    contents: u64,
    /// Where this person stands, whatever it is called by now.
    stands: fs::File,
    kubectl: Option<Child>,
}

impl<'users> OnDisk<'users> {
    fn new(users: &'users Users) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let protect = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        protect(root, 0o755).unwrap();
        for name in ["0", "1"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        for (name, content) in [("0/2", "1"), ("0/3", "2")] {
            fs::write(root.join(name), content).unwrap();
            protect(&root.join(name), 0o644).unwrap();
            chown(root.join(name), Some(PERSON), Some(PERSON)).unwrap();
        }
        chown(root.join("0"), Some(PERSON), Some(PERSON)).unwrap();
        protect(&root.join("0"), 0o755).unwrap();
        protect(&root.join("1"), 0o1777).unwrap();
        Self {
            stands: fs::File::open(root.join("0")).unwrap(),
            folder,
            users,
            contents: 2,
            kubectl: None,
        }
    }

    fn at(&self, names: &Names) -> PathBuf {
        self.folder.path().join(relative(names))
    }

    fn target(&self, target: &Target) -> PathBuf {
        match target {
            Target::Whole(names) => self.at(names),
            Target::Beside(names) => relative(names),
            Target::Above(names) => Path::new("..").join(relative(names)),
            Target::Magic(names) => Path::new("/proc/self/cwd").join(relative(names)),
        }
    }
}

impl Drop for OnDisk<'_> {
    fn drop(&mut self) {
        if let Some(mut kubectl) = self.kubectl.take() {
            drop(kubectl.kill());
            drop(kubectl.wait());
        }
    }
}

fn relative(names: &Names) -> PathBuf {
    names.iter().map(name).collect()
}

fn protect(path: &Path, mode: Mode) -> io::Result<()> {
    let folder = fs::symlink_metadata(path)?.is_dir();
    let bits = match mode {
        Mode::Nobody => 0o644,
        Mode::Group => 0o664,
        Mode::Everybody => 0o666,
        Mode::Sticky if folder => 0o1666,
        Mode::Sticky => 0o644,
    };
    if mode == Mode::Group {
        chown(path, None, Some(SHARED))?;
    }
    let search = if folder { 0o111 } else { 0 };
    fs::set_permissions(path, Permissions::from_mode(bits | search))
}

impl World for OnDisk<'_> {
    fn attempt(&mut self, actor: Actor, deed: &Deed) {
        self.contents += 1;
        let content = self.contents.to_string();
        let outcome: io::Result<()> = match deed {
            Deed::MakeFolder(at, mode) => {
                let (at, mode) = (self.at(at), *mode);
                self.users.run(actor, move || {
                    fs::create_dir(&at)?;
                    protect(&at, mode)
                })
            }
            Deed::MakeFile(at, mode) => {
                let (at, mode) = (self.at(at), *mode);
                self.users.run(actor, move || {
                    fs::File::create_new(&at)?;
                    fs::write(&at, content)?;
                    protect(&at, mode)
                })
            }
            Deed::MakeLink(at, target) => {
                let (at, target) = (self.at(at), self.target(target));
                self.users.run(actor, move || symlink(target, at))
            }
            Deed::Turn(at, target) => {
                let (at, target) = (self.at(at), self.target(target));
                self.users.run(actor, move || {
                    fs::remove_file(&at)?;
                    symlink(target, at)
                })
            }
            Deed::Write(at) => {
                let at = self.at(at);
                self.users.run(actor, move || {
                    fs::metadata(&at)?;
                    fs::write(at, content)
                })
            }
            Deed::Remove(at) => {
                let at = self.at(at);
                // Who stands in it goes on.
                if at == self.folder.path().join("0") {
                    return;
                }
                self.users.run(actor, move || {
                    fs::remove_file(&at).or_else(|_| fs::remove_dir(&at))
                })
            }
            Deed::Rename(from, to) => {
                let (from, to) = (self.at(from), self.at(to));
                self.users.run(actor, move || {
                    let ours = fs::symlink_metadata(&from)?;
                    let moves = from.parent() != to.parent();
                    // What these worlds leave out.
                    let uid = std::os::unix::fs::MetadataExt::uid(&ours);
                    if actor == Actor::Other && moves && uid != OTHER {
                        return Ok(());
                    }
                    fs::rename(from, to)
                })
            }
            Deed::Name(of, to) => {
                let (of, to) = (self.at(of), self.at(to));
                self.users.run(actor, move || fs::hard_link(of, to))
            }
            Deed::Protect(at, mode) => {
                let (at, mode) = (self.at(at), *mode);
                self.users.run(actor, move || {
                    if fs::symlink_metadata(&at)?.is_symlink() {
                        return Ok(());
                    }
                    protect(&at, mode)
                })
            }
        };
        // What the system refuses was tried.
        drop(outcome);
    }

    /// A process of this person's, which stays.
    fn kubectl_reads(&mut self, path: &Path) -> Seen {
        let path = match path.strip_prefix("/") {
            Ok(below) => self.folder.path().join(below),
            Err(_) => path.to_owned(),
        };
        let script = "if [ -f \"$1\" ]; then cat \"$1\"; elif [ -e \"$1\" ]; then printf nothing; else printf missing; fi; echo; read line";
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(path)
            .current_dir(format!("/proc/self/fd/{}", self.stands.as_raw_fd()))
            .uid(PERSON)
            .gid(PERSON)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        self.kubectl = Some(child);
        match line.trim() {
            "nothing" => Seen::Nothing,
            // One that is there and may not be read, too.
            "missing" | "" => Seen::Missing,
            content => Seen::Content(content.parse().unwrap()),
        }
    }

    fn walked(&mut self, path: &Path) -> Seen {
        let path = match path.strip_prefix("/") {
            Ok(below) => self.folder.path().join(below),
            Err(_) => path.to_owned(),
        };
        let pid = self.kubectl.as_ref().unwrap().id();
        self.users.run(Actor::Person, move || {
            let disk = tree::Disk::of(PERSON);
            let standing = tree::standing(disk, pid).unwrap();
            match walk(&disk, &standing, &path) {
                Ok(End::There(place)) => match place.part.kind {
                    Kind::File => {
                        let mut text = String::new();
                        let mut file = tree::open(&place.handle).unwrap();
                        file.read_to_string(&mut text).unwrap();
                        // Made, and not yet written.
                        text.parse().map_or(Seen::Missing, Seen::Content)
                    }
                    Kind::Folder | Kind::Link(_) | Kind::Null | Kind::Other => Seen::Nothing,
                },
                Ok(End::Missing) => Seen::Missing,
                Err(Doubt::Foreign(_) | Doubt::Unseen | Doubt::Refused(_)) => Seen::Doubt,
            }
        })
    }
}

#[test]
fn evidence_is_what_kubectl_read_on_a_disk() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: evidence_is_what_kubectl_read_on_a_disk: only root can be two users");
        return;
    }
    let users = Users::new();
    let result = runner(WORLDS).run(&story(), |story| holds(&mut OnDisk::new(&users), &story));
    result.unwrap();
}
