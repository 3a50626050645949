//! Each target's corpus, replayed without libFuzzer: the seeds, what fuzzing found worth keeping,
//! and each input that ever broke a promise (`finding-…`).

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{Decoded, TARGETS};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn every_promise_holds_for_every_input_of_the_corpus() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let folder = corpus().join(target.name);
        let (mut taken, mut refused) = (0, 0);
        for entry in fs::read_dir(&folder).expect("a folder for each target") {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            match catch_unwind(|| (target.run)(&bytes)) {
                Ok(Decoded::Taken) => taken += 1,
                Ok(Decoded::Refused) => refused += 1,
                Err(_) => broken.push(path),
            }
        }
        println!("{}: {taken} taken, {refused} refused", target.name);
        // Inputs that all fall at the first byte would say nothing of what comes behind it.
        assert!(
            taken >= 3 && refused >= 3,
            "{}: {taken}, {refused}",
            target.name
        );
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn each_corpus_is_a_targets() {
    let folders = fs::read_dir(corpus()).unwrap();
    let folders: BTreeSet<_> = folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names: BTreeSet<_> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(folders, names);
}
