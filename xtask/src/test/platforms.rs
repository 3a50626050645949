//! The set `platforms`: what differs between systems, type-checked and linted for Windows and macOS.
//!
//! Nothing is linked and nothing run. Debian has a compiler whose library comes with its source (`rustc-web`, for
//! browsers): it is unpacked into the cache and not installed, and builds that library for systems that Debian is not.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Request, judged};
use crate::cache::{Cache, Filling};
use crate::cargo;
use crate::prerequisites::on_path;
use crate::run;
use crate::summary::Outcome;
use crate::system;

/// The systems.
const TARGETS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-pc-windows-msvc"];

/// What is for all of them: everything but the window and the tests.
const CRATES: [&str; 7] = [
    "wire",
    "kubectl-fob",
    "kubeconfig",
    "broker",
    "provider",
    "runtime",
    "kubefob",
];

/// What it is unpacked from, beside what these depend on.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/// The compiler whose warnings are all heeded: another may have lints that nobody here has seen.
const KNOWN: &str = "rustc 1.96.";

/// Stands in for the C compilers and archivers that ring would call: what is not linked needs no code.
const STAND_IN: &str = "#!/bin/sh
# Leaves an empty file where one is asked for: in the words of cc, of ar, and of Microsoft's.
while [ $# -gt 0 ]; do
    case $1 in
        -o) shift; : > \"$1\" ;;
        [-/][oO][uU][tT]:*) : > \"${1#?????}\" ;;
        [-/]Fo*) : > \"${1#???}\" ;;
    esac
    shift
done
";

/// Checks them for each system, or says what is missing for it.
pub(super) fn check(request: &Request) -> Result<Outcome> {
    let compiler = match compiler() {
        Ok(compiler) => compiler,
        Err(why) => return Ok(judged([("Debian's compiler".to_owned(), why)], request)),
    };
    let folder = cargo::target().join("platforms");
    fs::create_dir_all(&folder)?;
    let stand_in = folder.join("stand-in");
    fs::write(&stand_in, STAND_IN)?;
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755))?;
    // Both at once: what the build itself runs is built once for them.
    let mut clippy = compiler.clippy(&folder, &stand_in);
    let mut outcome = Outcome::default();
    match run::logged(&mut clippy, &cargo::target().join("platforms.log")) {
        Ok(()) => outcome.passed = TARGETS.len() as u64,
        Err(error) => outcome
            .failed
            .push(format!("{}: {error:#}", TARGETS.join(" or "))),
    }
    Ok(outcome)
}

/// Debian's compiler, unpacked here.
struct Compiler(PathBuf);

impl Compiler {
    fn program(&self, name: &str) -> PathBuf {
        self.0.join("usr/bin").join(name)
    }

    /// One of its programs, which finds its libraries.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        command.env("LD_LIBRARY_PATH", self.libraries());
        command
    }

    fn libraries(&self) -> PathBuf {
        self.0.join("usr/lib/x86_64-linux-gnu")
    }

    fn clippy(&self, folder: &Path, stand_in: &Path) -> Command {
        // The sets run beside it.
        let mut clippy = cargo::cargo_of("nice");
        clippy
            .args(["-n", "19"])
            .arg(self.program("cargo-clippy"))
            .env("LD_LIBRARY_PATH", self.libraries())
            .env("CARGO", self.program("cargo"))
            .env("RUSTC", self.program("rustc"))
            .env("SYSROOT", self.0.join("usr"))
            // For `build-std`, which is not stable.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", folder)
            // Nobody looks into it, and most of the time went into writing it.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_INCREMENTAL", "0");
        clippy.args(["clippy", "--keep-going", "-Zbuild-std=std,panic_abort"]);
        for target in TARGETS {
            for tool in ["CC", "CXX", "AR"] {
                clippy.env(format!("{tool}_{}", target.replace('-', "_")), stand_in);
            }
            clippy.args(["--target", target]);
        }
        clippy
            .args(CRATES.into_iter().flat_map(|name| ["-p", name]))
            .arg("--");
        let said = run::output(self.command("rustc").arg("--version")).unwrap_or_default();
        if said.starts_with(KNOWN) {
            clippy.args(["-D", "warnings"]);
        } else {
            eprintln!(
                "platforms: {}: its warnings are no failures",
                said.trim_end()
            );
        }
        clippy
    }
}

/// The one in the cache, else one that is fetched.
///
/// # Errors
/// Why there is none, in words.
fn compiler() -> Result<Compiler, String> {
    let told = |error: anyhow::Error| format!("{error:#}");
    let cache = Cache::open().map_err(told)?;
    let place = cache.path("rust-web");
    if !place.exists() {
        for tool in ["apt-get", "apt-cache", "dpkg-deb", "dpkg-query"] {
            on_path(tool).ok_or_else(|| format!("no {tool} here: it is Debian's"))?;
        }
        let filling = cache.lock().map_err(told)?;
        // Another may have made it meanwhile.
        if !place.exists() {
            fetch(&filling).map_err(told)?;
        }
    }
    Ok(Compiler(place))
}

fn fetch(filling: &Filling<'_>) -> Result<()> {
    eprintln!("platforms: Debian's compiler is fetched (150 MB, once; it stays in the cache)");
    let scratch = filling.scratch("rust-web")?;
    let unpacked = scratch.join("unpacked");
    let mut packages = missing_packages()?;
    if packages.is_empty() {
        system::update(filling.cache).map_err(anyhow::Error::msg)?;
        packages = missing_packages()?;
    }
    let log = filling.cache.log("rust-web");
    let mut download = Command::new("apt-get");
    download
        .current_dir(&scratch)
        .arg("-q")
        .arg("download")
        .args(&packages);
    run::logged(&mut download, &log)?;
    for entry in fs::read_dir(&scratch)? {
        let package = entry?.path();
        if package
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("-x").arg(&package).arg(&unpacked);
            run::logged(&mut unpack, &log)?;
        }
    }
    // Of the compiler's own source, the library's is wanted alone.
    for entry in fs::read_dir(unpacked.join("usr/src"))? {
        let source = entry?.path();
        for part in ["compiler", "src"] {
            crate::cache::remove(&source.join(part))?;
        }
    }
    filling.put(&unpacked, "rust-web")?;
    crate::cache::remove(&scratch)
}

/// The packages and what they depend on, but for what is installed already. None: apt knows none of them.
fn missing_packages() -> Result<BTreeSet<String>> {
    let mut wanted: Vec<String> = PACKAGES.map(str::to_owned).into();
    let mut missing = BTreeSet::new();
    while let Some(package) = wanted.pop() {
        let asked = ["-W", "-f", "${db:Status-Status}", &package];
        let status = run::output(Command::new("dpkg-query").args(asked));
        if status.is_some_and(|status| status.trim() == "installed") || missing.contains(&package) {
            continue;
        }
        let Some(said) = run::output(Command::new("apt-cache").args(["depends", &package])) else {
            return Ok(BTreeSet::new());
        };
        wanted.extend(said.lines().filter_map(depended_on));
        missing.insert(package);
    }
    Ok(missing)
}

/// Of a line of `apt-cache depends`. A package that exists by others' names alone stands in angles.
fn depended_on(line: &str) -> Option<String> {
    let package = line
        .trim_start()
        .trim_start_matches('|')
        .strip_prefix("Depends: ")?;
    (!package.starts_with('<')).then(|| package.to_owned())
}

#[cfg(test)]
mod tests {
    use super::depended_on;

    #[test]
    fn a_dependency_is_a_package() {
        let lines = [
            "rustc-web",
            "  Depends: libc6",
            " |Depends: gcc",
            "  Depends: <libc-dev>",
            "    libc6-dev",
            "  Suggests: python3",
        ];
        let found: Vec<_> = lines.into_iter().filter_map(depended_on).collect();
        assert_eq!(found, ["libc6", "gcc"]);
    }
}
