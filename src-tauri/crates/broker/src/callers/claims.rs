//! What a person is told only once it is at rest: that something is taken back, allowed, removed or renamed. Whoever
//! hears it may pull the plug.

use std::collections::BTreeMap;

use super::Caller;
use super::outcome::Outcome;
use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::problem::Problem;
use crate::question::QuestionId;

/// Something that is told once it is at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettleId(pub u64);

/// Who waits to be told so.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    last: u64,
    /// Of this event: what makes them true is among what it leads to.
    new: Vec<Claim>,
    waiting: BTreeMap<SettleId, Vec<Claim>>,
    /// Why something of an account still rests that should not.
    unforgotten: BTreeMap<AccountId, Problem>,
}

#[derive(Debug)]
enum Claim {
    Said(Box<Said>),
    /// To a page, that its answer counts.
    Page(QuestionId),
    /// To whoever was asked on their terminal and said yes for good: they get what they asked for all the same.
    Asker(CallerId),
}

#[derive(Debug)]
struct Said {
    id: CallerId,
    caller: Caller,
    /// Whose tokens are to be forgotten with it.
    forgets: Option<AccountId>,
    /// What is told where it is at rest.
    done: Outcome,
}

/// What is to be told now.
#[derive(Debug)]
pub(crate) enum Settled {
    /// To a caller that is owed nothing more.
    Said(Box<(CallerId, Caller, Outcome)>),
    /// To a page: it counts, or only until the end, and this is why.
    Page(QuestionId, Option<Problem>),
    /// To whoever waits for a token: a yes for good counts, or only until the end; then it goes on.
    Asker(CallerId, Option<Problem>),
}

impl Claims {
    /// Tells a caller this once all of it is at rest; `forgets`: what rests of this account must be gone too.
    pub(super) fn claim(
        &mut self,
        id: CallerId,
        caller: Caller,
        forgets: Option<AccountId>,
        done: Outcome,
    ) {
        self.new.push(Claim::Said(Box::new(Said {
            id,
            caller,
            forgets,
            done,
        })));
    }

    /// Tells a page that its answer counts, once it is at rest.
    pub(crate) fn claim_on_page(&mut self, question: QuestionId) {
        self.new.push(Claim::Page(question));
    }

    /// Goes on with a caller, whose person has said yes for good, once that is at rest or can't be.
    pub(crate) fn claim_to_asker(&mut self, caller: CallerId) {
        self.new.push(Claim::Asker(caller));
    }

    /// By which number it is asked whether what this event leads to is at rest; none: nobody wants to know.
    pub(crate) fn settle(&mut self) -> Option<SettleId> {
        if self.new.is_empty() {
            return None;
        }
        self.last += 1;
        let what = SettleId(self.last);
        self.waiting.insert(what, std::mem::take(&mut self.new));
        Some(what)
    }

    /// It is, or this is why it is not.
    pub(crate) fn settled(&mut self, what: SettleId, unwritten: Option<Problem>) -> Vec<Settled> {
        let unwritten = unwritten.map(Problem::until_end);
        let claims = self.waiting.remove(&what).unwrap_or_default();
        claims
            .into_iter()
            .map(|claim| match claim {
                Claim::Page(question) => Settled::Page(question, unwritten.clone()),
                Claim::Asker(caller) => Settled::Asker(caller, unwritten.clone()),
                Claim::Said(said) => {
                    let Said {
                        id,
                        caller,
                        forgets,
                        done,
                    } = *said;
                    let unforgotten = forgets.and_then(|account| self.unforgotten.get(&account));
                    let problems = unforgotten.into_iter().chain(&unwritten).cloned();
                    let problems: Vec<_> = problems.collect();
                    let outcome = if problems.is_empty() {
                        done
                    } else {
                        let done = Box::new(done);
                        Outcome::NotAtRest { problems, done }
                    };
                    Settled::Said(Box::new((id, caller, outcome)))
                }
            })
            .collect()
    }

    /// What rested of an account is forgotten, or still rests.
    pub(crate) fn forgotten(&mut self, account: AccountId, outcome: Result<(), Problem>) {
        match outcome {
            Ok(()) => drop(self.unforgotten.remove(&account)),
            Err(problem) => drop(self.unforgotten.insert(account, problem)),
        }
    }

    /// Whether something of an account still rests that should not.
    pub(crate) fn is_unforgotten(&self, account: &AccountId) -> bool {
        self.unforgotten.contains_key(account)
    }

    /// A caller hung up.
    pub(super) fn gone(&mut self, caller: CallerId) {
        for waiting in self.waiting.values_mut() {
            waiting.retain(|claim| match claim {
                Claim::Said(claim) => claim.id != caller,
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
    use crate::broker::Broker;
    use crate::clock::Now;
    use crate::clock::{Moment, Wall};
    use crate::command::{Command, Invocation};
    use crate::consent::trust::{Approval, By, Pair, Server};
    use crate::event::{Commanded, Event, Kept};
    use crate::event::{Effect, Reply};
    use crate::problem::Code;
    use crate::settings::Settings;

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
        let full = Problem::AccountsUnwritten {
            path: "/a".to_owned(),
            reason: "it is full".to_owned(),
        };
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
