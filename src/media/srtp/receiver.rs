//! Unprotects what arrives.
//!
//! A packet that is not authentic changes nothing, neither of the packet nor
//! of the receiver. While a key changes, the one before it is still believed,
//! until the caller retires it.

use std::fmt;

use super::derive::Protocol;
use super::error::{Error, KeyError};
use super::key::{MAX_RTCP, MAX_RTP, MasterKey};
use super::life::Event;
use super::packet::{MAX_PACKET, RTCP_HEADER, Rtp, cut, rtcp_ssrc};
use super::sender::E_FLAG;
use super::session::{Sequence, Session};
use super::stream::Streams;
use super::transform::{Outside, Place};
use super::window::Window;

/// The receiving half of a session: the keys that are believed, and the streams that come in.
pub struct Receiver {
    current: Session,
    rtp: Streams,
    others: Vec<Session>,
    rtcp: Streams,
}

impl Receiver {
    /// Believes this key.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self {
            current: Session::new(key, 0),
            rtp: Streams::default(),
            others: Vec::new(),
            rtcp: Streams::default(),
        }
    }

    /// Makes an RTP packet of the SRTP packet, and says how long it is.
    ///
    /// # Errors
    /// Where it is no RTP packet, too old, a replay, or not authentic. The
    /// packet is then as it was.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, Error> {
        self.with_each_key(packet, Self::unprotect_with)
    }

    /// Makes an RTCP packet of the SRTCP packet, as [`Receiver::unprotect`] does.
    ///
    /// # Errors
    /// As [`Receiver::unprotect`].
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Error> {
        self.with_each_key(packet, Self::unprotect_rtcp_with)
    }

    /// Believes another key from now on, and the ones before it until [`Receiver::retire`].
    ///
    /// # Errors
    /// [`KeyError::SameKey`] for the key in use, [`KeyError::TooManyKeys`] beyond 16.
    pub fn rekey(&mut self, key: &MasterKey, sequence: Sequence) -> Result<(), KeyError> {
        let session = Session::new(key, sequence.after(self.current.epoch));
        self.admit(&session)?;
        let before = std::mem::replace(&mut self.current, session);
        self.others.insert(0, before);
        Ok(())
    }

    /// Believes a further key beside the current one: packets say by its MKI which is theirs.
    ///
    /// # Errors
    /// As [`Receiver::rekey`].
    pub fn accept(&mut self, key: &MasterKey) -> Result<(), KeyError> {
        let session = Session::new(key, self.current.epoch);
        self.admit(&session)?;
        self.others.push(session);
        Ok(())
    }

    /// Believes no key but the current one any more.
    pub fn retire(&mut self) {
        self.others.clear();
        self.rtp.retain(self.current.epoch);
        self.rtcp.retain(self.current.epoch);
    }

    /// Has a stream that has not begun begin at this ROC, for a late joiner.
    ///
    /// # Errors
    /// [`Error::TooManyStreams`] where there is no room for one more.
    pub fn begin_at(&mut self, ssrc: u32, roc: u32) -> Result<(), Error> {
        let epoch = self.current.epoch;
        if self.rtp.window(ssrc, epoch)? == Window::default() {
            self.rtp.keep(ssrc, epoch, Window::at(roc));
        }
        Ok(())
    }

    /// The ROC of a stream.
    #[must_use]
    pub fn roc(&self, ssrc: u32) -> Option<u32> {
        let window = self.rtp.find(ssrc, self.current.epoch)?;
        Some(window.roc())
    }

    /// What the key management must know, each once.
    pub fn poll(&mut self) -> Option<Event> {
        self.current.notice()
    }

    /// The answer of the first key that believes the packet, else of the first that its MKI fits.
    fn with_each_key(
        &mut self,
        packet: &mut [u8],
        unprotect: impl Fn(&mut Self, usize, &mut [u8]) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        if packet.len() > MAX_PACKET {
            return Err(Error::TooLong);
        }
        let mut refusal = Error::UnknownMki;
        for at in 0..=self.others.len() {
            match unprotect(self, at, packet) {
                Ok(length) => return Ok(length),
                Err(error) if refusal == Error::UnknownMki => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn unprotect_with(&mut self, at: usize, packet: &mut [u8]) -> Result<usize, Error> {
        let session = match at {
            0 => &mut self.current,
            _ => &mut self.others[at - 1],
        };
        let (tag, mki) = (session.suite.rtp_tag_length(), session.mki.len());
        let (packet, mki, tag) = if session.is_aead() {
            let (packet, [tag, mki]) = cut(packet, [tag, mki])?;
            (packet, mki, tag)
        } else {
            let (packet, [mki, tag]) = cut(packet, [mki, tag])?;
            (packet, mki, tag)
        };
        if *mki != *session.mki {
            return Err(Error::UnknownMki);
        }
        let rtp = Rtp::read(packet)?;
        session.check(Protocol::Rtp)?;
        let mut window = self.rtp.window(rtp.ssrc, session.epoch)?;
        let index = window.guess(rtp.sequence)?;
        window.take(index)?;
        let place = Place {
            ssrc: rtp.ssrc,
            index,
            clear: rtp.header,
            outside: Outside::Roc((index >> 16) as u32),
        };
        session.open(Protocol::Rtp, packet, &place, tag)?;
        self.rtp.keep(rtp.ssrc, session.epoch, window);
        session.spend(Protocol::Rtp, MAX_RTP - 1 - index);
        Ok(packet.len())
    }

    fn unprotect_rtcp_with(&mut self, at: usize, packet: &mut [u8]) -> Result<usize, Error> {
        let session = match at {
            0 => &mut self.current,
            _ => &mut self.others[at - 1],
        };
        let (tag, mki) = (session.suite.rtcp_tag_length(), session.mki.len());
        let (packet, word, mki, tag) = if session.is_aead() {
            let (packet, [tag, word, mki]) = cut(packet, [tag, 4, mki])?;
            (packet, word, mki, tag)
        } else {
            let (packet, [word, mki, tag]) = cut(packet, [4, mki, tag])?;
            (packet, word, mki, tag)
        };
        if *mki != *session.mki {
            return Err(Error::UnknownMki);
        }
        let ssrc = rtcp_ssrc(packet)?;
        session.check(Protocol::Rtcp)?;
        let word = word
            .iter()
            .fold(0, |word, octet| word << 8 | u32::from(*octet));
        let index = u64::from(word & !E_FLAG);
        let mut window = self.rtcp.window(ssrc, session.epoch)?;
        window.take(index)?;
        let place = Place {
            ssrc,
            index,
            // RFC 3711 §3.4: who sends it says whether it is encrypted.
            clear: match word & E_FLAG {
                0 => packet.len(),
                _ => RTCP_HEADER,
            },
            outside: Outside::Word(word),
        };
        session.open(Protocol::Rtcp, packet, &place, tag)?;
        self.rtcp.keep(ssrc, session.epoch, window);
        session.spend(Protocol::Rtcp, MAX_RTCP - 1 - index);
        Ok(packet.len())
    }

    fn admit(&self, session: &Session) -> Result<(), KeyError> {
        if self.others.len() + 1 >= MAX_KEYS {
            return Err(KeyError::TooManyKeys);
        }
        let mut all = std::iter::once(&self.current).chain(&self.others);
        if all.any(|other| other.is_of_the_key_of(session)) {
            return Err(KeyError::SameKey);
        }
        Ok(())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Receiver")
            .field("suite", &self.current.suite)
            .field("keys", &(1 + self.others.len()))
            .finish_non_exhaustive()
    }
}

/// A forged packet costs one try a key, where there is no MKI.
const MAX_KEYS: usize = 16;
