//! Windows and macOS: tao's loop. It has the main thread, since icon and menu want to be made and clicked there; the
//! resident has a thread of its own. The one is told by the loop's proxy, the other by a channel.
//!
//! Type-checked only: nobody has run it yet.

mod menu;
mod notify;
mod os;
mod tray;

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use broker::command::Command;
use broker::menu::{Action, Tray};
use runtime::front::Front;
use tao::event::{Event, StartCause};
use tao::event_loop::{ControlFlow, EventLoopBuilder, EventLoopProxy};
use tao::platform::run_return::EventLoopExtRunReturn as _;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What the loop is told.
enum Wish {
    /// The tray has changed.
    Show(Tray),
    /// What it is drawn on may have changed.
    #[cfg(windows)]
    Repaint,
    /// Somebody may have come or gone.
    Look,
    /// The resident has ended.
    End,
}

/// What the loop tells.
enum Said {
    /// Something was clicked.
    Clicked(Action),
    /// The screen is locked, or another login has it; or no more.
    Away(bool),
    /// There is an icon, or none could be had.
    Shown(bool),
}

/// Opens the window.
fn open() -> Action {
    Action::Command(Box::new(Command::Open { screen: None }))
}

/// The desktop of a resident; none where nobody sits, and then it serves all the same.
pub(crate) struct Desktop(Option<Ends>);

struct Ends {
    wishes: EventLoopProxy<Wish>,
    says: UnboundedSender<Said>,
    said: UnboundedReceiver<Said>,
}

/// Runs the resident on a thread of its own, and the desktop's loop on this one, until the resident ends. A menu that
/// is open then is first let close.
///
/// # Errors
/// The resident's.
pub(crate) fn lead(
    resident: impl FnOnce(Desktop) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    if !runtime::has_screen() {
        return resident(Desktop(None));
    }
    let mut main = EventLoopBuilder::with_user_event().build();
    os::prepare(&mut main);
    let (says, said) = mpsc::unbounded_channel();
    let desktop = Desktop(Some(Ends {
        wishes: main.create_proxy(),
        says: says.clone(),
        said,
    }));
    let ending = Ending(main.create_proxy());
    let mut stage = Stage::new(main.create_proxy(), says);
    let resident = std::thread::Builder::new()
        .name("resident".to_owned())
        .spawn(move || {
            let _ending = ending;
            resident(desktop)
        })
        .context("the resident's thread")?;
    main.run_return(|event, _, flow| *flow = stage.take(event));
    drop(stage);
    resident
        .join()
        .map_err(|_| anyhow!("the resident's thread panicked"))?
}

/// Ends the loop however the resident ends.
struct Ending(EventLoopProxy<Wish>);

impl Drop for Ending {
    fn drop(&mut self) {
        drop(self.0.send_event(Wish::End));
    }
}

impl Desktop {
    /// Draws what there is to be seen, for as long as the resident lives.
    pub(crate) async fn draw(self, front: Front) {
        let Front {
            mut tray,
            mut notes,
            clicks,
            reports,
            ..
        } = front;
        let Some(Ends {
            wishes,
            says,
            mut said,
        }) = self.0
        else {
            tracing::info!("nobody sits here: no tray");
            reports.tray_host(false);
            // The terminal says it all the same.
            while notes.recv().await.is_some() {}
            return;
        };
        // Which language is spoken: that of the tray.
        let language = tray.clone();
        let show = async {
            loop {
                let newest = tray.borrow_and_update().clone();
                if wishes.send_event(Wish::Show(newest)).is_err() || tray.changed().await.is_err() {
                    return;
                }
            }
        };
        let hear = async {
            while let Some(said) = said.recv().await {
                match said {
                    Said::Clicked(action) => {
                        let language = language.borrow().language;
                        clicks.act(action, language);
                    }
                    Said::Away(away) => reports.locked(away),
                    Said::Shown(there) => reports.tray_host(there),
                }
            }
        };
        tokio::join!(show, hear, notify::tell(&mut notes, says));
    }
}

/// How long after it was said that somebody came or went it is looked up once more: what is said is not believed, since
/// others could say it, and what is looked up may follow what is said.
const ONCE_MORE: Duration = Duration::from_secs(2);

/// What the main thread has.
struct Stage {
    wishes: EventLoopProxy<Wish>,
    says: UnboundedSender<Said>,
    icon: Option<tray::Icon>,
    /// What keeps telling us.
    watch: Option<os::Watch>,
    away: bool,
    look_again: Option<Instant>,
    ended: bool,
}

impl Stage {
    fn new(wishes: EventLoopProxy<Wish>, says: UnboundedSender<Said>) -> Self {
        Self {
            wishes,
            says,
            icon: None,
            watch: None,
            away: false,
            look_again: None,
            ended: false,
        }
    }

    fn take(&mut self, event: Event<'_, Wish>) -> ControlFlow {
        if let Event::UserEvent(wish) = event {
            self.grant(wish);
        } else if let Event::NewEvents(StartCause::Init) = event {
            self.watch = os::watch(&self.wishes);
            self.look();
        } else if let Event::NewEvents(StartCause::ResumeTimeReached { .. }) = event {
            self.look_again = None;
            self.look();
        } else if let Event::Reopen { .. } = event {
            // macOS: it was started once more.
            self.say(Said::Clicked(open()));
        }
        match self.look_again {
            _ if self.ended => ControlFlow::Exit,
            Some(then) => ControlFlow::WaitUntil(then),
            None => ControlFlow::Wait,
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Show(tray) => self.show(tray),
            #[cfg(windows)]
            Wish::Repaint => {
                if let Some(icon) = &mut self.icon {
                    icon.repaint();
                }
            }
            Wish::Look => {
                self.look();
                self.look_again = Some(Instant::now() + ONCE_MORE);
            }
            Wish::End => self.ended = true,
        }
    }

    fn show(&mut self, tray: Tray) {
        if let Some(icon) = &mut self.icon {
            icon.show(tray);
            return;
        }
        match tray::Icon::new(tray, &self.says) {
            Ok(icon) => {
                self.icon = Some(icon);
                self.say(Said::Shown(true));
            }
            Err(error) => {
                tracing::warn!(%error, "no tray");
                self.say(Said::Shown(false));
            }
        }
    }

    fn look(&mut self) {
        let away = os::is_away();
        if std::mem::replace(&mut self.away, away) != away {
            self.say(Said::Away(away));
        }
    }

    fn say(&self, said: Said) {
        drop(self.says.send(said));
    }
}
