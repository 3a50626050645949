//! Linux: a look-up in the kernel's own caches (openat2(2), `RESOLVE_CACHED`, since 5.12).

use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat2, statfs};
use rustix::io::Errno;

use super::Stamp;

/// A file's state, or that it is missing (`Some(None)`). None: it can't be told without a wait.
pub(crate) fn state(path: &Path) -> Option<Option<Stamp>> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Some(None),
        Err(_) => return None,
    };
    let stat = fstat(file).ok()?;
    Some(Some(Stamp {
        device: stat.st_dev,
        inode: stat.st_ino,
        length: u64::try_from(stat.st_size).ok()?,
        modified: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).ok()?),
        changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).ok()?),
    }))
}

/// Whether a file, or where it would be, is on a file system that nobody changes but through this
/// kernel. What is not known to be so is not.
pub(crate) fn local(path: &Path) -> bool {
    /// statfs(2): ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS, bcachefs.
    const LOCAL: [u64; 8] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0x0102_1994,
        0x794c_7630,
        0xf2f5_2010,
        0x2fc1_2fc1,
        0xca45_1a4e,
    ];
    let found = path.ancestors().find_map(|path| statfs(path).ok());
    found.is_some_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| LOCAL.contains(&kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_has_another_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // What is missing is known once it has been looked for.
        assert!(matches!(state(&path), None | Some(None)));
        std::fs::write(&path, "one").unwrap();
        let first = state(&path).unwrap().unwrap();
        assert_eq!(state(&path), Some(Some(first)));
        std::fs::write(folder.path().join("new"), "two").unwrap();
        std::fs::rename(folder.path().join("new"), &path).unwrap();
        let second = state(&path).unwrap().unwrap();
        assert!(second != first && second.length == first.length);
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(state(&path), None | Some(None)));
    }

    #[test]
    fn only_what_is_known_is_local() {
        assert!(!local(Path::new("/proc/self/status")));
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere/to/be/found");
        assert_eq!(local(&missing), local(folder.path()));
    }
}
