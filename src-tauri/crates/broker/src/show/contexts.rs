//! Contexts on a terminal.

use serde::Serialize;
use serde_json::json;

use super::report::{joined, pretty};
use crate::accounts::Accounts;
use crate::kubeconfigs::contexts::{ContextList, Switched};
use crate::texts::{Language, clean, text};

/// `kubectl fob contexts`.
pub(super) fn list(
    files: &ContextList,
    accounts: &Accounts,
    as_json: bool,
    language: Language,
) -> String {
    let account = |id| accounts.get(id).filter(|account| !account.unapproved);
    let label = |id| account(id).map(|account| clean(&account.label));
    let rows: Vec<Row> = files
        .contexts
        .iter()
        .map(|context| Row {
            name: clean(&context.name),
            current: files.current.as_ref() == Some(&context.name),
            server: context.server.as_deref().map(clean),
            user: clean(&context.user),
            account: context.account.as_ref().and_then(label),
            namespace: context.namespace.as_deref().map(clean),
            file: clean(&context.file),
        })
        .collect();
    if as_json {
        return pretty(&rows);
    }
    let mut lines = table(&rows);
    if rows.is_empty() {
        lines.push(text(language, "terminal.no-contexts", &[]));
    }
    let file = ("file", files.file.display().to_string());
    lines.push(match &files.current {
        Some(context) => text(
            language,
            "terminal.current-context",
            &[("context", context.clone()), file],
        ),
        None => text(language, "terminal.no-current-context", &[file]),
    });
    joined(lines)
}

/// A line of `kubectl fob contexts`.
#[derive(Serialize)]
struct Row {
    name: String,
    current: bool,
    server: Option<String>,
    user: String,
    account: Option<String>,
    namespace: Option<String>,
    file: String,
}

/// Name, server, and who signs in there: the account, or the kubeconfig's user where it is not one of ours.
fn table(rows: &[Row]) -> Vec<String> {
    let server = |row: &Row| row.server.clone().unwrap_or_else(|| "-".to_owned());
    let width = |text: &str| text.chars().count();
    let names = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
    let servers = rows
        .iter()
        .map(|row| width(&server(row)))
        .max()
        .unwrap_or(0);
    rows.iter()
        .map(|row| {
            let mark = if row.current { '*' } else { ' ' };
            let who = row.account.as_deref().unwrap_or(&row.user);
            format!(
                "{mark} {:names$}  {:servers$}  {who}",
                row.name,
                server(row)
            )
        })
        .collect()
}

/// After `kubectl fob use`.
pub(super) fn switched(switched: &Switched, as_json: bool, language: Language) -> String {
    let Switched {
        context,
        previous,
        file,
    } = switched;
    let file = file.display().to_string();
    if as_json {
        return pretty(&json!({ "context": context, "previous": previous, "file": file }));
    }
    let mut parameters = vec![("context", context.clone()), ("file", file)];
    let key = match previous {
        Some(previous) if previous == context => "terminal.context-stays",
        Some(previous) => {
            parameters.push(("previous", previous.clone()));
            "terminal.context-switched-from"
        }
        None => "terminal.context-switched",
    };
    joined(vec![text(language, key, &parameters)])
}
