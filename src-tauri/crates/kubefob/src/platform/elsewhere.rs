//! Windows and macOS: notifications, by notify-rust. There is no tray yet: the app is reached by starting it again.

use broker::notes::{Note, Telling};
use notify_rust::Notification;
use runtime::front::Front;

/// Tells what is to be told, for as long as the resident lives. What is over goes with the system's own time.
pub(crate) async fn draw(mut front: Front) {
    while let Some(telling) = front.notes.recv().await {
        match telling {
            // It may wait for the system's own server.
            Telling::Tell(note) => drop(tokio::task::spawn_blocking(move || tell(&note))),
            Telling::Over(_) => {}
        }
    }
}

fn tell(note: &Note) {
    let mut notification = Notification::new();
    notification
        .appname("Kubefob")
        .summary(&note.title)
        .body(&note.text);
    if let Err(error) = notification.show() {
        tracing::info!(%error, "no notification");
    }
}
