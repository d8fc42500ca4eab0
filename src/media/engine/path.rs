//! Where a stream's packets go, and from where they are heard (RFC 4961).
//!
//! A peer behind a gateway sends from elsewhere than it said. Where packets
//! are authentic, their source is believed. Where nothing is, the first source
//! is kept for as long as it goes on, unless the place that was said speaks.

use crate::media::seam::Latching;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Of one port.
#[derive(Debug)]
pub(super) struct Path {
    told: Option<SocketAddr>,
    latching: Latching,
    latched: Option<Latched>,
}

#[derive(Clone, Copy, Debug)]
struct Latched {
    from: SocketAddr,
    heard: Instant,
}

/// What is known of a packet's source before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The packet will be authenticated.
    Key,
    /// It will not.
    None,
}

impl Path {
    pub(super) fn new() -> Self {
        Self {
            told: None,
            latching: Latching::Off,
            latched: None,
        }
    }

    /// What was agreed. The same place again keeps what was found out.
    pub(super) fn settle(&mut self, told: Option<SocketAddr>, latching: Latching) {
        if (told, latching) != (self.told, self.latching) {
            self.latched = None;
        }
        (self.told, self.latching) = (told, latching);
    }

    /// Where to send.
    pub(super) fn remote(&self) -> Option<SocketAddr> {
        let told = self.told?;
        Some(self.latched.map_or(told, |latched| latched.from))
    }

    /// Whether a packet from there is read at all.
    pub(super) fn admits(&self, now: Instant, from: SocketAddr, proof: Proof) -> bool {
        match (self.latching, proof, self.latched) {
            (Latching::Off, ..) => self.told == Some(from),
            (Latching::On, Proof::Key, _) | (Latching::On, Proof::None, None) => true,
            (Latching::On, Proof::None, Some(latched)) => {
                from == latched.from
                    || Some(from) == self.told
                    || now.saturating_duration_since(latched.heard) >= HOLD
            }
        }
    }

    /// An admitted packet was believed; the place that packets go to, where that is another now.
    pub(super) fn heard(&mut self, now: Instant, from: SocketAddr) -> Option<SocketAddr> {
        if self.latching == Latching::Off {
            return None;
        }
        let before = self.remote();
        self.latched = Some(Latched { from, heard: now });
        self.remote().filter(|remote| Some(*remote) != before)
    }
}

/// A source that nothing proves is replaced only after this much silence.
const HOLD: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn place(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn path(latching: Latching) -> Path {
        let mut path = Path::new();
        path.settle(Some(place(1)), latching);
        path
    }

    #[test]
    fn without_latching_only_the_place_that_was_said_is_heard() {
        let (mut path, now) = (path(Latching::Off), Instant::now());
        assert!(path.admits(now, place(1), Proof::None));
        assert!(!path.admits(now, place(2), Proof::Key));
        assert_eq!(path.heard(now, place(1)), None);
        assert_eq!(path.remote(), Some(place(1)));
    }

    #[test]
    fn what_nothing_proves_is_kept_while_it_goes_on() {
        let (mut path, now) = (path(Latching::On), Instant::now());
        assert!(path.admits(now, place(2), Proof::None));
        assert_eq!(path.heard(now, place(2)), Some(place(2)));
        assert!(!path.admits(now, place(3), Proof::None));
        let later = now + HOLD;
        assert!(path.admits(later, place(3), Proof::None));
        assert!(path.admits(now, place(1), Proof::None), "it was said");
        assert_eq!(path.heard(now, place(1)), Some(place(1)));
        assert!(!path.admits(now, place(2), Proof::None));
    }

    #[test]
    fn an_authentic_packet_moves_the_stream_at_once() {
        let (mut path, now) = (path(Latching::On), Instant::now());
        for port in [2, 3] {
            assert!(path.admits(now, place(port), Proof::Key));
            assert_eq!(path.heard(now, place(port)), Some(place(port)));
            assert_eq!(path.heard(now, place(port)), None);
        }
    }

    #[test]
    fn a_peer_that_takes_nothing_is_sent_nothing() {
        let (mut path, now) = (path(Latching::On), Instant::now());
        path.heard(now, place(2));
        path.settle(None, Latching::On);
        assert_eq!(path.remote(), None);
        assert_eq!(path.heard(now, place(2)), None);
        path.settle(Some(place(1)), Latching::On);
        assert_eq!(path.remote(), Some(place(1)));
    }
}
