//! The kernel's own answer about one connection (sock_diag(7)): exact, and as quick with a million
//! others beside it.

use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recvfrom, sendto, socket_with};

use super::{Holder, speaks};

/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct inet_diag_req_v2` and `struct inet_diag_msg` without their header.
const REQUEST: usize = 56;
/// The second byte of an answer's body, and where `struct inet_diag_sockid` stands in it.
const STATE: usize = 1;
const PORTS: usize = 4;
const ADDRESSES: usize = 8;
const USER: usize = 64;
const INODE: usize = 68;

const NLMSG_ERROR: u16 = 2;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const IPPROTO_TCP: u8 = 6;

/// A socket that the kernel found.
struct Found {
    ends: (SocketAddr, SocketAddr),
    state: u8,
    holder: Holder,
}

/// Who holds the socket that is `peer` for `local`, where we listen. None: nobody.
///
/// # Errors
///
/// The kernel may not be asked, or does not know how to answer.
pub(super) fn holder(peer: SocketAddr, local: SocketAddr) -> rustix::io::Result<Option<Holder>> {
    match find(peer, local) {
        // Where there is no connection it answers with who listens at that address.
        Ok(found) => {
            let is_it = found.ends == (peer, local) && speaks(found.state);
            Ok(is_it.then_some(found.holder))
        }
        // A kernel that can't look (inet_diag is a module) says the same as one that found nothing.
        // Our side is there, or else our listener is.
        Err(Errno::NOENT) => find(local, peer).map(|_| None),
        Err(error) => Err(error),
    }
}

/// A socket of IPv6 that speaks IPv4 is found by its addresses of IPv4.
fn find(near: SocketAddr, far: SocketAddr) -> rustix::io::Result<Found> {
    let (near, far) = (canonical(near), canonical(far));
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        flags,
        Some(SOCK_DIAG),
    )?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &request(near, far), SendFlags::empty(), &kernel)?;
    // It has answered by now.
    let mut reply = [0; 1024];
    let (_, length, from) = recvfrom(&socket, &mut reply, RecvFlags::DONTWAIT)?;
    let from = from.and_then(|from| SocketAddrNetlink::try_from(from).ok());
    if from.map(|from| from.pid()) != Some(0) {
        return Err(Errno::BADMSG);
    }
    answer(reply.get(..length).unwrap_or_default()).unwrap_or(Err(Errno::BADMSG))
}

fn request(near: SocketAddr, far: SocketAddr) -> Vec<u8> {
    let family = match near {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let length = u32::try_from(HEADER + REQUEST).unwrap_or_default();
    let mut bytes = Vec::with_capacity(HEADER + REQUEST);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    // Number and sender: one question a socket.
    bytes.extend([0; 8]);
    // Nothing beside the socket itself, in whichever state.
    bytes.extend([
        u8::try_from(family.as_raw()).unwrap_or_default(),
        IPPROTO_TCP,
        0,
        0,
    ]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(near.port().to_be_bytes());
    bytes.extend(far.port().to_be_bytes());
    bytes.extend(address(near));
    bytes.extend(address(far));
    // Any interface, and no cookie.
    bytes.extend([0; 4]);
    bytes.extend([0xff; 8]);
    bytes
}

fn answer(reply: &[u8]) -> Option<rustix::io::Result<Found>> {
    let (header, body) = reply.split_at_checked(HEADER)?;
    match u16::from_ne_bytes(part(header, 4)?) {
        NLMSG_ERROR => {
            let code = i32::from_ne_bytes(part(body, 0)?).checked_neg()?;
            (code > 0).then(|| Err(Errno::from_raw_os_error(code)))
        }
        SOCK_DIAG_BY_FAMILY => {
            let end = |port: usize, ip: usize| {
                let port = u16::from_be_bytes(part(body, PORTS + port)?);
                let ip: [u8; 16] = part(body, ADDRESSES + ip)?;
                let ip = if i32::from(*body.first()?) == i32::from(AddressFamily::INET.as_raw()) {
                    IpAddr::from(part::<4>(&ip, 0)?)
                } else {
                    IpAddr::from(ip)
                };
                Some(SocketAddr::new(ip.to_canonical(), port))
            };
            Some(Ok(Found {
                ends: (end(0, 0)?, end(2, 16)?),
                state: *body.get(STATE)?,
                holder: Holder {
                    user: u32::from_ne_bytes(part(body, USER)?),
                    inode: u32::from_ne_bytes(part(body, INODE)?).into(),
                },
            }))
        }
        _ => None,
    }
}

fn part<const LENGTH: usize>(bytes: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Four words, of which an address of IPv4 takes the first.
fn address(address: SocketAddr) -> [u8; 16] {
    match address.ip() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_none() {
        let error = |code: i32| {
            let mut reply = vec![0; HEADER];
            reply[4] = 2;
            reply.extend(code.to_ne_bytes());
            answer(&reply).map(|answer| answer.map(|_| ()))
        };
        assert_eq!(error(-2), Some(Err(Errno::NOENT)));
        for code in [0, 2, i32::MIN] {
            assert_eq!(error(code), None, "{code}");
        }
        let mut reply = vec![0; HEADER + 72];
        assert!(answer(&reply).is_none(), "of another kind");
        reply[4] = 20;
        reply[HEADER + STATE] = 2;
        let state = answer(&reply).and_then(|found| Some(found.ok()?.state));
        assert_eq!(state, Some(2));
        for length in 0..reply.len() {
            assert!(answer(&reply[..length]).is_none(), "{length}");
        }
    }
}
