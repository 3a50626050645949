//! The desktop's side of the resident: what the tray shows, what notifications say, and what a click does. It is drawn
//! elsewhere (`kubefob`'s `platform`); here are its ends.

use broker::asker::{Asker, Desktop, Place};
use broker::menu::{self, Action, Tray};
use broker::notes::notes;
use broker::texts::Language;
use broker::view::View;
use tokio::sync::{mpsc, watch};
use wire::frame::Reply;

use crate::run::{Inbox, Message};
use crate::server::Server;

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
                let (replies, mut told) = mpsc::unbounded_channel();
                self.server.clicked(*command, person(language), replies);
                let notes = self.notes.clone();
                tokio::spawn(async move {
                    while let Some(reply) = told.recv().await {
                        if let Reply::Stderr(text) = reply {
                            drop(notes.send(text));
                        }
                    }
                });
            }
        }
    }
}

/// Whoever sits at this desktop. A click approves nothing: it comes over the session bus, where anybody of this user's
/// can send one.
fn person(language: Language) -> Asker {
    Asker {
        process: None,
        program: "Kubefob".to_owned(),
        arguments: None,
        place: Place::Here,
        foreground: false,
        terminal: false,
        completion: false,
        proxies: Default::default(),
        own_ca: false,
        language,
    }
}

/// The other ends, for the resident.
pub(crate) struct Stage {
    tray: watch::Sender<Tray>,
    notes: mpsc::UnboundedSender<String>,
    shown: View,
}

impl Stage {
    pub(crate) fn new(
        inbox: Inbox,
        server: Server,
        desktop: watch::Receiver<Desktop>,
    ) -> (Self, Front) {
        let (shows, tray) = watch::channel(menu::tray(&View::default()));
        let (tells, told) = mpsc::unbounded_channel();
        let stage = Self {
            tray: shows,
            notes: tells.clone(),
            shown: View::default(),
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
        self.shown = view;
    }
}
