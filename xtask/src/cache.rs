//! The folder outside the tree where fetched and built parts stay, keyed by version.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The cache folder. What stands in it under its final name is whole: everything is made in
/// `tmp/` and renamed.
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(crate) fn open() -> Result<Self> {
        let root = folder().context(
            "no place for the cache: set HOME, XDG_CACHE_HOME or KUBEFOB_CACHE to an absolute path",
        )?;
        fs::create_dir_all(root.join("bin"))
            .and_then(|()| fs::create_dir_all(root.join("logs")))
            .with_context(|| format!("the cache folder {} can't be made", root.display()))?;
        Ok(Self { root })
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// Waits until no other xtask fills this cache. Whoever holds the answer may write here.
    pub(crate) fn lock(&self) -> Result<Filling<'_>> {
        let path = self.root.join("lock");
        let file = File::create(&path).with_context(|| format!("can't make {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!(
                    "parts: another xtask is filling {}: waiting",
                    self.root.display()
                );
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error).context("the cache's lock"),
        }
        // Left by an xtask that was killed: nobody else can be using it now.
        remove(&self.root.join("tmp"))?;
        Ok(Filling {
            cache: self,
            _lock: file,
        })
    }
}

/// The right to write in the cache, for as long as it lives.
pub(crate) struct Filling<'cache> {
    pub(crate) cache: &'cache Cache,
    _lock: File,
}

impl Filling<'_> {
    /// An empty folder to make something in, on the cache's own file system.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let path = self.cache.root.join("tmp").join(name);
        remove(&path)?;
        fs::create_dir_all(&path).with_context(|| format!("can't make {}", path.display()))?;
        Ok(path)
    }

    /// Gives what was made in a scratch folder its final name.
    pub(crate) fn put(&self, made: &Path, name: impl AsRef<Path>) -> Result<PathBuf> {
        let path = self.cache.root.join(name);
        if made.is_dir() {
            remove(&path)?;
        }
        fs::rename(made, &path)
            .with_context(|| format!("can't move {} to {}", made.display(), path.display()))?;
        Ok(path)
    }
}

/// Removes a file or a folder with all that is in it; it may be gone already.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    removed.with_context(|| format!("can't remove {}", path.display()))
}

fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("KUBEFOB_CACHE")
        .or_else(|| absolute("XDG_CACHE_HOME").map(|path| path.join("kubefob")))
        .or_else(|| absolute("HOME").map(|path| path.join(".cache/kubefob")))
}
