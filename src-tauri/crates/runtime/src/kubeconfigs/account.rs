//! The account that a kubeconfig's stanza stands for.

use std::path::Path;
use std::sync::Arc;

use broker::argv::{self, Called};
use broker::command::{Flags, Invocation, Which};

/// The account that a stanza's arguments make.
pub(crate) fn account_of(arguments: &[String], folder: &Path, home: &Path) -> Option<Arc<Flags>> {
    let args: Vec<Vec<u8>> = arguments
        .iter()
        .map(|word| word.clone().into_bytes())
        .collect();
    let command = argv::parse(&Called {
        program: b"kubectl-oidc_login",
        args: &args,
        cwd: folder,
        home,
        exec_info: None,
    });
    let Ok(Invocation::GetToken(get_token)) = command else {
        return None;
    };
    match get_token.account {
        Which::Flags(flags) => Some(flags),
        Which::Named(_) => None,
    }
}
