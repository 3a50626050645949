//! The file sets that a process can have read.

use std::sync::Arc;

use broker::clock::Moment;
use kubeconfig::Config;

use super::versions::Before;

/// What a file said, until when; and what it says now, if it is there.
pub(super) type File = (Before, Option<Arc<Config>>);

/// The file sets that a process can have read since it started: one for each time that one of its files changed, and
/// what they are now, last. Each file comes with its versions of then, in order, and with what it is now.
pub(super) fn sets(files: &[File]) -> Vec<Vec<Arc<Config>>> {
    let mut times: Vec<Moment> = files
        .iter()
        .flat_map(|(before, _)| before.iter().map(|(until, _)| *until))
        .collect();
    times.sort_unstable();
    times.dedup();
    let until = |time: Option<Moment>| {
        let of = |(before, now): &File| {
            let then = time.and_then(|time| before.iter().find(|(until, _)| *until >= time));
            then.map_or_else(|| now.clone(), |(_, config)| config.clone())
        };
        files.iter().filter_map(of).collect::<Vec<_>>()
    };
    let mut sets: Vec<Vec<Arc<Config>>> = Vec::new();
    for set in times.into_iter().map(Some).chain([None]).map(until) {
        // What was put back is not looked at twice; what is now stays last.
        sets.retain(|other| !is_same(other, &set));
        sets.push(set);
    }
    sets
}

fn is_same(one: &[Arc<Config>], other: &[Arc<Config>]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| Arc::ptr_eq(one, other))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(current: &str) -> Config {
        let text = format!("current-context: '{current}'");
        kubeconfig::load(Path::new("/k"), text.as_bytes()).unwrap()
    }

    fn says(config: &Config) -> &str {
        config.current_context.as_deref().unwrap()
    }

    #[test]
    fn a_set_is_what_its_files_were_together() {
        let file = |before: &[(u64, &str)], now: Option<&str>| {
            let before = before
                .iter()
                .map(|(until, current)| (Moment(*until), Some(Arc::new(config(current)))));
            (before.collect(), now.map(|now| Arc::new(config(now))))
        };
        let files = [
            file(&[(10, "a"), (30, "b")], Some("c")),
            file(&[(20, "x")], Some("y")),
            file(&[(20, "gone")], None),
        ];
        let sets: Vec<Vec<String>> = sets(&files)
            .iter()
            .map(|set| set.iter().map(|config| says(config).to_owned()).collect())
            .collect();
        let expected = [
            vec!["a", "x", "gone"],
            vec!["b", "x", "gone"],
            vec!["b", "y"],
            vec!["c", "y"],
        ];
        assert_eq!(sets, expected);
    }
}
