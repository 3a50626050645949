//! kubectl's commands and flags: a table that the set `real` holds against what every kubectl says of itself.

/// A command in each line: what leads to it, its own name and other names, and its flags. A flag has its letter before
/// it, and after it `=` where it takes the next word, or `?` where some kubectls take it so. The first line has the flags that every command takes.
const TABLE: &str = include_str!("flags.txt");

/// A command of kubectl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Command {
    /// All that was said to come to it, by the first of its names.
    path: &'static str,
    flags: &'static str,
}

/// A flag of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    /// Whether every command takes it, with this meaning: `create rolebinding` has a `--user` of its own.
    pub(crate) global: bool,
}

/// Where a flag has its value, unless in the same word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// It can do without. (pflag: it has a `NoOptDefVal`.)
    Nothing,
    NextWord,
    /// 1.24 takes the next word for `--validate`, and later ones don't.
    WhoKnows,
}

/// Every command has it, and says no more.
const HELP: Flag = Flag {
    name: "help",
    takes: Takes::Nothing,
    global: true,
};

impl Command {
    /// `kubectl` itself.
    pub(crate) fn root() -> Self {
        let (path, flags) = lines().next().unwrap_or_default();
        Self { path, flags }
    }

    pub(crate) fn is_root(self) -> bool {
        self == Self::root()
    }

    /// The command of this name below this one.
    pub(crate) fn below(self, word: &str) -> Option<Self> {
        lines().find_map(|(names, flags)| {
            let (path, others) = names.split_once('|').unwrap_or((names, ""));
            let (parent, name) = path.rsplit_once(' ')?;
            let named = name == word || others.split('|').any(|other| other == word);
            (parent == self.path && named && !word.is_empty()).then_some(Self { path, flags })
        })
    }

    /// Its flag of this name; one of its own comes before one that every command takes.
    pub(crate) fn named(self, name: &str) -> Option<Flag> {
        self.flag(|_, known| known == name)
            .or_else(|| (name == HELP.name).then_some(HELP))
    }

    /// Its flag with this letter.
    pub(crate) fn lettered(self, letter: char) -> Option<Flag> {
        self.flag(|known, _| known == Some(letter))
            .or_else(|| (letter == 'h').then_some(HELP))
    }

    fn flag(self, is_it: impl Fn(Option<char>, &str) -> bool) -> Option<Flag> {
        let find = |flags: &'static str, global| {
            flags.split(' ').find_map(|flag| {
                let (flag, takes) = split(flag);
                let (letter, name) = match flag.split_once('/') {
                    Some((letter, name)) => (letter.chars().next(), name),
                    None => (None, flag),
                };
                is_it(letter, name).then_some(Flag {
                    name,
                    takes,
                    global,
                })
            })
        };
        let root = Self::root();
        let own = (self != root).then(|| find(self.flags, false)).flatten();
        let all = || find(root.flags, true);
        own.or_else(all).filter(|flag| {
            // The letter of a flag that the command has redefined is not there.
            !flag.global || self == root || !has(self.flags, flag.name)
        })
    }
}

/// Whether a command has a flag of its own by this name.
fn has(flags: &str, name: &str) -> bool {
    let plain = |flag: &'_ str| -> bool {
        let (flag, _) = split(flag);
        flag.rsplit('/').next() == Some(name)
    };
    flags.split(' ').any(plain)
}

/// A flag as the table has it, without its sign.
fn split(flag: &str) -> (&str, Takes) {
    if let Some(flag) = flag.strip_suffix('=') {
        (flag, Takes::NextWord)
    } else if let Some(flag) = flag.strip_suffix('?') {
        (flag, Takes::WhoKnows)
    } else {
        (flag, Takes::Nothing)
    }
}

/// Each command's names, and its flags.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(names, flags)| (names, flags.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_all_their_names() {
        let root = Command::root();
        assert_eq!(root.path, "kubectl");
        let create = root.below("create").unwrap();
        let service = create.below("svc").unwrap();
        assert_eq!(service, create.below("service").unwrap());
        assert_eq!(
            service.below("clusterip").unwrap().path,
            "kubectl create service clusterip"
        );
        for word in ["", "creat", "create ", "kubectl", "svc", "create service"] {
            assert_eq!(root.below(word), None, "{word}");
        }
    }

    #[test]
    fn a_commands_own_flags_come_first() {
        let root = Command::root();
        let get = root.below("get").unwrap();
        let flag = |name, takes, global| {
            Some(Flag {
                name,
                takes,
                global,
            })
        };
        use Takes::{NextWord, Nothing, WhoKnows};
        assert_eq!(get.named("server"), flag("server", NextWord, true));
        assert_eq!(get.lettered('s'), flag("server", NextWord, true));
        assert_eq!(get.lettered('L'), flag("label-columns", NextWord, false));
        assert_eq!(get.lettered('A'), flag("all-namespaces", Nothing, false));
        assert_eq!(root.lettered('A'), None);
        let apply = root.below("apply").unwrap();
        assert_eq!(apply.named("validate"), flag("validate", WhoKnows, false));
        assert_eq!(root.named(""), None);
        assert_eq!(get.named("label-columns="), None);
        assert_eq!(get.named("L/label-columns"), None);
        let create = root.below("create").unwrap();
        let binding = create.below("rolebinding").unwrap();
        assert_eq!(binding.named("user"), flag("user", NextWord, false));
        let cluster = root.below("config").unwrap().below("set-cluster").unwrap();
        assert_eq!(cluster.named("server"), flag("server", NextWord, false));
        assert_eq!(cluster.lettered('s'), None, "its letter is the other's");
    }

    #[test]
    fn the_table_is_well_formed() {
        assert_eq!(TABLE.lines().count(), lines().count());
        assert!(lines().count() > 100);
        for (names, flags) in lines() {
            let name_is_plain = |name: &str| {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            assert!(names.split([' ', '|']).all(name_is_plain), "{names}");
            for flag in flags.split(' ').filter(|flag| !flag.is_empty()) {
                let (flag, _) = split(flag);
                let (letter, name) = flag.split_once('/').unwrap_or(("x", flag));
                assert!(letter.len() == 1 && name_is_plain(name), "{names}: {flag}");
            }
        }
    }
}
