//! A real gnome-keyring on a session bus of the test's own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::bus::Bus;
use crate::parts;

/// A session bus with an unlocked keyring on it.
pub struct Keyring {
    /// Where the bus is.
    pub address: String,
    home: std::path::PathBuf,
    daemon: Child,
    // Last: the daemon is on it.
    _bus: Bus,
}

impl Keyring {
    /// Starts both below a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        for program in ["gnome-keyring-daemon", "secret-tool"] {
            parts::system(program)?;
        }
        let home = folder.join("keyring");
        fs::create_dir_all(home.join("run"))?;
        let bus = Bus::start(&home.join("bus"))?;
        let address = bus.address.clone();
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        daemon.stdin.take().context("no pipe")?.write_all(b"\n")?;
        // It says where it is when it is there.
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().context("no pipe")?).read_line(&mut line)?;
        Ok(Self {
            address,
            home,
            daemon,
            _bus: bus,
        })
    }

    /// What `secret-tool search` finds of Kubefob.
    pub fn search(&self) -> Result<String> {
        let output = Command::new("secret-tool")
            .args(["search", "--all", "service", "kubefob"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", &self.home)
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let both = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&both).into_owned())
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
