//! The kubeconfigs that are looked at by themselves, and not for a question: the person's own, and those that askers
//! had.

use std::path::Path;

use broker::contexts::Context;
use broker::found::{Files as Surveyed, Stanza};
use broker::kubeconfig::{ContextEntry, Kubeconfig};
use kubeconfig::{FileSet, Merged};

use crate::kubeconfigs::account::account_of;
use crate::kubeconfigs::contexts::contexts;
use crate::kubeconfigs::files::Files;
use crate::os::files::regular::{Unread, open};
use crate::own::folders::below_home;

/// What they say. One that kubectl could not load either has nothing to show.
pub(crate) fn survey(files: &Files) -> Surveyed {
    let mut surveyed = Surveyed::default();
    let own = files.own_path();
    if let Ok(merged) = files.load_set(&FileSet::Optional(vec![own.clone()]), Path::new("/")) {
        surveyed.stanzas.extend(stanzas(files, &merged, &own));
        surveyed.own = Some(shown(files, merged, &own));
    }
    for file in files.seen().known() {
        if let Err(Unread::Missing | Unread::NotRegular) = open(&file) {
            files.seen().forget(&file);
            continue;
        }
        if file != own
            && let Ok(merged) = files.load_set(&FileSet::Explicit(file.clone()), Path::new("/"))
        {
            surveyed.stanzas.extend(stanzas(files, &merged, &file));
            surveyed.others.push(shown(files, merged, &file));
        }
    }
    surveyed
}

fn shown(files: &Files, merged: Merged, file: &Path) -> Kubeconfig {
    Kubeconfig {
        file: below_home(file, files.home()),
        path: file.display().to_string(),
        contexts: contexts(&merged, Path::new("/"), files.home())
            .into_iter()
            .map(context)
            .collect(),
        current: merged.current_context,
    }
}

/// Its users that run us and that a context uses.
fn stanzas(files: &Files, merged: &Merged, file: &Path) -> Vec<Stanza> {
    let stanza = |(name, user): (&String, &kubeconfig::User)| {
        let exec = user.exec.as_ref()?;
        let arguments = kubeconfig::shim_arguments(exec)?;
        let flags = account_of(arguments, Path::new("/"), files.home())?;
        let using = |(context, of): (&String, &kubeconfig::Context)| {
            (of.user == *name).then(|| context.clone())
        };
        let contexts: Vec<_> = merged.contexts.iter().filter_map(using).collect();
        (!contexts.is_empty()).then(|| Stanza {
            flags,
            contexts,
            file: below_home(file, files.home()),
            kubelogin: kubeconfig::by_kubelogins_name(exec),
        })
    };
    merged.users.iter().filter_map(stanza).collect()
}
fn context(context: Context) -> ContextEntry {
    ContextEntry {
        name: context.name,
        server: context.server,
        user: context.user,
        namespace: context.namespace,
        account: context.account.map(|id| id.to_string()),
        kubelogin: context.kubelogin,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::kubeconfigs::seen::MOST;

    const FILE: &str = "
current-context: a
clusters:
- {name: c, cluster: {server: 'https://c'}}
users:
- {name: u, user: {exec: {command: kubectl, args: [oidc-login, get-token, --oidc-issuer-url=https://i, --oidc-client-id=k]}}}
- {name: idle, user: {exec: {command: kubectl, args: [oidc-login, get-token, --oidc-issuer-url=https://j, --oidc-client-id=k]}}}
- {name: azure, user: {exec: {command: kubelogin, args: [get-token, --server-id, x]}}}
contexts:
- {name: a, context: {cluster: c, user: u}}
- {name: b, context: {cluster: c, user: azure}}
";

    #[test]
    fn the_own_file_is_shown_and_what_it_offers() {
        let home = tempfile::tempdir().unwrap();
        let files = Files::new(home.path().to_owned());
        assert_eq!(survey(&files).own.unwrap().contexts, []);
        fs::create_dir(home.path().join(".kube")).unwrap();
        fs::write(files.own_path(), FILE).unwrap();
        let surveyed = survey(&files);
        assert_eq!(surveyed.own.unwrap().file, "~/.kube/config");
        let [stanza] = surveyed.stanzas.as_slice() else {
            panic!("{:?}", surveyed.stanzas);
        };
        assert_eq!(stanza.flags.key().issuer, "https://i");
        assert_eq!(
            (stanza.contexts.as_slice(), stanza.kubelogin),
            (&["a".to_owned()][..], true)
        );
    }

    #[test]
    fn files_of_askers_are_known_while_they_are_there_and_not_all_of_them() {
        let home = tempfile::tempdir().unwrap();
        let files = Files::new(home.path().to_owned());
        let path = |number: usize| home.path().join(format!("{number}.yaml"));
        for number in 0..MOST + 3 {
            fs::write(path(number), FILE).unwrap();
            files.seen().saw(std::iter::once(path(number)));
        }
        files.seen().saw([path(5), files.own_path()].into_iter());
        let shown = |files: &Files| -> Vec<String> {
            survey(files)
                .others
                .into_iter()
                .map(|view| view.file)
                .collect()
        };
        let known = shown(&files);
        assert_eq!(known.len(), MOST - 1, "the own one is not shown twice");
        assert_eq!(known.first().map(String::as_str), Some("~/5.yaml"));
        assert!(!known.contains(&"~/0.yaml".to_owned()), "{known:?}");
        fs::remove_file(path(5)).unwrap();
        fs::create_dir(path(5)).unwrap();
        assert!(!shown(&files).contains(&"~/5.yaml".to_owned()));
        fs::remove_dir(path(5)).unwrap();
        fs::write(path(5), FILE).unwrap();
        assert!(
            !shown(&files).contains(&"~/5.yaml".to_owned()),
            "it was forgotten"
        );
    }
}
