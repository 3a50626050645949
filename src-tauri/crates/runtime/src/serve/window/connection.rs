//! A window's connection: the newest view out, commands in.

use std::collections::HashMap;

use broker::asker::Endpoint;
use broker::command::Command;
use broker::problem::Problem;
use broker::texts::Language;
use broker::view::{ProblemView, Told, View};
use broker::waiters::CallerId;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use wire::frame::{Decoder, Encoder, LONGEST_VIEW, Reply, Request};
use zeroize::Zeroize;

use super::{Pane, Window};
use crate::os::socket::Stream;
use crate::serve::frames;

/// How many commands of one window may be unanswered.
const MOST: usize = 64;

/// What a window is sent; each is a frame. The window's process knows these names, and nothing of what is in them.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Said<'a> {
    /// What it shows from now on.
    View(&'a View),
    /// What became of a command that it sent.
    Told { number: u64, told: &'a Told },
    /// It is wanted.
    Open(Pane),
    /// Another took its place.
    Replaced {},
}

/// A command, as a window sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// By which it is told.
    number: u64,
    command: Command,
}

/// The connection itself.
pub(crate) struct Link {
    stream: Stream,
    decoder: Decoder<Request>,
    encoder: Encoder<Reply>,
}

impl Link {
    pub(crate) fn new(stream: Stream, decoder: Decoder<Request>) -> Self {
        Self {
            stream,
            decoder,
            encoder: Encoder::new(),
        }
    }

    pub(super) async fn read(&mut self) -> Option<Vec<u8>> {
        match frames::read(&mut self.stream, &mut self.decoder).await {
            Ok(Some(Request::Command(command))) => Some(command),
            Ok(Some(Request::Run(_) | Request::Answer(_)) | None) | Err(_) => None,
        }
    }

    /// None: there is nobody any more, or nobody who reads.
    async fn say(&mut self, said: &Said<'_>) -> Option<()> {
        let frames = [Reply::View(fitting(said)?)];
        let written = frames::write(&mut self.stream, &mut self.encoder, &frames).await;
        written
            .inspect_err(|error| tracing::info!(%error, "a window that can't be told"))
            .ok()
    }
}

/// As it fits into a frame: of a view that doesn't, its longest lists are shorter.
fn fitting(said: &Said<'_>) -> Option<Vec<u8>> {
    let whole = serde_json::to_vec(said).ok()?;
    if whole.len() <= LONGEST_VIEW {
        return Some(whole);
    }
    match said {
        Said::View(view) => {
            let mut cut = view.shorter()?;
            loop {
                let said = serde_json::to_vec(&Said::View(&cut)).ok()?;
                if said.len() <= LONGEST_VIEW {
                    return Some(said);
                }
                cut = cut.shorter()?;
            }
        }
        Said::Told { number, .. } => {
            let problem = Problem::TooMuchToShow;
            let problem = ProblemView::of(&problem, Language::default());
            let told = &Told::Refused { problem };
            let number = *number;
            serde_json::to_vec(&Said::Told { number, told }).ok()
        }
        Said::Open(_) | Said::Replaced {} => None,
    }
}

/// What a window may, and what it is told beside the view.
pub(super) struct Seat<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) panes: &'a mut mpsc::UnboundedReceiver<Pane>,
    /// Changes when another takes its place.
    pub(super) started: watch::Receiver<u64>,
}

/// Serves a window until it is gone. `first` is what it said first.
pub(super) async fn serve(mut link: Link, first: Vec<u8>, seat: Seat<'_>, window: &Window) {
    let (telling, told) = mpsc::unbounded_channel();
    let mut desk = Desk {
        endpoint: seat.endpoint,
        window,
        telling,
        waiting: HashMap::new(),
    };
    if desk.take(first).is_some() {
        exchange(&mut link, &mut desk, told, seat, window).await;
    }
    desk.leave();
}

async fn exchange(
    link: &mut Link,
    desk: &mut Desk<'_>,
    mut told: mpsc::UnboundedReceiver<(u64, Told)>,
    seat: Seat<'_>,
    window: &Window,
) -> Option<()> {
    let Seat {
        panes, mut started, ..
    } = seat;
    let mut view = window.views();
    view.mark_changed();
    window.orders().look();
    loop {
        tokio::select! {
            biased;
            Some((number, told)) = told.recv() => {
                desk.waiting.remove(&number);
                link.say(&Said::Told { number, told: &told }).await?;
            }
            Some(pane) = panes.recv() => link.say(&Said::Open(pane)).await?,
            Ok(()) = view.changed() => {
                let newest = view.borrow_and_update().clone();
                link.say(&Said::View(&newest)).await?;
            }
            Ok(()) = started.changed() => return link.say(&Said::Replaced {}).await,
            sent = link.read() => desk.take(sent?)?,
        }
    }
}

/// The commands of one window.
struct Desk<'a> {
    endpoint: Endpoint,
    window: &'a Window,
    telling: mpsc::UnboundedSender<(u64, Told)>,
    waiting: HashMap<u64, CallerId>,
}

impl Desk<'_> {
    /// Takes what was sent; nothing at all says only that a window is here. None: it is no command.
    fn take(&mut self, mut sent: Vec<u8>) -> Option<()> {
        if sent.is_empty() {
            return Some(());
        }
        let read = serde_json::from_slice(&sent);
        // A client secret may be in it.
        sent.zeroize();
        let Ok(Sent { number, command }) = read else {
            tracing::warn!("a window sent what is no command");
            return None;
        };
        if self.waiting.len() >= MOST || self.waiting.contains_key(&number) {
            tracing::warn!("a window sends too much");
            return None;
        }
        let language = self.window.view().language;
        let caller =
            self.window
                .orders()
                .ordered(command, self.endpoint, language, (number, &self.telling));
        self.waiting.insert(number, caller);
        Some(())
    }

    /// Nobody is there to be told any more.
    fn leave(self) {
        let orders = self.window.orders();
        orders.look_no_more();
        for caller in self.waiting.into_values() {
            orders.left(caller);
        }
    }
}
