//! What a terminal is asked, in lines of its width.

use crate::manner::Change;
use crate::question::{Longest, Question, ServerLine, Vouched, Wary};
use crate::short::{address_within, columns, listed, quoted, within};
use crate::texts::{Language, text};

/// How many columns a line of a question has: those of the smallest terminals. What is longer would go on in a line that
/// looks like one of ours.
const COLUMNS: usize = 79;
/// How few of them a value has, however long what stands around it is.
const LEAST: usize = 24;

/// The question as a terminal shows it: what decides it first. `waits`: somebody waits for the answer.
pub(super) fn question(question: &Question, waits: bool, language: Language) -> String {
    let line = |key, name, value: &str| lined(key, name, value, &[], language);
    let mut lines = vec![
        line("terminal.trust.title", "account", &question.account),
        line("terminal.trust.asker", "asker", &question.asker),
    ];
    let own = |server: &ServerLine| server.own_authority;
    let all_own = question.servers.len() > 1 && question.servers.iter().all(own);
    for server in &question.servers {
        lines.extend(server_lines(server, language));
        if own(server) && !all_own {
            lines.push(text(language, "terminal.trust.own-authority", &[]));
        }
        for wary in &server.wary {
            lines.push(text(language, wary_key(*wary), &[]));
        }
    }
    if all_own {
        lines.push(text(language, "terminal.trust.own-authority", &[]));
    }
    if let Some(file) = &question.file {
        lines.push(line("terminal.trust.file", "file", file));
    }
    for Change { flag, was, now } in &question.changes {
        let flag = [("flag", flag.clone())];
        lines.push(text(language, "terminal.trust.change", &flag));
        lines.push(line("terminal.trust.change.now", "now", now));
        lines.push(line("terminal.trust.change.was", "was", was));
    }
    if !question.claims.is_empty() {
        lines.push(text(language, "terminal.trust.claims", &[]));
        let claims = question.claims.iter();
        let claims = claims.map(|claim| address_within(claim, COLUMNS - VALUES));
        lines.extend(claims.map(|claim| format!("{}{claim}", " ".repeat(VALUES))));
    }
    lines.push(text(
        language,
        "terminal.trust.issuer",
        &[("issuer", address_within(&question.issuer, COLUMNS - VALUES))],
    ));
    lines.extend(vouched_lines(&question.vouched, language));
    lines.push(line("terminal.trust.client", "client", &question.client_id));
    if !question.scopes.is_empty() {
        let scopes = question.scopes.join(" ");
        lines.push(line("terminal.trust.scopes", "scopes", &scopes));
    }
    if question.new_issuer {
        lines.push(text(language, "terminal.trust.new-issuer", &[]));
    }
    let answers = match (question.longest, waits) {
        (Longest::Always, true) => "terminal.trust.answers",
        (Longest::Always, false) => "terminal.trust.answers.always",
        (Longest::Container, true) => "terminal.trust.answers.container",
        (Longest::Container, false) => "terminal.trust.answers.container-alone",
        (Longest::Once, _) => "terminal.trust.answers.once",
    };
    lines.push(text(language, answers, &[]));
    lines.join("\n")
}

/// The text of what to be wary of.
fn wary_key(wary: Wary) -> &'static str {
    match wary {
        Wary::SkipsTls => "terminal.wary.skips-tls",
        Wary::Proxy => "terminal.wary.proxy",
        Wary::ProxyReads => "terminal.wary.proxy-reads",
        Wary::OtherAuthority => "terminal.wary.other-authority",
        Wary::ServerName => "terminal.wary.server-name",
        Wary::OtherName => "terminal.wary.other-name",
        Wary::Unknown => "terminal.wary.unknown",
    }
}

/// In which column values begin.
const VALUES: usize = 11;

/// A server, its contexts beside it where there is room for them, and its proxy.
fn server_lines(server: &ServerLine, language: Language) -> Vec<String> {
    let shown = address_within(&server.server, COLUMNS - VALUES);
    let mut lines = vec![text(
        language,
        "terminal.trust.server",
        &[("server", shown)],
    )];
    if !server.contexts.is_empty() {
        let list = |most: usize| {
            let contexts = server.contexts.iter();
            let contexts: Vec<_> = contexts
                .map(|context| quoted(&within(context, most)))
                .collect();
            format!("({})", listed(&contexts, server.more, language))
        };
        let room = (COLUMNS - VALUES).saturating_sub(columns(&list(0)));
        let contexts = list(room / server.contexts.len());
        match lines.first_mut() {
            Some(first) if columns(first) + 2 + columns(&contexts) <= COLUMNS => {
                first.push_str("  ");
                first.push_str(&contexts);
            }
            Some(_) | None => lines.push(format!("{}{contexts}", " ".repeat(VALUES))),
        }
    }
    if let Some(proxy) = &server.proxy {
        let proxy = [("proxy", address_within(proxy, COLUMNS - VALUES))];
        lines.push(text(language, "terminal.trust.proxy", &proxy));
    }
    lines
}

fn vouched_lines(vouched: &Vouched, language: Language) -> Vec<String> {
    let files = vouched.files.iter();
    let mut lines: Vec<_> = files
        .map(|file| lined("terminal.trust.vouched", "authority", file, &[], language))
        .collect();
    if vouched.written {
        lines.push(text(language, "terminal.trust.vouched.written", &[]));
    }
    lines
}

/// A text with a value that whoever wrote a file chose: quoted, and of so many columns that it is one line.
pub(crate) fn lined(
    key: &str,
    name: &'static str,
    value: &str,
    others: &[(&'static str, String)],
    language: Language,
) -> String {
    let with = |value: String| {
        let mut parameters = others.to_vec();
        parameters.push((name, value));
        text(language, key, &parameters)
    };
    let around = columns(&with(String::new())) + 2;
    let room = COLUMNS.saturating_sub(around).max(LEAST);
    with(quoted(&within(value, room)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::short::name;

    fn asking(hostile: &str) -> Question {
        let hostile = name(hostile);
        let server = |contexts: usize| ServerLine {
            server: format!("https://api.acme.example:6443/{}", "a".repeat(120)),
            contexts: vec![hostile.clone(); contexts],
            more: 2,
            proxy: Some(format!("http://proxy.example:3128/{}", "b".repeat(120))),
            own_authority: true,
            wary: vec![Wary::ProxyReads, Wary::OtherAuthority, Wary::ServerName],
        };
        Question {
            account: hostile.clone(),
            issuer: format!("https://login.acme.example/{}", "c".repeat(130)),
            client_id: hostile.clone(),
            scopes: vec![hostile.clone(); 9],
            vouched: Vouched {
                files: vec![hostile.clone()],
                written: true,
            },
            servers: vec![server(0), server(1), server(3)],
            others: Vec::new(),
            more: 0,
            file: Some(hostile.clone()),
            asker: hostile,
            new_issuer: true,
            changes: vec![Change {
                flag: "--oidc-redirect-url".into(),
                was: "none".into(),
                now: "x".repeat(200),
            }],
            longest: Longest::Always,
            claims: vec![format!("https://api.acme.example/{}", "d".repeat(130))],
        }
    }

    #[test]
    fn no_line_of_a_question_is_its_author_s() {
        let forged = format!(
            "own\"){}  known    you allowed this server before{}",
            " ".repeat(40),
            "\u{2800}".repeat(20)
        );
        let solid = "x".repeat(128);
        let wide = "\u{ac00}".repeat(128);
        for hostile in [&forged, &solid, &wide] {
            for language in [Language::En, Language::Ko] {
                let shown = question(&asking(hostile), true, language);
                assert!(!shown.contains("{"), "{shown}");
                for line in shown.lines() {
                    assert!(columns(line) <= COLUMNS, "{}: {line}", columns(line));
                    assert!(!line.trim_start().starts_with("known"), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_question_has_what_decides_it_first() {
        let mut asked = asking("prod");
        let _ = asked.servers.split_off(1);
        asked.account = "acme".into();
        asked.asker = "kubectl".into();
        asked.file = Some("/home/me/new.yaml".into());
        asked.client_id = "kubernetes".into();
        asked.scopes = vec!["groups".into()];
        asked.vouched.files.clear();
        asked.issuer = "https://login.acme.example".into();
        asked.new_issuer = false;
        asked.changes.clear();
        asked.claims.clear();
        let [server] = &mut asked.servers[..] else {
            panic!("one server");
        };
        server.server = "https://api.acme.example:6443".into();
        server.proxy = Some("http://proxy.example:3128".into());
        server.contexts = vec!["prod".into()];
        server.more = 0;
        server.wary = vec![Wary::ProxyReads];
        assert_eq!(
            question(&asked, true, Language::En),
            "Kubefob: may this server have tokens of \"acme\"?\n  \
             asked by \"kubectl\"\n  \
             server   https://api.acme.example:6443  (\"prod\")\n  \
             proxy    http://proxy.example:3128\n  \
             checked  by a certificate authority that the kubeconfig brings along\n  \
             beware   that proxy can read the token: proxy and authority are one file's\n  \
             file     \"/home/me/new.yaml\"\n  \
             issuer   https://login.acme.example\n  \
             vouched for by an authority that the file brings along\n  \
             client   \"kubernetes\"\n  \
             scopes   \"groups\"\n\
             Allow? y = always, o = this command only, N = no: "
        );
    }
}
