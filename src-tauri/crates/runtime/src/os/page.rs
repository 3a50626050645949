//! A page of memory that is not written to swap.
#![allow(unsafe_code)] // mlock

use std::sync::atomic::{Ordering, compiler_fence};

use zeroize::Zeroize;

/// One secret of 32 bytes, alone on its page: locked there where the system allows it, zeroed when dropped.
#[repr(align(4096))]
pub(crate) struct Page([u8; 32]);

impl Page {
    /// Makes the page, and lets `fill` write to it once it is locked.
    pub(crate) fn new<E>(
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<Box<Self>, E> {
        let mut page = Box::new(Self([0; 32]));
        // A system that refuses (RLIMIT_MEMLOCK) leaves a page that may be swapped: no reason to refuse a key.
        let _ = lock(&raw mut *page);
        fill(&mut page.0)?;
        Ok(page)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.0.zeroize();
        compiler_fence(Ordering::SeqCst);
        unlock(&raw mut *self);
    }
}

#[cfg(unix)]
fn lock(page: *mut Page) -> bool {
    // SAFETY: the page is allocated, and ours alone.
    unsafe { rustix::mm::mlock(page.cast(), size_of::<Page>()) }.is_ok()
}

#[cfg(unix)]
fn unlock(page: *mut Page) {
    // SAFETY: the page is still allocated, and nothing else of ours is on it.
    let _ = unsafe { rustix::mm::munlock(page.cast(), size_of::<Page>()) };
}

#[cfg(windows)]
fn lock(page: *mut Page) -> bool {
    // SAFETY: the page is allocated, and ours alone.
    unsafe { windows_sys::Win32::System::Memory::VirtualLock(page.cast(), size_of::<Page>()) != 0 }
}

#[cfg(windows)]
fn unlock(page: *mut Page) {
    // SAFETY: the page is still allocated, and nothing else of ours is on it.
    unsafe { windows_sys::Win32::System::Memory::VirtualUnlock(page.cast(), size_of::<Page>()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_page_to_itself() {
        let page = Page::new(|bytes| {
            bytes.fill(7);
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(page.bytes(), &[7; 32]);
        assert_eq!(size_of::<Page>(), 4096);
        assert_eq!(align_of_val(&*page), 4096);
    }
}
