//! The set `desktop`: the tray at a real host, notifications at a real server, the key in a real keyring, and the window
//! in a driver's hands, on a screen that nobody looks at. Pictures of what there was to be seen are left where
//! KUBEFOB_PICTURES says.

mod accounts;
mod autostart;
mod comes;
mod demo;
mod first;
mod hostile;
mod kept;
mod lock;
mod login;
mod notify;
mod reach;
mod real;
mod reset;
mod seat;
mod settings;
mod states;
mod theme;
mod tray;
mod window;

use std::process::ExitCode;
use std::sync::Arc;

use world::Real;

fn main() -> ExitCode {
    Real::run(|set, real| {
        set.trial("tray", tray::walk);
        set.trial("fixed_end", tray::fixed_end);
        set.trial("lock", lock::walk);
        set.trial("comes_and_goes", comes::walk);
        set.trial("reset", reset::walk);
        set.trial("settings_from_the_tray", settings::walk);
        set.trial("states_at_100", states::at_100);
        set.trial("states_at_200", states::at_200);
        set.trial("theme", theme::walk);
        set.trial("notifications", notify::walk);
        set.trial("hostile_names", hostile::walk);
        set.trial("without_host", reach::without_host);
        set.trial("without_display", reach::without_display);
        set.trial("autostart", autostart::walk);
        set.trial("window", window::walk);
        set.trial("window_other_files", kept::files);
        set.trial("window_comes_back", kept::frame);
        set.trial("window_accounts", accounts::walk);
        set.trial("window_consent", window::consent);
        set.trial("window_inspector", window::inspector);
        set.trial("demo_told", demo::told);
        set.trial("demo_fails", demo::fails);
        set.trial("demo_interrupted", demo::interrupted);
        let day = Arc::clone(real);
        set.trial("real_day", move || day.look_on(real::day));
        let first = Arc::clone(real);
        set.trial("real_first_start", move || first.look_on(first::walk));
    })
}
