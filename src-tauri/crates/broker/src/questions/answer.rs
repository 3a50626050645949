//! What becomes of a question: an answer, none, or nobody who waits for it any more.

use super::{Stage, Waiting};
use crate::asker::{Endpoint, may_approve};
use crate::asking::Wish;
use crate::broker::Broker;
use crate::clock::Now;
use crate::event::{Effect, QuestionId};
use crate::problem::{Code, Problem};
use crate::trust::{Answer, Approval, By, Pair};
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
        let Some(id) = asked.map(|(id, _)| *id) else {
            return;
        };
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        if !may_approve(Endpoint::Control, &known.asker, self.desktop) {
            // A desktop came meanwhile: whoever waits along is asked there.
            let problem = self.not_trusted(id);
            self.fail(caller, &problem, effects);
            return self.ask_anew(id, now, effects);
        }
        let answer = match line.trim().to_lowercase().as_str() {
            "y" | "yes" | "a" | "always" | "예" | "네" => Answer::Always,
            "o" | "once" | "한번" | "한 번" => Answer::Once,
            _ => Answer::No,
        };
        self.decide(id, answer, &[], By::Terminal, now, effects);
    }

    /// Somebody answered on our page.
    pub(crate) fn approved(
        &mut self,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.decide(id, answer, ticked, By::Page, now, effects);
    }

    /// Nobody answered on our page.
    pub(crate) fn unanswered(&mut self, id: QuestionId, why: &Problem, effects: &mut Vec<Effect>) {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        question.stage = if why.code == Code::SignInTimedOut {
            Stage::Silent
        } else {
            Stage::Open
        };
        for caller in std::mem::take(&mut question.callers) {
            self.fail(caller, why, effects);
        }
    }

    pub(super) fn decide(
        &mut self,
        id: QuestionId,
        answer: Answer,
        ticked: &[usize],
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(question) = self.questions.waiting.remove(&id) else {
            return;
        };
        self.settle_answered(&question, answer, now, effects);
        let Waiting {
            account,
            needed,
            others,
            worded,
            callers,
            stage,
            manner,
            flags: _,
        } = question;
        let processes: Vec<_> = callers
            .iter()
            .filter_map(|caller| {
                self.callers
                    .get(caller)
                    .and_then(|known| known.asker.process)
            })
            .collect();
        let ticked = ticked.iter().filter_map(|index| others.get(*index));
        for candidate in needed.iter().chain(ticked) {
            let pair = Pair {
                account: account.clone(),
                server: candidate.server.clone(),
            };
            match answer {
                Answer::Always => {
                    self.manners.forget_refusal(&pair, &manner);
                    self.trust.approve(
                        pair,
                        Approval {
                            at: now.wall,
                            by,
                            contexts: candidate.contexts.clone(),
                            file: worded.file.clone(),
                            manners: vec![manner.clone()],
                        },
                    );
                }
                Answer::Once => {
                    for process in &processes {
                        self.manners.approve_once(&pair, &manner, *process);
                        self.trust.approve_once(pair.clone(), *process);
                        effects.push(Effect::Watch(*process));
                    }
                }
                Answer::No => {
                    // Where the server may have tokens, it is the way to sign in that may not be.
                    let trusted = self.trust.approval(&pair).is_some();
                    for process in std::iter::once(None).chain(processes.iter().copied().map(Some))
                    {
                        self.manners.refuse(&pair, &manner, process, now.moment);
                        if !trusted {
                            self.trust.refuse(pair.clone(), process, now.moment);
                        }
                        effects.extend(process.map(Effect::Watch));
                    }
                }
            }
        }
        if answer == Answer::Always {
            self.keep_down(effects);
        }
        for caller in callers {
            match self.callers.get(&caller).map(|known| &known.wants) {
                Some(Wish::Answer { json }) => {
                    let json = *json;
                    self.told_answer(caller, answer, &worded, json, effects);
                }
                // Those who wait for the sign-in on whose page the question stood go on waiting
                // there; `serve` looks at their trust again.
                Some(_) if matches!(stage, Stage::WithSignIn(_)) => {}
                Some(_) => self.pursue(caller, now, effects),
                None => {}
            }
        }
    }

    /// Somebody closed the question in the window.
    pub(crate) fn leave(&mut self, name: Option<&str>, effects: &mut Vec<Effect>) {
        for id in self.questions.in_window(|_| true) {
            if name.is_none_or(|name| id.name() == name) {
                self.silent(id, effects);
            }
        }
    }

    /// What was open in the window for too long.
    pub(crate) fn questions_overdue(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.questions.in_window(|until| until <= now.moment) {
            self.silent(id, effects);
        }
    }

    fn silent(&mut self, id: QuestionId, effects: &mut Vec<Effect>) {
        let problem = self.not_trusted(id);
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        question.stage = Stage::Silent;
        for caller in std::mem::take(&mut question.callers) {
            self.fail(caller, &problem, effects);
        }
    }

    /// A caller hung up: whoever waited along with it is asked anew, where that is possible now.
    pub(crate) fn question_gone(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        let mut orphans = Vec::new();
        for question in self.questions.waiting.values_mut() {
            question.callers.retain(|waiting| *waiting != caller);
            if question.stage == Stage::Terminal(caller) {
                question.stage = Stage::Open;
                orphans.append(&mut question.callers);
            }
        }
        for orphan in orphans {
            self.pursue(orphan, now, effects);
        }
    }

    /// Where it was asked nobody can answer any more: whoever waits is asked where they can be now.
    pub(super) fn ask_anew(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        question.stage = Stage::Open;
        for waiting in std::mem::take(&mut question.callers) {
            self.pursue(waiting, now, effects);
        }
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
