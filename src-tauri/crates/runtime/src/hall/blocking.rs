//! Work that may wait for a disk or a keyring, done beside the loop.

use broker::problem::Problem;

/// Does work on a thread where waiting is allowed.
///
/// # Errors
/// `Internal`: it panicked, or the resident ends.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let reason = error.to_string();
        Problem::Internal { reason }
    })
}
