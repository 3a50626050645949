//! What changes around the resident while it runs: its program, lock, sockets, settings, screen, session bus and
//! network. The kernel says that something happened; what it was is then looked up, all of it, since a word
//! that was missed must not be missed for ever.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use broker::clock::Moment;
use broker::event::Event;
use broker::problem::Problem;
use broker::texts::Language;
use tokio::sync::{Notify, watch};
use wire::endpoint::Places;
use wire::os::folder_of;

use crate::desk::autostart::Autostart;
use crate::desk::desktop::Screen;
use crate::hall::inbox::{Inbox, Message};
use crate::hall::notices::{Notice, Notices};
use crate::kubeconfigs::files::Files;
use crate::kubeconfigs::survey::survey;
use crate::life::leaving::Leaving;
use crate::life::single::{Claim, Unclaimed};
use crate::life::upgrade::{Fate, Program};
use crate::os::files::{self, Stamp};
use crate::os::network::Network;
use crate::os::socket::{Bound, Listener};
use crate::os::watch::Watch;
use crate::own::settings::{self, Settings};
use crate::serve::server::Server;
use crate::serve::window::Window;
use crate::vault::Vault;

/// Whoever writes a file does more than one thing: it is looked at when this long nothing followed.
const QUIET: Duration = Duration::from_millis(50);
/// A network that changes does so for some time.
const NETWORK_QUIET: Duration = Duration::from_secs(1);
const MOST_CHANGES: usize = 20;
/// How soon is looked again while something is not as it should be, or about to change: a program being
/// installed, a socket's folder that is about to be mounted. Doubled up to [`BLIND`] while nothing happens.
const AGAIN: Duration = Duration::from_secs(1);
/// How often is looked where the system gives no watch.
const BLIND: Duration = Duration::from_secs(60);

/// How long our program may be gone before we end. Package managers rename a new one over the old one, so nothing is
/// ever missing; who installs by hand may remove the old one first.
const REMOVED: Duration = Duration::from_secs(10);

/// What is looked at, and who hears of it.
pub(crate) struct Surroundings {
    pub(crate) places: Places,
    pub(crate) config: PathBuf,
    pub(crate) program: Program,
    pub(crate) claim: Arc<Mutex<Claim>>,
    pub(crate) server: Server,
    pub(crate) window: Window,
    pub(crate) screen: Screen,
    pub(crate) autostart: Autostart,
    pub(crate) files: Files,
    /// The language of the desktop, where the settings name none.
    pub(crate) language: Language,
    pub(crate) bus: Option<PathBuf>,
    pub(crate) bus_is: watch::Sender<Option<u64>>,
    pub(crate) vault: Vault,
    pub(crate) chosen: watch::Sender<Settings>,
    pub(crate) notices: Notices,
    pub(crate) replaced: Arc<Notify>,
    pub(crate) leaving: Leaving,
    pub(crate) inbox: Inbox,
}

/// What one look found.
struct Seen {
    settings: (Settings, Option<Problem>),
    renewed: Result<Vec<Bound>, Unclaimed>,
    /// No candidate lacks its socket.
    in_place: bool,
    fate: Fate,
    autostart: bool,
    removed: bool,
    /// The inode of its socket.
    bus: Option<u64>,
    kubeconfigs: broker::found::Files,
    /// The state of the person's own: what was changed and changed back is news too.
    written: Option<Stamp>,
}

/// What the last look found, where the difference counts.
struct Known {
    autostart: bool,
    /// Since when our program is gone.
    removed: Option<Instant>,
    bus: Option<u64>,
    kubeconfigs: broker::found::Files,
    written: Option<Stamp>,
}

impl Surroundings {
    /// Looks whenever something happens, until this resident is another's.
    pub(crate) async fn run(self) {
        let this = Arc::new(self);
        tokio::spawn(watch_the_network(this.inbox.clone()));
        let mut watch = Watch::new()
            .inspect_err(|error| tracing::warn!(%error, "no watch on folders"))
            .ok();
        let mut known = Known {
            autostart: false,
            removed: None,
            bus: None,
            kubeconfigs: broker::found::Files::default(),
            written: None,
        };
        let (mut again, mut pause) = (true, AGAIN);
        // Which kubeconfigs are watched, and since when; until when nothing was told.
        let mut silence = (Vec::new(), crate::clock::now().moment);
        let mut silent_until = None;
        loop {
            let looking = Arc::clone(&this);
            let look = move || {
                let (watched, began) = &silence;
                let until = silent_until.or_else(|| {
                    let now = crate::clock::now().moment;
                    (!watch.as_mut().is_some_and(Watch::has_news)).then_some(now)
                });
                if let Some(until) = until {
                    looking.files.unchanged_until(watched, *began, until);
                }
                // First: what changes from now on is news.
                let watched = watch.as_mut().map(|watch| {
                    let files = looking.files.watched();
                    watch.set(looking.folders(), files)
                });
                let silence = (watched.unwrap_or_default(), crate::clock::now().moment);
                (watch, silence, looking.look())
            };
            let Ok((watching, watched, seen)) = tokio::task::spawn_blocking(look).await else {
                return;
            };
            (watch, silence) = (watching, watched);
            let unrest = match this.act(seen, &mut known) {
                Ok(unrest) => unrest,
                Err(Over::Taken) => return this.inbox.send(Message::Stop),
                Err(Over::Removed) => return this.leaving.leave("its program was removed"),
            };
            // Once more than seems needed: a mount comes after its folder, and nothing tells of it.
            let looking = (unrest || again).then_some(pause);
            silent_until = None;
            again = tokio::select! {
                happened = happened(watch.as_mut(), looking, &mut silent_until) => happened,
                () = this.files.seen().news() => false,
            };
            pause = if again { AGAIN } else { (pause * 2).min(BLIND) };
        }
    }

    /// Where something may happen. It may block as [`Self::look`] does.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let settings = settings::path(&self.config);
        // A person's symlink into a folder of dotfiles is followed.
        let target = std::fs::canonicalize(&settings).ok();
        let claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        let mut folders: BTreeSet<_> = claim.folders().into_iter().collect();
        drop(claim);
        let candidates = self.places.candidates().flatten();
        let candidates = candidates.filter_map(|socket| Some(folder_of(&socket)?.to_owned()));
        folders.extend(candidates);
        let kubeconfig = self.files.home().join(".kube").join("config");
        let linked = std::fs::canonicalize(&kubeconfig).ok();
        let files = [
            Some(settings),
            target,
            Some(kubeconfig),
            linked,
            self.bus.clone(),
        ];
        let files = files.into_iter().flatten();
        folders.extend(files.filter_map(|file| Some(file.parent()?.to_path_buf())));
        folders.extend(self.program.path().parent().map(Path::to_path_buf));
        // Others write in the folders of askers' files: it is worth a wake-up while somebody sees them.
        if self.window.is_there() {
            folders.extend(self.files.seen().folders());
        }
        folders.extend(self.screen.folder());
        folders.extend(self.autostart.folder());
        folders
    }

    /// Looks at everything. It may block: a home can be on a server that sleeps.
    fn look(&self) -> Seen {
        let mut claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = if claim.in_place(&self.places) {
            Ok(Vec::new())
        } else {
            claim.renew(&self.places)
        };
        let in_place = claim.in_place(&self.places);
        // What follows may wait for who is writing a file.
        drop(claim);
        self.screen.look();
        Seen {
            renewed,
            in_place,
            settings: settings::load(&self.config),
            fate: self.program.fate(),
            autostart: self.autostart.is_on(),
            removed: self.program.is_removed(),
            bus: self.bus.as_deref().and_then(inode),
            // First: what is written later is news later.
            written: self.files.own_state(),
            kubeconfigs: survey(&self.files),
        }
    }

    /// Makes of it what it means. True: it will be otherwise soon, and nothing may tell of it.
    fn act(&self, seen: Seen, known: &mut Known) -> Result<bool, Over> {
        match seen.renewed {
            Ok(listeners) => self.serve(listeners),
            Err(Unclaimed::Taken) => {
                tracing::warn!("another resident holds the lock");
                return Err(Over::Taken);
            }
            Err(error @ (Unclaimed::Place(_) | Unclaimed::Lock { .. } | Unclaimed::Io { .. })) => {
                tracing::warn!(%error, "no socket");
            }
        }
        match seen.settings {
            (settings, None) => {
                self.notices.set(Notice::Settings, None);
                self.choose(settings);
            }
            // What held before holds on.
            (_, problem @ Some(_)) => self.notices.set(Notice::Settings, problem),
        }
        if seen.bus != known.bus {
            if seen.bus.is_some() && self.vault.is_restless() {
                self.vault.wake();
            }
            self.bus_is.send_replace(seen.bus);
        }
        if seen.kubeconfigs != known.kubeconfigs || seen.written != known.written {
            let kubeconfigs = Box::new(seen.kubeconfigs.clone());
            self.inbox.event(Event::FilesChanged(kubeconfigs));
        }
        if seen.autostart != known.autostart {
            self.inbox.event(Event::Autostart(seen.autostart));
        }
        let removed = seen
            .removed
            .then(|| known.removed.unwrap_or_else(Instant::now));
        if removed.is_some_and(|since| since.elapsed() >= REMOVED) {
            return Err(Over::Removed);
        }
        *known = Known {
            autostart: seen.autostart,
            removed,
            bus: seen.bus,
            kubeconfigs: seen.kubeconfigs,
            written: seen.written,
        };
        let settling = match seen.fate {
            Fate::Same | Fate::Gone => false,
            Fate::Settling => true,
            Fate::Replaced => {
                self.replaced.notify_one();
                false
            }
        };
        Ok(settling || seen.removed || !seen.in_place)
    }

    fn serve(&self, listeners: Vec<Bound>) {
        for listener in listeners {
            match Listener::new(listener) {
                Ok(listener) => drop(tokio::spawn(self.server.clone().serve(listener))),
                Err(error) => tracing::warn!(%error, "no socket"),
            }
        }
    }

    fn choose(&self, settings: Settings) {
        if *self.chosen.borrow() == settings {
            return;
        }
        tracing::info!("other settings");
        self.inbox
            .event(Event::Settings(settings.decided(self.language)));
        self.vault.choose(settings.keep);
        self.chosen.send_replace(settings);
        self.vault.wake();
    }
}

fn inode(file: &Path) -> Option<u64> {
    Some(files::of_target(file).ok()?.1)
}

/// Why this resident ends.
enum Over {
    /// Another has its place.
    Taken,
    /// It was uninstalled: nobody can ask any more, nor start it again.
    Removed,
}

/// Waits until something happened, or the pause is over. True: something happened; `silent_until` says until when
/// nothing had, where that is known.
async fn happened(
    watch: Option<&mut Watch>,
    pause: Option<Duration>,
    silent_until: &mut Option<Moment>,
) -> bool {
    let Some(watch) = watch else {
        tokio::time::sleep(pause.unwrap_or(BLIND)).await;
        return false;
    };
    // Since when is not known: during the last look.
    if watch.has_news() {
        tokio::time::sleep(QUIET).await;
        return true;
    }
    *silent_until = Some(crate::clock::now().moment);
    let changed = match pause {
        Some(pause) => match tokio::time::timeout(pause, watch.changed()).await {
            Ok(changed) => changed,
            Err(_) => return false,
        },
        None => watch.changed().await,
    };
    match changed {
        Ok(()) => {
            *silent_until = Some(crate::clock::now().moment);
            tokio::time::sleep(QUIET).await;
        }
        Err(error) => {
            tracing::warn!(%error, "the watch on folders");
            tokio::time::sleep(BLIND).await;
        }
    }
    true
}

async fn watch_the_network(inbox: Inbox) {
    let Ok(mut network) = Network::new() else {
        tracing::warn!("nobody says when the network changes");
        return;
    };
    while network.changed().await.is_ok() {
        // The rest of it, until nothing followed for a while, or it takes too long to wait for.
        for _ in 0..MOST_CHANGES {
            let more = tokio::time::timeout(NETWORK_QUIET, network.changed()).await;
            if !matches!(more, Ok(Ok(()))) {
                break;
            }
        }
        inbox.event(Event::NetworkChanged);
    }
}
