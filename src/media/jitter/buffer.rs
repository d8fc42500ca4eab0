//! A second of payload by its timestamps, an octet for each unit.
//!
//! What order packets come in, how long they are and whether they come twice
//! makes no difference here. A bit says of each unit whether it is there.

/// The ring.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    octets: Vec<u8>,
    there: Vec<u64>,
}

/// What became of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// Something of it is new.
    New,
    /// All of it was there.
    Known,
    /// All of it is past.
    Late,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self {
            octets: vec![0; UNITS],
            there: vec![0; UNITS / 64],
        }
    }

    /// What is before `next` or a second behind it is left out.
    pub(super) fn store(&mut self, next: u32, timestamp: u32, payload: &[u8]) -> Stored {
        let mut stored = Stored::Late;
        for (octet, at) in payload.iter().zip(0_u32..) {
            let at = timestamp.wrapping_add(at);
            if at.wrapping_sub(next) >= SPAN {
                continue;
            }
            let place = place(at);
            let bit = 1 << (place % 64);
            let word = &mut self.there[place / 64];
            if *word & bit == 0 {
                *word |= bit;
                self.octets[place] = *octet;
                stored = Stored::New;
            } else if stored == Stored::Late {
                stored = Stored::Known;
            }
        }
        stored
    }

    /// Adds the octets from `at` on, at most so many, to `out`. If there is none
    /// at `at`, says how many are missing.
    pub(super) fn take(&mut self, at: u32, most: usize, out: &mut Vec<u8>) -> usize {
        let mut missing = 0;
        for (_, step) in (0..most).zip(0_u32..) {
            match self.remove(at.wrapping_add(step)) {
                Some(octet) if missing == 0 => out.push(octet),
                Some(octet) => {
                    self.put_back(at.wrapping_add(step), octet);
                    break;
                }
                None if out.is_empty() => missing += 1,
                None => break,
            }
        }
        missing
    }

    /// Forgets units.
    pub(super) fn skip(&mut self, from: u32, units: u32) {
        for step in 0..units.min(SPAN) {
            self.remove(from.wrapping_add(step));
        }
    }

    pub(super) fn clear(&mut self) {
        self.there.fill(0);
    }

    fn remove(&mut self, at: u32) -> Option<u8> {
        let place = place(at);
        let bit = 1 << (place % 64);
        let word = &mut self.there[place / 64];
        let there = *word & bit != 0;
        *word &= !bit;
        there.then(|| self.octets[place])
    }

    fn put_back(&mut self, at: u32, octet: u8) {
        let place = place(at);
        self.there[place / 64] |= 1 << (place % 64);
        self.octets[place] = octet;
    }
}

fn place(at: u32) -> usize {
    usize::try_from(at % SPAN).expect("a ring fits in memory")
}

const UNITS: usize = 8192;
/// A power of two, so that timestamps wrap with it.
const SPAN: u32 = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(buffer: &mut Buffer, at: u32, most: usize) -> (Vec<u8>, usize) {
        let mut out = Vec::new();
        let missing = buffer.take(at, most, &mut out);
        (out, missing)
    }

    #[test]
    fn runs_of_what_is_there_and_what_is_not_are_told_apart() {
        let mut buffer = Buffer::new();
        assert_eq!(buffer.store(0, 4, &[1, 2, 3]), Stored::New);
        assert_eq!(taken(&mut buffer, 0, 10), (vec![], 4));
        assert_eq!(taken(&mut buffer, 4, 10), (vec![1, 2, 3], 0));
        assert_eq!(taken(&mut buffer, 4, 10), (vec![], 10));
    }

    #[test]
    fn what_is_there_is_known_and_what_is_past_is_late() {
        let mut buffer = Buffer::new();
        let next = u32::MAX - 1;
        assert_eq!(buffer.store(next, next, &[1, 2, 3]), Stored::New);
        assert_eq!(buffer.store(next, next, &[1, 2, 3]), Stored::Known);
        assert_eq!(
            buffer.store(next, next.wrapping_add(1), &[9, 9, 9]),
            Stored::New
        );
        assert_eq!(taken(&mut buffer, next, 9), (vec![1, 2, 3, 9], 0));
        assert_eq!(buffer.store(2, next, &[1, 2, 3]), Stored::Late);
        assert_eq!(buffer.store(0, next, &[1, 2, 3]), Stored::New);
        assert_eq!(buffer.store(0, 8192, &[1]), Stored::Late);
    }

    #[test]
    fn what_is_skipped_is_forgotten() {
        let mut buffer = Buffer::new();
        buffer.store(0, 0, &[1, 2, 3, 4]);
        buffer.skip(0, 2);
        assert_eq!(taken(&mut buffer, 0, 9), (vec![], 2));
        assert_eq!(taken(&mut buffer, 2, 9), (vec![3, 4], 0));
    }
}
