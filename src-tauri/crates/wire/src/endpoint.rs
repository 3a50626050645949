//! Where the socket is, and whose.
//!
//! [`Places`] is the one answer that all three programs use. Before its first byte a client checks who owns
//! the folder and the socket, that others can't write there, that neither is a symlink, and who listens
//! ([`connect`]); the resident checks the same before it binds ([`create_folder`], [`check_folder`]).

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::os::{self, Patience, Purpose, Stream, Uid};

/// Where a user's Kubefob lives on this machine.
#[derive(Clone, Debug)]
pub struct Places {
    uid: Uid,
    instance: Option<PathBuf>,
    home_variable: fn() -> Option<OsString>,
}

impl Places {
    /// The places of the user `uid`. `kubefob_home` (KUBEFOB_HOME, of the person's own environment) makes it
    /// a separate instance; an empty one counts as none. `home` looks up the variable HOME, and is asked only
    /// where the system doesn't know the user's home; it is believed if that folder is the user's.
    ///
    /// # Errors
    /// [`EndpointError::NotAbsolute`] for a `kubefob_home` that depends on the folder one stands in.
    pub fn new(
        uid: Uid,
        kubefob_home: Option<&OsStr>,
        home: fn() -> Option<OsString>,
    ) -> Result<Self, EndpointError> {
        let instance = kubefob_home
            .filter(|home| !home.is_empty())
            .map(PathBuf::from);
        if let Some(path) = instance.as_ref().filter(|path| !path.is_absolute()) {
            return Err(EndpointError::NotAbsolute { path: path.clone() });
        }
        Ok(Self {
            uid,
            instance,
            home_variable: home,
        })
    }

    /// The places that this process's own user and environment name. Right for the resident and the window;
    /// the shim knows better whose environment counts.
    ///
    /// # Errors
    /// As [`Places::new`], or the system does not say who we are.
    pub fn of_this_process() -> Result<Self, EndpointError> {
        let uid = os::uid().map_err(EndpointError::Nameless)?;
        let instance = std::env::var_os("KUBEFOB_HOME");
        Self::new(uid, instance.as_deref(), || std::env::var_os("HOME"))
    }

    /// Whose places these are.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// The folder of a separate instance (KUBEFOB_HOME), if this is one.
    #[must_use]
    pub fn instance(&self) -> Option<&Path> {
        self.instance.as_deref()
    }

    /// The paths where the socket may be, in the order to try them. The resident binds the first.
    /// It is lazy: what only the second needs is not looked up when the first one answers.
    pub fn candidates(&self) -> impl Iterator<Item = Result<PathBuf, EndpointError>> + '_ {
        (0..2).filter_map(|turn| match (turn, &self.instance) {
            (0, Some(instance)) => Some(fitting(os::instance_socket(&self.uid, instance))),
            (0, None) => os::runtime_socket(&self.uid).map(fitting),
            (1, None) => {
                os::machine_socket(|| self.machine_folder()).map(|socket| socket.and_then(fitting))
            }
            _ => None,
        })
    }

    /// The user's home, as the system knows it.
    ///
    /// # Errors
    /// [`EndpointError::NoHome`].
    pub fn home(&self) -> Result<PathBuf, EndpointError> {
        if let Some(home) = os::home(&self.uid) {
            return Ok(home);
        }
        let variable = (self.home_variable)().map(PathBuf::from);
        match variable.filter(|home| home.is_absolute()) {
            Some(home) if os::owner(&home).is_ok_and(|owner| owner == self.uid) => Ok(home),
            _ => Err(EndpointError::NoHome {
                uid: Uid::clone(&self.uid),
            }),
        }
    }

    /// The folder of everything that rests: KUBEFOB_HOME itself, else `kubefob` in the home's data folder.
    ///
    /// # Errors
    /// [`EndpointError::NoHome`].
    pub fn data_folder(&self) -> Result<PathBuf, EndpointError> {
        match &self.instance {
            Some(instance) => Ok(instance.clone()),
            None => Ok(self.home()?.join(os::DATA)),
        }
    }

    /// The folder of what belongs to this machine alone, the lock first of all: a home on NFS serves
    /// several. KUBEFOB_HOME itself, else one named by the machine's id.
    ///
    /// # Errors
    /// [`EndpointError::NoHome`].
    pub fn machine_folder(&self) -> Result<PathBuf, EndpointError> {
        match &self.instance {
            Some(instance) => Ok(instance.clone()),
            None => Ok(self.data_folder()?.join("machines").join(machine())),
        }
    }
}

/// The machine's id as a file name. Hashed: it is short (a socket's path has 107 bytes), safe as a name, and
/// systemd asks that the id itself be shown to nobody.
fn machine() -> String {
    format!("{:016x}", fnv1a(os::machine_id().trim_ascii()))
}

/// FNV-1a. It only has to be the same tomorrow, which std's hasher does not promise.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn fitting(path: PathBuf) -> Result<PathBuf, EndpointError> {
    let length = path.as_os_str().len();
    if length > os::LONGEST_PATH {
        return Err(EndpointError::TooLong { path, length });
    }
    Ok(path)
}

/// Connects to a resident of the user `uid` at `socket`: folder and socket are checked first, the one who
/// listens afterwards, and until then not one byte is sent.
///
/// # Errors
/// [`EndpointError::Nobody`] if none listens there; [`EndpointError::TimedOut`]; else what makes the place
/// unsafe.
pub fn connect(
    socket: &Path,
    uid: &Uid,
    patience: impl Into<Patience>,
) -> Result<Stream, EndpointError> {
    let nobody = || EndpointError::Nobody {
        path: socket.to_path_buf(),
    };
    let checked = match os::folder_of(socket) {
        Some(folder) => {
            os::check_folder(folder, uid, Purpose::Ask).and_then(|()| check_socket(socket, uid))
        }
        None => check_socket(socket, uid),
    };
    match checked {
        Err(EndpointError::Missing { .. }) => return Err(nobody()),
        checked => checked?,
    }
    let stream = Stream::connect(socket, patience.into()).map_err(|error| {
        let kind = error.kind();
        if matches!(
            kind,
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
        ) {
            nobody()
        } else if kind == io::ErrorKind::TimedOut {
            EndpointError::TimedOut {
                path: socket.to_path_buf(),
            }
        } else {
            EndpointError::Io {
                path: socket.to_path_buf(),
                error,
            }
        }
    })?;
    let peer = stream.peer().map_err(|error| EndpointError::Io {
        path: socket.to_path_buf(),
        error,
    })?;
    if peer.uid != *uid {
        return Err(EndpointError::Foreign {
            path: socket.to_path_buf(),
            owner: peer.uid,
        });
    }
    Ok(stream)
}

/// Checks the folder of a socket or lock: a folder and no symlink, owned by `uid`, writable by nobody else,
/// and not in one where anybody may rename it (world-writable without the sticky bit; another user's, or one whose owner a
/// user namespace keeps from us).
///
/// # Errors
/// [`EndpointError::Missing`], or what is wrong with it.
pub fn check_folder(folder: &Path, uid: &Uid) -> Result<(), EndpointError> {
    os::check_folder(folder, uid, Purpose::Keep)
}

/// Checks a socket's own entry: a socket and no symlink, owned by `uid`.
///
/// # Errors
/// [`EndpointError::Missing`], or what is wrong with it.
pub fn check_socket(socket: &Path, uid: &Uid) -> Result<(), EndpointError> {
    os::check_socket(socket, uid)
}

/// Makes the folder (and those above that are missing) for its user alone, if it isn't there, and checks it.
///
/// # Errors
/// What is wrong with it, or why it can't be made.
pub fn create_folder(folder: &Path, uid: &Uid) -> Result<(), EndpointError> {
    os::create_folder(folder).map_err(|error| EndpointError::Uncreated {
        path: folder.to_path_buf(),
        error,
    })?;
    check_folder(folder, uid)
}

/// What can be wrong with a place. Each text says what, and what to do, in one line.
#[derive(Debug)]
pub enum EndpointError {
    /// Nobody listens there: no socket, or a stale one.
    Nobody {
        /// The socket.
        path: PathBuf,
    },
    /// It isn't there.
    Missing {
        /// What isn't.
        path: PathBuf,
    },
    /// Somebody listens, but took no connection in time.
    TimedOut {
        /// The socket.
        path: PathBuf,
    },
    /// KUBEFOB_HOME is relative.
    NotAbsolute {
        /// What it says.
        path: PathBuf,
    },
    /// The system does not know the user's home, and HOME is none either.
    NoHome {
        /// The user.
        uid: Uid,
    },
    /// The system does not say who the user is.
    Nameless(io::Error),
    /// A socket's path can't be that long.
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its bytes.
        length: usize,
    },
    /// A symlink where none may be.
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Neither folder nor socket, where one of them belongs.
    WrongKind {
        /// What it is that is neither.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// It belongs to another user.
    Foreign {
        /// The socket or folder.
        path: PathBuf,
        /// Whose it is.
        owner: Uid,
    },
    /// Others may write to the folder.
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Others may replace the folder, since they may rename in one above.
    Replaceable {
        /// The folder above.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It belongs to somebody whom this user namespace has no number for: to root, or to anybody.
    Unmapped {
        /// The folder, or link.
        path: PathBuf,
    },
    /// The folder can't be made.
    Uncreated {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Anything else that the system said.
    Io {
        /// What it said it about.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody { path } => write!(f, "nobody listens on {}", Shown(path)),
            Self::Missing { path } => write!(f, "{} does not exist", Shown(path)),
            Self::TimedOut { path } => {
                write!(
                    f,
                    "Kubefob takes no connection on {}: end it and try again",
                    Shown(path)
                )
            }
            Self::NotAbsolute { path } => {
                write!(
                    f,
                    "KUBEFOB_HOME is {}: it must be an absolute path",
                    Shown(path)
                )
            }
            Self::NoHome { uid } => {
                write!(
                    f,
                    "user {uid} has no home folder of its own: set HOME to one"
                )
            }
            Self::Nameless(error) => write!(f, "the system does not say who you are: {error}"),
            Self::TooLong { path, length } => write!(
                f,
                "the socket's path has {length} bytes and {} are allowed, use a shorter folder: {}",
                os::LONGEST_PATH,
                Shown(path)
            ),
            Self::Symlink { path } => {
                write!(
                    f,
                    "{} is a symlink, which is unsafe: remove it",
                    Shown(path)
                )
            }
            Self::WrongKind { path, expected } => {
                write!(f, "{} is no {expected}: move it away", Shown(path))
            }
            Self::Foreign { path, owner } => write!(
                f,
                "{} belongs to user {owner} and not to you: nothing was sent, ask who put it there",
                Shown(path)
            ),
            Self::Writable { path, mode } => write!(
                f,
                "others may write to {0} (mode {mode:04o}): chmod 700 {0}",
                Shown(path)
            ),
            Self::Replaceable { path, mode } => write!(
                f,
                "others may rename in {0} (mode {mode:04o}): chmod go-w {0}, or use another folder",
                Shown(path)
            ),
            Self::Unmapped { path } => write!(
                f,
                "{} belongs to root or to anybody, which this sandbox (user namespace) hides: start Kubefob outside of it, or use a KUBEFOB_HOME below your home",
                Shown(path)
            ),
            Self::Uncreated { path, error } => {
                write!(f, "the folder {} can't be made: {error}", Shown(path))
            }
            Self::Io { path, error } => write!(f, "{}: {error}", Shown(path)),
        }
    }
}

/// A path as one line: control characters in it are shown as such and not obeyed.
struct Shown<'a>(&'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.to_string_lossy().chars() {
            if char.is_control() {
                write!(f, "{}", char.escape_default())?;
            } else {
                write!(f, "{char}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for EndpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Nameless(error) | Self::Uncreated { error, .. } | Self::Io { error, .. } => {
                Some(error)
            }
            Self::Nobody { .. }
            | Self::Missing { .. }
            | Self::TimedOut { .. }
            | Self::NotAbsolute { .. }
            | Self::NoHome { .. }
            | Self::TooLong { .. }
            | Self::Symlink { .. }
            | Self::WrongKind { .. }
            | Self::Foreign { .. }
            | Self::Writable { .. }
            | Self::Replaceable { .. }
            | Self::Unmapped { .. } => None,
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
