//! The proxies that askers came with lately. An editor that the desktop started knows no proxy, and
//! the shell beside it does: where the provider can't be reached, its way is worth a try.

use std::time::Duration;

use crate::account::Proxies;
use crate::clock::Moment;

/// How many are remembered; each costs a failed try some seconds.
const MOST: usize = 3;
/// How long: a laptop's network changes within a day.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// The proxies that were seen, the newest first.
#[derive(Debug, Default)]
pub(crate) struct KnownProxies(Vec<(Proxies, Moment)>);

impl KnownProxies {
    /// An asker came with these. None at all are nothing to know.
    pub(crate) fn saw(&mut self, proxies: &Proxies, now: Moment) {
        let Proxies {
            https,
            http,
            all,
            no: _,
        } = proxies;
        if https.is_none() && http.is_none() && all.is_none() {
            return;
        }
        self.0.retain(|(known, _)| known != proxies);
        self.0.insert(0, (proxies.clone(), now));
        self.0.truncate(MOST);
    }

    /// Those to try after an asker's own.
    pub(crate) fn beside(&self, own: &Proxies, now: Moment) -> Vec<Proxies> {
        self.0
            .iter()
            .filter(|(known, at)| known != own && now.since(*at) <= LATELY)
            .map(|(known, _)| known.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(host: &str) -> Proxies {
        Proxies {
            https: Some(format!("http://{host}:3128")),
            ..Proxies::default()
        }
    }

    #[test]
    fn the_newest_few_are_known_for_a_day() {
        let mut known = KnownProxies::default();
        known.saw(&Proxies::default(), Moment(0));
        for (at, host) in ["a", "b", "c", "a", "d"].into_iter().enumerate() {
            known.saw(&proxy(host), Moment(at as u64));
        }
        let beside = known.beside(&proxy("d"), Moment(10));
        assert_eq!(beside, [proxy("a"), proxy("c")]);
        let day = Moment(0).after(LATELY);
        let beside = known.beside(&Proxies::default(), day.after(Duration::from_millis(3)));
        assert_eq!(beside, [proxy("d"), proxy("a")]);
    }
}
