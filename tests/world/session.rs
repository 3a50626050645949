//! A desktop session: a screen, a bus with a keyring, a panel that hosts tray items, and a notification server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::keyring::Keyring;
use crate::onlooker::{Area, Button, Onlooker, Picture};
use crate::parts;
use crate::running::Running;
use crate::screen::Screen;
use crate::wait;

/// What a person sits in front of.
pub struct Session {
    /// Its bus, and the keyring on it.
    pub keyring: Rc<Keyring>,
    /// Its screen.
    pub screen: Screen,
    home: PathBuf,
    scale: u16,
    panel: Option<Running>,
    notifier: Child,
    told: Receiver<String>,
    // Last: what runs writes in it.
    folder: TempDir,
}

impl Session {
    /// One on a bus of its own.
    pub fn start() -> Result<Self> {
        Self::start_at(1)
    }

    /// The same on a screen that is so many times as fine, with a panel that knows it.
    pub fn start_at(scale: u16) -> Result<Self> {
        let folder = folder()?;
        let keyring = Rc::new(Keyring::start(folder.path())?);
        Self::on(keyring, Screen::start_at(scale)?, scale, folder)
    }

    /// One that comes to a bus that is there.
    pub fn at(keyring: &Rc<Keyring>, screen: Screen) -> Result<Self> {
        Self::on(Rc::clone(keyring), screen, 1, folder()?)
    }

    fn on(keyring: Rc<Keyring>, screen: Screen, scale: u16, folder: TempDir) -> Result<Self> {
        for program in ["xfce4-panel", "dunst"] {
            parts::system(program)?;
        }
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
            scale,
            panel: None,
            notifier,
            told,
            folder,
        };
        session.start_panel()?;
        Ok(session)
    }

    /// Starts the tray's host.
    pub fn start_panel(&mut self) -> Result<()> {
        let mut panel = command("xfce4-panel", &self.home, &self.screen, &self.keyring);
        panel
            .arg("--disable-wm-check")
            .env("GDK_SCALE", self.scale.to_string());
        self.panel = Some(Running::start("panel", &mut panel, self.folder.path())?);
        Ok(())
    }

    /// Kills the tray's host, with its plugins, which are processes of their own.
    pub fn kill_panel(&mut self) -> Result<()> {
        self.panel.take().map(drop).context("there is no panel")
    }

    /// The next line of a notification that has these words in it.
    pub fn notified(&self, words: &str) -> Result<String> {
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

    /// That no notification has said these words so far.
    pub fn was_quiet(&self, words: &str) -> Result<()> {
        for line in self.told.try_iter() {
            ensure!(!line.contains(words), "notified: {line}");
        }
        Ok(())
    }

    /// A picture of the whole screen, where pictures are wanted.
    pub fn picture(&self, name: &str) -> Result<()> {
        let Some(file) = picture(name) else {
            return Ok(());
        };
        let onlooker = Onlooker::at(&self.screen.display)?;
        still(&onlooker, onlooker.screen()?)?.save(&file)
    }

    /// A picture of the tray with its menu open, where pictures are wanted.
    pub fn picture_of_menu(&self, name: &str) -> Result<()> {
        let margin = 24 * self.scale;
        let Some(file) = picture(name) else {
            return Ok(());
        };
        let onlooker = Onlooker::at(&self.screen.display)?;
        let (menu, screen) = (onlooker.open_tray_menu()?, onlooker.screen()?);
        let x = menu.x.saturating_sub_unsigned(margin).max(0);
        let around = Area {
            x,
            y: 0,
            width: screen.width.saturating_sub(x.cast_unsigned()),
            height: (menu.y.cast_unsigned() + menu.height + margin).min(screen.height),
        };
        still(&onlooker, around)?.save(&file)?;
        // Beside it: that closes it.
        onlooker.click(Button::Left, 4, screen.height.cast_signed() - 4)
    }
}

/// A picture of what is drawn to its end: what is there at first may not be, what is seen twice is.
fn still(onlooker: &Onlooker, area: Area) -> Result<Picture> {
    let mut seen = None;
    wait::up_to(Duration::from_secs(60))
        .every(Duration::from_millis(200))
        .until("the same picture twice", || {
            let again = onlooker.picture(area)?;
            let before = seen.replace(again);
            Ok(before.filter(|before| seen.as_ref() == Some(before)))
        })
}

fn picture(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("KUBEFOB_PICTURES")?;
    Some(Path::new(&folder).join(name).with_extension("png"))
}

/// A folder for what a session writes.
pub fn folder() -> Result<TempDir> {
    let mut named = tempfile::Builder::new();
    Ok(named.prefix("kubefob-desktop-").tempdir()?)
}

impl Drop for Session {
    fn drop(&mut self) {
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
