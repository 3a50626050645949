//! The log's file: two of them at most, each of [`MOST`] bytes, whatever happens and however long it does. A log
//! that can't be written is no reason to do anything else worse.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use broker::problem::{Code, Problem};
use broker::session::StateWord;
use broker::view::{AccountView, View};

use crate::os::files;

/// How many bytes a file may have before the next is begun; the one before it is kept, and no other.
pub const MOST: u64 = 2 * 1024 * 1024;

/// How many bytes of one line are kept. What others said may be in it.
const LONGEST: usize = 4 * 1024;

/// An open log.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// Opens `kubefob.log` in a folder, and goes on where it ends.
    ///
    /// # Errors
    /// `NoLog`: it is no regular file, or the system refuses.
    pub fn open(folder: &Path) -> Result<Self, Problem> {
        let path = folder.join("kubefob.log");
        let opened = open(&path);
        let (file, length) = opened.map_err(|error| unwritten(&path, &error.to_string()))?;
        // Of a release that had no bound: nobody reads that much.
        if length > 2 * MOST {
            drop(file.set_len(0));
        }
        Ok(Self { path, file, length })
    }

    /// Sets the file aside and begins another. Where that can't be, this one begins anew.
    fn turn_over(&mut self) {
        let old = self.path.with_extension("log.old");
        let turned = std::fs::rename(&self.path, old).and_then(|()| open(&self.path));
        match turned {
            Ok((file, length)) => (self.file, self.length) = (file, length),
            Err(_) => {
                if self.file.set_len(0).is_ok() {
                    self.length = 0;
                }
            }
        }
    }
}

/// What the log says already of the accounts: a view is made at every event, and has all of them.
#[derive(Debug, Default)]
pub(crate) struct States(HashMap<String, (StateWord, Option<Code>)>);

impl States {
    /// Whether the log does not say it yet. The same state for another reason is something else.
    fn is_news(&mut self, account: &AccountView) -> bool {
        let code = account.problem.as_ref().map(|problem| problem.code);
        let found = (account.state, code);
        self.0.insert(account.id.clone(), found) != Some(found)
    }

    /// Logs what differs.
    pub(crate) fn changes(&mut self, view: &View) {
        for account in &view.accounts {
            if self.is_news(account) {
                let code = account.problem.as_ref().map(|problem| problem.code.name());
                tracing::info!(account = account.id, state = ?account.state, code, "state");
            }
        }
        if self.0.len() > view.accounts.len() {
            let there: HashSet<&str> = view.accounts.iter().map(|one| one.id.as_str()).collect();
            self.0.retain(|id, _| {
                let stays = there.contains(id.as_str());
                if !stays {
                    tracing::info!(account = id, "no account any more");
                }
                stays
            });
        }
    }
}

/// Says that there is no log.
#[must_use]
pub fn unwritten(path: &Path, reason: &str) -> Problem {
    let path = path.display().to_string();
    Problem::NoLog {
        path,
        reason: reason.to_owned(),
    }
}

/// Takes whole lines, one at a call, and never fails: a line that the disk does not take is lost.
impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let kept = inert(line);
        let length = kept.len() as u64;
        if self.length.saturating_add(length) > MOST {
            self.turn_over();
        }
        if self.length.saturating_add(length) <= MOST && self.file.write_all(&kept).is_ok() {
            self.length += length;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    let file = files::private(files::without_a_wait(&mut options)).open(path)?;
    let found = file.metadata()?;
    if found.is_file() {
        Ok((file, found.len()))
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// The line, no longer than it may be, and one line: what others said makes no second one.
fn inert(line: &[u8]) -> Cow<'_, [u8]> {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let control = |byte: &u8| byte.is_ascii_control();
    if text.len() < LONGEST && !text.iter().any(control) {
        return Cow::Borrowed(line);
    }
    let kept = text.get(..LONGEST).unwrap_or(text);
    let inert = kept
        .iter()
        .map(|byte| if control(byte) { b' ' } else { *byte });
    let mut inert: Vec<u8> = inert.collect();
    if kept.len() < text.len() {
        // Half a character is none.
        let whole = String::from_utf8_lossy(&inert);
        inert = format!("{}…", whole.trim_end_matches('\u{fffd}')).into_bytes();
    }
    inert.push(b'\n');
    Cow::Owned(inert)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(folder: &Path) -> (u64, u64) {
        let length = |name: &str| {
            let found = std::fs::metadata(folder.join(name));
            found.map_or(0, |found| found.len())
        };
        (length("kubefob.log"), length("kubefob.log.old"))
    }

    #[test]
    fn a_state_is_logged_again_for_another_reason_and_for_nothing_else() {
        let account = |state: &str, code: Option<&str>| -> AccountView {
            let problem =
                code.map(|code| serde_json::json!({ "code": code, "message": "", "hint": "" }));
            serde_json::from_value(serde_json::json!({
                "id": "a", "label": "work", "issuer": "", "client_id": "", "state": state,
                "is_new": false, "name": null, "groups": [], "expires": null, "obtained": null,
                "signed_in": null, "renews": true, "survives": null, "tries_again": null,
                "since": null, "asked": null, "clock_off": null, "waiting": [], "refused_by": [],
                "problem": problem,
            }))
            .unwrap()
        };
        let mut states = States::default();
        for (state, code, news) in [
            ("signed-in", None, true),
            ("signed-in", None, false),
            ("cannot-reach", Some("unreachable"), true),
            ("cannot-reach", Some("unreachable"), false),
            ("cannot-reach", Some("tls-failed"), true),
            ("needs-you", Some("session-ended"), true),
            ("needs-you", Some("no-refresh-token"), true),
            ("signed-in", None, true),
        ] {
            let found = states.is_news(&account(state, code));
            assert_eq!(found, news, "{state} {code:?}");
        }
    }

    #[test]
    fn it_turns_over_while_it_runs_and_stays_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path()).unwrap();
        let line = format!("{}\n", "x".repeat(2_000));
        for _ in 0..3 * MOST / 2_000 {
            log.write_all(line.as_bytes()).unwrap();
            let (new, old) = lengths(folder.path());
            assert!(new <= MOST && old <= MOST, "{new} {old}");
        }
        assert!(lengths(folder.path()).1 > MOST - 4_000, "the one before it");
        // It goes on where it was, and what is far too long is not kept.
        let (before, _) = lengths(folder.path());
        let mut again = Log::open(folder.path()).unwrap();
        again.write_all(b"one\n").unwrap();
        assert_eq!(lengths(folder.path()).0, before + 4);
        std::fs::write(folder.path().join("kubefob.log"), vec![b'x'; 5 << 20]).unwrap();
        let mut again = Log::open(folder.path()).unwrap();
        again.write_all(b"one\n").unwrap();
        let (new, old) = lengths(folder.path());
        assert!(new + old <= 2 * MOST, "{new} {old}");
    }

    #[test]
    fn where_none_can_be_set_aside_it_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("kubefob.log.old");
        std::fs::create_dir_all(old.join("something")).unwrap();
        let mut log = Log::open(folder.path()).unwrap();
        let line = format!("{}\n", "x".repeat(3_000));
        for _ in 0..2 * MOST / 3_000 {
            log.write_all(line.as_bytes()).unwrap();
            assert!(lengths(folder.path()).0 <= MOST);
        }
        assert!(lengths(folder.path()).0 > 0);
    }

    #[test]
    fn a_line_is_one_line_and_no_longer_than_that() {
        assert_eq!(&*inert(b"plain\n"), b"plain\n");
        assert_eq!(&*inert(b"a\x1b[31mb\nc\n"), b"a [31mb c\n");
        let long = "é".repeat(10_000);
        let kept = inert(long.as_bytes()).into_owned();
        let kept = String::from_utf8(kept).unwrap();
        assert!(
            kept.len() <= LONGEST + 4 && kept.ends_with("é…\n"),
            "{kept}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_no_log_and_keeps_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubefob.log");
        let pipe = || {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.unwrap().success());
        };
        let link = || std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let directory = || std::fs::create_dir(&path).unwrap();
        for make in [&pipe as &dyn Fn(), &link, &directory] {
            make();
            let problem = Log::open(folder.path()).unwrap_err();
            assert_eq!(problem.code(), Code::NoLog);
            drop(crate::own::store::remove(&path));
        }
    }
}
