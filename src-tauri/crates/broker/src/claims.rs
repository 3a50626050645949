//! What a person is told only once it is at rest: that something is taken back, allowed, removed or renamed. Whoever
//! hears it may pull the plug.

use std::collections::BTreeMap;

use crate::account::AccountId;
use crate::broker::Broker;
use crate::clock::Now;
use crate::event::{Effect, QuestionId, Reply, SettleId};
use crate::outcome::Taken;
use crate::problem::Problem;
use crate::waiters::CallerId;

/// Who waits to be told so.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    last: u64,
    /// Of this event: what makes them true is among its effects.
    new: Vec<Claim>,
    waiting: BTreeMap<SettleId, Vec<Claim>>,
    /// Why something of an account still rests that should not.
    unforgotten: BTreeMap<AccountId, Problem>,
}

#[derive(Debug)]
enum Claim {
    Said(Said),
    /// To a page, that its answer counts.
    Page(QuestionId),
    /// To whoever was asked on their terminal and said yes for good: they get what they asked for all the same.
    Asker(CallerId),
}

#[derive(Debug)]
struct Said {
    caller: CallerId,
    /// Whose tokens are to be forgotten with it.
    forgets: Option<AccountId>,
    /// What is told where it is at rest.
    done: Reply,
    /// What is true where it is not; that it is not, and why, is told too.
    otherwise: Option<Reply>,
}

impl Broker {
    /// Tells a caller that something is done, and that this is all, once it is at rest.
    pub(crate) fn claim(&mut self, caller: CallerId, done: Reply, otherwise: Option<Reply>) {
        self.callers.remove(&caller);
        self.claims.new.push(Claim::Said(Said {
            caller,
            forgets: None,
            done,
            otherwise,
        }));
    }

    /// Tells a page that its answer counts, once it is at rest.
    pub(crate) fn claim_on_page(&mut self, question: QuestionId) {
        self.claims.new.push(Claim::Page(question));
    }

    /// Goes on with a caller, whose person has said yes for good, once that is at rest or can't be.
    pub(crate) fn claim_to_asker(&mut self, caller: CallerId) {
        self.claims.new.push(Claim::Asker(caller));
    }

    /// The same of something with which an account's tokens are forgotten.
    pub(crate) fn claim_forgotten(
        &mut self,
        caller: CallerId,
        account: &AccountId,
        done: Reply,
        otherwise: Option<Reply>,
    ) {
        self.claim(caller, done, otherwise);
        if let Some(Claim::Said(claim)) = self.claims.new.last_mut() {
            claim.forgets = Some(account.clone());
        }
    }

    /// Has it said when what an event's effects have begun is at rest.
    pub(crate) fn settle(&mut self, effects: &mut Vec<Effect>) {
        if self.claims.new.is_empty() {
            return;
        }
        self.claims.last += 1;
        let what = SettleId(self.claims.last);
        let new = std::mem::take(&mut self.claims.new);
        self.claims.waiting.insert(what, new);
        effects.push(Effect::Settle(what));
    }

    /// It is, or this is why it is not.
    pub(crate) fn settled(
        &mut self,
        what: SettleId,
        unwritten: Option<Problem>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let unwritten = unwritten.map(|problem| problem.until_end());
        for claim in self.claims.waiting.remove(&what).unwrap_or_default() {
            let claim = match claim {
                Claim::Said(claim) => claim,
                Claim::Page(question) => {
                    let taken = unwritten.clone().map_or(Taken::Counted, Taken::UntilEnd);
                    effects.push(Effect::Taken(question, taken));
                    continue;
                }
                Claim::Asker(caller) => {
                    self.answered_for_good(caller, unwritten.as_ref(), now, effects);
                    continue;
                }
            };
            let account = claim.forgets.as_ref();
            let unforgotten = account.and_then(|account| self.claims.unforgotten.get(account));
            let Some(problem) = unforgotten.or(unwritten.as_ref()) else {
                effects.push(Effect::Reply(claim.caller, claim.done));
                effects.push(Effect::Reply(claim.caller, Reply::Done(0)));
                continue;
            };
            // First, since tray and window hear the first word alone.
            effects.push(Effect::Reply(
                claim.caller,
                Reply::Refused(problem.clone().into()),
            ));
            if let (Some(_), Some(problem)) = (unforgotten, &unwritten) {
                effects.push(Effect::Reply(
                    claim.caller,
                    Reply::Refused(problem.clone().into()),
                ));
            }
            let otherwise = claim.otherwise;
            effects.extend(otherwise.map(|reply| Effect::Reply(claim.caller, reply)));
            effects.push(Effect::Reply(claim.caller, Reply::Done(1)));
        }
    }

    fn answered_for_good(
        &mut self,
        caller: CallerId,
        unwritten: Option<&Problem>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        if let Some(problem) = unwritten {
            let line = format!("{}\n", problem.line(known.asker.language));
            effects.push(Effect::Reply(caller, Reply::Say(line)));
        }
        self.pursue(caller, now, effects);
    }

    /// What rested of an account is forgotten, or still rests.
    pub(crate) fn forgotten(&mut self, account: AccountId, outcome: Result<(), Problem>) {
        match outcome {
            Ok(()) => drop(self.claims.unforgotten.remove(&account)),
            Err(problem) => drop(self.claims.unforgotten.insert(account, problem)),
        }
    }
}

impl Claims {
    /// Whether something of an account still rests that should not.
    pub(crate) fn is_unforgotten(&self, account: &AccountId) -> bool {
        self.unforgotten.contains_key(account)
    }

    /// A caller hung up.
    pub(crate) fn gone(&mut self, caller: CallerId) {
        for waiting in self.waiting.values_mut() {
            waiting.retain(|claim| match claim {
                Claim::Said(claim) => claim.caller != caller,
                Claim::Asker(asker) => *asker != caller,
                Claim::Page(_) => true,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::key;
    use crate::asker::{Endpoint, Place, tests::asker};
    use crate::clock::{Moment, Wall};
    use crate::command::{Command, Invocation};
    use crate::event::{Commanded, Event, Kept};
    use crate::problem::Code;
    use crate::settings::Settings;
    use crate::trust::{Approval, By, Pair, Server};

    const NOW: Now = Now {
        wall: Wall(1_700_000_000_000),
        moment: Moment(1_000_000),
    };
    const CALLER: CallerId = CallerId(1);

    /// A pair is taken back; what is waited for then.
    fn untrusted() -> (Broker, SettleId) {
        let pair = Pair {
            account: key().id(),
            server: Server::Known(std::sync::Arc::new(kubeconfig::ServerKey {
                url: "https://server.example".to_owned(),
                ca: kubeconfig::CertificateAuthority::System,
                insecure_skip_tls_verify: false,
                proxy_url: None,
                tls_server_name: None,
            })),
        };
        let approval = Approval {
            at: Wall(0),
            by: By::Terminal,
            contexts: vec![],
            file: None,
            manners: vec![],
        };
        let kept = Kept {
            trusts: vec![(pair.clone(), approval)],
            ..Kept::default()
        };
        let mut broker = Broker::new(kept, Settings::default(), 1);
        let untrust = Invocation::Do {
            command: Command::Untrust { name: pair.name() },
            json: false,
        };
        let commanded = Commanded {
            caller: CALLER,
            asker: asker(Place::Here, true),
            endpoint: Endpoint::Control,
            invocation: untrust,
        };
        let effects = broker.handle(Event::Commanded(Box::new(commanded)), NOW);
        let [Effect::Keep(kept), Effect::Settle(what)] = effects.as_slice() else {
            panic!("nothing is said before it is at rest: {effects:?}");
        };
        assert_eq!(kept.trusts, []);
        (broker, *what)
    }

    #[test]
    fn it_is_said_once_it_is_at_rest() {
        let (mut broker, what) = untrusted();
        let effects = broker.handle(Event::Settled(what, None), NOW);
        let [
            Effect::Reply(CALLER, Reply::Out(text)),
            Effect::Reply(CALLER, Reply::Done(0)),
        ] = effects.as_slice()
        else {
            panic!("{effects:?}");
        };
        assert!(text.contains("taken back"), "{text}");
        assert_eq!(broker.handle(Event::Settled(what, None), NOW), []);
    }

    #[test]
    fn where_it_is_not_at_rest_that_is_said() {
        let (mut broker, what) = untrusted();
        let parameters = vec![
            ("path", "/a".to_owned()),
            ("reason", "it is full".to_owned()),
        ];
        let full = Problem::new(Code::AccountsUnwritten, parameters);
        let effects = broker.handle(Event::Settled(what, Some(full)), NOW);
        let [
            Effect::Reply(CALLER, Reply::Refused(problem)),
            Effect::Reply(CALLER, Reply::Done(1)),
        ] = effects.as_slice()
        else {
            panic!("{effects:?}");
        };
        assert_eq!(problem.code(), Code::OnlyUntilEnd);
        assert_eq!(problem.parameter("reason").as_deref(), Some("it is full"));
    }

    #[test]
    fn who_hung_up_is_told_nothing() {
        let (mut broker, what) = untrusted();
        assert_eq!(broker.handle(Event::Gone(CALLER), NOW), []);
        assert_eq!(broker.handle(Event::Settled(what, None), NOW), []);
    }
}
