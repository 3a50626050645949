//! What a window could do that is somebody else's, or was taken over: threats 4 and 7.

use std::fs;

use anyhow::{Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use wire::frame::Request;
use world::desk::Desk;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// Whoever connects to the main socket as a window does approves nothing.
pub(crate) async fn own_approval(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let noted = scene.noting_browser()?;
    let attacker = AttackerApi::start().await?;
    let servers = [("prod", attackers(&attacker))];
    let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let file = scene.hostile("hostile", &file)?;
    let trusts = scene.person.fob(&["trusts"])?;
    let mut waiting = scene
        .person
        .start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())?;
    scene.opened(&noted).await?;

    let mut desk = Desk::at(&scene.person)?;
    let view = desk.until("the question", |view| view["questions"][0].is_object())?;
    let question = view["questions"][0]["name"].clone();
    for answer in ["always", "once"] {
        let yes = json!({ "do": "answer", "question": question, "answer": answer, "others": [0] });
        desk.send(&yes)?;
    }
    // The newest one, by no name; and as the line that a terminal would have been asked for.
    desk.send(&json!({ "do": "answer", "question": null, "answer": "always", "others": [] }))?;
    desk.ask(&json!({ "do": "leave", "question": question }))?;
    desk.say(&Request::Answer("always".to_owned()))?;
    ensure!(desk.hear().is_err(), "a window types no lines");

    let mut desk = Desk::at(&scene.person)?;
    let view = desk.until("a view", |_| true)?;
    ensure!(view["questions"][0]["name"] == question, "{view:#}");
    ensure!(scene.person.fob(&["trusts"])? == trusts);
    ensure!(waiting.try_wait()?.is_none(), "kubectl was answered");
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    waiting.kill()?;
    waiting.wait()?;
    table.row(
        4,
        "a client of the main socket answers a waiting question: always, once, unnamed, as a typed line",
        "the question waits on; no trust, no token",
    );
    Ok(())
}

/// Every command, with values that whoever took a window over would choose.
pub(crate) async fn commands(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let person = &scene.person;
    let kubeconfig = person.home.join(".kube/config");
    let (before, trusts) = (fs::read(&kubeconfig)?, person.fob(&["trusts"])?);
    let accounts = person.fob(&["accounts"])?;
    let resident = person.resident();

    let precious = scene.folder.join("precious");
    fs::write(&precious, "current-context: a\n")?;
    let long = "x".repeat(60_000);
    let mut refused = 0;
    for name in [
        "../../etc/passwd",
        "$(touch /tmp/x)",
        "\u{1b}]52;c;eA==\u{7}",
        "*",
        "",
        &long,
    ] {
        for command in [
            json!({ "do": "sign-in", "account": name, "open_browser": true }),
            json!({ "do": "cancel", "account": name }),
            json!({ "do": "sign-out", "account": name, "everywhere": true }),
            json!({ "do": "ask", "question": name }),
            json!({ "do": "answer", "question": name, "answer": "always", "others": [9_999] }),
            json!({ "do": "untrust", "name": name }),
            json!({ "do": "use", "context": name, "kubeconfig": null }),
            json!({ "do": "discover", "issuer": name }),
            json!({
                "do": "add", "issuer": name, "client_id": "c", "client_secret": null,
                "scopes": [], "label": null, "sign_in": true
            }),
            json!({ "do": "stanza", "account": name }),
            json!({ "do": "rename", "account": name, "label": "x" }),
            json!({ "do": "remove", "account": name }),
            json!({ "do": "try-now", "account": name }),
        ] {
            let told = Desk::at(person)?.ask(&command)?;
            ensure!(told["is"] == "refused", "{command}: {told}");
            let said = told.to_string();
            ensure!(!said.contains("\\u001b"), "{said}");
            refused += 1;
        }
    }
    for file in [
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
        "relative",
        &precious.display().to_string(),
    ] {
        let command = json!({ "do": "use", "context": "own", "kubeconfig": file });
        let told = Desk::at(person)?.ask(&command)?;
        ensure!(told["is"] == "refused", "{command}: {told}");
        ensure!(!told.to_string().contains("root:"), "{told}");
        refused += 1;
    }
    table.row(
        7,
        format!("{refused} commands with hostile names and files"),
        "refused, each with its reason",
    );

    // What a window has no business with is no command.
    let none: [Value; 6] = [
        json!({ "do": "token", "account": null }),
        json!({ "do": "get-token", "args": ["--oidc-issuer-url=https://evil.example.com"] }),
        json!({ "do": "sign-in", "account": null, "open_browser": true, "issuer": "https://evil.example.com" }),
        json!({ "do": "answer", "question": null, "answer": "always", "others": [], "endpoint": "consent" }),
        json!({ "do": "trust", "server": "https://evil.example.com" }),
        json!({ "do": "open", "program": "/tmp/evil" }),
    ];
    for command in &none {
        let mut desk = Desk::at(person)?;
        ensure!(desk.ask(command).is_err(), "{command}");
    }
    table.row(
        7,
        "commands for a token, another issuer, a trust, another endpoint, a program",
        "no such commands; the connection ends",
    );
    ensure!(fs::read(&kubeconfig)? == before && person.fob(&["trusts"])? == trusts);
    ensure!(person.fob(&["accounts"])? == accounts && person.resident() == resident);
    ensure!(fs::read_to_string(&precious)? == "current-context: a\n");
    scene.works("after all that")
}
