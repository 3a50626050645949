//! The handle: starts everything, steers it, tells what it saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::middleware::from_fn_with_state;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::config::{Config, Rotation, Rule};
use crate::control;
use crate::fault::{Armed, Endpoint, Fault, FaultId, Stage};
use crate::journal::{Counters, Event, What};
use crate::kube::Kubernetes;
use crate::kubeconfig::Seed;
use crate::misbehave::{kubernetes_door, provider_door};
use crate::provider::Provider;
use crate::random::random_text;
use crate::server::{Listeners, Server};
use crate::tls::{Authority, Certificate};

/// A running playground. Everything ends when it is dropped.
pub struct Playground {
    world: Arc<World>,
    addresses: Addresses,
    _control: Server,
}

/// Where everything is; what the binary prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// The provider's issuer.
    pub issuer: String,
    /// The Kubernetes API.
    pub kube_url: String,
    /// The control endpoint. Its path is secret, so that no other user and no web page steers it.
    pub control_url: String,
    /// The certificate authority of both, as PEM.
    pub ca_pem: String,
    /// The first client's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Option<String>,
    /// A static token of `admin` in `system:masters`.
    pub admin_token: String,
}

impl Playground {
    /// Starts provider, Kubernetes API and control endpoint.
    ///
    /// # Errors
    /// A port that is taken.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        // An error says that the process has chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = Authority::new()?;
        let provider_listeners = Listeners::bind(config.provider_port).await?;
        let kube_listeners = Listeners::bind(config.kube_port).await?;
        let control_listeners = Listeners::bind(config.control_port).await?;

        let admin_token = config.kube.admin_token.clone().unwrap_or_else(random_text);
        let (tls, client) = (config.tls, config.clients.first().cloned());
        let provider = Arc::new(Provider::new(config, provider_listeners.port())?);
        let kube = Arc::new(Kubernetes::new(Arc::clone(&provider), admin_token.clone()));
        let secret_path = random_text();
        let addresses = Addresses {
            issuer: provider.issuer.clone(),
            kube_url: format!("https://127.0.0.1:{}", kube_listeners.port()),
            control_url: format!(
                "http://127.0.0.1:{}/{secret_path}",
                control_listeners.port()
            ),
            ca_pem: authority.pem().to_owned(),
            client_id: client
                .as_ref()
                .map(|client| client.id.clone())
                .unwrap_or_default(),
            client_secret: client.and_then(|client| client.secret),
            admin_token,
        };

        let door = from_fn_with_state(Arc::clone(&provider), provider_door);
        let app = Arc::clone(&provider).router().layer(door);
        let certificate = authority.certificate()?;
        let acceptor = tls.then(|| certificate.acceptor());
        let server = Server::start(provider_listeners, acceptor, app);
        let provider_side = Side {
            server,
            certificate,
            state: Mutex::default(),
        };

        let door = from_fn_with_state(Arc::clone(&provider), kubernetes_door);
        let app = Arc::clone(&kube).router().layer(door);
        let certificate = authority.certificate()?;
        let server = Server::start(kube_listeners, Some(certificate.acceptor()), app);
        let kube_side = Side {
            server,
            certificate,
            state: Mutex::default(),
        };

        let world = Arc::new(World {
            provider,
            kube,
            provider_side,
            kube_side,
        });
        let app = control::router(Arc::clone(&world), addresses.clone(), &secret_path);
        let control = Server::start(control_listeners, None, app);
        Ok(Self {
            world,
            addresses,
            _control: control,
        })
    }

    /// Where everything is.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The issuer's URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.addresses.issuer
    }

    /// The certificate authority of both servers.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.addresses.ca_pem
    }

    /// The Kubernetes API's URL.
    #[must_use]
    pub fn kube_url(&self) -> &str {
        &self.addresses.kube_url
    }

    /// The control endpoint's URL; these paths are below it:
    ///
    /// - `GET` of itself: [`Addresses`]
    /// - `GET /log?after=N&wait=SECONDS`: [`Event`]s after number N; with `wait`, once there are any
    /// - `GET /counters`: [`Counters`]
    /// - `GET /faults`, `POST /faults` ([`Armed`]), `DELETE /faults`, `DELETE /faults/ID`
    /// - `GET /clock`, `POST /clock` (`{"advance": SECONDS}`)
    /// - `PUT /rules`: a list of [`Rule`]s
    #[must_use]
    pub fn control_url(&self) -> &str {
        &self.addresses.control_url
    }

    /// The article's whole kubeconfig (its section 3-4), placeholders alone filled in.
    /// `extra_arguments` follow its own, for instance `--certificate-authority=PATH`.
    #[must_use]
    pub fn kubeconfig_seed_form(&self, extra_arguments: &[&str]) -> String {
        self.seed().kubeconfig(extra_arguments)
    }

    /// The article's kubeconfig with a token in it (its section 2-4).
    #[must_use]
    pub fn kubeconfig_with_token(&self, token: &str) -> String {
        self.seed().kubeconfig_with_token(token)
    }

    fn seed(&self) -> Seed<'_> {
        Seed {
            ca_pem: &self.addresses.ca_pem,
            server: &self.addresses.kube_url,
            issuer: &self.addresses.issuer,
            client_id: &self.addresses.client_id,
            client_secret: self.addresses.client_secret.as_deref(),
        }
    }

    /// Lets the playground misbehave from now on.
    ///
    /// # Errors
    /// A fault that could never take effect.
    pub async fn fault(&self, fault: impl Into<Armed>) -> anyhow::Result<FaultId> {
        self.world.arm(fault.into()).await
    }

    /// Lifts one fault.
    ///
    /// # Errors
    /// A port that was taken while nobody listened.
    pub async fn lift(&self, id: FaultId) -> anyhow::Result<()> {
        self.world.lift(Some(id)).await
    }

    /// Lifts all faults.
    ///
    /// # Errors
    /// A port that was taken while nobody listened.
    pub async fn lift_all(&self) -> anyhow::Result<()> {
        self.world.lift(None).await
    }

    /// The events so far (the newest 200,000).
    #[must_use]
    pub fn log(&self) -> Vec<Event> {
        self.world.provider.journal.since(0)
    }

    /// The first event that `wanted` accepts, now or later. Give it a deadline of your own.
    pub async fn event(&self, wanted: impl Fn(&What) -> bool) -> Event {
        let mut after = 0;
        loop {
            for event in self.world.provider.journal.since(after) {
                if wanted(&event.what) {
                    return event;
                }
                after = event.number;
            }
            self.world.provider.journal.wait(after).await;
        }
    }

    /// Every refresh token that was handed out, in full: for a test that looks for them where they
    /// must not be.
    #[must_use]
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.world.provider.refresh_tokens()
    }

    /// The sums so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.world.provider.journal.counters()
    }

    /// Lets `seconds` pass at once, for provider and Kubernetes API.
    pub fn advance(&self, seconds: i64) {
        self.world.advance(seconds);
    }

    /// Seconds since 1970 on the playground's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.world.provider.clock.now()
    }

    /// How long the ID and access tokens live that are handed out from now on.
    pub fn set_token_seconds(&self, seconds: i64) {
        self.world.provider.set_token_seconds(seconds);
    }

    /// The groups that everybody is in, by the tokens that are handed out from now on.
    pub fn set_groups(&self, groups: Vec<String>) {
        self.world.provider.set_groups(groups);
    }

    /// What refreshes do from now on.
    pub fn set_rotation(&self, rotation: Rotation) {
        self.world.provider.set_rotation(rotation);
    }

    /// How many sign-ins at the provider are not over.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.world.provider.sessions()
    }

    /// Who may do what at the Kubernetes API from now on.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        self.world.kube.set_rules(rules);
    }
}

/// What handle and control endpoint steer.
pub(crate) struct World {
    pub(crate) provider: Arc<Provider>,
    pub(crate) kube: Arc<Kubernetes>,
    provider_side: Side,
    kube_side: Side,
}

/// A server and what is done to it.
struct Side {
    server: Server,
    certificate: Arc<Certificate>,
    state: Mutex<Listening>,
}

/// What the listener is now, so that a change is noticed.
#[derive(Default)]
struct Listening {
    offline: AtomicBool,
    expired: AtomicBool,
}

impl World {
    pub(crate) async fn arm(&self, armed: Armed) -> anyhow::Result<FaultId> {
        armed.check()?;
        let provider = &self.provider;
        provider.journal.write(What::FaultArmed {
            armed: armed.clone(),
        });
        let at_once = armed.endpoints.is_empty() && armed.count.is_none();
        if armed.fault.stage() == Stage::Event && at_once {
            provider.happen(&armed.fault)?;
            return Ok(provider.faults.new_id());
        }
        let listener = armed.fault.stage() == Stage::Listener;
        let id = provider.faults.arm(armed);
        if listener {
            self.listen().await?;
        }
        Ok(id)
    }

    /// Lifts one fault, or all.
    pub(crate) async fn lift(&self, id: Option<FaultId>) -> anyhow::Result<()> {
        self.provider.faults.lift(id);
        self.provider.journal.write(What::FaultsLifted);
        self.listen().await
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.provider.clock.advance(seconds);
        self.provider.journal.write(What::ClockAdvanced { seconds });
    }

    /// Brings the listeners in line with what is armed.
    async fn listen(&self) -> anyhow::Result<()> {
        self.listen_at(&self.provider_side, &Endpoint::PROVIDER)
            .await?;
        self.listen_at(&self.kube_side, &[Endpoint::Kubernetes])
            .await
    }

    async fn listen_at(&self, side: &Side, endpoints: &[Endpoint]) -> anyhow::Result<()> {
        let state = side.state.lock().await;
        let all = self.provider.faults.all();
        let armed = |fault: &Fault| {
            all.iter().any(|(_, armed)| {
                armed.fault == *fault && endpoints.iter().any(|&at| armed.strikes(at))
            })
        };
        let expired = armed(&Fault::ExpiredCertificate);
        if state.expired.swap(expired, Ordering::SeqCst) != expired {
            side.certificate.run_out(expired);
            side.server.disconnect().await?;
        }
        let offline = armed(&Fault::Offline);
        if state.offline.load(Ordering::SeqCst) != offline {
            if offline {
                side.server.close().await?;
            } else {
                side.server.open().await?;
            }
            state.offline.store(offline, Ordering::SeqCst);
            let endpoint = endpoints.first().copied().unwrap_or(Endpoint::Discovery);
            self.provider.journal.write(What::Listening {
                endpoint,
                open: !offline,
            });
        }
        Ok(())
    }
}
