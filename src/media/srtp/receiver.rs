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
        if !mki.is_empty() && *mki != *session.mki {
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
        if !mki.is_empty() && *mki != *session.mki {
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

#[cfg(test)]
mod tests {
    use super::super::testing::{
        key, pair, protected, protected_rtcp, rtcp, rtp, unprotected, unprotected_rtcp,
    };
    use super::super::{Lifetime, MAX_STREAMS, MasterKey, Sender, Suite};
    use super::*;

    #[test]
    fn every_suite_gives_back_what_was_sent() {
        for suite in Suite::ALL {
            let master = key(suite, 3).with_mki(&[9; 128]).expect("an MKI");
            for master in [key(suite, 3), master] {
                let (mut sender, mut receiver) = pair(&master);
                let sent = protected(&mut sender, &rtp(1, 7));
                assert_eq!(unprotected(&mut receiver, &sent), Ok(rtp(1, 7)), "{suite}");
                assert_eq!(unprotected(&mut receiver, &sent), Err(Error::Replayed));
                let sent = protected_rtcp(&mut sender, &rtcp(1));
                assert_eq!(
                    unprotected_rtcp(&mut receiver, &sent),
                    Ok(rtcp(1)),
                    "{suite}"
                );
                assert_eq!(unprotected_rtcp(&mut receiver, &sent), Err(Error::Replayed));
            }
        }
    }

    #[test]
    fn a_changed_octet_anywhere_is_refused_and_moves_nothing() {
        for suite in Suite::ALL {
            let master = key(suite, 3).with_mki(&[5, 6]).expect("an MKI");
            let (mut sender, mut receiver) = pair(&master);
            for sequence in [65_000, 65_001] {
                let sent = protected(&mut sender, &rtp(1, sequence));
                let control = protected_rtcp(&mut sender, &rtcp(1));
                for at in 0..sent.len() {
                    let mut forged = sent.clone();
                    forged[at] ^= 0x41;
                    assert!(unprotected(&mut receiver, &forged).is_err(), "{suite} {at}");
                }
                for at in 0..control.len() {
                    let mut forged = control.clone();
                    forged[at] ^= 0x41;
                    assert!(
                        unprotected_rtcp(&mut receiver, &forged).is_err(),
                        "{suite} {at}"
                    );
                }
                for end in 0..sent.len() {
                    assert!(unprotected(&mut receiver, &sent[..end]).is_err());
                }
                assert_eq!(unprotected(&mut receiver, &sent), Ok(rtp(1, sequence)));
                assert_eq!(unprotected_rtcp(&mut receiver, &control), Ok(rtcp(1)));
            }
        }
    }

    #[test]
    fn a_refused_packet_is_not_changed() {
        let (mut sender, mut receiver) = pair(&key(Suite::AesCm128HmacSha1_80, 3));
        let mut forged = protected(&mut sender, &rtp(1, 7));
        forged[20] ^= 1;
        let before = forged.clone();
        assert_eq!(receiver.unprotect(&mut forged), Err(Error::NotAuthentic));
        assert_eq!(forged, before);
        assert_eq!(receiver.roc(1), None);
    }

    #[test]
    fn streams_have_windows_of_their_own_up_to_a_limit() {
        let (mut sender, mut receiver) = pair(&key(Suite::AesCm128HmacSha1_80, 3));
        for ssrc in 0..MAX_STREAMS as u32 {
            let sent = protected(&mut sender, &rtp(ssrc, 7));
            assert_eq!(unprotected(&mut receiver, &sent), Ok(rtp(ssrc, 7)));
        }
        let mut other = Sender::new(&key(Suite::AesCm128HmacSha1_80, 3));
        let sent = protected(&mut other, &rtp(1_000, 7));
        assert_eq!(
            unprotected(&mut receiver, &sent),
            Err(Error::TooManyStreams)
        );
        let sent = protected(&mut sender, &rtp(63, 8));
        assert_eq!(unprotected(&mut receiver, &sent), Ok(rtp(63, 8)));
    }

    #[test]
    fn a_late_joiner_is_told_the_roc() {
        let (mut sender, mut receiver) = pair(&key(Suite::AesCm128HmacSha1_80, 3));
        sender.begin_at(1, 4).expect("room");
        let sent = protected(&mut sender, &rtp(1, 9));
        assert_eq!(sender.roc(1), Some(4));
        assert_eq!(unprotected(&mut receiver, &sent), Err(Error::NotAuthentic));
        receiver.begin_at(1, 4).expect("room");
        assert_eq!(unprotected(&mut receiver, &sent), Ok(rtp(1, 9)));
        receiver.begin_at(1, 0).expect("it goes on as it is");
        assert_eq!(receiver.roc(1), Some(4));
    }

    #[test]
    fn over_a_rekey_both_keys_are_believed_until_the_old_one_is_retired() {
        let (first, second) = (Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm);
        let (mut sender, mut receiver) = pair(&key(first, 1));
        sender.begin_at(1, 2).expect("room");
        receiver.begin_at(1, 2).expect("room");
        let early = protected(&mut sender, &rtp(1, 65_534));
        let late = protected(&mut sender, &rtp(1, 65_535));
        let later = protected(&mut sender, &rtp(1, 65_533));
        sender
            .rekey(&key(second, 2), Sequence::Continues)
            .expect("another");
        receiver
            .rekey(&key(second, 2), Sequence::Continues)
            .expect("another");
        let new = protected(&mut sender, &rtp(1, 0));
        assert_eq!(unprotected(&mut receiver, &early), Ok(rtp(1, 65_534)));
        assert_eq!(unprotected(&mut receiver, &new), Ok(rtp(1, 0)));
        assert_eq!(receiver.roc(1), Some(3), "the ROC went on");
        assert_eq!(unprotected(&mut receiver, &late), Ok(rtp(1, 65_535)));
        assert_eq!(unprotected(&mut receiver, &late), Err(Error::Replayed));
        receiver.retire();
        assert_eq!(unprotected(&mut receiver, &later), Err(Error::NotAuthentic));
        let next = protected(&mut sender, &rtp(1, 1));
        assert_eq!(unprotected(&mut receiver, &next), Ok(rtp(1, 1)));
    }

    #[test]
    fn streams_that_restart_with_the_key_begin_at_roc_zero_beside_the_old_ones() {
        let suite = Suite::AesCm128HmacSha1_80;
        let (mut sender, mut receiver) = pair(&key(suite, 1));
        sender.begin_at(1, 2).expect("room");
        receiver.begin_at(1, 2).expect("room");
        let early = protected(&mut sender, &rtp(1, 100));
        let late = protected(&mut sender, &rtp(1, 101));
        assert_eq!(unprotected(&mut receiver, &early), Ok(rtp(1, 100)));
        sender
            .rekey(&key(suite, 2), Sequence::Restarts)
            .expect("another");
        receiver
            .rekey(&key(suite, 2), Sequence::Restarts)
            .expect("another");
        let new = protected(&mut sender, &rtp(1, 100));
        assert_eq!(unprotected(&mut receiver, &new), Ok(rtp(1, 100)));
        assert_eq!(receiver.roc(1), Some(0));
        assert_eq!(unprotected(&mut receiver, &late), Ok(rtp(1, 101)));
        assert_eq!(unprotected(&mut receiver, &early), Err(Error::Replayed));
    }

    #[test]
    fn packets_say_by_mki_which_of_several_keys_is_theirs() {
        let named = |fill: u8| {
            let master = key(Suite::AesCm128HmacSha1_80, fill);
            master.with_mki(&[0, fill]).expect("an MKI")
        };
        let mut receiver = Receiver::new(&named(1));
        receiver.accept(&named(2)).expect("room");
        for (fill, answer) in [
            (2, Ok(rtp(1, 2))),
            (1, Ok(rtp(1, 1))),
            (3, Err(Error::UnknownMki)),
        ] {
            let mut sender = Sender::new(&named(fill));
            let sent = protected(&mut sender, &rtp(1, fill.into()));
            assert_eq!(unprotected(&mut receiver, &sent), answer);
        }
        assert_eq!(receiver.accept(&named(2)), Err(KeyError::SameKey));
        for fill in 3..=MAX_KEYS as u8 {
            receiver.accept(&named(fill)).expect("room");
        }
        assert_eq!(receiver.accept(&named(99)), Err(KeyError::TooManyKeys));
    }

    #[test]
    fn a_readable_packet_of_an_encrypting_suite_is_believed_by_its_tag() {
        // RFC 3711 §3.4: the E flag is the sender's choice. The NULL suite has the same proof.
        let encrypting = MasterKey::new(Suite::AesCm128HmacSha1_80, &[1; 16], &[2; 14]);
        let readable = MasterKey::new(Suite::NullHmacSha1_80, &[1; 16], &[2; 14]);
        let mut receiver = Receiver::new(&encrypting.expect("a key"));
        let mut sender = Sender::new(&readable.expect("a key"));
        let sent = protected_rtcp(&mut sender, &rtcp(1));
        assert_eq!(unprotected_rtcp(&mut receiver, &sent), Ok(rtcp(1)));
    }

    #[test]
    fn a_key_derivation_rate_changes_the_keys_and_reordering_around_it_is_harmless() {
        let master = || key(Suite::AesCm128HmacSha1_80, 1);
        let (mut sender, mut receiver) = pair(&master().with_rate(4).expect("a rate"));
        let sent: Vec<Vec<u8>> = (0..64)
            .map(|at| protected(&mut sender, &rtp(1, at)))
            .collect();
        for at in [15, 17, 16, 14, 33, 31, 32, 63] {
            let forged = [&sent[at][..41], &[!sent[at][41]]].concat();
            assert!(unprotected(&mut receiver, &forged).is_err());
            assert_eq!(unprotected(&mut receiver, &sent[at]), Ok(rtp(1, at as u16)));
        }
        // Without the rate, all but the first 16 packets have other keys.
        let mut plain = Receiver::new(&master());
        assert!(unprotected(&mut plain, &sent[15]).is_ok());
        assert_eq!(unprotected(&mut plain, &sent[16]), Err(Error::NotAuthentic));
    }

    #[test]
    fn a_receiver_refuses_what_comes_after_the_lifetime() {
        let lifetime = Lifetime::packets(2).expect("a lifetime");
        let (mut sender, _) = pair(&key(Suite::AesCm128HmacSha1_80, 1));
        let master = key(Suite::AesCm128HmacSha1_80, 1).with_lifetime(lifetime);
        let mut receiver = Receiver::new(&master);
        for (sequence, answer) in [(1, Ok(())), (2, Ok(())), (3, Err(Error::KeyExhausted))] {
            let sent = protected(&mut sender, &rtp(1, sequence));
            assert_eq!(unprotected(&mut receiver, &sent).map(|_| ()), answer);
        }
        assert_eq!(receiver.poll(), Some(Event::KeyEndsSoon { left: 0 }));
    }
}
