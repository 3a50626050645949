//! `cargo xtask fuzz`: one target under libFuzzer, on stable Rust.
//!
//! rustc's own passes count the edges; without a sanitizer, since those want a nightly compiler,
//! and the code under test has no `unsafe`. What libFuzzer finds rests in `target/fuzz-found`;
//! the corpus of the tree is read, and changed by `--keep` alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::run;

/// Edges counted in place, compared values seen (clang's SanitizerCoverage), and the checks of a
/// debug build.
const RUSTFLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cdebug-assertions -Coverflow-checks";

/// A release that is quick to build and quick to run, rather than small.
const PROFILE: [&str; 4] = [
    r#"profile.release.lto="off""#,
    "profile.release.opt-level=3",
    "profile.release.codegen-units=4",
    r#"profile.release.strip="debuginfo""#,
];

/// The longest input, in bytes: enough for each decoder's whole grammar, and fast.
const LONGEST: u32 = 8192;

/// How many inputs one `--keep` puts into the tree: a corpus stays a matter of tens of files.
const KEPT: usize = 16;

/// What a caller wants fuzzed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The target; none: say which there are.
    name: Option<String>,
    seconds: u64,
    /// Put the best of what was found into the tree's corpus.
    keep: bool,
}

impl Request {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut request = Self {
            name: None,
            seconds: 600,
            keep: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--for" => {
                    let time = words.next().ok_or("`--for` wants a time: 30s, 10m, 2h")?;
                    request.seconds = seconds(time)
                        .ok_or_else(|| format!("`{time}` is no time: 30s, 10m or 2h are"))?;
                }
                "--keep" => request.keep = true,
                flag if flag.starts_with('-') => return Err(format!("no such flag: `{flag}`")),
                name if request.name.is_none() => request.name = Some(name.to_owned()),
                extra => return Err(format!("one target; what is `{extra}`?")),
            }
        }
        Ok(request)
    }
}

fn seconds(time: &str) -> Option<u64> {
    let unit = time.chars().next_back()?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number: u64 = time.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(each).filter(|seconds| *seconds > 0)
}

/// Fuzzes it; the exit code is libFuzzer's verdict.
pub(crate) fn run(request: &Request) -> Result<ExitCode> {
    let targets = targets()?;
    let Some(name) = &request.name else {
        println!("cargo xtask fuzz NAME, where NAME is one of:");
        for target in targets {
            println!("    {target}");
        }
        return Ok(ExitCode::SUCCESS);
    };
    if !targets.contains(name) {
        bail!("no such target: `{name}`; there are {}", targets.join(", "));
    }
    let fuzzer = build()?;
    let found = cargo::target().join("fuzz-found").join(name);
    fs::create_dir_all(&found)?;
    let corpus = corpus().join(name);
    let mut command = Command::new(fuzzer);
    command.env("FUZZ_TARGET", name);
    if request.keep {
        return keep(command, &corpus, &found);
    }
    command
        .arg(format!("-max_total_time={}", request.seconds))
        .arg(format!("-max_len={LONGEST}"))
        .args(["-timeout=10", "-print_final_stats=1"])
        .arg(format!("-artifact_prefix={}/finding-", found.display()))
        // New inputs go to the first folder.
        .args([&found, &corpus]);
    if command
        .status()
        .context("the fuzzer can't be started")?
        .success()
    {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "what broke it is {}/finding-…: mend it, and put that file into {}",
        found.display(),
        corpus.display()
    );
    Ok(ExitCode::FAILURE)
}

/// Copies what was found and covers the most beside the tree's corpus into it.
fn keep(mut fuzzer: Command, corpus: &Path, found: &Path) -> Result<ExitCode> {
    // Beside the corpus, so that a seed is not written a second time under libFuzzer's name.
    let merged = found.with_extension("merged");
    crate::cache::remove(&merged)?;
    fs::create_dir_all(&merged)?;
    for seed in fs::read_dir(corpus)? {
        let seed = seed?;
        fs::copy(seed.path(), merged.join(seed.file_name()))?;
    }
    let status = fuzzer
        .args(["-set_cover_merge=1", "-verbosity=0"])
        .args([&merged, found])
        .status()
        .context("the fuzzer can't be started")?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    // It writes them in that order.
    let mut best = Vec::new();
    for entry in fs::read_dir(&merged)? {
        let entry = entry?;
        if !corpus.join(entry.file_name()).exists() {
            best.push((entry.metadata()?.modified()?, entry.file_name()));
        }
    }
    best.sort();
    for (_, name) in best.iter().take(KEPT) {
        fs::copy(merged.join(name), corpus.join(name))?;
    }
    println!("{} of {} kept", best.len().min(KEPT), best.len());
    crate::cache::remove(&merged)?;
    Ok(ExitCode::SUCCESS)
}

fn corpus() -> PathBuf {
    cargo::root().join("tests/fuzz/corpus")
}

/// Each target has a corpus (`tests/fuzz/tests/corpus.rs` holds that).
fn targets() -> Result<Vec<String>> {
    let folder = corpus();
    let entries = fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// With a `--target`, so that the flags do not reach build scripts and macros.
fn build() -> Result<PathBuf> {
    let triple = cargo::host()?;
    let missing = missing(&triple);
    if !missing.is_empty() {
        bail!("missing for fuzzing:\n  {}", missing.join("\n  "));
    }
    let folder = cargo::target().join("fuzz");
    let mut build = cargo::cargo();
    build.args(["build", "--release", "--package", "fuzz", "--bin", "fuzz"]);
    build.args(["--features", "libfuzzer", "--target", &triple]);
    build.arg("--target-dir").arg(&folder);
    for option in PROFILE {
        build.args(["--config", option]);
    }
    cargo::succeed(build.env("RUSTFLAGS", RUSTFLAGS))?;
    Ok(folder.join(triple).join("release/fuzz"))
}

/// What this toolchain lacks.
fn missing(triple: &str) -> Vec<String> {
    let mut missing = Vec::new();
    if triple.contains("windows") {
        missing.push("libFuzzer on this system: fuzz on Linux or macOS".to_owned());
    }
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    if run::output(Command::new(&compiler).arg("--version")).is_none() {
        missing.push(
            "a C++ compiler, for libFuzzer's own part: apt-get install g++, or xcode-select --install"
                .to_owned(),
        );
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::{Request, seconds};

    #[test]
    fn times_have_units() {
        assert_eq!(seconds("30s"), Some(30));
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("2h"), Some(7200));
        for wrong in ["", "10", "m", "0s", "-1m", "1d", "99999999999999999999h"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_request_names_a_target_and_a_time() {
        let request = Request::parse(&["frame", "--for", "2m"]).expect("it is one");
        assert_eq!(request.name.as_deref(), Some("frame"));
        assert_eq!((request.seconds, request.keep), (120, false));
        for wrong in [
            &["a", "b"][..],
            &["--for"],
            &["a", "--for", "x"],
            &["--fast"],
        ] {
            assert!(Request::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
