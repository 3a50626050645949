//! The frames: `kind: u8, length: u32 big endian, payload`.
//!
//! The first frame of each direction comes after a [`HELLO`] that names the versions its writer speaks,
//! so that nobody waits for a greeting. [`Encoder`] and [`Decoder`] are pure: bytes in, frames out. A
//! length that a peer states is compared with its kind's cap before anything is kept for it.

use std::fmt;
use std::io::{self, Read, Write};
use std::marker::PhantomData;

use payload::Payload;
use sealed::Kind;

mod error;
mod payload;
mod run;
#[macro_use]
mod table;

pub use error::FrameError;
pub use run::{ENVIRONMENT, Run, Terminals};

/// The versions of the protocol that a program speaks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The oldest one.
    pub oldest: u8,
    /// The newest one.
    pub newest: u8,
}

/// What this build speaks.
pub const VERSIONS: Versions = Versions {
    oldest: 1,
    newest: 1,
};

const MAGIC: [u8; 4] = *b"KFOB";

/// What comes before the first frame of each direction: `KFOB`, the oldest and the newest version.
pub const HELLO: [u8; 6] = hello(VERSIONS);

/// What stands before a payload: its kind and its length.
const HEAD: usize = 5;

const fn hello(versions: Versions) -> [u8; 6] {
    let [k, f, o, b] = MAGIC;
    [k, f, o, b, versions.oldest, versions.newest]
}

impl Versions {
    /// The newest version that both speak.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u8> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.oldest == self.newest {
            write!(f, "{}", self.newest)
        } else {
            write!(f, "{} to {}", self.oldest, self.newest)
        }
    }
}

frames! {
    /// What a client says to the resident.
    Request {
        /// The shim was called: the question itself.
        Run(run: Run) = 1 up to 512 * KIB,
        /// The window wants something done; opaque here.
        Command(command: Vec<u8>) = 2 up to 64 * KIB,
        /// What a person wrote after a [`Reply::Prompt`] or [`Reply::Secret`], without its line end.
        Answer(text: String) = 3 up to 4 * KIB,
    }
}

frames! {
    /// What the resident says to a client.
    Reply {
        /// Bytes for standard output.
        Stdout(output: Vec<u8>) = 16 up to bytes(LONGEST_STDOUT),
        /// Text for standard error, its line ends included.
        Stderr(text: String) = 17 up to bytes(LONGEST_STDERR),
        /// A text to show on the terminal; one line of input is wanted for it.
        Prompt(text: String) = 18 up to bytes(LONGEST_PROMPT),
        /// The same, and what is typed is not shown.
        Secret(text: String) = 22 up to bytes(LONGEST_PROMPT),
        /// The question is still pending. Said every [`ALIVE_EVERY`], so that a hung resident is noticed.
        Alive = 19 up to 0,
        /// What a window is to show; opaque here.
        View(view: Vec<u8>) = 20 up to bytes(LONGEST_VIEW),
        /// The last reply: end with this code.
        Exit(code: u8) = 21 up to 1,
    }
}

/// How often the resident says [`Reply::Alive`] while a question is pending.
pub const ALIVE_EVERY: std::time::Duration = std::time::Duration::from_secs(3);

const KIB: u32 = 1024;

/// How many bytes a [`Reply::Stdout`] may have.
pub const LONGEST_STDOUT: usize = 1024 * 1024;
/// How many bytes a [`Reply::Stderr`] may have.
pub const LONGEST_STDERR: usize = 64 * 1024;
/// How many bytes a [`Reply::Prompt`] or a [`Reply::Secret`] may have.
pub const LONGEST_PROMPT: usize = 8 * 1024;
/// How many bytes a [`Reply::View`] may have.
pub const LONGEST_VIEW: usize = 1024 * 1024;

const fn bytes(longest: usize) -> u32 {
    longest as u32
}

/// One direction of the protocol: [`Request`] or [`Reply`], and nothing else.
pub trait Frame: Sized + sealed::Frame {}

mod sealed {
    use super::FrameError;

    /// A kind of frame: its number, its name in an error, and the longest payload it may have.
    pub struct Kind {
        pub number: u8,
        pub name: &'static str,
        pub cap: u32,
    }

    pub trait Frame: Sized {
        const KINDS: &'static [Kind];
        fn kind(&self) -> &'static Kind;
        fn write_payload(&self, out: &mut Vec<u8>);
        fn read_payload(kind: u8, payload: &[u8]) -> Result<Self, FrameError>;
        /// Some of every kind.
        #[cfg(test)]
        fn examples() -> Vec<Self>;
    }
}

fn read<P: Payload>(frame: &'static str, payload: &[u8]) -> Result<P, FrameError> {
    P::read(payload).map_err(|what| FrameError::Malformed { frame, what })
}

/// Turns frames to bytes; one for each direction of a connection.
#[derive(Debug)]
pub struct Encoder<F> {
    greeted: bool,
    frames: PhantomData<fn(F)>,
}

impl<F> Default for Encoder<F> {
    fn default() -> Self {
        Self {
            greeted: false,
            frames: PhantomData,
        }
    }
}

impl<F: Frame> Encoder<F> {
    /// One that has sent nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `frame` to `out`, after the [`HELLO`] when it is the first.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], and `out` is as it was.
    pub fn encode(&mut self, frame: &F, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let start = out.len();
        if !self.greeted {
            out.extend_from_slice(&HELLO);
        }
        let kind = frame.kind();
        out.extend_from_slice(&[kind.number, 0, 0, 0, 0]);
        let payload = out.len();
        frame.write_payload(out);
        let length = out.len() - payload;
        match u32::try_from(length)
            .ok()
            .filter(|length| *length <= kind.cap)
        {
            Some(length) => {
                out[payload - 4..payload].copy_from_slice(&length.to_be_bytes());
                self.greeted = true;
                Ok(())
            }
            None => {
                out.truncate(start);
                Err(FrameError::TooLong {
                    frame: kind.name,
                    length,
                    cap: kind.cap,
                })
            }
        }
    }
}

/// Turns bytes to frames, however they are cut; one for each direction of a connection.
///
/// It keeps what was pushed and not yet taken. Take frames until there is none before you push more, and
/// it never holds more than one capped frame and one push.
#[derive(Debug)]
pub struct Decoder<F> {
    bytes: Vec<u8>,
    /// How many of `bytes` were already returned.
    taken: usize,
    peer: Option<Versions>,
    frames: PhantomData<fn() -> F>,
}

impl<F> Default for Decoder<F> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            taken: 0,
            peer: None,
            frames: PhantomData,
        }
    }
}

impl<F: Frame> Decoder<F> {
    /// One that has received nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came from the peer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, or `None` when more bytes are needed for it.
    ///
    /// # Errors
    /// Whatever is wrong with the peer's bytes. It stays wrong: close the connection.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator's end is final, this one's is not"
    )]
    pub fn next(&mut self) -> Result<Option<F>, FrameError> {
        if self.peer.is_none() {
            let Some((versions, used)) = greeting(&self.bytes)? else {
                return Ok(None);
            };
            self.peer = Some(versions);
            self.taken = used;
        }
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((&[number, a, b, c, d], rest)) = rest.split_first_chunk::<HEAD>() else {
            return match rest.first() {
                Some(number) => find::<F>(*number).map(|_| None),
                None => Ok(None),
            };
        };
        let kind = find::<F>(number)?;
        let stated = u32::from_be_bytes([a, b, c, d]);
        let length = usize::try_from(stated).unwrap_or(usize::MAX);
        if stated > kind.cap {
            return Err(FrameError::TooLong {
                frame: kind.name,
                length,
                cap: kind.cap,
            });
        }
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let frame = F::read_payload(number, payload)?;
        self.taken += HEAD + length;
        Ok(Some(frame))
    }

    /// What the peer's end means: [`FrameError::Closed`] between two frames, [`FrameError::CutOff`] inside
    /// one.
    #[must_use]
    pub fn ended(&self) -> FrameError {
        if self.taken == self.bytes.len() {
            FrameError::Closed
        } else {
            FrameError::CutOff
        }
    }

    /// The versions that the peer speaks, once its greeting is here.
    #[must_use]
    pub fn peer(&self) -> Option<Versions> {
        self.peer
    }
}

fn find<F: Frame>(number: u8) -> Result<&'static Kind, FrameError> {
    F::KINDS
        .iter()
        .find(|kind| kind.number == number)
        .ok_or(FrameError::UnknownKind(number))
}

/// The peer's versions and how many bytes they took; `None` when more are needed.
fn greeting(bytes: &[u8]) -> Result<Option<(Versions, usize)>, FrameError> {
    if bytes
        .iter()
        .zip(MAGIC)
        .any(|(byte, expected)| *byte != expected)
    {
        return Err(FrameError::NotKubefob);
    }
    let Some(&[_, _, _, _, oldest, newest]) = bytes.first_chunk::<{ HELLO.len() }>() else {
        return Ok(None);
    };
    let theirs = Versions { oldest, newest };
    match VERSIONS.common(theirs) {
        Some(_) => Ok(Some((theirs, HELLO.len()))),
        None => Err(FrameError::VersionMismatch {
            ours: VERSIONS,
            theirs,
        }),
    }
}

/// Reads until `decoder` has a whole frame.
///
/// # Errors
/// Any [`FrameError`]. A reader whose own deadline passed ([`io::ErrorKind::TimedOut`] or `WouldBlock`) is
/// [`FrameError::TimedOut`].
pub fn read_frame<F: Frame>(
    from: &mut impl Read,
    decoder: &mut Decoder<F>,
) -> Result<F, FrameError> {
    loop {
        if let Some(frame) = decoder.next()? {
            return Ok(frame);
        }
        read_more(from, decoder)?;
    }
}

/// Reads once, for callers that wait for more than frames.
///
/// # Errors
/// As [`read_frame`]; the end is [`Decoder::ended`].
pub fn read_more<F: Frame>(
    from: &mut impl Read,
    decoder: &mut Decoder<F>,
) -> Result<(), FrameError> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Err(decoder.ended()),
            Ok(count) => {
                decoder.push(buffer.get(..count).unwrap_or_default());
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes one frame, in one call where the socket takes it.
///
/// # Errors
/// [`FrameError::TooLong`] before anything is written; else what the socket said.
pub fn write_frame<F: Frame>(
    to: &mut impl Write,
    encoder: &mut Encoder<F>,
    frame: &F,
) -> Result<(), FrameError> {
    let mut bytes = Vec::with_capacity(1024);
    encoder.encode(frame, &mut bytes)?;
    to.write_all(&bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests;
