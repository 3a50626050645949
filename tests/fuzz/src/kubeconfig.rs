//! Kubeconfigs (`kubeconfig::load`, `merge`, `pairs`): what is taken is small enough, is merged as
//! kubectl merges (of several entries with one name the first wins), and keeps no password.
//!
//! Input: one file, or several with a NUL between them, which no YAML holds.

use std::path::Path;

use kubeconfig::{Config, MAX_BYTES, Merged, ServerKey, load, merge, pairs};

use crate::Decoded;
use crate::credential::has_password;

pub(crate) fn run(input: &[u8]) -> Decoded {
    // What else is read of kubectl's files says yes or no, whatever stands there.
    let _ = kubeconfig::kuberc_chooses_server(input);
    let folder = Path::new("/home/test/.kube");
    let mut files = Vec::new();
    for (number, bytes) in input.split(|byte| *byte == 0).enumerate() {
        let file = folder.join(format!("config-{number}"));
        let loaded = load(&file, bytes);
        assert_eq!(loaded, load(&file, bytes), "twice the same");
        match loaded {
            Ok(config) => {
                assert!(bytes.len() <= MAX_BYTES);
                assert_eq!(*config.file, *file);
                files.push(config);
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return Decoded::Refused;
            }
        }
    }
    let merged = merge(&files, folder);
    is_the_first_of_each(&merged, &files);
    // A file that is named twice changes nothing.
    assert_eq!(merge(files.iter().chain(&files), folder), merged);
    for cluster in merged.clusters.values() {
        if let Ok(server) = ServerKey::try_from(cluster) {
            no_password(&server);
        }
    }
    for pair in pairs(&merged) {
        no_password(&pair.candidate.server);
        assert!(!pair.candidate.contexts.is_empty());
        assert!(!pair.candidate.server.url.is_empty());
    }
    Decoded::Taken
}

fn is_the_first_of_each(merged: &Merged, files: &[Config]) {
    let current = files.iter().find_map(|file| file.current_context.as_ref());
    assert_eq!(merged.current_context.as_ref(), current);
    macro_rules! first {
        ($kind:ident) => {
            for (name, entry) in &merged.$kind {
                let first = files.iter().find(|file| file.$kind.contains_key(name));
                let first = first.expect("it comes from a file");
                assert_eq!(entry.file, first.file, "{name}");
            }
            let names: usize = merged.$kind.len();
            assert!(names <= files.iter().map(|file| file.$kind.len()).sum::<usize>());
        };
    }
    first!(clusters);
    first!(users);
    first!(contexts);
}

fn no_password(server: &ServerKey) {
    assert!(!has_password(&server.url), "{server:?}");
    assert!(
        !server.proxy_url.as_deref().is_some_and(has_password),
        "{server:?}"
    );
}
