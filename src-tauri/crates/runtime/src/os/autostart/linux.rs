//! Linux: an entry of the desktop's (Desktop Application Autostart Specification 0.5), in the person's own folder.
//! Desktops show it among their start-up programs and can switch it off there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::named;
use crate::os::files::regular::{self, Unread};

/// A line by which ours is known: another's of the same name is not touched.
const OURS: &str = "X-Kubefob=1";
/// Nobody writes more than this.
const LARGEST: u64 = 64 * 1024;

/// Ours.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    path: PathBuf,
    program: PathBuf,
    instance: Option<String>,
}

impl Entry {
    /// That of this user, or of an instance of theirs. `home` is where their desktop looks.
    pub(crate) fn new(home: &Path, program: &Path, instance: Option<&str>) -> Self {
        let name = named("kubefob", instance);
        Self {
            path: home.join(".config/autostart").join(name + ".desktop"),
            program: program.to_owned(),
            instance: instance.map(str::to_owned),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there and not switched off.
    pub(crate) fn is_on(&self) -> bool {
        let Ok(Some(text)) = self.read() else {
            return false;
        };
        let says = |line: &str| {
            text.lines()
                .any(|one| one.trim().eq_ignore_ascii_case(line))
        };
        says(OURS) && !says("Hidden=true") && !says("X-GNOME-Autostart-enabled=false")
    }

    /// Makes it or takes it away.
    ///
    /// # Errors
    /// Another's is there; the system refuses.
    pub(crate) fn set(&self, on: bool) -> io::Result<()> {
        let there = self.read()?;
        if there
            .as_ref()
            .is_some_and(|text| !text.lines().any(|line| line == OURS))
        {
            return Err(io::Error::other("another program's file is there"));
        }
        if !on {
            return match there {
                None => Ok(()),
                Some(_) => fs::remove_file(&self.path),
            };
        }
        let text = self.text()?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        // A person's symlink into a folder of dotfiles is followed.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut file = atomic_write_file::AtomicWriteFile::open(target)?;
        file.write_all(text.as_bytes())?;
        file.commit()
    }

    fn read(&self) -> io::Result<Option<String>> {
        let read = regular::open(&self.path).and_then(|file| regular::bounded(&file, LARGEST));
        let others = || io::Error::other("another program's file is there");
        match read {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| others()),
            Err(Unread::Missing) => Ok(None),
            Err(Unread::Io(error)) => Err(error),
            Err(
                Unread::NotRegular
                | Unread::TooLong
                | Unread::Malformed(_)
                | Unread::Unsettled
                | Unread::InDoubt(_),
            ) => Err(others()),
        }
    }

    fn text(&self) -> io::Result<String> {
        let program = quoted(&self.program.display().to_string())?;
        let exec = match &self.instance {
            None => program,
            Some(instance) => {
                let variable = quoted(&format!("KUBEFOB_HOME={instance}"))?;
                format!("env {variable} {program}")
            }
        };
        let background = wire::start::BACKGROUND;
        Ok(format!(
            "[Desktop Entry]\n\
             Type=Application\n\
             Name=Kubefob\n\
             Comment=Sign in once: every kubectl just works\n\
             Comment[ko]=한 번만 로그인하면 모든 kubectl이 작동합니다\n\
             Exec={exec} {background}\n\
             Icon=kubefob\n\
             Terminal=false\n\
             {OURS}\n"
        ))
    }
}

/// An argument of `Exec` (Desktop Entry Specification 1.5, "The Exec key"): first quoted as an argument, then escaped
/// as a string is.
fn quoted(argument: &str) -> io::Result<String> {
    if argument.chars().any(char::is_control) {
        let reason = "its path has characters that an entry can't have";
        return Err(io::Error::other(reason));
    }
    let mut quoted = String::from('"');
    for character in argument.chars() {
        match character {
            '"' | '`' | '$' => {
                quoted.push_str("\\\\");
                quoted.push(character);
            }
            '\\' => quoted.push_str("\\\\\\\\"),
            // A field code otherwise.
            '%' => quoted.push_str("%%"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_and_goes_and_can_be_switched_off_by_the_desktop() {
        let home = tempfile::tempdir().unwrap();
        let entry = Entry::new(home.path(), Path::new("/opt/k f/kubefob"), None);
        assert!(!entry.is_on());
        entry.set(false).unwrap();
        entry.set(true).unwrap();
        assert!(entry.is_on());
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(text.contains("\nExec=\"/opt/k f/kubefob\" --background\n"));
        for off in ["Hidden=true", "X-GNOME-Autostart-enabled=false"] {
            fs::write(entry.path(), format!("{text}{off}\n")).unwrap();
            assert!(!entry.is_on(), "{off}");
        }
        entry.set(true).unwrap();
        assert!(entry.is_on(), "a person wants it again");
        entry.set(false).unwrap();
        assert!(!entry.path().exists());
        let others = fs::read_dir(home.path().join(".config/autostart")).unwrap();
        assert_eq!(others.count(), 0, "nothing is left");
    }

    #[test]
    fn another_s_file_is_refused_and_stays() {
        let home = tempfile::tempdir().unwrap();
        let entry = Entry::new(home.path(), Path::new("/usr/bin/kubefob"), None);
        fs::create_dir_all(entry.path().parent().unwrap()).unwrap();
        let theirs = "[Desktop Entry]\nExec=other\n";
        fs::write(entry.path(), theirs).unwrap();
        for on in [true, false] {
            entry.set(on).unwrap_err();
            assert!(!entry.is_on());
        }
        assert_eq!(fs::read_to_string(entry.path()).unwrap(), theirs);
    }

    #[test]
    fn a_path_means_itself() {
        for (path, expected) in [
            ("/a b", r#""/a b""#),
            (r#"/a"b"#, r#""/a\\"b""#),
            ("/a$b`", r#""/a\\$b\\`""#),
            (r"/a\b", r#""/a\\\\b""#),
            ("/50%", r#""/50%%""#),
        ] {
            assert_eq!(quoted(path).unwrap(), expected);
        }
        quoted("/a\nExec=evil").unwrap_err();
    }

    #[test]
    fn an_instance_has_one_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        let program = Path::new("/usr/bin/kubefob");
        let entry = Entry::new(home.path(), program, Some("/tmp/one"));
        entry.set(true).unwrap();
        assert!(!Entry::new(home.path(), program, None).is_on());
        assert!(!Entry::new(home.path(), program, Some("/tmp/two")).is_on());
        let text = fs::read_to_string(entry.path()).unwrap();
        let exec = "\nExec=env \"KUBEFOB_HOME=/tmp/one\" \"/usr/bin/kubefob\" --background\n";
        assert!(text.contains(exec), "{text}");
    }
}
