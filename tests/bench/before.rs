//! What changed since another build, whose programs lie in the folder that KUBEFOB_BEFORE names: both run at the same time,
//! each by somebody who has just signed in through it.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use world::parts;
use world::person::Person;

use crate::ground::{Ground, resident_of};
use crate::resident::{Memory, NOT_DUMPABLE, idle_side_by_side, starts_by_turns};
use crate::row::{Goal, Row};
use crate::{kubectl, spawn};

const KUBECTL: &str = "kubectl: get ns, this build ÷ the one before";
const SHIM: &str = "shim, this build ÷ the one before";
const START: &str = "resident, spawn to socket, this build ÷ the one before";
const MEMORY: &str = "PSS of the resident, this build ÷ the one before";
const IDLE: &str = "context switches in 60 idle seconds, more than before";
/// What one build differs by from itself.
const NO_WORSE: Goal = Goal::Most(1.02);
/// No more of them.
const NONE: Goal = Goal::Most(0.0);

/// All of its rows.
pub(crate) fn before(ground: &Ground) -> Result<Vec<Row>> {
    let Some(programs) = env::var_os("KUBEFOB_BEFORE").map(PathBuf::from) else {
        let why = "KUBEFOB_BEFORE names no folder with another build's programs";
        let rows = [
            (MEMORY, NO_WORSE),
            (IDLE, NONE),
            (KUBECTL, NO_WORSE),
            (SHIM, NO_WORSE),
            (START, NO_WORSE),
        ];
        let skipped = rows.map(|(name, goal)| Row::skipped(name, goal, why));
        return Ok(skipped.into());
    };
    // Who runs the same program shares its memory.
    ground.person.end_resident("TERM")?;
    let ours = parts::program("kubefob")?;
    let ours = ground.with_programs(ours.parent().context("no folder of programs")?)?;
    let theirs = ground.with_programs(&programs)?;
    Ok(vec![
        memory(&ours, &theirs)?,
        idle_side_by_side(IDLE, NONE, &ours, &theirs)?,
        kubectl::against(KUBECTL, NO_WORSE, &ours, &theirs)?,
        spawn::shims(ground, SHIM, NO_WORSE, &theirs)?,
        start(&ours, &theirs)?,
    ])
}

fn memory(ours: &Person, theirs: &Person) -> Result<Row> {
    let both = (
        Memory::of(resident_of(ours)?)?,
        Memory::of(resident_of(theirs)?)?,
    );
    let (Some(ours), Some(theirs)) = both else {
        return Ok(Row::skipped(MEMORY, NO_WORSE, NOT_DUMPABLE));
    };
    let (ours, theirs) = (ours.all, theirs.all);
    let how = format!("{ours:.2} and {theirs:.2} MB, each after the sign-in");
    Ok(Row::new(MEMORY, (ours / theirs, "×"), NO_WORSE, how))
}

fn start(ours: &Person, theirs: &Person) -> Result<Row> {
    let (ours, theirs) = starts_by_turns(ours, theirs)?;
    let (first, second) = (ours * 1e3, theirs * 1e3);
    let how = format!("minima of interleaved starts: {first:.2} and {second:.2} ms");
    Ok(Row::new(START, (ours / theirs, "×"), NO_WORSE, how))
}
