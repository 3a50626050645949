//! The desktop's side of the resident: what the tray shows, what notifications say, and what a click does. It is drawn
//! elsewhere (`kubefob`'s `platform`); here are its ends.

use std::ffi::OsString;
use std::sync::Arc;

use broker::asker::{Desktop, Endpoint};
use broker::event::Event;
use broker::menu::{self, Action, Tray};
use broker::notes::{About, Note, Notes, Telling};
use broker::texts::Language;
use broker::view::{Told, View};
use tokio::sync::{mpsc, watch};

use crate::clock;
use crate::desk::desktop::Screen;
use crate::hall::inbox::{Inbox, Message};
use crate::serve::orders::Orders;
use crate::serve::window::Window;

/// What is drawn, and what is clicked.
pub struct Front {
    /// What the tray shows.
    pub tray: watch::Receiver<Tray>,
    /// Whether there is a desktop to show it on.
    pub desktop: watch::Receiver<Desktop>,
    /// Which socket the session bus has: another one is another bus.
    pub bus: watch::Receiver<Option<u64>>,
    /// What a person is told without having asked.
    pub notes: mpsc::UnboundedReceiver<Telling>,
    /// Where clicks go.
    pub clicks: Clicks,
    /// Where goes what the desktop says of itself.
    pub reports: Reports,
}

/// Where goes what the desktop says of itself, and whoever draws on it hears.
#[derive(Clone)]
pub struct Reports {
    screen: Screen,
    inbox: Inbox,
}

impl Reports {
    /// A desktop may have come or gone.
    pub fn look(&self) {
        self.screen.look();
    }

    /// A desktop came, whose programs have this environment.
    pub fn appeared(&self, environment: &[(OsString, OsString)]) {
        self.screen.offer(environment);
    }

    /// What the desktop is called (`XDG_CURRENT_DESKTOP`), where it says so.
    #[must_use]
    pub fn desktop_name(&self) -> String {
        let environment = self.screen.environment();
        let named = crate::os::environment::variable(&environment, "XDG_CURRENT_DESKTOP");
        named
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// The desktop shows the tray's icon, or has no place for it.
    pub fn tray_host(&self, there: bool) {
        self.inbox.event(Event::TrayHost(there));
    }

    /// The screen is locked, or is no more.
    pub fn locked(&self, locked: bool) {
        self.screen.lock(locked);
    }
}

/// Where clicks go.
#[derive(Clone)]
pub struct Clicks {
    inbox: Inbox,
    orders: Orders,
    window: Window,
    notes: mpsc::UnboundedSender<Telling>,
}

impl Clicks {
    /// The desktop gives leave that the window comes to the front that is started next.
    pub fn activated(&self, token: String) {
        self.window.activated(token);
    }

    /// Carries out what was clicked. What goes wrong with it is told as a note.
    pub fn act(&self, action: Action, language: Language) {
        match action {
            Action::Quit => self.inbox.send(Message::Stop),
            Action::Command(command) => {
                let (telling, mut told) = mpsc::unbounded_channel();
                self.orders
                    .ordered(*command, Endpoint::Control, language, (0, &telling));
                drop(telling);
                let notes = self.notes.clone();
                tokio::spawn(async move {
                    if let Some((_, Told::Refused { problem })) = told.recv().await {
                        drop(notes.send(Telling::Tell(Note {
                            about: About::Click,
                            title: problem.message,
                            text: problem.hint,
                            button: None,
                        })));
                    }
                });
            }
        }
    }
}

/// The other ends, for the resident.
pub(crate) struct Stage {
    tray: watch::Sender<Tray>,
    notes: mpsc::UnboundedSender<Telling>,
    told: Notes,
    window: Window,
}

impl Stage {
    pub(crate) fn new(
        inbox: Inbox,
        orders: Orders,
        screen: Screen,
        bus: watch::Receiver<Option<u64>>,
        window: Window,
    ) -> (Self, Front) {
        let (shows, tray) = watch::channel(menu::tray(&View::default(), clock::local()));
        let (tells, told) = mpsc::unbounded_channel();
        let stage = Self {
            tray: shows,
            notes: tells.clone(),
            told: Notes::default(),
            window: window.clone(),
        };
        let clicks = Clicks {
            inbox: inbox.clone(),
            orders,
            window,
            notes: tells,
        };
        let front = Front {
            tray,
            desktop: screen.watched(),
            bus,
            notes: told,
            clicks,
            reports: Reports { screen, inbox },
        };
        (stage, front)
    }

    /// Tells a person this.
    pub(crate) fn tell(&self, note: Note) {
        drop(self.notes.send(Telling::Tell(note)));
    }

    /// Shows another view.
    pub(crate) fn show(&mut self, view: View) {
        for telling in self.told.update(&view) {
            drop(self.notes.send(telling));
        }
        self.tray.send_if_modified(|shown| {
            let tray = menu::tray(&view, clock::local());
            let differs = *shown != tray;
            *shown = tray;
            differs
        });
        self.window.show(Arc::new(view));
    }
}
