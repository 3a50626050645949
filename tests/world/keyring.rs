//! A real gnome-keyring on a session bus of the test's own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::parts;

/// A session bus with an unlocked keyring on it.
pub struct Keyring {
    /// Where the bus is.
    pub address: String,
    home: std::path::PathBuf,
    bus: Child,
    daemon: Child,
}

impl Keyring {
    /// Starts both below a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        for program in ["dbus-daemon", "gnome-keyring-daemon", "secret-tool"] {
            parts::system(program)?;
        }
        let home = folder.join("keyring");
        fs::create_dir_all(home.join("run"))?;
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .arg(format!(
                "--address=unix:path={}",
                home.join("bus").display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(bus.stdout.take().context("no pipe")?).read_line(&mut address)?;
        let address = address.trim().to_owned();
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
            bus,
            daemon,
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
        for child in [&mut self.daemon, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
