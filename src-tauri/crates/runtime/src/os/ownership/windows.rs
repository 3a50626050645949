//! Windows: owner and access list. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, LocalFree};
use windows_sys::Win32::Security::Authorization::{GetNamedSecurityInfoW, SE_FILE_OBJECT};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, GetAce, INHERIT_ONLY_ACE,
    PSECURITY_DESCRIPTOR,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_WRITE_DATA, WRITE_DAC, WRITE_OWNER,
};

/// `ACCESS_ALLOWED_ACE_TYPE` of `winnt.h`
const ALLOWED: u8 = 0;
const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;

/// What changes a file, or puts another in its place.
const WRITES: u32 = FILE_WRITE_DATA
    | FILE_APPEND_DATA
    | DELETE
    | WRITE_DAC
    | WRITE_OWNER
    | GENERIC_WRITE
    | GENERIC_ALL;
/// The same of a folder. To make something new in it takes nothing away.
const REPLACES: u32 = FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;

/// The system, its administrators and its installer: they may do everything anyhow.
const MIGHTY: [&str; 4] = [
    "S-1-5-18",
    "S-1-5-32-544",
    // Whoever owns it, which is looked at by itself.
    "S-1-3-4",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
];

/// Whether nobody but this user (and the system) can write to a file, or put another in its place. It need not exist.
///
/// # Errors
/// Who could, in words.
pub(crate) fn ours_alone(target: &Path) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let us = us().map_err(told)?;
    let trusted = |sid: &str| is_trusted(sid, &us);
    match wire::os::owner(target) {
        Ok(owner) if !trusted(&owner.to_string()) => {
            return Err("it belongs to another user".to_owned());
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(told(error)),
    }
    match admitted(target, WRITES) {
        Ok(sids) if sids.iter().any(|sid| !trusted(sid)) => {
            return Err("other users may write to it".to_owned());
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(told(error)),
    }
    let Some(folder) = target.parent() else {
        return Ok(());
    };
    let owner = wire::os::owner(folder).map_err(told)?.to_string();
    let sids = admitted(folder, REPLACES).map_err(told)?;
    if trusted(&owner) && sids.iter().all(|sid| trusted(sid)) {
        Ok(())
    } else {
        Err(format!("other users may write to {}", folder.display()))
    }
}

/// Whether a part of a way belongs to this user or to the system.
pub(crate) fn is_ours(path: &Path) -> io::Result<bool> {
    Ok(is_trusted(&wire::os::owner(path)?.to_string(), &us()?))
}

/// Whether others may write it, or make something in it.
pub(crate) fn others_write(path: &Path) -> io::Result<bool> {
    others_may(path, WRITES)
}

/// Whether others may take something away from a folder.
pub(crate) fn others_replace(path: &Path) -> io::Result<bool> {
    others_may(path, REPLACES)
}

fn others_may(path: &Path, rights: u32) -> io::Result<bool> {
    let us = us()?;
    let all = admitted(path, rights)?;
    Ok(all.iter().any(|sid| !is_trusted(sid, &us)))
}

fn us() -> io::Result<String> {
    Ok(wire::os::uid()?.to_string())
}

fn is_trusted(sid: &str, us: &str) -> bool {
    sid == us || MIGHTY.contains(&sid)
}

/// Access lists are inherited from the folder, as the old file's were.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn copy_attributes(_from: &Path, _to: &File) -> io::Result<()> {
    Ok(())
}

/// The owner is whoever writes, and the access list the folder's to give.
pub(crate) fn keep_owner(_: &mut atomic_write_file::OpenOptions) {}

/// Whom the access list grants any of these rights. Without a list everybody has all.
fn admitted(path: &Path, rights: u32) -> io::Result<Vec<String>> {
    let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    let (mut list, mut descriptor): (*mut ACL, PSECURITY_DESCRIPTOR) = (null_mut(), null_mut());
    // SAFETY: the name ends with zero, and the pointers live through the call.
    let result = unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut descriptor,
        )
    };
    if result != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(result.cast_signed()));
    }
    let admitted = if list.is_null() {
        Ok(vec!["S-1-1-0".to_owned()])
    } else {
        // SAFETY: the list lies in the descriptor, which is still here.
        unsafe { granted(list, rights) }
    };
    // SAFETY: the system allocated it for us; `list` pointed into it and is used no more.
    unsafe { LocalFree(descriptor) };
    admitted
}

/// Its metadata does not say: who can make a file in a person's folder is one who may write all of it.
pub(crate) fn is_ours_or_roots(_: &std::fs::Metadata) -> bool {
    true
}

/// The same.
pub(crate) fn is_ours_to_write(_: &std::fs::File, _: &std::fs::Metadata) -> bool {
    true
}

/// # Safety
/// `list` is an access list that the system made.
unsafe fn granted(list: *const ACL, rights: u32) -> io::Result<Vec<String>> {
    let mut granted = Vec::new();
    // SAFETY: as the caller says.
    let count = unsafe { (*list).AceCount };
    for index in 0..u32::from(count) {
        let mut entry = null_mut();
        // SAFETY: as the caller says; `entry` lives through the call.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: every entry begins so.
        let header = unsafe { &*entry.cast::<ACE_HEADER>() };
        if header.AceType != ALLOWED || u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 {
            continue;
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: its kind says that it is one, whose end is its SID.
        let (mask, sid) = unsafe { ((*entry).Mask, (&raw mut (*entry).SidStart).cast()) };
        if mask & rights != 0 {
            // SAFETY: it is in the list, which is still there.
            granted.push(unsafe { wire::os::named_by(sid) }?.to_string());
        }
    }
    Ok(granted)
}
