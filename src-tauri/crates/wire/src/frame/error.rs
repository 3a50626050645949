//! What can be wrong with what a peer says, or that it says nothing.

use std::fmt;
use std::io;

use super::Versions;

/// What can be wrong between two peers. Each variant is one thing that a caller must tell apart.
#[derive(Debug)]
pub enum FrameError {
    /// The peer closed the connection between two frames, or before the first.
    Closed,
    /// The peer closed the connection inside a frame.
    CutOff,
    /// A frame is longer than its kind may be.
    TooLong {
        /// Which kind of frame.
        frame: &'static str,
        /// How long it is, or says that it is.
        length: usize,
        /// How long it may be.
        cap: u32,
    },
    /// A kind that this direction doesn't have, by its number.
    UnknownKind(u8),
    /// A payload that is not what its kind says.
    Malformed {
        /// Which kind of frame.
        frame: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A Kubefob of another age.
    VersionMismatch {
        /// What this build speaks.
        ours: Versions,
        /// What the peer speaks.
        theirs: Versions,
    },
    /// The first bytes are nothing that Kubefob says.
    NotKubefob,
    /// The deadline passed.
    TimedOut,
    /// The socket failed.
    Io(io::Error),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        if matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
            Self::TimedOut
        } else if matches!(
            kind,
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        ) {
            Self::Closed
        } else {
            Self::Io(error)
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => write!(f, "the other side closed the connection"),
            Self::CutOff => write!(f, "the other side closed the connection inside a frame"),
            Self::TooLong { frame, length, cap } => {
                write!(
                    f,
                    "a {frame} frame of {length} bytes; at most {cap} are allowed"
                )
            }
            Self::UnknownKind(kind) => write!(f, "a frame of the unknown kind {kind}"),
            Self::Malformed { frame, what } => write!(f, "a malformed {frame} frame: {what}"),
            Self::VersionMismatch { ours, theirs } => {
                write!(
                    f,
                    "the other side speaks version {theirs} of the protocol, this one {ours}"
                )
            }
            Self::NotKubefob => write!(f, "the other side is not Kubefob"),
            Self::TimedOut => write!(f, "the other side did not answer in time"),
            Self::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Closed
            | Self::CutOff
            | Self::TooLong { .. }
            | Self::UnknownKind(_)
            | Self::Malformed { .. }
            | Self::VersionMismatch { .. }
            | Self::NotKubefob
            | Self::TimedOut => None,
        }
    }
}
