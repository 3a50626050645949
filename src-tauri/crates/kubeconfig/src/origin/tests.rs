use super::*;
use crate::named::Named;
use crate::narrow::narrow;
use crate::program::is_kubectl;
use crate::widest::widest;

const FILES: [(&str, &str); 2] = [
    (
        "/home/u/.kube/config",
        "
current-context: dev
clusters:
- {name: dev, cluster: {server: 'https://dev', tls-server-name: name, certificate-authority: ca.crt}}
- {name: prod, cluster: {server: 'https://prod'}}
- {name: other, cluster: {server: 'https://other'}}
users:
- {name: me, user: {exec: {command: kubectl, args: [oidc-login, get-token, --oidc-client-id=k]}}}
- {name: admin, user: {exec: {command: kubectl-oidc_login, args: [get-token, --oidc-client-id=admin]}}}
- {name: azure, user: {exec: {command: kubelogin, args: [get-token, --server-id, x]}}}
- {name: cert, user: {client-certificate: a}}
contexts:
- {name: dev, context: {cluster: dev, user: me}}
- {name: dev-again, context: {cluster: dev, user: me, namespace: x}}
- {name: prod, context: {cluster: prod, user: admin}}
- {name: azure, context: {cluster: other, user: azure}}
- {name: cert, context: {cluster: other, user: cert}}
- {name: broken, context: {cluster: nowhere, user: me}}
",
    ),
    (
        "/tmp/evil",
        "
current-context: evil
clusters:
- {name: evil, cluster: {server: 'https://evil', insecure-skip-tls-verify: true, proxy-url: 'http://p'}}
users:
- {name: copy, user: {exec: {command: /opt/bin/kubectl-fob, args: [get-token, --oidc-client-id=k]}}}
contexts:
- {name: evil, context: {cluster: evil, user: copy}}
",
    ),
];

fn merged(files: &[(&str, &str)]) -> Merged {
    let load = |(file, text): &(&str, &str)| crate::load(Path::new(file), text.as_bytes()).unwrap();
    let files: Vec<_> = files.iter().map(load).collect();
    crate::merge(&files, Path::new("/"))
}

fn shown(candidates: &[Candidate]) -> String {
    let one = |candidate: &Candidate| {
        let file = candidate.file.display();
        format!(
            "{}[{}]@{file}",
            candidate.server.url,
            candidate.contexts.join(",")
        )
    };
    candidates.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn asked(merged: &Merged, argv: &str) -> String {
    let argv = words(argv);
    let is_kubectl = is_kubectl(Path::new(&argv[0]));
    let own = words("get-token --oidc-client-id=k");
    let narrow = narrow(&argv, is_kubectl, Path::new("/here"));
    let found = match narrow.reading {
        Reading::Kubectl => servers(merged, &own, &narrow),
        Reading::NotUnderstood | Reading::AnotherProgram => {
            widest(std::slice::from_ref(merged), &own, &Named::default())
        }
    };
    match found {
        Origin::Known(candidates) => shown(&candidates),
        Origin::NoSuchStanza => "none".to_owned(),
        Origin::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn a_cluster_without_an_address_is_no_server() {
    let merged = merged(&[(
        "/home/u/.kube/config",
        "
clusters:
- {name: empty, cluster: {}}
- {name: dev, cluster: {server: 'https://dev'}}
users:
- {name: me, user: {exec: {command: kubectl, args: [oidc-login, get-token, --oidc-client-id=k]}}}
contexts:
- {name: empty, context: {cluster: empty, user: me}}
- {name: dev, context: {cluster: dev, user: me}}
",
    )]);
    let dev = "https://dev[dev]@/home/u/.kube/config";
    assert_eq!(asked(&merged, "k9s"), dev);
    assert_eq!(asked(&merged, "kubectl --context empty get pods"), "none");
    let pairs = pairs(&merged);
    assert_eq!(pairs.len(), 1);
    assert_eq!(shown(&[pairs[0].candidate.clone()]), dev);
}

const DEV: &str = "https://dev[dev,dev-again]@/home/u/.kube/config";
const EVIL: &str = "https://evil[evil]@/tmp/evil";

#[test]
fn kubectl_can_have_asked_for_one_server_and_others_for_each() {
    let merged = merged(&FILES);
    let both = format!("{DEV} {EVIL}");
    let table = [
        ("k9s", both.as_str()),
        ("k9s --context dev", &both),
        ("lens", &both),
        ("kubectl-neat --context dev", &both),
        ("kubectl neat --context dev", &both),
        ("kubectl get --nothing --context dev", &both),
        ("kubectl get pods", "https://dev[dev]@/home/u/.kube/config"),
        (
            "kubectl --context dev-again",
            "https://dev[dev-again]@/home/u/.kube/config",
        ),
        ("kubectl --context evil", EVIL),
        ("kubectl --context prod", "none"),
        ("kubectl --context broken", "none"),
        ("kubectl --context missing", "none"),
        ("kubectl --context cert", "none"),
        (
            "kubectl --context cert --user me",
            "https://other[cert]@/home/u/.kube/config",
        ),
        ("kubectl --user missing", "none"),
        ("kubectl --cluster evil", "https://evil[dev]@/tmp/evil"),
        ("kubectl --cluster missing", "none"),
        (
            "kubectl --server https://x",
            "https://x[dev]@/home/u/.kube/config",
        ),
        (
            "kubectl --context broken --server https://x",
            "https://x[broken]@/home/u/.kube/config",
        ),
    ];
    for (argv, expected) in table {
        assert_eq!(asked(&merged, argv), expected, "{argv}");
    }
}

#[test]
fn what_is_not_understood_or_chosen_elsewhere_is_unknown() {
    let merged = merged(&FILES);
    let own = words("get-token --oidc-client-id=k");
    for (argv, is_kubectl, preferences_choose) in [
        ("kubectl --context dev", true, true),
        ("kubectl", true, true),
        ("kubectl get --nothing", true, false),
        ("k9s", false, false),
    ] {
        let narrow = Narrow {
            preferences_choose,
            ..narrow(&words(argv), is_kubectl, Path::new("/"))
        };
        assert_eq!(servers(&merged, &own, &narrow), Origin::Unknown, "{argv}");
    }
}

#[test]
fn the_environments_server_counts_where_no_file_names_one() {
    let merged = merged(&FILES);
    let own = words("get-token --oidc-client-id=k");
    let table = [
        ("kubectl", "https://dev[dev]@/home/u/.kube/config"),
        (
            "kubectl --context broken",
            "https://m[broken]@/home/u/.kube/config",
        ),
        (
            "kubectl --context broken --server https://x",
            "https://x[broken]@/home/u/.kube/config",
        ),
        ("kubectl --cluster missing", ""),
    ];
    for (argv, expected) in table {
        let narrow = Narrow {
            default_server: Some("https://m".to_owned()),
            ..narrow(&words(argv), true, Path::new("/"))
        };
        let found = match servers(&merged, &own, &narrow) {
            Origin::Known(candidates) => shown(&candidates),
            Origin::NoSuchStanza | Origin::Unknown => String::new(),
        };
        assert_eq!(found, expected, "{argv}");
    }
}

#[test]
fn flags_change_the_servers_tls_as_kubectl_has_it() {
    let merged = merged(&FILES);
    let key = |argv: &str| {
        let narrow = narrow(&words(argv), true, Path::new("/here"));
        match servers(&merged, &words("get-token --oidc-client-id=k"), &narrow) {
            Origin::Known(candidates) => {
                let key = &candidates[0].server;
                format!(
                    "{:?} {} {:?}",
                    key.ca,
                    key.insecure_skip_tls_verify,
                    key.tls_server_name.as_deref()
                )
            }
            Origin::NoSuchStanza | Origin::Unknown => String::new(),
        }
    };
    let table = [
        (
            "kubectl",
            "File(\"/home/u/.kube/ca.crt\") false Some(\"name\")",
        ),
        (
            "kubectl --server https://x",
            "File(\"/home/u/.kube/ca.crt\") false None",
        ),
        (
            "kubectl --server https://x --tls-server-name n",
            "File(\"/home/u/.kube/ca.crt\") false Some(\"n\")",
        ),
        (
            "kubectl --insecure-skip-tls-verify",
            "System true Some(\"name\")",
        ),
        (
            "kubectl --certificate-authority o.crt",
            "File(\"/here/o.crt\") false Some(\"name\")",
        ),
        (
            "kubectl --context evil --certificate-authority o.crt",
            "File(\"/here/o.crt\") false None",
        ),
    ];
    for (argv, expected) in table {
        assert_eq!(key(argv), expected, "{argv}");
    }
}

#[test]
fn no_files_no_stanza() {
    for argv in ["k9s", "kubectl", "kubectl --server https://x --user me"] {
        assert_eq!(asked(&Merged::default(), argv), "none");
    }
    let bare = merged(&[(
        "/f",
        "users: [{name: me, user: {exec: {command: kubectl-fob, args: [get-token, --oidc-client-id=k]}}}]",
    )]);
    assert_eq!(
        asked(&bare, "kubectl --server https://x --user me"),
        "https://x[]@/f"
    );
    assert_eq!(asked(&bare, "kubectl --user me"), "none");
}

#[test]
fn stanzas_that_run_us_are_told_by_their_command() {
    let table = [
        ("kubectl", "oidc-login get-token a", true),
        ("kubectl", "oidc_login get-token a", true),
        ("kubectl.exe", "fob get-token a", true),
        ("/usr/local/bin/kubectl", "fob get-token a", true),
        ("kubectl-1.30.2", "oidc-login get-token a", true),
        (r"C:\krew\kubectl-oidc_login.EXE", "get-token a", true),
        ("kubectl-oidc_login", "get-token a", true),
        ("/opt/homebrew/bin/kubelogin", "get-token a", true),
        ("./kubectl-fob", "get-token a", true),
        ("kubectl", "get-token a", false),
        ("kubectl", "--context x oidc-login get-token a", false),
        ("kubectl", "oidc-login setup a", false),
        ("kubectl-fob", "oidc-login get-token a", false),
        ("kubectl-fob-2", "get-token a", false),
        ("docker", "run image get-token a", false),
        ("aws", "eks get-token a", false),
    ];
    for (command, args, ours) in table {
        let exec = Exec {
            api_version: String::new(),
            command: command.to_owned(),
            args: words(args),
            env: Vec::new(),
            provide_cluster_info: false,
            interactive_mode: String::new(),
        };
        let expected = words("get-token a");
        assert_eq!(
            shim_arguments(&exec),
            ours.then_some(expected.as_slice()),
            "{command} {args}"
        );
    }
}

#[test]
fn pairs_are_the_stanzas_that_run_us_with_each_of_their_servers() {
    let merged = merged(&FILES);
    let pairs: Vec<String> = pairs(&merged)
        .iter()
        .map(|pair| {
            format!(
                "{} {}",
                pair.arguments.join(" "),
                shown(std::slice::from_ref(&pair.candidate))
            )
        })
        .collect();
    let k = "get-token --oidc-client-id=k";
    let prod =
        "get-token --oidc-client-id=admin https://prod[prod]@/home/u/.kube/config".to_owned();
    assert_eq!(pairs, [prod, format!("{k} {DEV}"), format!("{k} {EVIL}")]);
}

#[test]
fn the_accounts_other_servers_are_those_whose_stanza_means_it() {
    let merged = merged(&FILES);
    let found = using(&merged, |exec| {
        exec.args
            .iter()
            .any(|argument| argument.ends_with("=admin"))
    });
    assert_eq!(shown(&found), "https://prod[prod]@/home/u/.kube/config");
}

#[test]
fn arguments_that_are_no_text_are_no_stanzas() {
    let file = (
        "/own",
        "current-context: c\nclusters: [{name: c, cluster: {server: 'https://c'}}]\n\
         users: [{name: u, user: {exec: {command: kubectl-fob, args: [get-token, \"\\uFFFD\"]}}}]\n\
         contexts: [{name: c, context: {cluster: c, user: u}}]\n",
    );
    let merged = merged(&[file]);
    let own = words("get-token \u{fffd}");
    let narrow = narrow(&words("kubectl get ns"), true, Path::new("/here"));
    assert_eq!(servers(&merged, &own, &narrow), Origin::Unknown);
    let widest = widest(std::slice::from_ref(&merged), &own, &Named::default());
    assert_eq!(widest, Origin::Unknown);
}
