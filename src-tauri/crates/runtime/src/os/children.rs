//! Children that this process has from the program that it was: it became another in the middle of their lives, and with
//! it went whoever would have waited for their end.

use rustix::process::{WaitOptions, waitpid};
use tokio::signal::unix::{SignalKind, signal};

use super::processes::children;

/// Lets each of them go when it ends. Those that are started from now on are not looked at.
pub(crate) async fn let_go() {
    let Ok(mut ended) = signal(SignalKind::child()) else {
        return;
    };
    let mut left = children();
    loop {
        left.retain(|child| matches!(waitpid(Some(*child), WaitOptions::NOHANG), Ok(None)));
        if left.is_empty() || ended.recv().await.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[allow(clippy::zombie_processes, reason = "that is what it is about")]
    async fn a_child_that_nobody_waits_for_is_let_go_when_it_ends() {
        if std::env::var_os("ALONE").is_none() {
            // By itself: other tests' children are not to be taken from them.
            let name = "os::children::tests::a_child_that_nobody_waits_for_is_let_go_when_it_ends";
            let alone = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--test-threads=1"])
                .env("ALONE", "1")
                .status();
            assert!(alone.unwrap().success());
            return;
        }
        let started = std::thread::scope(|scope| {
            let start = || std::process::Command::new("sleep").arg("0.2").spawn();
            scope.spawn(start).join().unwrap().unwrap()
        });
        let there = format!("/proc/{}", started.id());
        assert!(std::path::Path::new(&there).exists());
        let longest = std::time::Duration::from_secs(30);
        tokio::time::timeout(longest, let_go()).await.unwrap();
        assert!(!std::path::Path::new(&there).exists());
    }
}
