//! Threat 2: the genuine issuer, whose own session is alive in the person's browser, and the
//! attacker's client or scopes: the provider would answer without a word.

use anyhow::{Result, ensure};
use playground::{AttackerApi, Endpoint, What};
use serde_json::json;

use crate::scene::{Scene, Seat, attackers, exec};
use crate::table::Table;

const THEIRS: &str = "attackers-client";

/// Nothing is said to the provider before a person has said yes.
pub(crate) async fn consent(table: &Table) -> Result<()> {
    for consent in ["no", "always"] {
        let scene = Scene::signed_in(Seat {
            config: json!({ "clients": [{}, { "id": THEIRS, "secret": null }] }),
            consent,
            ..Seat::default()
        })
        .await?;
        let provider = format!("--oidc-issuer-url={}", scene.playground.issuer());
        let ca = format!("--certificate-authority={}", scene.ca.display());
        let client = format!("--oidc-client-id={THEIRS}");
        let (asked_before, sign_ins) = (
            scene.playground.counters().requests_at(Endpoint::Authorize),
            scene.playground.counters().sign_ins,
        );
        let attacker = AttackerApi::start().await?;
        let servers = [("prod", attackers(&attacker))];
        let theirs = exec("kubectl", &[provider.clone(), client, ca]);
        let wider = scene.exec("kubectl", &["--oidc-extra-scope=offline_access"]);
        for (what, named, stanza) in [
            ("the attacker's client id", THEIRS, theirs),
            ("wider scopes", "offline_access", wider),
        ] {
            let file = scene.hostile("hostile", &scene.kubeconfig(&servers, stanza))?;
            let before = scene.questions()?.len();
            let said = scene.run(&file)?;
            let asked = scene.questions()?.split_off(before);
            ensure!(
                matches!(asked.as_slice(), [one] if one.contains(named) && one.contains(attacker.url())),
                "{what}: {asked:?}"
            );
            if consent == "no" {
                ensure!(!said.ok && said.err.contains("[trust-refused"), "{said:?}");
                let counters = scene.playground.counters();
                ensure!(
                    counters.requests_at(Endpoint::Authorize) == asked_before
                        && counters.sign_ins == sign_ins,
                    "{what}: {counters:?}"
                );
                ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
                table.row(
                    2,
                    format!("{what} at the genuine issuer, whose session lives in the browser"),
                    "the page names them; before a yes the provider hears nothing",
                );
            }
        }
        if consent == "always" {
            // The attack is a real one: with a yes, the provider answers without a word.
            let silent = |event: &playground::Event| matches!(&event.what, What::CodeIssued { client, silent: true, .. } if client == THEIRS);
            ensure!(
                scene.playground.log().iter().any(silent) && attacker.saw_authorization(),
                "the attack itself is no attack: {}",
                scene.person.log()
            );
            println!("with a yes, the provider hands out the code without a login page");
        }
    }
    Ok(())
}
