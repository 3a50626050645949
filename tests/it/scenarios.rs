//! The scenarios that the set `real` runs on the real parts, in the playground.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;
use world::PlayWorld;
use world::scenario::lifetime::lifetime;
use world::scenario::seed::seed;
use world::scenario::terminal::terminal;
use world::scenario::{Bound, Seated, World};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted-browser");

pub(crate) fn the_seed() -> Result<()> {
    Runtime::new()?.block_on(async { seed(&PlayWorld::start().await?, Path::new(SCRIPTED)).await })
}

/// The API server says 401 to a token that is not over. client-go runs the plugin again for that, and does not repeat the
/// request: the next command gets its answer.
pub(crate) fn changed_keys() -> Result<()> {
    Runtime::new()?.block_on(async {
        let world = PlayWorld::start().await?;
        world.tokens(300, true).await?;
        world.bind(Bound::User).await?;
        let seated = Seated::new(&world, "changed_keys", Path::new(SCRIPTED))?;
        seated.works("after the sign-in")?;
        world.change_keys().await?;
        let refused = seated.person.kubectl(&["get", "namespace", "default"])?;
        ensure!(
            !refused.ok && refused.err.contains("Unauthorized"),
            "{refused:?}"
        );
        seated.works("the next command after the keys were changed")?;
        ensure!(seated.pages()? == 1, "they cost no page");
        let status = seated.person.fob(&["status"])?;
        let refusing = &status["accounts"][0]["refusedBy"];
        ensure!(*refusing == Value::Array(Vec::new()), "{status:#}");
        Ok(())
    })
}

pub(crate) fn a_terminal() -> Result<()> {
    Runtime::new()?
        .block_on(async { terminal(&PlayWorld::start().await?, Path::new(SCRIPTED)).await })
}

pub(crate) fn a_lifetime() -> Result<()> {
    Runtime::new()?
        .block_on(async { lifetime(&PlayWorld::start().await?, Path::new(SCRIPTED)).await })
}
