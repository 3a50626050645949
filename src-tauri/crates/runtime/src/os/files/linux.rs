//! Linux: file systems by their kind (statfs(2)).

use std::fs::File;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2, statfs};

use crate::os::files::regular::bounded;

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

/// A regular file as a process with a root of its own finds it, up to so many bytes. No link leads out of that root.
pub(crate) fn inside(pid: u32, path: &Path, most: u64) -> Option<Vec<u8>> {
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat2(
        CWD,
        format!("/proc/{pid}/root"),
        folder,
        Mode::empty(),
        ResolveFlags::empty(),
    );
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(root.ok()?, path, flags, Mode::empty(), within).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    bounded(&file, most).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_read_as_it_is_there() {
        let me = std::process::id();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(inside(me, &path, 4).as_deref(), Some(&b"text"[..]));
        assert_eq!(inside(me, &path, 3), None, "longer");
        assert_eq!(inside(me, folder.path(), 99), None, "a folder");
        assert_eq!(inside(me, Path::new("/dev/zero"), 99), None, "endless");
        let magic = Path::new("/proc/self/cwd/Cargo.toml");
        assert_eq!(inside(me, magic, 1 << 20), None, "ours, and not theirs");
        let status = std::process::Command::new("mkfifo")
            .arg(folder.path().join("pipe"))
            .status();
        assert!(status.unwrap().success());
        assert_eq!(inside(me, &folder.path().join("pipe"), 99), None);
    }

    #[test]
    fn only_what_is_known_is_local() {
        assert!(!local(Path::new("/proc/self/status")));
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere/to/be/found");
        assert_eq!(local(&missing), local(folder.path()));
    }
}
