//! The socket under load, against a server that only takes connections and says back what it got.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wire::frame::{Encoder, Request, Run, Terminals};
use world::statistics::{median, quantile};

use crate::ground::{Ground, PART, socket_of, wait_for};
use crate::row::{Goal, Row};

/// Rounds of each server, by turns.
const ROUNDS: u32 = 15;

/// What a process with the person's environment shall ask both servers.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    ours: PathBuf,
    echo: PathBuf,
    arguments: Vec<String>,
    rounds: u32,
    clients: usize,
    /// How many questions each client asks, one after the other.
    questions: usize,
}

/// What one round of one server gave.
#[derive(Serialize, Deserialize)]
struct Round {
    per_second: f64,
    p99_seconds: f64,
}

/// Rounds of ours, and of the echo's.
#[derive(Serialize, Deserialize)]
struct Rounds {
    ours: Vec<Round>,
    echo: Vec<Round>,
}

/// Tokens served per second, and the slowest of a thousand clients.
pub(crate) fn load(ground: &Ground) -> Result<Vec<Row>> {
    let echo = Echo::start(ground)?;
    let few = measured(ground, &echo, 16, 250)?;
    let rate = few.ratio(|round| round.per_second)?;
    let many = measured(ground, &echo, 1_000, 4)?;
    let slow = many.ratio(|round| round.p99_seconds)?;
    let how = |rounds: &Rounds, figure: fn(&Round) -> f64, unit: &str, times: f64| {
        let median = |rounds: &[Round]| {
            let figures: Vec<f64> = rounds.iter().map(figure).collect();
            median(&figures).unwrap_or(f64::NAN) * times
        };
        format!(
            "median of the ratios of {ROUNDS} interleaved rounds ({:.1} and {:.1} {unit}); the \
             echo is one thread that accepts, reads, writes the same back and closes",
            median(&rounds.ours),
            median(&rounds.echo)
        )
    };
    Ok(vec![
        Row::new(
            "tokens per second ÷ accept-and-echo",
            (rate, "×"),
            Goal::Least(0.5),
            format!(
                "16 clients, each question on a connection of its own; {}",
                how(&few, |round| round.per_second, "thousand a second", 1e-3)
            ),
        ),
        Row::new(
            "p99 at 1,000 clients ÷ the echo's",
            (slow, "×"),
            Goal::Most(2.0),
            format!(
                "1,000 clients that ask without a pause; {}",
                how(&many, |round| round.p99_seconds, "ms", 1e3)
            ),
        ),
    ])
}

fn measured(ground: &Ground, echo: &Echo, clients: usize, questions: usize) -> Result<Rounds> {
    let mut arguments = vec!["get-token".to_owned()];
    arguments.extend(ground.flags());
    let task = Task {
        ours: socket_of(&ground.person),
        echo: echo.socket.clone(),
        arguments,
        rounds: ROUNDS,
        clients,
        questions,
    };
    let output = ground.part("asker", &json!(task))?.output()?;
    ensure!(
        output.status.success(),
        "the load: {}\n{}",
        String::from_utf8_lossy(&output.stderr),
        ground.person.log()
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

impl Rounds {
    fn ratio(&self, figure: impl Fn(&Round) -> f64) -> Result<f64> {
        let pairs = self.ours.iter().zip(&self.echo);
        let ratios: Vec<f64> = pairs
            .map(|(ours, echo)| figure(ours) / figure(echo))
            .collect();
        median(&ratios).context("nothing was measured")
    }
}

/// The part `asker`: who asks is a client's parent, so the clients are in a child of this one, which reads the task.
pub(crate) fn asker() -> Result<()> {
    let status = std::process::Command::new(std::env::current_exe()?)
        .env(PART, "load")
        .status()?;
    ensure!(status.success(), "the clients ended with {status}");
    Ok(())
}

/// The part `load`: both servers by turns.
pub(crate) fn clients(task: &Task) -> Result<()> {
    let request = request(&task.arguments)?;
    let mut expected = Vec::new();
    ask(&task.ours, &request, &mut expected)?;
    let text = String::from_utf8_lossy(&expected);
    ensure!(text.contains("\"token\""), "no token: {text}");
    let mut rounds = Rounds {
        ours: Vec::new(),
        echo: Vec::new(),
    };
    for _ in 0..task.rounds {
        rounds
            .ours
            .push(round(task, &task.ours, &request, &expected)?);
        rounds
            .echo
            .push(round(task, &task.echo, &request, &request)?);
    }
    println!("{}", json!(rounds));
    Ok(())
}

/// What a shim sends that kubectl runs for the seed's form.
fn request(arguments: &[String]) -> Result<Vec<u8>> {
    let info = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}}"#;
    let run = Run {
        program: b"kubectl-oidc_login".to_vec(),
        args: arguments
            .iter()
            .map(|argument| argument.clone().into_bytes())
            .collect(),
        exec_info: Some(info.into()),
        env: vec![(b"LANG".to_vec(), b"C.UTF-8".to_vec())],
        cwd: b"/".to_vec(),
        terminals: Terminals::default(),
    };
    let mut bytes = Vec::new();
    Encoder::new().encode(&Request::Run(run), &mut bytes)?;
    Ok(bytes)
}

/// One round: every client asks its questions, each reply being the expected one.
fn round(task: &Task, socket: &Path, request: &[u8], expected: &[u8]) -> Result<Round> {
    let ready = Barrier::new(task.clients + 1);
    thread::scope(|scope| {
        let client = || -> Result<Vec<f64>> {
            ready.wait();
            let (mut reply, mut seconds) = (Vec::new(), Vec::new());
            for _ in 0..task.questions {
                let begun = Instant::now();
                ask(socket, request, &mut reply)?;
                seconds.push(begun.elapsed().as_secs_f64());
                ensure!(
                    reply == expected,
                    "another reply: {}",
                    String::from_utf8_lossy(&reply)
                );
            }
            Ok(seconds)
        };
        let mut clients = Vec::new();
        for _ in 0..task.clients {
            let builder = thread::Builder::new().stack_size(128 * 1024);
            clients.push(builder.spawn_scoped(scope, client)?);
        }
        ready.wait();
        let begun = Instant::now();
        let mut seconds = Vec::new();
        for client in clients {
            seconds.extend(client.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        let took = begun.elapsed().as_secs_f64();
        Ok(Round {
            per_second: seconds.len() as f64 / took,
            p99_seconds: quantile(&seconds, 0.99).context("no questions")?,
        })
    })
}

/// One question on a connection of its own, until the server closes it.
fn ask(socket: &Path, request: &[u8], reply: &mut Vec<u8>) -> Result<()> {
    let mut stream = UnixStream::connect(socket).context("connect")?;
    stream.write_all(request).context("write")?;
    reply.clear();
    stream.read_to_end(reply).context("read")?;
    Ok(())
}

/// The bare server, a process of its own.
struct Echo {
    socket: PathBuf,
    process: Child,
}

impl Echo {
    fn start(ground: &Ground) -> Result<Self> {
        let socket = ground.folder.join("echo");
        let mut command = ground.part("echo", &json!(socket))?;
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let echo = Self { socket, process };
        wait_for("the echo", || Ok(UnixStream::connect(&echo.socket).is_ok()))?;
        Ok(echo)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The part `echo`.
pub(crate) fn echo(socket: &Path) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (mut stream, _) = listener.accept()?;
        let length = stream.read(&mut buffer)?;
        // A client that hung up is its own affair.
        let _ = stream.write_all(buffer.get(..length).unwrap_or_default());
    }
}
