//! The menu: what the broker made, as dbusmenu has it.

use broker::menu::{Action, Item};
use broker::texts::Language;
use ksni::menu::{MenuItem, RadioGroup, RadioItem, StandardItem, SubMenu};

use super::tray::Shown;

/// The lines of a menu.
pub(super) fn rendered(items: &[Item], language: Language) -> Vec<MenuItem<Shown>> {
    let mut menu = Vec::new();
    let mut rest = items;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            Item::Rule => menu.push(MenuItem::Separator),
            Item::Note(label) => menu.push(
                StandardItem {
                    label: literally(label),
                    enabled: false,
                    ..StandardItem::default()
                }
                .into(),
            ),
            Item::Act(label, action) => menu.push(clickable(label, action.clone(), language)),
            Item::Menu(label, items) => menu.push(
                SubMenu {
                    label: literally(label),
                    submenu: rendered(items, language),
                    ..SubMenu::default()
                }
                .into(),
            ),
            Item::Choice { .. } => {
                // Neighbours are one group, or two would be marked.
                let length = items_of_group(rest);
                let (others, behind) = rest.split_at(length);
                rest = behind;
                menu.push(group(first, others, language));
            }
        }
    }
    menu
}

fn items_of_group(items: &[Item]) -> usize {
    items
        .iter()
        .take_while(|item| matches!(item, Item::Choice { .. }))
        .count()
}

fn group(first: &Item, others: &[Item], language: Language) -> MenuItem<Shown> {
    let choices: Vec<_> = std::iter::once(first)
        .chain(others)
        .filter_map(|item| {
            if let Item::Choice {
                label,
                chosen,
                action,
            } = item
            {
                Some((literally(label), *chosen, action.clone()))
            } else {
                None
            }
        })
        .collect();
    let selected = choices.iter().position(|(_, chosen, _)| *chosen);
    let options = choices.iter().map(|(label, ..)| RadioItem {
        label: label.clone(),
        ..RadioItem::default()
    });
    let options = options.collect();
    RadioGroup {
        // One behind the last marks none.
        selected: selected.unwrap_or(choices.len()),
        select: Box::new(move |shown: &mut Shown, at| {
            if let Some((.., action)) = choices.get(at) {
                shown.act(action.clone(), language);
            }
        }),
        options,
    }
    .into()
}

fn clickable(label: &str, action: Action, language: Language) -> MenuItem<Shown> {
    StandardItem {
        label: literally(label),
        activate: Box::new(move |shown: &mut Shown| shown.act(action.clone(), language)),
        ..StandardItem::default()
    }
    .into()
}

/// A label as it is: a lone underscore would mark a letter for the keyboard (dbusmenu's `label`).
fn literally(label: &str) -> String {
    label.replace('_', "__")
}

#[cfg(test)]
mod tests {
    use super::literally;

    #[test]
    fn names_are_shown_as_they_are() {
        assert_eq!(literally("my_dev"), "my__dev");
    }
}
