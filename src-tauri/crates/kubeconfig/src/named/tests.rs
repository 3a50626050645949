use super::*;

fn asker(line: &str, environment: &[(&str, &str)]) -> Named {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let environment: Vec<(OsString, OsString)> = environment
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    named(&Asker {
        executable: Some(Path::new(&words[0])),
        arguments: Some(&words),
        environment: &environment,
        folder: Path::new("/here"),
    })
}

fn servers(line: &str) -> String {
    let named = asker(line, &[]);
    let unclear = if named.unclear { " unclear" } else { "" };
    format!("{}{unclear}", named.servers.join(" "))
}

fn server_of(program: &str, name: &str, value: &str) -> String {
    let named = asker(program, &[(name, value)]);
    let unclear = if named.unclear { " unclear" } else { "" };
    format!("{}{unclear}", named.servers.join(" "))
}

#[test]
fn each_word_can_be_a_file() {
    for line in [
        "k9s evil",
        "k9s --kubeconfig evil",
        "k9s --kubeconfig=evil",
        "k9s -fevil",
        "k9s -f=evil",
        "k9s -xfevil",
        "k9s --set a=b=evil",
        "k9s --set a=b,c=evil",
        "k9s --kubeconfig=other:evil",
        "k9s KUBECONFIG=evil",
        "k9s @evil",
        "helm --kubeconfig evil",
        "kubectl neat --kubeconfig evil",
    ] {
        let Named { files, words, .. } = asker(line, &[]);
        let is_there = |all: &[PathBuf]| all.contains(&PathBuf::from("evil"));
        assert!(is_there(&files) || is_there(&words), "{line}: {files:?}");
        assert_eq!(
            is_there(&files),
            line.to_lowercase().contains("config"),
            "{line}"
        );
    }
    assert_eq!(asker("evil", &[]), Named::default(), "its own name");
}

#[test]
fn of_the_environment_what_has_to_do_with_kubernetes_can_be_a_file() {
    for (name, value) in [
        ("KUBE_CONFIG_PATH", "/evil"),
        ("KUBE_CONFIG_PATHS", "/other:/evil"),
        ("K8S_AUTH_KUBECONFIG", "/evil"),
        ("my_k9s", "/evil"),
        ("HELM_X", "/evil"),
        ("KUBECONFIG", "/a:/evil"),
        ("ARGS", "--kubeconfig /evil"),
        ("ARGS", "--kubeconfig=/evil"),
    ] {
        let files = asker("k9s", &[(name, value)]).files;
        assert!(files.contains(&PathBuf::from("/evil")), "{name}: {files:?}");
    }
}

#[test]
fn of_the_rest_of_the_environment_each_path_is_looked_at_in_passing() {
    let paths = |name: &str, value: &str| {
        let named = asker("k9s", &[(name, value)]);
        let in_passing = named.in_passing.clone();
        let nothing_else = Named {
            in_passing: Vec::new(),
            meant: BTreeMap::new(),
            ..named
        };
        assert_eq!(nothing_else, Named::default(), "{name}");
        let paths = in_passing.iter().map(|path| path.display().to_string());
        paths.collect::<Vec<_>>().join(" ")
    };
    let table = [
        ("TF_VAR_config_path", "/evil", "/evil"),
        ("TF_VAR_config_path", "evil", "evil"),
        ("ANY", "sub/evil", "sub/evil"),
        ("ANY", "evil.yaml", "evil.yaml"),
        ("ANY", "evil", ""),
        ("ANY", "1", ""),
        ("TERM", "xterm-256color", ""),
        ("PATH", "/bin:/usr/bin", "/bin:/usr/bin /bin /usr/bin"),
        ("LS_COLORS", "*.tar=01;31:*.zip=01", "*.tar=01;31:*.zip=01"),
        ("_", "/bin/k9s", ""),
    ];
    for (name, value, expected) in table {
        assert_eq!(paths(name, value), expected, "{name}={value}");
    }
    let many = (0..5000).map(|at| format!("/{at}")).collect::<Vec<_>>();
    assert!(asker("k9s", &[("ANY", &many.join(":"))]).unclear);
}

#[test]
fn what_a_word_is_written_as_says_whether_something_else_can_have_been_there() {
    let environment = [("HOME", "/home/u"), ("PWD", "/start"), ("X", "/x.yaml")];
    let meant = |line: &str| {
        let meant = asker(line, &environment).meant;
        let meant = meant.iter().filter(|(path, _)| **path != *"/x.yaml");
        let meant = meant.map(|(path, meant)| format!("{} {meant:?}", path.display()));
        meant.collect::<Vec<_>>().join(", ")
    };
    for (line, expected) in [
        ("k9s get pods -n a --context b c/d -o json", ""),
        (
            "k9s --type=utility --lang=en-US --set config.replicas=3",
            "",
        ),
        ("k9s -o out.yaml --log-file=x.json", ""),
        ("k9s --kubeconfig k", "/start/k Kubeconfig, k Kubeconfig"),
        ("k9s --kubeconfig=k", "/start/k Kubeconfig, k Kubeconfig"),
        ("k9s KUBECONFIG=/k", "/k Kubeconfig"),
        ("k9s /a:/b", "/a Path, /b Path"),
        ("k9s -oout.yaml -ojson", ""),
        ("k9s --window-config=vscode:a", ""),
        (
            "k9s --kubeconfig=a:/b",
            "/b Kubeconfig, /start/a Kubeconfig, a Kubeconfig",
        ),
        ("k9s ./k", "/start/./k Path, ./k Path"),
        ("k9s ~/k", "/home/u/k Path, /start/~/k Path, ~/k Path"),
        (
            "k9s -fk.yaml",
            "/start/k.yaml Kubeconfig, k.yaml Kubeconfig",
        ),
    ] {
        assert_eq!(meant(line), expected, "{line}");
    }
    for (name, value) in [
        ("PATH", "/home/u/.kubectx:/home/u/bin"),
        ("OLDPWD", "/home/wilhelm/gone"),
        ("npm_config_userconfig", "/home/wilhelm/.npmrc"),
        ("PULUMI_CONFIG", "{\"kubernetes:context\":\"a\"}"),
        ("KUBE_EDITOR", "vi"),
        ("KUBE_DIFF", "dyff between /a b"),
    ] {
        let meant = asker("k9s", &[(name, value)]).meant;
        let meant = meant.into_keys().collect::<Vec<_>>();
        let expected: &[PathBuf] = if name == "KUBE_DIFF" {
            &["/a".into()]
        } else {
            &[]
        };
        assert_eq!(meant, expected, "{name}");
    }
    let meant = asker("k9s", &environment).meant;
    let only = (PathBuf::from("/x.yaml"), Meant::Kubeconfig);
    assert_eq!(meant.into_iter().collect::<Vec<_>>(), [only]);
}

#[test]
fn a_path_counts_in_each_way_that_a_program_may_take_it() {
    let environment = [("HOME", "/home/u"), ("PWD", "/start")];
    let files = asker("k9s --kubeconfig=~/evil sub/evil /abs", &environment).files;
    for path in [
        "~/evil",
        "/home/u/evil",
        "sub/evil",
        "/start/sub/evil",
        "/abs",
    ] {
        assert!(files.contains(&PathBuf::from(path)), "{path}: {files:?}");
    }
    assert!(!files.contains(&PathBuf::from("/start/abs")));
    let words = asker("k9s evil", &[("PWD", "/here")]).words;
    assert_eq!(words, [PathBuf::from("evil")], "it is where it was");
}

#[test]
fn an_address_of_any_word_is_a_server() {
    let table = [
        ("k9s", ""),
        ("k9s https://x", "https://x"),
        ("k9s --any https://x", "https://x"),
        ("k9s --any=HTTPS://X:1/p", "HTTPS://X:1/p"),
        ("k9s -sHttp://x", "Http://x"),
        ("k9s a=b=https://x,http://y", "http://y https://x"),
        ("k9s https://x,@y", "https://x,@y https://x"),
        ("k9s https://x'.y/", "https://x'.y/ https://x"),
        ("k9s https://x/a,@y", "https://x/a"),
        ("k9s {'u':'https://x'}", "https://x"),
        ("k9s https://x\\@y", "https://x\\@y"),
        ("k9s https:/x", "https:/x"),
        ("k9s https:\\x", "https:\\x"),
        ("k9s https:x https:", ""),
        ("k9s --server x", "x"),
        ("k9s --apiserver=x:1", "x:1"),
        ("k9s --kube-apiserver x", "x"),
        ("k9s --host x", ""),
        ("k9s --host 10.0.0.1", "10.0.0.1"),
        ("k9s --host=[::1]:6443", "[::1]:6443"),
        ("k9s --any x:1", ""),
        ("k9s --server-side x", ""),
        ("k9s --context a --namespace b", ""),
        ("k9s --insecure-skip-tls-verify", " unclear"),
        ("k9s --insecure-skip-tls-verify=false", ""),
        ("k9s --certificate-authority x", " unclear"),
        ("k9s --oidc-issuer-url=https://x --oidc-any https://y", ""),
        ("kubectl -s x neat", "x"),
        ("kubectl neat -As x", "x"),
        ("kubectl neat -Asx:1", "x:1"),
        ("kubectl neat -nkube-system", ""),
        (
            "kubectl oidc-login get-token --oidc-issuer-url=https://x",
            "",
        ),
    ];
    for (line, expected) in table {
        assert_eq!(servers(line), expected, "{line}");
    }
}

#[test]
fn helm_takes_a_server_from_its_own_flag_alone() {
    let table = [
        ("helm install x oci://charts/x --repo https://charts", ""),
        ("helm install x --repo=https://charts", ""),
        ("helm repo add x https://charts", ""),
        (
            "helm install x https://charts/x.tgz --set url=https://y",
            "",
        ),
        ("helm pull --ca-file ca --insecure-skip-tls-verify x", ""),
        ("helm ls --kube-apiserver https://x", "https://x"),
        ("helm ls --kube-apiserver=x", "x"),
        ("helm ls --kube-insecure-skip-tls-verify", " unclear"),
        ("helm ls --kube-ca-file ca", " unclear"),
        ("helm ls --kube-tls-server-name=x", " unclear"),
        ("helm ls --kube-context a --kube-token t", ""),
        ("helm-diff ls https://x", "https://x"),
    ];
    for (line, expected) in table {
        assert_eq!(servers(line), expected, "{line}");
    }
}

#[test]
fn of_the_environment_what_names_a_cluster_can_be_a_server() {
    let table = [
        ("k9s", "HELM_KUBEAPISERVER", "https://x", "https://x"),
        ("helm", "HELM_KUBEAPISERVER", "x", "x"),
        ("helm", "HELM_KUBEAPISERVER", "", ""),
        ("helm", "KUBERNETES_MASTER", "https://x", "https://x"),
        ("k9s", "KUBE_HOST", "x", "x"),
        ("k9s", "K8S_AUTH_HOST", "https://x", "https://x"),
        ("k9s", "KUBE_ANY", "a https://x", "https://x"),
        ("k9s", "my_apiserver", "x:1", "x:1"),
        ("k9s", "HELM_ANY", "https://x", "https://x"),
        ("helm", "HELM_REPO_URL", "https://x", ""),
        ("k9s", "HELM_REPO", "https://x", ""),
        ("k9s", "HTTPS_PROXY", "https://x", ""),
        ("k9s", "VAULT_ADDR", "https://x/kube", ""),
        ("k9s", "KUBERNETES_SERVICE_HOST", "10.0.0.1", ""),
        ("k9s", "KUBERNETES_PORT", "tcp://10.0.0.1:443", ""),
        ("helm", "HELM_KUBECAFILE", "x", " unclear"),
        ("helm", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "false", ""),
        (
            "helm",
            "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
            "true",
            " unclear",
        ),
        ("k9s", "KUBE_INSECURE", "1", " unclear"),
        ("k9s", "KUBE_PROXY_URL", "https://x", " unclear"),
        ("k9s", "K8S_AUTH_VERIFY_SSL", "false", " unclear"),
        ("k9s", "K8S_AUTH_VERIFY_SSL", "true", ""),
    ];
    for (program, name, value, expected) in table {
        assert_eq!(server_of(program, name, value), expected, "{name}={value}");
    }
}

#[test]
fn clusters_and_users_are_named_by_flag_or_variable() {
    let named = asker(
        "k9s --cluster a --user=b -c c",
        &[("KUBE_CTX_CLUSTER", "d"), ("KUBE_CTX_AUTH_INFO", "e")],
    );
    assert_eq!(named.clusters, ["a", "d"]);
    assert_eq!(named.users, ["b", "e"]);
}

#[test]
fn what_is_more_than_can_be_looked_at_is_unclear() {
    let words = |count: usize, length: usize| {
        let word = |at: usize| format!("{at:04}{}", "x".repeat(length));
        let all: Vec<String> = (0..=count).map(word).collect();
        all.join(" ")
    };
    assert!(!asker(&words(FILES, 0), &[]).unclear);
    assert!(asker(&words(FILES + 1, 0), &[]).unclear);
    assert!(asker(&words(20, WORDS / 16), &[]).unclear);
    let long = asker(&format!("k9s {}", "x".repeat(PATH + 1)), &[]);
    assert_eq!(long, Named::default(), "no path is as long");
    assert!(asker("k9s ev\u{fffd}l", &[]).unclear, "not its true name");
    let unseen = named(&Asker {
        executable: None,
        arguments: None,
        environment: &[],
        folder: Path::new("/"),
    });
    assert!(unseen.unclear);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_unclear() {
    use std::os::unix::ffi::OsStringExt as _;
    let environment = [("KUBE_X".into(), OsString::from_vec(vec![b'/', 0xff]))];
    let arguments = ["k9s".to_owned()];
    let named = named(&Asker {
        executable: None,
        arguments: Some(&arguments),
        environment: &environment,
        folder: Path::new("/"),
    });
    assert!(named.unclear);
}
