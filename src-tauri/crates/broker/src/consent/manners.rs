//! What was said of ways to sign in, beside what was said of servers: for good in an approval, else here.

use crate::account::AccountId;
use crate::asker::ProcessId;
use crate::clock::Moment;
use crate::consent::trust::{Approval, Standing, no_holds_until};
use crate::manner::Manner;
use crate::pair::Pair;

/// How many refusals are remembered; the oldest goes first.
const MOST_REFUSALS: usize = 512;

/// What was said of values other than for good: beside a pair that is trusted, or is for this process.
#[derive(Debug, Default)]
pub(crate) struct Manners {
    once: Vec<(Option<ProcessId>, Pair, Manner)>,
    refused: Vec<Refused>,
}

/// A no to a value, said to all of these pairs together: it says nothing of one of them alone.
#[derive(Debug)]
struct Refused {
    pairs: Vec<Pair>,
    manner: Manner,
    processes: Vec<ProcessId>,
    until: Moment,
}

impl Manners {
    /// What holds of a value beside a pair that is trusted; `approval`: for good; `first`: within the container of whoever
    /// asks, which this process began.
    pub(crate) fn standing(
        &self,
        pair: &Pair,
        approval: Option<&Approval>,
        asked: &Manner,
        process: Option<ProcessId>,
        first: Option<ProcessId>,
        now: Moment,
    ) -> Standing {
        if approval.is_some_and(|approval| approval.covers(asked)) {
            return Standing::Trusted;
        }
        // A pair that is trusted neither for good nor within a container is so for whoever was said yes to: whoever that
        // was, this value was approved with it.
        let anybody_s = approval.is_none() && first.is_none();
        let once = |(of, known, manner): &(Option<ProcessId>, Pair, Manner)| {
            let own = of.is_some() && (*of == process || *of == first);
            known == pair && (anybody_s || own) && manner.covers(asked)
        };
        if self.once.iter().any(once) {
            return Standing::Trusted;
        }
        if self.is_refused(std::slice::from_ref(pair), asked, [process, first], now) {
            Standing::Refused
        } else {
            Standing::New
        }
    }

    /// Whether somebody said no to a value beside these pairs, or beside some of them together; `who` asks: the process, and
    /// the first of its container.
    pub(crate) fn is_refused(
        &self,
        pairs: &[Pair],
        asked: &Manner,
        who: [Option<ProcessId>; 2],
        now: Moment,
    ) -> bool {
        let is_one = |processes: &[ProcessId]| {
            let mut who = who.iter().flatten();
            who.any(|process| processes.contains(process))
        };
        self.refused.iter().any(|refused| {
            let holds = now < refused.until || is_one(&refused.processes);
            holds
                && refused.manner == *asked
                && refused.pairs.iter().all(|pair| pairs.contains(pair))
        })
    }

    /// Approves a value until a process ends: the one that asks, or the first of its container.
    pub(crate) fn approve_once(&mut self, pair: &Pair, manner: &Manner, process: ProcessId) {
        self.forget_refusal(pair, manner);
        self.once
            .push((Some(process), pair.clone(), manner.clone()));
    }

    /// Remembers a no to a value beside these pairs together.
    pub(crate) fn refuse(
        &mut self,
        pairs: Vec<Pair>,
        manner: Manner,
        processes: Vec<ProcessId>,
        now: Moment,
    ) {
        self.refused
            .retain(|refused| !refused.processes.is_empty() || now < refused.until);
        if self.refused.len() >= MOST_REFUSALS {
            self.refused.remove(0);
        }
        let until = no_holds_until(&pairs, now);
        self.refused.push(Refused {
            pairs,
            manner,
            processes,
            until,
        });
    }

    /// A no to it is over: it was approved.
    pub(crate) fn forget_refusal(&mut self, pair: &Pair, manner: &Manner) {
        self.refused
            .retain(|refused| !refused.pairs.contains(pair) || refused.manner != *manner);
    }

    /// A pair is not trusted any more.
    pub(crate) fn revoke(&mut self, pair: &Pair) {
        self.once.retain(|(_, known, _)| known != pair);
        self.refused.retain(|refused| !refused.pairs.contains(pair));
    }

    /// An account is gone, and whatever was said of it.
    pub(crate) fn revoke_account(&mut self, account: &AccountId) {
        self.once.retain(|(_, pair, _)| pair.account != *account);
        self.refused
            .retain(|refused| refused.pairs.iter().all(|pair| pair.account != *account));
    }

    /// A process ended. What was approved for it goes with it, but beside a pair that somebody else still has a yes
    /// for that is not for good (`lasts`): that one rests on the same value.
    pub(crate) fn ended(&mut self, process: ProcessId, lasts: impl Fn(&Pair) -> bool) {
        for (known, _, _) in &mut self.once {
            *known = known.filter(|known| *known != process);
        }
        self.once
            .retain(|(known, pair, _)| known.is_some() || lasts(pair));
        for refused in &mut self.refused {
            refused.processes.retain(|known| *known != process);
        }
    }
}
