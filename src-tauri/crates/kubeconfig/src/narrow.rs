//! What kubectl's own arguments say of the server that it speaks to.
//!
//! They narrow, and another program's never do: k9s and Lens switch servers inside one process.

use std::path::{Path, PathBuf};

/// What a process's arguments choose, where the process is kubectl. For any other program nothing is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// The process is kubectl, by the name that it was started under.
    pub is_kubectl: bool,
    /// `kubectl __complete`, which a TAB runs.
    pub is_completion: bool,
    /// The files may have changed since the process read them: then its current context is any of them, unless
    /// `--context` names it. (`kubectl get --watch` asks again an hour later.) [`narrow`] can't know; the caller does.
    pub files_are_newer: bool,
    /// kubectl's preferences choose the server: what it speaks to then can't be told from files and arguments. [`narrow`]
    /// can't know; the caller does, by [`crate::kuberc`] and [`crate::kuberc_chooses_server`].
    pub preferences_choose: bool,
    /// `--kuberc`.
    pub kuberc: Option<String>,
    /// `--kubeconfig`.
    pub kubeconfig: Option<String>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `--namespace`.
    pub namespace: Option<String>,
    /// `--server`.
    pub server: Option<String>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--certificate-authority`, from the process's folder.
    pub certificate_authority: Option<PathBuf>,
    /// `--tls-server-name`.
    pub tls_server_name: Option<String>,
}

/// kubectl's flags that take a value and choose no server.
const OTHERS_WITH_VALUE: [&str; 21] = [
    "as",
    "as-uid",
    "as-group",
    "as-user-extra",
    "cache-dir",
    "client-certificate",
    "client-key",
    "field-selector",
    "kuberc",
    "labels",
    "output",
    "password",
    "profile",
    "profile-output",
    "request-timeout",
    "selector",
    "template",
    "token",
    "username",
    "v",
    "vmodule",
];

/// Reads a process's arguments, its own name first, as pflag does (cli-runtime `pkg/genericclioptions/config_flags.go`):
/// `--flag value` and `--flag=value`, the last one counts, `_` is as good as `-`, and `--` ends them.
pub fn narrow(argv: &[String], folder: &Path) -> Narrow {
    let mut narrow = Narrow::default();
    let Some((program, arguments)) = argv.split_first() else {
        return narrow;
    };
    if !is_kubectl(program) {
        return narrow;
    }
    narrow.is_kubectl = true;
    narrow.is_completion = matches!(
        arguments.first().map(String::as_str),
        Some("__complete" | "__completeNoDesc")
    );
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            break;
        }
        let (name, written) = split(argument);
        if name == "insecure-skip-tls-verify" {
            narrow.insecure_skip_tls_verify = written.is_none_or(is_true);
        } else if takes_value(&name) {
            let Some(value) = written.or_else(|| rest.next().map(String::as_str)) else {
                break;
            };
            narrow.set(&name, value, folder);
        }
    }
    narrow
}

impl Narrow {
    fn set(&mut self, name: &str, value: &str, folder: &Path) {
        // An empty value overrides nothing (`clientcmd/merge.go`).
        let text = Some(value.to_owned()).filter(|value| !value.is_empty());
        match name {
            "kuberc" => self.kuberc = text,
            "kubeconfig" => self.kubeconfig = text,
            "context" => self.context = text,
            "cluster" => self.cluster = text,
            "user" => self.user = text,
            "namespace" => self.namespace = text,
            "server" => self.server = text,
            "certificate-authority" => {
                self.certificate_authority = text.map(|path| folder.join(path))
            }
            "tls-server-name" => self.tls_server_name = text,
            _ => {}
        }
    }
}

fn takes_value(name: &str) -> bool {
    matches!(
        name,
        "kubeconfig"
            | "context"
            | "cluster"
            | "user"
            | "namespace"
            | "server"
            | "certificate-authority"
            | "tls-server-name"
    ) || OTHERS_WITH_VALUE.contains(&name)
}

/// A flag's name and the value that is in the same argument. A word that is no flag has no name.
fn split(argument: &str) -> (String, Option<&str>) {
    if let Some(long) = argument.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        return (name.replace('_', "-"), value);
    }
    let name = match argument.get(..2) {
        Some("-n") => "namespace",
        Some("-s") => "server",
        Some("-l") => "selector",
        Some("-o") => "output",
        Some("-v") => "v",
        Some(_) | None => "",
    };
    let value = argument
        .get(2..)
        .filter(|value| !name.is_empty() && !value.is_empty());
    (
        name.to_owned(),
        value.map(|value| value.strip_prefix('=').unwrap_or(value)),
    )
}

/// Go's `strconv.ParseBool`. kubectl does not run with anything else.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// Whether a command's name is kubectl's: `kubectl`, `KUBECTL.EXE`, and with a version, as in `kubectl-1.36.3`. A name
/// like `kubectl-fob` is a plugin's.
pub(crate) fn is_kubectl(program: &str) -> bool {
    let name = file_name(program);
    let Some(rest) = name.strip_prefix("kubectl") else {
        return false;
    };
    let version = rest.strip_prefix('-').unwrap_or(rest);
    let version = version.strip_prefix('v').unwrap_or(version);
    let is_version = |text: &str| {
        text.split('.').count() > 1
            && text
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    rest.is_empty() || is_version(version)
}

/// A command's last part, in small letters and without `.exe`: both kinds of separator are met in kubeconfigs.
pub(crate) fn file_name(program: &str) -> String {
    let name = program
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Narrow {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        narrow(&argv, Path::new("/here"))
    }

    #[test]
    fn kubectls_flags_are_read_in_every_form() {
        let kubectl = || Narrow {
            is_kubectl: true,
            ..Narrow::default()
        };
        let context = |name: &str| Narrow {
            context: Some(name.to_owned()),
            ..kubectl()
        };
        let server = |url: &str| Narrow {
            server: Some(url.to_owned()),
            ..kubectl()
        };
        let table = [
            ("kubectl get pods", kubectl()),
            ("kubectl --context a get pods", context("a")),
            ("/usr/bin/kubectl get pods --context=a", context("a")),
            (r"C:\bin\KUBECTL.EXE --context a", context("a")),
            ("kubectl-1.36.3 --context a", context("a")),
            ("kubectl --context a --context b", context("b")),
            ("kubectl --context a --context=", kubectl()),
            ("kubectl --context=a=b", context("a=b")),
            ("kubectl --context", kubectl()),
            ("kubectl exec p -- kubectl --context a", kubectl()),
            ("kubectl get pods -A --context a", context("a")),
            (
                "kubectl --user --context a",
                Narrow {
                    user: Some("--context".into()),
                    ..kubectl()
                },
            ),
            (
                "kubectl -n --context a",
                Narrow {
                    namespace: Some("--context".into()),
                    ..kubectl()
                },
            ),
            ("kubectl --token --context=a", kubectl()),
            ("kubectl -l --context=a", kubectl()),
            (
                "kubectl -n=x -s https://s",
                Narrow {
                    namespace: Some("x".into()),
                    ..server("https://s")
                },
            ),
            ("kubectl -shttps://s", server("https://s")),
            ("kubectl --server=https://s", server("https://s")),
            ("kubectl -v 6 --server https://s", server("https://s")),
            (
                "kubectl --cluster c --user u",
                Narrow {
                    cluster: Some("c".into()),
                    user: Some("u".into()),
                    ..kubectl()
                },
            ),
            (
                "kubectl --kubeconfig f",
                Narrow {
                    kubeconfig: Some("f".into()),
                    ..kubectl()
                },
            ),
            (
                "kubectl --certificate_authority ca.crt --tls-server-name=n",
                Narrow {
                    certificate_authority: Some("/here/ca.crt".into()),
                    tls_server_name: Some("n".into()),
                    ..kubectl()
                },
            ),
            (
                "kubectl --insecure-skip-tls-verify get",
                Narrow {
                    insecure_skip_tls_verify: true,
                    ..kubectl()
                },
            ),
            (
                "kubectl --insecure-skip-tls-verify=true",
                Narrow {
                    insecure_skip_tls_verify: true,
                    ..kubectl()
                },
            ),
            ("kubectl --insecure-skip-tls-verify=false", kubectl()),
            (
                "kubectl __complete get pods --context a ",
                Narrow {
                    is_completion: true,
                    ..context("a")
                },
            ),
        ];
        for (line, expected) in table {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn another_programs_arguments_choose_nothing() {
        for line in [
            "k9s --context a",
            "helm --kube-context a --context b",
            "kubectl-fob --context a",
            "kubectl-x.y --context a",
            "oc --context a",
            "",
        ] {
            assert_eq!(read(line), Narrow::default(), "{line}");
        }
        assert_eq!(narrow(&[], Path::new("/")), Narrow::default());
    }
}
