//! Notifications, by notify-rust: Windows' toasts, and macOS' UserNotifications.
//!
//! | | macOS | Windows |
//! |---|---|---|
//! | a click, on it or on its button | heard | heard while it is on the screen; what was clicked later, in the notification centre, is not |
//! | one about the same thing | takes the place of the other | stands beside it |
//! | what is over | is taken back | is taken back once nothing that was told still holds: one alone can't be named |
//! | wants | a bundle, and the person's leave, which is asked for with the first | an id, which is registered (`os`) |

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::menu::Action;
use broker::notes::{About, Note, Telling};
use notify_rust::{Notification, NotificationResponse};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::{Said, os};

/// The name of the button, where only we see it.
const BUTTON: &str = "button";

/// What was told and is not over yet. What nobody will say is over is not among it.
type Told = Arc<Mutex<BTreeSet<About>>>;

/// Tells what is to be told, for as long as the resident lives.
pub(super) async fn tell(notes: &mut UnboundedReceiver<Telling>, says: UnboundedSender<Said>) {
    let told = Told::default();
    while let Some(telling) = notes.recv().await {
        match telling {
            Telling::Tell(note) => {
                if can_be_over(&note.about) {
                    lock(&told).insert(note.about.clone());
                }
                show(note, told.clone(), says.clone());
            }
            Telling::Over(about) => {
                let last = {
                    let mut told = lock(&told);
                    told.remove(&about);
                    told.is_empty()
                };
                os::take_back(&name(&about), last);
            }
        }
    }
}

fn lock(told: &Told) -> MutexGuard<'_, BTreeSet<About>> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

fn can_be_over(about: &About) -> bool {
    match about {
        About::Account(_) | About::Question(_) => true,
        About::Tray | About::Click => false,
    }
}

/// Shows it on a thread of its own, which waits for a click until it is gone.
fn show(note: Note, told: Told, says: UnboundedSender<Said>) {
    let waits = std::thread::Builder::new()
        .name("notification".to_owned())
        .spawn(move || {
            if let Err(error) = show_and_wait(note, &told, &says) {
                tracing::info!(%error, "no notification");
            }
        });
    if let Err(error) = waits {
        tracing::warn!(%error, "no notification");
    }
}

fn show_and_wait(note: Note, told: &Told, says: &UnboundedSender<Said>) -> anyhow::Result<()> {
    os::may_tell()?;
    // The person may have taken their time to say so.
    if can_be_over(&note.about) && !lock(told).contains(&note.about) {
        return Ok(());
    }
    let (notification, button) = notification(note);
    let answer = |response: &NotificationResponse| {
        if let (true, Some(button)) = (is_click(response), button) {
            drop(says.send(Said::Clicked(button)));
        }
    };
    // An error: another took its place.
    drop(notification.show()?.wait_for_response(answer));
    Ok(())
}

fn notification(note: Note) -> (Notification, Option<Action>) {
    let mut notification = Notification::new();
    notification
        .appname("Kubefob")
        .summary(&note.title)
        .body(&note.text);
    os::name(&mut notification, &name(&note.about));
    let button = note.button.map(|(label, button)| {
        notification.action(BUTTON, &label);
        button
    });
    (notification, button)
}

fn is_click(response: &NotificationResponse) -> bool {
    match response {
        NotificationResponse::Default => true,
        NotificationResponse::Action(name) => name == BUTTON,
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => false,
    }
}

/// Of each name there is one notification at a time.
fn name(about: &About) -> String {
    match about {
        About::Account(id) => format!("account-{id}"),
        About::Question(name) => format!("question-{name}"),
        About::Tray => "tray".to_owned(),
        About::Click => "click".to_owned(),
    }
}
