//! The desktop's side of the resident: what the tray shows, what notifications say, and what a click does. It is drawn
//! elsewhere (`kubefob`'s `platform`); here are its ends.

use std::sync::Arc;

use broker::asker::{Desktop, Endpoint};
use broker::menu::{self, Action, Tray};
use broker::notes::notes;
use broker::texts::Language;
use broker::view::{Told, View};
use tokio::sync::{mpsc, watch};

use crate::inbox::{Inbox, Message};
use crate::server::Server;
use crate::window::Window;

/// What is drawn, and what is clicked.
pub struct Front {
    /// What the tray shows.
    pub tray: watch::Receiver<Tray>,
    /// Whether there is a desktop to show it on.
    pub desktop: watch::Receiver<Desktop>,
    /// What a person is told without having asked, a text each.
    pub notes: mpsc::UnboundedReceiver<String>,
    /// Where clicks go.
    pub clicks: Clicks,
}

/// Where clicks go.
#[derive(Clone)]
pub struct Clicks {
    inbox: Inbox,
    server: Server,
    notes: mpsc::UnboundedSender<String>,
}

impl Clicks {
    /// Carries out what was clicked. What goes wrong with it is told as a note.
    pub fn act(&self, action: Action, language: Language) {
        match action {
            Action::Quit => self.inbox.send(Message::Stop),
            Action::Command(command) => {
                let (telling, mut told) = mpsc::unbounded_channel();
                self.server
                    .ordered(*command, Endpoint::Control, language, (0, &telling));
                drop(telling);
                let notes = self.notes.clone();
                tokio::spawn(async move {
                    if let Some((_, Told::Refused { problem })) = told.recv().await {
                        drop(notes.send(problem.line()));
                    }
                });
            }
        }
    }
}

/// The other ends, for the resident.
pub(crate) struct Stage {
    tray: watch::Sender<Tray>,
    notes: mpsc::UnboundedSender<String>,
    shown: Arc<View>,
    window: Window,
}

impl Stage {
    pub(crate) fn new(
        inbox: Inbox,
        server: Server,
        desktop: watch::Receiver<Desktop>,
        window: Window,
    ) -> (Self, Front) {
        let (shows, tray) = watch::channel(menu::tray(&View::default()));
        let (tells, told) = mpsc::unbounded_channel();
        let stage = Self {
            tray: shows,
            notes: tells.clone(),
            shown: Arc::default(),
            window,
        };
        let clicks = Clicks {
            inbox,
            server,
            notes: tells,
        };
        let front = Front {
            tray,
            desktop,
            notes: told,
            clicks,
        };
        (stage, front)
    }

    /// Shows another view.
    pub(crate) fn show(&mut self, view: View) {
        for note in notes(&self.shown, &view) {
            drop(self.notes.send(note));
        }
        self.tray.send_if_modified(|shown| {
            let tray = menu::tray(&view);
            let differs = *shown != tray;
            *shown = tray;
            differs
        });
        self.shown = Arc::new(view);
        self.window.show(Arc::clone(&self.shown));
    }
}
