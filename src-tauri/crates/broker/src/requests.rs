//! What a transaction with a provider needs, put together of what the rooms know.

use std::collections::BTreeSet;

use crate::account::{AccountId, AccountKey, ClientSettings, ListenAddress};
use crate::accounts::Accounts;
use crate::accounts::account::Account;
use crate::accounts::session::Attempt;
use crate::accounts::waiters::{CallerId, Wants};
use crate::asker::{Venue, venue};
use crate::callers::Callers;
use crate::callers::outcome::Outcome;
use crate::consent::{Consent, Facts, Standings};
use crate::credential::{TokenFacts, stated_expiry};
use crate::event::{AskPage, SignIn};
use crate::question::QuestionId;
use crate::settings::Settings;
use crate::texts::Language;
use crate::tokens::Tokens;
use crate::transaction::{
    AttemptId, Forget, Prompting, RefreshRequest, SignInRequest, SignOutRequest,
};

/// A refresh of the tokens that an account holds.
pub(crate) fn refresh(
    id: &AccountId,
    attempt: Attempt,
    settings: &Settings,
    facts: Facts<'_>,
) -> Option<RefreshRequest> {
    let account = facts.accounts.get(id)?;
    let tokens = account.session.tokens()?;
    let mut settings = settings_of(account, settings, facts);
    // The secret that works goes on being used; another one from newer flags gets its try when
    // the provider has refused (`Session::other_secret`, `tries` above one).
    if attempt.tries <= 1 || settings.client_secret.is_none() {
        settings.client_secret.clone_from(&tokens.client_secret);
    }
    Some(RefreshRequest {
        account: id.clone(),
        key: account.key.clone(),
        settings,
        tokens: tokens.clone(),
    })
}

/// A sign-in, for everybody who waits for it; `question` is to stand on its page.
pub(crate) fn sign_in(
    id: &AccountId,
    attempt: AttemptId,
    question: Option<QuestionId>,
    consent: &Consent,
    settings: &Settings,
    facts: Facts<'_>,
) -> Option<SignIn> {
    let account = facts.accounts.get(id)?;
    let callers = waiting(account);
    let known = callers.iter().filter_map(|id| facts.callers.get(*id));
    let wants_browser = known.clone().any(|caller| {
        venue(&caller.asker, facts.desktop) == Venue::Desktop
            && caller.wish.opens_browser() != Some(false)
    });
    let language = known.clone().map(|caller| caller.asker.language).next();
    let client = signs_in_as(account, &callers, question, consent, facts);
    Some(SignIn {
        attempt,
        open_browser: wants_browser && !client.skip_open_browser,
        question,
        request: SignInRequest {
            account: id.clone(),
            key: account.key.clone(),
            settings: with_ways(client, &account.key, settings, facts),
            known_secret: account.known_secret.clone(),
            expected_subject: account.subject.clone(),
            signed_in_at: account.signed_in_at.clone(),
            other_issuers: other_issuers(&account.key, consent, facts.accounts),
            question: question.and_then(|question| consent.questions().worded(question)),
            about: facts.accounts.about(id),
            language: language.unwrap_or_default(),
            prompt: Prompting::Allowed,
        },
    })
}

/// What whoever waits is handed, now that there is a token; none: it is over already. Who signs in is told that it is done.
pub(crate) fn handed_out(
    id: &AccountId,
    wants: Wants,
    signs_in: bool,
    facts: Facts<'_>,
) -> Option<Outcome> {
    let account = facts.accounts.get(id)?;
    if signs_in {
        let tokens = account.session.tokens();
        let name = tokens.map(|tokens| tokens.identity.name.clone());
        return Some(Outcome::SignedIn {
            account: account.label.clone(),
            name: name.unwrap_or_default(),
        });
    }
    let tokens = account.good(facts.now)?;
    let token = tokens.bearer.clone();
    Some(match wants {
        Wants::Renewal => Outcome::Renewed {
            account: account.label.clone(),
            name: tokens.identity.name.clone(),
            groups: tokens.identity.groups.clone(),
            expires: tokens.expires,
        },
        Wants::Credential(version) => {
            let expiry = stated_expiry(tokens, facts.now.wall);
            Outcome::Credential(version, token, expiry)
        }
        Wants::Token | Wants::SignIn => {
            let facts = TokenFacts {
                account: account.label.clone(),
                expires: tokens.expires,
            };
            Outcome::Token(token, facts)
        }
    })
}

/// Who waits for a sign-in to this account.
pub(crate) fn waiting(account: &Account) -> Vec<CallerId> {
    let waiting = account.session.waiting();
    waiting.map(|waiter| waiter.caller).collect()
}

/// A sign-out.
pub(crate) fn sign_out(
    id: &AccountId,
    tokens: Option<Tokens>,
    everywhere: bool,
    forget: Forget,
    settings: &Settings,
    facts: Facts<'_>,
) -> Option<SignOutRequest> {
    let account = facts.accounts.get(id)?;
    Some(SignOutRequest {
        account: id.clone(),
        key: account.key.clone(),
        settings: settings_of(account, settings, facts),
        tokens,
        everywhere,
        forget,
        at: facts.now.wall,
    })
}

/// A page that asks one question alone.
pub(crate) fn ask_page(
    id: QuestionId,
    consent: &Consent,
    accounts: &Accounts,
    callers: &Callers,
) -> Option<AskPage> {
    let (account_id, those) = consent.questions().asked_by(id)?;
    let account = accounts.get(account_id)?;
    let asker = those.iter().find_map(|caller| callers.asker(*caller));
    Some(AskPage {
        request: SignInRequest {
            account: account_id.clone(),
            key: account.key.clone(),
            settings: ClientSettings {
                // No provider comes back to it: the ports that one knows stay free for a sign-in.
                listen: vec![ListenAddress {
                    host: "127.0.0.1".to_owned(),
                    port: 0,
                }],
                redirect_url: None,
                ..account.settings.clone()
            },
            known_secret: None,
            expected_subject: None,
            signed_in_at: None,
            other_issuers: Vec::new(),
            question: consent.questions().worded(id),
            about: accounts.about(account_id),
            language: asker.map_or(Language::default(), |asker| asker.language),
            prompt: Prompting::Allowed,
        },
    })
}

/// How a sign-in that begins for these callers is made. Of an account that is nobody's yet: as the ask says whose
/// question is on its page. Else as the first of those says who may, or as the account's own.
fn signs_in_as(
    account: &Account,
    callers: &[CallerId],
    question: Option<QuestionId>,
    consent: &Consent,
    facts: Facts<'_>,
) -> ClientSettings {
    let asked = callers.iter().find_map(|caller| {
        let (asker, credential) = facts.callers.credential(*caller)?;
        let flags = credential.flags.as_ref()?;
        let on_its_page = account.unapproved
            && question.is_some_and(|question| consent.questions().is_asked_by(question, *caller));
        let may = || matches!(consent.standing_of(*caller, facts), Standings::Trusted);
        (on_its_page || may()).then(|| ClientSettings {
            proxies: asker.proxies.clone(),
            ..flags.settings().clone()
        })
    });
    asked.unwrap_or_else(|| account.settings.clone())
}

/// How an account signs in, with every way to its provider that is known by now.
fn settings_of(account: &Account, settings: &Settings, facts: Facts<'_>) -> ClientSettings {
    with_ways(account.settings.clone(), &account.key, settings, facts)
}

fn with_ways(
    client: ClientSettings,
    key: &AccountKey,
    settings: &Settings,
    facts: Facts<'_>,
) -> ClientSettings {
    facts
        .accounts
        .with_ways(client, &key.issuer, settings, facts.now)
}

/// The issuers of the person's other accounts.
fn other_issuers(key: &AccountKey, consent: &Consent, accounts: &Accounts) -> Vec<String> {
    let used = consent.used_issuers(accounts);
    let others: BTreeSet<_> = used.filter(|issuer| *issuer != key.issuer).collect();
    others.into_iter().map(str::to_owned).collect()
}
