//! What the modules of a crate name of each other, read from their sources.
//!
//! Tokens are read, not a syntax tree: so a path inside a macro's call counts like any other. What only tests see is
//! left out, and so are comments and strings. What is built on another system alone is read too.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A module's way from its crate's root, whose own is empty.
pub(crate) type Way = Vec<String>;

/// The modules of a crate.
#[derive(Default)]
pub(crate) struct Modules(BTreeMap<Way, Module>);

#[derive(Default)]
struct Module {
    file: String,
    /// The names that `use` brings into it, and what they stand for.
    brought: BTreeMap<String, Vec<String>>,
    named: Vec<Named>,
}

/// A path as it stands in a module.
struct Named {
    path: Vec<String>,
    line: usize,
    /// `use path::*`
    all: bool,
}

/// One module names something of another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) from: Way,
    pub(crate) to: Way,
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl Modules {
    /// Reads them all from `lib.rs` on. `source` has a file's text, if there is such a file.
    pub(crate) fn read(source: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let mut modules = Self::default();
        let text = source("lib.rs").context("no lib.rs")?;
        modules.read_file(source, Way::new(), "lib.rs".to_owned(), &text)?;
        Ok(modules)
    }

    /// Every arrow, in the order of the modules and of their lines.
    pub(crate) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (from, module) in &self.0 {
            for named in &module.named {
                let mut walk = Walk::over(self);
                let end = walk.path(from, &named.path);
                if let Some(end) = end.filter(|_| named.all) {
                    walk.all(&end);
                }
                arrows.extend(walk.passed.into_iter().map(|to| Arrow {
                    from: from.clone(),
                    to,
                    file: module.file.clone(),
                    line: named.line,
                }));
            }
        }
        arrows
    }

    fn read_file(
        &mut self,
        source: &dyn Fn(&str) -> Option<String>,
        way: Way,
        file: String,
        text: &str,
    ) -> Result<()> {
        let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("{file}: {error}"))?;
        self.read_module(source, way, file, tokens)
    }

    fn read_module(
        &mut self,
        source: &dyn Fn(&str) -> Option<String>,
        way: Way,
        file: String,
        tokens: TokenStream,
    ) -> Result<()> {
        let mut found = Found::default();
        found.scan(&tokens.into_iter().collect::<Vec<_>>(), true);
        let module = Module {
            file: file.clone(),
            brought: found.brought,
            named: found.named,
        };
        self.0.insert(way.clone(), module);
        for (name, body) in found.children {
            let mut child = way.clone();
            child.push(name);
            if let Some(body) = body {
                self.read_module(source, child, file.clone(), body)?;
                continue;
            }
            let stem = child.join("/");
            let places = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
            let read = places
                .into_iter()
                .find_map(|place| source(&place).map(|text| (place, text)));
            let (place, text) = read.with_context(|| format!("{file}: no file of mod {stem}"))?;
            self.read_file(source, child, place, &text)?;
        }
        Ok(())
    }
}

/// One path followed through the modules, and through what they bring into theirs.
struct Walk<'modules> {
    modules: &'modules Modules,
    /// Each module that it came through.
    passed: BTreeSet<Way>,
    /// Names that were looked up already: `use serde` beside `use serde::Serialize` leads to itself.
    asked: BTreeSet<(Way, String)>,
}

impl<'modules> Walk<'modules> {
    fn over(modules: &'modules Modules) -> Self {
        Self {
            modules,
            passed: BTreeSet::new(),
            asked: BTreeSet::new(),
        }
    }

    /// Follows a path as it stands in the module `from`; the module that it leads to, if it is one.
    fn path(&mut self, from: &Way, path: &[String]) -> Option<Way> {
        let (first, mut rest) = path.split_first()?;
        let mut here = match first.as_str() {
            "crate" => Way::new(),
            "self" => from.clone(),
            "super" => parent(from),
            name => return self.name(from, name, rest),
        };
        while let Some((name, after)) = rest.split_first()
            && name == "super"
        {
            here = parent(&here);
            rest = after;
        }
        self.module(here, rest)
    }

    fn module(&mut self, here: Way, rest: &[String]) -> Option<Way> {
        self.passed.insert(here.clone());
        match rest.split_first() {
            Some((name, rest)) => self.name(&here, name, rest),
            None => Some(here),
        }
    }

    /// Follows a name of a module, and what comes after it.
    fn name(&mut self, here: &Way, name: &str, rest: &[String]) -> Option<Way> {
        let mut child = here.clone();
        child.push(name.to_owned());
        if self.modules.0.contains_key(&child) {
            return self.module(child, rest);
        }
        let modules = self.modules;
        let path = modules.0.get(here)?.brought.get(name)?;
        if !self.asked.insert((here.clone(), name.to_owned())) {
            return None;
        }
        self.path(here, &[path, rest].concat())
    }

    /// Follows every name that a module brings in: `use super::*` may use each.
    fn all(&mut self, here: &Way) {
        let modules = self.modules;
        for path in modules
            .0
            .get(here)
            .into_iter()
            .flat_map(|it| it.brought.values())
        {
            self.path(here, path);
        }
    }
}

fn parent(way: &Way) -> Way {
    way.split_last()
        .map_or_else(Way::new, |(_, parent)| parent.to_vec())
}

/// What one module's tokens say.
#[derive(Default)]
struct Found {
    children: Vec<(String, Option<TokenStream>)>,
    brought: BTreeMap<String, Vec<String>>,
    named: Vec<Named>,
}

impl Found {
    /// `is_outer`: whether they stand in the module itself, and not inside one of its items.
    fn scan(&mut self, tokens: &[TokenTree], is_outer: bool) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let Some((attribute, length)) = attribute(rest) else {
                        continue;
                    };
                    at += length;
                    if is_for_tests(&attribute) {
                        // `#![cfg(test)]`: all of it.
                        if length == 2 {
                            return;
                        }
                        at += item(&tokens[at..]);
                    } else if !word(attribute.first(), "doc") {
                        self.scan(&attribute, false);
                    }
                }
                TokenTree::Ident(ident) if *ident == "pub" => {
                    // `pub(in crate::room)` uses nothing.
                    at += usize::from(group(rest.first(), Delimiter::Parenthesis).is_some());
                }
                TokenTree::Ident(ident) if *ident == "mod" => {
                    let Some(TokenTree::Ident(name)) = rest.first() else {
                        continue;
                    };
                    let body = group(rest.get(1), Delimiter::Brace);
                    self.children.push((name.to_string(), body));
                    at += 2;
                }
                TokenTree::Ident(ident) if *ident == "use" && !punct(rest.first(), '<') => {
                    let end = rest.iter().position(|token| punct(Some(token), ';'));
                    let end = end.unwrap_or(rest.len());
                    self.bring(&rest[..end], &[], is_outer);
                    at += end;
                }
                TokenTree::Ident(_) => {
                    let (path, line, length) = path(&tokens[at - 1..]);
                    let first = path.first().map(String::as_str);
                    if path.len() > 1 && matches!(first, Some("crate" | "self" | "super")) {
                        let all = false;
                        self.named.push(Named { path, line, all });
                    }
                    at += length - 1;
                }
                TokenTree::Group(group) => {
                    self.scan(&group.stream().into_iter().collect::<Vec<_>>(), false);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// One tree of a `use`.
    fn bring(&mut self, tokens: &[TokenTree], before: &[String], is_outer: bool) {
        let (path, line, length) = path(tokens);
        let mut path = [before, &path].concat();
        let rest = &tokens[length..];
        let rest = if starts_path(rest) { &rest[2..] } else { rest };
        if let Some(inner) = group(rest.first(), Delimiter::Brace) {
            let inner: Vec<_> = inner.into_iter().collect();
            for tree in inner.split(|token| punct(Some(token), ',')) {
                if !tree.is_empty() {
                    self.bring(tree, &path, is_outer);
                }
            }
            return;
        }
        let all = punct(rest.first(), '*');
        // `use room::{self, …}`
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = match rest {
            [TokenTree::Ident(with), TokenTree::Ident(name), ..] if *with == "as" => {
                Some(name.to_string())
            }
            _ => path.last().cloned(),
        };
        if let Some(name) = name.filter(|_| is_outer && !all) {
            self.brought.insert(name, path.clone());
        }
        self.named.push(Named { path, line, all });
    }
}

/// The words of a path that begins here, the line of the last one, and how many tokens they are.
fn path(tokens: &[TokenTree]) -> (Vec<String>, usize, usize) {
    let (mut words, mut line, mut length) = (Vec::new(), 0, 0);
    let mut at = usize::from(starts_path(tokens)) * 2;
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        words.push(ident.to_string());
        line = ident.span().start().line;
        length = at + 1;
        if !starts_path(&tokens[length..]) {
            break;
        }
        at = length + 2;
    }
    (words, line, length)
}

/// Whether `::` stands here.
fn starts_path(tokens: &[TokenTree]) -> bool {
    let joined = matches!(tokens.first(), Some(TokenTree::Punct(colon))
        if colon.as_char() == ':' && colon.spacing() == Spacing::Joint);
    joined && punct(tokens.get(1), ':')
}

/// What stands in the brackets of an attribute whose `#` was before these, and how many tokens it has without that.
fn attribute(tokens: &[TokenTree]) -> Option<(Vec<TokenTree>, usize)> {
    let inner = usize::from(punct(tokens.first(), '!'));
    let brackets = group(tokens.get(inner), Delimiter::Bracket)?;
    Some((brackets.into_iter().collect(), inner + 1))
}

/// Whether it is a `cfg` that holds in tests alone.
fn is_for_tests(attribute: &[TokenTree]) -> bool {
    let [TokenTree::Ident(name), TokenTree::Group(condition)] = attribute else {
        return false;
    };
    let condition: Vec<_> = condition.stream().into_iter().collect();
    *name == "cfg" && holds_in_tests_alone(&condition)
}

fn holds_in_tests_alone(condition: &[TokenTree]) -> bool {
    match condition {
        [TokenTree::Ident(name)] => *name == "test",
        [TokenTree::Ident(name), TokenTree::Group(inner)] => {
            let inner: Vec<_> = inner.stream().into_iter().collect();
            let mut parts = inner
                .split(|token| punct(Some(token), ','))
                .filter(|part| !part.is_empty());
            if *name == "all" {
                parts.any(holds_in_tests_alone)
            } else {
                *name == "any" && parts.all(holds_in_tests_alone)
            }
        }
        _ => false,
    }
}

/// How many tokens what comes here has: an item with its attributes; or a field, an arm, a statement.
fn item(tokens: &[TokenTree]) -> usize {
    let mut at = 0;
    while punct(tokens.get(at), '#')
        && let Some((_, length)) = attribute(&tokens[at + 1..])
    {
        at += 1 + length;
    }
    if word(tokens.get(at), "pub") {
        at += 1;
        at += usize::from(group(tokens.get(at), Delimiter::Parenthesis).is_some());
    }
    let is = |words: &[&str]| words.iter().any(|each| word(tokens.get(at), each));
    let function = word(tokens.get(at), "const") && word(tokens.get(at + 1), "fn");
    let has_value = is(&["use", "const", "static", "type", "let"]) && !function;
    let is_item = has_value
        || is(&[
            "const",
            "mod",
            "fn",
            "struct",
            "enum",
            "union",
            "trait",
            "impl",
            "unsafe",
            "async",
            "extern",
            "macro_rules",
        ]);
    while let Some(token) = tokens.get(at) {
        at += 1;
        let braces = group(Some(token), Delimiter::Brace).is_some();
        let comma = punct(Some(token), ',');
        if punct(Some(token), ';') || (braces && !has_value) || (comma && !is_item) {
            break;
        }
    }
    at
}

fn word(token: Option<&TokenTree>, expected: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == expected)
}

fn punct(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}
