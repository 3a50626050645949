//! The menu as muda draws it: what the broker made, with each action's number.

use broker::menu::{Action, Item};

/// A line of the menu.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Rule,
    /// Something to read.
    Note(String),
    /// Something to click.
    Act {
        number: usize,
        label: String,
    },
    /// One of several.
    Choice {
        number: usize,
        label: String,
        chosen: bool,
    },
    /// A menu of its own.
    Menu(String, Vec<Line>),
}

/// The lines of a menu. What a click on one does is put behind `actions`, and its place there is its number.
pub(super) fn lines(items: &[Item], actions: &mut Vec<Action>) -> Vec<Line> {
    let number = |action: &Action, actions: &mut Vec<Action>| {
        actions.push(action.clone());
        actions.len() - 1
    };
    let items = items.iter();
    let lines = items.map(|item| match item {
        Item::Rule => Line::Rule,
        Item::Note(label) => Line::Note(literally(label)),
        Item::Act(label, action) => Line::Act {
            number: number(action, actions),
            label: literally(label),
        },
        Item::Choice {
            label,
            chosen,
            action,
        } => Line::Choice {
            number: number(action, actions),
            label: literally(label),
            chosen: *chosen,
        },
        Item::Menu(label, items) => Line::Menu(literally(label), lines(items, actions)),
    });
    lines.collect()
}

/// A label as it is: a lone `&` would mark a letter for the keyboard (muda, on either system).
fn literally(label: &str) -> String {
    label.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use broker::command::Command;

    use super::*;

    #[test]
    fn each_action_has_its_number_and_labels_are_shown_as_they_are() {
        let switch = |context: &str| {
            Action::Command(Box::new(Command::Use {
                context: context.to_owned(),
                kubeconfig: None,
            }))
        };
        let choice = |context: &str, chosen| Item::Choice {
            label: context.to_owned(),
            chosen,
            action: switch(context),
        };
        let menu = [
            Item::Note("a & b".to_owned()),
            Item::Rule,
            choice("dev&&test", true),
            Item::Menu("R&D".to_owned(), vec![choice("prod", false)]),
            Item::Act("Quit".to_owned(), Action::Quit),
        ];
        let mut actions = Vec::new();
        let label = str::to_owned;
        assert_eq!(
            lines(&menu, &mut actions),
            [
                Line::Note(label("a && b")),
                Line::Rule,
                Line::Choice {
                    number: 0,
                    label: label("dev&&&&test"),
                    chosen: true
                },
                Line::Menu(
                    label("R&&D"),
                    vec![Line::Choice {
                        number: 1,
                        label: label("prod"),
                        chosen: false
                    }]
                ),
                Line::Act {
                    number: 2,
                    label: label("Quit")
                },
            ]
        );
        assert_eq!(
            actions,
            [switch("dev&&test"), switch("prod"), Action::Quit],
            "a click does what it says, whatever the label looks like"
        );
    }
}
