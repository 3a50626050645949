//! A client as the window is one, by the main socket: it sees every view, sends commands, and is trusted with nothing.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use wire::frame::{Decoder, Encoder, Reply, Request, read_frame, write_frame};

use crate::person::Person;

/// How long anything may take to be said. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);

/// The client, and every frame that it was sent.
pub struct Desk {
    stream: UnixStream,
    encoder: Encoder<Request>,
    decoder: Decoder<Reply>,
    last: u64,
    view: Value,
    /// As they came.
    pub frames: Vec<Vec<u8>>,
}

impl Desk {
    /// Comes to the resident that runs.
    pub fn at(person: &Person) -> Result<Self> {
        let stream = UnixStream::connect(person.instance.join("socket"))?;
        stream.set_read_timeout(Some(LATEST))?;
        let mut desk = Self {
            stream,
            encoder: Encoder::new(),
            decoder: Decoder::new(),
            last: 0,
            view: Value::Null,
            frames: Vec::new(),
        };
        // Nothing at all says only that a window is here.
        desk.say(&Request::Command(Vec::new()))?;
        Ok(desk)
    }

    /// Sends any request.
    pub fn say(&mut self, request: &Request) -> Result<()> {
        Ok(write_frame(&mut self.stream, &mut self.encoder, request)?)
    }

    /// Sends a command, and does not wait; its number.
    pub fn send(&mut self, command: &Value) -> Result<u64> {
        self.last += 1;
        let sent = json!({ "number": self.last, "command": command });
        self.say(&Request::Command(serde_json::to_vec(&sent)?))?;
        Ok(self.last)
    }

    /// Sends a command; what is told of it.
    pub fn ask(&mut self, command: &Value) -> Result<Value> {
        let number = self.send(command)?;
        loop {
            let said = self.hear()?;
            if said["told"]["number"] == number {
                return Ok(said["told"]["told"].clone());
            }
        }
    }

    /// The view, as soon as it is so.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        while self.view.is_null() || !is_so(&self.view) {
            self.hear()
                .with_context(|| format!("not seen: {what}; {:#}", self.view))?;
        }
        Ok(self.view.clone())
    }

    /// What it is sent next.
    pub fn hear(&mut self) -> Result<Value> {
        match read_frame(&mut self.stream, &mut self.decoder)? {
            Reply::View(frame) => {
                let said: Value = serde_json::from_slice(&frame)?;
                self.frames.push(frame);
                if let Some(view) = said.get("view") {
                    self.view = view.clone();
                }
                Ok(said)
            }
            Reply::Stdout(_)
            | Reply::Stderr(_)
            | Reply::Prompt(_)
            | Reply::Secret(_)
            | Reply::Alive
            | Reply::Exit(_) => bail!("that is for the shim"),
        }
    }
}
