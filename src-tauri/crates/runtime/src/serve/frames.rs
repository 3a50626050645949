//! Frames, read from whoever came and written to them.

use std::time::Duration;

use broker::problem::Problem;
use broker::texts::Language;
use tokio::io::AsyncWriteExt;
use wire::frame::{Decoder, Encoder, Reply, Request};

use crate::os::socket::Stream;

/// How long a client may take for its first frame.
pub(super) const FIRST_FRAME: Duration = Duration::from_secs(5);

/// The next whole frame; none where the client hung up. Cancelling it loses nothing: what was read
/// is in the decoder.
pub(super) async fn read(
    stream: &mut Stream,
    decoder: &mut Decoder<Request>,
) -> Result<Option<Request>, wire::frame::FrameError> {
    loop {
        if let Some(request) = decoder.next()? {
            return Ok(Some(request));
        }
        if stream.readable().await.is_err() {
            return Ok(None);
        }
        // On the stack for a moment, and no part of every connection's task.
        let mut buffer = [0; 8 * 1024];
        match stream.try_read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return Ok(None),
            Ok(length) => decoder.push(buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// Says what is wrong to one who is asked nothing.
pub(super) async fn refuse(stream: &mut Stream, problem: &Problem) -> std::io::Result<()> {
    let text = format!("kubefob: {}\n", problem.line(Language::default()));
    let replies = [Reply::Stderr(text), Reply::Exit(1)];
    write(stream, &mut Encoder::new(), &replies).await
}

pub(super) async fn write(
    stream: &mut Stream,
    encoder: &mut Encoder<Reply>,
    replies: &[Reply],
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for reply in replies {
        encoder
            .encode(reply, &mut bytes)
            .map_err(std::io::Error::other)?;
    }
    // A client that does not read is not waited for.
    let write = tokio::time::timeout(FIRST_FRAME, stream.write_all(&bytes)).await;
    zeroize::Zeroize::zeroize(&mut bytes);
    write?
}
