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
            End::Shim(replies) => {
                for frame in self.printed(reply) {
                    drop(replies.send(frame));
                }
            }
            End::Desk(_) => match reply {
                Reply::Refused(problem) => {
                    let problem = ProblemView::told(&problem, self.asker.language);
                    self.tell(Told::Refused { problem });
                }
                Reply::Outcome(told, _) => self.tell(*told),
                Reply::Done(_) => self.tell(Told::Done),
                // What a command line prints, the view shows. A token is never for them.
                Reply::Out(_)
                | Reply::Say(_)
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
            End::Shim(replies) => {
                for piece in pieces(text, frame::LONGEST_STDERR) {
                    drop(replies.send(frame::Reply::Stderr(piece)));
                }
            }
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

    /// In frames, none of which is larger than one may be: how much there is to say is not ours to choose.
    fn printed(&self, reply: Reply) -> Vec<frame::Reply> {
        let out = |text: String| {
            let pieces = pieces(text, frame::LONGEST_STDOUT).into_iter();
            pieces
                .map(|piece| frame::Reply::Stdout(piece.into_bytes()))
                .collect()
        };
        let error = |text: String| -> Vec<_> {
            let pieces = pieces(text, frame::LONGEST_STDERR).into_iter();
            pieces.map(frame::Reply::Stderr).collect()
        };
        match reply {
            Reply::Out(text) | Reply::Outcome(_, text) => out(text),
            Reply::Say(text) => error(text),
            Reply::Credential(version, token, expiry) => vec![frame::Reply::Stdout(
                credential::render(version, &token, expiry).into_bytes(),
            )],
            Reply::Token(token, facts) => vec![frame::Reply::Stdout(
                credential::render_token(&token, facts.as_ref()).into_bytes(),
            )],
            Reply::Refused(problem) => {
                error(problem.said(self.asker.language, self.asker.terminal))
            }
            Reply::Prompt(text) => {
                let (before, asks) = asked(text, frame::LONGEST_PROMPT);
                let mut frames = error(before);
                frames.push(frame::Reply::Prompt(asks));
                frames
            }
            Reply::Secret(text) => {
                let (before, asks) = asked(text, frame::LONGEST_PROMPT);
                let mut frames = error(before);
                frames.push(frame::Reply::Secret(asks));
                frames
            }
            Reply::Done(code) => vec![frame::Reply::Exit(code)],
        }
    }
}

/// A text in pieces of so many bytes at most, none where there is no text.
fn pieces(text: String, most: usize) -> Vec<String> {
    if text.len() <= most {
        return if text.is_empty() {
            Vec::new()
        } else {
            vec![text]
        };
    }
    let (mut pieces, mut rest) = (Vec::new(), text.as_str());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(most));
        pieces.push(piece.to_owned());
        rest = after;
    }
    pieces
}

/// A prompt that is too long for one: what goes before, and its last line, which asks.
fn asked(text: String, most: usize) -> (String, String) {
    if text.len() <= most {
        return (String::new(), text);
    }
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    let (before, asks) = text.split_at(end);
    let asks = asks
        .get(..asks.floor_char_boundary(most))
        .unwrap_or_default();
    (before.to_owned(), asks.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_letters_and_nothing_is_lost() {
        let text = "한국어 é x\n".repeat(40);
        for most in [4, 5, 17, 1_000, 10_000] {
            let pieces = pieces(text.clone(), most);
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.len() <= most && !piece.is_empty())
            );
            assert_eq!(pieces.concat(), text);
        }
        assert_eq!(pieces(String::new(), 4), Vec::<String>::new());
    }

    #[test]
    fn the_last_line_of_a_long_prompt_asks() {
        let (before, asks) = asked("one\ntwo\nAllow? ".into(), 100);
        assert_eq!((before.as_str(), asks.as_str()), ("", "one\ntwo\nAllow? "));
        let (before, asks) = asked("one\ntwo\nAllow? ".into(), 10);
        assert_eq!((before.as_str(), asks.as_str()), ("one\ntwo\n", "Allow? "));
    }
}
