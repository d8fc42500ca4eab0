//! G.711: a sample in an octet, by the A-law or the mu-law.
//!
//! Computed, exact as ITU-T G.191 has it: of 16 bits the A-law takes the upper
//! 13 and the mu-law the upper 14. There is no state.

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// Outside North America and Japan.
    A,
    /// There.
    Mu,
}

impl Law {
    /// One sample.
    pub fn compress(self, sample: i16) -> u8 {
        match self {
            Self::A => to_a(sample),
            Self::Mu => to_mu(sample),
        }
    }

    /// One octet.
    pub fn expand(self, octet: u8) -> i16 {
        match self {
            Self::A => from_a(octet),
            Self::Mu => from_mu(octet),
        }
    }

    /// The octet of no signal.
    pub fn silence(self) -> u8 {
        self.compress(0)
    }
}

/// G.711 §3, table 1: segments 1 and 2 are linear, each of the others is twice as coarse.
fn to_a(sample: i16) -> u8 {
    let magnitude = magnitude(sample) >> 4;
    let code = match segment(magnitude, 4) {
        0 => magnitude,
        segment => segment << 4 | magnitude >> (segment - 1) & 0x0f,
    };
    let sign = if sample < 0 { 0 } else { 0x80 };
    // Every other bit is inverted on the line.
    (sign | low(code)) ^ 0x55
}

fn from_a(octet: u8) -> i16 {
    let code = octet ^ 0x55;
    let step = i16::from(code & 0x0f) << 4 | 0x08;
    let magnitude = match code >> 4 & 7 {
        0 => step,
        segment => (step + 0x100) << (segment - 1),
    };
    if code & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// G.711 §3, table 2: with a bias of 33, each segment is twice as coarse as that before.
fn to_mu(sample: i16) -> u8 {
    let biased = ((magnitude(sample) >> 2) + BIAS).min(LOUDEST);
    let segment = segment(biased, 6);
    let code = segment << 4 | biased >> (segment + 1) & 0x0f;
    let sign = if sample < 0 { 0 } else { 0x80 };
    // All bits but the sign are inverted on the line.
    sign | low(code) ^ 0x7f
}

fn from_mu(octet: u8) -> i16 {
    let code = !octet;
    let segment = code >> 4 & 7;
    let step = i16::from(code & 0x0f) << 1 | 0x21;
    let magnitude = (step << segment) - 33;
    let value = magnitude << 2;
    if code & 0x80 == 0 { value } else { -value }
}

/// Of a negative sample in one's complement, as G.191 has it.
fn magnitude(sample: i16) -> u16 {
    (if sample < 0 { !sample } else { sample }).unsigned_abs()
}

/// How far the highest bit stands above the lowest segment, which has `bits`.
fn segment(value: u16, bits: u32) -> u16 {
    let highest = u16::BITS - value.leading_zeros();
    u16::try_from(highest.saturating_sub(bits)).unwrap_or(0)
}

fn low(code: u16) -> u8 {
    code.to_be_bytes()[1]
}

const BIAS: u16 = 33;
/// Of 13 bits, the bias included.
const LOUDEST: u16 = 0x1fff;

#[cfg(test)]
mod tests {
    use super::*;

    /// G.711, tables 1a, 1b: value numbers of the decision and the decoder output.
    #[test]
    fn the_a_law_has_the_values_of_its_table() {
        // Octets on the line; outputs in units of 1/4096 of full scale, times eight.
        assert_eq!(from_a(0xd5), 8);
        assert_eq!(from_a(0x55), -8);
        assert_eq!(from_a(0xaa), 32256);
        assert_eq!(from_a(0x2a), -32256);
        assert_eq!(from_a(0xd5 ^ 0x10), 264);
        assert_eq!(
            (to_a(0), to_a(-1), to_a(i16::MAX), to_a(i16::MIN)),
            (0xd5, 0x55, 0xaa, 0x2a)
        );
    }

    /// G.711, tables 2a, 2b: 8031 and 0 of 8159, times four.
    #[test]
    fn the_mu_law_has_the_values_of_its_table() {
        assert_eq!(from_mu(0xff), 0);
        assert_eq!(from_mu(0x7f), 0);
        assert_eq!(from_mu(0xfe), 8);
        assert_eq!(from_mu(0x80), 8031 * 4);
        assert_eq!(from_mu(0x00), -8031 * 4);
        assert_eq!(from_mu(0xef), 33 * 4);
        assert_eq!(
            (to_mu(0), to_mu(-1), to_mu(i16::MAX), to_mu(i16::MIN)),
            (0xff, 0x7f, 0x80, 0x00)
        );
    }

    #[test]
    fn every_octet_comes_back_as_itself() {
        for octet in 0..=255 {
            assert_eq!(to_a(from_a(octet)), octet, "A {octet:#04x}");
            // Negative zero is written as positive zero.
            let expected = if octet == 0x7f { 0xff } else { octet };
            assert_eq!(to_mu(from_mu(octet)), expected, "mu {octet:#04x}");
        }
    }

    /// A step is a sixteenth of its segment, and the output is its middle.
    #[test]
    fn every_sample_comes_back_in_its_order_and_within_half_a_step() {
        for law in [Law::A, Law::Mu] {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let back = law.expand(law.compress(sample));
                assert!(back >= before, "{law:?} {sample}");
                before = back;
                let error = i32::from(back).abs_diff(i32::from(sample));
                let half = (u32::from(sample.unsigned_abs()) + 132) / 32 + 4;
                assert!(error <= half, "{law:?} {sample}: {error}");
            }
        }
    }
}
