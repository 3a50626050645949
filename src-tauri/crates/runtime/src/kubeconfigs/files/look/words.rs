//! What the words of a program lead to whose arguments choose no server.

use std::io::Read as _;
use std::path::Path;

use kubeconfig::{Config, Meant, Origin, Told};

use super::{Blind, Look};
use crate::askers::ground::Ground;
use crate::kubeconfigs::files::bad_kubeconfig;
use crate::kubeconfigs::files::lifetime::is_new;
use crate::kubeconfigs::files::sets;
use crate::kubeconfigs::files::versions::Before;
use crate::os::files::regular::{self, Unread};

/// How much is read of a file that nothing but a path leads to.
const IN_PASSING: u64 = 8 << 20;

/// For which servers somebody can have asked whose arguments choose none: what they name counts with all that the
/// file set has, or had since the asker started.
pub(super) fn widest(look: &Look<'_>, files: &[sets::File]) -> Result<Origin, Blind> {
    let ground = look.ground.ok_or(Blind::InDoubt)?;
    let found = look.found;
    let folder = found.folder.as_deref().unwrap_or(Path::new(""));
    let folders = look.folders();
    let mut named = kubeconfig::named(&kubeconfig::Asker {
        executable: found.program.executable.as_deref(),
        arguments: found.asker.arguments.as_deref(),
        environment: found.program.environment.as_deref().unwrap_or_default(),
        folder,
    });
    let of_set = files.iter().flat_map(|(before, now)| {
        let before = before.iter().filter_map(|(_, config)| config.as_ref());
        before.chain(now)
    });
    let views_of = |config: &Config| {
        let of = |folder: &&Path| kubeconfig::merge([config], folder);
        folders.iter().map(of).collect::<Vec<_>>()
    };
    let mut views: Vec<_> = of_set.flat_map(|config| views_of(config)).collect();
    let words = named.words.iter().map(|path| (path, false));
    let paths = named.files.iter().map(|path| (path, true)).chain(words);
    let mut unclear = named.unclear;
    let mut counts = |path: &Path, told| {
        let before = match told {
            Told::Nothing => {
                let meant = named.meant.get(path).copied().unwrap_or_default();
                was(look, ground, path, meant)
            }
            Told::Kubeconfig(config) => {
                views.extend(views_of(&config));
                had(look, ground, path)
            }
            Told::Unclear => Err(Unread::InDoubt(None)),
        };
        match before {
            Ok(before) => {
                let before = before.iter().filter_map(|(_, config)| config.as_ref());
                views.extend(before.flat_map(|config| views_of(config)));
            }
            Err(_) => unclear = true,
        }
    };
    for (path, is_path) in paths {
        counts(path, told(look, ground, path, is_path)?);
    }
    for path in &named.in_passing {
        counts(path, told_in_passing(look, ground, path)?);
    }
    named.unclear = unclear;
    Ok(kubeconfig::widest(&views, look.arguments, &named))
}

/// What a file said before that a word leads to. It has versions from now on, as the set's own files have.
///
/// # Errors
/// `InDoubt`: it is not known what it said when the asker started.
pub(super) fn had(look: &Look<'_>, ground: &Ground, path: &Path) -> Result<Before, Unread> {
    drop(look.history.load(ground, path, path, look.ledger));
    look.history.before(ground, path, look.found)
}

/// What a word led to before that leads to no kubeconfig now: nothing, where nothing there has changed since the asker
/// started, or where the word is none that is written so.
///
/// # Errors
/// `InDoubt`: a kubeconfig can have been there when the asker started.
pub(super) fn was(
    look: &Look<'_>,
    ground: &Ground,
    path: &Path,
    meant: Meant,
) -> Result<Before, Unread> {
    if look.history.had_versions(ground, path, look.ledger) {
        return look.history.before(ground, path, look.found);
    }
    let (found, _) = ground.look(path);
    let is_as_found = match (&found, meant) {
        (_, Meant::Word)
        | (Ok(_) | Err(Unread::NotRegular | Unread::TooLong | Unread::Malformed(_)), Meant::Path) => {
            true
        }
        // Whoever has a say in where nothing is can have had it there, and taken it away.
        (
            Err(Unread::InDoubt(_) | Unread::Io(_) | Unread::Unsettled),
            Meant::Path | Meant::Kubeconfig,
        ) => false,
        (Err(Unread::Missing), Meant::Path | Meant::Kubeconfig) => {
            look.history.is_as_found(ground, path, look.found, false)
        }
        (
            Ok(_) | Err(Unread::NotRegular | Unread::TooLong | Unread::Malformed(_)),
            Meant::Kubeconfig,
        ) => {
            let is_folder = ground.is_folder(path);
            let is_new = is_folder && is_new(ground, path, look.found);
            !is_new
                && look
                    .history
                    .is_as_found(ground, path, look.found, is_folder)
        }
    };
    if is_as_found {
        Ok(Before::new())
    } else {
        Err(Unread::InDoubt(Some(path.to_owned())))
    }
}

/// What a variable leads to of which nothing says that it has to do with Kubernetes. There are many in any environment,
/// most of them to folders, some to what others may write: only what is built as a kubeconfig counts, as it is now.
fn told_in_passing(look: &Look<'_>, ground: &Ground, path: &Path) -> Result<Told, Blind> {
    let whole = ground.whole(path);
    // A folder, a socket, a terminal.
    if std::fs::metadata(&whole).is_ok_and(|found| !found.is_file()) {
        return Ok(Told::Nothing);
    }
    // Before it is read: should it change meanwhile, it is looked at anew.
    let (stamp, _) = ground.look(path);
    look.ledger.note(path, stamp.as_ref().copied());
    let says = |bytes: &[u8]| kubeconfig::told_in_passing(path, bytes);
    match stamp {
        Ok(_) => match ground.beginning(path, IN_PASSING).map(|bytes| says(&bytes)) {
            // As it is once nobody writes it any more.
            Ok(Told::Kubeconfig(_)) => told(look, ground, path, true),
            Ok(other @ (Told::Unclear | Told::Nothing)) => Ok(other),
            Err(_) => Ok(Told::Unclear),
        },
        Err(Unread::Missing | Unread::NotRegular) => Ok(Told::Nothing),
        Err(
            Unread::InDoubt(_)
            | Unread::Io(_)
            | Unread::TooLong
            | Unread::Malformed(_)
            | Unread::Unsettled,
        ) => {
            let mut bytes = Vec::new();
            let read = regular::open(&whole)
                .is_ok_and(|file| file.take(IN_PASSING).read_to_end(&mut bytes).is_ok());
            Ok(match says(&bytes) {
                Told::Kubeconfig(_) | Told::Unclear if read => Told::Unclear,
                Told::Kubeconfig(_) | Told::Unclear | Told::Nothing => Told::Nothing,
            })
        }
    }
}

/// What a word leads to, be it that it is no path as a rule.
fn told(look: &Look<'_>, ground: &Ground, path: &Path, is_path: bool) -> Result<Told, Blind> {
    let most = kubeconfig::MAX_BYTES as u64;
    match look.ledger.read(ground, path, most, look.history.ours()) {
        Ok((bytes, _)) => Ok(kubeconfig::told(path, &bytes, true)),
        Err(Unread::Missing) => Ok(Told::Nothing),
        // A program, as a rule: of a text so long nobody knows.
        Err(Unread::TooLong) => match ground.beginning(path, most) {
            Ok(bytes) => Ok(kubeconfig::told(path, &bytes, false)),
            Err(_) => Ok(Told::Unclear),
        },
        Err(Unread::NotRegular) if ground.is_folder(path) => Ok(Told::Nothing),
        Err(Unread::InDoubt(_)) if !is_path && !there(&ground.whole(path)) => Ok(Told::Nothing),
        Err(Unread::Io(error)) => Err(Blind::Refused(bad_kubeconfig(path, &Unread::Io(error)))),
        Err(Unread::NotRegular | Unread::Malformed(_) | Unread::Unsettled | Unread::InDoubt(_)) => {
            Ok(Told::Unclear)
        }
    }
}

/// Whether anything has this name just now, whoever has a say in that.
fn there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
