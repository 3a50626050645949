//! Linux and macOS.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl};
use rustix::io::{Errno, fcntl_dupfd_cloexec, ioctl_fionread};
use rustix::stdio;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use wire::frame::Terminals;
use wire::os::{Ready, Stream};

/// What a terminal sends for it.
const CTRL_C: u8 = 3;

pub(crate) fn terminals() -> Terminals {
    Terminals {
        stdin: stdio::stdin().is_terminal(),
        stdout: stdio::stdout().is_terminal(),
        stderr: stdio::stderr().is_terminal(),
    }
}

/// A stream to write to.
#[derive(Clone, Copy)]
pub(crate) enum Out {
    Stdout,
    Stderr,
}

pub(crate) fn write(to: Out, mut bytes: &[u8]) -> io::Result<()> {
    let to: BorrowedFd<'_> = match to {
        Out::Stdout => stdio::stdout(),
        Out::Stderr => stdio::stderr(),
    };
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // Somebody made the stream non-blocking. It is ours to wait.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Where answers are typed: standard input, or the terminal that standard error leads to.
pub(crate) struct Input(Option<OwnedFd>);

impl Input {
    /// Standard input.
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// The keys of the terminal that standard error leads to, from now on: kubectl gives a plugin no standard input where it
    /// reads that itself, or is told to (`interactiveMode: Never`). Whether there are any.
    ///
    /// What a shell opened can be read too; else it is the terminal that we belong to.
    pub(crate) fn turn_to_terminal(&mut self) -> bool {
        if self.0.is_none() {
            let flags = fcntl_getfl(stdio::stderr());
            let terminal = if flags.is_ok_and(|flags| flags.contains(OFlags::RDWR)) {
                fcntl_dupfd_cloexec(stdio::stderr(), 0)
            } else {
                let how = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
                rustix::fs::open("/dev/tty", how, Mode::empty())
            };
            self.0 = terminal.ok();
        }
        self.0.is_some()
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_ref().map_or_else(|| stdio::stdin(), AsFd::as_fd)
    }

    /// Waits for it or for the resident, whoever is first.
    pub(crate) fn wait(&mut self, stream: &mut Stream) -> io::Result<Ready> {
        stream.wait_with(self.descriptor())
    }

    /// The same, for so long at most: none if nothing came in it.
    pub(crate) fn wait_at_most(
        &mut self,
        stream: &mut Stream,
        most: Duration,
    ) -> io::Result<Option<Ready>> {
        stream.wait_at_most(self.descriptor(), most)
    }

    /// Whether another line, or the input's end, is there, or comes within so long.
    pub(crate) fn has_more(&mut self, within: Duration) -> bool {
        let within = Timespec {
            tv_sec: i64::try_from(within.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: within.subsec_nanos().into(),
        };
        let mut input = [PollFd::from_borrowed_fd(self.descriptor(), PollFlags::IN)];
        matches!(poll(&mut input, Some(&within)), Ok(1..))
    }

    /// Throws away what the terminal has and nobody has read: whether there was anything. It is what its queue holds: what
    /// waits behind that comes after it. None: it can't be, so whatever is read next may be older.
    pub(crate) fn forget(&mut self) -> Option<bool> {
        let keys = self.descriptor();
        // Where lines are read, a terminal tells nothing of one that no Enter has ended.
        let before = tcgetattr(keys).ok()?;
        let is_by_line = before.local_modes.contains(LocalModes::ICANON);
        if is_by_line {
            let mut by_key = before.clone();
            by_key.local_modes.remove(LocalModes::ICANON);
            tcsetattr(keys, OptionalActions::Now, &by_key).ok()?;
        }
        let there = ioctl_fionread(keys);
        let flushed = loop {
            match tcflush(keys, QueueSelector::IFlush) {
                Err(Errno::INTR) => {}
                flushed => break flushed,
            }
        };
        if is_by_line {
            tcsetattr(keys, OptionalActions::Now, &before).ok()?;
        }
        flushed.ok()?;
        there.ok().map(|there| there > 0)
    }

    /// Reads once: how much, 0 at its end. None: nothing came yet.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        match rustix::io::read(self.descriptor(), buffer) {
            Err(Errno::INTR | Errno::AGAIN) => None,
            read => Some(read.unwrap_or(0)),
        }
    }
}

/// How the terminal is to be again. Ctrl-C ends the line, and does not end us: nobody else would have the terminal
/// show again what is typed.
pub(crate) struct Unseen {
    terminal: OwnedFd,
    before: Termios,
}

impl Unseen {
    /// None: it is no terminal, or can't be made so.
    pub(crate) fn new(input: &Input) -> Option<Self> {
        let terminal = fcntl_dupfd_cloexec(input.descriptor(), 0).ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut unseen = before.clone();
        unseen
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ISIG);
        unseen.local_modes.insert(LocalModes::ECHONL);
        unseen.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        // What is there is thrown away with the prompt, which has to know of it.
        tcsetattr(&terminal, OptionalActions::Now, &unseen).ok()?;
        Some(Self { terminal, before })
    }

    /// Whether somebody pressed Ctrl-C instead.
    pub(crate) fn is_given_up(input: &[u8]) -> bool {
        input.contains(&CTRL_C)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

pub(crate) fn bytes(text: OsString) -> Vec<u8> {
    text.into_vec()
}

/// How far up the asker is looked for.
#[cfg(target_os = "linux")]
const GENERATIONS: usize = 16;

/// The environment of the first above us that is no plugin itself: what a plugin was started with, `exec.env` may have
/// set, and a `kubectl` on PATH that is a script passes it on.
#[cfg(target_os = "linux")]
pub(crate) fn environment_of_asker() -> Option<Vec<(OsString, OsString)>> {
    let mut process = parent()?;
    for _ in 0..GENERATIONS {
        let environment = wire::os::environment(process)?;
        if !is_a_plugin_s(&environment) {
            return Some(environment);
        }
        process = wire::os::parent_of(process)?;
    }
    None
}

/// The parent's, where it is no plugin itself.
#[cfg(not(target_os = "linux"))]
pub(crate) fn environment_of_asker() -> Option<Vec<(OsString, OsString)>> {
    let environment = wire::os::environment(parent()?)?;
    (!is_a_plugin_s(&environment)).then_some(environment)
}

fn is_a_plugin_s(environment: &[(OsString, OsString)]) -> bool {
    environment
        .iter()
        .any(|(name, _)| name == "KUBERNETES_EXEC_INFO")
}

fn parent() -> Option<u32> {
    u32::try_from(rustix::process::getppid()?.as_raw_pid()).ok()
}

/// Whether all that we read and write goes to a program, and it is no shell: a person's script is one. A client library
/// may have started us by a stanza, whatever it says.
#[cfg(target_os = "linux")]
pub(crate) fn is_run_by_a_library() -> bool {
    use rustix::fs::{FileType, fstat};
    let is_a_program_s = |stream: BorrowedFd<'_>| {
        let found = fstat(stream).map(|found| FileType::from_raw_mode(found.st_mode));
        matches!(found, Ok(FileType::Fifo | FileType::Socket))
    };
    let streams = [stdio::stdin(), stdio::stdout(), stdio::stderr()];
    streams.into_iter().all(is_a_program_s)
        && !parent()
            .and_then(wire::os::program_of)
            .is_some_and(|program| wire::start::is_shell(&program))
}

/// Nobody looks here yet.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_run_by_a_library() -> bool {
    false
}

/// Keeps our memory from the person's other programs. It fails on no system that we know, and a kubectl that works is
/// worth more than the refusal.
pub(crate) fn harden() {
    let _ = wire::os::harden();
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
