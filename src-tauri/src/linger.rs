//! How long the process stays when its last window was closed, so that the next click finds it there.

use std::time::Duration;

const USUAL: Duration = Duration::from_secs(60);

#[cfg(not(feature = "automation"))]
pub(crate) fn time() -> Duration {
    USUAL
}

/// What a test that waits for it says.
#[cfg(feature = "automation")]
pub(crate) fn time() -> Duration {
    crate::automation::linger().unwrap_or(USUAL)
}
