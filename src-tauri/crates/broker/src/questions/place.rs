//! Where a question is asked: on a page, in the window, on a terminal, or nowhere.

use super::wording::prompt;
use super::{Stage, Waiting};
use crate::account::AccountId;
use crate::asker::{Asker, Desktop, Endpoint, Venue, may_approve, venue};
use crate::asking::Wish;
use crate::broker::{Broker, Caller};
use crate::clock::Now;
use crate::event::{AskPage, Candidate, Effect, QuestionId, Reply};
use crate::manner::Manner;
use crate::outcome::{Prompting, SignInRequest};
use crate::problem::{Code, Problem};
use crate::texts::text;
use crate::trust::{Answer, By, Pair, Standing};
use crate::waiters::{CallerId, Person, Waiter, Wants};

/// How many servers a person is asked about at once: more are not read before they are allowed.
const SERVERS: usize = 20;

impl Broker {
    /// Asks about the servers of a caller's request that nobody was asked about yet, where the
    /// caller is.
    pub(crate) fn question(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        let Some(Caller {
            asker,
            wants:
                Wish::Credential {
                    account,
                    servers,
                    flags,
                    ..
                },
        }) = self.callers.get(&caller)
        else {
            return;
        };
        let (account, place) = (account.clone(), venue(asker, self.desktop));
        let asked = flags.as_ref().map(|flags| flags.manner());
        let new = self.new_ones(&account, &servers.needed, asked, asker, now);
        // None of those that it may have already, however it would sign in.
        let others = self.new_ones(&account, &servers.others, None, asker, now);
        let mut others: Vec<_> = others
            .into_iter()
            .filter(|other| !new.contains(other))
            .collect();
        if new.len() > SERVERS {
            let problem = self.too_many_servers(&account, new.len());
            return self.fail(caller, &problem, effects);
        }
        let more = others.len().saturating_sub(SERVERS);
        others.truncate(SERVERS);
        let manner = self.manner_asked_for(&account, asked);
        let flags = flags.clone();
        let file = servers.file.clone();
        let worded = self.word_question(&account, &new, &others, more, file, &manner, asker);

        let same = self
            .questions
            .waiting
            .iter()
            .find(|(_, known)| {
                known.account == account && known.needed == new && known.manner.covers(&manner)
            })
            .map(|(id, _)| *id);
        let id = same.unwrap_or_else(|| {
            self.questions.forget_the_oldest();
            self.questions.last += 1;
            let id = QuestionId(self.questions.last);
            let waiting = Waiting {
                account: account.clone(),
                needed: new,
                others,
                worded,
                callers: Vec::new(),
                stage: Stage::Open,
                manner,
                flags,
            };
            self.questions.waiting.insert(id, waiting);
            id
        });
        match place {
            Venue::Nobody => {
                let problem = self.not_trusted(id);
                self.fail(caller, &problem, effects);
            }
            Venue::Terminal => {
                self.join(id, caller);
                self.ask_on_terminal(id, caller, effects);
            }
            Venue::Page => {
                self.join(id, caller);
                self.ask_on_page(id, caller, now, effects);
                self.say_where(id, caller, effects);
            }
        }
    }

    fn join(&mut self, id: QuestionId, caller: CallerId) {
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && !question.callers.contains(&caller)
        {
            question.callers.push(caller);
        }
    }

    fn ask_on_page(
        &mut self,
        id: QuestionId,
        caller: CallerId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        let account = question.account.clone();
        let stage = question.stage;
        // Noted even where the answer decides nothing: the next ask of this process is no new one.
        let person = self.person(caller, &account);
        if stage == Stage::Silent && person != Person::Asking {
            let problem = self.not_trusted(id);
            return self.fail(caller, &problem, effects);
        }
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        let under_way = self
            .accounts
            .get(&account)
            .and_then(|account| account.session.attempt());
        match question.stage {
            Stage::WithNextSignIn | Stage::Page | Stage::Window(_) | Stage::Terminal(_) => return,
            // Whoever joins the sign-in is told of its page too.
            Stage::WithSignIn(attempt) if under_way == Some(attempt) => {}
            Stage::WithSignIn(_) | Stage::Open | Stage::Silent => question.stage = Stage::Open,
        }
        let (asked_with, manner) = (question.stage, question.manner.clone());
        let rides = self.needs_sign_in(&account, now) && self.may_ride(&account, &manner);
        if rides || matches!(asked_with, Stage::WithSignIn(_)) {
            if let Some(question) = self.questions.waiting.get_mut(&id)
                && asked_with == Stage::Open
            {
                question.stage = Stage::WithNextSignIn;
            }
            let wants = match self.callers.get(&caller).map(|known| &known.wants) {
                Some(Wish::Credential { version, .. }) => Wants::Credential(*version),
                Some(_) | None => return,
            };
            let waiter = Waiter {
                caller,
                wants,
                person,
                until: None,
            };
            self.with_session(&account, now, effects, |session, cx| {
                session.ask(waiter, cx)
            });
            if let Some(question) = self.questions.waiting.get_mut(&id)
                && question.stage == Stage::WithNextSignIn
            {
                // The session would not open a page: nobody is asked, and the caller knows why.
                question.stage = Stage::Open;
            }
            return;
        }
        self.ask_in_window(id, now, effects);
    }

    /// Asks where our own window can be shown. Where it can't, [`Broker::no_window`] hears of it.
    fn ask_in_window(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && let Some(account) = self.accounts.get(&question.account)
        {
            // As long as a page would wait.
            let patience = account.settings.authentication_timeout;
            question.stage = Stage::Window(now.moment.after(patience));
            effects.push(Effect::AskWindow);
        }
    }

    /// Says on a caller's terminal where the question is that it waits for: it may have come up elsewhere on the screen.
    fn say_where(&self, id: QuestionId, caller: CallerId, effects: &mut Vec<Effect>) {
        let Some(question) = self.questions.waiting.get(&id) else {
            return;
        };
        let key = match question.stage {
            Stage::Window(_) => "terminal.asks.window",
            Stage::Page | Stage::WithNextSignIn | Stage::WithSignIn(_) => "terminal.asks.page",
            Stage::Open | Stage::Silent | Stage::Terminal(_) => return,
        };
        if let Some(known) = self.callers.get(&caller)
            && known.asker.terminal
            && question.callers.contains(&caller)
        {
            let line = text(known.asker.language, key, &[]) + "\n";
            effects.push(Effect::Reply(caller, Reply::Say(line)));
        }
    }

    /// There is no window, or no more: what it asks is asked on a page.
    pub(crate) fn no_window(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.questions.in_window(|_| true) {
            if self.desktop != Desktop::Unlocked {
                self.ask_anew(id, now, effects);
                continue;
            }
            let Some(request) = self.page_request(id) else {
                continue;
            };
            if let Some(question) = self.questions.waiting.get_mut(&id) {
                question.stage = Stage::Page;
            }
            effects.push(Effect::AskPage(id, Box::new(AskPage { request })));
            let waiting = self.questions.waiting.get(&id);
            let callers = waiting.map(|question| question.callers.clone());
            for caller in callers.unwrap_or_default() {
                self.say_where(id, caller, effects);
            }
        }
    }

    fn page_request(&self, id: QuestionId) -> Option<SignInRequest> {
        let question = self.questions.waiting.get(&id)?;
        let account = self.accounts.get(&question.account)?;
        let mut callers = question.callers.iter();
        let language = callers.find_map(|caller| Some(self.callers.get(caller)?.asker.language));
        Some(SignInRequest {
            account: question.account.clone(),
            key: account.key.clone(),
            settings: account.settings.clone(),
            known_secret: None,
            expected_subject: None,
            other_issuers: Vec::new(),
            question: Some(question.worded.clone()),
            language: language.unwrap_or_default(),
            prompt: Prompting::Allowed,
        })
    }

    fn ask_on_terminal(&mut self, id: QuestionId, caller: CallerId, effects: &mut Vec<Effect>) {
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        if !may_approve(Endpoint::Control, &known.asker, self.desktop) {
            let problem = self.not_trusted(id);
            return self.fail(caller, &problem, effects);
        }
        let language = known.asker.language;
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        if matches!(question.stage, Stage::Terminal(_)) {
            return;
        }
        question.stage = Stage::Terminal(caller);
        let prompt = prompt(&question.worded, language);
        effects.push(Effect::Reply(caller, Reply::Prompt(prompt)));
    }

    /// Takes a waiting question up: answers it where this endpoint may, or asks where this person may be asked.
    pub(crate) fn take_up(
        &mut self,
        caller: CallerId,
        name: Option<&str>,
        endpoint: Endpoint,
        answer: Option<(Answer, Vec<usize>)>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        let Some(id) = self.questions.named(name) else {
            let name = name.unwrap_or_default().to_owned();
            let problem = Problem::new(Code::NoSuchTrust, vec![("name", name)]);
            return self.fail(caller, &problem, effects);
        };
        let asker = known.asker.clone();
        self.join(id, caller);
        if may_approve(endpoint, &asker, self.desktop) {
            match (answer, super::answer::by(endpoint)) {
                (Some((answer, others)), by) => {
                    self.decide(id, answer, &others, by, now, effects);
                }
                (None, By::Terminal) => self.ask_on_terminal(id, caller, effects),
                (None, By::FirstStart | By::Page | By::Window) => {
                    self.take_to_window(id, now, effects)
                }
            }
        } else if venue(&asker, self.desktop) == Venue::Page {
            self.take_to_window(id, now, effects);
            self.say_where(id, caller, effects);
        } else {
            let problem = self.not_trusted(id);
            self.fail(caller, &problem, effects);
        }
    }

    fn take_to_window(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let stage = self
            .questions
            .waiting
            .get(&id)
            .map(|question| question.stage);
        match stage {
            Some(Stage::Open | Stage::Silent) => self.ask_in_window(id, now, effects),
            // It is there already, and may be behind other windows.
            Some(Stage::Window(_)) => effects.push(Effect::AskWindow),
            Some(
                Stage::WithNextSignIn | Stage::WithSignIn(_) | Stage::Page | Stage::Terminal(_),
            )
            | None => {}
        }
    }

    fn new_ones(
        &self,
        account: &AccountId,
        candidates: &[Candidate],
        manner: Option<&Manner>,
        asker: &Asker,
        now: Now,
    ) -> Vec<Candidate> {
        candidates
            .iter()
            .filter(|candidate| {
                let pair = Pair {
                    account: account.clone(),
                    server: candidate.server.clone(),
                };
                self.standing(&pair, manner, asker, now) == Standing::New
            })
            .cloned()
            .collect()
    }
}
