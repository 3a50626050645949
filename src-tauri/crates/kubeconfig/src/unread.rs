//! Whether a text that we can't read exactly could be a kubeconfig to somebody.
//!
//! Nothing is looked for in its structure: where two parsers part, each finds another one. It is none if none of a
//! kubeconfig's words stands in it, however they are written; or if all of it is so plain that no parser finds such a key
//! in it, as in a script, a log or a page of prose, whose first line begins no mapping. All else is in doubt.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a kubeconfig lists.
pub(crate) const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// How many bytes are looked at to tell a program from a text.
const BEGINNING: usize = 64 * 1024;

/// A text in one case, as every program ends up with it that leaves the case of keys out of account: `ſ` and `K` too.
pub(crate) fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

/// Whether bytes that no parser of ours takes could be a kubeconfig to somebody.
pub(crate) fn could_be_one(bytes: &[u8], words: &[&str]) -> bool {
    if is_marked(bytes) {
        return true;
    }
    if is_wide(bytes) {
        return wide(bytes).iter().any(|text| has_words(text, words));
    }
    if is_binary(bytes) {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    documents(text.strip_prefix('\u{feff}').unwrap_or(&text))
        .iter()
        .any(|document| has_words(document, words) && !is_plain_and_none(document, words))
}

/// A program, an archive or a picture: there is a zero in it, which ends a text for some, no word before that, and what
/// begins it is no text at all.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    let beginning = bytes.get(..BEGINNING).unwrap_or(bytes);
    let Some(zero) = beginning.iter().position(|byte| *byte == 0) else {
        return false;
    };
    if is_wide(bytes) {
        return false;
    }
    let before = String::from_utf8_lossy(beginning.get(..zero).unwrap_or_default());
    if has_words(&before, &LISTS) {
        return false;
    }
    let text = String::from_utf8_lossy(beginning);
    let first = text.split(['\n', '\r']).find(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    first.is_some_and(|line| {
        line.chars().any(|letter| {
            letter.is_control() && letter != '\t' || letter == char::REPLACEMENT_CHARACTER
        })
    })
}

/// Whether letters of two or four bytes begin there, as the first of them says.
fn is_marked(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..]
    )
}

/// Whether such letters begin there, marked or not.
fn is_wide(bytes: &[u8]) -> bool {
    if is_marked(bytes) {
        return true;
    }
    match bytes {
        [a, b, c, d, ..] => {
            let is_letter = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
            matches!((a, b, c, d), (0, 0, 0, letter) | (letter, 0, 0, 0) if is_letter(letter))
                || matches!((a, b, c, d), (0, one, 0, two) | (one, 0, two, 0)
                    if is_letter(one) && is_letter(two))
        }
        [] | [_] | [_, _] | [_, _, _] => false,
    }
}

/// Such letters in every way in which they can be meant.
fn wide(bytes: &[u8]) -> Vec<String> {
    let twos = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|two| unit(*two));
        char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    let fours = |unit: fn([u8; 4]) -> u32| {
        let units = bytes.as_chunks::<4>().0.iter().map(|four| unit(*four));
        units
            .map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    vec![
        twos(u16::from_le_bytes),
        twos(u16::from_be_bytes),
        fours(u32::from_le_bytes),
        fours(u32::from_be_bytes),
    ]
}

/// A text's documents, wherever it can be meant that one begins.
fn documents(text: &str) -> Vec<&str> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        if let Some(rest) = line
            .strip_prefix("---")
            .or_else(|| line.strip_prefix("..."))
            && rest.starts_with(char::is_whitespace)
        {
            starts.push(at + 3);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let parts = starts.iter().zip(ends);
    parts
        .filter_map(|(start, end)| text.get(*start..end))
        .collect()
}

/// Whether any of the words stands somewhere, in whatever case, with letters that are written as escapes, or with signs
/// between them that somebody leaves out. What a tag makes of a text, nobody sees.
fn has_words(text: &str, words: &[&str]) -> bool {
    let is_left_out = |letter: char| {
        letter.is_control() && !letter.is_ascii_whitespace()
            || matches!(letter, char::REPLACEMENT_CHARACTER | '\u{feff}')
    };
    let text = text.replace(is_left_out, "");
    let holds = |text: &str| words.iter().any(|word| text.contains(word));
    let plain = folded(&unescaped(&text));
    holds(&plain) || holds(&folded(&text.replace('\\', ""))) || is_decoded(&plain)
}

/// Whether a tag says that a text is another one: `!!binary`, and what can be meant for it.
fn is_decoded(text: &str) -> bool {
    text.split('!').skip(1).any(|rest| {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let tag = rest.get(..end).unwrap_or_default();
        tag.contains("binary") || tag.contains('%')
    })
}

/// A text in which letters that were written as escapes, or in the next line, stand where they are meant.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = match part.chars().next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some('\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') => {
                plain.push_str(part.trim_start());
                continue;
            }
            Some(_) | None => 0,
        };
        let letter = part
            .get(1..=digits)
            .filter(|_| digits > 0)
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        match letter {
            Some(letter) => {
                plain.push(letter);
                plain.push_str(part.get(digits + 1..).unwrap_or_default());
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    Cow::Owned(plain)
}

/// Whether a document is so plain that no parser finds one of the words as a key of a mapping that is all of it.
///
/// What is no key is no mapping: a line that begins with a letter, and in which no colon ends a key, makes a text of all
/// that follows, up to the next document, or an error. In a mapping, a key begins where its line does. Whatever can go on
/// over lines with its own rules (quotes, brackets, blocks, tags, aliases) ends the plain part.
fn is_plain_and_none(document: &str, words: &[&str]) -> bool {
    // Not everybody takes these for the end of a line, or for nothing.
    let is_odd = |letter: char| {
        matches!(
            letter,
            '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}'
                    | '\u{85}'
                    | '\u{2028}'
                    | '\u{2029}'
                    | '\u{feff}'
                    | char::REPLACEMENT_CHARACTER
        )
    };
    if document.contains(is_odd) || is_json(document) {
        return false;
    }
    let mut lines = document
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let Some(first) = lines.next() else {
        return true;
    };
    let is_indented = first.starts_with(char::is_whitespace);
    let (nobodys_key, of_mapping) = match Line::of(first) {
        Line::Text => (first.trim(), None),
        Line::Item => return !is_indented,
        Line::Key(key) if !is_indented => (key, Some(key)),
        Line::Key(_) | Line::Odd => return false,
    };
    // A key whose colon stands in the next line, to somebody.
    if words.contains(&folded(nobodys_key).as_str()) {
        return false;
    }
    if of_mapping.is_none() {
        return true;
    }
    let mut keys: BTreeSet<String> = of_mapping.into_iter().map(folded).collect();
    for line in lines {
        match (Line::of(line), line.starts_with(char::is_whitespace)) {
            // No key and not below one: an error.
            (Line::Text, false) => return true,
            (Line::Key(key), false) => drop(keys.insert(folded(key))),
            (Line::Key(_) | Line::Text | Line::Item, _) => {}
            (Line::Odd, _) => return false,
        }
        if words.iter().any(|word| keys.contains(*word)) {
            return false;
        }
    }
    true
}

/// What a line is to every parser of YAML, as long as nothing is open that began before.
#[derive(Debug, PartialEq, Eq)]
enum Line<'line> {
    /// Text, or a node in quotes or brackets that ends in it.
    Text,
    /// An item of a list.
    Item,
    /// A key, and plain text after it.
    Key(&'line str),
    /// Something goes on over the line, or not everybody sees the same.
    Odd,
}

impl<'line> Line<'line> {
    fn of(line: &'line str) -> Self {
        let line = without_comment(line.trim());
        let is_item = line == "-" || line.starts_with("- ") || line.starts_with("-\t");
        if is_item {
            let rest = line.trim_start_matches(['-', ' ', '\t']);
            return match Self::of(rest) {
                Self::Odd if !rest.is_empty() => Self::Odd,
                Self::Odd | Self::Text | Self::Item | Self::Key(_) => Self::Item,
            };
        }
        if let Some(after) = after_whole(line) {
            return match after.trim_start().starts_with(':') {
                true => Self::Odd,
                false => Self::Text,
            };
        }
        let is_plain = begins_plainly(line) || line == ":" || line.starts_with(": ");
        if !is_plain {
            return Self::Odd;
        }
        let mut values = values(line);
        let Some((key, value)) = values.next() else {
            return Self::Text;
        };
        // More than one is an error, or one in the other.
        let all_plain = [value]
            .into_iter()
            .chain(values.map(|(_, value)| value))
            .all(|value| {
                let after = after_whole(value).map(without_comment);
                value.is_empty()
                    || begins_plainly(value)
                    || after.is_some_and(|after| after.trim().is_empty())
            });
        if all_plain {
            Self::Key(key.trim())
        } else {
            Self::Odd
        }
    }
}

/// What stands before each colon that ends a key, and what begins after it.
fn values(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.match_indices(':').filter_map(|(at, _)| {
        let (key, rest) = line.split_at_checked(at)?;
        let value = rest.get(1..)?;
        let ends = value.is_empty() || value.starts_with(char::is_whitespace);
        ends.then(|| (key, value.trim_start()))
    })
}

/// Whether no parser takes what stands there for a sign where a node begins. `-` is one before a blank.
fn begins_plainly(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_./$(<~+=^;)\\".contains(letter);
    let rest = text.trim_start_matches('-');
    text.starts_with(is_plain) || (rest.len() < text.len() && rest.starts_with(is_plain))
}

/// What follows on a node in quotes or brackets that begins and ends in a line; of those in brackets, only an INI's headers.
fn after_whole(line: &str) -> Option<&str> {
    let rest = line.get(1..)?;
    match line.chars().next()? {
        '"' => {
            let mut escaped = false;
            let end = rest.find(|letter| {
                let ends = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                ends
            })?;
            rest.get(end + 1..)
        }
        '\'' => {
            let mut rest = rest;
            loop {
                let (_, after) = rest.split_once('\'')?;
                match after.strip_prefix('\'') {
                    Some(more) => rest = more,
                    None => return Some(after),
                }
            }
        }
        '[' => {
            let (inside, after) = rest.split_once(']')?;
            let is_header = |letter: char| letter.is_alphanumeric() || " ._-/".contains(letter);
            (after.trim().is_empty() && inside.chars().all(is_header)).then_some(after)
        }
        _ => None,
    }
}

fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with([' ', '\t'])
    });
    let text = comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line);
    // In quotes it is none.
    if text.contains(['"', '\'']) {
        line
    } else {
        text.trim_end()
    }
}

/// Whether a text is such JSON, and begins with such a comment.
pub(crate) fn is_commented_json(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('/') && is_json(text)
}

/// Whether a mapping begins after comments as some programs let JSON have them.
fn is_json(document: &str) -> bool {
    let mut rest = document.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, after)| after)
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.split_once(['\n', '\r']).map(|(_, after)| after)
        } else {
            return rest.starts_with('{');
        };
        let Some(after) = after else { return false };
        rest = after.trim_start();
    }
}
