//! Threat 1: a kubeconfig with the attacker's server and the victim's provider flags.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::browser::LEAVE;
use world::person::{Said, said};

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers, server};
use crate::table::Table;

/// Such a file run on a live session, in every form that could make it pass for the victim's own.
pub(crate) async fn hostile_server(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let home = scene.person.home.display().to_string();
    let own = format!("{home}/.kube/config");
    let name = scene.account()?;
    let env = |name: &str, value: &str| json!([{ "name": name, "value": value }]);
    for (number, (what, change)) in [
        ("without cluster info", json!({})),
        (
            "with provideClusterInfo",
            json!({ "provideClusterInfo": true }),
        ),
        (
            "kubectl-oidc_login as its command",
            json!({ "command": "kubectl-oidc_login", "args": scene.exec("shim", &[])["args"] }),
        ),
        (
            "kubectl-fob get-token --account",
            json!({ "command": "kubectl-fob", "args": ["get-token", format!("--account={name}")] }),
        ),
        (
            "exec.env: KUBECONFIG is the victim's",
            json!({ "env": env("KUBECONFIG", &own) }),
        ),
        (
            "exec.env: HOME is the victim's, KUBERNETES_EXEC_INFO names the victim's server",
            json!({ "env": [
                { "name": "HOME", "value": home },
                { "name": "KUBERNETES_EXEC_INFO", "value": scene.exec_info() },
            ] }),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let attacker = AttackerApi::start().await?;
        let mut stanza = scene.exec("kubectl", &[]);
        merge(&mut stanza, change);
        let file = scene.kubeconfig(&[("prod", attackers(&attacker))], stanza);
        // What kubectl may have read of an earlier one counts for it.
        let file = scene.hostile(&format!("hostile-{number}"), &file)?;
        let run = || scene.run(&file);
        asked_and_refused(&scene, &attacker, what, run)?;
        table.row(
            1,
            format!("hostile server, {what}"),
            "asked once, by its name; no token",
        );
    }
    scene.works("after all that")
}

/// An instance that the attacker prepared, trusts and all, with a listener of theirs in it: a
/// kubeconfig can't name it.
pub(crate) async fn planted_instance(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let planted = scene.folder.join("instance");
    fs::create_dir_all(planted.join("data"))?;
    fs::set_permissions(&planted, fs::Permissions::from_mode(0o700))?;
    let trusts = fs::read_to_string(scene.person.instance.join("data/accounts.json"))?;
    let trusts = trusts.replace(scene.playground.kube_url(), attacker.url());
    ensure!(trusts.contains(attacker.url()), "nothing was planted");
    fs::write(planted.join("data/accounts.json"), trusts)?;
    let listener = UnixListener::bind(planted.join("socket"))?;
    listener.set_nonblocking(true)?;

    let mut stanza = scene.exec("kubectl", &[]);
    let variable = |name: &str| json!({ "name": name, "value": planted.display().to_string() });
    let env = ["KUBEFOB_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME"].map(variable);
    merge(&mut stanza, json!({ "env": env }));
    let file = scene.kubeconfig(&[("prod", attackers(&attacker))], stanza);
    let file = scene.hostile("hostile", &file)?;
    asked_and_refused(&scene, &attacker, "planted", || scene.run(&file))?;
    ensure!(listener.accept().is_err(), "somebody spoke to the attacker");
    table.row(
        1,
        "exec.env: KUBEFOB_HOME with trusts of its own, and a listener in it",
        "the person's own resident asks; the listener hears nobody",
    );
    Ok(())
}

/// File sets in which the attacker's server stands beside the victim's.
pub(crate) async fn file_sets(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let own = scene.person.home.join(".kube/config");
    let own = own.display();
    let exec = || scene.exec("kubectl", &[]);

    // The attacker's file comes first: it takes the victim's own names for itself.
    let attacker = AttackerApi::start().await?;
    let file = scene.kubeconfig(&[("own", attackers(&attacker))], exec());
    let file = scene.hostile("hostile", &file)?;
    let set = format!("{file}:{own}");
    asked_and_refused(&scene, &attacker, "merged", || {
        with_kubeconfig(&scene, &set)
    })?;
    table.row(
        1,
        "KUBECONFIG merges it in front of the victim's own, under the same names",
        "asked once, by its name; no token",
    );

    // As a shell does that a cloned repository has told of a KUBECONFIG.
    let attacker = AttackerApi::start().await?;
    let file = scene.kubeconfig(&[("dev", attackers(&attacker))], exec());
    let file = scene.hostile("cloned", &file)?;
    asked_and_refused(&scene, &attacker, "direnv", || {
        with_kubeconfig(&scene, &file)
    })?;
    table.row(
        1,
        "KUBECONFIG set by a direnv-like shell",
        "asked once, by its name; no token",
    );

    // Two servers, one user: kubectl says which, other programs switch inside one process.
    let attacker = AttackerApi::start().await?;
    let servers = [("own", scene.own_server()), ("prod", attackers(&attacker))];
    let file = scene.hostile("both", &scene.kubeconfig(&servers, exec()))?;
    let said = scene.run(&file)?;
    ensure!(said.ok, "kubectl names the victim's server: {said:?}");
    let script = scene.asking("k9s", |ask| format!("{ask}; exit $?\n"))?;
    let other = || -> Result<Said> {
        let mut command = scene.person.command("/bin/sh");
        command.args(["-c", "cp /bin/sh k9s && exec ./k9s \"$@\"", "sh"]);
        command.arg(&script);
        command.env("KUBECONFIG", &file);
        said_by(command)
    };
    let said = asked_and_refused(&scene, &attacker, "k9s", other)?;
    ensure!(said.err.contains("[trust-refused"), "{said:?}");
    table.row(
        1,
        "several servers in one file set, asked for by another program than kubectl",
        "all of them must be trusted; no token",
    );
    let context = || {
        scene
            .person
            .kubectl(&["--kubeconfig", &file, "--context", "prod", "get", "ns"])
    };
    let said = context()?;
    ensure!(!said.ok && said.err.contains("[trust-refused"), "{said:?}");
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    table.row(
        1,
        "several servers in one file set, kubectl --context chooses the attacker's",
        "the no holds; no token",
    );
    Ok(())
}

/// The victim's own server, reached in a way in which somebody else can listen.
pub(crate) async fn same_address(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let url = scene.playground.kube_url();
    let served = scene.served();
    for (number, (what, cluster, warning)) in [
        (
            "insecure-skip-tls-verify",
            json!({ "server": url, "insecure-skip-tls-verify": true }),
            "Its certificate is not checked",
        ),
        (
            "proxy-url",
            {
                let mut cluster = scene.own_server();
                merge(&mut cluster, json!({ "proxy-url": attacker.url() }));
                cluster
            },
            "that proxy can read your token",
        ),
        (
            "the attacker's certificate authority",
            server(url, attacker.ca_pem()),
            "with another certificate authority",
        ),
        (
            "the attacker's tls-server-name",
            {
                let mut cluster = scene.own_server();
                merge(&mut cluster, json!({ "tls-server-name": "evil.example" }));
                cluster
            },
            url,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for provide in [false, true] {
            let mut stanza = scene.exec("kubectl", &[]);
            merge(&mut stanza, json!({ "provideClusterInfo": provide }));
            let file = scene.kubeconfig(&[("own", cluster.clone())], stanza);
            let file = scene.hostile(&format!("hostile-{number}-{provide}"), &file)?;
            let before = scene.questions()?.len();
            let said = scene.run(&file)?;
            ensure!(
                !said.ok && said.err.contains("[trust-refused"),
                "{what}: {said:?}"
            );
            let asked = scene.questions()?.split_off(before);
            // The no of the first form holds for the second, where both are one server.
            let expected = usize::from(!provide);
            ensure!(
                asked.len() == expected && asked.iter().all(|text| text.contains(warning)),
                "{what}: {asked:?}"
            );
        }
        table.row(
            1,
            format!("the victim's own address with {what}"),
            "another server: asked about with a warning; no token",
        );
    }
    ensure!(scene.served() == served, "a token went out");
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    Ok(())
}

/// A page that nobody touches answers nothing; and a person's yes is what it takes.
pub(crate) async fn page_alone(table: &Table) -> Result<()> {
    let seat = Seat {
        consent: LEAVE,
        extra: &["--authentication-timeout-sec=5"],
        ..Seat::default()
    };
    let scene = Scene::signed_in(seat).await?;
    let attacker = AttackerApi::start().await?;
    let stanza = scene.exec("kubectl", &["--authentication-timeout-sec=5"]);
    let file = scene.kubeconfig(&[("prod", attackers(&attacker))], stanza);
    let file = scene.hostile("hostile", &file)?;
    let said = scene
        .person
        .kubectl(&["--kubeconfig", &file, "get", "ns"])?;
    ensure!(
        !said.ok && said.err.contains("[question-unanswered]"),
        "{said:?}"
    );
    let asked = scene.questions()?;
    ensure!(
        matches!(asked.as_slice(), [one] if one.contains(attacker.url())),
        "kubectl asks several times, and one page is enough: {asked:?}"
    );
    let said = scene.run(&file)?;
    ensure!(!said.ok && said.err.contains("[not-trusted]"), "{said:?}");
    ensure!(scene.questions()?.len() == 1, "another page by itself");
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    table.row(
        1,
        "a page that nobody touches",
        "is not answered by itself, nor opened again; no token",
    );

    // The attack is a real one: with a yes, the token is theirs.
    let scene = Scene::signed_in(Seat {
        consent: "once",
        ..Seat::default()
    })
    .await?;
    let file = scene.kubeconfig(
        &[("prod", attackers(&attacker))],
        scene.exec("kubectl", &[]),
    );
    scene.run(&scene.hostile("hostile", &file)?)?;
    ensure!(
        attacker.saw_authorization(),
        "the attack itself is no attack"
    );
    println!("the same file, and somebody who presses yes: the attacker has the token");
    Ok(())
}

/// A stanza that runs one of our verbs in place of `get-token`, and would answer its own question.
pub(crate) async fn verbs_as_plugin(table: &Table) -> Result<()> {
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.without_desktop()?;
    let attacker = AttackerApi::start().await?;
    let servers = [("prod", attackers(&attacker))];
    let asks = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let asks = scene.hostile("asks", &asks)?;
    let said = scene.run(&asks)?;
    ensure!(!said.ok && said.err.contains("[not-trusted]"), "{said:?}");
    for (command, arguments) in [
        ("kubectl", json!(["fob", "trust", "--always"])),
        ("kubectl-fob", json!(["trust", "--always"])),
        ("kubectl-fob", json!(["trust", "q1", "--once"])),
        ("kubectl-fob", json!(["logout", "--everywhere"])),
        ("kubectl-fob", json!(["token"])),
    ] {
        let mut stanza = scene.exec(command, &[]);
        merge(&mut stanza, json!({ "args": arguments }));
        let answers = scene.hostile("answers", &scene.kubeconfig(&servers, stanza))?;
        let line = format!("kubectl --kubeconfig {answers} get --raw /api");
        let said = scene.person.on_terminal(&line, "")?;
        ensure!(
            !said.ok && said.out.contains("[plugin-verb]"),
            "{arguments}: {said:?}"
        );
        let said = scene.run(&asks)?;
        ensure!(
            !said.ok && said.err.contains("[not-trusted]"),
            "{arguments}: {said:?}"
        );
        ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
        table.row(
            1,
            format!("exec runs {command} {arguments} on the person's terminal"),
            "refused; the question waits on",
        );
    }
    scene.works("still signed in")
}

/// The person is asked once, on a page that names the attacker's server, says no, and nothing
/// reaches that server.
fn asked_and_refused(
    scene: &Scene,
    attacker: &AttackerApi,
    what: &str,
    run: impl FnOnce() -> Result<Said>,
) -> Result<Said> {
    let before = scene.questions()?.len();
    let said = run()?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{what}: {said:?}\n{}",
        scene.person.log()
    );
    let asked = scene.questions()?.split_off(before);
    let asked = match asked.as_slice() {
        [asked] => asked,
        several => anyhow::bail!("{what}: questions: {several:?}"),
    };
    ensure!(asked.contains(attacker.url()), "{what}: {asked}");
    ensure!(
        !attacker.saw_authorization(),
        "{what}: {:?}",
        attacker.seen()
    );
    Ok(said)
}

/// kubectl in a shell that has this KUBECONFIG.
pub(crate) fn with_kubeconfig(scene: &Scene, set: &str) -> Result<Said> {
    let mut command = scene.person.command("kubectl");
    command.args(ONE_REQUEST).env("KUBECONFIG", set);
    said_by(command)
}

fn said_by(mut command: std::process::Command) -> Result<Said> {
    said(command.output().context("can't be started")?)
}

fn merge(to: &mut Value, change: Value) {
    if let (Some(to), Value::Object(change)) = (to.as_object_mut(), change) {
        to.extend(change);
    }
}
