//! The tray: a StatusNotifierItem on the session bus, by ksni.

use std::convert::Infallible;

use broker::asker::Desktop;
use broker::command::Command;
use broker::menu::{Action, Picture, Tray};
use broker::texts::Language;
use ksni::menu::MenuItem;
use ksni::{Handle, Icon, ToolTip, TrayMethods as _};
use runtime::front::Clicks;
use tokio::sync::{oneshot, watch};

use super::super::pictures::{Ink, drawn, inked};
use super::bus::Bus;
use super::markup;
use super::menu::rendered;

/// One item as long as there is a desktop, until the bus is `over`: its other end is dropped then. A host of items may
/// come later than it, go, and come again. `first` is dropped when there is one, or can't be for now.
pub(super) async fn show(
    mut over: oneshot::Receiver<Infallible>,
    first: oneshot::Sender<Infallible>,
    mut tray: watch::Receiver<Tray>,
    mut desktop: watch::Receiver<Desktop>,
    clicks: Clicks,
    mut ink: watch::Receiver<Ink>,
) {
    let mut first = Some(first);
    loop {
        if *desktop.borrow() == Desktop::None {
            drop(first.take());
        }
        tokio::select! {
            ended = until(&mut desktop, |it| it != Desktop::None) => if ended { return },
            _ = &mut over => return,
        }
        let newest = tray.borrow_and_update().clone();
        let item = Shown {
            tray: newest,
            ink: *ink.borrow_and_update(),
            clicks: clicks.clone(),
        };
        // ksni connects by itself, to whoever is there.
        let spawned = match Bus::session().await {
            Ok(_) => item.assume_sni_available(true).spawn().await,
            Err(error) => Err(ksni::Error::Dbus(error)),
        };
        drop(first.take());
        let ended = match spawned {
            Ok(handle) => {
                let ended = tokio::select! {
                    ended = follow(&handle, &mut tray, &mut desktop, &mut ink) => ended,
                    _ = &mut over => true,
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
                    _ = &mut over => true,
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
    ink: &mut watch::Receiver<Ink>,
) -> bool {
    loop {
        tokio::select! {
            Ok(()) = ink.changed() => {
                let newest = *ink.borrow_and_update();
                if handle.update(|shown| shown.ink = newest).await.is_none() {
                    return false;
                }
            }
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
    ink: Ink,
    clicks: Clicks,
}

impl Shown {
    /// A click: with the host's leave to bring a window to the front, where it gives one (Wayland).
    pub(super) fn act(&self, action: Action, language: Language) {
        if let Some(token) = ksni::current_xdg_activation_token() {
            self.clicks.activated(token);
        }
        self.clicks.act(action, language);
    }
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
        icons(self.tray.picture, self.ink)
    }

    fn attention_icon_pixmap(&self) -> Vec<Icon> {
        icons(Picture::NeedsYou, self.ink)
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
        let open = Action::Command(Box::new(Command::Open { screen: None }));
        self.act(open, self.tray.language);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        rendered(&self.tray.menu, self.tray.language)
    }
}

fn icons(picture: Picture, ink: Ink) -> Vec<Icon> {
    let drawn = drawn(picture).iter();
    drawn
        .map(|&(size, alpha)| Icon {
            width: size,
            height: size,
            // ARGB.
            data: inked(alpha, usize::try_from(size).unwrap_or(0), ink)
                .flat_map(|(alpha, shade)| [alpha, shade, shade, shade])
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icons_are_in_the_ink_and_in_each_size_that_panels_ask_for() {
        for (ink, shade) in [(Ink::Light, 255), (Ink::Dark, 24)] {
            let icons = icons(Picture::SignedIn, ink);
            let sizes: Vec<_> = icons.iter().map(|icon| icon.width).collect();
            assert_eq!(sizes, [16, 22, 24, 32, 48]);
            for icon in &icons {
                assert_eq!(icon.data.len(), 4 * (icon.width * icon.height) as usize);
                let mut pixels = icon.data.chunks(4);
                assert!(pixels.any(|pixel| *pixel == [255, shade, shade, shade]));
            }
        }
    }
}
