//! What is to be sent, in the order in which it was made.
//!
//! One buffer that keeps its room, so that a packet costs no allocation. Who
//! holds the sockets sends what is here and clears it.

use std::net::SocketAddr;

/// One of a stream's ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// The stream's place in the engine.
    pub slot: usize,
    /// Which of its ports.
    pub port: Port,
}

/// Which port of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// RTP, and RTCP that shares it; UDPTL.
    Media,
    /// RTCP that has its own.
    Control,
}

/// A datagram that is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving<'a> {
    /// From which port.
    pub at: At,
    /// Where to.
    pub to: SocketAddr,
    /// The datagram.
    pub octets: &'a [u8],
}

/// What is to be sent.
#[derive(Debug, Default)]
pub struct Outbox {
    octets: Vec<u8>,
    each: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    at: At,
    to: SocketAddr,
    start: usize,
    end: usize,
}

impl Outbox {
    /// Adds a datagram that `finish` makes of `packet` and the room behind it;
    /// it says how long it became, or that it is not to be sent.
    pub(super) fn put(
        &mut self,
        (at, to): (At, SocketAddr),
        packet: &[u8],
        finish: impl FnOnce(&mut [u8], usize) -> Option<usize>,
    ) -> Sent {
        let start = self.octets.len();
        self.octets.extend_from_slice(packet);
        self.octets.resize(start + packet.len() + ROOM, 0);
        let length = finish(&mut self.octets[start..], packet.len());
        let end = start + length.unwrap_or(0);
        self.octets.truncate(end);
        if length.is_none() {
            return Sent::No;
        }
        self.each.push(Entry { at, to, start, end });
        Sent::Yes
    }

    /// What is to leave.
    pub fn each(&self) -> impl Iterator<Item = Leaving<'_>> {
        self.each.iter().map(|entry| Leaving {
            at: entry.at,
            to: entry.to,
            octets: &self.octets[entry.start..entry.end],
        })
    }

    /// How many datagrams are to leave.
    #[must_use]
    pub fn count(&self) -> usize {
        self.each.len()
    }

    /// All of it was sent.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.each.clear();
    }
}

/// Whether a packet goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Yes,
    No,
}

/// By which a packet may grow under SRTP.
const ROOM: usize = crate::media::srtp::MAX_OVERHEAD;
