//! The way to the resident and back: JSON that goes through, and whether anybody is there.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tauri::async_runtime::Sender;
use wire::endpoint::Places;
use wire::frame::{Decoder, Encoder, Reply, Request, read_frame, write_frame};
use wire::start;

/// How long a resident may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first pause before it is looked for again, doubled up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);
/// How long its program may be gone before nobody is waited for any more: some install by removing the old one first.
const REMOVED: Duration = Duration::from_secs(10);

/// What is heard.
pub(crate) enum Heard {
    /// What to show from now on.
    View(Box<RawValue>),
    /// This page is wanted.
    Open(Wanted),
    /// Another window took this one's place.
    Replaced,
    /// The resident is gone.
    Gone,
    /// It is there again.
    Back,
    /// It is gone, and so is its program.
    Removed,
}

/// A page that is wanted, and the screen of it; none: where it is.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    pub(crate) page: String,
    #[serde(default)]
    pub(crate) screen: Option<String>,
}

/// What the resident says; the names are its (`runtime/serve/window/connection.rs`).
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    View(Box<RawValue>),
    Told { number: u64, told: Box<RawValue> },
    Open(Wanted),
    Replaced {},
}

#[derive(Serialize)]
struct Sent<'a> {
    number: u64,
    command: &'a RawValue,
}

/// A command is never heard of again: the resident is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// What is sent, and who waits to be told.
#[derive(Default)]
pub(crate) struct Link(Mutex<LinkState>);

#[derive(Default)]
struct LinkState {
    writer: Option<Writer>,
    last: u64,
    waiting: HashMap<u64, Sender<Box<RawValue>>>,
}

struct Writer {
    stream: UnixStream,
    encoder: Encoder<Request>,
}

impl Link {
    /// Sends a command. What became of it comes by `told`, which ends without it if the resident goes.
    pub(crate) fn send(
        &self,
        command: &RawValue,
        told: Option<Sender<Box<RawValue>>>,
    ) -> Result<(), Gone> {
        let mut inner = self.inner();
        inner.last += 1;
        let number = inner.last;
        let sent = serde_json::to_vec(&Sent { number, command }).map_err(|_| Gone)?;
        inner.write(sent).map_err(|_| Gone)?;
        if let Some(told) = told {
            inner.waiting.insert(number, told);
        }
        Ok(())
    }

    /// Hears what the resident says: this one, and whoever comes after it, until Kubefob is removed.
    pub(crate) fn follow(&self, first: UnixStream, places: &Places, hear: impl Fn(Heard)) {
        let mut stream = first;
        loop {
            // It ended, or it said what no resident says: either way it is not ours any more.
            drop(self.listen(&stream, &hear));
            drop(stream.shutdown(Shutdown::Both));
            let mut inner = self.inner();
            inner.writer = None;
            inner.waiting.clear();
            drop(inner);
            hear(Heard::Gone);
            let Some(next) = another(places) else {
                return hear(Heard::Removed);
            };
            stream = next;
            hear(Heard::Back);
        }
    }

    fn listen(&self, stream: &UnixStream, hear: &impl Fn(Heard)) -> io::Result<()> {
        let mut inner = self.inner();
        inner.writer = Some(Writer {
            stream: stream.try_clone()?,
            encoder: Encoder::new(),
        });
        // Nothing at all says only that a window is here.
        inner.write(Vec::new())?;
        drop(inner);
        let mut decoder = Decoder::new();
        let mut stream = stream;
        loop {
            let frame = read_frame(&mut stream, &mut decoder).map_err(io::Error::other)?;
            let Reply::View(said) = frame else { continue };
            match serde_json::from_slice(&said)? {
                Said::View(view) => hear(Heard::View(view)),
                Said::Open(wanted) => hear(Heard::Open(wanted)),
                Said::Replaced {} => hear(Heard::Replaced),
                Said::Told { number, told } => {
                    let waiting = self.inner().waiting.remove(&number);
                    // Whoever does not wait any more hears nothing.
                    drop(waiting.map(|waiting| waiting.blocking_send(told)));
                }
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, LinkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LinkState {
    fn write(&mut self, command: Vec<u8>) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let command = Request::Command(command);
        write_frame(&mut writer.stream, &mut writer.encoder, &command).map_err(io::Error::other)
    }
}

/// The next resident, as soon as there is one; none where there can't be one.
fn another(places: &Places) -> Option<UnixStream> {
    let (mut pause, mut removed) = (PAUSE, Duration::ZERO);
    loop {
        if let Ok(Some(found)) = start::connect(places, PATIENCE) {
            let stream = UnixStream::from(OwnedFd::from(found));
            if stream.set_nonblocking(false).is_ok() {
                return Some(stream);
            }
        }
        thread::sleep(pause);
        removed = if start::is_installed() {
            Duration::ZERO
        } else {
            removed + pause
        };
        if removed >= REMOVED {
            return None;
        }
        pause = (pause * 2).min(LONGEST);
    }
}
