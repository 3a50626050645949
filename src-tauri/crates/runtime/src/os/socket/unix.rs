//! Linux and macOS: unix sockets.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::UnixListener;
use tokio::process::Command;

use crate::os::descriptor;

pub use std::os::unix::net::UnixListener as Bound;
pub(crate) use tokio::net::UnixStream as Stream;
pub(crate) use wire::os::peer;

pub(crate) struct Listener(UnixListener);

impl Listener {
    pub(crate) fn new(bound: Bound) -> io::Result<Self> {
        UnixListener::from_std(bound).map(Self)
    }

    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        let (stream, _) = self.0.accept().await?;
        Ok(stream)
    }
}

/// The number that the program finds its descriptor under.
const DESCRIPTOR: i32 = 3;

/// A pair of sockets, of which one is inherited.
pub(crate) struct Ours(Stream);

impl Ours {
    /// Tells the program that `command` starts where its end is.
    pub(crate) fn new(command: &mut Command) -> io::Result<Self> {
        let (stream, theirs) = Stream::pair()?;
        let theirs: OwnedFd = theirs.into_std()?.into();
        command.arg(format!("--descriptor={DESCRIPTOR}"));
        descriptor::hand(command, theirs, DESCRIPTOR);
        Ok(Self(stream))
    }

    /// The connection with it, which has this process number.
    #[allow(clippy::unused_async, reason = "other systems wait for it")]
    pub(crate) async fn with(self, _: Option<u32>) -> io::Result<Stream> {
        Ok(self.0)
    }
}
