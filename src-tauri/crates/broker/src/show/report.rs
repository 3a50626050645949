//! What a terminal shows of the view and of what was done: lines for people, JSON for programs.

use serde::Serialize;
use serde_json::{Value, json};

use super::view::{AccountView, PluginView, ProblemView, TrustView, View};
use crate::account::AccountId;
use crate::accounts::session::StateWord;
use crate::asker::Desktop;
use crate::clock::Wall;
use crate::consent::trust::By;
use crate::problem::Problem;
use crate::question::{Answer, Question};
use crate::settings::Keep;
use crate::short::{listed, quoted};
use crate::stanza::KubeconfigUser;
use crate::surroundings::plugin::Whose;
use crate::surroundings::reach::TrayHost;
use crate::texts::{Language, clean, text};
use crate::transaction::{SignOutOutcome, Step};

/// `kubectl fob status`.
#[must_use]
pub(crate) fn status(view: &View, as_json: bool, language: Language, now: Wall) -> String {
    if as_json {
        return pretty(view);
    }
    let mut lines: Vec<String> = Vec::new();
    if view.accounts.is_empty() && view.found.is_empty() {
        lines.push(text(language, "terminal.no-accounts", &[]));
    }
    if let Some(kubeconfig) = &view.kubeconfig
        && let Some(current) = &kubeconfig.current
    {
        lines.push(text(
            language,
            "terminal.kubeconfig",
            &[
                ("file", kubeconfig.file.clone()),
                ("context", current.clone()),
            ],
        ));
    }
    for account in &view.accounts {
        lines.push(account_line(account, language));
        lines.extend(token_line(account, language, now));
        if !account.groups.is_empty() {
            lines.push(text(
                language,
                "terminal.groups",
                &[("groups", listed(&account.groups, 0, language))],
            ));
        }
        if let Some(seconds) = account.clock_off {
            lines.push(apart(seconds, language));
        }
        if let Some(asked) = &account.asked {
            let parameters = [("by", asked.by.clone()), ("time", asked.at.rfc3339())];
            lines.push(text(language, "terminal.asked", &parameters));
        }
        for server in &account.refused_by {
            let parameters = [("server", server.clone())];
            lines.push(text(language, "terminal.refused-by", &parameters));
        }
        if let Some(problem) = &account.problem {
            lines.push(format!("  {}", problem.line()));
        }
    }
    for found in &view.found {
        let parameters = [
            ("issuer", found.issuer.clone()),
            ("client", found.client_id.clone()),
            ("contexts", listed(&found.contexts, 0, language)),
            ("file", listed(&found.files, 0, language)),
            ("name", found.id.get(..8).unwrap_or_default().to_owned()),
        ];
        lines.push(text(language, "terminal.found", &parameters));
    }
    for question in &view.questions {
        let key = if question.waits {
            "terminal.question-waits"
        } else {
            "terminal.question-stays"
        };
        lines.push(text(
            language,
            key,
            &[
                ("name", question.name.clone()),
                ("account", question.account.clone()),
                ("servers", question.servers_line(language)),
            ],
        ));
    }
    lines.extend(
        view.plugin
            .as_ref()
            .map(|plugin| plugin_line(plugin, language)),
    );
    lines.push(text(language, keep_key(view.keep), &[]));
    let reached = match (view.desktop, view.tray) {
        (Desktop::None, _) => Some("terminal.no-desktop"),
        (Desktop::Locked, _) => Some("terminal.screen-locked"),
        (Desktop::Unlocked, TrayHost::Missing) => Some("terminal.no-tray"),
        (Desktop::Unlocked, TrayHost::There | TrayHost::Unknown) => None,
    };
    lines.extend(reached.map(|key| text(language, key, &[])));
    lines.extend(view.notices.iter().map(ProblemView::line));
    joined(lines)
}

/// Until when the token is good, or was. One that had run out when it was sealed has no time.
fn token_line(account: &AccountView, language: Language, now: Wall) -> Option<String> {
    let expires = account.expires.filter(|expires| *expires > Wall(0))?;
    // Who says what is wrong does not say that all goes on by itself.
    let renews = account.renews && !account.state.needs_a_person();
    let key = match (renews, expires > now) {
        (true, true) => "terminal.renews",
        (true, false) => "terminal.renews-ended",
        (false, true) => "terminal.ends",
        (false, false) => "terminal.ended",
    };
    Some(text(language, key, &[("time", expires.rfc3339())]))
}

/// `kubectl fob accounts`.
#[must_use]
pub(crate) fn accounts(view: &View, as_json: bool, language: Language) -> String {
    if as_json {
        return pretty(&view.accounts);
    }
    if view.accounts.is_empty() {
        return joined(vec![text(language, "terminal.no-accounts", &[])]);
    }
    let lines = view.accounts.iter().map(|account| {
        format!(
            "{}  {}  {}",
            account.id.get(..8).unwrap_or_default(),
            account_line(account, language),
            account.issuer
        )
    });
    joined(lines.collect())
}

/// `kubectl fob trusts`.
#[must_use]
pub(crate) fn trusts(view: &View, as_json: bool, language: Language) -> String {
    if as_json {
        return pretty(&view.trusts);
    }
    if view.trusts.is_empty() {
        return joined(vec![text(language, "terminal.no-trusts", &[])]);
    }
    let lines = view.trusts.iter().map(|trust| {
        let by = match trust.by {
            By::FirstStart => "terminal.by.first-start",
            By::Page => "terminal.by.page",
            By::Window => "terminal.by.window",
            By::Terminal => "terminal.by.terminal",
        };
        let unknown = || text(language, "terminal.unknown-server", &[]);
        let mut remarks = vec![format!(
            "{} {}",
            text(language, by, &[]),
            trust.at.rfc3339()
        )];
        remarks.extend(trust_remarks(trust, language));
        if !trust.contexts.is_empty() {
            let contexts: Vec<_> = trust.contexts.iter().map(|name| quoted(name)).collect();
            remarks.push(listed(&contexts, 0, language));
        }
        format!(
            "{}  {}  ->  {}  ({})",
            trust.name,
            trust.account,
            trust.server.clone().unwrap_or_else(unknown),
            remarks.join("; ")
        )
    });
    joined(lines.collect())
}

/// What else tells a trusted server from one at the same address.
fn trust_remarks(trust: &TrustView, language: Language) -> Vec<String> {
    let with = |key, name, value: &Option<String>| {
        let value = value.clone()?;
        Some(text(language, key, &[(name, value)]))
    };
    let skips = trust
        .skips_tls
        .then(|| text(language, "terminal.trusts.skips-tls", &[]));
    let quoted_name = trust.server_name.as_deref().map(quoted);
    [
        with("terminal.trusts.proxy", "proxy", &trust.proxy),
        with("terminal.trusts.authority", "authority", &trust.authority),
        with("terminal.trusts.server-name", "name", &quoted_name),
        skips,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `kubectl fob trusts --pending`.
#[must_use]
pub(crate) fn questions(view: &View, as_json: bool, language: Language) -> String {
    if as_json {
        return pretty(&view.questions);
    }
    if view.questions.is_empty() {
        return joined(vec![text(language, "terminal.no-questions", &[])]);
    }
    let lines = view.questions.iter().map(|question| {
        format!(
            "{}  {}  ->  {}  ({})",
            question.name,
            question.account,
            question.servers_line(language),
            question.asker
        )
    });
    joined(lines.collect())
}

/// `kubectl fob version`.
#[must_use]
pub(crate) fn version(version: &str, as_json: bool) -> String {
    if as_json {
        pretty(&json!({ "kubefob": version }))
    } else {
        format!("kubefob {version}\n")
    }
}

/// After `kubectl fob login`.
#[must_use]
pub(crate) fn signed_in(account: &str, name: &str, as_json: bool, language: Language) -> String {
    if as_json {
        return pretty(&json!({ "account": account, "name": name, "state": "signed-in" }));
    }
    let parameters = [("account", account.to_owned()), ("name", name.to_owned())];
    joined(vec![text(language, "terminal.signed-in", &parameters)])
}

/// After `kubectl fob renew`: what the new token says, which is why somebody wanted it.
#[must_use]
pub(crate) fn renewed(
    account: &str,
    name: &str,
    groups: &[String],
    expires: Wall,
    as_json: bool,
    language: Language,
) -> String {
    if as_json {
        return pretty(&json!({
            "account": account, "name": name, "groups": groups, "expires": expires
        }));
    }
    let parameters = [
        ("account", account.to_owned()),
        ("name", name.to_owned()),
        ("time", expires.rfc3339()),
    ];
    let mut lines = vec![text(language, "terminal.renewed", &parameters)];
    if !groups.is_empty() {
        let groups: Vec<_> = groups.iter().map(|group| clean(group)).collect();
        let parameters = [("groups", listed(&groups, 0, language))];
        lines.push(text(language, "terminal.groups", &parameters));
    }
    joined(lines)
}

/// After `kubectl fob logout`.
#[must_use]
pub(crate) fn signed_out(
    account: &str,
    outcome: &SignOutOutcome,
    as_json: bool,
    language: Language,
) -> String {
    if as_json {
        return pretty(&json!({
            "account": account,
            "revocation": step_word(&outcome.revocation),
            "providerSession": outcome.provider_session.as_ref().map(step_word),
        }));
    }
    let parameters = [("account", account.to_owned())];
    let mut lines = vec![text(language, "terminal.signed-out", &parameters)];
    lines.extend(step_lines("revocation", &outcome.revocation, language));
    if let Some(step) = &outcome.provider_session {
        lines.extend(step_lines("provider-session", step, language));
    }
    joined(lines)
}

/// After a sign-out of which something still rests here: what became of it at the provider.
#[must_use]
pub(crate) fn signed_out_there(
    account: &str,
    outcome: &SignOutOutcome,
    as_json: bool,
    language: Language,
) -> String {
    if as_json {
        return signed_out(account, outcome, true, language);
    }
    let mut lines = step_lines("revocation", &outcome.revocation, language);
    if let Some(step) = &outcome.provider_session {
        lines.extend(step_lines("provider-session", step, language));
    }
    joined(lines)
}

/// After `kubectl fob remove`.
#[must_use]
pub(crate) fn removed(
    account: &str,
    contexts: &[String],
    outcome: Option<&SignOutOutcome>,
    as_json: bool,
    language: Language,
) -> String {
    if as_json {
        return pretty(&json!({
            "account": account,
            "revocation": outcome.map(|outcome| step_word(&outcome.revocation)),
            "contexts": contexts,
        }));
    }
    let parameters = [("account", account.to_owned())];
    let mut lines = vec![text(language, "terminal.removed", &parameters)];
    if let Some(outcome) = outcome {
        lines.extend(step_lines("revocation", &outcome.revocation, language));
    }
    if !contexts.is_empty() {
        let parameters = [("contexts", listed(contexts, 0, language))];
        lines.push(text(language, "terminal.removed.named", &parameters));
    }
    joined(lines)
}

/// After `kubectl fob reset`.
pub(super) fn reset(
    ended: &[(String, SignOutOutcome)],
    problems: &[Problem],
    settings: String,
    language: Language,
) -> String {
    let said = ended
        .iter()
        .map(|(account, ended)| signed_out(account, ended, false, language));
    let said: String = said.collect();
    let problems = problems.iter().map(|problem| problem.line(language));
    let lines = std::iter::once(text(language, "terminal.reset.done", &[]))
        .chain(problems)
        .chain([text(
            language,
            "terminal.reset.remains",
            &[("settings", settings)],
        )]);
    said + &joined(lines.collect())
}

/// How far the clocks differ. What is too much for seconds is said in days.
fn apart(seconds: i64, language: Language) -> String {
    const DAY: i64 = 86_400;
    if seconds.abs() < 2 * DAY {
        let parameters = [("seconds", seconds.to_string())];
        return text(language, "terminal.clock-off", &parameters);
    }
    let parameters = [("days", ((seconds.abs() + DAY / 2) / DAY).to_string())];
    text(language, "terminal.clock-off-days", &parameters)
}

fn step_word(step: &Step) -> &'static str {
    match step {
        Step::Done => "done",
        Step::Nothing => "nothing",
        Step::NotOffered => "not-offered",
        Step::Failed(_) => "failed",
    }
}

fn step_lines(what: &str, step: &Step, language: Language) -> Vec<String> {
    let key = format!("terminal.{what}.{}", step_word(step));
    let mut lines = vec![text(language, &key, &[])];
    if let Step::Failed(problem) = step {
        // What it would have one do is for a session that goes on, and this one is over.
        let (message, code) = (problem.message(language), problem.code().name());
        lines.push(format!("  {message} [{code}]"));
    }
    lines
}

/// After `kubectl fob trust`.
#[must_use]
pub(crate) fn answered(
    answer: Answer,
    question: &Question,
    as_json: bool,
    language: Language,
) -> String {
    let word = match answer {
        Answer::Once => "once",
        Answer::Container => "container",
        Answer::Always => "always",
        Answer::No => "no",
    };
    let servers: Vec<_> = question
        .servers
        .iter()
        .map(|line| line.server.clone())
        .collect();
    if as_json {
        return pretty(&json!({
            "answer": word, "account": question.account, "servers": servers
        }));
    }
    joined(vec![text(
        language,
        &format!("terminal.answered.{word}"),
        &[
            ("account", question.account.clone()),
            ("servers", question.servers_line(language)),
        ],
    )])
}

/// After `kubectl fob add`.
#[must_use]
pub(crate) fn added(
    label: &str,
    id: &AccountId,
    known: bool,
    stanza: &KubeconfigUser,
    as_json: bool,
    language: Language,
) -> String {
    if as_json {
        return pretty(&json!({
            "account": label, "id": id.as_str(), "known": known, "stanza": stanza
        }));
    }
    let key = if known {
        "terminal.added.known"
    } else {
        "terminal.added"
    };
    let parameters = [
        ("account", label.to_owned()),
        ("redirects", stanza.redirects.join(", ")),
        ("command", stanza.command.clone()),
    ];
    joined(vec![text(language, key, &parameters)])
}

/// After a command that has nothing more to say.
#[must_use]
pub(crate) fn done(what: &str, name: &str, as_json: bool, language: Language) -> String {
    if as_json {
        return pretty(&json!({ what: name }));
    }
    joined(vec![text(
        language,
        &format!("terminal.{what}"),
        &[("name", name.to_owned())],
    )])
}

/// Whose plugin answers `kubectl oidc-login`.
fn plugin_line(plugin: &PluginView, language: Language) -> String {
    let key = match plugin.is {
        Whose::Ours => "terminal.plugin.ours",
        Whose::Others => "terminal.plugin.others",
        Whose::Nobodys => "terminal.plugin.nobodys",
    };
    let parameters = [
        ("path", plugin.path.clone().unwrap_or_default()),
        ("command", plugin.remedy.clone().unwrap_or_default()),
    ];
    text(language, key, &parameters)
}

fn account_line(account: &AccountView, language: Language) -> String {
    let state = text(language, state_key(account.state), &[]);
    match &account.name {
        Some(name) => format!("{}  {state}  {name}", account.label),
        None => format!("{}  {state}", account.label),
    }
}

pub(crate) fn state_key(state: StateWord) -> &'static str {
    match state {
        StateWord::SignedOut => "state.signed-out",
        StateWord::SigningIn => "state.signing-in",
        StateWord::SignedIn => "state.signed-in",
        StateWord::Renewing => "state.renewing",
        StateWord::CannotReach => "state.cannot-reach",
        StateWord::NeedsYou => "state.needs-you",
        StateWord::Refused => "state.refused",
    }
}

fn keep_key(keep: Keep) -> &'static str {
    match keep {
        Keep::Unknown => "keep.unknown",
        Keep::Sealed => "keep.sealed",
        Keep::Plain => "keep.plain",
        Keep::MemoryLocked => "keep.memory-locked",
        Keep::MemoryNoKeyring => "keep.memory-no-keyring",
        Keep::MemoryKeyLost => "keep.memory-key-lost",
        Keep::MemoryNoDisk => "keep.memory-no-disk",
    }
}

/// JSON for programs, its keys as Kubernetes writes them. `docs/json.md` has the shape of each command's.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    let mut text = serde_json::to_string_pretty(&camel(value)).unwrap_or_default();
    text.push('\n');
    text
}

/// The same with each key in camelCase. Only our own names are keys: what people wrote stands in values.
fn camel(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter();
            let fields = fields.map(|(key, value)| (camel_key(&key), camel(value)));
            Value::Object(fields.collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(camel).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn camel_key(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

pub(crate) fn joined(lines: Vec<String>) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}
