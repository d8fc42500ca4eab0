//! The quantizers of both halves of the band (G.722 §3.2, §3.3, tables 7 to 17).

/// What tells one half from the other.
#[derive(Debug)]
pub(super) struct Form {
    /// The step at the start, and the least.
    pub(super) least_scale: i32,
    /// Of the step's logarithm.
    pub(super) most_logarithm: i32,
    /// Of the step's exponent.
    pub(super) shift: i32,
    /// A code's difference, in steps / 2^15.
    pub(super) inverse: &'static [i32],
    /// By how much a code changes the step's logarithm.
    pub(super) steps: &'static [i32],
}

/// Of four bits: those that every mode of the codec has.
pub(super) const LOWER: Form = Form {
    least_scale: 32,
    most_logarithm: 18432,
    shift: 8,
    inverse: &[
        0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
        1200, 0,
    ],
    steps: &[
        -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
    ],
};

/// Of two bits.
pub(super) const UPPER: Form = Form {
    least_scale: 8,
    most_logarithm: 22528,
    shift: 10,
    inverse: &[-7408, -1616, 7408, 1616],
    steps: &[798, -214, 798, -214],
};

/// QUANTL: six bits. The two that no difference has are left out, so that
/// there are never eight zeros in a row on a line.
pub(super) fn quantize_lower(difference: i32, scale: i32) -> u8 {
    let magnitude = magnitude(difference);
    let level = DECISIONS
        .iter()
        .take_while(|decision| magnitude >= (**decision * scale) >> 12)
        .count();
    let level = u8::try_from(level).unwrap_or(0);
    match difference {
        ..0 if level < 2 => 63 - level,
        ..0 => 33 - level,
        _ => 61 - level,
    }
}

/// QUANTH: two bits.
pub(super) fn quantize_upper(difference: i32, scale: i32) -> u8 {
    let outer = magnitude(difference) >= (564 * scale) >> 12;
    match (difference < 0, outer) {
        (true, false) => 1,
        (true, true) => 0,
        (false, false) => 3,
        (false, true) => 2,
    }
}

/// INVQBL: the difference of six bits, in steps / 2^15.
pub(super) fn fine(code: u8) -> i32 {
    FINE[usize::from(code & 0x3f)]
}

/// The four bits of six that the predictor follows.
pub(super) fn coarse(code: u8) -> u8 {
    code >> 2
}

/// In one's complement.
fn magnitude(difference: i32) -> i32 {
    if difference < 0 {
        !difference
    } else {
        difference
    }
}

/// Where one level ends and the next begins, in steps / 2^12.
const DECISIONS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

const FINE: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of the encoder says a difference of its own sign and near what was meant.
    #[test]
    fn a_difference_is_written_as_the_code_that_means_it() {
        let scale = 4096;
        for difference in -4000..4000 {
            let meant = (fine(quantize_lower(difference, scale)) * scale) >> 15;
            let width = 80 + magnitude(difference) / 8;
            assert!(
                (meant - difference).abs() <= width || difference.abs() > 2919,
                "{difference}: {meant}"
            );
            let upper = UPPER.inverse[usize::from(quantize_upper(difference, scale))];
            assert_eq!(upper < 0, difference < 0);
        }
    }

    #[test]
    fn no_code_of_the_lower_half_begins_with_four_zeros() {
        for difference in [-32768, -2919, -1, 0, 1, 2919, 32767] {
            assert!(quantize_lower(difference, 4096) >= 4);
        }
    }
}
