//! Accounts that a person removes: signed out as far as that goes, and then nothing of them remains here. A kubeconfig
//! that names one makes it again, and whoever removes it is told.

use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::asker::Asker;
use crate::asking::{Wish, refuse};
use crate::broker::{Account, Broker, Caller};
use crate::clock::Now;
use crate::event::{Effect, Reply};
use crate::outcome::{Forget, SignOutOutcome};
use crate::problem::{Code, Problem};
use crate::show::report;
use crate::show::view::{StepView, Told};
use crate::texts::{clean, text};

/// How many contexts a window is told that still name an account.
const NAMED: usize = 32;

impl Broker {
    /// Asks on a terminal whether an account is to be removed.
    pub(crate) fn ask_to_remove(
        &mut self,
        caller: CallerId,
        asker: Asker,
        account: AccountId,
        json: bool,
        effects: &mut Vec<Effect>,
    ) {
        if !asker.terminal {
            let parameters = vec![
                ("command", "kubectl fob remove".to_owned()),
                ("missing", "--yes".to_owned()),
            ];
            return refuse(caller, &Problem::new(Code::Incomplete, parameters), effects);
        }
        let label = self
            .accounts
            .get(&account)
            .map(|account| account.label.clone());
        let parameters = [("account", label.unwrap_or_default())];
        let question = text(asker.language, "terminal.remove", &parameters);
        let wants = Wish::Confirm { account, json };
        self.callers.insert(caller, Caller { asker, wants });
        effects.push(Effect::Reply(caller, Reply::Prompt(question)));
    }

    /// A line was typed after that. False: it was for something else.
    pub(crate) fn confirmed(
        &mut self,
        caller: CallerId,
        line: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(Caller {
            asker,
            wants: Wish::Confirm { account, json },
        }) = self.callers.get(&caller)
        else {
            return false;
        };
        let (asker, account, json) = (asker.clone(), account.clone(), *json);
        self.callers.remove(&caller);
        if report::is_yes(line) {
            self.remove(caller, asker, &account, json, now, effects);
        } else {
            refuse(caller, &Problem::plain(Code::NotRemoved), effects);
        }
        true
    }

    /// Removes an account: at once, or when its session is ended.
    pub(crate) fn remove(
        &mut self,
        caller: CallerId,
        asker: Asker,
        id: &AccountId,
        json: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.forget_what_was_said(id, now, effects);
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        account.added = false;
        account.removing = true;
        let wants = Wish::Remove { json };
        self.callers.insert(caller, Caller { asker, wants });
        if account.session.tokens().is_some() || account.session.attempt().is_some() {
            return self.sign_out(caller, id, false, now, effects);
        }
        effects.push(Effect::Forget(id.clone(), Forget::Everything));
        self.removed(id, vec![caller], None, now, effects);
    }

    /// What was answered about an account goes with it, for one command or for good, and so does what is asked:
    /// whoever waits is told.
    fn forget_what_was_said(&mut self, id: &AccountId, now: Now, effects: &mut Vec<Effect>) {
        self.trust.revoke_account(id);
        self.manners.revoke_account(id);
        let of_it = |caller: &Caller| caller.wants.account() == Some(id);
        let mut waiting: Vec<CallerId> = self
            .callers
            .iter()
            .filter(|(_, caller)| of_it(caller))
            .map(|(caller, _)| *caller)
            .collect();
        waiting.extend(self.forget_questions(id));
        for waiting in waiting {
            self.fail(waiting, &Problem::plain(Code::SignedOut), effects);
            if let Some(account) = self.accounts.get_mut(id) {
                account.session.gone(waiting);
            }
            self.question_gone(waiting, now, effects);
        }
    }

    /// It is ended: now it goes.
    pub(crate) fn removed(
        &mut self,
        id: &AccountId,
        callers: Vec<CallerId>,
        outcome: Option<&SignOutOutcome>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        // Somebody may have asked, and been answered, while it was signed out.
        self.forget_what_was_said(id, now, effects);
        let Some(account) = self.accounts.remove(id) else {
            return;
        };
        let label = account.label.clone();
        // What could not be forgotten comes back at the next start: it stays, to be removed again.
        if self.claims.is_unforgotten(id) {
            let removing = false;
            let account = Account {
                removing,
                ..account
            };
            self.accounts.insert(id.clone(), account);
        }
        self.keep_down(effects);
        let named = self.stanzas.iter().filter(|stanza| stanza.flags.id() == id);
        let contexts: Vec<String> = named
            .flat_map(|stanza| stanza.contexts.iter().map(|name| clean(name)))
            .collect();
        for caller in callers {
            let Some(Caller { asker, wants }) = self.callers.get(&caller) else {
                continue;
            };
            let (language, json) = (asker.language, wants.json());
            let text = report::removed(&label, &contexts, outcome, json, language);
            let told = Told::Removed {
                contexts: contexts.iter().take(NAMED).cloned().collect(),
                revocation: outcome.map(|outcome| StepView::of(&outcome.revocation, language)),
            };
            let done = Reply::Outcome(Box::new(told), text);
            let otherwise =
                outcome.map(|outcome| report::signed_out_there(&label, outcome, json, language));
            self.claim_forgotten(caller, id, done, otherwise.map(Reply::Out));
        }
    }
}
