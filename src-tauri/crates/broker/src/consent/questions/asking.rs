//! Where a question is asked: on a page, in the window, on a terminal, or nowhere.

use super::wording::closed;
use super::{Asking, MOST, Stage, Waiting, longest};
use crate::account::AccountId;
use crate::accounts::session::{Doing, Session};
use crate::accounts::waiters::{CallerId, Person};
use crate::asker::{Asker, Desktop, Endpoint, Venue, may_approve, venue};
use crate::callers::outcome::{Meanwhile, Outcome, Prompt};
use crate::callers::wish::Credential;
use crate::clock::Now;
use crate::consent::trust::{By, Standing};
use crate::consent::{Consent, Facts, Step, pair_of, refuse};
use crate::manner::Manner;
use crate::pair::Candidate;
use crate::problem::Problem;
use crate::question::{Answer, Longest, QuestionId};
use crate::short::name;

/// How many servers a person is asked about at once: more are not read before they are allowed.
const SERVERS: usize = 20;

impl Consent {
    /// Asks about the servers of a caller's request that nobody was asked about yet, where the
    /// caller is.
    pub(in crate::consent) fn question(&mut self, caller: CallerId, facts: Facts<'_>) -> Vec<Step> {
        let Some((asker, credential)) = facts.callers.credential(caller) else {
            return Vec::new();
        };
        let (account, asked) = (&credential.account, credential.manner());
        let needed = &credential.servers.needed;
        let new = self.untrusted(account, needed, asked, asker.whose(), facts.now);
        if new.len() > SERVERS {
            let label = facts.accounts.label(account).unwrap_or_default();
            let problem = Problem::TooManyServers {
                account: name(label),
                count: new.len(),
            };
            return vec![refuse(caller, problem)];
        }
        let manner = manner_asked_for(account, asked, facts);
        let now = facts.now.moment;
        if self
            .questions
            .was_closed(asker.process, account, &new, &manner, now)
        {
            let first = new.first();
            let problem = first.map(|one| closed(account, one, facts.accounts));
            return problem
                .into_iter()
                .map(|problem| refuse(caller, problem))
                .collect();
        }
        let longest = longest(&new, asker);
        let container = asker.container.filter(|_| longest == Longest::Container);
        let mut steps = Vec::new();
        let id = match self.questions.same(account, &new, container, &manner) {
            Some(id) => id,
            None => {
                let waiting = self.new_question(asker, credential, new, manner, facts);
                match self.make_room(asker.foreground, facts) {
                    Some(made) => steps.extend(made),
                    None => return vec![refuse(caller, Problem::Busy)],
                }
                self.questions.last += 1;
                let id = QuestionId(self.questions.last);
                self.questions.waiting.insert(id, waiting);
                id
            }
        };
        match venue(asker, facts.desktop) {
            Venue::Nobody if longest == Longest::Once => {
                steps.push(refuse(caller, self.not_trusted(id)));
                // Nobody could allow it afterwards: it would be for a command that has ended.
                let questions = &mut self.questions.waiting;
                let unasked = |one: &Waiting| one.askers.is_empty() && one.answering.is_empty();
                if questions.get(&id).is_some_and(unasked) {
                    questions.remove(&id);
                }
                return steps;
            }
            Venue::Nobody => {
                steps.push(self.refused_for_now(id, caller, facts.now));
                return steps;
            }
            Venue::Terminal => {
                self.join(id, caller);
                steps.extend(self.ask_on_terminal(id, caller, facts));
            }
            Venue::Desktop => {
                self.join(id, caller);
                steps.extend(self.ask_on_page(id, caller, facts));
                steps.push(Step::SayWhere(id, caller));
            }
        }
        // It goes with whoever asks, be it that only their plugin lives on.
        steps.push(Step::WatchAsker(caller));
        steps
    }

    fn new_question(
        &self,
        asker: &Asker,
        credential: &Credential,
        new: Vec<Candidate>,
        manner: Manner,
        facts: Facts<'_>,
    ) -> Waiting {
        let (account, servers) = (&credential.account, &credential.servers);
        // None of those that it may have already, however it would sign in.
        let others = self.untrusted(account, &servers.others, None, asker.whose(), facts.now);
        let is_offered = |other: &Candidate| {
            let pair = pair_of(account, other);
            let standing = self.trust.standing(&pair, asker.whose(), facts.now.moment);
            standing == Standing::New && new.iter().all(|one| one.server != other.server)
        };
        let mut others: Vec<_> = others.into_iter().filter(is_offered).collect();
        let more = others.len().saturating_sub(SERVERS);
        others.truncate(SERVERS);
        let mut worded = self.word_question(asker, credential, &new, &others, &manner, facts);
        worded.more = more;
        let mut waiting = Waiting {
            account: account.clone(),
            container: asker
                .container
                .filter(|_| worded.longest == Longest::Container),
            needed: new,
            others,
            worded,
            name: String::new(),
            shown: Asking::of(asker),
            askers: Vec::new(),
            answering: Vec::new(),
            stays: None,
            stage: Stage::Open,
            manner,
            flags: credential.flags.clone(),
        };
        waiting.name = waiting.named();
        waiting
    }

    /// Makes room for one more. What nobody waits for goes first, then, for somebody who sits at a terminal, the oldest
    /// that is asked for nobody who does: a program that asks for a thousand servers keeps no person from being asked.
    /// None: there is no room.
    fn make_room(&mut self, in_front: bool, facts: Facts<'_>) -> Option<Vec<Step>> {
        let busy = |caller| refuse(caller, Problem::Busy);
        if self.questions.waiting.len() < MOST {
            return Some(Vec::new());
        }
        let mut all = self.questions.waiting.iter();
        if let Some((id, _)) = all.find(|(_, question)| question.askers.is_empty()) {
            let id = *id;
            let over = self.questions.waiting.remove(&id);
            let answering = over.map(|over| over.answering).unwrap_or_default();
            return Some(answering.into_iter().map(busy).collect());
        }
        if !in_front {
            return None;
        }
        let at_a_terminal = |caller: &CallerId| {
            let known = facts.callers.asker(*caller);
            known.is_some_and(|asker| asker.foreground)
        };
        let mut all = self.questions.waiting.iter();
        let (id, _) = all.find(|(_, question)| !question.askers.iter().any(at_a_terminal))?;
        let id = *id;
        let over = self.questions.waiting.remove(&id)?;
        let callers = over.askers.into_iter().chain(over.answering);
        let sent_away = |caller| [Step::Leave(over.account.clone(), caller), busy(caller)];
        Some(callers.flat_map(sent_away).collect())
    }

    fn join(&mut self, id: QuestionId, caller: CallerId) {
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && !question.askers.contains(&caller)
        {
            question.askers.push(caller);
        }
    }

    /// Nobody could answer: a caller is refused, and the question can be taken up afterwards.
    pub(super) fn refused_for_now(&mut self, id: QuestionId, caller: CallerId, now: Now) -> Step {
        let problem = self.not_trusted(id);
        self.stays(id, now.moment);
        refuse(caller, problem)
    }

    fn ask_on_page(&mut self, id: QuestionId, caller: CallerId, facts: Facts<'_>) -> Vec<Step> {
        let Some(question) = self.questions.waiting.get(&id) else {
            return Vec::new();
        };
        let account = facts.accounts.get(&question.account);
        let last = account.and_then(|account| account.last_asking);
        let person = facts.callers.person(caller, last, facts.desktop);
        let mut steps = Vec::new();
        // Noted even where the answer decides nothing: the next ask of this process is no new one.
        if person == Person::Asking {
            let process = facts.callers.asker(caller).and_then(|asker| asker.process);
            steps.push(Step::CommandedBy(question.account.clone(), process));
        }
        if question.stage == Stage::Silent && person != Person::Asking {
            steps.push(self.refused_for_now(id, caller, facts.now));
            return steps;
        }
        let nobody_else_waits = question.askers == [caller] && question.answering.is_empty();
        let session = account.map(|account| &account.session);
        let under_way = session.and_then(Session::attempt);
        let left = session.is_some_and(Session::is_left) && person == Person::Asking;
        let stage = match question.stage {
            // Whoever was asked there has gone, and may have closed it.
            Stage::Page if nobody_else_waits && person == Person::Asking => {
                steps.push(Step::ShowPage(id));
                return steps;
            }
            Stage::WithNextSignIn | Stage::Page | Stage::Window(_) | Stage::Terminal(_) => {
                return steps;
            }
            // A new sign-in takes the place of one that everybody left, and the question with it.
            Stage::WithSignIn(attempt) if under_way == Some(attempt) && left => {
                Stage::WithNextSignIn
            }
            // Whoever joins the sign-in is told of its page too.
            Stage::WithSignIn(attempt) if under_way == Some(attempt) => Stage::WithSignIn(attempt),
            Stage::WithSignIn(_) | Stage::Open | Stage::Silent => Stage::Open,
        };
        let rides = account.is_some_and(|account| {
            needs_sign_in(&account.session, facts.now)
                && (account.unapproved || Manner::of(&account.settings).covers(&question.manner))
        });
        let with_sign_in = matches!(stage, Stage::WithSignIn(_) | Stage::WithNextSignIn);
        let stage = if rides && stage == Stage::Open {
            Stage::WithNextSignIn
        } else {
            stage
        };
        if let Some(question) = self.questions.waiting.get_mut(&id) {
            question.stage = stage;
        }
        if rides || with_sign_in {
            steps.push(Step::Join(caller, person));
            steps.push(Step::Joined(id));
        } else {
            steps.extend(self.ask_in_window(id, facts));
        }
        steps
    }

    /// Whoever stood at a question has joined the session on whose page it was to stand. Where that would not open a page,
    /// nobody is asked, and the caller knows why.
    pub(crate) fn joined(&mut self, id: QuestionId, now: Now) {
        if let Some(question) = self.questions.waiting.get_mut(&id)
            && question.stage == Stage::WithNextSignIn
        {
            question.stage = Stage::Open;
            self.stays(id, now.moment);
        }
    }

    /// Asks where our own window can be shown. Where it can't, [`Consent::no_window`] hears of it.
    fn ask_in_window(&mut self, id: QuestionId, facts: Facts<'_>) -> Option<Step> {
        let question = self.questions.waiting.get_mut(&id)?;
        let account = facts.accounts.get(&question.account)?;
        // As long as a page would wait.
        let patience = account.settings.authentication_timeout;
        question.stage = Stage::Window(facts.now.moment.after(patience));
        Some(Step::ShowWindow)
    }

    /// Says on a caller's terminal where the question is that it waits for: it may have come up elsewhere on the screen.
    pub(crate) fn say_where(
        &self,
        id: QuestionId,
        caller: CallerId,
        facts: Facts<'_>,
    ) -> Option<Step> {
        let question = self.questions.waiting.get(&id)?;
        let meanwhile = match question.stage {
            Stage::Window(_) => Meanwhile::AskedInWindow,
            Stage::Page | Stage::WithNextSignIn | Stage::WithSignIn(_) => Meanwhile::AskedOnPage,
            Stage::Open | Stage::Silent | Stage::Terminal(_) => return None,
        };
        let known = facts.callers.asker(caller)?;
        let waits = question.askers.contains(&caller) || question.answering.contains(&caller);
        (known.terminal && waits).then_some(Step::Say(caller, meanwhile))
    }

    /// There is no window, or no more: what it asks is asked on a page.
    pub(crate) fn no_window(&self, facts: Facts<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        for id in self.questions.in_window(|_| true) {
            if facts.desktop != Desktop::Unlocked {
                steps.push(Step::AskAnew(id));
                continue;
            }
            steps.push(Step::ShowPage(id));
            let waiting = self.questions.waiting.get(&id);
            let callers = waiting.into_iter().flat_map(|question| {
                let callers = question.askers.iter().chain(&question.answering);
                callers.map(|caller| Step::SayWhere(id, *caller))
            });
            steps.extend(callers);
        }
        steps
    }

    /// A question stands on a page of its own from now on, in the place of one that stands already.
    pub(crate) fn shown_on_page(&mut self, id: QuestionId) {
        if let Some(question) = self.questions.waiting.get_mut(&id) {
            question.stage = Stage::Page;
        }
    }

    fn ask_on_terminal(&mut self, id: QuestionId, caller: CallerId, facts: Facts<'_>) -> Vec<Step> {
        let Some(asker) = facts.callers.asker(caller) else {
            return Vec::new();
        };
        if !may_approve(Endpoint::Control, asker, facts.desktop) {
            return vec![self.refused_for_now(id, caller, facts.now)];
        }
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return Vec::new();
        };
        if matches!(question.stage, Stage::Terminal(_)) {
            // Who wants a token waits along.
            return if question.answering.contains(&caller) {
                vec![refuse(caller, Problem::AskedElsewhere)]
            } else {
                Vec::new()
            };
        }
        question.stage = Stage::Terminal(caller);
        let waits = !question.askers.is_empty();
        let asked = Box::new(question.worded.clone());
        vec![Step::Prompt(caller, Prompt::Question(asked, waits))]
    }

    /// Takes a waiting question up: answers it where this endpoint may, or asks where this person may be asked.
    pub(crate) fn take_up(
        &mut self,
        caller: CallerId,
        named: Option<&str>,
        endpoint: Endpoint,
        answer: Option<(Answer, Vec<usize>)>,
        facts: Facts<'_>,
    ) -> Vec<Step> {
        let Some(asker) = facts.callers.asker(caller) else {
            return Vec::new();
        };
        let yes = answer.as_ref().is_some_and(|(answer, _)| answer.is_yes());
        let id = match self.questions.named(named, yes) {
            Ok(id) => id,
            // Which one is meant is for whoever asks to say: none of them is answered.
            Err(problem @ Problem::WhichQuestion { .. }) => {
                return vec![Step::Answer(caller, Outcome::WhichQuestion(problem))];
            }
            Err(problem) => return vec![refuse(caller, problem)],
        };
        let Some(question) = self.questions.waiting.get_mut(&id) else {
            return Vec::new();
        };
        let (longest, waits) = (question.worded.longest, !question.askers.is_empty());
        // A no gives nobody anything: it counts from wherever it comes.
        let may = may_approve(endpoint, asker, facts.desktop)
            || answer.as_ref().is_some_and(|(answer, _)| !answer.is_yes());
        if let Some((answer, _)) = &answer
            && may
        {
            if !longest.takes(*answer) {
                return vec![refuse(caller, Problem::NotForGood)];
            }
            if *answer == Answer::Once && !waits {
                return vec![refuse(caller, Problem::AskerEnded)];
            }
        }
        question.answering.push(caller);
        if may {
            match (answer, super::answer::by(endpoint)) {
                (Some((answer, others)), by) => {
                    self.decide_for(caller, id, answer, &others, by, facts)
                }
                (None, By::Terminal) => self.ask_on_terminal(id, caller, facts),
                (None, By::FirstStart | By::Page | By::Window) => {
                    self.take_to_window(id, caller, facts).into_iter().collect()
                }
            }
        } else if venue(asker, facts.desktop) == Venue::Desktop {
            let taken = self.take_to_window(id, caller, facts);
            taken
                .into_iter()
                .chain([Step::SayWhere(id, caller)])
                .collect()
        } else {
            vec![refuse(caller, self.not_trusted(id))]
        }
    }

    fn take_to_window(
        &mut self,
        id: QuestionId,
        caller: CallerId,
        facts: Facts<'_>,
    ) -> Option<Step> {
        let question = self.questions.waiting.get(&id);
        match question.map(|question| question.stage) {
            Some(Stage::Open | Stage::Silent) => self.ask_in_window(id, facts),
            // It is there already, and may be behind other windows.
            Some(Stage::Window(_)) => Some(Step::ShowWindow),
            Some(
                Stage::WithNextSignIn | Stage::WithSignIn(_) | Stage::Page | Stage::Terminal(_),
            )
            | None => Some(refuse(caller, Problem::AskedElsewhere)),
        }
    }
}

/// How an ask would have the person sign in: as its flags say, or as the account does.
fn manner_asked_for(id: &AccountId, asked: Option<&Manner>, facts: Facts<'_>) -> Manner {
    let own = || {
        let account = facts.accounts.get(id);
        account.map(|account| Manner::of(&account.settings))
    };
    asked.cloned().or_else(own).unwrap_or_default()
}

/// Whether a session can only go on after somebody signed in, and nobody is at it yet.
fn needs_sign_in(session: &Session, now: Now) -> bool {
    session.good(now).is_none()
        && !session.refreshable()
        && match session.doing() {
            Doing::Idle | Doing::BackingOff { .. } | Doing::Declined { .. } => true,
            Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::SigningOut(_) => false,
        }
}
