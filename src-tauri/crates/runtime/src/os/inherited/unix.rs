//! Linux and macOS.
#![allow(unsafe_code)] // what signals do

use std::mem::MaybeUninit;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What ends a process, or has its calls fail, that goes beyond it. Descriptors are raised as many as are wanted
/// (`descriptor::allow`), and a core is never written.
const LIMITS: [Resource; 4] = [Resource::Cpu, Resource::Fsize, Resource::Data, Resource::As];

/// Lets go of a starter's limits, as far as this user may; of its signals that are blocked or ignored; and of a mask
/// that keeps our own files from us.
pub(crate) fn shed() {
    wire::os::unmask_owner();
    for resource in LIMITS {
        let limit = getrlimit(resource);
        let raised = raised(limit);
        if raised != limit {
            // The old one holds on, then.
            let _ = setrlimit(resource, raised);
        }
    }
    expect_signals();
}

/// As high as it may be.
fn raised(limit: Rlimit) -> Rlimit {
    Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    }
}

/// A file that may grow no more is an error of its write, and no end. It is no more than handled: a program that we
/// start has it as it is by itself.
fn expect_signals() {
    extern "C" fn nothing(_: libc::c_int) {}
    let nothing: extern "C" fn(libc::c_int) = nothing;
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is made before it is used, and the handler does nothing at all.
    unsafe {
        if libc::sigemptyset(none.as_mut_ptr()) == 0 {
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        }
        libc::signal(libc::SIGXFSZ, nothing as libc::sighandler_t);
        // Where it is ignored nobody is told how a child ended.
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// What `shed` is about is of the whole process: this is one of its own.
    const CHILD: &str = "KUBEFOB_TEST_SHEDS";

    #[test]
    fn one_shell_s_limits_are_not_kept() {
        if std::env::var_os(CHILD).is_some() {
            return sheds();
        }
        let ourselves = std::env::current_exe().unwrap();
        let name = "os::inherited::unix::tests::one_shell_s_limits_are_not_kept";
        for limits in [
            "umask 777; ulimit -S -f 0; ulimit -S -t 5; ulimit -S -v 4000000; trap '' CHLD",
            // What this user may not raise again: the write fails, and all goes on.
            "umask 777; ulimit -f 0; trap '' CHLD",
        ] {
            let script = format!("{limits}; exec \"$0\" --exact {name} --nocapture");
            // A started program has its starter's, through every exec.
            block(&[libc::SIGTERM, libc::SIGUSR1]);
            let said = std::process::Command::new("sh")
                .args(["-c", &script])
                .arg(&ourselves)
                .env(CHILD, "1")
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success(), "{limits}: {:?} {text}", said.status);
        }
    }

    /// Adds to this thread's blocked signals, and says which there are.
    fn block(signals: &[libc::c_int]) -> Vec<libc::c_int> {
        // SAFETY: both sets are made before they are used.
        unsafe {
            let (mut added, mut blocked) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&mut added);
            for signal in signals {
                libc::sigaddset(&mut added, *signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &added, std::ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &mut blocked);
            let all = [libc::SIGTERM, libc::SIGUSR1];
            all.into_iter()
                .filter(|one| libc::sigismember(&blocked, *one) == 1)
                .collect()
        }
    }

    fn sheds() {
        assert_eq!(block(&[]), [libc::SIGTERM, libc::SIGUSR1]);
        shed();
        assert!(block(&[]).is_empty());
        let hard = getrlimit(Resource::Fsize).maximum;
        for resource in LIMITS {
            let limit = getrlimit(resource);
            assert_eq!(limit.current, limit.maximum);
        }
        let folder = tempfile::tempdir().unwrap();
        let mut file = std::fs::File::create(folder.path().join("file")).unwrap();
        assert_eq!(file.write_all(b"x").is_ok(), hard != Some(0));
        std::fs::File::options()
            .write(true)
            .open(folder.path().join("file"))
            .unwrap();
        assert!(
            std::process::Command::new("true")
                .status()
                .unwrap()
                .success()
        );
    }
}
