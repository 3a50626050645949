//! What the system's own packages give: a session bus, a keyring, a screen, network namespaces, a C library.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use rustix::process::geteuid;

use crate::cache::Cache;
use crate::prerequisites::on_path;
use crate::run;

/// A program that tests or builds start, and Debian's package of it.
const PROGRAMS: [(&str, &str); 15] = [
    ("dbus-daemon", "dbus-daemon"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("secret-tool", "libsecret-tools"),
    ("Xvfb", "xvfb"),
    ("xfce4-panel", "xfce4-panel"),
    ("dunst", "dunst"),
    ("ip", "iproute2"),
    ("musl-gcc", "musl-tools"),
    ("systemd-socket-activate", "systemd"),
    ("dpkg-deb", "dpkg"),
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("rpm", "rpm"),
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

/// Whether a virtual desktop needs it.
pub(crate) fn is_for_desktop(program: &str) -> bool {
    [
        "dbus-daemon",
        "gnome-keyring-daemon",
        "secret-tool",
        "Xvfb",
        "xfce4-panel",
        "dunst",
    ]
    .contains(&program)
}

/// Whether packages are made with it.
pub(crate) fn is_for_packages(program: &str) -> bool {
    program.starts_with("dpkg-")
}

/// What the window is built with and held by. A name with `.pc` is a library's, as pkg-config knows it.
const FOR_WINDOW: [(&str, &str); 2] = [
    ("webkit2gtk-4.1.pc", "libwebkit2gtk-4.1-dev"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
];

/// One apt-get at a time.
static APT: Mutex<()> = Mutex::new(());

/// Installs which of the `wanted` are absent, where that is allowed; returns what still is, and why.
pub(crate) fn missing(
    cache: &Cache,
    wanted: impl Fn(&str) -> bool + Copy,
) -> Vec<(String, String)> {
    let wanted: Vec<_> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| wanted(program))
        .collect();
    still_missing(cache, &wanted)
}

/// The same of what the window needs.
pub(crate) fn missing_for_window(cache: &Cache) -> Vec<(String, String)> {
    still_missing(cache, &FOR_WINDOW)
}

fn still_missing(cache: &Cache, wanted: &[(&str, &str)]) -> Vec<(String, String)> {
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

fn absent<'a>(wanted: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    wanted
        .iter()
        .copied()
        .filter(|(name, _)| !is_here(name))
        .collect()
}

fn is_here(name: &str) -> bool {
    match name.strip_suffix(".pc") {
        Some(library) => {
            let asked = run::output(Command::new("pkg-config").args(["--exists", library]));
            asked.is_some()
        }
        None => on_path(name).is_some(),
    }
}

fn install(cache: &Cache, packages: &[&str]) -> Result<(), String> {
    let list = packages.join(" ");
    let by_hand = format!("install it: apt-get install --no-install-recommends {list}");
    if on_path("apt-get").is_none() {
        return Err(format!(
            "no apt-get here; the packages are called {list} on Debian"
        ));
    }
    let wanted = [&["install", "--no-install-recommends"], packages].concat();
    as_root(
        cache,
        &[&["update"], &wanted],
        &by_hand,
        &format!("installing {list}"),
    )
}

/// Has apt know which packages there are.
///
/// # Errors
/// What to do by hand.
pub(crate) fn update(cache: &Cache) -> Result<(), String> {
    as_root(
        cache,
        &[&["update"]],
        "do it: apt-get update",
        "reading which packages there are",
    )
}

fn as_root(cache: &Cache, steps: &[&[&str]], by_hand: &str, what: &str) -> Result<(), String> {
    let mut before = Vec::new();
    if !geteuid().is_root() {
        if run::output(Command::new("sudo").args(["-n", "true"])).is_none() {
            return Err(by_hand.to_owned());
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
    let _turn = APT.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("parts: {what} (apt-get)");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(before[0]);
        command.args(&before[1..]).args(arguments);
        run::logged(&mut command, &cache.log("apt-get"))
    };
    steps
        .iter()
        .try_for_each(|step| apt(step))
        .map_err(|error| format!("{by_hand} (tried: {error:#})"))
}
