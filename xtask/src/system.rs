//! What the system's own packages give: a session bus, a keyring, a screen, network namespaces, a C library.

use std::process::Command;

use rustix::process::geteuid;

use crate::cache::Cache;
use crate::prerequisites::on_path;
use crate::run;

/// A program that tests or builds start, and Debian's package of it.
const PROGRAMS: [(&str, &str); 11] = [
    ("dbus-daemon", "dbus-daemon"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("secret-tool", "libsecret-tools"),
    ("Xvfb", "xvfb"),
    ("xfce4-panel", "xfce4-panel"),
    ("dunst", "dunst"),
    ("ip", "iproute2"),
    ("musl-gcc", "musl-tools"),
    ("chromium", "chromium"),
    (INTER, "fonts-inter"),
    (NOTO, "fonts-noto-cjk"),
];

/// Fonts, by a file of theirs: with them the pictures are the same everywhere.
const INTER: &str = "/usr/share/fonts/opentype/inter/Inter-Regular.otf";
const NOTO: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";

/// Whether the set `ui` needs it.
pub(crate) fn is_for_ui(program: &str) -> bool {
    ["chromium", INTER, NOTO].contains(&program)
}

/// Installs which of the `wanted` are absent, where that is allowed; returns what still is, and why.
pub(crate) fn missing(
    cache: &Cache,
    wanted: impl Fn(&str) -> bool + Copy,
) -> Vec<(String, String)> {
    let absent = absent(wanted);
    if absent.is_empty() {
        return Vec::new();
    }
    let packages: Vec<&str> = absent.iter().map(|(_, package)| *package).collect();
    let why = install(cache, &packages).err();
    let still = self::absent(wanted);
    still
        .into_iter()
        .map(|(program, package)| {
            let why = why
                .clone()
                .unwrap_or_else(|| format!("{package} brought no {program}"));
            (program.to_owned(), why)
        })
        .collect()
}

fn absent(wanted: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    PROGRAMS
        .into_iter()
        .filter(|(program, _)| wanted(program) && on_path(program).is_none())
        .collect()
}

fn install(cache: &Cache, packages: &[&str]) -> Result<(), String> {
    let list = packages.join(" ");
    let by_hand = format!("install it: apt-get install --no-install-recommends {list}");
    if on_path("apt-get").is_none() {
        return Err(format!(
            "no apt-get here; the packages are called {list} on Debian"
        ));
    }
    let mut before = Vec::new();
    if !geteuid().is_root() {
        if run::output(Command::new("sudo").args(["-n", "true"])).is_none() {
            return Err(by_hand);
        }
        before.extend(["sudo", "-n"]);
    }
    before.extend([
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-y",
    ]);
    eprintln!("parts: installing {list} (apt-get)");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(before[0]);
        command.args(&before[1..]).args(arguments);
        run::logged(&mut command, &cache.log("apt-get"))
    };
    apt(&["update"])
        .and_then(|()| apt(&[&["install", "--no-install-recommends"], packages].concat()))
        .map_err(|error| format!("{by_hand} (tried: {error:#})"))
}
