//! The modules inside a crate go one way too: none uses another that uses it, however far round.
//!
//! An arrow is a path from one module to another: in a `use`, an expression, a type or a macro's call. It counts
//! between the two siblings above which both stand, at any depth: `a::x` to `b::y` is one from `a` to `b`, and
//! `a::x` to `a::y` one inside `a`. Between a module and those in it none counts: a room's file holds the types that
//! its parts share, and puts the parts together, so there the arrows always go both ways. What a parent brings in and
//! a part takes by `super::` is the arrow to where it comes from.
//!
//! A method's call names no module, and isn't seen; its type's name is, in whoever holds one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use self::source::{Arrow, Modules, Way};

pub(crate) mod cases;
mod source;

/// Whose modules go one way.
const CRATES: &[&str] = &["broker", "runtime"];

/// Circles that are known and still to go, as they are printed: exactly these, so that the list only shrinks. Nothing
/// is added here.
const STILL: &[&str] = &[];

pub(crate) fn hold() -> Result<()> {
    let mut circles = Vec::new();
    for name in CRATES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri/crates");
        let folder = folder.join(name).join("src");
        let source = |file: &str| fs::read_to_string(folder.join(file)).ok();
        circles.extend(found(name, &source).with_context(|| format!("the modules of {name}"))?);
    }
    let wrong = against(STILL, &circles);
    ensure!(
        wrong.is_empty(),
        "{}\n(STILL in tests/it/modules.rs has the circles that are known, each as it is: it only shrinks)",
        wrong.join("\n")
    );
    Ok(())
}

/// Modules of one parent each of which leads to every other.
struct Circle {
    /// The parent, from the crate's name on.
    inside: String,
    modules: BTreeSet<String>,
    arrows: Arrows,
}

/// From which module to which, and where that stands first.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules: Vec<_> = self.modules.iter().map(String::as_str).collect();
        write!(f, "{}: {}", self.inside, modules.join(" "))
    }
}

impl Circle {
    /// The shortest way from a module round to itself, an arrow a line.
    fn through(&self, module: &str) -> String {
        let mut came: BTreeMap<&str, &str> = BTreeMap::new();
        let mut next = VecDeque::from([module]);
        while let Some(from) = next.pop_front()
            && !came.contains_key(module)
        {
            for to in self.arrows[from].keys() {
                if !came.contains_key(to.as_str()) {
                    came.insert(to, from);
                    next.push_back(to);
                }
            }
        }
        let (mut lines, mut to) = (Vec::new(), module);
        while let Some(from) = came.get(to).copied() {
            lines.push(format!("  {from} -> {to}: {}", self.arrows[from][to]));
            to = from;
            if to == module {
                break;
            }
        }
        lines.reverse();
        lines.join("\n")
    }
}

/// The circles of a crate.
fn found(name: &str, source: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Circle>> {
    let mut levels: BTreeMap<Way, Arrows> = BTreeMap::new();
    for Arrow {
        from,
        to,
        file,
        line,
    } in Modules::read(source)?.arrows()
    {
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        // One stands in the other, or is it.
        let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) else {
            continue;
        };
        let level = levels.entry(from[..shared].to_vec()).or_default();
        level.entry(other.clone()).or_default();
        let arrows = level.entry(one.clone()).or_default();
        arrows
            .entry(other.clone())
            .or_insert_with(|| format!("{file}:{line}"));
    }
    let circles = levels.into_iter().flat_map(|(level, arrows)| {
        let inside = [&[name.to_owned()], &*level].concat().join("::");
        circles(&inside, &arrows)
    });
    Ok(circles.collect())
}

fn circles(inside: &str, arrows: &Arrows) -> Vec<Circle> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows
        .keys()
        .map(|from| (from.as_str(), reached(arrows, from)))
        .collect();
    let mut circles: Vec<Circle> = Vec::new();
    for (from, to) in &reached {
        if !to.contains(from) || circles.iter().any(|each| each.modules.contains(*from)) {
            continue;
        }
        let modules: BTreeSet<String> = to
            .iter()
            .filter(|other| reached[*other].contains(from))
            .map(|other| (*other).to_owned())
            .collect();
        let inner = arrows
            .iter()
            .filter(|(from, _)| modules.contains(*from))
            .map(|(from, to)| {
                let to = to.iter().filter(|(to, _)| modules.contains(*to));
                let to = to.map(|(to, place)| (to.clone(), place.clone()));
                (from.clone(), to.collect())
            })
            .collect();
        circles.push(Circle {
            inside: inside.to_owned(),
            modules,
            arrows: inner,
        });
    }
    circles
}

/// Every module that one leads to.
fn reached<'arrows>(arrows: &'arrows Arrows, from: &str) -> BTreeSet<&'arrows str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(from) = next.pop() {
        for to in arrows[from].keys() {
            if reached.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    reached
}

/// What is found and not known, and what is known and no longer so.
fn against(still: &[&str], found: &[Circle]) -> Vec<String> {
    let mut wrong = Vec::new();
    for circle in found {
        let row = circle.to_string();
        if still.contains(&row.as_str()) {
            continue;
        }
        let known: BTreeSet<&str> = still
            .iter()
            .filter_map(|row| row.split_once(": "))
            .filter(|(inside, _)| *inside == circle.inside)
            .flat_map(|(_, modules)| modules.split(' '))
            .collect();
        let mut new = circle
            .modules
            .iter()
            .filter(|each| !known.contains(&***each));
        // Modules of a known circle are in one that is smaller now.
        let Some(through) = new.next() else {
            wrong.push(format!("smaller now: {row}"));
            continue;
        };
        wrong.push(format!("a circle: {row}\n{}", circle.through(through)));
    }
    for row in still {
        if !found.iter().any(|circle| circle.to_string() == *row) {
            wrong.push(format!("no longer there: {row}"));
        }
    }
    wrong
}
