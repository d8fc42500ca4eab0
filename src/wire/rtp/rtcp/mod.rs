//! RTCP: the reports about media (RFC 3550 §6).
//!
//! A datagram is a compound of packets that begins with a report. It is
//! checked as a whole when it is parsed, and read without an allocation after
//! that. Feedback, applications and unknown types are passed over. When to
//! report, and what follows from a report, is not known here.
//!
//! ```text
//!  0 1 2 3        8        16             31
//! |V=2|P| count | type    | length in words |   0
//! | sender's SSRC                           |   4
//! | sender info, 20 octets, of a SR         |
//! | report blocks, 24 octets each ...       |
//! ```

mod read;
mod write;

pub use read::{Blocks, Names, Packets, Sources};
pub use write::Outgoing;

/// A datagram that has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compound<'a> {
    octets: &'a [u8],
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR, RFC 3550 §6.4.1.
    Sender {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        info: SenderInfo,
        /// What it heard.
        blocks: Blocks<'a>,
    },
    /// RR, RFC 3550 §6.4.2.
    Receiver {
        /// Who reports.
        ssrc: u32,
        /// What it heard.
        blocks: Blocks<'a>,
    },
    /// SDES, RFC 3550 §6.5: sources with their canonical names.
    Description(Names<'a>),
    /// BYE, RFC 3550 §6.6: sources that send no more.
    Bye(Sources<'a>),
    /// Another, by its type.
    Other(u8),
}

/// What a sender says of its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// When it says so, as a timestamp of NTP.
    pub ntp: u64,
    /// The same moment by the clock of the stream.
    pub rtp: u32,
    /// Since the stream began.
    pub packets: u32,
    /// Of payload, since the stream began.
    pub octets: u32,
}

/// What a receiver says of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Whose stream.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction: u8,
    /// Lost since the stream began; negative with duplicates. 24 bits.
    pub lost: i32,
    /// Highest sequence number, with the count of its cycles above 16 bits.
    pub highest: u32,
    /// Interarrival jitter in units of the timestamp.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP timestamp, or 0.
    pub last_report: u32,
    /// Since that report came, in seconds / 65536.
    pub delay: u32,
}

/// Why a datagram is none (RFC 3550 A.2, §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not even a report without blocks.
    #[error("{0} octets are no RTCP datagram")]
    Short(usize),
    /// Another version than 2.
    #[error("version {0} is not that of RTCP")]
    Version(u8),
    /// The first packet is no report.
    #[error("an RTCP datagram begins with packet type {0}")]
    First(u8),
    /// A packet ends after the datagram, or the last one before it.
    #[error("the packet of type {0} does not fit")]
    Length(u8),
    /// Padding in another packet than the last, or more of it than there is packet.
    #[error("the padding of the packet of type {0} does not fit")]
    Padding(u8),
    /// The packet is shorter than what it counts.
    #[error("the packet of type {0} holds less than it counts")]
    Count(u8),
}

impl<'a> Compound<'a> {
    /// Checks a datagram.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Fault> {
        read::check(datagram)?;
        Ok(Self { octets: datagram })
    }

    /// Its packets in their order.
    pub fn packets(&self) -> Packets<'a> {
        Packets::of(self.octets)
    }
}

const VERSION: u8 = 2;
const PADDED: u8 = 0x20;
const COUNT: u8 = 0x1f;
const HEAD: usize = 4;
/// Octets of a block.
const BLOCK: usize = 24;
/// Octets of the sender's information.
const INFO: usize = 20;

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
/// The item of a canonical name.
const CNAME: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(ssrc: u32, lost: i32) -> Block {
        Block {
            ssrc,
            fraction: 64,
            lost,
            highest: 0x0001_0203,
            jitter: 80,
            last_report: 0xaabb_ccdd,
            delay: 0x0000_8000,
        }
    }

    fn written(outgoing: &Outgoing<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        outgoing.write(&mut out);
        out
    }

    #[test]
    fn a_compound_of_ours_is_read_as_it_was_written() {
        let info = SenderInfo {
            ntp: 0x0102_0304_0506_0708,
            rtp: 0x1112_1314,
            packets: 50,
            octets: 8000,
        };
        let datagram = written(&Outgoing {
            ssrc: 7,
            sent: Some(info),
            blocks: &[block(8, -3), block(9, 0x7f_ffff)],
            name: b"line1@demarc",
            bye: true,
        });
        let compound = Compound::parse(&datagram).expect("a compound");
        let mut packets = compound.packets();
        let Some(Packet::Sender {
            ssrc,
            info: read,
            blocks,
        }) = packets.next()
        else {
            panic!("no sender report");
        };
        assert_eq!((ssrc, read), (7, info));
        assert_eq!(
            blocks.collect::<Vec<_>>(),
            [block(8, -3), block(9, 0x7f_ffff)]
        );
        let Some(Packet::Description(mut names)) = packets.next() else {
            panic!("no description");
        };
        assert_eq!(names.next(), Some((7, &b"line1@demarc"[..])));
        assert_eq!(names.next(), None);
        let Some(Packet::Bye(sources)) = packets.next() else {
            panic!("no BYE");
        };
        assert_eq!(sources.collect::<Vec<_>>(), [7]);
        assert_eq!(packets.next(), None);
    }

    /// RFC 3550 §6.4.2, §6.5, octet by octet.
    #[test]
    fn a_receiver_report_with_a_name_is_laid_out_as_the_drawings_have_it() {
        let datagram = written(&Outgoing {
            ssrc: 1,
            sent: None,
            blocks: &[block(2, -1)],
            name: b"ab",
            bye: false,
        });
        let mut expected = vec![0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2];
        expected.extend([64, 0xff, 0xff, 0xff, 0, 1, 2, 3, 0, 0, 0, 80]);
        expected.extend([0xaa, 0xbb, 0xcc, 0xdd, 0, 0, 0x80, 0]);
        // The list of items ends with a zero, and up to a word with more.
        expected.extend([0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, b'a', b'b', 0, 0, 0, 0]);
        assert_eq!(datagram, expected);
    }

    #[test]
    fn a_datagram_is_refused_as_a_whole() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        let with = |rest: &[u8]| Compound::parse(&[&report, rest].concat()).map(|_| ());
        assert_eq!(with(&[]), Ok(()));
        assert_eq!(Compound::parse(&report[..7]), Err(Fault::Short(7)));
        let first = |head: [u8; 4]| {
            let datagram = [&head[..], &report[4..]].concat();
            Compound::parse(&datagram).map(|_| ())
        };
        assert_eq!(first([0x00, 201, 0, 1]), Err(Fault::Version(0)));
        assert_eq!(first([0x81, 202, 0, 1]), Err(Fault::First(202)));
        assert_eq!(first([0xa0, 201, 0, 1]), Err(Fault::Padding(201)));
        assert_eq!(first([0x81, 201, 0, 1]), Err(Fault::Count(201)));
        assert_eq!(first([0x80, 200, 0, 1]), Err(Fault::Count(200)));
        assert_eq!(first([0x80, 201, 0, 0]), Err(Fault::Count(201)));
        assert_eq!(with(&[0x80, 204, 0, 1]), Err(Fault::Length(204)));
        assert_eq!(with(&[0x80, 204, 0]), Err(Fault::Length(0)));
        assert_eq!(with(&[0x40, 204, 0, 0]), Err(Fault::Version(1)));
        assert_eq!(with(&[0x82, 203, 0, 1, 0, 0, 0, 1]), Err(Fault::Count(203)));
        assert_eq!(with(&[0x80, 203, 0, 0]), Ok(()));
    }

    #[test]
    fn padding_belongs_to_the_last_packet_and_fits_in_it() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        let with = |rest: &[u8]| Compound::parse(&[&report, rest].concat()).map(|_| ());
        assert_eq!(with(&[0xa0, 204, 0, 1, 0, 0, 0, 4]), Ok(()));
        for wrong in [0, 3, 8] {
            let fault = Err(Fault::Padding(204));
            assert_eq!(with(&[0xa0, 204, 0, 1, 0, 0, 0, wrong]), fault, "{wrong}");
        }
        let before = [0xa0, 204, 0, 1, 0, 0, 0, 4, 0x80, 204, 0, 0];
        assert_eq!(with(&before), Err(Fault::Padding(204)));
    }

    #[test]
    fn a_description_is_walked_item_by_item() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        let with = |rest: &[u8]| -> Result<Vec<(u32, Vec<u8>)>, Fault> {
            let datagram = [&report, rest].concat();
            let mut packets = Compound::parse(&datagram)?.packets();
            match packets.nth(1) {
                Some(Packet::Description(names)) => {
                    Ok(names.map(|(ssrc, name)| (ssrc, name.to_vec())).collect())
                }
                _ => Ok(Vec::new()),
            }
        };
        // NAME before CNAME; a chunk without items; a second chunk.
        let chunks = [
            &[0x83, 202, 0, 8][..],
            &[0, 0, 0, 1, 2, 1, b'n', 1, 2, b'c', b'd', 0],
            &[0, 0, 0, 2, 0, 0, 0, 0],
            &[0, 0, 0, 3, 1, 1, b'e', 0, 0, 0, 0, 0],
        ];
        let names = with(&chunks.concat()).expect("names");
        assert_eq!(names, [(1, b"cd".to_vec()), (3, b"e".to_vec())]);
        let over = [0x81, 202, 0, 2, 0, 0, 0, 1, 1, 3, b'a', b'b'];
        assert_eq!(with(&over), Err(Fault::Count(202)));
        let endless = [0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, b'a', b'b'];
        assert_eq!(with(&endless), Err(Fault::Count(202)));
        assert_eq!(
            with(&[0x82, 202, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]),
            Err(Fault::Count(202))
        );
    }

    #[test]
    fn what_is_too_much_for_a_packet_is_left_out() {
        let datagram = written(&Outgoing {
            ssrc: 1,
            sent: None,
            blocks: &[Block::default(); 40],
            name: &[b'x'; 300],
            bye: false,
        });
        let mut packets = Compound::parse(&datagram).expect("a compound").packets();
        assert!(
            matches!(packets.next(), Some(Packet::Receiver { blocks, .. }) if blocks.count() == 31)
        );
        assert!(matches!(packets.next(), Some(Packet::Description(names))
            if names.map(|(_, name)| name.len()).eq([255])));
    }

    proptest! {
        #[test]
        fn what_is_checked_can_be_read(mut octets in prop::collection::vec(any::<u8>(), 8..120), kind in 200u8..205) {
            let words = u8::try_from(octets.len() / 4 - 1).expect("few");
            octets.truncate(usize::from(words) * 4 + 4);
            let first = octets[0] & 0x1f | 0x80;
            octets[..4].copy_from_slice(&[first, kind, 0, words]);
            if let Ok(compound) = Compound::parse(&octets) {
                prop_assert_eq!(compound.packets().count(), 1);
            }
        }
    }
}
