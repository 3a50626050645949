//! One resident per user and machine: whoever holds the lock, for life, may bind the socket.
//!
//! The lock is a file of the machine's folder, and it alone decides: connecting, unlinking and binding
//! without it gave up to five owners when a hundred started at once. A program that [`crate::upgrade`]
//! became finds lock and sockets open already, and one that systemd started finds the sockets.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use wire::endpoint::{EndpointError, Places, create_folder};

use crate::os::descriptor;

/// The variable that says which descriptors are lock and sockets: `LOCK FD:DEVICE:INODE[:lent]…`.
pub const INHERIT: &str = "KUBEFOB_INHERIT";

/// Marks a socket that whoever started us bound, and keeps: systemd.
const LENT: &str = "lent";

/// More sockets than candidates are nobody's.
const MOST: usize = 8;

/// The right to be the resident, and its sockets.
#[derive(Debug)]
pub struct Claim {
    lock: File,
    lock_path: PathBuf,
    doors: Vec<Door>,
}

/// One bound socket.
#[derive(Debug)]
struct Door {
    path: PathBuf,
    listener: UnixListener,
    bound: Entry,
    /// Whoever bound it removes it: it is systemd's otherwise.
    ours: bool,
}

/// Device and inode of an entry in a folder.
type Entry = (u64, u64);

/// Why there is no claim.
#[derive(Debug, thiserror::Error)]
pub enum Unclaimed {
    /// Another resident is there.
    #[error("another resident is there")]
    Taken,
    /// A folder that can't be used.
    #[error(transparent)]
    Place(#[from] EndpointError),
    /// The lock or the socket can't be made.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What whoever started this process left open for it.
#[derive(Debug, Default)]
pub struct Handed {
    lock: Option<File>,
    doors: Vec<Handle>,
}

/// A socket that was left open.
#[derive(Debug)]
struct Handle {
    listener: UnixListener,
    /// The entry that it was bound as; systemd doesn't say.
    bound: Option<Entry>,
    ours: bool,
}

/// Takes the lock, then binds. What whoever started us left open is used where it is ours.
///
/// For the start of the program: it takes the descriptors over that the environment names.
///
/// # Errors
/// [`Unclaimed::Taken`] where another holds the lock; else what stands in the way.
pub fn claim(places: &Places) -> Result<Claim, Unclaimed> {
    claim_with(places, Handed::to_this_process())
}

/// [`claim`], with what was left open.
///
/// # Errors
/// As [`claim`].
pub fn claim_with(places: &Places, handed: Handed) -> Result<Claim, Unclaimed> {
    let folder = places.machine_folder()?;
    create_folder(&folder, places.uid())?;
    let lock_path = folder.join("lock");
    let handed_lock = handed
        .lock
        .filter(|lock| is_at(lock, &lock_path) && lock.try_lock().is_ok());
    let lock = match handed_lock {
        Some(lock) => lock,
        None => take_lock(&lock_path)?,
    };
    let mut claim = Claim {
        lock,
        lock_path,
        doors: Vec::new(),
    };
    let mut handles = handed.doors;
    let mut problem = None;
    for socket in places.candidates() {
        let door = socket.map_err(Unclaimed::from).and_then(|path| {
            let at_path = |handle: &mut Handle| leads_to(&handle.listener, &path);
            match handles
                .extract_if(.., at_path)
                .find_map(|handle| use_door(&path, handle))
            {
                Some(door) => Ok(door),
                None => bind(&path, places),
            }
        });
        match door {
            Ok(door) => claim.doors.push(door),
            Err(unbound) => problem = Some(unbound),
        }
    }
    match problem {
        Some(problem) if claim.doors.is_empty() => Err(problem),
        Some(_) | None => Ok(claim),
    }
}

impl Claim {
    /// The listeners, for the server.
    ///
    /// # Errors
    /// The system gives no second descriptor.
    pub fn listeners(&self) -> io::Result<Vec<UnixListener>> {
        self.doors
            .iter()
            .map(|door| door.listener.try_clone())
            .collect()
    }

    /// Whether lock and sockets are still the ones that were made, and no candidate lacks one.
    #[must_use]
    pub fn in_place(&self, places: &Places) -> bool {
        let bound = |path: PathBuf| {
            self.doors
                .iter()
                .any(|door| door.path == path && door.in_place())
        };
        is_at(&self.lock, &self.lock_path) && places.candidates().flatten().all(bound)
    }

    /// Unbinds the sockets and keeps the lock: nobody new finds this resident, and none takes its place yet.
    pub fn close(&mut self) {
        for door in self.doors.drain(..) {
            door.remove();
        }
    }

    /// The folders in which something happens when a lock or socket goes: to be watched.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = [&self.lock_path]
            .into_iter()
            .chain(self.doors.iter().map(|door| &door.path))
            .filter_map(|path| path.parent().map(Path::to_path_buf))
            .collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Binds again what is gone or was replaced, and what can be bound since. Returns the listeners that are new.
    ///
    /// # Errors
    /// [`Unclaimed::Taken`]: the lock's file was replaced and another holds it, so this resident must end and
    /// leave the sockets alone. Else what stands in the way, if no socket is left.
    pub fn renew(&mut self, places: &Places) -> Result<Vec<UnixListener>, Unclaimed> {
        if !is_at(&self.lock, &self.lock_path) {
            if let Some(folder) = self.lock_path.parent() {
                create_folder(folder, places.uid())?;
            }
            let taken = take_lock(&self.lock_path);
            if matches!(taken, Err(Unclaimed::Taken)) {
                // The entries are the other's by now, or will be.
                self.doors.clear();
            }
            self.lock = taken?;
        }
        let mut new = Vec::new();
        let mut problem = None;
        for path in places.candidates() {
            let path = match path {
                Ok(path) => path,
                Err(error) => {
                    problem = Some(error.into());
                    continue;
                }
            };
            if self
                .doors
                .iter()
                .any(|door| door.path == path && door.in_place())
            {
                continue;
            }
            self.doors.retain(|door| door.path != path);
            match bind(&path, places) {
                Ok(door) => {
                    let listener = door.listener.try_clone();
                    new.push(listener.map_err(|error| io_at(&path, error))?);
                    self.doors.push(door);
                }
                Err(unbound) => problem = Some(unbound),
            }
        }
        match problem {
            Some(problem) if self.doors.is_empty() => Err(problem),
            Some(_) | None => Ok(new),
        }
    }

    /// Leaves lock and sockets open for the program that this process becomes, and gives the value of
    /// [`INHERIT`] that names them.
    pub(crate) fn hand_over(&self) -> io::Result<OsString> {
        let mut names = self.lock.as_raw_fd().to_string();
        descriptor::keep_for_children(&self.lock, true)?;
        for door in self.doors.iter().filter(|door| door.in_place()) {
            descriptor::keep_for_children(&door.listener, true)?;
            let (device, inode) = door.bound;
            names.push_str(&format!(" {}:{device}:{inode}", door.listener.as_raw_fd()));
            if !door.ours {
                names.push_str(&format!(":{LENT}"));
            }
        }
        Ok(names.into())
    }

    /// Undoes [`Claim::hand_over`].
    pub(crate) fn keep(&self) -> io::Result<()> {
        descriptor::keep_for_children(&self.lock, false)?;
        for door in &self.doors {
            descriptor::keep_for_children(&door.listener, false)?;
        }
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The lock goes last: until then nobody else binds.
        self.close();
    }
}

impl Door {
    /// Whoever bound it removes it, unless another has bound it since.
    fn remove(self) {
        if self.ours && self.in_place() {
            drop(std::fs::remove_file(&self.path));
        }
    }

    fn in_place(&self) -> bool {
        entry(&self.path).is_ok_and(|found| found == self.bound)
    }
}

impl Handed {
    /// What the environment of this process names: ours after an upgrade ([`INHERIT`]), else systemd's
    /// (LISTEN_FDS, meant for the process that LISTEN_PID names).
    fn to_this_process() -> Self {
        let variable = std::env::var_os;
        match variable(INHERIT) {
            Some(names) => Self::inherited(&names),
            None => Self::activated(variable("LISTEN_PID"), variable("LISTEN_FDS")),
        }
    }

    fn inherited(names: &OsStr) -> Self {
        let mut words = names.to_str().unwrap_or_default().split(' ');
        let lock = words.next().and_then(|word| word.parse().ok());
        let doors = words.take(MOST).filter_map(|word| {
            let mut parts = word.split(':');
            let number: RawFd = parts.next()?.parse().ok()?;
            let bound = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let mut handle = Handle::new(descriptor::take(number)?)?;
            handle.bound = Some(bound);
            handle.ours = parts.next() != Some(LENT);
            Some(handle)
        });
        // The sockets first, in the order of the words: the lock's number is not among them, or is taken once.
        let doors = doors.collect();
        Self {
            lock: lock.and_then(descriptor::take).map(File::from),
            doors,
        }
    }

    fn activated(pid: Option<OsString>, count: Option<OsString>) -> Self {
        let number = |text: Option<OsString>| text?.to_str()?.parse::<u32>().ok();
        if number(pid) != Some(std::process::id()) {
            return Self::default();
        }
        let count = number(count)
            .unwrap_or(0)
            .min(u32::try_from(MOST).unwrap_or(0));
        let numbers = (3..3 + count).filter_map(|number| RawFd::try_from(number).ok());
        let doors = numbers
            .filter_map(|number| Handle::new(descriptor::take(number)?))
            .collect();
        Self { lock: None, doors }
    }
}

impl Handle {
    /// One that systemd lends. None, and it is closed: it is no socket that listens.
    fn new(descriptor: OwnedFd) -> Option<Self> {
        rustix::net::sockopt::socket_acceptconn(descriptor.as_fd())
            .is_ok_and(|listens| listens)
            .then(|| Self {
                listener: descriptor.into(),
                bound: None,
                ours: false,
            })
    }
}

/// The lock's file, locked. A file that somebody removed meanwhile is none: another could lock its successor.
fn take_lock(path: &Path) -> Result<File, Unclaimed> {
    loop {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
            .map_err(|error| io_at(path, error))?;
        match lock.try_lock() {
            Ok(()) if is_at(&lock, path) => return Ok(lock),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unclaimed::Taken),
            Err(TryLockError::Error(error)) => return Err(io_at(path, error)),
        }
    }
}

fn use_door(path: &Path, handle: Handle) -> Option<Door> {
    let found = socket(path)?;
    if handle.bound.is_some_and(|bound| bound != found) {
        return None;
    }
    handle.listener.set_nonblocking(true).ok()?;
    Some(Door {
        path: path.to_owned(),
        listener: handle.listener,
        bound: found,
        ours: handle.ours,
    })
}

fn bind(path: &Path, places: &Places) -> Result<Door, Unclaimed> {
    if let Some(folder) = path.parent() {
        create_folder(folder, places.uid())?;
    }
    match wire::endpoint::check_socket(path, places.uid()) {
        Ok(()) => std::fs::remove_file(path).map_err(|error| io_at(path, error))?,
        Err(EndpointError::Missing { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    let listener = UnixListener::bind(path).map_err(|error| io_at(path, error))?;
    let mode = Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).map_err(|error| io_at(path, error))?;
    listener
        .set_nonblocking(true)
        .map_err(|error| io_at(path, error))?;
    let bound = entry(path).map_err(|error| io_at(path, error))?;
    Ok(Door {
        path: path.to_owned(),
        listener,
        bound,
        ours: true,
    })
}

fn leads_to(listener: &UnixListener, path: &Path) -> bool {
    listener
        .local_addr()
        .is_ok_and(|address| address.as_pathname() == Some(path))
}

/// Whether a path still leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    file.metadata().is_ok_and(|open| {
        open.is_file() && entry(path).is_ok_and(|found| found == (open.dev(), open.ino()))
    })
}

fn socket(path: &Path) -> Option<Entry> {
    let found = std::fs::symlink_metadata(path).ok()?;
    found
        .file_type()
        .is_socket()
        .then(|| (found.dev(), found.ino()))
}

fn entry(path: &Path) -> io::Result<Entry> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

fn io_at(path: &Path, error: io::Error) -> Unclaimed {
    Unclaimed::Io {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::{BorrowedFd, IntoRawFd};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixStream;

    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        places: Places,
    }

    fn home() -> Home {
        let folder = tempfile::tempdir().unwrap();
        let uid = wire::os::uid().unwrap();
        let places = Places::new(uid, Some(folder.path().as_os_str()), || None).unwrap();
        Home { folder, places }
    }

    impl Home {
        fn claim(&self) -> Result<Claim, Unclaimed> {
            claim_with(&self.places, Handed::default())
        }

        fn socket(&self) -> PathBuf {
            self.folder.path().join("socket")
        }
    }

    fn knock(path: &Path, listener: &UnixListener) -> bool {
        let Ok(_stream) = UnixStream::connect(path) else {
            return false;
        };
        listener.accept().is_ok()
    }

    #[test]
    fn the_second_is_told_and_the_third_comes_after_the_first() {
        let home = home();
        let first = home.claim().unwrap();
        assert!(matches!(home.claim(), Err(Unclaimed::Taken)));
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&home.socket()), 0o600);
        assert_eq!(mode(&home.folder.path().join("lock")), 0o600);
        assert!(first.in_place(&home.places));
        assert!(knock(&home.socket(), &first.listeners().unwrap()[0]));
        drop(first);
        assert!(!home.socket().exists(), "a clean end leaves no socket");
        home.claim().unwrap();
    }

    #[test]
    fn a_hundred_at_once_over_a_stale_socket_make_one_owner() {
        for _ in 0..20 {
            let home = home();
            drop(UnixListener::bind(home.socket()).unwrap());
            let start = std::sync::Barrier::new(100);
            let claims: Vec<_> = std::thread::scope(|scope| {
                let starters: Vec<_> = (0..100)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            home.claim()
                        })
                    })
                    .collect();
                starters
                    .into_iter()
                    .map(|starter| starter.join().unwrap())
                    .collect()
            });
            let owners: Vec<_> = claims.iter().flatten().collect();
            assert_eq!(owners.len(), 1);
            assert!(knock(&home.socket(), &owners[0].listeners().unwrap()[0]));
            let taken = |claim: &&Result<_, _>| matches!(claim, Err(Unclaimed::Taken));
            assert_eq!(claims.iter().filter(taken).count(), 99);
        }
    }

    #[test]
    fn what_is_no_stale_socket_of_ours_is_left_alone() {
        for what in ["a file", "a folder", "a symlink"] {
            let home = home();
            let path = home.socket();
            match what {
                "a file" => fs::write(path, "precious").unwrap(),
                "a folder" => fs::create_dir(path).unwrap(),
                _ => symlink("/etc/passwd", path).unwrap(),
            }
            let error = home.claim().unwrap_err();
            assert!(matches!(error, Unclaimed::Place(_)), "{what}: {error}");
            assert!(fs::symlink_metadata(home.socket()).is_ok(), "{what}");
        }
    }

    #[test]
    fn a_lock_that_is_a_symlink_is_refused() {
        let home = home();
        let elsewhere = home.folder.path().join("elsewhere");
        symlink(&elsewhere, home.folder.path().join("lock")).unwrap();
        assert!(matches!(home.claim(), Err(Unclaimed::Io { .. })));
        assert!(!elsewhere.exists());
    }

    #[test]
    fn a_path_that_is_too_long_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(100));
        fs::create_dir(&deep).unwrap();
        fs::set_permissions(&deep, Permissions::from_mode(0o700)).unwrap();
        let uid = wire::os::uid().unwrap();
        let places = Places::new(uid, Some(deep.as_os_str()), || None).unwrap();
        let error = claim_with(&places, Handed::default()).unwrap_err();
        assert!(error.to_string().contains("107"), "{error}");
    }

    #[test]
    fn a_socket_that_is_gone_or_replaced_is_bound_again() {
        let home = home();
        let mut claim = home.claim().unwrap();
        assert!(claim.renew(&home.places).unwrap().is_empty());
        fs::remove_file(home.socket()).unwrap();
        assert!(!claim.in_place(&home.places));
        let new = claim.renew(&home.places).unwrap();
        assert!(knock(&home.socket(), &new[0]));

        fs::remove_file(home.socket()).unwrap();
        let squatter = UnixListener::bind(home.socket()).unwrap();
        assert!(!claim.in_place(&home.places));
        let new = claim.renew(&home.places).unwrap();
        assert!(knock(&home.socket(), &new[0]));
        drop(squatter);
        assert!(claim.in_place(&home.places));
    }

    #[test]
    fn a_lock_that_was_removed_is_taken_again_or_given_up() {
        let home = home();
        let mut claim = home.claim().unwrap();
        let lock = home.folder.path().join("lock");
        fs::remove_file(&lock).unwrap();
        assert!(!claim.in_place(&home.places));
        claim.renew(&home.places).unwrap();
        assert!(matches!(home.claim(), Err(Unclaimed::Taken)));

        fs::remove_file(&lock).unwrap();
        let other = home.claim().unwrap();
        assert!(matches!(claim.renew(&home.places), Err(Unclaimed::Taken)));
        drop(claim);
        assert!(
            other.in_place(&home.places),
            "the one who lost touches nothing"
        );
    }

    #[test]
    fn a_program_that_we_became_has_lock_and_socket_already() {
        let home = home();
        let claim = home.claim().unwrap();
        let names = claim.hand_over().unwrap();
        // As exec does: the same open files, under numbers that the variable names.
        let copy = |open: BorrowedFd<'_>| rustix::io::dup(open).unwrap().into_raw_fd();
        let (lock, door) = (
            copy(claim.lock.as_fd()),
            copy(claim.doors[0].listener.as_fd()),
        );
        claim.keep().unwrap();
        let words: Vec<_> = names.to_str().unwrap().split([' ', ':']).collect();
        let [_, _, device, inode] = words.try_into().unwrap();
        let names = format!("{lock} {door}:{device}:{inode}");

        let before = entry(&home.socket()).unwrap();
        let handed = Handed::inherited(OsStr::new(&names));
        let again = claim_with(&home.places, handed).unwrap();
        assert_eq!(entry(&home.socket()).unwrap(), before, "no closed door");
        assert!(knock(&home.socket(), &again.listeners().unwrap()[0]));
        assert!(again.doors[0].ours);
        std::mem::forget(claim);
    }

    #[test]
    fn numbers_that_are_not_ours_are_not_used() {
        let home = home();
        for names in [
            "",
            "x",
            "-1",
            "0 1:2:3",
            "99999 99998:1:1",
            "2:1:1",
            "1 2 3 4",
        ] {
            let handed = Handed::inherited(OsStr::new(names));
            assert!(handed.lock.is_none() && handed.doors.is_empty(), "{names}");
        }
        // A file that is open but another's, and a socket that does not listen.
        let file = File::open("/etc/passwd").unwrap();
        let handed = Handed {
            lock: Some(file),
            doors: vec![],
        };
        let claim = claim_with(&home.places, handed).unwrap();
        assert!(claim.in_place(&home.places));
        let (socket, _other) = UnixStream::pair().unwrap();
        assert!(Handle::new(socket.into()).is_none());
    }

    #[test]
    fn systemd_s_socket_is_used_and_stays() {
        let home = home();
        let listener = UnixListener::bind(home.socket()).unwrap();
        let bound = entry(&home.socket()).unwrap();
        let handed = Handed {
            lock: None,
            doors: vec![Handle::new(listener.into()).unwrap()],
        };
        let claim = claim_with(&home.places, handed).unwrap();
        assert_eq!(entry(&home.socket()).unwrap(), bound);
        assert!(knock(&home.socket(), &claim.listeners().unwrap()[0]));

        // It stays systemd's where an upgrade comes between.
        let names = claim.hand_over().unwrap();
        claim.keep().unwrap();
        let (lock, door) = names.to_str().unwrap().split_once(' ').unwrap();
        let (_, door) = door.split_once(':').unwrap();
        let again = claim.doors[0].listener.try_clone().unwrap().into_raw_fd();
        let handed = Handed::inherited(OsStr::new(&format!("{lock}00 {again}:{door}")));
        assert!(!handed.doors[0].ours, "{names:?}");

        drop(claim);
        assert!(home.socket().exists(), "it is systemd's");
        let other = (std::process::id() + 1).to_string();
        let handed = Handed::activated(Some(other.into()), Some("1".into()));
        assert!(handed.doors.is_empty(), "meant for another process");
    }
}
