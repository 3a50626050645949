//! What is under way: so many transactions, so many connections. Whoever wants to end or to become another
//! program waits until nothing is.

use std::sync::Arc;

use tokio::sync::watch;

/// The counts, shared by its clones.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay(Arc<watch::Sender<Counts>>);

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// What must come to its end: refreshes, sign-ins, sign-outs, questions on a page, writes.
    pub(crate) transactions: usize,
    /// Clients that have not got their last reply.
    pub(crate) connections: usize,
    /// Those of them that have been told to wait: a person or a provider takes its time.
    pub(crate) waiting: usize,
}

/// One more of something, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    under_way: UnderWay,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Transaction,
    Connection,
    Waiting,
}

impl UnderWay {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Counts::default())))
    }

    pub(crate) fn transaction(&self) -> Turn {
        self.turn(Kind::Transaction)
    }

    pub(crate) fn connection(&self) -> Turn {
        self.turn(Kind::Connection)
    }

    pub(crate) fn waiting(&self) -> Turn {
        self.turn(Kind::Waiting)
    }

    /// What is under way now.
    pub(crate) fn counts(&self) -> Counts {
        *self.0.borrow()
    }

    /// Waits until the counts are so.
    pub(crate) async fn until(&self, so: impl FnMut(&Counts) -> bool) {
        // The sender lives as long as we do, so it ends in no other way.
        drop(self.0.subscribe().wait_for(so).await);
    }

    fn turn(&self, kind: Kind) -> Turn {
        self.0.send_modify(|counts| *counts.of(kind) += 1);
        Turn {
            under_way: self.clone(),
            kind,
        }
    }
}

impl Counts {
    /// Nothing is under way.
    pub(crate) fn calm(&self) -> bool {
        *self == Self::default()
    }

    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Transaction => &mut self.transactions,
            Kind::Connection => &mut self.connections,
            Kind::Waiting => &mut self.waiting,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let kind = self.kind;
        self.under_way.0.send_modify(|counts| {
            let count = counts.of(kind);
            *count = count.saturating_sub(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_calm_when_the_last_has_come_to_its_end() {
        let under_way = UnderWay::new();
        assert!(under_way.counts().calm());
        let (one, two) = (under_way.transaction(), under_way.connection());
        let waits = tokio::spawn({
            let under_way = under_way.clone();
            async move { under_way.until(Counts::calm).await }
        });
        drop(one);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished(), "a connection is still there");
        drop(two);
        waits.await.unwrap();
    }
}
