use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use broker::asker::{Container, Place};
use broker::texts::Language;
use wire::frame::Run;

use super::language::language;
use super::program::{EXEC_INFO, Stands};
use super::programs::Seen;
use super::*;
use crate::os::environment::variable;

/// Reads a line and becomes what it says.
const CHAMELEON: &str = "echo; read line; exec env MARK=$line sh -c 'echo; read line' $line";

fn chameleon() -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new("sh")
        .args(["-c", CHAMELEON])
        .env("MARK", "first")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    (child, output)
}

fn mark(programs: &Programs, pid: u32) -> OsString {
    let seen = programs.look(pid, true).unwrap();
    let environment = seen.program.environment.as_deref().unwrap();
    variable(environment, "MARK").unwrap().to_owned()
}

#[test]
fn a_program_is_read_once_and_another_one_of_the_same_process_anew() {
    let programs = Programs::new(16);
    let (mut child, mut output) = chameleon();
    let first = programs.look(child.id(), true).unwrap();
    let again = programs.look(child.id(), true).unwrap();
    assert!(Arc::ptr_eq(&first.program, &again.program), "read once");
    assert_eq!(mark(&programs, child.id()), "first");
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"second\n").unwrap();
    output.read_line(&mut String::new()).unwrap();
    let other = programs.look(child.id(), true).unwrap();
    assert_eq!(other.process.started, first.process.started);
    assert_eq!(mark(&programs, child.id()), "second");
    let arguments = other.program.arguments.clone().unwrap();
    assert_eq!(arguments.last().map(String::as_str), Some("second"));
    drop(input);
    child.wait().unwrap();
    assert!(
        programs.look(child.id(), false).is_none(),
        "nobody is there"
    );
}

fn seen(pid: u32, ssh: bool) -> Seen {
    let process = processes::process(pid).unwrap();
    Seen {
        pid,
        person: ProcessId {
            pid,
            started: process.started,
        },
        process,
        program: Arc::new(Program {
            ssh,
            ..Program::default()
        }),
    }
}

fn container(place: Place, shim: Option<u32>, asker: Option<&Seen>) -> Option<Container> {
    super::place::container(place, shim, asker.map(|asker| asker.pid))
}

fn sits(shim: Option<u32>, asker: Option<&Seen>) -> Place {
    let asker = asker.map(|asker| (asker.pid, asker.program.ssh));
    place(shim, asker, is_with_us)
}

#[test]
fn what_can_t_be_told_is_a_container_that_can_t_be_named() {
    let us = std::process::id();
    assert_eq!(sits(Some(us), Some(&seen(us, false))), Place::Here);
    assert_eq!(sits(Some(us), Some(&seen(us, true))), Place::Ssh);
    for (shim, asker) in [(None, Some(seen(us, true))), (Some(us), None), (None, None)] {
        assert_eq!(sits(shim, asker.as_ref()), Place::Container);
        assert_eq!(container(Place::Container, shim, asker.as_ref()), None);
    }
    // Nobody has this number.
    assert_eq!(sits(Some(0), Some(&seen(us, false))), Place::Container);
}

#[test]
fn a_shim_in_a_container_is_in_one_whoever_started_it() {
    let started = Command::new("unshare")
        .args(["--mount", "sh", "-c", "echo; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut inside) = started else {
        println!("namespaces are not allowed here");
        return;
    };
    let mut line = String::new();
    let output = inside.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    if line.is_empty() {
        println!("namespaces are not allowed here");
        inside.wait().unwrap();
        return;
    }
    // Its parent is we, outside: as of whoever starts a container.
    let outside = seen(std::process::id(), false);
    assert_eq!(sits(Some(inside.id()), Some(&outside)), Place::Container);
    assert_eq!(
        container(Place::Container, Some(inside.id()), Some(&outside)),
        None
    );
    assert_eq!(started_in(inside.id()), None, "it says nothing of a screen");
    let both = container(
        Place::Container,
        Some(inside.id()),
        Some(&seen(inside.id(), false)),
    );
    assert_eq!(both.map(|one| one.first.pid), Some(inside.id()));
    drop(inside.stdin.take());
    inside.wait().unwrap();
}

/// A program with these arguments, and in its environment what it was told itself.
fn program(executable: &str, arguments: &str, told: Option<&str>) -> Program {
    let environment = told.map(|told| (EXEC_INFO.into(), told.into()));
    Program {
        arguments: Some(arguments.split(' ').map(str::to_owned).collect()),
        executable: Some(executable.into()),
        kubectl: kubeconfig::is_kubectl(Path::new(executable)),
        environment: Some(environment.into_iter().collect()),
        ..Program::default()
    }
}

#[test]
fn what_passes_a_question_on_is_not_who_asks() {
    use Stands::{Above, Between, InDoubt};
    let run = Run {
        args: vec![b"get-token".to_vec(), b"--a=b".to_vec()],
        exec_info: Some(b"{}".to_vec()),
        ..Run::default()
    };
    for (executable, arguments, told, expected) in [
        ("/bin/kubectl", "kubectl get ns", None, Above),
        ("/bin/sh", "sh script", None, Above),
        (
            "/bin/sh",
            "sh bin/kubectl oidc-login get-token --a=b",
            Some("{}"),
            Between,
        ),
        (
            "/bin/sh",
            "sh -c 'kubectl oidc-login $FLAGS; true'",
            Some("{}"),
            Between,
        ),
        (
            "/bin/logger",
            "logger kubectl oidc-login get-token --a=b",
            Some("{}"),
            Between,
        ),
        // Told something else, it asks for something else.
        (
            "/bin/sh",
            "sh bin/kubectl oidc-login get-token --a=b",
            Some("{ }"),
            InDoubt,
        ),
        (
            "/bin/helm",
            "helm list --kubeconfig evil",
            Some("{}"),
            InDoubt,
        ),
        // Its own name is none of its arguments.
        ("get-token", "get-token --a=b", Some("{}"), InDoubt),
        (
            "/bin/kubectl",
            "kubectl --kubeconfig evil exec p -- get-token --a=b",
            Some("{}"),
            InDoubt,
        ),
    ] {
        let stands = program(executable, arguments, told).stands_in(&run);
        assert_eq!(stands, expected, "{executable} {arguments}");
    }
}

#[test]
fn a_kubeconfig_chooses_no_language() {
    let korean = |exec_info: Option<&[u8]>, word: &str| Run {
        args: vec![word.into()],
        exec_info: exec_info.map(<[u8]>::to_vec),
        env: vec![(b"LANG".to_vec(), b"ko_KR.UTF-8".to_vec())],
        ..Run::default()
    };
    let unseen = None;
    assert_eq!(language(unseen, &korean(None, "status")), Language::Ko);
    assert_eq!(language(unseen, &korean(None, "get-token")), Language::En);
    assert_eq!(
        language(unseen, &korean(Some(b"{}"), "status")),
        Language::En
    );
}

#[test]
fn not_every_program_is_kept() {
    let programs = Programs::new(3);
    let shells: Vec<_> = (0..5).map(|_| chameleon()).collect();
    for (child, _) in &shells {
        programs.look(child.id(), true).unwrap();
    }
    assert_eq!(programs.kept.lock().unwrap().len(), 3);
    for (mut child, _) in shells {
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
