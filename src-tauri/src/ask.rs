//! Started by hand: the resident is asked to show the window, and started first where it must be.

use std::error::Error;
use std::time::Duration;

use serde::Deserialize;
use wire::endpoint::Places;
use wire::frame::{Decoder, Encoder, Reply, Request, read_frame, write_frame};
use wire::start;

/// How long a resident may take to listen, and then to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it is asked.
const OPEN: &[u8] = br#"{"number":1,"command":{"do":"open"}}"#;

/// What it says: the view too, which is not for us.
#[derive(Deserialize)]
struct Said {
    told: Option<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    told: Told,
}

#[derive(Deserialize)]
struct Told {
    problem: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    hint: String,
}

/// Asks, and says why not where it is refused.
pub(crate) fn open(places: &Places) -> Result<(), Box<dyn Error>> {
    let mut stream = match start::connect(places, PATIENCE)? {
        Some(stream) => stream,
        None => start::resident(places, || std::env::vars_os().collect(), PATIENCE, || {})?,
    };
    stream.set_patience(PATIENCE);
    let command = Request::Command(OPEN.to_vec());
    write_frame(&mut stream, &mut Encoder::new(), &command)?;
    let mut replies = Decoder::new();
    loop {
        let Reply::View(said) = read_frame(&mut stream, &mut replies)? else {
            continue;
        };
        let Ok(Said { told: Some(answer) }) = serde_json::from_slice(&said) else {
            continue;
        };
        return match answer.told.problem {
            Some(Problem { message, hint }) => Err(format!("{message} {hint}").into()),
            None => Ok(()),
        };
    }
}
