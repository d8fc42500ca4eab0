//! Named telephone events (RFC 4733 §2.3).
//!
//! For DTMF in its own payload type. A report is four octets, and a packet may
//! hold several that follow upon each other. What has been heard before is not
//! remembered here.
//!
//! ```text
//!  0               8 9 10         16            31
//! | event         |E|R| volume    | duration     |
//! ```

/// One report of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its code.
    pub event: u8,
    /// The event is over.
    pub end: bool,
    /// In dBm0 below zero, 0..63.
    pub volume: u8,
    /// So far, in units of the timestamp.
    pub duration: u16,
}

/// Why a payload is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing, or something behind the last report.
    #[error("{0} octets are no reports of events")]
    Length(usize),
    /// More than a packet has use for.
    #[error("{0} reports are too many")]
    Many(usize),
}

impl Report {
    /// Each report of a payload with its distance from the packet's timestamp.
    ///
    /// RFC 4733 §2.5.1.5: one begins where that before it ends.
    pub fn all(payload: &[u8]) -> Result<impl Iterator<Item = (u32, Self)>, Fault> {
        let (reports, rest) = payload.as_chunks::<OCTETS>();
        if reports.is_empty() || !rest.is_empty() {
            return Err(Fault::Length(payload.len()));
        }
        if reports.len() > MOST {
            return Err(Fault::Many(reports.len()));
        }
        let each = reports.iter().scan(0, |offset, octets| {
            let report = Self::of(*octets);
            let at = *offset;
            *offset += u32::from(report.duration);
            Some((at, report))
        });
        Ok(each)
    }

    /// The payload of a packet with this report alone.
    pub fn octets(&self) -> [u8; OCTETS] {
        let [high, low] = self.duration.to_be_bytes();
        let end = if self.end { END } else { 0 };
        [self.event, end | self.volume.min(VOLUME), high, low]
    }

    fn of([event, flags, high, low]: [u8; OCTETS]) -> Self {
        // RFC 4733 §2.3.3: the reserved bit is ignored.
        Self {
            event,
            end: flags & END != 0,
            volume: flags & VOLUME,
            duration: u16::from_be_bytes([high, low]),
        }
    }
}

/// The event of a key (RFC 4733 §3.2): `0`..`9`, `*`, `#`, `A`..`D`, and `!` for the hook flash.
pub fn code(key: char) -> Option<u8> {
    let key = key.to_ascii_uppercase();
    let at = KEYS.iter().position(|one| char::from(*one) == key)?;
    u8::try_from(at).ok()
}

/// The key of an event.
pub fn key(code: u8) -> Option<char> {
    KEYS.get(usize::from(code)).map(|one| char::from(*one))
}

/// Octets of one report.
pub const OCTETS: usize = 4;

const END: u8 = 0x80;
const VOLUME: u8 = 0x3f;
/// Reports of a packet.
const MOST: usize = 16;
/// By their codes.
const KEYS: &[u8; 17] = b"0123456789*#ABCD!";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_four_octets() {
        let report = Report {
            event: 11,
            end: true,
            volume: 10,
            duration: 800,
        };
        assert_eq!(report.octets(), [11, 0x8a, 0x03, 0x20]);
        let read: Vec<_> = Report::all(&[11, 0xca, 3, 0x20]).expect("one").collect();
        assert_eq!(read, [(0, report)]);
    }

    /// RFC 4733 §2.5.1.5, with 1600 and 1800 units.
    #[test]
    fn reports_of_one_packet_follow_upon_each_other() {
        let payload = [9, 0x87, 0x06, 0x40, 1, 0x8a, 0x07, 0x08];
        let read: Vec<_> = Report::all(&payload).expect("two").collect();
        assert_eq!((read[0].0, read[0].1.event), (0, 9));
        assert_eq!((read[1].0, read[1].1.event), (1600, 1));
    }

    #[test]
    fn pieces_of_a_report_and_floods_are_refused() {
        let fault = |length| Report::all(&vec![0; length]).map(Iterator::count);
        assert_eq!(fault(0), Err(Fault::Length(0)));
        assert_eq!(fault(3), Err(Fault::Length(3)));
        assert_eq!(fault(6), Err(Fault::Length(6)));
        assert_eq!(fault(68), Err(Fault::Many(17)));
        assert_eq!(fault(64), Ok(16));
    }

    #[test]
    fn keys_have_the_codes_of_the_registry() {
        for (letter, number) in [
            ('0', 0),
            ('9', 9),
            ('*', 10),
            ('#', 11),
            ('a', 12),
            ('D', 15),
        ] {
            assert_eq!(code(letter), Some(number));
            assert_eq!(key(number), Some(letter.to_ascii_uppercase()));
        }
        assert_eq!((code('E'), key(17), key(16)), (None, None, Some('!')));
    }
}
