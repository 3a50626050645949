//! The settings file: what a person chose, and nothing secret.
//!
//! `settings.json` in the config folder. A file that can't be used (of a newer version, cut in half, with a word
//! that we do not know) is never written over: what held before holds (at the start the defaults), and the
//! person is told.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use broker::problem::Problem;
use broker::settings::{Choice, KeepFresh, Theme};
use broker::texts::Language;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::endpoint::{EndpointError, check_folder};

use crate::os::files::regular::{self, Unread};
use crate::os::ownership;

const VERSION: u64 = 1;

/// Nobody writes more than this by hand.
const LARGEST: u64 = 1 << 20;

/// What a person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where the vault's key rests.
    pub keep: Keep,
    /// The program that opens pages, with its arguments; none: the desktop's.
    pub browser: Option<Vec<String>>,
    /// When sessions are kept fresh.
    pub keep_fresh: KeepFresh,
    /// The language to speak; none: that of whoever asks.
    pub language: Option<Language>,
    /// How the window looks.
    pub theme: Theme,
    /// By exact issuer, other origins that are that provider's: its token endpoint may be there.
    pub provider_origins: BTreeMap<String, Vec<String>>,
    /// What the file says that we do not know: kept as it is.
    unknown: Map<String, Value>,
}

/// Where the vault's key rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// In the system's keyring.
    #[default]
    Keyring,
    /// In a file beside the sealed tokens: only where a person wants it so.
    Plain,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u64,
    #[serde(default)]
    keep: Keep,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<Vec<String>>,
    #[serde(default)]
    keep_fresh: KeepFresh,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<Language>,
    #[serde(default)]
    theme: Theme,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    provider_origins: BTreeMap<String, Vec<String>>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Settings {
    /// What of it the broker decides by.
    #[must_use]
    pub fn decided(&self, desktop: Language) -> broker::settings::Settings {
        broker::settings::Settings {
            keep_fresh: self.keep_fresh,
            language: self.language.unwrap_or(desktop),
            chosen_language: self.language,
            theme: self.theme,
            provider_origins: self.provider_origins.clone(),
        }
    }
}

/// Where the settings are.
#[must_use]
pub fn path(config: &Path) -> PathBuf {
    config.join("settings.json")
}

/// Reads the settings. With a problem they are the defaults.
#[must_use]
pub fn load(config: &Path) -> (Settings, Option<Problem>) {
    let path = path(config);
    let read = read(config).and_then(|bytes| bytes.as_deref().map(parse).transpose());
    match read {
        Ok(settings) => (settings.unwrap_or_default(), None),
        Err(reason) => (Settings::default(), Some(bad(&path, reason))),
    }
}

/// Writes the settings, over a file that can be used or none.
///
/// # Errors
/// `BadSettings` if the file that is there can't be used: it stays as it is. `SettingsUnwritten`.
pub fn save(config: &Path, settings: &Settings) -> Result<(), Problem> {
    if let (_, Some(problem)) = load(config) {
        return Err(problem);
    }
    let path = path(config);
    let unwritten = |error: io::Error| {
        let path = path.display().to_string();
        Problem::SettingsUnwritten {
            path,
            reason: error.to_string(),
        }
    };
    let written = Written {
        version: VERSION,
        keep: settings.keep,
        browser: settings.browser.clone(),
        keep_fresh: settings.keep_fresh,
        language: settings.language,
        theme: settings.theme,
        provider_origins: settings.provider_origins.clone(),
        unknown: settings.unknown.clone(),
    };
    let mut text = serde_json::to_string_pretty(&written)
        .map_err(|error| unwritten(io::Error::other(error)))?;
    text.push('\n');
    fs::create_dir_all(config).map_err(unwritten)?;
    // The file's mode stays, and a person's symlink into a folder of dotfiles is followed.
    let target = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    let mut file = atomic_write_file::AtomicWriteFile::open(&target).map_err(unwritten)?;
    file.write_all(text.as_bytes()).map_err(unwritten)?;
    file.commit().map_err(unwritten)
}

/// Writes one setting, and leaves the others as they are.
///
/// # Errors
/// As [`save`].
pub fn choose(config: &Path, choice: Choice) -> Result<(), Problem> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut settings, problem) = load(config);
    if let Some(problem) = problem {
        return Err(problem);
    }
    match choice {
        Choice::Language { language } => settings.language = language,
        Choice::Theme { theme } => settings.theme = theme,
        Choice::KeepFresh { when } => settings.keep_fresh = when,
        // The system keeps that.
        Choice::Autostart { .. } => return Ok(()),
    }
    save(config, &settings)
}

fn parse(bytes: &[u8]) -> Result<Settings, String> {
    // The version first: what a newer file says otherwise need not fit.
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let version = value.get("version").map_or(Some(VERSION), Value::as_u64);
    match version {
        Some(version) if version > VERSION => {
            return Err(format!("a newer Kubefob wrote it (version {version})"));
        }
        Some(VERSION) => {}
        Some(_) | None => return Err("its version is none that ever was".into()),
    }
    let Value::Object(mut fields) = value else {
        return Err("it is not a JSON object".into());
    };
    fields.entry("version").or_insert(VERSION.into());
    let written: Written =
        serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    if written
        .browser
        .as_ref()
        .is_some_and(|browser| browser.first().is_none_or(String::is_empty))
    {
        return Err("`browser` names no program".into());
    }
    let mut origins = written.provider_origins.values().flatten();
    if !origins.all(|text| is_origin(text)) {
        return Err(
            "`provider_origins` names more or less than origins, such as https://sso.example.com"
                .into(),
        );
    }
    Ok(Settings {
        keep: written.keep,
        browser: written.browser,
        keep_fresh: written.keep_fresh,
        language: written.language,
        theme: written.theme,
        provider_origins: written.provider_origins,
        unknown: written.unknown,
    })
}

/// Scheme, host and perhaps a port, and no more: what stands behind would seem to narrow it.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        let origin = url.origin().ascii_serialization();
        matches!(url.scheme(), "https" | "http") && text.trim_end_matches('/') == origin
    })
}

/// Only from a folder that nobody else may write to: the file names a program that is started.
fn read(config: &Path) -> Result<Option<Vec<u8>>, String> {
    let folder = wire::os::uid().map(|uid| check_folder(config, &uid));
    match folder.map_err(|error| error.to_string())? {
        Ok(()) => {}
        Err(EndpointError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    let path = path(config);
    let opened = regular::open(&path).and_then(|file| {
        // The file that is open, whatever has its name by now: folders were looked at on another way.
        let found = file.metadata().map_err(Unread::Io)?;
        let ours = ownership::is_ours_to_write(&file, &found);
        Ok((ours, regular::bounded(&file, LARGEST)?))
    });
    match opened {
        Ok((true, bytes)) => Ok(Some(bytes)),
        Ok((false, _)) => Err("it is not yours alone to write: chown and chmod 600 it".to_owned()),
        Err(Unread::Missing) => Ok(None),
        Err(unread) => Err(unread.reason()),
    }
}

fn bad(path: &Path, reason: String) -> Problem {
    let path = path.display().to_string();
    Problem::BadSettings { path, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::problem::Code;

    fn with(text: &str) -> tempfile::TempDir {
        let config = tempfile::tempdir().unwrap();
        fs::write(path(config.path()), text).unwrap();
        config
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let config = tempfile::tempdir().unwrap();
        assert_eq!(load(config.path()), (Settings::default(), None));
        assert_eq!(Settings::default().keep, Keep::Keyring);
    }

    #[test]
    fn a_whole_file_is_read() {
        let config = with(
            r#"{"version": 1, "keep": "plain", "browser": ["firefox", "-P", "work"],
                "keep_fresh": "while-in-use", "language": "ko",
                "provider_origins": {"https://a/r": ["https://b:8443", "https://c/"]}}"#,
        );
        let (settings, problem) = load(config.path());
        assert_eq!(problem, None);
        assert_eq!(settings.keep, Keep::Plain);
        assert_eq!(settings.keep_fresh, KeepFresh::WhileInUse);
        assert_eq!(settings.language, Some(Language::Ko));
        let origins = settings.decided(Language::En).provider_origins;
        assert_eq!(origins["https://a/r"], ["https://b:8443", "https://c/"]);
        assert_eq!(settings.browser.unwrap(), ["firefox", "-P", "work"]);
    }

    #[test]
    fn a_file_that_can_t_be_used_is_told_and_never_written_over() {
        for text in [
            "",
            r#"{"version": 1, "keep": "pl"#,
            r#"{"version": 2, "keep": {"new": "shape"}}"#,
            r#"{"version": 0}"#,
            r#"{"version": "1"}"#,
            r#"{"version": 1, "keep": "somewhere"}"#,
            r#"{"version": 1, "keep_fresh": true}"#,
            r#"{"version": 1, "browser": []}"#,
            r#"{"version": 1, "browser": "firefox"}"#,
            r#"{"version": 1, "provider_origins": {"https://a": "https://b"}}"#,
            r#"{"version": 1, "provider_origins": {"https://a": ["b"]}}"#,
            r#"{"version": 1, "provider_origins": {"https://a": ["https://b/c"]}}"#,
            r#"{"version": 1, "provider_origins": {"https://a": ["https://b", "file:///"]}}"#,
            "[]",
            "\u{0}",
        ] {
            let config = with(text);
            let (settings, problem) = load(config.path());
            assert_eq!(settings, Settings::default(), "{text}");
            assert_eq!(problem.unwrap().code(), Code::BadSettings, "{text}");
            let refused = save(config.path(), &Settings::default()).unwrap_err();
            assert_eq!(refused.code(), Code::BadSettings);
            assert_eq!(fs::read_to_string(path(config.path())).unwrap(), text);
        }
    }

    #[test]
    fn what_we_do_not_know_is_kept() {
        let config = with(r#"{"version": 1, "hotkey": "F9", "shown": {"a": [1]}}"#);
        let (mut settings, problem) = load(config.path());
        assert_eq!(problem, None);
        settings.keep = Keep::Plain;
        save(config.path(), &settings).unwrap();
        let text = fs::read_to_string(path(config.path())).unwrap();
        assert!(text.contains("F9") && text.contains("shown"), "{text}");
        assert_eq!(load(config.path()), (settings, None));
    }

    #[test]
    fn one_setting_is_chosen_and_the_others_stay() {
        let config = with(r#"{"version": 1, "keep": "plain", "hotkey": "F9"}"#);
        let korean = Some(Language::Ko);
        choose(config.path(), Choice::Language { language: korean }).unwrap();
        let when = KeepFresh::WhileInUse;
        choose(config.path(), Choice::KeepFresh { when }).unwrap();
        let theme = Theme::Dark;
        choose(config.path(), Choice::Theme { theme }).unwrap();
        let (settings, _) = load(config.path());
        assert_eq!((settings.language, settings.keep_fresh), (korean, when));
        assert_eq!(settings.theme, theme);
        assert_eq!(settings.keep, Keep::Plain);
        let text = fs::read_to_string(path(config.path())).unwrap();
        assert!(text.contains("F9"), "{text}");
    }

    #[test]
    fn a_file_without_a_version_is_of_the_first() {
        let (settings, problem) = load(with(r#"{"keep": "plain"}"#).path());
        assert_eq!((settings.keep, problem), (Keep::Plain, None));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_or_have_made_is_not_read() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let config = with(r#"{"keep": "plain"}"#);
        let file = path(config.path());
        let refused = || load(config.path()).1.map(|problem| problem.code());
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        assert_eq!(refused(), None);
        mode(0o646);
        assert_eq!(refused(), Some(Code::BadSettings));
        mode(0o664);
        let found = fs::metadata(&file).unwrap();
        let private = wire::os::group_is_harmless(found.gid(), found.uid(), || false);
        assert_eq!(refused().is_none(), private);
        mode(0o600);
        // Only root can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&file, Some(4711), None).unwrap();
            assert_eq!(refused(), Some(Code::BadSettings));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_and_a_mode_outlive_a_save() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (config, dotfiles) = (tempfile::tempdir().unwrap(), with("{}"));
        let target = path(dotfiles.path());
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&target, path(config.path())).unwrap();
        save(config.path(), &Settings::default()).unwrap();
        assert!(
            fs::symlink_metadata(path(config.path()))
                .unwrap()
                .is_symlink()
        );
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::read_to_string(&target).unwrap().contains("version"));
    }
}
