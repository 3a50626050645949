//! What a person wants, from tray, window or terminal, on its way to the loop: an event, with what it needs to know of
//! their files.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::asker::{Asker, Endpoint, Place};
use broker::command::{Command, Invocation, Names};
use broker::contexts::{ContextCommand, ContextWish};
use broker::event::{Commanded, Event};
use broker::texts::Language;
use broker::view::Told;
use broker::waiters::CallerId;
use tokio::sync::mpsc;
use wire::frame::Run;

use crate::hall::inbox::{Inbox, Message};
use crate::hall::line::Line;
use crate::kubeconfigs::contexts;
use crate::kubeconfigs::files::Files;
use crate::os::files::path;
use crate::serve::plugin::Plugins;
use crate::serve::room::Room;

/// Where a person's wishes go, shared by its clones.
#[derive(Clone)]
pub(crate) struct Orders {
    inbox: Inbox,
    files: Files,
    plugins: Plugins,
    room: Room,
    next: Arc<AtomicU64>,
}

impl Orders {
    pub(crate) fn new(inbox: Inbox, files: Files, plugins: Plugins, room: Room) -> Self {
        Self {
            inbox,
            files,
            plugins,
            room,
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    /// The number of one who comes.
    pub(super) fn caller(&self) -> CallerId {
        CallerId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A command of whoever sits at this desktop, from tray or window. It is told once, with its number.
    pub(crate) fn ordered(
        &self,
        command: Command,
        endpoint: Endpoint,
        language: Language,
        (number, told): (u64, &mpsc::UnboundedSender<(u64, Told)>),
    ) -> CallerId {
        let caller = self.caller();
        let asker = at_the_desktop(language);
        let line = Line::to_desk(number, told.clone(), Arc::new(asker.clone()));
        self.inbox.send(Message::Caller(caller, line));
        let commanded = Commanded {
            caller,
            asker,
            endpoint,
            invocation: Invocation::Do {
                command,
                json: false,
            },
        };
        let orders = self.clone();
        tokio::spawn(async move {
            let event = orders.commanded(commanded, &Run::default()).await;
            orders.inbox.event(event);
        });
        caller
    }

    /// A person's command, with what it needs to know of their files.
    pub(super) async fn commanded(&self, commanded: Commanded, run: &Run) -> Event {
        let (flag, wish) = match &commanded.invocation {
            Invocation::Contexts { kubeconfig, json } => {
                (kubeconfig.clone(), ContextWish::List { json: *json })
            }
            Invocation::Do {
                command:
                    Command::Use {
                        context,
                        kubeconfig,
                    },
                json,
            } => {
                let wish = ContextWish::Use {
                    context: context.clone(),
                    json: *json,
                };
                (kubeconfig.clone(), wish)
            }
            Invocation::Do {
                command:
                    Command::SignIn {
                        account: None,
                        open_browser,
                    },
                json,
            } if commanded.asker.place != Place::Container => {
                let wish = ContextWish::SignIn {
                    open_browser: *open_browser,
                    json: *json,
                };
                let (caller, asker) = (commanded.caller, commanded.asker.clone());
                let event = self.about_contexts(caller, asker, None, run, wish).await;
                // Where no context is to be told, an account may be.
                return if let Event::Refused(..) = event {
                    Event::Commanded(Box::new(commanded))
                } else {
                    event
                };
            }
            Invocation::Complete(completing) => match &completing.names {
                Some(Names::Contexts(kubeconfig)) => {
                    let wish = ContextWish::Complete(completing.clone());
                    (kubeconfig.clone(), wish)
                }
                Some(Names::Accounts | Names::Questions | Names::Approvals) | None => {
                    return Event::Commanded(Box::new(commanded));
                }
            },
            Invocation::GetToken(_)
            | Invocation::Do {
                command:
                    Command::SignIn { .. }
                    | Command::Renew { .. }
                    | Command::Cancel { .. }
                    | Command::SignOut { .. }
                    | Command::Ask { .. }
                    | Command::Answer { .. }
                    | Command::Leave { .. }
                    | Command::Untrust { .. }
                    | Command::Discover { .. }
                    | Command::Add(_)
                    | Command::Stanza { .. }
                    | Command::Rename { .. }
                    | Command::Remove { .. }
                    | Command::TryNow { .. }
                    | Command::Choose { .. }
                    | Command::Open { .. },
                json: _,
            }
            | Invocation::Status { .. }
            | Invocation::Accounts { .. }
            | Invocation::Token { .. }
            | Invocation::Trusts { .. }
            | Invocation::Reset { .. }
            | Invocation::Version { .. }
            | Invocation::Help(_)
            | Invocation::Completion { .. } => return Event::Commanded(Box::new(commanded)),
        };
        self.about_contexts(commanded.caller, commanded.asker, flag, run, wish)
            .await
    }

    /// A person's own words say which file set is meant: a change of a file is no trust in it.
    async fn about_contexts(
        &self,
        caller: CallerId,
        asker: Asker,
        flag: Option<String>,
        run: &Run,
        wish: ContextWish,
    ) -> Event {
        let variable = run.variable("KUBECONFIG").map(path);
        let _turn = self.room.look().await;
        match contexts::of_a_command(&self.files, flag, variable, path(&run.cwd)).await {
            Ok(kubeconfigs) => Event::Contexts(Box::new(ContextCommand {
                caller,
                asker,
                wish,
                kubeconfigs,
            })),
            Err(problem) => Event::Refused(caller, problem),
        }
    }

    /// Somebody who gave an order is there no more.
    pub(super) fn left(&self, caller: CallerId) {
        self.inbox.send(Message::Left(caller));
        self.inbox.event(Event::Gone(caller));
    }

    /// A window came: what it shows is looked at again.
    pub(super) fn look(&self) {
        self.files.seen().look();
        self.plugins.look_again();
    }

    /// A window is gone, and with it the reason to look often.
    pub(super) fn look_no_more(&self) {
        self.files.seen().look();
    }
}

/// Whoever sits at this desktop. A click in the tray approves nothing: it comes over the session bus, where anybody
/// of this user's can send one.
fn at_the_desktop(language: Language) -> Asker {
    Asker {
        process: None,
        program: "Kubefob".to_owned(),
        arguments: None,
        place: Place::Here,
        container: None,
        foreground: false,
        types: false,
        terminal: false,
        completion: false,
        proxies: Default::default(),
        own_ca: false,
        language,
    }
}
