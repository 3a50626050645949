use super::*;
use sealed::Frame as _;

fn run() -> Run {
    Run::examples().swap_remove(0)
}

fn requests() -> Vec<Request> {
    frames()
}

fn replies() -> Vec<Reply> {
    frames()
}

/// Some of every kind that there is, as long as it may be.
fn frames<F: Frame>() -> Vec<F> {
    let fits = |frame: &F| {
        let mut payload = Vec::new();
        frame.write_payload(&mut payload);
        payload.len() <= usize::try_from(frame.kind().cap).unwrap()
    };
    F::examples().into_iter().filter(fits).collect()
}

fn read_run(payload: &[u8]) -> Result<Request, FrameError> {
    sealed::Frame::read_payload(1, payload)
}

fn encoded<F: Frame>(frames: &[F]) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Encoder::new(), Vec::new());
    for frame in frames {
        encoder.encode(frame, &mut bytes).unwrap();
    }
    bytes
}

fn decoded<F: Frame>(bytes: &[u8], at_once: usize) -> Vec<F> {
    let (mut decoder, mut frames) = (Decoder::new(), Vec::new());
    for chunk in bytes.chunks(at_once) {
        decoder.push(chunk);
        while let Some(frame) = decoder.next().unwrap() {
            frames.push(frame);
        }
    }
    assert!(matches!(decoder.ended(), FrameError::Closed));
    frames
}

fn first<F: Frame>(bytes: &[u8]) -> Result<Option<F>, FrameError> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    decoder.next()
}

fn after_hello(rest: &[u8]) -> Vec<u8> {
    [&HELLO, rest].concat()
}

#[test]
fn what_is_encoded_is_decoded_however_it_is_cut() {
    for at_once in [1, 2, 3, 5, 7, 4096, usize::MAX] {
        assert_eq!(
            decoded::<Request>(&encoded(&requests()), at_once),
            requests()
        );
        assert_eq!(decoded::<Reply>(&encoded(&replies()), at_once), replies());
    }
}

#[test]
fn every_prefix_of_a_frame_needs_more() {
    for request in requests() {
        let bytes = encoded(std::slice::from_ref(&request));
        for end in 0..bytes.len() {
            let mut decoder = Decoder::<Request>::new();
            decoder.push(&bytes[..end]);
            assert!(decoder.next().unwrap().is_none(), "{request:?} at {end}");
            let between = end == 0 || end == HELLO.len();
            assert_eq!(
                matches!(decoder.ended(), FrameError::Closed),
                between,
                "at {end}"
            );
            decoder.push(&bytes[end..]);
            assert_eq!(decoder.next().unwrap(), Some(request.clone()));
        }
    }
}

#[test]
fn every_prefix_of_a_run_is_malformed_and_so_is_a_longer_one() {
    let mut payload = Vec::new();
    run().write(&mut payload);
    for end in 0..payload.len() {
        let error = read_run(&payload[..end]).unwrap_err();
        assert!(
            matches!(error, FrameError::Malformed { .. }),
            "{error:?} at {end}"
        );
    }
    payload.push(0);
    assert!(matches!(
        read_run(&payload),
        Err(FrameError::Malformed { .. })
    ));
}

#[test]
fn no_single_changed_byte_panics_or_grows() {
    let bytes = encoded(&requests());
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            let mut decoder = Decoder::<Request>::new();
            decoder.push(&changed);
            while let Ok(Some(_)) = decoder.next() {}
        }
    }
}

#[test]
fn a_length_or_count_without_bytes_behind_it_is_refused() {
    let mut payload = Vec::new();
    Run {
        program: vec![],
        ..run()
    }
    .write(&mut payload);
    payload[4..8].copy_from_slice(&u32::MAX.to_be_bytes()); // how many arguments
    assert!(matches!(
        read_run(&payload),
        Err(FrameError::Malformed { .. })
    ));
    payload[..4].copy_from_slice(&u32::MAX.to_be_bytes()); // how long the program's name is
    assert!(matches!(
        read_run(&payload),
        Err(FrameError::Malformed { .. })
    ));
}

#[test]
fn each_kind_takes_its_cap_and_not_one_byte_more() {
    let caps = [(2, 65_536_u32), (3, 4096)];
    for (kind, cap) in caps {
        let fits = [&[kind][..], &cap.to_be_bytes()].concat();
        assert!(first::<Request>(&after_hello(&fits)).unwrap().is_none());
        let too_long = [&[kind][..], &(cap + 1).to_be_bytes()].concat();
        let error = first::<Request>(&after_hello(&too_long)).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { cap: c, .. } if c == cap));
    }
    let caps = [
        (16, 1 << 20),
        (17, 65_536),
        (18, 8192),
        (19, 0_u32),
        (20, 1 << 20),
        (21, 1),
    ];
    for (kind, cap) in caps {
        let too_long = [&[kind][..], &(cap + 1).to_be_bytes()].concat();
        let error = first::<Reply>(&after_hello(&too_long)).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { cap: c, .. } if c == cap));
    }
    let mut bytes = Vec::new();
    let answer = Request::Answer("x".repeat(4097));
    let error = Encoder::new().encode(&answer, &mut bytes).unwrap_err();
    assert!(matches!(error, FrameError::TooLong { length: 4097, .. }) && bytes.is_empty());
}

/// What peers of any age go by: none of it changes while the version is the same.
#[test]
fn every_frame_has_the_number_and_the_cap_that_it_had() {
    fn kinds<F: Frame>() -> Vec<(u8, &'static str, u32)> {
        let kinds = F::KINDS.iter();
        kinds
            .map(|kind| (kind.number, kind.name, kind.cap))
            .collect()
    }
    assert_eq!(
        kinds::<Request>(),
        [
            (1, "Run", 512 * 1024),
            (2, "Command", 64 * 1024),
            (3, "Answer", 4 * 1024)
        ]
    );
    assert_eq!(
        kinds::<Reply>(),
        [
            (16, "Stdout", 1024 * 1024),
            (17, "Stderr", 64 * 1024),
            (18, "Prompt", 8 * 1024),
            (22, "Secret", 8 * 1024),
            (19, "Alive", 0),
            (20, "View", 1024 * 1024),
            (21, "Exit", 1),
        ]
    );
    let seen: Vec<u8> = replies().iter().map(|reply| reply.kind().number).collect();
    for kind in Reply::KINDS {
        assert!(seen.contains(&kind.number), "no example of {}", kind.name);
    }
}

#[test]
fn an_unknown_kind_is_named_by_its_number() {
    let error = first::<Reply>(&after_hello(&[99])).unwrap_err();
    assert_eq!(error.to_string(), "a frame of the unknown kind 99");
    let error = first::<Request>(&after_hello(&[16, 0, 0, 0, 0])).unwrap_err();
    assert!(
        matches!(error, FrameError::UnknownKind(16)),
        "a reply where a request belongs"
    );
}

#[test]
fn other_versions_and_strangers_are_told_apart() {
    let error = first::<Reply>(b"KFOB\x02\x05").unwrap_err();
    assert!(matches!(
        error,
        FrameError::VersionMismatch {
            theirs: Versions {
                oldest: 2,
                newest: 5
            },
            ..
        }
    ));
    assert!(matches!(
        first::<Reply>(b"KFOB\x00\x00"),
        Err(FrameError::VersionMismatch { .. })
    ));
    assert!(matches!(
        first::<Reply>(b"KFOB\x01\x09\x13\x00\x00\x00\x00"),
        Ok(Some(Reply::Alive))
    ));
    assert!(matches!(
        first::<Reply>(b"SSH-2.0-x"),
        Err(FrameError::NotKubefob)
    ));
    assert!(matches!(
        first::<Reply>(b"KFO\n"),
        Err(FrameError::NotKubefob)
    ));
}

#[test]
fn wrong_payloads_are_malformed() {
    for bad in [&[17, 0, 0, 0, 1, 0xff][..], &[21, 0, 0, 0, 0]] {
        let error = first::<Reply>(&after_hello(bad)).unwrap_err();
        assert!(matches!(error, FrameError::Malformed { .. }), "{error:?}");
    }
}

#[test]
fn a_reader_is_read_until_a_frame_is_whole() {
    let bytes = encoded(&replies());
    let mut from = bytes.as_slice();
    let mut decoder = Decoder::<Reply>::new();
    for reply in replies() {
        assert_eq!(read_frame(&mut from, &mut decoder).unwrap(), reply);
    }
    assert!(matches!(
        read_frame(&mut from, &mut decoder),
        Err(FrameError::Closed)
    ));

    let mut from = &bytes[..8];
    let error = read_frame(&mut from, &mut Decoder::<Reply>::new()).unwrap_err();
    assert!(matches!(error, FrameError::CutOff));
}

#[test]
fn a_passed_deadline_is_no_io_error() {
    struct Late;
    impl Read for Late {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let error = read_frame(&mut Late, &mut Decoder::<Reply>::new()).unwrap_err();
    assert!(matches!(error, FrameError::TimedOut));
}
