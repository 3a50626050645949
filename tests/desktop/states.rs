//! Each state of the tray on dark and light panels, in both languages, with its menu open; at 100 % and at 200 %.

use anyhow::{Context, Result, ensure};
use playground::{Connection, Endpoint, Fault};
use serde_json::{Value, json};
use world::desk::Desk;
use world::item::{Host, Item};
use world::onlooker::Onlooker;
use world::session::Session;
use zbus::blocking::connection::Builder;

use crate::login::Portal;
use crate::seat::Seat;
use crate::theme::panel_is;

/// How long a token lives that shall not be renewed while it is looked at, and one that is renewed at once, in seconds.
const LONG: i64 = 3_600;
const SHORT: i64 = 4;
/// How many of the 256 pixels of the smallest picture tell two states apart, and by how much grey of 255 each.
const PIXELS: usize = 12;
const GREY: i32 = 80;

/// A state: what its pictures are called, and its word in either language.
struct State(&'static str, [&'static str; 2]);

const SIGNED_OUT: State = State("signed-out", ["signed out", "로그아웃됨"]);
const SIGNED_IN: State = State("signed-in", ["signed in", "로그인됨"]);
const CANNOT_REACH: State = State(
    "cannot-reach",
    ["can't reach the provider", "인증 서버에 연결할 수 없음"],
);
const NEEDS_YOU: State = State("needs-you", ["needs you", "확인이 필요함"]);
const RENEWING: State = State("renewing", ["renewing", "갱신 중"]);

/// The languages, with a word of the menu that no name has.
const LANGUAGES: [(&str, &str); 2] = [("en", "Settings"), ("ko", "설정")];
/// A panel: its grey, and what a desktop that has it says it prefers (`color-scheme`).
#[derive(Clone, Copy)]
struct Panel {
    name: &'static str,
    is_dark: bool,
    grey: u8,
    scheme: u32,
}

const PANELS: [Panel; 2] = [
    Panel {
        name: "dark",
        is_dark: true,
        grey: 40,
        scheme: 1,
    },
    Panel {
        name: "light",
        is_dark: false,
        grey: 240,
        scheme: 2,
    },
];

pub(crate) fn at_100() -> Result<()> {
    walk(1)
}

pub(crate) fn at_200() -> Result<()> {
    walk(2)
}

struct Walk {
    session: Session,
    seat: Seat,
    desk: Desk,
    item: Item,
    portal: Portal,
    eye: Onlooker,
    scale: u16,
    /// The smallest picture of each state so far, on each panel.
    seen: Vec<Seen>,
}

struct Seen {
    state: &'static str,
    panel: &'static str,
    greys: Vec<u8>,
}

fn walk(scale: u16) -> Result<()> {
    let session = Session::start_at(scale)?;
    let seat = Seat::at(&session)?;
    seat.playground.set_token_seconds(LONG);
    ensure!(
        seat.person.kubectl(&["fob", "status"])?.ok,
        "{}",
        seat.person.log()
    );
    let mut walk = Walk {
        desk: Desk::at(&seat.person)?,
        item: Host::at(&session.keyring.address)?.item()?,
        portal: Portal::start(&session.keyring.address, 1)?,
        eye: Onlooker::at(&session.screen.display)?,
        session,
        seat,
        scale,
        seen: Vec::new(),
    };
    walk.sign("in")?;
    walk.look(&SIGNED_IN)?;
    walk.sign("out")?;
    walk.look(&SIGNED_OUT)?;

    walk.seat.playground.set_token_seconds(SHORT);
    let away = Fault::Status {
        code: 503,
        body: None,
    };
    walk.arm(away)?;
    walk.sign("in")?;
    walk.until(&CANNOT_REACH)?;
    // So that it does not try again by itself while it is looked at.
    for _ in 0..3 {
        walk.of_account("try-now", &json!({}))?;
        walk.until(&CANNOT_REACH)?;
    }
    walk.look(&CANNOT_REACH)?;

    let (runtime, playground) = (&walk.seat.runtime, &walk.seat.playground);
    runtime.block_on(async {
        playground.lift_all().await?;
        playground
            .fault(Fault::RevokedSessions { user: None })
            .await
    })?;
    walk.of_account("try-now", &json!({}))?;
    walk.look(&NEEDS_YOU)?;

    let silent = Fault::Silent {
        connection: Connection::Held,
    };
    walk.arm(silent)?;
    walk.sign("in")?;
    walk.look(&RENEWING)
}

impl Walk {
    fn look(&mut self, state: &State) -> Result<()> {
        let State(name, words) = *state;
        self.until(state)?;
        for panel in PANELS {
            self.portal.prefer(panel.scheme)?;
            self.panel(panel.is_dark)?;
            let ink = |ink: u8| if panel.is_dark { ink > 200 } else { ink < 60 };
            self.item.until("its ink", |item| Ok(ink(item.ink()?)))?;
            for ((language, settings), word) in LANGUAGES.into_iter().zip(words) {
                let choice = json!({ "setting": "language", "language": language });
                let told = self
                    .desk
                    .ask(&json!({ "do": "choose", "choice": choice }))?;
                ensure!(told["is"] == "done", "{told}");
                self.item.until("the language", |item| {
                    Ok(item.menu()?.iter().any(|entry| entry.label == settings))
                })?;
                self.check(name, word, panel)?;
                let percent = 100 * self.scale;
                let picture = format!("tray-{name}-{}-{language}-{percent}", panel.name);
                self.session.picture_of_menu(&picture)?;
            }
        }
        println!("{name}: seen on both panels, in both languages");
        Ok(())
    }

    /// What the item offers is this state's, and no other's.
    fn check(&mut self, name: &'static str, word: &str, panel: Panel) -> Result<()> {
        let menu = self.item.menu()?;
        let labels: Vec<&str> = menu.iter().map(|entry| entry.label.as_str()).collect();
        let first = format!("~/.kube/config: {}", self.seat.current);
        ensure!(
            labels.first() == Some(&first.as_str())
                && labels
                    .iter()
                    .any(|label| label.ends_with(&format!(" · {word}"))),
            "{name}: {labels:?}"
        );
        let asks = self.item.status()? == "NeedsAttention";
        ensure!(asks == (name == NEEDS_YOU.0), "{name}: its status");
        let greys = self.item.greys(16, panel.grey)?;
        let mut known = false;
        for seen in self.seen.iter().filter(|seen| seen.panel == panel.name) {
            if seen.state == name {
                ensure!(seen.greys == greys, "{name}: another picture");
                known = true;
                continue;
            }
            let apart = apart(&seen.greys, &greys);
            ensure!(
                apart >= PIXELS,
                "{name} looks like {}: {apart} pixels",
                seen.state
            );
        }
        if !known {
            self.seen.push(Seen {
                state: name,
                panel: panel.name,
                greys,
            });
        }
        Ok(())
    }

    fn until(&mut self, state: &State) -> Result<()> {
        let State(name, _) = *state;
        let view = self
            .desk
            .until(name, |view| view["accounts"][0]["state"] == name)?;
        let language = usize::from(view["language"] == "ko");
        let word = state.1[language];
        self.item
            .until(word, |item| Ok(item.tooltip()?.ends_with(word)))
    }

    fn sign(&mut self, direction: &str) -> Result<()> {
        let (command, more) = if direction == "in" {
            ("sign-in", json!({ "open_browser": true }))
        } else {
            ("sign-out", json!({ "everywhere": false }))
        };
        self.of_account(command, &more)
    }

    fn of_account(&mut self, command: &str, more: &Value) -> Result<()> {
        let of_all = |view: &Value| {
            let of = |list: &str| view[list][0]["id"].as_str().map(str::to_owned);
            of("accounts").or_else(|| of("found"))
        };
        let view = self
            .desk
            .until("an account", |view| of_all(view).is_some())?;
        let mut sent = more.clone();
        sent["do"] = command.into();
        sent["account"] = of_all(&view).context("an account")?.into();
        let told = self.desk.ask(&sent)?;
        ensure!(told["is"] != "refused", "{command}: {told}");
        Ok(())
    }

    fn arm(&self, fault: Fault) -> Result<()> {
        let playground = &self.seat.playground;
        let armed = fault.at(Endpoint::Refresh);
        self.seat.runtime.block_on(playground.fault(armed))?;
        Ok(())
    }

    /// As a person does in the panel's own settings.
    fn panel(&self, is_dark: bool) -> Result<()> {
        let bus = Builder::address(self.session.keyring.address.as_str())?.build()?;
        let dark = (
            "xfce4-panel",
            "/panels/dark-mode",
            zbus::zvariant::Value::from(is_dark),
        );
        let (xfconf, path) = ("org.xfce.Xfconf", "/org/xfce/Xfconf");
        bus.call_method(Some(xfconf), path, Some(xfconf), "SetProperty", &dark)?;
        panel_is(&self.eye, is_dark)
    }
}

/// How many pixels tell two pictures apart for somebody who sees no colour.
fn apart(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs
        .filter(|(one, other)| (i32::from(**one) - i32::from(**other)).abs() > GREY)
        .count()
}
