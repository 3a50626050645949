//! A resident that was started where nobody sits, over ssh say: somebody sits down, leaves, and another desktop comes.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use world::desk::Desk;
use world::keyring::Keyring;
use world::screen::Screen;
use world::user::Other;

use crate::login::ServiceManager;
use crate::seat::Seat;
use world::item::Host;
use world::session::{Session, folder};

/// One resident all along: by the first program that asks from a desktop, and by what a desktop tells its login.
pub(crate) fn walk() -> Result<()> {
    let folder = folder()?;
    let keyring = Rc::new(Keyring::start(folder.path())?);
    let mut seat = Seat::without_desktop(&keyring)?;
    let get = ["get", "namespaces"];
    let nobody = seat.person.kubectl(&get)?;
    ensure!(
        !nobody.ok && nobody.err.contains("[not-signed-in]"),
        "{nobody:?}"
    );
    let resident = seat.person.resident();
    let mut desk = Desk::at(&seat.person)?;
    desk.until("no desktop", is("none"))?;
    println!("nobody there: {}", nobody.err.trim());

    let others = Others::screen()?;
    seat.person.variable("DISPLAY", &others.display);
    ensure!(!seat.person.kubectl(&get)?.ok);
    desk.until("no desktop", is("none"))?;
    ensure!(seat.pages()? == 0, "a page on another's screen");
    drop(others);

    let mut session = Session::at(&keyring, Screen::start()?)?;
    seat.person.variable("DISPLAY", &session.screen.display);
    ensure!(seat.person.kubectl(&get)?.ok, "{}", seat.person.log());
    desk.until("the desktop of who asked", is("unlocked"))?;
    let host = Host::at(&keyring.address)?;
    host.item()?.until("signed in", |item| {
        Ok(item.tooltip()?.contains("test · signed in"))
    })?;
    session.picture("tray-came-later")?;
    println!("somebody sat down and asked: a page, and an item in the tray");

    session.screen.kill()?;
    desk.until("its end", is("none"))?;
    drop(session);
    ensure!(seat.person.kubectl(&get)?.ok, "the session is kept");
    println!("their screen crashed, and the session goes on");

    let screen = Screen::start()?;
    let told = [format!("DISPLAY={}", screen.display), "LANG=C".to_owned()];
    let _manager = ServiceManager::start(&keyring.address, &told)?;
    let session = Session::at(&keyring, screen)?;
    desk.until("the desktop that the login knows", is("unlocked"))?;
    let item = host.item()?;
    ensure!(item.tooltip()?.contains("test · signed in"));
    ensure!(seat.person.resident() == resident, "another resident");
    session.picture("tray-came-again")?;
    println!("another desktop came, and the item with it");
    Ok(())
}

/// A screen that another user of this machine shows things on.
struct Others {
    display: String,
    // It can be connected to for as long as this.
    shown: Option<(UnixListener, PathBuf)>,
}

impl Others {
    fn screen() -> Result<Self> {
        let other = match Other::somebody() {
            Ok(other) => other,
            Err(missing) => {
                println!("{missing}: no screen of another's");
                return Ok(Self {
                    display: ":31337".to_owned(),
                    shown: None,
                });
            }
        };
        // One of an earlier run that was killed stays there.
        for number in 31_337..31_400 {
            let socket = PathBuf::from(format!("/tmp/.X11-unix/X{number}"));
            match other.does(|| UnixListener::bind(&socket))? {
                Ok(listener) => {
                    return Ok(Self {
                        display: format!(":{number}"),
                        shown: Some((listener, socket)),
                    });
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => return Err(error).context("another's screen"),
            }
        }
        bail!("no display is free")
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        if let Some((_, socket)) = &self.shown {
            drop(fs::remove_file(socket));
        }
    }
}

fn is(desktop: &'static str) -> impl Fn(&Value) -> bool {
    move |view| view["desktop"] == desktop
}
