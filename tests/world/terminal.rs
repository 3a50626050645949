//! A command line that runs on a terminal of its own, and whoever sits at it.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::person::{Person, Said, said};

/// What comes before the address of a page, where it is told.
const ADDRESS: &str = "sign in at ";

/// How long a terminal may show nothing new. It only serves to fail.
const LATEST: Duration = Duration::from_secs(120);

/// A terminal, and the command line on it.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    shown: String,
    read: usize,
}

impl Terminal {
    /// Starts a command line on one.
    pub fn start(person: &Person, line: &str) -> Result<Self> {
        let mut child = person.at_terminal(line)?;
        let keys = child.stdin.take().context("no keys")?;
        let mut screen = child.stdout.take().context("no screen")?;
        let (shows, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if shows.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            keys,
            screen: shown,
            shown: String::new(),
            read: 0,
        })
    }

    /// Reads on until this is shown; an error with all that was, if the command ends before.
    pub fn until(&mut self, wanted: &str) -> Result<()> {
        while !self.shown[self.read..].contains(wanted) {
            if !self.more()? {
                bail!("it ended without {wanted:?}: {:?}", self.shown);
            }
        }
        let found = self.shown[self.read..].find(wanted).unwrap_or_default();
        self.read += found + wanted.len();
        Ok(())
    }

    /// The address that is told next.
    pub fn address(&mut self) -> Result<String> {
        self.until(ADDRESS)?;
        let from = self.read;
        self.until("\n")?;
        Ok(self.shown[from..self.read].trim().to_owned())
    }

    /// Types something.
    pub fn types(&mut self, keys: &str) -> Result<()> {
        Ok(self.keys.write_all(keys.as_bytes())?)
    }

    /// Waits for the command's end. All that the terminal showed stands in `out`.
    pub fn end(mut self) -> Result<Said> {
        while self.more()? {}
        drop(self.keys);
        let ended = said(self.child.wait_with_output()?)?;
        Ok(Said {
            out: self.shown,
            ..ended
        })
    }

    fn more(&mut self) -> Result<bool> {
        match self.screen.recv_timeout(LATEST) {
            Ok(read) => {
                let read = String::from_utf8_lossy(&read).replace('\r', "");
                self.shown.push_str(&read);
                Ok(true)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(false),
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill()?;
                bail!("nothing for {LATEST:?} after {:?}", self.shown)
            }
        }
    }
}
