//! The tray as a StatusNotifierItem on the session bus, by ksni; notifications by the desktop's own server.

use broker::asker::Desktop;
use broker::command::Command;
use broker::menu::{Action, Item, Picture, Tray};
use broker::texts::Language;
use ksni::menu::{MenuItem, RadioGroup, RadioItem, StandardItem, SubMenu};
use ksni::{Handle, Icon, ToolTip, TrayMethods as _};
use notify_rust::Notification;
use runtime::front::{Clicks, Front};
use tokio::sync::watch;

/// The pictures, drawn by the build from `icons/tray`, in each size.
mod pictures {
    include!(concat!(env!("OUT_DIR"), "/pictures.rs"));
}

/// Shows the tray while there is a desktop, and tells what is to be told.
pub(crate) async fn draw(front: Front) {
    let Front {
        tray,
        desktop,
        mut notes,
        clicks,
    } = front;
    let told = desktop.clone();
    let telling = async move {
        while let Some(note) = notes.recv().await {
            if *told.borrow() == Desktop::Unlocked {
                tell(&note).await;
            }
        }
    };
    tokio::join!(telling, show(tray, desktop, clicks));
}

/// One item as long as there is a desktop; a host of items may come later than it, go, and come again.
async fn show(
    mut tray: watch::Receiver<Tray>,
    mut desktop: watch::Receiver<Desktop>,
    clicks: Clicks,
) {
    loop {
        if desktop.wait_for(|it| *it != Desktop::None).await.is_err() {
            return;
        }
        let first = tray.borrow_and_update().clone();
        let item = Shown {
            tray: first,
            clicks: clicks.clone(),
        };
        let handle = match item.assume_sni_available(true).spawn().await {
            Ok(handle) => handle,
            Err(error) => {
                tracing::warn!(%error, "no tray");
                // Another desktop may have another bus.
                if desktop.changed().await.is_err() {
                    return;
                }
                continue;
            }
        };
        let ended = follow(&handle, &mut tray, &mut desktop).await;
        handle.shutdown().await;
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
            ended = gone(desktop) => return ended,
        }
    }
}

/// Waits until there is no desktop. True: there is no resident either.
async fn gone(desktop: &mut watch::Receiver<Desktop>) -> bool {
    desktop.wait_for(|it| *it == Desktop::None).await.is_err()
}

async fn tell(note: &str) {
    let mut notification = Notification::new();
    notification
        .appname("Kubefob")
        .summary("Kubefob")
        .body(&markup(note));
    if let Err(error) = notification.show_async().await {
        tracing::info!(%error, "no notification");
    }
}

/// What the item shows just now.
struct Shown {
    tray: Tray,
    clicks: Clicks,
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

fn rendered(items: &[Item], language: Language) -> Vec<MenuItem<Shown>> {
    let mut menu = Vec::new();
    let mut rest = items;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            Item::Rule => menu.push(MenuItem::Separator),
            Item::Note(label) => menu.push(
                StandardItem {
                    label: literally(label),
                    enabled: false,
                    ..StandardItem::default()
                }
                .into(),
            ),
            Item::Act(label, action) => menu.push(clickable(label, action.clone(), language)),
            Item::Menu(label, items) => menu.push(
                SubMenu {
                    label: literally(label),
                    submenu: rendered(items, language),
                    ..SubMenu::default()
                }
                .into(),
            ),
            Item::Choice { .. } => {
                // Neighbours are one group, or two would be marked.
                let length = items_of_group(rest);
                let (others, behind) = rest.split_at(length);
                rest = behind;
                menu.push(group(first, others, language));
            }
        }
    }
    menu
}

fn items_of_group(items: &[Item]) -> usize {
    items
        .iter()
        .take_while(|item| matches!(item, Item::Choice { .. }))
        .count()
}

fn group(first: &Item, others: &[Item], language: Language) -> MenuItem<Shown> {
    let choices: Vec<_> = std::iter::once(first)
        .chain(others)
        .filter_map(|item| {
            if let Item::Choice {
                label,
                chosen,
                action,
            } = item
            {
                Some((literally(label), *chosen, action.clone()))
            } else {
                None
            }
        })
        .collect();
    let selected = choices.iter().position(|(_, chosen, _)| *chosen);
    let options = choices.iter().map(|(label, ..)| RadioItem {
        label: label.clone(),
        ..RadioItem::default()
    });
    let options = options.collect();
    RadioGroup {
        // One behind the last marks none.
        selected: selected.unwrap_or(choices.len()),
        select: Box::new(move |shown: &mut Shown, at| {
            if let Some((.., action)) = choices.get(at) {
                shown.clicks.act(action.clone(), language);
            }
        }),
        options,
    }
    .into()
}

fn clickable(label: &str, action: Action, language: Language) -> MenuItem<Shown> {
    StandardItem {
        label: literally(label),
        activate: Box::new(move |shown: &mut Shown| shown.clicks.act(action.clone(), language)),
        ..StandardItem::default()
    }
    .into()
}

/// A label as it is: a lone underscore would mark a letter for the keyboard (dbusmenu's `label`).
fn literally(label: &str) -> String {
    label.replace('_', "__")
}

/// A text as it is, where markup is understood (notifications' `body`, an item's `ToolTip`).
fn markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_are() {
        assert_eq!(literally("my_dev"), "my__dev");
        assert_eq!(markup("<a href=x> & b"), "&lt;a href=x&gt; &amp; b");
    }

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
