//! How many may be here at once: by what this process may have open, of which something is always kept back. Else a
//! crowd that says nothing would take the descriptors with which another's question is looked into.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::AbortHandle;

/// How many connections there are at most, where descriptors are plenty. More than come at one instant.
const MOST: usize = 4_096;
/// How many descriptors this process would like to have for them.
#[cfg(unix)]
const WANTED: u64 = MOST as u64;
/// Those that it opens later for itself: buses, watches, timers, a sign-in's ports, a provider, the window.
const KEPT_BACK: usize = 24;
/// What one look at an asker's files may have open at once.
const A_LOOK: usize = 8;
/// How many such looks there are at once, where descriptors are plenty.
const MOST_LOOKS: usize = 64;
/// What one program that is kept has open.
const A_PROGRAM: usize = 2;
/// How many programs are kept, where descriptors are plenty.
const MOST_PROGRAMS: usize = 16;
/// However few descriptors there are, less than this is no service.
const FEWEST: usize = 4;

/// Who has just connected has said nothing either: only after this much of silence somebody gives way.
const GRACE: Duration = Duration::from_millis(50);
/// How long somebody who comes waits for another to leave, where nobody is silent. A client waits for its first word
/// far longer.
const LEAVING: Duration = Duration::from_secs(2);

/// The room, shared by its clones.
#[derive(Clone)]
pub(crate) struct Room {
    connections: Arc<Semaphore>,
    looks: Arc<Semaphore>,
    silent: Arc<Mutex<VecDeque<Silent>>>,
    programs: usize,
}

/// How many of each there are at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shares {
    connections: usize,
    looks: usize,
    programs: usize,
}

/// One place in it, until it is dropped.
pub(crate) struct Place(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

/// A connection that has not said anything yet.
struct Silent {
    task: AbortHandle,
    spoke: oneshot::Receiver<()>,
    since: Instant,
}

impl Room {
    /// What this process may have, beside what it has open already. Its own limit is raised first.
    pub(crate) fn of_this_process() -> Self {
        #[cfg(unix)]
        let free = {
            use crate::os::descriptor;
            let most = usize::try_from(descriptor::allow(WANTED)).unwrap_or(usize::MAX);
            most.saturating_sub(descriptor::open().unwrap_or(KEPT_BACK))
        };
        #[cfg(not(unix))]
        let free = usize::MAX;
        let shares = shared_out(free);
        tracing::debug!(?shares, "at once");
        Self::new(shares)
    }

    fn new(shares: Shares) -> Self {
        Self {
            connections: Arc::new(Semaphore::new(shares.connections)),
            looks: Arc::new(Semaphore::new(shares.looks)),
            silent: Arc::default(),
            programs: shares.programs,
        }
    }

    /// How many programs may be kept, whose descriptors stay open.
    pub(crate) fn programs(&self) -> usize {
        self.programs
    }

    /// Waits for a place. Where there is none, whoever has been silent for longest goes; where nobody is silent,
    /// somebody may leave. None: for so long nobody did.
    pub(crate) async fn enter(&self, patience: Duration) -> Option<Place> {
        loop {
            if let Some(place) = self.try_enter() {
                return Some(place);
            }
            let freed = self.connections.clone().acquire_owned();
            let Some(since) = self.silent_since() else {
                let freed = tokio::time::timeout(patience, freed).await;
                return Some(Place(freed.ok()?.ok()?));
            };
            tokio::select! {
                biased;
                freed = freed => return Some(Place(freed.ok()?)),
                () = tokio::time::sleep(GRACE.saturating_sub(since.elapsed())) => {
                    self.give_way();
                    // It goes when it would run again, which is before us.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// A place, if there is one.
    pub(crate) fn try_enter(&self) -> Option<Place> {
        self.connections.clone().try_acquire_owned().ok().map(Place)
    }

    /// How long the next to come waits for somebody to leave, by whether the last one found a place: a crowd
    /// waits together, and not one after the other.
    pub(crate) fn patience(found: bool) -> Duration {
        if found { LEAVING } else { Duration::ZERO }
    }

    /// Somebody has come, and has a place; `spoke` is closed or sent to when they say something.
    pub(crate) fn came(&self, task: AbortHandle, spoke: oneshot::Receiver<()>) {
        let since = Instant::now();
        self.silent().push_back(Silent { task, spoke, since });
    }

    /// Whoever has been silent for longest goes. False: nobody is.
    pub(crate) fn give_way(&self) -> bool {
        let mut silent = self.silent();
        still(&mut silent);
        let oldest = silent.pop_front();
        oldest.inspect(|oldest| oldest.task.abort()).is_some()
    }

    /// Waits for the turn to look into somebody's files, until it is dropped.
    pub(crate) async fn look(&self) -> Option<OwnedSemaphorePermit> {
        self.looks.clone().acquire_owned().await.ok()
    }

    fn silent_since(&self) -> Option<Instant> {
        let mut silent = self.silent();
        still(&mut silent);
        silent.front().map(|oldest| oldest.since)
    }

    fn silent(&self) -> std::sync::MutexGuard<'_, VecDeque<Silent>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those at the front that have spoken, or are gone.
fn still(silent: &mut VecDeque<Silent>) {
    use oneshot::error::TryRecvError::Empty;
    while silent
        .front_mut()
        .is_some_and(|oldest| !matches!(oldest.spoke.try_recv(), Err(Empty)))
    {
        silent.pop_front();
    }
}

/// What so many descriptors are good for.
fn shared_out(free: usize) -> Shares {
    let rest = free.saturating_sub(KEPT_BACK);
    let programs = (rest / 4 / A_PROGRAM).clamp(1, MOST_PROGRAMS);
    let looks = (rest / 4 / A_LOOK).clamp(1, MOST_LOOKS);
    let connections = rest.saturating_sub(looks * A_LOOK + programs * A_PROGRAM);
    Shares {
        connections: connections.clamp(FEWEST, MOST),
        looks,
        programs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_always_kept_back() {
        for free in [0, 30, 51, 100, 1_000, 4_080, usize::MAX] {
            let shares = shared_out(free);
            let Shares {
                connections,
                looks,
                programs,
            } = shares;
            assert!((FEWEST..=MOST).contains(&connections) && looks > 0 && programs > 0);
            let used = connections + looks * A_LOOK + programs * A_PROGRAM + KEPT_BACK;
            assert!(used <= free || connections == FEWEST, "{free}: {shares:?}");
        }
    }

    fn silent(room: &Room) -> oneshot::Sender<()> {
        let (speaks, spoke) = oneshot::channel();
        let place = room.try_enter().unwrap();
        let task = tokio::spawn(async move {
            let _place = place;
            std::future::pending::<()>().await;
        });
        room.came(task.abort_handle(), spoke);
        speaks
    }

    #[tokio::test]
    async fn the_silent_give_way_the_oldest_first_and_who_speaks_stays() {
        let room = Room::new(Shares {
            connections: 3,
            looks: 1,
            programs: 1,
        });
        let first = silent(&room);
        let (second, third) = (silent(&room), silent(&room));
        drop(first);
        let place = room.enter(Duration::ZERO).await;
        assert!(place.is_some());
        assert!(second.is_closed() && !third.is_closed());
        drop(third);
        assert!(
            room.enter(Duration::ZERO).await.is_none(),
            "all have spoken"
        );
        drop(place);
        assert!(room.enter(Duration::ZERO).await.is_some());
    }
}
