//! Programs that say another version than they were built as.

use anyhow::{Result, ensure};

/// The program as it is, but for its version's digits: another file that says another version.
pub fn renamed(built: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    ensure!(from.len() == to.len(), "{from} and {to} differ in length");
    let (said, to) = (from.as_bytes(), to.as_bytes());
    let mut copy = built.to_vec();
    let mut at = 0;
    while let Some(found) = copy
        .get(at..)
        .and_then(|rest| memchr::memmem::find(rest, said))
    {
        at += found;
        copy.splice(at..at + to.len(), to.iter().copied());
        at += to.len();
    }
    ensure!(copy != built, "nothing in it says {from:?}");
    Ok(copy)
}
