//! The resident: broker, socket and vault in one small process.
#![cfg_attr(windows, windows_subsystem = "windows")] // or a console would come with it

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use runtime::folders::Folders;
use runtime::resident::Start;
use runtime::single::{self, Unclaimed};
use runtime::upgrade::Program;
use wire::endpoint::Places;
use wire::start::BACKGROUND;

mod log;
mod platform;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be reading; whoever started us by hand does.
            drop(writeln!(std::io::stderr(), "kubefob: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    wire::os::harden().context("this process can't be hardened")?;
    runtime::shed_the_starter_s();
    let start = match std::env::args_os().nth(1) {
        None => Start::ByHand,
        Some(flag) if flag == BACKGROUND => Start::InBackground,
        // An upgrade asks for it before it becomes this program.
        Some(flag) if flag == "--version" => {
            writeln!(std::io::stdout(), "kubefob {}", runtime::VERSION)?;
            return Ok(());
        }
        Some(_) => anyhow::bail!(
            "it takes no arguments but --version and {BACKGROUND}; `kubectl fob` does"
        ),
    };
    let program = Program::of_this_process().context("this program's own file")?;
    let environment: Vec<_> = std::env::vars_os().collect();
    let places = Places::of_this_process()?;
    let claim = match single::claim(&places) {
        Ok(claim) => claim,
        Err(Unclaimed::Taken) => {
            return match start {
                // The one who is there serves whoever started us.
                Start::InBackground => Ok(()),
                Start::ByHand => program.become_window().context("the window"),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let folders = Folders::of(&places)?;
    let lacking = folders.create(&places);
    let log = match &lacking.log {
        None => log::start(&folders.log).err(),
        Some(error) => Some(runtime::log::unwritten(&folders.log, &error.to_string())),
    };
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::warn!("rustls has another provider already");
    }
    // Windows and macOS want this thread for the desktop.
    platform::lead(move |desktop| {
        // One thread: the loop decides, and what blocks has threads of its own that go again.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let ended = runtime.block_on(runtime::resident::run(
            &places,
            &folders,
            claim,
            program,
            environment,
            start,
            lacking,
            log,
            |front| desktop.draw(front),
        ));
        // What still blocks (a keyring's prompt) is not waited for.
        runtime.shutdown_background();
        ended
    })
}
