//! What a terminal shows of the view and of what was done: lines for people, JSON for programs.

use serde::Serialize;
use serde_json::json;

use crate::account::AccountId;
use crate::asker::Desktop;
use crate::broker::Broker;
use crate::clock::{Now, Wall};
use crate::outcome::{SignOutOutcome, Step};
use crate::plugin::{PluginView, Whose};
use crate::questions::{Listed, servers_line};
use crate::reach::TrayHost;
use crate::session::{self, StateWord};
use crate::settings::Keep;
use crate::short::{address, in_a_line, listed, name as named, quoted};
use crate::stanza::{Redirects, StanzaView};
use crate::texts::{Language, clean, shortened, text};
use crate::trust::{Answer, By, Question, ServerLine};
use crate::view::{AccountView, AskedView, ProblemView, QuestionView, StepView, TrustView, View};

/// How many characters an address, a path or an identifier has where it is listed. An account's name has fewer.
const LONGEST: usize = 512;

/// How many of the programs that wait for an account are named.
const WAITING: usize = 16;

/// A clock that is off by less than this is not worth a word.
const CLOCK_OFF: i64 = 5;

impl Broker {
    /// What is shown on the desktop: what differs is what counts for [`crate::event::Effect::Show`].
    #[must_use]
    pub fn view(&self, now: Now) -> View {
        self.view_in(now, self.settings.language)
    }

    /// What is shown, in a language.
    #[must_use]
    pub fn view_in(&self, now: Now, language: Language) -> View {
        let names = self.names();
        let mut accounts: Vec<AccountView> = self
            .persons_accounts()
            .map(|(id, account)| {
                let session = &account.session;
                let tokens = session.tokens();
                let skew = tokens.map(|tokens| tokens.skew_ms / 1000);
                AccountView {
                    id: id.as_str().to_owned(),
                    label: named(&account.label),
                    issuer: address(&account.key.issuer, LONGEST),
                    client_id: shortened(&clean(&account.key.client_id), LONGEST),
                    state: session::word(session, now),
                    is_new: session.never_held() && account.subject.is_none(),
                    name: account.name.as_deref().map(named),
                    groups: tokens
                        .map(|tokens| tokens.identity.groups.iter().map(|g| clean(g)).collect())
                        .unwrap_or_default(),
                    expires: tokens.map(|tokens| tokens.expires),
                    obtained: tokens.map(|tokens| tokens.obtained),
                    signed_in: tokens.map(|tokens| tokens.signed_in),
                    renews: session.refreshable() && self.kept_fresh(account),
                    survives: tokens.and_then(|tokens| {
                        let end = tokens.refresh_expires?;
                        let seconds = end.since(tokens.obtained).as_secs();
                        (seconds > 0 && session.refreshable()).then_some(seconds)
                    }),
                    tries_again: session
                        .tries_again(self.kept_fresh(account))
                        .map(|moment| self.wall_at(moment, now)),
                    since: account.since,
                    asked: account.asked.as_ref().map(|asked| AskedView {
                        at: asked.at,
                        by: clean(&asked.by),
                    }),
                    clock_off: skew.filter(|seconds| seconds.abs() >= CLOCK_OFF),
                    waiting: session
                        .waiting()
                        .take(WAITING)
                        .filter_map(|waiter| self.callers.get(&waiter.caller))
                        .map(|caller| clean(&caller.asker.program))
                        .collect(),
                    problem: session::problem(session).map(|problem| {
                        ProblemView::told(&problem.clone().of(self.about_by(&names, id)), language)
                    }),
                }
            })
            .collect();
        accounts.sort_by_key(|account| account.state != StateWord::NeedsYou);
        View {
            accounts,
            trusts: self.trust_views(),
            questions: self.question_views(),
            askers_ended: self.questions.askers_ended().cloned().collect(),
            keep: self.keep,
            language,
            chosen_language: self.settings.chosen_language,
            keep_fresh: self.settings.keep_fresh,
            theme: self.settings.theme,
            plugin: self.plugin.clone(),
            kubeconfig: self.kubeconfig.clone(),
            files: self.files.clone(),
            redirects: Redirects::default(),
            found: self.found_views(),
            notices: self
                .notices
                .iter()
                .chain(&self.last_switch.notice(now.moment))
                .chain(&self.unseen_dropped)
                .map(|notice| ProblemView::of(notice, language))
                .collect(),
            places: self.places.clone(),
            desktop: self.desktop,
            tray: self.reach.shown(self.desktop, now.moment),
            autostart: self.autostart,
        }
    }

    fn trust_views(&self) -> Vec<TrustView> {
        let label = |id| self.accounts.get(id).map(|account| named(&account.label));
        self.trust
            .always()
            .map(|(pair, approval)| TrustView {
                name: pair.name(),
                account: label(&pair.account).unwrap_or_else(|| pair.account.to_string()),
                server: pair.server.url().map(|url| address(url, LONGEST)),
                proxy: pair.server.proxy().map(|proxy| address(proxy, LONGEST)),
                authority: pair.server.authority(),
                server_name: pair.server.other_name().map(named),
                skips_tls: pair.server.skips_tls(),
                by: approval.by,
                at: approval.at,
                contexts: approval
                    .contexts
                    .iter()
                    .map(|context| named(context))
                    .collect(),
                file: approval
                    .file
                    .as_deref()
                    .map(|file| shortened(&in_a_line(file), LONGEST)),
            })
            .collect()
    }

    fn question_views(&self) -> Vec<QuestionView> {
        let lines = |lines: &[ServerLine]| lines.iter().map(cleaned).collect();
        self.questions
            .each()
            .map(
                |Listed {
                     name,
                     in_window,
                     waits,
                     account,
                     worded: question,
                 }| QuestionView {
                    name: name.to_owned(),
                    in_window,
                    waits,
                    account: named(&question.account),
                    who: self
                        .accounts
                        .get(account)
                        .and_then(|account| account.name.as_deref().map(named)),
                    issuer: clean(&question.issuer),
                    client_id: clean(&question.client_id),
                    scopes: question.scopes.iter().map(|scope| clean(scope)).collect(),
                    vouched: question.vouched.clone(),
                    servers: lines(&question.servers),
                    others: lines(&question.others),
                    more: question.more,
                    asker: named(&question.asker),
                    file: question.file.as_deref().map(clean),
                    changes: question.changes.clone(),
                    new_issuer: question.new_issuer,
                    longest: question.longest,
                    claims: question.claims.iter().map(|claim| named(claim)).collect(),
                },
            )
            .collect()
    }
}

fn cleaned(line: &ServerLine) -> ServerLine {
    ServerLine {
        server: clean(&line.server),
        contexts: line.contexts.iter().map(|name| named(name)).collect(),
        more: line.more,
        proxy: line.proxy.as_deref().map(clean),
        own_authority: line.own_authority,
        wary: line.wary.clone(),
    }
}

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

impl StepView {
    /// A step, in a language.
    pub(crate) fn of(step: &Step, language: Language) -> Self {
        match step {
            Step::Done => Self::Done,
            Step::Nothing => Self::Nothing,
            Step::NotOffered => Self::NotOffered,
            Step::Failed(problem) => Self::Failed {
                problem: ProblemView::of(problem, language),
            },
        }
    }
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
            ("servers", servers_line(&question.servers, language)),
        ],
    )])
}

/// After `kubectl fob add`.
#[must_use]
pub(crate) fn added(
    label: &str,
    id: &AccountId,
    known: bool,
    stanza: &StanzaView,
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

/// Whether a line that was typed after a question says yes, in any of our languages.
pub(crate) fn is_yes(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    ["y", "yes", "예", "네"].contains(&line.as_str())
}

pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn joined(lines: Vec<String>) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}
