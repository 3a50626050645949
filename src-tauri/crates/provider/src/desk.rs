//! Where browsers come to: what each request means, and what it is answered. The sign-in waits at
//! the other side for what they bring.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::account::AccountKey;
use broker::problem::{About, Problem};
use broker::texts::Language;
use broker::transaction::SignInRequest;
use broker::trust::{Answer, Question};
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient};
use openidconnect::{CsrfToken, EndpointSet, PkceCodeChallenge, Scope};
use tokio::sync::{Notify, mpsc, watch};
use url::form_urlencoded;

use crate::callback::{self, Foreign};
use crate::os;
use crate::pages::{self, Page, Purpose};
use crate::random::Random;
use crate::tickets::{Attempt, Begun, Redirect, Visit};

/// What stands at every address that is none.
pub(crate) const NOTHING: &str = "There is no such page.";
/// How long the outcome is kept for a browser that is on its way to it.
const LINGER: Duration = Duration::from_secs(2);

/// The desk of one attempt.
pub(crate) struct Desk {
    attempt: Mutex<Attempt>,
    stage: watch::Sender<Stage>,
    arrivals: mpsc::Sender<Arrival>,
    /// Somebody was told an address, and a browser may come for the outcome.
    told: AtomicBool,
    /// A browser has the outcome.
    fetched: Notify,
    turned_away: TurnedAway,
    place: Place,
    language: Language,
    key: AccountKey,
    about: About,
    question: Option<Question>,
}

/// Where the desk is found.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `http://localhost:PORT`, with the host of the redirect URI: cookies know hosts.
    pub(crate) start: String,
    /// The host and port of a redirect URI of flags, which a program in between may have led to ours.
    pub(crate) fixed: Option<String>,
    /// The path of the redirect URI.
    pub(crate) callback: String,
}

impl Place {
    /// Whether `Host` may say this to a port of ours: all else is a rebinding (threat 11).
    pub(crate) fn answers_to(&self, host: &str, port: u16) -> bool {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        let here = match host.rsplit_once(':') {
            Some((name, of)) if names.contains(&name) => of == port.to_string(),
            // A browser leaves out the port that http has anyway.
            Some(_) | None => port == 80 && names.contains(&host),
        };
        here || self.fixed.as_deref() == Some(host)
    }
}

/// How far the attempt is.
#[derive(Clone)]
pub(crate) enum Stage {
    /// A person is to answer the question first.
    Asking(Purpose),
    /// The provider is being looked at.
    Preparing,
    /// Browsers are sent on.
    Open(Arc<Authorization>),
    /// It is over.
    Over(Arc<Page>),
}

/// What a request to the provider is made of (RFC 6749 section 4.1.1).
#[derive(Debug)]
pub(crate) struct Authorization {
    pub(crate) client: AuthorizingClient,
    /// In the order in which they are sent.
    pub(crate) scopes: Vec<Scope>,
    /// RFC 7636, S256.
    pub(crate) pkce: bool,
    /// `prompt=none`.
    pub(crate) silent: bool,
    /// Where people sign in, if that is to be said before they are sent there.
    pub(crate) elsewhere: Option<String>,
}

/// A client that knows where people sign in.
pub(crate) type AuthorizingClient = CoreClient<EndpointSet>;

/// What a browser brought.
pub(crate) enum Arrival {
    /// A person's answer, and which of the other servers it is for too.
    Answer(Answer, Vec<usize>),
    /// The provider's answer to a request of ours.
    Callback(Box<Begun>, callback::Callback),
}

/// A browser's request, as far as we look at it.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) path: String,
    pub(crate) query: String,
    /// The Cookie header.
    pub(crate) cookies: String,
    /// Its end of the connection, and ours.
    pub(crate) ends: (SocketAddr, SocketAddr),
}

/// Whose program sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux tells people apart")
)]
pub(crate) enum Whose {
    Ours,
    /// Another user's of this computer.
    Anothers,
    /// It can't be told, and may be anybody's.
    Unknown,
}

/// How many requests were not this person's. They are told of once an attempt, and counted at its
/// end: whoever sends many fills no log.
#[derive(Default)]
struct TurnedAway {
    anothers: AtomicU64,
    unknown: AtomicU64,
}

/// What a browser is answered.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Set-Cookie.
    pub(crate) cookie: Option<String>,
    pub(crate) content: Content,
    /// Whether it is the outcome.
    pub(crate) last: bool,
}

/// What is in a response.
pub(crate) enum Content {
    Page(Arc<Page>),
    /// 303 to there.
    To(String),
    /// A word or two.
    Word(&'static str),
}

/// Makes addresses of start pages, each with a ticket of its own to the same attempt. Whoever is
/// told an address is told one of his own.
#[derive(Clone)]
pub struct Tickets(pub(crate) Arc<Desk>);

impl Tickets {
    /// A new address, good for one browser.
    #[must_use]
    pub fn mint(&self) -> String {
        self.0.told.store(true, Ordering::SeqCst);
        let ticket = self.0.attempt().mint();
        format!("{}/start/{ticket}", self.0.place.start)
    }
}

impl Desk {
    pub(crate) fn new(
        random: Random,
        place: Place,
        request: &SignInRequest,
    ) -> (Arc<Self>, mpsc::Receiver<Arrival>) {
        let (arrivals, arrived) = mpsc::channel(16);
        let desk = Self {
            attempt: Mutex::new(Attempt::new(random)),
            stage: watch::Sender::new(Stage::Preparing),
            arrivals,
            told: AtomicBool::new(false),
            fetched: Notify::new(),
            turned_away: TurnedAway::default(),
            place,
            language: request.language,
            about: request.about.clone(),
            key: request.key.clone(),
            question: request.question.clone(),
        };
        (Arc::new(desk), arrived)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    /// Ends the attempt with a page, and gives a browser that is on its way time to fetch it.
    pub(crate) async fn close(&self, page: Page) {
        self.enter(Stage::Over(Arc::new(page)));
        if self.told.load(Ordering::SeqCst) {
            let _ = tokio::time::timeout(LINGER, self.fetched.notified()).await;
        }
    }

    /// A browser was given the outcome, to the last byte.
    pub(crate) fn outcome_was_fetched(&self) {
        self.fetched.notify_one();
    }

    /// Whether what was begun with this state still stands.
    pub(crate) fn stands(&self, state: &CsrfToken) -> bool {
        self.attempt().stands(state)
    }

    /// A word for a page's policy.
    pub(crate) fn nonce(&self) -> String {
        self.attempt().word()
    }

    /// `/start/TICKET`
    pub(crate) async fn start(&self, ticket: &str, visitor: &Visitor) -> Response {
        let cookie = self.cookie(visitor);
        if self.attempt().has(ticket) {
            // It read the address on a command line. It voids nothing, and learns nothing.
            match self.whose(visitor).await {
                Whose::Ours => {}
                Whose::Anothers => return Response::word(404, NOTHING),
                Whose::Unknown => return self.unknown(),
            }
        }
        let visit = self.attempt().visit(ticket, cookie.as_deref());
        let (begun, cookie) = match visit {
            Visit::Welcome { begun, cookie } => (begun, cookie),
            Visit::Used => return self.problem(403, &Problem::TicketUsed),
            Visit::Unknown => return Response::word(404, NOTHING),
        };
        let response = self.onward(&begun).await;
        let cookie = cookie.map(|value| {
            format!(
                "{}={value}; Path=/; HttpOnly; SameSite=Lax",
                self.attempt().cookie_name()
            )
        });
        Response { cookie, ..response }
    }

    /// `/answer`: the question's form.
    pub(crate) async fn answer(&self, form: &str, visitor: &Visitor) -> Response {
        let cookie = self.cookie(visitor);
        let (mut token, mut answer, mut others) = (None, None, Vec::new());
        for (name, value) in form_urlencoded::parse(form.as_bytes()) {
            match name.as_ref() {
                "token" => token = Some(value.into_owned()),
                "answer" => answer = Some(value.into_owned()),
                "other" => others.extend(value.parse::<usize>().ok()),
                _ => {}
            }
        }
        let answer = match answer.as_deref() {
            Some("once") => Answer::Once,
            Some("container") => Answer::Container,
            Some("always") => Answer::Always,
            Some("no") => Answer::No,
            Some(_) | None => return Response::word(400, "There is no answer in it."),
        };
        let ticket = token.and_then(|token| {
            self.attempt()
                .form(&token, cookie.as_deref())
                .map(str::to_owned)
        });
        // A cookie is sent to every port of this computer, to another user's too.
        let Some(ticket) = ticket else {
            return self.foreign(Foreign::Cookie);
        };
        match self.whose(visitor).await {
            Whose::Ours => {}
            Whose::Anothers => return self.foreign(Foreign::Cookie),
            Whose::Unknown => return self.unknown(),
        }
        let known = self
            .question
            .as_ref()
            .map_or(0, |question| question.others.len());
        others.retain(|index| *index < known);
        if matches!(*self.stage.borrow(), Stage::Asking(_)) {
            let _ = self.arrivals.send(Arrival::Answer(answer, others)).await;
            self.settled(|stage| !matches!(stage, Stage::Asking(_)))
                .await;
        }
        Response::to(format!("/start/{ticket}"))
    }

    /// The redirect URI.
    pub(crate) async fn callback(&self, visitor: &Visitor) -> Response {
        let callback = match callback::read(&visitor.query) {
            Ok(callback) => callback,
            Err(foreign) => return self.foreign(foreign),
        };
        let cookie = self.cookie(visitor);
        let known = cookie
            .as_deref()
            .is_some_and(|cookie| self.attempt().knows(cookie));
        if known {
            match self.whose(visitor).await {
                Whose::Ours => {}
                Whose::Anothers => return self.foreign(Foreign::Cookie),
                Whose::Unknown => return self.unknown(),
            }
        }
        let redirect = self.attempt().redirect(&callback.state, cookie.as_deref());
        match redirect {
            Redirect::First(begun) => {
                let state = begun.state.clone();
                let _ = self.arrivals.send(Arrival::Callback(begun, callback)).await;
                self.outcome_of(&state).await
            }
            Redirect::Again => self.outcome_of(&callback.state).await,
            Redirect::Void => self.problem(403, &Problem::TicketUsed),
            Redirect::Foreign(foreign) => self.foreign(foreign),
        }
    }

    /// `/outcome`
    pub(crate) async fn outcome(&self, visitor: &Visitor) -> Response {
        let known = self
            .cookie(visitor)
            .is_some_and(|cookie| self.attempt().knows(&cookie));
        let Some(page) = self.over().filter(|_| known) else {
            return Response::word(404, NOTHING);
        };
        match self.whose(visitor).await {
            Whose::Ours => Response {
                status: 200,
                cookie: None,
                content: Content::Page(page),
                last: true,
            },
            Whose::Anothers => Response::word(404, NOTHING),
            Whose::Unknown => self.unknown(),
        }
    }

    /// The next page for a browser that is welcome.
    async fn onward(&self, begun: &Begun) -> Response {
        let stage = self
            .settled(|stage| !matches!(stage, Stage::Preparing))
            .await;
        if let Stage::Open(authorization) = &stage
            && let Some(place) = &authorization.elsewhere
        {
            let (host, address) = (self.key.host(), authorization.address(begun));
            return Response::page(200, pages::elsewhere(self.language, &host, place, &address));
        }
        match (stage, &self.question) {
            (Stage::Asking(purpose), Some(question)) => Response::page(
                200,
                pages::question(self.language, question, purpose, &self.key, &begun.form),
            ),
            (Stage::Open(authorization), None) => Response::to(authorization.address(begun)),
            (Stage::Open(authorization), Some(_)) => Response::page(
                200,
                pages::onward(
                    self.language,
                    &self.key.host(),
                    &authorization.address(begun),
                ),
            ),
            (Stage::Over(_), _) => Response::to("/outcome".into()),
            (Stage::Asking(_) | Stage::Preparing, _) => {
                Response::word(503, "The sign-in is not ready yet.")
            }
        }
    }

    /// Holds a browser until the outcome is known, so that it shows the true one.
    async fn outcome_of(&self, state: &CsrfToken) -> Response {
        let mut stage = self.stage.subscribe();
        loop {
            if matches!(*stage.borrow_and_update(), Stage::Over(_)) {
                return Response::to("/outcome".into());
            }
            if !self.stands(state) {
                return self.problem(403, &Problem::TicketUsed);
            }
            if stage.changed().await.is_err() {
                return Response::word(503, "The sign-in is over.");
            }
        }
    }

    async fn settled(&self, settled: impl FnMut(&Stage) -> bool) -> Stage {
        let mut stage = self.stage.subscribe();
        let settled = stage.wait_for(settled).await;
        settled.map_or(Stage::Preparing, |stage| stage.clone())
    }

    fn over(&self) -> Option<Arc<Page>> {
        match &*self.stage.borrow() {
            Stage::Over(page) => Some(Arc::clone(page)),
            Stage::Asking(_) | Stage::Preparing | Stage::Open(_) => None,
        }
    }

    /// Whose program sent it.
    async fn whose(&self, visitor: &Visitor) -> Whose {
        let (peer, local) = visitor.ends;
        let whose = tokio::task::spawn_blocking(move || os::whose(peer, local)).await;
        let whose = whose.unwrap_or(Whose::Unknown);
        self.turned_away.count(whose, &visitor.path);
        whose
    }

    fn unknown(&self) -> Response {
        self.problem(403, &Problem::VisitorUnknown)
    }

    fn foreign(&self, foreign: Foreign) -> Response {
        self.problem(400, &foreign_callback(foreign))
    }

    /// Something is wrong with one request; the attempt goes on.
    fn problem(&self, status: u16, problem: &Problem) -> Response {
        let refusal = problem.clone().of(self.about.clone());
        Response::page(status, pages::failed(self.language, &refusal, false))
    }

    fn cookie(&self, visitor: &Visitor) -> Option<String> {
        let attempt = self.attempt();
        visitor.cookies.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == attempt.cookie_name()).then(|| value.to_owned())
        })
    }

    fn attempt(&self) -> MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TurnedAway {
    fn count(&self, whose: Whose, path: &str) {
        let (count, told) = match whose {
            Whose::Ours => return,
            Whose::Anothers => (
                &self.anothers,
                "another user's program came to this sign-in, and was turned away",
            ),
            Whose::Unknown => (
                &self.unknown,
                "a program came to this sign-in of which it can't be told whose it is, and was turned away",
            ),
        };
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(path, "{told}");
        }
    }
}

impl Drop for TurnedAway {
    fn drop(&mut self) {
        let (anothers, unknown) = (*self.anothers.get_mut(), *self.unknown.get_mut());
        if anothers.max(unknown) > 1 {
            tracing::warn!(anothers, unknown, "requests turned away from one sign-in");
        }
    }
}

impl Authorization {
    /// The address of the request that this browser makes.
    fn address(&self, begun: &Begun) -> String {
        let (state, nonce) = (begun.state.clone(), begun.nonce.clone());
        let mut request = self
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || state,
                || nonce,
            )
            .add_scopes(self.scopes.iter().cloned())
            // Google's way to ask for a refresh token; others ignore it. kubelogin sends it.
            .add_extra_param("access_type", "offline");
        if self.pkce {
            let challenge = PkceCodeChallenge::from_code_verifier_sha256(&begun.verifier());
            request = request.set_pkce_challenge(challenge);
        }
        if self.silent {
            request = request.add_prompt(CoreAuthPrompt::None);
        }
        let (address, _, _) = request.url();
        address.into()
    }
}

impl Response {
    pub(crate) fn word(status: u16, word: &'static str) -> Self {
        Self {
            status,
            cookie: None,
            content: Content::Word(word),
            last: false,
        }
    }

    fn page(status: u16, page: Page) -> Self {
        Self {
            status,
            cookie: None,
            content: Content::Page(Arc::new(page)),
            last: false,
        }
    }

    fn to(address: String) -> Self {
        Self {
            status: 303,
            cookie: None,
            content: Content::To(address),
            last: false,
        }
    }
}

/// The problem that a redirect is not ours.
pub(crate) fn foreign_callback(foreign: Foreign) -> Problem {
    Problem::ForeignCallback {
        reason: foreign.reason().to_owned(),
    }
}
