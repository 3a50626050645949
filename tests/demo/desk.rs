//! The desktop that it is shown on: a tray, the window in a driver's hands, notifications, and pictures of it all. A
//! virtual one, or the person's own. Nothing here is async: each of its waits lets the others go on by itself.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::block_in_place;
use world::driver::Driver;
use world::item::{Host, Item};
use world::onlooker::Onlooker;
use world::person::Person;
use world::running::free_port;
use world::session::Session;
use world::wait;

use crate::teller::Teller;

/// What a program needs to show itself on the person's own desktop.
const OWN: [&str; 6] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_CURRENT_DESKTOP",
];
/// How long the closed window lingers, in milliseconds: the next thing that is shown is another.
const LINGER: u32 = 100;

/// Where it is shown.
pub(crate) struct Desk {
    /// None: on the person's own.
    session: Option<Session>,
    port: u16,
    page: RefCell<Option<Driver>>,
    pictures: PathBuf,
    taken: Cell<usize>,
}

impl Desk {
    /// A virtual one, or the person's own; pictures are left in the folder.
    pub(crate) fn set(own: bool, pictures: PathBuf) -> Result<Self> {
        if pictures.exists() {
            fs::remove_dir_all(&pictures)?;
        }
        fs::create_dir_all(&pictures)?;
        let session = if own {
            None
        } else {
            Some(block_in_place(Session::start)?)
        };
        Ok(Self {
            session,
            port: free_port()?,
            page: RefCell::new(None),
            pictures,
            taken: Cell::new(0),
        })
    }

    /// Where the pictures are.
    pub(crate) fn pictures(&self) -> &Path {
        &self.pictures
    }

    /// Has this person sit down at it, a window beside their resident.
    pub(crate) fn seat(&self, person: &mut Person) -> Result<()> {
        match &self.session {
            Some(session) => {
                person.variable("DISPLAY", &session.screen.display);
                person.variable("DBUS_SESSION_BUS_ADDRESS", &session.keyring.address);
            }
            None => {
                for name in OWN {
                    if let Ok(value) = std::env::var(name) {
                        person.variable(name, &value);
                    }
                }
            }
        }
        person.install_window("kubefob-window")?;
        let automation = format!("{} {LINGER}", self.port);
        Ok(fs::write(person.instance.join("automation"), automation)?)
    }

    /// The item in the tray.
    pub(crate) fn item(&self, person: &Person) -> Result<Item> {
        let bus = match &self.session {
            Some(session) => session.keyring.address.clone(),
            None => std::env::var("DBUS_SESSION_BUS_ADDRESS").context("no session bus")?,
        };
        block_in_place(|| Host::at(&bus)?.item_of(person.resident().context("no resident")?))
    }

    /// Takes hold of the window that comes up.
    pub(crate) fn hold(&self) -> Result<()> {
        let page = block_in_place(|| Driver::hold(self.port))?;
        self.let_go();
        *self.page.borrow_mut() = Some(page);
        Ok(())
    }

    /// Does something with the window that it holds.
    pub(crate) fn with_page<T>(&self, what: impl FnOnce(&Driver) -> Result<T>) -> Result<T> {
        let page = self.page.borrow();
        block_in_place(|| what(page.as_ref().context("no window is held")?))
    }

    /// Closes the window as Ctrl+W does, and waits until its process is gone.
    pub(crate) async fn close(&self, person: &Person) -> Result<()> {
        const KEYS: &str = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'w', ctrlKey: true, bubbles: true }))";
        self.with_page(|page| page.run(KEYS).map(drop))?;
        wait::up_to(Duration::from_secs(60))
            .until_async("the window's end", async || Ok(person.windows().is_empty()))
            .await?;
        self.let_go();
        Ok(())
    }

    /// A driver's runtime can't end where others run.
    pub(crate) fn let_go(&self) {
        block_in_place(|| drop(self.page.borrow_mut().take()));
    }

    /// The next line of a notification that says this; none on the person's own desktop: they see it.
    pub(crate) fn notified(&self, words: &str) -> Result<Option<String>> {
        let Some(session) = &self.session else {
            return Ok(None);
        };
        let line = block_in_place(|| session.notified(words))?;
        Ok(Some(line.trim().to_owned()))
    }

    /// A picture of the virtual screen; of the window alone on the person's own, which is nobody else's business.
    pub(crate) fn picture(&self, teller: &Teller, name: &str) -> Result<()> {
        let page = self.page.borrow();
        self.taken.set(self.taken.get() + 1);
        let file = format!("{:02}-{name}.png", self.taken.get());
        let path = self.pictures.join(&file);
        block_in_place(|| {
            if let Some(page) = &*page {
                page.painted()?;
            }
            match (&self.session, &*page) {
                (Some(session), _) => {
                    let onlooker = Onlooker::at(&session.screen.display)?;
                    onlooker.picture(onlooker.screen()?)?.save(&path)
                }
                (None, Some(page)) => Ok(fs::write(&path, page.picture()?)?),
                (None, None) => Ok(()),
            }
        })?;
        if path.exists() {
            teller.said(&format!("(picture: {file})"));
        }
        Ok(())
    }
}
