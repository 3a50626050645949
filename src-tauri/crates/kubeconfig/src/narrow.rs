//! What kubectl's own arguments say of the server that it speaks to.
//!
//! They narrow, and another program's never do: k9s and Lens switch servers inside one process.

use std::path::{Path, PathBuf};

use crate::pflag;

/// Whose arguments they are, and whether they choose anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// Another program's: they choose nothing. What they name is [`crate::named`]'s.
    #[default]
    AnotherProgram,
    /// kubectl's, but not read as kubectl reads them, or not seen: they choose nothing either, and what they name counts
    /// as another program's does.
    NotUnderstood,
    /// kubectl's, each word understood.
    Kubectl,
}

/// What a process's arguments choose, where the process is kubectl and they were understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Whether they choose anything.
    pub reading: Reading,
    /// kubectl's preferences choose the server: what it speaks to then can't be told from files and arguments. [`narrow`]
    /// can't know; the caller does, by [`crate::kuberc`] and [`crate::kuberc_chooses_server`].
    pub preferences_choose: bool,
    /// KUBERNETES_MASTER: the server where no file and no flag names one. [`narrow`] can't know; the caller does.
    pub default_server: Option<String>,
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

/// Reads a process's arguments, its own name first. `is_kubectl` is what [`crate::is_kubectl`] says of its executable.
pub fn narrow(argv: &[String], is_kubectl: bool, folder: &Path) -> Narrow {
    let mut narrow = Narrow::default();
    if !is_kubectl {
        return narrow;
    }
    narrow.reading = Reading::NotUnderstood;
    // Somebody's bytes that are no text have been lost on the way: what it names is not what kubectl was told.
    if argv.iter().any(|word| is_lossy(word)) {
        return narrow;
    }
    let Some(given) = argv.get(1..).and_then(pflag::read) else {
        return narrow;
    };
    narrow.reading = Reading::Kubectl;
    // The last one counts.
    for flag in given {
        narrow.set(flag.name, flag.value, folder);
    }
    narrow
}

impl Narrow {
    fn set(&mut self, name: &str, value: Option<&str>, folder: &Path) {
        // An empty value overrides nothing (`clientcmd/merge.go`).
        let text = value.map(str::to_owned).filter(|value| !value.is_empty());
        match name {
            "kuberc" => self.kuberc = text,
            "kubeconfig" => self.kubeconfig = text,
            "context" => self.context = text,
            "cluster" => self.cluster = text,
            "user" => self.user = text,
            "namespace" => self.namespace = text,
            "server" => self.server = text,
            "insecure-skip-tls-verify" => {
                self.insecure_skip_tls_verify = value.is_none_or(is_true);
            }
            "certificate-authority" => {
                self.certificate_authority = text.map(|path| folder.join(path));
            }
            "tls-server-name" => self.tls_server_name = text,
            _ => {}
        }
    }
}

/// Whether a word can stand for bytes that are no text.
pub(crate) fn is_lossy(word: &str) -> bool {
    word.contains(char::REPLACEMENT_CHARACTER)
}

/// Go's `strconv.ParseBool`. kubectl does not run with anything else.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Narrow {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        narrow(&argv, true, Path::new("/here"))
    }

    #[test]
    fn kubectls_flags_are_read_in_every_form() {
        let kubectl = || Narrow {
            reading: Reading::Kubectl,
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
            ("kubectl", kubectl()),
            ("kubectl get pods", kubectl()),
            ("kubectl --context a get pods", context("a")),
            ("kubectl get pods --context a --context b", context("b")),
            ("kubectl get pods --context a --context=", kubectl()),
            ("k get pods --context=a", context("a")),
            ("k9s --context=a get pods", context("a")),
            ("kubectl exec p -- kubectl --context a", kubectl()),
            (
                "kubectl get pods -n --context=a",
                Narrow {
                    namespace: Some("--context=a".into()),
                    ..kubectl()
                },
            ),
            ("kubectl get ns -As https://s", server("https://s")),
            ("kubectl get ns -wAs=https://s", server("https://s")),
            (
                "kubectl get pods --cluster c --user u",
                Narrow {
                    cluster: Some("c".into()),
                    user: Some("u".into()),
                    ..kubectl()
                },
            ),
            ("kubectl create rolebinding b --user u", kubectl()),
            (
                "kubectl --kubeconfig f get pods --kuberc=r",
                Narrow {
                    kubeconfig: Some("f".into()),
                    kuberc: Some("r".into()),
                    ..kubectl()
                },
            ),
            (
                "kubectl get pods --certificate_authority ca.crt --tls-server-name=n",
                Narrow {
                    certificate_authority: Some("/here/ca.crt".into()),
                    tls_server_name: Some("n".into()),
                    ..kubectl()
                },
            ),
            (
                "kubectl --insecure-skip-tls-verify get pods",
                Narrow {
                    insecure_skip_tls_verify: true,
                    ..kubectl()
                },
            ),
            (
                "kubectl get pods --insecure-skip-tls-verify=false",
                kubectl(),
            ),
            ("kubectl __complete get pods --context a ", context("a")),
        ];
        for (line, expected) in table {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_chooses_nothing() {
        let not = Narrow {
            reading: Reading::NotUnderstood,
            ..Narrow::default()
        };
        for line in [
            "kubectl get pods --nothing --context a",
            "kubectl get pods --context",
            "kubectl neat --context a",
            "kubectl oidc-login get-token --context a",
            "kubectl --kubeconfig c\u{fffd}.yaml get ns",
            "kubectl get ns --context a --user u\u{fffd}",
        ] {
            assert_eq!(read(line), not, "{line}");
        }
        assert_eq!(narrow(&[], true, Path::new("/")), not, "nothing is seen");
    }

    #[test]
    fn another_programs_arguments_choose_nothing() {
        for line in ["kubectl --context a get pods", "k9s --context a", ""] {
            let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let read = narrow(&argv, false, Path::new("/here"));
            assert_eq!(read, Narrow::default(), "{line}");
        }
    }
}
