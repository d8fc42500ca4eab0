//! How a stream's packets are protected now, and while its keys change.
//!
//! A receive key that was replaced is believed for the overlap that was
//! agreed on, so that no packet under way is lost.

use crate::media::seam::Security;
use crate::media::srtp::{KeyError, Receiver, Sender};
use std::time::Instant;

/// Of one stream.
#[derive(Debug)]
pub(super) enum Protection {
    Clear,
    Awaited,
    Srtp(Box<Keys>),
}

#[derive(Debug)]
pub(super) struct Keys {
    send: Sender,
    receive: Receiver,
    /// When the receive keys before are believed no more.
    retire: Option<Instant>,
}

/// Which of the two protocols a packet is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Rtp,
    Rtcp,
}

impl Protection {
    /// What holds from now on. Keys that are refused leave all as it was.
    pub(super) fn settle(&mut self, now: Instant, security: &Security) -> Result<(), KeyError> {
        match (security, &mut *self) {
            (Security::Clear, _) => *self = Self::Clear,
            (Security::Awaited, _) => *self = Self::Awaited,
            (Security::Srtp { send, receive, .. }, Self::Clear | Self::Awaited) => {
                *self = Self::Srtp(Box::new(Keys {
                    send: Sender::new(&send.master()?),
                    receive: Receiver::new(&receive.master()?),
                    retire: None,
                }));
            }
            (Security::Srtp { .. }, Self::Srtp(keys)) => keys.settle(now, security)?,
        }
        Ok(())
    }

    /// Whether a packet that is believed was proven to be the peer's.
    pub(super) fn authenticates(&self) -> bool {
        matches!(self, Self::Srtp(_))
    }

    /// Makes a packet readable, and says how long it is; `None` for one that is not believed.
    pub(super) fn open(&mut self, protocol: Protocol, packet: &mut [u8]) -> Option<usize> {
        let keys = match self {
            Self::Clear => return Some(packet.len()),
            Self::Awaited => return None,
            Self::Srtp(keys) => keys,
        };
        match protocol {
            Protocol::Rtp => keys.receive.unprotect(packet).ok(),
            Protocol::Rtcp => keys.receive.unprotect_rtcp(packet).ok(),
        }
    }

    /// Protects the packet in the first `length` octets, and says how long it
    /// is; `None` for one that must not be sent.
    pub(super) fn seal(
        &mut self,
        protocol: Protocol,
        buffer: &mut [u8],
        length: usize,
    ) -> Option<usize> {
        let keys = match self {
            Self::Clear => return Some(length),
            Self::Awaited => return None,
            Self::Srtp(keys) => keys,
        };
        match protocol {
            Protocol::Rtp => keys.send.protect(buffer, length).ok(),
            Protocol::Rtcp => keys.send.protect_rtcp(buffer, length).ok(),
        }
    }

    /// Forgets keys whose time has passed; whether one comes to its end.
    pub(super) fn sweep(&mut self, now: Instant) -> Wear {
        let Self::Srtp(keys) = self else {
            return Wear::None;
        };
        keys.retire_until(now);
        match keys.send.poll().or_else(|| keys.receive.poll()) {
            Some(_) => Wear::Soon,
            None => Wear::None,
        }
    }
}

impl Keys {
    fn settle(&mut self, now: Instant, security: &Security) -> Result<(), KeyError> {
        let Security::Srtp {
            send,
            receive,
            sequence,
            overlap,
        } = security
        else {
            return Ok(());
        };
        let (send, receive) = (send.master()?, receive.master()?);
        if changed(self.receive.rekey(&receive, *sequence))? {
            self.retire = Some(now + *overlap);
            self.retire_until(now);
        }
        changed(self.send.rekey(&send, *sequence)).map(|_| ())
    }

    fn retire_until(&mut self, now: Instant) {
        if self.retire.is_some_and(|at| at <= now) {
            self.retire = None;
            self.receive.retire();
        }
    }
}

/// A session refresh repeats the key in use, which changes nothing.
fn changed(rekeyed: Result<(), KeyError>) -> Result<bool, KeyError> {
    match rekeyed {
        Ok(()) => Ok(true),
        Err(KeyError::SameKey) => Ok(false),
        Err(refused) => Err(refused),
    }
}

/// Whether a key comes to the end of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wear {
    None,
    Soon,
}
