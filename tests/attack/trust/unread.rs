//! Approvals by somebody who has not read what is asked: typed before it shows, or too long to be read.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::desk::Desk;
use world::person::{Said, said};

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers, server};
use crate::table::Table;

/// How many contexts, servers or accounts somebody puts in the way.
const MANY: usize = 3_000;
/// How many characters an address or a name has then.
const LONG: usize = 6_000;

/// What stands before the host, and is none.
const NAMED: &str = "a user name that looks like a host";

/// Somebody at a terminal without a desktop, where a line is an answer.
async fn at_terminal() -> Result<Scene> {
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.without_desktop()?;
    Ok(scene)
}

/// Yes and Enter stand in the terminal's queue before the question is there.
pub(crate) async fn typed_ahead(table: &Table) -> Result<()> {
    let scene = at_terminal().await?;
    let hostile = |attacker: &AttackerApi, name: &str| {
        let servers = [("prod", attackers(attacker))];
        scene.hostile(
            name,
            &scene.kubeconfig(&servers, scene.exec("kubectl", &[])),
        )
    };
    // What is typed behind the first line is there before kubectl is started.
    let line = |file: &str| {
        let get = ONE_REQUEST.join(" ");
        format!("read begin; kubectl --kubeconfig '{file}' {get}")
    };
    // More than the terminal's own queue holds: the rest of it flows in when that is emptied.
    let paste = "y\n".repeat(9_000);
    for (number, ahead) in ["y\n", "y", "\ny\nalways\ny\n", &paste]
        .into_iter()
        .enumerate()
    {
        let attacker = AttackerApi::start().await?;
        let file = hostile(&attacker, &format!("hostile-{number}"))?;
        let said = scene
            .person
            .typed_ahead(&line(&file), &format!("begin\n{ahead}"), "n\n")?;
        ensure!(!attacker.saw_authorization(), "{ahead:.20?}: {said:?}");
        ensure!(
            said.out.contains("[trust-refused"),
            "{ahead:.20?}: {said:?}"
        );
    }
    table.row(
        28,
        "y and Enter typed before the terminal's question shows, and 18 KB of both pasted",
        "thrown away; what is typed at the question counts",
    );
    // The attack is a real one: typed when the question has shown, it is a yes.
    let attacker = AttackerApi::start().await?;
    let file = hostile(&attacker, "hostile")?;
    let said = scene.person.typed_ahead(&line(&file), "begin\n", "y\n")?;
    ensure!(attacker.saw_authorization(), "no attack: {said:?}");
    println!("the same line, typed at the question: the attacker has the token");

    for verb in [format!("remove {}", scene.account()?), "reset".to_owned()] {
        let line = format!("read begin; kubectl fob {verb}");
        for ahead in ["y\n", &paste] {
            let said = scene
                .person
                .typed_ahead(&line, &format!("begin\n{ahead}"), "n\n")?;
            ensure!(
                !said.ok
                    && (said.out.contains("[not-removed]") || said.out.contains("[not-reset]")),
                "{verb}: {said:?}"
            );
        }
        let piped = format!("yes y | kubectl fob {verb}");
        let said = scene.person.on_terminal(&piped, "")?;
        ensure!(
            !said.ok && (said.out.contains("[not-removed]") || said.out.contains("[not-reset]")),
            "{verb}: {said:?}"
        );
    }
    table.row(
        28,
        "the same before 'remove' and 'reset' ask, and a yes that comes by a pipe",
        "nothing is removed, nothing is reset",
    );
    scene.works("still signed in")
}

/// What somebody writes around the host, so that it is not seen or nothing is.
fn long_ones(attacker: &AttackerApi) -> Result<Vec<(&'static str, Value, String)>> {
    let url = attacker.url();
    let host = url.strip_prefix("https://").context("no https")?;
    let here = |url: String| server(&url, attacker.ca_pem());
    let a = "a".repeat(LONG);
    let labels = "api.prod.acme.example.".repeat(LONG / 22);
    Ok(vec![
        (
            "a path of 6,000 characters",
            here(format!("{url}/{a}")),
            host.to_owned(),
        ),
        (
            "a path that pushes it away",
            here(format!("{url}/api.prod.acme.example:6443/{a}")),
            host.to_owned(),
        ),
        (
            NAMED,
            here(format!(
                "https://api.prod.acme.example:6443@{host}/named/{a}"
            )),
            host.to_owned(),
        ),
        (
            "a host of 6,000 characters",
            here(format!("https://{labels}evil.example:6443/")),
            "evil.example:6443".to_owned(),
        ),
        (
            "a host of one part of 6,000 characters",
            here(format!("https://{a}.evil.example:6443/")),
            "…evil.example:6443".to_owned(),
        ),
    ])
}

/// Whether it can be read in one go.
fn is_short(text: &str) -> bool {
    text.chars().count() < 8_000 && text.lines().count() < 60
}

/// Addresses, names and lists that are too long, on our page, on a terminal, and in all that is said of them.
pub(crate) async fn too_long(table: &Table) -> Result<()> {
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    for desktop in [true, false] {
        if !desktop {
            scene.without_desktop()?;
        }
        let attacker = AttackerApi::start().await?;
        for (number, (what, cluster, host)) in long_ones(&attacker)?.into_iter().enumerate() {
            let file = scene.kubeconfig(&[("prod", cluster)], scene.exec("kubectl", &[]));
            // A file of its own: another version of one counts for whoever may have read it.
            let file = scene.hostile(&format!("hostile-{desktop}-{number}"), &file)?;
            // kubectl signs in with such a name, and asks nobody for a token.
            let (shown, said) = match what == NAMED {
                true if desktop => by_another(&scene, &file, desktop)?,
                true => continue,
                false => asked(&scene, &file, desktop)?,
            };
            ensure!(
                shown.contains(&host)
                    && !(what == NAMED && shown.contains("acme"))
                    && is_short(&shown),
                "{what}: {} characters, {shown:.4000}, {said:?}",
                shown.chars().count()
            );
            ensure!(!said.ok && is_short(&said.err), "{what}: {said:?}");
            ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
        }
        let file = contexts(&scene, &attacker, MANY);
        let file = scene.hostile(&format!("contexts-{desktop}"), &file)?;
        let (shown, said) = by_another(&scene, &file, desktop)?;
        ensure!(
            shown.contains(attacker.url()) && shown.contains("2,997 more") && is_short(&shown),
            "{} characters, {shown:.4000}, {said:?}",
            shown.chars().count()
        );
        let where_to = if desktop {
            "on our page"
        } else {
            "on a terminal"
        };
        table.row(
            1,
            format!("an address of 6,000 characters, and 3,000 contexts, {where_to}"),
            "its host or the host's end is in sight, and how many more there are",
        );
        for verb in [&["status"][..], &["trusts", "--pending"]] {
            let said = scene.person.kubectl(&[&["fob"], verb].concat())?;
            ensure!(said.ok && is_short(&said.out), "{said:?}");
        }
    }
    scene.works("after all that")
}

/// More servers than anybody reads are not allowed in one go.
pub(crate) async fn too_many(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        consent: "always",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let host = attacker.url();
    let names: Vec<String> = (0..MANY).map(|number| format!("c{number}")).collect();
    let servers = |count: usize| -> Vec<(&str, Value)> {
        let at = |(number, name)| {
            // Without its authority a file of 3,000 is no longer than one may be.
            (
                String::as_str(name),
                json!({ "server": format!("{host}/{number}") }),
            )
        };
        names.iter().take(count).enumerate().map(at).collect()
    };
    let before = scene.questions()?.len();
    let file = scene.kubeconfig(&servers(MANY), scene.exec("kubectl", &[]));
    let file = scene.hostile("many", &file)?;
    let said = other_program(&scene, &file)?;
    ensure!(
        !said.ok
            && said.err.contains("[too-many-servers]")
            && said.err.contains("3,000")
            && said.err.contains("provideClusterInfo: true"),
        "{said:?}"
    );
    ensure!(scene.questions()?.len() == before, "somebody was asked");
    table.row(
        1,
        "a program that may be for any of 3,000 servers, and somebody who says yes to all",
        "refused, and the remedy is named; nobody is asked",
    );
    // The attack is a real one where it can be read.
    let file = scene.kubeconfig(&servers(20), scene.exec("kubectl", &[]));
    let said = other_program(&scene, &scene.hostile("some", &file)?)?;
    ensure!(said.ok && said.out.contains("\"token\""), "{said:?}");
    let asked = scene.questions()?.split_off(before);
    ensure!(
        matches!(asked.as_slice(), [one] if one.contains(&format!("{host}/19"))),
        "{asked:?}"
    );
    println!("for twenty of them there is one question, and a yes is one to all of them");
    Ok(())
}

/// A person's own kubeconfig, list of accounts and trusts may be large: every answer is whole.
pub(crate) async fn large(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let person = &scene.person;
    let own = person.home.join(".kube/config");
    let mut config: Value = serde_json::from_slice(&fs::read(&own)?)?;
    let mut more = Vec::new();
    for number in 0..MANY {
        let name = format!("context-{number}-{}", "x".repeat(200));
        more.push(json!({ "name": name, "context": { "cluster": "own", "user": "me" } }));
    }
    let contexts = config["contexts"].as_array_mut().context("no contexts")?;
    contexts.append(&mut more);
    fs::write(&own, config.to_string())?;
    // As many accounts again, of which nobody has signed in to one.
    person.end_resident("TERM")?;
    let kept = person.instance.join("data/accounts.json");
    let mut accounts: Value = serde_json::from_slice(&fs::read(&kept)?)?;
    let list = accounts["accounts"].as_array_mut().context("no accounts")?;
    let one = list.first().cloned().context("no account")?;
    for number in 0..2_000 {
        let mut another = one.clone();
        another["key"]["client_id"] = json!(format!("client-{number}"));
        another["label"] = json!(format!("account {number} of a great many"));
        another["added"] = json!(true);
        list.push(another);
    }
    fs::write(&kept, accounts.to_string())?;
    let begun = Instant::now();
    scene.works("with 2,000 accounts")?;
    let started = begun.elapsed();
    let status = person.fob(&["status"])?;
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    ensure!(
        count(&status["accounts"]) == 2_001,
        "{}",
        count(&status["accounts"])
    );
    ensure!(
        count(&status["kubeconfig"]["contexts"]) == MANY + 1,
        "not all of its contexts"
    );
    for verb in [&["accounts"][..], &["contexts"], &["status"], &["trusts"]] {
        let said = person.kubectl(&[&["fob"], verb].concat())?;
        ensure!(
            said.ok && !said.err.contains("whole"),
            "{verb:?}: {:.2000}",
            said.err
        );
    }
    // Whoever reads it page by page has all of it, too.
    let slow = "kubectl fob status --json | (read first; sleep 7; wc -c)";
    let mut command = person.command("/bin/sh");
    let slowly = said(command.args(["-c", slow]).output()?)?;
    let whole = status_size(person)?;
    let read: usize = slowly.out.trim().parse()?;
    ensure!(
        slowly.err.is_empty() && read > whole / 2,
        "{read} of {whole}: {}",
        slowly.err
    );
    let mut desk = Desk::at(person)?;
    let view = desk.until("a view", |_| true)?;
    let said = view.to_string();
    ensure!(said.contains("too-much-to-show"), "{said:.2000}");
    let resident = person.resident().context("no resident")?;
    let memory = fs::read_to_string(format!("/proc/{resident}/status"))?;
    let memory = memory.lines().find(|line| line.starts_with("VmRSS"));
    println!(
        "start and first token {started:?}; status {whole} bytes; resident {}",
        memory.unwrap_or_default()
    );
    let longest = desk.frames.iter().map(Vec::len).max().unwrap_or_default();
    ensure!(longest <= 1024 * 1024, "{longest}");
    table.row(
        21,
        "3,001 contexts with long names and 2,001 accounts: status, accounts, contexts, and a window's view",
        "each answer is whole; the window is told that it has the beginning alone",
    );
    scene.works("after all that")
}

fn status_size(person: &world::person::Person) -> Result<usize> {
    Ok(person.kubectl(&["fob", "status", "--json"])?.out.len())
}

/// What is asked when kubectl is run on a file, and what it says when the answer is no.
fn asked(scene: &Scene, file: &str, desktop: bool) -> Result<(String, Said)> {
    if desktop {
        let before = scene.questions()?.len();
        let said = scene.run(file)?;
        let shown = scene.questions()?.split_off(before).concat();
        return Ok((shown, said));
    }
    let line = format!("kubectl --kubeconfig '{file}' {}", ONE_REQUEST.join(" "));
    let said = scene.person.on_terminal(&line, "n\n")?;
    Ok((said.out.clone(), said))
}

/// The same by a program that may be for all of it. Without a desktop it has nobody to ask: the question is taken up on
/// a terminal.
fn by_another(scene: &Scene, file: &str, desktop: bool) -> Result<(String, Said)> {
    let before = scene.questions()?.len();
    let said = other_program(scene, file)?;
    if desktop {
        let shown = scene.questions()?.split_off(before).concat();
        return Ok((shown, said));
    }
    let waiting = scene.person.fob(&["trusts", "--pending"])?;
    let asks = |question: &&Value| question.to_string().contains("\"more\":2997");
    let mut questions = waiting.as_array().into_iter().flatten();
    let name = questions
        .find(asks)
        .map(|question| question["name"].clone());
    let name = name.with_context(|| format!("{waiting:#.4000}"))?;
    let line = format!("kubectl fob trust {}", name.as_str().unwrap_or_default());
    let asked = scene.person.on_terminal(&line, "n\n")?;
    Ok((asked.out, said))
}

/// A program that is not kubectl and says nothing of a server asks for a token.
fn other_program(scene: &Scene, file: &str) -> Result<Said> {
    let script = scene.asking("k9s", |ask| format!("{ask}; exit $?\n"))?;
    let mut command = scene.person.command("/bin/sh");
    command.args(["-c", "cp /bin/sh k9s && exec ./k9s \"$@\"", "sh"]);
    command.arg(script);
    command.env("KUBECONFIG", file);
    said(command.output()?)
}

/// A file with so many contexts of one server.
fn contexts(scene: &Scene, attacker: &AttackerApi, count: usize) -> Value {
    let mut file = scene.kubeconfig(&[("prod", attackers(attacker))], scene.exec("kubectl", &[]));
    let context = |number: usize| json!({ "name": format!("c{number}"), "context": { "cluster": "prod", "user": "me" } });
    file["contexts"] = (0..count).map(context).collect();
    file["current-context"] = json!("c0");
    file
}
