use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use super::*;

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Self::path(name);
        create_folder(&path, &me()).unwrap();
        Self(path)
    }

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("wire-{}-{name}", std::process::id()))
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn me() -> Uid {
    os::uid().unwrap()
}

fn stranger() -> Uid {
    me() + 1
}

fn soon() -> Duration {
    Duration::from_millis(50)
}

fn no_variable() -> Option<OsString> {
    None
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn candidates(places: &Places) -> Vec<String> {
    let paths = places.candidates().map(|path| path.unwrap());
    paths
        .map(|path| path.to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_instance_has_one_socket_in_its_own_folder() {
    let places = Places::new(me(), Some(OsStr::new("/tmp/k")), no_variable).unwrap();
    assert_eq!(candidates(&places), ["/tmp/k/socket"]);
    assert_eq!(places.machine_folder().unwrap(), Path::new("/tmp/k"));
    assert_eq!(places.data_folder().unwrap(), Path::new("/tmp/k"));
}

#[test]
fn a_user_has_the_runtime_folder_and_the_machine_s() {
    let places = Places::new(me(), Some(OsStr::new("")), no_variable).unwrap();
    let (mut found, home) = (candidates(&places), places.home().unwrap());
    let machine = format!(".local/share/kubefob/machines/{}/socket", machine());
    assert_eq!(Path::new(&found.pop().unwrap()), home.join(machine));
    let runtime = format!("/run/user/{}", me());
    let there = os::owner(Path::new(&runtime)).is_ok_and(|owner| owner == me());
    let expected = there.then(|| format!("{runtime}/kubefob/socket"));
    assert_eq!(found, Vec::from_iter(expected));
}

#[test]
fn a_home_that_only_the_variable_names_must_be_the_user_s() {
    fn variable() -> Option<OsString> {
        Some(Folder::path("home").into_os_string())
    }
    let ours = Folder::new("home");
    // A user that no passwd knows, so that the variable is asked.
    let unknown = 3_999_999_999;
    let places = Places::new(unknown, None, variable).unwrap();
    let error = places.home().unwrap_err();
    assert!(matches!(error, EndpointError::NoHome { uid } if uid == unknown));
    let nowhere = Places::new(unknown, None, no_variable).unwrap();
    let error = nowhere.candidates().next().unwrap();
    assert!(matches!(error, Err(EndpointError::NoHome { .. })));
    if std::os::unix::fs::chown(&ours.0, Some(unknown), None).is_ok() {
        assert_eq!(places.home().unwrap(), ours.0);
        assert_eq!(candidates(&places).len(), 1);
    }
}

#[test]
fn a_relative_or_long_place_is_refused() {
    let error = Places::new(me(), Some(OsStr::new("here")), no_variable).unwrap_err();
    assert!(matches!(error, EndpointError::NotAbsolute { .. }));
    // 107 bytes fit: the folder, a slash and "socket".
    for (length, fits) in [(100, true), (101, false)] {
        let home = format!("/{}", "x".repeat(length - 1));
        let places = Places::new(me(), Some(OsStr::new(&home)), no_variable).unwrap();
        let found = places.candidates().next().unwrap();
        assert_eq!(found.is_ok(), fits, "{found:?}");
        assert!(fits || matches!(found, Err(EndpointError::TooLong { length: 108, .. })));
    }
}

#[test]
fn a_machine_s_name_is_short_and_stays() {
    assert_eq!(format!("{:016x}", fnv1a(b"foobar")), "85944171f73967e8");
    assert_eq!(machine(), machine());
    assert!(machine().len() == 16 && machine().bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn a_folder_is_made_for_its_user_alone() {
    let base = Folder::new("made");
    let deep = base.join("a/b/c");
    create_folder(&deep, &me()).unwrap();
    for folder in [base.join("a"), base.join("a/b"), deep] {
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o7777,
            0o700
        );
    }
    fs::write(base.join("file"), "").unwrap();
    let error = create_folder(&base.join("file/below"), &me()).unwrap_err();
    assert!(matches!(
        error,
        EndpointError::WrongKind { .. } | EndpointError::Io { .. }
    ));
}

#[test]
fn an_unsafe_folder_is_refused() {
    let base = Folder::new("unsafe");
    let folder = base.join("folder");
    let check = || check_folder(&folder, &me());
    assert!(matches!(check(), Err(EndpointError::Missing { .. })));
    fs::create_dir(&folder).unwrap();
    for (mode, safe) in [(0o700, true), (0o755, true), (0o720, false), (0o702, false)] {
        chmod(&folder, mode);
        assert_eq!(check().is_ok(), safe, "{mode:o}");
        assert!(safe || matches!(check(), Err(EndpointError::Writable { .. })));
    }
    chmod(&folder, 0o700);
    assert!(matches!(
        check_folder(&folder, &stranger()),
        Err(EndpointError::Foreign { owner, .. }) if owner == me()
    ));
    chmod(&base.0, 0o777);
    assert!(matches!(check(), Err(EndpointError::Replaceable { .. })));
    chmod(&base.0, 0o1777);
    assert!(check().is_ok());
    chmod(&base.0, 0o700);
    // Further up, and where a link leads.
    let deep = base.join("above/between/folder");
    fs::create_dir_all(&deep).unwrap();
    chmod(&deep, 0o700);
    symlink(base.join("above/between"), base.join("way")).unwrap();
    let by_link = base.join("way/folder");
    for path in [&deep, &by_link] {
        assert!(check_folder(path, &me()).is_ok());
        chmod(&base.join("above"), 0o777);
        assert!(
            matches!(
                check_folder(path, &me()),
                Err(EndpointError::Replaceable { path, .. }) if path == base.join("above")
            ),
            "{path:?}"
        );
        chmod(&base.join("above"), 0o755);
        // Only root can give a folder away.
        if me() == 0 {
            std::os::unix::fs::chown(base.join("above"), Some(4711), None).unwrap();
            assert!(matches!(
                check_folder(path, &me()),
                Err(EndpointError::Foreign { owner: 4711, .. })
            ));
            std::os::unix::fs::chown(base.join("above"), Some(0), None).unwrap();
        }
    }
    let link = base.join("link");
    symlink(&folder, &link).unwrap();
    assert!(matches!(
        check_folder(&link, &me()),
        Err(EndpointError::Symlink { .. })
    ));
    fs::write(base.join("file"), "").unwrap();
    let error = check_folder(&base.join("file"), &me()).unwrap_err();
    assert!(matches!(error, EndpointError::WrongKind { .. }));
}

#[test]
fn every_link_on_the_way_is_looked_at_and_where_it_stands() {
    let base = Folder::new("between");
    create_folder(&base.join("real/folder"), &me()).unwrap();
    create_folder(&base.join("open"), &me()).unwrap();
    // home/first -> open/second -> real: nothing of `open` is left in the way that is written, or in where it leads.
    symlink("../real", base.join("open/second")).unwrap();
    create_folder(&base.join("home"), &me()).unwrap();
    symlink(base.join("open/second"), base.join("home/first")).unwrap();
    let folder = base.join("home/first/folder");
    let check = || check_folder(&folder, &me());
    assert!(check().is_ok(), "{:?}", check());
    let open = base.join("open");
    chmod(&open, 0o777);
    assert!(matches!(check(), Err(EndpointError::Replaceable { path, .. }) if path == open));
    chmod(&open, 0o1777);
    assert!(check().is_ok());
    // Only root can give a link away.
    if me() == 0 {
        let second = base.join("open/second");
        std::os::unix::fs::lchown(&second, Some(4711), None).unwrap();
        assert!(
            matches!(check(), Err(EndpointError::Foreign { path, owner: 4711 }) if path == second)
        );
    }
    symlink(base.join("round"), base.join("round")).unwrap();
    let round = check_folder(&base.join("round/folder"), &me());
    assert!(matches!(round, Err(EndpointError::Io { .. })), "{round:?}");
    assert!(check_folder(&base.join("home/../real/./folder/"), &me()).is_ok());
}

/// Gives somebody a folder by an access list (acl(5)), which shows as the group's bits. False where there are none.
fn admit(folder: &Path, other: Uid) -> bool {
    const NOBODY: u32 = u32::MAX;
    let entries = [
        (0x01, 7, NOBODY),
        (0x02, 7, other),
        (0x04, 5, NOBODY),
        (0x10, 7, NOBODY),
        (0x20, 5, NOBODY),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        list.extend(u16::to_le_bytes(tag));
        list.extend(u16::to_le_bytes(rights));
        list.extend(u32::to_le_bytes(id));
    }
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(folder, "system.posix_acl_access", &list, flags).is_ok()
}

#[test]
fn a_folder_that_an_access_list_gives_to_somebody_is_refused() {
    let base = Folder::new("admitted");
    let folder = base.join("above/folder");
    create_folder(&folder, &me()).unwrap();
    let above = base.join("above");
    // The group's bit alone: the group has this user's number, and nobody else in it where tests run.
    std::os::unix::fs::chown(&above, None, Some(me())).unwrap();
    chmod(&above, 0o775);
    let private = os::group_is_harmless(me(), me(), || false);
    assert_eq!(check_folder(&folder, &me()).is_ok(), private);
    if !admit(&above, stranger()) {
        println!("skipped: no access lists in {}", above.display());
        return;
    }
    assert!(matches!(
        check_folder(&folder, &me()),
        Err(EndpointError::Replaceable { path, .. }) if path == above
    ));
}

#[test]
fn an_unsafe_socket_is_refused() {
    let base = Folder::new("socket");
    let socket = base.join("socket");
    let connect = || connect(&socket, &me(), soon()).map(|_| ());
    assert!(
        matches!(connect(), Err(EndpointError::Nobody { .. })),
        "nothing there"
    );
    fs::write(&socket, "").unwrap();
    assert!(matches!(connect(), Err(EndpointError::WrongKind { .. })));
    fs::remove_file(&socket).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    assert!(connect().is_ok());
    let error = super::connect(&socket, &stranger(), soon()).unwrap_err();
    assert!(matches!(error, EndpointError::Foreign { .. }));
    assert!(matches!(
        check_socket(&socket, &stranger()),
        Err(EndpointError::Foreign { .. })
    ));
    drop(listener);
    assert!(
        matches!(connect(), Err(EndpointError::Nobody { .. })),
        "stale"
    );
    fs::rename(&socket, base.join("other")).unwrap();
    symlink(base.join("other"), &socket).unwrap();
    assert!(matches!(connect(), Err(EndpointError::Symlink { .. })));
    fs::remove_dir_all(&base.0).unwrap();
    assert!(
        matches!(connect(), Err(EndpointError::Nobody { .. })),
        "no folder"
    );
    fs::create_dir(&base.0).unwrap();
}

#[test]
fn a_stream_carries_frames_and_keeps_its_deadline() {
    use crate::frame::{Decoder, Encoder, FrameError, Reply, Request, read_frame, write_frame};
    let base = Folder::new("stream");
    let listener = UnixListener::bind(base.join("socket")).unwrap();
    let mut stream = connect(&base.join("socket"), &me(), soon()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut replies = Decoder::<Reply>::new();
    let error = read_frame(&mut stream, &mut replies).unwrap_err();
    assert!(matches!(error, FrameError::TimedOut));

    // More than the socket's buffer, so that the writer has to wait for the reader.
    let request = Request::Command(vec![7; 60_000]);
    let expected = vec![request.clone(); 20];
    let reader = std::thread::spawn(move || {
        let mut requests = Decoder::<Request>::new();
        let got = (0..20).map(|_| read_frame(&mut server, &mut requests).unwrap());
        let got = got.collect::<Vec<_>>();
        write_frame(&mut server, &mut Encoder::new(), &Reply::Exit(0)).unwrap();
        got
    });
    stream.set_patience(Duration::from_secs(20));
    let mut requests = Encoder::new();
    for request in &expected {
        write_frame(&mut stream, &mut requests, request).unwrap();
    }
    assert_eq!(
        read_frame(&mut stream, &mut replies).unwrap(),
        Reply::Exit(0)
    );
    assert!(reader.join().unwrap() == expected);
    let error = read_frame(&mut stream, &mut replies).unwrap_err();
    assert!(matches!(error, FrameError::Closed));
    let error = write_frame(&mut stream, &mut requests, &expected[0]).unwrap_err();
    assert!(
        matches!(error, FrameError::Closed),
        "an error, not SIGPIPE's end"
    );
}

#[test]
fn a_full_queue_ends_at_the_deadline() {
    let base = Folder::new("queue");
    let listener = UnixListener::bind(base.join("socket")).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut held = Vec::new();
    let error = loop {
        match connect(&base.join("socket"), &me(), soon()) {
            Ok(stream) => held.push(stream),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, EndpointError::TimedOut { .. }), "{error:?}");
}

#[test]
fn each_error_is_one_line_that_says_what_to_do() {
    let path = || PathBuf::from(OsStr::from_bytes(b"/tmp/a\n\x1b[31m"));
    let uid = me();
    let io = || io::Error::from(io::ErrorKind::PermissionDenied);
    let errors = [
        EndpointError::Nobody { path: path() },
        EndpointError::Missing { path: path() },
        EndpointError::TimedOut { path: path() },
        EndpointError::NotAbsolute { path: path() },
        EndpointError::NoHome { uid },
        EndpointError::Nameless(io()),
        EndpointError::TooLong {
            path: path(),
            length: 200,
        },
        EndpointError::Symlink { path: path() },
        EndpointError::WrongKind {
            path: path(),
            expected: "folder",
        },
        EndpointError::Foreign {
            path: path(),
            owner: uid,
        },
        EndpointError::Writable {
            path: path(),
            mode: 0o777,
        },
        EndpointError::Replaceable {
            path: path(),
            mode: 0o777,
        },
        EndpointError::Unmapped { path: path() },
        EndpointError::Uncreated {
            path: path(),
            error: io(),
        },
        EndpointError::Io {
            path: path(),
            error: io(),
        },
    ];
    for error in errors {
        let text = error.to_string();
        assert!(
            !text.contains(char::is_control) && text.len() > 20,
            "{text:?}"
        );
    }
}
