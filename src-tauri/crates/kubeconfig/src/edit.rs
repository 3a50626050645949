//! Changes to a kubeconfig's text that leave every other byte as it is.
//!
//! kubectl writes a file anew: keys sorted, comments and unknown fields gone (client-go `tools/clientcmd/config.go`).
//! Here a change is one splice, and it counts only if the parser then finds the same file with that one value changed.
//! Reading, locking and writing are the caller's.

use std::ops::Range;
use std::path::Path;

use granit_parser::{Event, ScalarStyle, Span, StructureStyle};

use crate::error::{EditError, LoadError};
use crate::scalar;
use crate::tree;

const KEY: &str = "current-context";

/// A file's text with `current-context` set to `name`. Whether there is such a context is the caller's to know.
///
/// # Errors
///
/// `EditError`: the file is none that kubectl loads, or none in which this value can be changed by itself. The text
/// is then to be left alone.
pub fn set_current_context(file: &Path, bytes: &[u8], name: &str) -> Result<Vec<u8>, EditError> {
    let before = crate::load::load(file, bytes)?;
    // kubectl takes an empty one for none.
    if before.current_context.as_deref().unwrap_or_default() == name {
        return Ok(bytes.to_vec());
    }
    let text = tree::text(bytes)?;
    let text = match text {
        std::borrow::Cow::Borrowed(text) => text,
        std::borrow::Cow::Owned(_) => return Err(EditError::Utf16),
    };
    let events = events(text)?;
    let splice = splice(text, &events, name)?;
    let mark = bytes.len() - text.len();
    let (Some(head), Some(tail)) = (
        bytes.get(..mark + splice.at.start),
        bytes.get(mark + splice.at.end..),
    ) else {
        return Err(EditError::Unsafe);
    };
    let after = [head, splice.put.as_bytes(), tail].concat();
    if is_the_only_change(file, &events, &splice, &after, name) {
        Ok(after)
    } else {
        Err(EditError::Unsafe)
    }
}

type Events<'text> = Vec<(Event<'text>, Span)>;

/// What is put where, and what the parser must then see.
struct Splice {
    at: Range<usize>,
    put: String,
    seen: Seen,
}

/// What a splice means to the parser.
enum Seen {
    /// The event at this place is another scalar now.
    Value(usize),
    /// A key and its value more, before the event at this place.
    Pair(usize),
    /// A file where there was none.
    File,
}

/// The first document's, which is all that kubectl reads.
fn events(text: &str) -> Result<Events<'_>, LoadError> {
    let mut events = Vec::new();
    for event in tree::parser(text) {
        let (event, span) = event.map_err(|error| tree::syntax(&error))?;
        if event == Event::DocumentEnd {
            break;
        }
        events.push((event, span));
    }
    Ok(events)
}

/// Finds the place.
fn splice(text: &str, events: &Events<'_>, name: &str) -> Result<Splice, EditError> {
    let Some(root) = root(events) else {
        return new_file(text, name);
    };
    let keys = keys(events, root.at);
    let mut found = keys
        .iter()
        .filter(|&&at| is_scalar(events, at, KEY))
        .copied();
    match (found.next(), found.next()) {
        (Some(key), None) => replace(text, events, key, name, root.is_flow),
        // Which of several counts is a parser's opinion.
        (Some(_), Some(again)) => Err(EditError::Twice {
            line: line(events, again),
        }),
        (None, _) => insert(text, events, &keys, &root, name),
    }
}

/// The mapping that the file is.
struct Root {
    /// Its place among the events.
    at: usize,
    /// Where it begins in the text.
    start: usize,
    is_flow: bool,
}

fn root(events: &Events<'_>) -> Option<Root> {
    events.iter().enumerate().find_map(|(at, (event, span))| {
        if let Event::MappingStart(style, ..) = event {
            Some(Root {
                at,
                start: span.byte_range()?.start,
                is_flow: matches!(style, StructureStyle::Flow),
            })
        } else {
            None
        }
    })
}

/// The places of the root mapping's keys among the events.
fn keys(events: &Events<'_>, root: usize) -> Vec<usize> {
    let mut keys = Vec::new();
    let mut depth = 0_usize;
    let mut nodes = 0_usize;
    for (at, (event, _)) in events.iter().enumerate().skip(root + 1) {
        if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
            if depth == 0 {
                break;
            }
            depth -= 1;
        } else if event.is_node() {
            if depth == 0 {
                if nodes.is_multiple_of(2) {
                    keys.push(at);
                }
                nodes += 1;
            }
            if matches!(event, Event::SequenceStart(..) | Event::MappingStart(..)) {
                depth += 1;
            }
        }
    }
    keys
}

fn is_scalar(events: &Events<'_>, at: usize, text: &str) -> bool {
    matches!(events.get(at), Some((Event::Scalar(found, ..), _)) if found == text)
}

fn line(events: &Events<'_>, at: usize) -> usize {
    events.get(at).map_or(0, |(_, span)| span.start.line())
}

/// Another value for the key that is there.
fn replace(
    text: &str,
    events: &Events<'_>,
    key: usize,
    name: &str,
    is_flow: bool,
) -> Result<Splice, EditError> {
    let shared = EditError::Shared {
        line: line(events, key),
    };
    let (Some((_, key_span)), Some((value, span))) = (events.get(key), events.get(key + 1)) else {
        return Err(EditError::Unsafe);
    };
    // An anchored value may stand in other places too; a tag speaks of the value that it stands before.
    let Event::Scalar(_, style, 0, None) = value else {
        return Err(shared);
    };
    let (Some(key_at), Some(mut at)) = (key_span.byte_range(), span.byte_range()) else {
        return Err(EditError::Unsafe);
    };
    let mut put = match style {
        ScalarStyle::Plain => unquoted(name, is_flow),
        ScalarStyle::SingleQuoted if !name.contains(char::is_control) => {
            format!("'{}'", name.replace('\'', "''"))
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => quoted(name),
        ScalarStyle::Literal | ScalarStyle::Folded => return Err(shared),
    };
    if at.is_empty() {
        // Nothing stands there: the value goes behind the colon, wherever the parser says that nothing is.
        if text.as_bytes().get(key_at.end) != Some(&b':') {
            return Err(shared);
        }
        at = key_at.end + 1..key_at.end + 1;
        put.insert(0, ' ');
    }
    Ok(Splice {
        at,
        put,
        seen: Seen::Value(key + 1),
    })
}

/// A key more, where kubectl's order has it: before the first that sorts behind it, else before the first of all.
fn insert(
    text: &str,
    events: &Events<'_>,
    keys: &[usize],
    root: &Root,
    name: &str,
) -> Result<Splice, EditError> {
    let behind =
        |&&at: &&usize| matches!(events.get(at), Some((Event::Scalar(key, ..), _)) if &**key > KEY);
    let Some(&before) = keys.iter().find(behind).or(keys.first()) else {
        // `{}`.
        let inside = root.start + 1;
        if text.get(root.start..inside) != Some("{") {
            return Err(EditError::Unsafe);
        }
        return Ok(Splice {
            at: inside..inside,
            put: format!("{}: {}", quoted(KEY), quoted(name)),
            seen: Seen::Pair(root.at + 1),
        });
    };
    let place = events
        .get(before)
        .and_then(|(_, span)| span.byte_range())
        .ok_or(EditError::Unsafe)?;
    let head = text.get(..place.start).ok_or(EditError::Unsafe)?;
    let line_start = head.rfind('\n').map_or(0, |at| at + 1);
    let indent = head.get(line_start..).unwrap_or_default();
    let is_alone = indent.chars().all(|letter| letter == ' ' || letter == '\t');
    let line_end = line_end(text);
    let next = if is_alone {
        format!("{line_end}{indent}")
    } else {
        " ".to_owned()
    };
    let put = if root.is_flow {
        format!("{}: {},{next}", quoted(KEY), quoted(name))
    } else if is_alone {
        format!("{KEY}: {}{next}", unquoted(name, false))
    } else {
        // The first key stands behind something: an anchor, a question mark.
        return Err(EditError::Unsafe);
    };
    Ok(Splice {
        at: place.start..place.start,
        put,
        seen: Seen::Pair(before),
    })
}

/// A file that says nothing yet is given what kubectl would write; comments stay.
fn new_file(text: &str, name: &str) -> Result<Splice, EditError> {
    let says_nothing = text.lines().all(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('#')
    });
    if !says_nothing {
        return Err(EditError::Unsafe);
    }
    let line_end = line_end(text);
    let first = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        line_end
    };
    let value = unquoted(name, false);
    Ok(Splice {
        at: text.len()..text.len(),
        put: format!(
            "{first}apiVersion: v1{line_end}kind: Config{line_end}{KEY}: {value}{line_end}"
        ),
        seen: Seen::File,
    })
}

/// How the file ends its lines.
fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A name without quotes, where it is a text for every reader of YAML; else with them.
fn unquoted(name: &str, is_flow: bool) -> String {
    let harmless = |letter: char| {
        letter.is_ascii_alphanumeric() || "._/@-".contains(letter) || (letter == ':' && !is_flow)
    };
    let begins = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    let is_text = matches!(
        scalar::resolve(name.to_owned(), scalar::Tag::None, true),
        Ok(scalar::Scalar::Text(_))
    );
    if is_text && name.starts_with(begins) && name.chars().all(harmless) && !name.ends_with(':') {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A name in double quotes. JSON's escapes are YAML's.
fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// Whether a parser finds the old file in the new one, with this one value changed.
fn is_the_only_change(
    file: &Path,
    before: &Events<'_>,
    splice: &Splice,
    after: &[u8],
    name: &str,
) -> bool {
    let is_set = crate::load::load(file, after)
        .is_ok_and(|config| config.current_context.unwrap_or_default() == name);
    let (Ok(text), true) = (tree::text(after), is_set) else {
        return false;
    };
    let Ok(after) = events(&text) else {
        return false;
    };
    match splice.seen {
        Seen::Value(at) => without(before, at..at + 1).eq(without(&after, at..at + 1)),
        Seen::Pair(at) => without(before, 0..0).eq(without(&after, at..at + 2)),
        Seen::File => true,
    }
}

/// The events but for some, and without where they stand.
fn without<'all, 'text>(
    all: &'all Events<'text>,
    left_out: Range<usize>,
) -> impl Iterator<Item = &'all Event<'text>> {
    let kept = move |(at, _): &(usize, _)| !left_out.contains(at);
    all.iter()
        .enumerate()
        .filter(kept)
        .map(|(_, (event, _))| event)
}
