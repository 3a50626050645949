//! A shim, answered: who asks, what it asks, and each reply until the last.

use std::sync::Arc;

use broker::asker::Place;
use broker::event::Event;
use tokio::sync::{mpsc, oneshot, watch};
use wire::frame::{ALIVE_EVERY, Decoder, Encoder, Reply, Request, Run};

use crate::askers::asker::Programs;
use crate::desk::desktop::Screen;
use crate::hall::inbox::{Inbox, Message};
use crate::hall::line::Line;
use crate::hall::under_way::UnderWay;
use crate::os::socket::Stream;
use crate::own::settings::Settings;
use crate::serve::ask::Asks;
use crate::serve::frames::{read, write};

/// What shims are answered with.
#[derive(Clone)]
pub(crate) struct Shims {
    pub(crate) inbox: Inbox,
    pub(crate) programs: Programs,
    pub(crate) asks: Asks,
    pub(crate) chosen: watch::Receiver<Settings>,
    pub(crate) under_way: UnderWay,
    pub(crate) screen: Screen,
}

impl Shims {
    /// From the first frame to the last reply.
    pub(super) async fn answer(
        &self,
        mut stream: Stream,
        mut decoder: Decoder<Request>,
        pid: Option<u32>,
        run: Run,
    ) {
        let caller = self.asks.orders.caller();
        let mut found = self.programs.find(pid, &run);
        if let Some(language) = self.chosen.borrow().language {
            found.asker.language = language;
        }
        if let (Place::Here, Some(environment)) = (found.asker.place, &found.program.environment) {
            self.screen.offer(environment);
        }
        let (replies, mut outgoing) = mpsc::unbounded_channel();
        let line = Line::to_shim(replies, Arc::new(found.asker.clone()));
        self.inbox.send(Message::Caller(caller, line));
        let ask = self.asks.event(caller, found, run);
        let mut ask = std::pin::pin!(ask);
        let mut asked = false;
        let mut waiting = None;
        let mut encoder = Encoder::new();
        let mut alive =
            tokio::time::interval_at(tokio::time::Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
        let complete = loop {
            tokio::select! {
                biased;
                event = &mut ask, if !asked => {
                    asked = true;
                    self.inbox.event(event);
                }
                reply = outgoing.recv() => {
                    let Some(reply) = reply else { break true };
                    // A token and the end of it are there together, and go together.
                    let mut replies = vec![reply];
                    while let Ok(next) = outgoing.try_recv() {
                        replies.push(next);
                    }
                    let last = replies.iter().any(|reply| matches!(reply, Reply::Exit(_)));
                    if write(&mut stream, &mut encoder, &replies).await.is_err() {
                        break false;
                    }
                    if last {
                        break true;
                    }
                }
                request = read(&mut stream, &mut decoder) => match request {
                    Ok(Some(Request::Answer(line))) => {
                        self.inbox.event(Event::Typed(caller, line));
                    }
                    Ok(Some(Request::Run(_) | Request::Command(_)) | None) | Err(_) => break false,
                },
                // Only a loop that still turns says that it is alive.
                _ = alive.tick() => {
                    waiting.get_or_insert_with(|| self.under_way.waiting());
                    let (ping, pong) = oneshot::channel();
                    self.inbox.send(Message::Ping(ping));
                    if pong.await.is_err()
                        || write(&mut stream, &mut encoder, &[Reply::Alive]).await.is_err()
                    {
                        break false;
                    }
                }
            }
        };
        self.inbox.send(Message::Left(caller));
        if !complete {
            self.inbox.event(Event::Gone(caller));
        }
    }
}
