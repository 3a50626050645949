//! A question in words, and what is said where it is not answered.

use crate::account::AccountId;
use crate::asker::Asker;
use crate::broker::Broker;
use crate::event::{Candidate, QuestionId, Servers};
use crate::manner::{Change, Manner};
use crate::problem::{Code, Problem};
use crate::short::{self, ADDRESS, NAMES, PATH, address, few, listed, name};
use crate::texts::{Language, shortened, text};
use crate::trust::{Longest, Question, ServerLine, wary};

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
                .map(|account| shortened(&account.key.client_id, PATH))
                .unwrap_or_default(),
            scopes: account
                .map(|account| scopes(&account.key.scopes))
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
    for file in needed.iter().filter_map(|candidate| candidate.file.as_ref()) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let shown = files.iter().take(FILES).map(|file| shortened(file, PATH));
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

/// The question as a terminal shows it. `waits`: somebody waits for the answer.
pub(super) fn prompt(question: &Question, waits: bool, language: Language) -> String {
    let mut lines = vec![text(
        language,
        "terminal.trust.title",
        &[
            ("account", question.account.clone()),
            ("issuer", question.issuer.clone()),
            ("client", question.client_id.clone()),
        ],
    )];
    for server in &question.servers {
        lines.push(text(
            language,
            "terminal.trust.server",
            &[
                ("server", server.server.clone()),
                ("contexts", listed(&server.contexts, server.more, language)),
            ],
        ));
        for wary in &server.wary {
            lines.push(text(language, wary.key(), &[]));
        }
    }
    if let Some(file) = &question.file {
        lines.push(text(
            language,
            "terminal.trust.file",
            &[("file", file.clone())],
        ));
    }
    for Change { flag, was, now } in &question.changes {
        let change = [
            ("flag", flag.clone()),
            ("was", was.clone()),
            ("now", now.clone()),
        ];
        lines.push(text(language, "terminal.trust.change", &change));
    }
    if !question.claims.is_empty() {
        let claims = [("servers", question.claims.join(", "))];
        lines.push(text(language, "terminal.trust.claims", &claims));
    }
    lines.push(text(
        language,
        "terminal.trust.asker",
        &[("asker", question.asker.clone())],
    ));
    if question.new_issuer {
        let issuer = [("issuer", question.issuer.clone())];
        lines.push(text(language, "terminal.trust.new-issuer", &issuer));
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
