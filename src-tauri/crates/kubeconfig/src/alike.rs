//! Whether every reader of YAML finds the same in a text.
//!
//! kubectl's library follows YAML 1.1, with habits of its own; ours follows 1.2, and another program has another one
//! again. So all that stands between the scalars is read a second time, and counts only in the forms that they all take
//! alike: an anchor ends at `:` for kubectl (go.yaml.in/yaml/v2 `scannerc.go`) and goes on for others, a tag goes on
//! after a comma, `?` and `:` are signs in a flow collection whatever follows. What is in none of these forms may be
//! harmless, and is in doubt.

use granit_parser::{Event, ScalarStyle, Span};

use crate::error::LoadError;

/// How far a text has been looked at.
pub(crate) struct Alike<'text> {
    text: &'text str,
    at: usize,
    /// How many flow collections are open.
    flow: usize,
    /// Whether the last scalar had quotes, and ended where we are.
    after_quotes: bool,
}

/// In doubt, from this place on.
struct Doubt(usize);

impl<'text> Alike<'text> {
    pub(crate) fn of(text: &'text str) -> Self {
        Self {
            text,
            at: 0,
            flow: 0,
            after_quotes: false,
        }
    }

    /// Looks at an event of the parser's, and at what stands before it.
    ///
    /// # Errors
    /// `ReadOtherwise`, in doubt.
    pub(crate) fn take(&mut self, event: &Event<'_>, span: &Span) -> Result<(), LoadError> {
        let style = match event {
            Event::Scalar(_, style, ..) => Some(*style),
            Event::Alias(_) | Event::DocumentEnd => None,
            // Their signs stand between the scalars.
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
            | _ => return Ok(()),
        };
        let there = span
            .byte_range()
            .and_then(|range| Some((range.clone(), self.text.get(range)?)));
        let Some((range, written)) = there else {
            return Err(self.error(&Doubt(self.at)));
        };
        // A scalar that is not written stands nowhere.
        if style.is_some() && written.is_empty() {
            return Ok(());
        }
        self.between(range.start)
            .and_then(|()| self.node(style, written, range.end))
            .map_err(|doubt| self.error(&doubt))
    }

    fn error(&self, doubt: &Doubt) -> LoadError {
        let before = self.text.get(..doubt.0).unwrap_or_default();
        LoadError::ReadOtherwise {
            line: before.matches('\n').count() + 1,
        }
    }

    /// A scalar or an alias.
    fn node(&mut self, style: Option<ScalarStyle>, text: &str, end: usize) -> Result<(), Doubt> {
        let start = self.at;
        let is_alike = match style {
            None => {
                matches!(text, "" | "...")
                    || text.strip_prefix('*').is_some_and(is_word) && self.ends_a_word(end)
            }
            Some(ScalarStyle::Plain) if self.flow > 0 => {
                !text.contains('?') && !text.starts_with(':') && text != "-"
            }
            Some(
                ScalarStyle::Plain
                | ScalarStyle::SingleQuoted
                | ScalarStyle::DoubleQuoted
                | ScalarStyle::Literal
                | ScalarStyle::Folded,
            ) => true,
        };
        // Some take this mark for nothing where a line begins.
        if !is_alike || text.contains('\u{FEFF}') {
            return Err(Doubt(start));
        }
        self.at = end;
        self.after_quotes = matches!(
            style,
            Some(ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
        );
        Ok(())
    }

    /// All that stands before the next scalar: blanks, comments and signs.
    fn between(&mut self, end: usize) -> Result<(), Doubt> {
        let start = self.at;
        // What comes before what has been looked at is none of a parser's that goes forward.
        if end < start {
            return Err(Doubt(start));
        }
        let mut after_bracket = false;
        while self.at < end {
            let at = self.at;
            let closes = std::mem::take(&mut after_bracket);
            let ends_here = self.is_blank(at + 1);
            let length = match self.byte(at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => 1,
                Some(b'#') if at == 0 || self.is_blank(at - 1) => self.rest_of_line(at),
                Some(b'-' | b'?') if ends_here => 1,
                Some(b'-') if self.stands_alone(at, "---") => 3,
                Some(b'.') if self.stands_alone(at, "...") => 3,
                Some(b'%') if self.is_alone(at, "%YAML 1.1") => "%YAML 1.1".len(),
                Some(b'[' | b'{') => {
                    self.flow += 1;
                    1
                }
                Some(b']' | b'}') if self.flow > 0 => {
                    self.flow -= 1;
                    after_bracket = true;
                    1
                }
                Some(b',') if self.flow > 0 => 1,
                Some(b':') if ends_here => 1,
                // JSON's.
                Some(b':') if self.flow > 0 && (closes || (at == start && self.after_quotes)) => 1,
                Some(b'&') => 1 + self.word(at + 1).ok_or(Doubt(at))?,
                Some(b'!') => self.tag(at).ok_or(Doubt(at))?,
                Some(b'|' | b'>') if self.flow == 0 => self.header(at).ok_or(Doubt(at))?,
                Some(_) | None => return Err(Doubt(at)),
            };
            self.at += length;
        }
        // A comment that goes on where a scalar begins is none to somebody.
        if self.at == end {
            Ok(())
        } else {
            Err(Doubt(end))
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Whether a blank, a line's end or the text's end stands there.
    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
    }

    fn rest_of_line(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find(['\n', '\r']).unwrap_or(rest.len())
    }

    /// Whether such a sign begins a line, with a blank behind it.
    fn stands_alone(&self, at: usize, sign: &str) -> bool {
        let begins = at == 0 || matches!(self.byte(at - 1), Some(b'\n' | b'\r'));
        let rest = self.text.get(at..).unwrap_or_default();
        begins && rest.starts_with(sign) && self.is_blank(at + sign.len())
    }

    /// Whether it has a line of its own, but for a comment.
    fn is_alone(&self, at: usize, sign: &str) -> bool {
        let end = at + self.rest_of_line(at);
        let after = self.text.get(at + sign.len()..end).unwrap_or("x").trim();
        self.stands_alone(at, sign) && (after.is_empty() || after.starts_with('#'))
    }

    /// Whether what ends there ends for everybody.
    fn ends_a_word(&self, at: usize) -> bool {
        self.is_blank(at) || (self.flow > 0 && matches!(self.byte(at), Some(b',' | b']' | b'}')))
    }

    /// How long the name of an anchor is.
    fn word(&self, at: usize) -> Option<usize> {
        let length = self.letters(at);
        (length > 0 && self.ends_a_word(at + length)).then_some(length)
    }

    fn letters(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find(|letter| !is_of_word(letter))
            .unwrap_or(rest.len())
    }

    /// How long a tag is: `!`, `!own` or `!!str`. To some its end is a blank alone.
    fn tag(&self, at: usize) -> Option<usize> {
        let signs = if self.byte(at + 1) == Some(b'!') {
            2
        } else {
            1
        };
        let letters = self.letters(at + signs);
        let is_one = signs == 1 || letters > 0;
        (is_one && self.is_blank(at + signs + letters)).then_some(signs + letters)
    }

    /// How long the line is in which a block begins.
    fn header(&self, at: usize) -> Option<usize> {
        let chomping = usize::from(matches!(self.byte(at + 1), Some(b'+' | b'-')));
        let end = at + self.rest_of_line(at);
        let after = self.text.get(at + 1 + chomping..end)?;
        let blank = after.trim_start_matches([' ', '\t']);
        let is_comment = blank.starts_with('#') && blank.len() < after.len();
        (blank.is_empty() || is_comment).then_some(end - at)
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_of_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    fn line_in_doubt(text: &str) -> Option<usize> {
        match tree::parse(text.as_bytes()) {
            Err(LoadError::ReadOtherwise { line }) => Some(line),
            Ok(_) => None,
            // What we refuse for another reason is read by nobody here.
            Err(_) => Some(0),
        }
    }

    #[test]
    fn what_not_every_reader_takes_alike_is_in_doubt() {
        for text in [
            "a: &a:b x",
            "a: &a?b x",
            "a: &a.b x",
            "a: &\u{e9} x",
            "a: &b x\nc: {*b: d}",
            "{a: !t,y evil, user: me}",
            "a: !t[y] evil",
            "a: !<tag:yaml.org,2002:str> x",
            "%TAG !e! tag:yaml.org,2002:\n---\na: !e!str x",
            "a: !t%41 x",
            "{\"a\":\"x\",\"b\":\"me\",?\"a\":\"evil\"}",
            "{a: x, ?b: y}",
            "{a: x?y}",
            "[?x]",
            "{a: evil, <<: {a:,z \"y\"}}",
            "{a:}",
            "[a:, b]",
            "{a: :b}",
            "{a : ::b}",
            "a: x\n\u{feff}b: y",
            "a: |2\n   x\n",
        ] {
            assert!(line_in_doubt(text).is_some(), "{text}");
        }
        assert_eq!(line_in_doubt("a: x\nb:\n  - &a:b x\n"), Some(3));
    }

    #[test]
    fn what_every_reader_takes_alike_is_not() {
        for text in [
            "",
            "# only this",
            "a: &b-1_C x\nc: *b-1_C\nd: [*b-1_C, &e f, &g]\n*b-1_C : h\n",
            "a: !!str x\nb: !own y\nc: ! z\nd: [!!str a, !!int \"1\"]\n",
            "{\"a\":\"b\",\"c\":[1,{\"d\":{}},\"e\"],\"f\":null,\"g\":-1}",
            "{\n\t\"a\": \"b\",\n\t\"c\": [\n\t\t1\n\t]\n}\n",
            "a: {server: https://a.example:1, b: c-d, e: f#g}",
            "a: https://a.example:1/?x=y&z # note\nb: x:y\n",
            "%YAML 1.1 # version\n--- # first\na: b\n...\n",
            "a: |- # note\n  x:\n  &y?\nb: >+\n  *z\n\nc: |\n",
            "a: one\n  two # three\n",
            "? a\n: - b\n  - - c\n",
            "a:\r\n- b: 'c'\r\n  d: \"e\\\n    f\"\r\n",
            "a: \"&b?c !d,e\"\nb: 'it''s: {'\n",
            "a: <nil>\n",
        ] {
            assert_eq!(line_in_doubt(text), None, "{text}");
        }
    }
}
