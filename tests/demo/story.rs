//! What is told: each step does something, says what it shows, and fails if it came out otherwise.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use playground::{AttackerApi, Endpoint, Fault, Seed};
use serde_json::Value;

use crate::stage::{Stage, TOKEN_SECONDS, Visitor};
use crate::teller::Teller;

/// How many kubectls start at one instant.
const CROWD: usize = 100;

/// The whole walk-through.
pub(crate) async fn tell(teller: &mut Teller, stage: &Stage) -> Result<()> {
    opening(teller, stage);
    kubeconfig(teller, stage)?;
    bad_token(teller, stage).await?;
    sign_in(teller, stage).await?;
    forbidden(teller, stage).await?;
    expiry(teller, stage).await?;
    revoked(teller, stage).await?;
    crowd(teller, stage).await?;
    hostile(teller, stage).await?;
    overview(teller, stage).await?;
    sign_out(teller, stage).await
}

/// What the person can do by themselves now.
pub(crate) fn invite(teller: &Teller, stage: &Stage) {
    teller.note("");
    teller.title("Your turn");
    teller.note("Everything still runs. In another terminal:\n");
    let typed = typed_elsewhere(stage);
    teller.said(&format!("{typed} kubectl fob login"));
    teller.said(&format!("{typed} kubectl get namespaces"));
    teller.note(match stage.visitor {
        Visitor::Themselves => "\nAt the provider you are `test`, with the password `test`.",
        Visitor::Script { .. } => "\nA script signs in in your place.",
    });
    teller.note("Press Enter here to end it.");
}

fn opening(teller: &Teller, stage: &Stage) {
    teller.title("Kubefob: sign in once, and kubectl keeps working");
    teller.note(&format!(
        "\nA playground on this computer stands in for a company: an OpenID Provider ({}),
and a Kubernetes API ({}).
The provider's tokens live {TOKEN_SECONDS} seconds, so that an hour passes quickly.
Kubefob, kubectl and their files are in {}, which is
removed at the end. Your own kubeconfig, keyring and Kubefob are not touched.",
        stage.playground.issuer(),
        stage.playground.kube_url(),
        stage.person.root().display(),
    ));
    teller.note(match stage.visitor {
        Visitor::Themselves => {
            "\nYour browser will open. Sign in there as `test`, with the password `test`."
        }
        Visitor::Script { .. } => {
            "\nA script stands in for your browser; it signs in as `test`, and what it sees is told."
        }
    });
    teller.note("\nWhile this runs, you can use the same from another terminal:\n");
    teller.said(&format!(
        "{} kubectl get namespaces",
        typed_elsewhere(stage)
    ));
}

/// The variables in front of a command in a terminal that is not the demo's.
fn typed_elsewhere(stage: &Stage) -> String {
    let person = &stage.person;
    format!(
        "KUBECONFIG={} KUBEFOB_HOME={} PATH={}:$PATH",
        person.home.join(".kube/config").display(),
        person.instance.display(),
        person.path().display()
    )
}

fn kubeconfig(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "The kubeconfig that a new colleague is handed",
        "It was written for kubelogin, and is used as it is: only its placeholders are filled in.",
    );
    teller.typed("cat ~/.kube/config");
    let text = fs::read_to_string(stage.person.home.join(".kube/config"))?;
    for line in text.lines() {
        match line.split_once("certificate-authority-data: ") {
            Some((before, data)) => teller.said(&format!(
                "{before}certificate-authority-data: {}...",
                data.get(..12).unwrap_or(data)
            )),
            None => teller.said(line),
        }
    }
    teller.shows(
        "kubectl runs `kubectl oidc-login get-token …` whenever it needs a token.
Kubefob answers to that name.",
    );
    Ok(())
}

async fn bad_token(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Without a sign-in: 401",
        "A kubeconfig with a made-up token in the place of that command.",
    );
    let text = stage.playground.kubeconfig_with_token("a.bad.token");
    fs::write(stage.person.home.join("bad-token.yaml"), text)?;
    let said = stage
        .run(
            teller,
            "kubectl --kubeconfig=bad-token.yaml get --raw=/api/v1/namespaces/default",
        )
        .await?;
    ensure!(
        !said.ok && said.err.contains("Unauthorized"),
        "a bad token is not refused by a 401"
    );
    teller.shows(
        "Kubernetes keeps no users of its own: it takes the provider's tokens and no other.",
    );
    Ok(())
}

async fn sign_in(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "The first command: the browser opens, once",
        "Nobody is signed in and nothing runs yet. kubectl asks Kubefob, which starts itself,
opens the browser at the provider's own login page, and waits.",
    );
    let said = stage.run(teller, "kubectl get namespaces").await?;
    stage.pages(teller)?;
    ensure!(
        said.ok && said.out.contains("default"),
        "the first command does not work:\n{}",
        stage.person.log()
    );
    ensure!(
        sign_ins(stage) == 1,
        "not one sign-in, but {}",
        sign_ins(stage)
    );
    let said = stage.run(teller, "kubectl get namespaces").await?;
    ensure!(
        said.ok && sign_ins(stage) == 1,
        "the second command does not work"
    );
    teller.shows("One sign-in. The second command had its token at once.");
    Ok(())
}

async fn forbidden(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Who you are there, and what you may not do: 403",
        "The cluster knows you by the token's `preferred_username` and `groups`.",
    );
    let said = stage.run(teller, "kubectl auth whoami").await?;
    ensure!(
        said.ok && said.out.contains("kubernetes:admin"),
        "the cluster does not know the groups"
    );
    let said = stage.run(teller, "kubectl get nodes").await?;
    ensure!(
        !said.ok
            && said
                .err
                .contains(r#"User "test" cannot list resource "nodes""#),
        "reading nodes is not forbidden"
    );
    teller.shows(
        "You are signed in, and the cluster's administrator has not allowed it: no sign-in helps,
and Kubefob opens none.",
    );
    Ok(())
}

async fn expiry(teller: &mut Teller, stage: &Stage) -> Result<()> {
    let account = stage.account().await?;
    let ends = expires(&account)?;
    teller.step(
        "The token runs out, and nobody notices",
        &format!(
            "It ends in {} seconds. Kubefob exchanges it for a new one before that, by itself.",
            (ends - now()).max(0) / 1000
        ),
    );
    let refreshes = stage.playground.counters().refreshes;
    pass(ends).await;
    let said = stage.run(teller, "kubectl get namespaces").await?;
    ensure!(said.ok, "it does not work after the token's end");
    let refreshed = stage.playground.counters().refreshes - refreshes;
    ensure!(refreshed > 0, "nothing was renewed");
    ensure!(sign_ins(stage) == 1, "there was a second sign-in");
    stage.run(teller, "kubectl fob status").await?;
    teller.shows(&format!(
        "The first token is over. The provider was asked for a new one {refreshed} time(s) meanwhile,
and the browser stayed shut."
    ));
    Ok(())
}

async fn revoked(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Your session is ended at the provider",
        "An administrator revokes it. The next exchange is refused, and Kubefob says so.",
    );
    let fault = Fault::RevokedSessions { user: None };
    stage.playground.fault(fault).await?;
    let account = stage
        .until("the end is noticed", |account| {
            account["state"] == "needs-you"
        })
        .await?;
    ensure!(
        account["problem"]["code"] == "session-ended",
        "another reason is told: {account:#}"
    );
    stage.run(teller, "kubectl fob status").await?;
    teller.note("\nNo browser has opened for it. The next command asks for one sign-in:");
    let said = stage.run(teller, "kubectl get namespaces").await?;
    stage.pages(teller)?;
    ensure!(
        said.ok,
        "it does not work after a new sign-in:\n{}",
        stage.person.log()
    );
    ensure!(
        sign_ins(stage) == 2,
        "not two sign-ins, but {}",
        sign_ins(stage)
    );
    teller.shows("You are told who ended it, and one page is opened when you come to work on.");
    Ok(())
}

async fn crowd(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "A hundred kubectls at once, with a token that is over",
        "Kubefob itself is ended, as at a logout. When its token has run out, a hundred kubectls
start at one instant.",
    );
    let ends = expires(&stage.account().await?)?;
    let resident = stage.person.resident().context("no resident")?;
    teller.typed(&format!("kill {resident}"));
    stage.person.end_resident("TERM")?;
    pass(ends).await;
    // None of it is to run out while a slow machine still starts them.
    stage.playground.set_token_seconds(300);
    let before = token_requests(stage);
    teller.typed(&format!(
        "for i in $(seq {CROWD}); do kubectl get namespaces > /dev/null & done; wait"
    ));
    let begun = Instant::now();
    let (well, wrong) = stage.crowd("kubectl get namespaces", CROWD).await?;
    let took = begun.elapsed().as_secs_f64();
    teller.said(&format!("({took:.1} s)"));
    let (requests, residents) = (
        token_requests(stage) - before,
        stage.person.residents().len(),
    );
    ensure!(
        well == CROWD,
        "{well} of {CROWD} worked; one said: {}",
        wrong.unwrap_or_default()
    );
    ensure!(requests == 1, "the provider saw {requests} token requests");
    ensure!(residents == 1, "{residents} Kubefobs run");
    ensure!(sign_ins(stage) == 2, "there was another sign-in");
    teller.shows(&format!(
        "{well} of {CROWD} worked. One Kubefob was started, the session came back from disk, and the
provider saw {requests} request for a token."
    ));
    Ok(())
}

async fn hostile(teller: &mut Teller, stage: &Stage) -> Result<()> {
    let attacker = AttackerApi::start().await?;
    let addresses = stage.playground.addresses();
    let seed = Seed {
        ca_pem: attacker.ca_pem(),
        server: attacker.url(),
        issuer: &addresses.issuer,
        client_id: &addresses.client_id,
        client_secret: addresses.client_secret.as_deref(),
    };
    fs::write(
        stage.person.home.join("from-a-stranger.yaml"),
        seed.kubeconfig(&[]),
    )?;
    teller.step(
        "A kubeconfig from a stranger",
        &format!(
            "The same provider and client, but the server is theirs ({}): whoever runs it
would collect your token, and be you at the cluster.",
            attacker.url()
        ),
    );
    teller.note(match stage.visitor {
        Visitor::Themselves => "You are asked in the browser. Answer \"Don't allow\".",
        Visitor::Script { .. } => {
            "You are asked in the browser; the script answers \"Don't allow\"."
        }
    });
    let said = stage
        .run(
            teller,
            "kubectl --kubeconfig=from-a-stranger.yaml get --raw=/api/v1/namespaces",
        )
        .await?;
    stage.pages(teller)?;
    ensure!(!said.ok, "the stranger's server was let in");
    ensure!(
        !attacker.saw_authorization(),
        "the stranger's server saw a token"
    );
    teller.shows(
        "A server that was not in your kubeconfig when Kubefob first started gets no token unseen.
This one saw none.",
    );
    Ok(())
}

async fn overview(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "What Kubefob knows",
        "All of it from the terminal; each takes --json.",
    );
    let said = stage.run(teller, "kubectl fob accounts").await?;
    ensure!(said.ok, "the accounts are not told");
    let said = stage.run(teller, "kubectl fob trusts").await?;
    ensure!(
        said.ok && said.out.contains(stage.playground.kube_url()),
        "the cluster is not among the trusted servers"
    );
    teller.shows("One account, whatever asks; and which servers may have its tokens.");
    Ok(())
}

async fn sign_out(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Signing out",
        "Tokens end here and at the provider; with --everywhere its own session, too.",
    );
    let said = stage.run(teller, "kubectl fob logout --everywhere").await?;
    ensure!(said.ok, "it does not sign out");
    ensure!(
        stage.playground.sessions() == 0,
        "the provider's session lives on"
    );
    let said = stage.run(teller, "kubectl get namespaces").await?;
    ensure!(
        !said.ok && said.err.contains("[signed-out]"),
        "it works after the sign-out, or says something else"
    );
    ensure!(sign_ins(stage) == 2, "a page opened by itself");
    teller.shows("Signed out means signed out: no page opens until you ask for one.");
    Ok(())
}

fn sign_ins(stage: &Stage) -> u64 {
    stage.playground.counters().sign_ins
}

fn token_requests(stage: &Stage) -> u64 {
    let counters = stage.playground.counters();
    counters.requests_at(Endpoint::Token) + counters.requests_at(Endpoint::Refresh)
}

/// When the account's token ends, in milliseconds since 1970.
fn expires(account: &Value) -> Result<i64> {
    account["expires"]
        .as_i64()
        .with_context(|| format!("the account has no token: {account:#}"))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Until a moment has passed.
async fn pass(moment: i64) {
    let left = u64::try_from(moment - now()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(left + 100)).await;
}
