//! The question: may these servers have tokens of this account?

use broker::account::AccountKey;
use broker::manner::Change;
use broker::short::{address, listed};
use broker::texts::{Language, text};
use broker::trust::{Longest, Question, ServerLine, Wary};

use super::html::Html;
use super::{KEY, Page, Purpose, code, heading, note, paragraph, row, span, stacked, warning};

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
            say("page.ask.sign-in", &[("host", address(&key.host(), 64))]),
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
    let wary = !question.changes.is_empty()
        || question
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
    .then(facts(language, question))
    .then(changes(language, question))
    .then(Html::element(
        "form",
        &[("method", "post"), ("action", "/answer")],
        Html::start(
            "input",
            &[("type", "hidden"), ("name", "token"), ("value", form)],
        )
        .then(others(language, question))
        .then(if question.new_issuer {
            note(&say("page.ask.new-issuer", &[("host", key.host())]))
        } else {
            Html::default()
        })
        .then(if wary {
            note(&say("page.ask.read", &[]))
        } else {
            Html::default()
        })
        .then(buttons(language, purpose, question.longest, wary)),
    ));
    Page {
        language,
        title,
        body,
        asks: true,
        onward: None,
    }
}

/// What decides it first: the server, and whose word that is.
fn facts(language: Language, question: &Question) -> Html {
    let say = |key| text(language, key, &[]);
    let servers = stacked(question.servers.iter().map(|server| {
        let contexts = (!server.contexts.is_empty())
            .then(|| ("contexts", listed(&server.contexts, server.more, language)))
            .map_or_else(Html::default, |contexts| {
                Html::element(
                    "small",
                    &[],
                    Html::text(&text(language, "page.ask.context", &[contexts])),
                )
            });
        let authority = if server.own_authority {
            Html::element("small", &[], Html::text(&say("page.ask.own-authority")))
        } else {
            Html::default()
        };
        stacked([code(&server.server), contexts, authority].into_iter())
            .then(warnings(language, server))
    }));
    let key = if question.servers.len() > 1 {
        "page.ask.servers"
    } else {
        "page.ask.server"
    };
    let mut list = row(&say(key), servers);
    if !question.claims.is_empty() {
        let claims = stacked(question.claims.iter().map(|claim| code(claim)));
        let remark = Html::element("small", &[], Html::text(&say("page.ask.claims.text")));
        list = list.then(row(
            &say("page.ask.claims"),
            stacked([claims, remark].into_iter()),
        ));
    }
    if let Some(file) = &question.file {
        list = list.then(row(&say("page.ask.file"), code(file)));
    }
    list = list.then(row(&say("page.ask.issuer"), code(&question.issuer)));
    let files = question.vouched.files.iter().map(|file| code(file));
    let written = question.vouched.written;
    let written = written.then(|| span(&say("page.ask.authority-written")));
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
    Html::element("dl", &[], list)
}

/// In what the way to sign in would be another than was allowed.
fn changes(language: Language, question: &Question) -> Html {
    let words = question.changes.iter().map(|Change { flag, was, now }| {
        let change = [
            ("flag", flag.clone()),
            ("was", was.clone()),
            ("now", now.clone()),
        ];
        warning(&text(language, "page.ask.change", &change))
    });
    words.fold(Html::default(), Html::then)
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
    let list = Html::markup("<hr>")
        .then(paragraph(&intro))
        .then(Html::element("ul", &[], items));
    if question.more == 0 {
        return list;
    }
    let more = [("count", question.more.to_string())];
    list.then(note(&text(language, "page.ask.others-more", &more)))
}

/// Nothing to be wary of: the way on is the filled button. Otherwise none is. None has the focus: what a stray key press
/// reaches is no answer.
fn buttons(language: Language, purpose: Purpose, longest: Longest, wary: bool) -> Html {
    let yes_for_long = match (longest, purpose) {
        (Longest::Once, _) => None,
        (Longest::Container, _) => Some(("container", "page.ask.container")),
        (Longest::Always, Purpose::SignIn) if !wary => Some(("always", "page.ask.always-sign-in")),
        (Longest::Always, Purpose::SignIn | Purpose::Pair) => Some(("always", "page.ask.always")),
    };
    let button = |value, key, extra: &[(&'static str, &str)]| {
        let mut attributes = vec![("type", "submit"), ("name", "answer"), ("value", value)];
        attributes.extend(extra);
        Html::element("button", &attributes, Html::text(&text(language, key, &[])))
    };
    let yes: &[_] = if wary { &[] } else { &[("class", "filled")] };
    let buttons = button("no", "page.ask.no", &[]).then(button("once", "page.ask.once", &[]));
    let buttons = match yes_for_long {
        Some((value, key)) => buttons.then(button(value, key, yes)),
        None => buttons,
    };
    Html::element("div", &[("class", "buttons")], buttons)
}

fn warnings(language: Language, server: &ServerLine) -> Html {
    let words = server.wary.iter().map(|wary| {
        let key = match wary {
            Wary::SkipsTls => "page.wary.skips-tls",
            Wary::Proxy => "page.wary.proxy",
            Wary::ProxyReads => "page.wary.proxy-reads",
            Wary::OtherAuthority => "page.wary.other-authority",
            Wary::ServerName => "page.wary.server-name",
            Wary::OtherName => "page.wary.other-name",
            Wary::Unknown => "page.wary.unknown",
        };
        let proxy = [("proxy", server.proxy.clone().unwrap_or_default())];
        warning(&text(language, key, &proxy))
    });
    words.fold(Html::default(), Html::then)
}
