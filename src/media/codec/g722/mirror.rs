//! The quadrature mirror filters (G.722 §3.1, §4.4): one band into two halves, and back.

/// Twelve pairs of values, the newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Mirror {
    pairs: [[i32; 2]; TAPS],
}

impl Mirror {
    /// The lower and the upper half of two samples.
    pub(super) fn split(&mut self, [first, second]: [i16; 2]) -> (i32, i32) {
        self.push([i32::from(first), i32::from(second)]);
        let [even, odd] = self.sums();
        ((even + odd) >> 14, (even - odd) >> 14)
    }

    /// Two samples of the lower and the upper half.
    pub(super) fn join(&mut self, low: i32, high: i32) -> [i16; 2] {
        self.push([low + high, low - high]);
        let [first, second] = self.sums();
        [first >> 11, second >> 11].map(clamp)
    }

    fn push(&mut self, pair: [i32; 2]) {
        self.pairs.copy_within(1.., 0);
        self.pairs[TAPS - 1] = pair;
    }

    /// Over the second of each pair with the coefficients backwards, and over the first.
    fn sums(&self) -> [i32; 2] {
        let mut sums = [0, 0];
        for (at, [first, second]) in self.pairs.iter().enumerate() {
            sums[0] += second * COEFFICIENTS[TAPS - 1 - at];
            sums[1] += first * COEFFICIENTS[at];
        }
        sums
    }
}

fn clamp(value: i32) -> i16 {
    let low = i32::from(i16::MIN);
    let high = i32::from(i16::MAX);
    i16::try_from(value.clamp(low, high)).expect("clamped")
}

const TAPS: usize = 12;
/// G.722, table 11: every other one of 24, which are symmetric.
const COEFFICIENTS: [i32; TAPS] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
