//! UDPTL, the datagrams of T.38 fax (ITU-T T.38 §9.1, aligned PER).
//!
//! Each carries the fax packet (IFP) of its sequence number and, for the case
//! that others were lost, those before it or parities over them. A relay reads
//! what it has not had yet and writes its own redundancy. What an IFP says is
//! not looked at, and parities are not solved.
//!
//! ```text
//! | sequence, 16 bits | length | IFP ... |
//! | 0 | count | length | IFP before, ... |      redundancy
//! | 128 | 1 | packets | count | length | parity, ... |
//! ```

/// A datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// One more for each packet, modulo 2^16.
    pub sequence: u16,
    /// The IFP of this number.
    pub primary: &'a [u8],
    /// For those that were lost.
    pub recovery: Recovery<'a>,
}

/// What helps after a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery<'a> {
    /// The IFPs before this one, the newest first.
    Redundancy(Fields<'a>),
    /// Parities.
    Parity {
        /// Over how many packets each is.
        packets: u8,
        /// The parities.
        fields: Fields<'a>,
    },
}

/// Fields with their lengths, which have been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    rest: &'a [u8],
    count: u8,
}

/// Why octets are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More octets than a datagram of fax has use for.
    #[error("{0} octets are too many for UDPTL")]
    Large(usize),
    /// It ends before what it announces.
    #[error("the UDPTL datagram is cut off")]
    Cut,
    /// A length in pieces, which none here needs.
    #[error("the first octet of a length is {0:#04x}")]
    Length(u8),
    /// More fields than anybody sends.
    #[error("{0} fields of recovery are too many")]
    Many(usize),
    /// Something behind its end.
    #[error("{0} octets follow the UDPTL datagram")]
    Behind(usize),
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Fault> {
        if datagram.len() > MOST_OCTETS {
            return Err(Fault::Large(datagram.len()));
        }
        let (sequence, rest) = datagram.split_first_chunk::<2>().ok_or(Fault::Cut)?;
        let (primary, rest) = field(rest)?;
        let (kind, rest) = rest.split_first().ok_or(Fault::Cut)?;
        let (recovery, rest) = if kind & PARITY == 0 {
            let (fields, rest) = Fields::split(rest)?;
            (Recovery::Redundancy(fields), rest)
        } else {
            // An integer with its length, which is one octet here.
            let [1, packets, rest @ ..] = rest else {
                return Err(Fault::Cut);
            };
            let (fields, rest) = Fields::split(rest)?;
            let packets = *packets;
            (Recovery::Parity { packets, fields }, rest)
        };
        if !rest.is_empty() {
            return Err(Fault::Behind(rest.len()));
        }
        Ok(Self {
            sequence: u16::from_be_bytes(*sequence),
            primary,
            recovery,
        })
    }

    /// The IFPs from number `next` on that this packet has, oldest first, with their numbers.
    ///
    /// Those that were lost are among them as far as redundancy reaches. Of a
    /// packet older than `next` there are none.
    pub fn since(&self, next: u16) -> impl Iterator<Item = (u16, &'a [u8])> {
        let behind = self.sequence.wrapping_sub(next);
        let missed = if behind < OLD { behind } else { 0 };
        let fields = match self.recovery {
            Recovery::Redundancy(fields) => Some(fields),
            Recovery::Parity { .. } => None,
        };
        let reach = fields.map_or(0, |fields| u16::from(fields.count));
        let (sequence, primary) = (self.sequence, self.primary);
        let before = (1..=missed.min(reach)).rev().filter_map(move |back| {
            let found = fields?.nth(usize::from(back - 1))?;
            Some((sequence.wrapping_sub(back), found))
        });
        let own = (behind < OLD).then_some((sequence, primary));
        before.chain(own)
    }

    /// Replaces what `out` holds with an IFP and those before it, the newest first.
    ///
    /// What does not fit in a datagram is left out, the oldest first. An IFP that
    /// was read always fits; one over [`MOST_IFP`] octets would be cut.
    pub fn write(sequence: u16, primary: &[u8], before: &[&[u8]], out: &mut Vec<u8>) {
        let primary = &primary[..primary.len().min(MOST_IFP)];
        out.clear();
        out.extend_from_slice(&sequence.to_be_bytes());
        put(out, primary);
        let mut room = MOST_OCTETS - out.len() - 2;
        let fits = |field: &&&[u8]| {
            let left = room.checked_sub(field.len() + 2);
            left.inspect(|left| room = *left).is_some()
        };
        let before = &before[..before.len().min(usize::from(MOST_FIELDS))];
        let count = before.iter().take_while(fits).count();
        out.extend_from_slice(&[0, u8::try_from(count).unwrap_or(MOST_FIELDS)]);
        for field in &before[..count] {
            put(out, field);
        }
    }
}

impl<'a> Fields<'a> {
    fn split(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let (count, rest) = length(octets)?;
        let few = u8::try_from(count).ok().filter(|few| *few <= MOST_FIELDS);
        let few = few.ok_or(Fault::Many(count))?;
        let mut behind = rest;
        for _ in 0..few {
            (_, behind) = field(behind)?;
        }
        Ok((Self { rest, count: few }, behind))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.count = self.count.checked_sub(1)?;
        let (field, rest) = field(self.rest).ok()?;
        self.rest = rest;
        Some(field)
    }
}

fn field(octets: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let (length, rest) = length(octets)?;
    rest.split_at_checked(length).ok_or(Fault::Cut)
}

/// X.691 §11.9: one octet up to 127, two up to 16383.
fn length(octets: &[u8]) -> Result<(usize, &[u8]), Fault> {
    match octets {
        [short @ 0..=0x7f, rest @ ..] => Ok((usize::from(*short), rest)),
        [high @ 0x80..=0xbf, low, rest @ ..] => {
            let length = u16::from_be_bytes([high & 0x3f, *low]);
            Ok((usize::from(length), rest))
        }
        [pieces @ 0xc0..=0xff, ..] => Err(Fault::Length(*pieces)),
        _ => Err(Fault::Cut),
    }
}

/// Writes a field that is below 16384 octets.
fn put(out: &mut Vec<u8>, field: &[u8]) {
    match u8::try_from(field.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let length = u16::try_from(field.len()).unwrap_or(0x3fff);
            out.extend_from_slice(&(0x8000 | length).to_be_bytes());
        }
    }
    out.extend_from_slice(field);
}

/// Octets of an IFP that is alone in its datagram.
pub const MOST_IFP: usize = MOST_OCTETS - 6;

/// The choice of parities.
const PARITY: u8 = 0x80;
/// Octets of a datagram.
const MOST_OCTETS: usize = 1472;
/// IFPs before, or parities, of a datagram.
const MOST_FIELDS: u8 = 16;
/// Numbers further than this behind the next one are before it.
const OLD: u16 = 0x8000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(sequence: u16, primary: &[u8], before: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        Packet::write(sequence, primary, before, &mut out);
        out
    }

    fn since(datagram: &[u8], next: u16) -> Vec<(u16, Vec<u8>)> {
        let packet = Packet::parse(datagram).expect("a packet");
        let each = packet.since(next);
        each.map(|(number, field)| (number, field.to_vec()))
            .collect()
    }

    #[test]
    fn a_packet_with_redundancy_is_laid_out_as_per_has_it() {
        let datagram = written(3, &[0x06], &[&[0x04], &[]]);
        assert_eq!(datagram, [0, 3, 1, 6, 0, 2, 1, 4, 0]);
        let long = written(4, &[7; 200], &[]);
        assert_eq!(long[..4], [0, 4, 0x80, 200]);
        assert_eq!(long[204..], [0, 0]);
    }

    #[test]
    fn what_was_lost_is_found_in_the_redundancy() {
        let datagram = written(1, &[1], &[&[0], &[255], &[254]]);
        let all = |numbers: &[u16]| -> Vec<(u16, Vec<u8>)> {
            let low = |number: &u16| (*number, vec![number.to_be_bytes()[1]]);
            numbers.iter().map(low).collect()
        };
        assert_eq!(since(&datagram, 1), all(&[1]));
        assert_eq!(since(&datagram, 65535), all(&[65535, 0, 1]));
        assert_eq!(since(&datagram, 65000), all(&[65534, 65535, 0, 1]));
        // It came late.
        assert_eq!(since(&datagram, 2), []);
    }

    #[test]
    fn parities_are_read_and_left_alone() {
        let datagram = [0, 9, 1, 6, 0x80, 1, 3, 2, 1, 0xaa, 2, 0xbb, 0xcc];
        let packet = Packet::parse(&datagram).expect("a packet");
        let Recovery::Parity { packets, fields } = packet.recovery else {
            panic!("no parities");
        };
        assert_eq!(packets, 3);
        assert_eq!(fields.collect::<Vec<_>>(), [&[0xaa][..], &[0xbb, 0xcc]]);
        assert_eq!(since(&datagram, 7), [(9, vec![6])]);
    }

    #[test]
    fn what_is_cut_off_or_too_much_is_refused() {
        let whole = written(3, &[0x06], &[&[0x04], &[5, 5]]);
        for end in 0..whole.len() {
            assert_eq!(Packet::parse(&whole[..end]), Err(Fault::Cut), "{end}");
        }
        let more = [&whole[..], &[0]].concat();
        assert_eq!(Packet::parse(&more), Err(Fault::Behind(1)));
        assert_eq!(Packet::parse(&[0, 1, 0xc1]), Err(Fault::Length(0xc1)));
        let many = [&[0, 1, 0, 0, 17][..], &[0; 17]].concat();
        assert_eq!(Packet::parse(&many), Err(Fault::Many(17)));
        assert_eq!(Packet::parse(&[0; 1473]), Err(Fault::Large(1473)));
        assert_eq!(Packet::parse(&[0, 1, 0, 0x80, 2, 0, 0]), Err(Fault::Cut));
    }

    #[test]
    fn redundancy_that_does_not_fit_is_left_out() {
        let field = [1; 400];
        let datagram = written(9, &field, &[&field[..]; 20]);
        assert!(datagram.len() <= MOST_OCTETS);
        assert_eq!(since(&datagram, 0).len(), 3);
        let small = written(9, &[], &[&[][..]; 20]);
        assert_eq!(since(&small, 0).len(), 10);
    }

    proptest! {
        /// Three IFPs before each one bridge any three losses in a row.
        #[test]
        fn three_before_bridge_three_losses(first in any::<u16>(), lost in prop::collection::vec(0usize..4, 1..30)) {
            let ifp = |number: u16| number.to_be_bytes().to_vec();
            let (mut number, mut next, mut heard, mut sent) = (first, first, Vec::new(), Vec::new());
            for lost in lost {
                for _ in 0..lost {
                    sent.push(number);
                    number = number.wrapping_add(1);
                }
                sent.push(number);
                let before: Vec<Vec<u8>> = (1..=3).map(|back| ifp(number.wrapping_sub(back))).collect();
                let before: Vec<&[u8]> = before.iter().map(Vec::as_slice).collect();
                for (of, field) in since(&written(number, &ifp(number), &before), next) {
                    prop_assert_eq!(field, ifp(of));
                    heard.push(of);
                    next = of.wrapping_add(1);
                }
                number = number.wrapping_add(1);
            }
            prop_assert_eq!(heard, sent);
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(packet) = Packet::parse(&octets) {
                prop_assert!(packet.since(0).count() <= 17);
            }
        }
    }
}
