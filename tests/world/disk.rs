//! A small disk that can be full, or read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::parts::Missing;

/// A small file system of its own; gone with this.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// Puts one in a folder's place, for us alone.
    ///
    /// # Errors
    /// [`Missing`], where nobody may mount.
    pub fn mount(at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        let options = "size=256k,mode=0700";
        if mount(&["-t", "tmpfs", "-o", options, "kubefob"], at)? {
            return Ok(Self(at.to_owned()));
        }
        Err(Missing {
            name: "a small disk".to_owned(),
            why: "mounting is not allowed here".to_owned(),
        }
        .into())
    }

    /// Makes it read-only (`ro`) or writable (`rw`).
    pub fn remount(&self, how: &str) -> Result<()> {
        ensure!(
            mount(&["-o", &format!("remount,{how}")], &self.0)?,
            "no {how}"
        );
        Ok(())
    }

    /// Takes all that is left, with a file that can be removed.
    pub fn fill(&self) -> Result<PathBuf> {
        let path = self.0.join("filler");
        let written = fs::write(&path, vec![0; 1 << 20]);
        ensure!(written.is_err(), "it is larger than that");
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(options: &[&str], at: &Path) -> Result<bool> {
    let status = Command::new("mount")
        .args(options)
        .arg(at)
        .stderr(Stdio::null())
        .status()?;
    Ok(status.success())
}
