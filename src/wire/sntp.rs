//! The SNTP packet as a client sends and reads it (RFC 4330, RFC 5905 §7.3).
//!
//! For the clock. A request carries nothing of ours but a random transmit
//! timestamp; an answer is believed only if it returns that number and passes
//! the checks of RFC 4330 §5. Nothing here asks the time or remembers a server.
//!
//! ```text
//!  0        8        16       24      31
//! | LI VN Mode | stratum | poll | precision |   0
//! | root delay        | root dispersion      |   4, 8
//! | reference id                             |  12
//! | reference, originate, receive, transmit  |  16, 24, 32, 40
//! ```

use std::fmt;
use std::time::Duration;

use super::time::UnixTime;

/// Octets of a packet without extensions, which is all that a client needs.
pub const PACKET_OCTETS: usize = 48;

/// The port of NTP servers.
pub const PORT: u16 = 123;

/// Seconds and fractions of a second, 32 bits each, since the start of an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// What a server writes for a time that it does not know.
    pub const ZERO: Timestamp = Timestamp(0);

    /// The timestamp of a moment, in whichever era it falls.
    pub fn from_unix(at: UnixTime) -> Timestamp {
        let secs = at.secs() + EPOCH_1970;
        let fraction = ((at.micros() % MICROS) << 32) / MICROS;
        // The era is not written: seconds wrap in 2036 (RFC 4330 §3).
        Timestamp((secs & 0xffff_ffff) << 32 | fraction)
    }

    /// The moment that is meant, from 1970 to 2104; `None` before 1970.
    pub fn to_unix(self) -> Option<UnixTime> {
        let secs = self.0 >> 32;
        // RFC 4330 §3: with bit 0 set the time is in 1968-2036, without it in 2036-2104.
        let secs = if secs & 0x8000_0000 == 0 {
            secs + (1 << 32)
        } else {
            secs
        };
        let micros = ((self.0 & 0xffff_ffff) * MICROS) >> 32;
        let secs = secs.checked_sub(EPOCH_1970)?;
        Some(UnixTime::from_micros(secs * MICROS + micros))
    }
}

/// One packet, field by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Leap indicator: 0 none, 1 and 2 a warning, 3 not synchronized.
    pub leap: u8,
    /// Version of the protocol, 1..4.
    pub version: u8,
    /// 3 client, 4 server.
    pub mode: u8,
    /// Distance from the reference clock; 0 is a kiss-o'-death.
    pub stratum: u8,
    /// Log2 of the poll interval in seconds.
    pub poll: i8,
    /// Log2 of the precision in seconds.
    pub precision: i8,
    /// Round trip to the reference clock, in seconds / 65536, signed.
    pub root_delay: i32,
    /// Error against the reference clock, in seconds / 65536.
    pub root_dispersion: u32,
    /// The reference clock, or the kiss code at stratum 0.
    pub reference_id: [u8; 4],
    /// When the server's clock was last set.
    pub reference: Timestamp,
    /// The request's transmit timestamp.
    pub originate: Timestamp,
    /// When the request reached the server.
    pub receive: Timestamp,
    /// When the answer left the server.
    pub transmit: Timestamp,
}

/// Why a datagram is no answer, or an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer than 48 octets.
    #[error("the answer has {0} octets, fewer than 48")]
    Short(usize),
    /// A version outside 1..4.
    #[error("the answer is of version {0}")]
    Version(u8),
    /// Not from a server.
    #[error("the answer is of mode {0}, not of a server")]
    Mode(u8),
    /// Not an answer to this request: late, repeated or forged.
    #[error("the answer is to another request")]
    Originate,
    /// The server's own clock is not set.
    #[error("the server is not synchronized itself")]
    Unsynchronized,
    /// A stratum of 16 or more.
    #[error("the server has stratum {0}")]
    Stratum(u8),
    /// No transmit timestamp.
    #[error("the answer carries no time")]
    NoTime,
    /// A timestamp before 1970, or the request leaving after the answer.
    #[error("the times in the answer contradict each other")]
    Times,
    /// The server is too far from its reference clock to be of use.
    #[error("the server is too far from its reference clock")]
    Distance,
    /// The server refuses.
    #[error("the server sent the kiss-o'-death {0}")]
    Kiss(Kiss),
}

/// What a server that refuses asks for (RFC 4330 §8, RFC 5905 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kiss {
    /// DENY: send nothing more.
    Deny,
    /// RSTR: send nothing more.
    Restrict,
    /// RATE: ask less often.
    Rate,
    /// Another code; it refuses this answer only.
    Other([u8; 4]),
}

/// The two moments of a believed answer, on the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When the request reached the server (T2).
    pub received: UnixTime,
    /// When the answer left it (T3).
    pub transmitted: UnixTime,
}

/// What one exchange tells of the local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Microseconds to add to the local clock.
    pub offset: i64,
    /// Time spent on the network, both ways.
    pub delay: Duration,
}

/// A request: version 4, mode client, all fields zero but the transmit timestamp.
///
/// `nonce` stands in for the time: the server only returns it, and a random
/// number tells nobody our clock and cannot be guessed (RFC 4330 §5 allows any).
pub fn request(nonce: Timestamp) -> [u8; PACKET_OCTETS] {
    let mut octets = [0; PACKET_OCTETS];
    octets[0] = VERSION << 3 | MODE_CLIENT;
    octets[TRANSMIT..].copy_from_slice(&nonce.0.to_be_bytes());
    octets
}

impl Packet {
    /// Reads the first 48 octets; extensions and authenticators behind them are ignored.
    pub fn parse(octets: &[u8]) -> Result<Packet, Fault> {
        let short = Fault::Short(octets.len());
        let octets: &[u8; PACKET_OCTETS] = octets.first_chunk().ok_or(short)?;
        let version = octets[0] >> 3 & 7;
        if !(1..=4).contains(&version) {
            return Err(Fault::Version(version));
        }
        Ok(Packet {
            leap: octets[0] >> 6,
            version,
            mode: octets[0] & 7,
            stratum: octets[1],
            poll: octets[2].cast_signed(),
            precision: octets[3].cast_signed(),
            root_delay: word(octets, 4).cast_signed(),
            root_dispersion: word(octets, 8),
            reference_id: word(octets, 12).to_be_bytes(),
            reference: timestamp(octets, 16),
            originate: timestamp(octets, 24),
            receive: timestamp(octets, 32),
            transmit: timestamp(octets, TRANSMIT),
        })
    }

    /// Writes the packet.
    pub fn print(&self) -> [u8; PACKET_OCTETS] {
        let mut octets = [0; PACKET_OCTETS];
        octets[0] = self.leap << 6 | (self.version & 7) << 3 | self.mode & 7;
        octets[1] = self.stratum;
        octets[2] = self.poll.cast_unsigned();
        octets[3] = self.precision.cast_unsigned();
        octets[4..8].copy_from_slice(&self.root_delay.to_be_bytes());
        octets[8..12].copy_from_slice(&self.root_dispersion.to_be_bytes());
        octets[12..16].copy_from_slice(&self.reference_id);
        let times = [self.reference, self.originate, self.receive, self.transmit];
        for (slot, time) in octets[16..].chunks_exact_mut(8).zip(times) {
            slot.copy_from_slice(&time.0.to_be_bytes());
        }
        octets
    }

    /// Whether this is a usable answer to the request that carried `nonce`.
    ///
    /// RFC 4330 §5. Its list says "LI is 0" where 3, unsynchronized, is meant.
    pub fn answer(&self, nonce: Timestamp) -> Result<Answer, Fault> {
        if self.mode != MODE_SERVER {
            return Err(Fault::Mode(self.mode));
        }
        // First of all, so that only who saw the request can refuse or answer it.
        if self.originate != nonce {
            return Err(Fault::Originate);
        }
        match (self.stratum, self.leap) {
            (0, _) => return Err(Fault::Kiss(Kiss::from(self.reference_id))),
            (_, 3) => return Err(Fault::Unsynchronized),
            (1..=15, _) => {}
            (stratum, _) => return Err(Fault::Stratum(stratum)),
        }
        if self.transmit == Timestamp::ZERO {
            return Err(Fault::NoTime);
        }
        // The paranoid check, with the bound of RFC 5905 §7.2 (MAXDISP).
        if self.root_delay < 0
            || self.root_delay >= MAX_DISTANCE
            || self.root_dispersion >= MAX_DISTANCE.cast_unsigned()
        {
            return Err(Fault::Distance);
        }
        let received = self.receive.to_unix().ok_or(Fault::Times)?;
        let transmitted = self.transmit.to_unix().ok_or(Fault::Times)?;
        if transmitted < received {
            return Err(Fault::Times);
        }
        Ok(Answer {
            received,
            transmitted,
        })
    }
}

impl Answer {
    /// RFC 4330 §5: from T1 and T4 on the local clock, T2 and T3 on the server's.
    pub fn measure(&self, sent: UnixTime, arrived: UnixTime) -> Measurement {
        let out = self.received.micros_since(sent);
        let back = self.transmitted.micros_since(arrived);
        let delay = out.saturating_sub(back).max(0).cast_unsigned();
        Measurement {
            offset: out.midpoint(back),
            delay: Duration::from_micros(delay),
        }
    }
}

impl From<[u8; 4]> for Kiss {
    fn from(code: [u8; 4]) -> Kiss {
        match &code {
            b"DENY" => Kiss::Deny,
            b"RSTR" => Kiss::Restrict,
            b"RATE" => Kiss::Rate,
            _ => Kiss::Other(code),
        }
    }
}

impl fmt::Display for Kiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kiss::Deny => f.write_str("DENY"),
            Kiss::Restrict => f.write_str("RSTR"),
            Kiss::Rate => f.write_str("RATE"),
            Kiss::Other(code) => write!(f, "{}", code.escape_ascii()),
        }
    }
}

fn word(octets: &[u8; PACKET_OCTETS], at: usize) -> u32 {
    octets[at..at + 4]
        .iter()
        .fold(0, |word, octet| word << 8 | u32::from(*octet))
}

fn timestamp(octets: &[u8; PACKET_OCTETS], at: usize) -> Timestamp {
    let (high, low) = (word(octets, at), word(octets, at + 4));
    Timestamp(u64::from(high) << 32 | u64::from(low))
}

const VERSION: u8 = 4;
const MODE_CLIENT: u8 = 3;
const MODE_SERVER: u8 = 4;
const TRANSMIT: usize = 40;
const MICROS: u64 = 1_000_000;
/// Seconds from 1900 to 1970.
const EPOCH_1970: u64 = 2_208_988_800;
/// 16 seconds in units of 1/65536 s.
const MAX_DISTANCE: i32 = 16 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Timestamp = Timestamp(0x0123_4567_89ab_cdef);

    fn good() -> Packet {
        let at = UnixTime::from_secs(1_800_000_000);
        Packet {
            leap: 0,
            version: 4,
            mode: 4,
            stratum: 2,
            poll: 6,
            precision: -20,
            root_delay: 0x100,
            root_dispersion: 0x200,
            reference_id: [192, 0, 2, 1],
            reference: Timestamp::from_unix(at),
            originate: NONCE,
            receive: Timestamp::from_unix(at),
            transmit: Timestamp::from_unix(at.shifted(10)),
        }
    }

    fn verdict(change: impl FnOnce(&mut Packet)) -> Result<Answer, Fault> {
        let mut packet = good();
        change(&mut packet);
        Packet::parse(&packet.print())
            .expect("a whole packet")
            .answer(NONCE)
    }

    #[test]
    fn a_request_tells_nothing_but_its_random_number() {
        let octets = request(NONCE);
        assert_eq!(octets[0], 0x23, "LI 0, version 4, mode 3");
        assert!(octets[1..40].iter().all(|octet| *octet == 0));
        assert_eq!(octets[40..], NONCE.0.to_be_bytes());
    }

    #[test]
    fn what_is_printed_is_parsed_to_the_same() {
        let mut packet = good();
        packet.root_delay = -5;
        packet.leap = 2;
        assert_eq!(Packet::parse(&packet.print()), Ok(packet));
    }

    #[test]
    fn extensions_behind_the_packet_are_ignored() {
        let mut octets = good().print().to_vec();
        octets.extend([0xff; 20]);
        assert_eq!(Packet::parse(&octets), Ok(good()));
    }

    #[test]
    fn every_truncation_is_refused_by_its_length() {
        let octets = good().print();
        for length in 0..PACKET_OCTETS {
            assert_eq!(Packet::parse(&octets[..length]), Err(Fault::Short(length)));
        }
    }

    #[test]
    fn a_good_answer_is_believed() {
        let answer = verdict(|_| {}).expect("believed");
        assert_eq!(answer.received, UnixTime::from_secs(1_800_000_000));
        assert!(verdict(|p| p.stratum = 1).is_ok());
        assert!(verdict(|p| p.stratum = 15).is_ok());
        assert!(verdict(|p| p.leap = 1).is_ok());
        assert!(verdict(|p| p.version = 3).is_ok());
    }

    #[test]
    fn each_check_of_rfc_4330_section_5_refuses_with_its_name() {
        assert_eq!(verdict(|p| p.mode = 3), Err(Fault::Mode(3)));
        assert_eq!(verdict(|p| p.mode = 5), Err(Fault::Mode(5)));
        assert_eq!(
            verdict(|p| p.originate = Timestamp(NONCE.0 ^ 1)),
            Err(Fault::Originate)
        );
        assert_eq!(verdict(|p| p.leap = 3), Err(Fault::Unsynchronized));
        assert_eq!(verdict(|p| p.stratum = 16), Err(Fault::Stratum(16)));
        assert_eq!(
            verdict(|p| p.transmit = Timestamp::ZERO),
            Err(Fault::NoTime)
        );
        assert_eq!(verdict(|p| p.root_delay = -1), Err(Fault::Distance));
        assert_eq!(
            verdict(|p| p.root_dispersion = 16 << 16),
            Err(Fault::Distance)
        );
        assert_eq!(
            verdict(|p| p.transmit = Timestamp::from_unix(UnixTime::from_secs(5))),
            Err(Fault::Times)
        );
    }

    #[test]
    fn versions_outside_one_to_four_are_refused() {
        for version in [0, 5, 7] {
            let mut packet = good();
            packet.version = version;
            assert_eq!(Packet::parse(&packet.print()), Err(Fault::Version(version)));
        }
    }

    #[test]
    fn kiss_codes_are_told_apart_and_need_the_right_number() {
        let kiss = |code: &[u8; 4]| {
            verdict(|p| {
                (p.stratum, p.leap, p.reference_id) = (0, 3, *code);
            })
        };
        assert_eq!(kiss(b"DENY"), Err(Fault::Kiss(Kiss::Deny)));
        assert_eq!(kiss(b"RSTR"), Err(Fault::Kiss(Kiss::Restrict)));
        assert_eq!(kiss(b"RATE"), Err(Fault::Kiss(Kiss::Rate)));
        assert_eq!(kiss(b"INIT"), Err(Fault::Kiss(Kiss::Other(*b"INIT"))));
        let forged = verdict(|p| {
            (p.stratum, p.reference_id, p.originate) = (0, *b"DENY", Timestamp::ZERO);
        });
        assert_eq!(forged, Err(Fault::Originate));
    }

    #[test]
    fn the_era_ends_in_2036_and_time_goes_on() {
        // RFC 4330 §3: 6h 28m 16s UTC on 7 February 2036 is second 0 of the next era.
        let rollover = UnixTime::from_secs(2_085_978_496);
        assert_eq!(Timestamp::from_unix(rollover).0 >> 32, 0);
        assert_eq!(Timestamp::from_unix(rollover).to_unix(), Some(rollover));
        let before = rollover.shifted(-1_000_000);
        assert_eq!(Timestamp::from_unix(before).0 >> 32, 0xffff_ffff);
        assert_eq!(Timestamp::from_unix(before).to_unix(), Some(before));
        let late = UnixTime::from_secs(4_000_000_000);
        assert_eq!(Timestamp::from_unix(late).to_unix(), Some(late));
        // Bit 0 set and before 1970: no Unix time.
        assert_eq!(Timestamp(0x8000_0000 << 32).to_unix(), None);
    }

    #[test]
    fn fractions_survive_to_the_microsecond() {
        for micros in [0, 1, 499_999, 500_000, 999_999] {
            let at = UnixTime::from_micros(1_800_000_000_000_000 + micros);
            let back = Timestamp::from_unix(at).to_unix().expect("in range");
            assert!(at.micros_since(back).abs() <= 1, "{micros}");
        }
    }

    #[test]
    fn offset_and_delay_follow_the_formula() {
        // T1 0 s, T2 100.010 s, T3 100.011 s, T4 0.031 s: 10 ms out, 20 ms back.
        let answer = Answer {
            received: UnixTime::from_micros(100_010_000),
            transmitted: UnixTime::from_micros(100_011_000),
        };
        let measured = answer.measure(UnixTime::EPOCH, UnixTime::from_micros(31_000));
        assert_eq!(measured.delay, Duration::from_millis(30));
        assert_eq!(measured.offset, 99_995_000);
    }

    #[test]
    fn a_server_that_was_slower_than_the_exchange_gives_no_negative_delay() {
        let answer = Answer {
            received: UnixTime::from_micros(0),
            transmitted: UnixTime::from_micros(900),
        };
        let measured = answer.measure(UnixTime::EPOCH, UnixTime::from_micros(500));
        assert_eq!(measured.delay, Duration::ZERO);
    }
}
