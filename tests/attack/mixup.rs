//! Threat 25: somebody else's provider mixes itself up with the person's own (RFC 9700 section 4.4), so that a sign-in
//! at the one ends at the other. What single documents and redirects come to is in `provider/tests/it/mixup.rs`.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::{Config, Endpoint, Fault, Playground};
use serde_json::json;
use world::person::Said;
use world::wait;

use crate::scene::{self, ONE_REQUEST, Scene, Seat};
use crate::table::Table;

/// A person with a provider and a cluster, and somebody else who has both too.
struct Mixup {
    scene: Scene,
    evil: Playground,
}

impl Mixup {
    /// The person is signed in, and says yes to whatever they are asked. `iss` is what their provider's redirects say
    /// of the issuer. Nobody's certificate is in the way of anything.
    async fn set(iss: &str) -> Result<Self> {
        let scene = Scene::set(Seat {
            config: json!({ "iss_parameter": iss, "token_seconds": 5 }),
            consent: "always",
            ..Seat::default()
        })
        .await?;
        let config: Config = serde_json::from_value(json!({ "iss_parameter": "absent" }))?;
        let evil = Playground::start(config).await?;
        std::fs::write(
            &scene.ca,
            [scene.playground.ca_pem(), evil.ca_pem()].concat(),
        )?;
        scene.works("at first")?;
        Ok(Self { scene, evil })
    }

    /// What kubectl says on a kubeconfig of theirs, with the client of the person's own.
    fn run(&self) -> Result<Said> {
        let flags: Vec<String> = self
            .scene
            .flags()
            .into_iter()
            .map(|flag| {
                if flag.starts_with("--oidc-issuer-url") {
                    format!("--oidc-issuer-url={}", self.evil.issuer())
                } else {
                    flag
                }
            })
            .collect();
        let server = scene::server(self.evil.kube_url(), self.evil.ca_pem());
        let kubeconfig = self
            .scene
            .kubeconfig(&[("theirs", server)], scene::exec("kubectl", &flags));
        let file = self.scene.hostile("mixup.yaml", &kubeconfig)?;
        self.scene.run(&file)
    }

    /// What the person's own command says of their provider.
    fn login(&self) -> Result<Said> {
        self.scene
            .person
            .kubectl(&["fob", "login", self.evil.issuer()])
    }

    /// Discovery of one provider names an endpoint of the other.
    async fn names(of: &Playground, name: &str, other: &Playground, path: &str) -> Result<()> {
        let fault = Fault::EndpointUrl {
            name: name.to_owned(),
            url: endpoint(other, path),
        };
        of.fault(fault).await?;
        Ok(())
    }

    /// How much of a sign-in somebody else got: codes, refresh tokens and tokens to end.
    fn got(&self) -> u64 {
        let counters = self.evil.counters();
        [
            Endpoint::Token,
            Endpoint::Refresh,
            Endpoint::Revoke,
            Endpoint::EndSession,
        ]
        .into_iter()
        .map(|endpoint| counters.requests_at(endpoint))
        .sum()
    }

    fn holds(&self, what: &str, said: &Said, code: &str) -> Result<()> {
        ensure!(
            self.got() == 0,
            "{what}: codes or tokens went there: {}",
            self.got()
        );
        ensure!(!said.ok && said.err.contains(code), "{what}: {said:?}");
        self.scene.works(what)
    }
}

fn endpoint(of: &Playground, path: &str) -> String {
    format!("{}/protocol/openid-connect/{path}", of.issuer())
}

/// Their discovery names the person's sign-in page.
pub(crate) async fn endpoints(table: &Table) -> Result<()> {
    let mixup = Mixup::set("absent").await?;
    let codes = mixup.scene.playground.counters().codes;
    let what = "another's discovery has the person's own sign-in page, and its own token endpoint";
    Mixup::names(
        &mixup.evil,
        "authorization_endpoint",
        &mixup.scene.playground,
        "auth",
    )
    .await?;
    let said = mixup.run()?;
    mixup.holds(what, &said, "[tokens-elsewhere]")?;
    let said = mixup.login()?;
    ensure!(!said.ok && mixup.got() == 0, "login after that: {said:?}");
    let given = mixup.scene.playground.counters().codes;
    ensure!(given == codes, "{} codes were given out", given - codes);
    table.row(
        25,
        what,
        "refused after a yes too, and at `kubectl fob login`: nobody is sent to the page, no code leaves",
    );

    let what = "another's discovery has the person's own sign-in page and token endpoint";
    Mixup::names(
        &mixup.evil,
        "token_endpoint",
        &mixup.scene.playground,
        "token",
    )
    .await?;
    // The account remembers why it was refused; a person's own command looks again.
    let said = mixup.login()?;
    mixup.holds(what, &said, "[sign-in-elsewhere]")?;
    let given = mixup.scene.playground.counters().codes;
    ensure!(given == codes, "{} codes were given out", given - codes);
    table.row(25, what, "refused: that page is another account's");
    Ok(())
}

/// Their own sign-in page passes people on to the person's: no document shows it.
pub(crate) async fn passed_on(table: &Table) -> Result<()> {
    let mixup = Mixup::set("announced").await?;
    let to = endpoint(&mixup.scene.playground, "auth");
    mixup.evil.fault(Fault::PassedOn { to }).await?;
    let said = mixup.run()?;
    let what =
        "another's sign-in page passes the browser on to the person's, whose redirects name it";
    mixup.holds(what, &said, "[wrong-issuer]")?;
    table.row(25, what, "the redirect is not believed; no code leaves");
    let questions = mixup.scene.questions()?;
    let asked = questions.last().context("no question was asked")?;
    ensure!(
        asked.contains("obtain your sign-in there"),
        "the question does not say so: {asked}"
    );
    table.row(
        25,
        "and where they do not name it (not promised)",
        "the question about a new issuer says that it can obtain a sign-in elsewhere",
    );
    Ok(())
}

/// The person's own provider names somebody else's endpoints: a discovery that was tampered with.
pub(crate) async fn own_provider(table: &Table) -> Result<()> {
    let mixup = Mixup::set("absent").await?;
    let (own, person) = (&mixup.scene.playground, &mixup.scene.person);
    Mixup::names(own, "token_endpoint", &mixup.evil, "token").await?;
    let said = loop {
        let said = person.kubectl(ONE_REQUEST)?;
        if !said.ok {
            break said;
        }
    };
    let what = "at a refresh, the provider's token endpoint is another's";
    ensure!(
        mixup.got() == 0,
        "{what}: tokens went there: {}",
        mixup.got()
    );
    ensure!(said.err.contains("[tokens-elsewhere]"), "{what}: {said:?}");
    let before = own.counters().requests_at(Endpoint::Discovery);
    own.lift_all().await?;
    // Refused for now: a person's own command in a terminal looks again.
    let said = person.on_terminal(&format!("kubectl {}", ONE_REQUEST.join(" ")), "")?;
    ensure!(said.ok, "{what}, then a command in a terminal: {said:?}");
    ensure!(
        own.counters().sign_ins == 1,
        "{what}: somebody had to sign in"
    );
    table.row(
        25,
        what,
        format!(
            "the refresh token stays here, and the session goes on afterwards ({before} looks)"
        ),
    );

    for (name, path, arguments) in [
        ("revocation_endpoint", "revoke", &["fob", "logout"][..]),
        (
            "end_session_endpoint",
            "logout",
            &["fob", "logout", "--everywhere"],
        ),
    ] {
        Mixup::names(own, name, &mixup.evil, path).await?;
        let said = person.kubectl(arguments)?;
        let what = format!("at a sign-out, the provider's {name} is another's");
        ensure!(
            mixup.got() == 0,
            "{what}: tokens went there: {}",
            mixup.got()
        );
        ensure!(
            format!("{}{}", said.out, said.err).contains("[end-elsewhere]"),
            "{what}: {said:?}"
        );
        own.lift_all().await?;
        let said = person.kubectl(&["fob", "login"])?;
        ensure!(said.ok, "{what}, then a login: {said:?}");
        table.row(25, what, "nothing is sent there, and the sign-out says so");
    }

    // The control: a provider that does have its token endpoint elsewhere, and a person who says so.
    let other = own.issuer().replace("localhost", "127.0.0.1");
    let fault = Fault::EndpointUrl {
        name: "token_endpoint".to_owned(),
        url: format!("{other}/protocol/openid-connect/token"),
    };
    own.fault(fault).await?;
    let said = person.kubectl(&["fob", "logout"])?;
    ensure!(said.ok, "{said:?}");
    let said = person.kubectl(&["fob", "login"])?;
    ensure!(
        !said.ok && said.err.contains("provider_origins"),
        "{said:?}"
    );
    let url = url::Url::parse(&other)?;
    let origin = url.origin().ascii_serialization();
    person.settings(&json!({
        "version": 1,
        "browser": [mixup.scene.folder.join("browser")],
        "keep": "keyring",
        "provider_origins": { own.issuer(): [origin] },
    }))?;
    // The file's watch makes it count.
    let at_once = wait::up_to(Duration::from_secs(60)).every(Duration::ZERO);
    at_once.until("a sign-in", || {
        let said = person.kubectl(&["fob", "login"])?;
        Ok(wait::is(said.ok, format!("{said:?}")))
    })?;
    mixup.scene.works("with the origin in the settings")?;
    table.row(
        25,
        "a provider whose token endpoint is elsewhere, and is in the settings (control)",
        "refused until it is; then it works",
    );
    Ok(())
}
