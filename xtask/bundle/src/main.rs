//! Packages of the release, made from the programs in one folder: started by `cargo xtask bundle`.
//!
//! A package is a [`tree`] of files, the same for both kinds but for a few places; [`deb`] and [`rpm`] write
//! it down. Made twice from the same commit, both are the same bytes, where the programs are.

mod deb;
mod icons;
mod licences;
mod manual;
mod needs;
mod rpm;
mod tree;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

/// What every package says of itself.
struct About {
    version: &'static str,
    /// When the commit was made, in seconds since 1970: every file's time.
    date: u64,
    /// As `cargo` calls it: `x86_64`.
    machine: &'static str,
}

/// The first line of a package's description, and the rest of it.
const SUMMARY: &str = "OpenID Connect sign-in for kubectl, once for all of them";
const DESCRIPTION: &str = "\
Kubefob signs you in at an OpenID Connect provider through your browser, keeps
the tokens fresh in the background, and hands them to kubectl, k9s, Helm and
Lens. A kubeconfig that was written for int128/kubelogin works as it is.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bundle: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [programs, out] = arguments.as_slice() else {
        bail!("bundle PROGRAMS OUT: from a folder with the programs to one with the packages");
    };
    let about = About {
        version: env!("CARGO_PKG_VERSION"),
        date: date()?,
        machine: env::consts::ARCH,
    };
    fs::create_dir_all(out)?;
    let licences = licences::all()?;
    for made in [
        deb::write(&about, programs, &licences, out),
        rpm::write(&about, programs, &licences, out),
    ] {
        let path = made?;
        println!("{}", path.display());
    }
    Ok(())
}

/// The workspace.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// SOURCE_DATE_EPOCH as <https://reproducible-builds.org/specs/source-date-epoch/> has it, else the commit's.
fn date() -> Result<u64> {
    let said = match env::var("SOURCE_DATE_EPOCH") {
        Ok(said) => said,
        Err(_) => output(
            Command::new("git")
                .args(["log", "-1", "--format=%ct"])
                .current_dir(root()),
        )
        .context("no commit here: say the time of the sources by SOURCE_DATE_EPOCH")?,
    };
    said.trim()
        .parse()
        .with_context(|| format!("no seconds since 1970: {said:?}"))
}

/// What a program prints.
fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("`{program}` can't be started"))?;
    ensure!(
        output.status.success(),
        "`{program}` ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}
