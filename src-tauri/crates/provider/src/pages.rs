//! The pages that a browser shows: a question, a way on, an outcome. No scripts, but for the question's own, which has
//! an answer wait until the page can have been read; nothing from outside gets in but through [`Html::text`].

mod html;
mod outcome;
mod question;

use broker::texts::Language;

use html::Html;
pub(crate) use outcome::{allowed, done, elsewhere, failed, not_allowed, onward};
pub(crate) use question::question;

const STYLE: &str = include_str!("pages/page.css");
const QUESTION: &str = include_str!("pages/question.js");
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
    /// Whether it asks, and so has a script: a constant of ours.
    asks: bool,
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
    /// Whether the reply's policy has to allow a script.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

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
        let mut body = Html::element("main", &[], self.body.clone());
        if self.asks {
            let script = Html::markup(QUESTION);
            body = body.then(Html::element("script", &[("nonce", nonce)], script));
        }
        Html::markup("<!doctype html>")
            .then(Html::element(
                "html",
                &[("lang", self.language.tag())],
                Html::element("head", &[], head).then(Html::element("body", &[], body)),
            ))
            .into_string()
    }
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
    use broker::account::{AccountKey, Grant, Tls, TokenKind};
    use broker::clock::Wall;
    use broker::problem::Problem;
    use broker::secret::{BearerToken, RefreshToken};
    use broker::tokens::{Identity, Tokens};
    use broker::trust::{Longest, Question, ServerLine, Vouched, Wary};

    use super::*;

    fn asked(wary: Vec<Wary>) -> Question {
        let line = |server: &str, wary| ServerLine {
            server: server.into(),
            contexts: vec!["dev".into()],
            wary,
            ..ServerLine::default()
        };
        Question {
            account: "test".into(),
            issuer: "https://login.acme.example".into(),
            client_id: "k8s".into(),
            scopes: vec!["email".into(), "offline_access".into()],
            vouched: Default::default(),
            servers: vec![line("https://api.dev.acme.example", wary)],
            others: vec![
                line("https://api.staging.acme.example", vec![]),
                ServerLine {
                    proxy: Some("http://proxy.acme.example:3128".into()),
                    ..line("https://api.eu1.acme.example", vec![Wary::Proxy])
                },
            ],
            more: 0,
            file: Some("~/work/acme.yaml".into()),
            asker: "kubectl".into(),
            new_issuer: false,
            changes: vec![],
            longest: Longest::Always,
            claims: Vec::new(),
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
            client_authentication: None,
        }
    }

    fn all(language: Language) -> Vec<(&'static str, Page)> {
        let host = "login.acme.example";
        let key = key(Tls::default());
        let sign_in = Purpose::SignIn;
        let refused = Problem::ClientRefused {
            client: "kubernetes-client".into(),
            error: "unauthorized_client".into(),
        };
        let path = "~/.local/share/kubefob".to_owned();
        let reason = "disk full".to_owned();
        let unkept = Problem::CannotKeep {
            path: path.clone(),
            reason: reason.clone(),
        };
        let until_end = Problem::OnlyUntilEnd { path, reason };
        let mut wary = asked(vec![Wary::ProxyReads, Wary::OtherAuthority]);
        wary.vouched = Vouched {
            files: vec!["/etc/acme/ca.crt".into()],
            written: true,
        };
        wary.servers[0].proxy = Some("http://proxy.acme.example:3128".into());
        wary.servers[0].own_authority = true;
        let mut many = asked(vec![]);
        many.servers[0].more = 2_990;
        many.more = 2_980;
        let long = "https://…api.prod.acme.example.api.prod.acme.example.evil.example:6443/a…b";
        many.servers[0].server = long.into();
        vec![
            (
                "page-many",
                question(language, &many, sign_in, &key, "form"),
            ),
            (
                "page",
                question(language, &asked(vec![]), sign_in, &key, "form"),
            ),
            (
                "page-wary",
                question(language, &wary, sign_in, &key, "form"),
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
                done(language, &tokens(false), None, Some(&unkept)),
            ),
            ("allowed", allowed(language, "kubectl", None)),
            (
                "allowed-until-end",
                allowed(language, "kubectl", Some(&until_end)),
            ),
            ("not-allowed", not_allowed(language, "kubectl")),
            ("failed", failed(language, &refused.clone().into(), true)),
            ("used", failed(language, &Problem::TicketUsed.into(), false)),
        ]
    }

    /// With KUBEFOB_PAGES=FOLDER it leaves them there, to be looked at.
    #[test]
    fn every_page_stands_in_both_languages_and_none_but_a_question_has_a_script() {
        for language in [Language::En, Language::Ko] {
            for (name, page) in all(language) {
                let document = page.document("nonce");
                assert!(!document.contains("page."), "{name}: a text is missing");
                let asks = ["page", "page-wary", "page-many", "pair"].contains(&name);
                let scripts = document.matches("<script").count();
                assert_eq!(scripts, usize::from(asks), "{name}");
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
        assert!(calm.contains(r#"value="always" class="filled">Always allow, and sign in<"#));
        assert!(wary.contains(r#"value="no">Don&#39;t allow<"#));
        assert!(!wary.contains(r#"class="filled""#));
        assert!(!calm.contains("autofocus") && !wary.contains("autofocus"));
    }
}
