//! The pages that a browser shows: a question, a way on, an outcome. No scripts; nothing from
//! outside gets in but through [`Html::text`].

mod html;

use std::time::Duration;

use broker::account::{AccountKey, Tls};
use broker::problem::{Code, Problem};
use broker::texts::{Language, Parameters, text};
use broker::tokens::Tokens;
use broker::trust::{Question, ServerLine, Wary};

use html::Html;

const STYLE: &str = include_str!("pages/page.css");
const KEY: &str = r#"<svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true"><path fill-rule="evenodd" d="M13 1.5a7.2 7.2 0 0 0-3.3 13.6v7.4l3.3 2.9 3.9-3.6-2-2 2-2-1.4-1.4v-1.3A7.2 7.2 0 0 0 13 1.5Zm0 4.3a2.4 2.4 0 1 1 0 4.8 2.4 2.4 0 0 1 0-4.8Z"/></svg>"#;
const TICK: &str = r#"<svg width="36" height="36" viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="16"/><path d="m13 20.5 5 5 9-10"/></svg>"#;
const TRIANGLE: &str = r#"<svg width="36" height="36" viewBox="0 0 40 40" aria-hidden="true"><path d="M20 5 36 34H4Z"/><path d="M20 16v9M20 29.5v.1"/></svg>"#;
const SMALL_TRIANGLE: &str = r#"<svg width="14" height="14" viewBox="0 0 40 40" aria-hidden="true"><path d="M20 5 36 34H4Z"/><path d="M20 16v9M20 29.5v.1"/></svg>"#;
const CROSS: &str = r#"<svg width="36" height="36" viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="16"/><path d="m15 15 10 10m0-10L15 25"/></svg>"#;

/// A page, in one language.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    language: Language,
    title: String,
    body: Html,
    /// Where the browser goes on to by itself.
    onward: Option<String>,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A sign-in that follows.
    SignIn,
    /// A new pair on a session that lives.
    Pair,
}

impl Page {
    /// The whole document. `nonce` is the one that the reply's policy names.
    pub(crate) fn document(&self, nonce: &str) -> String {
        let onward = self.onward.as_ref().map_or_else(Html::default, |address| {
            Html::start(
                "meta",
                &[
                    ("http-equiv", "refresh"),
                    ("content", &format!("0;url={address}")),
                ],
            )
        });
        let head = Html::markup(
            r#"<meta charset="utf-8"><meta name="viewport" content="width=device-width">"#,
        )
        .then(onward)
        .then(Html::element(
            "title",
            &[],
            Html::text(&format!("{} – Kubefob", self.title)),
        ))
        .then(Html::element(
            "style",
            &[("nonce", nonce)],
            Html::markup(STYLE),
        ));
        let body = Html::element("main", &[], self.body.clone());
        Html::markup("<!doctype html>")
            .then(Html::element(
                "html",
                &[("lang", self.language.tag())],
                Html::element("head", &[], head).then(Html::element("body", &[], body)),
            ))
            .into_string()
    }
}

/// Asks whether servers may have tokens. `form` is the form's one-time token.
pub(crate) fn question(
    language: Language,
    question: &Question,
    purpose: Purpose,
    key: &AccountKey,
    form: &str,
) -> Page {
    let say = |key: &str, parameters: &[(&'static str, String)]| text(language, key, parameters);
    let asker = [("asker", question.asker.clone())];
    let (title, why) = match (purpose, question.servers.as_slice()) {
        (Purpose::SignIn, _) => (
            say("page.ask.sign-in", &[("host", key.host())]),
            say("page.ask.sign-in.why", &asker),
        ),
        (Purpose::Pair, [server]) => {
            let names = [
                ("server", server.server.clone()),
                ("account", question.account.clone()),
            ];
            (
                say("page.ask.allow", &names),
                say("page.ask.allow.why", &asker),
            )
        }
        (Purpose::Pair, servers) => {
            let names = [
                ("count", servers.len().to_string()),
                ("account", question.account.clone()),
            ];
            (
                say("page.ask.allow-several", &names),
                say("page.ask.allow.why", &asker),
            )
        }
    };
    let wary = question
        .servers
        .iter()
        .any(|server| !server.wary.is_empty());
    let body = Html::element(
        "div",
        &[("class", "app")],
        Html::markup(KEY).then(span(&say("page.app", &[]))),
    )
    .then(heading(&title))
    .then(paragraph(&why))
    .then(facts(language, question, &key.tls))
    .then(Html::element(
        "form",
        &[("method", "post"), ("action", "/answer")],
        Html::start(
            "input",
            &[("type", "hidden"), ("name", "token"), ("value", form)],
        )
        .then(others(language, question))
        .then(if wary {
            note(&say("page.ask.read", &[]))
        } else {
            Html::default()
        })
        .then(buttons(language, purpose, wary)),
    ));
    Page {
        language,
        title,
        body,
        onward: None,
    }
}

/// Sends the browser on to the provider. A page, and no redirect: a form's `form-action` would
/// have to name every site that the provider may lead to.
pub(crate) fn onward(language: Language, host: &str, address: &str) -> Page {
    let host = [("host", host.to_owned())];
    let title = text(language, "page.go.title", &host);
    let link = Html::element(
        "a",
        &[("class", "button"), ("href", address)],
        Html::text(&text(language, "page.go.button", &host)),
    );
    let body = heading(&title)
        .then(paragraph(&text(language, "page.go.text", &[])))
        .then(Html::element("p", &[("class", "buttons")], link));
    Page {
        language,
        title,
        body,
        onward: Some(address.to_owned()),
    }
}

/// Somebody is signed in. `remark`: what is less than perfect about it.
pub(crate) fn done(
    language: Language,
    tokens: &Tokens,
    asker: Option<&str>,
    remark: Option<&Problem>,
) -> Page {
    let title = text(
        language,
        "page.done.title",
        &[("name", tokens.identity.name.clone())],
    );
    let answered = match asker {
        Some(asker) => text(language, "page.done.text", &[("asker", asker.to_owned())]),
        None => text(language, "page.done.anybody", &[]),
    };
    let groups = &tokens.identity.groups;
    let mut list = Html::default();
    if !groups.is_empty() {
        let shown = stacked(groups.iter().take(12).map(|group| code(group)));
        let more = groups.len().saturating_sub(12);
        let rest = if more == 0 {
            Html::default()
        } else {
            span(&format!("+ {more}"))
        };
        list = list.then(row(
            &text(language, "page.done.groups", &[]),
            shown.then(rest),
        ));
    }
    list = list.then(row(
        &text(language, "page.done.from-now", &[]),
        Html::text(&from_now_on(language, tokens)),
    ));
    let remark = remark.map_or_else(Html::default, |problem| {
        let words = format!("{} {}", problem.message(language), problem.hint(language));
        Html::element("div", &[("class", "note")], warning(&words))
    });
    let body = mark("mark well", TICK)
        .then(heading(&title))
        .then(paragraph(&answered))
        .then(Html::element("dl", &[], list))
        .then(remark);
    Page {
        language,
        title,
        body,
        onward: None,
    }
}

/// The question was answered with yes, and nothing else is to be done.
pub(crate) fn allowed(language: Language, asker: &str) -> Page {
    let title = text(language, "page.allowed.title", &[]);
    let body = mark("mark well", TICK)
        .then(heading(&title))
        .then(paragraph(&text(
            language,
            "page.allowed.text",
            &[("asker", asker.to_owned())],
        )))
        .then(Html::element(
            "p",
            &[("class", "note")],
            Html::element(
                "small",
                &[],
                Html::text(&text(language, "page.allowed.back", &[])),
            ),
        ));
    Page {
        language,
        title,
        body,
        onward: None,
    }
}

/// The question was answered with no.
pub(crate) fn not_allowed(language: Language, asker: &str) -> Page {
    let title = text(language, "page.not-allowed.title", &[]);
    let asker = [("asker", asker.to_owned())];
    let body = mark("mark calm", CROSS)
        .then(heading(&title))
        .then(paragraph(&text(language, "page.not-allowed.text", &asker)));
    Page {
        language,
        title,
        body,
        onward: None,
    }
}

/// Something went wrong. `told`: whether the sign-in is over and whoever waits was told.
pub(crate) fn failed(language: Language, problem: &Problem, told: bool) -> Page {
    let say = |key| text(language, key, &[]);
    let title = say(title_of(problem.code));
    let message = if told {
        format!("{} {}", problem.message(language), say("page.failed.told"))
    } else {
        problem.message(language)
    };
    let to_do = row(
        &say("page.failed.to-do"),
        Html::text(&problem.hint(language)),
    );
    let details = [
        ("error", "page.failed.provider-code"),
        ("reason", "page.failed.reason"),
        ("host", "page.failed.host"),
        ("client", "page.failed.client-id"),
    ]
    .into_iter()
    .filter_map(|(parameter, key)| Some(row(&say(key), code(&problem.parameter(parameter)?))))
    .fold(
        row(&say("page.failed.code"), code(problem.code.name())),
        Html::then,
    );
    let body = mark("mark failed", TRIANGLE)
        .then(heading(&title))
        .then(paragraph(&message))
        .then(Html::element("dl", &[], to_do))
        .then(Html::element(
            "details",
            &[],
            Html::element("summary", &[], Html::text(&say("page.failed.details")))
                .then(Html::element("dl", &[], details)),
        ));
    Page {
        language,
        title,
        body,
        onward: None,
    }
}

fn title_of(code: Code) -> &'static str {
    const TITLES: &[(&[Code], &str)] = &[
        (&[Code::ClientRefused], "page.failed.client"),
        (
            &[
                Code::Unreachable,
                Code::ProviderFault,
                Code::TlsFailed,
                Code::TlsFailedOwnCa,
            ],
            "page.failed.reach",
        ),
        (
            &[Code::SignInRefused, Code::RequestRefused],
            "page.failed.refused",
        ),
        (&[Code::OtherPerson], "page.failed.person"),
        (&[Code::SignInTimedOut], "page.failed.time"),
        (&[Code::TicketUsed], "page.failed.used"),
        (&[Code::ForeignCallback], "page.failed.foreign"),
        (&[Code::BadToken, Code::NoIdToken], "page.failed.token"),
    ];
    let fitting = TITLES.iter().find(|(codes, _)| codes.contains(&code));
    fitting.map_or("page.failed.title", |(_, title)| title)
}

fn facts(language: Language, question: &Question, tls: &Tls) -> Html {
    let say = |key| text(language, key, &[]);
    let mut list = row(&say("page.ask.issuer"), code(&question.issuer));
    let files = tls
        .ca_files
        .iter()
        .map(|file| code(&file.to_string_lossy()));
    let written = tls
        .ca_data
        .first()
        .map(|_| span(&say("page.ask.authority-written")));
    let authorities = stacked(files.chain(written));
    if !authorities.is_empty() {
        list = list.then(row(&say("page.ask.authority"), authorities));
    }
    list = list.then(row(&say("page.ask.client"), code(&question.client_id)));
    if !question.scopes.is_empty() {
        list = list.then(row(
            &say("page.ask.scopes"),
            code(&question.scopes.join(" ")),
        ));
    }
    let servers = stacked(question.servers.iter().map(|server| {
        let contexts = (!server.contexts.is_empty())
            .then(|| ("contexts", server.contexts.join(", ")))
            .map_or_else(Html::default, |contexts| {
                Html::element(
                    "small",
                    &[],
                    Html::text(&text(language, "page.ask.context", &[contexts])),
                )
            });
        stacked([code(&server.server), contexts].into_iter()).then(warnings(language, server))
    }));
    let key = if question.servers.len() > 1 {
        "page.ask.servers"
    } else {
        "page.ask.server"
    };
    list = list.then(row(&say(key), servers));
    if let Some(file) = &question.file {
        list = list.then(row(&say("page.ask.file"), code(file)));
    }
    Html::element("dl", &[], list)
}

fn others(language: Language, question: &Question) -> Html {
    let intro = match question.others.len() {
        0 => return Html::default(),
        1 => text(language, "page.ask.others", &[]),
        count => text(
            language,
            "page.ask.others-several",
            &[("count", count.to_string())],
        ),
    };
    let items = question.others.iter().enumerate().map(|(index, server)| {
        let tick = Html::start(
            "input",
            &[
                ("type", "checkbox"),
                ("name", "other"),
                ("value", &index.to_string()),
            ],
        );
        let label = Html::element("label", &[], tick.then(code(&server.server)));
        Html::element("li", &[], label.then(warnings(language, server)))
    });
    let items = items.fold(Html::default(), Html::then);
    Html::markup("<hr>")
        .then(paragraph(&intro))
        .then(Html::element("ul", &[], items))
}

/// Nothing to be wary of: the way on is the filled button. Otherwise none is, and what a stray
/// key press reaches is the no.
fn buttons(language: Language, purpose: Purpose, wary: bool) -> Html {
    let always = match purpose {
        Purpose::SignIn if !wary => "page.ask.always-sign-in",
        Purpose::SignIn | Purpose::Pair => "page.ask.always",
    };
    let button = |value, key, extra: &[(&'static str, &str)]| {
        let mut attributes = vec![("type", "submit"), ("name", "answer"), ("value", value)];
        attributes.extend(extra);
        Html::element("button", &attributes, Html::text(&text(language, key, &[])))
    };
    let no: &[_] = if wary { &[("autofocus", "")] } else { &[] };
    let yes: &[_] = if wary { &[] } else { &[("class", "filled")] };
    let buttons = button("no", "page.ask.no", no)
        .then(button("once", "page.ask.once", &[]))
        .then(button("always", always, yes));
    Html::element("div", &[("class", "buttons")], buttons)
}

fn warnings(language: Language, server: &ServerLine) -> Html {
    let words = server.wary.iter().map(|wary| {
        let key = match wary {
            Wary::SkipsTls => "page.wary.skips-tls",
            Wary::Proxy => "page.wary.proxy",
            Wary::OtherAuthority => "page.wary.other-authority",
            Wary::Unknown => "page.wary.unknown",
        };
        warning(&text(language, key, &[]))
    });
    words.fold(Html::default(), Html::then)
}

fn from_now_on(language: Language, tokens: &Tokens) -> String {
    if tokens.refresh.is_none() {
        let parameters = [("span", span_of(language, tokens.lifetime()))];
        return text(language, "page.done.ends", &parameters);
    }
    match tokens.refresh_expires {
        None => text(language, "page.done.renews", &[]),
        Some(end) => {
            let parameters = [("span", span_of(language, end.since(tokens.obtained)))];
            text(language, "page.done.renews-within", &parameters)
        }
    }
}

/// A span in the largest unit that says it well.
fn span_of(language: Language, span: Duration) -> String {
    let seconds = span.as_secs();
    let (key, count) = match seconds {
        0..120 => ("page.span.seconds", seconds),
        120..7200 => ("page.span.minutes", seconds / 60),
        7200..172_800 => ("page.span.hours", seconds / 3600),
        _ => ("page.span.days", seconds / 86_400),
    };
    let parameters: Parameters = vec![("count", count.to_string())];
    text(language, key, &parameters)
}

fn mark(class: &'static str, picture: &'static str) -> Html {
    Html::element("div", &[("class", class)], Html::markup(picture))
}

fn heading(words: &str) -> Html {
    Html::element("h1", &[], Html::text(words))
}

fn paragraph(words: &str) -> Html {
    Html::element("p", &[], Html::text(words))
}

fn note(words: &str) -> Html {
    Html::element("p", &[("class", "note")], Html::text(words))
}

fn warning(words: &str) -> Html {
    Html::element(
        "div",
        &[("class", "wary")],
        Html::markup(SMALL_TRIANGLE).then(span(words)),
    )
}

fn span(words: &str) -> Html {
    Html::element("span", &[], Html::text(words))
}

fn code(words: &str) -> Html {
    Html::element("code", &[], Html::text(words))
}

fn row(name: &str, value: Html) -> Html {
    Html::element("dt", &[], Html::text(name)).then(Html::element("dd", &[], value))
}

fn stacked(pieces: impl Iterator<Item = Html>) -> Html {
    pieces
        .filter(|piece| !piece.is_empty())
        .map(|piece| Html::element("div", &[], piece))
        .fold(Html::default(), Html::then)
}

#[cfg(test)]
mod tests {
    use broker::account::{Grant, TokenKind};
    use broker::clock::Wall;
    use broker::secret::{BearerToken, RefreshToken};
    use broker::tokens::Identity;

    use super::*;

    fn asked(wary: Vec<Wary>) -> Question {
        let line = |server: &str, wary| ServerLine {
            server: server.into(),
            contexts: vec!["dev".into()],
            wary,
        };
        Question {
            account: "test".into(),
            issuer: "https://login.acme.example".into(),
            client_id: "k8s".into(),
            scopes: vec!["email".into(), "offline_access".into()],
            servers: vec![line("https://api.dev.acme.example", wary)],
            others: vec![
                line("https://api.staging.acme.example", vec![]),
                line("https://api.eu1.acme.example", vec![Wary::Proxy]),
            ],
            file: Some("~/work/acme.yaml".into()),
            asker: "kubectl".into(),
        }
    }

    fn key(tls: Tls) -> AccountKey {
        AccountKey {
            issuer: "https://login.acme.example".into(),
            client_id: "k8s".into(),
            scopes: vec![],
            grant: Grant::AuthorizationCode,
            token_kind: TokenKind::Id,
            tls,
            name: None,
        }
    }

    fn tokens(refresh: bool) -> Tokens {
        Tokens {
            bearer: BearerToken::new(String::new()),
            refresh: refresh.then(|| RefreshToken::new(String::new())),
            identity: Identity {
                subject: "1".into(),
                name: "test".into(),
                groups: vec!["kubernetes:admin".into()],
            },
            obtained: Wall(0),
            expires: Wall::from_seconds(300),
            skew_ms: 0,
            refresh_expires: refresh.then_some(Wall::from_seconds(1800)),
            signed_in: Wall(0),
            client_secret: None,
        }
    }

    fn all(language: Language) -> Vec<(&'static str, Page)> {
        let host = "login.acme.example";
        let key = key(Tls::default());
        let own = super::tests::key(Tls {
            ca_files: vec!["/etc/acme/ca.crt".into()],
            ca_data: vec!["AAAA".into()],
        });
        let sign_in = Purpose::SignIn;
        let refused = Problem::new(
            Code::ClientRefused,
            vec![
                ("client", "kubernetes-client".into()),
                ("error", "unauthorized_client".into()),
            ],
        );
        let full = vec![
            ("path", "~/.local/share/kubefob".into()),
            ("reason", "disk full".into()),
        ];
        let wary = vec![Wary::SkipsTls, Wary::OtherAuthority];
        vec![
            (
                "page",
                question(language, &asked(vec![]), sign_in, &key, "form"),
            ),
            (
                "page-wary",
                question(language, &asked(wary), sign_in, &own, "form"),
            ),
            (
                "pair",
                question(language, &asked(vec![]), Purpose::Pair, &key, "form"),
            ),
            (
                "onward",
                onward(language, host, "https://login.acme.example/auth?a=b&c=d"),
            ),
            ("done", done(language, &tokens(true), Some("kubectl"), None)),
            (
                "done-remark",
                done(
                    language,
                    &tokens(false),
                    None,
                    Some(&Problem::new(Code::CannotKeep, full)),
                ),
            ),
            ("allowed", allowed(language, "kubectl")),
            ("not-allowed", not_allowed(language, "kubectl")),
            ("failed", failed(language, &refused, true)),
            (
                "used",
                failed(language, &Problem::plain(Code::TicketUsed), false),
            ),
        ]
    }

    /// With KUBEFOB_PAGES=FOLDER it leaves them there, to be looked at.
    #[test]
    fn every_page_stands_in_both_languages_without_scripts() {
        for language in [Language::En, Language::Ko] {
            for (name, page) in all(language) {
                let document = page.document("nonce");
                assert!(!document.contains("page."), "{name}: a text is missing");
                assert!(!document.contains("<script"), "{name}");
                assert!(
                    !document.contains(" style="),
                    "{name}: the policy forbids it"
                );
                if let Ok(folder) = std::env::var("KUBEFOB_PAGES") {
                    let file = format!("{folder}/{name}-{}.html", language.tag());
                    std::fs::write(file, &document).unwrap();
                }
            }
        }
    }

    #[test]
    fn what_is_marked_takes_the_colour_from_the_button() {
        let key = key(Tls::default());
        let calm = question(Language::En, &asked(vec![]), Purpose::SignIn, &key, "f").document("");
        let wary = vec![Wary::SkipsTls];
        let wary = question(Language::En, &asked(wary), Purpose::SignIn, &key, "f").document("");
        assert!(calm.contains(r#"value="always" class="filled">Continue to sign in<"#));
        assert!(!calm.contains("autofocus"));
        assert!(wary.contains(r#"value="no" autofocus="">Don&#39;t allow<"#));
        assert!(!wary.contains(r#"class="filled""#));
    }
}
