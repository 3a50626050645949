//! YAML text to a tree, within a budget.
//!
//! Aliases are not expanded: an alias is the number of a node. So a bomb costs what it is long, and what it would
//! have grown to is known from a sum. What kubectl refuses anywhere in a file, also below keys that it does not know,
//! is refused here (go.yaml.in/yaml/v2 `decode.go`, sigs.k8s.io/yaml `yaml.go`).

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput};

use crate::alike::Alike;
use crate::error::LoadError;
use crate::scalar::{self, Scalar, Tag};

/// The most bytes that a kubeconfig may have.
pub const MAX_BYTES: usize = 1 << 20;
/// The most nodes that a kubeconfig may have as it is written.
const MAX_NODES: usize = 100_000;
/// The most nodes that aliases may add (kubectl: between 396,000 and 400,000).
const MAX_EXPANSION: u64 = 396_000;
/// How deep collections may nest (kubectl: 10,000).
const MAX_DEPTH: usize = 100;

const YAML_NAMESPACE: &str = "tag:yaml.org,2002:";

/// A node's number.
pub(crate) type Id = usize;

/// A node as something refers to it: directly, or by an alias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ref {
    pub(crate) id: Id,
    alias: bool,
}

#[derive(Debug)]
pub(crate) enum Value {
    Scalar { value: Scalar, merge: bool },
    List(Vec<Ref>),
    Map(Vec<(Ref, Ref)>),
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
    /// How many nodes this is with every alias below expanded.
    expanded: u64,
}

/// The first document of a text.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    root: Option<Id>,
    /// Whether another document that says anything follows.
    more: bool,
}

/// A mapping's fields.
pub(crate) struct FieldIds<'tree> {
    pub(crate) ids: HashMap<&'tree str, Id>,
    /// Whether another reader of YAML can end up with other ones: a key stands there twice, a merge overrules one or has
    /// its own overruled, or a key is a merge or a comment to some.
    pub(crate) disputed: bool,
}

impl Tree {
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    pub(crate) fn root(&self) -> Option<Id> {
        self.root
    }

    pub(crate) fn line(&self, id: Id) -> usize {
        self.nodes.get(id).map_or(0, |node| node.line)
    }

    /// A node. An unknown number can't come about, and would be a null.
    pub(crate) fn value(&self, id: Id) -> &Value {
        const NULL: &Value = &Value::Scalar {
            value: Scalar::Null,
            merge: false,
        };
        self.nodes.get(id).map_or(NULL, |node| &node.value)
    }

    /// A mapping's fields as kubectl's decoder ends up with them: the last of several same keys wins, and `<<` sets
    /// its keys where it stands, so that it overrules what stands above it (`decoder.mapping`, `decoder.merge`).
    pub(crate) fn fields<'tree>(&'tree self, entries: &'tree [(Ref, Ref)]) -> FieldIds<'tree> {
        let mut fields = FieldIds {
            ids: HashMap::new(),
            disputed: false,
        };
        self.collect(entries, &mut fields);
        fields
    }

    fn collect<'tree>(&'tree self, entries: &'tree [(Ref, Ref)], fields: &mut FieldIds<'tree>) {
        for (key, value) in entries {
            if self.is_merge(*key) {
                match self.value(value.id) {
                    Value::Map(merged) => self.collect(merged, fields),
                    Value::List(several) => {
                        for one in several.iter().rev() {
                            if let Value::Map(merged) = self.value(one.id) {
                                self.collect(merged, fields);
                            }
                        }
                    }
                    Value::Scalar { .. } => {}
                }
            } else if let Value::Scalar { value: name, .. } = self.value(key.id)
                && let Some(name) = key_text(name)
            {
                let before = fields.ids.insert(name, value.id);
                fields.disputed |=
                    before.is_some() || key.alias || name == "<<" || is_comment(name);
            }
        }
    }

    fn is_merge(&self, key: Ref) -> bool {
        !key.alias && matches!(self.value(key.id), Value::Scalar { merge: true, .. })
    }
}

/// Whether a key begins with a comment, to those who let JSON have some.
pub(crate) fn is_comment(key: &str) -> bool {
    key.starts_with("//") || key.starts_with("/*")
}

/// The text of a key. Numbers become texts too, but never one of a kubeconfig's own words.
fn key_text(key: &Scalar) -> Option<&str> {
    match key {
        Scalar::Text(text) => Some(text),
        Scalar::Bool(true) => Some("true"),
        Scalar::Bool(false) => Some("false"),
        Scalar::Null | Scalar::Number(_) | Scalar::NotJson => None,
    }
}

/// Reads the first document of a text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Tree, LoadError> {
    let text = text(bytes)?;
    let mut builder = Builder::default();
    let mut alike = Alike::of(&text);
    let mut events = parser(&text);
    let mut more = false;
    while let Some(event) = events.next() {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        alike.take(&event, &span)?;
        if matches!(event, Event::Scalar(_, ScalarStyle::DoubleQuoted, ..))
            && span.slice(&text).is_some_and(has_slash_escape)
        {
            return Err(LoadError::Syntax {
                line: span.start.line(),
                column: span.start.col() + 1,
                problem: "kubectl does not know the escape \\/".to_owned(),
            });
        }
        if builder.take(event, span.start.line())? {
            more = says_anything(events);
            break;
        }
    }
    builder.finish(more)
}

/// Every document of a text.
pub(crate) fn documents(bytes: &[u8]) -> Result<Vec<Tree>, LoadError> {
    let text = text(bytes)?;
    let mut documents = Vec::new();
    let mut builder = Builder::default();
    let mut alike = Alike::of(&text);
    for event in parser(&text) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        alike.take(&event, &span)?;
        if builder.take(event, span.start.line())? {
            documents.push(std::mem::take(&mut builder).finish(false)?);
        }
    }
    Ok(documents)
}

/// Whether something follows the first document that somebody could take for another one.
fn says_anything<'text>(mut rest: Parser<'text, StrInput<'text>>) -> bool {
    rest.any(|event| match event {
        Ok((Event::Scalar(text, ScalarStyle::Plain, ..), _)) => {
            !matches!(&*text, "" | "~" | "null")
        }
        Ok((event, _)) => event.is_node(),
        Err(_) => true,
    })
}

/// Whether some key or value of any document of a text is such a one.
pub(crate) fn any_text(bytes: &[u8], is_such: impl Fn(&str) -> bool) -> Result<bool, LoadError> {
    let text = text(bytes)?;
    let mut alike = Alike::of(&text);
    for event in parser(&text) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        alike.take(&event, &span)?;
        if let Event::Scalar(text, ..) = event
            && is_such(&text)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, LoadError> {
    if bytes.len() > MAX_BYTES {
        return Err(LoadError::TooLarge { limit: MAX_BYTES });
    }
    decode(bytes)
}

pub(crate) fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = granit_parser::options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(text, options)
}

/// Bytes to text as libyaml does: UTF-8, or UTF-16 that says so by its first two bytes (`readerc.go`).
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, LoadError> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(LoadError::NotText);
        }
        let units = pairs.iter().map(|pair| unit(*pair));
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map(Cow::Owned)
            .map_err(|_| LoadError::NotText)
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => {
            Cow::Borrowed(std::str::from_utf8(rest).map_err(|_| LoadError::NotText)?)
        }
    };
    let line = |at: usize| {
        text.get(..at)
            .map_or(1, |before| before.matches('\n').count() + 1)
    };
    let forbidden = |letter| !matches!(letter, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..);
    if let Some(at) = text.find(forbidden) {
        return Err(LoadError::ControlCharacter { line: line(at) });
    }
    // A comment may end at one of these for kubectl and go on for us, so that it reads a server that we never see.
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        return Err(LoadError::LineBreak { line: line(at) });
    }
    Ok(text)
}

/// A collection that has begun and not ended.
struct Open {
    id: Id,
    is_map: bool,
    children: Vec<Ref>,
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Id>,
    root: Option<Id>,
    /// Nodes and aliases as they are written.
    written: u64,
}

impl Builder {
    /// Takes one event; true says that the first document has ended.
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<bool, LoadError> {
        match event {
            Event::DocumentStart(_, Some(version)) if (version.major, version.minor) != (1, 1) => {
                return Err(LoadError::Version { line });
            }
            Event::DocumentEnd => return Ok(true),
            Event::Alias(anchor) => self.alias(anchor, line)?,
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                let plain = style == ScalarStyle::Plain;
                let merge = text == "<<" && merges(tag, plain);
                let value = scalar::resolve(text.into_owned(), known(tag), plain)
                    .map_err(|_| LoadError::Tag { line })?;
                let id = self.add(Value::Scalar { value, merge }, line)?;
                self.anchor(anchor, id);
                self.child(Ref { id, alias: false }, 1);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(Value::List(Vec::new()), anchor, line)?
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(Value::Map(Vec::new()), anchor, line)?
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            // Nothing is left out unseen: an event of a later parser is no node that kubectl has.
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | _ => {}
        }
        Ok(false)
    }

    fn begin(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), LoadError> {
        if self.open.len() == MAX_DEPTH {
            return Err(LoadError::TooDeep {
                line,
                limit: MAX_DEPTH,
            });
        }
        let is_map = matches!(value, Value::Map(_));
        let id = self.add(value, line)?;
        self.anchor(anchor, id);
        self.open.push(Open {
            id,
            is_map,
            children: Vec::new(),
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), LoadError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = if open.is_map {
            let (pairs, _) = open.children.as_chunks::<2>();
            let entries: Vec<(Ref, Ref)> =
                pairs.iter().map(|[key, value]| (*key, *value)).collect();
            for (key, value) in &entries {
                self.check_entry(*key, *value)?;
            }
            Value::Map(entries)
        } else {
            for item in &open.children {
                self.check_json(item.id)?;
            }
            Value::List(open.children)
        };
        let mut expanded = 0;
        if let Some(node) = self.nodes.get_mut(open.id) {
            node.value = value;
            expanded = node.expanded;
        }
        self.child(
            Ref {
                id: open.id,
                alias: false,
            },
            expanded,
        );
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), LoadError> {
        let Some(&id) = self.anchors.get(&anchor) else {
            return Err(LoadError::Syntax {
                line,
                column: 1,
                problem: "unknown anchor".to_owned(),
            });
        };
        if self.open.iter().any(|open| open.id == id) {
            return Err(LoadError::SelfReference { line });
        }
        self.count(line)?;
        let expanded = self.nodes.get(id).map_or(1, |node| node.expanded);
        self.child(Ref { id, alias: true }, expanded.saturating_add(1));
        Ok(())
    }

    fn add(&mut self, value: Value, line: usize) -> Result<Id, LoadError> {
        self.count(line)?;
        self.nodes.push(Node {
            line,
            value,
            expanded: 1,
        });
        Ok(self.nodes.len() - 1)
    }

    fn count(&mut self, line: usize) -> Result<(), LoadError> {
        self.written += 1;
        if self.written > MAX_NODES as u64 {
            return Err(LoadError::TooManyNodes {
                line,
                limit: MAX_NODES,
            });
        }
        Ok(())
    }

    fn anchor(&mut self, anchor: usize, id: Id) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn child(&mut self, child: Ref, expanded: u64) {
        match self.open.last_mut() {
            Some(open) => {
                open.children.push(child);
                if let Some(node) = self.nodes.get_mut(open.id) {
                    node.expanded = node.expanded.saturating_add(expanded);
                }
            }
            None => self.root = Some(child.id),
        }
    }

    fn check_entry(&self, key: Ref, value: Ref) -> Result<(), LoadError> {
        let line = self.nodes.get(key.id).map_or(0, |node| node.line);
        match self.nodes.get(key.id).map(|node| &node.value) {
            Some(Value::Scalar { merge: true, .. }) if !key.alias => self.check_merge(value, line),
            Some(
                Value::Scalar {
                    value: Scalar::Null,
                    ..
                }
                | Value::List(_)
                | Value::Map(_),
            )
            | None => Err(LoadError::Key { line }),
            Some(Value::Scalar { .. }) => self.check_json(value.id),
        }
    }

    /// What `<<` may bring in: a mapping or a list of mappings, and an alias for a mapping alone.
    fn check_merge(&self, value: Ref, line: usize) -> Result<(), LoadError> {
        let is_map = |id: Id| {
            matches!(
                self.nodes.get(id).map(|node| &node.value),
                Some(Value::Map(_))
            )
        };
        let allowed = match self.nodes.get(value.id).map(|node| &node.value) {
            Some(Value::Map(_)) => true,
            Some(Value::List(several)) => !value.alias && several.iter().all(|one| is_map(one.id)),
            Some(Value::Scalar { .. }) | None => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(LoadError::Merge { line })
        }
    }

    fn check_json(&self, id: Id) -> Result<(), LoadError> {
        match self.nodes.get(id) {
            Some(Node {
                line,
                value:
                    Value::Scalar {
                        value: Scalar::NotJson,
                        ..
                    },
                ..
            }) => Err(LoadError::NotJson { line: *line }),
            _ => Ok(()),
        }
    }

    fn finish(self, more: bool) -> Result<Tree, LoadError> {
        if let Some(root) = self.root {
            self.check_json(root)?;
            let all = self.nodes.get(root).map_or(0, |node| node.expanded);
            let by_aliases = all.saturating_sub(self.written);
            // `decoder.unmarshal`: more than 99 of 100 nodes from aliases, once there are a thousand.
            let mostly_aliases = by_aliases > 100
                && all > 1000
                && by_aliases.saturating_mul(100) > all.saturating_mul(99);
            if mostly_aliases || by_aliases > MAX_EXPANSION {
                return Err(LoadError::TooManyAliases);
            }
        }
        Ok(Tree {
            nodes: self.nodes,
            root: self.root,
            more,
        })
    }
}

pub(crate) fn syntax(error: &ScanError) -> LoadError {
    let line = error.marker().line();
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return LoadError::TooDeep {
            line,
            limit: MAX_DEPTH,
        };
    }
    LoadError::Syntax {
        line,
        column: error.marker().col() + 1,
        problem: error.info(),
    }
}

/// `\/`, which JSON and YAML 1.2 have and kubectl's library has not (`scannerc.go`).
fn has_slash_escape(quoted: &str) -> bool {
    let mut letters = quoted.bytes();
    while let Some(letter) = letters.next() {
        if letter == b'\\' && letters.next() == Some(b'/') {
            return true;
        }
    }
    false
}

/// Whether a scalar that reads `<<` merges (`isMerge`).
fn merges(tag: Option<&granit_parser::Tag>, plain: bool) -> bool {
    match tag {
        None => plain,
        Some(tag) => {
            tag.parts() == ("!", "")
                || tag.parts() == ("", "!")
                || tag.suffix_in_namespace(YAML_NAMESPACE).as_deref() == Some("merge")
        }
    }
}

fn known(tag: Option<&granit_parser::Tag>) -> Tag {
    let Some(tag) = tag else { return Tag::None };
    match tag.suffix_in_namespace(YAML_NAMESPACE).as_deref() {
        Some("str") => Tag::Str,
        Some("bool") => Tag::Bool,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("null") => Tag::Null,
        Some("timestamp") => Tag::Timestamp,
        Some("binary") => Tag::Binary,
        Some(_) | None => Tag::Other,
    }
}
