//! Which ink the tray's pictures are drawn in: that which the panel's own colour lets be seen.
//!
//! Nothing says what colour a panel has. What a desktop says (XDG Desktop Portal, `org.freedesktop.portal.Settings`) is
//! what applications should look like, and the panels of some are dark whatever that is. So it is a guess, and the
//! pictures have an edge by which they are seen where it is wrong.

use runtime::front::Reports;
use tokio::sync::watch;
use zbus::zvariant::{OwnedValue, Value};

use super::super::pictures::Ink;
use super::bus::{Bus, Object, comes_or_goes, signal};

const PORTAL: Object<'_> = Object {
    service: "org.freedesktop.portal.Desktop",
    path: "/org/freedesktop/portal/desktop",
    interface: "org.freedesktop.portal.Settings",
};
const APPEARANCE: &str = "org.freedesktop.appearance";
const COLOR_SCHEME: &str = "color-scheme";
/// `color-scheme`: light is preferred.
const PREFERS_LIGHT: u32 = 2;

/// Desktops (`XDG_CURRENT_DESKTOP`) whose panel is dark, whatever their applications are, unless a person or a theme
/// has changed that.
const DARK_PANELS: [&str; 6] = ["GNOME", "Unity", "X-Cinnamon", "Pantheon", "Budgie", "XFCE"];

/// Says which, now and whenever the desktop changes its mind, until the bus is over.
pub(super) async fn inks(bus: Bus, reports: Reports, ink: watch::Sender<Ink>) {
    let rules = vec![
        signal(PORTAL, "SettingChanged"),
        comes_or_goes(PORTAL.service),
    ];
    let mut said = match bus.hear(rules).await {
        Ok(said) => said,
        Err(error) => {
            tracing::warn!(%error, "no theme is heard");
            return;
        }
    };
    loop {
        let scheme = color_scheme(&bus).await;
        let newest = ink_of(scheme, &reports.desktop_name());
        ink.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        // Whoever says that it changed: it is looked up with the portal.
        loop {
            let Some(message) = said.next().await else {
                return;
            };
            let header = message.header();
            let member = header.member().map_or("", |member| member.as_str());
            if ["SettingChanged", "NameOwnerChanged"].contains(&member) {
                break;
            }
        }
    }
}

fn ink_of(scheme: Option<u32>, desktops: &str) -> Ink {
    let dark_panel = desktops
        .split(':')
        .any(|desktop| DARK_PANELS.contains(&desktop));
    if scheme == Some(PREFERS_LIGHT) && !dark_panel {
        Ink::Dark
    } else {
        Ink::Light
    }
}

/// The desktop's preference; none: there is no portal, or it has none. It is not started to be asked.
async fn color_scheme(bus: &Bus) -> Option<u32> {
    if !bus.is_there(PORTAL.service).await.unwrap_or(false) {
        return None;
    }
    let said = bus.call(PORTAL, "Read", &(APPEARANCE, COLOR_SCHEME)).await;
    let value: OwnedValue = said.ok()?.body().deserialize().ok()?;
    number(&value)
}

/// A variant in a variant, as `Read` has it (`ReadOne` came later).
fn number(value: &Value<'_>) -> Option<u32> {
    if let Value::Value(inner) = value {
        return number(inner);
    }
    u32::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_ink_is_for_panels_that_are_light() {
        for (scheme, desktops, ink) in [
            (None, "", Ink::Light),
            (Some(0), "KDE", Ink::Light),
            (Some(1), "KDE", Ink::Light),
            (Some(2), "KDE", Ink::Dark),
            (Some(2), "LXQt", Ink::Dark),
            (Some(2), "ubuntu:GNOME", Ink::Light),
            (Some(2), "XFCE", Ink::Light),
        ] {
            assert_eq!(ink_of(scheme, desktops), ink, "{scheme:?} {desktops}");
        }
    }
}
