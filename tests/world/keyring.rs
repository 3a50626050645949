//! A real gnome-keyring on a session bus of the test's own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use zbus::blocking::Proxy;
use zbus::blocking::connection::Builder;
use zbus::zvariant::OwnedObjectPath;

use crate::bus::Bus;
use crate::parts;
use crate::user::Other;

/// What its owner types to unlock it. All that the daemon reads is the password, the end of the line too.
const PASSWORD: &[u8] = b"\n";

/// A session bus with an unlocked keyring on it.
pub struct Keyring {
    /// Where the bus is.
    pub address: String,
    home: PathBuf,
    whose: Option<Other>,
    daemon: Child,
    // Last: the daemon is on it.
    _bus: Bus,
}

impl Keyring {
    /// Starts both below a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_for(folder, None)
    }

    /// The same, of another user's.
    pub fn start_for(folder: &Path, whose: Option<Other>) -> Result<Self> {
        let home = Self::home(folder, whose)?;
        let bus = Bus::start_for(&home.join("bus"), whose)?;
        Self::start_on(bus, home, whose)
    }

    /// The same on a bus that is there.
    pub fn start_at(bus: Bus, folder: &Path, whose: Option<Other>) -> Result<Self> {
        let home = Self::home(folder, whose)?;
        Self::start_on(bus, home, whose)
    }

    fn home(folder: &Path, whose: Option<Other>) -> Result<PathBuf> {
        for program in ["gnome-keyring-daemon", "secret-tool"] {
            parts::system(program)?;
        }
        let home = folder.join("keyring");
        fs::create_dir_all(home.join("run"))?;
        if let Some(Other(id)) = whose {
            for folder in [home.clone(), home.join("run")] {
                chown(folder, Some(id), Some(id))?;
            }
        }
        Ok(home)
    }

    fn start_on(bus: Bus, home: PathBuf, whose: Option<Other>) -> Result<Self> {
        let address = bus.address.clone();
        let mut daemon = Other::command(whose, "gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        daemon
            .stdin
            .take()
            .context("no pipe")?
            .write_all(PASSWORD)?;
        // It says where it is when it is there.
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().context("no pipe")?).read_line(&mut line)?;
        Ok(Self {
            address,
            home,
            whose,
            daemon,
            _bus: bus,
        })
    }

    /// Locks it, as a person does in a program that shows keyrings.
    pub fn lock(&self) -> Result<()> {
        const SERVICE: &str = "org.freedesktop.secrets";
        let bus = Builder::address(&*self.address)?.build()?;
        let (root, interface) = ("/org/freedesktop/secrets", "org.freedesktop.Secret.Service");
        let service = Proxy::new(&bus, SERVICE, root, interface)?;
        let collection: OwnedObjectPath = service.call("ReadAlias", &"default")?;
        let collections = vec![collection];
        let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            service.call("Lock", &(&collections,))?;
        ensure!(locked == collections, "not locked: {collections:?}");
        Ok(())
    }

    /// Unlocks it with its owner's password, as PAM does when a screen is unlocked: by the daemon's control socket
    /// (gnome-keyring, `daemon/control/gkd-control-codes.h`).
    pub fn unlock(&self) -> Result<()> {
        const UNLOCK: u32 = 1;
        let mut control = UnixStream::connect(self.home.join("run/keyring/control"))?;
        let length = u32::try_from(PASSWORD.len())?;
        let mut packet = Vec::new();
        for number in [12 + length, UNLOCK, length] {
            packet.extend(number.to_be_bytes());
        }
        packet.extend(PASSWORD);
        // The first byte carries the credentials of whoever writes it.
        control.write_all(&[0])?;
        control.write_all(&packet)?;
        let mut answer = [0; 8];
        control.read_exact(&mut answer)?;
        ensure!(
            answer == [0, 0, 0, 8, 0, 0, 0, 0],
            "not unlocked: {answer:?}"
        );
        Ok(())
    }

    /// What `secret-tool search` finds of Kubefob.
    pub fn search(&self) -> Result<String> {
        let output = Other::command(self.whose, "secret-tool")
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
