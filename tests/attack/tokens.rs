//! Threat 18: what a provider, or somebody in its place, could say in place of an honest token.

use anyhow::{Context, Result, ensure};
use playground::{Endpoint, Fault, What};
use serde_json::json;

use crate::scene::{Scene, Seat};
use crate::table::Table;

/// Whom the cluster took its callers for, but for nobody.
fn known_as(scene: &Scene) -> Vec<String> {
    let events = scene.playground.log().into_iter();
    events
        .filter_map(|event| {
            let What::Kubernetes { user, .. } = event.what else {
                return None;
            };
            user
        })
        .collect()
}

/// Forged at the sign-in: nothing is kept, and nothing goes to the cluster.
pub(crate) async fn at_sign_in(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat::default()).await?;
    let forged = [
        ("HS256 with the public key as its secret", Fault::Hs256),
        ("alg: none", Fault::AlgNone),
        (
            "a key that the token brings along (jwk, jku, x5u)",
            Fault::EmbeddedKey,
        ),
        ("a key that is not the provider's", Fault::WrongSignature),
        ("another client's azp", Fault::ForeignAzp),
        ("another client's aud", Fault::WrongAudience),
        (
            "another issuer's iss",
            Fault::WrongIssuer {
                issuer: Some("https://evil.example".to_owned()),
            },
        ),
        ("another request's nonce", Fault::WrongNonce),
        ("a token of 80 KB", Fault::ManyGroups { bytes: 80_000 }),
    ];
    for (what, fault) in forged {
        scene.playground.fault(fault.at(Endpoint::Token)).await?;
        let said = scene.person.kubectl(&["fob", "login"])?;
        let first = said.err.contains("[no-such-account]") || said.err.contains("[which-account]");
        if first {
            // Nobody has asked yet: the kubeconfig makes the account.
            let said = scene.person.kubectl(crate::scene::ONE_REQUEST)?;
            ensure!(
                !said.ok && said.err.contains("[bad-token]"),
                "{what}: {said:?}"
            );
        } else {
            ensure!(
                !said.ok && said.err.contains("[bad-token]"),
                "{what}: {said:?}"
            );
        }
        let said = scene.person.kubectl(&["fob", "token"])?;
        ensure!(!said.ok && said.out.is_empty(), "{what}: {said:?}");
        table.row(
            18,
            format!("at the sign-in: {what}"),
            "refused; nothing is kept",
        );
        scene.playground.lift_all().await?;
    }
    ensure!(known_as(&scene).is_empty(), "{:?}", known_as(&scene));
    for (what, value) in [
        ("a year", json!(31_536_000)),
        ("1e300", json!(1e300)),
        ("negative", json!(-1)),
        ("a word", json!("soon")),
        ("a list", json!([1])),
    ] {
        let fault = Fault::ExpiresIn { value }.at(Endpoint::Token);
        scene.playground.fault(fault).await?;
        let said = scene.person.kubectl(&["fob", "login"])?;
        if said.ok {
            let status = scene.person.fob(&["status"])?;
            let expires = status["accounts"][0]["expires"]
                .as_i64()
                .context("no expiry")?;
            let life = expires / 1000 - scene.playground.now();
            ensure!((0..=300).contains(&life), "{what}: {life} s");
            table.row(
                18,
                format!("expires_in is {what}"),
                "the ID token's own exp holds",
            );
        } else {
            ensure!(
                said.err.contains("[bad-token]") || said.err.contains("[bad-reply]"),
                "{what}: {said:?}"
            );
            table.row(18, format!("expires_in is {what}"), "refused");
        }
        scene.playground.lift_all().await?;
        scene.person.kubectl(&["fob", "logout"])?;
    }
    Ok(())
}

/// Forged at a refresh: whoever was signed in stays it, or nobody is.
pub(crate) async fn at_refresh(table: &Table) -> Result<()> {
    for (what, fault) in [
        (
            "another issuer's iss",
            Fault::WrongIssuer {
                issuer: Some("https://evil.example".to_owned()),
            },
        ),
        ("another client's aud", Fault::WrongAudience),
        ("another person's sub", Fault::WrongSubject),
        ("alg: none", Fault::AlgNone),
    ] {
        let scene = Scene::signed_in(Seat {
            config: json!({ "token_seconds": 3 }),
            ..Seat::default()
        })
        .await?;
        scene.playground.fault(fault.at(Endpoint::Refresh)).await?;
        let asked = || -> Result<_> { scene.person.kubectl(crate::scene::ONE_REQUEST) };
        let said = loop {
            let said = asked()?;
            if !said.ok {
                break said;
            }
        };
        ensure!(said.err.contains("[bad-token]"), "{what}: {said:?}");
        let users = known_as(&scene);
        ensure!(users.iter().all(|user| user == "test"), "{what}: {users:?}");
        table.row(
            18,
            format!("at a refresh: {what}"),
            "refused; the cluster never sees it",
        );
    }
    Ok(())
}
