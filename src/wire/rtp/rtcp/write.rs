//! Writing a compound of one source.

use super::{BYE, Block, CNAME, COUNT, HEAD, INFO, RR, SDES, SR, SenderInfo, VERSION};

/// A report, the name and perhaps the end of one source.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// What it sent; without it the report is a receiver's.
    pub sent: Option<SenderInfo>,
    /// What it heard; at most 31 count.
    pub blocks: &'a [Block],
    /// Its canonical name; at most 255 octets count.
    pub name: &'a [u8],
    /// It sends no more.
    pub bye: bool,
}

impl Outgoing<'_> {
    /// Replaces what `out` holds.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        self.report(out);
        self.description(out);
        if self.bye {
            head(out, 1, BYE, 4);
            out.extend_from_slice(&self.ssrc.to_be_bytes());
        }
    }

    fn report(&self, out: &mut Vec<u8>) {
        let blocks = &self.blocks[..self.blocks.len().min(usize::from(COUNT))];
        let listed = blocks.len() * super::BLOCK;
        match self.sent {
            Some(info) => {
                head(out, blocks.len(), SR, 4 + INFO + listed);
                out.extend_from_slice(&self.ssrc.to_be_bytes());
                out.extend_from_slice(&info.ntp.to_be_bytes());
                for word in [info.rtp, info.packets, info.octets] {
                    out.extend_from_slice(&word.to_be_bytes());
                }
            }
            None => {
                head(out, blocks.len(), RR, 4 + listed);
                out.extend_from_slice(&self.ssrc.to_be_bytes());
            }
        }
        for block in blocks {
            block.write(out);
        }
    }

    fn description(&self, out: &mut Vec<u8>) {
        let length = u8::try_from(self.name.len()).unwrap_or(u8::MAX);
        let name = &self.name[..usize::from(length)];
        // A zero at least ends the items of a chunk.
        let items = (2 + name.len() + 1).next_multiple_of(4);
        head(out, 1, SDES, 4 + items);
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[CNAME, length]);
        out.extend_from_slice(name);
        out.resize(out.len() + items - 2 - name.len(), 0);
    }
}

impl Block {
    fn write(&self, out: &mut Vec<u8>) {
        // RFC 3550 A.3: what 24 bits do not hold is clamped.
        let lost = self.lost.clamp(-0x80_0000, 0x7f_ffff);
        let [_, high, middle, low] = lost.to_be_bytes();
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[self.fraction, high, middle, low]);
        for word in [self.highest, self.jitter, self.last_report, self.delay] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

fn head(out: &mut Vec<u8>, count: usize, kind: u8, body: usize) {
    let count = u8::try_from(count).unwrap_or(COUNT);
    // RFC 3550 §6.4.1: the length in words, minus one, which is the head.
    let words = u16::try_from(body / HEAD).unwrap_or(u16::MAX);
    let [high, low] = words.to_be_bytes();
    out.extend_from_slice(&[VERSION << 6 | count, kind, high, low]);
}
