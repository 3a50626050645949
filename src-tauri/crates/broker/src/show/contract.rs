//! The contract with the window in its own language: what is committed there is what these types are.

use std::path::Path;

use ts_rs::{Config, TS};

use crate::accounts::account::LastUse;
use crate::accounts::session::StateWord;
use crate::asker::Desktop;
use crate::clock::Wall;
use crate::command::{Add, Command, ScreenName};
use crate::consent::trust::By;
use crate::kubeconfigs::kubeconfig::{ContextEntry, Kubeconfig};
use crate::manner::Change;
use crate::problem::Code;
use crate::question::{Answer, Longest, ServerLine, Vouched, Wary};
use crate::settings::{Choice, Keep, KeepFresh, Theme};
use crate::show::view::{
    AccountView, FoundView, PluginView, ProblemView, QuestionView, StepView, Told, TrustView, View,
};
use crate::stanza::KubeconfigUser;
use crate::surroundings::RestingPlaces;
use crate::surroundings::plugin::Whose;
use crate::surroundings::reach::TrayHost;
use crate::texts::Language;

const HEAD: &str = "\
// Made from src-tauri/crates/broker by its test `contract`; with KUBEFOB_WRITE=1 it writes this file anew.
";

fn declared<T: TS>(config: &Config) -> String {
    let docs = T::docs().unwrap_or_default();
    format!("\n{docs}export {}\n", T::decl(config))
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "a test may read and write the tree"
)]
fn contract() {
    let config = Config::default().with_large_int("number");
    let types = [
        declared::<Command>,
        declared::<Add>,
        declared::<ScreenName>,
        declared::<Answer>,
        declared::<Longest>,
        declared::<Told>,
        declared::<KubeconfigUser>,
        declared::<StepView>,
        declared::<View>,
        declared::<AccountView>,
        declared::<LastUse>,
        declared::<StateWord>,
        declared::<ProblemView>,
        declared::<Code>,
        declared::<TrustView>,
        declared::<By>,
        declared::<QuestionView>,
        declared::<Vouched>,
        declared::<ServerLine>,
        declared::<Change>,
        declared::<Wary>,
        declared::<Kubeconfig>,
        declared::<ContextEntry>,
        declared::<FoundView>,
        declared::<PluginView>,
        declared::<Whose>,
        declared::<Keep>,
        declared::<RestingPlaces>,
        declared::<Desktop>,
        declared::<TrayHost>,
        declared::<KeepFresh>,
        declared::<Theme>,
        declared::<Choice>,
        declared::<Language>,
        declared::<Wall>,
    ];
    let made: String = std::iter::once(HEAD.to_owned())
        .chain(types.iter().map(|declared| declared(&config)))
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/contract/index.ts");
    if std::env::var_os("KUBEFOB_WRITE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        made == committed,
        "{} is not current; KUBEFOB_WRITE=1 writes it:\n{made}",
        file.display()
    );
}
