//! The .rpm, as rpm's own program reads it, beside the .deb.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use world::parts;

use crate::packages::{made, output};

/// What stands at a path: the kind and mode as `ls` writes them, and where a link leads.
type Contents = BTreeMap<String, (String, Option<String>)>;

pub(crate) fn rpm() -> Result<()> {
    let package = made("rpm")?;
    parts::system("rpm")?;
    let intact = query(&["--checksig", "--nosignature"], &package)?;
    ensure!(intact.contains("digests OK"), "{intact}");

    let files = rpm_contents(&package)?;
    let theirs = deb_contents(&made("deb")?)?;
    // Where the two put things: Debian's documentation and its folder for zsh, and rpm's for licences and zsh.
    let own = |path: &str| {
        path.starts_with("/usr/share/doc/")
            || path.starts_with("/usr/share/licenses/")
            || path.starts_with("/usr/share/zsh/")
    };
    let shared = |all: &Contents| -> Contents {
        let all = all.iter().filter(|(path, _)| !own(path));
        all.map(|(path, what)| (path.clone(), what.clone()))
            .collect()
    };
    ensure!(shared(&files) == shared(&theirs), "{files:#?}\n{theirs:#?}");
    for expected in [
        "/usr/bin/kubefob",
        "/usr/bin/kubefob-window",
        "/usr/bin/kubectl-fob",
        "/usr/bin/kubectl-oidc_login",
        "/usr/share/applications/kubefob.desktop",
        "/usr/share/icons/hicolor/scalable/apps/kubefob.svg",
        "/usr/lib/systemd/user/kubefob.socket",
        "/usr/lib/systemd/user/kubefob.service",
        "/usr/share/man/man1/kubectl-fob.1.gz",
        "/usr/share/bash-completion/completions/kubectl-fob",
        "/usr/share/zsh/site-functions/_kubectl-fob",
        "/usr/share/fish/vendor_completions.d/kubectl-fob.fish",
        "/usr/share/licenses/kubefob/LICENSE",
        "/usr/share/licenses/kubefob/third-party-licences",
    ] {
        ensure!(files.contains_key(expected), "no {expected} in {files:#?}");
    }

    let requires = query(&["--query", "--requires", "--package"], &package)?;
    for library in ["libwebkit2gtk-4.1.so.0()(64bit)", "libgtk-3.so.0()(64bit)"] {
        ensure!(requires.contains(library), "{requires}");
    }
    let scripts = query(&["--query", "--scripts", "--package"], &package)?;
    ensure!(
        !scripts.contains("enable") && !scripts.contains("preset"),
        "{scripts}"
    );
    println!(
        "{} entries, {} requirements",
        files.len(),
        requires.lines().count()
    );
    Ok(())
}

fn query(arguments: &[&str], package: &Path) -> Result<String> {
    output(Command::new("rpm").args(arguments).arg(package))
}

fn rpm_contents(package: &Path) -> Result<Contents> {
    let format = "[%{FILENAMES}\t%{FILEMODES:perms}\t%{FILELINKTOS}\n]";
    let told = query(&["--query", "--queryformat", format, "--package"], package)?;
    told.lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().context("an incomplete line");
            let (path, mode, target) = (next()?, next()?, next()?);
            let target = (!target.is_empty()).then(|| target.to_owned());
            Ok((path.to_owned(), (mode.to_owned(), target)))
        })
        .collect()
}

/// As `tar --verbose` tells it: mode, owner, size, day, time, `./path`, and `-> target` of a link.
fn deb_contents(package: &Path) -> Result<Contents> {
    let told = output(Command::new("dpkg-deb").arg("--contents").arg(package))?;
    let mut contents = Contents::new();
    for line in told.lines().filter(|line| !line.starts_with('d')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(mode), Some(owner), Some(path)) = (fields.first(), fields.get(1), fields.get(5))
        else {
            anyhow::bail!("an incomplete line: {line}");
        };
        ensure!(*owner == "root/root", "{line}");
        let path = path.trim_start_matches('.').to_owned();
        let target = fields.get(7).map(|target| (*target).to_owned());
        contents.insert(path, ((*mode).to_owned(), target));
    }
    Ok(contents)
}
