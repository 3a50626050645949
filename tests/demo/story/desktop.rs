//! The steps that happen in tray and window. A click in the tray is one by its host's bus, one in the window a
//! driver's.

use std::fs;

use anyhow::{Context, Result, ensure};
use playground::{AttackerApi, Fault, Seed};
use tokio::task::block_in_place;
use world::driver::Locator;
use world::item::Item;
use world::person::Said;

use super::sign_ins;
use crate::stage::{PRODUCTION, Stage};
use crate::teller::Teller;

pub(super) async fn opened(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Kubefob is opened",
        "As its entry among the applications does: it comes up in the tray, and its window with it.",
    );
    drop(stage.start(teller, "kubefob")?);
    stage.desk.hold()?;
    stage.desk.with_page(|page| page.until("Sign in"))?;
    until_tray(stage, "signed out")?;
    stage.desk.picture(teller, "first-screen")?;
    menu(teller, &item(stage)?)?;
    teller.shows(
        "It found what the kubeconfig has for kubelogin. Nobody is signed in yet, and the one thing to do
is a button.",
    );
    Ok(())
}

pub(super) async fn sign_in(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Signing in: a click in the window",
        "The browser opens at the provider's own login page. The window waits for nothing: it shows what happens.",
    );
    teller.clicked("window", "Sign in");
    stage.desk.with_page(|page| page.click("Sign in"))?;
    let account = stage
        .until("somebody is signed in", |account| {
            account["state"] == "signed-in"
        })
        .await?;
    stage.pages(teller)?;
    ensure!(account["name"] == "test", "somebody else: {account:#}");
    ensure!(
        sign_ins(stage) == 1,
        "not one sign-in, but {}",
        sign_ins(stage)
    );
    stage
        .desk
        .with_page(|page| page.until("renews by itself"))?;
    until_tray(stage, "test · signed in")?;
    stage.desk.picture(teller, "signed-in")?;
    teller.said(&format!(
        "tray: {}",
        block_in_place(|| item(stage)?.tooltip())?
    ));
    teller.shows(
        "The window says who, and that it renews by itself; the key in the tray is filled. No token is in
the window: it shows what Kubefob tells it.",
    );
    Ok(())
}

pub(super) async fn switch(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Another context: a click in the tray",
        "The menu has the contexts of ~/.kube/config, and a mark at the current one.",
    );
    let file = stage.person.home.join(".kube/config");
    let before = fs::read_to_string(&file)?;
    let tray = item(stage)?;
    menu(teller, &tray)?;
    teller.clicked("tray", PRODUCTION);
    block_in_place(|| {
        tray.click(PRODUCTION)?;
        tray.until("the switch", |tray| {
            let menu = tray.menu()?;
            Ok(menu.iter().any(|it| it.marked && it.label == PRODUCTION))
        })
    })?;
    let said = stage.run(teller, "kubectl config current-context").await?;
    ensure!(said.out.trim() == PRODUCTION, "kubectl sees another one");
    stage.desk.with_page(|page| {
        page.click_at(Locator::Css("a[href='#contexts']"))?;
        page.until_so("the switch", |text| {
            text.contains("Current in") && text.contains(PRODUCTION)
        })
    })?;
    stage.desk.picture(teller, "switched")?;
    let after = fs::read_to_string(&file)?;
    let changed: Vec<_> = before
        .lines()
        .zip(after.lines())
        .filter(|(before, after)| before != after)
        .collect();
    ensure!(
        before.lines().count() == after.lines().count() && changed.len() == 1,
        "more than one line is another: {changed:?}"
    );
    for (before, after) in changed {
        teller.said(&format!("- {before}"));
        teller.said(&format!("+ {after}"));
    }
    teller
        .shows("kubectl and the window see it at once. Of the whole file, one value was changed.");
    Ok(())
}

pub(super) async fn revoked(teller: &mut Teller, stage: &Stage) -> Result<()> {
    teller.step(
        "Your session is ended at the provider",
        "An administrator revokes it. The next exchange is refused, and Kubefob says so, once.",
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
    stage.desk.with_page(|page| {
        page.click_at(Locator::Css("a[href='#accounts']"))?;
        page.until("The provider ended this session")
    })?;
    until_tray(stage, "needs you")?;
    if let Some(line) = stage.desk.notified("needs you")? {
        teller.said(&format!("notification: {line}"));
    }
    stage.desk.picture(teller, "needs-you")?;
    stage.run(teller, "kubectl fob status").await?;
    teller.note("\nNo browser has opened for it. Signing in again, this time from the tray:");
    teller.clicked("tray", "Sign in");
    block_in_place(|| item(stage)?.click("Sign in"))?;
    stage
        .until("somebody is signed in", |account| {
            account["state"] == "signed-in"
        })
        .await?;
    stage.pages(teller)?;
    ensure!(
        sign_ins(stage) == 2,
        "not two sign-ins, but {}",
        sign_ins(stage)
    );
    until_tray(stage, "test · signed in")?;
    stage.desk.picture(teller, "signed-in-again")?;
    teller.shows("You are told who ended it and what to do, in the tray, in the window and by one notification.");
    Ok(())
}

pub(super) async fn stranger(teller: &mut Teller, stage: &Stage) -> Result<()> {
    const FILE: &str = "from-a-stranger.yaml";
    let attacker = AttackerApi::start().await?;
    let addresses = stage.playground.addresses();
    let seed = Seed {
        ca_pem: attacker.ca_pem(),
        server: attacker.url(),
        issuer: &addresses.issuer,
        client_id: &addresses.client_id,
        client_secret: addresses.client_secret.as_deref(),
    };
    fs::write(stage.person.home.join(FILE), seed.kubeconfig(&[]))?;
    teller.step(
        "A kubeconfig from a stranger",
        &format!(
            "The same provider and client, but the server is theirs ({}): whoever runs it
would collect your token, and be you at the cluster. kubectl waits, and a window asks you.",
            attacker.url()
        ),
    );
    stage.desk.close(&stage.person).await?;
    let typed = format!("kubectl --kubeconfig={FILE} get --raw=/api/v1/namespaces");
    let waiting = stage.start(teller, &typed)?;
    stage.desk.hold()?;
    stage.desk.with_page(|page| page.until(FILE))?;
    stage.desk.picture(teller, "question")?;
    ensure!(!attacker.saw_authorization(), "a token went before a yes");
    teller.clicked("window", "Don’t allow");
    stage.desk.with_page(|page| page.click("Don’t allow"))?;
    let said = said(waiting).await?;
    for line in said.err.lines() {
        teller.said(line);
    }
    ensure!(
        !said.ok && said.err.contains("[trust-refused]"),
        "the stranger's server was let in"
    );
    ensure!(
        !attacker.saw_authorization(),
        "the stranger's server saw a token"
    );
    stage.desk.let_go();
    teller.shows(
        "A server that was not in your kubeconfig when Kubefob first started gets no token unseen.
This one saw none.",
    );
    Ok(())
}

/// Waits for the tooltip.
pub(super) fn until_tray(stage: &Stage, words: &str) -> Result<()> {
    block_in_place(|| item(stage)?.until(words, |tray| Ok(tray.tooltip()?.contains(words))))
}

fn item(stage: &Stage) -> Result<Item> {
    stage.desk.item(&stage.person)
}

fn menu(teller: &Teller, tray: &Item) -> Result<()> {
    teller.note("\nThe menu in the tray:\n");
    for line in block_in_place(|| tray.menu())? {
        let mark = if line.marked { "(x) " } else { "" };
        teller.said(&format!("{mark}{}", line.label));
    }
    Ok(())
}

async fn said(child: tokio::process::Child) -> Result<Said> {
    let output = child.wait_with_output().await.context("kubectl")?;
    world::person::said(output)
}
