//! What the arguments and the environment of a program other than kubectl name: files that may be kubeconfigs, and
//! servers.
//!
//! What such a program makes of its words, it alone knows. So every word counts that could be one of both, in whatever
//! place, and nothing is ever taken away by one. What a program chooses after its start is out of sight.

mod meant;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::narrow::is_lossy;
use crate::program::{is_helm, is_kubectl};

use meant::About;
pub use meant::Meant;

/// The most files that are looked for.
const FILES: usize = 1024;
/// The most bytes of words that are looked at.
const WORDS: usize = 1 << 20;
/// The most files that are looked for where nothing says that they have to do with Kubernetes.
const IN_PASSING: usize = 4096;
/// Linux's longest path (`PATH_MAX`): no longer word is one.
const PATH: usize = 4096;
/// Its longest name in a folder (`NAME_MAX`).
const NAME: usize = 255;
/// How many letters of a group can stand before a value in the same word.
const GROUP: usize = 6;

/// Who asks, as far as it can be seen.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'seen> {
    /// Its executable.
    pub executable: Option<&'seen Path>,
    /// Its arguments, its own name first.
    pub arguments: Option<&'seen [String]>,
    /// Its environment.
    pub environment: &'seen [(OsString, OsString)],
    /// The folder that it stands in.
    pub folder: &'seen Path,
}

/// What an asker was told of kubeconfigs and servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Files that may be kubeconfigs, each once. A relative one counts from the asker's folder.
    pub files: Vec<PathBuf>,
    /// The same, by words that are no path as a rule: where nobody can tell whether there is such a file, there is none.
    pub words: Vec<PathBuf>,
    /// Files that other variables lead to, each once: one in a hundred programs takes one of them for a kubeconfig
    /// (Terraform's `TF_VAR_…`), and what is there tells.
    pub in_passing: Vec<PathBuf>,
    /// What of all these says that something else can have been there before.
    pub meant: BTreeMap<PathBuf, Meant>,
    /// Addresses of servers, as they are written.
    pub servers: Vec<String>,
    /// Clusters by their names in a kubeconfig.
    pub clusters: Vec<String>,
    /// Users by their names in a kubeconfig.
    pub users: Vec<String>,
    /// There is more than was looked at, or it changes the way to whatever server there is.
    pub unclear: bool,
}

/// Reads what a program other than kubectl was told.
pub fn named(asker: &Asker<'_>) -> Named {
    let mut reader = Reader {
        named: Named::default(),
        known: BTreeSet::new(),
        passed: BTreeSet::new(),
        passing: None,
        program: Program::of(asker.executable),
        home: variable(asker, "HOME"),
        // A program that goes elsewhere meant its words in the folder where it started.
        start: variable(asker, "PWD").filter(|start| *start != asker.folder && start.is_absolute()),
        left: WORDS,
        about_files: false,
        about: About::Anything,
        variable: None,
    };
    match asker.arguments {
        Some(arguments) => reader.arguments(arguments.get(1..).unwrap_or_default()),
        None => reader.named.unclear = true,
    }
    for (name, value) in asker.environment {
        reader.variable(name, value);
    }
    reader.named
}

fn variable<'seen>(asker: &Asker<'seen>, wanted: &str) -> Option<&'seen Path> {
    let mut all = asker.environment.iter();
    let found = all.find(|(name, _)| name == wanted);
    found
        .map(|(_, value)| Path::new(value))
        .filter(|value| !value.as_os_str().is_empty())
}

struct Reader<'seen> {
    named: Named,
    known: BTreeSet<(PathBuf, bool)>,
    passed: BTreeSet<PathBuf>,
    /// How long the value is, where nothing says that it has to do with Kubernetes.
    passing: Option<usize>,
    program: Program,
    home: Option<&'seen Path>,
    start: Option<&'seen Path>,
    /// How many bytes are looked at yet.
    left: usize,
    /// Whether the name that the word stands under speaks of files.
    about_files: bool,
    /// What it says that this word is.
    about: About,
    /// The variable that is read, where its name does not say that it has to do with Kubernetes.
    variable: Option<String>,
}

/// A program of which it is known what it can be told of servers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    /// It was not understood whole: more of its words can be servers than of another's.
    Kubectl,
    /// Only some words of its own can be servers: the others say where charts come from.
    Helm,
    Another,
}

impl Program {
    fn of(executable: Option<&Path>) -> Self {
        match executable {
            Some(executable) if is_kubectl(executable) => Self::Kubectl,
            Some(executable) if is_helm(executable) => Self::Helm,
            Some(_) | None => Self::Another,
        }
    }
}

/// Where a value stands: in arguments, or in the environment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Argument,
    Variable,
}

impl Reader<'_> {
    fn arguments(&mut self, words: &[String]) {
        let mut before: Option<Name> = None;
        for word in words {
            if !self.counts(word.len()) {
                return;
            }
            // Somebody's bytes that are no text have been lost on the way.
            if is_lossy(word) {
                self.named.unclear = true;
            }
            let own = word.split_once('=').map_or("", |(name, _)| name);
            self.about_files = speaks_of_files(own)
                || before.as_ref().is_some_and(|name| speaks_of_files(&name.0));
            self.about = match &before {
                Some(name) if !word.starts_with('-') => About::of(&name.0),
                // A path of keys is no name of a file (`--set config.replicas=3`).
                Some(_) | None if !own.contains('.') => About::of(own),
                Some(_) | None => About::Anything,
            };
            self.files(Place::Argument, word);
            if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) {
                let ends = letters.char_indices().skip(1).take(GROUP);
                for (letter, (end, _)) in ends.enumerate() {
                    // Behind the first letter, as a rule: what is left behind another is half a name.
                    self.about = match (letter, letters.get(..end)) {
                        (0, Some(name)) => About::of(name),
                        (_, Some(_) | None) => About::Output,
                    };
                    self.files(Place::Argument, letters.get(end..).unwrap_or_default());
                }
            }
            let flag = word.starts_with('-');
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (Some(Name::of(name)), Some(value)),
                None if flag => (Some(Name::of(word)), None),
                None => (None, Some(word.as_str())),
            };
            let of = name.as_ref().or(before.as_ref());
            match value {
                Some(value) => self.value(Place::Argument, of, value),
                None => self.switch(of, word),
            }
            if flag {
                self.letters(word);
                // It can be the value of the flag before it, too.
                if before.is_some() {
                    self.value(Place::Argument, before.as_ref(), word);
                }
            }
            before = name.filter(|_| flag && value.is_none());
        }
    }

    /// A flag that has no value, or has it in the next word.
    fn switch(&mut self, name: Option<&Name>, word: &str) {
        let means = name.map(|name| name.means(Place::Argument, self.program));
        self.named.unclear |= means == Some(Meaning::Way);
        self.value(Place::Argument, None, word);
    }

    /// A value that stands in one word with kubectl's `-s`.
    fn letters(&mut self, word: &str) {
        let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let value = letters.and_then(|letters| letters.split_once('s'));
        if let Some((_, value)) = value.filter(|_| self.program == Program::Kubectl)
            && is_host(value)
        {
            self.named.servers.push(value.to_owned());
        }
    }

    fn variable(&mut self, name: &OsString, value: &OsString) {
        let lossy = value.to_string_lossy();
        let written = name.to_string_lossy().to_ascii_lowercase();
        let mentions = |text: &str| {
            ["kube", "k8s", "k9s", "helm"]
                .iter()
                .any(|word| text.contains(word))
        };
        let by_name = mentions(&written) || written.contains("apiserver");
        // `_` is what a shell calls the program itself.
        if written == "_" || !self.counts(value.len()) {
            return;
        }
        let is_told = by_name || mentions(&lossy.to_ascii_lowercase());
        self.passing = (!is_told).then_some(value.len());
        self.about_files = speaks_of_files(&written);
        self.about = About::of(&written);
        self.variable = (!by_name).then(|| written.clone());
        match value.to_str() {
            Some(value) => self.files(Place::Variable, value),
            None if self.passing.is_some() => self.path(PathBuf::from(value), Path::new(value)),
            None => self.named.unclear = true,
        }
        if self.passing.take().is_some() {
            return;
        }
        if by_name {
            self.value(Place::Variable, Some(&Name::of(&written)), &lossy);
        }
    }

    fn counts(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.named.unclear |= left.is_none();
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Every path that a word can mean: itself, what stands behind a `=` or an `@`, and each of a list.
    fn files(&mut self, place: Place, word: &str) {
        let of_list = |letter: char| letter.is_whitespace() || ":,;\"'|".contains(letter);
        let parts = word.split(of_list).filter(|part| part.len() < word.len());
        let about = self.about;
        let has_blank = |text: &str| text.contains(char::is_whitespace);
        for part in [word].into_iter().chain(parts) {
            // A shell has split the arguments already: half a path with a blank in it is none.
            let is_whole = match place {
                Place::Argument => part.len() == word.len() || !has_blank(word),
                Place::Variable => !has_blank(part),
            };
            self.about = match (is_whole, part.len() == word.len()) {
                (true, true) => about,
                (true, false) => about.of_part(),
                (false, _) => About::Output,
            };
            self.file(part);
            for (at, sign) in part.match_indices(['=', '@']) {
                self.file(part.get(at + sign.len()..).unwrap_or_default());
            }
        }
        self.about = about;
        for (at, _) in word.match_indices('=') {
            self.file(word.get(at + 1..).unwrap_or_default());
        }
    }

    fn file(&mut self, path: &str) {
        let is_too_long = path.len() > PATH || path.split('/').any(|part| part.len() > NAME);
        if path.is_empty() || is_too_long || path.contains('\0') {
            return;
        }
        let written = Path::new(path);
        self.path(written.to_owned(), written);
        if let Some(rest) = path.strip_prefix("file://") {
            self.path(PathBuf::from(rest), Path::new(rest));
        }
        if let Some((home, rest)) = self.home.zip(path.strip_prefix("~/")) {
            self.path(home.join(rest), written);
        }
        if let Some(start) = self.start.filter(|_| !written.is_absolute()) {
            self.path(start.join(path), written);
        }
    }

    fn path(&mut self, path: PathBuf, written: &Path) {
        if let Some(whole) = self.passing {
            self.in_passing(path, whole);
            return;
        }
        let meant = match &self.variable {
            Some(variable) => meant::meant_in_passing(written, variable),
            None => meant::meant(written, self.about),
        };
        self.means(&path, meant);
        let is_word = !self.about_files && path.components().nth(1).is_none() && path.is_relative();
        let known = &mut self.known;
        if known.contains(&(path.clone(), false)) || !known.insert((path.clone(), is_word)) {
            return;
        }
        if known.len() > FILES {
            self.named.unclear = true;
        } else if is_word {
            self.named.words.push(path);
        } else {
            self.named.files.push(path);
        }
    }

    /// What is no path as a rule counts only as the whole value, where its name speaks of files, or it has an extension.
    fn in_passing(&mut self, path: PathBuf, whole: usize) {
        let is_path = path.is_absolute() || path.components().nth(1).is_some();
        let is_whole = path.as_os_str().len() == whole;
        let is_word = is_whole && (self.about_files || path.extension().is_some());
        let can_be_one = is_path || is_word;
        if !can_be_one || self.passed.contains(&path) {
            return;
        }
        if self.passed.len() == IN_PASSING {
            self.named.unclear = true;
        } else {
            let variable = self.variable.as_deref().unwrap_or_default();
            self.means(&path, meant::meant_in_passing(&path, variable));
            self.passed.insert(path.clone());
            self.named.in_passing.push(path);
        }
    }

    fn means(&mut self, path: &Path, meant: Meant) {
        if meant > Meant::Word && self.named.meant.len() < FILES + IN_PASSING {
            let known = self.named.meant.entry(path.to_owned()).or_default();
            *known = meant.max(*known);
        }
    }

    /// What a value says of servers, by the name that it stands under.
    fn value(&mut self, place: Place, name: Option<&Name>, value: &str) {
        let unnamed = match (self.program, place) {
            (Program::Helm, Place::Argument) => Meaning::Nothing,
            (Program::Kubectl | Program::Another, Place::Argument) | (_, Place::Variable) => {
                Meaning::Anything
            }
        };
        let means = name.map_or(unnamed, |name| name.means(place, self.program));
        let addresses = match means {
            Meaning::Anything | Meaning::Host | Meaning::Server => addresses(value),
            Meaning::Way | Meaning::Check | Meaning::Cluster | Meaning::User | Meaning::Nothing => {
                Vec::new()
            }
        };
        let bare = match means {
            Meaning::Host => addresses.is_empty() && is_host(value),
            Meaning::Server => addresses.is_empty() && !value.is_empty(),
            Meaning::Anything
            | Meaning::Way
            | Meaning::Check
            | Meaning::Cluster
            | Meaning::User
            | Meaning::Nothing => false,
        };
        self.named.servers.extend(addresses);
        if bare {
            self.named.servers.push(value.to_owned());
        }
        match means {
            Meaning::Way => self.named.unclear |= !is_off(value),
            Meaning::Check => self.named.unclear |= !value.is_empty() && is_off(value),
            Meaning::Cluster => self.named.clusters.push(value.to_owned()),
            Meaning::User => self.named.users.push(value.to_owned()),
            Meaning::Anything | Meaning::Host | Meaning::Server | Meaning::Nothing => {}
        }
    }
}

/// The name of a flag or a variable: small letters, `-` between its words.
struct Name(String);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Whatever it is: an address in it may be a server's.
    Anything,
    /// An address, be it without a scheme.
    Host,
    /// An API server's address, however it is written.
    Server,
    /// What changes the way to a server: whose certificate it may have, whether that is looked at, what stands between.
    Way,
    /// Whether a certificate is looked at.
    Check,
    Cluster,
    User,
    Nothing,
}

impl Name {
    fn of(written: &str) -> Self {
        let name = written.trim_start_matches('-').to_ascii_lowercase();
        Self(name.replace(['_', '.'], "-"))
    }

    fn means(&self, place: Place, program: Program) -> Meaning {
        let name = self.0.as_str();
        // What each says that is meant for a cluster.
        let plain = [
            "kubernetes-",
            "kube-",
            "k8s-auth-",
            "k8s-",
            "helm-kube",
            "helm-",
        ]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
        let ends = |words: &[&str]| words.contains(&name.rsplit('-').next().unwrap_or_default());
        match (place, program) {
            // Those of this plugin, where what starts it passes them on.
            (Place::Argument, _) if name.starts_with("oidc-") => return Meaning::Nothing,
            (Place::Argument, Program::Helm) if !name.starts_with("kube-") => {
                return Meaning::Nothing;
            }
            (Place::Variable, Program::Helm) if !name.contains("kube") && !name.contains("k8s") => {
                return Meaning::Nothing;
            }
            // Every pod has some, and who reads them has a token of the pod's own.
            (Place::Variable, _) if name.ends_with("-service-host") => return Meaning::Nothing,
            (Place::Argument, Program::Kubectl) if name.ends_with('s') && name.len() <= GROUP => {
                return Meaning::Server;
            }
            (Place::Argument | Place::Variable, _) => {}
        }
        match plain.unwrap_or(name) {
            "insecure-skip-tls-verify"
            | "certificate-authority"
            | "tls-server-name"
            | "proxy-url" => Meaning::Way,
            "insecure"
            | "cafile"
            | "ca-file"
            | "ca-cert"
            | "ssl-ca-cert"
            | "cluster-ca-cert-data"
            | "cluster-ca-certificate"
            | "proxy"
                if plain.is_some() =>
            {
                Meaning::Way
            }
            "verify-ssl" | "validate-certs" if plain.is_some() => Meaning::Check,
            "cluster" | "cluster-name" | "ctx-cluster" => Meaning::Cluster,
            "user" | "ctx-auth-info" => Meaning::User,
            "server" | "apiserver" | "api-server" | "master" => Meaning::Server,
            _ if ends(&["repo", "repository", "registry", "chart", "charts", "image"]) => {
                Meaning::Nothing
            }
            _ if place == Place::Variable && ends(&["server", "apiserver", "host", "master"]) => {
                Meaning::Server
            }
            _ if ends(&["server", "apiserver", "host", "endpoint", "url", "address"]) => {
                Meaning::Host
            }
            _ => Meaning::Anything,
        }
    }
}

fn speaks_of_files(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["config", "kube", "file", "path"]
        .iter()
        .any(|word| name.contains(word))
}

/// Every address in a text. What can end one, and can go on in it for somebody, makes two of it: one that ends there, and
/// one that goes on. So does a `\` for a `/`, and one `/` for two.
fn addresses(text: &str) -> Vec<String> {
    let small = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for scheme in ["http:", "https:"] {
        for (at, _) in small.match_indices(scheme) {
            let rest = text.get(at..).unwrap_or_default();
            let after = rest.get(scheme.len()..).unwrap_or_default();
            if !after.starts_with(['/', '\\']) {
                continue;
            }
            let blank = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let whole = rest.get(..blank).unwrap_or_default();
            let end = whole.find(|letter: char| "\"'`,;<>|(){}".contains(letter));
            let (address, beyond) = end
                .and_then(|end| whole.split_at_checked(end))
                .unwrap_or((whole, ""));
            if goes_on(address, beyond) {
                found.push(whole.to_owned());
            }
            found.push(address.to_owned());
        }
    }
    found
}

/// Whether a host can go on beyond the sign that ends an address.
fn goes_on(address: &str, beyond: &str) -> bool {
    let has_path = address
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains(['/', '?']));
    let host = beyond.split(['/', '\\', '?', '#']).next();
    let next = beyond.get(1..).unwrap_or_default();
    let of_host = |letter: char| letter.is_alphanumeric() || ".-:_%@[\\".contains(letter);
    let is_another = ["http:", "https:"]
        .iter()
        .any(|scheme| next.to_ascii_lowercase().starts_with(scheme));
    !has_path
        && (host.is_some_and(|host| host.contains('@'))
            || (!is_another && next.starts_with(of_host)))
}

/// Whether a value can be a host with or without a port: `10.0.0.1`, `[::1]:6443`, `localhost`.
fn is_host(value: &str) -> bool {
    let of_host = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]_%".contains(letter);
    let plain = value.chars().all(of_host) && !value.starts_with('-');
    plain && (value.contains(['.', ':']) || value.eq_ignore_ascii_case("localhost"))
}

/// Whether a switch is off.
fn is_off(value: &str) -> bool {
    ["", "0", "f", "false", "no", "off"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests;
