//! A hundred kubectl at one instant, and what the provider sees of them.

use anyhow::{Context, Result, ensure};
use playground::Endpoint;
use serde_json::json;

use crate::ground::{Ground, wait_for};
use crate::row::{Goal, Row};

const KUBECTLS: usize = 100;
/// Short, since the second row waits until a token has expired; and long enough that no refresh
/// comes due while a hundred kubectl share a busy machine.
const TOKEN_SECONDS: i64 = 60;

/// Nobody signed in; and then a token that has expired.
pub(crate) fn token_requests() -> Result<Vec<Row>> {
    let ground = Ground::new(json!({ "token_seconds": TOKEN_SECONDS }))?;
    let goal = Goal::Most(1.0);
    let cold = at_once(&ground)?;
    let expires = ground.playground.now() + TOKEN_SECONDS;
    let mut rows = vec![Row::new(
        "token requests for 100 parallel kubectl, cold",
        (cold, "requests"),
        goal,
        format!("{KUBECTLS} × kubectl get ns, nobody signed in, no resident: all of them got it"),
    )];
    // Else it would refresh ahead of time, and nothing would expire.
    ground.person.end_resident("TERM")?;
    wait_for("the token's end", || Ok(ground.playground.now() > expires))?;
    let expired = at_once(&ground)?;
    rows.push(Row::new(
        "token requests for 100 parallel kubectl, expired",
        (expired, "requests"),
        goal,
        format!(
            "{KUBECTLS} × kubectl get ns, the sealed token expired, no resident ({}): all of \
             them got it",
            ground.vault
        ),
    ));
    Ok(rows)
}

/// How many token requests a hundred commands cost.
fn at_once(ground: &Ground) -> Result<f64> {
    let requests = || {
        let counters = ground.playground.counters();
        counters.requests_at(Endpoint::Token) + counters.requests_at(Endpoint::Refresh)
    };
    let before = requests();
    let mut running = Vec::new();
    for _ in 0..KUBECTLS {
        running.push(ground.person.start(&["get", "ns", "-o", "name"])?);
    }
    for child in running {
        let said = world::person::said(child.wait_with_output().context("kubectl")?)?;
        ensure!(said.ok, "{said:?}\n{}", ground.person.log());
    }
    Ok((requests() - before) as f64)
}
