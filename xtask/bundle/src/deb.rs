//! The .deb, as dpkg's own tools make it: `dpkg-shlibdeps` says on which packages it depends, `dpkg-deb` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::licences::Licences;
use crate::tree::{self, Entry, PROGRAMS, Places, What};
use crate::{About, DESCRIPTION, SUMMARY};

const PLACES: Places = Places {
    zsh: "/usr/share/zsh/vendor-completions",
};

/// The Debian revision: how often this version was packaged.
const REVISION: u32 = 1;

/// There is no address for mail yet (`SECURITY.md`), and Debian's form wants one: `.invalid` is nobody's.
const MAINTAINER: &str = "The Kubefob developers <nobody@kubefob.invalid>";

/// What keeps the vault's key: any Secret Service does. And what opens the browser.
const RECOMMENDS: &str =
    "gnome-keyring | kwallet6 | libkf5wallet-bin (>= 5.97) | keepassxc, xdg-utils";

/// Who enabled the socket unit has it stopped, since its program goes. The resident itself sees that, and ends: a
/// package sends no signal to a person's processes.
const BEFORE_REMOVAL: &str = "\
#!/bin/sh
set -e
if [ \"$1\" = remove ] && [ -z \"$DPKG_ROOT\" ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke --user stop kubefob.socket kubefob.service >/dev/null 2>&1 || true
fi
";

/// Writes it, and says where.
pub(crate) fn write(
    about: &About,
    programs: &Path,
    licences: &Licences,
    out: &Path,
) -> Result<PathBuf> {
    let mut entries = tree::entries(about, programs, &PLACES)?;
    let changes = fs::read(crate::root().join("CHANGELOG.md"))?;
    for (name, what) in [
        ("copyright", What::Licence(copyright(licences).into_bytes())),
        (
            "third-party-licences.gz",
            What::Licence(tree::compressed(licences.others.as_bytes())?),
        ),
        ("changelog.gz", What::File(tree::compressed(&changes)?)),
    ] {
        let path = format!("/usr/share/doc/kubefob/{name}");
        entries.push(Entry { path, what });
    }
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("package");
    for entry in &entries {
        lay(&root, entry)?;
    }
    let machine = match about.machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let version = format!("{}-{REVISION}", about.version);
    let control = root.join("DEBIAN");
    fs::create_dir(&control)?;
    for (name, content, mode) in [
        (
            "control",
            fields(&version, machine, &root, folder.path())?,
            0o644,
        ),
        ("md5sums", sums(&root, &entries)?, 0o644),
        ("prerm", BEFORE_REMOVAL.to_owned(), 0o755),
    ] {
        let path = control.join(name);
        fs::write(&path, content)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    let package = out.join(format!("kubefob_{version}_{machine}.deb"));
    crate::output(
        Command::new("dpkg-deb")
            .args(["--build", "--root-owner-group", "-Zxz", "-z9"])
            .args([&root, &package])
            .env("SOURCE_DATE_EPOCH", about.date.to_string()),
    )?;
    Ok(package)
}

fn lay(root: &Path, entry: &Entry) -> Result<()> {
    let path = below(root, &entry.path);
    let folder = path.parent().context("an entry without a folder")?;
    fs::create_dir_all(folder)?;
    let mode = match &entry.what {
        What::Program(built) => {
            fs::copy(built, &path)?;
            0o755
        }
        What::File(content) | What::Licence(content) => {
            fs::write(&path, content)?;
            0o644
        }
        What::Link(target) => return Ok(symlink(target, path)?),
    };
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The package's `control`: <https://www.debian.org/doc/debian-policy/ch-controlfields.html>.
fn fields(version: &str, machine: &str, root: &Path, scratch: &Path) -> Result<String> {
    let mut fields = String::new();
    let size = crate::output(
        Command::new("du")
            .args(["--summarize", "--apparent-size", "--block-size=1024"])
            .args(["--exclude=DEBIAN"])
            .arg(root),
    )?;
    let size = size.split_whitespace().next().unwrap_or_default();
    let depends = libraries(root, scratch)?;
    for (name, value) in [
        ("Package", "kubefob"),
        ("Version", version),
        ("Architecture", machine),
        ("Maintainer", MAINTAINER),
        ("Installed-Size", size),
        ("Depends", &depends),
        ("Recommends", RECOMMENDS),
        ("Suggests", "kubernetes-client"),
        ("Section", "admin"),
        ("Priority", "optional"),
        ("Description", SUMMARY),
    ] {
        writeln!(fields, "{name}: {value}")?;
    }
    for line in DESCRIPTION.lines() {
        writeln!(fields, " {line}")?;
    }
    Ok(fields)
}

/// Which packages have the libraries that the programs need, in which versions. It wants to stand in a source
/// package; what it reads of one is its name.
fn libraries(root: &Path, scratch: &Path) -> Result<String> {
    let source = scratch.join("source");
    fs::create_dir_all(source.join("debian"))?;
    fs::write(
        source.join("debian/control"),
        "Source: kubefob\n\nPackage: kubefob\nArchitecture: any\n",
    )?;
    let mut command = Command::new("dpkg-shlibdeps");
    command
        .current_dir(&source)
        .arg("-O")
        .arg("--ignore-missing-info");
    for name in PROGRAMS {
        command.arg("-e").arg(root.join("usr/bin").join(name));
    }
    let said = crate::output(&mut command)?;
    let depends = said.trim().strip_prefix("shlibs:Depends=");
    Ok(depends.context("dpkg-shlibdeps names nothing")?.to_owned())
}

/// What `dpkg --verify` compares with.
fn sums(root: &Path, entries: &[Entry]) -> Result<String> {
    let files: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| !matches!(entry.what, What::Link(_)))
        .map(|entry| entry.path.trim_start_matches('/'))
        .collect();
    crate::output(Command::new("md5sum").args(files).current_dir(root))
}

/// <https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>
fn copyright(licences: &Licences) -> String {
    format!(
        "\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Kubefob
Comment: Together with what the programs contain of others the licence is
 {}
 and each part's text stands in /usr/share/doc/kubefob/third-party-licences.gz

Files: *
Copyright: The Kubefob contributors
License: Apache-2.0
 On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.
",
        licences.expression
    )
}
