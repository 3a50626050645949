//! The window: a program of its own, which is started when it is wanted and shows the view.
//!
//! Approvals count by one way alone: the descriptor that the process gets from us when we start it. Whoever
//! connects by the main socket sees the view too and may send commands, but what it answers to a question does
//! not count (`broker::asker::may_approve`); so a window that outlived its resident is replaced when one is wanted.

mod connection;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::asker::Endpoint;
use broker::command::ScreenName;
use broker::event::Event;
use broker::problem::Problem;
use broker::view::View;
use serde::Serialize;
use tokio::process::Command;
use tokio::sync::{mpsc, watch};
use wire::frame::Decoder;

use crate::desk::desktop::{Screen, Variables};
use crate::hall::inbox::Inbox;
use crate::os::socket::Ours;
use crate::serve::frames::FIRST_FRAME;
use crate::serve::orders::Orders;

pub(crate) use connection::Link;
use connection::Seat;

/// Its file, beside the resident's.
pub(crate) const PROGRAM: &str = if cfg!(windows) {
    "kubefob-window.exe"
} else {
    "kubefob-window"
};

/// What the window may know of our environment beside the desktop's: no WEBKIT_*, GTK_*, LD_* and their like, which
/// would make it another program.
pub(crate) fn passed_on(environment: &[(OsString, OsString)], home: &Path) -> Variables {
    let known = |name: &OsStr| {
        let known = [
            "PATH",
            "USER",
            "LOGNAME",
            "LANG",
            "KUBEFOB_HOME",
            "KUBEFOB_PERSON_HOME",
        ];
        known.iter().any(|known| name == *known)
            || name.as_encoded_bytes().starts_with(b"LC_")
            || wire::os::is_needed(name)
    };
    let passed = environment.iter().filter(|(name, _)| known(name)).cloned();
    let home = (OsString::from("HOME"), home.into());
    passed.chain([home]).collect()
}

/// What is shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "page", rename_all = "kebab-case")]
pub(crate) enum Pane {
    /// The window itself.
    Main {
        /// At which screen; none: where it is.
        screen: Option<ScreenName>,
    },
    /// The questions that wait.
    Consent,
}

/// The window, as everybody here knows it.
#[derive(Clone)]
pub(crate) struct Window(Arc<WindowState>);

struct WindowState {
    program: PathBuf,
    screen: Screen,
    environment: Variables,
    inbox: Inbox,
    orders: Orders,
    view: watch::Sender<Arc<View>>,
    /// The one that we started.
    ours: Mutex<Option<mpsc::UnboundedSender<Pane>>>,
    /// The desktop's leave for the next one that is started to come to the front (XDG activation).
    activation: Mutex<Option<String>>,
    /// How many we started: whoever came before, by the main socket, is not the window any more.
    started: watch::Sender<u64>,
}

impl Window {
    /// It lies beside the `resident`; `environment` is what it may know of ours beside the desktop's.
    pub(crate) fn new(
        resident: &Path,
        environment: Variables,
        screen: Screen,
        inbox: Inbox,
        orders: Orders,
    ) -> Self {
        Self(Arc::new(WindowState {
            program: resident.with_file_name(PROGRAM),
            screen,
            environment,
            inbox,
            orders,
            view: watch::Sender::new(Arc::default()),
            ours: Mutex::new(None),
            activation: Mutex::new(None),
            started: watch::Sender::new(0),
        }))
    }

    /// Every window shows this from now on. One that does not look misses what was between.
    pub(crate) fn show(&self, view: Arc<View>) {
        self.0.view.send_replace(view);
    }

    /// The view that is shown.
    fn view(&self) -> Arc<View> {
        Arc::clone(&self.0.view.borrow())
    }

    /// Whether one is connected.
    pub(crate) fn is_there(&self) -> bool {
        self.0.view.receiver_count() > 0
    }

    /// Where its commands go.
    fn orders(&self) -> &Orders {
        &self.0.orders
    }

    /// The view that is shown, and whatever comes after it.
    fn views(&self) -> watch::Receiver<Arc<View>> {
        self.0.view.subscribe()
    }

    /// The desktop gives leave that the next one that is started comes to the front. What is no token is none.
    pub(crate) fn activated(&self, token: String) {
        const LONGEST: usize = 256;
        if token.len() <= LONGEST && token.bytes().all(|byte| byte.is_ascii_graphic()) {
            *self.activation() = Some(token);
        }
    }

    fn activation(&self) -> MutexGuard<'_, Option<String>> {
        let activation = self.0.activation.lock();
        activation.unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings it up, in a process that is there or in a new one.
    ///
    /// # Errors
    /// `NoWindow`.
    pub(crate) fn open(&self, pane: Pane) -> Result<(), Problem> {
        let mut ours = self.0.ours.lock().unwrap_or_else(PoisonError::into_inner);
        // It is for one click: where a window is there already, nobody can use it later.
        let activation = self.activation().take();
        if let Some(there) = &*ours
            && there.send(pane).is_ok()
        {
            return Ok(());
        }
        let refused = |error: io::Error| {
            let path = self.0.program.display();
            Problem::NoWindow {
                reason: format!("{path}: {error}"),
            }
        };
        let started = self.start(activation.as_deref()).map_err(refused)?;
        let (panes, asked) = mpsc::unbounded_channel();
        // One that outlived another resident goes now, and was perhaps being looked at.
        if pane == Pane::Consent && self.0.started.receiver_count() > 0 {
            let _ = panes.send(Pane::Main { screen: None });
        }
        let _ = panes.send(pane);
        *ours = Some(panes);
        drop(ours);
        self.0.started.send_modify(|started| *started += 1);
        let window = self.clone();
        tokio::spawn(async move {
            window.consent(started, asked).await;
        });
        Ok(())
    }

    /// The way to the one that was started, and its process number.
    fn start(&self, activation: Option<&str>) -> io::Result<(Ours, Option<u32>)> {
        let mut command = Command::new(&self.0.program);
        let ours = Ours::new(&mut command)?;
        command
            .env_clear()
            .envs(self.0.environment.iter().map(|(name, value)| (name, value)))
            .envs(self.0.screen.environment())
            .envs(activation.into_iter().flat_map(|token| {
                ["XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"].map(|name| (name, token))
            }))
            .current_dir(wire::os::root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pid = child.id();
        tracing::info!(pid, "the window was started");
        tokio::spawn(async move {
            let ended = child.wait().await;
            tracing::info!(?ended, "the window ended");
        });
        Ok((ours, pid))
    }

    /// Serves the one that we started until it ends. What it asks is asked elsewhere then.
    async fn consent(
        &self,
        (ours, pid): (Ours, Option<u32>),
        mut panes: mpsc::UnboundedReceiver<Pane>,
    ) {
        let first = async {
            let mut link = Link::new(ours.with(pid).await.ok()?, Decoder::new());
            let first = link.read().await?;
            Some((link, first))
        };
        let greeted = match tokio::time::timeout(FIRST_FRAME, first).await {
            Ok(Some((link, first))) => {
                let seat = Seat {
                    endpoint: Endpoint::Consent,
                    panes: &mut panes,
                    started: watch::Sender::new(0).subscribe(),
                };
                connection::serve(link, first, seat, self).await;
                true
            }
            Ok(None) | Err(_) => {
                tracing::warn!("a window that says nothing");
                false
            }
        };
        let mut ours = self.0.ours.lock().unwrap_or_else(PoisonError::into_inner);
        panes.close();
        *ours = None;
        drop(ours);
        self.0.inbox.event(Event::NoWindow);
        // It was wanted when it had just gone.
        if greeted
            && let Ok(pane) = panes.try_recv()
            && let Err(problem) = self.open(pane)
        {
            tracing::warn!(problem = problem.code().name(), "the window");
        }
    }

    /// Serves one that came by the main socket. `first` is what it said first.
    pub(crate) async fn control(&self, link: Link, first: Vec<u8>) {
        let seat = Seat {
            endpoint: Endpoint::Control,
            panes: &mut mpsc::unbounded_channel().1,
            started: self.0.started.subscribe(),
        };
        connection::serve(link, first, seat, self).await;
    }
}
