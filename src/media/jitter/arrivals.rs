//! How packets come, against the clock of who plays them.
//!
//! An arrival is a packet's timestamp less the units played when it came: the
//! smaller, the later. The last 256 are remembered, five seconds of the usual
//! packets, so that a drifting clock carries the whole window along.

/// The window.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    window: [u32; WINDOW],
    count: usize,
    at: usize,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            window: [0; WINDOW],
            count: 0,
            at: 0,
        }
    }
}

impl Arrivals {
    pub(super) fn note(&mut self, arrival: u32) {
        self.window[self.at] = arrival;
        self.at = (self.at + 1) % WINDOW;
        self.count = (self.count + 1).min(WINDOW);
    }

    /// In the middle of all.
    pub(super) fn typical(&self) -> Option<u32> {
        self.ranked(self.count / 2)
    }

    /// But for one in a hundred, which is lost rather than waited for.
    pub(super) fn latest(&self) -> Option<u32> {
        self.ranked(self.count / 100)
    }

    /// Too few to go by.
    pub(super) fn are_few(&self) -> bool {
        self.count < ENOUGH
    }

    fn ranked(&self, rank: usize) -> Option<u32> {
        let first = *self.window[..self.count].first()?;
        let mut apart = self
            .window
            .map(|one| super::signed(one.wrapping_sub(first)));
        let (_, ranked, _) = apart[..self.count].select_nth_unstable(rank);
        Some(first.wrapping_add(u32::from_ne_bytes(ranked.to_ne_bytes())))
    }
}

const WINDOW: usize = 256;
const ENOUGH: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_told_across_the_wrap() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.typical(), None);
        for step in 0..200_u32 {
            // -100 .. 99, from the middle outwards.
            let apart = if step % 2 == 0 { step / 2 } else { !(step / 2) };
            arrivals.note(apart);
        }
        assert_eq!(arrivals.typical(), Some(0));
        assert_eq!(arrivals.latest(), Some(0_u32.wrapping_sub(98)));
        assert!(!arrivals.are_few());
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut arrivals = Arrivals::default();
        (0..300).for_each(|_| arrivals.note(5));
        (0..256).for_each(|_| arrivals.note(9));
        assert_eq!((arrivals.typical(), arrivals.latest()), (Some(9), Some(9)));
    }
}
