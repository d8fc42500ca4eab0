//! The session keys of one master key, for both protocols.
//!
//! For [`Sender`](super::Sender) and [`Receiver`](super::Receiver). SRTP's
//! keys stand in place, since each packet needs them; SRTCP's do not.

use super::derive::Protocol;
use super::error::Error;
use super::key::MasterKey;
use super::life::{Event, Life};
use super::suite::{Authentication, Suite};
use super::transform::{Place, Transform};

/// What becomes of the sequence numbers when the key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// The streams go on, and so do their ROC and their index of SRTCP (RFC 3711 §3.3.1).
    Continues,
    /// Streams begin anew with ROC 0, as those of a new session do.
    Restarts,
}

impl Sequence {
    /// The epoch after one.
    pub(super) fn after(self, epoch: u32) -> u32 {
        match self {
            Self::Continues => epoch,
            Self::Restarts => epoch.wrapping_add(1),
        }
    }
}

/// One master key in use.
pub(super) struct Session {
    rtp: Half,
    rtcp: Box<Half>,
    rate: Option<Box<Rate>>,
    pub(super) mki: Box<[u8]>,
    pub(super) suite: Suite,
    /// Which streams it goes with.
    pub(super) epoch: u32,
}

/// The keys of one protocol.
struct Half {
    transform: Transform,
    life: Life,
    /// The packet index divided by the rate that the keys were derived for.
    round: u64,
}

impl Half {
    fn turn(&mut self, round: u64, transform: Transform) {
        (self.round, self.transform) = (round, transform);
    }
}

/// What is needed to derive session keys again and again (RFC 3711 §4.3.1).
struct Rate {
    master: MasterKey,
    exponent: u8,
}

impl Session {
    pub(super) fn new(master: &MasterKey, epoch: u32) -> Self {
        let half = |protocol, packets| Half {
            transform: Transform::new(master, protocol, 0),
            life: Life::new(packets),
            round: 0,
        };
        let rate = |exponent| {
            let master = master.clone();
            Box::new(Rate { master, exponent })
        };
        Self {
            rtp: half(Protocol::Rtp, master.lifetime().rtp),
            rtcp: Box::new(half(Protocol::Rtcp, master.lifetime().rtcp)),
            rate: master.rate().map(rate),
            mki: master.mki().into(),
            suite: master.suite(),
            epoch,
        }
    }

    /// Whether the packets' tag stands before their MKI.
    pub(super) fn is_aead(&self) -> bool {
        self.suite.profile().authentication == Authentication::Gcm
    }

    /// Whether both come from one master key.
    pub(super) fn is_of_the_key_of(&self, other: &Self) -> bool {
        self.rtp.transform.is_of_the_key_of(&other.rtp.transform)
    }

    /// Whether the key may protect one more packet.
    pub(super) fn check(&self, protocol: Protocol) -> Result<(), Error> {
        self.half(protocol).life.check()
    }

    /// Hides a packet and returns its tag.
    pub(super) fn seal(
        &mut self,
        protocol: Protocol,
        packet: &mut [u8],
        place: &Place,
    ) -> [u8; 20] {
        if let Some((round, transform)) = self.other_round(protocol, place.index) {
            self.half_mut(protocol).turn(round, transform);
        }
        self.half(protocol).transform.seal(packet, place)
    }

    /// Makes a packet readable if it is authentic.
    pub(super) fn open(
        &mut self,
        protocol: Protocol,
        packet: &mut [u8],
        place: &Place,
        tag: &[u8],
    ) -> Result<(), Error> {
        let Some((round, transform)) = self.other_round(protocol, place.index) else {
            return self.half(protocol).transform.open(packet, place, tag);
        };
        transform.open(packet, place, tag)?;
        self.half_mut(protocol).turn(round, transform);
        Ok(())
    }

    /// One packet went, and its stream has so many indices after it.
    pub(super) fn spend(&mut self, protocol: Protocol, indices: u64) {
        self.half_mut(protocol).life.spend(indices);
    }

    /// The notice that is due.
    pub(super) fn notice(&mut self) -> Option<Event> {
        self.rtp.life.notice().or_else(|| self.rtcp.life.notice())
    }

    /// The keys of an index that ours are not for.
    fn other_round(&self, protocol: Protocol, index: u64) -> Option<(u64, Transform)> {
        let rate = self.rate.as_ref()?;
        let round = index >> rate.exponent;
        let other = round != self.half(protocol).round;
        other.then(|| (round, Transform::new(&rate.master, protocol, round)))
    }

    fn half(&self, protocol: Protocol) -> &Half {
        match protocol {
            Protocol::Rtp => &self.rtp,
            Protocol::Rtcp => &self.rtcp,
        }
    }

    fn half_mut(&mut self, protocol: Protocol) -> &mut Half {
        match protocol {
            Protocol::Rtp => &mut self.rtp,
            Protocol::Rtcp => &mut self.rtcp,
        }
    }
}
