//! A question about how to sign in: what an ask says of it, beside what was approved.

use super::{Waiting, pair_of, wording::flags_line};
use crate::account::AccountId;
use crate::broker::Broker;
use crate::clock::Now;
use crate::consent::trust::{Answer, Pair};
use crate::event::Effect;
use crate::manner::{Change, Manner};
use crate::problem::{Code, Problem};

impl Broker {
    /// How an ask would have the person sign in: as its flags say, or as the account does.
    pub(super) fn manner_asked_for(&self, id: &AccountId, asked: Option<&Manner>) -> Manner {
        let own = || {
            let account = self.accounts.get(id);
            account.map(|account| Manner::of(&account.settings))
        };
        asked.cloned().or_else(own).unwrap_or_default()
    }

    /// In what an ask differs from what was approved last with this pair, or from what the account does; of an
    /// account that is nobody's yet, from what is usual.
    pub(super) fn changes(&self, id: &AccountId, pair: &Pair, asked: &Manner) -> Vec<Change> {
        let approved = self.trust.approval(pair);
        let approved = approved.and_then(|approval| approval.manners.last().cloned());
        let own = || {
            let account = self.accounts.get(id).filter(|account| !account.unapproved);
            account.map(|account| Manner::of(&account.settings))
        };
        let before = approved.or_else(own).unwrap_or_default();
        before
            .changes(asked)
            .iter()
            .map(Change::shortened)
            .collect()
    }

    /// Whether a question is about the way to sign in alone: its servers have been approved.
    pub(super) fn asks_otherwise(&self, question: &Waiting) -> bool {
        let approved = |pair: &Pair| {
            let within = |container| self.trust.is_within(pair, container);
            self.trust.approval(pair).is_some() || question.container.is_some_and(within)
        };
        let mut needed = question.needed.iter();
        !question.worded.changes.is_empty()
            && needed.all(|candidate| approved(&pair_of(&question.account, candidate)))
    }

    pub(super) fn manner_refused(&self, id: &AccountId, changes: &[Change]) -> Problem {
        let account = self.accounts.get(id).map(|account| account.label.clone());
        let parameters = vec![
            ("account", account.unwrap_or_default()),
            ("settings", flags_line(changes)),
        ];
        Problem::new(Code::SettingsRefused, parameters)
    }

    /// What was asked for becomes the account's own: approved for good, or nothing else is known of the account.
    pub(super) fn settle_answered(
        &mut self,
        question: &Waiting,
        answer: Answer,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let is_new = !self.is_persons(&question.account);
        let settles = match answer {
            Answer::Always => true,
            Answer::Once | Answer::Container => is_new,
            Answer::No => false,
        };
        if let Some(flags) = question.flags.as_ref().filter(|_| settles) {
            self.take_over(&question.account, flags, now, effects);
        }
        // Whoever answers wants it now, as somebody does who types a new command.
        let said_yes = match answer {
            Answer::Always | Answer::Container | Answer::Once => true,
            Answer::No => false,
        };
        if let Some(account) = self.accounts.get_mut(&question.account)
            && said_yes
        {
            account.last_asking = None;
        }
    }
}
