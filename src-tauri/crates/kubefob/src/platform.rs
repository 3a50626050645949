//! The desktop: tray and notifications. It draws what the resident says, and hands clicks back; it decides nothing.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::draw;

/// Nothing is drawn here yet: the resident serves kubectl and the browser, as it does on Linux without a desktop.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn draw(mut front: runtime::front::Front) {
    while front.notes.recv().await.is_some() {}
}
