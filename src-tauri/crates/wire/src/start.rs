//! Starting the resident when nobody answers: for the shim, and for the window.
//!
//! A hundred may do so at one instant. Who stays is decided by the resident's own lock; ours (`starting`, beside
//! the socket) only spares the machine ninety-nine useless starts.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::endpoint::{self, EndpointError, Places};
use crate::os::{self, Stream};

/// What the resident is called with by whoever needs it to be there and nothing else.
pub const BACKGROUND: &str = "--background";

/// How much of what a resident says of its failed start is passed on.
const SAID: usize = 2048;

/// Why there is no resident.
#[derive(Debug)]
pub enum Unstarted {
    /// There is no program to start.
    Missing {
        /// Where it should be.
        looked: PathBuf,
    },
    /// It can't be started.
    Refused {
        /// Which.
        program: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It ended instead of listening.
    Ended {
        /// Which.
        program: PathBuf,
        /// How.
        status: String,
        /// What it said of that.
        said: String,
    },
    /// It was started and doesn't listen.
    Silent {
        /// After how long.
        seconds: u64,
    },
    /// The socket's place is unsafe or impossible.
    Place(EndpointError),
}

impl fmt::Display for Unstarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { looked } => write!(
                f,
                "Kubefob is not running and {} is not there to be started: install both side by side",
                looked.display()
            ),
            Self::Refused { program, error } => {
                write!(f, "{} can't be started: {error}", program.display())
            }
            Self::Ended {
                program,
                status,
                said,
            } if said.is_empty() => write!(
                f,
                "Kubefob ended at its start ({status}): run {} to see why",
                program.display()
            ),
            Self::Ended { said, .. } => write!(f, "Kubefob can't start: {said}"),
            Self::Silent { seconds } => {
                write!(
                    f,
                    "Kubefob was started and does not listen after {seconds} s: try again"
                )
            }
            Self::Place(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Unstarted {}

impl From<EndpointError> for Unstarted {
    fn from(error: EndpointError) -> Self {
        Self::Place(error)
    }
}

/// The resident that listens at the first of the candidates where one does, or none.
///
/// # Errors
/// A place that can't be used.
pub fn connect(places: &Places, patience: Duration) -> Result<Option<Stream>, EndpointError> {
    for socket in places.candidates() {
        match socket.and_then(|socket| endpoint::connect(&socket, places.uid(), patience)) {
            Ok(stream) => return Ok(Some(stream)),
            Err(EndpointError::Nobody { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Starts the resident, or waits for the one that somebody else starts, and connects to it. `variables` are the
/// person's own, of which it gets a few; `starting` is called when one is started.
///
/// For a program of one thread: what it has open is closed for the one that it starts.
///
/// # Errors
/// Why there is none.
pub fn resident(
    places: &Places,
    variables: impl Fn() -> Vec<(OsString, OsString)>,
    patience: Duration,
    mut starting: impl FnMut(),
) -> Result<Stream, Unstarted> {
    let program = program()?;
    os::unmask_owner();
    let lock = lock_file(places)?;
    let deadline = Instant::now() + patience;
    let mut started = None;
    let mut pause = Duration::from_millis(1);
    loop {
        // Whoever held the lock before us let go of it when the socket was there: so first the lock, then
        // another look.
        let ours = started.is_none() && lock.as_ref().is_none_or(take);
        if let Some(stream) = connect(places, patience)? {
            return Ok(stream);
        }
        if ours {
            starting();
            started = Some(spawn(&program, places, variables())?);
        }
        if let Some(child) = &mut started
            && has_ended_well(&program, child)?
        {
            started = None;
        }
        if Instant::now() >= deadline {
            return Err(Unstarted::Silent {
                seconds: patience.as_secs(),
            });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Whether a program is a shell, by its file: whatever it starts, a person or their script has it do so.
#[must_use]
pub fn is_shell(program: &Path) -> bool {
    const SHELLS: [&str; 16] = [
        "ash", "bash", "busybox", "csh", "dash", "elvish", "fish", "ksh", "ksh93", "mksh", "nu",
        "pwsh", "sh", "tcsh", "xonsh", "zsh",
    ];
    let name = program.file_stem().and_then(OsStr::to_str);
    name.is_some_and(|name| SHELLS.contains(&name))
}

/// Whether there is a resident's program to start.
#[must_use]
pub fn is_installed() -> bool {
    program().is_ok()
}

/// `kubefob` in our own folder.
fn program() -> Result<PathBuf, Unstarted> {
    let ours = os::this_program().map_err(|looked| Unstarted::Missing { looked })?;
    let name = format!("kubefob{}", std::env::consts::EXE_SUFFIX);
    let program = ours.with_file_name(name);
    if program.is_file() {
        Ok(program)
    } else {
        Err(Unstarted::Missing { looked: program })
    }
}

/// The file `starting`. Without one everybody may start, as where locks don't work.
fn lock_file(places: &Places) -> Result<Option<File>, Unstarted> {
    let socket = places.candidates().next();
    let Some(socket) = socket.transpose().map_err(Unstarted::Place)? else {
        let looked = PathBuf::from("/run/user");
        return Err(Unstarted::Place(EndpointError::Missing { path: looked }));
    };
    let folder = match os::folder_of(&socket) {
        Some(folder) => folder.to_path_buf(),
        None => places.machine_folder()?,
    };
    endpoint::create_folder(&folder, places.uid()).map_err(Unstarted::Place)?;
    Ok(os::open_lock(&folder.join("starting")).ok())
}

/// Whether it is ours to start. Where locks don't work everybody may: the resident's own decides.
fn take(lock: &File) -> bool {
    !matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

/// One that lost the race to another ends well. That other one is waited for; or, where it was just ending
/// itself, one is started again.
fn has_ended_well(program: &Path, child: &mut Child) -> Result<bool, Unstarted> {
    match child.try_wait() {
        Ok(Some(status)) if !status.success() => Err(Unstarted::Ended {
            program: program.to_path_buf(),
            status: status.to_string(),
            said: child.stderr.as_ref().map(said).unwrap_or_default(),
        }),
        Ok(ended) => Ok(ended.is_some()),
        Err(_) => Ok(false),
    }
}

/// The last thing that it said, as one inert line: of a panic that is not its first one.
fn said(stderr: &ChildStderr) -> String {
    let said = os::said_so_far(stderr, SAID);
    let said = String::from_utf8_lossy(&said);
    let ours = |line: &str| line.strip_prefix("kubefob: ").map(str::to_owned);
    let line = said.lines().rev().find_map(ours).unwrap_or_default();
    line.chars().filter(|char| !char.is_control()).collect()
}

fn spawn(
    program: &Path,
    places: &Places,
    variables: Vec<(OsString, OsString)>,
) -> Result<Child, Unstarted> {
    let unstarted = |error| Unstarted::Refused {
        program: program.to_path_buf(),
        error,
    };
    os::inherit_nothing().map_err(unstarted)?;
    let mut command = Command::new(program);
    command
        .arg(BACKGROUND)
        .env_clear()
        .envs(environment(places, variables))
        .current_dir(os::root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // Until it listens: then it lets go of it.
        .stderr(Stdio::piped());
    os::detach(&mut command);
    command.spawn().map_err(unstarted)
}

/// What the resident may know of the environment of whoever happened to start it. No LD_*, no RUST_LOG, no
/// SSL_*, no proxy: it lives for days and serves everybody of this user.
fn environment(
    places: &Places,
    mut passed: Vec<(OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let home = passed
        .iter()
        .find(|(name, _)| name == "HOME")
        .map(|(_, home)| home.clone());
    passed.retain(|(name, value)| is_passed(name, value));
    if !passed.iter().any(|(name, _)| os::is_named(name, "PATH")) {
        passed.push(("PATH".into(), os::USUAL_PATH.into()));
    }
    if let Ok(home) = places.home() {
        passed.push(("HOME".into(), home.into()));
    }
    if let Some(instance) = places.instance() {
        passed.push(("KUBEFOB_HOME".into(), instance.into()));
        passed.extend(home.map(|home| ("KUBEFOB_PERSON_HOME".into(), home)));
    }
    passed
}

fn is_passed(name: &OsStr, value: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name == "LANG" || name.starts_with("LC_") || os::is_passed(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn a_hostile_environment_does_not_reach_the_resident() {
        let person = owned(&[
            ("PATH", "/bin"),
            ("LANG", "C"),
            ("LC_ALL", "C"),
            ("HOME", "/home/other"),
            ("LD_PRELOAD", "x"),
            ("RUST_LOG", "trace"),
            ("SSL_CERT_FILE", "x"),
            ("HTTPS_PROXY", "http://x"),
            ("XDG_DATA_HOME", "/x"),
            ("WEBKIT_X", "1"),
            ("GTK_X", "1"),
            ("DISPLAY", "evil:0"),
            ("DBUS_SESSION_BUS_ADDRESS", "tcp:host=evil"),
            ("KUBECONFIG", "/x"),
            ("KUBEFOB_HOME", "/x"),
        ]);
        let uid = crate::os::uid().unwrap();
        let places = Places::new(uid, None, || None).unwrap();
        let home = places.home().unwrap();
        let home = home.to_str().unwrap();
        let expected = [
            ("PATH", "/bin"),
            ("LANG", "C"),
            ("LC_ALL", "C"),
            ("HOME", home),
        ];
        assert_eq!(environment(&places, person.clone()), owned(&expected));

        let instance = Places::new(uid, Some(OsStr::new("/tmp/k")), || None).unwrap();
        let mut expected = expected.to_vec();
        expected.extend([
            ("KUBEFOB_HOME", "/tmp/k"),
            ("KUBEFOB_PERSON_HOME", "/home/other"),
        ]);
        assert_eq!(environment(&instance, person), owned(&expected));

        let expected = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", home)];
        assert_eq!(environment(&places, Vec::new()), owned(&expected));
    }

    #[test]
    fn shells_are_known_by_their_file() {
        for (program, expected) in [
            ("/bin/sh", true),
            ("/usr/bin/zsh", true),
            ("/usr/bin/node", false),
            ("/usr/bin/shh", false),
            ("/", false),
        ] {
            assert_eq!(is_shell(Path::new(program)), expected, "{program}");
        }
    }

    #[test]
    fn a_local_desktop_is_passed_on() {
        for (name, value) in [
            ("DISPLAY", ":0"),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus"),
            ("WAYLAND_DISPLAY", "wayland-0"),
        ] {
            assert!(is_passed(OsStr::new(name), OsStr::new(value)), "{name}");
        }
        assert!(!is_passed(
            OsStr::new("DBUS_SESSION_BUS_ADDRESS"),
            OsStr::new("unixexec:path=x")
        ));
    }
}
