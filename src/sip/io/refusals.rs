//! What the network says of datagrams that it could not deliver (RFC 3261 §18.4).
//!
//! A socket that is not connected hears nothing of ICMP unless it asks to.
//! The system then keeps each error in a queue of its own, with the address
//! that the datagram was for. Whoever guesses our ports can forge one: what
//! hears of it must do no more than say so and look elsewhere.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use nix::libc::{sock_extended_err, sockaddr_in6};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::listeners::ACCEPT_PAUSE;
use super::{Happenings, tell};
use crate::sip::event::{Input, SocketId};

/// Asks the system for the errors of this socket.
pub(super) fn wanted(socket: &UdpSocket) -> io::Result<()> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// Tells of every datagram that is known not to have arrived.
pub(super) async fn hear(id: SocketId, socket: Arc<UdpSocket>, happenings: Happenings) {
    loop {
        let refusal = socket.async_io(Interest::ERROR, || refusal(&socket)).await;
        match refusal {
            Ok(Some(peer)) => tell(&happenings, Input::Undelivered { id, peer }).await,
            Ok(None) => {}
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Takes one error from the queue; the address where it says that nobody is there.
fn refusal(socket: &UdpSocket) -> io::Result<Option<SocketAddr>> {
    // The datagram itself comes back too, and is of no use.
    let mut start = [0; 1];
    let mut start = [IoSliceMut::new(&mut start)];
    let mut space = nix::cmsg_space!(sock_extended_err, sockaddr_in6);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let error =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut start, Some(&mut space), flags)?;
    let mut said = error.cmsgs()?;
    let final_word = said.any(|it| match it {
        // §18.4: host, network, port or protocol unreachable; not the size, nor the hops.
        ControlMessageOwned::Ipv4RecvErr(it, _) => {
            it.ee_type == UNREACHABLE && it.ee_code != TOO_LARGE
        }
        ControlMessageOwned::Ipv6RecvErr(it, _) => it.ee_type == UNREACHABLE_6,
        _ => false,
    });
    Ok(error.address.as_ref().filter(|_| final_word).and_then(peer))
}

fn peer(address: &SockaddrStorage) -> Option<SocketAddr> {
    let four = address.as_sockaddr_in();
    let six = address.as_sockaddr_in6();
    four.map(|it| SocketAddrV4::new(it.ip(), it.port()).into())
        .or(six.map(|it| SocketAddrV6::new(it.ip(), it.port(), 0, it.scope_id()).into()))
}

/// The types of "destination unreachable" in ICMP (RFC 792) and ICMPv6 (RFC 4443).
const UNREACHABLE: u8 = 3;
const UNREACHABLE_6: u8 = 1;
/// Its code for "fragmentation needed".
const TOO_LARGE: u8 = 4;
