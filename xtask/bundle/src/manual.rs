//! The man pages: of `kubectl fob` and each of its verbs as clap knows them, and the resident's own.

use anyhow::Result;
use broker::argv::fob;
use broker::clock::Wall;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::About;

/// What leads to the page of another name.
pub(crate) const OTHER_NAMES: [(&str, &str); 2] = [
    ("kubefob-window", "kubefob"),
    ("kubectl-oidc_login", "kubectl-fob-get-token"),
];

const RESIDENT: &str = include_str!("../files/kubefob.1");

/// Each page, by its name.
pub(crate) fn pages(about: &About) -> Result<Vec<(String, Vec<u8>)>> {
    let date = day(about.date);
    let resident = RESIDENT
        .replace("@DATE@", &date)
        .replace("@VERSION@", about.version);
    let mut pages = vec![("kubefob".to_owned(), resident.into_bytes())];
    let mut all = fob::grammar()
        .name("kubectl-fob")
        .display_name("kubectl-fob")
        .disable_help_subcommand(true);
    all.build();
    for verb in all.get_subcommands() {
        pages.push(page(verb.clone(), about, &date)?);
    }
    pages.push(page(all, about, &date)?);
    Ok(pages)
}

fn page(mut command: clap::Command, about: &About, date: &str) -> Result<(String, Vec<u8>)> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    // clap reads neither its flags nor its help.
    let as_written = (command.get_name() == "get-token").then(|| command.render_long_help());
    let whole = command.has_subcommands();
    let man = Man::new(command)
        .title(name.to_uppercase())
        .date(date)
        .source(format!("Kubefob {}", about.version))
        .manual("Kubefob");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    if let Some(help) = as_written {
        as_it_is(&help.to_string()).to_writer(&mut page)?;
    } else {
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    if whole {
        man.render_subcommands_section(&mut page)?;
    }
    see_also(whole).to_writer(&mut page)?;
    Ok((name, page))
}

/// A text with the lines that it has.
fn as_it_is(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

fn see_also(whole: bool) -> Roff {
    let other = if whole { "kubefob" } else { "kubectl-fob" };
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold(other), roman("(1), "), bold("kubectl"), roman("(1)")]);
    roff
}

/// The day of a time in seconds since the epoch, as `YYYY-MM-DD`.
fn day(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let time = Wall::from_seconds(seconds).rfc3339();
    let (day, _time) = time.split_once('T').unwrap_or((&time, ""));
    day.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{OTHER_NAMES, day, pages};
    use crate::About;

    #[test]
    fn days_are_the_calendar_s() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (1_795_910_400, "2026-11-29"),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }

    #[test]
    fn every_verb_has_a_page_and_every_other_name_leads_to_one() {
        let about = About {
            version: "1.2.3",
            date: 0,
            machine: "x86_64",
        };
        let pages = pages(&about).unwrap();
        let find = |name: &str| {
            let page = pages.iter().find(|(each, _)| each == name);
            String::from_utf8(page.unwrap().1.clone()).unwrap()
        };
        assert!(find("kubectl-fob").contains("kubectl\\-fob\\-login(1)"));
        assert!(find("kubectl-fob-logout").contains("\\-\\-everywhere"));
        assert!(find("kubectl-fob-get-token").contains("\\-\\-oidc\\-issuer\\-url"));
        assert!(find("kubefob").contains("1.2.3"));
        for (_, page) in OTHER_NAMES {
            find(page);
        }
    }
}
