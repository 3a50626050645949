//! A desktop that comes or goes while the resident runs.
//!
//! When, is told by what it puts on the bus; which screen it is, by the login's own service manager
//! (`systemctl --user show-environment`), where the desktop has told it so. Where it has not, the first program that
//! asks us from there does (`runtime`).

use std::ffi::OsString;

use broker::asker::Desktop;
use runtime::front::Reports;
use tokio::sync::watch;

use super::bus::{Bus, Object, comes_or_goes};

/// Where the tray's items are put.
const TRAY: &str = "org.kde.StatusNotifierWatcher";
/// What desktops bring, at their start or soon after.
const ARRIVALS: [&str; 5] = [
    TRAY,
    "org.freedesktop.Notifications",
    "org.freedesktop.portal.Desktop",
    "org.gnome.Shell",
    "org.kde.KWin",
];

const SYSTEMD: Object<'_> = Object {
    service: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
};

/// Looks for a desktop whenever there may be another, until the bus is over.
pub(super) async fn desktops(bus: Bus, desktop: watch::Receiver<Desktop>, reports: Reports) {
    let mut said = match bus.hear(ARRIVALS.map(comes_or_goes).into()).await {
        Ok(said) => said,
        Err(error) => {
            tracing::warn!(%error, "no desktop is heard to come");
            return;
        }
    };
    loop {
        reports.look();
        reports.tray_host(bus.is_there(TRAY).await.unwrap_or(false));
        if *desktop.borrow() == Desktop::None
            && let Some(environment) = told_to_systemd(&bus).await
        {
            reports.appeared(&environment);
        }
        if said.owner_changed(&ARRIVALS).await.is_none() {
            return;
        }
    }
}

/// What the login's service manager gives to what it starts.
async fn told_to_systemd(bus: &Bus) -> Option<Vec<(OsString, OsString)>> {
    if !bus.is_there(SYSTEMD.service).await.unwrap_or(false) {
        return None;
    }
    let told = bus.get(SYSTEMD, "Environment").await.ok()?;
    let told: Vec<String> = told.try_into().ok()?;
    let split = |variable: String| {
        let (name, value) = variable.split_once('=')?;
        Some((name.into(), value.into()))
    };
    Some(told.into_iter().filter_map(split).collect())
}
