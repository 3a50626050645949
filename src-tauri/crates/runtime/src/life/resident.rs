//! The resident, put together: what it finds at its start, and what runs until its end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use broker::command::Command;
use broker::menu::Action;
use broker::problem::Problem;
use tokio::sync::{Notify, watch};
use wire::endpoint::Places;

use crate::askers::asker::Programs;
use crate::desk::autostart::Autostart;
use crate::desk::browser::Browser;
use crate::desk::desktop::Screen;
use crate::hall::inbox;
use crate::hall::notices::{Notice, Notices};
use crate::hall::under_way::UnderWay;
use crate::life::at_rest::watch_the_vault;
use crate::life::handover::Handover;
use crate::life::leaving::Leaving;
use crate::life::opening::Opening;
use crate::life::run;
use crate::life::single::{Claim, INHERIT};
use crate::life::surroundings::Surroundings;
use crate::life::upgrade::Program;
use crate::os::socket::Listener;
use crate::own::folders::{Folders, Lacking};
use crate::perform::{Belongings, Hands, Performer};
use crate::serve::ask::Asks;
use crate::serve::door::Door;
use crate::serve::front::{Front, Stage};
use crate::serve::orders::Orders;
use crate::serve::plugin::Plugins;
use crate::serve::room::Room;
use crate::serve::server::Server;
use crate::serve::shim::Shims;
use crate::serve::window::{Window, passed_on};

/// Who started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A person, who wants to see the window.
    ByHand,
    /// Somebody who needs it to be there.
    InBackground,
}

/// Runs the resident until it is told to end, while `draw` shows what there is to be seen.
///
/// `environment` is the one that it was started with: it names the desktop. `program` is the file that it was
/// started from. `lacking` are the folders that can't be used, and `log` says why there is none.
///
/// # Errors
/// What the system refuses at the start.
#[allow(clippy::too_many_arguments, reason = "all that is there at the start")]
pub async fn run<Drawing: Future<Output = ()> + Send + 'static>(
    places: &Places,
    folders: &Folders,
    mut claim: Claim,
    program: Program,
    environment: Vec<(OsString, OsString)>,
    start: Start,
    lacking: Lacking,
    log: Option<Problem>,
    draw: impl FnOnce(Front) -> Drawing,
) -> anyhow::Result<()> {
    #[cfg(unix)]
    tokio::spawn(crate::os::children::let_go());
    let mut opening = Opening::of(folders, lacking, &environment);
    let (files, vault) = (opening.files.clone(), opening.vault.clone());
    let (chosen, choice) = watch::channel(opening.settings.clone());
    let runtime = wire::os::runtime_folder(places.uid());
    let bus = bus(&environment, runtime.as_deref());
    let (bus_is, its_bus) = watch::channel(None);

    let (inbox, messages) = inbox::inbox();
    let screen = Screen::new(&environment, runtime.as_deref(), inbox.clone());
    let browser = Browser::new(choice.clone(), screen.clone());
    let notices = Notices::new(inbox.clone());
    notices.set(Notice::Log, log);
    opening.tell(&notices);
    let under_way = UnderWay::new();
    let plugins = Plugins::new(
        program.path().parent().unwrap_or(Path::new("/")),
        &folders.home,
        crate::os::environment::variable(&environment, "PATH"),
        inbox.clone(),
    );
    plugins.look_again();
    let room = Room::of_this_process();
    let orders = Orders::new(inbox.clone(), files.clone(), plugins.clone(), room.clone());
    let window = Window::new(
        program.path(),
        passed_on(&environment, &folders.home),
        screen.clone(),
        inbox.clone(),
        orders.clone(),
    );
    let (door, open) = watch::channel(Door::Open);
    let asks = Asks {
        orders: orders.clone(),
        files: files.clone(),
        plugins,
        room: room.clone(),
        home: folders.home.clone(),
    };
    let shims = Shims {
        inbox: inbox.clone(),
        programs: Programs::new(room.programs()),
        asks,
        chosen: choice,
        under_way: under_way.clone(),
        screen: screen.clone(),
    };
    let server = Server {
        uid: places.uid().to_owned(),
        door: open,
        room,
        under_way: under_way.clone(),
        screen: screen.clone(),
        window: window.clone(),
        shims,
    };
    for listener in claim.listeners()? {
        tokio::spawn(server.clone().serve(Listener::new(listener)?));
    }
    if start == Start::InBackground {
        wire::os::let_go_of_stderr();
    }
    tokio::spawn(watch_the_vault(vault.clone(), inbox.clone()));
    let claim = Arc::new(Mutex::new(claim));
    let leaving = Leaving {
        claim: Arc::clone(&claim),
        door: door.clone(),
        inbox: inbox.clone(),
    };
    tokio::spawn(leaving.clone().on_signal());
    let replaced = Arc::new(Notify::new());
    let handover = Handover {
        program: program.clone(),
        claim: Arc::clone(&claim),
        vault: vault.clone(),
        store: opening.store.clone(),
        door,
        under_way: under_way.clone(),
        screen: screen.clone(),
        inbox: inbox.clone(),
        notices: notices.clone(),
        leaving: leaving.clone(),
        wanted: Arc::clone(&replaced),
    };
    tokio::spawn(handover.run());
    let notices_of_all = notices.clone();
    let instance = folders.instance.as_deref();
    let autostart = Autostart::new(&folders.home, program.path(), instance);
    let surroundings = Surroundings {
        places: places.clone(),
        config: folders.config.clone(),
        program,
        claim,
        server,
        window: window.clone(),
        screen: screen.clone(),
        autostart: autostart.clone(),
        files: files.clone(),
        language: opening.language,
        bus,
        bus_is,
        vault: vault.clone(),
        chosen,
        notices,
        replaced,
        leaving,
        inbox: inbox.clone(),
    };
    tokio::spawn(surroundings.run());
    let (stage, front) = Stage::new(inbox.clone(), orders, screen, its_bus, window.clone());
    // One that became this program by an upgrade was not started by anybody.
    if start == Start::ByHand && std::env::var_os(INHERIT).is_none() {
        let open = Action::Command(Box::new(Command::Open { screen: None }));
        front.clicks.act(open, opening.language);
    }
    let drawn = tokio::spawn(draw(front));
    tracing::info!(version = broker::VERSION, "up");
    let performer = Performer::new(
        Hands {
            inbox,
            vault,
            browser,
            under_way,
        },
        Belongings {
            config: folders.config.clone(),
            autostart,
            leftovers: [folders.log.clone()].into(),
        },
        (opening.store, opening.owed),
        files,
        stage,
        window,
        notices_of_all,
    );
    run::run(opening.broker, performer, messages, opening.effects).await?;
    drawn.abort();
    tracing::info!("ended");
    Ok(())
}

/// The session bus's socket, there yet or not: as zbus finds it, so that its coming is seen.
fn bus(environment: &[(OsString, OsString)], runtime: Option<&Path>) -> Option<PathBuf> {
    let named = crate::os::environment::variable(environment, "DBUS_SESSION_BUS_ADDRESS");
    let Some(named) = named else {
        return Some(runtime?.join("bus"));
    };
    let path = named.to_str()?.strip_prefix("unix:path=")?;
    Some(path.split([',', ';']).next()?.into())
}
