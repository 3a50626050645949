//! Threats 1 and 26: files and addresses that nobody reads as everybody else does. A program other than kubectl is told of
//! one, and Kubefob finds no server in it, or the person's own.

use std::fs;

use anyhow::{Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::person::Said;

use super::programs::{Asked, Programs, refused};
use crate::scene::{Scene, Seat, attackers};
use crate::table::Table;

/// A kubeconfig, written down in a form of its own.
type Form = fn(&Value) -> Vec<u8>;

/// Files that one parser takes for a kubeconfig, and ours for none.
pub(crate) async fn unread(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let programs = Programs::new(&scene)?;
    let forms: [(&str, Form); 6] = [
        ("U+2028 in a comment", |file| {
            format!("# by\u{2028}# us\n{file}").into()
        }),
        ("U+0085 in a comment", |file| {
            format!("# by\u{85}# us\n{file}").into()
        }),
        ("keys after a ? without a blank", |file| {
            let keys = file.as_object().into_iter().flatten();
            let keys = keys.map(|(key, value)| format!(",?\"{key}\"\n# c\n : {value}\n"));
            format!("{{a: b\n{}}}\n", keys.collect::<String>()).into()
        }),
        ("JSON after a comment", |file| {
            format!("// ours\n{file}").into()
        }),
        ("UTF-16 without a mark", |file| {
            let text = file.to_string();
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }),
        ("keys in another case", |file| {
            let text = file.to_string();
            text.replace("\"clusters\"", "\"Clusters\"")
                .replace("\"contexts\"", "\"Contexts\"")
                .replace("\"users\"", "\"Users\"")
                .into()
        }),
    ];
    for (number, (what, form)) in forms.into_iter().enumerate() {
        let attacker = AttackerApi::start().await?;
        let file = scene.kubeconfig(
            &[("prod", attackers(&attacker))],
            scene.exec("kubectl", &[]),
        );
        let path = scene.folder.join(format!("odd-{number}"));
        fs::write(&path, form(&file))?;
        let path = path.display().to_string();
        let run = |arguments: &[&str], variables: &[(&str, &str)]| -> Result<Said> {
            programs.stand_in(
                &scene,
                "k9s",
                &attacker,
                arguments,
                variables,
                str::to_owned,
            )
        };
        refused(&scene, &attacker, what, Asked::Unknown, || {
            run(&["--kubeconfig", &path], &[])
        })?;
        refused(&scene, &attacker, what, Asked::Unknown, || {
            run(&[], &[("TF_VAR_x", &path)])
        })?;
        table.row(
            1,
            format!("k9s: {what}"),
            "for a server that can't be known: asked; no token",
        );
    }

    let everyday: [(&str, &[u8]); 6] = [
        (
            "app.py",
            b"#!/usr/bin/python3\n\"\"\"Lists clusters: all.\"\"\"\nx = {'users': [], 'contexts': 1}\n",
        ),
        (
            "main.tf",
            b"resource \"x\" \"y\" {\n  clusters = { server: 1 }\n}\n",
        ),
        (
            "values.yaml",
            b"users: {a: b}\nclusters:\n  eu: {server: x}\n",
        ),
        ("README.md", b"# Users\n\nOf clusters.\n\ncontexts: [x\n"),
        ("program", b"\x7fELF\x02\x01\x01\0users\nclusters: []\n"),
        ("app.js", b"'use strict';\nmodule.exports = { clusters: [], ? : };\n"),
    ];
    for (name, text) in everyday {
        let nobody = AttackerApi::start().await?;
        fs::write(scene.person.home.join(name), text)?;
        let before = scene.questions()?.len();
        // It hands over what it gets, as everybody who is trusted may.
        let said = programs.stand_in(&scene, "k9s", &nobody, &["-f", name], &[], str::to_owned)?;
        ensure!(
            scene.questions()?.len() == before && !nobody.seen().is_empty(),
            "{name}: {said:?}\n{}",
            scene.person.log()
        );
    }
    println!("  control: a script, a source, values, prose, a program: served, no question");
    scene.works("after all that")
}

/// Addresses that lead one reader to the attacker, and another to the person's own server.
pub(crate) async fn addresses(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let programs = Programs::new(&scene)?;
    let own = scene.own_server();
    let url = scene.playground.kube_url();
    let host = url.strip_prefix("https://").unwrap_or(url);
    for (number, provides) in [false, true].into_iter().enumerate() {
        let attacker = AttackerApi::start().await?;
        for (form, (what, address)) in [
            (r"https://EVIL\@OWN", format!(r"{}\@{host}", attacker.url())),
            ("https://x@EVIL@OWN", {
                let evil = attacker.url().replace("https://", "https://x@");
                format!("{evil}@{host}")
            }),
            ("https://OWN#/../evil", format!("{url}#/../evil")),
            ("https://OWN/%2e%2e/evil", format!("{url}/%2e%2e/evil")),
        ]
        .into_iter()
        .enumerate()
        {
            let mut server = own.clone();
            server["server"] = json!(address);
            let mut stanza = scene.exec("kubectl", &[]);
            stanza["provideClusterInfo"] = json!(provides);
            let name = format!("odd-address-{number}-{form}");
            let file = scene.hostile(&name, &scene.kubeconfig(&[("prod", server)], stanza))?;
            refused(&scene, &attacker, what, Asked::Unknown, || {
                let arguments = ["--kubeconfig", &file];
                programs.stand_in(&scene, "k9s", &attacker, &arguments, &[], str::to_owned)
            })?;
            // kubectl refuses some of them by itself, and with a user in the address asks for no token.
            let said = scene.run(&file)?;
            ensure!(
                !said.ok && !attacker.saw_authorization(),
                "{what}: {said:?}"
            );
            let how = if provides { ", named by kubectl" } else { "" };
            table.row(
                26,
                format!("a server's address is {what}{how}"),
                "no server that is known: asked; no token",
            );
        }
    }
    let attacker = AttackerApi::start().await?;
    let what = "--server=https://OWN,@EVIL";
    let evil = attacker.url().replace("https://", "");
    refused(&scene, &attacker, what, Asked::Unknown, || {
        let arguments = [format!("--server={url},@{evil}")];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        programs.stand_in(&scene, "k9s", &attacker, &arguments, &[], str::to_owned)
    })?;
    table.row(26, format!("k9s {what}"), "asked; no token");
    scene.works("after all that")
}
