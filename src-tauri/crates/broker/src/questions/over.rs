//! What ends a question but an answer to it: another answer that covers it, or the end of whoever asked.

use super::{Asking, Questions, STAYS, Stage, Waiting, pair_of};
use crate::account::AccountId;
use crate::asker::{ProcessId, Whose};
use crate::asking::Wish;
use crate::broker::Broker;
use crate::clock::{Moment, Now};
use crate::event::{Candidate, Effect, QuestionId};
use crate::manner::Manner;
use crate::outcome::{AttemptId, SignInOutcome};
use crate::problem::{Code, Problem};
use crate::questions::Standings;
use crate::short::name;
use crate::trust::{Standing, wary};
use crate::waiters::CallerId;

/// What an approval, or a no, has made of somebody who waits.
enum State {
    /// Nothing is left to be asked: they go on, or are told why not.
    Settled,
    /// These are.
    Asks(Vec<Candidate>),
}

impl Broker {
    /// Something was allowed or refused: every question that it covers, wholly or in part, is brought up to date.
    pub(super) fn settle_questions(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.questions.waiting.keys().copied().collect::<Vec<_>>() {
            self.settle_one(id, now, effects);
        }
        self.reword(now);
    }

    fn settle_one(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(question) = self.questions.waiting.get(&id) else {
            return;
        };
        let stage = question.stage;
        if question.askers.is_empty() {
            return self.settle_unasked(id, now, effects);
        }
        let states: Vec<_> = question
            .askers
            .iter()
            .map(|asker| (*asker, self.state_of(*asker, &question.needed, now)))
            .collect();
        let mut settled = Vec::new();
        let mut asking: Vec<(CallerId, Vec<Candidate>)> = Vec::new();
        for (caller, state) in states {
            match state {
                State::Settled => settled.push(caller),
                State::Asks(needed) => asking.push((caller, needed)),
            }
        }
        let stays_whole = |all: &[(CallerId, Vec<Candidate>)]| {
            all.iter()
                .any(|(_, needed)| super::are_same(needed, &question.needed))
        };
        // One whose servers are all to be asked about still keeps the question as it is.
        let needed = if stays_whole(&asking) {
            Some(question.needed.clone())
        } else {
            asking.first().map(|(_, needed)| needed.clone())
        };
        let is_asked = |needed: &[Candidate]| {
            let Waiting {
                account,
                container,
                manner,
                ..
            } = question;
            let same = self.questions.same(account, needed, *container, manner);
            same.is_some_and(|same| same != id)
        };
        let needed = needed.filter(|needed| !is_asked(needed));
        // On a page that waits with a sign-in it says less than was read, and those who need other servers are asked
        // when there is a token.
        let with_sign_in = matches!(stage, Stage::WithSignIn(_));
        let (staying, moving): (Vec<_>, Vec<_>) = asking.into_iter().partition(|(_, asks)| {
            let same = |needed: &Vec<Candidate>| super::are_same(asks, needed);
            with_sign_in || needed.as_ref().is_some_and(same)
        });
        let staying: Vec<_> = staying.into_iter().map(|(caller, _)| caller).collect();
        let mut going: Vec<_> = moving.into_iter().map(|(caller, _)| caller).collect();
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        question.askers = staying;
        if question.askers.is_empty() {
            let over = self.questions.waiting.remove(&id);
            let answering = over.map(|question| question.answering);
            for caller in answering.unwrap_or_default() {
                self.fail(caller, &Problem::plain(Code::QuestionOver), effects);
            }
        } else {
            if let Some(needed) = needed {
                question.needs(&needed);
            }
            let on_terminal = |caller: &CallerId| stage == Stage::Terminal(*caller);
            if settled.iter().chain(&going).any(on_terminal) {
                going.append(&mut self.taken_from_there(id));
            }
        }
        for caller in settled {
            if with_sign_in {
                self.settled_with_sign_in(caller, now, effects);
            } else {
                going.push(caller);
            }
        }
        for caller in going {
            self.pursue(caller, now, effects);
        }
    }

    /// Those who wait for the sign-in go on waiting, unless they were refused.
    fn settled_with_sign_in(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        let Wish::Credential {
            account,
            servers,
            flags,
            ..
        } = &known.wants
        else {
            return;
        };
        let manner = flags.as_ref().map(|flags| flags.manner());
        let standings = self.standings(account, servers, manner, &known.asker, now);
        if let Standings::Refused(problem) = standings {
            let account = account.clone();
            if let Some(account) = self.accounts.get_mut(&account) {
                account.session.gone(caller);
            }
            self.fail(caller, &problem, effects);
        }
    }

    /// One that nobody waits for.
    fn settle_unasked(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(question) = self.questions.waiting.get(&id) else {
            return;
        };
        let whose = Whose {
            process: None,
            container: question.container,
        };
        let Waiting {
            account,
            container,
            manner,
            ..
        } = question;
        let asked = question.asked();
        let needed = self.untrusted(account, &question.needed, asked, whose, now);
        let same = self.questions.same(account, &needed, *container, manner);
        if needed.is_empty() || same.is_some_and(|same| same != id) {
            let over = self.questions.waiting.remove(&id);
            let answering = over.map(|question| question.answering);
            for caller in answering.unwrap_or_default() {
                self.fail(caller, &Problem::plain(Code::QuestionOver), effects);
            }
        } else if let Some(question) = self.questions.waiting.get_mut(&id) {
            question.needs(&needed);
        }
    }

    /// What is left to be asked for somebody who waits for an answer about these servers.
    fn state_of(&self, caller: CallerId, needed: &[Candidate], now: Now) -> State {
        let Some(known) = self.callers.get(&caller) else {
            return State::Settled;
        };
        let Wish::Credential {
            account,
            servers,
            flags,
            ..
        } = &known.wants
        else {
            return State::Settled;
        };
        let manner = flags.as_ref().map(|flags| flags.manner());
        match self.standings(account, servers, manner, &known.asker, now) {
            Standings::Trusted | Standings::Refused(_) => State::Settled,
            Standings::New => {
                let left = self.untrusted(account, needed, manner, known.asker.whose(), now);
                if left.is_empty() {
                    // It needs others that were not asked about here.
                    State::Settled
                } else {
                    State::Asks(left)
                }
            }
        }
    }

    /// What to be wary of can be another than it was, or what it would change, and what is offered beside it allowed
    /// already. On a page it stays: by its place there it is ticked.
    fn reword(&mut self, now: Now) {
        let nobody = Whose::default();
        let changed = |question: &Waiting| {
            let pair = pair_of(&question.account, question.needed.first()?);
            Some(self.changes(&question.account, &pair, &question.manner))
        };
        let all = self.questions.waiting.iter();
        let changed: Vec<_> = all
            .filter_map(|(id, question)| Some((*id, changed(question)?)))
            .collect();
        for (id, changes) in changed {
            if let Some(question) = self.questions.waiting.get_mut(&id) {
                question.worded.changes = changes;
            }
        }
        for question in self.questions.waiting.values_mut() {
            if !question.stage.is_elsewhere() {
                let account = question.account.clone();
                let trust = &self.trust;
                question.offers(|candidate| {
                    let pair = pair_of(&account, candidate);
                    trust.standing(&pair, nobody, now.moment) != Standing::Trusted
                });
            }
            let (needed, others) = (&question.needed, &question.others);
            let lines = [
                (needed, &mut question.worded.servers),
                (others, &mut question.worded.others),
            ];
            for (candidates, lines) in lines {
                for (candidate, line) in candidates.iter().zip(lines) {
                    line.wary = wary(&self.trust, &pair_of(&question.account, candidate));
                }
            }
        }
    }

    /// It is not asked there any more. Whoever waits is to be asked where they can be.
    fn taken_from_there(&mut self, id: QuestionId) -> Vec<CallerId> {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return Vec::new();
        };
        question.stage = Stage::Open;
        std::mem::take(&mut question.askers)
    }

    /// Where it was asked nobody can answer any more: whoever waits is asked where they can be now.
    pub(super) fn ask_anew(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let problem = self.not_trusted(id);
        let waiting = self.taken_from_there(id);
        let question = self.questions.waiting.get_mut(&id);
        let answering = question.map(|question| std::mem::take(&mut question.answering));
        for caller in answering.unwrap_or_default() {
            self.fail(caller, &problem, effects);
        }
        for caller in waiting {
            self.pursue(caller, now, effects);
        }
        self.drop_what_is_left(effects);
    }

    /// A caller hung up: a question goes with the last of those who ask it. Whoever waited along with the terminal that
    /// was asked is asked anew, where that is possible now.
    pub(crate) fn question_gone(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        let mut orphans = Vec::new();
        for id in self.questions.waiting.keys().copied().collect::<Vec<_>>() {
            let Some(question) = self.questions.waiting.get_mut(&id) else {
                continue;
            };
            let asked = question.askers.len();
            question.askers.retain(|waiting| *waiting != caller);
            question.answering.retain(|waiting| *waiting != caller);
            let asked = asked != question.askers.len();
            if question.stage == Stage::Terminal(caller) {
                question.stage = Stage::Open;
                if !question.askers.is_empty() {
                    orphans.append(&mut question.askers);
                    continue;
                }
            }
            let mut rest = question.askers.iter();
            let next = rest.find_map(|caller| Some(&self.callers.get(caller)?.asker));
            // On a page it stands as it was read.
            if let Some(next) = next.filter(|_| asked && !question.stage.is_elsewhere()) {
                question.worded.asker = name(&next.program);
                question.shown = Asking::of(next);
            }
        }
        for orphan in orphans {
            self.pursue(orphan, now, effects);
        }
        self.drop_what_is_left(effects);
    }

    /// A process has ended, by the system's word: whoever asked for it waits for nothing any more.
    pub(crate) fn process_ended(
        &mut self,
        process: ProcessId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.trust.ended(process);
        self.manners.ended(process, |pair| {
            self.trust.approval(pair).is_none() && self.trust.lasts(pair)
        });
        self.questions.watched.remove(&process);
        let asked = |known: &crate::broker::Caller| {
            known.asker.process == Some(process) && matches!(known.wants, Wish::Credential { .. })
        };
        let callers: Vec<_> = self
            .callers
            .iter()
            .filter(|(_, known)| asked(known))
            .map(|(caller, known)| (*caller, known.wants.account().cloned()))
            .collect();
        for (caller, account) in callers {
            if let Some(account) = account.and_then(|id| self.accounts.get_mut(&id)) {
                account.session.gone(caller);
            }
            self.question_gone(caller, now, effects);
            self.fail(caller, &Problem::plain(Code::AskerEnded), effects);
        }
        for question in self.questions.waiting.values_mut() {
            let ended = question.container.is_some_and(|one| one.first == process);
            question.stays = question.stays.filter(|_| !ended);
        }
        self.drop_what_is_left(effects);
    }

    /// Forgets the questions that nobody asks any more, and tells whoever took one up that it is over, or that it stands
    /// nowhere any more. On a page it stands on, empty: whoever asks the same finds it there.
    pub(crate) fn drop_what_is_left(&mut self, effects: &mut Vec<Effect>) {
        let nowhere = |question: &Waiting| matches!(question.stage, Stage::Open | Stage::Silent);
        let put_off: Vec<_> = self
            .questions
            .waiting
            .iter()
            .filter(|(_, question)| nowhere(question) && !question.is_left())
            .flat_map(|(id, question)| question.answering.iter().map(|caller| (*id, *caller)))
            .collect();
        for (id, caller) in put_off {
            let problem = self.not_trusted(id);
            self.fail(caller, &problem, effects);
        }
        let mut told = Vec::new();
        let mut over = Vec::new();
        self.questions.waiting.retain(|_, question| {
            if !question.is_left() {
                return true;
            }
            if !question.answering.is_empty() || question.in_window().is_some() {
                over.push(question.name.clone());
            }
            told.append(&mut question.answering);
            question.stage.is_elsewhere()
        });
        for name in over {
            self.questions.ended_with_its_asker(name);
        }
        for caller in told {
            self.fail(caller, &Problem::plain(Code::AskerEnded), effects);
        }
    }

    /// A sign-in is over. The question on its page can be taken up afterwards if nobody answered it; and what was
    /// answered to it decides nothing for those who only waited along.
    pub(crate) fn sign_in_over(
        &mut self,
        account: &AccountId,
        attempt: AttemptId,
        outcome: SignInOutcome,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.questions.attempt_over(attempt, now.moment);
        self.drop_what_is_left(effects);
        let answered = [Code::TrustRefused, Code::QuestionOver, Code::AskerEnded];
        let by_an_answer = matches!(
            &outcome,
            SignInOutcome::Declined(problem) if answered.contains(&problem.code())
        );
        if !by_an_answer {
            return self.with_session(account, now, effects, |session, cx| {
                session.signed_in(attempt, outcome, cx)
            });
        }
        let mut waiting = Vec::new();
        self.with_session(account, now, effects, |session, _| {
            waiting = session.set_aside(attempt);
            Vec::new()
        });
        for caller in waiting {
            self.pursue(caller, now, effects);
        }
    }

    /// An account is gone, and whoever waits for an answer about it is given back.
    pub(crate) fn forget_questions(&mut self, account: &AccountId) -> Vec<CallerId> {
        let mut waiting = Vec::new();
        self.questions.waiting.retain(|_, question| {
            let of_it = question.account == *account;
            if of_it {
                waiting.append(&mut question.askers);
                waiting.append(&mut question.answering);
            }
            !of_it
        });
        waiting
    }

    /// Those of these servers that whoever asks may not give tokens yet.
    fn untrusted(
        &self,
        account: &AccountId,
        candidates: &[Candidate],
        manner: Option<&Manner>,
        whose: Whose,
        now: Now,
    ) -> Vec<Candidate> {
        let untrusted = |candidate: &&Candidate| {
            let pair = pair_of(account, candidate);
            self.standing(&pair, manner, whose, now) != Standing::Trusted
        };
        candidates.iter().filter(untrusted).cloned().collect()
    }
}

impl Questions {
    /// The page of a sign-in is over: the question that stood there can be taken up if nobody answered it.
    pub(crate) fn attempt_over(&mut self, attempt: AttemptId, now: Moment) {
        for question in self.waiting.values_mut() {
            if question.stage == Stage::WithSignIn(attempt) {
                if !question.is_left() {
                    question.stays = Some(now.after(STAYS));
                }
                question.stage = Stage::Open;
                question.askers.clear();
            }
        }
    }
}

impl Waiting {
    /// It needs no more than these of its servers. What is ticked on a page is counted by the place that it has there.
    fn needs(&mut self, needed: &[Candidate]) {
        let left = |candidate: &Candidate| needed.iter().any(|one| one.server == candidate.server);
        let mut keep = self.needed.iter().map(left);
        self.worded.servers.retain(|_| keep.next().unwrap_or(false));
        self.needed.retain(left);
        self.name = self.named();
    }

    /// It offers no more than these of its others.
    fn offers(&mut self, left: impl Fn(&Candidate) -> bool) {
        let mut keep = self.others.iter().map(&left);
        self.worded.others.retain(|_| keep.next().unwrap_or(false));
        self.others.retain(left);
        self.name = self.named();
    }
}
