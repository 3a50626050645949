//! Signing in: authorization code with PKCE, a loopback redirect, and a page that tells the truth
//! (RFC 6749 section 4.1, RFC 7636, RFC 8252, OIDC Core section 3.1).

mod way;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use broker::problem::{Code, Problem};
use broker::tokens::Tokens;
use broker::transaction::{SignInOutcome, SignInRequest, Taken};
use broker::trust::Answer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use crate::Clock;
use crate::callback::Callback;
use crate::desk::{Arrival, Desk, Place, Stage, Tickets};
use crate::discovery::Metadata;
use crate::http::Trusted;
use crate::listener::{self, Ports};
use crate::origins;
use crate::pages::{self, Purpose};
use crate::random::Random;
use crate::tickets::Begun;
use way::Way;

/// However long flags say.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// A sign-in whose ports are taken and whose addresses can be told. Dropping it, or the future of
/// [`Self::finish`], closes them.
pub struct Listening {
    request: SignInRequest,
    trusted: Trusted,
    clock: Arc<Clock>,
    /// Where start pages are.
    ports: Ports,
    redirect_uri: String,
    other_port: bool,
    desk: Arc<Desk>,
    arrivals: mpsc::Receiver<Arrival>,
    metadata: Option<Metadata>,
}

/// Takes the ports. Nothing is said to the provider, and no browser is answered yet.
///
/// A question is asked at any port. Those that providers know are few, and taken when it was answered: who asks, and
/// lets nobody answer, keeps nobody else from signing in.
///
/// # Errors
///
/// Every port is taken, or an address is not this computer's alone.
pub async fn listen(
    request: SignInRequest,
    trusted: Trusted,
    clock: Arc<Clock>,
) -> Result<Listening, Problem> {
    let redirect = request
        .settings
        .redirect_url
        .as_deref()
        .map(loopback)
        .transpose()?;
    let known = listener::bind(&request.settings.listen).await?;
    let (redirect_uri, other_port) = (redirect_uri(&request, &known), known.index > 0);
    let ports = if request.question.is_some() {
        // They were free by now: nobody is asked for what can only fail.
        drop(known);
        listener::bind_any().await?
    } else {
        known
    };
    let place = place(redirect.as_ref(), ports.port);
    let (desk, arrivals) = Desk::new(Random::from_system()?, place, &request);
    Ok(Listening {
        request,
        trusted,
        clock,
        ports,
        redirect_uri,
        other_port,
        desk,
        arrivals,
        metadata: None,
    })
}

/// How a sign-in ends that ended with this problem before anybody was shown a page.
#[must_use]
pub fn outcome(problem: Problem) -> SignInOutcome {
    const DECLINED: &[Code] = &[
        Code::SignInRefused,
        Code::SignInTimedOut,
        Code::SignInCancelled,
        Code::SignInBrokeOff,
        Code::OtherPerson,
        Code::TrustRefused,
        Code::QuestionOver,
        Code::AskerEnded,
    ];
    if DECLINED.contains(&problem.code()) {
        SignInOutcome::Declined(problem)
    } else if crate::is_passing(problem.code()) {
        SignInOutcome::Unreachable(problem)
    } else {
        SignInOutcome::Blocked(problem)
    }
}

/// How a sign-in ends that got as far as a page. The page said that the provider was not reached,
/// and the next one is for a person to open.
fn after_a_page(problem: Problem) -> SignInOutcome {
    match outcome(problem) {
        // A certificate's flaw does not pass by itself, and its words say what to do.
        SignInOutcome::Unreachable(
            fault @ (Problem::TlsFailed { .. } | Problem::TlsFailedOwnCa { .. }),
        ) => SignInOutcome::Declined(fault),
        SignInOutcome::Unreachable(
            Problem::Unreachable { host, reason }
            | Problem::ProviderFault {
                host,
                answer: reason,
            },
        ) => SignInOutcome::Declined(Problem::SignInBrokeOff { host, reason }),
        SignInOutcome::Unreachable(fault) => SignInOutcome::Declined(fault),
        ended @ (SignInOutcome::SignedIn(_)
        | SignInOutcome::Declined(_)
        | SignInOutcome::Blocked(_)) => ended,
    }
}

impl Listening {
    /// Makes the addresses that people and browsers are told.
    #[must_use]
    pub fn tickets(&self) -> Tickets {
        Tickets(Arc::clone(&self.desk))
    }

    /// What must be registered at the provider: where a question comes first, as the ports were when it was asked.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Whether the first listen address was taken by another program.
    #[must_use]
    pub fn other_port(&self) -> bool {
        self.other_port
    }

    /// The port of the start pages. Where a question comes first it is another than the redirect's.
    #[must_use]
    pub fn start_port(&self) -> u16 {
        self.ports.port
    }

    /// Looks whether the provider is there, before anybody is shown a page that can only fail.
    /// Does nothing where a question comes first: until it is answered nothing goes out.
    ///
    /// # Errors
    ///
    /// The provider is not there, or is none; [`outcome`] says what that makes of the sign-in.
    pub async fn reach(&mut self) -> Result<(), Problem> {
        if self.request.question.is_none() {
            self.metadata = Some(self.way().discovered(None).await?.1);
        }
        Ok(())
    }

    /// Runs to the end, or until nobody has come in time (`authentication_timeout`).
    ///
    /// `answered` is called when a person answered the page's question, with the places of the
    /// ticked `others`, and says what came of it; browsers go on when it has resolved. `seal` must have the checked tokens
    /// at rest before the page says so, and hears at which origin the person signed in; if it can't, the page says that, and the tokens are good
    /// all the same.
    pub async fn finish<A, AF, S, SF>(self, answered: A, seal: S) -> SignInOutcome
    where
        A: FnOnce(Answer, Vec<usize>) -> AF,
        AF: Future<Output = Taken>,
        S: FnOnce(Tokens, String) -> SF,
        SF: Future<Output = Result<(), Problem>>,
    {
        let Self {
            request,
            trusted,
            clock,
            ports,
            mut redirect_uri,
            other_port: _,
            desk,
            mut arrivals,
            metadata,
        } = self;
        let mut serving = JoinSet::new();
        listener::serve(ports, &desk, &mut serving);
        let way = Way {
            request: &request,
            trusted: &trusted,
            clock: &*clock,
        };
        // People have so long; what goes on by itself has limits of its own.
        let deadline = Instant::now() + request.settings.authentication_timeout.min(LONGEST_WAIT);
        let steps = async {
            let mut until_end = None;
            if request.question.is_some() {
                let asked = ask(&desk, &mut arrivals, Purpose::SignIn);
                let (answer, others) = in_time(deadline, &redirect_uri, asked).await?;
                let taken = answered(answer, others).await;
                until_end = allowed(&request, answer, taken)?;
                let known = listener::bind(&request.settings.listen).await?;
                redirect_uri = self::redirect_uri(&request, &known);
                listener::serve(known, &desk, &mut serving);
            }
            desk.enter(Stage::Preparing);
            let (http, metadata) = way.discovered(metadata).await?;
            let authorization = Arc::new(way.authorization(&metadata, &redirect_uri)?);
            loop {
                desk.enter(Stage::Open(Arc::clone(&authorization)));
                let arrival = arrived(&mut arrivals);
                let (begun, callback) = in_time(deadline, &redirect_uri, arrival).await?;
                let tokens = way
                    .exchange(&http, &metadata, &authorization, &begun, callback)
                    .await;
                // Another browser came with the same ticket meanwhile: whose was it?
                if !desk.stands(&begun.state) {
                    way.drop_tokens(tokens, &http, &metadata).await;
                    continue;
                }
                let tokens = way.same_person(tokens?, &http, &metadata).await?;
                let kept = seal(tokens.clone(), origins::sign_in(&metadata)).await;
                return Ok((tokens, kept.err().or(until_end)));
            }
        };
        let ended = steps.await;
        desk.close(way.page(&ended)).await;
        ended.map_or_else(after_a_page, |(tokens, _)| SignInOutcome::SignedIn(tokens))
    }

    /// Asks the question alone, for a new pair on a session that lives. None: nobody answered.
    pub async fn ask<A, AF>(self, answered: A) -> Option<Answer>
    where
        A: FnOnce(Answer, Vec<usize>) -> AF,
        AF: Future<Output = Taken>,
    {
        let Self {
            request,
            ports,
            desk,
            mut arrivals,
            ..
        } = self;
        let asker = request.question.as_ref()?.asker.clone();
        let mut serving = JoinSet::new();
        listener::serve(ports, &desk, &mut serving);
        let asked = ask(&desk, &mut arrivals, Purpose::Pair);
        let limit = request.settings.authentication_timeout;
        let (answer, others) = tokio::time::timeout(limit, asked).await.ok()?.ok()?;
        let taken = answered(answer, others).await;
        desk.close(match (counted(taken), answer) {
            (Ok(remark), Answer::Once | Answer::Container | Answer::Always) => {
                pages::allowed(request.language, &asker, remark.as_ref())
            }
            (Ok(_), Answer::No) => pages::not_allowed(request.language, &asker),
            (Err(problem), _) => pages::failed(request.language, &problem.of(request.about), false),
        })
        .await;
        Some(answer)
    }

    fn way(&self) -> Way<'_> {
        Way {
            request: &self.request,
            trusted: &self.trusted,
            clock: &*self.clock,
        }
    }
}

/// Waits for people, but not for ever.
async fn in_time<T>(
    deadline: Instant,
    redirect_uri: &str,
    wait: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let waited = tokio::time::timeout_at(deadline, wait).await;
    waited.unwrap_or_else(|_| {
        Err(Problem::SignInTimedOut {
            redirect: redirect_uri.to_owned(),
        })
    })
}

/// Waits for a person's answer.
async fn ask(
    desk: &Desk,
    arrivals: &mut mpsc::Receiver<Arrival>,
    purpose: Purpose,
) -> Result<(Answer, Vec<usize>), Problem> {
    desk.enter(Stage::Asking(purpose));
    while let Some(arrival) = arrivals.recv().await {
        match arrival {
            Arrival::Answer(answer, others) => return Ok((answer, others)),
            // Nothing was asked of the provider yet.
            Arrival::Callback(..) => {}
        }
    }
    Err(Problem::SignInCancelled)
}

/// Whether an answer counts, and why it does not for good, or what came in between.
fn counted(taken: Taken) -> Result<Option<Problem>, Problem> {
    match taken {
        Taken::Counted => Ok(None),
        Taken::UntilEnd(why) => Ok(Some(why)),
        Taken::Settled => Err(Problem::QuestionOver),
        Taken::AskerEnded => Err(Problem::AskerEnded),
    }
}

/// Whether the sign-in goes on, and why the answer does not count for good. One that was answered elsewhere does, unless this person does not want it.
fn allowed(
    request: &SignInRequest,
    answer: Answer,
    taken: Taken,
) -> Result<Option<Problem>, Problem> {
    match (answer, taken) {
        (Answer::Once | Answer::Container | Answer::Always, Taken::Settled) => Ok(None),
        (Answer::No, taken @ Taken::Settled) | (_, taken @ Taken::AskerEnded) => counted(taken),
        (
            Answer::Once | Answer::Container | Answer::Always,
            taken @ (Taken::Counted | Taken::UntilEnd(_)),
        ) => counted(taken),
        (Answer::No, Taken::Counted | Taken::UntilEnd(_)) => {
            let question = request.question.as_ref();
            let account = question.map(|question| question.account.clone());
            let server = question.and_then(|question| question.servers.first());
            let server = server.map(|server| server.server.clone());
            Err(Problem::TrustRefused {
                account: account.unwrap_or_else(|| request.key.host()),
                server: server.unwrap_or_default(),
            })
        }
    }
}

/// Waits for the provider's answer to something that was begun here.
async fn arrived(
    arrivals: &mut mpsc::Receiver<Arrival>,
) -> Result<(Box<Begun>, Callback), Problem> {
    while let Some(arrival) = arrivals.recv().await {
        match arrival {
            Arrival::Callback(begun, callback) => return Ok((begun, callback)),
            // A second press of the button.
            Arrival::Answer(..) => {}
        }
    }
    Err(Problem::SignInCancelled)
}

/// A redirect URI of flags: on this computer, and without TLS, for which we have no certificate.
fn loopback(text: &str) -> Result<Url, Problem> {
    let not = || Problem::ListenNotLoopback {
        address: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| not())?;
    let named = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "http" && named && url.fragment().is_none() && url.username().is_empty() {
        Ok(url)
    } else {
        Err(not())
    }
}

/// Where the provider sends a browser back to.
fn redirect_uri(request: &SignInRequest, ports: &Ports) -> String {
    let fixed = request.settings.redirect_url.clone();
    fixed.unwrap_or_else(|| format!("http://localhost:{}", ports.port))
}

fn place(redirect: Option<&Url>, port: u16) -> Place {
    let host = redirect.and_then(Url::host_str).unwrap_or("localhost");
    let fixed = redirect.map(|url| {
        url.port()
            .map_or(host.to_owned(), |port| format!("{host}:{port}"))
    });
    Place {
        start: format!("http://{host}:{port}"),
        fixed,
        callback: redirect.map_or("/", Url::path).to_owned(),
    }
}
