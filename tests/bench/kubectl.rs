//! Whole kubectl commands, in pairs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use world::person::Person;
use world::statistics::{median, median_interval};

use crate::ground::Ground;
use crate::row::{Goal, Row};
use crate::spawn;

/// How narrow a median's interval must be, as a share of it.
const NARROW: f64 = 0.01;
/// How long pairs are run at most.
const CAP: Duration = Duration::from_secs(150);
/// For what is only stated.
const STATED: Duration = Duration::from_secs(20);

/// What a token by the shim costs a whole command, against one that stands in the kubeconfig.
pub(crate) fn shim(ground: &Ground) -> Result<Vec<Row>> {
    let goal = Goal::Most(1.02);
    let fixed = ground.with_token()?;
    let named = ground.with_cluster_info()?;
    let by_file = |file: &Path| {
        let file = file.to_owned();
        move || with_kubeconfig(get_namespaces(ground), &file)
    };
    let mut rows = Vec::new();
    let pairs = Pairs::run(by_file(&named), by_file(&fixed), Until::Narrow(CAP))?;
    rows.push(pairs.row("kubectl: provideClusterInfo ÷ static token", goal, ""));
    let pairs = Pairs::run(
        || get_namespaces(ground),
        by_file(&fixed),
        Until::Narrow(CAP),
    )?;
    let why = "; this form has kubectl start a second kubectl, whatever the plugin";
    rows.push(pairs.row("kubectl: the seed's form ÷ static token", goal, why));
    // What of that is the second kubectl: the plugin prints a file, and asks nobody.
    let printer = printer(ground, &fixed)?;
    let path = ground.folder_with("printer", &printer)?;
    let pairs = Pairs::run(
        || get_namespaces(ground),
        || with_path(get_namespaces(ground), &path),
        Until::Narrow(CAP),
    )?;
    let why = "; the plugin there is a shell script that prints a credential";
    rows.push(pairs.row(
        "kubectl: the seed's form ÷ same, nobody asked",
        Goal::None,
        why,
    ));
    Ok(rows)
}

/// kubelogin against the shim in the seed's form.
pub(crate) fn kubelogin(ground: &Ground) -> Result<Vec<Row>> {
    const NAME: &str = "kubectl: the seed's form, kubelogin ÷ ours";
    let Some(kubelogin) = spawn::signed_in_kubelogin(ground)? else {
        return Ok(vec![Row::skipped(NAME, Goal::None, spawn::NO_KUBELOGIN)]);
    };
    let path = ground.folder_with("kubelogin", &kubelogin)?;
    let pairs = Pairs::run(
        || with_path(get_namespaces(ground), &path),
        || get_namespaces(ground),
        Until::Narrow(STATED),
    )?;
    Ok(vec![pairs.row(
        NAME,
        Goal::None,
        "; kubelogin's token is in its cache",
    )])
}

/// One person's against another's, who has another build's programs.
pub(crate) fn against(name: &'static str, goal: Goal, one: &Person, other: &Person) -> Result<Row> {
    let pairs = Pairs::run(
        || of_namespaces(one),
        || of_namespaces(other),
        Until::Pairs(300),
    )?;
    Ok(pairs.row(name, goal, ""))
}

fn get_namespaces(ground: &Ground) -> Command {
    of_namespaces(&ground.person)
}

fn of_namespaces(person: &Person) -> Command {
    let mut command = person.command("kubectl");
    command.args(["get", "ns", "-o", "name"]);
    command
}

fn with_kubeconfig(mut command: Command, file: &Path) -> Command {
    command.env("KUBECONFIG", file);
    command
}

fn with_path(mut command: Command, folder: &Path) -> Command {
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    command
}

/// A plugin that prints the token of a kubeconfig, for an hour.
fn printer(ground: &Ground, kubeconfig: &Path) -> Result<std::path::PathBuf> {
    let text = fs::read_to_string(kubeconfig)?;
    let token = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("token: "))
        .context("no token in the kubeconfig")?
        .trim_matches(|quote| quote == '"' || quote == '\'');
    let path = ground.folder.join("print-credential");
    let credential = format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{{"token":"{token}"}}}}"#
    );
    fs::write(&path, format!("#!/bin/sh\necho '{credential}'\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(path)
}

/// When it is enough.
#[derive(Clone, Copy)]
enum Until {
    /// The median's interval is narrow, or so much time has passed.
    Narrow(Duration),
    /// There are so many pairs.
    Pairs(usize),
}

/// Two commands, run by turns.
struct Pairs {
    ratios: Vec<f64>,
    seconds: [f64; 2],
    interval: Option<(f64, f64)>,
    took: Duration,
    until: Until,
}

impl Pairs {
    fn run(one: impl Fn() -> Command, other: impl Fn() -> Command, until: Until) -> Result<Self> {
        // The first of each fills kubectl's caches, and shows what it says if it fails.
        for command in [&one as &dyn Fn() -> Command, &other] {
            let output = command().output()?;
            ensure!(
                output.status.success(),
                "kubectl: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let (mut ones, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut interval = None;
        let begun = Instant::now();
        let goes_on = |ratios: &[f64], interval| match until {
            Until::Narrow(cap) => begun.elapsed() < cap && !narrow(interval),
            Until::Pairs(count) => ratios.len() < count,
        };
        while goes_on(&ratios, interval) {
            // Who is first in a pair changes, so that neither has an advantage from it.
            let (first, second);
            if ratios.len() % 2 == 0 {
                (first, second) = (timed(one())?, timed(other())?);
            } else {
                let late = timed(other())?;
                (first, second) = (timed(one())?, late);
            }
            ones.push(first);
            others.push(second);
            ratios.push(first / second);
            interval = median_interval(&ratios);
        }
        let seconds = [median(&ones), median(&others)].map(Option::unwrap_or_default);
        Ok(Self {
            ratios,
            seconds,
            interval,
            took: begun.elapsed(),
            until,
        })
    }

    fn row(&self, name: &'static str, goal: Goal, why: &str) -> Row {
        let (low, high) = self.interval.unwrap_or((f64::NAN, f64::NAN));
        let end = match self.until {
            Until::Narrow(_) if narrow(self.interval) => " is narrower than 1 %".to_owned(),
            Until::Narrow(cap) => {
                let cap = cap.as_secs();
                format!(" is NOT narrower than 1 % when the cap of {cap} s ended it")
            }
            Until::Pairs(_) => String::new(),
        };
        let how = format!(
            "median of the ratios of {} interleaved pairs in {:.0} s ({:.1} and {:.1} ms); its \
             95 % interval {low:.4} to {high:.4}{end}{why}",
            self.ratios.len(),
            self.took.as_secs_f64(),
            self.seconds[0] * 1e3,
            self.seconds[1] * 1e3,
        );
        let ratio = median(&self.ratios).unwrap_or(f64::NAN);
        Row::new(name, (ratio, "×"), goal, how)
    }
}

fn narrow(interval: Option<(f64, f64)>) -> bool {
    interval.is_some_and(|(low, high)| high - low < NARROW * low)
}

fn timed(mut command: Command) -> Result<f64> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status()?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(status.success(), "kubectl ended with {status}");
    Ok(seconds)
}
