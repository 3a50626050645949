//! Starting the resident when nobody answers.

use std::path::PathBuf;
use std::time::Duration;

use wire::endpoint::Places;
use wire::os::Stream;
use wire::start;

use crate::os;
use crate::question::Person;
use crate::say::Say;
use crate::streams::Streams;

/// Starts the resident, or waits for the one that somebody else starts, and connects to it.
pub(crate) fn resident(
    places: &Places,
    person: Person,
    streams: &mut Streams,
    patience: Duration,
) -> Result<Stream, Say> {
    refuse_others_home(places, person)?;
    let starting = || {
        if streams.is_terminal() {
            streams.say(&Say::Starting);
        }
    };
    start::resident(places, || person.variables(), patience, starting).map_err(Say::Unstarted)
}

/// `sudo -E kubectl`: a resident of root's in a person's home would leave files there that the person can't
/// read. Both environments are asked, since this only refuses.
fn refuse_others_home(places: &Places, person: Person) -> Result<(), Say> {
    if !os::is_root() {
        return Ok(());
    }
    for environment in [person, Person::Own] {
        let home = environment.get("HOME").map(PathBuf::from);
        if let (Some(home), Some(_)) = (home, environment.get("SUDO_UID")) {
            let owner = wire::os::owner(&home);
            if owner.is_ok_and(|owner| owner != *places.uid()) {
                return Err(Say::OthersHome { home });
            }
        }
    }
    Ok(())
}
