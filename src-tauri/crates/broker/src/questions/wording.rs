//! A question in words, and what is said where it is not answered.

use crate::account::{AccountId, Tls};
use crate::asker::Asker;
use crate::broker::Broker;
use crate::event::{Candidate, QuestionId, Servers};
use crate::manner::{Change, Manner};
use crate::problem::{Code, Problem};
use crate::short::{
    self, ADDRESS, NAMES, address, address_within, columns, few, listed, name, quoted, within,
};
use crate::texts::{Language, text};
use crate::trust::{Longest, Question, ServerLine, Vouched, wary};

/// How many of the addresses that a container's own files name are shown.
const CLAIMS: usize = 3;

/// How many files.
const FILES: usize = 2;

/// How many contexts stand beside a server.
const CONTEXTS: usize = 3;

impl Broker {
    #[allow(
        clippy::too_many_arguments,
        reason = "whose, for what, from where, in which way, by whom"
    )]
    pub(super) fn word_question(
        &self,
        id: &AccountId,
        needed: &[Candidate],
        others: &[Candidate],
        more: usize,
        servers: &Servers,
        longest: Longest,
        manner: &Manner,
        asker: &Asker,
    ) -> Question {
        let line = |candidate: &Candidate| {
            let (contexts, more) = few(&candidate.contexts, CONTEXTS);
            ServerLine {
                server: server_text(candidate, asker.language),
                contexts,
                more,
                proxy: candidate
                    .server
                    .proxy()
                    .map(|proxy| address(proxy, ADDRESS)),
                own_authority: candidate.server.has_own_authority(),
                wary: wary(&self.trust, &super::pair_of(id, candidate)),
            }
        };
        let account = self.accounts.get(id);
        let first = needed.first().map(|first| super::pair_of(id, first));
        let changes = first.map(|pair| self.changes(id, &pair, manner));
        Question {
            account: account
                .map(|account| name(&account.label))
                .unwrap_or_default(),
            issuer: account
                .map(|account| address(&account.key.issuer, ADDRESS))
                .unwrap_or_default(),
            client_id: account
                .map(|account| short::path(&account.key.client_id))
                .unwrap_or_default(),
            scopes: account
                .map(|account| scopes(&account.key.scopes))
                .unwrap_or_default(),
            vouched: account
                .map(|account| vouched(&account.key.tls))
                .unwrap_or_default(),
            servers: needed.iter().map(line).collect(),
            others: others.iter().map(line).collect(),
            more,
            file: files(needed),
            asker: name(&asker.program),
            new_issuer: account.is_some_and(|account| !self.is_used(&account.key.issuer)),
            changes: changes.unwrap_or_default(),
            longest,
            claims: claims(servers, asker.language),
        }
    }

    pub(super) fn not_trusted(&self, id: QuestionId) -> Problem {
        let question = self.questions.waiting.get(&id);
        let servers = question.map(|question| servers_line(&question.worded.servers, Language::En));
        let account = question.map(|question| question.worded.account.clone());
        let longest = question.map(|question| question.worded.longest);
        let otherwise = question.is_some_and(|question| self.asks_otherwise(question));
        let (code, answer) = match longest {
            Some(Longest::Once) => (Code::NotTrustedUnseen, ""),
            Some(Longest::Container) if otherwise => (Code::SettingsNotAllowed, " --container"),
            Some(Longest::Container) => (Code::NotTrustedContainer, " --container"),
            Some(Longest::Always) | None if otherwise => (Code::SettingsNotAllowed, ""),
            Some(Longest::Always) | None => (Code::NotTrusted, ""),
        };
        let settings = question.map(|question| flags_line(&question.worded.changes));
        let name = question.map(|question| question.name.as_str());
        let command = format!("kubectl fob trust {}{answer}", name.unwrap_or_default());
        Problem::new(
            code,
            vec![
                ("settings", settings.unwrap_or_default()),
                ("server", servers.unwrap_or_default()),
                ("account", account.unwrap_or_default()),
                ("command", command),
            ],
        )
    }

    pub(super) fn closed(&self, id: QuestionId) -> Problem {
        let worded = self.questions.waiting.get(&id).map(|one| &one.worded);
        let servers = worded.map(|worded| servers_line(&worded.servers, Language::En));
        let account = worded.map(|worded| worded.account.clone());
        Problem::QuestionClosed {
            server: servers.unwrap_or_default(),
            account: account.unwrap_or_default(),
        }
    }

    pub(super) fn too_many_servers(&self, account: &AccountId, count: usize) -> Problem {
        let label = self.accounts.get(account).map(|known| name(&known.label));
        Problem::new(
            Code::TooManyServers,
            vec![
                ("account", label.unwrap_or_default()),
                ("count", short::count(count)),
            ],
        )
    }

    pub(super) fn problem_of(
        &self,
        code: Code,
        account: &AccountId,
        candidate: &Candidate,
    ) -> Problem {
        let label = self
            .accounts
            .get(account)
            .map(|account| account.label.clone());
        Problem::new(
            code,
            vec![
                ("account", label.unwrap_or_default()),
                ("server", server_text(candidate, Language::En)),
            ],
        )
    }
}

/// The files that name these servers, each once: which of them a file names is for a person to know who trusts one and
/// not the other.
fn files(needed: &[Candidate]) -> Option<String> {
    let mut files: Vec<&String> = Vec::new();
    for file in needed
        .iter()
        .filter_map(|candidate| candidate.file.as_ref())
    {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let shown = files.iter().take(FILES).map(|file| short::path(file));
    let mut shown = shown.collect::<Vec<_>>().join(", ");
    if files.len() > FILES {
        shown.push_str(", …");
    }
    (!files.is_empty()).then_some(shown)
}

/// Settings in a line, as flags are written.
pub(super) fn flags_line(changes: &[Change]) -> String {
    let changes = changes.iter();
    let changes = changes.map(|Change { flag, now, .. }| format!("{flag}={now}"));
    changes.collect::<Vec<_>>().join(" ")
}

fn server_text(candidate: &Candidate, language: Language) -> String {
    candidate.server.url().map_or_else(
        || text(language, "terminal.unknown-server", &[]),
        |url| address(url, ADDRESS),
    )
}

/// The first servers of a question in a line, and how many more there are.
pub(crate) fn servers_line(servers: &[ServerLine], language: Language) -> String {
    const FIRST: usize = 2;
    let (first, rest) = servers.split_at(servers.len().min(FIRST));
    let first: Vec<String> = first.iter().map(|line| line.server.clone()).collect();
    listed(&first, rest.len(), language)
}

/// What is asked for beyond the first few is said to be more: nobody reads a thousand.
fn scopes(scopes: &[String]) -> Vec<String> {
    let (mut shown, more) = few(scopes, NAMES);
    if more > 0 {
        shown.push(format!("… +{more}"));
    }
    shown
}

fn vouched(tls: &Tls) -> Vouched {
    let files = tls.ca_files.iter().take(NAMES);
    Vouched {
        files: files
            .map(|file| short::path(&file.to_string_lossy()))
            .collect(),
        written: !tls.ca_data.is_empty() || tls.ca_files.len() > NAMES,
    }
}

/// What the files of whoever asks say, where that can't be believed.
fn claims(servers: &Servers, language: Language) -> Vec<String> {
    let shown = servers.claims.iter().take(CLAIMS);
    let mut claims: Vec<_> = shown.map(|claim| address(claim, ADDRESS)).collect();
    let more = servers.claims.len().saturating_sub(CLAIMS);
    if more > 0 {
        let count = [("count", more.to_string())];
        claims.push(text(language, "terminal.claims-more", &count));
    }
    claims
}

/// How many columns a line of a question has: those of the smallest terminals. What is longer would go on in a line that
/// looks like one of ours.
const COLUMNS: usize = 79;
/// How few of them a value has, however long what stands around it is.
const LEAST: usize = 24;

/// The question as a terminal shows it: what decides it first. `waits`: somebody waits for the answer.
pub(super) fn prompt(question: &Question, waits: bool, language: Language) -> String {
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
            lines.push(text(language, wary.key(), &[]));
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
    use crate::trust::Wary;

    fn question(hostile: &str) -> Question {
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
                let shown = prompt(&question(hostile), true, language);
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
        let mut asked = question("prod");
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
            prompt(&asked, true, Language::En),
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
