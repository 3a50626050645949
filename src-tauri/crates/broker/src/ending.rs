//! Endings: a session is signed out, an account removed, everything reset. Each is a state until the provider has had its
//! say, and whoever asked for it is told what became of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::problem::Problem;
use crate::transaction::{Forget, SignOutOutcome};

/// What is ending.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    accounts: BTreeMap<AccountId, Vec<Wanted>>,
    reset: Option<Reset>,
}

/// Why an account's session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// This caller signs it out, here or at the provider too.
    SignOut { caller: CallerId, everywhere: bool },
    /// This caller removes the account.
    Removal { caller: CallerId },
    /// All of it is forgotten.
    Reset,
}

/// How far a reset is.
#[derive(Debug)]
enum Reset {
    /// These sessions end first.
    SigningOut {
        caller: CallerId,
        left: BTreeSet<AccountId>,
        /// Those that have ended, by their accounts' names.
        ended: Vec<(String, SignOutOutcome)>,
    },
    /// What rests is being deleted.
    Deleting {
        caller: CallerId,
        ended: Vec<(String, SignOutOutcome)>,
    },
    /// It is gone; this resident is about to end.
    Over,
}

/// What the broker must do.
#[derive(Debug)]
pub(crate) enum Step {
    /// A session ends now; at the provider too, if everywhere.
    SignOut(AccountId),
    /// An account that has no session goes now.
    Remove(AccountId, CallerId),
    /// A caller is told that its sign-out is over.
    SignedOut {
        caller: CallerId,
        account: AccountId,
        ended: SignOutOutcome,
    },
    /// The account goes, now that its session has ended; these callers are told.
    Removed {
        account: AccountId,
        callers: Vec<CallerId>,
        ended: SignOutOutcome,
    },
    /// Everybody else who waits is told that all of it ends.
    SendAway(CallerId),
    /// All that rests is deleted, and nothing is known any more.
    DeleteAll(CallerId),
    /// The caller who wanted that is told that it is done.
    Reset {
        caller: CallerId,
        ended: Vec<(String, SignOutOutcome)>,
        problems: Vec<Problem>,
    },
}

impl Ending {
    /// A person signs an account out.
    pub(crate) fn sign_out(
        &mut self,
        caller: CallerId,
        id: &AccountId,
        everywhere: bool,
    ) -> Vec<Step> {
        self.end(id, Wanted::SignOut { caller, everywhere })
    }

    /// A person removes an account, which may have a session to end.
    pub(crate) fn remove(
        &mut self,
        caller: CallerId,
        id: &AccountId,
        has_session: bool,
    ) -> Vec<Step> {
        if has_session {
            self.end(id, Wanted::Removal { caller })
        } else {
            vec![Step::Remove(id.clone(), caller)]
        }
    }

    /// A person has everything forgotten; these accounts have sessions to end.
    pub(crate) fn reset(&mut self, caller: CallerId, signed_in: Vec<AccountId>) -> Vec<Step> {
        self.reset = Some(Reset::SigningOut {
            caller,
            left: signed_in.iter().cloned().collect(),
            ended: Vec::new(),
        });
        let mut steps: Vec<Step> = signed_in
            .iter()
            .flat_map(|id| self.end(id, Wanted::Reset))
            .collect();
        steps.push(Step::SendAway(caller));
        steps.extend(self.delete_when_all_ended());
        steps
    }

    /// Whether everything is being forgotten, or is: nobody is served any more, and nothing is written down.
    pub(crate) fn is_resetting(&self) -> bool {
        self.reset.is_some()
    }

    /// Whether the provider's own session ends too.
    pub(crate) fn everywhere(&self, id: &AccountId) -> bool {
        let wanted = self.accounts.get(id).map(Vec::as_slice);
        wanted.unwrap_or_default().iter().any(|one| match one {
            Wanted::SignOut { everywhere, .. } => *everywhere,
            Wanted::Removal { .. } => false,
            Wanted::Reset => true,
        })
    }

    /// An account's session has ended, and none is being ended any more.
    pub(crate) fn signed_out(
        &mut self,
        id: &AccountId,
        label: &str,
        outcome: &SignOutOutcome,
    ) -> Vec<Step> {
        let (mut steps, mut removed) = (Vec::new(), None);
        for wanted in self.accounts.remove(id).unwrap_or_default() {
            match wanted {
                Wanted::SignOut { caller, .. } => steps.push(Step::SignedOut {
                    caller,
                    account: id.clone(),
                    ended: outcome.clone(),
                }),
                Wanted::Removal { caller } => removed.get_or_insert(Vec::new()).push(caller),
                Wanted::Reset => {}
            }
        }
        steps.extend(removed.map(|callers| Step::Removed {
            account: id.clone(),
            callers,
            ended: outcome.clone(),
        }));
        if let Some(Reset::SigningOut { left, ended, .. }) = &mut self.reset
            && left.remove(id)
        {
            ended.push((label.to_owned(), outcome.clone()));
            steps.extend(self.delete_when_all_ended());
        }
        steps
    }

    /// All that rested is deleted, but for what these say.
    pub(crate) fn deleted(&mut self, problems: Vec<Problem>) -> Option<Step> {
        let reset = self.reset.replace(Reset::Over)?;
        match reset {
            Reset::Deleting { caller, ended } | Reset::SigningOut { caller, ended, .. } => {
                Some(Step::Reset {
                    caller,
                    ended,
                    problems,
                })
            }
            Reset::Over => None,
        }
    }

    fn end(&mut self, id: &AccountId, wanted: Wanted) -> Vec<Step> {
        self.accounts.entry(id.clone()).or_default().push(wanted);
        vec![Step::SignOut(id.clone())]
    }

    fn delete_when_all_ended(&mut self) -> Option<Step> {
        match self.reset.take() {
            Some(Reset::SigningOut {
                caller,
                left,
                ended,
            }) if left.is_empty() => {
                self.reset = Some(Reset::Deleting { caller, ended });
                Some(Step::DeleteAll(caller))
            }
            other @ (Some(Reset::SigningOut { .. } | Reset::Deleting { .. } | Reset::Over)
            | None) => {
                self.reset = other;
                None
            }
        }
    }
}

/// What a sign-out forgets. The client secret is no person's, so it stays as long as a server may have this account's
/// tokens, and where a person typed it: the next sign-in needs it.
pub(crate) fn forgotten(added: bool, allowed: bool) -> Forget {
    if added || allowed {
        Forget::Tokens
    } else {
        Forget::Everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::key;
    use crate::transaction;

    const CALLER: CallerId = CallerId(1);

    fn ended() -> SignOutOutcome {
        SignOutOutcome {
            revocation: transaction::Step::Done,
            provider_session: None,
        }
    }

    fn words(steps: &[Step]) -> Vec<String> {
        let word = |step: &Step| match step {
            Step::SignOut(_) => "sign out".to_owned(),
            Step::Remove(..) => "remove".to_owned(),
            Step::SignedOut { caller, .. } => format!("signed out: {}", caller.0),
            Step::Removed { callers, .. } => format!("removed: {}", callers.len()),
            Step::SendAway(_) => "send away".to_owned(),
            Step::DeleteAll(_) => "delete all".to_owned(),
            Step::Reset { ended, .. } => format!("reset: {} ended", ended.len()),
        };
        steps.iter().map(word).collect()
    }

    #[test]
    fn each_ending_of_one_account_is_told_with_the_first() {
        let mut ending = Ending::default();
        let id = key().id();
        assert_eq!(words(&ending.sign_out(CALLER, &id, false)), ["sign out"]);
        assert!(!ending.everywhere(&id));
        assert_eq!(words(&ending.remove(CallerId(2), &id, true)), ["sign out"]);
        assert_eq!(
            words(&ending.sign_out(CallerId(3), &id, true)),
            ["sign out"]
        );
        assert!(ending.everywhere(&id));
        let over = ending.signed_out(&id, "work", &ended());
        assert_eq!(
            words(&over),
            ["signed out: 1", "signed out: 3", "removed: 1"]
        );
        assert!(words(&ending.signed_out(&id, "work", &ended())).is_empty());
    }

    #[test]
    fn an_account_without_a_session_goes_at_once() {
        let mut ending = Ending::default();
        let steps = ending.remove(CALLER, &key().id(), false);
        assert_eq!(words(&steps), ["remove"]);
    }

    #[test]
    fn a_reset_deletes_when_the_last_session_has_ended_and_stays_shut() {
        let mut ending = Ending::default();
        let id = key().id();
        let began = ending.reset(CALLER, vec![id.clone()]);
        assert_eq!(words(&began), ["sign out", "send away"]);
        assert!(ending.is_resetting() && ending.everywhere(&id));
        assert_eq!(
            words(&ending.signed_out(&id, "work", &ended())),
            ["delete all"]
        );
        assert!(ending.is_resetting());
        let told = ending.deleted(Vec::new());
        assert_eq!(words(told.as_slice()), ["reset: 1 ended"]);
        assert!(ending.is_resetting(), "the resident is about to end");
        assert!(ending.deleted(Vec::new()).is_none());
    }

    #[test]
    fn a_reset_without_sessions_deletes_at_once() {
        let steps = Ending::default().reset(CALLER, Vec::new());
        assert_eq!(words(&steps), ["send away", "delete all"]);
    }

    #[test]
    fn a_client_secret_stays_while_somebody_needs_it() {
        assert_eq!(forgotten(false, false), Forget::Everything);
        assert_eq!(forgotten(true, false), Forget::Tokens);
        assert_eq!(forgotten(false, true), Forget::Tokens);
    }
}
