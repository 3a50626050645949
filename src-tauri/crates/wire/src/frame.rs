//! The frames: `kind: u8, length: u32 big endian, payload`.
//!
//! The first frame of each direction comes after a [`HELLO`] that names the versions its writer speaks,
//! so that nobody waits for a greeting. [`Encoder`] and [`Decoder`] are pure: bytes in, frames out. A
//! length that a peer states is compared with its kind's cap before anything is kept for it.

use std::fmt;
use std::io::{self, Read, Write};
use std::marker::PhantomData;

use sealed::Kind;

mod error;
mod run;

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

/// What a client says to the resident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The shim was called: the question itself.
    Run(Run),
    /// The window wants something done; opaque here.
    Command(Vec<u8>),
    /// What a person wrote after a [`Reply::Prompt`] or [`Reply::Secret`], without its line end.
    Answer(String),
}

/// What the resident says to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Bytes for standard output.
    Stdout(Vec<u8>),
    /// Text for standard error, its line ends included.
    Stderr(String),
    /// A text to show on the terminal; one line of input is wanted for it.
    Prompt(String),
    /// The same, and what is typed is not shown.
    Secret(String),
    /// The question is still pending. Said every [`ALIVE_EVERY`], so that a hung resident is noticed.
    Alive,
    /// What a window is to show; opaque here.
    View(Vec<u8>),
    /// The last reply: end with this code.
    Exit(u8),
}

/// How often the resident says [`Reply::Alive`] while a question is pending.
pub const ALIVE_EVERY: std::time::Duration = std::time::Duration::from_secs(3);

const KIB: u32 = 1024;

const RUN: Kind = Kind {
    number: 1,
    name: "Run",
    cap: 512 * KIB,
};
const COMMAND: Kind = Kind {
    number: 2,
    name: "Command",
    cap: 64 * KIB,
};
const ANSWER: Kind = Kind {
    number: 3,
    name: "Answer",
    cap: 4 * KIB,
};
const STDOUT: Kind = Kind {
    number: 16,
    name: "Stdout",
    cap: 1024 * KIB,
};
const STDERR: Kind = Kind {
    number: 17,
    name: "Stderr",
    cap: 64 * KIB,
};
const PROMPT: Kind = Kind {
    number: 18,
    name: "Prompt",
    cap: 8 * KIB,
};
const ALIVE: Kind = Kind {
    number: 19,
    name: "Alive",
    cap: 0,
};
const VIEW: Kind = Kind {
    number: 20,
    name: "View",
    cap: 1024 * KIB,
};
const SECRET: Kind = Kind {
    number: 22,
    name: "Secret",
    cap: 8 * KIB,
};
const EXIT: Kind = Kind {
    number: 21,
    name: "Exit",
    cap: 1,
};

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
    }
}

impl Frame for Request {}
impl Frame for Reply {}

impl sealed::Frame for Request {
    const KINDS: &'static [Kind] = &[RUN, COMMAND, ANSWER];

    fn kind(&self) -> &'static Kind {
        match self {
            Self::Run(_) => &RUN,
            Self::Command(_) => &COMMAND,
            Self::Answer(_) => &ANSWER,
        }
    }

    fn write_payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::Run(run) => run.write(out),
            Self::Command(bytes) => out.extend_from_slice(bytes),
            Self::Answer(text) => out.extend_from_slice(text.as_bytes()),
        }
    }

    fn read_payload(kind: u8, payload: &[u8]) -> Result<Self, FrameError> {
        if kind == RUN.number {
            Ok(Self::Run(Run::read(payload)?))
        } else if kind == COMMAND.number {
            Ok(Self::Command(payload.to_vec()))
        } else if kind == ANSWER.number {
            Ok(Self::Answer(text(&ANSWER, payload)?))
        } else {
            Err(FrameError::UnknownKind(kind))
        }
    }
}

impl sealed::Frame for Reply {
    const KINDS: &'static [Kind] = &[STDOUT, STDERR, PROMPT, SECRET, ALIVE, VIEW, EXIT];

    fn kind(&self) -> &'static Kind {
        match self {
            Self::Stdout(_) => &STDOUT,
            Self::Stderr(_) => &STDERR,
            Self::Prompt(_) => &PROMPT,
            Self::Secret(_) => &SECRET,
            Self::Alive => &ALIVE,
            Self::View(_) => &VIEW,
            Self::Exit(_) => &EXIT,
        }
    }

    fn write_payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::Stdout(bytes) | Self::View(bytes) => out.extend_from_slice(bytes),
            Self::Stderr(text) | Self::Prompt(text) | Self::Secret(text) => {
                out.extend_from_slice(text.as_bytes())
            }
            Self::Alive => {}
            Self::Exit(code) => out.push(*code),
        }
    }

    fn read_payload(kind: u8, payload: &[u8]) -> Result<Self, FrameError> {
        if kind == STDOUT.number {
            Ok(Self::Stdout(payload.to_vec()))
        } else if kind == STDERR.number {
            Ok(Self::Stderr(text(&STDERR, payload)?))
        } else if kind == PROMPT.number {
            Ok(Self::Prompt(text(&PROMPT, payload)?))
        } else if kind == SECRET.number {
            Ok(Self::Secret(text(&SECRET, payload)?))
        } else if kind == ALIVE.number {
            Ok(Self::Alive)
        } else if kind == VIEW.number {
            Ok(Self::View(payload.to_vec()))
        } else if kind == EXIT.number {
            let &[code] = payload else {
                return Err(FrameError::Malformed {
                    frame: EXIT.name,
                    what: "an exit code is one byte",
                });
            };
            Ok(Self::Exit(code))
        } else {
            Err(FrameError::UnknownKind(kind))
        }
    }
}

fn text(kind: &Kind, payload: &[u8]) -> Result<String, FrameError> {
    match std::str::from_utf8(payload) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(FrameError::Malformed {
            frame: kind.name,
            what: "its text is not UTF-8",
        }),
    }
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
mod tests {
    use super::*;

    fn run() -> Run {
        Run {
            program: b"/usr/bin/kubectl-fob".to_vec(),
            args: vec![
                b"get-token".to_vec(),
                b"--oidc-issuer-url=\xff".to_vec(),
                Vec::new(),
            ],
            exec_info: Some(b"{}".to_vec()),
            env: vec![(b"LANG".to_vec(), b"ko_KR.UTF-8".to_vec())],
            cwd: b"/home/test".to_vec(),
            terminals: Terminals {
                stdin: true,
                stdout: false,
                stderr: true,
            },
        }
    }

    fn requests() -> Vec<Request> {
        let bare = Run {
            exec_info: None,
            args: vec![],
            env: vec![],
            ..run()
        };
        vec![
            Request::Run(run()),
            Request::Run(bare),
            Request::Command(b"{}".to_vec()),
            Request::Answer("y".to_owned()),
            Request::Answer(String::new()),
        ]
    }

    fn replies() -> Vec<Reply> {
        vec![
            Reply::Alive,
            Reply::Stderr("sign in at …\n".to_owned()),
            Reply::Prompt("trust? ".to_owned()),
            Reply::Secret("client secret: ".to_owned()),
            Reply::View(vec![0; 70_000]),
            Reply::Stdout(b"{}".to_vec()),
            Reply::Exit(7),
        ]
    }

    fn encoded<F: Frame>(frames: &[F]) -> Vec<u8> {
        let (mut encoder, mut bytes) = (Encoder::new(), Vec::new());
        for frame in frames {
            encoder.encode(frame, &mut bytes).unwrap();
        }
        bytes
    }

    fn decoded<F: Frame>(bytes: &[u8], at_once: usize) -> Vec<F> {
        let (mut decoder, mut frames) = (Decoder::new(), Vec::new());
        for chunk in bytes.chunks(at_once) {
            decoder.push(chunk);
            while let Some(frame) = decoder.next().unwrap() {
                frames.push(frame);
            }
        }
        assert!(matches!(decoder.ended(), FrameError::Closed));
        frames
    }

    fn first<F: Frame>(bytes: &[u8]) -> Result<Option<F>, FrameError> {
        let mut decoder = Decoder::new();
        decoder.push(bytes);
        decoder.next()
    }

    fn after_hello(rest: &[u8]) -> Vec<u8> {
        [&HELLO, rest].concat()
    }

    #[test]
    fn what_is_encoded_is_decoded_however_it_is_cut() {
        for at_once in [1, 2, 3, 5, 7, 4096, usize::MAX] {
            assert_eq!(
                decoded::<Request>(&encoded(&requests()), at_once),
                requests()
            );
            assert_eq!(decoded::<Reply>(&encoded(&replies()), at_once), replies());
        }
    }

    #[test]
    fn every_prefix_of_a_frame_needs_more() {
        for request in requests() {
            let bytes = encoded(std::slice::from_ref(&request));
            for end in 0..bytes.len() {
                let mut decoder = Decoder::<Request>::new();
                decoder.push(&bytes[..end]);
                assert!(decoder.next().unwrap().is_none(), "{request:?} at {end}");
                let between = end == 0 || end == HELLO.len();
                assert_eq!(
                    matches!(decoder.ended(), FrameError::Closed),
                    between,
                    "at {end}"
                );
                decoder.push(&bytes[end..]);
                assert_eq!(decoder.next().unwrap(), Some(request.clone()));
            }
        }
    }

    #[test]
    fn every_prefix_of_a_run_is_malformed_and_so_is_a_longer_one() {
        let mut payload = Vec::new();
        run().write(&mut payload);
        for end in 0..payload.len() {
            let error = Run::read(&payload[..end]).unwrap_err();
            assert!(
                matches!(error, FrameError::Malformed { .. }),
                "{error:?} at {end}"
            );
        }
        payload.push(0);
        assert!(matches!(
            Run::read(&payload),
            Err(FrameError::Malformed { .. })
        ));
    }

    #[test]
    fn no_single_changed_byte_panics_or_grows() {
        let bytes = encoded(&requests());
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                let mut decoder = Decoder::<Request>::new();
                decoder.push(&changed);
                while let Ok(Some(_)) = decoder.next() {}
            }
        }
    }

    #[test]
    fn a_length_or_count_without_bytes_behind_it_is_refused() {
        let mut payload = Vec::new();
        Run {
            program: vec![],
            ..run()
        }
        .write(&mut payload);
        payload[4..8].copy_from_slice(&u32::MAX.to_be_bytes()); // how many arguments
        assert!(matches!(
            Run::read(&payload),
            Err(FrameError::Malformed { .. })
        ));
        payload[..4].copy_from_slice(&u32::MAX.to_be_bytes()); // how long the program's name is
        assert!(matches!(
            Run::read(&payload),
            Err(FrameError::Malformed { .. })
        ));
    }

    #[test]
    fn each_kind_takes_its_cap_and_not_one_byte_more() {
        let caps = [(2, 65_536_u32), (3, 4096)];
        for (kind, cap) in caps {
            let fits = [&[kind][..], &cap.to_be_bytes()].concat();
            assert!(first::<Request>(&after_hello(&fits)).unwrap().is_none());
            let too_long = [&[kind][..], &(cap + 1).to_be_bytes()].concat();
            let error = first::<Request>(&after_hello(&too_long)).unwrap_err();
            assert!(matches!(error, FrameError::TooLong { cap: c, .. } if c == cap));
        }
        let caps = [
            (16, 1 << 20),
            (17, 65_536),
            (18, 8192),
            (19, 0_u32),
            (20, 1 << 20),
            (21, 1),
        ];
        for (kind, cap) in caps {
            let too_long = [&[kind][..], &(cap + 1).to_be_bytes()].concat();
            let error = first::<Reply>(&after_hello(&too_long)).unwrap_err();
            assert!(matches!(error, FrameError::TooLong { cap: c, .. } if c == cap));
        }
        let mut bytes = Vec::new();
        let answer = Request::Answer("x".repeat(4097));
        let error = Encoder::new().encode(&answer, &mut bytes).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { length: 4097, .. }) && bytes.is_empty());
    }

    #[test]
    fn an_unknown_kind_is_named_by_its_number() {
        let error = first::<Reply>(&after_hello(&[99])).unwrap_err();
        assert_eq!(error.to_string(), "a frame of the unknown kind 99");
        let error = first::<Request>(&after_hello(&[16, 0, 0, 0, 0])).unwrap_err();
        assert!(
            matches!(error, FrameError::UnknownKind(16)),
            "a reply where a request belongs"
        );
    }

    #[test]
    fn other_versions_and_strangers_are_told_apart() {
        let error = first::<Reply>(b"KFOB\x02\x05").unwrap_err();
        assert!(matches!(
            error,
            FrameError::VersionMismatch {
                theirs: Versions {
                    oldest: 2,
                    newest: 5
                },
                ..
            }
        ));
        assert!(matches!(
            first::<Reply>(b"KFOB\x00\x00"),
            Err(FrameError::VersionMismatch { .. })
        ));
        assert!(matches!(
            first::<Reply>(b"KFOB\x01\x09\x13\x00\x00\x00\x00"),
            Ok(Some(Reply::Alive))
        ));
        assert!(matches!(
            first::<Reply>(b"SSH-2.0-x"),
            Err(FrameError::NotKubefob)
        ));
        assert!(matches!(
            first::<Reply>(b"KFO\n"),
            Err(FrameError::NotKubefob)
        ));
    }

    #[test]
    fn wrong_payloads_are_malformed() {
        for bad in [&[17, 0, 0, 0, 1, 0xff][..], &[21, 0, 0, 0, 0]] {
            let error = first::<Reply>(&after_hello(bad)).unwrap_err();
            assert!(matches!(error, FrameError::Malformed { .. }), "{error:?}");
        }
    }

    #[test]
    fn a_reader_is_read_until_a_frame_is_whole() {
        let bytes = encoded(&replies());
        let mut from = bytes.as_slice();
        let mut decoder = Decoder::<Reply>::new();
        for reply in replies() {
            assert_eq!(read_frame(&mut from, &mut decoder).unwrap(), reply);
        }
        assert!(matches!(
            read_frame(&mut from, &mut decoder),
            Err(FrameError::Closed)
        ));

        let mut from = &bytes[..8];
        let error = read_frame(&mut from, &mut Decoder::<Reply>::new()).unwrap_err();
        assert!(matches!(error, FrameError::CutOff));
    }

    #[test]
    fn a_passed_deadline_is_no_io_error() {
        struct Late;
        impl Read for Late {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::TimedOut.into())
            }
        }
        let error = read_frame(&mut Late, &mut Decoder::<Reply>::new()).unwrap_err();
        assert!(matches!(error, FrameError::TimedOut));
    }
}
