//! RTP as it stands in a datagram (RFC 3550 §5.1), and what shares its port.
//!
//! For media and for whoever relays it. Reading borrows from the datagram and
//! writing fills a buffer of the caller's, so that a packet allocates nothing.
//! Which payload type means what, and which source is ours, is not known here.
//!
//! ```text
//!  0 1 2 3 4       8 9          16             31
//! |V=2|P|X|  CC   |M| type     | sequence      |   0
//! | timestamp                                  |   4
//! | SSRC                                       |   8
//! | CSRC, CC of them ...                       |  12
//! | profile, length in words   | extension ... |  where X is set
//! ```

pub mod event;
pub mod noise;
pub mod rtcp;
pub mod shared;

/// The fields that every packet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the profile says; of audio, the first packet after silence.
    pub marker: bool,
    /// 0..127
    pub payload_type: u8,
    /// One more for each packet, modulo 2^16.
    pub sequence: u16,
    /// In units of the payload's clock, modulo 2^32.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// A packet in the datagram that it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fields that every packet has.
    pub header: Header,
    /// What the packet carries, without padding.
    pub payload: &'a [u8],
    csrcs: &'a [u8],
    extension: Option<Extension<'a>>,
}

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Defined by the profile.
    pub profile: u16,
    octets: &'a [u8],
}

/// Why octets are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer octets than a header.
    #[error("{0} octets are no RTP packet")]
    Short(usize),
    /// Another version than 2.
    #[error("version {0} is not that of RTP")]
    Version(u8),
    /// The contributing sources end after the packet.
    #[error("{0} contributing sources do not fit")]
    Sources(usize),
    /// The extension ends after the packet.
    #[error("the extension does not fit")]
    Extension,
    /// More padding than there is payload, or none where the header says so.
    #[error("{0} octets of padding do not fit")]
    Padding(usize),
}

impl<'a> Packet<'a> {
    /// One without contributing sources or an extension.
    pub fn new(header: Header, payload: &'a [u8]) -> Self {
        Self {
            header,
            payload,
            csrcs: &[],
            extension: None,
        }
    }

    /// Reads a datagram.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Fault> {
        let short = Fault::Short(datagram.len());
        let (head, rest) = datagram.split_first_chunk::<HEADER>().ok_or(short)?;
        let version = head[0] >> 6;
        if version != VERSION {
            return Err(Fault::Version(version));
        }
        let count = usize::from(head[0] & COUNT);
        let (csrcs, rest) = rest
            .split_at_checked(count * 4)
            .ok_or(Fault::Sources(count))?;
        let (extension, rest) = match head[0] & EXTENDED {
            0 => (None, rest),
            _ => Extension::split(rest).ok_or(Fault::Extension)?,
        };
        let payload = match head[0] & PADDED {
            0 => rest,
            _ => unpadded(rest)?,
        };
        Ok(Self {
            header: Header::of(head),
            payload,
            csrcs,
            extension,
        })
    }

    /// Replaces what `out` holds.
    pub fn write(&self, out: &mut Vec<u8>) {
        let count = u8::try_from(self.csrcs.len() / 4).expect("four bits counted them");
        let extended = self.extension.map_or(0, |_| EXTENDED);
        out.clear();
        out.extend_from_slice(&self.header.octets(count | extended));
        out.extend_from_slice(self.csrcs);
        if let Some(extension) = &self.extension {
            extension.write(out);
        }
        out.extend_from_slice(self.payload);
    }

    /// Whose streams a mixer put together, at most 15.
    pub fn csrcs(&self) -> impl Iterator<Item = u32> + 'a {
        let (words, _) = self.csrcs.as_chunks::<4>();
        words.iter().map(|word| u32::from_be_bytes(*word))
    }

    /// The header extension.
    pub fn extension(&self) -> Option<Extension<'a>> {
        self.extension
    }
}

impl Header {
    /// Puts these fields in the place of a packet's own; contributing sources,
    /// extension and padding stay. Shorter octets than a header stay too.
    pub fn overwrite(&self, packet: &mut [u8]) {
        if let Some(head) = packet.first_chunk_mut::<HEADER>() {
            *head = self.octets(head[0] & !(VERSION << 6));
        }
    }

    fn of(head: &[u8; HEADER]) -> Self {
        let [_, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *head;
        Self {
            marker: kind & MARKED != 0,
            payload_type: kind & !MARKED,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        }
    }

    fn octets(&self, flags: u8) -> [u8; HEADER] {
        let marked = if self.marker { MARKED } else { 0 };
        let mut head = [0; HEADER];
        head[0] = VERSION << 6 | flags;
        head[1] = marked | self.payload_type & !MARKED;
        head[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        head[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        head[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        head
    }
}

impl<'a> Extension<'a> {
    /// Its octets, a multiple of four of them.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    fn split(rest: &'a [u8]) -> Option<(Option<Self>, &'a [u8])> {
        let ([p0, p1, l0, l1], rest) = rest.split_first_chunk::<4>()?;
        let words = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (octets, rest) = rest.split_at_checked(words * 4)?;
        let profile = u16::from_be_bytes([*p0, *p1]);
        Some((Some(Self { profile, octets }), rest))
    }

    fn write(&self, out: &mut Vec<u8>) {
        let words = u16::try_from(self.octets.len() / 4).expect("sixteen bits counted them");
        out.extend_from_slice(&self.profile.to_be_bytes());
        out.extend_from_slice(&words.to_be_bytes());
        out.extend_from_slice(self.octets);
    }
}

/// RFC 3550 §5.1: the last octet counts the padding, itself included.
fn unpadded(rest: &[u8]) -> Result<&[u8], Fault> {
    let padding = usize::from(rest.last().copied().unwrap_or(0));
    match rest.len().checked_sub(padding) {
        Some(length) if padding > 0 => Ok(&rest[..length]),
        _ => Err(Fault::Padding(padding)),
    }
}

/// Octets of the fields that every packet has.
pub const HEADER: usize = 12;

const VERSION: u8 = 2;
const PADDED: u8 = 0x20;
const EXTENDED: u8 = 0x10;
const COUNT: u8 = 0x0f;
const MARKED: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: [u8; 14] = [
        0x80, 0x88, 0xff, 0xfe, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, 1, 2,
    ];

    #[test]
    fn the_fields_stand_where_the_drawing_has_them() {
        let packet = Packet::parse(&PLAIN).expect("a packet");
        let header = Header {
            marker: true,
            payload_type: 8,
            sequence: 0xfffe,
            timestamp: 160,
            ssrc: 0xdead_beef,
        };
        assert_eq!(packet, Packet::new(header, &[1, 2]));
        let mut out = vec![9; 3];
        packet.write(&mut out);
        assert_eq!(out, PLAIN);
    }

    #[test]
    fn sources_an_extension_and_padding_are_told_from_the_payload() {
        let mut datagram = vec![0xb2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        datagram.extend([0, 0, 0, 4, 0, 0, 0, 5]);
        datagram.extend([0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0]);
        datagram.extend([7, 7, 7, 0, 0, 3]);
        let packet = Packet::parse(&datagram).expect("a packet");
        assert_eq!(packet.csrcs().collect::<Vec<_>>(), [4, 5]);
        let extension = packet.extension().expect("an extension");
        assert_eq!(extension.profile, 0xbede);
        assert_eq!(extension.octets(), [0x10, 0xaa, 0, 0]);
        assert_eq!(packet.payload, [7, 7, 7]);
        let mut out = Vec::new();
        packet.write(&mut out);
        assert_eq!(Packet::parse(&out), Ok(packet));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_says_what() {
        let with = |first: u8, rest: &[u8]| {
            let mut datagram = PLAIN[..HEADER].to_vec();
            datagram[0] = first;
            datagram.extend(rest);
            Packet::parse(&datagram).map(|packet| packet.payload.len())
        };
        assert_eq!(Packet::parse(&PLAIN[..11]), Err(Fault::Short(11)));
        assert_eq!(with(0x40, &[]), Err(Fault::Version(1)));
        assert_eq!(with(0x81, &[1, 2, 3]), Err(Fault::Sources(1)));
        assert_eq!(with(0x90, &[0, 0, 0]), Err(Fault::Extension));
        assert_eq!(with(0x90, &[0, 0, 0, 1, 0]), Err(Fault::Extension));
        assert_eq!(with(0xa0, &[]), Err(Fault::Padding(0)));
        assert_eq!(with(0xa0, &[1, 0]), Err(Fault::Padding(0)));
        assert_eq!(with(0xa0, &[1, 3]), Err(Fault::Padding(3)));
        assert_eq!(with(0xa0, &[1, 2]), Ok(0));
        assert_eq!(with(0x90, &[0, 0, 0, 0]), Ok(0));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_and_read_again(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut octets = octets;
            if let Some(first) = octets.first_mut() {
                *first = *first & 0x3f | 0x80;
            }
            if let Ok(packet) = Packet::parse(&octets) {
                let mut out = Vec::new();
                packet.write(&mut out);
                prop_assert_eq!(Packet::parse(&out), Ok(packet));
            }
        }
    }
}
