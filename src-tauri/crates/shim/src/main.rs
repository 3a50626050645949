//! The exec credential plugin: asks the resident, does what it is told.
//!
//! It parses nothing and decides nothing; it runs at every question, so it costs no more than a process has
//! to. `no_main` spares it std's own start. The release is static, at a fixed address, without RELRO (a page
//! fault costs as much as ten system calls), and with musl for its C library where there is one: `xtask` says
//! how and why (`programs.rs`).
#![cfg_attr(all(unix, not(test)), no_main)]

mod os;
mod question;
mod say;
mod start;
mod streams;

use std::time::Duration;

use wire::frame::{FrameError, Request};
use wire::start::connect;

use question::Asker;
use say::Say;
use streams::Streams;

/// How long each wait may last.
struct Waits {
    /// Until somebody takes the connection and says the first thing.
    first: Duration,
    /// Until the next thing: [`wire::frame::Reply::Alive`] comes every three seconds.
    next: Duration,
    /// Until a resident that was just started listens.
    start: Duration,
}

impl Waits {
    fn new() -> Self {
        let seconds = Duration::from_secs;
        let usual = Self {
            first: seconds(10),
            next: seconds(15),
            start: seconds(5),
        };
        if !cfg!(debug_assertions) {
            return usual;
        }
        // For tests, which wait for nothing that long. No release has it.
        match std::env::var("KUBEFOB_TEST_DEADLINE_MS")
            .ok()
            .and_then(|ms| ms.parse().ok())
        {
            Some(ms) => {
                let each = Duration::from_millis(ms);
                Self {
                    first: each,
                    next: each,
                    start: each,
                }
            }
            None => usual,
        }
    }
}

/// Windows' arguments are not those that a C program is handed.
#[cfg(windows)]
fn main() -> std::process::ExitCode {
    run(std::env::args_os().map(os::bytes).collect()).into()
}

/// The whole program, called with these arguments, its own name first; returns its exit code.
fn run(arguments: Vec<Vec<u8>>) -> u8 {
    // Linux: once the resident has looked at us (`question::ask`).
    if !cfg!(target_os = "linux") {
        os::harden();
    }
    let asker = Asker::of_this_process(arguments);
    let mut streams = Streams::new(asker.terminals(), asker.is_plugin());
    match answer(asker, &mut streams) {
        Ok(code) => code,
        Err(say) => {
            streams.say(&say);
            1
        }
    }
}

fn answer(asker: Asker, streams: &mut Streams) -> Result<u8, Say> {
    let waits = Waits::new();
    let (places, person) = (asker.places()?, asker.person());
    let request = Request::Run(asker.into_run());
    let mut again = true;
    loop {
        let stream = match connect(&places, waits.first).map_err(Say::Place)? {
            Some(stream) => stream,
            None => start::resident(&places, person, streams, waits.start)?,
        };
        match question::ask(stream, &request, streams, &waits) {
            // It ended, and nobody has heard anything of it: another may be there by now, or is started.
            Err(Say::Reply(FrameError::Closed | FrameError::CutOff))
                if again && !streams.has_answered() =>
            {
                again = false;
            }
            ended => return ended,
        }
    }
}
