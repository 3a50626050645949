//! Starting over: every session is ended, with the provider's own where that goes, and then all of it leaves this
//! computer. What can't be reached, and what is not ours to delete, is said.

use std::collections::BTreeSet;

use crate::account::AccountId;
use crate::asker::Asker;
use crate::asking::{Wish, refuse};
use crate::broker::{Broker, Caller};
use crate::clock::Now;
use crate::event::{Effect, Reply};
use crate::manner::Manners;
use crate::outcome::SignOutOutcome;
use crate::problem::{Code, Problem};
use crate::questions::Questions;
use crate::report;
use crate::texts::{Language, text};
use crate::trust::Trust;
use crate::waiters::CallerId;

/// A reset that is under way.
#[derive(Debug)]
pub(crate) struct Resetting {
    caller: CallerId,
    language: Language,
    /// Whose session's end is waited for.
    left: BTreeSet<AccountId>,
    /// What there is to say so far.
    said: String,
}

impl Broker {
    /// Asks first, unless that was answered on the command line.
    pub(crate) fn reset(
        &mut self,
        caller: CallerId,
        asker: Asker,
        yes: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if self.resetting.is_some() {
            return refuse(caller, &Problem::plain(Code::Ending), effects);
        }
        if !yes && !asker.terminal {
            let parameters = vec![
                ("command", "kubectl fob reset".to_owned()),
                ("missing", "--yes".to_owned()),
            ];
            return refuse(caller, &Problem::new(Code::Incomplete, parameters), effects);
        }
        let language = asker.language;
        let wants = Wish::Reset;
        self.callers.insert(caller, Caller { asker, wants });
        if yes {
            return self.start_over(caller, language, now, effects);
        }
        let question = text(language, "terminal.reset", &[]);
        effects.push(Effect::Reply(caller, Reply::Prompt(question)));
    }

    /// A line was typed after that. False: it was for something else.
    pub(crate) fn reset_answered(
        &mut self,
        caller: CallerId,
        line: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(Caller {
            asker,
            wants: Wish::Reset,
        }) = self.callers.get(&caller)
        else {
            return false;
        };
        let language = asker.language;
        if report::is_yes(line) {
            self.start_over(caller, language, now, effects);
        } else {
            self.fail(caller, &Problem::plain(Code::NotReset), effects);
        }
        true
    }

    fn start_over(
        &mut self,
        caller: CallerId,
        language: Language,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let signed_in = |(id, account): (&AccountId, &crate::broker::Account)| {
            let session = &account.session;
            (session.tokens().is_some() || session.attempt().is_some()).then(|| id.clone())
        };
        let left: BTreeSet<AccountId> = self.accounts.iter().filter_map(signed_in).collect();
        self.resetting = Some(Resetting {
            caller,
            language,
            left: left.clone(),
            said: String::new(),
        });
        for id in &left {
            self.sign_out(caller, id, true, now, effects);
        }
        self.forget_all_when_done(effects);
    }

    /// An account's session has ended.
    pub(crate) fn reset_goes_on(
        &mut self,
        id: &AccountId,
        label: &str,
        outcome: &SignOutOutcome,
        effects: &mut Vec<Effect>,
    ) {
        let Some(resetting) = &mut self.resetting else {
            return;
        };
        if resetting.left.remove(id) {
            let said = report::signed_out(label, outcome, false, resetting.language);
            resetting.said.push_str(&said);
            self.forget_all_when_done(effects);
        }
    }

    /// Nothing is known any more from here on, so nothing is written down again.
    fn forget_all_when_done(&mut self, effects: &mut Vec<Effect>) {
        let Some(Resetting { caller, left, .. }) = &self.resetting else {
            return;
        };
        if left.is_empty() {
            effects.push(Effect::Reset(*caller));
            self.accounts.clear();
            self.trust = Trust::restored(Vec::new());
            self.manners = Manners::default();
            self.questions = Questions::default();
        }
    }

    /// It is gone, but for what these say.
    pub(crate) fn was_reset(&mut self, problems: &[Problem], effects: &mut Vec<Effect>) {
        let Some(resetting) = self.resetting.take() else {
            return;
        };
        let language = resetting.language;
        let settings = self.places.as_ref().map(|places| places.settings.clone());
        let remains = [("settings", settings.unwrap_or_default())];
        let code = u8::from(!problems.is_empty());
        let problems = problems.iter().map(|problem| problem.line(language));
        let lines = std::iter::once(text(language, "terminal.reset.done", &[]))
            .chain(problems)
            .chain([text(language, "terminal.reset.remains", &remains)]);
        let said = resetting.said + &report::joined(lines.collect());
        self.end(resetting.caller, Reply::Out(said), code, effects);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asker::{Endpoint, Place, tests::asker};
    use crate::clock::{Moment, Wall};
    use crate::command::Invocation;
    use crate::event::{Commanded, Event, Kept};
    use crate::settings::Settings;

    const NOW: Now = Now {
        wall: Wall(1_700_000_000_000),
        moment: Moment(1_000_000),
    };

    fn wanted(broker: &mut Broker, number: u64, terminal: bool, yes: bool) -> Vec<Effect> {
        let commanded = Commanded {
            caller: CallerId(number),
            asker: asker(Place::Here, terminal),
            endpoint: Endpoint::Control,
            invocation: Invocation::Reset { yes },
        };
        broker.handle(Event::Commanded(Box::new(commanded)), NOW)
    }

    fn refused_with(effects: &[Effect]) -> Option<Code> {
        effects.iter().find_map(|effect| {
            if let Effect::Reply(_, Reply::Refused(problem)) = effect {
                Some(problem.code())
            } else {
                None
            }
        })
    }

    #[test]
    fn it_asks_first_and_only_a_terminal_or_a_flag_can_say_yes() {
        let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
        let unasked = wanted(&mut broker, 1, false, false);
        assert_eq!(refused_with(&unasked), Some(Code::Incomplete));
        let asked = wanted(&mut broker, 2, true, false);
        assert!(matches!(asked[..], [Effect::Reply(_, Reply::Prompt(_))]));
        let no = broker.handle(Event::Answered(CallerId(2), String::new()), NOW);
        assert_eq!(refused_with(&no), Some(Code::NotReset));

        let yes = wanted(&mut broker, 3, false, true);
        assert!(yes.contains(&Effect::Reset(CallerId(3))), "{yes:?}");
        let second = wanted(&mut broker, 4, false, true);
        assert_eq!(refused_with(&second), Some(Code::Ending), "one at a time");
        let left = Problem::plain(Code::KeyringLocked);
        let done = broker.handle(Event::WasReset(vec![left]), NOW);
        assert!(done.contains(&Effect::Reply(CallerId(3), Reply::Done(1))));
        let said = format!("{done:?}");
        assert!(said.contains("keyring-locked") && said.contains("What remains"));
    }
}
