//! Faults that wait for their requests.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Endpoint, Fault, Stage};

/// A fault, where it strikes and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Armed {
    /// What.
    pub fault: Fault,
    /// Where; empty: wherever at the provider it means something.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// How many requests are left; absent: until it is lifted.
    #[serde(default)]
    pub count: Option<u32>,
}

impl Armed {
    /// At `endpoint` (too).
    #[must_use]
    pub fn and_at(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// For the next `count` requests that it touches.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Whether a request at `endpoint` is touched.
    pub(crate) fn strikes(&self, endpoint: Endpoint) -> bool {
        if self.endpoints.is_empty() {
            endpoint != Endpoint::Kubernetes && self.fault.concerns(endpoint)
        } else {
            self.endpoints.contains(&endpoint)
        }
    }

    /// Refuses what could never take effect, so that no test waits for it.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for &endpoint in &self.endpoints {
            anyhow::ensure!(
                self.fault.concerns(endpoint),
                "{:?} means nothing at {endpoint:?}",
                self.fault
            );
        }
        anyhow::ensure!(self.count != Some(0), "a fault that strikes 0 times");
        anyhow::ensure!(
            self.count.is_none() || self.fault.stage() != Stage::Listener,
            "{:?} lasts until it is lifted and can't be counted",
            self.fault
        );
        Ok(())
    }
}

impl From<Fault> for Armed {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            endpoints: Vec::new(),
            count: None,
        }
    }
}

/// Names an armed fault, to lift it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultId(pub u64);

/// What is armed now.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<(u64, Vec<(FaultId, Armed)>)>,
}

impl Faults {
    pub(crate) fn arm(&self, armed: Armed) -> FaultId {
        let mut table = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        table.0 += 1;
        let id = FaultId(table.0);
        table.1.push((id, armed));
        id
    }

    pub(crate) fn new_id(&self) -> FaultId {
        let mut table = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        table.0 += 1;
        FaultId(table.0)
    }

    pub(crate) fn lift(&self, id: Option<FaultId>) {
        let mut table = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        table.1.retain(|(its, _)| id.is_some_and(|id| id != *its));
    }

    pub(crate) fn all(&self) -> Vec<(FaultId, Armed)> {
        self.armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .clone()
    }

    /// Offers each fault of `stage` that strikes `endpoint` to `apply`, and counts those that it
    /// says it used.
    pub(crate) fn strike(
        &self,
        stage: Stage,
        endpoint: Endpoint,
        mut apply: impl FnMut(&Fault) -> bool,
    ) {
        let mut table = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        table.1.retain_mut(|(_, armed)| {
            if armed.fault.stage() != stage || !armed.strikes(endpoint) || !apply(&armed.fault) {
                return true;
            }
            let Some(left) = armed.count.as_mut() else {
                return true;
            };
            *left -= 1;
            *left > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_fault_strikes_so_often_and_only_where_aimed() {
        let faults = Faults::default();
        faults.arm(Fault::Garbage.at(Endpoint::Refresh).times(2));
        let hits = |endpoint| {
            let mut hits = 0;
            faults.strike(Stage::Instead, endpoint, |_| {
                hits += 1;
                true
            });
            hits
        };
        assert_eq!(hits(Endpoint::Token), 0);
        assert_eq!([1, 1, 0], [(); 3].map(|()| hits(Endpoint::Refresh)));
    }

    #[test]
    fn what_is_not_used_is_not_counted() {
        let faults = Faults::default();
        faults.arm(Fault::NoIdToken.times(1));
        faults.strike(Stage::Rewrite, Endpoint::Token, |_| false);
        assert_eq!(faults.all().len(), 1);
        faults.strike(Stage::Rewrite, Endpoint::Token, |_| true);
        assert_eq!(faults.all().len(), 0);
    }

    #[test]
    fn without_an_aim_kubernetes_is_spared() {
        assert!(!Armed::from(Fault::Garbage).strikes(Endpoint::Kubernetes));
        assert!(
            Fault::Garbage
                .at(Endpoint::Kubernetes)
                .strikes(Endpoint::Kubernetes)
        );
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Fault::NoPkce.at(Endpoint::Token).check().is_err());
        assert!(Fault::Offline.times(3).check().is_err());
        assert!(Fault::Garbage.times(0).check().is_err());
    }

    #[test]
    fn as_json() {
        let armed: Armed = serde_json::from_str(
            r#"{"fault": {"kind": "slow", "milliseconds": 5}, "endpoints": ["token"], "count": 1}"#,
        )
        .unwrap();
        assert_eq!(
            armed,
            Fault::Slow { milliseconds: 5 }.at(Endpoint::Token).times(1)
        );
        let armed: Armed = serde_json::from_str(r#"{"fault": {"kind": "huge"}}"#).unwrap();
        assert_eq!(
            armed,
            Armed::from(Fault::Huge {
                bytes: 10 * 1024 * 1024
            })
        );
    }
}
