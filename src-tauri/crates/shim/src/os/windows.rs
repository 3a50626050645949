//! Windows. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::windows::io::AsRawHandle as _;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Console::{
    ENABLE_ECHO_INPUT, FlushConsoleInputBuffer, GetConsoleMode, INPUT_RECORD, KEY_EVENT,
    PeekConsoleInputW, SetConsoleMode,
};
use wire::frame::Terminals;
use wire::os::{Ready, Stream};

pub(crate) fn terminals() -> Terminals {
    Terminals {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
    }
}

/// A stream to write to.
#[derive(Clone, Copy)]
pub(crate) enum Out {
    Stdout,
    Stderr,
}

/// std's own streams turn UTF-8 into what a console wants.
pub(crate) fn write(to: Out, bytes: &[u8]) -> io::Result<()> {
    match to {
        Out::Stdout => {
            let mut stdout = io::stdout();
            stdout.write_all(bytes)?;
            stdout.flush()
        }
        Out::Stderr => io::stderr().write_all(bytes),
    }
}

/// Standard input: read by a thread of its own from the first question on, since a console can't be waited for.
pub(crate) struct Input {
    reader: Option<Receiver<Vec<u8>>>,
    next: Option<Vec<u8>>,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self {
            reader: None,
            next: None,
        }
    }

    /// The resident counts nobody as in front of a console that standard error leads to, so that nobody is asked there.
    pub(crate) fn turn_to_terminal(&mut self) -> bool {
        false
    }

    /// Waits for it or for the resident, whoever is first.
    pub(crate) fn wait(&mut self, stream: &mut Stream) -> io::Result<Ready> {
        let reader = self.reader.get_or_insert_with(read_all);
        let next = &mut self.next;
        stream.wait_with(|| {
            if next.is_none() {
                *next = match reader.try_recv() {
                    Ok(read) => Some(read),
                    Err(TryRecvError::Disconnected) => Some(Vec::new()),
                    Err(TryRecvError::Empty) => None,
                };
            }
            next.is_some()
        })
    }

    /// The same, for so long at most: none if nothing came in it.
    pub(crate) fn wait_at_most(
        &mut self,
        stream: &mut Stream,
        most: Duration,
    ) -> io::Result<Option<Ready>> {
        let reader = self.reader.get_or_insert_with(read_all);
        let next = &mut self.next;
        let end = Instant::now() + most;
        let mut is_over = false;
        let ready = stream.wait_with(|| {
            if next.is_none() {
                *next = match reader.try_recv() {
                    Ok(read) => Some(read),
                    Err(TryRecvError::Disconnected) => Some(Vec::new()),
                    Err(TryRecvError::Empty) => None,
                };
            }
            is_over = next.is_none() && Instant::now() >= end;
            next.is_some() || is_over
        })?;
        Ok((!is_over).then_some(ready))
    }

    /// Whether another line, or the input's end, is there, or comes within so long.
    pub(crate) fn has_more(&mut self, within: Duration) -> bool {
        let reader = self.reader.get_or_insert_with(read_all);
        if self.next.is_none() {
            self.next = match reader.recv_timeout(within) {
                Ok(read) => Some(read),
                Err(RecvTimeoutError::Disconnected) => Some(Vec::new()),
                Err(RecvTimeoutError::Timeout) => None,
            };
        }
        self.next.is_some()
    }

    /// Throws away what the console has and nobody has read, and what the thread has read: whether there was anything.
    /// None: it can't be, so whatever is read next may be older.
    pub(crate) fn forget(&mut self) -> Option<bool> {
        let console = io::stdin().as_raw_handle();
        let mut there = is_a_key_there(console);
        // SAFETY: the handle is standard input's.
        let flushed = unsafe { FlushConsoleInputBuffer(console) } != 0;
        there |= self.next.take().is_some();
        while let Some(reader) = &self.reader {
            match reader.try_recv() {
                Ok(_) => there = true,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        flushed.then_some(there)
    }

    /// Reads once: how much, 0 at its end. None: nothing came yet.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let mut read = self.next.take()?;
        let count = read.len().min(buffer.len());
        let rest = read.split_off(count);
        buffer.get_mut(..count)?.copy_from_slice(&read);
        if !rest.is_empty() {
            self.next = Some(rest);
        }
        Some(count)
    }
}

/// Whether somebody pressed a key that nobody has read. A console notes more than that: that the Enter before it was let
/// go, that the mouse was moved.
fn is_a_key_there(console: HANDLE) -> bool {
    let mut events = [INPUT_RECORD::default(); 64];
    let mut count = 0;
    // SAFETY: as many are read as there is room for, and `count` lives through the call.
    let peeked =
        unsafe { PeekConsoleInputW(console, events.as_mut_ptr(), 64, &raw mut count) } != 0;
    let events = events.iter().take(count as usize);
    let mut keys = events.filter(|event| u32::from(event.EventType) == KEY_EVENT);
    // SAFETY: what kind it is says that it is a key's.
    peeked && keys.any(|event| unsafe { event.Event.KeyEvent.bKeyDown } != 0)
}

/// The thread ends with its process.
fn read_all() -> Receiver<Vec<u8>> {
    let (sends, receives) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = io::stdin().read(&mut buffer) {
            let read = buffer.get(..count).unwrap_or_default().to_vec();
            if sends.send(read).is_err() {
                return;
            }
        }
    });
    receives
}

/// How the console is to be again. Ctrl-C ends us: the shells of Windows have it show again what is typed.
pub(crate) struct Unseen(u32);

impl Unseen {
    /// None: it is no console, or can't be made so.
    pub(crate) fn new(_: &Input) -> Option<Self> {
        let console = io::stdin().as_raw_handle();
        let mut before = 0;
        // SAFETY: the handle is standard input's, and `before` lives through the call.
        let made = unsafe {
            GetConsoleMode(console, &raw mut before) != 0
                && SetConsoleMode(console, before & !ENABLE_ECHO_INPUT) != 0
        };
        made.then_some(Self(before))
    }

    /// Whether somebody pressed Ctrl-C instead: then we are not here any more.
    pub(crate) fn is_given_up(_: &[u8]) -> bool {
        false
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // SAFETY: the handle is standard input's.
        unsafe { SetConsoleMode(io::stdin().as_raw_handle(), self.0) };
    }
}

/// What is no text loses what is none.
pub(crate) fn bytes(text: OsString) -> Vec<u8> {
    text.to_string_lossy().into_owned().into_bytes()
}

/// Windows shows no other process's; what every program of this person is started with is the next best, and no
/// kubeconfig's word.
pub(crate) fn environment_of_asker() -> Option<Vec<(OsString, OsString)>> {
    wire::os::environment_of_login()
}

/// Nobody looks here yet.
pub(crate) fn is_run_by_a_library() -> bool {
    false
}

/// Keeps our memory from the person's other programs. A kubectl that works is worth more than the refusal.
pub(crate) fn harden() {
    let _ = wire::os::harden();
}

/// An administrator's own resident leaves nothing in another's home: the profile is that of whoever runs us.
pub(crate) fn is_root() -> bool {
    false
}
