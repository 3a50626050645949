//! The loop: one task owns the broker; whatever happens comes in by one channel, and what must be
//! done is performed elsewhere.

use std::time::Duration;

use broker::broker::Broker;
use broker::event::{Effect, Event};
use broker::problem::Problem;
use tokio::sync::mpsc;

use crate::clock::{self, Alarm, ClockSet, Jump};
use crate::hall::inbox::Message;
use crate::hall::under_way::Counts;
use crate::perform::Performer;

/// How long what is under way may take once the resident was told to end: a refresh whose reply is lost may
/// cost the session, and kubectl waits for [`broker::schedule::PATIENCE`].
const ENDING: Duration = Duration::from_secs(10);
/// How long a question that has just come in has to be answered before its caller is told of the end.
const ARRIVING: Duration = Duration::from_millis(500);

/// Runs until told to stop; what the broker has decided before comes `first`.
///
/// # Errors
/// The system gave no timer.
pub(crate) async fn run(
    mut broker: Broker,
    mut performer: Performer,
    mut messages: mpsc::UnboundedReceiver<Message>,
    first: Vec<Effect>,
) -> std::io::Result<()> {
    for effect in first {
        performer.perform(effect);
    }
    let mut alarm = Alarm::new()?;
    let mut clock_set = ClockSet::new()?;
    loop {
        alarm.set(broker.poll_timeout())?;
        let event = tokio::select! {
            message = messages.recv() => match message {
                None | Some(Message::Stop) => break,
                Some(Message::Become(take_over)) => {
                    // Whatever is still to be read may be a transaction's end: it is not at rest yet.
                    take_over(messages.is_empty() && performer.is_calm());
                    None
                }
                Some(message) => performer.hear(message),
            },
            rang = alarm.rang() => {
                rang?;
                Some(Event::Timeout)
            }
            jump = clock_set.happened() => Some(match jump? {
                Jump::Set => Event::Timeout,
                Jump::Woke => Event::Resumed,
            }),
        };
        if let Some(event) = event {
            decide(&mut broker, &mut performer, event);
        }
    }
    end(broker, performer, messages).await;
    Ok(())
}

/// Brings what is under way to its end, and tells whoever waits for something else. Nothing new is begun that
/// would need a person or more time.
async fn end(
    mut broker: Broker,
    mut performer: Performer,
    mut messages: mpsc::UnboundedReceiver<Message>,
) {
    performer.give_up_pages();
    let under_way = performer.under_way().clone();
    let arrived = tokio::time::sleep(ARRIVING);
    let done = async {
        let answered = under_way.until(Counts::calm);
        tokio::select! {
            () = answered => {}
            () = async {
                arrived.await;
                under_way.until(|counts| counts.transactions == 0).await;
            } => {}
            () = tokio::time::sleep(ENDING) => tracing::warn!("something under way does not end"),
        }
    };
    let mut done = std::pin::pin!(done);
    loop {
        let message = tokio::select! {
            biased;
            message = messages.recv() => message,
            () = &mut done => break,
        };
        // Told twice: at once, then.
        let Some(message) = message.filter(|message| !matches!(message, Message::Stop)) else {
            break;
        };
        if let Some(event) = performer.hear(message) {
            decide(&mut broker, &mut performer, event);
        }
    }
    performer.write_what_is_owed().await;
    performer.dismiss(&Problem::Ending).await;
}

fn decide(broker: &mut Broker, performer: &mut Performer, event: Event) {
    for effect in broker.handle(event, clock::now()) {
        performer.perform(effect);
    }
}
