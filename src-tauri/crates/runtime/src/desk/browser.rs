//! The person's browser.

use std::process::{Command, Stdio};

use broker::problem::Problem;
use tokio::sync::watch;

use crate::desk::desktop::{OF_A_DESKTOP, Screen};
use crate::own::settings::Settings;

/// Opens addresses in the person's browser, on the desktop that they sit at.
#[derive(Clone)]
pub(crate) struct Browser {
    chosen: watch::Receiver<Settings>,
    screen: Screen,
}

impl Browser {
    /// `chosen` names the person's own browser, if they chose one; else it is the system's.
    pub(crate) fn new(chosen: watch::Receiver<Settings>, screen: Screen) -> Self {
        Self { chosen, screen }
    }

    /// Opens an address. It is one argument and never passes a shell.
    pub(crate) fn open(&self, address: &str) -> Result<(), Problem> {
        let chosen = self.chosen.borrow().browser.clone().unwrap_or_default();
        let commands = match chosen.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(address);
                vec![command]
            }
            None => open::commands(address),
        };
        let mut reason = String::from("no program to open it with");
        let environment = self.screen.environment();
        for mut command in commands {
            // No screen but the one that is there: what this process was started with may be another's by now.
            for name in OF_A_DESKTOP {
                command.env_remove(name);
            }
            command.envs(environment.iter().map(|(name, value)| (name, value)));
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            match command.spawn() {
                Ok(mut child) => {
                    // Reaped by a thread that lives as long as the child: no zombie, no waiting.
                    std::thread::spawn(move || drop(child.wait()));
                    return Ok(());
                }
                Err(error) => reason = error.to_string(),
            }
        }
        Err(Problem::NoBrowser { reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hall::inbox::inbox;
    use broker::problem::Code;

    #[test]
    fn a_browser_that_is_not_there_is_said() {
        let mut chosen = Settings::default();
        chosen.browser = Some(vec!["/nonexistent/browser".into()]);
        let (_choosing, chosen) = watch::channel(chosen);
        let screen = Screen::new(&[], None, inbox().0);
        let browser = Browser::new(chosen, screen);
        assert_eq!(
            browser.open("http://localhost/").unwrap_err().code(),
            Code::NoBrowser
        );
    }
}
