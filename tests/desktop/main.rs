//! The set `desktop`: the tray at a real host, notifications at a real server, the key in a real keyring, on a screen
//! that nobody looks at. Pictures of what there was to be seen are left where KUBEFOB_PICTURES says.

mod item;
mod session;
mod tray;

use std::process::ExitCode;

use world::Set;

fn main() -> ExitCode {
    let mut set = Set::new();
    set.trial("tray", tray::walk);
    set.run()
}
