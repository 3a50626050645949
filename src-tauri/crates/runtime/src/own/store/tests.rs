use broker::problem::Code;

use super::*;

fn store(folder: &Path) -> Store {
    Store::new(folder, None)
}

/// The code of what is told, or what else was found.
fn found(stored: &Stored) -> &'static str {
    match stored {
        Stored::Nothing => "first",
        Stored::Kept(_) => "kept",
        Stored::Lost(problem) => problem.code().name(),
    }
}

#[test]
fn what_is_kept_comes_back_and_what_is_cut_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert_eq!(found(&store.load(false)), "first");
    store.write(Kept::default()).unwrap();
    assert_eq!(found(&store.load(false)), "kept");
    let path = folder.path().join(NAME);
    let whole = std::fs::read(&path).unwrap();
    for (number, text) in [&whole[..whole.len() / 2], b"", br#"{"version": 2}"#, b"[]"]
        .into_iter()
        .enumerate()
    {
        std::fs::write(&path, text).unwrap();
        assert_eq!(found(&store.load(false)), "accounts-set-aside");
        let aside = folder.path().join(format!("{ASIDE}-{}", number + 1));
        assert_eq!(std::fs::read(aside).unwrap(), text, "kept as it was");
        assert_eq!(found(&store.load(false)), "accounts-lost", "no first start");
    }
    store.write(Kept::default()).unwrap();
    assert_eq!(found(&store.load(false)), "kept");
}

#[test]
fn only_where_nothing_of_ours_ever_was_it_is_a_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert_eq!(found(&store.load(true)), "accounts-lost", "sealed sessions");
    std::fs::write(folder.path().join(ASIDE), "").unwrap();
    assert_eq!(
        found(&store.load(false)),
        "accounts-lost",
        "an older release's"
    );
    let foreign = Store::new(folder.path(), Some("it is another's"));
    assert_eq!(found(&foreign.load(false)), "accounts-unused");
    assert!(foreign.write(Kept::default()).is_err());
    assert!(is_absent(&folder.path().join(NAME)));
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_set_aside_without_a_wait() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = folder.path().join(NAME);
    let pipe = || {
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
    };
    let link = |to: &str| symlink(to, &path).unwrap();
    for make in [
        &pipe as &dyn Fn(),
        &|| link("/dev/zero"),
        &|| link("/dev/full"),
        &|| link("nowhere"),
        &|| link("accounts.json"),
        &|| std::fs::create_dir_all(path.join("something")).unwrap(),
        &|| {
            let file = std::fs::File::create(&path).unwrap();
            file.set_len(1 << 40).unwrap();
        },
    ] {
        make();
        assert_eq!(found(&store.load(false)), "accounts-set-aside");
        assert!(is_absent(&path));
        store.write(Kept::default()).unwrap();
        assert_eq!(found(&store.load(false)), "kept");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn an_empty_list_is_left_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    std::fs::write(folder.path().join(NAME), "damaged").unwrap();
    assert_eq!(found(&store.load(false)), "accounts-set-aside");
    assert_eq!(store.empty(), []);
    assert_eq!(found(&store.load(false)), "kept");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_the_disk_does_not_take_is_written_once_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join("later");
    let store = store(&later);
    let (send, coming) = tokio::sync::mpsc::unbounded_channel();
    let tries = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = {
        let tries = Arc::clone(&tries);
        move |problem: Option<Problem>| tries.lock().unwrap().push(problem.map(|it| it.code()))
    };
    let again = Duration::from_millis(5);
    let keeping = tokio::spawn(store.clone().keep_each(coming, again, None, told));
    let (turn, over) = oneshot::channel::<()>();
    send.send(Wanted::Keep(Box::default(), turn)).ok().unwrap();
    assert!(over.await.is_err(), "the turn ends, whatever the disk says");
    assert!(!store.rests());
    let (asker, answer) = oneshot::channel();
    send.send(Wanted::Settle(asker)).ok().unwrap();
    let problem = answer.await.unwrap().unwrap();
    assert_eq!(problem.code(), Code::AccountsUnwritten);
    std::fs::create_dir(&later).unwrap();
    let (asker, answer) = oneshot::channel();
    send.send(Wanted::Settle(asker)).ok().unwrap();
    assert_eq!(answer.await.unwrap(), None, "whoever asks has it tried");
    assert!(store.rests() && found(&store.load(false)) == "kept");
    drop(send);
    keeping.await.unwrap();
    let tries = tries.lock().unwrap();
    assert_eq!(
        (tries[0], *tries.last().unwrap()),
        (Some(Code::AccountsUnwritten), None)
    );
}

#[tokio::test]
async fn what_is_owed_at_the_end_is_tried_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (send, coming) = tokio::sync::mpsc::unbounded_channel::<Wanted<()>>();
    drop(send);
    let never = Duration::from_secs(3600);
    store
        .clone()
        .keep_each(coming, never, Some(Box::default()), drop)
        .await;
    assert_eq!(found(&store.load(false)), "kept");
}
