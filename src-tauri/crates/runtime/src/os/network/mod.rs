//! The event that the network changed: a link, an address or a route came or went.
//!
//! | name | is |
//! |---|---|
//! | `Network` | the wait for it |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod polled;

#[cfg(target_os = "linux")]
pub(crate) use linux::Network;
#[cfg(not(target_os = "linux"))]
pub(crate) use polled::Network;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::Network;

    const ROLE: &str = "KUBEFOB_TEST_ROLE";
    const NAME: &str = "os::network::tests::a_link_that_comes_up_is_heard_of";

    /// In a network of its own, whose one link is made to come up.
    #[tokio::test]
    async fn a_link_that_comes_up_is_heard_of() {
        if std::env::var_os(ROLE).is_none() {
            let allowed = Command::new("unshare").args(["-rn", "ip", "link"]).output();
            if !allowed.is_ok_and(|output| output.status.success()) {
                return println!("SKIPPED {NAME}: no network of one's own here");
            }
            let status = Command::new("unshare")
                .arg("-rn")
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", NAME])
                .env(ROLE, "inside")
                .status();
            assert!(status.unwrap().success());
            return;
        }
        let mut network = Network::new().unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(20), network.changed()).await;
        assert!(silence.is_err(), "nothing has changed yet");
        let ip = Command::new("ip")
            .args(["link", "set", "lo", "up"])
            .status();
        assert!(ip.unwrap().success());
        tokio::time::timeout(Duration::from_secs(30), network.changed())
            .await
            .expect("nothing is heard")
            .unwrap();
    }
}
