//! How the walk-through is told: numbered steps on the standard output, each with what is done,
//! the command as typed, what it said, and what that shows.

use std::io::{self, IsTerminal, Write};

/// Where the margin of a step's text is.
const MARGIN: &str = "   ";

/// Tells to the standard output.
pub(crate) struct Teller {
    steps: usize,
    styled: bool,
}

impl Teller {
    pub(crate) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            steps: 0,
            styled: io::stdout().is_terminal() && !plain,
        }
    }

    /// What it is all about.
    pub(crate) fn title(&self, text: &str) {
        print(&self.strong(text));
    }

    /// A step begins. `why` is what is done, and why.
    pub(crate) fn step(&mut self, title: &str, why: &str) {
        self.steps += 1;
        let line = format!("{}. {title}", self.steps);
        print(&format!("\n{}", self.strong(&line)));
        self.note(why);
    }

    /// Plain words, between commands or after them.
    pub(crate) fn note(&self, text: &str) {
        for line in text.split('\n') {
            print(format!("{MARGIN}{line}").trim_end());
        }
    }

    /// A command as somebody types it.
    pub(crate) fn typed(&self, command: &str) {
        print(&format!(
            "\n{MARGIN}{}",
            self.strong(&format!("$ {command}"))
        ));
    }

    /// A click, and where.
    pub(crate) fn clicked(&self, place: &str, label: &str) {
        let click = format!("[{place}] click \"{label}\"");
        print(&format!("\n{MARGIN}{}", self.strong(&click)));
    }

    /// A line that a program said.
    pub(crate) fn said(&self, line: &str) {
        print(&format!("{MARGIN}  {line}"));
    }

    /// What came out, and what it means.
    pub(crate) fn shows(&self, text: &str) {
        print("");
        let mut arrow = "=> ";
        for line in text.lines() {
            print(&format!("{MARGIN}{arrow}{line}"));
            arrow = MARGIN;
        }
    }

    fn strong(&self, text: &str) -> String {
        if self.styled {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// That nobody reads any more is no reason to leave things running: no panic.
fn print(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
