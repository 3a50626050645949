//! A message bus of the test's own.

use std::fs;
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

/// A bus that lets everybody in.
const OPEN: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"#;

impl Bus {
    /// Starts one that listens at `socket`. The socket's folder is home to what it starts (the panel's settings, say),
    /// which would else write in that of whoever tests.
    pub fn start(socket: &Path) -> Result<Self> {
        Self::start_for(socket, None)
    }

    /// The same, of another user's.
    pub fn start_for(socket: &Path, whose: Option<Other>) -> Result<Self> {
        Self::start_with(socket, whose, "--session")
    }

    /// The same, which other users may come to.
    pub fn open_for(socket: &Path, whose: Option<Other>) -> Result<Self> {
        let configuration = socket.with_extension("conf");
        fs::write(&configuration, OPEN)?;
        let configuration = format!("--config-file={}", configuration.display());
        Self::start_with(socket, whose, &configuration)
    }

    fn start_with(socket: &Path, whose: Option<Other>, kind: &str) -> Result<Self> {
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
            .args([kind, "--nofork", "--print-address=1"])
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
