//! Kubeconfigs changed.

use std::sync::Arc;

use broker::contexts::Edit;
use broker::event::Event;
use tokio::sync::Mutex;

use super::Hands;
use crate::hall::blocking::blocking;
use crate::kubeconfigs::edit::set_current_context;
use crate::kubeconfigs::settled::Ours;

/// Whose turn it is to change one.
pub(super) struct Edits {
    line: Arc<Mutex<()>>,
    ours: Ours,
}

impl Edits {
    pub(super) fn new(ours: Ours) -> Self {
        Self {
            line: Arc::default(),
            ours,
        }
    }

    /// One change after the other, as they were asked for: a crowd that tries one lock starves the unlucky.
    pub(super) fn edit(&self, hands: &Hands, edit: Box<Edit>) {
        let (inbox, ours) = (hands.inbox.clone(), self.ours.clone());
        let line = Arc::clone(&self.line);
        let turn = hands.under_way.transaction();
        tokio::spawn(async move {
            let first = line.lock_owned().await;
            let (file, context) = (edit.file.clone(), edit.context.clone());
            let change = blocking(move || set_current_context(&ours, &file, &context));
            let outcome = change.await.and_then(|outcome| outcome);
            inbox.event(Event::Edited(edit, outcome));
            drop(first);
            drop(turn);
        });
    }
}
