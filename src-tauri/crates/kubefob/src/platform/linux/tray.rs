//! The tray: a StatusNotifierItem on the session bus, by ksni.

use std::convert::Infallible;

use broker::asker::Desktop;
use broker::command::Command;
use broker::menu::{Action, Picture, Tray};
use ksni::menu::MenuItem;
use ksni::{Handle, Icon, ToolTip, TrayMethods as _};
use runtime::front::Clicks;
use tokio::sync::{oneshot, watch};

use super::markup;
use super::menu::rendered;
use super::theme::Ink;

/// The pictures, drawn by the build from `icons/tray`, in each size.
mod pictures {
    include!(concat!(env!("OUT_DIR"), "/pictures.rs"));
}

/// One item as long as there is a desktop, until the bus is `over`: its other end is dropped then. A host of items may
/// come later than it, go, and come again.
pub(super) async fn show(
    mut over: oneshot::Receiver<Infallible>,
    mut tray: watch::Receiver<Tray>,
    mut desktop: watch::Receiver<Desktop>,
    clicks: Clicks,
    mut ink: watch::Receiver<Ink>,
) {
    loop {
        tokio::select! {
            ended = until(&mut desktop, |it| it != Desktop::None) => if ended { return },
            _ = &mut over => return,
        }
        let first = tray.borrow_and_update().clone();
        let item = Shown {
            tray: first,
            ink: *ink.borrow_and_update(),
            clicks: clicks.clone(),
        };
        let ended = match item.assume_sni_available(true).spawn().await {
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
        self.clicks.act(open, self.tray.language);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        rendered(&self.tray.menu, self.tray.language)
    }
}

fn icons(picture: Picture, ink: Ink) -> Vec<Icon> {
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
            data: inked(alpha, usize::try_from(size).unwrap_or(0), ink),
        })
        .collect()
}

/// How strong the edge is where it is strongest, of 255: seen on a ground of the ink's own colour, and not on another.
const EDGE: u32 = 160;

/// The picture in a colour, with an edge of the other around it (ARGB, colours not multiplied by alpha).
fn inked(alpha: &[u8], width: usize, ink: Ink) -> Vec<u8> {
    let (colour, edge) = match ink {
        Ink::Light => (255, 24),
        Ink::Dark => (24, 255),
    };
    let pixels = alpha.iter().enumerate();
    let pixels = pixels.flat_map(|(at, &inside)| {
        let inside = u32::from(inside);
        let around = u32::from(strongest_near(alpha, width, at)) * EDGE / 255;
        let outside = around * (255 - inside) / 255;
        let all = inside + outside;
        let shade = (colour * inside + edge * outside).checked_div(all);
        let shade = u8::try_from(shade.unwrap_or(0)).unwrap_or(u8::MAX);
        [u8::try_from(all).unwrap_or(u8::MAX), shade, shade, shade]
    });
    pixels.collect()
}

/// The most ink within a pixel or, in the larger sizes, two.
fn strongest_near(alpha: &[u8], width: usize, at: usize) -> u8 {
    let reach = (width / 24).max(1);
    let (x, y) = (at % width.max(1), at / width.max(1));
    let near = |middle: usize| middle.saturating_sub(reach)..=(middle + reach).min(width - 1);
    let rows = near(y).flat_map(|row| near(x).map(move |column| row * width + column));
    rows.filter_map(|near| alpha.get(near).copied())
        .max()
        .unwrap_or(0)
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
            let icons = icons(picture, Ink::Light);
            assert_eq!(
                icons.iter().map(|icon| icon.width).collect::<Vec<_>>(),
                [16, 22, 24, 32, 48]
            );
            for icon in &icons {
                assert_eq!(icon.data.len(), 4 * (icon.width * icon.height) as usize);
                let inked = icon
                    .data
                    .chunks(4)
                    .filter(|pixel| pixel[0] > 127 && pixel[1] > 127)
                    .count();
                assert!(
                    inked * 8 > (icon.width * icon.height) as usize,
                    "{picture:?}"
                );
            }
            for &other in &all[..at] {
                assert_ne!(icons[0].data, super::icons(other, Ink::Light)[0].data);
            }
        }
    }

    #[test]
    fn it_is_seen_on_a_ground_of_its_own_colour_too() {
        let on = |pixel: &[u8], ground: i32| {
            let alpha = i32::from(pixel[0]);
            (i32::from(pixel[1]) * alpha + ground * (255 - alpha)) / 255
        };
        for (ink, ground) in [(Ink::Light, 255), (Ink::Dark, 24)] {
            for icon in icons(Picture::SignedIn, ink) {
                let pixels = icon.data.chunks(4);
                let differs = pixels.filter(|pixel| (on(pixel, ground) - ground).abs() > 60);
                assert!(differs.count() > 10, "{ink:?} {}", icon.width);
            }
        }
    }
}
