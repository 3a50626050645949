//! A message bus of the test's own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result};

use crate::parts;
use crate::user::Other;

/// A real dbus-daemon. Whoever connects may own any name, as on a session bus.
pub struct Bus {
    /// Where it is.
    pub address: String,
    daemon: Child,
}

impl Bus {
    /// Starts one that listens at `socket`. The socket's folder is home to what it starts (the panel's settings, say),
    /// which would else write in that of whoever tests.
    pub fn start(socket: &Path) -> Result<Self> {
        Self::start_for(socket, None)
    }

    /// The same, of another user's.
    pub fn start_for(socket: &Path, whose: Option<Other>) -> Result<Self> {
        parts::system("dbus-daemon")?;
        let home = socket.parent().context("a socket in no folder")?;
        let mut daemon = Other::command(whose, "dbus-daemon");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"XDG_") {
                daemon.env_remove(name);
            }
        }
        let mut daemon = daemon
            .env("HOME", home)
            .args(["--session", "--nofork", "--print-address=1"])
            .arg(format!("--address=unix:path={}", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut address = String::new();
        let said = daemon.stdout.take().context("no pipe")?;
        BufReader::new(said).read_line(&mut address)?;
        Ok(Self {
            address: address.trim().to_owned(),
            daemon,
        })
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
