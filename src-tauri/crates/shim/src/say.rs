//! The sentences that the shim has of its own: one line each. All others are the resident's.

use std::fmt;
use std::io;
use std::path::PathBuf;

use wire::endpoint::EndpointError;
use wire::frame::FrameError;
use wire::start::Unstarted;

/// Something that the resident can't say, since there is none to say it.
#[derive(Debug)]
pub(crate) enum Say {
    /// It is being started.
    Starting,
    /// It can't be started.
    Unstarted(Unstarted),
    /// `sudo -E`: this would put root's files into a person's home.
    OthersHome { home: PathBuf },
    /// The system doesn't say who we are.
    Nameless(io::Error),
    /// The socket's place is unsafe or impossible.
    Place(EndpointError),
    /// The resident answers wrongly, or no more.
    Reply(FrameError),
    /// Our own question is too long.
    TooLong(FrameError),
    /// Lines came before a question was there, or several at once.
    TypedAhead,
    /// Standard output takes nothing.
    Output(io::Error),
}

impl fmt::Display for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => write!(f, "starting Kubefob …"),
            Self::Unstarted(error) => write!(f, "{error}"),
            Self::OthersHome { home } => write!(
                f,
                "{} belongs to another user, so Kubefob is not started as root: run kubectl without sudo, or use sudo -H",
                home.display()
            ),
            Self::Nameless(error) => write!(f, "the system does not say who you are: {error}"),
            Self::Place(error) => write!(f, "{error}"),
            Self::Reply(FrameError::TimedOut) => {
                write!(f, "Kubefob does not answer: end it and try again")
            }
            Self::Reply(FrameError::Closed | FrameError::CutOff) => {
                write!(f, "Kubefob ended before its answer was whole: try again")
            }
            Self::Reply(FrameError::VersionMismatch { ours, theirs }) => write!(
                f,
                "the running Kubefob speaks version {theirs} and this kubectl-fob {ours}: install both from one release and restart Kubefob"
            ),
            Self::Reply(FrameError::NotKubefob) => {
                write!(
                    f,
                    "what listens on Kubefob's socket is not Kubefob: end it and try again"
                )
            }
            Self::Reply(
                error @ (FrameError::TooLong { .. }
                | FrameError::UnknownKind(_)
                | FrameError::Malformed { .. }
                | FrameError::Io(_)),
            ) => write!(f, "Kubefob's answer can't be read: {error}"),
            Self::TooLong(error) => write!(f, "too many or too long arguments: {error}"),
            Self::TypedAhead => write!(
                f,
                "what was typed before the question was here, or in several lines at once, is no answer: type it now"
            ),
            Self::Output(error) => write!(f, "standard output can't be written: {error}"),
        }
    }
}
