//! The view, made of all that the machines know.

use std::collections::BTreeSet;

use super::view::{AccountView, FoundView, PluginView, ProblemView, QuestionView, TrustView, View};
use crate::account::AccountId;
use crate::accounts::Accounts;
use crate::accounts::account::LastUse;
use crate::accounts::session::{self, StateWord};
use crate::callers::Callers;
use crate::clock::{Ahead, Now};
use crate::consent::Consent;
use crate::consent::questions::Listed;
use crate::kubeconfigs::Kubeconfigs;
use crate::kubeconfigs::found::Stanza;
use crate::pair::Server;
use crate::question::ServerLine;
use crate::short::{address, in_a_line, listed, name as named};
use crate::stanza::Redirects;
use crate::surroundings::Surroundings;
use crate::texts::{Language, clean, shortened, text};

/// How many characters an address, a path or an identifier has where it is listed. An account's name has fewer.
const LONGEST: usize = 512;

/// How many of the programs that wait for an account are named.
const WAITING: usize = 16;

/// The most that is shown of what was found.
const MOST_FOUND: usize = 64;

/// A clock that is off by less than this is not worth a word.
const CLOCK_OFF: i64 = 5;

/// All that something is shown of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) accounts: &'a Accounts,
    pub(crate) callers: &'a Callers,
    pub(crate) consent: &'a Consent,
    pub(crate) kubeconfigs: &'a Kubeconfigs,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) clock: Ahead,
}

impl Shown<'_> {
    /// What refuses fresh tokens of an account, each said once. Where a client's servers can't be told apart, it is one of
    /// them.
    fn refused_by(&self, id: &AccountId, now: Now, language: Language) -> Vec<String> {
        let name = |server: &Server| {
            server.url().map_or_else(
                || text(language, "terminal.unseen-server", &[]),
                |url| address(url, LONGEST),
            )
        };
        let all = self.accounts.held.refusing(id, now.wall);
        let said: BTreeSet<String> = all
            .map(|servers| match servers {
                [server] => name(server),
                several => {
                    let names: Vec<String> = several.iter().map(name).collect();
                    let servers = listed(&names, 0, language);
                    text(language, "terminal.one-of", &[("servers", servers)])
                }
            })
            .collect();
        said.into_iter().collect()
    }

    /// What is shown, in a language.
    pub(crate) fn view(&self, now: Now, language: Language) -> View {
        let around = self.surroundings;
        let names = self.accounts.names();
        let mut accounts: Vec<AccountView> = self
            .accounts
            .persons()
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
                    renews: session.refreshable() && self.accounts.renews(account),
                    survives: tokens.and_then(|tokens| {
                        let end = tokens.refresh_expires?;
                        let seconds = end.since(tokens.obtained).as_secs();
                        (seconds > 0 && session.refreshable()).then_some(seconds)
                    }),
                    tries_again: session
                        .tries_again(self.accounts.renews(account))
                        .map(|moment| self.clock.wall_at(moment, now)),
                    since: account.since,
                    asked: account.used.as_ref().map(|asked| LastUse {
                        at: asked.at,
                        by: clean(&asked.by),
                    }),
                    clock_off: skew.filter(|seconds| seconds.abs() >= CLOCK_OFF),
                    waiting: session
                        .waiting()
                        .take(WAITING)
                        .filter_map(|waiter| self.callers.get(waiter.caller))
                        .map(|caller| clean(&caller.asker.program))
                        .collect(),
                    refused_by: self.refused_by(id, now, language),
                    problem: session::problem(session, now).map(|problem| {
                        let about = self.accounts.about_by(&names, id);
                        ProblemView::told(&problem.of(about), language)
                    }),
                }
            })
            .collect();
        accounts.sort_by_key(|account| account.state != StateWord::NeedsYou);
        View {
            accounts,
            trusts: self.trust_views(),
            questions: self.question_views(),
            askers_ended: self.consent.questions().askers_ended().cloned().collect(),
            keep: around.keep,
            language,
            chosen_language: around.settings.chosen_language,
            keep_fresh: around.settings.keep_fresh,
            theme: around.settings.theme,
            plugin: around.plugin.as_ref().map(PluginView::of),
            kubeconfig: self.kubeconfigs.own().cloned(),
            files: self.kubeconfigs.others().to_vec(),
            redirects: Redirects::default(),
            found: self.found_views(),
            notices: around
                .notices
                .iter()
                .chain(&self.kubeconfigs.notice(now.moment))
                .chain(&around.unseen_dropped)
                .map(|notice| ProblemView::of(notice, language))
                .collect(),
            places: around.places.clone(),
            desktop: around.desktop,
            tray: around.tray(now.moment),
            autostart: around.autostart,
        }
    }

    fn trust_views(&self) -> Vec<TrustView> {
        let label = |id| self.accounts.label(id).map(named);
        self.consent
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
        self.consent
            .questions()
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

    /// What makes an account that does not exist yet, each once.
    fn found_views(&self) -> Vec<FoundView> {
        let mut views: Vec<FoundView> = Vec::new();
        let new = |stanza: &&Stanza| !self.accounts.is_persons(stanza.flags.id());
        for stanza in self.kubeconfigs.stanzas().iter().filter(new) {
            let id = stanza.flags.id().as_str();
            let contexts = stanza.contexts.iter().map(|name| clean(name));
            let file = clean(&stanza.file);
            if let Some(view) = views.iter_mut().find(|view| view.id == id) {
                view.contexts.extend(contexts);
                view.kubelogin |= stanza.kubelogin;
                if !view.files.contains(&file) {
                    view.files.push(file);
                }
            } else if views.len() < MOST_FOUND {
                let key = stanza.flags.key();
                views.push(FoundView {
                    id: id.to_owned(),
                    issuer: clean(&key.issuer),
                    client_id: clean(&key.client_id),
                    contexts: contexts.collect(),
                    files: vec![file],
                    kubelogin: stanza.kubelogin,
                });
            }
        }
        views
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
