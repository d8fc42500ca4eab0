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

#[cfg(test)]
mod tests {
    use super::super::testing::{hex, key, octets, pair, protected, protected_rtcp, rtcp, rtp};
    use super::super::{Lifetime, Suite};
    use super::*;

    fn sent(sender: &mut Sender, packet: &[u8]) -> Result<usize, Error> {
        let mut buffer = packet.to_vec();
        buffer.resize(packet.len() + MAX_OVERHEAD, 0);
        let sent = sender.protect(&mut buffer, packet.len());
        if sent.is_err() {
            assert_eq!(buffer[..packet.len()], *packet, "refused, and yet changed");
        }
        sent
    }

    #[test]
    fn header_sources_and_extension_stay_readable_and_the_payload_does_not() {
        let mut packet = rtp(1, 1);
        packet[0] |= 0x11;
        packet.splice(12..12, [0, 0, 0, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
        let mut sender = Sender::new(&key(Suite::AesCm128HmacSha1_80, 1));
        let sent = protected(&mut sender, &packet);
        assert_eq!(sent.len(), packet.len() + 10);
        assert_eq!(sent[..24], packet[..24]);
        assert_ne!(sent[24..packet.len()], packet[24..]);
    }

    #[test]
    fn each_suite_adds_what_its_row_says_and_the_mki() {
        for suite in Suite::ALL {
            let master = key(suite, 1).with_mki(&[1, 2, 3]).expect("an MKI");
            let mut sender = Sender::new(&master);
            let grown = protected(&mut sender, &rtp(1, 1)).len() - rtp(1, 1).len();
            assert_eq!(grown, suite.rtp_tag_length() + 3, "{suite}");
            let grown = protected_rtcp(&mut sender, &rtcp(1)).len() - rtcp(1).len();
            assert_eq!(grown, suite.rtcp_tag_length() + 3 + 4, "{suite}");
            assert_eq!(grown, sender.overhead());
        }
    }

    #[test]
    fn the_mki_stands_before_the_tag_of_hmac_and_behind_that_of_gcm() {
        let mki = [0xaa, 0xbb];
        let sent = |suite| {
            let master = key(suite, 1).with_mki(&mki).expect("an MKI");
            let sender = &mut Sender::new(&master);
            (
                protected(sender, &rtp(1, 1)),
                protected_rtcp(sender, &rtcp(1)),
            )
        };
        // RFC 3711 §3.1 and §3.4.
        let (rtp, rtcp) = sent(Suite::AesCm128HmacSha1_32);
        assert_eq!(rtp[32..34], mki);
        assert_eq!(octets(&rtcp[16..22]), "80000000aabb");
        // RFC 7714 §8.2 and §9.2.
        let (rtp, rtcp) = sent(Suite::AeadAes128Gcm);
        assert_eq!(rtp[48..], mki);
        assert_eq!(octets(&rtcp[32..]), "80000000aabb");
    }

    #[test]
    fn the_null_cipher_proves_and_does_not_hide() {
        let (mut sender, _) = pair(&key(Suite::NullHmacSha1_80, 1));
        assert_eq!(protected(&mut sender, &rtp(1, 1))[..32], rtp(1, 1));
        let sent = protected_rtcp(&mut sender, &rtcp(1));
        assert_eq!(sent[..16], rtcp(1));
        assert_eq!(octets(&sent[16..20]), "00000000");
    }

    #[test]
    fn a_known_packet_comes_out_as_libsrtp_makes_it() {
        let master = MasterKey::new(Suite::AesCm128HmacSha1_80, &[0x22; 16], &[0x44; 14]);
        let mut sender = Sender::new(&master.expect("a key"));
        let mut packet = hex("800000010000000001020304");
        packet.extend([0xa5; 20]);
        assert_eq!(
            octets(&protected(&mut sender, &packet)),
            "800000010000000001020304f5b44b7e3ad4eb057bc6480c45df6547bb70bcc27b136e1f3d3a62821b15"
        );
    }

    #[test]
    fn no_index_is_used_twice() {
        let mut sender = Sender::new(&key(Suite::AeadAes128Gcm, 1));
        assert!(sent(&mut sender, &rtp(1, 500)).is_ok());
        assert_eq!(sent(&mut sender, &rtp(1, 500)), Err(Error::Replayed));
        assert!(sent(&mut sender, &rtp(1, 499)).is_ok());
        assert_eq!(sent(&mut sender, &rtp(1, 372)), Err(Error::TooOld));
        assert!(sent(&mut sender, &rtp(2, 500)).is_ok());
    }

    #[test]
    fn a_key_ends_with_its_lifetime_and_says_so_before() {
        let master = key(Suite::AesCm128HmacSha1_80, 1);
        let lifetime = Lifetime::packets(16).expect("a lifetime");
        let mut sender = Sender::new(&master.with_lifetime(lifetime));
        for sequence in 0..15 {
            assert_eq!(sender.poll(), None);
            protected(&mut sender, &rtp(1, sequence));
        }
        assert_eq!(sender.poll(), Some(Event::KeyEndsSoon { left: 1 }));
        protected(&mut sender, &rtp(2, 0));
        assert_eq!(sent(&mut sender, &rtp(1, 16)), Err(Error::KeyExhausted));
        protected_rtcp(&mut sender, &rtcp(1));
        let other = key(Suite::AesCm128HmacSha1_80, 2);
        sender.rekey(&other, Sequence::Continues).expect("another");
        assert!(sent(&mut sender, &rtp(1, 16)).is_ok());
    }

    #[test]
    fn the_last_index_is_the_last() {
        let mut sender = Sender::new(&key(Suite::AesCm128HmacSha1_80, 1));
        sender.begin_at(1, u32::MAX).expect("room");
        protected(&mut sender, &rtp(1, 65_533));
        assert_eq!(sender.poll(), Some(Event::KeyEndsSoon { left: 2 }));
        protected(&mut sender, &rtp(1, 65_534));
        protected(&mut sender, &rtp(1, 65_535));
        assert_eq!(sent(&mut sender, &rtp(1, 0)), Err(Error::KeyExhausted));
        assert_eq!(sent(&mut sender, &rtp(2, 0)), Err(Error::KeyExhausted));
    }

    #[test]
    fn the_index_of_srtcp_counts_from_zero_for_each_stream_and_over_a_rekey() {
        let index = |sent: &[u8]| octets(&sent[16..20]);
        let mut sender = Sender::new(&key(Suite::AesCm128HmacSha1_80, 1));
        assert_eq!(index(&protected_rtcp(&mut sender, &rtcp(1))), "80000000");
        assert_eq!(index(&protected_rtcp(&mut sender, &rtcp(1))), "80000001");
        assert_eq!(index(&protected_rtcp(&mut sender, &rtcp(2))), "80000000");
        let other = key(Suite::AesCm128HmacSha1_80, 2);
        sender.rekey(&other, Sequence::Continues).expect("another");
        assert_eq!(index(&protected_rtcp(&mut sender, &rtcp(1))), "80000002");
        let third = key(Suite::AesCm128HmacSha1_80, 3);
        sender.rekey(&third, Sequence::Restarts).expect("another");
        assert_eq!(index(&protected_rtcp(&mut sender, &rtcp(1))), "80000000");
    }

    #[test]
    fn the_same_key_again_is_refused() {
        let master = key(Suite::AesCm128HmacSha1_80, 1);
        let mut sender = Sender::new(&master);
        for sequence in [Sequence::Continues, Sequence::Restarts] {
            assert_eq!(sender.rekey(&master, sequence), Err(KeyError::SameKey));
        }
    }

    #[test]
    fn a_buffer_without_room_and_a_packet_without_end_are_refused() {
        let mut sender = Sender::new(&key(Suite::AesCm128HmacSha1_80, 1));
        let mut tight = rtp(1, 1);
        let length = tight.len();
        assert_eq!(sender.protect(&mut tight, length), Err(Error::NoRoom));
        assert_eq!(sender.protect(&mut tight, length + 1), Err(Error::NoRoom));
        let mut long = vec![0x80; MAX_PACKET + 1 + MAX_OVERHEAD];
        assert_eq!(
            sender.protect(&mut long, MAX_PACKET + 1),
            Err(Error::TooLong)
        );
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let (sender, receiver) = pair(&key(Suite::AesCm128HmacSha1_80, 0xab));
        assert_eq!(
            format!("{sender:?}"),
            "Sender { suite: AesCm128HmacSha1_80, .. }"
        );
        assert_eq!(
            format!("{receiver:?}"),
            "Receiver { suite: AesCm128HmacSha1_80, keys: 1, .. }"
        );
    }
}
