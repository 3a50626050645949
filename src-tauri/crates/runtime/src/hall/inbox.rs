//! The one way into the loop, and all that comes by it.

use broker::account::AccountId;
use broker::event::{Event, QuestionId};
use broker::problem::Problem;
use broker::transaction::{AttemptId, Taken};
use broker::trust::Answer;
use broker::waiters::CallerId;
use provider::Tickets;
use tokio::sync::{mpsc, oneshot};

use crate::hall::line::Line;

/// What comes in.
pub(crate) enum Message {
    /// Something happened.
    Event(Box<Event>),
    /// Somebody answered a question on our page, which waits to be told what came of it.
    Answered(QuestionId, Answer, Vec<usize>, oneshot::Sender<Taken>),
    /// A caller came, and this is how it is answered.
    Caller(CallerId, Line),
    /// A caller is gone.
    Left(CallerId),
    /// A sign-in listens: start pages can be had.
    Listening(AttemptId, Listening),
    /// A sign-in listens no longer.
    Closed(AttemptId),
    /// Tokens of an account are at rest.
    Kept(AccountId),
    /// Is the loop alive?
    Ping(oneshot::Sender<()>),
    /// Another program takes this one's place, where it is told that nothing is under way.
    Become(Box<dyn FnOnce(bool) + Send>),
    /// End.
    Stop,
}

/// Where a sign-in can be begun.
pub(crate) struct Listening {
    /// Makes addresses.
    pub(crate) tickets: Tickets,
    /// The redirect URI, where it is another than the provider is likely to know.
    pub(crate) other_port: Option<String>,
    /// The ports that a browser comes to: the page's and, where it asks first, the redirect's.
    pub(crate) ports: Vec<u16>,
    /// Why no browser was opened though one should have been.
    pub(crate) browser: Option<Problem>,
    /// Whether a browser shows the page already.
    pub(crate) opened: bool,
}

/// The way in.
#[derive(Clone)]
pub(crate) struct Inbox(mpsc::UnboundedSender<Message>);

impl Inbox {
    /// Says that something happened. A loop that has ended hears nothing any more.
    pub(crate) fn event(&self, event: Event) {
        self.send(Message::Event(Box::new(event)));
    }

    /// Says how a question was answered on our page; what came of it.
    pub(crate) async fn answer(
        &self,
        question: Option<QuestionId>,
        answer: Answer,
        ticked: Vec<usize>,
    ) -> Taken {
        let Some(question) = question else {
            return Taken::Settled;
        };
        let (tell, told) = oneshot::channel();
        self.send(Message::Answered(question, answer, ticked, tell));
        // A loop that has ended takes no answer.
        told.await.unwrap_or(Taken::AskerEnded)
    }

    /// Sends.
    pub(crate) fn send(&self, message: Message) {
        drop(self.0.send(message));
    }
}

/// An inbox and its other end.
pub(crate) fn inbox() -> (Inbox, mpsc::UnboundedReceiver<Message>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Inbox(sender), receiver)
}
