//! SRTP and SRTCP beside libsrtp.
//!
//! Each end speaks to the other's over a wire that loses, reorders, repeats
//! and forges; sequence numbers wrap. For every suite that libsrtp has.

use demarc::media::srtp::{MAX_OVERHEAD, MasterKey, Receiver, Sender, Suite};
use proptest::prelude::*;
use srtp::{CryptoPolicy, Session, StreamPolicy};

/// One of the two ends of a wire, ours or libsrtp's.
trait Sends {
    fn send(&mut self, packet: &[u8]) -> Vec<u8>;
    fn send_rtcp(&mut self, packet: &[u8]) -> Vec<u8>;
}

trait Receives {
    fn read(&mut self, packet: &[u8]) -> Option<Vec<u8>>;
    fn read_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>>;
}

impl Sends for Sender {
    fn send(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut buffer = [packet, &[0; MAX_OVERHEAD]].concat();
        let length = self.protect(&mut buffer, packet.len()).expect("protected");
        buffer[..length].to_vec()
    }

    fn send_rtcp(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut buffer = [packet, &[0; MAX_OVERHEAD]].concat();
        let length = self.protect_rtcp(&mut buffer, packet.len());
        buffer[..length.expect("protected")].to_vec()
    }
}

impl Receives for Receiver {
    fn read(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = packet.to_vec();
        let length = self.unprotect(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    }

    fn read_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = packet.to_vec();
        let length = self.unprotect_rtcp(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    }
}

impl Sends for Session {
    fn send(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut buffer = packet.to_vec();
        self.protect(&mut buffer).expect("protected");
        buffer
    }

    fn send_rtcp(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut buffer = packet.to_vec();
        self.protect_rtcp(&mut buffer).expect("protected");
        buffer
    }
}

impl Receives for Session {
    fn read(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = packet.to_vec();
        self.unprotect(&mut buffer).ok()?;
        Some(buffer)
    }

    fn read_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = packet.to_vec();
        self.unprotect_rtcp(&mut buffer).ok()?;
        Some(buffer)
    }
}

/// Our names and libsrtp's policies for SRTP and SRTCP: all of ours are there.
fn policies(suite: Suite) -> (CryptoPolicy, CryptoPolicy) {
    let both = |policy| (policy, policy);
    match suite {
        Suite::AesCm128HmacSha1_80 => both(CryptoPolicy::aes_cm_128_hmac_sha1_80()),
        Suite::AesCm128HmacSha1_32 => (
            CryptoPolicy::aes_cm_128_hmac_sha1_32(),
            CryptoPolicy::aes_cm_128_hmac_sha1_80(),
        ),
        Suite::Aes256CmHmacSha1_80 => both(CryptoPolicy::aes_cm_256_hmac_sha1_80()),
        Suite::Aes256CmHmacSha1_32 => (
            CryptoPolicy::aes_cm_256_hmac_sha1_32(),
            CryptoPolicy::aes_cm_256_hmac_sha1_80(),
        ),
        Suite::AeadAes128Gcm => both(CryptoPolicy::aes_gcm_128_16_auth()),
        Suite::AeadAes256Gcm => both(CryptoPolicy::aes_gcm_256_16_auth()),
        Suite::NullHmacSha1_80 => both(CryptoPolicy::null_cipher_hmac_sha1_80()),
    }
}

struct Keying {
    suite: Suite,
    key: Vec<u8>,
    salt: Vec<u8>,
}

impl Keying {
    /// Octets that all differ. But libsrtp takes no key with the null cipher and
    /// derives from zeros, where RFC 3711 §4.3 derives from the master key: it
    /// agrees with us on that one key.
    fn new(suite: Suite, seed: u8) -> Self {
        let scale = if suite == Suite::NullHmacSha1_80 {
            0
        } else {
            1
        };
        let mut octets = (0..=u8::MAX)
            .map(|at| at.wrapping_mul(167).wrapping_add(seed))
            .map(|octet| octet * scale);
        Self {
            suite,
            key: octets.by_ref().take(suite.key_length()).collect(),
            salt: octets.take(suite.salt_length()).collect(),
        }
    }

    fn ours(&self) -> (Sender, Receiver) {
        let key = MasterKey::new(self.suite, &self.key, &self.salt).expect("its lengths");
        (Sender::new(&key), Receiver::new(&key))
    }

    fn theirs(&self) -> (Session, Session) {
        let key = [&self.key[..], &self.salt].concat();
        let (rtp, rtcp) = policies(self.suite);
        let policy = StreamPolicy {
            rtp,
            rtcp,
            key: &key,
            window_size: 128,
            ..StreamPolicy::default()
        };
        let sends = Session::with_outbound_template(policy).expect("a session");
        (
            sends,
            Session::with_inbound_template(policy).expect("a session"),
        )
    }
}

fn rtp_packet(ssrc: u32, sequence: u16, length: usize) -> Vec<u8> {
    // A source and an extension in every third.
    let more = sequence.is_multiple_of(3);
    let mut packet = vec![if more { 0x91 } else { 0x80 }, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    if more {
        packet.extend([1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
    }
    packet.extend((0..length).map(|at| (at as u16 ^ sequence) as u8));
    packet
}

fn rtcp_packet(ssrc: u32, words: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 204, 0, words + 2];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(*b"DMRC");
    packet.extend((0..words).flat_map(|at| [at, 0, 1, !at]));
    packet
}

#[test]
fn both_make_the_same_octets_of_a_packet_for_every_suite() {
    for suite in Suite::ALL {
        let keying = Keying::new(suite, 1);
        let (mut ours, _) = keying.ours();
        let (mut theirs, _) = keying.theirs();
        for at in 0..200 {
            let sequence = 65_400_u16.wrapping_add(at);
            let packet = rtp_packet(0xcafe_babe, sequence, usize::from(at) * 7);
            let (ours, theirs) = (ours.send(&packet), theirs.send(&packet));
            assert_eq!(ours, theirs, "{suite}, packet {at}");
        }
    }
}

#[test]
fn each_reads_the_others_srtcp_for_every_suite() {
    for suite in Suite::ALL {
        let keying = Keying::new(suite, 2);
        let (mut our_sender, mut our_receiver) = keying.ours();
        let (mut their_sender, mut their_receiver) = keying.theirs();
        for at in 0..100 {
            let packet = rtcp_packet(0xcafe_babe, at);
            let sent = our_sender.send_rtcp(&packet);
            assert_eq!(
                their_receiver.read_rtcp(&sent),
                Some(packet.clone()),
                "{suite}, to libsrtp"
            );
            let sent = their_sender.send_rtcp(&packet);
            assert_eq!(
                our_receiver.read_rtcp(&sent),
                Some(packet),
                "{suite}, from libsrtp"
            );
        }
    }
}

#[test]
fn no_packet_of_a_known_stream_allocates_anything() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = Keying::new(suite, 3).ours();
        let media = rtp_packet(7, 65_000, 160);
        let report = rtcp_packet(7, 10);
        let mut buffer = [0; 512];
        let allocations = allocation_counter::measure(|| {
            for sequence in (0..1_000).map(|at| 65_000_u16.wrapping_add(at)) {
                buffer[..media.len()].copy_from_slice(&media);
                buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
                let sent = sender.protect(&mut buffer, media.len()).expect("protected");
                let read = receiver.unprotect(&mut buffer[..sent]);
                assert_eq!(read, Ok(media.len()));
                buffer[..report.len()].copy_from_slice(&report);
                let sent = sender.protect_rtcp(&mut buffer, report.len());
                let read = receiver.unprotect_rtcp(&mut buffer[..sent.expect("protected")]);
                assert_eq!(read, Ok(report.len()));
            }
        });
        assert_eq!(allocations.count_total, 0, "{suite}");
    }
}

/// What the wire does with a packet.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    Late(usize),
    Twice,
    Forged(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        3 => (1..100_usize).prop_map(Fate::Late),
        1 => Just(Fate::Twice),
        1 => any::<usize>().prop_map(Fate::Forged),
    ]
}

/// The packets in the order in which they arrive.
fn arrivals(sent: &[Vec<u8>], fates: &[Fate]) -> Vec<Vec<u8>> {
    let mut arrivals: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, (packet, fate)) in sent.iter().zip(fates).enumerate() {
        match fate {
            Fate::Arrives => arrivals.push((at, packet.clone())),
            Fate::Lost => {}
            Fate::Late(by) => arrivals.push((at + by, packet.clone())),
            Fate::Twice => arrivals.extend([(at, packet.clone()), (at + 2, packet.clone())]),
            Fate::Forged(place) => {
                let mut forged = packet.clone();
                let place = place % forged.len();
                forged[place] ^= 0x20;
                arrivals.extend([(at, forged), (at + 1, packet.clone())]);
            }
        }
    }
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals.into_iter().map(|(_, packet)| packet).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whoever sends, both receivers say the same of each packet that arrives.
    #[test]
    fn both_receivers_say_the_same_whatever_the_wire_does(
        suite in prop::sample::select(&Suite::ALL[..]),
        seed in any::<u8>(),
        first in prop_oneof![0..1_000_u16, 32_000..33_000_u16, 65_300..=u16::MAX],
        fates in prop::collection::vec(fate(), 1..400),
        we_send in any::<bool>(),
    ) {
        let keying = Keying::new(suite, seed);
        let (ours, mut our_receiver) = keying.ours();
        let (theirs, mut their_receiver) = keying.theirs();
        let mut sender: Box<dyn Sends> = if we_send { Box::new(ours) } else { Box::new(theirs) };
        let sent: Vec<Vec<u8>> = (0..fates.len() as u16)
            .map(|at| rtp_packet(7, first.wrapping_add(at), 20 + usize::from(at % 50)))
            .map(|packet| sender.send(&packet))
            .collect();
        for packet in arrivals(&sent, &fates) {
            prop_assert_eq!(our_receiver.read(&packet), their_receiver.read(&packet));
        }
    }
}
