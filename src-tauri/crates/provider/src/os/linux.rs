//! Linux.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, SocketAddr};

/// A busy machine's table is some hundred kilobytes; one that can't be read in this much is let be.
const MOST: u64 = 16 * 1024 * 1024;

/// Whether the program at `peer`, connected to `local` on this computer, belongs to another user.
/// The system's own (root: a relay of a container's or of WSL's) is not counted as one. None: it
/// can't be seen.
pub(crate) fn is_foreign(peer: SocketAddr, local: SocketAddr) -> Option<bool> {
    let table = if peer.is_ipv4() {
        "/proc/net/tcp"
    } else {
        "/proc/net/tcp6"
    };
    let lines = BufReader::new(File::open(table).ok()?.take(MOST))
        .lines()
        .map_while(Result::ok);
    let owner = owner(lines, peer, local)?;
    Some(owner != 0 && owner != rustix::process::getuid().as_raw())
}

/// EAFNOSUPPORT.
pub(crate) fn is_family_missing(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// The user of the socket that is `peer` for `local`, from lines as `sl local remote st tx:rx
/// tr:when retransmits uid …`.
fn owner(lines: impl Iterator<Item = String>, peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    let (peer, local) = (written(peer), written(local));
    lines.into_iter().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let ends = (words.next()?, words.next()?);
        (ends == (peer.as_str(), local.as_str())).then(|| words.nth(4)?.parse().ok())?
    })
}

/// As the kernel writes it: the address as words in the machine's order, then the port.
fn written(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).map(|chunk| {
        let word = <[u8; 4]>::try_from(chunk).map_or(0, u32::from_ne_bytes);
        format!("{word:08X}")
    });
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_connection_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(
            is_foreign(peer, listener.local_addr().unwrap()),
            Some(false)
        );
        drop(client);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn another_user_is_told_from_us() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0100007F:1F40 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 2 1
   2: 0100007F:D431 0100007F:1F40 01 00000000:00000000 02:00000000 00000000  1001        0 3 2";
        let lines = || table.lines().map(str::to_owned);
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (peer, local) = (address("127.0.0.1:54321"), address("127.0.0.1:8000"));
        assert_eq!(owner(lines(), peer, local), Some(1001));
        assert_eq!(owner(lines(), address("127.0.0.1:54322"), local), None);
        assert_eq!(
            written(address("[::1]:80")),
            "00000000000000000000000001000000:0050"
        );
    }
}
