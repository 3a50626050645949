//! macOS and Windows: the address that the way out would have is looked at every few seconds. Nothing is sent:
//! a datagram socket that is connected only picks a route. Type-checked, never tried there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

/// How late a change may be seen.
const PIECE: Duration = Duration::from_secs(10);

/// The way out, as it was.
#[derive(Debug)]
pub(crate) struct Network {
    seen: Way,
}

type Way = [Option<IpAddr>; 2];

impl Network {
    /// Looks from now on.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { seen: way() })
    }

    /// Waits until the network changed.
    ///
    /// # Errors
    /// Never here; other systems can fail.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        loop {
            tokio::time::sleep(PIECE).await;
            let found = way();
            if found != self.seen {
                self.seen = found;
                return Ok(());
            }
        }
    }
}

/// Our addresses on the ways to two that stand for "out" (RFC 5737, RFC 3849: nobody's).
fn way() -> Way {
    let out = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let (four, six) = (
        Ipv4Addr::new(192, 0, 2, 1),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    );
    [
        out(Ipv4Addr::UNSPECIFIED.into(), four.into()),
        out(Ipv6Addr::UNSPECIFIED.into(), six.into()),
    ]
}
