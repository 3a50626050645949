//! The payload of `Run`: byte strings behind their u32 lengths, lists behind their u32 counts.

use super::payload::Payload;

/// The variables that a shim passes on; no other reaches the resident in a frame.
pub const ENVIRONMENT: [&str; 9] = [
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "TERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "KUBECACHEDIR",
    "KUBECONFIG",
    "PATH",
];

/// What the shim was called with. It comes from whoever wrote the kubeconfig: a claim, never the person's
/// word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The name it was called by (`argv[0]`): one file answers to two names.
    pub program: Vec<u8>,
    /// Its arguments, without that name.
    pub args: Vec<Vec<u8>>,
    /// KUBERNETES_EXEC_INFO, if it was set: then it runs as a credential plugin.
    pub exec_info: Option<Vec<u8>>,
    /// Those of [`ENVIRONMENT`] that were set: name and value.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// The folder that it was called in; empty if that is gone.
    pub cwd: Vec<u8>,
    /// Which of its streams are terminals.
    pub terminals: Terminals,
}

/// Which of the shim's streams are terminals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl Run {
    /// The value of one of [`ENVIRONMENT`]'s variables.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.env.iter().find(|(each, _)| each == name.as_bytes())?;
        Some(value)
    }

    /// Whether it runs as a credential plugin, be it that whoever runs it tells it nothing: then `exec.env` may have set
    /// all of its environment.
    #[must_use]
    pub fn asks_for_a_token(&self) -> bool {
        self.exec_info.is_some() || self.args.iter().any(|word| word == b"get-token")
    }
}

impl Payload for Run {
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(out, &self.program);
        write_count(out, self.args.len());
        for arg in &self.args {
            write_bytes(out, arg);
        }
        match &self.exec_info {
            Some(info) => {
                out.push(1);
                write_bytes(out, info);
            }
            None => out.push(0),
        }
        write_count(out, self.env.len());
        for (name, value) in &self.env {
            write_bytes(out, name);
            write_bytes(out, value);
        }
        write_bytes(out, &self.cwd);
        let Terminals {
            stdin,
            stdout,
            stderr,
        } = self.terminals;
        out.push(u8::from(stdin) | u8::from(stdout) << 1 | u8::from(stderr) << 2);
    }

    fn read(payload: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Rest(payload);
        let program = rest.bytes()?;
        let mut args = Vec::new();
        for _ in 0..rest.count(LENGTH)? {
            args.push(rest.bytes()?);
        }
        let exec_info = match rest.byte()? {
            0 => None,
            1 => Some(rest.bytes()?),
            _ => return Err("exec info is there or not"),
        };
        let mut env = Vec::new();
        for _ in 0..rest.count(2 * LENGTH)? {
            env.push((rest.bytes()?, rest.bytes()?));
        }
        let cwd = rest.bytes()?;
        let bits = rest.byte()?;
        if bits > 0b111 {
            return Err("there are three streams");
        }
        if !rest.0.is_empty() {
            return Err("bytes after its end");
        }
        let terminals = Terminals {
            stdin: bits & 1 != 0,
            stdout: bits & 2 != 0,
            stderr: bits & 4 != 0,
        };
        Ok(Self {
            program,
            args,
            exec_info,
            env,
            cwd,
            terminals,
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let whole = Self {
            program: b"/usr/bin/kubectl-fob".to_vec(),
            args: vec![
                b"get-token".to_vec(),
                b"--oidc-issuer-url=\xff".to_vec(),
                Vec::new(),
            ],
            exec_info: Some(b"{}".to_vec()),
            env: vec![(b"LANG".to_vec(), b"ko_KR.UTF-8".to_vec())],
            cwd: b"/home/test".to_vec(),
            terminals: Terminals {
                stdin: true,
                stdout: false,
                stderr: true,
            },
        };
        let bare = Self {
            exec_info: None,
            args: vec![],
            env: vec![],
            ..whole.clone()
        };
        vec![whole, bare]
    }
}

/// How many bytes a length takes.
const LENGTH: usize = 4;

/// A length beyond u32 is far beyond the frame's cap, which the encoder then finds: saturating is safe.
fn write_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (byte, rest) = self.0.split_first().ok_or("cut off")?;
        self.0 = rest;
        Ok(*byte)
    }

    fn length(&mut self) -> Result<usize, &'static str> {
        let (length, rest) = self.0.split_first_chunk::<LENGTH>().ok_or("cut off")?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*length)).map_err(|_| "a length too large")
    }

    /// A count of items that take at least `least` bytes each: more than the rest can hold is refused at
    /// once.
    fn count(&mut self, least: usize) -> Result<usize, &'static str> {
        let count = self.length()?;
        if count > self.0.len() / least {
            return Err("a count without bytes behind it");
        }
        Ok(count)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, &'static str> {
        let length = self.length()?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or("a length without bytes behind it")?;
        self.0 = rest;
        Ok(bytes.to_vec())
    }
}
