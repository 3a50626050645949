use std::fs;
use std::sync::Arc;
use std::time::Duration;

use kubeconfig::Meant;
use wire::frame::Run;

use super::*;
use crate::askers::asker::{Program, Programs};

/// Whoever started this test, in a folder that was made since.
struct Scene {
    folder: tempfile::TempDir,
    history: History,
    found: Found,
    ground: Ground,
    ledger: Ledger,
}

impl Scene {
    fn set() -> Self {
        let found = Programs::new(1).find(Some(std::process::id()), &Run::default());
        // What is made from now on is made since this process started, as far as clocks tell.
        let later = super::super::lifetime::start(&found).after(Duration::from_millis(20));
        while crate::clock::now().moment < later {
            std::thread::yield_now();
        }
        let folder = tempfile::tempdir().unwrap();
        let ground = found.ground().unwrap().unwrap();
        Self {
            history: History::default(),
            folder,
            found,
            ground,
            ledger: Ledger::default(),
        }
    }

    fn look(&self) -> Look<'_> {
        Look {
            history: &self.history,
            home: self.folder.path(),
            found: &self.found,
            ground: Some(&self.ground),
            arguments: &[],
            claims: &[],
            ledger: &self.ledger,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server whose authority is in this file.
    fn server(&self, authority: &str) -> kubeconfig::Candidate {
        kubeconfig::Candidate {
            server: ServerKey {
                url: "https://c".to_owned(),
                ca: CertificateAuthority::File(self.path(authority)),
                insecure_skip_tls_verify: false,
                proxy_url: None,
                tls_server_name: None,
            },
            contexts: Vec::new(),
            file: Path::new("/k").into(),
        }
    }
}

#[test]
fn a_file_that_may_have_been_a_kubeconfig_at_the_start_is_in_doubt() {
    let scene = Scene::set();
    let was = |path: &Path, meant| words::was(&scene.look(), &scene.ground, path, meant).is_ok();
    fs::write(scene.path("text"), "hello").unwrap();
    fs::create_dir(scene.path("folder")).unwrap();
    for (name, path, kubeconfig) in [
        ("missing", false, false),
        ("text", true, false),
        ("folder", true, false),
    ] {
        let at = scene.path(name);
        assert!(was(&at, Meant::Word), "{name}");
        assert_eq!(was(&at, Meant::Path), path, "{name}");
        assert_eq!(was(&at, Meant::Kubeconfig), kubeconfig, "{name}");
    }
    // As it was before anything of this ran.
    for path in ["/proc-or-not/missing", "/bin/sh", "/bin"] {
        assert!(was(Path::new(path), Meant::Kubeconfig), "{path}");
    }
}

#[test]
fn what_was_seen_as_a_kubeconfig_is_one_of_its_versions_once_it_is_gone() {
    let scene = Scene::set();
    let path = scene.path("k");
    fs::write(&path, "users: [{name: u}]").unwrap();
    // Written since the start, by what nobody saw.
    assert!(words::had(&scene.look(), &scene.ground, &path).is_err());
    fs::remove_file(&path).unwrap();
    let was = || words::was(&scene.look(), &scene.ground, &path, Meant::Word);
    assert!(was().is_err(), "{:?}", was());
    fs::create_dir(&path).unwrap();
    assert!(was().is_err(), "{:?}", was());
}

#[test]
fn an_authority_that_changed_since_the_start_is_in_doubt() {
    let mut scene = Scene::set();
    fs::write(scene.path("ca"), "a").unwrap();
    assert!(scene.look().candidate(scene.server("ca")).is_err());
    // Whoever starts now.
    scene.found.asker.process = None;
    let own = kubeconfig::Candidate {
        server: ServerKey {
            ca: CertificateAuthority::data(b"a"),
            ..scene.server("ca").server
        },
        ..scene.server("ca")
    };
    assert!(scene.look().candidate(own).is_ok());
}

#[test]
fn a_path_is_no_authority_where_something_is_there_that_is_not_read() {
    let scene = Scene::set();
    fs::write(scene.path("long"), vec![b'a'; 1024 * 1024 + 1]).unwrap();
    fs::create_dir(scene.path("folder")).unwrap();
    let known = |authority| candidate(&scene.ground, scene.server(authority), &scene.ledger);
    assert!(known("missing").is_ok());
    for authority in ["long", "folder"] {
        assert!(known(authority).is_err(), "{authority}");
    }
}

#[test]
fn an_authority_is_read_once_and_few_servers_have_copies_of_a_long_one() {
    let scene = Scene::set();
    fs::write(scene.path("ca"), vec![b'a'; 1024 * 1024]).unwrap();
    let known = || candidate(&scene.ground, scene.server("ca"), &scene.ledger).is_ok();
    assert_eq!((0..100).filter(|_| known()).count(), 16);
    assert_eq!(scene.ledger.count(), 1);
}

#[test]
fn what_is_in_doubt_is_not_remembered_for_the_next() {
    let scene = Scene::set();
    let look = Look {
        ground: None,
        ..scene.look()
    };
    let account = Which::Named("work".to_owned());
    let servers = look.servers(ExecServer::Unnamed, &account).unwrap();
    assert!(matches!(servers.needed[0].server, Server::Unknown(_)));
    assert!(scene.ledger.is_forgotten());
}

#[test]
fn a_folder_is_called_as_the_shell_calls_it_too_where_both_are_one() {
    let mut scene = Scene::set();
    scene.found.folder = Some(std::env::current_dir().unwrap());
    let here = scene.found.folder.clone().unwrap();
    let mut called = |shells: PathBuf| {
        let mut program = Program::default();
        program.environment = Some(vec![("PWD".into(), shells.into())]);
        scene.found.program = Arc::new(program);
        let look = scene.look();
        let folders = look.folders();
        folders
            .iter()
            .map(|&folder| folder.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(called(here.clone()), std::slice::from_ref(&here));
    assert_eq!(called("relative".into()), std::slice::from_ref(&here));
    assert_eq!(called("/".into()), std::slice::from_ref(&here));
    // The same, by another name.
    let again = PathBuf::from("/proc/self/cwd");
    assert_eq!(called(again.clone()), [again, here.clone()]);
    // Links that lead here, and that may have led here before.
    let folder = tempfile::tempdir().unwrap();
    for to in [&*here, Path::new("/")] {
        let link = folder
            .path()
            .join(to.file_name().unwrap_or_default())
            .join("link");
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, &link).unwrap();
        assert_eq!(called(link.clone()), [link, here.clone()]);
    }
}
