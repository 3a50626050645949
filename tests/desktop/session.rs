//! A desktop session: a screen, a bus with a keyring, a panel that hosts tray items, and a notification server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use world::keyring::Keyring;
use world::parts;
use world::screen::Screen;

/// What a person sits in front of.
pub(crate) struct Session {
    pub(crate) keyring: Keyring,
    pub(crate) screen: Screen,
    home: PathBuf,
    panel: Option<Child>,
    notifier: Child,
    told: Receiver<String>,
    _folder: TempDir,
}

impl Session {
    pub(crate) fn start() -> Result<Self> {
        for program in ["xfce4-panel", "dunst"] {
            parts::system(program)?;
        }
        let folder = tempfile::Builder::new()
            .prefix("kubefob-desktop-")
            .tempdir()?;
        let screen = Screen::start()?;
        let keyring = Keyring::start(folder.path())?;
        let home = folder.path().join("home");
        fs::create_dir_all(&home)?;
        let mut notifier = command("stdbuf", &home, &screen, &keyring)
            // Line by line, also into a pipe.
            .args(["-oL", "dunst", "-print"])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = notifier.stdout.take().context("no pipe")?;
        let (says, told) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if says.send(line).is_err() {
                    return;
                }
            }
        });
        let mut session = Self {
            keyring,
            screen,
            home,
            panel: None,
            notifier,
            told,
            _folder: folder,
        };
        session.start_panel()?;
        Ok(session)
    }

    /// Starts the tray's host.
    pub(crate) fn start_panel(&mut self) -> Result<()> {
        let panel = command("xfce4-panel", &self.home, &self.screen, &self.keyring)
            .arg("--disable-wm-check")
            .stdout(Stdio::null())
            .spawn()?;
        self.panel = Some(panel);
        Ok(())
    }

    /// Kills the tray's host.
    pub(crate) fn kill_panel(&mut self) -> Result<()> {
        let mut panel = self.panel.take().context("there is no panel")?;
        panel.kill()?;
        panel.wait()?;
        // Its plugins are processes of their own.
        drop(
            Command::new("pkill")
                .args(["-f", "xfce4/panel/wrapper"])
                .status(),
        );
        Ok(())
    }

    /// The next line of a notification that has these words in it.
    pub(crate) fn notified(&self, words: &str) -> Result<String> {
        loop {
            let line = self
                .told
                .recv_timeout(Duration::from_secs(60))
                .with_context(|| format!("no notification says {words:?}"))?;
            if line.contains(words) {
                return Ok(line);
            }
        }
    }

    /// A picture of the whole screen, where pictures are wanted.
    pub(crate) fn picture(&self, name: &str) -> Result<()> {
        let Some(folder) = std::env::var_os("KUBEFOB_PICTURES") else {
            return Ok(());
        };
        fs::create_dir_all(&folder)?;
        let file = Path::new(&folder).join(name).with_extension("png");
        let taken = command("import", &self.home, &self.screen, &self.keyring)
            .args(["-window", "root"])
            .arg(&file)
            .status()?;
        ensure!(taken.success(), "no picture {}", file.display());
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.panel.is_some() {
            drop(self.kill_panel());
        }
        drop(self.notifier.kill());
        drop(self.notifier.wait());
    }
}

fn command(program: &str, home: &Path, screen: &Screen, keyring: &Keyring) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", home)
        .env("DISPLAY", &screen.display)
        .env("DBUS_SESSION_BUS_ADDRESS", &keyring.address)
        .env("XDG_CURRENT_DESKTOP", "XFCE")
        .env("NO_AT_BRIDGE", "1")
        .env("GDK_BACKEND", "x11")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_RUNTIME_DIR")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}
