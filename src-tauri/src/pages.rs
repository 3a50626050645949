//! The pages, each in a window of its own. All that one does otherwise than another stands in its row.

use tauri::WebviewWindow;

/// A page, and how its window behaves.
pub(crate) struct Page {
    /// What the resident calls it, and its window's label.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    /// How large it is where nothing else says it, and at least.
    pub(crate) size: (f64, f64),
    pub(crate) least: (f64, f64),
    pub(crate) shape: Shape,
    /// What it may call. `capabilities/` allows every page what any of them may.
    pub(crate) may: &'static [Call],
    /// What is sent to the resident when it is closed.
    pub(crate) leaves: Option<&'static str>,
}

/// How its window comes by its size and place, and when it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it was when it was closed, which this file keeps. It is seen as soon as the page listens.
    AsLeft { file: &'static str },
    /// As high as what it shows. It is seen as soon as that is known.
    AsContent,
}

/// A command of `app.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Ready,
    Fit,
    Send,
}

const PAGES: &[Page] = &[
    Page {
        name: "main",
        file: "index.html",
        size: (860.0, 560.0),
        least: (560.0, 420.0),
        shape: Shape::AsLeft {
            file: "window.json",
        },
        may: &[Call::Ready, Call::Send],
        leaves: None,
    },
    Page {
        name: "consent",
        file: "consent.html",
        size: (520.0, 320.0),
        least: (420.0, 280.0),
        shape: Shape::AsContent,
        may: &[Call::Ready, Call::Fit, Call::Send],
        // What stands there is not answered.
        leaves: Some(r#"{"do":"leave","question":null}"#),
    },
];

impl Page {
    /// The page of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| page.name == name)
    }

    /// The page in a window that calls, if it may.
    pub(crate) fn calling(window: &WebviewWindow, call: Call) -> Option<&'static Self> {
        Self::named(window.label()).filter(|page| page.may.contains(&call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn capabilities_allow_what_the_pages_may_and_no_more() {
        let allowed: Value =
            serde_json::from_str(include_str!("../capabilities/window.json")).unwrap();
        let words = |name: &str| -> Vec<&str> {
            let words = allowed[name].as_array().unwrap().iter();
            words.filter_map(Value::as_str).collect()
        };
        let names: Vec<_> = PAGES.iter().map(|page| page.name).collect();
        assert_eq!(words("windows"), names);
        let permissions = words("permissions");
        let ours = permissions
            .iter()
            .filter_map(|word| word.strip_prefix("allow-"));
        let calls = ours.map(|word| match word {
            "ready" => Call::Ready,
            "fit" => Call::Fit,
            "send" => Call::Send,
            other => panic!("no page calls {other}"),
        });
        let calls: Vec<_> = calls.collect();
        for call in &calls {
            let mut may = PAGES.iter().filter(|page| page.may.contains(call));
            assert!(may.next().is_some(), "{call:?} is for nobody");
        }
        for page in PAGES {
            let refused = page.may.iter().find(|call| !calls.contains(call));
            assert_eq!(refused, None, "{}", page.name);
        }
    }

    #[test]
    fn a_page_is_no_smaller_than_it_may_be() {
        for Page {
            name, size, least, ..
        } in PAGES
        {
            assert!(size.0 >= least.0 && size.1 >= least.1, "{name}");
        }
    }

    #[test]
    fn what_is_sent_when_one_is_closed_is_json() {
        for command in PAGES.iter().filter_map(|page| page.leaves) {
            let command: Value = serde_json::from_str(command).unwrap();
            assert!(command["do"].is_string(), "{command}");
        }
    }
}
