//! Threat 17: names and texts from a kubeconfig, a token or a provider, made to be read by a
//! terminal, a shell or a browser as more than text.

use std::fs;

use anyhow::{Result, ensure};
use playground::{AttackerApi, Endpoint, Fault};
use serde_json::{Value, json};

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// A title, the clipboard, a colour; a text that runs backwards; ends of lines; what nobody sees; a path; a command;
/// markup.
const HOSTILE: &str = "evil\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\r\n\u{2028}\u{200b}\u{ad}../../x$(touch x)`x`<b onclick=alert(1)>bold</b>&amp;";

/// Whether a terminal would do more than show it.
fn inert(text: &str) -> bool {
    !text.chars().any(|c| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{ad}' | '\u{61c}')
    })
}

fn hostile_file(scene: &Scene, attacker: &AttackerApi) -> Value {
    let context = format!("context-{HOSTILE}");
    let mut file = scene.kubeconfig(
        &[(&context, attackers(attacker))],
        scene.exec("kubectl", &[]),
    );
    file["users"][0]["name"] = format!("user-{HOSTILE}").into();
    file["contexts"][0]["context"]["user"] = format!("user-{HOSTILE}").into();
    file
}

/// On our page, and on the terminal where there is no desktop.
pub(crate) async fn names(table: &Table) -> Result<()> {
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let file = scene.hostile(
        "evil\u{1b}]52;c;AA\u{7}\u{202e}<b>",
        &hostile_file(&scene, &attacker),
    )?;
    let said = scene.run(&file)?;
    ensure!(!said.ok && said.err.contains("[trust-refused"), "{said:?}");
    let ours = |text: &str| -> String {
        let lines = text.lines().filter(|line| {
            line.contains("kubefob") || line.contains("Kubefob") || line.starts_with("  ")
        });
        lines
            .map(|line| line.trim_end_matches('\r').to_owned() + "\n")
            .collect()
    };
    ensure!(inert(&ours(&said.err)), "{said:?}");
    let asked = scene.questions()?;
    ensure!(
        matches!(asked.as_slice(), [one] if inert(one) && one.contains("context-evil") && one.contains("<b onclick=alert(1)>bold</b>&amp;")),
        "{asked:?}"
    );
    table.row(
        17,
        "names of context, cluster, user and file: on our page",
        "text, and nothing else",
    );

    scene.without_desktop()?;
    let attacker = AttackerApi::start().await?;
    let file = scene.hostile("prompted", &hostile_file(&scene, &attacker))?;
    let line = format!("kubectl --kubeconfig '{file}' {}", ONE_REQUEST.join(" "));
    let said = scene.person.on_terminal(&line, "n\n")?;
    ensure!(
        said.out.contains("context-evil") && said.out.contains("[trust-refused"),
        "{said:?}"
    );
    ensure!(
        inert(&ours(&said.out)) && !said.out.contains("\u{1b}]52"),
        "{said:?}"
    );
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    table.row(
        17,
        "the same in the prompt on a terminal",
        "text, and nothing else; n is a no",
    );
    Ok(())
}

/// The claims of a token, and what a provider says of an error.
pub(crate) async fn claims(table: &Table) -> Result<()> {
    let name = format!("name-{HOSTILE}");
    let scene = Scene::set(Seat {
        config: json!({
            "users": [{ "name": name, "password": "p", "groups": [format!("group-{HOSTILE}")] }],
            "kube": { "rules": [{ "subject": { "user": name }, "verbs": ["*"], "resources": ["*"] }] },
        }),
        ..Seat::default()
    })
    .await?;
    let refusal = Fault::CallbackError {
        error: "access_denied".to_owned(),
        description: Some(HOSTILE.to_owned()),
    };
    scene.playground.fault(refusal.at(Endpoint::Login)).await?;
    scene.browser(&name, "p")?;
    let said = scene.person.kubectl(ONE_REQUEST)?;
    ensure!(
        !said.ok && said.err.contains("[sign-in-refused]") && said.err.contains("bold"),
        "{said:?}"
    );
    ensure!(inert(&said.err), "{said:?}");
    let last = scene.page_with("evil", 1).await?;
    ensure!(
        inert(&last) && last.contains("<b onclick=alert(1)>bold</b>"),
        "{last:?}"
    );
    table.row(
        17,
        "the provider's error_description: on terminal and page",
        "text, and nothing else",
    );

    scene.playground.lift_all().await?;
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(
        said.ok && said.out.contains("name-evil") && inert(&said.out),
        "{said:?}"
    );
    for verb in ["status", "accounts", "trusts"] {
        let said = scene.person.kubectl(&["fob", verb])?;
        ensure!(said.ok && inert(&said.out), "{said:?}");
    }
    let status = scene.person.kubectl(&["fob", "status"])?;
    ensure!(status.out.contains("group-evil"), "{status:?}");
    let last = scene.page_with("evil", 2).await?;
    ensure!(
        inert(&last) && last.contains("<b onclick=alert(1)>bold</b>"),
        "{last:?}"
    );
    ensure!(inert(&scene.person.log()), "{}", scene.person.log());
    table.row(
        17,
        "name and groups of a token: status, log and page",
        "text, and nothing else",
    );
    for entry in fs::read_dir(scene.person.instance.join("data"))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            file.chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
            "{file:?}"
        );
    }
    Ok(())
}
