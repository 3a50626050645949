//! A watch on folders: something in them was made, removed, renamed or written. What it was, whoever watches
//! looks up: a watch can only say when to look.
//!
//! | name | is |
//! |---|---|
//! | `Watch` | the folders and the wait |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod polled;

#[cfg(target_os = "linux")]
pub(crate) use linux::Watch;
#[cfg(not(target_os = "linux"))]
pub(crate) use polled::Watch;

use std::path::{Path, PathBuf};

/// The folder itself, or the nearest one above it that is there: where it will be seen coming.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let mut above = folder.ancestors();
    above.find(|folder| folder.is_dir()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Only serves to fail.
    const LATEST: Duration = Duration::from_secs(30);

    async fn seen(watch: &mut Watch) {
        tokio::time::timeout(LATEST, watch.changed())
            .await
            .expect("nothing was seen")
            .unwrap();
    }

    #[tokio::test]
    async fn what_happens_in_a_folder_is_seen_and_silence_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let mut watch = Watch::new().unwrap();
        watch.set([folder.path().to_owned()], []);
        std::fs::write(&file, "1").unwrap();
        seen(&mut watch).await;
        std::fs::rename(&file, folder.path().join("other")).unwrap();
        seen(&mut watch).await;
        std::fs::remove_file(folder.path().join("other")).unwrap();
        seen(&mut watch).await;
        let silence = tokio::time::timeout(Duration::from_millis(20), watch.changed()).await;
        assert!(silence.is_err(), "nothing happened");
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_seen_coming() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/b");
        let mut watch = Watch::new().unwrap();
        watch.set([folder.clone()], []);
        std::fs::create_dir_all(&folder).unwrap();
        seen(&mut watch).await;
        watch.set([folder.clone()], []);
        std::fs::write(folder.join("file"), "1").unwrap();
        seen(&mut watch).await;
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn of_a_file_what_is_done_to_it_is_told_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, other, none] =
            ["file", "link", "other", "none"].map(|name| folder.path().join(name));
        std::fs::write(&file, "1").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut watch = Watch::new().unwrap();
        let all = [link.clone(), none];
        assert_eq!(watch.set([], all.clone()), all[..1]);
        let changes: [&dyn Fn(); 3] = [
            &|| std::fs::write(&file, "2").unwrap(),
            &|| std::fs::rename(&other, &file).unwrap(),
            &|| std::fs::remove_file(&link).unwrap(),
        ];
        for change in changes {
            std::fs::write(&other, "3").unwrap();
            assert!(!watch.has_news(), "nothing was done to it");
            change();
            seen(&mut watch).await;
            watch.set([], all.clone());
            watch.has_news();
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_watched_no_longer_is_silent() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut watch = Watch::new().unwrap();
        watch.set([one.path().to_owned()], []);
        watch.set([two.path().to_owned()], []);
        std::fs::write(two.path().join("file"), "1").unwrap();
        seen(&mut watch).await;
        // What ended with the first watch, or came with it, was read by now.
        std::fs::write(one.path().join("file"), "1").unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(20), watch.changed()).await;
        assert!(silence.is_err(), "nobody watches it");
    }
}
