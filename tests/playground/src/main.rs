//! The playground as a process: prints its addresses as JSON, one line, and runs until its input
//! ends or SIGTERM comes.
//!
//! The first argument, if any, is the configuration as JSON, or `@FILE`.

use std::io::Write as _;

use anyhow::Context as _;
use playground::{Config, Playground};
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let playground = Playground::start(config()?).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(playground.addresses())?)?;
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        () = input_ends() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    // Reading standard input holds a thread of the runtime, which would wait for it.
    drop(playground);
    std::process::exit(0)
}

fn config() -> anyhow::Result<Config> {
    let Some(argument) = std::env::args().nth(1) else {
        return Ok(Config::default());
    };
    let json = match argument.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).with_context(|| file.to_owned())?,
        None => argument,
    };
    serde_json::from_str(&json).context("the configuration")
}

async fn input_ends() {
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 1024];
    while !matches!(input.read(&mut ignored).await, Ok(0) | Err(_)) {}
}
