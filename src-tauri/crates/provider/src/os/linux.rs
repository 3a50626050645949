//! Linux.

mod diag;
mod tables;

use std::net::SocketAddr;

use crate::desk::Whose;

/// Who holds a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    user: u32,
    /// 0: nobody does any more, and the user says nothing.
    inode: u64,
}

/// Whose program is at `peer`, connected to `local`, where we listen. It may wait for a disk's
/// worth of a table: not for the thread that serves.
pub(crate) fn whose(peer: SocketAddr, local: SocketAddr) -> Whose {
    // Tables are what anybody can make long; they are for where the kernel may not be asked.
    let holder = diag::holder(peer, local).unwrap_or_else(|_| tables::holder(peer, local));
    judged(holder, rustix::process::getuid().as_raw())
}

/// Whether a socket in this state (`tcp(7)`'s, as numbers) can be the other end of a connection that we serve. One that
/// only begins to connect from that address is not whoever was there before.
fn speaks(state: u8) -> bool {
    const ESTABLISHED: u8 = 1;
    /// It has said all, and listens.
    const FIN_WAIT: [u8; 2] = [4, 5];
    /// We have said all.
    const CLOSE_WAIT: u8 = 8;
    state == ESTABLISHED || FIN_WAIT.contains(&state) || state == CLOSE_WAIT
}

/// EAFNOSUPPORT.
pub(crate) fn is_family_missing(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// A socket that was closed already (an orphan, one in TIME_WAIT) is shown as root's and without an
/// inode, and one that was reset is not shown: whoever sent something through it may have been
/// anybody. Nor is root's own us: what relays for anybody (WSL's, a container's) runs as root.
fn judged(holder: Option<Holder>, us: u32) -> Whose {
    match holder {
        None | Some(Holder { inode: 0, .. }) => Whose::Unknown,
        Some(Holder { user, .. }) if user == us => Whose::Ours,
        Some(Holder { user: 0, .. }) => Whose::Unknown,
        Some(Holder { .. }) => Whose::Anothers,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use rustix::net::sockopt::set_socket_linger;

    use super::*;

    type Asked = fn(SocketAddr, SocketAddr) -> Option<Holder>;

    /// Both ways of asking.
    const WAYS: [Asked; 2] = [
        |peer, local| diag::holder(peer, local).unwrap(),
        tables::holder,
    ];

    fn us() -> u32 {
        rustix::process::getuid().as_raw()
    }

    fn connected(listen: &str, to: &str) -> (TcpListener, TcpStream, TcpStream) {
        let listener = TcpListener::bind((listen, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect((to, port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        (listener, client, server)
    }

    fn ends(server: &TcpStream) -> (SocketAddr, SocketAddr) {
        (server.peer_addr().unwrap(), server.local_addr().unwrap())
    }

    #[test]
    fn who_connects_is_found_in_both_families_and_across_them() {
        for (listen, to) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            // Such a socket is of IPv6, and connected to an address of IPv4.
            ("127.0.0.1", "::ffff:127.0.0.1"),
        ] {
            let (_listener, client, server) = connected(listen, to);
            let (peer, local) = ends(&server);
            for way in WAYS {
                let holder = way(peer, local);
                assert_eq!(holder.map(|holder| holder.user), Some(us()), "{to}");
                assert_eq!(judged(holder, us()), Whose::Ours, "{to}");
                assert_eq!(
                    judged(holder, us() + 1),
                    if us() == 0 {
                        Whose::Unknown
                    } else {
                        Whose::Anothers
                    }
                );
            }
            assert_eq!(whose(peer, local), Whose::Ours);
            drop(client);
        }
    }

    #[test]
    fn who_has_said_all_is_there_still() {
        let (_listener, client, server) = connected("127.0.0.1", "127.0.0.1");
        let (peer, local) = ends(&server);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        for way in WAYS {
            assert_eq!(judged(way(peer, local), us()), Whose::Ours);
        }
        server.shutdown(std::net::Shutdown::Write).unwrap();
        drop(server);
        for way in WAYS {
            assert_ne!(judged(way(peer, local), us()), Whose::Ours, "it is over");
        }
    }

    #[test]
    fn who_begins_to_connect_is_not_whoever_was_there() {
        let speaking: Vec<_> = (0..=13).filter(|state| speaks(*state)).collect();
        assert_eq!(speaking, [1, 4, 5, 8]);
    }

    #[test]
    fn who_is_gone_is_nobody() {
        for reset in [true, false] {
            let (_listener, mut client, server) = connected("127.0.0.1", "127.0.0.1");
            let (peer, local) = ends(&server);
            client.write_all(b"GET").unwrap();
            if reset {
                set_socket_linger(&client, Some(std::time::Duration::ZERO)).unwrap();
            }
            drop(client);
            for way in WAYS {
                assert_eq!(judged(way(peer, local), us()), Whose::Unknown, "{reset}");
            }
            assert_eq!(whose(peer, local), Whose::Unknown);
        }
    }

    #[test]
    fn a_listener_at_the_place_of_one_that_is_gone_is_not_it() {
        let (_listener, client, server) = connected("127.0.0.1", "127.0.0.1");
        let (peer, local) = ends(&server);
        set_socket_linger(&client, Some(std::time::Duration::ZERO)).unwrap();
        drop(client);
        let _there = TcpListener::bind(peer).unwrap();
        for way in WAYS {
            assert_eq!(way(peer, local), None);
        }
    }

    #[test]
    fn what_can_not_be_told_is_not_ours() {
        let holder = |user, inode| Some(Holder { user, inode });
        for (holder, us, expected) in [
            (holder(1000, 7), 1000, Whose::Ours),
            (holder(1001, 7), 1000, Whose::Anothers),
            (holder(1001, 7), 0, Whose::Anothers),
            (holder(0, 7), 0, Whose::Ours),
            (holder(0, 7), 1000, Whose::Unknown),
            (holder(0, 0), 0, Whose::Unknown),
            (holder(0, 0), 1000, Whose::Unknown),
            (holder(1000, 0), 1000, Whose::Unknown),
            (None, 1000, Whose::Unknown),
            (None, 0, Whose::Unknown),
        ] {
            assert_eq!(judged(holder, us), expected, "{holder:?} for {us}");
        }
    }
}
