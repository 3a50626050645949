//! The built shim against a resident that this file plays, in a KUBEFOB_HOME of each test's own.
//!
//! The waits are shortened by KUBEFOB_TEST_DEADLINE_MS, which builds without debug assertions don't have.
#![cfg(target_os = "linux")]
#![cfg(debug_assertions)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wire::frame::{Decoder, Encoder, FrameError, Reply, Request, Run, read_frame};

const SHIM: &str = env!("CARGO_BIN_EXE_kubectl-fob");
const EXEC_INFO: &str = r#"{"kind":"ExecCredential","spec":{"interactive":false}}"#;

/// A KUBEFOB_HOME, gone with the test.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("shim-{}-{name}", std::process::id()));
        let uid = wire::os::uid().unwrap();
        wire::endpoint::create_folder(&path, &uid).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    /// Plays the resident for one connection; the returned thread gives what `play` saw.
    fn resident<T: Send + 'static>(
        &self,
        play: impl FnOnce(Connection) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let listener = UnixListener::bind(self.socket()).unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            play(Connection {
                stream,
                requests: Decoder::new(),
                replies: Encoder::new(),
            })
        })
    }

    /// Some, one after the other, each of which takes one connection.
    fn residents<const COUNT: usize>(
        &self,
        plays: [Box<dyn FnOnce(Connection) + Send>; COUNT],
    ) -> JoinHandle<()> {
        let listener = UnixListener::bind(self.socket()).unwrap();
        thread::spawn(move || {
            for play in plays {
                let (stream, _) = listener.accept().unwrap();
                play(Connection {
                    stream,
                    requests: Decoder::new(),
                    replies: Encoder::new(),
                });
            }
        })
    }

    /// The shim at a terminal. None of its ends stays with us: it goes with the shim.
    fn shim_on(&self, terminal: &Terminal, output: Stdio) -> Child {
        let mut shim = self.shim();
        let shim = shim.stdin(terminal.end()).stderr(terminal.end());
        shim.stdout(output).spawn().unwrap()
    }

    /// The shim as somebody's shell starts it.
    fn shim(&self) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "\"$0\" \"$@\"; exit $?", SHIM])
            .args(["get-token", "--oidc-client-id=x"])
            .env_remove("KUBERNETES_EXEC_INFO")
            .env("KUBEFOB_HOME", &self.0)
            .env("KUBEFOB_TEST_DEADLINE_MS", "10000")
            .stdin(Stdio::null());
        command
    }

    /// The shim as kubectl runs it: KUBEFOB_HOME in the parent's environment, and `exec.env` in its own.
    fn plugin(&self, exec_env: &str) -> Command {
        self.plugin_at(SHIM, exec_env)
    }

    fn plugin_at(&self, shim: &str, exec_env: &str) -> Command {
        let mut command = Command::new("sh");
        let script =
            format!("KUBERNETES_EXEC_INFO='{EXEC_INFO}' {exec_env} {shim} get-token; exit $?");
        command
            .args(["-c", &script])
            .env_remove("KUBERNETES_EXEC_INFO")
            .env("KUBEFOB_HOME", &self.0)
            .env("KUBEFOB_TEST_DEADLINE_MS", "10000")
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Connection {
    stream: UnixStream,
    requests: Decoder<Request>,
    replies: Encoder<Reply>,
}

impl Connection {
    fn next(&mut self) -> Result<Request, FrameError> {
        read_frame(&mut self.stream, &mut self.requests)
    }

    fn run(&mut self) -> Run {
        match self.next().unwrap() {
            Request::Run(run) => run,
            other @ (Request::Command(_) | Request::Answer(_)) => panic!("{other:?}"),
        }
    }

    /// In one write, so that a shim that ends early is no error here.
    fn say(&mut self, replies: &[Reply]) {
        let mut bytes = Vec::new();
        for reply in replies {
            self.replies.encode(reply, &mut bytes).unwrap();
        }
        self.stream.write_all(&bytes).unwrap();
    }

    /// Waits until the other end is gone.
    fn outlive(&mut self) {
        while self.next().is_ok() {}
    }
}

fn stdout(text: &str) -> Reply {
    Reply::Stdout(text.as_bytes().to_vec())
}

fn stderr(text: &str) -> Reply {
    Reply::Stderr(text.to_owned())
}

/// What came of a run: its code, its output, and its standard error, which is one short line at most.
fn outcome(output: Output) -> (i32, String, String) {
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.lines().count() <= 1 && error.len() < 500, "{error:?}");
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        error,
    )
}

fn refusal(mut command: Command) -> String {
    let (code, out, error) = outcome(command.output().unwrap());
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    error
}

#[test]
fn a_token_is_printed_and_the_question_is_whole() {
    let home = Home::new("token");
    let resident = home.resident(|mut kubectl| {
        let run = kubectl.run();
        kubectl.say(&[
            Reply::Alive,
            stdout("{\"kind\":"),
            stdout("\"x\"}"),
            Reply::Exit(0),
        ]);
        run
    });
    let mut shim = home.shim();
    shim.env("LANG", "ko_KR.UTF-8")
        .env("RUST_LOG", "trace")
        .env_remove("LC_ALL")
        .current_dir("/usr");
    let expected = (0, "{\"kind\":\"x\"}".to_owned(), String::new());
    assert_eq!(outcome(shim.output().unwrap()), expected);
    let run = resident.join().unwrap();
    assert_eq!(run.program, SHIM.as_bytes());
    assert_eq!(
        run.args,
        [b"get-token".to_vec(), b"--oidc-client-id=x".to_vec()]
    );
    assert_eq!(run.cwd, b"/usr");
    assert_eq!(run.exec_info, None);
    assert_eq!(run.variable("LANG"), Some(&b"ko_KR.UTF-8"[..]));
    assert_eq!(
        (run.variable("LC_ALL"), run.variable("RUST_LOG")),
        (None, None)
    );
    assert_eq!(run.terminals, wire::frame::Terminals::default());
}

#[test]
fn an_exit_code_and_one_line_come_through() {
    let home = Home::new("code");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        let long = format!("first\x1b[31m\u{202e} {}\nsecond\n", "x".repeat(4000));
        kubectl.say(&[stderr(&long), stderr("third\n"), Reply::Exit(7)]);
    });
    let (code, out, error) = outcome(home.shim().output().unwrap());
    assert_eq!((code, out.as_str()), (7, ""));
    assert!(
        error.starts_with("first[31m xxx") && error.len() == 301,
        "{error}"
    );
    resident.join().unwrap();
}

#[test]
fn a_plugin_asks_the_person_s_instance_whatever_exec_env_says() {
    for exec_env in [
        "",
        "KUBEFOB_HOME=/nonexistent",
        "KUBEFOB_HOME=",
        "KUBEFOB_HOME=relative HOME=/x",
    ] {
        let home = Home::new("plugin");
        let resident = home.resident(|mut kubectl| {
            let run = kubectl.run();
            kubectl.say(&[stdout("token"), Reply::Exit(0)]);
            run
        });
        let result = outcome(home.plugin(exec_env).output().unwrap());
        assert_eq!(result, (0, "token".to_owned(), String::new()), "{exec_env}");
        assert_eq!(
            resident.join().unwrap().exec_info.as_deref(),
            Some(EXEC_INFO.as_bytes())
        );
    }
}

#[test]
fn an_instance_that_exec_env_alone_names_is_not_asked() {
    let home = Home::new("named");
    let listener = UnixListener::bind(home.socket()).unwrap();
    listener.set_nonblocking(true).unwrap();
    let named = format!("KUBEFOB_HOME={}", home.0.display());
    let other = Home::new("other");
    let shim = installed(&other, None);
    let shim = other.plugin_at(shim.to_str().unwrap(), &named);
    assert!(refusal(shim).contains("kubefob is not there"));
    assert!(listener.accept().is_err());
}

#[test]
fn a_script_in_between_passes_on_nothing_of_exec_env() {
    let home = Home::new("between");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        kubectl.say(&[stdout("token"), Reply::Exit(0)]);
    });
    let script = format!("sh -c '{SHIM} get-token; exit $?'; exit $?");
    let mut command = Command::new("sh");
    let exec_env = format!("KUBERNETES_EXEC_INFO='{EXEC_INFO}' KUBEFOB_HOME=/nonexistent {script}");
    command
        .args(["-c", &exec_env])
        .env_remove("KUBERNETES_EXEC_INFO")
        .env("KUBEFOB_HOME", &home.0)
        .env("KUBEFOB_TEST_DEADLINE_MS", "10000")
        .stdin(Stdio::null());
    let result = outcome(command.output().unwrap());
    assert_eq!(result, (0, "token".to_owned(), String::new()));
    resident.join().unwrap();
}

/// As `@kubernetes/client-node` runs a stanza: with pipes, `exec.env` and no KUBERNETES_EXEC_INFO.
#[test]
fn a_library_that_tells_its_plugin_nothing_names_no_instance() {
    let home = Home::new("library");
    let listener = UnixListener::bind(home.socket()).unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = Home::new("reader");
    let shim = installed(&other, None);
    for verb in ["get-token", "status"] {
        let mut library = Command::new("timeout");
        library
            .args(["60", "env"])
            .arg(format!("KUBEFOB_HOME={}", home.0.display()))
            .arg(&shim)
            .arg(verb)
            .env_remove("KUBERNETES_EXEC_INFO")
            .env("KUBEFOB_HOME", &other.0)
            .stdin(Stdio::piped());
        assert!(refusal(library).contains("kubefob is not there"), "{verb}");
        assert!(listener.accept().is_err(), "{verb}");
    }
}

#[test]
fn half_a_credential_never_reaches_kubectl() {
    let home = Home::new("half");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        kubectl.say(&[stdout("{\"kind\":")]);
    });
    assert!(refusal(home.plugin("")).contains("ended before its answer was whole"));
    resident.join().unwrap();
}

#[test]
fn a_prompt_is_answered() {
    let home = Home::new("prompt");
    let resident = home.resident(|mut kubectl| {
        let run = kubectl.run();
        assert!(run.terminals.stdin && run.terminals.stderr && !run.terminals.stdout);
        kubectl.say(&[
            stderr("look\x07:\n"),
            Reply::Prompt("trust? [y/N] ".to_owned()),
            Reply::Alive,
        ]);
        let first = kubectl.next().unwrap();
        kubectl.say(&[Reply::Prompt("sure? ".to_owned())]);
        let second = kubectl.next().unwrap();
        kubectl.say(&[stdout("token"), Reply::Exit(0)]);
        (first, second)
    });
    let terminal = Terminal::open();
    let child = home.shim_on(&terminal, Stdio::piped());
    let mut terminal = terminal.read_until("trust? [y/N] ");
    terminal.write("y\n");
    let mut terminal = terminal.read_until("sure? ");
    // The end of the input behind it is no other line.
    terminal.write("yes, é\n\x04");
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), &b"token"[..])
    );
    let answers = resident.join().unwrap();
    let answer = |text: &str| Request::Answer(text.to_owned());
    assert_eq!(answers, (answer("y"), answer("yes, é")));
    assert!(!terminal.seen.contains('\x07'), "{:?}", terminal.seen);
}

#[test]
fn what_was_typed_before_a_prompt_shows_answers_nothing() {
    let home = Home::new("ahead");
    let (typed, is_typed) = std::sync::mpsc::channel();
    let resident = home.resident(move |mut kubectl| {
        kubectl.run();
        is_typed.recv().unwrap();
        // Two lines, since the first prompt could have taken one and left the other.
        kubectl.say(&[Reply::Prompt("trust? ".to_owned())]);
        let first = kubectl.next().unwrap();
        kubectl.say(&[Reply::Prompt("sure? ".to_owned())]);
        let second = kubectl.next().unwrap();
        kubectl.say(&[Reply::Exit(0)]);
        (first, second)
    });
    let terminal = Terminal::open();
    let mut child = home.shim_on(&terminal, Stdio::null());
    let mut terminal = terminal;
    // And the beginning of a third, which no Enter has ended.
    terminal.write("y\nyes\nal");
    // The terminal's echo: it has them.
    let terminal = terminal.read_until("al");
    typed.send(()).unwrap();
    let mut terminal = terminal.read_until("trust? ");
    // Whoever typed it reads that it was nothing.
    assert!(
        terminal.seen.contains("is no answer"),
        "{:?}",
        terminal.seen
    );
    terminal.write("n\n");
    let mut terminal = terminal.read_until("sure? ");
    terminal.write("no\n");
    assert!(child.wait().unwrap().success());
    let answer = |text: &str| Request::Answer(text.to_owned());
    assert_eq!(resident.join().unwrap(), (answer("n"), answer("no")));
}

#[test]
fn a_paste_answers_nothing_however_long_it_is() {
    // More than a terminal's queue holds, and the kernel's behind it: the rest flows in as soon as they are emptied. One comes
    // before the prompt, and one as soon as it is there.
    for is_ahead in [true, false] {
        let home = Home::new("paste");
        let (full, is_full) = std::sync::mpsc::channel();
        let resident = home.resident(move |mut kubectl| {
            kubectl.run();
            is_full.recv().unwrap();
            kubectl.say(&[Reply::Prompt("trust? ".to_owned())]);
            let answer = kubectl.next().unwrap();
            kubectl.say(&[Reply::Exit(0)]);
            answer
        });
        let mut terminal = Terminal::open();
        let mut child = home.shim_on(&terminal, Stdio::null());
        let mut ours = terminal.ours.try_clone().unwrap();
        let paste = move || ours.write_all("y\n".repeat(150_000).as_bytes()).unwrap();
        let pasted = if is_ahead {
            terminal.write("y\ny\n");
            let pasted = std::thread::spawn(paste);
            terminal = terminal.read_until("y\r\ny\r\n");
            full.send(()).unwrap();
            pasted
        } else {
            full.send(()).unwrap();
            terminal = terminal.read_until("trust? ");
            std::thread::spawn(paste)
        };
        let mut terminal = terminal.read_until("type it now\r\ntrust? ");
        pasted.join().unwrap();
        terminal.write("n\n");
        let answer = resident.join().unwrap();
        assert_eq!(answer, Request::Answer("n".to_owned()), "{is_ahead}");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_terminal_that_goes_while_it_is_emptied_answers_nothing() {
    let home = Home::new("gone");
    let (typed, is_typed) = std::sync::mpsc::channel();
    let (gone, is_gone) = std::sync::mpsc::channel();
    let resident = home.resident(move |mut kubectl| {
        kubectl.run();
        is_typed.recv().unwrap();
        kubectl.say(&[Reply::Prompt("trust? ".to_owned())]);
        is_gone.recv().unwrap();
        let answer = kubectl.next().unwrap();
        kubectl.say(&[Reply::Exit(1)]);
        answer
    });
    let mut terminal = Terminal::open();
    let mut child = home.shim_on(&terminal, Stdio::null());
    terminal.write("y\n");
    let terminal = terminal.read_until("y\r\n");
    typed.send(()).unwrap();
    drop(terminal.read_until("trust?"));
    gone.send(()).unwrap();
    assert_eq!(resident.join().unwrap(), Request::Answer(String::new()));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn what_is_no_terminal_answers_nothing() {
    let home = Home::new("piped");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        kubectl.say(&[Reply::Prompt("trust? ".to_owned())]);
        let answer = kubectl.next().unwrap();
        kubectl.say(&[Reply::Exit(1)]);
        answer
    });
    let terminal = Terminal::open();
    let mut shim = home.shim();
    shim.stdin(Stdio::piped())
        .stderr(terminal.end())
        .stdout(Stdio::null());
    let mut child = shim.spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    // It may have ended by then.
    let _ = typed.write_all(b"y\ny\ny\n");
    assert_eq!(resident.join().unwrap(), Request::Answer(String::new()));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// kubectl keeps its standard input where it reads that itself, or is told to by `interactiveMode: Never`.
#[test]
fn a_plugin_without_standard_input_asks_its_terminal() {
    let home = Home::new("terminal");
    let resident = home.resident(|mut kubectl| {
        let run = kubectl.run();
        assert!(!run.terminals.stdin && run.terminals.stderr);
        kubectl.say(&[Reply::Prompt("trust? ".to_owned())]);
        let seen = kubectl.next().unwrap();
        kubectl.say(&[Reply::Secret("password: ".to_owned())]);
        let unseen = kubectl.next().unwrap();
        kubectl.say(&[Reply::Exit(0)]);
        (seen, unseen)
    });
    let terminal = Terminal::open();
    let mut plugin = home.plugin("");
    plugin.stdin(Stdio::piped()).stderr(terminal.end());
    let mut child = plugin.stdout(Stdio::null()).spawn().unwrap();
    // What kubectl reads is no answer.
    let mut piped = child.stdin.take().unwrap();
    let _ = piped.write_all(b"n\nn\n");
    let mut terminal = terminal.read_until("trust? ");
    terminal.write("y\n");
    let mut terminal = terminal.read_until("password: ");
    terminal.write("hunter2\n");
    let answer = |text: &str| Request::Answer(text.to_owned());
    assert_eq!(resident.join().unwrap(), (answer("y"), answer("hunter2")));
    assert!(child.wait().unwrap().success());
    assert!(!terminal.seen.contains("hunter2"), "{:?}", terminal.seen);
}

#[test]
fn a_secret_is_not_shown_as_it_is_typed_and_can_be_given_up() {
    for (typed, code) in [("hunter2\n", 0), ("hunter2\x03", 130)] {
        let home = Home::new("secret");
        let resident = home.resident(|mut kubectl| {
            kubectl.run();
            kubectl.say(&[Reply::Secret("client secret: ".to_owned())]);
            let answer = kubectl.next().ok();
            if answer.is_some() {
                kubectl.say(&[stderr("thanks\n"), Reply::Exit(0)]);
            }
            answer
        });
        let terminal = Terminal::open();
        // A shell's, which stays.
        let _shell = terminal.end();
        let child = home.shim_on(&terminal, Stdio::piped());
        let mut terminal = terminal.read_until("client secret: ");
        terminal.write(typed);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let answer = resident.join().unwrap();
        let expected = (code == 0).then(|| Request::Answer("hunter2".to_owned()));
        assert_eq!(answer, expected);
        // It shows again what is typed.
        terminal.write("seen");
        let terminal = terminal.read_until("seen");
        assert!(!terminal.seen.contains("hunter2"), "{:?}", terminal.seen);
    }
}

#[test]
fn a_question_that_is_answered_elsewhere_is_over() {
    let home = Home::new("elsewhere");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        kubectl.say(&[
            Reply::Prompt("trust? ".to_owned()),
            stdout("token"),
            Reply::Exit(0),
        ]);
    });
    let terminal = Terminal::open();
    let child = home.shim_on(&terminal, Stdio::piped());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), &b"token"[..])
    );
    resident.join().unwrap();
}

#[test]
fn nobody_there_answers_a_prompt_with_nothing() {
    let home = Home::new("nobody");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        kubectl.say(&[Reply::Prompt("trust? ".to_owned())]);
        let answer = kubectl.next().unwrap();
        kubectl.say(&[stderr("refused\n"), Reply::Exit(1)]);
        answer
    });
    assert_eq!(refusal(home.shim()), "refused\n");
    assert_eq!(resident.join().unwrap(), Request::Answer(String::new()));
}

#[test]
fn a_hung_resident_is_left() {
    let home = Home::new("hung");
    for replies in [vec![], vec![Reply::Alive]] {
        let resident = home.resident(move |mut kubectl| {
            kubectl.run();
            kubectl.say(&replies);
            kubectl.outlive();
        });
        let mut shim = home.shim();
        shim.env("KUBEFOB_TEST_DEADLINE_MS", "100");
        assert!(refusal(shim).contains("does not answer"));
        resident.join().unwrap();
        fs::remove_file(home.socket()).unwrap();
    }
}

#[test]
fn a_resident_that_dribbles_is_left() {
    let home = Home::new("dribble");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        let mut bytes = Vec::new();
        Encoder::new()
            .encode(&stdout(&"x".repeat(1 << 20)), &mut bytes)
            .unwrap();
        for byte in bytes {
            thread::sleep(Duration::from_millis(5));
            if kubectl.stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    let mut shim = home.shim();
    shim.env("KUBEFOB_TEST_DEADLINE_MS", "100");
    assert!(refusal(shim).contains("does not answer"));
    resident.join().unwrap();
}

fn vanishes(mut kubectl: Connection) {
    kubectl.run();
}

#[test]
fn a_resident_that_vanishes_is_asked_once_more() {
    let home = Home::new("vanished");
    let residents = home.residents([
        Box::new(vanishes),
        Box::new(|mut kubectl| {
            kubectl.run();
            kubectl.say(&[stdout("token"), Reply::Exit(0)]);
        }),
    ]);
    let result = outcome(home.shim().output().unwrap());
    assert_eq!(result, (0, "token".to_owned(), String::new()));
    residents.join().unwrap();
}

#[test]
fn a_resident_that_vanishes_twice_is_told_apart() {
    let home = Home::new("twice");
    let residents = home.residents([
        Box::new(drop),
        Box::new(|mut kubectl| {
            kubectl.run();
            kubectl.say(&[Reply::Alive]);
        }),
    ]);
    assert!(refusal(home.shim()).contains("ended before its answer"));
    residents.join().unwrap();
}

#[test]
fn a_question_that_was_answered_in_part_is_not_asked_again() {
    let cases = [
        (stdout("to"), "ended before its answer"),
        (stderr("sign in at …\n"), "sign in at"),
    ];
    for (said, expected) in cases {
        let home = Home::new("part");
        let resident = home.resident(move |mut kubectl| {
            kubectl.run();
            kubectl.say(&[said]);
        });
        // It would find nobody, and say so.
        let shim = installed(&home, None);
        let (code, _, error) = outcome(called(&home, &shim).output().unwrap());
        assert_eq!(code, 1);
        assert!(error.contains(expected), "{error}");
        resident.join().unwrap();
    }
}

#[test]
fn other_ages_strangers_and_nonsense_are_told_apart() {
    let cases: [(&[u8], &str); 8] = [
        (
            b"KFOB\x02\x03",
            "speaks version 2 to 3 and this kubectl-fob 1",
        ),
        (b"KFOB\x00\x00", "speaks version 0 and this kubectl-fob 1"),
        (b"SSH-2.0-OpenSSH\r\n", "is not Kubefob"),
        (b"KFOB\x01\x01\x63\x00\x00\x00\x00", "unknown kind 99"),
        (
            b"KFOB\x01\x01\x10\xff\xff\xff\xff",
            "a Stdout frame of 4294967295 bytes",
        ),
        (b"KFOB\x01\x01\x11\x00\x00\x00\x01\xff", "malformed Stderr"),
        (
            b"KFOB\x01\x01\x15\x00\x00\x00\x01",
            "ended before its answer",
        ),
        (b"KF", "ended before its answer"),
    ];
    for (bytes, expected) in cases {
        let home = Home::new("ages");
        let says = move |mut kubectl: Connection| {
            kubectl.run();
            kubectl.stream.write_all(bytes).unwrap();
        };
        // Whoever was cut off is asked once more.
        let resident = if expected.starts_with("ended") {
            home.residents([Box::new(says), Box::new(says)])
        } else {
            home.residents([Box::new(says)])
        };
        let error = refusal(home.plugin(""));
        assert!(error.contains(expected), "{error:?} has no {expected:?}");
        resident.join().unwrap();
    }
}

#[test]
fn an_unsafe_place_gets_nothing_and_starts_nothing() {
    let base = Home::new("unsafe");
    let listener = |folder: &Path| {
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener
    };
    let in_folder = |folder: &Path| {
        let mut shim = base.shim();
        shim.env("KUBEFOB_HOME", folder);
        shim
    };
    let real = base.0.join("real");
    fs::create_dir(&real).unwrap();
    let there = listener(&real);

    let link = base.0.join("link");
    symlink(&real, &link).unwrap();
    assert!(refusal(in_folder(&link)).contains("link is a symlink"));

    fs::set_permissions(&real, Permissions::from_mode(0o775)).unwrap();
    assert!(refusal(in_folder(&real)).contains("others may write to"));

    let socket_link = base.0.join("socket-link");
    fs::create_dir(&socket_link).unwrap();
    symlink(real.join("socket"), socket_link.join("socket")).unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o755)).unwrap();
    assert!(refusal(in_folder(&socket_link)).contains("socket is a symlink"));

    let long = base.0.join("x".repeat(100));
    assert!(refusal(in_folder(&long)).contains("the socket's path has"));
    assert!(!long.exists());
    assert!(refusal(in_folder(Path::new("relative"))).contains("must be an absolute path"));
    assert!(there.accept().is_err(), "nobody came");
    assert!(!real.join("starting").exists(), "nothing was started");
}

#[test]
fn another_user_s_place_gets_not_one_byte() {
    let home = Home::new("foreign");
    if chown(&home.0, Some(12_345), None).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    assert!(refusal(home.shim()).contains("belongs to user 12345"));
    chown(&home.0, Some(0), None).unwrap();

    // The folder and the socket look like ours; who listens is another.
    fs::set_permissions(&home.0, Permissions::from_mode(0o777)).unwrap();
    let script = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\n\
        print('up',flush=True)\nprint(len(s.accept()[0].recv(100)),flush=True)";
    let stranger = Command::new("python3")
        .args(["-c", script])
        .arg(home.socket())
        .uid(12_345)
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut stranger) = stranger else {
        eprintln!("skipped: no python3 to be another user with");
        return;
    };
    let mut said = [0; 3];
    stranger
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut said)
        .unwrap();
    fs::set_permissions(&home.0, Permissions::from_mode(0o700)).unwrap();
    chown(home.socket(), Some(0), None).unwrap();
    assert!(refusal(home.shim()).contains("belongs to user 12345"));
    let recorded = stranger.wait_with_output().unwrap();
    assert_eq!(recorded.stdout, b"0\n");
}

/// The shim in a folder of its own, beside a `kubefob` that is a script, or beside none.
fn installed(home: &Home, resident: Option<&str>) -> PathBuf {
    let folder = home.0.join("bin");
    fs::create_dir_all(&folder).unwrap();
    let shim = folder.join("kubectl-oidc_login");
    copy(Path::new(SHIM), &shim);
    if let Some(script) = resident {
        let text = home.0.join("script");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&text, Permissions::from_mode(0o755)).unwrap();
        copy(&text, &folder.join("kubefob"));
    }
    shim
}

/// By another process: one that another test starts at this moment would inherit a file that is open for
/// writing, and it could not be run.
fn copy(from: &Path, to: &Path) {
    assert!(
        Command::new("cp")
            .args([from, to])
            .status()
            .unwrap()
            .success()
    );
}

fn called(home: &Home, shim: &Path) -> Command {
    let mut command = Command::new(shim);
    command
        .env_remove("KUBERNETES_EXEC_INFO")
        .env("KUBEFOB_HOME", &home.0)
        .env("KUBEFOB_TEST_DEADLINE_MS", "20000")
        .stdin(Stdio::null());
    command
}

#[test]
fn nobody_there_and_nothing_to_start_says_where_it_looked() {
    let home = Home::new("nothing");
    let shim = installed(&home, None);
    let error = refusal(called(&home, &shim));
    let looked = shim.with_file_name("kubefob");
    assert!(error.contains(looked.to_str().unwrap()), "{error}");
}

#[test]
fn a_resident_that_fails_at_its_start_or_stays_silent_is_said() {
    let home = Home::new("fails");
    let shim = installed(&home, Some("exit 3"));
    let error = refusal(called(&home, &shim));
    assert!(
        error.contains("ended at its start (exit status: 3)"),
        "{error}"
    );
    let shim_again = installed(&home, Some("exit 0"));
    assert_eq!(shim, shim_again);
    let mut shim = called(&home, &shim);
    shim.env("KUBEFOB_TEST_DEADLINE_MS", "100");
    assert!(refusal(shim).contains("does not listen"));
}

#[test]
fn a_resident_is_started_clean_and_a_hundred_start_one() {
    const SHIMS: usize = 100;
    let home = Home::new("start");
    let log = home.0.join("log");
    drop(UnixListener::bind(home.socket()).unwrap()); // a stale one, as after a kill
    // The script tells what it was given, then waits until the test and its folder are gone.
    let script = format!(
        "{{ echo started; env; pwd; }} >> {0}\n\
         while test -e {0}; do sleep 0.05; done; exit 0",
        log.display()
    );
    let shim = installed(&home, Some(&script));
    let mut shims = Vec::new();
    for _ in 0..SHIMS {
        let mut command = called(&home, &shim);
        command
            .env("LD_HOSTILE", "1")
            .env("HTTPS_PROXY", "x")
            .env("HOME", "/tmp");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        shims.push(command.spawn().unwrap());
    }
    let waiting = Instant::now();
    while !fs::read_to_string(&log).is_ok_and(|log| log.lines().count() > 3) {
        assert!(
            waiting.elapsed() < Duration::from_secs(10),
            "nothing was started"
        );
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(home.socket()).unwrap();
    let listener = UnixListener::bind(home.socket()).unwrap();
    let resident = thread::spawn(move || {
        for _ in 0..SHIMS {
            let (stream, _) = listener.accept().unwrap();
            let mut kubectl = Connection {
                stream,
                requests: Decoder::new(),
                replies: Encoder::new(),
            };
            kubectl.run();
            kubectl.say(&[stdout("token"), Reply::Exit(0)]);
        }
    });
    for shim in shims {
        let result = outcome(shim.wait_with_output().unwrap());
        assert_eq!(result, (0, "token".to_owned(), String::new()));
    }
    resident.join().unwrap();
    let log = fs::read_to_string(log).unwrap();
    let count = |line: &str| log.lines().filter(|each| *each == line).count();
    assert_eq!(count("started"), 1, "{log}");
    assert_eq!(count("/"), 1, "its folder: {log}");
    assert_eq!(
        count(&format!("KUBEFOB_HOME={}", home.0.display())),
        1,
        "{log}"
    );
    assert_eq!(count("KUBEFOB_PERSON_HOME=/tmp"), 1, "{log}");
    assert!(!log.contains("HOSTILE") && !log.contains("PROXY") && !log.contains("HOME=/tmp\nHOME"));
}

#[test]
fn a_resident_inherits_nothing_that_its_starter_left_open() {
    let home = Home::new("inherits");
    let log = home.0.join("log");
    let script = format!(
        "ls -l /proc/$$/fd > {0}; echo $$ $(cut -d' ' -f6 /proc/$$/stat) >> {0}; exit 3",
        log.display()
    );
    let shim = installed(&home, Some(&script));
    let mut command = called(&home, Path::new("sh"));
    let stderr = home.0.join("stderr");
    command.args([
        "-c",
        &format!(
            "readlink /proc/$$/fd/2 > {}; exec 7</etc/passwd; {}; exit $?",
            stderr.display(),
            shim.display()
        ),
    ]);
    assert!(refusal(command).contains("ended at its start"));
    let log = fs::read_to_string(log).unwrap();
    assert!(
        !log.contains("/etc/passwd") && !log.contains("starting"),
        "{log}"
    );
    assert!(log.contains(" 0 -> /dev/null"), "{log}");
    // What it says of a failed start goes to the shim, which says it on: never straight to kubectl's own stream.
    let of_kubectl = fs::read_to_string(stderr).unwrap();
    assert!(of_kubectl.starts_with("pipe:"), "{of_kubectl}");
    assert!(
        log.contains(" 2 -> pipe:") && !log.contains(of_kubectl.trim()),
        "{log}"
    );
    let (pid, session) = log.lines().last().unwrap().split_once(' ').unwrap();
    assert_eq!(pid, session, "a session of its own");
}

#[test]
fn sudo_with_a_person_s_home_starts_nothing() {
    let home = Home::new("sudo");
    let person = home.0.join("person");
    fs::create_dir(&person).unwrap();
    if chown(&person, Some(12_345), None).is_err() {
        eprintln!("skipped: only root can play sudo");
        return;
    }
    let shim = installed(&home, Some("exit 0"));
    let mut shim = called(&home, &shim);
    shim.env("SUDO_UID", "12345").env("HOME", &person);
    assert!(refusal(shim).contains("belongs to another user"));
    assert!(!home.0.join("starting").exists());
}

#[test]
fn closed_streams_are_no_place_for_a_socket() {
    let home = Home::new("closed");
    let resident = home.resident(|mut kubectl| {
        kubectl.run();
        kubectl.say(&[stdout("token"), Reply::Exit(0)]);
        kubectl.next()
    });
    let mut command = Command::new("sh");
    let script = format!("exec {SHIM} x 0<&- 1>&- 2>&-");
    command
        .args(["-c", &script])
        .env_remove("KUBERNETES_EXEC_INFO")
        .env("KUBEFOB_HOME", &home.0);
    assert_eq!(command.status().unwrap().code(), Some(1));
    assert!(
        matches!(resident.join().unwrap(), Err(FrameError::Closed)),
        "nothing came back"
    );
}

/// A pseudo-terminal, and all that was shown on it.
struct Terminal {
    ours: fs::File,
    name: PathBuf,
    seen: String,
}

impl Terminal {
    fn open() -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        use std::os::unix::ffi::OsStringExt;
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_bytes();
        let name = PathBuf::from(std::ffi::OsString::from_vec(name));
        Self {
            ours: ours.into(),
            name,
            seen: String::new(),
        }
    }

    fn end(&self) -> fs::File {
        use std::os::unix::fs::OpenOptionsExt;
        const O_NOCTTY: i32 = 0o400;
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(O_NOCTTY)
            .open(&self.name)
            .unwrap()
    }

    fn read_until(mut self, text: &str) -> Self {
        while !self.seen.ends_with(text) {
            let mut byte = [0];
            self.ours.read_exact(&mut byte).unwrap();
            self.seen.push(char::from(byte[0]));
        }
        self
    }

    fn write(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).unwrap();
    }
}

/// A user namespace that has no number for anybody shows them all, us too, as one user.
#[test]
fn where_everybody_is_one_user_nothing_is_said() {
    let home = Home::new("everybody");
    let listener = UnixListener::bind(home.socket()).unwrap();
    listener.set_nonblocking(true).unwrap();
    for map in [&[][..], &["--map-user=65534", "--map-group=65534"]] {
        let inside = |program: &str| {
            let mut command = Command::new("unshare");
            command.arg("--user").args(map).arg(program).arg("status");
            command.env("KUBEFOB_HOME", &home.0).stdin(Stdio::null());
            command.output().unwrap()
        };
        if !inside("true").status.success() {
            println!("skipped: unshare may not make a user namespace {map:?}");
            continue;
        }
        let output = inside(SHIM);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("65534 is you and every other user"), "{said}");
        assert!(!output.status.success());
        assert!(listener.accept().is_err(), "{map:?}: connected");
    }
}
