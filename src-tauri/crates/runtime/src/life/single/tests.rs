use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::fd::{AsFd as _, BorrowedFd, IntoRawFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;
use crate::os::door::Handle;

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
    let mut first = home.claim().unwrap();
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
        let mut claims: Vec<_> = std::thread::scope(|scope| {
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
        let mut owners: Vec<_> = claims.iter_mut().flatten().collect();
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
fn a_lock_that_is_no_regular_file_is_refused_without_a_wait() {
    let home = home();
    let lock = home.folder.path().join("lock");
    let elsewhere = home.folder.path().join("elsewhere");
    let pipe = || {
        let made = std::process::Command::new("mkfifo").arg(&lock).status();
        assert!(made.unwrap().success());
    };
    let link = |to: &Path| symlink(to, &lock).unwrap();
    let makes: [&dyn Fn(); 3] = [
        &|| link(&elsewhere),
        &|| link(Path::new("/dev/full")),
        &pipe,
    ];
    for make in makes {
        make();
        let refused = home.claim().unwrap_err();
        assert!(matches!(refused, Unclaimed::Lock { .. }), "{refused}");
        assert!(
            refused.to_string().contains("it is no regular file"),
            "{refused}"
        );
        std::fs::remove_file(&lock).unwrap();
    }
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

    let before = of_entry(&home.socket()).unwrap();
    let handed = Handed::inherited(OsStr::new(&names));
    let mut again = claim_with(&home.places, handed).unwrap();
    assert_eq!(of_entry(&home.socket()).unwrap(), before, "no closed door");
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
    let bound = of_entry(&home.socket()).unwrap();
    let handed = Handed {
        lock: None,
        doors: vec![Handle::new(listener.into()).unwrap()],
    };
    let mut claim = claim_with(&home.places, handed).unwrap();
    assert_eq!(of_entry(&home.socket()).unwrap(), bound);
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
