//! Datagrams that have come together, and their answers, which leave together.
//!
//! A manager that asks much at once costs two system calls a batch instead of
//! two a request. Never waits for more than the first datagram.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg,
};

use super::super::reply::MAX_DATAGRAM;

/// The most datagrams of one batch.
const MOST: usize = 16;

/// What came.
pub(super) struct Arrived {
    headers: MultiHeaders<SockaddrStorage>,
    /// Room for each datagram, one after the other; what is never filled is never resident.
    octets: Vec<u8>,
    /// Where each came from, and its length.
    each: Vec<(SocketAddr, usize)>,
}

impl Arrived {
    pub(super) fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(MOST, None),
            octets: vec![0; MOST * MAX_DATAGRAM],
            each: Vec::with_capacity(MOST),
        }
    }

    /// Waits for a datagram, then takes what else is there.
    pub(super) fn receive(&mut self, socket: &UdpSocket) -> io::Result<()> {
        self.each.clear();
        let rooms = self.octets.chunks_mut(MAX_DATAGRAM);
        let mut rooms: Vec<_> = rooms.map(|room| [IoSliceMut::new(room)]).collect();
        let came = recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            &mut rooms,
            MsgFlags::MSG_WAITFORONE,
            None,
        )?;
        // The wake-up of a socket that is shut down comes from nowhere.
        let from = |address: Option<SockaddrStorage>| socket_address(&address?);
        self.each.extend(came.map(|one| {
            let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
            (from(one.address).unwrap_or(nowhere), one.bytes)
        }));
        Ok(())
    }

    /// Each datagram and where it came from.
    pub(super) fn each(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let rooms = self.octets.chunks(MAX_DATAGRAM);
        let each = self.each.iter().zip(rooms);
        each.map(|(&(source, length), room)| (source, &room[..length]))
    }
}

/// What goes out.
pub(super) struct Leaving {
    headers: MultiHeaders<SockaddrStorage>,
    to: Vec<Option<SockaddrStorage>>,
    datagrams: Vec<Vec<u8>>,
}

impl Leaving {
    pub(super) fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(MOST, None),
            to: Vec::with_capacity(MOST),
            datagrams: Vec::with_capacity(MOST),
        }
    }

    pub(super) fn push(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        self.to.push(Some(to.into()));
        self.datagrams.push(datagram);
    }

    /// Sends what was pushed. A datagram that the socket does not take at once
    /// is lost, as it may be anywhere on its way.
    pub(super) fn send(&mut self, socket: &UdpSocket) {
        let slices: Vec<_> = self
            .datagrams
            .iter()
            .map(|octets| [IoSlice::new(octets)])
            .collect();
        let mut done = 0;
        while done < slices.len() {
            let none: [ControlMessage<'_>; 0] = [];
            let sent = sendmmsg(
                socket.as_raw_fd(),
                &mut self.headers,
                &slices[done..],
                &self.to[done..],
                none,
                MsgFlags::MSG_DONTWAIT,
            );
            // It stops before the first that cannot be sent, and fails at that.
            done += sent.map_or(1, |sent| sent.count().max(1));
        }
        self.to.clear();
        self.datagrams.clear();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_together_is_answered_together_and_each_by_itself() {
        for host in ["127.0.0.1", "::1"] {
            let socket = UdpSocket::bind((host, 0)).expect("a port");
            let address = socket.local_addr().expect("bound");
            let managers: Vec<UdpSocket> = (0..MOST + 3)
                .map(|at| {
                    let manager = UdpSocket::bind((host, 0)).expect("a port");
                    let request = vec![at as u8; at * 100];
                    manager.send_to(&request, address).expect("sent");
                    manager
                })
                .collect();
            let (mut arrived, mut leaving) = (Arrived::new(), Leaving::new());
            for expected in [MOST, 3] {
                arrived.receive(&socket).expect("received");
                assert_eq!(arrived.each().count(), expected);
                for (source, datagram) in arrived.each() {
                    leaving.push(source, datagram.to_vec());
                }
                leaving.send(&socket);
            }
            for (at, manager) in managers.iter().enumerate() {
                let mut answer = [0; 2000];
                let (length, source) = manager.recv_from(&mut answer).expect("an answer");
                assert_eq!((source, length), (address, at * 100));
                assert!(answer[..length].iter().all(|octet| *octet == at as u8));
            }
        }
    }

    #[test]
    fn a_datagram_that_cannot_be_sent_holds_up_no_other() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let manager = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = manager.local_addr().expect("bound");
        let mut leaving = Leaving::new();
        leaving.push(address, vec![1]);
        leaving.push(address, vec![0; 70_000]);
        leaving.push(address, vec![2]);
        leaving.send(&socket);
        for expected in [1, 2] {
            let mut answer = [0; 8];
            assert_eq!(manager.recv(&mut answer).expect("an answer"), 1);
            assert_eq!(answer[0], expected);
        }
    }
}
