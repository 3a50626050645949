//! Threat 18: what a provider, or somebody in its place, could say in place of an honest token.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::{Config, Endpoint, Fault, Playground, What};
use serde_json::json;
use world::wait;

use crate::scene::{self, ONE_REQUEST, Scene, Seat};
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

/// Key sets that are no honest provider's.
pub(crate) async fn keys(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat {
        consent: "always",
        ..Seat::default()
    })
    .await?;
    for (what, faults) in [
        (
            "the JWKS has the public key as an HMAC key, and the token is signed so",
            vec![Fault::KeyAsSecret],
        ),
        (
            "two keys of one kid, and the token signed by a third",
            vec![Fault::DuplicateKid, Fault::WrongSignature],
        ),
    ] {
        for fault in faults {
            scene.playground.fault(fault).await?;
        }
        // The first makes the account; it remembers why it was refused, and a person's own command looks again.
        if scene.playground.counters().codes == 0 {
            scene.person.kubectl(ONE_REQUEST)?;
        }
        let said = scene.person.kubectl(&["fob", "login"])?;
        ensure!(
            !said.ok && said.err.contains("[bad-token]"),
            "{what}: {said:?}"
        );
        table.row(18, what, "refused; nothing is kept");
        scene.playground.lift_all().await?;
    }
    scene.playground.fault(Fault::DuplicateKid).await?;
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(said.ok, "two keys of one kid: {said:?}");
    scene.works("two keys of one kid")?;
    table.row(
        18,
        "two keys of one kid, and the token signed by one of them (control)",
        "signed in",
    );
    scene.playground.lift_all().await?;

    // Another account, signed in, which must not notice.
    let config: Config = serde_json::from_value(json!({ "token_seconds": 300 }))?;
    let other = Playground::start(config).await?;
    let both = [scene.playground.ca_pem(), other.ca_pem()].concat();
    std::fs::write(&scene.ca, both)?;
    let mut flags = scene.flags();
    flags[0] = format!("--oidc-issuer-url={}", other.issuer());
    let server = scene::server(other.kube_url(), other.ca_pem());
    let theirs = scene.kubeconfig(&[("other", server)], scene::exec("kubectl", &flags));
    let file = scene.hostile("other.yaml", &theirs)?;
    let asked = scene.run(&file)?;
    ensure!(asked.ok, "{asked:?}");
    for (rsa, expected) in [(false, "signed in, by the last of them"), (true, "")] {
        scene
            .person
            .kubectl(&["fob", "logout", scene.playground.issuer()])?;
        let many = Fault::ManyKeys { count: 10_000, rsa };
        scene.playground.fault(many).await?;
        let slow = Fault::Slow {
            milliseconds: 2_000,
        };
        scene.playground.fault(slow.at(Endpoint::Jwks)).await?;
        let before = scene.playground.counters().requests_at(Endpoint::Jwks);
        let signing_in = scene
            .person
            .start(&["fob", "login", scene.playground.issuer()])?;
        wait::up_to(Duration::from_secs(60))
            .every(Duration::from_millis(10))
            .until_async("a look at the keys", async || {
                Ok(scene.playground.counters().requests_at(Endpoint::Jwks) != before)
            })
            .await?;
        let meanwhile = scene.run(&file)?;
        ensure!(meanwhile.ok, "the other account: {meanwhile:?}");
        let said = world::person::said(signing_in.wait_with_output()?)?;
        let looks = scene.playground.counters().requests_at(Endpoint::Jwks) - before;
        ensure!(looks <= 2, "{looks} looks at the keys");
        let (what, outcome) = if rsa {
            ensure!(
                !said.ok && said.err.contains("its reply is too long"),
                "{said:?}"
            );
            ("10,000 RSA keys, 4 MB", "an error that says so")
        } else {
            ensure!(said.ok, "{said:?}");
            ("10,000 keys, 0.9 MB", expected)
        };
        table.row(
            18,
            what,
            format!("{outcome}; another account is served meanwhile"),
        );
        scene.playground.lift_all().await?;
    }
    Ok(())
}

/// The provider's clock, or ours, is a year off.
pub(crate) async fn clocks(table: &Table) -> Result<()> {
    const YEAR: i64 = 31_536_000;
    for (word, seconds) in [("ahead", YEAR), ("behind", -YEAR)] {
        let scene = Scene::set(Seat {
            config: json!({ "token_seconds": 5 }),
            ..Seat::default()
        })
        .await?;
        // Provider and cluster alike: it may as well be ours.
        scene.playground.advance(seconds);
        let clock_off = |when: &str| -> Result<()> {
            let status = scene.person.fob(&["status"])?;
            let off = status["accounts"][0]["clockOff"].as_i64();
            let off = off.with_context(|| format!("{when}: {status:#}"))?;
            ensure!((off - seconds).abs() < 60, "{when}: {off}");
            Ok(())
        };
        scene.works("at a sign-in")?;
        clock_off("at a sign-in")?;
        let refreshes = scene.playground.counters().refreshes;
        while scene.playground.counters().refreshes < refreshes + 2 {
            scene.works("at refreshes")?;
        }
        clock_off("after a refresh")?;
        ensure!(scene.playground.counters().sign_ins == 1);
        let said = scene.person.kubectl(&["fob", "status"])?;
        ensure!(said.out.contains("365 days apart"), "{said:?}");
        let looks = scene.playground.counters().requests_at(Endpoint::Discovery);
        ensure!(looks < 40, "{looks} looks in a few seconds");
        table.row(
            18,
            format!("the provider's clock is a year {word} of ours"),
            "signed in and renewed by its own times; the status says that the clocks are 365 days apart",
        );

        // The provider alone, at a refresh: its tokens are none for the cluster.
        scene.playground.advance(-seconds);
        let scene = Scene::signed_in(Seat {
            config: json!({ "token_seconds": 5 }),
            ..Seat::default()
        })
        .await?;
        let fault = Fault::SkewedClock { seconds }.at(Endpoint::Refresh);
        scene.playground.fault(fault).await?;
        let before = scene.playground.counters().refreshes;
        while scene.playground.counters().refreshes == before {
            scene.person.kubectl(ONE_REQUEST)?;
        }
        let said = scene.person.kubectl(ONE_REQUEST)?;
        let status = scene.person.fob(&["status"])?;
        ensure!(
            status["accounts"][0]["clockOff"].is_i64(),
            "{said:?} {status:#}"
        );
        scene.playground.lift_all().await?;
        scene
            .works_again("once the provider's clock is right")
            .await?;
        let counters = scene.playground.counters();
        ensure!(counters.sign_ins == 1, "{} sign-ins", counters.sign_ins);
        ensure!(counters.refreshes < 40, "{} refreshes", counters.refreshes);
        table.row(
            18,
            format!("the provider alone is a year {word} at a refresh"),
            "the session stays; the status names the difference; kubectl works when the clock is right",
        );
    }
    Ok(())
}
