//! A question in words, and what is said where it is not answered.

use super::Waiting;
use crate::account::{AccountId, Tls};
use crate::accounts::Accounts;
use crate::asker::Asker;
use crate::callers::wish::Credential;
use crate::consent::trust::wary;
use crate::consent::{Consent, Facts, pair_of};
use crate::manner::{Change, Manner};
use crate::pair::{Candidate, Servers};
use crate::problem::Problem;
use crate::question::{Longest, Question, QuestionId, ServerLine, Vouched};
use crate::short::{self, ADDRESS, NAMES, address, few, name};
use crate::texts::{Language, text};

/// How many of the addresses that a container's own files name are shown.
const CLAIMS: usize = 3;

/// How many files.
const FILES: usize = 2;

/// How many contexts stand beside a server.
const CONTEXTS: usize = 3;

impl Consent {
    /// A question about these servers, in the words of whoever asks.
    pub(super) fn word_question(
        &self,
        asker: &Asker,
        credential: &Credential,
        needed: &[Candidate],
        others: &[Candidate],
        manner: &Manner,
        facts: Facts<'_>,
    ) -> Question {
        let id = &credential.account;
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
                wary: wary(&self.trust, &pair_of(id, candidate)),
            }
        };
        let account = facts.accounts.get(id);
        let key = account.map(|account| &account.key);
        let first = needed.first().map(|first| pair_of(id, first));
        let changes = first.map(|pair| self.changes(id, &pair, manner, facts.accounts));
        Question {
            account: account
                .map(|account| name(&account.label))
                .unwrap_or_default(),
            issuer: key
                .map(|key| address(&key.issuer, ADDRESS))
                .unwrap_or_default(),
            client_id: key
                .map(|key| short::path(&key.client_id))
                .unwrap_or_default(),
            scopes: key.map(|key| scopes(&key.scopes)).unwrap_or_default(),
            vouched: key.map(|key| vouched(&key.tls)).unwrap_or_default(),
            servers: needed.iter().map(line).collect(),
            others: others.iter().map(line).collect(),
            more: 0,
            file: files(needed),
            asker: name(&asker.program),
            new_issuer: key.is_some_and(|key| !self.is_used(&key.issuer, facts.accounts)),
            changes: changes.unwrap_or_default(),
            longest: super::longest(needed, asker),
            claims: claims(&credential.servers, asker.language),
        }
    }

    /// That a question is not answered, and how it can be.
    pub(super) fn not_trusted(&self, id: QuestionId) -> Problem {
        let question = self.questions.waiting.get(&id);
        let settings = question.filter(|question| self.asks_otherwise(question));
        let settings = settings.map(|question| flags_line(&question.worded.changes));
        let worded = question.map(|question| &question.worded);
        let server = worded.map(|worded| worded.servers_line(Language::En));
        let server = server.unwrap_or_default();
        let account = worded.map(|worded| worded.account.clone());
        let account = account.unwrap_or_default();
        let longest = worded.map_or(Longest::Always, |worded| worded.longest);
        let answer = match longest {
            Longest::Once | Longest::Always => "",
            Longest::Container => " --container",
        };
        let name = question.map(|question| question.name.as_str());
        let command = format!("kubectl fob trust {}{answer}", name.unwrap_or_default());
        match (longest, settings) {
            (Longest::Once, _) => Problem::NotTrustedUnseen { account },
            (Longest::Container | Longest::Always, Some(settings)) => Problem::SettingsNotAllowed {
                account,
                settings,
                command,
            },
            (Longest::Container, None) => Problem::NotTrustedContainer { account, command },
            (Longest::Always, None) => Problem::NotTrusted {
                server,
                account,
                command,
            },
        }
    }

    /// Whether a question is about the way to sign in alone: its servers have been approved.
    fn asks_otherwise(&self, question: &Waiting) -> bool {
        let approved = |candidate: &Candidate| {
            let pair = pair_of(&question.account, candidate);
            let within = |container| self.trust.is_within(&pair, container);
            self.trust.approval(&pair).is_some() || question.container.is_some_and(within)
        };
        !question.worded.changes.is_empty() && question.needed.iter().all(approved)
    }
}

/// A question about an account and one of its servers was closed.
pub(super) fn closed(id: &AccountId, candidate: &Candidate, accounts: &Accounts) -> Problem {
    Problem::QuestionClosed {
        account: accounts.label(id).unwrap_or_default().to_owned(),
        server: server_text(candidate, Language::En),
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
pub(in crate::consent) fn flags_line(changes: &[Change]) -> String {
    let changes = changes.iter();
    let changes = changes.map(|Change { flag, now, .. }| format!("{flag}={now}"));
    changes.collect::<Vec<_>>().join(" ")
}

pub(in crate::consent) fn server_text(candidate: &Candidate, language: Language) -> String {
    candidate.server.url().map_or_else(
        || text(language, "terminal.unknown-server", &[]),
        |url| address(url, ADDRESS),
    )
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
