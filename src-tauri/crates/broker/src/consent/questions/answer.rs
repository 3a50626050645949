//! A question is answered, or a person says that they don't answer it now.

use super::{CLOSED, Closed, STAYS, Stage, Waiting};
use crate::accounts::waiters::CallerId;
use crate::asker::{Asker, Endpoint, ProcessId, Whose, may_approve};
use crate::callers::outcome::Outcome;
use crate::clock::{Moment, Now};
use crate::consent::trust::{Approval, By, Standing};
use crate::consent::{Consent, Facts, Step, pair_of, refuse};
use crate::pair::{Candidate, Pair};
use crate::problem::Problem;
use crate::question::{Answer, Longest, QuestionId};
use crate::short;
use crate::texts::Language;
use crate::transaction::Taken;

impl Consent {
    /// A line was typed on a terminal that was asked.
    pub(crate) fn typed(&mut self, caller: CallerId, line: &str, facts: Facts<'_>) -> Vec<Step> {
        let asked = self.questions.on_terminal(caller);
        let question = asked.and_then(|id| Some((id, self.questions.waiting.get(&id)?)));
        let Some((id, longest)) = question.map(|(id, question)| (id, question.worded.longest))
        else {
            return Vec::new();
        };
        let Some(asker) = facts.callers.asker(caller) else {
            return Vec::new();
        };
        if !may_approve(Endpoint::Control, asker, facts.desktop) {
            // A desktop came meanwhile: whoever waits along is asked there.
            let refused = self.refused_for_now(id, caller, facts.now);
            self.questions.unjoin(caller);
            return [refused].into_iter().chain(self.ask_anew(id)).collect();
        }
        let answer = typed_answer(line, longest);
        self.decide_for(caller, id, answer, &[], By::Terminal, facts)
    }

    /// A caller answers a question, and is told so where nothing came of that.
    pub(super) fn decide_for(
        &mut self,
        caller: CallerId,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        by: By,
        facts: Facts<'_>,
    ) -> Vec<Step> {
        let (taken, steps) = self.decide(id, answer, ticked, by, facts);
        match taken {
            Taken::Counted | Taken::UntilEnd(_) => steps,
            Taken::Settled | Taken::AskerEnded => {
                vec![refuse(caller, Problem::AskerEnded)]
            }
        }
    }

    /// Somebody answered on our page, which is told what came of it.
    pub(crate) fn answered_on_page(
        &mut self,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        facts: Facts<'_>,
    ) -> Vec<Step> {
        let (taken, mut steps) = self.decide(id, answer, ticked, By::Page, facts);
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && question.stage == Stage::Page
        {
            // That page is over, and nothing came of it.
            question.stage = Stage::Open;
            let over = |caller| refuse(caller, Problem::AskerEnded);
            steps.extend(
                std::mem::take(&mut question.answering)
                    .into_iter()
                    .map(over),
            );
            // Whoever waits still is none of those that it was worded for.
            if !question.askers.is_empty() {
                steps.extend(self.ask_anew(id));
            }
        }
        steps.push(Step::Taken(id, taken));
        steps
    }

    fn decide(
        &mut self,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        by: By,
        facts: Facts<'_>,
    ) -> (Taken, Vec<Step>) {
        let Some(question) = self.questions.waiting.get(&id) else {
            return (Taken::Settled, Vec::new());
        };
        let answer = question.counts_as(answer);
        let only = only(question, facts);
        let nobody_s = answer == Answer::Once && only.is_none();
        if question.is_left() || nobody_s {
            return (Taken::AskerEnded, Vec::new());
        }
        let Some(question) = self.questions.waiting.remove(&id) else {
            return (Taken::Settled, Vec::new());
        };
        let mut steps = settle_answered(&question, answer, facts);
        let ticked = ticked
            .iter()
            .filter_map(|index| question.others.get(*index));
        let ticked: Vec<&Candidate> = if answer.is_yes() {
            ticked.collect()
        } else {
            // Nothing was said of what was only offered.
            Vec::new()
        };
        let allowed: Vec<&Candidate> = question.needed.iter().chain(ticked).collect();
        steps.extend(self.remember(&question, answer, &allowed, by, only, facts));
        let Waiting {
            worded,
            askers,
            answering,
            stage,
            ..
        } = question;
        for caller in answering {
            let told = Outcome::Answered(answer, Box::new(worded.clone()));
            steps.push(match answer {
                Answer::Always => Step::AnswerAtRest(caller, told),
                Answer::Once | Answer::Container | Answer::No => Step::Answer(caller, told),
            });
        }
        // Those who wait for the sign-in on whose page the question stood go on waiting there; `admit` looks at their
        // trust again when they are served.
        if !matches!(stage, Stage::WithSignIn(_)) {
            steps.extend(askers.into_iter().map(|caller| {
                if answer == Answer::Always && stage == Stage::Terminal(caller) {
                    Step::GoOnAtRest(caller)
                } else {
                    Step::GoOn(caller)
                }
            }));
        }
        steps.push(Step::Settle);
        (Taken::Counted, steps)
    }

    /// Remembers what was said of these servers, and of the way to sign in.
    fn remember(
        &mut self,
        question: &Waiting,
        answer: Answer,
        allowed: &[&Candidate],
        by: By,
        only: Option<ProcessId>,
        facts: Facts<'_>,
    ) -> Vec<Step> {
        let Waiting {
            account,
            container,
            manner,
            ..
        } = question;
        let now = facts.now;
        let pairs = allowed.iter().map(|one| (pair_of(account, one), *one));
        match (answer, container) {
            (Answer::No, _) => {
                let pairs: Vec<Pair> = pairs.map(|(pair, _)| pair).collect();
                let processes = refused_processes(question, facts);
                let known = (manner.clone(), processes.clone());
                self.manners
                    .refuse(pairs.clone(), known.0, known.1, now.moment);
                // Where the servers may have tokens already, it is the way to sign in that may not be.
                let whose = Whose {
                    process: None,
                    container: *container,
                };
                let trusted =
                    |pair| self.trust.standing(pair, whose, now.moment) == Standing::Trusted;
                if !pairs.iter().all(trusted) {
                    self.trust.refuse(pairs, processes.clone(), now.moment);
                }
                processes.into_iter().map(Step::Watch).collect()
            }
            (Answer::Container, Some(container)) => {
                for (pair, _) in pairs {
                    self.manners.approve_once(&pair, manner, container.first);
                    self.trust.approve_within(pair, *container);
                }
                vec![Step::Watch(container.first)]
            }
            (Answer::Always, _) => {
                for (pair, candidate) in pairs {
                    self.manners.forget_refusal(&pair, manner);
                    let approval = Approval {
                        at: now.wall,
                        by,
                        contexts: candidate.contexts.clone(),
                        file: candidate.file.as_deref().map(short::path),
                        manners: vec![manner.clone()],
                    };
                    self.trust.approve(pair, approval);
                }
                vec![Step::WriteDown]
            }
            (Answer::Once, _) | (Answer::Container, None) => {
                let Some(process) = only else {
                    return Vec::new();
                };
                for (pair, _) in pairs {
                    self.manners.approve_once(&pair, manner, process);
                    self.trust.approve_once(pair, process);
                }
                vec![Step::Watch(process)]
            }
        }
    }

    /// Somebody closed a question in the window, or all that it asks. Whoever waits is told so, and the next command
    /// asks anew.
    pub(crate) fn leave(&mut self, name: Option<&str>, facts: Facts<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        for id in self.questions.in_window(|_| true) {
            let question = self.questions.waiting.get(&id);
            if question.is_some_and(|one| name.is_none_or(|name| one.name == name)) {
                steps.extend(self.close(id, facts));
            }
        }
        steps
    }

    fn close(&mut self, id: QuestionId, facts: Facts<'_>) -> Vec<Step> {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return Vec::new();
        };
        let problem = Problem::QuestionClosed {
            account: question.worded.account.clone(),
            server: question.worded.servers_line(Language::En),
        };
        let answering = std::mem::take(&mut question.answering);
        let askers = std::mem::take(&mut question.askers);
        question.stage = Stage::Open;
        let (account, manner) = (question.account.clone(), question.manner.clone());
        let needed = question.needed.iter();
        let servers: Vec<_> = needed.map(|candidate| candidate.server.clone()).collect();
        // What was there before it was asked here is there still.
        if question.stays.is_none() {
            self.questions.waiting.remove(&id);
        }
        for caller in &askers {
            let known = facts.callers.asker(*caller);
            if let Some(process) = known.and_then(|asker| asker.process) {
                self.questions.closed_by(Closed {
                    process,
                    account: account.clone(),
                    servers: servers.clone(),
                    manner: manner.clone(),
                    until: facts.now.moment.after(CLOSED),
                });
            }
        }
        let callers = askers.into_iter().chain(answering);
        callers
            .map(|caller| refuse(caller, problem.clone()))
            .collect()
    }

    /// Nobody answered on our page, or it could not ask.
    pub(crate) fn unanswered(
        &mut self,
        id: QuestionId,
        why: Option<Problem>,
        now: Now,
    ) -> Vec<Step> {
        match why {
            None => {
                let silence = self.not_trusted(id).unanswered();
                self.unheard(id, Stage::Silent, &silence, now)
            }
            Some(why) => self.unheard(id, Stage::Open, &why, now),
        }
    }

    /// What was open in the window for too long, and what can't be taken up any more.
    pub(crate) fn overdue(&mut self, now: Now) -> Vec<Step> {
        let mut steps = Vec::new();
        for id in self.questions.in_window(|until| until <= now.moment) {
            let silence = self.not_trusted(id).unanswered();
            steps.extend(self.unheard(id, Stage::Silent, &silence, now));
        }
        for question in self.questions.waiting.values_mut() {
            question.stays = question.stays.filter(|until| now.moment < *until);
        }
        steps
    }

    /// Whoever waits for it is told why there is no answer; it waits for a person to take it up.
    fn unheard(&mut self, id: QuestionId, stage: Stage, why: &Problem, now: Now) -> Vec<Step> {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return Vec::new();
        };
        if question.is_left() {
            self.questions.waiting.remove(&id);
            return Vec::new();
        }
        question.stage = stage;
        question.stays = Some(now.moment.after(STAYS));
        let askers = std::mem::take(&mut question.askers);
        let answering = std::mem::take(&mut question.answering);
        let callers = askers.into_iter().chain(answering);
        callers.map(|caller| refuse(caller, why.clone())).collect()
    }

    /// A command was refused since nobody could answer: the question can be taken up afterwards.
    pub(super) fn stays(&mut self, id: QuestionId, now: Moment) {
        if let Some(question) = self.questions.waiting.get_mut(&id) {
            question.stays = Some(now.after(STAYS));
        }
    }
}

/// The process that a yes to this command alone is for: the one that was shown, or the first like it where that
/// one has ended.
fn only(question: &Waiting, facts: Facts<'_>) -> Option<ProcessId> {
    let asker = |caller: &CallerId| facts.callers.asker(*caller);
    if let Stage::Terminal(caller) = question.stage {
        return asker(&caller)?.process;
    }
    let all = || question.askers.iter().filter_map(asker);
    let same = |asker: &&Asker| asker.process == question.shown.process;
    let like = |asker: &&Asker| question.reads_the_same(asker);
    all().find(same).or_else(|| all().find(like))?.process
}

/// For whom a no holds: those who wait, and of what can't be seen the whole container.
fn refused_processes(question: &Waiting, facts: Facts<'_>) -> Vec<ProcessId> {
    let askers = question.askers.iter();
    let processes = askers.filter_map(|caller| facts.callers.asker(*caller)?.process);
    let unseen = !question.needed.iter().all(|one| one.server.is_seen());
    let container = question.container.filter(|_| unseen);
    processes
        .chain(container.map(|container| container.first))
        .collect()
}

/// What was asked for becomes the account's own: approved for good, or nothing else is known of the account.
fn settle_answered(question: &Waiting, answer: Answer, facts: Facts<'_>) -> Vec<Step> {
    let is_new = !facts.accounts.is_persons(&question.account);
    let settles = match answer {
        Answer::Always => true,
        Answer::Once | Answer::Container => is_new,
        Answer::No => false,
    };
    let mut steps = Vec::new();
    if let Some(flags) = question.flags.as_ref().filter(|_| settles) {
        steps.push(Step::TakeOver(flags.clone()));
    }
    // Whoever answers wants it now, as somebody does who types a new command.
    if answer.is_yes() {
        steps.push(Step::CommandedBy(question.account.clone(), None));
    }
    steps
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
