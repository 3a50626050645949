//! Frames (`wire::frame`): a peer's bytes, however they are cut, are the same frames; and a frame
//! has one spelling.
//!
//! Input: a byte that says which direction and how the bytes are cut, and the bytes.

use std::fmt::Debug;

use wire::frame::{Decoder, Encoder, Frame, FrameError, HELLO, Reply, Request};

use crate::Decoded;

pub(crate) fn run(input: &[u8]) -> Decoded {
    let Some((&how, bytes)) = input.split_first() else {
        return Decoded::Refused;
    };
    let piece = usize::from(how >> 1) + 1;
    if how & 1 == 0 {
        check::<Request>(bytes, piece)
    } else {
        check::<Reply>(bytes, piece)
    }
}

fn check<F: Frame + Debug + PartialEq>(bytes: &[u8], piece: usize) -> Decoded {
    let (frames, end) = decode::<F>(bytes, bytes.len().max(1));
    assert_eq!(decode::<F>(bytes, piece), (frames, end.clone()));

    let (frames, _) = decode::<F>(bytes, bytes.len().max(1));
    let (mut encoder, mut again) = (Encoder::new(), Vec::new());
    for frame in &frames {
        encoder
            .encode(frame, &mut again)
            .expect("what was decoded keeps its cap");
    }
    if let Some(written) = again.get(HELLO.len()..) {
        // A peer of another version greets otherwise.
        assert!(bytes[HELLO.len()..].starts_with(written), "{frames:?}");
        assert_eq!(
            decode::<F>(&again, piece),
            (frames, FrameError::Closed.to_string())
        );
        return Decoded::Taken;
    }
    Decoded::Refused
}

/// The frames that come out, and how it ends.
fn decode<F: Frame>(bytes: &[u8], piece: usize) -> (Vec<F>, String) {
    let (mut decoder, mut frames) = (Decoder::<F>::new(), Vec::new());
    for bytes in bytes.chunks(piece) {
        decoder.push(bytes);
        loop {
            match decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                // How far it read before that depends on the cuts, what it says does not.
                Err(error) => return (frames, error.to_string()),
            }
        }
    }
    let end = decoder.ended().to_string();
    (frames, end)
}
