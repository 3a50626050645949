//! What is trusted without a question: the person's own kubeconfig, at the first start, and nothing
//! else.

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;

use super::pairs::with_kubeconfig;
use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// Trusted in bulk, shown, and taken back.
pub(crate) async fn bulk(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    ensure!(scene.questions()?.is_empty(), "{:?}", scene.questions()?);
    let trusts = scene.person.fob(&["trusts"])?;
    let [trust] = trusts.as_array().context("a list")?.as_slice() else {
        anyhow::bail!("one pair: {trusts:#}");
    };
    ensure!(
        trust["server"] == scene.playground.kube_url() && trust["by"] == "first-start",
        "{trust:#}"
    );
    let name = trust["name"].as_str().context("its name")?;
    let served = scene.served();
    scene.person.fob(&["untrust", name])?;
    let said = scene.person.kubectl(ONE_REQUEST)?;
    ensure!(!said.ok && said.err.contains("[trust-refused"), "{said:?}");
    let asked = scene.questions()?;
    ensure!(asked.len() == 1, "{asked:?}");
    ensure!(scene.served() == served, "a token went out");
    let trusts = scene.person.fob(&["trusts"])?;
    ensure!(trusts.as_array().is_some_and(Vec::is_empty), "{trusts:#}");
    table.row(
        1,
        "the pair of the first start, after kubectl fob untrust",
        "is asked about like any other; no token",
    );
    Ok(())
}

/// The resident's very first start, by a shell that a cloned repository has told of a KUBECONFIG.
pub(crate) async fn cold_start(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let servers = [("prod", attackers(&attacker))];
    let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let file = scene.hostile("cloned", &file)?;
    let said = with_kubeconfig(&scene, &file)?;
    ensure!(!said.ok && said.err.contains("[trust-refused"), "{said:?}");
    let asked = scene.questions()?;
    ensure!(
        asked.len() == 1 && asked[0].contains(attacker.url()),
        "{asked:?}"
    );
    let counters = scene.playground.counters();
    ensure!(
        counters.logins_shown == 0 && counters.codes == 0,
        "nobody was sent to the provider: {counters:?}"
    );
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    let trusts = scene.person.fob(&["trusts"])?.to_string();
    ensure!(
        !trusts.contains(attacker.url()) && trusts.contains(scene.playground.kube_url()),
        "{trusts}"
    );
    table.row(
        1,
        "the first start of all is in a direnv-like shell",
        "~/.kube/config alone is trusted in bulk; the other is asked about",
    );
    Ok(())
}
