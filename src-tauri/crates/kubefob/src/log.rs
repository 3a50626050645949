//! The log: one file, set aside at a megabyte. No secret reaches it, since none can be printed.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// How long the file may get before it is set aside at a start.
const MOST: u64 = 1024 * 1024;

/// Logs to `kubefob.log` in a folder. What is logged is ours to say: no variable is asked, since a
/// kubeconfig could set it.
pub(crate) fn start(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join("kubefob.log");
    if std::fs::metadata(&path).is_ok_and(|found| found.len() > MOST) {
        std::fs::rename(&path, path.with_extension("log.old")).context("log")?;
    }
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options
        .open(&path)
        .with_context(|| path.display().to_string())?;
    let filter = EnvFilter::new("info,hyper=warn,reqwest=warn,rustls=warn,zbus=error");
    tracing_subscriber::fmt()
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_env_filter(filter)
        .init();
    Ok(())
}
