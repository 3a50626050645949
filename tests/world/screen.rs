//! A screen that nobody looks at: a real X server without a monitor.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::parts;

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
        parts::system("Xvfb")?;
        let size = format!("{}x{}x24", 1024 * scale, 768 * scale);
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &size])
            .args(["-dpi", &(96 * scale).to_string(), "-nolisten", "tcp"])
            // It would be kept in the home of whoever tests.
            .env("MESA_SHADER_CACHE_DISABLE", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = server.stdout.take().context("no pipe")?;
        let mut number = String::new();
        BufReader::new(output).read_line(&mut number)?;
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
