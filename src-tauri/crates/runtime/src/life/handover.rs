//! An upgrade, from the file that was replaced to the program that this process becomes.
//!
//! It never happens in the middle of something: no transaction is under way, no caller is without its answer,
//! and all tokens rest where the successor finds them without a person. For the last moment the door is shut,
//! which nobody sees: whoever comes waits before it, and the successor opens it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use broker::problem::Problem;
use tokio::sync::{Notify, oneshot, watch};

use crate::desk::desktop::Screen;
use crate::hall::inbox::{Inbox, Message};
use crate::hall::notices::{Notice, Notices};
use crate::hall::under_way::{Counts, UnderWay};
use crate::life::leaving::Leaving;
use crate::life::single::Claim;
use crate::life::upgrade::{Fate, Program, Tried};
use crate::own::store::Store;
use crate::serve::door::Door;
use crate::vault::Vault;

/// How long the door may be shut: far less than a shim waits for its first word.
const SHUT: Duration = Duration::from_secs(2);
/// The first pause before another try, doubled up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// What an upgrade needs.
pub(crate) struct Handover {
    pub(crate) program: Program,
    pub(crate) claim: Arc<Mutex<Claim>>,
    pub(crate) vault: Vault,
    pub(crate) store: Store,
    pub(crate) door: watch::Sender<Door>,
    pub(crate) under_way: UnderWay,
    pub(crate) screen: Screen,
    pub(crate) inbox: Inbox,
    pub(crate) notices: Notices,
    pub(crate) leaving: Leaving,
    /// Somebody saw that the program may be another.
    pub(crate) wanted: Arc<Notify>,
}

/// A program that was tried, on its way to the loop: there alone is known that nothing is under way.
struct Successor {
    program: Program,
    tried: Tried,
    claim: Arc<Mutex<Claim>>,
    screen: Screen,
    answer: oneshot::Sender<Answer>,
}

/// Why this process is still the old one.
enum Answer {
    /// Something is under way, or the file is another by now.
    Busy,
    /// The system refused.
    Refused(io::Error),
    /// The other one was started, and waits for our end.
    Waits,
}

impl Successor {
    /// Becomes it, and does not return where a process can become another; if it is `calm`, and if the system lets it.
    fn take_over(self, calm: bool) {
        let answer = if calm && self.program.is_still(&self.tried) {
            let claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
            tracing::info!(version = self.tried.version, "becoming");
            let desktop = self.screen.environment();
            match self.program.become_it(&claim, desktop) {
                Ok(()) => Answer::Waits,
                Err(error) => Answer::Refused(error),
            }
        } else {
            Answer::Busy
        };
        drop(self.answer.send(answer));
    }
}

impl Handover {
    /// Upgrades whenever it is wanted, for ever.
    pub(crate) async fn run(self) {
        loop {
            self.wanted.notified().await;
            self.upgrade().await;
        }
    }

    /// Returns when there is nothing to become, or nothing that can be.
    async fn upgrade(&self) {
        let mut pause = PAUSE;
        loop {
            match self.program.fate() {
                Fate::Same => break,
                // The folder's watch says when there is something again.
                Fate::Gone | Fate::Settling => return,
                Fate::Replaced => {}
            }
            let tried = match self.program.try_it().await {
                Ok(tried) => tried,
                Err(error) => return self.failed(&error),
            };
            let nobody_waits = |counts: &Counts| counts.transactions == 0 && counts.waiting == 0;
            self.under_way.until(nobody_waits).await;
            if self.store.rests() && self.vault.rests() && self.vault.opens().await {
                match self.hand_over(tried).await {
                    Answer::Busy => {}
                    Answer::Refused(error) => return self.failed(&error),
                    // Nobody is served any more: the successor makes doors of its own.
                    Answer::Waits => return self.leaving.leave("its successor waits"),
                }
            } else {
                let waits = Problem::UpgradeWaits;
                self.notices.set(Notice::Upgrade, Some(waits));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
        self.notices.set(Notice::Upgrade, None);
    }

    async fn hand_over(&self, tried: Tried) -> Answer {
        self.door.send_replace(Door::Shut);
        let calm = self.under_way.until(Counts::calm);
        let answer = if tokio::time::timeout(SHUT, calm).await.is_ok() {
            let (answer, answered) = oneshot::channel();
            let successor = Successor {
                program: self.program.clone(),
                tried,
                claim: Arc::clone(&self.claim),
                screen: self.screen.clone(),
                answer,
            };
            let take_over = move |calm| successor.take_over(calm);
            self.inbox.send(Message::Become(Box::new(take_over)));
            answered.await.unwrap_or(Answer::Busy)
        } else {
            Answer::Busy
        };
        if matches!(answer, Answer::Waits) {
            return answer;
        }
        self.door.send_if_modified(|door| {
            let shut = *door == Door::Shut;
            if shut {
                *door = Door::Open;
            }
            shut
        });
        answer
    }

    fn failed(&self, error: &io::Error) {
        let path = self.program.path().display().to_string();
        tracing::warn!(path, %error, "this program can't be become");
        let failed = Problem::UpgradeFailed {
            path,
            reason: error.to_string(),
        };
        self.notices.set(Notice::Upgrade, Some(failed));
    }
}
