//! One transaction of an account at a time.

use std::collections::HashMap;
use std::sync::Arc;

use broker::account::AccountId;
use broker::tokens::Tokens;
use tokio::sync::Mutex;

/// How many accounts' turns are kept before idle ones go.
const MOST_IDLE: usize = 128;

/// The newest tokens of an account that a task brought: what a sign-out that was asked for in the
/// middle of a refresh must end. Whoever holds the lock is the one transaction of that account.
#[derive(Default)]
pub(super) struct Latest(pub(super) Option<Tokens>);

/// The turns of all accounts.
#[derive(Default)]
pub(super) struct Accounts(HashMap<AccountId, Arc<Mutex<Latest>>>);

impl Accounts {
    /// The turn of one: it is waited for.
    pub(super) fn turn(&mut self, account: &AccountId) -> Arc<Mutex<Latest>> {
        // Whoever asks may make up any number of them: what nobody uses and holds nothing is forgotten.
        if self.0.len() >= MOST_IDLE {
            self.0.retain(|_, latest| {
                Arc::strong_count(latest) > 1
                    || latest.try_lock().is_ok_and(|latest| latest.0.is_some())
            });
        }
        Arc::clone(self.0.entry(account.clone()).or_default())
    }
}
