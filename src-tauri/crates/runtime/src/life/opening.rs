//! What there is before anybody is served: what was kept, or the first start.

use std::ffi::OsString;
use std::path::PathBuf;

use broker::broker::Broker;
use broker::event::{Effect, Event, Found, Kept};
use broker::problem::Problem;
use broker::texts::Language;

use crate::askers::asker::spoken;
use crate::clock;
use crate::hall::notices::{Notice, Notices};
use crate::kubeconfigs::files::{Files, first_start};
use crate::own::folders::{Folders, Lacking};
use crate::own::settings::{self, Settings};
use crate::own::store::{Store, Stored};
use crate::vault::Vault;

/// What the disk did not take, and why.
type Unwritten = (Box<Kept>, Problem);

/// What there is before anybody is served.
pub(super) struct Opening {
    pub(super) settings: Settings,
    /// The language of the desktop.
    pub(super) language: Language,
    pub(super) files: Files,
    pub(super) vault: Vault,
    pub(super) store: Store,
    pub(super) broker: Broker,
    /// What it has decided already.
    pub(super) effects: Vec<Effect>,
    /// What the disk did not take.
    pub(super) owed: Option<Box<Kept>>,
    /// What the settings, what was kept and the disk are short of.
    problems: [(Notice, Option<Problem>); 3],
}

impl Opening {
    /// Reads what lies in these folders; `environment` is the one that it was started with.
    pub(super) fn of(
        folders: &Folders,
        lacking: Lacking,
        environment: &[(OsString, OsString)],
    ) -> Self {
        let (settings, unreadable) = settings::load(&folders.config);
        if let Some(problem) = &unreadable {
            tracing::warn!(problem = problem.code().name(), "the defaults hold");
        }
        let unusable = lacking.data.map(|error| error.to_string());
        let store = Store::new(&folders.data, unusable.as_deref());
        let sealed = folders.vaults().iter().any(|vault| Vault::was_used(vault));
        let (kept, lost) = match store.load(sealed) {
            Stored::Nothing => (None, None),
            Stored::Kept(kept) => (Some(kept), None),
            Stored::Lost(problem) => {
                tracing::warn!(
                    problem = problem.code().name(),
                    "nothing is trusted any more"
                );
                (Some(Kept::default()), Some(problem))
            }
        };
        let files = Files::new(folders.home.clone());
        // The newest last: it is the one that was seen last.
        let seen = kept.iter().flat_map(|kept| kept.files.iter().rev());
        files.seen().saw(seen.map(PathBuf::from));
        let vault = Vault::open(&folders.vault, folders.instance.as_deref(), settings.keep);
        let language = spoken(environment).unwrap_or_default();
        let broker = |kept| {
            let decided = settings.decided(language);
            let broker = Broker::new(kept, decided, seed()).resting_at(folders.shown());
            if vault.holds_any() {
                broker.with_sessions_at_rest()
            } else {
                broker
            }
        };
        let (broker, effects, owed) = match kept {
            None => first(&store, &broker, first_start(&files)),
            Some(kept) => {
                let unwritten = lost.as_ref().and_then(|_| store.write(kept.clone()).err());
                let owed = unwritten.map(|problem| (Box::new(kept.clone()), problem));
                (broker(kept), Vec::new(), owed)
            }
        };
        let (owed, unwritten) = owed.unzip();
        Self {
            settings,
            language,
            files,
            vault,
            store,
            broker,
            effects,
            owed,
            problems: [
                (Notice::Settings, unreadable),
                (Notice::Found, lost),
                (Notice::Accounts, unwritten),
            ],
        }
    }

    /// Says what is amiss.
    pub(super) fn tell(&mut self, notices: &Notices) {
        for (notice, problem) in &mut self.problems {
            notices.set(*notice, problem.take());
        }
    }
}

/// The first start: what was found is trusted in bulk, once that it was is on disk. Where it can't be, nothing is: each
/// start would be a first one, and trust again what was taken back.
fn first(
    store: &Store,
    broker: &impl Fn(Kept) -> Broker,
    found: Vec<Found>,
) -> (Broker, Vec<Effect>, Option<Unwritten>) {
    let mut trusting = broker(Kept::default());
    let mut effects = trusting.handle(Event::FirstStart(found), clock::now());
    let mut kept = Kept::default();
    effects.retain_mut(|effect| {
        let Effect::Keep(newest) = effect else {
            return true;
        };
        kept = *std::mem::take(newest);
        false
    });
    match store.write(kept) {
        Ok(()) => (trusting, effects, None),
        Err(problem) => {
            let nothing = broker(Kept::default());
            (nothing, Vec::new(), Some((Box::default(), problem)))
        }
    }
}

/// For jitter alone: this process at this time.
fn seed() -> u64 {
    let now = clock::now();
    now.moment.0 ^ u64::from(std::process::id()).rotate_left(32) ^ now.wall.0.unsigned_abs()
}
