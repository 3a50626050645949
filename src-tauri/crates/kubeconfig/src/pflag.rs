//! kubectl's arguments, as kubectl's libraries read them (cobra `command.go`: `Find`, `stripFlags`; `completions.go`;
//! pflag `flag.go`: `parseLongArg`, `parseSingleShortArg`; component-base `cli/flag/flags.go`: `_` is as good as `-`).
//!
//! Whatever is not sure to be read as kubectl reads it is not understood at all: one word that is taken for a value and
//! is none, or the other way round, is enough to lose sight of the server.

use crate::flags::{Command, Flag, Takes};

/// A flag that every command takes, and what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given<'words> {
    pub(crate) name: &'static str,
    /// None where a flag that needs none has none.
    pub(crate) value: Option<&'words str>,
}

/// What `kubectl __complete` is called.
pub(crate) const COMPLETIONS: [&str; 2] = ["__complete", "__completeNoDesc"];

/// The flags that kubectl is given by these words (without its own name), in their order; none where they are not
/// understood. A command's own flags are read and left out.
pub(crate) fn read(words: &[String]) -> Option<Vec<Given<'_>>> {
    match words.split_first() {
        Some((first, words)) if COMPLETIONS.contains(&first.as_str()) => completed(words),
        Some(_) | None => commanded(words),
    }
}

/// What is completed is the last word, which is read by nobody. A flag before it that waits for a value has it there.
fn completed(words: &[String]) -> Option<Vec<Given<'_>>> {
    let (_, words) = words.split_last()?;
    let Some((last, before)) = words.split_last() else {
        return commanded(words);
    };
    if !last.starts_with('-') || last.contains('=') || last == "-" || last == "--" {
        return commanded(words);
    }
    // cobra looks at the last letter of a group alone, and drops all of it.
    if !last.starts_with("--") && last.chars().count() > 2 {
        return None;
    }
    commanded(words).or_else(|| commanded(before))
}

fn commanded(words: &[String]) -> Option<Vec<Given<'_>>> {
    let mut reader = Reader {
        command: Command::root(),
        own_flags: false,
        rest: words.iter(),
        given: Vec::new(),
    };
    let mut arguments = false;
    while let Some(word) = reader.rest.next() {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            reader.long(long)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            reader.letters(letters)?;
        } else if !arguments {
            arguments = !reader.word(word)?;
        }
    }
    let given = reader.given;
    same_preferences(words, &given).then_some(given)
}

/// Whether kubectl finds the same file of preferences as is read here: it looks for that before it reads any flag, in
/// every word (kubectl `pkg/kuberc/kuberc.go`: `getExplicitKuberc`).
fn same_preferences(words: &[String], given: &[Given<'_>]) -> bool {
    let seen = words
        .iter()
        .take_while(|word| *word != "--")
        .filter(|word| *word == "--kuberc" || word.contains("--kuberc="))
        .count();
    let mut read = given.iter().filter(|flag| flag.name == "kuberc");
    match (seen, read.next(), read.next()) {
        (0, None, _) => true,
        (1, Some(one), None) => one.value.is_some_and(|value| !value.contains('=')),
        _ => false,
    }
}

struct Reader<'words> {
    command: Command,
    /// Whether one of the command's own flags was there.
    own_flags: bool,
    rest: std::slice::Iter<'words, String>,
    given: Vec<Given<'words>>,
}

impl<'words> Reader<'words> {
    /// A word that is no flag, and none before it was an argument: whether it is a command.
    fn word(&mut self, word: &str) -> Option<bool> {
        let below = self.command.below(word);
        match below {
            // Flags before a command's name are read by what the command above has, and once more by the command's own.
            Some(_) if self.own_flags => None,
            Some(command) => {
                self.command = command;
                Some(true)
            }
            // A plugin's, and then another program's; or an empty word, which is passed over.
            None if self.command.is_root() || word.is_empty() || word == "-" => None,
            None => Some(false),
        }
    }

    fn long(&mut self, long: &'words str) -> Option<()> {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let flag = self.command.named(&name.replace('_', "-"))?;
        let value = match value {
            Some(value) => Some(value),
            None => self.value_of(flag)?,
        };
        self.give(flag, value);
        Some(())
    }

    fn letters(&mut self, letters: &'words str) -> Option<()> {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            let flag = self.command.lettered(letter)?;
            rest = rest.get(letter.len_utf8()..)?;
            // `-s=` alone is the value `=`, as pflag has it.
            let written = rest.strip_prefix('=').filter(|value| !value.is_empty());
            if let Some(value) = written {
                self.give(flag, Some(value));
                return Some(());
            }
            let value = match flag.takes {
                Takes::Nothing => {
                    self.give(flag, None);
                    continue;
                }
                Takes::NextWord if !rest.is_empty() => Some(rest),
                Takes::NextWord | Takes::WhoKnows => self.value_of(flag)?,
            };
            self.give(flag, value);
            return Some(());
        }
        Some(())
    }

    /// The next word, where the flag takes it. Where none is left, kubectl does not run.
    fn value_of(&mut self, flag: Flag) -> Option<Option<&'words str>> {
        match flag.takes {
            Takes::Nothing => Some(None),
            Takes::NextWord => self.rest.next().map(|word| Some(word.as_str())),
            Takes::WhoKnows => None,
        }
    }

    fn give(&mut self, flag: Flag, value: Option<&'words str>) {
        if flag.global {
            let name = flag.name;
            self.given.push(Given { name, value });
        } else {
            self.own_flags = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let Some(given) = read(&words) else {
            return "not understood".to_owned();
        };
        let one = |given: &Given<'_>| match given.value {
            Some(value) => format!("{}={value}", given.name),
            None => given.name.to_owned(),
        };
        given.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    const NOT: &str = "not understood";

    #[test]
    fn groups_of_letters_are_read_as_pflag_reads_them() {
        let table = [
            ("get ns -As https://x", "server=https://x"),
            ("get ns -As=https://x", "server=https://x"),
            ("get ns -Ashttps://x", "server=https://x"),
            ("get ns -wAs=https://x", "server=https://x"),
            ("get ns -nfoo", "namespace=foo"),
            ("get ns -n=foo", "namespace=foo"),
            ("get ns -n foo", "namespace=foo"),
            ("get ns -n --context=a", "namespace=--context=a"),
            ("get ns -L --context=a", ""),
            ("get ns -L=--context=a --context b", "context=b"),
            ("get ns -ALs --context=a", "context=a"),
            ("get ns -Al --context=a", ""),
            ("get ns -s=", "server=="),
            ("get ns -A=false -s u", "server=u"),
            ("get ns -A=s u", ""),
            ("get ns -v9 -v=9 -v 9", "v=9 v=9 v=9"),
            ("get ns -vs u", "v=s"),
            ("get ns -Ax", NOT),
            ("get ns -A= -s u", NOT),
            ("get ns -As", NOT),
            ("get ns -context=a", NOT),
            ("logs p -context=a", ""),
            ("get ns -ñs u", NOT),
            ("get ns -h", "help"),
        ];
        for (line, expected) in table {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn whether_a_word_is_a_value_is_known_of_each_flag() {
        let table = [
            ("get ns --context a", "context=a"),
            ("get ns --context=a=b", "context=a=b"),
            ("get ns --context= --context", NOT),
            ("get ns --field-selector --context=a", ""),
            ("get ns --field_selector --context=a", ""),
            ("get ns --watch --context=a", "context=a"),
            ("apply -f --context=a", ""),
            ("apply --dry-run --context a -f x", "context=a"),
            ("apply --dry-run=server --context a -f x", "context=a"),
            ("delete ns x --cascade --context=a", "context=a"),
            ("apply --validate --context=a -f x", NOT),
            ("apply --validate=false --context=a -f x", "context=a"),
            ("logs p -f --context=a", "context=a"),
            ("logs p -c --context=a", ""),
            ("logs -pf p --context=a", "context=a"),
            ("patch ns x -p --context=a", ""),
            (
                "get ns --insecure-skip-tls-verify --context a",
                "insecure-skip-tls-verify context=a",
            ),
            (
                "get ns --insecure_skip_tls_verify=0",
                "insecure-skip-tls-verify=0",
            ),
            ("get ns --nothing", NOT),
            ("get ns --nothing=x --context a", NOT),
            ("get ns ---context a", NOT),
            ("get ns --=a", NOT),
            ("get ns --context", NOT),
            ("create rolebinding b --user me --context a", "context=a"),
            ("get ns --kuberc r --context a", "kuberc=r context=a"),
            ("get ns --kuberc=r", "kuberc=r"),
            ("get ns --kuberc=r --kuberc=s", NOT),
            ("get ns --kuberc=r=s", NOT),
            ("get ns -n --kuberc x", NOT),
            ("get ns -n a--kuberc=x", NOT),
            ("exec p -- x --kuberc=r", ""),
            ("kuberc view --kuberc r", NOT),
            ("exec p -- kubectl --context a", ""),
            ("exec p kubectl --context a", "context=a"),
            ("exec -it p -- sh", ""),
            ("config set-cluster c --server=https://x", ""),
        ];
        for (line, expected) in table {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn a_command_is_found_as_cobra_finds_it() {
        let table = [
            ("--context a get ns", "context=a"),
            ("-n get get ns", "namespace=get"),
            ("-s u get ns", "server=u"),
            ("-vs u get ns", NOT),
            ("-A get ns", NOT),
            ("--all-namespaces get ns", NOT),
            (
                "--insecure-skip-tls-verify get ns",
                "insecure-skip-tls-verify",
            ),
            ("oidc-login get-token --context a", NOT),
            ("neat get --context a", NOT),
            ("apply -f x view-last-applied --context a", NOT),
            ("apply --context a view-last-applied -f x", "context=a"),
            ("create svc clusterip x --tcp --context=a", ""),
            ("create nothing configmap --context a", "context=a"),
            ("rollout - status --context a", NOT),
            (" get ns", NOT),
            ("- get ns", NOT),
            ("__complete get pods --context a ", "context=a"),
            ("__complete get pods --context ", ""),
            ("__complete get pods --context a -n ", "context=a"),
            ("__complete get pods --context a -A ", "context=a"),
            ("__complete get pods -shttps://x ", NOT),
            ("__complete get pods -s=https://x ", "server=https://x"),
            ("__completeNoDesc get pods -s u ", "server=u"),
            ("__complete --nothing", ""),
            ("__complete", NOT),
            ("--context a __complete get pods ", NOT),
        ];
        for (line, expected) in table {
            assert_eq!(shown(line), expected, "{line}");
        }
        assert_eq!(read(&[]), Some(Vec::new()));
    }
}
