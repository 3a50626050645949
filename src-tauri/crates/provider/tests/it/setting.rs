//! What each test begins with: a playground, an account at it, and a sign-in in the background.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use broker::account::{AccountKey, ClientSettings, Grant, ListenAddress, Tls, TokenKind};
use broker::clock::Wall;
use broker::problem::{About, Code, Problem};
use broker::secret::ClientSecret;
use broker::texts::Language;
use broker::tokens::Tokens;
use broker::transaction::{
    Forget, Prompting, RefreshOutcome, RefreshRequest, SignInOutcome, SignInRequest,
    SignOutOutcome, SignOutRequest, Taken,
};
use broker::trust::{Answer, Longest, Question, ServerLine, Wary};
use playground::{Client, Config, Playground};
use provider::{Listening, Tickets, Trusted};
use tokio::task::JoinHandle;

use crate::browser::{Browser, Page};

/// A playground and an account at it.
pub(crate) struct Setting {
    pub(crate) playground: Playground,
    pub(crate) request: SignInRequest,
    pub(crate) trusted: Trusted,
}

/// A sign-in that goes on.
pub(crate) struct Begun {
    pub(crate) tickets: Tickets,
    pub(crate) redirect_uri: String,
    /// Where its pages are.
    pub(crate) start: String,
    pub(crate) told: Arc<Mutex<Told>>,
    ended: JoinHandle<SignInOutcome>,
}

/// What it told us on the way.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) answers: Vec<(Answer, Vec<usize>)>,
    pub(crate) sealed: Vec<Tokens>,
    pub(crate) signed_in_at: Option<String>,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// With any port registered, so that tests run beside each other.
    pub(crate) async fn with(mut config: Config) -> Self {
        for client in &mut config.clients {
            client.redirect_uris.push("http://localhost:*".into());
        }
        let playground = Playground::start(config).await.unwrap();
        let addresses = playground.addresses();
        let key = AccountKey {
            issuer: addresses.issuer.clone(),
            client_id: addresses.client_id.clone(),
            scopes: vec![],
            grant: Grant::AuthorizationCode,
            token_kind: TokenKind::Id,
            tls: Tls::default(),
            name: None,
        };
        let settings = ClientSettings {
            client_secret: addresses.client_secret.clone().map(ClientSecret::new),
            listen: vec![ListenAddress {
                host: "127.0.0.1".into(),
                port: 0,
            }],
            ..ClientSettings::default()
        };
        let trusted = Trusted {
            ca_pem: vec![addresses.ca_pem.clone().into()],
            own_ca: false,
        };
        let request = SignInRequest {
            account: key.id(),
            about: About::account("work", key.host()),
            key,
            settings,
            known_secret: None,
            expected_subject: None,
            signed_in_at: None,
            other_issuers: Vec::new(),
            question: None,
            language: Language::En,
            prompt: Prompting::Allowed,
        };
        Self {
            playground,
            request,
            trusted,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.playground.ca_pem())
    }

    pub(crate) async fn listen(&self) -> Listening {
        provider::listen(self.request.clone(), self.trusted.clone(), clock())
            .await
            .unwrap()
    }

    /// Begins a sign-in whose tokens can be kept.
    pub(crate) async fn begin(&self) -> Begun {
        self.begin_and_keep(Ok(())).await
    }

    /// Begins a sign-in; `kept` is what keeping its tokens comes to.
    pub(crate) async fn begin_and_keep(&self, kept: Result<(), Problem>) -> Begun {
        let listening = self.listen().await;
        let (tickets, redirect_uri) = (listening.tickets(), listening.redirect_uri().to_owned());
        let start = format!("http://localhost:{}", listening.start_port());
        let told = Arc::new(Mutex::new(Told::default()));
        let (first, second) = (Arc::clone(&told), Arc::clone(&told));
        let ended = tokio::spawn(listening.finish(
            async move |answer, others| {
                first.lock().unwrap().answers.push((answer, others));
                Taken::Counted
            },
            async move |tokens, origin| {
                let mut told = second.lock().unwrap();
                told.sealed.push(tokens);
                told.signed_in_at = Some(origin);
                kept
            },
        ));
        Begun {
            tickets,
            redirect_uri,
            start,
            told,
            ended,
        }
    }

    /// Signs in as the article's user.
    pub(crate) async fn signed_in(&self) -> Tokens {
        let begun = self.begin().await;
        let mut browser = self.browser();
        let form = browser.open(&begun.tickets.mint()).await;
        browser.log_in(&form, "test", "test").await;
        begun.tokens().await
    }

    pub(crate) async fn refresh(&self, tokens: &Tokens) -> RefreshOutcome {
        let request = RefreshRequest {
            account: self.request.account.clone(),
            key: self.request.key.clone(),
            settings: self.request.settings.clone(),
            tokens: tokens.clone(),
        };
        provider::refresh(&request, &self.trusted, &*clock()).await
    }

    pub(crate) async fn sign_out(
        &self,
        tokens: Option<&Tokens>,
        everywhere: bool,
    ) -> SignOutOutcome {
        let request = SignOutRequest {
            account: self.request.account.clone(),
            key: self.request.key.clone(),
            settings: self.request.settings.clone(),
            tokens: tokens.cloned(),
            everywhere,
            forget: Forget::Tokens,
            at: clock()(),
        };
        provider::sign_out(&request, &self.trusted, &*clock()).await
    }
}

impl Begun {
    pub(crate) async fn outcome(self) -> SignInOutcome {
        self.ended.await.unwrap()
    }

    pub(crate) async fn tokens(self) -> Tokens {
        match self.outcome().await {
            SignInOutcome::SignedIn(tokens) => tokens,
            SignInOutcome::Declined(problem)
            | SignInOutcome::Unreachable(problem)
            | SignInOutcome::Blocked(problem) => panic!("{problem:?}"),
        }
    }

    /// Whether it still goes on.
    pub(crate) fn goes_on(&self) -> bool {
        !self.ended.is_finished()
    }

    pub(crate) fn sealed(&self) -> usize {
        self.told.lock().unwrap().sealed.len()
    }
}

/// The name of an outcome and its problem's code.
pub(crate) fn kind(outcome: &SignInOutcome) -> (&'static str, Option<Code>) {
    match outcome {
        SignInOutcome::SignedIn(_) => ("signed in", None),
        SignInOutcome::Declined(problem) => ("declined", Some(problem.code())),
        SignInOutcome::Unreachable(problem) => ("unreachable", Some(problem.code())),
        SignInOutcome::Blocked(problem) => ("blocked", Some(problem.code())),
    }
}

/// The parameter of an address's query.
pub(crate) fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    let found: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    found.get(name).cloned()
}

/// The address that a start page sends to.
pub(crate) fn location(page: &Page) -> String {
    page.headers
        .get("location")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn clock() -> Arc<provider::Clock> {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Wall(i64::try_from(since.as_millis()).unwrap())
    })
}

pub(crate) fn question(wary: Vec<Wary>) -> Question {
    let line = |server: &str, wary| ServerLine {
        server: server.into(),
        contexts: vec!["dev".into()],
        wary,
        ..ServerLine::default()
    };
    Question {
        account: "test at login.acme.example".into(),
        issuer: "https://login.acme.example".into(),
        client_id: "k8s".into(),
        scopes: vec![],
        vouched: Default::default(),
        servers: vec![line("https://api.dev.acme.example", wary)],
        others: vec![
            line("https://api.staging.acme.example", vec![]),
            line("https://api.eu1.acme.example", vec![Wary::Proxy]),
        ],
        more: 0,
        file: Some("~/work/acme.yaml".into()),
        asker: "kubectl".into(),
        new_issuer: false,
        changes: vec![],
        longest: Longest::Always,
        claims: Vec::new(),
    }
}

/// A provider as the article has it, but for what is changed.
pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

/// The same with another client.
pub(crate) fn client(change: impl FnOnce(&mut Client)) -> Config {
    config(|config| change(config.clients.first_mut().unwrap()))
}
