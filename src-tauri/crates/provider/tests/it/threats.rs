//! Attacks on the sign-in's addresses (threats 10, 11, 12 and 21 of the project's table).

use std::io::{Read as _, Write as _};

use broker::problem::Code;
use broker::secret::ClientSecret;
use broker::transaction::SignInOutcome;
use playground::{Endpoint, Fault, IssParameter, User};
use url::Url;

use crate::setting::{Setting, config, kind, location, parameter, question};

/// Where the provider would send the browser that begins here.
async fn redirect(setting: &Setting, address: &str) -> (crate::browser::Browser, String, String) {
    let mut browser = setting.browser();
    let request = location(&browser.peek(address).await);
    let state = parameter(&request, "state").unwrap();
    (browser, request, state)
}

#[tokio::test]
async fn another_browser_with_the_same_address_voids_both() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let address = begun.tickets.mint();
    // Somebody read the address on a command line and is first.
    let mut other = setting.browser();
    let form = other.open(&address).await;
    let mut person = setting.browser();
    let page = person.open(&address).await;
    assert_eq!(
        (page.status, page.title().as_str()),
        (403, "This address was used already")
    );
    assert!(page.body.contains("kubectl fob login work"));
    let page = other.log_in(&form, "test", "test").await;
    assert_eq!(
        (page.status, page.title().as_str()),
        (403, "This address was used already")
    );
    assert!(begun.goes_on());
    assert_eq!(begun.sealed(), 0);
    // The attempt goes on with another address.
    let form = person.open(&begun.tickets.mint()).await;
    person.log_in(&form, "test", "test").await;
    assert_eq!(begun.tokens().await.identity.name, "test");
}

#[tokio::test]
async fn a_second_browser_voids_even_what_is_being_exchanged() {
    let mut setting = Setting::with(config(|config| {
        config.users.push(User {
            name: "mallory".into(),
            password: "m".into(),
            groups: vec![],
        });
    }))
    .await;
    setting.request.settings.authentication_timeout = std::time::Duration::from_secs(20);
    let begun = setting.begin().await;
    let address = begun.tickets.mint();
    let slow = Fault::Slow { milliseconds: 800 }
        .at(Endpoint::Token)
        .times(1);
    setting.playground.fault(slow).await.unwrap();
    let mut mallory = setting.browser();
    let form = mallory.open(&address).await;
    let logging_in = tokio::spawn(async move { mallory.log_in(&form, "mallory", "m").await });
    let exchange = |what: &playground::What| {
        matches!(
            what,
            playground::What::Request {
                endpoint: Endpoint::Token,
                ..
            }
        )
    };
    setting.playground.event(exchange).await;
    let mut person = setting.browser();
    person.open(&address).await;
    assert_eq!(logging_in.await.unwrap().status, 403);
    assert_eq!(begun.sealed(), 0);
    let form = person.open(&begun.tickets.mint()).await;
    person.log_in(&form, "test", "test").await;
    assert_eq!(begun.tokens().await.identity.name, "test");
    assert_eq!(
        setting.playground.counters().requests_at(Endpoint::Revoke),
        1,
        "mallory's"
    );
}

#[tokio::test]
async fn what_is_no_answer_of_the_provider_s_changes_nothing() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let (mut browser, request, state) = redirect(&setting, &begun.tickets.mint()).await;
    let here = &begun.redirect_uri;
    for (query, status) in [
        ("/", 400),
        ("/?code=x", 400),
        ("/?code=x&state=x", 400),
        ("/?error=access_denied", 400),
        ("/?error=access_denied&state=x", 400),
        (&format!("/?code=x&state={state}&state={state}"), 400),
        ("/favicon.ico", 404),
        ("/outcome", 404),
        ("/start/", 404),
        ("/start/guess", 404),
        ("/../etc/passwd", 404),
        ("/answer", 404),
    ] {
        let page = browser.peek(&format!("{here}{query}")).await;
        assert_eq!(page.status, status, "{query}");
    }
    // The right state from another browser, and from one without cookies.
    let mut other = setting.browser();
    for query in [
        format!("/?error=access_denied&state={state}"),
        format!("/?code=x&state={state}"),
    ] {
        let page = other.peek(&format!("{here}{query}")).await;
        assert_eq!(page.title(), "This page is not part of your sign-in");
    }
    assert!(begun.goes_on());
    let form = browser.open(&request).await;
    browser.log_in(&form, "test", "test").await;
    begun.tokens().await;
}

#[tokio::test]
async fn other_hosts_and_methods_are_turned_away() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let address = begun.tickets.mint();
    let url = Url::parse(&address).unwrap();
    let authority = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let port = url.port().unwrap();
    let mut browser = setting.browser();
    for host in [
        "evil.example",
        "localhost",
        "localhost:1",
        &format!("localhost.:{port}"),
        &format!("evil.example:{port}"),
    ] {
        let page = browser.fetch(&url, None, &[("host", host)]).await;
        assert_eq!(page.status, 404, "{host}");
        assert!(page.headers.get("set-cookie").is_none());
    }
    let raw = move |request: String| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        reply
    };
    let path = url.path().to_owned();
    for request in [
        format!("GET {path} HTTP/1.0\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nHost: {authority}\r\n\r\n"),
        format!("HEAD {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
        format!("OPTIONS {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
        format!("POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n"),
        "\u{16}\u{3}\u{1}".into(),
        format!(
            "GET {path}?{} HTTP/1.1\r\nHost: {authority}\r\n\r\n",
            "x".repeat(100_000)
        ),
    ] {
        let asked = request.chars().take(40).collect::<String>();
        let reply = tokio::task::spawn_blocking(move || raw(request))
            .await
            .unwrap();
        assert!(
            !reply.contains("303") && !reply.to_lowercase().contains("set-cookie"),
            "{asked} {reply}"
        );
    }
    // None of them was a visit.
    let form = browser.open(&address).await;
    browser.log_in(&form, "test", "test").await;
    begun.tokens().await;
}

#[tokio::test]
async fn every_reply_has_the_headers_that_keep_it_to_itself() {
    let mut setting = Setting::new().await;
    setting.request.question = Some(question(vec![]));
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let asked = browser.peek(&begun.tickets.mint()).await;
    let cookie = asked
        .headers
        .get("set-cookie")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert!(cookie.starts_with("kubefob-"));
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"));
    let nothing = browser.peek(&format!("{}/x", begun.start)).await;
    let foreign = browser.peek(&begun.start).await;
    for (page, asks) in [(asked, true), (nothing, false), (foreign, false)] {
        let header = |name: &str| page.headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "style-src 'nonce-",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        // The question's own script, and no other.
        let nonce = policy.split("script-src 'nonce-").nth(1);
        let nonce = nonce.and_then(|rest| rest.split('\'').next());
        assert_eq!(nonce.is_some(), asks, "{policy}");
        assert_eq!(
            policy.matches("script").count(),
            usize::from(asks),
            "{policy}"
        );
        let ours = nonce.map_or("<script>".to_owned(), |it| {
            format!("<script nonce=\"{it}\">")
        });
        let scripts = (
            page.body.matches("<script").count(),
            page.body.matches(&ours).count(),
        );
        assert_eq!(scripts, (usize::from(asks), usize::from(asks)));
    }
}

#[tokio::test]
async fn nobody_answers_the_question_but_the_browser_that_was_asked() {
    let mut setting = Setting::new().await;
    setting.request.question = Some(question(vec![]));
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let page = browser.open(&begun.tickets.mint()).await;
    let token = page.between("name=\"token\" value=\"", "\"");
    let url = Url::parse(&format!("{}/answer", begun.start)).unwrap();
    let good = format!("token={token}&answer=always");
    let evil = "http://evil.example";
    let mut other = setting.browser();
    for (form, headers, status) in [
        ("answer=always".into(), vec![], 400),
        ("token=x&answer=always".into(), vec![], 400),
        (format!("token={token}"), vec![], 400),
        (format!("token={token}&answer=perhaps"), vec![], 400),
        (good.clone(), vec![("sec-fetch-site", "cross-site")], 404),
        (good.clone(), vec![("sec-fetch-site", "same-site")], 404),
        (good.clone(), vec![("sec-fetch-site", "none")], 404),
        (good.clone(), vec![("origin", evil)], 404),
        (good.clone(), vec![("origin", "null")], 404),
        (format!("{good}&x={}", "x".repeat(20_000)), vec![], 400),
    ] {
        let page = browser.fetch(&url, Some(form.clone()), &headers).await;
        assert_eq!(page.status, status, "{form:.60} {headers:?}");
    }
    assert_eq!(
        other.fetch(&url, Some(good.clone()), &[]).await.status,
        400,
        "no cookie"
    );
    assert!(begun.told.lock().unwrap().answers.is_empty());
    let same = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    assert_eq!(browser.fetch(&url, Some(good), &same).await.status, 303);
    assert_eq!(begun.told.lock().unwrap().answers.len(), 1);
}

#[tokio::test]
async fn the_provider_s_no_counts_and_its_words_stay_words() {
    let setting = Setting::new().await;
    let refusal = Fault::CallbackError {
        error: "access_denied".into(),
        description: Some("<script>alert(1)</script>\u{1b}]52;c;x\u{7}".into()),
    };
    setting.playground.fault(refusal.times(1)).await.unwrap();
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let mut page = browser.open(&begun.tickets.mint()).await;
    if page.title() == "Sign in" {
        page = browser.log_in(&page, "test", "test").await;
    }
    assert_eq!(page.title(), "The sign-in was refused");
    assert!(
        page.body
            .contains("&lt;script&gt;alert(1)&lt;/script&gt;\u{fffd}]52;c;x\u{fffd}")
    );
    assert!(page.body.contains("access_denied"));
    assert_eq!(
        kind(&begun.outcome().await),
        ("declined", Some(Code::SignInRefused))
    );
}

#[tokio::test]
async fn a_redirect_of_another_issuer_is_not_believed() {
    for (sent, fault, expected) in [
        (IssParameter::Announced, None, "signed in"),
        (IssParameter::Unannounced, None, "signed in"),
        (IssParameter::Absent, None, "signed in"),
        (
            IssParameter::Announced,
            Some(Some("https://evil.example")),
            "blocked",
        ),
        (
            IssParameter::Unannounced,
            Some(Some("https://evil.example")),
            "blocked",
        ),
        (IssParameter::Announced, Some(None), "blocked"),
    ] {
        let setting = Setting::with(config(|config| config.iss_parameter = sent)).await;
        if let Some(issuer) = fault {
            let fault = Fault::WrongIssuer {
                issuer: issuer.map(str::to_owned),
            };
            setting
                .playground
                .fault(fault.at(Endpoint::Login))
                .await
                .unwrap();
        }
        let begun = setting.begin().await;
        let mut browser = setting.browser();
        let form = browser.open(&begun.tickets.mint()).await;
        browser.log_in(&form, "test", "test").await;
        assert_eq!(
            kind(&begun.outcome().await).0,
            expected,
            "{sent:?} {fault:?}"
        );
        let codes = setting.playground.counters().requests_at(Endpoint::Token);
        assert_eq!(
            codes,
            u64::from(expected == "signed in"),
            "the code was not sent anywhere"
        );
    }
}

#[tokio::test]
async fn a_wrong_state_leaves_the_attempt_as_it_was() {
    let setting = Setting::new().await;
    setting
        .playground
        .fault(Fault::WrongState.times(1))
        .await
        .unwrap();
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let address = begun.tickets.mint();
    let form = browser.open(&address).await;
    let page = browser.log_in(&form, "test", "test").await;
    assert_eq!(page.title(), "This page is not part of your sign-in");
    assert!(begun.goes_on());
    let mut page = browser.open(&address).await;
    if page.title() == "Sign in" {
        page = browser.log_in(&page, "test", "test").await;
    }
    assert_eq!(page.title(), "Signed in as test");
    begun.tokens().await;
}

#[tokio::test]
async fn a_callback_twice_is_exchanged_once_and_shows_the_outcome_twice() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    let action = form.between("action=\"", "\"").replace("&amp;", "&");
    let login = form.url.join(&action).unwrap();
    let sent = browser
        .fetch(&login, Some("username=test&password=test".into()), &[])
        .await;
    let callback = location(&sent);
    setting
        .playground
        .fault(Fault::Slow { milliseconds: 300 }.at(Endpoint::Token))
        .await
        .unwrap();
    let mut twin = browser.clone();
    let (one, other) = tokio::join!(browser.peek(&callback), twin.peek(&callback));
    assert_eq!(
        (location(&one), location(&other)),
        ("/outcome".into(), "/outcome".into())
    );
    begun.tokens().await;
    assert_eq!(
        setting.playground.counters().requests_at(Endpoint::Token),
        1
    );
}

#[tokio::test]
async fn somebody_else_is_not_put_in_a_person_s_place() {
    let mut setting = Setting::with(config(|config| {
        config.users.push(User {
            name: "mallory".into(),
            password: "m".into(),
            groups: vec![],
        });
    }))
    .await;
    setting.request.expected_subject = Some(setting.signed_in().await.identity.subject);
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    let page = browser.log_in(&form, "mallory", "m").await;
    assert_eq!(page.title(), "Somebody else signed in");
    assert!(page.body.contains("mallory"));
    assert_eq!(begun.sealed(), 0);
    assert_eq!(
        kind(&begun.outcome().await),
        ("declined", Some(Code::OtherPerson))
    );
    assert_eq!(
        setting.playground.counters().requests_at(Endpoint::Revoke),
        1
    );
    setting.signed_in().await;
}

#[tokio::test]
async fn a_hostile_discovery_sends_no_browser_anywhere() {
    for (name, url) in [
        ("authorization_endpoint", "file:///etc/passwd"),
        ("authorization_endpoint", "kubefob://open"),
        ("authorization_endpoint", "-x"),
        ("authorization_endpoint", "$(id)"),
        ("authorization_endpoint", "http://sso.example.com/"),
        ("authorization_endpoint", "https://sso.example.com/\n"),
        ("token_endpoint", "http://sso.example.com/"),
        ("jwks_uri", "ftp://sso.example.com/"),
    ] {
        let setting = Setting::new().await;
        let fault = Fault::EndpointUrl {
            name: name.into(),
            url: url.into(),
        };
        setting.playground.fault(fault).await.unwrap();
        let begun = setting.begin().await;
        let page = setting.browser().open(&begun.tickets.mint()).await;
        assert_eq!(page.title(), "You are not signed in", "{name} {url}");
        assert_eq!(
            kind(&begun.outcome().await),
            ("blocked", Some(Code::BadUrl)),
            "{name} {url}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_do_not_keep_a_person_out() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let port = Url::parse(&begun.redirect_uri).unwrap().port().unwrap();
    let flood: Vec<_> = (0..500)
        .map_while(|_| std::net::TcpStream::connect(("127.0.0.1", port)).ok())
        .collect();
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    browser.log_in(&form, "test", "test").await;
    begun.tokens().await;
    drop(flood);
}

#[tokio::test]
async fn a_cancelled_sign_in_closes_its_ports() {
    let setting = Setting::new().await;
    let listening = setting.listen().await;
    let port = Url::parse(listening.redirect_uri())
        .unwrap()
        .port()
        .unwrap();
    let going = tokio::spawn(listening.finish(
        async |_, _| broker::transaction::Taken::Counted,
        async |_, _| Ok(()),
    ));
    let open = async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
    };
    assert!(open().await);
    going.abort();
    let _ = going.await;
    while open().await {
        tokio::task::yield_now().await;
    }
}

/// Whether somebody else could listen there, on both addresses.
fn is_free(port: u16) -> bool {
    let free = |host| std::net::TcpListener::bind((host, port)).is_ok();
    free("127.0.0.1") && free("::1")
}

#[tokio::test]
async fn a_question_that_nobody_answers_holds_no_port_that_a_provider_knows() {
    // None of those that are given to whoever wants any.
    let port = (21_000..).find(|port| is_free(*port)).unwrap();
    let mut setting = Setting::new().await;
    setting.request.settings.listen.first_mut().unwrap().port = port;
    let held = setting.listen().await;
    assert!(!is_free(port), "a sign-in that asks nothing has it at once");
    drop(held);

    setting.request.question = Some(question(vec![]));
    let begun = setting.begin().await;
    let (mut browser, mut other) = (setting.browser(), setting.browser());
    let page = browser.open(&begun.tickets.mint()).await;
    assert!(is_free(port), "while it is asked");
    assert_ne!(page.url.port(), Some(port));
    // Somebody else's page at that port is no page of ours.
    let url = page.url.join("/answer").unwrap();
    let token = page.between("name=\"token\" value=\"", "\"");
    let origin = format!("http://localhost:{port}");
    let form = Some(format!("token={token}&answer=always"));
    let sent = browser.fetch(&url, form, &[("origin", &origin)]).await;
    assert_eq!(sent.status, 404);

    // A person's own sign-in goes on beside it.
    setting.request.question = None;
    let own = setting.begin().await;
    let form = other.open(&own.tickets.mint()).await;
    other.log_in(&form, "test", "test").await;
    own.tokens().await;

    let form = browser.answer(&page, "always", &[]).await;
    assert!(!is_free(port), "after the yes");
    let page = browser.log_in(&form, "test", "test").await;
    assert_eq!(page.title(), "Signed in as test");
    assert_eq!(page.url.port(), Some(port));
    begun.tokens().await;
}

#[tokio::test]
async fn ports_that_are_taken_before_the_yes_are_said_on_the_page() {
    let mut setting = Setting::new().await;
    setting.request.question = Some(question(vec![]));
    let port = (22_000..).find(|port| is_free(*port)).unwrap();
    setting.request.settings.listen.first_mut().unwrap().port = port;
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let page = browser.open(&begun.tickets.mint()).await;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let page = browser.answer(&page, "always", &[]).await;
    assert!(page.body.contains(&format!("127.0.0.1:{port}")), "{page:?}");
    assert_eq!(setting.playground.counters().requests.len(), 0);
    assert_eq!(
        kind(&begun.outcome().await),
        ("blocked", Some(Code::PortsTaken))
    );
}

#[tokio::test]
async fn nobody_came_in_time() {
    let mut setting = Setting::new().await;
    setting.request.settings.authentication_timeout = std::time::Duration::from_millis(50);
    let outcome = setting.begin().await.outcome().await;
    assert_eq!(kind(&outcome), ("declined", Some(Code::SignInTimedOut)));
    let SignInOutcome::Declined(problem) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        problem
            .parameter("redirect")
            .unwrap()
            .starts_with("http://localhost:")
    );
}

#[tokio::test]
async fn an_address_that_is_not_this_computer_s_alone_is_refused() {
    use broker::account::ListenAddress;
    let setting = Setting::new().await;
    let refused = async |host: &str, redirect: Option<&str>| {
        let mut request = setting.request.clone();
        request.settings.listen = vec![ListenAddress {
            host: host.into(),
            port: 0,
        }];
        request.settings.redirect_url = redirect.map(str::to_owned);
        let trusted = setting.trusted.clone();
        let listening = provider::listen(request, trusted, crate::setting::clock()).await;
        listening.err().map(|problem| problem.code())
    };
    for (host, redirect, expected) in [
        ("127.0.0.1", None, None),
        ("::1", None, None),
        ("localhost", Some("http://localhost:8000/callback"), None),
        ("0.0.0.0", None, Some(Code::ListenNotLoopback)),
        ("192.0.2.1", None, Some(Code::ListenNotLoopback)),
        (
            "127.0.0.1",
            Some("http://evil.example/"),
            Some(Code::ListenNotLoopback),
        ),
        (
            "127.0.0.1",
            Some("https://localhost:8000"),
            Some(Code::ListenNotLoopback),
        ),
        (
            "127.0.0.1",
            Some("kubefob://x"),
            Some(Code::ListenNotLoopback),
        ),
    ] {
        assert_eq!(
            refused(host, redirect).await,
            expected,
            "{host} {redirect:?}"
        );
    }
}

#[tokio::test]
async fn who_came_in_time_is_not_cut_off_by_a_slow_provider() {
    let mut setting = Setting::new().await;
    setting.request.settings.authentication_timeout = std::time::Duration::from_millis(700);
    let slow = Fault::Slow { milliseconds: 900 }.at(Endpoint::Token);
    setting.playground.fault(slow).await.unwrap();
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    let page = browser.log_in(&form, "test", "test").await;
    assert_eq!(page.title(), "Signed in as test");
    begun.tokens().await;
}

#[tokio::test]
async fn a_changed_client_secret_is_found_without_asking_anybody() {
    for (flags, known, expected) in [
        ("new", None, "signed in"),
        ("old", Some("new"), "signed in"),
        ("new", Some("old"), "signed in"),
        ("old", None, "blocked"),
        ("old", Some("older"), "blocked"),
    ] {
        let mut setting = Setting::new().await;
        let client = setting.request.key.client_id.clone();
        let secret = "new".to_owned();
        setting
            .playground
            .fault(Fault::ChangedClientSecret { client, secret })
            .await
            .unwrap();
        let secret = |text: &str| ClientSecret::new(text.into());
        setting.request.settings.client_secret = Some(secret(flags));
        setting.request.known_secret = known.map(secret);
        let begun = setting.begin().await;
        let mut browser = setting.browser();
        let form = browser.open(&begun.tickets.mint()).await;
        browser.log_in(&form, "test", "test").await;
        let outcome = begun.outcome().await;
        assert_eq!(kind(&outcome).0, expected, "{flags} {known:?}");
        if let SignInOutcome::SignedIn(tokens) = outcome {
            assert_eq!(tokens.client_secret, Some(secret("new")));
        }
    }
}

/// Needs root, to be somebody else: elsewhere it says that it is skipped.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_user_who_is_first_gets_and_voids_nothing() {
    use std::os::unix::process::CommandExt as _;
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can be another user");
        return;
    }
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let address = begun.tickets.mint();
    let url = Url::parse(&address).unwrap();
    for host in ["127.0.0.1", "::1"] {
        let script = format!(
            "exec 3<>/dev/tcp/{host}/{port}; printf 'GET {path} HTTP/1.1\\r\\nHost: localhost:{port}\\r\\n\\r\\n' >&3; cat <&3",
            port = url.port().unwrap(),
            path = url.path(),
        );
        let mut visit = std::process::Command::new("bash");
        visit
            .args(["-c", &script])
            .current_dir("/")
            .uid(65_534)
            .gid(65_534);
        let output = tokio::task::spawn_blocking(move || visit.output().unwrap())
            .await
            .unwrap();
        let reply = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(reply.starts_with("HTTP/1.1 404"), "{reply}");
        assert!(!reply.to_lowercase().contains("cookie") && !reply.contains("state"));
    }
    let mut browser = setting.browser();
    let form = browser.open(&address).await;
    browser.log_in(&form, "test", "test").await;
    begun.tokens().await;
}
