//! Checking a compound, and walking over what has been checked.

use super::{
    BLOCK, BYE, Block, CNAME, COUNT, Fault, HEAD, INFO, PADDED, Packet, RR, SDES, SR, SenderInfo,
    VERSION,
};

/// RFC 3550 A.2, and that each packet holds what it counts.
pub(super) fn check(datagram: &[u8]) -> Result<(), Fault> {
    let [first, kind, _, _, _, _, _, _, ..] = datagram else {
        return Err(Fault::Short(datagram.len()));
    };
    if *first >> 6 != VERSION {
        return Err(Fault::Version(*first >> 6));
    }
    if !matches!(*kind, SR | RR) {
        return Err(Fault::First(*kind));
    }
    // RFC 3550 A.2: padding is in the last packet only, and a compound has two at least.
    if first & PADDED != 0 {
        return Err(Fault::Padding(*kind));
    }
    let mut rest = datagram;
    while !rest.is_empty() {
        let (piece, behind) = split(rest)?;
        if piece.padded && !behind.is_empty() {
            return Err(Fault::Padding(piece.kind));
        }
        piece.check()?;
        rest = behind;
    }
    Ok(())
}

/// The packets of a compound.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    pub(super) fn of(checked: &'a [u8]) -> Self {
        Self { rest: checked }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let (piece, rest) = split(self.rest).ok()?;
        self.rest = rest;
        piece.packet()
    }
}

/// The report blocks of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a> {
    rest: &'a [[u8; BLOCK]],
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let (block, rest) = self.rest.split_first()?;
        self.rest = rest;
        let (words, _) = block.as_chunks::<4>();
        let word = |at: usize| u32::from_be_bytes(words[at]);
        let [fraction, high, middle, low] = words[1];
        let sign = if high & 0x80 == 0 { 0 } else { 0xff };
        Some(Block {
            ssrc: word(0),
            fraction,
            lost: i32::from_be_bytes([sign, high, middle, low]),
            highest: word(2),
            jitter: word(3),
            last_report: word(4),
            delay: word(5),
        })
    }
}

/// The sources of a BYE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources<'a> {
    rest: &'a [[u8; 4]],
}

impl Iterator for Sources<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (source, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*source))
    }
}

/// The sources of a description that have a canonical name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    rest: &'a [u8],
    chunks: u8,
}

impl<'a> Iterator for Names<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(left) = self.chunks.checked_sub(1) {
            let (Chunk { ssrc, name }, rest) = chunk(self.rest)?;
            self.chunks = left;
            self.rest = rest;
            if let Some(name) = name {
                return Some((ssrc, name));
            }
        }
        None
    }
}

/// The octets of one packet.
struct Piece<'a> {
    kind: u8,
    count: u8,
    padded: bool,
    /// Behind the first word, without padding.
    body: &'a [u8],
}

fn split(rest: &[u8]) -> Result<(Piece<'_>, &[u8]), Fault> {
    let ([first, kind, high, low], behind) =
        rest.split_first_chunk::<HEAD>().ok_or(Fault::Length(0))?;
    if *first >> 6 != VERSION {
        return Err(Fault::Version(*first >> 6));
    }
    let words = usize::from(u16::from_be_bytes([*high, *low]));
    let (body, behind) = behind
        .split_at_checked(words * 4)
        .ok_or(Fault::Length(*kind))?;
    let padded = first & PADDED != 0;
    let piece = Piece {
        kind: *kind,
        count: first & COUNT,
        padded,
        body: if padded { unpadded(body, *kind)? } else { body },
    };
    Ok((piece, behind))
}

/// RFC 3550 §6.4.1: the last octet counts the padding, a multiple of four.
fn unpadded(body: &[u8], kind: u8) -> Result<&[u8], Fault> {
    let padding = usize::from(body.last().copied().unwrap_or(0));
    match body.len().checked_sub(padding) {
        Some(length) if padding > 0 && padding % 4 == 0 => Ok(&body[..length]),
        _ => Err(Fault::Padding(kind)),
    }
}

impl<'a> Piece<'a> {
    fn check(&self) -> Result<(), Fault> {
        let walks = match self.packet() {
            Some(Packet::Description(names)) => walks(names),
            found => found.is_some(),
        };
        if walks {
            Ok(())
        } else {
            Err(Fault::Count(self.kind))
        }
    }

    /// `None`: it holds less than it counts.
    fn packet(&self) -> Option<Packet<'a>> {
        Some(match self.kind {
            SR => {
                let (ssrc, rest) = word(self.body)?;
                let (info, rest) = rest.split_first_chunk::<INFO>()?;
                Packet::Sender {
                    ssrc,
                    info: sender(info),
                    blocks: self.blocks(rest)?,
                }
            }
            RR => {
                let (ssrc, rest) = word(self.body)?;
                let blocks = self.blocks(rest)?;
                Packet::Receiver { ssrc, blocks }
            }
            SDES => Packet::Description(Names {
                rest: self.body,
                chunks: self.count,
            }),
            BYE => {
                let (words, _) = self.body.as_chunks::<4>();
                let rest = words.get(..usize::from(self.count))?;
                Packet::Bye(Sources { rest })
            }
            kind => Packet::Other(kind),
        })
    }

    /// What follows them is an extension of the profile's (RFC 3550 §6.4.3).
    fn blocks(&self, rest: &'a [u8]) -> Option<Blocks<'a>> {
        let (blocks, _) = rest.as_chunks::<BLOCK>();
        let rest = blocks.get(..usize::from(self.count))?;
        Some(Blocks { rest })
    }
}

fn sender(info: &[u8; INFO]) -> SenderInfo {
    let (words, _) = info.as_chunks::<4>();
    let word = |at: usize| u32::from_be_bytes(words[at]);
    SenderInfo {
        ntp: u64::from(word(0)) << 32 | u64::from(word(1)),
        rtp: word(2),
        packets: word(3),
        octets: word(4),
    }
}

fn walks(names: Names<'_>) -> bool {
    let mut rest = names.rest;
    (0..names.chunks).all(|_| match chunk(rest) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// A source of a description, with its canonical name.
struct Chunk<'a> {
    ssrc: u32,
    name: Option<&'a [u8]>,
}

/// RFC 3550 §6.5: a source, items, a zero, and zeros up to the next word.
fn chunk(octets: &[u8]) -> Option<(Chunk<'_>, &[u8])> {
    let (ssrc, mut rest) = word(octets)?;
    let mut name = None;
    loop {
        match rest {
            [0, ..] => break,
            [kind, length, behind @ ..] => {
                let (value, behind) = behind.split_at_checked(usize::from(*length))?;
                if *kind == CNAME {
                    name = Some(value);
                }
                rest = behind;
            }
            _ => return None,
        }
    }
    // The whole is a multiple of four, and at least one zero is left of it.
    let end = (rest.len() - 1) / 4 * 4;
    Some((Chunk { ssrc, name }, &rest[rest.len() - end..]))
}

fn word(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = octets.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*word), rest))
}
