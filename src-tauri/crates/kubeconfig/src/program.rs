//! Which program a process runs: by its executable's file alone. What it is called in its own first argument is for
//! whoever starts it to choose, and is no evidence.

use std::path::Path;

/// Whether an executable is kubectl: `kubectl`, `kubectl.exe`, with a version (`kubectl-1.36.3`, `kubectl.1.33`,
/// `kubectl_v1`, `kubectl1.30.2`) or put aside (`kubectl.real`). A name like `kubectl-fob` is a plugin's.
///
/// The path is the system's word for what a process runs, links followed: so a link to kubectl is kubectl, and a copy
/// under another name is another program, which only ever widens what it can have asked for.
pub fn is_kubectl(executable: &Path) -> bool {
    has_kubectls_name(&name(executable))
}

/// The same of a command as a kubeconfig names it.
pub(crate) fn runs_kubectl(command: &str) -> bool {
    has_kubectls_name(&file_name(command))
}

/// Whether an executable is Helm: what it can be told of servers is known.
pub(crate) fn is_helm(executable: &Path) -> bool {
    let name = name(executable);
    name.strip_prefix("helm").is_some_and(|rest| {
        rest.is_empty() || rest.bytes().all(|byte| byte.is_ascii_digit()) || is_version(rest)
    })
}

/// A command's last part, in small letters and without `.exe`: both kinds of separator are met in kubeconfigs.
pub(crate) fn file_name(command: &str) -> String {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    plain(name)
}

/// An executable's name, in small letters and without `.exe`. Linux adds a word where the file is gone since, as after
/// an upgrade (`d_path` in the kernel).
fn name(executable: &Path) -> String {
    let name = executable.file_name().unwrap_or_default().to_string_lossy();
    plain(name.strip_suffix(" (deleted)").unwrap_or(&name))
}

fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

fn has_kubectls_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("kubectl") else {
        return false;
    };
    // A plugin is `kubectl-NAME`, and what completes it `kubectl_complete-NAME`.
    rest.is_empty()
        || rest.strip_prefix('.').is_some_and(|rest| !rest.is_empty())
        || is_version(rest)
}

/// `1.30`, `-1.36.3`, `_v1`, `-v1.30.2-eks-1`. Only after `_` a number alone is one.
fn is_version(text: &str) -> bool {
    let version = text.strip_prefix(['-', '_']).unwrap_or(text);
    let version = version.strip_prefix('v').unwrap_or(version);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let major = digits(version);
    let minor = version
        .get(major..)
        .and_then(|rest| rest.strip_prefix('.'))
        .map_or(0, digits);
    major > 0 && (minor > 0 || (text.starts_with('_') && major == version.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_is_known_by_its_executable() {
        for name in [
            "kubectl",
            "/usr/bin/kubectl",
            "kubectl.exe",
            "KUBECTL.EXE",
            "kubectl-1.36.3",
            "kubectl-v1.30.2-eks-1",
            "kubectl.1.33",
            "kubectl.real",
            "kubectl_v1",
            "kubectl_1.30",
            "kubectl1.28.3",
            "/usr/bin/kubectl (deleted)",
            "/usr/bin/kubectl-1.36.3 (deleted)",
        ] {
            assert!(is_kubectl(Path::new(name)), "{name}");
        }
        for name in [
            "k",
            "/tmp/kubectl/k9s",
            "kubectl-fob",
            "kubectl-fob (deleted)",
            "kubectl-oidc_login",
            "kubectl-x.y",
            "kubectl-2fa",
            "kubectl_complete-fob",
            "kubectl.",
            "kubectlx",
            "oc",
            "helm",
            "",
            "/",
        ] {
            assert!(!is_kubectl(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn helm_is_known_by_its_executable() {
        for name in [
            "helm",
            "/opt/helm (deleted)",
            "helm.exe",
            "helm3",
            "helm-v3.14.0",
        ] {
            assert!(is_helm(Path::new(name)), "{name}");
        }
        for name in ["helmfile", "helm-diff", "kubectl", "diff"] {
            assert!(!is_helm(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_stanzas_command_is_written_for_any_system() {
        assert!(runs_kubectl(r"C:\bin\KUBECTL.EXE") && runs_kubectl("./kubectl"));
        assert_eq!(file_name(r"C:\bin\kubectl-fob.exe"), "kubectl-fob");
    }
}
