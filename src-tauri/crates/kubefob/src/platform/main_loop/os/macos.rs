//! macOS: an agent of the menu bar, without a place in the Dock.
//!
//! Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // AppKit's calls

use std::time::Duration;

use broker::menu::Picture;
use notify_rust::Notification;
use objc2::rc::Retained;
use objc2::runtime::NSObject;
use objc2::{AnyThread as _, DefinedClass as _, define_class, msg_send, sel};
use objc2_app_kit::{
    NSWorkspace, NSWorkspaceSessionDidBecomeActiveNotification,
    NSWorkspaceSessionDidResignActiveNotification,
};
use objc2_core_foundation::{CFBoolean, CFDictionary, CFString, CFType};
use objc2_core_graphics::CGSessionCopyCurrentDictionary;
use objc2_foundation::{
    NSDistributedNotificationCenter, NSNotification, NSNotificationSuspensionBehavior, ns_string,
};
use tao::event_loop::{EventLoop, EventLoopProxy};
use tao::platform::macos::{ActivationPolicy, EventLoopExtMacOS as _};
use tray_icon::{MouseButtonState, TrayIcon};

use super::super::super::pictures::drawn;
use super::super::Wish;

/// A click of either button opens the menu, as it is usual there.
pub(in super::super) const LEFT_OPENS_MENU: bool = true;
/// When tray-icon opens it.
pub(in super::super) const OPENS_AT: MouseButtonState = MouseButtonState::Down;

/// What is known of the menu bar: the system inks the picture as that wants it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Paint;

/// Before the loop runs: no place in the Dock, and nobody's window loses the focus to us.
pub(in super::super) fn prepare(main: &mut EventLoop<Wish>) {
    main.set_activation_policy(ActivationPolicy::Accessory);
    main.set_activate_ignoring_other_apps(false);
}

pub(in super::super) fn paint() -> Paint {
    Paint
}

/// Puts the picture there as a template: black, of which alpha alone counts.
pub(in super::super) fn set_picture(
    icon: &TrayIcon,
    (picture, Paint): (Picture, Paint),
) -> anyhow::Result<()> {
    let Some(&(size, alpha)) = drawn(picture).first() else {
        return Ok(());
    };
    let size = u32::try_from(size)?;
    let black = alpha.iter().flat_map(|&alpha| [0, 0, 0, alpha]);
    let template = tray_icon::Icon::from_rgba(black.collect(), size, size)?;
    Ok(icon.set_icon_with_as_template(Some(template), true)?)
}

/// What is read when the pointer rests there.
pub(in super::super) fn tooltip(text: &str) -> String {
    format!("Kubefob\n{text}")
}

/// Whether the screen is locked, or another login's turn.
pub(in super::super) fn is_away() -> bool {
    let Some(session) = CGSessionCopyCurrentDictionary() else {
        // There was one at the start: the login is ending.
        return true;
    };
    // SAFETY: its keys are strings, and its values are objects (`CGSession.h`).
    let session: &CFDictionary<CFString, CFType> = unsafe { session.cast_unchecked() };
    let is = |key: &'static str| {
        let value = session.get(&CFString::from_static_str(key));
        value.and_then(|value| value.downcast_ref::<CFBoolean>().map(CFBoolean::as_bool))
    };
    // The first is in no header; it is absent while the screen is not locked.
    is("CGSSessionScreenIsLocked") == Some(true) || is("kCGSSessionOnConsoleKey") == Some(false)
}

/// What tells us that somebody may have come or gone, for as long as it lives.
pub(in super::super) struct Watch(Retained<Observer>);

define_class!(
    // SAFETY: NSObject asks nothing of its subclasses, and this one has no `Drop` of its own.
    #[unsafe(super(NSObject))]
    #[name = "KubefobObserver"]
    #[ivars = EventLoopProxy<Wish>]
    struct Observer;

    impl Observer {
        // SAFETY: what a notification centre sends has this one argument and no result.
        #[unsafe(method(changed:))]
        fn changed(&self, _: &NSNotification) {
            drop(self.ivars().send_event(Wish::Look));
        }
    }
);

impl Observer {
    fn new(wishes: EventLoopProxy<Wish>) -> Retained<Self> {
        let this = Self::alloc().set_ivars(wishes);
        // SAFETY: NSObject's `init` takes nothing, and returns what it was sent to.
        unsafe { msg_send![super(this), init] }
    }
}

/// Hears when the screen is locked or unlocked, and when another login gets or gives back its turn.
pub(in super::super) fn watch(wishes: &EventLoopProxy<Wish>) -> Option<Watch> {
    let observer = Observer::new(wishes.clone());
    let everywhere = NSDistributedNotificationCenter::defaultCenter();
    for name in [
        ns_string!("com.apple.screenIsLocked"),
        ns_string!("com.apple.screenIsUnlocked"),
    ] {
        // SAFETY: the observer has such a method, and is taken off before it goes. (At once: AppKit holds back what
        // comes while an application is not the active one, and an agent never is.)
        unsafe {
            everywhere.addObserver_selector_name_object_suspensionBehavior(
                &observer,
                sel!(changed:),
                Some(name),
                None,
                NSNotificationSuspensionBehavior::DeliverImmediately,
            );
        }
    }
    let workspace = NSWorkspace::sharedWorkspace().notificationCenter();
    // SAFETY: AppKit's own constants, set before `main`; of the observer as above.
    unsafe {
        for name in [
            NSWorkspaceSessionDidBecomeActiveNotification,
            NSWorkspaceSessionDidResignActiveNotification,
        ] {
            workspace.addObserver_selector_name_object(&observer, sel!(changed:), Some(name), None);
        }
    }
    Some(Watch(observer))
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: it is one of theirs.
        unsafe {
            NSDistributedNotificationCenter::defaultCenter().removeObserver(&self.0);
            NSWorkspace::sharedWorkspace()
                .notificationCenter()
                .removeObserver(&self.0);
        }
    }
}

/// Asks the person for leave to tell them, which the system remembers.
pub(in super::super) fn may_tell() -> anyhow::Result<()> {
    if mac_usernotifications::blocking::request_auth()? {
        return Ok(());
    }
    anyhow::bail!("the person wants none")
}

/// How long one waits for a click before it goes. Nothing tells when one was cleared away, and each has a thread.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Of each name there is one.
pub(in super::super) fn name(notification: &mut Notification, name: &str) {
    notification.id(name).timeout(A_DAY);
}

/// Takes the one of this name back.
pub(in super::super) fn take_back(name: &str, _: bool) {
    // UserNotifications kills a process without a bundle.
    if mac_usernotifications::check_bundle().is_ok() {
        mac_usernotifications::blocking::close_delivered(name);
    }
}
