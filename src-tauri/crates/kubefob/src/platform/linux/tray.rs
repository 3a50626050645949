//! The tray: a StatusNotifierItem on the session bus, by ksni.

use std::pin::pin;

use broker::asker::Desktop;
use broker::command::Command;
use broker::menu::{Action, Picture, Tray};
use ksni::menu::MenuItem;
use ksni::{Handle, Icon, ToolTip, TrayMethods as _};
use runtime::front::Clicks;
use tokio::sync::watch;

use super::bus::Bus;
use super::markup;
use super::menu::rendered;

/// The pictures, drawn by the build from `icons/tray`, in each size.
mod pictures {
    include!(concat!(env!("OUT_DIR"), "/pictures.rs"));
}

/// One item as long as there is a desktop, until the bus is over. A host of items may come later than it, go, and
/// come again.
pub(super) async fn show(
    bus: Bus,
    tray: &mut watch::Receiver<Tray>,
    desktop: &mut watch::Receiver<Desktop>,
    clicks: Clicks,
) {
    let mut over = pin!(bus.ended());
    loop {
        tokio::select! {
            ended = until(desktop, |it| it != Desktop::None) => if ended { return },
            () = &mut over => return,
        }
        let first = tray.borrow_and_update().clone();
        let item = Shown {
            tray: first,
            clicks: clicks.clone(),
        };
        let ended = match item.assume_sni_available(true).spawn().await {
            Ok(handle) => {
                let ended = tokio::select! {
                    ended = follow(&handle, tray, desktop) => ended,
                    () = &mut over => true,
                };
                // Also after the bus: what serves the item must hear that it is over.
                handle.shutdown().await;
                ended
            }
            Err(error) => {
                tracing::warn!(%error, "no tray");
                // The next desktop may have what this one lacks.
                tokio::select! {
                    changed = desktop.changed() => changed.is_err(),
                    () = &mut over => true,
                }
            }
        };
        if ended {
            return;
        }
    }
}

/// Shows what changes until the desktop is gone. True: the resident is.
async fn follow(
    handle: &Handle<Shown>,
    tray: &mut watch::Receiver<Tray>,
    desktop: &mut watch::Receiver<Desktop>,
) -> bool {
    loop {
        tokio::select! {
            changed = tray.changed() => {
                if changed.is_err() {
                    return true;
                }
                let newest = tray.borrow_and_update().clone();
                if handle.update(|shown| shown.tray = newest).await.is_none() {
                    return false;
                }
            }
            ended = until(desktop, |it| it == Desktop::None) => return ended,
        }
    }
}

/// Waits until the desktop is so. True: there is no resident any more.
async fn until(
    desktop: &mut watch::Receiver<Desktop>,
    mut is_so: impl FnMut(Desktop) -> bool,
) -> bool {
    desktop.wait_for(|it| is_so(*it)).await.is_err()
}

/// What the item shows just now.
pub(super) struct Shown {
    pub(super) tray: Tray,
    pub(super) clicks: Clicks,
}

impl ksni::Tray for Shown {
    fn id(&self) -> String {
        "kubefob".to_owned()
    }

    fn title(&self) -> String {
        "Kubefob".to_owned()
    }

    fn status(&self) -> ksni::Status {
        match self.tray.picture {
            Picture::NeedsYou => ksni::Status::NeedsAttention,
            Picture::SignedOut | Picture::SignedIn | Picture::Renewing | Picture::CannotReach => {
                ksni::Status::Active
            }
        }
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        icons(self.tray.picture)
    }

    fn attention_icon_pixmap(&self) -> Vec<Icon> {
        icons(Picture::NeedsYou)
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip {
            title: "Kubefob".to_owned(),
            description: markup(&self.tray.tooltip),
            ..ToolTip::default()
        }
    }

    /// A left click, where the host does not open the menu instead.
    fn activate(&mut self, _x: i32, _y: i32) {
        let open = Action::Command(Box::new(Command::Open {}));
        self.clicks.act(open, self.tray.language);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        rendered(&self.tray.menu, self.tray.language)
    }
}

/// In white, for the dark panels that most desktops have: on a light one it is hard to see. Nothing here asks which it
/// is yet.
fn icons(picture: Picture) -> Vec<Icon> {
    let drawn = match picture {
        Picture::SignedOut => pictures::SIGNED_OUT,
        Picture::SignedIn => pictures::SIGNED_IN,
        Picture::Renewing => pictures::RENEWING,
        Picture::NeedsYou => pictures::NEEDS_YOU,
        Picture::CannotReach => pictures::CANNOT_REACH,
    };
    drawn
        .iter()
        .map(|&(size, alpha)| Icon {
            width: size,
            height: size,
            data: alpha
                .iter()
                .flat_map(|&alpha| [alpha, 255, 255, 255])
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_there_in_each_size_and_none_is_another() {
        let all = [
            Picture::SignedOut,
            Picture::SignedIn,
            Picture::Renewing,
            Picture::NeedsYou,
            Picture::CannotReach,
        ];
        for (at, &picture) in all.iter().enumerate() {
            let icons = icons(picture);
            assert_eq!(
                icons.iter().map(|icon| icon.width).collect::<Vec<_>>(),
                [16, 22, 24, 32, 48]
            );
            for icon in &icons {
                assert_eq!(icon.data.len(), 4 * (icon.width * icon.height) as usize);
                let inked = icon.data.chunks(4).filter(|pixel| pixel[0] > 127).count();
                assert!(
                    inked * 8 > (icon.width * icon.height) as usize,
                    "{picture:?}"
                );
            }
            for &other in &all[..at] {
                assert_ne!(icons[0].data, super::icons(other)[0].data);
            }
        }
    }
}
