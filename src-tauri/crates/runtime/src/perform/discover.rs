//! A provider looked at, before there is an account of it.

use broker::event::Event;
use broker::transaction::DiscoverRequest;
use broker::waiters::CallerId;

use super::Hands;
use crate::clock;
use crate::kubeconfigs::files;

/// Looks at a provider, and says what it announces.
pub(super) fn discover(hands: &Hands, caller: CallerId, request: DiscoverRequest) {
    let inbox = hands.inbox.clone();
    let turn = hands.under_way.transaction();
    tokio::spawn(async move {
        let announced = async {
            let trusted = files::trusted(&request.key).await?;
            provider::announced(&request, &trusted, &clock::wall).await
        };
        inbox.event(Event::Discovered(caller, announced.await));
        drop(turn);
    });
}
