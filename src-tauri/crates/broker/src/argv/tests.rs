use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::account::{AccountKey, ClientSettings, ListenAddress, Pkce};
use crate::command::Names;
use crate::command::{Command, Shell, Which};
use crate::consent::trust::Answer;
use crate::credential::ExecVersion;
use crate::problem::Code;
use crate::settings::{Choice, KeepFresh, Theme};
use crate::texts::Language;

const ISSUER: &str = "--oidc-issuer-url=https://sso.example.com/realms/r";
const CLIENT: &str = "--oidc-client-id=kubernetes-client";

fn called_as(program: &str, args: &[&str]) -> Result<Invocation, Problem> {
    let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
    parse(&Called {
        program: program.as_bytes(),
        args: &args,
        cwd: Path::new("/work"),
        home: Path::new("/home/a"),
        exec_info: None,
    })
}

fn fob(line: &str) -> Result<Invocation, Problem> {
    called_as("kubectl-fob", &line.split_whitespace().collect::<Vec<_>>())
}

fn done(command: Command, json: bool) -> Invocation {
    Invocation::Do { command, json }
}

/// `get-token` with an issuer, a client and these flags.
fn with(flags: &[&str]) -> Result<Invocation, Problem> {
    let args = [&["get-token", ISSUER, CLIENT], flags].concat();
    called_as("kubectl-oidc_login", &args)
}

fn flags(command: Result<Invocation, Problem>) -> (AccountKey, ClientSettings) {
    let Invocation::GetToken(asked) = command.unwrap() else {
        panic!("not get-token");
    };
    let Which::Flags(flags) = asked.account else {
        panic!("named");
    };
    (flags.key().clone(), flags.settings().clone())
}

fn key(given: &[&str]) -> AccountKey {
    flags(with(given)).0
}

fn settings(given: &[&str]) -> ClientSettings {
    flags(with(given)).1
}

fn lines(problems: impl IntoIterator<Item = Problem>) -> String {
    problems
        .into_iter()
        .map(|problem| problem.line(Language::En) + "\n")
        .collect()
}

#[test]
fn the_seed_articles_flags_are_understood() {
    let args = [
        "get-token",
        "--oidc-issuer-url=https://sso.example.com/realms/r",
        "--oidc-client-id=kubernetes-client",
        "--oidc-client-secret=hunter2",
    ];
    let command = called_as("kubectl-oidc_login", &args).unwrap();
    assert_eq!(called_as("kubectl-fob", &args).unwrap(), command);
    let Invocation::GetToken(asked) = &command else {
        panic!("not get-token");
    };
    assert_eq!(asked.version, ExecVersion::V1beta1);
    let (key, settings) = flags(Ok(command.clone()));
    assert_eq!(key, crate::account::tests::key());
    assert!(settings.client_secret.is_some());
    assert_eq!(
        ClientSettings {
            client_secret: None,
            ..settings
        },
        ClientSettings::default()
    );
    let printed = format!("{command:?}");
    assert!(
        printed.contains("****") && !printed.contains("hunter2"),
        "{printed}"
    );
}

#[test]
fn the_programs_name_decides_who_is_meant() {
    for program in [
        "kubectl-oidc_login",
        "kubectl-oidc_login.exe",
        "KUBECTL-OIDC_LOGIN.EXE",
        "/home/a/.krew/bin/kubectl-oidc_login",
        "C:\\krew\\kubectl-oidc_login.exe",
        "/opt/homebrew/bin/kubelogin",
        "kubelogin",
    ] {
        let found = called_as(program, &["clean"]).unwrap_err();
        assert_eq!(found.code(), Code::CommandNotYet, "{program}");
    }
    for program in [
        "kubectl-fob",
        "/usr/bin/kubectl-fob.exe",
        "",
        "kubelogin/kubectl-fob",
    ] {
        let found = called_as(program, &["clean"]).unwrap_err();
        assert_eq!(found.code(), Code::UnknownCommand, "{program}");
    }
}

#[test]
fn flags_parse_as_pflag_parses_them() {
    let two_items = [
        "get-token",
        "--oidc-issuer-url",
        "https://sso.example.com/realms/r",
        "--oidc-client-id",
        "kubernetes-client",
        "--skip-open-browser",
        "-v",
        "1",
    ];
    let (key_of_two, settings_of_two) = flags(called_as("kubectl-oidc_login", &two_items));
    assert_eq!(key_of_two, key(&[]));
    assert!(settings_of_two.skip_open_browser);

    for (given, expected) in [
        (&["--skip-open-browser"][..], true),
        (&["--skip-open-browser=true"], true),
        (&["--skip-open-browser=T"], true),
        (&["--skip-open-browser=false"], false),
        (&["--skip-open-browser", "--skip-open-browser=0"], false),
        (&[], false),
    ] {
        assert_eq!(settings(given).skip_open_browser, expected, "{given:?}");
    }
    for (given, expected) in [
        (&[][..], Pkce::Auto),
        (&["--oidc-pkce-method=no"], Pkce::No),
        (&["--oidc-pkce-method", "S256"], Pkce::S256),
        (&["--oidc-use-pkce", "--oidc-pkce-method=no"], Pkce::S256),
        (&["--oidc-use-pkce=false"], Pkce::Auto),
    ] {
        assert_eq!(settings(given).pkce, expected, "{given:?}");
    }
    for (given, expected) in [
        (&[][..], &["127.0.0.1:8000", "127.0.0.1:18000"][..]),
        (
            &["--listen-address=localhost:1,[::1]:2"],
            &["localhost:1", "::1:2"],
        ),
        (
            &[
                "--listen-address=127.0.0.1:1",
                "--listen-address=127.0.0.1:2",
            ],
            &["127.0.0.1:1", "127.0.0.1:2"],
        ),
        (&["--listen-address="], &["127.0.0.1:0"]),
    ] {
        let found: Vec<String> = settings(given)
            .listen
            .into_iter()
            .map(|ListenAddress { host, port }| format!("{host}:{port}"))
            .collect();
        assert_eq!(found, expected, "{given:?}");
    }
    let given = settings(&[
        "--oidc-redirect-url=http://localhost:9/callback",
        "--authentication-timeout-sec=60",
        "--grant-type=authcode",
        "--oidc-client-secret=",
        "-v1",
        "-v=2",
        "--v=3",
        "--v",
        "1",
        "--",
    ]);
    assert_eq!(
        given.redirect_url.as_deref(),
        Some("http://localhost:9/callback")
    );
    assert_eq!(given.authentication_timeout, Duration::from_secs(60));
    assert_eq!(given.client_secret, None);
}

#[test]
fn the_last_of_a_plain_flag_wins_and_keeps_its_quotes() {
    assert_eq!(key(&["--oidc-client-id=\"a,b\""]).client_id, "\"a,b\"");
    let secret = |given: &[&str]| settings(given).client_secret.unwrap().fingerprint();
    assert_eq!(
        secret(&[
            "--oidc-client-secret=b",
            "--oidc-client-secret",
            "--a=\"1,2\""
        ]),
        secret(&["--oidc-client-secret=--a=\"1,2\""]),
    );
}

#[test]
fn scopes_are_a_set() {
    for (given, expected) in [
        (&[][..], &[][..]),
        (&["--oidc-extra-scope=groups,email"], &["email", "groups"]),
        (
            &["--oidc-extra-scope=groups", "--oidc-extra-scope", "email"],
            &["email", "groups"],
        ),
        (&["--oidc-extra-scope=\"email\""], &["email"]),
        (&["--oidc-extra-scope=email groups"], &["email", "groups"]),
        (
            &[
                "--oidc-extra-scope=email,openid,email",
                "--oidc-extra-scope=",
            ],
            &["email"],
        ),
    ] {
        assert_eq!(key(given).scopes, expected, "{given:?}");
        assert_eq!(
            key(given).scopes_sent().last().map(String::as_str),
            Some("openid")
        );
    }
}

#[test]
fn authorities_are_in_the_key_as_absolute_paths_and_as_written() {
    let found = key(&[
        "--certificate-authority=~/ca.pem",
        "--certificate-authority=./b,c.pem",
        "--certificate-authority",
        "/work/b,c.pem",
        "--certificate-authority-data=QQ==",
        "--certificate-authority-data=QQ==",
    ]);
    assert_eq!(
        found.tls.ca_files,
        [
            PathBuf::from("/home/a/ca.pem"),
            PathBuf::from("/work/b,c.pem")
        ]
    );
    assert_eq!(found.tls.ca_data, ["QQ=="]);
}

#[test]
fn what_is_wrong_with_flags_is_named_and_no_value_is() {
    let problems = [
        &["--oidc-client-secre=hunter2"][..],
        &["-oidc-client-secret=hunter2"],
        &["-phunter2"],
        &["--hunter=2"],
        &["--oidc-issuer", "x"],
        &["--oidc_client_id=x"],
        &["--=hunter2"],
        &["---x"],
        &["--skip-open-browser", "false"],
        &["--oidc-client-secret", "a", "hunter2"],
        &["--oidc-client-secret=a", "--", "hunter2"],
        &["-"],
        &["--skip-open-browser=hunter2"],
        &["--oidc-pkce-method=s256"],
        &["--oidc-use-pkce=S256"],
        &["--authentication-timeout-sec=0"],
        &["--oidc-extra-scope=hunter\"2"],
        &["--listen-address=hunter2"],
        &["--listen-address=0.0.0.0:8000"],
        &["--oidc-redirect-url=https://evil.example.com/"],
        &["--oidc-issuer-url=https://user:hunter2@sso.example.com"],
        &["--oidc-issuer-url=http://sso.example.com"],
        &["--oidc-issuer-url="],
        &["--certificate-authority-data="],
        &["-vhunter2"],
        &["--oidc-client-id"],
        &["--account=work"],
        &["--grant-type=hunter2"],
    ]
    .map(|flags| with(flags).unwrap_err());
    let text = lines(problems);
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text, @r"
    Kubefob does not know the flag --oidc-client-secre. If --oidc-client-secret was meant, correct it in the kubeconfig's args. [unknown-flag-near]
    Kubefob does not know the flag -oidc-client-secret. If --oidc-client-secret was meant, correct it in the kubeconfig's args. [unknown-flag-near]
    Kubefob does not know the flag -p. Check its spelling, or take it out of the kubeconfig's args. [unknown-flag]
    Kubefob does not know the flag --hunter. Check its spelling, or take it out of the kubeconfig's args. [unknown-flag]
    Kubefob does not know the flag --oidc-issuer. If --oidc-issuer-url was meant, correct it in the kubeconfig's args. [unknown-flag-near]
    Kubefob does not know the flag --oidc_client_id. If --oidc-client-id was meant, correct it in the kubeconfig's args. [unknown-flag-near]
    Kubefob does not know the flag --. Check its spelling, or take it out of the kubeconfig's args. [unknown-flag]
    Kubefob does not know the flag ---x. Check its spelling, or take it out of the kubeconfig's args. [unknown-flag]
    The word false stands where only flags may stand. Write a switch's value with '=', as in --skip-open-browser=false. [stray-word]
    The word **** stands where only flags may stand. Write a switch's value with '=', as in --skip-open-browser=false. [stray-word]
    The word **** stands where only flags may stand. Write a switch's value with '=', as in --skip-open-browser=false. [stray-word]
    The word - stands where only flags may stand. Write a switch's value with '=', as in --skip-open-browser=false. [stray-word]
    The value of --skip-open-browser is none of these: true, false. Correct it in the kubeconfig's args. [flag-choice]
    The value of --oidc-pkce-method is none of these: auto, no, S256. Correct it in the kubeconfig's args. [flag-choice]
    The value of --oidc-use-pkce is none of these: true, false. Correct it in the kubeconfig's args. [flag-choice]
    The value of --authentication-timeout-sec is not a whole number from 1 to 3600. Correct it in the kubeconfig's args. [flag-range]
    The value of --oidc-extra-scope can't be used. Write it in the kubeconfig's args like this: --oidc-extra-scope=email,groups [flag-form]
    The value of --listen-address can't be used. Write it in the kubeconfig's args like this: --listen-address=127.0.0.1:8000 [flag-form]
    0.0.0.0:8000 is not an address of this computer alone. Use 127.0.0.1, ::1 or localhost in --listen-address and --oidc-redirect-url. [listen-not-loopback]
    evil.example.com is not an address of this computer alone. Use 127.0.0.1, ::1 or localhost in --listen-address and --oidc-redirect-url. [listen-not-loopback]
    The value of --oidc-issuer-url can't be used. Write it in the kubeconfig's args like this: --oidc-issuer-url=https://sso.example.com/realms/name [flag-form]
    http://sso.example.com is not https. A provider must be reached by https, unless it is on this computer. [not-https]
    The flag --oidc-issuer-url is missing. Add it to the kubeconfig's args. [flag-missing]
    The flag --certificate-authority-data has no value. Give it one in the kubeconfig's args, or take it out. [flag-no-value]
    The value of -v can't be used. Write it in the kubeconfig's args like this: -v=1 [flag-form]
    The flag --oidc-client-id has no value. Give it one in the kubeconfig's args, or take it out. [flag-no-value]
    Kubefob does not know the flag --account. Check its spelling, or take it out of the kubeconfig's args. [unknown-flag]
    The value of --grant-type is none of these: auto, authcode. Correct it in the kubeconfig's args. [flag-choice]
    ");
}

#[test]
fn each_flag_of_kubelogin_is_known_or_told_what_became_of_it() {
    let problems = [
        "--grant-type=password",
        "--grant-type=device-code",
        "--oidc-use-access-token",
        "--oidc-request-header=a=b",
        "--force-refresh",
        "--token-cache-dir=~/x",
        "--token-cache-storage=none",
        "--insecure-skip-tls-verify",
        "--tls-renegotiation-once",
        "--tls-renegotiation-freely",
        "--browser-command=x",
        "--local-server-cert=x",
        "--local-server-key=x",
        "--open-url-after-authentication=x",
        "--oidc-auth-request-extra-params=a=b",
        "--username=hunter2",
        "--password=hunter2",
    ]
    .map(|flag| {
        let problem = with(&[flag]).unwrap_err();
        assert_eq!(problem.code(), Code::FlagNotYet, "{flag}");
        let named = problem.parameter("flag").unwrap();
        assert!(
            flag.starts_with(&named) && !named.contains("hunter2"),
            "{named}"
        );
        problem
    });
    assert_eq!(problems.len(), 17);
    let others = [
        &["--listen-port=8000"][..],
        &["--oidc-redirect-url-hostname=x"],
        &["--force-keyring"],
        &["--no-keyring"],
        &["--login", "devicecode", "--server-id", "x"],
        &["--client-id", "x", "--server-id", "y"],
    ]
    .map(|flags| with(flags).unwrap_err());
    insta::assert_snapshot!(lines(others), @r"
    kubelogin dropped the flag --listen-port long ago. Use --listen-address in the kubeconfig's args. [flag-dropped]
    kubelogin dropped the flag --oidc-redirect-url-hostname long ago. Use --oidc-redirect-url in the kubeconfig's args. [flag-dropped]
    kubelogin dropped the flag --force-keyring long ago. Take it out of the kubeconfig's args: Kubefob uses the keyring wherever there is one. [flag-dropped-keyring]
    kubelogin dropped the flag --no-keyring long ago. Take it out of the kubeconfig's args: Kubefob uses the keyring wherever there is one. [flag-dropped-keyring]
    --login is a flag of Azure's kubelogin, which is another program. Kubefob takes the place of int128's kubelogin (kubectl oidc-login): keep Azure's for this user. [flag-of-azure]
    --server-id is a flag of Azure's kubelogin, which is another program. Kubefob takes the place of int128's kubelogin (kubectl oidc-login): keep Azure's for this user. [flag-of-azure]
    ");
}

#[test]
fn kubelogins_commands() {
    let oidc_login = |args: &[&str]| called_as("kubectl-oidc_login", args);
    let (key_of_leading_flags, _) = flags(oidc_login(&[
        "-v1",
        ISSUER,
        "--skip-open-browser",
        "get-token",
        CLIENT,
    ]));
    assert_eq!(key_of_leading_flags, key(&[]));
    assert!(oidc_login(&["--oidc-client-id", "get-token", ISSUER]).is_err());
    for args in [&["version"][..], &["--version"]] {
        assert_eq!(oidc_login(args), Ok(Invocation::Version { json: false }));
    }
    for args in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["get-token", "--help"],
        &["get-token", "-h"],
    ] {
        assert!(
            matches!(oidc_login(args), Ok(Invocation::Help(_))),
            "{args:?}"
        );
    }
    let problems = [
        &[][..],
        &["-v1"],
        &["setup", ISSUER],
        &["clean"],
        &["status"],
        &["get-token"],
        &["get-token", ISSUER],
    ]
    .map(|args| oidc_login(args).unwrap_err());
    insta::assert_snapshot!(lines(problems), @r"
    Kubefob does not support kubelogin's 'kubectl oidc-login' yet. Run 'kubectl fob login' instead. [command-not-yet]
    Kubefob does not support kubelogin's 'kubectl oidc-login' yet. Run 'kubectl fob login' instead. [command-not-yet]
    Kubefob does not support kubelogin's 'kubectl oidc-login setup' yet. Run 'kubectl fob login' instead. [command-not-yet]
    Kubefob does not support kubelogin's 'kubectl oidc-login clean' yet. Run 'kubectl fob logout' instead. [command-not-yet]
    There is no command status. 'kubectl fob help' lists the commands. [unknown-command]
    The flag --oidc-issuer-url is missing. Add it to the kubeconfig's args. [flag-missing]
    The flag --oidc-client-id is missing. Add it to the kubeconfig's args. [flag-missing]
    ");
}

#[test]
fn the_help_of_get_token_lists_what_there_is() {
    let Ok(Invocation::Help(text)) = fob("get-token --help") else {
        panic!("no help");
    };
    insta::assert_snapshot!(text, @r"
    Gives kubectl a token, as an exec credential plugin.

    Usage: kubectl fob get-token --oidc-issuer-url=URL --oidc-client-id=ID [flags]
           kubectl fob get-token --account=NAME

    Flags:
      --account                     An account by its name, instead of all the others
      --oidc-issuer-url             Issuer URL of the provider (mandatory)
      --oidc-client-id              Client id at the provider (mandatory)
      --oidc-client-secret          Client secret at the provider
      --oidc-extra-scope            Scopes beside openid; repeatable or comma-separated
      --oidc-redirect-url           Redirect URL to send instead of http://localhost:PORT
      --oidc-pkce-method            PKCE: auto, no or S256 (auto)
      --oidc-use-pkce               The same as --oidc-pkce-method=S256
      --certificate-authority       PEM file of the provider's authority, instead of the system's; repeatable
      --certificate-authority-data  The same as base64; repeatable
      --grant-type                  How to sign in: auto or authcode (auto)
      --listen-address              Where the browser comes back to, tried in order (127.0.0.1:8000,127.0.0.1:18000)
      --skip-open-browser           Say the address instead of opening a browser
      --authentication-timeout-sec  Seconds that a person has to sign in (180)
      -v                            Accepted as kubelogin does, and not needed
      --help                        This text
    ");
}

#[test]
fn an_account_can_be_named() {
    let Ok(Invocation::GetToken(asked)) = fob("get-token --account work -v1") else {
        panic!("not get-token");
    };
    assert_eq!(asked.account, Which::Named("work".into()));
    for (line, code) in [
        ("get-token --account=", Code::FlagNoValue),
        ("get-token --account", Code::FlagNoValue),
        (
            "get-token --account=a --skip-open-browser",
            Code::FlagBeside,
        ),
        (
            "get-token --skip-open-browser --account=a",
            Code::FlagBeside,
        ),
    ] {
        assert_eq!(fob(line).unwrap_err().code(), code, "{line}");
    }
}

#[test]
fn the_version_of_the_question_is_kept() {
    let args = ["get-token", ISSUER, CLIENT].map(|arg| arg.as_bytes().to_vec());
    let asked = |exec_info: &str| {
        parse(&Called {
            program: b"kubectl-oidc_login",
            args: &args,
            cwd: Path::new("/"),
            home: Path::new("/"),
            exec_info: Some(exec_info.as_bytes()),
        })
    };
    let said = r#"{"apiVersion":"client.authentication.k8s.io/v1",
        "spec":{"interactive":true,"cluster":{"server":"https://a"}}}"#;
    let Ok(Invocation::GetToken(found)) = asked(said) else {
        panic!("not get-token");
    };
    assert_eq!(found.version, ExecVersion::V1);
    assert_eq!(found.cluster.unwrap().server, "https://a");
    assert_eq!(asked("{}").unwrap_err().code(), Code::ExecInfo);
}

#[test]
fn a_kubeconfig_runs_no_verb() {
    for line in [&["trust", "--always"][..], &["logout"], &["token"], &["-h"]] {
        let args: Vec<_> = line.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        let called = |exec_info| Called {
            program: b"kubectl-fob",
            args: &args,
            cwd: Path::new("/"),
            home: Path::new("/"),
            exec_info,
        };
        assert!(parse(&called(None)).is_ok(), "{line:?}");
        let refused = parse(&called(Some(b""))).unwrap_err();
        assert_eq!(refused.code(), Code::PluginVerb, "{line:?}");
    }
}

#[test]
fn the_verbs_of_fob() {
    let set = |choice| done(Command::Choose { choice }, false);
    let account = || Some("work".to_owned());
    for (line, expected) in [
        (
            "login",
            done(
                Command::SignIn {
                    account: None,
                    open_browser: true,
                },
                false,
            ),
        ),
        (
            "login work --no-browser --json",
            done(
                Command::SignIn {
                    account: account(),
                    open_browser: false,
                },
                true,
            ),
        ),
        (
            "logout",
            done(
                Command::SignOut {
                    account: None,
                    everywhere: false,
                },
                false,
            ),
        ),
        (
            "logout --everywhere work",
            done(
                Command::SignOut {
                    account: account(),
                    everywhere: true,
                },
                false,
            ),
        ),
        ("status", Invocation::Status { json: false }),
        ("status --json", Invocation::Status { json: true }),
        ("accounts --json", Invocation::Accounts { json: true }),
        (
            "token",
            Invocation::Token {
                account: None,
                json: false,
            },
        ),
        (
            "token work --json",
            Invocation::Token {
                account: account(),
                json: true,
            },
        ),
        ("trust", done(Command::Ask { question: None }, false)),
        (
            "trust work --once",
            done(
                Command::Answer {
                    question: account(),
                    answer: Answer::Once,
                    others: vec![],
                },
                false,
            ),
        ),
        (
            "trust work --container",
            done(
                Command::Answer {
                    question: account(),
                    answer: Answer::Container,
                    others: vec![],
                },
                false,
            ),
        ),
        (
            "trust --always",
            done(
                Command::Answer {
                    question: None,
                    answer: Answer::Always,
                    others: vec![],
                },
                false,
            ),
        ),
        (
            "trust work --no --json",
            done(
                Command::Answer {
                    question: account(),
                    answer: Answer::No,
                    others: vec![],
                },
                true,
            ),
        ),
        (
            "untrust work",
            done(
                Command::Untrust {
                    name: "work".into(),
                },
                false,
            ),
        ),
        ("reset", Invocation::Reset { yes: false }),
        ("reset --yes", Invocation::Reset { yes: true }),
        ("set autostart on", set(Choice::Autostart { on: true })),
        ("set autostart off", set(Choice::Autostart { on: false })),
        (
            "set keep-fresh while-in-use",
            set(Choice::KeepFresh {
                when: KeepFresh::WhileInUse,
            }),
        ),
        (
            "set language ko",
            set(Choice::Language {
                language: Some(Language::Ko),
            }),
        ),
        (
            "set language desktop",
            set(Choice::Language { language: None }),
        ),
        ("set theme dark", set(Choice::Theme { theme: Theme::Dark })),
        (
            "trusts",
            Invocation::Trusts {
                pending: false,
                json: false,
            },
        ),
        (
            "trusts --pending --json",
            Invocation::Trusts {
                pending: true,
                json: true,
            },
        ),
        ("version", Invocation::Version { json: false }),
        ("version --json", Invocation::Version { json: true }),
        ("--version", Invocation::Version { json: false }),
        (
            "completion zsh",
            Invocation::Completion { shell: Shell::Zsh },
        ),
    ] {
        assert_eq!(fob(line), Ok(expected), "{line}");
    }
}

#[test]
fn what_is_wrong_with_a_verb() {
    let problems = [
        "use",
        "logn",
        "status now",
        "status --jsn",
        "status --json=hunter2",
        "logout --every=hunter2",
        "untrust",
        "trust a --once --no",
        "completion",
        "completion tcsh",
        "--json status",
        "version -q",
    ]
    .map(|line| fob(line).unwrap_err());
    let text = lines(problems);
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text, @r"
    'kubectl fob use' needs <CONTEXT>. 'kubectl fob use --help' shows what it takes. [incomplete]
    There is no command logn. 'kubectl fob help' lists the commands. [unknown-command]
    'kubectl fob status' does not understand now. 'kubectl fob status --help' shows what it takes. [not-understood]
    'kubectl fob status' does not understand --jsn. 'kubectl fob status --help' shows what it takes. [not-understood]
    'kubectl fob status' does not understand --json. 'kubectl fob status --help' shows what it takes. [not-understood]
    'kubectl fob logout' does not understand --every. 'kubectl fob logout --help' shows what it takes. [not-understood]
    'kubectl fob untrust' needs <NAME>. 'kubectl fob untrust --help' shows what it takes. [incomplete]
    'kubectl fob trust' does not understand --once. 'kubectl fob trust --help' shows what it takes. [not-understood]
    'kubectl fob completion' needs <SHELL>. 'kubectl fob completion --help' shows what it takes. [incomplete]
    'kubectl fob completion' does not understand tcsh. 'kubectl fob completion --help' shows what it takes. [not-understood]
    'kubectl fob' does not understand --json. 'kubectl fob --help' shows what it takes. [not-understood]
    'kubectl fob version' does not understand -q. 'kubectl fob version --help' shows what it takes. [not-understood]
    ");
}

#[test]
fn fob_helps() {
    for line in ["", "help", "--help", "-h"] {
        let Ok(Invocation::Help(text)) = fob(line) else {
            panic!("{line}");
        };
        assert!(!text.contains('\u{1b}'), "{line}");
        for verb in [
            "login",
            "logout",
            "status",
            "accounts",
            "token",
            "trust",
            "untrust",
            "trusts",
            "version",
            "completion",
            "get-token",
        ] {
            assert!(text.contains(&format!("  {verb} ")), "{line}: {verb}");
        }
    }
    let Ok(Invocation::Help(text)) = fob("help trust") else {
        panic!("no help");
    };
    insta::assert_snapshot!(text, @r"
    Allow a server to receive an account's tokens

    Usage: kubectl fob trust [OPTIONS] [NAME]

    Arguments:
      [NAME]  The name given by the message; a yes needs it. Without it, the pending question is shown, or all are listed

    Options:
          --once       Yes, until the program that asks ends
          --container  Yes, until the container that it runs in ends; for a server that can't be seen from here
          --always     Yes, from now on
          --no         No
          --json       Print JSON
      -h, --help       Print help
    ");
    assert_eq!(fob("help get-token"), fob("get-token --help"));
}

#[test]
fn each_shell_has_a_script() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let script = fob::completion(shell);
        assert!(
            script.contains("kubectl-fob") && script.contains("untrust"),
            "{shell:?}"
        );
    }
}

/// What a shell is told of `kubectl fob LINE`, the last word being typed.
fn completed(line: &str, names: &[&str]) -> (Option<Names>, String) {
    let args: Vec<_> = line
        .split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let parsed = parse(&Called {
        program: b"/usr/bin/kubectl_complete-fob",
        args: &args,
        cwd: Path::new("/"),
        home: Path::new("/"),
        exec_info: None,
    });
    let Ok(Invocation::Complete(completing)) = parsed else {
        panic!("{line}");
    };
    let names = names.iter().map(|name| ((*name).to_owned(), String::new()));
    let told = completing.told(names);
    (completing.names, told)
}

#[test]
fn kubectl_is_told_what_may_follow() {
    let told = |line| completed(line, &["work", "home"]).1;
    insta::assert_snapshot!(told("log"), @r"
    login	Sign in
    logout	Sign out: end the session's tokens at the provider and here
    :4
    ");
    assert_eq!(told("login w"), "work\n:4\n");
    assert_eq!(
        told("logout --every"),
        "--everywhere\tAlso end the provider's own session, which signs you out of other applications\n:4\n"
    );
    assert_eq!(told("completion z"), "zsh\n:4\n");
    assert_eq!(completed("use --kubeconfig ", &[]).1, ":0\n", "a file");
    let names = |line| completed(line, &[]).0;
    for (line, expected) in [
        ("login ", Some(Names::Accounts)),
        ("token --json ", Some(Names::Accounts)),
        ("login work ", None),
        ("trust ", Some(Names::Questions)),
        ("untrust a", Some(Names::Approvals)),
        ("use ", Some(Names::Contexts(None))),
        (
            "use --kubeconfig=/a ",
            Some(Names::Contexts(Some("/a".into()))),
        ),
        (
            "use --kubeconfig /a ",
            Some(Names::Contexts(Some("/a".into()))),
        ),
        ("status ", None),
        ("", None),
    ] {
        assert_eq!(names(line), expected, "{line:?}");
    }
}

#[test]
fn a_hostile_name_is_no_second_line() {
    let (_, told) = completed("use ", &["a\n:0", "b"]);
    assert_eq!(told, "b\n:4\n");
}

#[test]
fn an_argument_that_is_not_text_is_named_by_its_place() {
    let args = [b"get-token".to_vec(), b"--oidc-client-secret=\xff".to_vec()];
    let problem = parse(&Called {
        program: b"kubectl-oidc_login",
        args: &args,
        cwd: Path::new("/"),
        home: Path::new("/"),
        exec_info: None,
    })
    .unwrap_err();
    assert_eq!(
        problem.line(Language::En),
        "Argument 2 is not UTF-8 text. Correct it on the command line or in the kubeconfig's args. [not-utf8]"
    );
}

/// Arguments that look like flags more often than chance would have it.
fn argument() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        "-{0,3}[a-z=\"-]{0,12}".prop_map(String::into_bytes),
        "--(oidc-(issuer-url|client-id|extra-scope|redirect-url|pkce-method|use-pkce)|listen-address|certificate-authority(-data)?|account|v|help|json)(=.{0,20})?"
            .prop_map(String::into_bytes),
        "(get-token|login|trust|trusts|completion|help|version|https://a/|true|1)"
            .prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn no_arguments_make_it_panic(
        program in "(kubectl-oidc_login|kubectl-fob|.{0,8})",
        args in prop::collection::vec(argument(), 0..8),
        exec_info: Option<Vec<u8>>,
    ) {
        let called = Called {
            program: program.as_bytes(),
            args: &args,
            cwd: Path::new("/work"),
            home: Path::new("/home/a"),
            exec_info: exec_info.as_deref(),
        };
        if let Err(problem) = parse(&called) {
            for language in [Language::En, Language::Ko] {
                let line = problem.line(language);
                prop_assert!(!line.chars().any(char::is_control), "{line}");
            }
        }
    }

    #[test]
    fn the_order_of_flags_does_not_matter(
        mut args in Just([
            ISSUER, CLIENT, "--oidc-client-secret=x", "--oidc-extra-scope=b,a", "--oidc-extra-scope=c",
            "--certificate-authority=/b", "--certificate-authority=/a", "--certificate-authority-data=QQ==",
            "--certificate-authority-data=Qg==", "--skip-open-browser", "--oidc-use-pkce",
            "--oidc-pkce-method=no", "--listen-address=127.0.0.1:1", "-v1",
        ].to_vec()).prop_shuffle(),
        place in 0_usize..15,
    ) {
        let (key, settings) = flags(with(&[
            "--oidc-client-secret=x", "--oidc-extra-scope=a,b,c", "--certificate-authority=/a",
            "--certificate-authority=/b", "--certificate-authority-data=QQ==",
            "--certificate-authority-data=Qg==", "--skip-open-browser", "--oidc-pkce-method=S256",
            "--listen-address=127.0.0.1:1",
        ]));
        args.insert(place, "get-token");
        let found = flags(called_as("kubectl-oidc_login", &args));
        prop_assert_eq!(found.0.id(), key.id());
        prop_assert_eq!(found, (key, settings));
    }

    #[test]
    fn a_secret_is_quoted_by_no_problem(
        before in prop::sample::select(vec!["--oidc-client-secret=", "--oidc-client-secre=", "-oidc-client-secret=", "--oidc-client-secret\n", "--oidc-client-secret=a\n", "--password=", "--oidc-client-id=\u{1b}", "--oidc-issuer-url=https://", "--listen-address="]),
        after in prop::collection::vec(argument(), 0..3),
    ) {
        // A line end here parts two arguments.
        let mut args: Vec<Vec<u8>> = vec![b"get-token".to_vec()];
        args.extend(format!("{before}SWORDFISH@").split('\n').map(|arg| arg.as_bytes().to_vec()));
        args.extend(after);
        let called = Called {
            program: b"kubectl-fob",
            args: &args,
            cwd: Path::new("/work"),
            home: Path::new("/home/a"),
            exec_info: None,
        };
        let shown = match parse(&called) {
            Ok(command) => format!("{command:?}"),
            Err(problem) => format!("{problem:?} {}", problem.line(Language::En)),
        };
        prop_assert!(!shown.contains("SWORDFISH"), "{shown}");
    }
}

#[test]
fn a_container_may_ask_and_look_and_change_nothing() {
    for (line, expected) in [
        ("status", true),
        ("accounts", true),
        ("trusts --pending", true),
        ("version", true),
        ("login", true),
        ("trust", true),
        ("get-token --account work", true),
        ("--help", true),
        ("token", false),
        ("logout", false),
        ("reset --yes", false),
        ("remove work --yes", false),
        ("rename work home", false),
        ("untrust x", false),
        ("set autostart on", false),
        ("use x", false),
        ("contexts", false),
        ("contexts --kubeconfig /etc/shadow", false),
        ("add https://127.0.0.1:1/ x", false),
    ] {
        let asked = fob(line).unwrap_or_else(|problem| panic!("{line}: {problem:?}"));
        assert_eq!(asked.is_for_containers(), expected, "{line}");
    }
}
