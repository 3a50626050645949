//! Windows: a value of the user's `Run` key. It is shown in the system's settings among what starts with it.
#![allow(unsafe_code)] // the registry's functions

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY_CURRENT_USER, REG_SZ, RRF_RT_REG_SZ, RegDeleteKeyValueW, RegGetValueW, RegSetKeyValueW,
};

use super::named;

const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";

/// Ours.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    path: PathBuf,
    name: Vec<u16>,
    command: Vec<u16>,
}

impl Entry {
    /// That of this user, or of an instance of theirs.
    pub(crate) fn new(_home: &Path, program: &Path, instance: Option<&str>) -> Self {
        let name = named("Kubefob", instance);
        let program = program.display();
        let background = wire::start::BACKGROUND;
        let command = match instance {
            None => format!("\"{program}\" {background}"),
            // A path has no quotation marks here.
            Some(instance) => format!(
                "cmd /c \"set \"KUBEFOB_HOME={instance}\" && start \"\" \"{program}\" {background}\""
            ),
        };
        Self {
            path: Path::new(RUN).join(&name),
            name: wide(&name),
            command: wide(&command),
        }
    }

    /// Where it is, in the registry.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there.
    pub(crate) fn is_on(&self) -> bool {
        let key = wide(RUN);
        // SAFETY: both texts end with zero and live through the call; nothing is written anywhere.
        let found = unsafe {
            RegGetValueW(
                HKEY_CURRENT_USER,
                key.as_ptr(),
                self.name.as_ptr(),
                RRF_RT_REG_SZ,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        found == ERROR_SUCCESS
    }

    /// Makes it or takes it away.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn set(&self, on: bool) -> io::Result<()> {
        let key = wide(RUN);
        let length = u32::try_from(size_of_val(self.command.as_slice()))
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: all texts end with zero and live through the call, and `length` is that of the command.
        let done = unsafe {
            if on {
                RegSetKeyValueW(
                    HKEY_CURRENT_USER,
                    key.as_ptr(),
                    self.name.as_ptr(),
                    REG_SZ,
                    self.command.as_ptr().cast(),
                    length,
                )
            } else {
                RegDeleteKeyValueW(HKEY_CURRENT_USER, key.as_ptr(), self.name.as_ptr())
            }
        };
        if done == ERROR_SUCCESS || (!on && done == ERROR_FILE_NOT_FOUND) {
            return Ok(());
        }
        let code = i32::try_from(done).unwrap_or(i32::MAX);
        Err(io::Error::from_raw_os_error(code))
    }
}

fn wide(text: &str) -> Vec<u16> {
    OsStr::new(text).encode_wide().chain([0]).collect()
}
