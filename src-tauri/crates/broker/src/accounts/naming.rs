//! By which names people mean an account, and which name one may get.

use std::collections::BTreeMap;

use super::account::Account;
use super::{Accounts, Step};
use crate::account::{AccountId, AccountKey};
use crate::problem::{About, Problem};
use crate::texts::clean;

/// The longest value of any field that a person types, in bytes.
const LONGEST: usize = 2048;
/// The longest label, in characters: it stands in menus and on cards.
const LONGEST_LABEL: usize = 64;
/// How much of an id is enough to mean it.
const ENOUGH: usize = 4;

/// What names mean: one account, or several (none).
pub(crate) type Names<'a> = BTreeMap<String, Option<&'a AccountId>>;

impl Accounts {
    /// What a problem of an account is told with.
    pub(crate) fn about(&self, id: &AccountId) -> About {
        self.about_by(&self.names(), id)
    }

    /// The same, by [`names`](Self::names) for many. A command calls an account by its label, where that means it alone
    /// and can be typed.
    pub(crate) fn about_by(&self, names: &Names<'_>, id: &AccountId) -> About {
        let Some(account) = self.get(id) else {
            return About::default();
        };
        let label = account.label.as_str();
        let about = About::account(label, account.key.host());
        let is_others = names.get(label).is_some_and(|meant| *meant != Some(id));
        if is_others || clean(label) != label {
            about.called(id.as_str().get(..8).unwrap_or_default())
        } else {
            about
        }
    }

    /// What each name means in a command.
    pub(crate) fn names(&self) -> Names<'_> {
        let mut names = Names::new();
        for (id, account) in self.persons() {
            let key = &account.key;
            for name in [account.label.clone(), key.issuer.clone(), key.host()] {
                let meant = names.entry(name).or_insert(Some(id));
                *meant = meant.filter(|meant| *meant == id);
            }
        }
        names
    }

    /// The account that a name means: its label, its id or the beginning of it, its issuer or host. Without a name, the
    /// only one.
    pub(crate) fn named(&self, name: Option<&str>) -> Result<AccountId, Problem> {
        let fits = |account: &Account| {
            name.is_none_or(|name| {
                account.label == name || means(&account.key, account.id().as_str(), name)
            })
        };
        let mut found = self.persons().filter(|(_, account)| fits(account));
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            (None, _) => Err(Problem::NoSuchAccount {
                name: name.unwrap_or_default().to_owned(),
            }),
            (Some(_), Some(_)) => {
                let fitting = self.persons().filter(|(_, account)| fits(account));
                let names = fitting.map(|(id, account)| (account.label.clone(), id));
                Err(several(names))
            }
        }
    }

    /// Gives an account another label. Its key's name, if it has one, stays.
    pub(crate) fn rename(&mut self, id: &AccountId, label: &str) -> Result<Step, Problem> {
        let label = self.free_label(label, Some(id))?;
        if let Some(account) = self.get_mut(id) {
            account.label = label;
        }
        Ok(Step::WriteDown)
    }

    /// A label that no other account has.
    pub(super) fn free_label(
        &self,
        label: &str,
        but: Option<&AccountId>,
    ) -> Result<String, Problem> {
        let label = field("name", label)?;
        if label.chars().count() > LONGEST_LABEL {
            return Err(not_a_field("name"));
        }
        let mut others = self.persons().filter(|(id, _)| Some(*id) != but);
        if others.any(|(_, account)| account.label == label) {
            let name = label.to_owned();
            return Err(Problem::LabelTaken { name });
        }
        Ok(label.to_owned())
    }
}

/// Whether a name means an account by what it is: its issuer, its host, or the beginning of its id.
pub(crate) fn means(key: &AccountKey, id: &str, name: &str) -> bool {
    key.issuer == name || key.host() == name || (name.len() >= ENOUGH && id.starts_with(name))
}

/// Several accounts fit, and these are they.
pub(crate) fn several<'a>(accounts: impl Iterator<Item = (String, &'a AccountId)>) -> Problem {
    let brief = |id: &AccountId| id.as_str().get(..8).unwrap_or_default().to_owned();
    let names = accounts.map(|(name, id)| format!("{name} ({})", brief(id)));
    let names: Vec<_> = names.collect();
    Problem::WhichAccount {
        names: names.join(", "),
    }
}

/// What a person typed, without the blanks that come with pasting.
pub(super) fn field<'text>(name: &'static str, text: &'text str) -> Result<&'text str, Problem> {
    let text = text.trim();
    let harmful = |char: char| {
        char.is_control() || crate::texts::clean(&char.to_string()).starts_with('\u{fffd}')
    };
    if text.is_empty() || text.len() > LONGEST || text.chars().any(harmful) {
        return Err(not_a_field(name));
    }
    Ok(text)
}

pub(super) fn not_a_field(name: &'static str) -> Problem {
    Problem::BadField {
        field: name.to_owned(),
    }
}
