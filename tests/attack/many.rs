//! Threat 21: a person who has signed in to more than anybody has. What one of them costs, the next costs too.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::scene::{ONE_REQUEST, Scene, Seat, exec};
use crate::table::Table;

/// How many accounts are signed in where nothing else is said.
const ACCOUNTS: usize = 40;
/// Says how many: 2,000 take a quarter of an hour.
const HOW_MANY: &str = "KUBEFOB_ACCOUNTS";

fn wanted() -> Result<usize> {
    match std::env::var(HOW_MANY) {
        Ok(count) => count.parse().with_context(|| format!("{HOW_MANY}={count}")),
        Err(_) => Ok(ACCOUNTS),
    }
}

/// One server, and a user for each account: they differ by a scope.
fn kubeconfig(scene: &Scene, count: usize) -> Value {
    let users: Vec<Value> = (0..count)
        .map(|number| {
            let mut flags = scene.flags();
            flags.push(format!("--oidc-extra-scope=s{number}"));
            json!({ "name": name(number), "user": { "exec": exec("kubectl", &flags) } })
        })
        .collect();
    let contexts: Vec<Value> = (0..count)
        .map(|number| {
            let context = json!({ "cluster": "own", "user": name(number) });
            json!({ "name": name(number), "context": context })
        })
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "own", "cluster": scene.own_server() }],
        "users": users,
        "contexts": contexts,
        "current-context": name(0),
    })
}

fn name(number: usize) -> String {
    format!("account-{number}")
}

fn ask(scene: &Scene, number: usize) -> Result<()> {
    let context = format!("--context={}", name(number));
    let said = scene
        .person
        .kubectl(&[&[context.as_str()], ONE_REQUEST].concat())?;
    ensure!(
        said.ok && said.out.contains("NamespaceList"),
        "{context}: {said:?}\n{}",
        scene.person.log()
    );
    Ok(())
}

/// Accounts by the hundred, each signed in, over a restart.
pub(crate) async fn accounts(table: &Table) -> Result<()> {
    let count = wanted()?;
    let scene = Scene::set(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene
        .person
        .kubeconfig(&kubeconfig(&scene, count).to_string())?;
    for number in 0..count {
        ask(&scene, number)?;
    }
    let sign_ins = scene.playground.counters().sign_ins;
    ensure!(sign_ins == u64::try_from(count)?, "{sign_ins} sign-ins");

    scene.person.end_resident("TERM")?;
    let begun = Instant::now();
    ask(&scene, 0)?;
    let first = begun.elapsed();
    for number in 0..count {
        ask(&scene, number)?;
    }
    let each = begun.elapsed() / u32::try_from(count + 1)?;
    let status = scene.person.fob(&["status"])?;
    let signed_in = status["accounts"].as_array().map_or(0, |accounts| {
        let signed_in = |account: &&Value| account["state"] == "signed-in";
        accounts.iter().filter(signed_in).count()
    });
    ensure!(signed_in == count, "{signed_in} of {count}");
    let again = scene.playground.counters().sign_ins;
    ensure!(again == sign_ins, "signed in anew: {again}");
    let resident = scene.person.resident().context("no resident")?;
    println!(
        "{count} accounts: the first ask after a start {first:.1?}, each {each:.1?}, {}",
        memory(resident)?
    );
    table.row(
        21,
        format!("{count} accounts are signed in, and the resident is started anew"),
        "each has its token, and nobody signs in twice",
    );
    Ok(())
}

/// What the kernel says that a process has of memory.
fn memory(pid: u32) -> Result<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with("VmRSS"));
    Ok(line.context("no memory")?.to_owned())
}
