//! How a caller is told what there is to tell: a command line in text, tray and window by data.

use std::sync::Arc;

use broker::asker::Asker;
use broker::credential;
use broker::event::Reply;
use broker::view::{ProblemView, Told};
use tokio::sync::mpsc;
use wire::frame;

/// The way back to a caller.
pub(crate) struct Line {
    end: End,
    asker: Arc<Asker>,
}

enum End {
    /// The shim prints what comes, until it is told to end.
    Shim(mpsc::UnboundedSender<frame::Reply>),
    /// Tray or window, by the number that it gave its command; none: it was told.
    Desk(Option<(u64, mpsc::UnboundedSender<(u64, Told)>)>),
}

impl Line {
    pub(crate) fn to_shim(replies: mpsc::UnboundedSender<frame::Reply>, asker: Arc<Asker>) -> Self {
        let end = End::Shim(replies);
        Self { end, asker }
    }

    pub(crate) fn to_desk(
        number: u64,
        told: mpsc::UnboundedSender<(u64, Told)>,
        asker: Arc<Asker>,
    ) -> Self {
        let end = End::Desk(Some((number, told)));
        Self { end, asker }
    }

    /// Who is at the other end.
    pub(crate) fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Says it; a caller that is gone hears nothing.
    pub(crate) fn say(&mut self, reply: Reply) {
        match &self.end {
            End::Shim(replies) => drop(replies.send(self.printed(reply))),
            End::Desk(_) => match reply {
                Reply::Refused(problem) => {
                    let problem = ProblemView::of(&problem, self.asker.language);
                    self.tell(Told::Refused { problem });
                }
                Reply::Outcome(told, _) => self.tell(*told),
                Reply::Done(_) => self.tell(Told::Done),
                // What a command line prints, the view shows. A token is never for them.
                Reply::Out(_)
                | Reply::Credential(..)
                | Reply::Token(..)
                | Reply::Prompt(_)
                | Reply::Secret(_) => {}
            },
        }
    }

    /// Says where to sign in: a line of text, or the address itself.
    pub(crate) fn say_address(&mut self, url: String, text: String) {
        match &self.end {
            End::Shim(replies) => drop(replies.send(frame::Reply::Stderr(text))),
            End::Desk(_) => self.tell(Told::Link { url }),
        }
    }

    /// The first word is the last.
    fn tell(&mut self, told: Told) {
        if let End::Desk(desk) = &mut self.end
            && let Some((number, telling)) = desk.take()
        {
            drop(telling.send((number, told)));
        }
    }

    fn printed(&self, reply: Reply) -> frame::Reply {
        match reply {
            Reply::Out(text) | Reply::Outcome(_, text) => frame::Reply::Stdout(text.into_bytes()),
            Reply::Credential(version, token, expiry) => {
                frame::Reply::Stdout(credential::render(version, &token, expiry).into_bytes())
            }
            Reply::Token(token, facts) => {
                frame::Reply::Stdout(credential::render_token(&token, facts.as_ref()).into_bytes())
            }
            Reply::Refused(problem) => {
                frame::Reply::Stderr(problem.said(self.asker.language, self.asker.terminal))
            }
            Reply::Prompt(text) => frame::Reply::Prompt(text),
            Reply::Secret(text) => frame::Reply::Secret(text),
            Reply::Done(code) => frame::Reply::Exit(code),
        }
    }
}
