//! Contexts: listing them, and making one the current one.
//!
//! What the kubeconfigs say comes in with the command; a change goes out as one effect, which locks, edits and writes,
//! and comes back with its outcome. A current context is always that of a file.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::argv::complete::Completing;
use crate::asker::Asker;
use crate::asking::{refuse, say};
use crate::broker::Broker;
use crate::clock::Now;
use crate::event::Effect;
use crate::kubeconfigs::undone::LastSwitch;
use crate::problem::{Code, Problem};
use crate::show::report::{joined, pretty};
use crate::texts::{Language, clean, text};

/// A person's command about contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextCommand {
    /// By which number it is answered.
    pub caller: CallerId,
    /// Who asks.
    pub asker: Asker,
    /// What for.
    pub wish: ContextWish,
    /// What the asker's kubeconfigs say.
    pub kubeconfigs: Kubeconfigs,
}

/// What is to be done with contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextWish {
    /// List them.
    List {
        /// As JSON.
        json: bool,
    },
    /// Make one the current one.
    Use {
        /// Its name.
        context: String,
        /// Tell the outcome as JSON.
        json: bool,
    },
    /// Complete the name of one.
    Complete(Completing),
}

/// A file set, merged as kubectl does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubeconfigs {
    /// The contexts, by name.
    pub contexts: Vec<Context>,
    /// The current one's name; it may lead nowhere.
    pub current: Option<String>,
    /// The file that a switch is written to (client-go `tools/clientcmd/config.go`: `ModifyConfig`, the default file).
    pub file: PathBuf,
}

/// A context, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The API server's address, where the cluster exists.
    pub server: Option<String>,
    /// The name of its user.
    pub user: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// The file that it stands in.
    pub file: String,
    /// The account that its user's `exec` makes, where it runs us.
    pub account: Option<AccountId>,
    /// Whether it calls us by kubelogin's name.
    pub kubelogin: bool,
}

/// A current context to be written, and who wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// By which number the outcome is told.
    pub caller: CallerId,
    /// Who asked.
    pub asker: Asker,
    /// The file.
    pub file: PathBuf,
    /// The context.
    pub context: String,
    /// The one before.
    pub previous: Option<String>,
    /// Tell the outcome as JSON.
    pub json: bool,
}

impl Broker {
    pub(crate) fn contexts(&self, command: ContextCommand, effects: &mut Vec<Effect>) {
        let ContextCommand {
            caller,
            asker,
            wish,
            kubeconfigs,
        } = command;
        match wish {
            ContextWish::List { json } => {
                let list = self.list(&kubeconfigs, json, asker.language);
                say(caller, list, effects);
            }
            ContextWish::Complete(completing) => {
                let names = kubeconfigs.contexts.into_iter();
                let names = names.map(|each| (each.name, each.server.unwrap_or_default()));
                say(caller, completing.told(names), effects);
            }
            ContextWish::Use { context, json } => {
                if !kubeconfigs.contexts.iter().any(|each| each.name == context) {
                    let problem = no_such(context, &kubeconfigs);
                    return refuse(caller, &problem, effects);
                }
                effects.push(Effect::Edit(Box::new(Edit {
                    caller,
                    asker,
                    file: kubeconfigs.file,
                    context,
                    previous: kubeconfigs.current,
                    json,
                })));
            }
        }
    }

    /// A change of a kubeconfig ended: with the context that was the file's before.
    pub(crate) fn edited(
        &mut self,
        edit: &Edit,
        outcome: Result<Option<String>, Problem>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let language = edit.asker.language;
        match outcome {
            // What was read when it was asked for can be another's by now. A file that had none left it to the next.
            Ok(before) => {
                self.last_switch =
                    LastSwitch::made(&edit.file, before.clone(), &edit.context, now.moment);
                let previous = before.or_else(|| edit.previous.clone());
                say(edit.caller, switched(edit, previous, language), effects);
            }
            Err(problem) => refuse(edit.caller, &problem, effects),
        }
    }

    fn list(&self, kubeconfigs: &Kubeconfigs, as_json: bool, language: Language) -> String {
        let account = |id| self.accounts.get(id).filter(|account| !account.unapproved);
        let label = |id| account(id).map(|account| clean(&account.label));
        let rows: Vec<Row> = kubeconfigs
            .contexts
            .iter()
            .map(|context| Row {
                name: clean(&context.name),
                current: kubeconfigs.current.as_ref() == Some(&context.name),
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
        let file = ("file", kubeconfigs.file.display().to_string());
        lines.push(match &kubeconfigs.current {
            Some(context) => text(
                language,
                "terminal.current-context",
                &[("context", context.clone()), file],
            ),
            None => text(language, "terminal.no-current-context", &[file]),
        });
        joined(lines)
    }
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

fn switched(edit: &Edit, previous: Option<String>, language: Language) -> String {
    let file = edit.file.display().to_string();
    if edit.json {
        return pretty(&json!({
            "context": edit.context, "previous": previous, "file": file
        }));
    }
    let mut parameters = vec![("context", edit.context.clone()), ("file", file)];
    let key = match previous {
        Some(previous) if previous == edit.context => "terminal.context-stays",
        Some(previous) => {
            parameters.push(("previous", previous));
            "terminal.context-switched-from"
        }
        None => "terminal.context-switched",
    };
    joined(vec![text(language, key, &parameters)])
}

fn no_such(name: String, kubeconfigs: &Kubeconfigs) -> Problem {
    let wanted = name.to_lowercase();
    let near: Vec<&str> = kubeconfigs
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .filter(|known| !wanted.is_empty() && known.to_lowercase().contains(&wanted))
        .take(3)
        .collect();
    if near.is_empty() {
        Problem::new(Code::NoSuchContext, vec![("name", name)])
    } else {
        let near = near.join(", ");
        Problem::new(
            Code::NoSuchContextNear,
            vec![("name", name), ("near", near)],
        )
    }
}
