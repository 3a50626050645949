//! What a real kubectl tells its plugin, and what we make of kubectl's arguments: the same server.
//!
//! kubectl (KUBEFOB_KUBECTL) runs a plugin that writes down KUBERNETES_EXEC_INFO. Nothing is connected to.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests read files and start kubectl"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubeconfig::{ExecServer, FileSet, Origin, Reading, ServerKey};

const KUBECONFIG: &str = "
current-context: dev
clusters:
- {name: dev, cluster: {server: 'https://127.0.0.1:1', tls-server-name: name, certificate-authority: pki/../ca.crt}}
- {name: data, cluster: {server: 'https://127.0.0.1:1/k8s/?q', certificate-authority-data: 'CA-DATA', proxy-url: 'http://u:p@127.0.0.1:1'}}
- {name: lax, cluster: {server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}
- {name: merged, cluster: {server: 'https://127.0.0.1:2', <<: {server: 'https://127.0.0.1:3'}}}
users:
- name: me
  user: &user {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, provideClusterInfo: true, command: ./kubectl-fob, args: [get-token, a]}}
- {name: also-me, user: *user}
contexts:
- {name: dev, context: {cluster: dev, user: me}}
- {name: data, context: {cluster: data, user: me}}
- {name: lax, context: {cluster: lax, user: also-me}}
- {name: merged, context: {cluster: merged, user: me}}
- {name: broken, context: {cluster: nowhere, user: me}}
- {name: nobody, context: {cluster: dev, user: nobody}}
";

const PLUGIN: &str = "#!/bin/sh
printf %s \"$KUBERNETES_EXEC_INFO\" > \"${0%/*}/info\"
exit 1
";

const OTHER_CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBcjCCARmgAwIBAgIURwEfrnBwP02echM6xSg0gRovTwAwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEY2EtMjAeFw0yNjExMjQxNzU0MzhaFw0zNjExMjExNzU0Mzha
MA8xDTALBgNVBAMMBGNhLTIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATdn4Fg
bPXvslqSda6QG2NvyiRjyqkX/m7PC35EIXvnPwh1SN3uh4AbzFlsPwyHfqe4GAdm
OIHQTpqxrTZSPkh2o1MwUTAdBgNVHQ4EFgQUzzZwuhGsSHTUQvH3qpnkrZDrQfYw
HwYDVR0jBBgwFoAUzzZwuhGsSHTUQvH3qpnkrZDrQfYwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNHADBEAiAxT+QVsuEFMfNEzcxArm2PxXTEHQnSJNSTvROk
/3M3PgIgCIdVZ4qImezhKHaurOh0m/7fsdhF5ofep+woDFUswMU=
-----END CERTIFICATE-----
";

const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUSpjkiqKT5E1TDPVhWsGRk8Vj0rUwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEY2EtMTAeFw0yNjExMjQxNzU0MzhaFw0zNjExMjExNzU0Mzha
MA8xDTALBgNVBAMMBGNhLTEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQURMQc
3Hq4MflRrtMud+WADFeuEG0LeG+oZpAQVNPv1q0wbcotde6gC5SAITQQzj/WgY/3
0woHJFhZawqO9Gf4o1MwUTAdBgNVHQ4EFgQUyRyplc2pRRPV/F/oiRyvEFKmaEIw
HwYDVR0jBBgwFoAUyRyplc2pRRPV/F/oiRyvEFKmaEIwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiBcLHNMvA1h7N51MPmD4NI7AkglPlL1puJZi57L
aCqQSAIhANx6bw5FZiTLAmG4+90gan6GKkxIUhBI6ollWIBi4KEo
-----END CERTIFICATE-----
";

/// Arguments, and whether kubectl gets as far as to ask for a credential.
const CASES: [(&str, bool); 52] = [
    ("", true),
    ("--context data", true),
    ("--context=lax", true),
    ("--context merged", true),
    ("--context broken", false),
    ("--context missing", false),
    ("--context nobody", false),
    ("--context nobody --user also-me", true),
    ("--context dev --context data", true),
    ("--context dev --context=", true),
    ("--cluster lax", true),
    ("--cluster missing", false),
    ("--user missing", false),
    ("--server https://127.0.0.1:4", true),
    ("-s https://127.0.0.1:4", true),
    ("-shttps://127.0.0.1:4", true),
    ("-s=https://127.0.0.1:4", true),
    (
        "--context data -s https://127.0.0.1:4/p?q --tls-server-name n",
        true,
    ),
    ("--context broken --server https://127.0.0.1:4", true),
    ("--tls_server_name other", true),
    ("--insecure-skip-tls-verify", true),
    ("--insecure-skip-tls-verify=true --context data", true),
    ("--insecure-skip-tls-verify=false --context lax", true),
    ("--certificate-authority other.crt", true),
    ("--context lax --certificate-authority=other.crt", true),
    (
        "--context data --certificate-authority=other.crt --insecure-skip-tls-verify=0",
        true,
    ),
    ("-n --context=data", true),
    ("-l --context=data", true),
    ("--selector a=b --context data", true),
    ("-A --context data", true),
    ("-As https://127.0.0.1:4", true),
    ("-As=https://127.0.0.1:4", true),
    ("-wAs=https://127.0.0.1:4", true),
    ("-Ashttps://127.0.0.1:4", true),
    ("-A=false -s https://127.0.0.1:4", true),
    ("-v=0 -s https://127.0.0.1:4", true),
    ("-L --context=data", true),
    ("-L=--context=data", true),
    ("-ALs --context=data", true),
    ("-o name --context data", true),
    ("-oname --context=data", true),
    ("--sort-by --context=data", true),
    ("--field_selector --context=data", true),
    ("--show-labels --context data", true),
    ("--show_labels=false --context data", true),
    ("--chunk-size 5 --context data", true),
    ("--context data -- --context lax", true),
    ("more --context data words", true),
    ("-As", false),
    ("-AA=t --context=data", true),
    ("--nothing --context data", false),
    ("-Ax", false),
];

/// Words of which lines are made at random.
const WORDS: [&str; 40] = [
    "-A",
    "-A",
    "-As",
    "-ALs",
    "-wAs=https://127.0.0.1:4",
    "-Ashttps://127.0.0.1:4",
    "-L",
    "-l",
    "-l=a=b",
    "-n",
    "-nx",
    "-n=x",
    "-o",
    "-oname",
    "-s",
    "-shttps://127.0.0.1:4",
    "-v",
    "-v=0",
    "-w=0",
    "--",
    "--all-namespaces",
    "--chunk-size",
    "--cluster",
    "--cluster=lax",
    "--context",
    "--context=data",
    "--context=lax",
    "--field_selector",
    "--insecure-skip-tls-verify",
    "--no-headers",
    "--selector",
    "--server",
    "--show_labels=false",
    "--sort-by=x",
    "--user",
    "--user=also-me",
    "5",
    "https://127.0.0.1:4",
    "data",
    "lax",
];
const RANDOM_LINES: usize = 150;

#[test]
fn kubectl_speaks_to_the_server_that_its_arguments_say() {
    let Some((kubectl, folder)) = kubectl_in_a_folder() else {
        return;
    };
    let mut wrong = Vec::new();
    for (line, asks) in CASES {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let told = told(&kubectl, folder.path(), &arguments);
        assert_eq!(told.is_some(), asks, "{line}");
        let thought = thought(folder.path(), &arguments);
        if told != thought {
            wrong.push(format!(
                "{line}\n  told:    {told:?}\n  thought: {thought:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn of_lines_made_at_random_none_leads_elsewhere_than_was_thought() {
    let Some((kubectl, folder)) = kubectl_in_a_folder() else {
        return;
    };
    // Knuth's, so that a line that fails comes again.
    let mut state = 20_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for _ in 0..RANDOM_LINES {
        let length = 1 + random(6);
        let words: Vec<&str> = (0..length).map(|_| WORDS[random(WORDS.len())]).collect();
        // What has no value is no line that kubectl runs with.
        let Some(told) = told(&kubectl, folder.path(), &words) else {
            continue;
        };
        asked += 1;
        let thought = thought(folder.path(), &words);
        if thought.as_ref() != Some(&told) {
            let line = words.join(" ");
            wrong.push(format!(
                "{line}\n  told:    {told:?}\n  thought: {thought:?}"
            ));
        }
    }
    println!("{asked} of {RANDOM_LINES} lines asked");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > RANDOM_LINES / 8, "{asked}");
}

/// kubectl, and a folder with kubeconfig and plugin in it.
fn kubectl_in_a_folder() -> Option<(PathBuf, tempfile::TempDir)> {
    let Some(kubectl) = std::env::var_os("KUBEFOB_KUBECTL").map(PathBuf::from) else {
        println!("skipped: KUBEFOB_KUBECTL not set");
        return None;
    };
    let made = tempfile::tempdir().unwrap();
    let folder = made.path();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    // The files of an authority must be one: kubectl looks into them.
    write("ca.crt", CA);
    write("config", &KUBECONFIG.replace("CA-DATA", &base64(OTHER_CA)));
    write("kubectl-fob", PLUGIN);
    std::fs::create_dir(folder.join("elsewhere")).unwrap();
    write("elsewhere/other.crt", OTHER_CA);
    std::fs::set_permissions(
        folder.join("kubectl-fob"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();

    Some((kubectl, made))
}

/// The server that kubectl tells its plugin of.
fn told(kubectl: &Path, folder: &Path, arguments: &[&str]) -> Option<ServerKey> {
    let info = folder.join("info");
    let _ = std::fs::remove_file(&info);
    Command::new(kubectl)
        .args(["get", "pods"])
        .args(arguments)
        .current_dir(folder.join("elsewhere"))
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/bin:/bin")
        .env("KUBECONFIG", "../config")
        .output()
        .unwrap();
    let info = std::fs::read_to_string(info).ok()?;
    match kubeconfig::from_exec_info(&info).unwrap() {
        ExecServer::Named(server) => Some(server),
        ExecServer::Unnamed | ExecServer::Odd => None,
    }
}

/// The server that we take it to be.
fn thought(folder: &Path, arguments: &[&str]) -> Option<ServerKey> {
    let here = folder.join("elsewhere");
    let argv: Vec<String> = ["kubectl", "get", "pods"]
        .iter()
        .chain(arguments)
        .map(|a| (*a).to_owned())
        .collect();
    let narrow = kubeconfig::narrow(&argv, true, &here);
    // kubectl does not run with what is not understood of these.
    if narrow.reading != Reading::Kubectl {
        return None;
    }
    let FileSet::Optional(files) = kubeconfig::paths(None, Some("../config".as_ref()), None) else {
        panic!()
    };
    let file = files.first().unwrap();
    let config = kubeconfig::load(file, &std::fs::read(here.join(file)).unwrap()).unwrap();
    let merged = kubeconfig::merge([&config], &here);
    let own = ["get-token".to_owned(), "a".to_owned()];
    match kubeconfig::servers(&merged, &own, &narrow) {
        Origin::NoSuchStanza | Origin::Unknown => None,
        Origin::Known(candidates) => {
            assert_eq!(candidates.len(), 1, "kubectl speaks to one");
            let key = candidates.into_iter().next().unwrap().server;
            Some(key.with_ca_data(|file| std::fs::read(file).ok()))
        }
    }
}

fn base64(text: &str) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}
