//! Signing in: authorization code with PKCE, a loopback redirect, and a page that tells the truth
//! (RFC 6749 section 4.1, RFC 7636, RFC 8252, OIDC Core section 3.1).

use std::future::Future;
use std::sync::Arc;

use broker::account::Pkce;
use broker::outcome::{Prompting, SignInOutcome, SignInRequest};
use broker::problem::{Code, Problem};
use broker::secret::BearerToken;
use broker::tokens::Tokens;
use broker::trust::Answer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use crate::callback::{self, Callback, Foreign};
use crate::desk::{Arrival, Authorization, Desk, Place, Stage, Tickets, foreign_callback};
use crate::discovery::{self, Metadata};
use crate::http::{Http, Trusted};
use crate::listener::{self, Ports};
use crate::pages::{self, Page, Purpose};
use crate::random::Random;
use crate::tickets::Begun;
use crate::token::{self, Denied};
use crate::verify::{self, Expected, Flaw};
use crate::{Clock, address, sign_out};

/// A sign-in whose ports are taken and whose addresses can be told. Dropping it, or the future of
/// [`Self::finish`], closes them.
pub struct Listening {
    request: SignInRequest,
    trusted: Trusted,
    clock: Arc<Clock>,
    ports: Ports,
    redirect_uri: String,
    desk: Arc<Desk>,
    arrivals: mpsc::Receiver<Arrival>,
    metadata: Option<Metadata>,
}

/// Takes the ports. Nothing is said to the provider, and no browser is answered yet.
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
    let ports = listener::bind(&request.settings.listen).await?;
    let redirect_uri = request
        .settings
        .redirect_url
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{}", ports.port));
    let place = place(redirect.as_ref(), ports.port);
    let (desk, arrivals) = Desk::new(Random::from_system()?, place, &request);
    Ok(Listening {
        request,
        trusted,
        clock,
        ports,
        redirect_uri,
        desk,
        arrivals,
        metadata: None,
    })
}

/// How a sign-in ends that ended with this problem.
#[must_use]
pub fn outcome(problem: Problem) -> SignInOutcome {
    const DECLINED: &[Code] = &[
        Code::SignInRefused,
        Code::SignInTimedOut,
        Code::SignInCancelled,
        Code::OtherPerson,
        Code::TrustRefused,
    ];
    if DECLINED.contains(&problem.code) {
        SignInOutcome::Declined(problem)
    } else if crate::is_passing(problem.code) {
        SignInOutcome::Unreachable(problem)
    } else {
        SignInOutcome::Blocked(problem)
    }
}

impl Listening {
    /// Makes the addresses that people and browsers are told.
    #[must_use]
    pub fn tickets(&self) -> Tickets {
        Tickets(Arc::clone(&self.desk))
    }

    /// What must be registered at the provider.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Whether the first listen address was taken by another program.
    #[must_use]
    pub fn other_port(&self) -> bool {
        self.ports.index > 0
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
    /// ticked `others`; browsers go on when it has resolved. `seal` must have the checked tokens
    /// at rest before the page says so; if it can't, the page says that, and the tokens are good
    /// all the same.
    pub async fn finish<A, AF, S, SF>(self, answered: A, seal: S) -> SignInOutcome
    where
        A: FnOnce(Answer, Vec<usize>) -> AF,
        AF: Future<Output = ()>,
        S: FnOnce(Tokens) -> SF,
        SF: Future<Output = Result<(), Problem>>,
    {
        let Self {
            request,
            trusted,
            clock,
            ports,
            redirect_uri,
            desk,
            mut arrivals,
            metadata,
        } = self;
        let _serving: JoinSet<()> = listener::serve(ports, &desk);
        let way = Way {
            request: &request,
            trusted: &trusted,
            clock: &*clock,
        };
        // People have so long; what goes on by itself has limits of its own.
        let deadline = Instant::now() + request.settings.authentication_timeout;
        let steps = async {
            if request.question.is_some() {
                let asked = ask(&desk, &mut arrivals, Purpose::SignIn);
                let (answer, others) = in_time(deadline, &redirect_uri, asked).await?;
                answered(answer, others).await;
                allowed(&request, answer)?;
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
                let kept = seal(tokens.clone()).await;
                return Ok((tokens, kept.err()));
            }
        };
        let ended = steps.await;
        desk.close(way.page(&ended)).await;
        ended.map_or_else(outcome, |(tokens, _)| SignInOutcome::SignedIn(tokens))
    }

    /// Asks the question alone, for a new pair on a session that lives. None: nobody answered.
    pub async fn ask<A, AF>(self, answered: A) -> Option<Answer>
    where
        A: FnOnce(Answer, Vec<usize>) -> AF,
        AF: Future<Output = ()>,
    {
        let Self {
            request,
            ports,
            desk,
            mut arrivals,
            ..
        } = self;
        let asker = request.question.as_ref()?.asker.clone();
        let _serving: JoinSet<()> = listener::serve(ports, &desk);
        let asked = ask(&desk, &mut arrivals, Purpose::Pair);
        let limit = request.settings.authentication_timeout;
        let (answer, others) = tokio::time::timeout(limit, asked).await.ok()?.ok()?;
        answered(answer, others).await;
        desk.close(match answer {
            Answer::Once | Answer::Always => pages::allowed(request.language, &asker),
            Answer::No => pages::not_allowed(request.language, &asker),
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
        let parameters = vec![("redirect", redirect_uri.to_owned())];
        Err(Problem::new(Code::SignInTimedOut, parameters))
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
    Err(Problem::plain(Code::SignInCancelled))
}

fn allowed(request: &SignInRequest, answer: Answer) -> Result<(), Problem> {
    match answer {
        Answer::Once | Answer::Always => Ok(()),
        Answer::No => {
            let server = request
                .question
                .as_ref()
                .and_then(|question| question.servers.first());
            let server = server
                .map(|server| server.server.clone())
                .unwrap_or_default();
            let parameters = vec![("account", request.key.host()), ("server", server)];
            Err(Problem::new(Code::TrustRefused, parameters))
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
    Err(Problem::plain(Code::SignInCancelled))
}

/// What the steps have in common.
#[derive(Clone, Copy)]
struct Way<'a> {
    request: &'a SignInRequest,
    trusted: &'a Trusted,
    clock: &'a Clock,
}

impl<'a> Way<'a> {
    async fn discovered(self, known: Option<Metadata>) -> Result<(Http<'a>, Metadata), Problem> {
        let issuer = &self.request.key.issuer;
        let url = address::issuer(issuer)?;
        let http = Http::new(
            &url,
            self.trusted,
            &self.request.settings.proxies,
            self.clock,
        )?;
        let metadata = match known {
            Some(metadata) => metadata,
            None => discovery::discover(&http, issuer).await?,
        };
        Ok((http, metadata))
    }

    fn authorization(
        self,
        metadata: &Metadata,
        redirect_uri: &str,
    ) -> Result<Authorization, Problem> {
        Ok(Authorization {
            endpoint: metadata.authorization_endpoint.clone(),
            client_id: self.request.key.client_id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            scope: self.request.key.scopes_sent().join(" "),
            pkce: pkce(self.request.settings.pkce, metadata.pkce_methods.as_deref())?,
            silent: match self.request.prompt {
                Prompting::Allowed => false,
                Prompting::Silent => true,
            },
        })
    }

    /// The code of a callback that has the right state and cookie.
    fn believed(self, metadata: &Metadata, callback: Callback) -> Result<String, Problem> {
        if !callback.is_from(&metadata.issuer, metadata.redirect_names_issuer) {
            return Err(match callback.issuer {
                Some(found) => Problem::new(
                    Code::WrongIssuer,
                    vec![("expected", metadata.issuer.clone()), ("found", found)],
                ),
                None => foreign_callback(Foreign::Issuer),
            });
        }
        match callback.answer {
            callback::Answer::Code(code) => Ok(code),
            callback::Answer::Error { error, description } => Err(self.refusal(error, description)),
        }
    }

    /// RFC 6749 section 4.1.2.1 and OIDC Core section 3.1.2.6.
    fn refusal(self, error: String, description: String) -> Problem {
        let code = match error.as_str() {
            "unauthorized_client" | "invalid_client" => {
                let client = self.request.key.client_id.clone();
                return Problem::new(
                    Code::ClientRefused,
                    vec![("client", client), ("error", error)],
                );
            }
            "server_error" | "temporarily_unavailable" => {
                let host = self.request.key.host();
                return Problem::new(Code::ProviderFault, vec![("host", host), ("status", error)]);
            }
            "invalid_request" | "invalid_scope" | "unsupported_response_type" => {
                Code::RequestRefused
            }
            _ => Code::SignInRefused,
        };
        Problem::new(code, vec![("error", error), ("description", description)])
    }

    async fn exchange(
        self,
        http: &Http<'_>,
        metadata: &Metadata,
        authorization: &Authorization,
        begun: &Begun,
        callback: Callback,
    ) -> Result<Tokens, Problem> {
        let code = self.believed(metadata, callback)?;
        let request = self.request;
        let client_id = &request.key.client_id;
        let mut grant = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", authorization.redirect_uri.as_str()),
        ];
        if authorization.pkce {
            grant.push(("code_verifier", &begun.verifier));
        }
        let secrets = [
            request.settings.client_secret.as_ref(),
            request.known_secret.as_ref(),
        ];
        let secrets = if secrets[1].is_some() {
            &secrets[..]
        } else {
            &secrets[..1]
        };
        let clients = token::clients(metadata, secrets);
        let granted = token::ask(http, &metadata.token_endpoint, client_id, &clients, &grant)
            .await
            .map_err(|denied| match denied {
                Denied::NotNow(problem) => problem,
                // Nothing but a code was lost: no word of trying again by itself.
                Denied::NoReply(problem) => Problem {
                    code: Code::Unreachable,
                    ..problem
                },
                // The code came too late, or was nobody's: another try by a person mends it.
                Denied::Refused(refusal) if refusal.error == "invalid_grant" => {
                    self.refusal(refusal.error, refusal.description)
                }
                Denied::Refused(refusal) => refusal.problem(client_id),
            })?;
        let Some(id_token) = granted.id_token else {
            return Err(Problem::new(
                Code::NoIdToken,
                vec![("host", http.host().to_owned())],
            ));
        };
        let expected = Expected {
            issuer: &request.key.issuer,
            client_id,
            nonce: Some(&begun.nonce),
            subject: None,
            audience: &[],
        };
        let check = async || -> Result<_, Problem> {
            let keys = discovery::keys(http, metadata).await?;
            Ok(verify::id_token(&id_token, &keys, &expected, granted.times))
        };
        let mut checked = check().await?;
        if checked == Err(Flaw::Signature) {
            checked = check().await?;
        }
        let checked = checked.map_err(|flaw| crate::bad_token(&flaw))?;
        Ok(Tokens {
            bearer: BearerToken::new(id_token.clone()),
            refresh: granted.refresh,
            identity: checked.identity,
            obtained: granted.times.sent,
            expires: checked.expires,
            skew_ms: checked.skew_ms,
            refresh_expires: crate::refresh_end(granted.times, granted.refresh_expires_in),
            signed_in: granted.times.came,
            client_secret: granted.secret,
        })
    }

    /// Whoever was signed in before must be who is now: a different person is not put in his
    /// place behind his back.
    async fn same_person(
        self,
        tokens: Tokens,
        http: &Http<'_>,
        metadata: &Metadata,
    ) -> Result<Tokens, Problem> {
        let now = &tokens.identity;
        let before = self.request.expected_subject.as_ref();
        let Some(before) = before.filter(|before| **before != now.subject) else {
            return Ok(tokens);
        };
        let parameters = vec![("before", before.clone()), ("now", now.name.clone())];
        self.drop_tokens(Ok(tokens), http, metadata).await;
        Err(Problem::new(Code::OtherPerson, parameters))
    }

    /// Ends tokens that nobody will use, if there are any.
    async fn drop_tokens(
        self,
        tokens: Result<Tokens, Problem>,
        http: &Http<'_>,
        metadata: &Metadata,
    ) {
        let Ok(tokens) = tokens else { return };
        let client_id = &self.request.key.client_id;
        let secret = tokens.client_secret.as_ref();
        sign_out::revoke(http, metadata, client_id, secret, tokens.refresh.as_ref()).await;
    }

    fn page(self, ended: &Result<(Tokens, Option<Problem>), Problem>) -> Page {
        let language = self.request.language;
        let asker = self
            .request
            .question
            .as_ref()
            .map(|question| question.asker.as_str());
        match ended {
            Ok((tokens, remark)) => pages::done(language, tokens, asker, remark.as_ref()),
            Err(problem) if problem.code == Code::TrustRefused => {
                pages::not_allowed(language, asker.unwrap_or_default())
            }
            Err(problem) => pages::failed(language, problem, true),
        }
    }
}

/// Whether PKCE is used.
fn pkce(wanted: Pkce, offered: Option<&[String]>) -> Result<bool, Problem> {
    let offers = offered.is_some_and(|methods| methods.iter().any(|method| method == "S256"));
    match wanted {
        Pkce::S256 => Ok(true),
        Pkce::Auto => Ok(offers || offered.is_none()),
        Pkce::No if offers => Err(Problem::plain(Code::PkceNeeded)),
        Pkce::No => Ok(false),
    }
}

/// A redirect URI of flags: on this computer, and without TLS, for which we have no certificate.
fn loopback(text: &str) -> Result<Url, Problem> {
    let not = || Problem::new(Code::ListenNotLoopback, vec![("address", text.to_owned())]);
    let url = Url::parse(text).map_err(|_| not())?;
    let named = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "http" && named && url.fragment().is_none() && url.username().is_empty() {
        Ok(url)
    } else {
        Err(not())
    }
}

fn place(redirect: Option<&Url>, port: u16) -> Place {
    let host = redirect.and_then(Url::host_str).unwrap_or("localhost");
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
        .map(|name| format!("{name}:{port}"))
        .into();
    let fixed = redirect.map(|url| {
        url.port()
            .map_or(host.to_owned(), |port| format!("{host}:{port}"))
    });
    hosts.extend(fixed.filter(|fixed| !hosts.contains(fixed)));
    // A browser leaves out the port that http has anyway.
    if port == 80 {
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
    }
    Place {
        start: format!("http://{host}:{port}"),
        hosts,
        callback: redirect.map_or("/", Url::path).to_owned(),
    }
}
