//! What must be on the machine already, checked before anything is begun.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::run;

/// Something that xtask neither fetches nor builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Rust,
    Go,
    Node,
    Jdk,
    Maven,
}

impl Tool {
    pub(crate) const REAL: [Tool; 4] = [Tool::Go, Tool::Node, Tool::Jdk, Tool::Maven];

    /// Why it can't be used here, and how to get it; nothing if all is well.
    pub(crate) fn problem(self) -> Option<String> {
        let (name, least, how) = match self {
            Tool::Rust => ("Rust", (1, 95), "rustup update stable (https://rustup.rs)"),
            Tool::Go => ("Go", (1, 26), "https://go.dev/doc/install"),
            Tool::Node => ("Node", (20, 0), "https://nodejs.org/en/download, with npm"),
            Tool::Jdk => (
                "JDK",
                (17, 0),
                "a JDK, not only a JRE: apt-get install openjdk-17-jdk-headless, or https://adoptium.net",
            ),
            Tool::Maven => (
                "Maven",
                (3, 0),
                "apt-get install maven, or https://maven.apache.org",
            ),
        };
        let found = match self.version() {
            Some(version) if version >= least => return None,
            Some((major, minor)) => format!("this is {major}.{minor}"),
            None => "not found".to_owned(),
        };
        Some(format!(
            "{name} >= {}.{}: {found}. Get it: {how}",
            least.0, least.1
        ))
    }

    fn version(self) -> Option<(u32, u32)> {
        let said = match self {
            Tool::Rust => run::output(Command::new("rustc").arg("--version")),
            // Else Go would answer for, or fetch, the toolchain that some go.mod names.
            Tool::Go => run::output(
                Command::new("go")
                    .args(["env", "GOVERSION"])
                    .env("GOTOOLCHAIN", "local"),
            ),
            Tool::Node => run::output(Command::new("npm").arg("--version"))
                .and_then(|_| run::output(Command::new("node").arg("--version"))),
            Tool::Jdk => run::output(Command::new(jdk("java")).arg("-version"))
                .and_then(|_| run::output(Command::new(jdk("jar")).arg("--version"))),
            // In front of its name it sets a colour, in a pipe too.
            Tool::Maven => run::output(Command::new("mvn").arg("--version"))
                .and_then(|text| Some(text.split_once("Maven ")?.1.to_owned())),
        };
        first_version(&said?)
    }
}

/// A program of the JDK: JAVA_HOME's if that is set, else PATH's.
pub(crate) fn jdk(program: &str) -> PathBuf {
    env::var_os("JAVA_HOME")
        .map(|home| PathBuf::from(home).join("bin").join(program))
        .filter(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(program))
}

/// The whole path of a program on PATH, or of a file that is named by its path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    // Daemons stand in sbin, which is not on everybody's PATH.
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn first_version(text: &str) -> Option<(u32, u32)> {
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let mut numbers = text[from..]
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().ok());
    let major = numbers.next()??;
    Some((major, numbers.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::first_version;

    #[test]
    fn versions_as_each_tool_prints_them() {
        assert_eq!(
            first_version("rustc 1.95.0 (59807616e 2026-04-14)"),
            Some((1, 95))
        );
        assert_eq!(first_version("go1.26.8\n"), Some((1, 26)));
        assert_eq!(first_version("v20.20.2"), Some((20, 20)));
        assert_eq!(first_version("jar 17.0.15"), Some((17, 0)));
        assert_eq!(first_version("jar 25"), Some((25, 0)));
        assert_eq!(first_version("Apache Maven 3.8.7"), Some((3, 8)));
        assert_eq!(first_version("command not found"), None);
    }
}
