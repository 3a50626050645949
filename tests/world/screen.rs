//! A screen that nobody looks at: a real X server without a monitor.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::parts;
use crate::user::Other;

/// An X server of the test's own.
pub struct Screen {
    /// What DISPLAY says of it.
    pub display: String,
    server: Child,
}

impl Screen {
    /// Starts it on a number that it finds itself, and waits until it is there.
    pub fn start() -> Result<Self> {
        Self::start_at(1)
    }

    /// The same, so many times as fine: as large to look at, with more pixels.
    pub fn start_at(scale: u16) -> Result<Self> {
        let size = format!("{}x{}x24", 1024 * scale, 768 * scale);
        let dpi = (96 * scale).to_string();
        Self::start_with(None, &["-screen", "0", &size, "-dpi", &dpi])
    }

    /// One of this user's, or of ours, by a name that an earlier one had.
    pub fn start_again(display: &str, whose: Option<Other>) -> Result<Self> {
        Self::start_with(whose, &[display])
    }

    /// A name that no screen has, that none finds for itself, and no other test that runs now.
    pub fn free() -> Result<String> {
        let is_free = |number: &u32| {
            let socket = format!("/tmp/.X11-unix/X{number}");
            let lock = format!("/tmp/.X{number}-lock");
            // What one of an earlier run left that was killed would be in the way of another user's.
            UnixStream::connect(&socket).is_err()
                && [socket, lock]
                    .iter()
                    .all(|left| match fs::remove_file(left) {
                        Ok(()) => true,
                        Err(error) => error.kind() == ErrorKind::NotFound,
                    })
        };
        let first = 31_400 + std::process::id() % 20_000;
        let number = (first..first + 100).find(is_free);
        let number = number.context("no free display")?;
        Ok(format!(":{number}"))
    }

    fn start_with(whose: Option<Other>, arguments: &[&str]) -> Result<Self> {
        parts::system("Xvfb")?;
        let mut server = Other::command(whose, "Xvfb")
            .args(arguments)
            .args(["-displayfd", "1", "-nolisten", "tcp"])
            // It would be kept in the home of whoever tests.
            .env("MESA_SHADER_CACHE_DISABLE", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = server.stdout.take().context("no pipe")?;
        let mut number = String::new();
        BufReader::new(output).read_line(&mut number)?;
        ensure!(!number.trim().is_empty(), "no screen: {arguments:?}");
        Ok(Self {
            display: format!(":{}", number.trim()),
            server,
        })
    }
}

impl Screen {
    /// Ends it as a log-out does: it takes its socket with it.
    pub fn end(mut self) -> Result<()> {
        let pid = self.server.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status()?;
        ensure!(status.success(), "kill said {status}");
        self.server.wait()?;
        Ok(())
    }
}

impl Screen {
    /// Kills it: its socket stays behind, and nobody answers there.
    pub fn kill(&mut self) -> Result<()> {
        self.server.kill()?;
        self.server.wait()?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
