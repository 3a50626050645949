//! The questions that wait for a person: may this server have tokens of this account?

use std::collections::BTreeMap;

use crate::account::AccountId;
use crate::asker::{Asker, Desktop, Endpoint, Venue, may_approve, venue};
use crate::asking::Wish;
use crate::broker::{Broker, Caller};
use crate::clock::{Moment, Now};
use crate::event::{AskPage, Candidate, Effect, QuestionId, Reply, Servers};
use crate::outcome::{AttemptId, Prompting, SignInRequest};
use crate::problem::{Code, Problem};
use crate::texts::{Language, text};
use crate::trust::{Answer, Approval, By, Pair, Question, ServerLine, Standing, wary};
use crate::waiters::{CallerId, Person};

/// How many questions may wait; the oldest that nobody waits at goes first.
const MOST: usize = 64;

/// Every question that waits.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    waiting: BTreeMap<QuestionId, Waiting>,
    last: u64,
}

#[derive(Debug)]
struct Waiting {
    account: AccountId,
    needed: Vec<Candidate>,
    others: Vec<Candidate>,
    worded: Question,
    callers: Vec<CallerId>,
    stage: Stage,
}

/// Where a question is being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nowhere yet: `kubectl fob trust` can take it up.
    Open,
    /// Nowhere: a page asked, and nobody answered. A person opens the next one.
    Silent,
    /// On the page of a sign-in that is about to begin.
    WithNextSignIn,
    /// On the page of this sign-in.
    WithSignIn(AttemptId),
    /// On a page of its own.
    Page,
    /// In the window, until then.
    Window(Moment),
    /// On this caller's terminal.
    Terminal(CallerId),
}

/// What holds of all the servers of a request together.
pub(crate) enum Standings {
    /// All are trusted.
    Trusted,
    /// One was refused.
    Refused(Problem),
    /// One was never asked about.
    New,
}

impl Questions {
    /// The question that goes on the page of a sign-in that begins for these callers.
    pub(crate) fn with_sign_in(
        &mut self,
        callers: &[CallerId],
        attempt: AttemptId,
    ) -> Option<QuestionId> {
        let (id, question) = self.waiting.iter_mut().find(|(_, question)| {
            question.stage == Stage::WithNextSignIn
                && question
                    .callers
                    .iter()
                    .any(|caller| callers.contains(caller))
        })?;
        question.stage = Stage::WithSignIn(attempt);
        Some(*id)
    }

    /// What a question asks.
    pub(crate) fn worded(&self, id: QuestionId) -> Option<Question> {
        self.waiting
            .get(&id)
            .map(|question| question.worded.clone())
    }

    /// A sign-in is over: the question on its page waits for `kubectl fob trust` if nobody
    /// answered it.
    pub(crate) fn attempt_over(&mut self, attempt: AttemptId) {
        for question in self.waiting.values_mut() {
            if question.stage == Stage::WithSignIn(attempt) {
                question.stage = Stage::Open;
                question.callers.clear();
            }
        }
    }

    /// Every question, with its short name, and whether the window is asked.
    pub(crate) fn each(&self) -> impl Iterator<Item = (String, bool, &Question)> {
        self.waiting
            .iter()
            .map(|(id, question)| (id.name(), question.in_window().is_some(), &question.worded))
    }

    /// When the next one has been open in the window for too long.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.waiting.values().filter_map(Waiting::in_window).min()
    }

    /// An account is gone, and whoever waits for an answer about it is given back.
    pub(crate) fn forget(&mut self, account: &AccountId) -> Vec<CallerId> {
        let mut waiting = Vec::new();
        self.waiting.retain(|_, question| {
            let of_it = question.account == *account;
            if of_it {
                waiting.append(&mut question.callers);
            }
            !of_it
        });
        waiting
    }

    fn named(&self, name: Option<&str>) -> Option<QuestionId> {
        match name {
            Some(name) => self.waiting.keys().copied().find(|id| id.name() == name),
            None => self.waiting.keys().copied().next_back(),
        }
    }

    fn in_window(&self, until: impl Fn(Moment) -> bool) -> Vec<QuestionId> {
        self.waiting
            .iter()
            .filter(|(_, question)| question.in_window().is_some_and(&until))
            .map(|(id, _)| *id)
            .collect()
    }

    fn forget_the_oldest(&mut self) {
        while self.waiting.len() >= MOST {
            let idle = self
                .waiting
                .iter()
                .find(|(_, question)| question.callers.is_empty());
            let Some(id) = idle.map(|(id, _)| *id) else {
                return;
            };
            self.waiting.remove(&id);
        }
    }
}

impl Waiting {
    /// Until when it is asked in the window, if it is.
    fn in_window(&self) -> Option<Moment> {
        match self.stage {
            Stage::Window(until) => Some(until),
            Stage::Open
            | Stage::Silent
            | Stage::WithNextSignIn
            | Stage::WithSignIn(_)
            | Stage::Page
            | Stage::Terminal(_) => None,
        }
    }
}

impl QuestionId {
    /// What people type.
    pub(crate) fn name(self) -> String {
        format!("q{}", self.0)
    }
}

impl Broker {
    /// What holds of every server that a request may be for.
    pub(crate) fn standings(
        &self,
        account: &AccountId,
        servers: &Servers,
        asker: &Asker,
        now: Now,
    ) -> Standings {
        let mut all = Standings::Trusted;
        for candidate in &servers.needed {
            let pair = Pair {
                account: account.clone(),
                server: candidate.server.clone(),
            };
            match self.trust.standing(&pair, asker.process, now.moment) {
                Standing::Trusted => {}
                Standing::New => all = Standings::New,
                Standing::Refused => {
                    let code = if servers.needed.len() > 1 {
                        Code::TrustRefusedSeveral
                    } else {
                        Code::TrustRefused
                    };
                    return Standings::Refused(self.problem_of(code, account, candidate));
                }
            }
        }
        all
    }

    /// Asks about the servers of a caller's request that nobody was asked about yet, where the
    /// caller is.
    pub(crate) fn question(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        let Some(Caller {
            asker,
            wants: Wish::Credential {
                account, servers, ..
            },
        }) = self.callers.get(&caller)
        else {
            return;
        };
        let (account, place) = (account.clone(), venue(asker, self.desktop));
        let new = self.new_ones(&account, &servers.needed, asker, now);
        let others = self.new_ones(&account, &servers.others, asker, now);
        let others: Vec<_> = others
            .into_iter()
            .filter(|other| !new.contains(other))
            .collect();
        let worded = self.word_question(&account, &new, &others, servers.file.clone(), asker);

        let same = self
            .questions
            .waiting
            .iter()
            .find(|(_, known)| known.account == account && known.needed == new)
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
        let asked_with = question.stage;
        if self.needs_sign_in(&account, now) || matches!(asked_with, Stage::WithSignIn(_)) {
            if let Some(question) = self.questions.waiting.get_mut(&id)
                && asked_with == Stage::Open
            {
                question.stage = Stage::WithNextSignIn;
            }
            let wants = match self.callers.get(&caller).map(|known| &known.wants) {
                Some(Wish::Credential { version, .. }) => {
                    crate::waiters::Wants::Credential(*version)
                }
                Some(_) | None => return,
            };
            let waiter = crate::waiters::Waiter {
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
        }
    }

    /// Where it was asked nobody can answer any more: whoever waits is asked where they can be now.
    fn ask_anew(&mut self, id: QuestionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return;
        };
        question.stage = Stage::Open;
        for waiting in std::mem::take(&mut question.callers) {
            self.pursue(waiting, now, effects);
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

    fn decide(
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
        let Waiting {
            account,
            needed,
            others,
            worded,
            callers,
            stage,
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
                Answer::Always => self.trust.approve(
                    pair,
                    Approval {
                        at: now.wall,
                        by,
                        contexts: candidate.contexts.clone(),
                        file: worded.file.clone(),
                    },
                ),
                Answer::Once => {
                    for process in &processes {
                        self.trust.approve_once(pair.clone(), *process);
                        effects.push(Effect::Watch(*process));
                    }
                }
                Answer::No => {
                    self.trust.refuse(pair.clone(), None, now.moment);
                    for process in &processes {
                        self.trust.refuse(pair.clone(), Some(*process), now.moment);
                        effects.push(Effect::Watch(*process));
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
            match (answer, by(endpoint)) {
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

    fn new_ones(
        &self,
        account: &AccountId,
        candidates: &[Candidate],
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
                self.trust.standing(&pair, asker.process, now.moment) == Standing::New
            })
            .cloned()
            .collect()
    }

    fn word_question(
        &self,
        id: &AccountId,
        needed: &[Candidate],
        others: &[Candidate],
        file: Option<String>,
        asker: &Asker,
    ) -> Question {
        let line = |candidate: &Candidate| {
            let pair = Pair {
                account: id.clone(),
                server: candidate.server.clone(),
            };
            ServerLine {
                server: server_text(candidate, asker.language),
                contexts: candidate.contexts.clone(),
                wary: wary(&self.trust, &pair),
            }
        };
        let account = self.accounts.get(id);
        Question {
            account: account
                .map(|account| account.label.clone())
                .unwrap_or_default(),
            issuer: account
                .map(|account| account.key.issuer.clone())
                .unwrap_or_default(),
            client_id: account
                .map(|account| account.key.client_id.clone())
                .unwrap_or_default(),
            scopes: account
                .map(|account| account.key.scopes.clone())
                .unwrap_or_default(),
            servers: needed.iter().map(line).collect(),
            others: others.iter().map(line).collect(),
            file,
            asker: asker.program.clone(),
        }
    }

    fn not_trusted(&self, id: QuestionId) -> Problem {
        let question = self.questions.waiting.get(&id);
        let servers = question.map(|question| {
            let servers = question
                .worded
                .servers
                .iter()
                .map(|line| line.server.clone());
            servers.collect::<Vec<_>>().join(", ")
        });
        let account = question.map(|question| question.worded.account.clone());
        Problem::new(
            Code::NotTrusted,
            vec![
                ("server", servers.unwrap_or_default()),
                ("account", account.unwrap_or_default()),
                ("command", format!("kubectl fob trust {}", id.name())),
            ],
        )
    }

    fn problem_of(&self, code: Code, account: &AccountId, candidate: &Candidate) -> Problem {
        let label = self
            .accounts
            .get(account)
            .map(|account| account.label.clone());
        Problem::new(
            code,
            vec![
                ("account", label.unwrap_or_default()),
                ("server", server_text(candidate, Language::En)),
            ],
        )
    }
}

/// How an approval that came by an endpoint is remembered.
fn by(endpoint: Endpoint) -> By {
    match endpoint {
        Endpoint::Control => By::Terminal,
        Endpoint::Consent => By::Window,
        Endpoint::Page => By::Page,
    }
}

fn server_text(candidate: &Candidate, language: Language) -> String {
    candidate.server.url().map_or_else(
        || text(language, "terminal.unknown-server", &[]),
        str::to_owned,
    )
}

/// The question as a terminal shows it.
fn prompt(question: &Question, language: Language) -> String {
    let mut lines = vec![text(
        language,
        "terminal.trust.title",
        &[
            ("account", question.account.clone()),
            ("issuer", question.issuer.clone()),
            ("client", question.client_id.clone()),
        ],
    )];
    for server in &question.servers {
        lines.push(text(
            language,
            "terminal.trust.server",
            &[
                ("server", server.server.clone()),
                ("contexts", server.contexts.join(", ")),
            ],
        ));
        for wary in &server.wary {
            lines.push(text(language, wary.key(), &[]));
        }
    }
    if let Some(file) = &question.file {
        lines.push(text(
            language,
            "terminal.trust.file",
            &[("file", file.clone())],
        ));
    }
    lines.push(text(
        language,
        "terminal.trust.asker",
        &[("asker", question.asker.clone())],
    ));
    lines.push(text(language, "terminal.trust.answers", &[]));
    lines.join("\n")
}
