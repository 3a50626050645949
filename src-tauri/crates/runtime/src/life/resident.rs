//! The resident, put together: what it finds at its start, and what runs until its end.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use broker::broker::Broker;
use broker::command::Command;
use broker::event::Kept;
use broker::menu::Action;
use broker::problem::Problem;
use tokio::sync::{Notify, watch};
use wire::endpoint::Places;

use crate::askers::asker::Programs;
use crate::clock;
use crate::desk::autostart::Autostart;
use crate::desk::browser::Browser;
use crate::desk::desktop::Screen;
use crate::hall::inbox;
use crate::hall::notices::{Notice, Notices};
use crate::hall::under_way::UnderWay;
use crate::kubeconfigs::files::{Files, first_start};
use crate::life::at_rest::watch_the_vault;
use crate::life::handover::Handover;
use crate::life::leaving::Leaving;
use crate::life::opening::{self, Opening};
use crate::life::run;
use crate::life::single::{Claim, INHERIT};
use crate::life::surroundings::Surroundings;
use crate::life::upgrade::Program;
use crate::os::socket::Listener;
use crate::own::folders::{Folders, Lacking};
use crate::own::settings;
use crate::own::store::{Store, Stored};
use crate::perform::{Belongings, Hands, Performer};
use crate::serve::door::Door;
use crate::serve::front::{Front, Stage};
use crate::serve::orders::Orders;
use crate::serve::plugin::Plugins;
use crate::serve::question::Questions;
use crate::serve::room::Room;
use crate::serve::server::Server;
use crate::serve::shim::Shims;
use crate::serve::window::{self, Window};
use crate::vault::Vault;

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
    let (settings, problem) = settings::load(&folders.config);
    let unusable = lacking.data.map(|error| error.to_string());
    let store = Store::new(&folders.data, unusable.as_deref());
    let sealed = folders.vaults().iter().any(|vault| Vault::was_used(vault));
    let (kept, first, lost) = match store.load(sealed) {
        Stored::Nothing => (Kept::default(), true, None),
        Stored::Kept(kept) => (kept, false, None),
        Stored::Lost(problem) => {
            tracing::warn!(
                problem = problem.code().name(),
                "nothing is trusted any more"
            );
            (Kept::default(), false, Some(problem))
        }
    };
    let files = Files::new(folders.home.clone());
    // The newest last: it is the one that was seen last.
    files.seen().saw(kept.files.iter().rev().map(PathBuf::from));
    let vault = Vault::open(&folders.vault, folders.instance.as_deref(), settings.keep);
    let language = crate::askers::asker::spoken(&environment).unwrap_or_default();
    let decided = settings.decided(language);
    let broker = |kept| {
        let broker = Broker::new(kept, decided.clone(), seed()).resting_at(folders.shown());
        if vault.holds_any() {
            broker.with_sessions_at_rest()
        } else {
            broker
        }
    };
    let opening = if first {
        opening::first(&store, &broker, first_start(&files))
    } else {
        let unwritten = lost.is_some().then(|| store.write(kept.clone()).err());
        Opening {
            owed: unwritten
                .flatten()
                .map(|problem| (Box::new(kept.clone()), problem)),
            broker: broker(kept),
            effects: Vec::new(),
        }
    };
    let (chosen, choice) = watch::channel(settings);
    let runtime = wire::os::runtime_folder(places.uid());
    let bus = bus(&environment, runtime.as_deref());
    let (bus_is, its_bus) = watch::channel(None);

    let (inbox, messages) = inbox::inbox();
    let screen = Screen::new(&environment, runtime.as_deref(), inbox.clone());
    let browser = Browser::new(choice.clone(), screen.clone());
    let notices = Notices::new(inbox.clone());
    if let Some(problem) = problem {
        tracing::warn!(problem = problem.code().name(), "the defaults hold");
        notices.set(Notice::Settings, Some(problem));
    }
    notices.set(Notice::Log, log);
    notices.set(Notice::Found, lost);
    let (owed, problem) = opening.owed.unzip();
    notices.set(Notice::Accounts, problem);
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
        program.path().with_file_name(window::PROGRAM),
        screen.clone(),
        handed_on(&environment, folders),
        inbox.clone(),
        orders.clone(),
    );
    let (door, open) = watch::channel(Door::Open);
    let questions = Questions {
        orders: orders.clone(),
        files: files.clone(),
        plugins,
        room: room.clone(),
        home: folders.home.clone(),
    };
    let shims = Shims {
        inbox: inbox.clone(),
        programs: Programs::new(room.programs()),
        questions,
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
        store: store.clone(),
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
        language,
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
        front.clicks.act(open, language);
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
        (store, owed),
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

/// What the window may know of our environment beside the desktop's: no WEBKIT_*, GTK_*, LD_* and their like, which
/// would make it another program.
fn handed_on(environment: &[(OsString, OsString)], folders: &Folders) -> Vec<(OsString, OsString)> {
    let known = |name: &OsStr| {
        let known = [
            "PATH",
            "USER",
            "LOGNAME",
            "LANG",
            "KUBEFOB_HOME",
            "KUBEFOB_PERSON_HOME",
        ];
        known.iter().any(|known| name == *known)
            || name.as_encoded_bytes().starts_with(b"LC_")
            || wire::os::is_needed(name)
    };
    let passed = environment.iter().filter(|(name, _)| known(name)).cloned();
    let home = (OsString::from("HOME"), folders.home.clone().into());
    passed.chain([home]).collect()
}

/// For jitter alone: this process at this time.
fn seed() -> u64 {
    let now = clock::now();
    now.moment.0 ^ u64::from(std::process::id()).rotate_left(32) ^ now.wall.0.unsigned_abs()
}
