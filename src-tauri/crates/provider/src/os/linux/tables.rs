//! The tables of all connections (proc(5)), for where the kernel may not be asked about one.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use super::{Holder, speaks};

/// A busy machine's table is some hundred kilobytes. Whoever stands beyond this is not found.
const MOST: u64 = 16 * 1024 * 1024;
/// Whoever sends much has one of them read at a time.
static READING: Mutex<()> = Mutex::new(());

/// Who holds the socket that is `peer` for `local`. None: it is not found.
pub(super) fn holder(peer: SocketAddr, local: SocketAddr) -> Option<Holder> {
    let _reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = |table| {
        let file = File::open(table).ok()?;
        Some(
            BufReader::new(file.take(MOST))
                .lines()
                .map_while(Result::ok),
        )
    };
    // A socket of IPv6 that speaks IPv4 stands among those of IPv6.
    let mapped = (as_mapped(peer), as_mapped(local));
    lines("/proc/net/tcp")
        .and_then(|lines| among(lines, peer, local))
        .or_else(|| among(lines("/proc/net/tcp6")?, mapped.0, mapped.1))
}

/// From lines as `sl local remote st tx:rx tr:when retransmits uid timeout inode …`.
fn among(
    lines: impl Iterator<Item = String>,
    peer: SocketAddr,
    local: SocketAddr,
) -> Option<Holder> {
    let (peer, local) = (written(peer), written(local));
    lines.into_iter().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let ends = (words.next()?, words.next()?);
        let state = u8::from_str_radix(words.next()?, 16).ok()?;
        let mut words = words.skip(3);
        (ends == (peer.as_str(), local.as_str()) && speaks(state)).then(|| {
            Some(Holder {
                user: words.next()?.parse().ok()?,
                inode: words.nth(1)?.parse().ok()?,
            })
        })?
    })
}

fn as_mapped(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    SocketAddr::new(ip.into(), address.port())
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

    #[cfg(target_endian = "little")]
    #[test]
    fn another_user_is_told_from_us() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0100007F:1F40 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 2 1
   2: 0100007F:D431 0100007F:1F40 01 00000000:00000000 02:00000000 00000000  1001        0 3 2
   3: 0100007F:D433 0100007F:1F40 06 00000000:00000000 03:00000F9A 00000000     0        0 0 3 0
   4: 0100007F:D434 0100007F:1F40 02 00000000:00000000 01:00000064 00000000  1000        0 5 1
   5: 0100007F:D434 0100007F:1F40 01 00000000:00000000 02:00000000 00000000  1001        0 6 1";
        let lines = || table.lines().map(str::to_owned);
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (peer, local) = (address("127.0.0.1:54321"), address("127.0.0.1:8000"));
        let holder = |user, inode| Some(Holder { user, inode });
        assert_eq!(among(lines(), peer, local), holder(1001, 3));
        assert_eq!(among(lines(), address("127.0.0.1:54322"), local), None);
        let closed = address("127.0.0.1:54323");
        assert_eq!(among(lines(), closed, local), None);
        let begins = address("127.0.0.1:54324");
        assert_eq!(among(lines(), begins, local), holder(1001, 6));
        assert_eq!(
            written(address("[::1]:80")),
            "00000000000000000000000001000000:0050"
        );
        assert_eq!(
            written(as_mapped(local)),
            "0000000000000000FFFF00000100007F:1F40"
        );
    }
}
