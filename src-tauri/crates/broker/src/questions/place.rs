//! Where a question is asked: on a page, in the window, on a terminal, or nowhere.

use super::wording::prompt;
use super::{Asking, MOST, Stage, Waiting, longest};
use crate::account::{AccountId, ClientSettings, ListenAddress};
use crate::asker::{Asker, Desktop, Endpoint, Venue, may_approve, venue};
use crate::asking::Wish;
use crate::broker::{Broker, Caller};
use crate::clock::Now;
use crate::event::{AskPage, Candidate, Effect, QuestionId, Reply};
use crate::manner::Manner;
use crate::outcome::{Prompting, SignInRequest, Taken};
use crate::problem::{Code, Problem};
use crate::report;
use crate::session::Session;
use crate::texts::text;
use crate::trust::{Answer, By, Longest, Standing};
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
        if new.len() > SERVERS {
            let problem = self.too_many_servers(&account, new.len());
            return self.fail(caller, &problem, effects);
        }
        let manner = self.manner_asked_for(&account, asked);
        let process = asker.process;
        if self
            .questions
            .was_closed(process, &account, &new, &manner, now.moment)
        {
            let (Some(first), code) = (new.first(), Code::QuestionClosed) else {
                return;
            };
            let problem = self.problem_of(code, &account, first);
            return self.fail(caller, &problem, effects);
        }
        let longest = longest(&new, asker);
        let container = asker.container.filter(|_| longest == Longest::Container);
        let id = match self.questions.same(&account, &new, container, &manner) {
            Some(id) => id,
            None => {
                // None of those that it may have already, however it would sign in.
                let others = self.new_ones(&account, &servers.others, None, asker, now);
                let is_offered = |other: &Candidate| {
                    let pair = super::pair_of(&account, other);
                    let standing = self.trust.standing(&pair, asker.whose(), now.moment);
                    standing == Standing::New && new.iter().all(|one| one.server != other.server)
                };
                let mut others: Vec<_> = others.into_iter().filter(is_offered).collect();
                let more = others.len().saturating_sub(SERVERS);
                others.truncate(SERVERS);
                let worded = self.word_question(
                    &account, &new, &others, more, servers, longest, &manner, asker,
                );
                let mut waiting = Waiting {
                    account: account.clone(),
                    needed: new,
                    others,
                    container,
                    worded,
                    name: String::new(),
                    shown: Asking::of(asker),
                    askers: Vec::new(),
                    answering: Vec::new(),
                    stays: None,
                    stage: Stage::Open,
                    manner,
                    flags: flags.clone(),
                };
                waiting.name = waiting.named();
                let in_front = asker.foreground;
                if !self.make_room(in_front, effects) {
                    return self.fail(caller, &Problem::plain(Code::Busy), effects);
                }
                self.questions.last += 1;
                let id = QuestionId(self.questions.last);
                self.questions.waiting.insert(id, waiting);
                id
            }
        };
        match place {
            Venue::Nobody => {
                let problem = self.not_trusted(id);
                if longest == Longest::Once {
                    // Nobody could allow it afterwards: it would be for a command that has ended.
                    let questions = &mut self.questions.waiting;
                    let unasked = |one: &Waiting| one.askers.is_empty() && one.answering.is_empty();
                    if questions.get(&id).is_some_and(unasked) {
                        questions.remove(&id);
                    }
                } else {
                    self.stays(id, now.moment);
                }
                return self.fail(caller, &problem, effects);
            }
            Venue::Terminal => {
                self.join(id, caller);
                self.ask_on_terminal(id, caller, now, effects);
            }
            Venue::Page => {
                self.join(id, caller);
                self.ask_on_page(id, caller, now, effects);
                self.say_where(id, caller, effects);
            }
        }
        // It goes with whoever asks, be it that only their plugin lives on.
        if let Some(process) = process
            && self.callers.contains_key(&caller)
        {
            self.watch(process, effects);
        }
    }

    /// Makes room for one more. What nobody waits for goes first, then, for somebody who sits at a terminal, the oldest
    /// that is asked for nobody who does: a program that asks for a thousand servers keeps no person from being asked.
    fn make_room(&mut self, in_front: bool, effects: &mut Vec<Effect>) -> bool {
        if self.questions.waiting.len() < MOST {
            return true;
        }
        let mut all = self.questions.waiting.iter();
        if let Some((id, _)) = all.find(|(_, question)| question.askers.is_empty()) {
            let id = *id;
            let over = self.questions.waiting.remove(&id);
            for caller in over.map(|over| over.answering).unwrap_or_default() {
                self.fail(caller, &Problem::plain(Code::Busy), effects);
            }
            return true;
        }
        if !in_front {
            return false;
        }
        let at_a_terminal = |caller: &CallerId| {
            let known = self.callers.get(caller);
            known.is_some_and(|known| known.asker.foreground)
        };
        let mut all = self.questions.waiting.iter();
        let Some((id, _)) = all.find(|(_, question)| !question.askers.iter().any(at_a_terminal))
        else {
            return false;
        };
        let id = *id;
        let Some(over) = self.questions.waiting.remove(&id) else {
            return false;
        };
        for caller in over.askers.into_iter().chain(over.answering) {
            if let Some(account) = self.accounts.get_mut(&over.account) {
                account.session.gone(caller);
            }
            self.fail(caller, &Problem::plain(Code::Busy), effects);
        }
        true
    }

    fn join(&mut self, id: QuestionId, caller: CallerId) {
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && !question.askers.contains(&caller)
        {
            question.askers.push(caller);
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
        let nobody_else_waits = question.askers == [caller] && question.answering.is_empty();
        // Noted even where the answer decides nothing: the next ask of this process is no new one.
        let person = self.person(caller, &account);
        if stage == Stage::Silent && person != Person::Asking {
            let problem = self.not_trusted(id);
            self.stays(id, now.moment);
            return self.fail(caller, &problem, effects);
        }
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        let session = self.accounts.get(&account).map(|account| &account.session);
        let under_way = session.and_then(Session::attempt);
        let left = session.is_some_and(Session::is_left) && person == Person::Asking;
        match question.stage {
            // Whoever was asked there has gone, and may have closed it.
            Stage::Page if nobody_else_waits && person == Person::Asking => {
                return self.open_page(id, effects);
            }
            Stage::WithNextSignIn | Stage::Page | Stage::Window(_) | Stage::Terminal(_) => return,
            // A new sign-in takes the place of one that everybody left, and the question with it.
            Stage::WithSignIn(attempt) if under_way == Some(attempt) && left => {
                question.stage = Stage::WithNextSignIn;
            }
            // Whoever joins the sign-in is told of its page too.
            Stage::WithSignIn(attempt) if under_way == Some(attempt) => {}
            Stage::WithSignIn(_) | Stage::Open | Stage::Silent => question.stage = Stage::Open,
        }
        let (asked_with, manner) = (question.stage, question.manner.clone());
        let rides = self.needs_sign_in(&account, now) && self.may_ride(&account, &manner);
        let with_sign_in = matches!(asked_with, Stage::WithSignIn(_) | Stage::WithNextSignIn);
        if rides || with_sign_in {
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
                self.stays(id, now.moment);
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
            && (question.askers.contains(&caller) || question.answering.contains(&caller))
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
            self.open_page(id, effects);
            let waiting = self.questions.waiting.get(&id);
            let callers = waiting.map(|question| {
                let callers = question.askers.iter().chain(&question.answering);
                callers.copied().collect::<Vec<_>>()
            });
            for caller in callers.unwrap_or_default() {
                self.say_where(id, caller, effects);
            }
        }
    }

    /// Asks on a page of its own, in the place of one that stands already.
    fn open_page(&mut self, id: QuestionId, effects: &mut Vec<Effect>) {
        if let Some(request) = self.page_request(id)
            && let Some(question) = self.questions.waiting.get_mut(&id)
        {
            question.stage = Stage::Page;
            effects.push(Effect::AskPage(id, Box::new(AskPage { request })));
        }
    }

    fn page_request(&self, id: QuestionId) -> Option<SignInRequest> {
        let question = self.questions.waiting.get(&id)?;
        let account = self.accounts.get(&question.account)?;
        let mut callers = question.askers.iter().chain(&question.answering);
        let language = callers.find_map(|caller| Some(self.callers.get(caller)?.asker.language));
        Some(SignInRequest {
            account: question.account.clone(),
            about: self.about(&question.account),
            key: account.key.clone(),
            settings: ClientSettings {
                // No provider comes back to it: the ports that one knows stay free for a sign-in.
                listen: vec![ListenAddress {
                    host: "127.0.0.1".to_owned(),
                    port: 0,
                }],
                redirect_url: None,
                ..account.settings.clone()
            },
            known_secret: None,
            expected_subject: None,
            signed_in_at: None,
            other_issuers: Vec::new(),
            question: Some(question.worded.clone()),
            language: language.unwrap_or_default(),
            prompt: Prompting::Allowed,
        })
    }

    fn ask_on_terminal(
        &mut self,
        id: QuestionId,
        caller: CallerId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        if !may_approve(Endpoint::Control, &known.asker, self.desktop) {
            let problem = self.not_trusted(id);
            self.stays(id, now.moment);
            return self.fail(caller, &problem, effects);
        }
        let language = known.asker.language;
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        if matches!(question.stage, Stage::Terminal(_)) {
            // Who wants a token waits along.
            if question.answering.contains(&caller) {
                self.fail(caller, &Problem::plain(Code::AskedElsewhere), effects);
            }
            return;
        }
        question.stage = Stage::Terminal(caller);
        let waits = !question.askers.is_empty();
        let prompt = prompt(&question.worded, waits, language);
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
        let asker = known.asker.clone();
        let json = known.wants.json();
        let yes = match answer {
            Some((Answer::Once | Answer::Container | Answer::Always, _)) => true,
            Some((Answer::No, _)) | None => false,
        };
        let id = match self.questions.named(name, yes) {
            Ok(id) => id,
            Err(problem) => {
                if problem.code() == Code::WhichQuestion {
                    // Which one is meant is for whoever asks to say: none of them is answered.
                    let language = asker.language;
                    let list = report::questions(&self.view_in(now, language), json, language);
                    effects.push(Effect::Reply(caller, Reply::Out(list)));
                }
                return self.fail(caller, &problem, effects);
            }
        };
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        let (longest, waits) = (question.worded.longest, !question.askers.is_empty());
        let may = may_approve(endpoint, &asker, self.desktop);
        if let Some((answer, _)) = &answer
            && may
        {
            if !longest.takes(*answer) {
                return self.fail(caller, &Problem::plain(Code::NotForGood), effects);
            }
            if *answer == Answer::Once && !waits {
                return self.fail(caller, &Problem::plain(Code::AskerEnded), effects);
            }
        }
        question.answering.push(caller);
        if may {
            match (answer, super::answer::by(endpoint)) {
                (Some((answer, others)), by) => {
                    match self.decide(id, answer, &others, by, now, effects) {
                        Taken::Counted | Taken::UntilEnd(_) => {}
                        Taken::Settled | Taken::AskerEnded => {
                            self.fail(caller, &Problem::plain(Code::AskerEnded), effects);
                        }
                    }
                }
                (None, By::Terminal) => self.ask_on_terminal(id, caller, now, effects),
                (None, By::FirstStart | By::Page | By::Window) => {
                    self.take_to_window(id, caller, now, effects)
                }
            }
        } else if venue(&asker, self.desktop) == Venue::Page {
            self.take_to_window(id, caller, now, effects);
            self.say_where(id, caller, effects);
        } else {
            let problem = self.not_trusted(id);
            self.fail(caller, &problem, effects);
        }
    }

    fn take_to_window(
        &mut self,
        id: QuestionId,
        caller: CallerId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
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
            | None => self.fail(caller, &Problem::plain(Code::AskedElsewhere), effects),
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
                let pair = super::pair_of(account, candidate);
                self.standing(&pair, manner, asker.whose(), now) != Standing::Trusted
            })
            .cloned()
            .collect()
    }
}
