//! Whether Kubefob is started with the desktop. The system keeps that, and its own settings may change it too.

use std::path::{Path, PathBuf};

use broker::problem::Problem;

use crate::os::autostart::Entry;

/// The person's choice, where the system keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Autostart(Entry);

impl Autostart {
    /// Of this user, or of an instance of theirs; `home` is that in which their desktop looks.
    pub(crate) fn new(home: &Path, program: &Path, instance: Option<&str>) -> Self {
        Self(Entry::new(home, program, instance))
    }

    /// Whether it is on.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_on()
    }

    /// Switches it.
    ///
    /// # Errors
    /// `AutostartFailed`.
    pub(crate) fn set(&self, on: bool) -> Result<(), Problem> {
        self.0.set(on).map_err(|error| {
            let path = self.0.path().display().to_string();
            Problem::AutostartFailed {
                path,
                reason: error.to_string(),
            }
        })
    }

    /// Takes it away, where it is ours.
    ///
    /// # Errors
    /// `AutostartFailed`.
    pub(crate) fn remove(&self) -> Result<(), Problem> {
        if self.is_on() {
            return self.set(false);
        }
        Ok(())
    }

    /// The folder in which something happens when the system's own settings change it. One that is not there is not
    /// worth a watch on what is above it.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let folder = self.0.path().parent()?;
        folder.is_dir().then(|| folder.to_owned())
    }
}
