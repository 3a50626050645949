//! A question in words, and what is said where it is not answered.

use crate::account::AccountId;
use crate::asker::Asker;
use crate::broker::Broker;
use crate::event::{Candidate, QuestionId};
use crate::problem::{Code, Problem};
use crate::texts::{Language, text};
use crate::trust::{Pair, Question, ServerLine, wary};

impl Broker {
    pub(super) fn word_question(
        &self,
        id: &AccountId,
        needed: &[Candidate],
        others: &[Candidate],
        file: Option<String>,
        asker: &Asker,
    ) -> Question {
        let line = |candidate: &Candidate| {
            let pair = Pair {
                account: id.clone(),
                server: candidate.server.clone(),
            };
            ServerLine {
                server: server_text(candidate, asker.language),
                contexts: candidate.contexts.clone(),
                wary: wary(&self.trust, &pair),
            }
        };
        let account = self.accounts.get(id);
        Question {
            account: account
                .map(|account| account.label.clone())
                .unwrap_or_default(),
            issuer: account
                .map(|account| account.key.issuer.clone())
                .unwrap_or_default(),
            client_id: account
                .map(|account| account.key.client_id.clone())
                .unwrap_or_default(),
            scopes: account
                .map(|account| account.key.scopes.clone())
                .unwrap_or_default(),
            servers: needed.iter().map(line).collect(),
            others: others.iter().map(line).collect(),
            file,
            asker: asker.program.clone(),
            new_issuer: account.is_some_and(|account| !self.is_used(&account.key.issuer)),
        }
    }

    pub(super) fn not_trusted(&self, id: QuestionId) -> Problem {
        let question = self.questions.waiting.get(&id);
        let servers = question.map(|question| {
            let servers = question
                .worded
                .servers
                .iter()
                .map(|line| line.server.clone());
            servers.collect::<Vec<_>>().join(", ")
        });
        let account = question.map(|question| question.worded.account.clone());
        Problem::new(
            Code::NotTrusted,
            vec![
                ("server", servers.unwrap_or_default()),
                ("account", account.unwrap_or_default()),
                ("command", format!("kubectl fob trust {}", id.name())),
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

fn server_text(candidate: &Candidate, language: Language) -> String {
    candidate.server.url().map_or_else(
        || text(language, "terminal.unknown-server", &[]),
        str::to_owned,
    )
}

/// The question as a terminal shows it.
pub(super) fn prompt(question: &Question, language: Language) -> String {
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
                ("contexts", server.contexts.join(", ")),
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
    lines.push(text(
        language,
        "terminal.trust.asker",
        &[("asker", question.asker.clone())],
    ));
    if question.new_issuer {
        let issuer = [("issuer", question.issuer.clone())];
        lines.push(text(language, "terminal.trust.new-issuer", &issuer));
    }
    lines.push(text(language, "terminal.trust.answers", &[]));
    lines.join("\n")
}
