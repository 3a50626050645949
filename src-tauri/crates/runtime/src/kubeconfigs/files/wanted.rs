//! A question, understood.

use std::sync::Arc;

use broker::asker::Asker;
use broker::command::Which;
use broker::credential::ExecVersion;
use broker::event::{Ask, Servers};
use broker::waiters::CallerId;

/// A credential plugin's question, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(super) account: Which,
    pub(super) version: ExecVersion,
    pub(super) servers: Arc<Servers>,
    /// Whether whoever asks named the server itself.
    pub(super) is_named: bool,
    pub(super) files: Arc<[String]>,
}

impl Wanted {
    /// The question, by who asks it; `by_client`: a client library runs the plugin.
    pub(crate) fn asked_by(self, caller: CallerId, asker: Asker, by_client: bool) -> Ask {
        let Self {
            account,
            version,
            servers,
            is_named: _,
            files,
        } = self;
        Ask {
            caller,
            asker,
            account,
            version,
            by_client,
            servers,
            files,
        }
    }
}
