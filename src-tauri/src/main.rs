//! The window: shows what the resident says, and sends it what a person wants.
//!
//! It knows Tauri and nothing of what goes through it: views and commands are JSON that others read. The resident
//! starts it, with one end of a socket pair as a descriptor. Started by hand (or by the desktop entry) it has none: it
//! asks the resident to show the window, and ends.

#[cfg(unix)]
mod app;
#[cfg(unix)]
mod ask;
#[cfg(all(unix, feature = "automation"))]
mod automation;
#[cfg(unix)]
mod bounds;
#[cfg(unix)]
mod linger;
#[cfg(unix)]
mod link;
#[cfg(unix)]
mod os;
#[cfg(unix)]
mod pages;

use std::process::ExitCode;

/// A page of Kubefob's, in a window of its own.
#[cfg(unix)]
fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Nobody may be reading; whoever started us by hand does.
            drop(writeln!(std::io::stderr(), "kubefob-window: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn start() -> Result<(), Box<dyn std::error::Error>> {
    wire::os::harden()?;
    os::keep_environment();
    #[cfg(feature = "automation")]
    automation::allow();
    let places = wire::endpoint::Places::of_this_process()?;
    let resident = std::env::args().find_map(|word| {
        let number = word.strip_prefix("--descriptor=")?.parse().ok()?;
        os::inherited(number)
    });
    match resident {
        Some(resident) => app::show(resident, places),
        None => ask::open(&places),
    }
}

/// It needs its own way to the resident there, which comes later.
#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
