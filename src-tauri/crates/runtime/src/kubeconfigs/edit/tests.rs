use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use broker::problem::Code;

use super::*;
use crate::kubeconfigs::files::Files;

fn kubeconfig(folder: &Path, contexts: usize) -> PathBuf {
    let mut text = String::from("# mine\ncurrent-context: none # here\ncontexts:\n");
    for context in 0..contexts {
        text.push_str(&format!(
            "- {{name: c{context}, context: {{cluster: a, user: b}}}}\n"
        ));
    }
    let file = folder.join("config");
    fs::write(&file, text).unwrap();
    file
}

fn current(file: &Path) -> String {
    let config = kubeconfig::load(file, &fs::read(file).unwrap()).unwrap();
    config.current_context.unwrap()
}

const WRITERS: usize = 40;
const ROUNDS: usize = 6;

/// The file without its current context.
fn rest(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let (head, tail) = text.split_once("current-context: ").unwrap();
    let (_, tail) = tail.split_once(" # here\n").unwrap();
    format!("{head}{tail}")
}

fn names(folder: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

/// Each write says what it read: the one before it wrote that, and so all of them stand in one line from the
/// first state to the last.
#[test]
fn each_write_has_read_what_the_one_before_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let file = kubeconfig(folder.path(), 3);
    let files = Files::new(folder.path().to_owned());
    let before = rest(&file);
    let mut wrote = BTreeMap::new();
    for round in 0..ROUNDS {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (file, files) = (file.clone(), files.clone());
                std::thread::spawn(move || {
                    let name = format!("c{}", round * WRITERS + writer);
                    loop {
                        match set_current_context(files.ours(), &file, &name) {
                            Ok(read) => break (read.unwrap(), name),
                            // A crowd of forty waits longer than one person's command does.
                            Err(problem) => assert_eq!(problem.code(), Code::KubeconfigLocked),
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            let (read, name) = writer.join().unwrap();
            let other = wrote.insert(read, name);
            assert_eq!(other, None, "two have read the same: one of them is lost");
        }
    }
    let mut state = "none".to_owned();
    let mut writes = 0;
    while let Some(next) = wrote.get(&state) {
        state.clone_from(next);
        writes += 1;
    }
    assert_eq!(writes, WRITERS * ROUNDS);
    assert_eq!(current(&file), state);
    assert_eq!(rest(&file), before);
    assert_eq!(names(folder.path()), BTreeSet::from(["config".into()]));
}

/// As kubectl does: reads, and only then locks, or fails; reads again, and writes the old reading's current
/// context in place if the file has another.
fn kubectl(file: &Path) {
    let Ok(stale) = kubeconfig::load(file, &fs::read(file).unwrap()) else {
        return;
    };
    std::thread::yield_now();
    let Ok(_) = File::create_new(lock_of(file)) else {
        return;
    };
    let text = fs::read(file).unwrap();
    let stale = stale.current_context.unwrap_or_default();
    let text = kubeconfig::set_current_context(file, &text, &stale).unwrap();
    let (first, second) = text.split_at(text.len() / 2);
    let mut written = File::create(file).unwrap();
    written.write_all(first).unwrap();
    std::thread::yield_now();
    written.write_all(second).unwrap();
    fs::remove_file(lock_of(file)).unwrap();
}

/// Beside a kubectl that undoes what it has not seen, ours stands at least as long as the lock is ours.
#[test]
fn at_each_unlock_of_ours_the_file_holds_ours() {
    let folder = tempfile::tempdir().unwrap();
    let file = kubeconfig(folder.path(), 3);
    let ours = Ours::default();
    let before = rest(&file);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (file, ours) = (file.clone(), ours.clone());
            std::thread::spawn(move || {
                if writer % 4 == 0 {
                    return (0..20).for_each(|_| kubectl(&file));
                }
                let name = format!("c{writer}");
                let lock = loop {
                    if let Some(lock) = Lock::of(&file, Instant::now() + PATIENCE).unwrap() {
                        break lock;
                    }
                };
                change(&file, &name, &ours).unwrap();
                assert_eq!(current(&file), name);
                drop(lock);
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(rest(&file), before);
    assert_eq!(names(folder.path()), BTreeSet::from(["config".into()]));
}

/// One that knows no lock has truncated the file, and takes its time: what it then writes is not lost to ours.
#[test]
fn a_program_that_writes_without_a_lock_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = kubeconfig(folder.path(), 1);
    let files = Files::new(folder.path().to_owned());
    let text = fs::read(&file).unwrap();
    let mut written = File::create(&file).unwrap();
    let switch = std::thread::spawn({
        let file = file.clone();
        move || set_current_context(files.ours(), &file, "c0")
    });
    while !lock_of(&file).exists() {
        assert!(!switch.is_finished());
        std::thread::yield_now();
    }
    written.write_all(&text).unwrap();
    drop(written);
    assert_eq!(switch.join().unwrap().unwrap().as_deref(), Some("none"));
    assert_eq!(current(&file), "c0");
    assert!(rest(&file).contains("c0"));
}

#[test]
fn a_lock_that_stays_is_named_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = kubeconfig(folder.path(), 1);
    let lock = Lock::of(&file, Instant::now()).unwrap().unwrap();
    assert!(Lock::of(&file, Instant::now()).unwrap().is_none());
    drop(lock);
    assert!(Lock::of(&file, Instant::now()).unwrap().is_some());
    assert_eq!(current(&file), "none");
}

#[cfg(unix)]
#[cfg(unix)]
#[test]
fn what_another_user_puts_in_the_lock_s_place_refuses_nothing_and_stays() {
    // Only root can give a file away.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = kubeconfig(folder.path(), 2);
    fs::write(lock_of(&file), "").unwrap();
    std::os::unix::fs::lchown(lock_of(&file), Some(4711), None).unwrap();
    let files = Files::new(folder.path().to_owned());
    set_current_context(files.ours(), &file, "c1").unwrap();
    assert_eq!(current(&file), "c1");
    assert!(lock_of(&file).exists());
}

#[test]
fn symlink_and_mode_stay_and_a_folder_of_others_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let real = kubeconfig(folder.path(), 1);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("config", &link).unwrap();
    let files = Files::new(folder.path().to_owned());
    set_current_context(files.ours(), &link, "c0").unwrap();
    assert_eq!(current(&real), "c0");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );

    fs::hard_link(&real, folder.path().join("twin")).unwrap();
    assert!(set_current_context(files.ours(), &link, "c1").is_err());
    fs::remove_file(folder.path().join("twin")).unwrap();

    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    let file = kubeconfig(&open, 1);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let problem = set_current_context(files.ours(), &file, "c0").unwrap_err();
    assert_eq!(problem.code(), Code::KubeconfigNotChanged);
    assert_eq!(current(&file), "none");
}

/// Every odd kubeconfig that there is, through a symlink: the splice and nothing else, or the file as it was.
#[cfg(unix)]
#[test]
fn odd_files_keep_every_other_byte_and_their_symlinks() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kubeconfig/tests");
    let odd = ["odd", "edited"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(tests.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path());
    let (mut changed, mut refused) = (0, 0);
    // At once: each waits for its file to settle.
    let switches: Vec<_> = odd
        .filter(|path| path.extension() == Some("yaml".as_ref()))
        .map(|path| {
            std::thread::spawn(move || {
                let home = tempfile::tempdir().unwrap();
                let real = home.path().join("real");
                fs::copy(&path, &real).unwrap();
                let (link, first) = (home.path().join("config"), home.path().join("first"));
                std::os::unix::fs::symlink(&real, &first).unwrap();
                std::os::unix::fs::symlink("first", &link).unwrap();
                let before = fs::read(&real).unwrap();
                let expected = kubeconfig::set_current_context(&link, &before, "zz");
                let files = Files::new(home.path().to_owned());
                let found = set_current_context(files.ours(), &link, "zz");
                assert_eq!(found.is_ok(), expected.is_ok(), "{}", path.display());
                let after = fs::read(&real).unwrap();
                assert_eq!(after, expected.unwrap_or(before), "{}", path.display());
                assert_eq!(fs::read_link(&link).unwrap(), Path::new("first"));
                assert_eq!(fs::read_link(&first).unwrap(), real);
                found.is_ok()
            })
        })
        .collect();
    for switch in switches {
        let count = if switch.join().unwrap() {
            &mut changed
        } else {
            &mut refused
        };
        *count += 1;
    }
    println!("{changed} odd files changed, {refused} left alone");
    assert!(changed > 100, "{changed}");
}

#[cfg(unix)]
#[test]
fn what_a_symlink_leads_to_comes_about() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("config");
    std::os::unix::fs::symlink("dotfiles", &link).unwrap();
    let files = Files::new(folder.path().to_owned());
    set_current_context(files.ours(), &link, "c0").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(current(&folder.path().join("dotfiles")), "c0");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("config");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let files = Files::new(folder.path().to_owned());
    let problem = set_current_context(files.ours(), &pipe, "c0").unwrap_err();
    assert_eq!(problem.code(), Code::KubeconfigNotChanged);
}

#[test]
fn a_file_that_is_not_there_comes_about() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new").join("config");
    let files = Files::new(folder.path().to_owned());
    set_current_context(files.ours(), &file, "c0").unwrap();
    assert_eq!(current(&file), "c0");
}
