//! Windows: an icon in the taskbar's corner, and a window that nobody sees, to which the system tells what changes.
//!
//! Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::cell::RefCell;
use std::ptr::{null, null_mut};

use broker::menu::Picture;
use notify_rust::Notification;
use tao::event_loop::{EventLoop, EventLoopProxy};
use tray_icon::{MouseButtonState, TrayIcon};
use windows::UI::Notifications::ToastNotificationManager;
use windows::core::HSTRING;
use windows_registry::CURRENT_USER;
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::RemoteDesktop::{
    NOTIFY_FOR_THIS_SESSION, WTS_CURRENT_SERVER_HANDLE, WTS_CURRENT_SESSION, WTS_SESSIONSTATE_LOCK,
    WTSActive, WTSFreeMemory, WTSINFOEXW, WTSQuerySessionInformationW,
    WTSRegisterSessionNotification, WTSSessionInfoEx, WTSUnRegisterSessionNotification,
};
use windows_sys::Win32::UI::HiDpi::{GetDpiForSystem, GetSystemMetricsForDpi};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, RegisterClassW, RegisterWindowMessageW,
    SM_CXSMICON, WM_DISPLAYCHANGE, WM_SETTINGCHANGE, WM_WTSSESSION_CHANGE, WNDCLASSW,
    WS_EX_NOACTIVATE, WS_EX_TOOLWINDOW, WS_OVERLAPPED,
};
use windows_sys::core::{PCWSTR, w};

use super::super::super::pictures::{Ink, drawn, inked};
use super::super::super::taskbar;
use super::super::Wish;

/// A left click opens the window, a right one the menu, as it is usual there.
pub(in super::super) const LEFT_OPENS_MENU: bool = false;
/// When tray-icon opens it.
pub(in super::super) const OPENS_AT: MouseButtonState = MouseButtonState::Up;

/// What is known of the taskbar: the ink that is seen there, and how wide a small icon is, in pixels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Paint {
    ink: Ink,
    size: i32,
}

/// Before the loop runs. Who sends notifications must be known by name; that it is, lasts until the person logs out.
pub(in super::super) fn prepare(_: &mut EventLoop<Wish>) {
    let known = CURRENT_USER
        .options()
        .write()
        .create()
        .volatile()
        .open(format!("Software\\Classes\\AppUserModelId\\{APP}"));
    if let Err(error) = known.and_then(|app| app.set_string("DisplayName", "Kubefob")) {
        tracing::info!(%error, "notifications may not be shown");
    }
}

/// As which application notifications are sent (`identifier` of `tauri.conf.json`, which an installed shortcut has).
const APP: &str = "io.github.kubefob";

pub(in super::super) fn paint() -> Paint {
    let light = CURRENT_USER
        .open("Software\\Microsoft\\Windows\\CurrentVersion\\Themes\\Personalize")
        .and_then(|themes| themes.get_u32("SystemUsesLightTheme"));
    // SAFETY: these two take and return numbers alone.
    let size = unsafe { GetSystemMetricsForDpi(SM_CXSMICON, GetDpiForSystem()) };
    Paint {
        ink: taskbar::ink(light.ok()),
        size,
    }
}

/// Puts the picture there in the taskbar's ink and size.
pub(in super::super) fn set_picture(
    icon: &TrayIcon,
    (picture, paint): (Picture, Paint),
) -> anyhow::Result<()> {
    let Some(&(size, alpha)) = taskbar::fitting(drawn(picture), paint.size) else {
        return Ok(());
    };
    let side = u32::try_from(size)?;
    let pixels = inked(alpha, usize::try_from(size)?, paint.ink);
    let pixels = pixels.flat_map(|(alpha, shade)| [shade, shade, shade, alpha]);
    let drawn = tray_icon::Icon::from_rgba(pixels.collect(), side, side)?;
    Ok(icon.set_icon(Some(drawn))?)
}

/// What is read when the pointer rests there.
pub(in super::super) fn tooltip(text: &str) -> String {
    taskbar::tooltip(&format!("Kubefob\n{text}"))
}

/// Whether the screen is locked, or another login's turn (which a remote desktop is too that nobody is connected to).
pub(in super::super) fn is_away() -> bool {
    let (mut told, mut length) = (null_mut(), 0);
    // SAFETY: both are ours and are written to.
    let known = unsafe {
        WTSQuerySessionInformationW(
            WTS_CURRENT_SERVER_HANDLE,
            WTS_CURRENT_SESSION,
            WTSSessionInfoEx,
            &raw mut told,
            &raw mut length,
        )
    };
    if known == 0 || told.is_null() {
        tracing::info!(error = %std::io::Error::last_os_error(), "the lock is unknown");
        return false;
    }
    let whole = usize::try_from(length).is_ok_and(|length| length >= size_of::<WTSINFOEXW>());
    // SAFETY: so many bytes were told of this class.
    let session = whole.then(|| unsafe { told.cast::<WTSINFOEXW>().read_unaligned() });
    let session = session.filter(|session| session.Level == 1);
    // SAFETY: it is of that level.
    let session = session.map(|session| unsafe { session.Data.WTSInfoExLevel1 });
    // SAFETY: it was allocated for us, and nothing of it is held.
    unsafe { WTSFreeMemory(told.cast()) };
    session.is_some_and(|session| {
        let locked = u32::try_from(session.SessionFlags) == Ok(WTS_SESSIONSTATE_LOCK);
        locked || session.SessionState != WTSActive
    })
}

/// The window to which is told that somebody may have come or gone, or that the taskbar is another, for as long as it
/// lives. One for messages alone would not hear what is told to all.
pub(in super::super) struct Watch(HWND);

const CLASS: PCWSTR = w!("KubefobWatch");

thread_local! {
    /// Where goes what the window hears, which is of the main thread, and what the taskbar's coming is called.
    static HEARD: RefCell<Option<(EventLoopProxy<Wish>, u32)>> = const { RefCell::new(None) };
}

pub(in super::super) fn watch(wishes: &EventLoopProxy<Wish>) -> Option<Watch> {
    // SAFETY: all texts are constants with a zero at their end; the class lives as long as the process, as does
    // `heard`; the rest may be null.
    let window = unsafe {
        let arrival = RegisterWindowMessageW(w!("TaskbarCreated"));
        HEARD.set(Some((wishes.clone(), arrival)));
        let program = GetModuleHandleW(null());
        let class = WNDCLASSW {
            lpfnWndProc: Some(heard),
            lpszClassName: CLASS,
            hInstance: program,
            ..WNDCLASSW::default()
        };
        RegisterClassW(&raw const class);
        CreateWindowExW(
            WS_EX_NOACTIVATE | WS_EX_TOOLWINDOW,
            CLASS,
            w!("Kubefob"),
            WS_OVERLAPPED,
            0,
            0,
            0,
            0,
            null_mut(),
            null_mut(),
            program,
            null(),
        )
    };
    if window.is_null() {
        tracing::warn!(error = %std::io::Error::last_os_error(), "no lock is heard");
        return None;
    }
    // SAFETY: the window is ours, and there.
    if unsafe { WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION) } == 0 {
        tracing::warn!(error = %std::io::Error::last_os_error(), "no lock is heard");
    }
    Some(Watch(window))
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: the window is ours, and there; this is the thread that made it.
        unsafe {
            WTSUnRegisterSessionNotification(self.0);
            DestroyWindow(self.0);
        }
        HEARD.set(None);
    }
}

/// What the window is told.
unsafe extern "system" fn heard(window: HWND, message: u32, word: WPARAM, long: LPARAM) -> LRESULT {
    HEARD.with_borrow(|known| {
        let Some((wishes, arrival)) = known else {
            return;
        };
        let wish = match message {
            WM_WTSSESSION_CHANGE => Wish::Look,
            // The theme is a setting; another display may have another scale; a new taskbar has no picture.
            WM_SETTINGCHANGE | WM_DISPLAYCHANGE => Wish::Repaint,
            other if other == *arrival => Wish::Repaint,
            _ => return,
        };
        drop(wishes.send_event(wish));
    });
    // SAFETY: what we were given, unchanged.
    unsafe { DefWindowProcW(window, message, word, long) }
}

/// Nobody is asked.
#[allow(clippy::unnecessary_wraps, reason = "macOS asks the person")]
pub(in super::super) fn may_tell() -> anyhow::Result<()> {
    Ok(())
}

/// They have no names here, but that of who sends them.
pub(in super::super) fn name(notification: &mut Notification, _: &str) {
    notification.app_id(APP);
}

/// Takes all back, where that was the last.
pub(in super::super) fn take_back(_: &str, last: bool) {
    if !last {
        return;
    }
    let history = ToastNotificationManager::History();
    if let Err(error) = history.and_then(|history| history.ClearWithId(&HSTRING::from(APP))) {
        tracing::info!(%error, "notifications stay");
    }
}
