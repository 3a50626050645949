//! Linux and macOS: owner, mode and extended attributes.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

const STICKY: u32 = 0o1000;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// Whether nobody but this user (and root) can write to a file, or put another in its place. `target` has no
/// symlink in it; it need not exist.
///
/// # Errors
/// Who could, in words.
pub(crate) fn ours_alone(target: &Path) -> Result<(), String> {
    let uid = rustix::process::geteuid().as_raw();
    let others_write = |path: &Path, found: &Metadata| {
        others_write(found, uid, || wire::os::has_access_list(path))
    };
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.uid() != uid => {
            return Err("it belongs to another user".to_owned());
        }
        Ok(metadata) if others_write(target, &metadata) => {
            return Err("other users may write to it".to_owned());
        }
        Ok(metadata) if metadata.nlink() > 1 => {
            return Err(
                "it has another name (a hard link), which would keep the old text".to_owned(),
            );
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.to_string()),
    }
    for folder in target.ancestors().skip(1) {
        if folder.as_os_str().is_empty() {
            continue;
        }
        let metadata = fs::metadata(folder).map_err(|error| error.to_string())?;
        let foreign = metadata.uid() != uid && metadata.uid() != 0;
        if foreign || (others_write(folder, &metadata) && metadata.mode() & STICKY == 0) {
            return Err(format!("other users may write to {}", folder.display()));
        }
    }
    Ok(())
}

/// Whether a file belongs to this user or to root.
pub(crate) fn is_ours_or_roots(file: &Metadata) -> bool {
    file.uid() == 0 || file.uid() == rustix::process::geteuid().as_raw()
}

/// Whether an open file belongs to this user or to root, and nobody else may write to it.
pub(crate) fn is_ours_to_write(file: &File, found: &Metadata) -> bool {
    let uid = rustix::process::geteuid().as_raw();
    is_ours_or_roots(found) && !others_write(found, uid, || wire::os::has_access_list_open(file))
}

fn others_write(found: &Metadata, uid: u32, has_access_list: impl FnOnce() -> bool) -> bool {
    let mode = found.mode();
    mode & OTHERS_WRITE != 0
        || mode & GROUP_WRITES != 0
            && !wire::os::group_is_harmless(found.gid(), uid, has_access_list)
}

/// Gives a new file the owner and mode of the one that it replaces.
pub(crate) fn keep_owner(options: &mut atomic_write_file::OpenOptions) {
    use atomic_write_file::unix::OpenOptionsExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600).preserve_mode(true).preserve_owner(true);
}

/// Gives a new file the extended attributes of an old one: access lists, labels, a person's own.
///
/// # Errors
/// One that can't be kept.
pub(crate) fn copy_attributes(from: &Path, to: &File) -> io::Result<()> {
    let mut names = Vec::with_capacity(4096);
    match rustix::fs::listxattr(from, rustix::buffer::spare_capacity(&mut names)) {
        Ok(_) => {}
        Err(Errno::NOENT | Errno::NOTSUP) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    for name in names
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
    {
        let mut value = Vec::with_capacity(64 * 1024);
        rustix::fs::getxattr(from, name, rustix::buffer::spare_capacity(&mut value))?;
        match rustix::fs::fsetxattr(to, name, &value, XattrFlags::empty()) {
            Ok(()) => {}
            // The system's own labels are the policy's to give.
            Err(Errno::PERM | Errno::NOTSUP) if name.starts_with(b"security.") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    /// `USER:other:rw-`, and everything else as `rw-r--r--` has it (acl(5)).
    const LIST: [u32; 11] = [
        2,
        0x6_0001,
        u32::MAX,
        0x6_0002,
        54_321,
        0x4_0004,
        u32::MAX,
        0x6_0010,
        u32::MAX,
        0x4_0020,
        u32::MAX,
    ];

    #[test]
    fn what_an_access_list_gives_to_somebody_is_not_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        chown(&path, None, Some(uid)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        let ours = || {
            let found = file.metadata().unwrap();
            (is_ours_to_write(&file, &found), ours_alone(&path).is_ok())
        };
        let private = wire::os::group_is_harmless(uid, uid, || false);
        assert_eq!(ours(), (private, private), "by the group alone");
        let list: Vec<u8> = LIST.iter().flat_map(|word| word.to_le_bytes()).collect();
        let flags = XattrFlags::empty();
        if rustix::fs::setxattr(&path, "system.posix_acl_access", &list, flags).is_err() {
            println!("skipped: no access lists in {}", folder.path().display());
            return;
        }
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o664);
        assert_eq!(ours(), (false, false));
    }
}
