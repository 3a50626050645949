//! For tests alone: a WebDriver may hold the window. The file `automation` of an instance (KUBEFOB_HOME) says at which
//! port it finds us, and how long a closed window lingers, in milliseconds.

use std::path::PathBuf;
use std::time::Duration;

/// Lets a driver in. For the start of the program.
pub(crate) fn allow() {
    if let Some(port) = word(0) {
        crate::os::set("WEBKIT_INSPECTOR_SERVER", &format!("127.0.0.1:{port}"));
        crate::os::set("TAURI_WEBVIEW_AUTOMATION", "true");
    }
}

pub(crate) fn linger() -> Option<Duration> {
    word(1).map(Duration::from_millis)
}

fn word(at: usize) -> Option<u64> {
    let file = PathBuf::from(std::env::var_os("KUBEFOB_HOME")?).join("automation");
    let text = std::fs::read_to_string(file).ok()?;
    text.split_whitespace().nth(at)?.parse().ok()
}
