//! The packet indices of one stream: guessed, and each used once (RFC 3711 §3.3.1, §3.3.2).
//!
//! A copy of the window takes an index before the packet is believed, and
//! replaces the window after: a forged packet must not move it.

use super::error::Error;

/// The highest index so far, and which of those below it were used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Until the first packet, the ROC that it is expected with, and no sequence number.
    highest: u64,
    /// Bit n: the index n below the highest was used. Nothing was, while it is zero.
    used: u128,
}

impl Window {
    /// Of a stream whose ROC key management has told.
    pub(super) fn at(roc: u32) -> Self {
        Self {
            highest: u64::from(roc) << 16,
            used: 0,
        }
    }

    /// The ROC of the highest index.
    pub(super) fn roc(&self) -> u32 {
        (self.highest >> 16) as u32
    }

    /// The index of the packet with this sequence number (RFC 3711 §3.3.1, appendix A).
    pub(super) fn guess(&self, sequence: u16) -> Result<u64, Error> {
        let (roc, last) = (self.highest >> 16, (self.highest & 0xffff) as u16);
        let roc = if self.used == 0 {
            roc
        } else if last < HALF {
            // Nothing was before ROC 0: then it is a leap ahead.
            let behind = sequence.saturating_sub(last) > HALF;
            roc.saturating_sub(u64::from(behind))
        } else {
            roc + u64::from(last - HALF > sequence)
        };
        if roc > u64::from(u32::MAX) {
            return Err(Error::IndexExhausted);
        }
        Ok(roc << 16 | u64::from(sequence))
    }

    /// The index after the highest, for whoever counts (SRTCP).
    pub(super) fn next(&self) -> u64 {
        self.highest + u64::from(self.used != 0)
    }

    /// Takes an index that was not used before.
    pub(super) fn take(&mut self, index: u64) -> Result<(), Error> {
        if self.used == 0 {
            (self.highest, self.used) = (index, 1);
            return Ok(());
        }
        if index > self.highest {
            let ahead = u32::try_from(index - self.highest).unwrap_or(u32::MAX);
            self.used = self.used.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = index;
            return Ok(());
        }
        let behind = self.highest - index;
        if behind >= SIZE {
            return Err(Error::TooOld);
        }
        if self.used >> behind & 1 == 1 {
            return Err(Error::Replayed);
        }
        self.used |= 1 << behind;
        Ok(())
    }
}

const HALF: u16 = 1 << 15;
/// RFC 3711 §3.3.2 asks for 64 at least.
const SIZE: u64 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(indices: &[u64]) -> Window {
        let mut window = Window::default();
        for index in indices {
            window.take(*index).expect("unused");
        }
        window
    }

    #[test]
    fn a_sequence_number_that_wraps_raises_the_roc() {
        let window = after(&[65_534, 65_535]);
        assert_eq!(window.guess(0), Ok(1 << 16));
        assert_eq!(window.guess(65_530), Ok(65_530));
        assert_eq!(after(&[65_535, 65_536]).guess(65_534), Ok(65_534));
    }

    #[test]
    fn half_the_range_decides_between_ahead_and_behind() {
        // RFC 3711 appendix A: more than 32768 above s_l is the ROC before.
        let window = after(&[5 << 16 | 100]);
        assert_eq!(window.guess(100 + HALF), Ok(5 << 16 | 32_868));
        assert_eq!(window.guess(101 + HALF), Ok(4 << 16 | 32_869));
        // s_l - 32768 above it is the ROC after.
        let window = after(&[5 << 16 | 40_000]);
        assert_eq!(window.guess(40_000 - HALF), Ok(5 << 16 | 7_232));
        assert_eq!(window.guess(39_999 - HALF), Ok(6 << 16 | 7_231));
    }

    #[test]
    fn nothing_is_guessed_before_the_first_roc_nor_behind_the_last() {
        assert_eq!(after(&[5]).guess(65_530), Ok(65_530));
        let last = after(&[0xffff_ffff_ffff]);
        assert_eq!(last.guess(3), Err(Error::IndexExhausted));
    }

    #[test]
    fn a_late_joiner_begins_with_the_roc_that_it_was_told() {
        let window = Window::at(7);
        assert_eq!(window.roc(), 7);
        assert_eq!(window.guess(60_000), Ok(7 << 16 | 60_000));
        assert_eq!(window.guess(3), Ok(7 << 16 | 3));
    }

    #[test]
    fn each_index_is_taken_once_within_the_window_and_never_behind_it() {
        let mut window = after(&[1_000]);
        assert_eq!(window.take(1_000), Err(Error::Replayed));
        assert_eq!(window.take(873), Ok(()));
        assert_eq!(window.take(873), Err(Error::Replayed));
        assert_eq!(window.take(872), Err(Error::TooOld));
        assert_eq!(window.take(1_001), Ok(()));
        assert_eq!(window.take(873), Err(Error::TooOld));
        assert_eq!(window.take(1_000), Err(Error::Replayed));
    }

    #[test]
    fn a_leap_forgets_what_was_before_it() {
        let mut window = after(&[1, 2, 3]);
        assert_eq!(window.take(3 + SIZE), Ok(()));
        assert_eq!(window.take(3), Err(Error::TooOld));
        assert_eq!(window.take(4), Ok(()));
        assert_eq!(window.take(1 << 40), Ok(()));
        assert_eq!(window.take((1 << 40) - 1), Ok(()));
    }
}
