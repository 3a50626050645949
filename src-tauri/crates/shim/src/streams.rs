//! What reaches the caller's streams, and what doesn't.
//!
//! A credential reaches kubectl whole or not at all. Where nobody reads standard error it gets one short
//! line: more would run over a terminal program's screen. What is shown to a person has no control characters
//! left in it, whoever wrote them there.

use std::io;
use std::mem;
use std::time::Duration;

use wire::frame::Terminals;
use wire::os::{Ready, Stream};

use crate::os::{Input, Out, Unseen, write};
use crate::say::Say;

/// The longest line for a standard error that is no terminal, in characters.
const SHORT: usize = 300;

/// How much output of a command that is no plugin is held back.
const MOST_HELD: usize = 16 * 1024 * 1024;

/// The longest answer that a frame takes.
const LONGEST_ANSWER: usize = 4096;

/// How long a terminal has been quiet before a question that something was typed ahead of takes an answer: the queue that is
/// emptied is the terminal's own, and what is pasted can wait behind it, in whatever shows the terminal.
const QUIET: Duration = Duration::from_secs(1);

/// Lines that come as close as this to each other were typed by nobody.
const AT_ONCE: Duration = Duration::from_millis(100);

pub(crate) struct Streams {
    terminals: Terminals,
    /// Output, until all of it is here: a credential is whole or nothing, and the resident waits for nobody who reads
    /// page by page.
    held: Vec<u8>,
    /// Whether kubectl reads it.
    plugin: bool,
    /// Whether the one line for a standard error that is no terminal was written.
    said: bool,
    /// Whether the cursor stands behind a prompt.
    prompted: bool,
    /// The line of a prompt in which its answer is typed.
    asks: String,
    /// Something was typed ahead: what comes answers nothing until the terminal is quiet, and the line is shown again then.
    unsettled: bool,
    /// The terminal can't be emptied any more: nothing on it is an answer.
    deaf: bool,
    /// Whether anything came from the resident.
    answered: bool,
    keys: Input,
    /// What was read of it and belongs to no line yet.
    input: Vec<u8>,
    /// While the terminal shows nothing of what is typed.
    unseen: Option<Unseen>,
    /// Somebody pressed Ctrl-C instead.
    interrupted: bool,
}

impl Streams {
    pub(crate) fn new(terminals: Terminals, plugin: bool) -> Self {
        Self {
            terminals,
            held: Vec::new(),
            plugin,
            said: false,
            prompted: false,
            asks: String::new(),
            unsettled: false,
            deaf: false,
            answered: false,
            keys: Input::new(),
            input: Vec::new(),
            unseen: None,
            interrupted: false,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminals.stderr
    }

    /// Whether anything that the resident said was passed on, or is held: it must not be said twice.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered
    }

    pub(crate) fn stdout(&mut self, bytes: Vec<u8>) -> Result<(), Say> {
        self.answered = true;
        if self.held.is_empty() {
            self.held = bytes;
        } else {
            self.held.extend_from_slice(&bytes);
        }
        if self.held.len() > MOST_HELD && !self.plugin {
            return self.pass_on();
        }
        Ok(())
    }

    pub(crate) fn stderr(&mut self, text: &str) -> Result<(), Say> {
        self.answered = true;
        if !self.plugin {
            // It was said before this.
            self.pass_on()?;
        }
        self.line_of_error(text);
        Ok(())
    }

    fn pass_on(&mut self) -> Result<(), Say> {
        let held = mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        if self.plugin || !self.terminals.stdout {
            return write(Out::Stdout, &held).map_err(Say::Output);
        }
        self.leave_prompt();
        let text = String::from_utf8_lossy(&held);
        write(Out::Stdout, harmless(&text).as_bytes()).map_err(Say::Output)
    }

    fn line_of_error(&mut self, text: &str) {
        let text = harmless(text);
        if self.terminals.stderr {
            self.leave_prompt();
            let _ = write(Out::Stderr, text.as_bytes());
            return;
        }
        let Some(line) = text.lines().find(|line| !line.trim().is_empty()) else {
            return;
        };
        if !mem::replace(&mut self.said, true) {
            let mut line = line.trim_end().chars().take(SHORT).collect::<String>();
            line.push('\n');
            let _ = write(Out::Stderr, line.as_bytes());
        }
    }

    pub(crate) fn say(&mut self, say: &Say) {
        self.line_of_error(&format!("kubectl-fob: {say}\n"));
    }

    /// Shows a prompt, or says that nobody is there to read it. What was typed before it showed was meant for
    /// something else, and is thrown away: before its last character, so that whoever sees all of it is heard. Where there
    /// was something, more of it may come, and [`Self::wait`] waits for its end; else an answer counts at once.
    pub(crate) fn prompt(&mut self, text: &str) -> bool {
        self.answered = true;
        if !self.has_keys() {
            return false;
        }
        if !self.plugin && self.pass_on().is_err() {
            return false;
        }
        self.leave_prompt();
        self.prompted = true;
        let text = harmless(text);
        self.asks = text.lines().last().unwrap_or_default().to_owned();
        let (text, last) = text.split_at(text.char_indices().last().map_or(0, |(at, _)| at));
        let shown = write(Out::Stderr, text.as_bytes()).is_ok();
        self.input.clear();
        let Some(ahead) = self.keys.forget() else {
            return false;
        };
        self.unsettled = ahead;
        shown && (ahead || write(Out::Stderr, last.as_bytes()).is_ok())
    }

    /// The same, and what is typed is not shown.
    pub(crate) fn prompt_unseen(&mut self, text: &str) -> bool {
        if self.has_keys() {
            self.unseen = Unseen::new(&self.keys);
        }
        let shown = self.unseen.is_some() && self.prompt(text);
        if !shown {
            self.show_again();
        }
        shown
    }

    /// Whether somebody can read a question and type its answer. A command that a person runs takes theirs from standard
    /// input, or from nobody; a plugin's is kubectl's to give.
    fn has_keys(&mut self) -> bool {
        self.terminals.stderr
            && (self.terminals.stdin || (self.plugin && self.keys.turn_to_terminal()))
    }

    /// Waits until something was typed that may be an answer, or the resident says something.
    pub(crate) fn wait(&mut self, stream: &mut Stream) -> Result<Ready, Say> {
        let failed = |error: io::Error| Say::Reply(error.into());
        while self.unsettled && !self.deaf {
            let came = self.keys.wait_at_most(stream, QUIET).map_err(failed)?;
            if came == Some(Ready::Peer) {
                return Ok(Ready::Peer);
            }
            // A key that ends no line is not waited for, and is found here.
            match self.keys.forget() {
                Some(more) => self.unsettled = more || came.is_some(),
                None => self.deaf = true,
            }
            if !self.unsettled {
                self.ask_again();
            }
        }
        if self.deaf {
            return Ok(Ready::Input);
        }
        self.keys.wait(stream).map_err(failed)
    }

    /// Shows where an answer is typed once more, and why: whoever has typed one is not left to wait for nothing.
    fn ask_again(&mut self) {
        self.say(&Say::TypedAhead);
        self.prompted = true;
        self.input.clear();
        let _ = write(Out::Stderr, self.asks.as_bytes());
    }

    /// Whether the last line was given up.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    fn show_again(&mut self) {
        self.unseen = None;
    }

    /// What was typed, if it is an answer: a line that no other follows at once. Several are a paste, of which the first
    /// may be old. What is not shown is no yes to anything, and is often pasted with an end too many.
    pub(crate) fn answer(&mut self) -> Option<String> {
        if self.deaf {
            return Some(String::new());
        }
        let is_seen = self.unseen.is_none();
        let (line, is_whole) = self.line()?;
        if is_seen && is_whole && !self.is_alone() {
            self.unsettled = true;
            return None;
        }
        Some(line)
    }

    /// Whether no other line comes with the one that was read. An end of the input is none.
    fn is_alone(&mut self) -> bool {
        if !self.input.is_empty() {
            return false;
        }
        !self.keys.has_more(AT_ONCE) || matches!(self.keys.read(&mut [0; 1024]), Some(0))
    }

    /// Reads once what was typed. The line without its end, or none while it isn't whole; the end of the
    /// input ends a line too, and leaves nothing to come.
    fn line(&mut self) -> Option<(String, bool)> {
        let mut buffer = [0; 1024];
        let count = self.keys.read(&mut buffer)?;
        self.input
            .extend_from_slice(buffer.get(..count).unwrap_or_default());
        let given_up = self.unseen.is_some() && Unseen::is_given_up(&self.input);
        let line = take_line(&mut self.input, count == 0 || given_up)?;
        self.interrupted = given_up;
        self.prompted = given_up;
        self.show_again();
        self.leave_prompt();
        Some((line, count > 0))
    }

    /// Writes what was held back.
    pub(crate) fn finish(&mut self) -> Result<(), Say> {
        self.leave_prompt();
        self.pass_on()
    }

    fn leave_prompt(&mut self) {
        if mem::take(&mut self.prompted) {
            let _ = write(Out::Stderr, b"\n");
        }
    }
}

fn take_line(input: &mut Vec<u8>, ended: bool) -> Option<String> {
    let end = input.iter().position(|byte| *byte == b'\n');
    let whole = end.is_some() || ended || input.len() >= LONGEST_ANSWER;
    let rest = match end {
        Some(end) => input.split_off(end + 1),
        None if whole => Vec::new(),
        None => return None,
    };
    let line = mem::replace(input, rest);
    let line = String::from_utf8_lossy(&line);
    let mut line = line.trim_end_matches(['\n', '\r']).to_owned();
    line.truncate(line.floor_char_boundary(LONGEST_ANSWER));
    Some(line)
}

/// Without control characters (but newline and tab), and without those that turn the writing direction or
/// pretend to be a line's end.
fn harmless(text: &str) -> String {
    let harmful = |char: char| {
        matches!(char,
            '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|char| !harmful(*char)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_obeys_nobody() {
        let cases = [
            ("plain …\tok\n", "plain …\tok\n"),
            ("a\x1b[31mb\x1b]52;c;eA==\x07", "a[31mb]52;c;eA=="),
            ("over\rwritten\x7f\x08", "overwritten"),
            ("c1\u{9b}31m\u{85}", "c131m"),
            ("\u{202e}txt\u{2066}x\u{2069}\u{200f}\u{61c}", "txtx"),
            ("line\u{2028}end", "lineend"),
            ("한국어 é", "한국어 é"),
        ];
        for (text, shown) in cases {
            assert_eq!(harmless(text), shown);
        }
    }

    #[test]
    fn a_line_is_an_answer() {
        let mut input = b"y\r\nno\nrest".to_vec();
        assert_eq!(take_line(&mut input, false).as_deref(), Some("y"));
        assert_eq!(take_line(&mut input, false).as_deref(), Some("no"));
        assert_eq!(take_line(&mut input, false), None);
        assert_eq!(take_line(&mut input, true).as_deref(), Some("rest"));
        assert_eq!(take_line(&mut input, true).as_deref(), Some(""));
        let mut input = "é".repeat(3000).into_bytes();
        input.insert(0, b'x');
        assert!(take_line(&mut input, false).is_some_and(|line| line.len() == 4095));
    }
}
