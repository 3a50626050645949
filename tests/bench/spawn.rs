//! Programs started over and over, by turns: the shim, /bin/true, kubelogin.

use std::env;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use world::person::Person;
use world::statistics::minimum;

use crate::ground::Ground;
use crate::row::{Goal, Row};

/// Interleaved spawns of each program.
const SPAWNS: u32 = 1_000;
/// Of kubelogin, which takes a while.
const SPAWNS_OF_KUBELOGIN: u32 = 100;

const EXEC_INFO: &str = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}}"#;

/// What a process with the person's environment shall start by turns.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    programs: Vec<Vec<String>>,
    spawns: u32,
}

/// The shim against the least that a process costs.
pub(crate) fn shim(ground: &Ground) -> Result<Vec<Row>> {
    let figures = by_turns(ground, vec![shim_program(ground), bin_true()], SPAWNS)?;
    let [shim, least] = minima(&figures)?;
    let how = format!(
        "minima of {SPAWNS} interleaved spawns: {:.0} µs and {:.0} µs; the resident answers each \
         time, asked as by kubectl for the seed's form; never above 1.0{}",
        micros(shim),
        micros(least),
        if shim > least { ", WHICH THIS IS" } else { "" },
    );
    let ratio = shim / least;
    Ok(vec![Row::new(
        "shim ÷ /bin/true",
        (ratio, "×"),
        Goal::Most(0.8),
        how,
    )])
}

/// The shim against another build's, both asking the same resident.
pub(crate) fn shims(
    ground: &Ground,
    name: &'static str,
    goal: Goal,
    theirs: &Person,
) -> Result<Row> {
    let mut other = shim_program(ground);
    other[0] = shim_of(theirs);
    let figures = by_turns(ground, vec![shim_program(ground), other], SPAWNS)?;
    let [ours, theirs] = minima(&figures)?;
    let (first, second) = (micros(ours), micros(theirs));
    let how = format!("minima of {SPAWNS} interleaved spawns: {first:.0} µs and {second:.0} µs");
    Ok(Row::new(name, (ours / theirs, "×"), goal, how))
}

/// kubelogin, its token cached, against the shim.
pub(crate) fn kubelogin(ground: &Ground) -> Result<Vec<Row>> {
    const NAME: &str = "kubelogin's cached get-token ÷ shim";
    let goal = Goal::Least(7.0);
    let Some(kubelogin) = signed_in_kubelogin(ground)? else {
        return Ok(vec![Row::skipped(NAME, goal, NO_KUBELOGIN)]);
    };
    let mut theirs = vec![kubelogin.display().to_string(), "get-token".to_owned()];
    theirs.extend(ground.flags());
    let programs = vec![theirs, shim_program(ground)];
    let figures = by_turns(ground, programs, SPAWNS_OF_KUBELOGIN)?;
    let [theirs, ours] = minima(&figures)?;
    let how = format!(
        "minima of {SPAWNS_OF_KUBELOGIN} interleaved spawns: {:.1} ms and {:.0} µs",
        theirs * 1e3,
        micros(ours)
    );
    Ok(vec![Row::new(NAME, (theirs / ours, "×"), goal, how)])
}

pub(crate) const NO_KUBELOGIN: &str = "KUBELOGIN names no binary of kubelogin";

/// The binary that KUBELOGIN names, with a token in its cache.
pub(crate) fn signed_in_kubelogin(ground: &Ground) -> Result<Option<PathBuf>> {
    let Some(kubelogin) = env::var_os("KUBELOGIN").map(PathBuf::from) else {
        return Ok(None);
    };
    let kubelogin = kubelogin
        .canonicalize()
        .context("the binary that KUBELOGIN names")?;
    let output = ground
        .person
        .command(kubelogin.to_str().context("a path that is no text")?)
        .arg("get-token")
        .args(ground.flags())
        .arg("--browser-command")
        .arg(ground.launcher()?)
        .output()?;
    ensure!(
        output.status.success(),
        "kubelogin: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(Some(kubelogin))
}

fn shim_program(ground: &Ground) -> Vec<String> {
    [shim_of(&ground.person), "get-token".to_owned()]
        .into_iter()
        .chain(ground.flags())
        .collect()
}

fn shim_of(person: &Person) -> String {
    let shim = person.command("kubectl-oidc_login");
    shim.get_program().to_string_lossy().into_owned()
}

fn bin_true() -> Vec<String> {
    vec!["/bin/true".to_owned()]
}

/// Seconds of each spawn of each program.
fn by_turns(ground: &Ground, programs: Vec<Vec<String>>, spawns: u32) -> Result<Vec<Vec<f64>>> {
    let task = Task { programs, spawns };
    // Their parent is the one who asks, and its environment is the person's.
    let output = ground.part("spawner", &json!(task))?.output()?;
    ensure!(
        output.status.success(),
        "the spawner: {}\n{}",
        String::from_utf8_lossy(&output.stderr),
        ground.person.log()
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The part `spawner`.
pub(crate) fn spawner(task: &Task) -> Result<()> {
    for program in &task.programs {
        let mut command = command(program)?;
        let output = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()?;
        let answered = String::from_utf8_lossy(&output.stdout).contains("\"token\"");
        ensure!(
            output.status.success() && (answered || *program == bin_true()),
            "{program:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let mut figures = vec![Vec::new(); task.programs.len()];
    for _ in 0..task.spawns {
        for (program, figures) in task.programs.iter().zip(&mut figures) {
            let mut command = command(program)?;
            let begun = Instant::now();
            let status = command.status()?;
            figures.push(begun.elapsed().as_secs_f64());
            ensure!(status.success(), "{program:?}: {status}");
        }
    }
    println!("{}", json!(figures));
    Ok(())
}

fn command(program: &[String]) -> Result<Command> {
    let (name, arguments) = program.split_first().context("no program")?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .env("KUBERNETES_EXEC_INFO", EXEC_INFO)
        .stdin(null.try_clone()?)
        .stdout(null.try_clone()?)
        .stderr(null);
    Ok(command)
}

fn minima(figures: &[Vec<f64>]) -> Result<[f64; 2]> {
    let minima: Option<Vec<f64>> = figures.iter().map(|figures| minimum(figures)).collect();
    let minima = minima.context("nothing was measured")?;
    minima.try_into().ok().context("two programs")
}

fn micros(seconds: f64) -> f64 {
    seconds * 1e6
}
