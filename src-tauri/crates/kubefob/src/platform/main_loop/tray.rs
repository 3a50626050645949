//! The icon, by tray-icon.

use broker::menu::{Picture, Tray};
use tokio::sync::mpsc::UnboundedSender;
use tray_icon::menu::MenuEvent;
use tray_icon::{MouseButton, TrayIcon, TrayIconBuilder, TrayIconEvent};

use super::os::{self, Paint};
use super::{Said, menu, open};

/// The icon that there is.
pub(super) struct Icon {
    icon: TrayIcon,
    tray: Tray,
    /// What it looks like; none: that is not known.
    painted: Option<(Picture, Paint)>,
}

impl Icon {
    /// Puts it there. (Windows' taskbar may come later, or come again: tray-icon and [`os::Watch`] see to that.)
    pub(super) fn new(tray: Tray, says: &UnboundedSender<Said>) -> tray_icon::Result<Self> {
        hand_back(says.clone());
        let icon = TrayIconBuilder::new()
            .with_id("kubefob")
            .with_menu(Box::new(menu::begin(tray.clone())))
            .with_menu_on_left_click(os::LEFT_OPENS_MENU)
            .with_tooltip(os::tooltip(&tray.tooltip))
            .build()?;
        let mut icon = Self {
            icon,
            tray,
            painted: None,
        };
        icon.paint();
        Ok(icon)
    }

    /// Shows this.
    pub(super) fn show(&mut self, tray: Tray) {
        menu::show(&tray);
        if self.tray.tooltip != tray.tooltip {
            let tooltip = os::tooltip(&tray.tooltip);
            if let Err(error) = self.icon.set_tooltip(Some(tooltip)) {
                tracing::info!(%error, "the tray's tooltip stays as it was");
            }
        }
        self.tray = tray;
        self.paint();
    }

    /// Paints it again: what it is on has changed, or was not there before.
    #[cfg(windows)]
    pub(super) fn repaint(&mut self) {
        self.painted = None;
        self.paint();
    }

    fn paint(&mut self) {
        let wanted = (self.tray.picture, os::paint());
        if self.painted == Some(wanted) {
            return;
        }
        self.painted = match os::set_picture(&self.icon, wanted) {
            Ok(()) => Some(wanted),
            Err(error) => {
                tracing::info!(%error, "the tray's picture stays as it was");
                None
            }
        };
    }
}

impl Drop for Icon {
    fn drop(&mut self) {
        menu::end();
    }
}

/// What is clicked goes back. The library calls these on the main thread.
fn hand_back(says: UnboundedSender<Said>) {
    let opens = says.clone();
    TrayIconEvent::set_event_handler(Some(move |event: TrayIconEvent| {
        let TrayIconEvent::Click {
            button,
            button_state,
            ..
        } = event
        else {
            return;
        };
        if button_state != os::OPENS_AT {
            return;
        }
        match button {
            MouseButton::Left if !os::LEFT_OPENS_MENU => drop(opens.send(Said::Clicked(open()))),
            // Before the library opens it.
            MouseButton::Left | MouseButton::Right => menu::fill(),
            MouseButton::Middle => {}
        }
    }));
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
        if let Some(action) = menu::clicked(&event) {
            drop(says.send(Said::Clicked(action)));
        }
    }));
}
