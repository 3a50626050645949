//! What is told: each step does something, says what it shows, and fails if it came out otherwise.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use playground::Endpoint;
use serde_json::Value;

use crate::stage::{Stage, TOKEN_SECONDS, Visitor};
use crate::teller::Teller;

mod desktop;

/// How many kubectls start at one instant.
const CROWD: usize = 100;

/// The whole walk-through.
pub(crate) async fn tell(teller: &mut Teller, stage: &Stage) -> Result<()> {
    opening(teller, stage);
    kubeconfig(teller, stage)?;
    desktop::opened(teller, stage).await?;
    desktop::sign_in(teller, stage).await?;
    kubectl_works(teller, stage).await?;
    desktop::switch(teller, stage).await?;
    expiry(teller, stage).await?;
    desktop::revoked(teller, stage).await?;
    crowd(teller, stage).await?;
    desktop::stranger(teller, stage).await?;
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
removed at the end. Your own kubeconfig, keyring and Kubefob are not touched.
Pictures of each step are left in
{}",
        stage.playground.issuer(),
        stage.playground.kube_url(),
        stage.person.root().display(),
        stage.desk.pictures().display(),
    ));
    teller.note(match stage.visitor {
        Visitor::Themselves => {
            "\nWindow and tray are on your own desktop, and your browser will open: sign in there as `test`,
with the password `test`. All other clicks are made for you."
        }
        Visitor::Script { .. } => {
            "\nThe desktop is one that nobody looks at: a screen without a monitor, with a panel, a keyring
and a notification server. A script stands in for your browser, and what it sees is told."
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

async fn kubectl_works(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "kubectl works",
        "It asks Kubefob for a token at every command. The cluster knows you by the token's claims.",
    );
    let said = stage.run(teller, "kubectl get namespaces").await?;
    ensure!(
        said.ok && said.out.contains("default"),
        "the first command does not work:\n{}",
        stage.person.log()
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
    ensure!(sign_ins(stage) == 1, "there was a second sign-in");
    teller.shows(
        "One sign-in for all of them. The last one is forbidden by the cluster's administrator: no
sign-in helps there, and Kubefob opens none.",
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

async fn crowd(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "A hundred kubectls at once, with a token that is over",
        "Kubefob itself is ended, as at a logout; its window stays. When its token has run out, a
hundred kubectls start at one instant.",
    );
    let ends = expires(&stage.account().await?)?;
    let resident = stage.person.resident().context("no resident")?;
    teller.typed(&format!("kill {resident}"));
    stage.person.end_resident("TERM")?;
    stage
        .desk
        .with_page(|page| page.until("Kubefob is not running"))?;
    stage.desk.picture(teller, "kubefob-is-gone")?;
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
    stage.desk.with_page(|page| {
        page.until_so("the resident again", |text| {
            !text.contains("Kubefob is not running")
        })
    })?;
    teller.shows(&format!(
        "{well} of {CROWD} worked. One Kubefob was started, the session came back from disk, and the
provider saw {requests} request for a token. The window said that Kubefob was gone, and that it is back."
    ));
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
    desktop::until_tray(stage, "signed out")?;
    stage.desk.picture(teller, "signed-out")?;
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
