//! A question is answered, or a person says that they don't answer it now.

use super::{CLOSED, Closed, STAYS, Stage, Waiting, pair_of};
use crate::asker::{Asker, Endpoint, ProcessId, Whose, may_approve};
use crate::asking::Wish;
use crate::broker::Broker;
use crate::clock::{Moment, Now};
use crate::event::{Effect, QuestionId};
use crate::outcome::Taken;
use crate::problem::{Code, Problem};
use crate::short;
use crate::trust::{Answer, Approval, By, Longest, Standing};
use crate::waiters::CallerId;

impl Broker {
    /// A line was typed on a terminal that was asked.
    pub(crate) fn answered(
        &mut self,
        caller: CallerId,
        line: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if self.typed(caller, line, now, effects)
            || self.confirmed(caller, line, now, effects)
            || self.reset_answered(caller, line, now, effects)
        {
            return;
        }
        let asked = self
            .questions
            .waiting
            .iter()
            .find(|(_, question)| question.stage == Stage::Terminal(caller));
        let Some((id, longest)) = asked.map(|(id, question)| (*id, question.worded.longest)) else {
            return;
        };
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        if !may_approve(Endpoint::Control, &known.asker, self.desktop) {
            // A desktop came meanwhile: whoever waits along is asked there.
            let problem = self.not_trusted(id);
            self.stays(id, now.moment);
            self.fail(caller, &problem, effects);
            return self.ask_anew(id, now, effects);
        }
        let answer = typed_answer(line, longest);
        match self.decide(id, answer, &[], By::Terminal, now, effects) {
            Taken::Counted | Taken::UntilEnd(_) => {}
            Taken::Settled | Taken::AskerEnded => {
                self.fail(caller, &Problem::plain(Code::AskerEnded), effects);
            }
        }
    }

    /// Somebody answered on our page, which is told what came of it.
    pub(crate) fn approved(
        &mut self,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let taken = self.decide(id, answer, ticked, By::Page, now, effects);
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && question.stage == Stage::Page
        {
            // That page is over, and nothing came of it.
            question.stage = Stage::Open;
            for caller in std::mem::take(&mut question.answering) {
                self.fail(caller, &Problem::plain(Code::AskerEnded), effects);
            }
            // Whoever waits still is none of those that it was worded for.
            if self
                .questions
                .waiting
                .get(&id)
                .is_some_and(|one| !one.askers.is_empty())
            {
                self.ask_anew(id, now, effects);
            }
        }
        // What is for good is said to be so where it is.
        let is_kept = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Keep(_)));
        if taken == Taken::Counted && is_kept {
            return self.claim_on_page(id);
        }
        effects.push(Effect::Taken(id, taken));
    }

    pub(super) fn decide(
        &mut self,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Taken {
        let Some(question) = self.questions.waiting.get(&id) else {
            return Taken::Settled;
        };
        let answer = question.counts_as(answer);
        let only = self.only(question);
        let nobody_s = answer == Answer::Once && only.is_none();
        if question.is_left() || nobody_s {
            return Taken::AskerEnded;
        }
        let Some(question) = self.questions.waiting.remove(&id) else {
            return Taken::Settled;
        };
        self.settle_answered(&question, answer, now, effects);
        let Waiting {
            account,
            needed,
            others,
            container,
            worded,
            askers,
            answering,
            stage,
            manner,
            flags: _,
            name: _,
            shown: _,
            stays: _,
        } = question;
        let processes: Vec<_> = askers
            .iter()
            .filter_map(|caller| self.callers.get(caller)?.asker.process)
            // Of what can't be seen, a no holds in the whole container.
            .chain(
                container
                    .filter(|_| {
                        answer == Answer::No && !needed.iter().all(|one| one.server.is_seen())
                    })
                    .map(|container| container.first),
            )
            .collect();
        let ticked = ticked.iter().filter_map(|index| others.get(*index));
        let ticked: Vec<_> = match answer {
            Answer::Once | Answer::Container | Answer::Always => ticked.collect(),
            // Nothing was said of what was only offered.
            Answer::No => Vec::new(),
        };
        let allowed = needed.iter().chain(ticked);
        let pairs = allowed.map(|candidate| (pair_of(&account, candidate), candidate));
        match (answer, container) {
            (Answer::No, _) => {
                let pairs: Vec<_> = pairs.map(|(pair, _)| pair).collect();
                self.manners
                    .refuse(pairs.clone(), manner, processes.clone(), now.moment);
                // Where the servers may have tokens already, it is the way to sign in that may not be.
                let whose = Whose {
                    process: None,
                    container,
                };
                let trusted =
                    |pair| self.trust.standing(pair, whose, now.moment) == Standing::Trusted;
                if !pairs.iter().all(trusted) {
                    self.trust.refuse(pairs, processes.clone(), now.moment);
                }
                for process in processes {
                    self.watch(process, effects);
                }
            }
            (Answer::Container, Some(container)) => {
                for (pair, _) in pairs {
                    self.manners.approve_once(&pair, &manner, container.first);
                    self.trust.approve_within(pair, container);
                }
                self.watch(container.first, effects);
            }
            (Answer::Always, _) => {
                for (pair, candidate) in pairs {
                    self.manners.forget_refusal(&pair, &manner);
                    let approval = Approval {
                        at: now.wall,
                        by,
                        contexts: candidate.contexts.clone(),
                        file: candidate.file.as_deref().map(short::path),
                        manners: vec![manner.clone()],
                    };
                    self.trust.approve(pair, approval);
                }
                self.keep_down(effects);
            }
            (Answer::Once, _) | (Answer::Container, None) => {
                if let Some(process) = only {
                    for (pair, _) in pairs {
                        self.manners.approve_once(&pair, &manner, process);
                        self.trust.approve_once(pair, process);
                    }
                    self.watch(process, effects);
                }
            }
        }
        for caller in answering {
            if let Some(Wish::Answer { json }) = self.callers.get(&caller).map(|known| &known.wants)
            {
                let json = *json;
                self.told_answer(caller, answer, &worded, json, effects);
            }
        }
        // Those who wait for the sign-in on whose page the question stood go on waiting there; `serve` looks at their
        // trust again.
        if !matches!(stage, Stage::WithSignIn(_)) {
            for caller in askers {
                if answer == Answer::Always && stage == Stage::Terminal(caller) {
                    self.claim_to_asker(caller);
                } else {
                    self.pursue(caller, now, effects);
                }
            }
        }
        self.settle_questions(now, effects);
        Taken::Counted
    }

    /// The process that a yes to this command alone is for: the one that was shown, or the first like it where that
    /// one has ended.
    fn only(&self, question: &Waiting) -> Option<ProcessId> {
        let asker = |caller: &CallerId| Some(&self.callers.get(caller)?.asker);
        if let Stage::Terminal(caller) = question.stage {
            return asker(&caller)?.process;
        }
        let all = || question.askers.iter().filter_map(asker);
        let same = |asker: &&Asker| asker.process == question.shown.process;
        let like = |asker: &&Asker| question.reads_the_same(asker);
        all().find(same).or_else(|| all().find(like))?.process
    }

    /// Somebody closed a question in the window, or all that it asks. Whoever waits is told so, and the next command
    /// asks anew.
    pub(crate) fn leave(&mut self, name: Option<&str>, now: Now, effects: &mut Vec<Effect>) {
        for id in self.questions.in_window(|_| true) {
            let question = self.questions.waiting.get(&id);
            if question.is_some_and(|one| name.is_none_or(|name| one.name == name)) {
                self.close(id, now, effects);
            }
        }
    }

    fn close(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let problem = self.closed(id);
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        let answering = std::mem::take(&mut question.answering);
        let askers = std::mem::take(&mut question.askers);
        question.stage = Stage::Open;
        let (account, manner) = (question.account.clone(), question.manner.clone());
        let servers: Vec<_> = question
            .needed
            .iter()
            .map(|candidate| candidate.server.clone())
            .collect();
        // What was there before it was asked here is there still.
        if question.stays.is_none() {
            self.questions.waiting.remove(&id);
        }
        for caller in &askers {
            let known = self.callers.get(caller);
            if let Some(process) = known.and_then(|known| known.asker.process) {
                self.questions.closed_by(Closed {
                    process,
                    account: account.clone(),
                    servers: servers.clone(),
                    manner: manner.clone(),
                    until: now.moment.after(CLOSED),
                });
            }
        }
        for caller in askers.into_iter().chain(answering) {
            self.fail(caller, &problem, effects);
        }
    }

    /// Nobody answered on our page, or it could not ask.
    pub(crate) fn unanswered(
        &mut self,
        id: QuestionId,
        why: Option<Problem>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match why {
            None => {
                let silence = self.not_trusted(id).unanswered();
                self.unheard(id, Stage::Silent, &silence, now, effects);
            }
            Some(why) => self.unheard(id, Stage::Open, &why, now, effects),
        }
    }

    /// What was open in the window for too long, and what can't be taken up any more.
    pub(crate) fn questions_overdue(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.questions.in_window(|until| until <= now.moment) {
            let silence = self.not_trusted(id).unanswered();
            self.unheard(id, Stage::Silent, &silence, now, effects);
        }
        for question in self.questions.waiting.values_mut() {
            question.stays = question.stays.filter(|until| now.moment < *until);
        }
        self.drop_what_is_left(effects);
    }

    /// Whoever waits for it is told why there is no answer; it waits for a person to take it up.
    fn unheard(
        &mut self,
        id: QuestionId,
        stage: Stage,
        why: &Problem,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        if question.is_left() {
            self.questions.waiting.remove(&id);
            return;
        }
        question.stage = stage;
        question.stays = Some(now.moment.after(STAYS));
        let askers = std::mem::take(&mut question.askers);
        let answering = std::mem::take(&mut question.answering);
        for caller in askers.into_iter().chain(answering) {
            self.fail(caller, why, effects);
        }
    }

    /// A command was refused since nobody could answer: the question can be taken up afterwards.
    pub(super) fn stays(&mut self, id: QuestionId, now: Moment) {
        if let Some(question) = self.questions.waiting.get_mut(&id) {
            question.stays = Some(now.after(STAYS));
        }
    }
}

impl Waiting {
    /// What an answer to it is. Whatever else was said to a server that can't be seen is a yes, and the shortest is once.
    fn counts_as(&self, answer: Answer) -> Answer {
        let contained = self.container.is_some();
        match answer {
            Answer::Container if !contained => Answer::Once,
            Answer::Always if self.worded.longest != Longest::Always => Answer::Once,
            Answer::Once | Answer::Container | Answer::Always | Answer::No => answer,
        }
    }
}

/// What a typed line says. Whoever is used to `a` gets the yes that there is.
fn typed_answer(line: &str, longest: Longest) -> Answer {
    let line = line.trim().to_lowercase();
    match (line.as_str(), longest) {
        ("y" | "yes" | "a" | "always" | "예" | "네", Longest::Always) => Answer::Always,
        ("c" | "container" | "컨테이너", Longest::Container) => Answer::Container,
        ("y" | "yes" | "a" | "always" | "예" | "네", Longest::Once | Longest::Container) => {
            Answer::Once
        }
        ("o" | "once" | "한번" | "한 번", _) => Answer::Once,
        _ => Answer::No,
    }
}

/// How an approval that came by an endpoint is remembered.
pub(super) fn by(endpoint: Endpoint) -> By {
    match endpoint {
        Endpoint::Control => By::Terminal,
        Endpoint::Consent => By::Window,
        Endpoint::Page => By::Page,
    }
}
