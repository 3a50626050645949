//! What there is before anybody is served: what was kept, or the first start.

use broker::broker::Broker;
use broker::event::{Effect, Event, Found, Kept};
use broker::problem::Problem;

use crate::clock;
use crate::own::store::Store;

/// What there is before anybody is served.
pub(super) struct Opening {
    pub(super) broker: Broker,
    /// What it has decided already.
    pub(super) effects: Vec<Effect>,
    /// What the disk did not take, and why.
    pub(super) owed: Option<(Box<Kept>, Problem)>,
}

/// The first start: what was found is trusted in bulk, once that it was is on disk. Where it can't be, nothing is: each
/// start would be a first one, and trust again what was taken back.
pub(super) fn first(store: &Store, broker: &impl Fn(Kept) -> Broker, found: Vec<Found>) -> Opening {
    let mut trusting = broker(Kept::default());
    let mut effects = trusting.handle(Event::FirstStart(found), clock::now());
    let mut kept = Kept::default();
    effects.retain_mut(|effect| {
        let Effect::Keep(newest) = effect else {
            return true;
        };
        kept = *std::mem::take(newest);
        false
    });
    match store.write(kept) {
        Ok(()) => Opening {
            broker: trusting,
            effects,
            owed: None,
        },
        Err(problem) => Opening {
            broker: broker(Kept::default()),
            effects: Vec::new(),
            owed: Some((Box::default(), problem)),
        },
    }
}
