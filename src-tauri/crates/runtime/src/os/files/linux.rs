//! Linux: file systems by their kind (statfs(2)).

use std::path::Path;

use rustix::fs::statfs;

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
    fn only_what_is_known_is_local() {
        assert!(!local(Path::new("/proc/self/status")));
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere/to/be/found");
        assert_eq!(local(&missing), local(folder.path()));
    }
}
