//! `cargo xtask`: fetches, builds and starts what the tests and the demo need; asserts nothing.

mod bench;
mod bundle;
mod cache;
mod cargo;
mod demo;
mod fuzz;
mod parts;
mod prerequisites;
mod programs;
mod run;
mod shim;
mod summary;
mod system;
mod test;
mod ui;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [SET [NAME]] [--require-real] [--install]
    Everything, or one set of it, or the tests of a set whose name contains NAME.
    Sets: lint, unit, platforms, it, real, attack, kill, ui, desktop, package.
    --require-real (or KUBEFOB_REQUIRE_REAL=1): a missing part is a failure, not a named skip.
    --install (or CI=true): the set `package` may install the .deb on this machine, and remove it.
cargo xtask bench [--only NAME]
    What the release costs, each figure beside its goal; also in target/bench.json. With KUBELOGIN
    set to a binary of kubelogin, against that too; with KUBEFOB_BEFORE set to a folder that `build`
    made of another commit, this build beside that. NAME is one family of rows: package,
    memory, idle, tray, window, shim, socket, kubelogin, kubectl, before, start, parallel.
cargo xtask demo [--no-wait] [--scripted]
    The desktop as a told walk-through, in a playground and a home of its own; pictures of it are
    left in target/demo-pictures, or where KUBEFOB_PICTURES says. In a terminal on a desktop with a
    tray it is shown there, and your own browser opens (--scripted: on a virtual one, and a script
    signs in), and at the end you can try it by yourself (--no-wait: it ends).
cargo xtask fuzz [NAME] [--for 10m] [--keep]
    A decoder under libFuzzer, for so long; without NAME, which there are. --keep instead puts the
    best of what was found so far into the tree's corpus.
cargo xtask build
    The release: the programs side by side, in a folder that it names.
cargo xtask bundle
    The release as a .deb and an .rpm, in a folder that it names.
cargo xtask parts
    Fetches and builds the real parts into the cache, and says where each is.

The cache is $KUBEFOB_CACHE, else $XDG_CACHE_HOME/kubefob, else ~/.cache/kubefob.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", rest @ ..] => match test::Request::parse(rest) {
            Ok(request) => test::run(&request),
            Err(mistake) => return misused(&mistake),
        },
        ["bench", rest @ ..] => match bench::Request::parse(rest) {
            Ok(request) => bench::run(&request),
            Err(mistake) => return misused(&mistake),
        },
        ["demo", rest @ ..] => match demo::Request::parse(rest) {
            Ok(request) => demo::run(request),
            Err(mistake) => return misused(&mistake),
        },
        ["fuzz", rest @ ..] => match fuzz::Request::parse(rest) {
            Ok(request) => fuzz::run(&request),
            Err(mistake) => return misused(&mistake),
        },
        ["build"] => programs::lay_all().map(|folder| {
            println!("{}", folder.display());
            ExitCode::SUCCESS
        }),
        ["parts"] => parts::list(),
        ["bundle"] => bundle::make().map(|folder| {
            println!("{}", folder.display());
            ExitCode::SUCCESS
        }),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [other, ..] => return misused(&format!("no such verb: `{other}`")),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn misused(why: &str) -> ExitCode {
    eprintln!("xtask: {why}\n\n{USAGE}");
    ExitCode::from(2)
}
