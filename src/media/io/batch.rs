//! Datagrams of one socket that have come together, and those that leave together.
//!
//! All room is taken once; a packet allocates nothing.

use super::super::engine::{At, Outbox};
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg,
};
use smallvec::SmallVec;
use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Which addresses a socket has: the kernel writes as much as the header had room for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Four,
    Six,
}

/// What came.
pub(super) struct Arrived {
    four: MultiHeaders<SockaddrStorage>,
    six: MultiHeaders<SockaddrStorage>,
    octets: Box<[[u8; DATAGRAM]; MOST]>,
    /// Where each came from, and its length; without a source it is not to be read.
    each: Vec<(Option<SocketAddr>, usize)>,
}

impl Arrived {
    pub(super) fn new() -> Self {
        Self {
            four: MultiHeaders::preallocate(MOST, None),
            six: MultiHeaders::preallocate(MOST, None),
            octets: Box::new([[0; DATAGRAM]; MOST]),
            each: Vec::with_capacity(MOST),
        }
    }

    /// Takes what is there, and says whether there may be more.
    pub(super) fn receive(&mut self, socket: &UdpSocket, family: Family) -> More {
        self.each.clear();
        let headers = match family {
            Family::Four => &mut self.four,
            Family::Six => &mut self.six,
        };
        let rooms = self.octets.each_mut();
        let mut rooms = rooms.map(|room| [IoSliceMut::new(room)]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let Ok(came) = recvmmsg(socket.as_raw_fd(), headers, &mut rooms, flags, None) else {
            return More::No;
        };
        self.each.extend(came.map(|one| {
            let whole = !one.flags.contains(MsgFlags::MSG_TRUNC);
            let from = one.address.filter(|_| whole);
            (from.as_ref().and_then(socket_address), one.bytes)
        }));
        match self.each.len() {
            MOST => More::Perhaps,
            _ => More::No,
        }
    }

    /// Each datagram and where it came from.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (SocketAddr, &mut [u8])> {
        let each = self.each.iter().zip(self.octets.iter_mut());
        each.filter_map(|(&(from, length), room)| Some((from?, room.get_mut(..length)?)))
    }
}

/// Whether a socket may have more than was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Perhaps,
    No,
}

/// Sends what stands in an outbox.
pub(super) struct Departure {
    headers: MultiHeaders<SockaddrStorage>,
}

impl Departure {
    pub(super) fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(MOST, None),
        }
    }

    /// Sends all of it, neighbours from one port together. A datagram that the
    /// system does not take at once is lost, as it may be anywhere on its way.
    pub(super) fn send<'a>(
        &mut self,
        outbox: &Outbox,
        socket: impl Fn(At) -> Option<&'a UdpSocket>,
    ) {
        let mut all = outbox.each().peekable();
        let mut slices: SmallVec<[[IoSlice<'_>; 1]; MOST]> = SmallVec::new();
        let mut to: SmallVec<[Option<SockaddrStorage>; MOST]> = SmallVec::new();
        while let Some(first) = all.next() {
            slices.clear();
            to.clear();
            slices.push([IoSlice::new(first.octets)]);
            to.push(Some(first.to.into()));
            while slices.len() < MOST
                && let Some(next) = all.next_if(|next| next.at == first.at)
            {
                slices.push([IoSlice::new(next.octets)]);
                to.push(Some(next.to.into()));
            }
            if let Some(socket) = socket(first.at) {
                self.send_from(socket, &slices, &to);
            }
        }
    }

    fn send_from(
        &mut self,
        socket: &UdpSocket,
        slices: &[[IoSlice<'_>; 1]],
        to: &[Option<SockaddrStorage>],
    ) {
        let mut done = 0;
        while done < slices.len() {
            let none: [ControlMessage<'_>; 0] = [];
            let sent = sendmmsg(
                socket.as_raw_fd(),
                &mut self.headers,
                &slices[done..],
                &to[done..],
                none,
                MsgFlags::MSG_DONTWAIT,
            );
            // It stops before the first that cannot be sent, and fails at that.
            done += match sent {
                Ok(sent) => sent.count().max(1),
                Err(Errno::EINTR) => 0,
                Err(_) => 1,
            };
        }
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let four = address
        .as_sockaddr_in()
        .map(|four| SocketAddr::V4((*four).into()));
    let six = || {
        address
            .as_sockaddr_in6()
            .map(|six| SocketAddr::V6((*six).into()))
    };
    four.or_else(six)
}

/// Datagrams of a batch.
const MOST: usize = 32;
/// Octets that are read of a datagram; a longer one is not read at all.
const DATAGRAM: usize = 2048;
