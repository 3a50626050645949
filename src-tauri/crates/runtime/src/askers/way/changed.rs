//! When a way came to lead where it leads.

use std::path::Path;

use broker::clock::Wall;

use super::{Doubt, End, Pass, walk_by};
use crate::os::tree::{Standing, Tree};

/// When a way last came to lead where it leads, in seconds and nanoseconds of the system's clock. None: that can't be
/// told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed(Option<(i64, i64)>);

impl Default for Changed {
    fn default() -> Self {
        Self(Some((i64::MIN, 0)))
    }
}

impl Changed {
    /// That it can't be told.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// One part more, by when its content changed and when anything about it did.
    fn count(&mut self, pass: Pass, modified: (i64, i64), changed: (i64, i64)) {
        let counts = match pass {
            Pass::Link | Pass::End => Some(changed),
            // What is made or removed in it changes its content. But a folder that was renamed has changed since.
            // Both times of one change can differ a little.
            Pass::Folder => {
                (nanoseconds(changed) > nanoseconds(modified) + 100_000_000).then_some(changed)
            }
            Pass::Left | Pass::Missing => Some(changed.max(modified)),
        };
        if let (Some(latest), Some(counts)) = (&mut self.0, counts) {
            *latest = counts.max(*latest);
        }
    }

    /// Whether nothing has changed since it was so: a folder's own change is not seen any more once something was made
    /// in it.
    pub(crate) fn is_by(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Some(this), Some(other)) => this <= other,
            (None, Some(_)) | (Some(_) | None, None) => false,
        }
    }

    #[cfg(test)]
    pub(crate) fn test(at: u64) -> Self {
        Self(Some((at.cast_signed(), 0)))
    }

    /// On the clock.
    pub(crate) fn at(self) -> Option<Wall> {
        let (seconds, nanoseconds) = self.0?;
        let milliseconds = seconds.saturating_mul(1000);
        Some(Wall(milliseconds.saturating_add(nanoseconds / 1_000_000)))
    }
}

/// Walks a path as [`super::walk`] does, and finds out when it came to lead there, as far as the parts tell.
pub(crate) fn look<T: Tree>(
    tree: &T,
    standing: &Standing<T::Handle>,
    path: &Path,
) -> (Result<End<T::Handle>, Doubt>, Changed)
where
    T::Handle: Clone,
{
    let mut changed = Changed::default();
    let mut count = |pass: Pass, handle: &T::Handle| match tree.times(handle) {
        Ok((modified, at)) => changed.count(pass, modified, at),
        Err(_) => changed.0 = None,
    };
    let end = walk_by(tree, standing, path, &mut count);
    (end, changed)
}

fn nanoseconds((seconds, nanoseconds): (i64, i64)) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}
