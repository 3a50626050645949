//! The scenarios that the set `real` runs on the real parts, in the playground.

use std::path::Path;

use anyhow::Result;
use tokio::runtime::Runtime;
use world::PlayWorld;
use world::scenario::lifetime::lifetime;
use world::scenario::seed::seed;

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted-browser");

pub(crate) fn the_seed() -> Result<()> {
    Runtime::new()?.block_on(async { seed(&PlayWorld::start().await?, Path::new(SCRIPTED)).await })
}

pub(crate) fn a_lifetime() -> Result<()> {
    Runtime::new()?
        .block_on(async { lifetime(&PlayWorld::start().await?, Path::new(SCRIPTED)).await })
}
