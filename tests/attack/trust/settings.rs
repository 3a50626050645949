//! Threat 29: what a refused request leaves behind. And what a file says of how to sign in, which is approved too.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::person::said;
use world::wait;

use crate::scene::{Scene, Seat, attackers, exec};
use crate::table::Table;

/// Flags that say how to sign in, on a file whose server nobody allows: the person signs in as they did.
pub(crate) async fn refused(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let before = kept(&scene)?;
    for flag in [
        "--listen-address=127.0.0.1:9321",
        "--oidc-redirect-url=http://localhost:8000/elsewhere",
        "--oidc-pkce-method=no",
        "--authentication-timeout-sec=2",
        "--skip-open-browser",
        "--oidc-client-secret=theirs",
    ] {
        let file = scene.kubeconfig(
            &[("prod", attackers(&attacker))],
            scene.exec("kubectl", &[flag]),
        );
        let said = scene.run(&scene.hostile("hostile", &file)?)?;
        ensure!(
            !said.ok && said.err.contains("[trust-refused]"),
            "{flag}: {said:?}"
        );
        signs_in_as_before(&scene, flag)?;
        ensure!(kept(&scene)? == before, "{flag}: {:#}", kept(&scene)?);
        table.row(
            29,
            format!("{flag} on a refused file, then kubectl fob login"),
            "it signs in as was approved",
        );
    }
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());

    // Elsewhere than on this computer: by its name.
    let file = scene.kubeconfig(
        &[("prod", attackers(&attacker))],
        scene.exec("kubectl", &["--oidc-redirect-url=https://evil.example/"]),
    );
    let said = scene.run(&scene.hostile("hostile", &file)?)?;
    ensure!(
        !said.ok && said.err.contains("[listen-not-loopback]"),
        "{said:?}"
    );
    signs_in_as_before(&scene, "a redirect elsewhere")?;
    table.row(
        29,
        "--oidc-redirect-url elsewhere on a hostile file, then kubectl fob login",
        "an error; it signs in as was approved",
    );

    // The control: another port of this computer, for the person's own server.
    let asked = scene.questions()?.len();
    let file = scene.kubeconfig(
        &[("own", scene.own_server())],
        scene.exec("kubectl", &["--listen-address=127.0.0.1:18000"]),
    );
    let said = scene.run(&scene.hostile("port", &file)?)?;
    ensure!(said.ok && scene.questions()?.len() == asked, "{said:?}");
    scene.person.fob(&["logout"])?;
    scene.person.fob(&["login"])?;
    ensure!(
        came_back_at(&scene)?.contains(":18000/"),
        "{:?}",
        scene.pages()?
    );
    println!("control: another loopback port on a trusted server asks nothing, and is used");
    Ok(())
}

/// The same flags on a file with the person's own server: asked about, by what differs.
pub(crate) async fn on_a_trusted_pair(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let before = kept(&scene)?;
    let own = |scene: &Scene, flag: &str| {
        let servers = [("own", scene.own_server())];
        scene.hostile(
            "own",
            &scene.kubeconfig(&servers, scene.exec("kubectl", &[flag])),
        )
    };
    for (flag, named) in [
        (
            "--oidc-pkce-method=no",
            "--oidc-pkce-method no instead of auto",
        ),
        (
            "--authentication-timeout-sec=2",
            "--authentication-timeout-sec 2 instead of 180",
        ),
        (
            "--oidc-redirect-url=http://localhost:4444/",
            "--oidc-redirect-url http://localhost:4444/ instead of http://localhost:PORT",
        ),
        (
            "--skip-open-browser",
            "--skip-open-browser true instead of false",
        ),
    ] {
        let asked = scene.questions()?.len();
        let said = scene.run(&own(&scene, flag)?)?;
        ensure!(
            !said.ok && said.err.contains("[settings-refused]"),
            "{flag}: {said:?}"
        );
        let asked = scene.questions()?.split_off(asked);
        ensure!(
            matches!(asked.as_slice(), [one] if one.contains(named)),
            "{flag}: {asked:?}"
        );
        scene.works("as it was approved")?;
        signs_in_as_before(&scene, flag)?;
        ensure!(kept(&scene)? == before, "{flag}: {:#}", kept(&scene)?);
        table.row(
            29,
            format!("{flag} on a file with the person's own server"),
            "asked about as a change, by its value; the no leaves nothing",
        );
    }

    // The control: with a yes it holds, and neither file asks again.
    let scene = Scene::signed_in(Seat {
        consent: "always",
        ..Seat::default()
    })
    .await?;
    let file = own(&scene, "--oidc-pkce-method=S256")?;
    for _ in 0..2 {
        let said = scene.run(&file)?;
        ensure!(said.ok, "{said:?}");
        scene.works("the other way")?;
    }
    let asked = scene.questions()?;
    ensure!(
        matches!(asked.as_slice(), [one] if one.contains("--oidc-pkce-method")),
        "{asked:?}"
    );
    println!("control: once it is allowed, two files that differ alternate without a question");
    Ok(())
}

/// A program that was allowed for its life goes on when the account is removed.
pub(crate) async fn removed(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        consent: "once",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let file = scene.kubeconfig(
        &[("prod", attackers(&attacker))],
        scene.exec("kubectl", &[]),
    );
    let file = scene.hostile("hostile", &file)?;
    let mut program = Program::start(&scene, &file)?;
    ensure!(program.asks()? == 0, "{}", scene.person.log());
    scene.browser("test", "no")?;
    ensure!(program.asks()? == 0, "the yes lasts as long as the program");
    let (asked, sign_ins) = (
        scene.questions()?.len(),
        scene.playground.counters().sign_ins,
    );
    let account = scene.account()?;
    scene.person.fob(&["remove", &account, "--yes"])?;
    let status = program.asks()?;
    let questions = scene.questions()?.split_off(asked);
    ensure!(
        status != 0 && matches!(questions.as_slice(), [one] if one.contains(attacker.url())),
        "{status}: {questions:?}"
    );
    ensure!(
        scene.playground.counters().sign_ins == sign_ins,
        "somebody signed in"
    );
    table.row(
        29,
        "a program with a yes for its life asks on, after the account is removed",
        "the yes went with the account: asked anew",
    );
    let accounts = scene.person.fob(&["accounts"])?;
    ensure!(accounts == json!([]), "{accounts:#}");
    Ok(())
}

/// A file with a provider of its own is refused: nothing offers it afterwards.
pub(crate) async fn unapproved(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let theirs = [
        format!("--oidc-issuer-url={}", attacker.url()),
        "--oidc-client-id=theirs".to_owned(),
        format!("--certificate-authority={}", scene.ca.display()),
    ];
    let file = scene.kubeconfig(&[("prod", attackers(&attacker))], exec("kubectl", &theirs));
    let file = scene.hostile("theirs", &file)?;
    let said = scene.run(&file)?;
    ensure!(!said.ok && said.err.contains("[trust-refused]"), "{said:?}");
    let host = attacker.url().trim_start_matches("https://");
    let said = scene.person.kubectl(&["fob", "login", host])?;
    ensure!(
        !said.ok && said.err.contains("[no-such-account]"),
        "{said:?}"
    );
    // The only one that there is: without a name it is the person's own.
    scene.person.fob(&["logout"])?;
    scene.person.fob(&["login"])?;
    let status = scene.person.fob(&["status"])?;
    let shown = |name: &str| status[name].as_array().map_or(usize::MAX, Vec::len);
    ensure!(
        shown("accounts") == 1 && shown("found") == 0 && shown("files") == 0,
        "{status:#}"
    );
    let written = written(&scene)?;
    ensure!(
        !written.contains(attacker.url()) && !written.contains(&file),
        "{written}"
    );
    ensure!(attacker.seen().is_empty(), "{:?}", attacker.seen());
    table.row(
        29,
        "a refused file with a provider of its own, then kubectl fob login",
        "no account, no offer; the person's own signs in; theirs hears nothing",
    );

    // The control: of a file that is allowed, its contexts show.
    scene.browser("test", "always")?;
    let servers = [("own", scene.own_server()), ("prod", attackers(&attacker))];
    let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let file = scene.hostile("allowed", &file)?;
    let said = scene.run(&file)?;
    ensure!(said.ok, "{said:?}");
    wait::up_to(Duration::from_secs(60))
        .every(Duration::ZERO)
        .until("the file among those that are known", || {
            let files = scene.person.fob(&["status"])?["files"].to_string();
            Ok(wait::is(files.contains(&file), files))
        })
        .with_context(|| scene.person.log())?;
    println!("control: a file whose question may be answered is known");
    Ok(())
}

/// Two thousand asks, each with an identity of its own.
pub(crate) async fn identities(table: &Table) -> Result<()> {
    const MANY: usize = 2_000;
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.without_desktop()?;
    let resident = scene.person.resident().context("no resident")?;
    let before = (written(&scene)?.len(), memory(resident)?);
    // Each by a process of its own, which needs no more than its one server. Into a variable: a file that is empty yet, whose name an asker's arguments have, is waited for.
    let script = "i=0; while [ $i -lt $1 ]; do i=$((i+1)); \
        last=$(KUBERNETES_EXEC_INFO=$2 kubectl-oidc_login get-token \
        --oidc-issuer-url=https://$i.invalid --oidc-client-id=c 2>&1; exit $?) && exit 1; done; echo \"$last\"";
    let mut flood = scene.person.command("/bin/sh");
    flood.args(["-c", script, "sh", &MANY.to_string(), &scene.exec_info()]);
    let said = said(flood.output()?)?;
    ensure!(said.ok && said.out.contains("[not-trusted"), "{said:?}");
    let after = (written(&scene)?.len(), memory(resident)?);
    ensure!(
        after.0 < before.0 + 4096 && after.1 < before.1 + 8 * 1024,
        "bytes of accounts.json and KiB of memory: {before:?} -> {after:?}"
    );
    let status = scene.person.fob(&["status"])?;
    let shown = |name: &str| status[name].as_array().map_or(usize::MAX, Vec::len);
    ensure!(
        shown("accounts") == 1 && shown("questions") <= 64 && shown("found") == 0,
        "{status:#}"
    );
    scene.works("after all of them")?;
    table.row(
        29,
        format!("{MANY} asks with {MANY} identities that nobody approved"),
        format!(
            "{} accounts, {} questions, accounts.json {} -> {} bytes, memory {} -> {} KiB; the person's own is served",
            shown("accounts"), shown("questions"), before.0, after.0, before.1, after.1
        ),
    );
    Ok(())
}

/// A program that asks whenever it is told to, on this kubeconfig.
struct Program {
    child: Child,
    tell: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Program {
    fn start(scene: &Scene, file: &str) -> Result<Self> {
        let script = scene.asking("program", |ask| {
            format!("while read -r line; do {ask} >/dev/null; echo $?; done\n")
        })?;
        let mut command = scene.person.command("/bin/sh");
        command.arg(script);
        let mut child = command
            .env("KUBECONFIG", file)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            tell: child.stdin.take().context("no pipe")?,
            told: BufReader::new(child.stdout.take().context("no pipe")?),
            child,
        })
    }

    /// The exit code of one ask.
    fn asks(&mut self) -> Result<i32> {
        writeln!(self.tell)?;
        let mut line = String::new();
        self.told.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The person signs out and in, and comes back where they always do.
fn signs_in_as_before(scene: &Scene, when: &str) -> Result<()> {
    let sign_ins = scene.playground.counters().sign_ins;
    scene.person.fob(&["logout"])?;
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(said.ok, "{when}: {said:?}\n{}", scene.person.log());
    ensure!(
        scene.playground.counters().sign_ins == sign_ins + 1,
        "{when}: nobody signed in"
    );
    let back = came_back_at(scene)?;
    ensure!(
        back.starts_with("http://localhost:8000/?"),
        "{when}: the code came to {back}"
    );
    Ok(())
}

/// Where the provider sent the browser last.
fn came_back_at(scene: &Scene) -> Result<String> {
    let pages = scene.pages()?.into_iter().map(|step| step.url);
    let mut back = pages.filter(|url| url.contains("code="));
    back.next_back().context("nobody came back")
}

fn written(scene: &Scene) -> Result<String> {
    let path = scene.person.instance.join("data/accounts.json");
    Ok(fs::read_to_string(path)?)
}

/// How the person's account signs in, as it is written down.
fn kept(scene: &Scene) -> Result<Value> {
    let kept: Value = serde_json::from_str(&written(scene)?)?;
    let account = &kept["accounts"][0];
    Ok(json!([
        account["listen"],
        account["redirect_url"],
        account["rest"],
        kept["trusts"],
    ]))
}

/// How much memory a process has for itself, in KiB.
fn memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no RssAnon")?.parse()?)
}
