//! The menu. It is filled when it is about to open, so that what is read there is so, and never while it is open.

use std::cell::RefCell;

use broker::menu::{Action, Tray};
use tray_icon::menu::{
    CheckMenuItem, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Result, Submenu,
};

use super::super::lines::{Line, lines};

thread_local! {
    /// The main thread's alone: the library's own handlers, which fill and look up, can carry nothing of that thread.
    static MENU: RefCell<Option<Filled>> = const { RefCell::new(None) };
}

struct Filled {
    menu: Menu,
    /// What is to be shown.
    tray: Tray,
    /// Whether it is.
    current: bool,
    /// By number.
    actions: Vec<Action>,
}

/// Begins with an empty menu; the same one is filled time and again.
pub(super) fn begin(tray: Tray) -> Menu {
    let menu = Menu::new();
    MENU.set(Some(Filled {
        menu: menu.clone(),
        tray,
        current: false,
        actions: Vec::new(),
    }));
    menu
}

/// Lets go of it.
pub(super) fn end() {
    MENU.set(None);
}

/// Shows this the next time that it opens.
pub(super) fn show(tray: &Tray) {
    MENU.with_borrow_mut(|filled| {
        if let Some(filled) = filled {
            filled.current &= filled.tray.menu == tray.menu;
            filled.tray.clone_from(tray);
        }
    });
}

/// It is about to open.
pub(super) fn fill() {
    MENU.with_borrow_mut(|filled| {
        if let Some(filled) = filled
            && let Err(error) = filled.fill()
        {
            tracing::warn!(%error, "no menu");
        }
    });
}

/// What a click does.
pub(super) fn clicked(event: &MenuEvent) -> Option<Action> {
    let number: usize = event.id().as_ref().parse().ok()?;
    MENU.with_borrow_mut(|filled| {
        let filled = filled.as_mut()?;
        // muda has changed the mark, whatever comes of it.
        filled.current = false;
        filled.actions.get(number).cloned()
    })
}

impl Filled {
    fn fill(&mut self) -> Result<()> {
        // Not for nothing: each item takes another of the 64,000 numbers that Windows has for a process's.
        if self.current {
            return Ok(());
        }
        while self.menu.remove_at(0).is_some() {}
        self.actions.clear();
        for line in lines(&self.tray.menu, &mut self.actions) {
            self.menu.append(&*item(line)?)?;
        }
        self.current = true;
        Ok(())
    }
}

fn item(line: Line) -> Result<Box<dyn IsMenuItem>> {
    Ok(match line {
        Line::Rule => Box::new(PredefinedMenuItem::separator()),
        Line::Note(label) => Box::new(MenuItem::new(label, false, None)),
        Line::Act { number, label } => {
            Box::new(MenuItem::with_id(number.to_string(), label, true, None))
        }
        Line::Choice {
            number,
            label,
            chosen,
        } => {
            let number = number.to_string();
            Box::new(CheckMenuItem::with_id(number, label, true, chosen, None))
        }
        Line::Menu(label, lines) => {
            let menu = Submenu::new(label, true);
            for line in lines {
                menu.append(&*item(line)?)?;
            }
            Box::new(menu)
        }
    })
}
