//! Bad input: what stays as it was, what the person is told, that nothing is lost.
//!
//! A row is an input, the code or the words that a person gets, and the state afterwards. What a
//! crate's own test shows already is not shown again: [`ELSEWHERE`] names that test, and a trial
//! looks whether it is still there. What takes the whole program is done here with the real ones:
//! a question that makes no sense ([`question`]), a computer on which something is in the way of a
//! sign-in ([`desk`]), and places and disks that are not as they should be ([`place`], [`disk`]).

mod desk;
mod disk;
mod place;
mod question;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use playground::{Config, Playground};
use serde_json::{Value, json};
use world::Set;
use world::browser::Settings;
use world::parts::Parts;
use world::person::{Person, Said, said};
use world::screen::Screen;

/// An input, the file of the test that shows what comes of it, and its name.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "a frame that is too long",
        FRAME,
        "each_kind_takes_its_cap_and_not_one_byte_more",
    ),
    (
        "a frame that is cut off",
        FRAME,
        "every_prefix_of_a_frame_needs_more",
    ),
    (
        "a frame of another version",
        FRAME,
        "other_versions_and_strangers_are_told_apart",
    ),
    (
        "a peer of another age, at the shim",
        SHIM,
        "other_ages_strangers_and_nonsense_are_told_apart",
    ),
    (
        "discovery: wrong or missing issuer, redirects, 10 MB",
        FAULTS,
        "discovery_and_keys",
    ),
    ("HTTP instead of HTTPS", ADDRESS, "https_or_this_computer"),
    (
        "token replies: no id_token, audience, nonce, signature, `none`",
        FAULTS,
        "the_exchange_of_a_code",
    ),
    (
        "a callback with a wrong state",
        THREATS,
        "a_wrong_state_leaves_the_attempt_as_it_was",
    ),
    (
        "a callback twice",
        THREATS,
        "a_callback_twice_is_exchanged_once_and_shows_the_outcome_twice",
    ),
    (
        "a callback with `error=`",
        THREATS,
        "the_provider_s_no_counts_and_its_words_stay_words",
    ),
    (
        "a callback of another issuer",
        THREATS,
        "a_redirect_of_another_issuer_is_not_believed",
    ),
    (
        "a port scan",
        THREATS,
        "what_is_no_answer_of_the_provider_s_changes_nothing",
    ),
    (
        "a foreign Host",
        THREATS,
        "other_hosts_and_methods_are_turned_away",
    ),
    ("a stale socket", "tests/kill/main.rs", "one_owner"),
    ("`sudo`", SHIM, "sudo_with_a_person_s_home_starts_nothing"),
    (
        "a socket of somebody else's",
        SHIM,
        "another_user_s_place_gets_not_one_byte",
    ),
    (
        "no KUBERNETES_EXEC_INFO",
        CREDENTIAL,
        "client_go_is_understood",
    ),
];

const CREDENTIAL: &str = "src-tauri/crates/broker/src/credential.rs";
const FRAME: &str = "src-tauri/crates/wire/src/frame/tests.rs";
const SHIM: &str = "src-tauri/crates/shim/tests/shim.rs";
const ADDRESS: &str = "src-tauri/crates/provider/src/address.rs";
const FAULTS: &str = "src-tauri/crates/provider/tests/it/faults.rs";
const THREATS: &str = "src-tauri/crates/provider/tests/it/threats.rs";

/// Adds the trials; what they found is printed by [`Table::print`].
pub(crate) fn trials(set: &mut Set) -> Table {
    let table = Table::default();
    let mut add = |name, body: fn(&Table) -> Result<()>| {
        let table = table.clone();
        set.trial(name, move || body(&table));
    };
    add("bad_input_elsewhere", elsewhere);
    add("bad_input_question", question::trial);
    add("bad_input_desk", desk::trial);
    add("bad_input_clock", desk::clock);
    add("bad_input_place", place::trial);
    add("bad_input_stranger", place::stranger);
    add("bad_input_disk", disk::trial);
    table
}

/// Each test that the table names is there.
fn elsewhere(table: &Table) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (input, file, test) in ELSEWHERE {
        let text = fs::read_to_string(root.join(file)).with_context(|| (*file).to_owned())?;
        ensure!(
            text.contains(&format!("fn {test}(")),
            "{file} has no `{test}` any more"
        );
        table.row(input, "", &format!("{file}: {test}"));
    }
    Ok(())
}

/// The rows that were shown.
#[derive(Clone, Default)]
pub(crate) struct Table(Arc<Mutex<Vec<Row>>>);

struct Row {
    input: String,
    told: String,
    after: String,
}

impl Table {
    fn row(&self, input: &str, told: &str, after: &str) {
        let row = Row {
            input: input.to_owned(),
            told: told.trim().to_owned(),
            after: after.to_owned(),
        };
        println!("{row}");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(row);
    }

    /// All of them, if any.
    pub(crate) fn print(&self) {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.is_empty() {
            return;
        }
        println!("\n| bad input | the person is told | afterwards |\n|---|---|---|");
        for row in rows.iter() {
            println!("{row}");
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "| {} | {} | {} |", self.input, self.told, self.after)
    }
}

/// Somebody at a desktop whose kubeconfig leads to a provider and a cluster in memory.
struct Scene {
    playground: Playground,
    person: Person,
    browser: Settings,
    _screen: Screen,
}

impl Scene {
    /// Nobody has signed in yet. Tokens are to rest on disk.
    async fn set(config: Value) -> Result<Self> {
        let config: Config = serde_json::from_value(config)?;
        let playground = Playground::start(config).await?;
        let screen = Screen::start()?;
        let parts = Parts::from_environment()?;
        let browser = Settings {
            user: "test".to_owned(),
            password: "test".to_owned(),
            consent: "always".to_owned(),
            ..Settings::default()
        };
        let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
        let person = Person::new(parts.path("kubectl")?, scripted, &browser, Some(&screen))?;
        let ca = person.home.join("provider-ca.pem");
        fs::write(&ca, playground.ca_pem())?;
        let browser = Settings {
            ca: Some(ca.clone()),
            ..browser
        };
        person.browse(scripted, &browser)?;
        person.setting("keep", json!("plain"))?;
        let flag = format!("--certificate-authority={}", ca.display());
        person.kubeconfig(&playground.kubeconfig_seed_form(&[&flag]))?;
        Ok(Self {
            playground,
            person,
            browser,
            _screen: screen,
        })
    }

    /// Somebody has, and kubectl works.
    async fn signed_in(config: Value) -> Result<Self> {
        let scene = Self::set(config).await?;
        scene.works("at first")?;
        Ok(scene)
    }

    fn works(&self, when: &str) -> Result<()> {
        let said = self.person.kubectl(&["get", "namespaces", "-o=name"])?;
        ensure!(
            said.ok && said.out.contains("namespace/default"),
            "{when}: {said:?}\n{}",
            self.person.log()
        );
        Ok(())
    }

    /// The sign-ins that the provider saw.
    fn sign_ins(&self) -> u64 {
        self.playground.counters().sign_ins
    }
}

/// What a line says in a shell of this person's own: for a credential plugin the shell is what
/// kubectl is otherwise, and its environment the person's.
fn in_shell(person: &Person, line: &str) -> Result<Said> {
    let command = person.command("kubectl");
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut shell = Command::new("sh");
    // With a command after it, the shell does not become what it runs.
    let line = format!("{line}; exit $?");
    shell.args(["-c", &line]).env_clear().envs(environment);
    said(shell.current_dir(&person.home).output()?)
}

/// Refused, in one line that ends with its code, and with nothing for kubectl to read.
fn refused_by(said: &Said, code: &str) -> Result<()> {
    ensure!(
        !said.ok && said.out.is_empty() && said.err.trim().ends_with(&format!("[{code}]")),
        "not by {code}: {said:?}"
    );
    ensure!(said.err.trim().lines().count() == 1, "one line: {said:?}");
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Runtime::new()?)
}
