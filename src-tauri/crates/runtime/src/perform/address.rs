//! The addresses of a sign-in's start pages: opened, and told.

use broker::address_text;
use broker::event::Address;
use broker::problem::Problem;
use broker::transaction::AttemptId;

use crate::desk::browser::Browser;
use crate::hall::inbox::{Inbox, Listening, Message};
use crate::hall::line::Line;

/// Tells a caller an address of its own. Where nobody reads, nothing is said that a browser shows already.
pub(super) fn tell_address(line: Option<&mut Line>, listening: &Listening, address: Address) {
    let Some(line) = line else {
        return;
    };
    if address == Address::IfNotShown && listening.opened {
        return;
    }
    let asker = line.asker();
    let mut text = String::new();
    if asker.terminal {
        for problem in [&listening.browser, &other_port(listening)]
            .into_iter()
            .flatten()
        {
            text.push_str(&format!("Kubefob: {}\n", problem.line(asker.language)));
        }
    }
    let url = listening.tickets.mint();
    text.push_str(&address_text(asker, &url, &listening.ports));
    text.push('\n');
    line.say_address(url, text);
}

/// A sign-in listens: its page is opened, where that is wanted.
pub(super) fn announce(
    listening: &provider::Listening,
    attempt: AttemptId,
    open_browser: bool,
    browser: &Browser,
    inbox: &Inbox,
) {
    let tickets = listening.tickets();
    let opened = open_browser.then(|| browser.open(&tickets.mint()));
    let redirect = listening.redirect_uri();
    let mut ports = vec![listening.start_port(), port_of(redirect)];
    ports.dedup();
    inbox.send(Message::Listening(
        attempt,
        Listening {
            ports,
            other_port: listening.other_port().then(|| redirect.to_owned()),
            opened: matches!(opened, Some(Ok(()))),
            browser: opened.and_then(Result::err),
            tickets,
        },
    ));
}

fn port_of(redirect: &str) -> u16 {
    url::Url::parse(redirect)
        .ok()
        .and_then(|url| url.port_or_known_default())
        .unwrap_or(0)
}

fn other_port(listening: &Listening) -> Option<Problem> {
    let redirect = listening.other_port.clone()?;
    Some(Problem::OtherPort { redirect })
}
