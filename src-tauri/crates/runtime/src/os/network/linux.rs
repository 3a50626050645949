//! Linux: rtnetlink's multicast groups (rtnetlink(7)). What the messages say is not read: what to do about a
//! change is the same for all of them.
#![allow(unsafe_code)] // tokio wants a promise that a descriptor stays open

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// linux/rtnetlink.h: RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR. IPv6's routes are
/// left out: each router's advertisement renews them.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100;

/// The kernel's word of changes. It belongs to the tokio runtime that it was made in.
#[derive(Debug)]
pub(crate) struct Network {
    socket: AsyncFd<OwnedFd>,
}

impl Network {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system gives no such socket (a sandbox may forbid the family).
    pub(crate) fn new() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Protocol 0 is NETLINK_ROUTE.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        // SAFETY: the descriptor is ours, and nobody takes it out of the OwnedFd that stays in there.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?;
        Ok(Self { socket })
    }

    /// Waits until the network changed. Dropping the wait loses nothing.
    ///
    /// # Errors
    /// The socket can't be read.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        self.socket.async_io(Interest::READABLE, read).await
    }
}

/// Reads what there is.
fn read(socket: &OwnedFd) -> io::Result<()> {
    let mut buffer = [0_u8; 8192];
    match rustix::io::read(socket, &mut buffer) {
        // So much changed that the kernel dropped some of it.
        Ok(_) | Err(rustix::io::Errno::NOBUFS) => {}
        Err(error) => return Err(error.into()),
    }
    while matches!(
        rustix::io::read(socket, &mut buffer),
        Ok(_) | Err(rustix::io::Errno::NOBUFS)
    ) {}
    Ok(())
}
