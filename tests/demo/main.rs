//! `cargo xtask demo`: the desktop as a told walk-through, in a playground and a home of its own.
//!
//! It is no test, but it ends with an error where something came out otherwise than it tells: the
//! set `desktop` runs it so that it can't rot. `story` says what is done and what it shows, `stage`
//! is where it happens, `desk` what a person sees there, `teller` how it is told.

mod desk;
mod stage;
mod story;
mod teller;

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

use stage::Stage;
use teller::Teller;

const USAGE: &str = "usage: demo [--own-desktop] [--wait]   (started by `cargo xtask demo`)";

/// What xtask found out about who is there.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    /// It is shown on the person's own desktop, and they sign in at their browser; not a script on a virtual one.
    own_desktop: bool,
    /// Everything stays up at the end until they press Enter.
    wait: bool,
}

fn main() -> ExitCode {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--own-desktop" => options.own_desktop = true,
            "--wait" => options.wait = true,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let ended = tokio::runtime::Runtime::new()
        .context("no runtime")
        .and_then(|runtime| {
            let ended = runtime.block_on(run(options));
            // A thread that reads the standard input would be waited for.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(Ended::Told) => ExitCode::SUCCESS,
        Ok(Ended::Interrupted) => {
            eprintln!("\ninterrupted: everything is ended and removed");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

enum Ended {
    Told,
    Interrupted,
}

async fn run(options: Options) -> Result<Ended> {
    // Before anything is started, so that nothing is left behind whenever they come.
    let mut signals = Signals::new()?;
    let mut teller = Teller::new();
    let stage = Stage::set(options.own_desktop).await?;
    let ended = tokio::select! {
        told = tell(&mut teller, &stage, options) => told.map(|()| Ended::Told),
        () = signals.any() => Ok(Ended::Interrupted),
    };
    let pictures = stage.desk.pictures().to_owned();
    let cleared = stage.clear();
    let ended = ended?;
    cleared?;
    if matches!(ended, Ended::Told) {
        teller.note(&format!(
            "\nKubefob and the playground are ended, and their folder is removed. The pictures are in\n{}",
            pictures.display()
        ));
    }
    Ok(ended)
}

async fn tell(teller: &mut Teller, stage: &Stage, options: Options) -> Result<()> {
    story::tell(teller, stage).await?;
    if options.wait {
        story::invite(teller, stage);
        let mut typed = [0; 1];
        // Its end will do, too.
        let _ = tokio::io::stdin().read(&mut typed).await;
    }
    Ok(())
}

/// What ends it early: Ctrl-C, its terminal closed, SIGTERM.
struct Signals {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
