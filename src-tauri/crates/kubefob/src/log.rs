//! The log: what is told of it, and in which words. No secret reaches it, since none can be printed.

use std::path::Path;
use std::sync::Mutex;

use broker::problem::Problem;
use runtime::log::Log;
use tracing_subscriber::EnvFilter;

/// Logs to a file in this folder. What is logged is ours to say: no variable is asked, since a kubeconfig could
/// set it.
///
/// # Errors
/// Why there is no log. Everything else goes on without it.
pub(crate) fn start(folder: &Path) -> Result<(), Problem> {
    let log = Log::open(folder)?;
    let filter = EnvFilter::new("info,hyper=warn,reqwest=warn,rustls=warn,zbus=error");
    tracing_subscriber::fmt()
        .with_writer(Mutex::new(log))
        .with_ansi(false)
        .with_env_filter(filter)
        .init();
    Ok(())
}
