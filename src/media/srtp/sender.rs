//! Protects what leaves.
//!
//! An index is never used twice under one key, whatever the sequence numbers
//! do: two packets with one key stream would give both away.

use std::fmt;

use super::derive::Protocol;
use super::error::{Error, KeyError};
use super::key::{MAX_RTCP, MAX_RTP, MasterKey};
use super::life::Event;
use super::packet::{MAX_PACKET, RTCP_HEADER, Rtp, append, rtcp_ssrc};
use super::session::{Sequence, Session};
use super::stream::Streams;
use super::suite::Encryption;
use super::transform::{Outside, Place};
use super::window::Window;

/// The sending half of a session: one key, and the streams that go out under it.
pub struct Sender {
    session: Session,
    rtp: Streams,
    rtcp: Streams,
}

impl Sender {
    /// Sends under this key from now on.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self {
            session: Session::new(key, 0),
            rtp: Streams::default(),
            rtcp: Streams::default(),
        }
    }

    /// Makes an SRTP packet of the RTP packet in the first `length` octets of
    /// the buffer, and says how long it is. [`Sender::overhead`] octets behind
    /// it must be free.
    ///
    /// # Errors
    /// Where it is no RTP packet, there is no room, the index was used before
    /// or is used up, or the key is. The buffer is then as it was.
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Error> {
        let (packet, room) = self.split(buffer, length)?;
        let rtp = Rtp::read(packet)?;
        self.session.check(Protocol::Rtp)?;
        let mut window = self.rtp.window(rtp.ssrc, self.session.epoch)?;
        let index = window.guess(rtp.sequence)?;
        window.take(index)?;
        let place = Place {
            ssrc: rtp.ssrc,
            index,
            clear: rtp.header,
            outside: Outside::Roc((index >> 16) as u32),
        };
        let tag = self.session.seal(Protocol::Rtp, packet, &place);
        let tag = &tag[..self.session.suite.rtp_tag_length()];
        let mki = &*self.session.mki;
        let behind = match self.session.is_aead() {
            true => append(room, &[tag, mki]),
            false => append(room, &[mki, tag]),
        };
        self.rtp.keep(rtp.ssrc, self.session.epoch, window);
        self.session.spend(Protocol::Rtp, MAX_RTP - 1 - index);
        Ok(length + behind)
    }

    /// Makes an SRTCP packet of the RTCP packet, as [`Sender::protect`] does.
    ///
    /// # Errors
    /// As [`Sender::protect`].
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Error> {
        let (packet, room) = self.split(buffer, length)?;
        let ssrc = rtcp_ssrc(packet)?;
        self.session.check(Protocol::Rtcp)?;
        let mut window = self.rtcp.window(ssrc, self.session.epoch)?;
        let index = window.next();
        if index >= MAX_RTCP {
            return Err(Error::IndexExhausted);
        }
        window.take(index)?;
        let (flag, clear) = match self.session.suite.profile().encryption {
            Encryption::Null => (0, length),
            Encryption::Aes128 | Encryption::Aes256 => (E_FLAG, RTCP_HEADER),
        };
        let word = flag | index as u32;
        let place = Place {
            ssrc,
            index,
            clear,
            outside: Outside::Word(word),
        };
        let tag = self.session.seal(Protocol::Rtcp, packet, &place);
        let tag = &tag[..self.session.suite.rtcp_tag_length()];
        let (word, mki) = (&word.to_be_bytes(), &*self.session.mki);
        let behind = match self.session.is_aead() {
            true => append(room, &[tag, word, mki]),
            false => append(room, &[word, mki, tag]),
        };
        self.rtcp.keep(ssrc, self.session.epoch, window);
        self.session.spend(Protocol::Rtcp, MAX_RTCP - 1 - index);
        Ok(length + behind)
    }

    /// The most octets by which a packet grows; at most [`MAX_OVERHEAD`].
    #[must_use]
    pub fn overhead(&self) -> usize {
        // An SRTCP tag is never the shorter one.
        4 + self.session.suite.rtcp_tag_length() + self.session.mki.len()
    }

    /// Sends under another key from the next packet on.
    ///
    /// # Errors
    /// [`KeyError::SameKey`] for the key in use.
    pub fn rekey(&mut self, key: &MasterKey, sequence: Sequence) -> Result<(), KeyError> {
        let session = Session::new(key, sequence.after(self.session.epoch));
        if session.is_of_the_key_of(&self.session) {
            return Err(KeyError::SameKey);
        }
        self.session = session;
        self.rtp.retain(self.session.epoch);
        self.rtcp.retain(self.session.epoch);
        Ok(())
    }

    /// Has a stream that has not begun begin at this ROC (RFC 3830 §6.1 tells it for each SSRC).
    ///
    /// # Errors
    /// [`Error::TooManyStreams`] where there is no room for one more.
    pub fn begin_at(&mut self, ssrc: u32, roc: u32) -> Result<(), Error> {
        let epoch = self.session.epoch;
        if self.rtp.window(ssrc, epoch)? == Window::default() {
            self.rtp.keep(ssrc, epoch, Window::at(roc));
        }
        Ok(())
    }

    /// The ROC of a stream, for whoever tells it to a late joiner.
    #[must_use]
    pub fn roc(&self, ssrc: u32) -> Option<u32> {
        let window = self.rtp.find(ssrc, self.session.epoch)?;
        Some(window.roc())
    }

    /// What the key management must know, each once.
    pub fn poll(&mut self) -> Option<Event> {
        self.session.notice()
    }

    fn split<'a>(
        &self,
        buffer: &'a mut [u8],
        length: usize,
    ) -> Result<(&'a mut [u8], &'a mut [u8]), Error> {
        if length > MAX_PACKET {
            return Err(Error::TooLong);
        }
        let (packet, room) = buffer.split_at_mut_checked(length).ok_or(Error::NoRoom)?;
        if room.len() < self.overhead() {
            return Err(Error::NoRoom);
        }
        Ok((packet, room))
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("suite", &self.session.suite)
            .finish_non_exhaustive()
    }
}

/// The most octets by which any packet grows under any key: index, tag and MKI.
pub const MAX_OVERHEAD: usize = 4 + 16 + 128;
/// RFC 3711 §3.4: this packet is encrypted.
pub(super) const E_FLAG: u32 = 1 << 31;
