//! What ends a question but an answer to it: another answer that covers it, or the end of whoever asked.

use super::{Asking, Questions, STAYS, Stage, Waiting, are_same};
use crate::accounts::waiters::CallerId;
use crate::asker::{ProcessId, Whose};
use crate::clock::{Moment, Now};
use crate::consent::trust::{Standing, wary};
use crate::consent::{Consent, Facts, Standings, Step, pair_of, refuse};
use crate::pair::Candidate;
use crate::problem::Problem;
use crate::question::QuestionId;
use crate::short::name;
use crate::transaction::AttemptId;

/// What an approval, or a no, has made of somebody who waits.
enum State {
    /// Nothing is left to be asked: they go on, or are told why not.
    Settled,
    /// These are.
    Asks(Vec<Candidate>),
}

impl Consent {
    /// Something was allowed or refused: every question that it covers, wholly or in part, is brought up to date.
    pub(crate) fn settle(&self) -> Vec<Step> {
        let ids = self.questions.waiting.keys().copied();
        ids.map(Step::SettleOne).chain([Step::Reword]).collect()
    }

    /// Brings one question up to date.
    pub(crate) fn settle_one(&mut self, id: QuestionId, facts: Facts<'_>) -> Vec<Step> {
        let now = facts.now;
        let Some(question) = self.questions.waiting.get(&id) else {
            return Vec::new();
        };
        let stage = question.stage;
        if question.askers.is_empty() {
            return self.settle_unasked(id, now);
        }
        let states: Vec<_> = question
            .askers
            .iter()
            .map(|asker| (*asker, self.state_of(*asker, &question.needed, facts)))
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
                .any(|(_, needed)| are_same(needed, &question.needed))
        };
        // One whose servers are all to be asked about still keeps the question as it is.
        let needed = if stays_whole(&asking) {
            Some(question.needed.clone())
        } else {
            asking.first().map(|(_, needed)| needed.clone())
        };
        let needed = needed.filter(|needed| !self.is_asked_elsewhere(id, question, needed));
        // On a page that waits with a sign-in it says less than was read, and those who need other servers are asked
        // when there is a token.
        let with_sign_in = matches!(stage, Stage::WithSignIn(_));
        let (staying, moving): (Vec<_>, Vec<_>) = asking.into_iter().partition(|(_, asks)| {
            let same = |needed: &Vec<Candidate>| are_same(asks, needed);
            with_sign_in || needed.as_ref().is_some_and(same)
        });
        let staying: Vec<_> = staying.into_iter().map(|(caller, _)| caller).collect();
        let mut going: Vec<_> = moving.into_iter().map(|(caller, _)| caller).collect();
        let mut steps = Vec::new();
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return steps;
        };
        question.askers = staying;
        if question.askers.is_empty() {
            steps.extend(self.drop_answered(id));
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
                steps.extend(self.settled_with_sign_in(caller, facts));
            } else {
                going.push(caller);
            }
        }
        steps.extend(going.into_iter().map(Step::GoOn));
        steps
    }

    /// Whether another question asks for the same by now.
    fn is_asked_elsewhere(&self, id: QuestionId, question: &Waiting, needed: &[Candidate]) -> bool {
        let Waiting {
            account,
            container,
            manner,
            ..
        } = question;
        let same = self.questions.same(account, needed, *container, manner);
        same.is_some_and(|same| same != id)
    }

    /// A question is over, since it was answered elsewhere.
    fn drop_answered(&mut self, id: QuestionId) -> Vec<Step> {
        let over = self.questions.waiting.remove(&id);
        let answering = over.map(|question| question.answering).unwrap_or_default();
        let told = |caller| refuse(caller, Problem::QuestionOver);
        answering.into_iter().map(told).collect()
    }

    /// Those who wait for the sign-in go on waiting, unless they were refused.
    fn settled_with_sign_in(&self, caller: CallerId, facts: Facts<'_>) -> Vec<Step> {
        let Standings::Refused(problem) = self.standing_of(caller, facts) else {
            return Vec::new();
        };
        let credential = facts.callers.credential(caller);
        let leave = credential.map(|(_, one)| Step::Leave(one.account.clone(), caller));
        leave.into_iter().chain([refuse(caller, problem)]).collect()
    }

    /// One that nobody waits for.
    fn settle_unasked(&mut self, id: QuestionId, now: Now) -> Vec<Step> {
        let Some(question) = self.questions.waiting.get(&id) else {
            return Vec::new();
        };
        let whose = Whose {
            process: None,
            container: question.container,
        };
        let account = &question.account;
        let needed = self.untrusted(account, &question.needed, question.asked(), whose, now);
        if needed.is_empty() || self.is_asked_elsewhere(id, question, &needed) {
            return self.drop_answered(id);
        }
        if let Some(question) = self.questions.waiting.get_mut(&id) {
            question.needs(&needed);
        }
        Vec::new()
    }

    /// What is left to be asked for somebody who waits for an answer about these servers.
    fn state_of(&self, caller: CallerId, needed: &[Candidate], facts: Facts<'_>) -> State {
        let Some((asker, credential)) = facts.callers.credential(caller) else {
            return State::Settled;
        };
        match self.standing_of(caller, facts) {
            Standings::Trusted | Standings::Refused(_) => State::Settled,
            Standings::New => {
                let (account, manner) = (&credential.account, credential.manner());
                let left = self.untrusted(account, needed, manner, asker.whose(), facts.now);
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
    pub(crate) fn reword(&mut self, facts: Facts<'_>) {
        let nobody = Whose::default();
        let changed = |question: &Waiting| {
            let pair = pair_of(&question.account, question.needed.first()?);
            Some(self.changes(&question.account, &pair, &question.manner, facts.accounts))
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
                    trust.standing(&pair, nobody, facts.now.moment) != Standing::Trusted
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
    pub(crate) fn ask_anew(&mut self, id: QuestionId) -> Vec<Step> {
        let problem = self.not_trusted(id);
        let waiting = self.taken_from_there(id);
        let question = self.questions.waiting.get_mut(&id);
        let answering = question.map(|question| std::mem::take(&mut question.answering));
        let answering = answering.unwrap_or_default().into_iter();
        let told = answering.map(|caller| refuse(caller, problem.clone()));
        told.chain(waiting.into_iter().map(Step::GoOn))
            .chain([Step::Tidy])
            .collect()
    }

    /// A caller hung up: a question goes with the last of those who ask it. Whoever waited along with the terminal that
    /// was asked is asked anew, where that is possible now.
    pub(crate) fn gone(&mut self, caller: CallerId, facts: Facts<'_>) -> Vec<Step> {
        let mut orphans = Vec::new();
        for question in self.questions.waiting.values_mut() {
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
            let next = rest.find_map(|caller| facts.callers.asker(*caller));
            // On a page it stands as it was read.
            if let Some(next) = next.filter(|_| asked && !question.stage.is_elsewhere()) {
                question.worded.asker = name(&next.program);
                question.shown = Asking::of(next);
            }
        }
        orphans
            .into_iter()
            .map(Step::GoOn)
            .chain([Step::Tidy])
            .collect()
    }

    /// A process has ended, by the system's word: whoever asked for it waits for nothing any more.
    pub(crate) fn process_ended(&mut self, process: ProcessId, facts: Facts<'_>) -> Vec<Step> {
        self.trust.ended(process);
        self.manners.ended(process, |pair| {
            self.trust.approval(pair).is_none() && self.trust.lasts(pair)
        });
        self.questions.watched.remove(&process);
        let mut steps = Vec::new();
        for (caller, known) in facts.callers.each() {
            if let Some(credential) = known.wish.credential()
                && known.asker.process == Some(process)
            {
                steps.push(Step::Leave(credential.account.clone(), caller));
                steps.push(Step::Gone(caller));
                steps.push(refuse(caller, Problem::AskerEnded));
            }
        }
        for question in self.questions.waiting.values_mut() {
            let ended = question.container.is_some_and(|one| one.first == process);
            question.stays = question.stays.filter(|_| !ended);
        }
        steps
    }

    /// Forgets the questions that nobody asks any more, and tells whoever took one up that it is over, or that it stands
    /// nowhere any more. On a page it stands on, empty: whoever asks the same finds it there.
    pub(crate) fn drop_what_is_left(&mut self) -> Vec<Step> {
        let nowhere = |question: &Waiting| matches!(question.stage, Stage::Open | Stage::Silent);
        let put_off: Vec<_> = self
            .questions
            .waiting
            .iter()
            .filter(|(_, question)| nowhere(question) && !question.is_left())
            .flat_map(|(id, question)| question.answering.iter().map(|caller| (*id, *caller)))
            .collect();
        let mut steps = Vec::new();
        for (id, caller) in put_off {
            steps.push(refuse(caller, self.not_trusted(id)));
            self.questions.unjoin(caller);
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
        let ended = |caller| refuse(caller, Problem::AskerEnded);
        steps.extend(told.into_iter().map(ended));
        steps
    }

    /// A sign-in was given up, and the page with it.
    pub(crate) fn page_gone(&mut self, attempt: AttemptId) -> Vec<Step> {
        self.questions.page_gone(attempt);
        self.drop_what_is_left()
    }

    /// The page of a sign-in is over: the question that stood there can be taken up if nobody answered it.
    pub(crate) fn page_over(&mut self, attempt: AttemptId, now: Now) -> Vec<Step> {
        self.questions.attempt_over(attempt, now.moment);
        self.drop_what_is_left()
    }

    /// The question that goes on the page of a sign-in that begins for these callers.
    pub(crate) fn with_sign_in(
        &mut self,
        callers: &[CallerId],
        attempt: AttemptId,
    ) -> Option<QuestionId> {
        self.questions.with_sign_in(callers, attempt)
    }

    /// Whether the end of a process is to be looked out for, which it was not yet.
    pub(crate) fn watch(&mut self, process: ProcessId) -> bool {
        self.questions.watched.insert(process)
    }
}

impl Questions {
    /// The page of a sign-in is over: the question that stood there can be taken up if nobody answered it.
    fn attempt_over(&mut self, attempt: AttemptId, now: Moment) {
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
