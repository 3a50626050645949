//! Being started with the desktop.
//!
//! | name | is |
//! |---|---|
//! | `Entry` | what starts a program at a login: whether it is there, made, taken away |

use ring::digest::{SHA256, digest};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::Entry;
#[cfg(target_os = "macos")]
pub(crate) use macos::Entry;
#[cfg(windows)]
pub(crate) use windows::Entry;

/// A name of it: an instance (KUBEFOB_HOME) has one of its own.
fn named(name: &str, instance: Option<&str>) -> String {
    let Some(instance) = instance else {
        return name.to_owned();
    };
    let digest = digest(&SHA256, instance.as_bytes());
    let short = digest.as_ref().iter().take(4);
    let short: String = short.map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{short}")
}
