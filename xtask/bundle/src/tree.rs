//! What a package puts where.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use broker::argv::fob::completion;
use broker::command::Shell;

use crate::{About, icons, manual};

/// An entry of a package.
pub(crate) struct Entry {
    /// Where, from the root: `/usr/bin/kubefob`.
    pub(crate) path: String,
    pub(crate) what: What,
}

/// What stands there.
pub(crate) enum What {
    /// A program, copied from here.
    Program(PathBuf),
    File(Vec<u8>),
    /// The package's own licence, or the others'.
    Licence(Vec<u8>),
    /// It leads to this.
    Link(String),
}

/// Where the kinds of packages differ.
pub(crate) struct Places {
    /// Completions of zsh.
    pub(crate) zsh: &'static str,
}

/// The programs, which lie side by side; each is named as the package of ours that it is built from.
pub(crate) const PROGRAMS: [&str; 3] = ["kubefob", "kubefob-window", "kubectl-fob"];

/// Other names of the shim: kubelogin's, and the one that kubectl asks how to complete `kubectl fob`.
const NAMES: [&str; 2] = ["kubectl-oidc_login", "kubectl_complete-fob"];

/// Everything but licences, which each kind names otherwise.
pub(crate) fn entries(about: &About, programs: &Path, places: &Places) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut put = |path: String, what: What| entries.push(Entry { path, what });
    for name in PROGRAMS {
        let built = programs.join(name);
        ensure!(built.is_file(), "{} is not there", built.display());
        put(format!("/usr/bin/{name}"), What::Program(built));
    }
    for name in NAMES {
        put(format!("/usr/bin/{name}"), What::Link("kubectl-fob".into()));
    }
    for (path, content) in [
        (
            "/usr/share/applications/kubefob.desktop",
            include_str!("../files/kubefob.desktop"),
        ),
        (
            "/usr/lib/systemd/user/kubefob.socket",
            include_str!("../files/kubefob.socket"),
        ),
        (
            "/usr/lib/systemd/user/kubefob.service",
            include_str!("../files/kubefob.service"),
        ),
    ] {
        put(path.to_owned(), What::File(content.into()));
    }
    for (path, picture) in icons::all()? {
        put(path, What::File(picture));
    }
    for (name, page) in manual::pages(about)? {
        let path = format!("/usr/share/man/man1/{name}.1.gz");
        put(path, What::File(compressed(&page)?));
    }
    for (name, page) in manual::OTHER_NAMES {
        let path = format!("/usr/share/man/man1/{name}.1.gz");
        put(path, What::Link(format!("{page}.1.gz")));
    }
    for (shell, path) in [
        (
            Shell::Bash,
            "/usr/share/bash-completion/completions/kubectl-fob".to_owned(),
        ),
        (Shell::Zsh, format!("{}/_kubectl-fob", places.zsh)),
        (
            Shell::Fish,
            "/usr/share/fish/vendor_completions.d/kubectl-fob.fish".to_owned(),
        ),
    ] {
        put(path, What::File(completion(shell).into_bytes()));
    }
    Ok(entries)
}

/// As small as gzip makes it, with no time in it.
pub(crate) fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).context("gzip")?;
    Ok(encoder.finish()?)
}
