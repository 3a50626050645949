//! The socket, served: one task a connection. Its first frame says what came: a shim or a window.

use std::time::Duration;

use broker::problem::Problem;
use tokio::sync::{oneshot, watch};
use wire::frame::{Decoder, Request};

use crate::askers::asker;
use crate::desk::desktop::Screen;
use crate::hall::under_way::{Turn, UnderWay};
use crate::os::socket::{self, Listener, Stream};
use crate::serve::door::Door;
use crate::serve::frames::{FIRST_FRAME, read, refuse};
use crate::serve::room::Room;
use crate::serve::shim::Shims;
use crate::serve::window::{Link, Window};

/// How long one for whom there is no place may take for it: it is told so, and that takes a word of its own.
const TURNED_AWAY: Duration = Duration::from_millis(200);
/// How soon is tried again what the system refused, with nobody here who could give way.
const AGAIN: Duration = Duration::from_millis(50);

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) uid: wire::os::Uid,
    pub(crate) door: watch::Receiver<Door>,
    pub(crate) room: Room,
    pub(crate) under_way: UnderWay,
    pub(crate) screen: Screen,
    pub(crate) window: Window,
    pub(crate) shims: Shims,
}

impl Server {
    /// Takes connections while the door is open, until it is gone.
    pub(crate) async fn serve(self, mut listener: Listener) {
        let mut door = self.door.clone();
        let (mut found, mut refused) = (true, false);
        loop {
            let state = door.wait_for(|door| *door != Door::Shut).await;
            if state.map_or(Door::Gone, |door| *door) == Door::Gone {
                return;
            }
            // First: whoever waits before the door costs nothing yet.
            let place = tokio::select! {
                biased;
                _ = door.changed() => continue,
                place = self.room.enter(Room::patience(found)) => place,
            };
            let accepted = tokio::select! {
                biased;
                _ = door.changed() => continue,
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    // The whole system may be out of descriptors: those without a first frame make room.
                    if !std::mem::replace(&mut refused, true) {
                        tracing::warn!(%error, "accept");
                    }
                    if self.room.give_way() {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(AGAIN).await;
                    }
                    continue;
                }
            };
            refused = false;
            let place = place.or_else(|| self.room.try_enter());
            found = place.is_some();
            let Some(place) = place else {
                drop(tokio::time::timeout(TURNED_AWAY, self.turned_away(stream)).await);
                continue;
            };
            let (speaks, spoke) = oneshot::channel();
            let turn = self.under_way.connection();
            let connection = self.clone().connection(stream, speaks, turn);
            let task = tokio::spawn(async move {
                connection.await;
                drop(place);
            });
            self.room.came(task.abort_handle(), spoke);
        }
    }

    /// Everybody who is here waits for something: one more is told, and comes again.
    async fn turned_away(&self, mut stream: Stream) {
        if !socket::peer(&stream).is_ok_and(|peer| peer.uid == self.uid) {
            return;
        }
        drop(read(&mut stream, &mut Decoder::new()).await);
        drop(refuse(&mut stream, &Problem::Busy).await);
    }

    async fn connection(self, mut stream: Stream, speaks: oneshot::Sender<()>, under_way: Turn) {
        let Ok(peer) = socket::peer(&stream) else {
            return;
        };
        if peer.uid != self.uid {
            tracing::warn!(uid = %peer.uid, "a foreign user was turned away");
            return;
        }
        let mut decoder = Decoder::<Request>::new();
        let first = tokio::time::timeout(FIRST_FRAME, read(&mut stream, &mut decoder)).await;
        drop(speaks);
        match first {
            Ok(Ok(Some(Request::Run(run)))) => {
                self.shims.answer(stream, decoder, peer.pid, run).await;
            }
            Ok(Ok(Some(Request::Command(_)))) if !peer.pid.is_some_and(asker::is_with_us) => {
                // A window has a person's commands, and shows what is theirs.
                drop(refuse(&mut stream, &Problem::NotInContainers).await);
            }
            Ok(Ok(Some(Request::Command(first)))) => {
                // Started by hand: where somebody sits.
                if let Some(environment) = peer.pid.and_then(asker::started_in) {
                    self.screen.offer(&environment);
                }
                // It stays for hours, and nothing has to wait for it.
                drop(under_way);
                let link = Link::new(stream, decoder);
                return self.window.control(link, first).await;
            }
            Ok(Ok(Some(Request::Answer(_)))) | Ok(Err(_)) => {
                drop(refuse(&mut stream, &Problem::BadClient).await);
            }
            Ok(Ok(None)) | Err(_) => {}
        }
        drop(under_way);
    }
}
