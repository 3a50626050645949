//! macOS: the login keychain. Windows: the credential manager, which is never locked while one is signed in.
//! Type-checked, on Windows run under Wine.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::CredentialStore;

use super::{Found, System, Was, Watched};

pub(super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    #[cfg(target_os = "macos")]
    let store = apple_native_keyring_store::keychain::Store::new()?;
    #[cfg(windows)]
    let store = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

pub(super) fn modifiers() -> HashMap<&'static str, &'static str> {
    HashMap::new()
}

pub(super) fn before_reading(_: &System) -> Option<Found> {
    None
}

/// Neither system says when a keychain is unlocked; macOS itself asks the person when it is read.
pub(super) fn watch(_: &System, _: Was, _: bool) -> Watched {
    Watched::Blind
}
