//! One half of the band: adaptive differential coding (G.722 §3.3 to §3.6).
//!
//! The step of the quantizer follows the codes, and so does the predictor of
//! two poles and six zeros. Encoder and decoder run the same steps on the same
//! codes; names in capitals are those of the blocks in the Recommendation.

use super::tables::Form;

/// The state of one half.
#[derive(Clone, Debug)]
pub(super) struct Band {
    form: &'static Form,
    /// The prediction.
    signal: i32,
    /// Its part that the zeros make.
    zeros: i32,
    /// The quantizer's step, as a logarithm and as a number.
    logarithm: i32,
    scale: i32,
    /// Of what was rebuilt, of the poles and of what the zeros left.
    rebuilt: [i32; 2],
    poles: [i32; 2],
    partial: [i32; 2],
    differences: [i32; ZEROS],
    weights: [i32; ZEROS],
}

impl Band {
    pub(super) fn new(form: &'static Form) -> Self {
        Self {
            form,
            signal: 0,
            zeros: 0,
            logarithm: 0,
            scale: form.least_scale,
            rebuilt: [0; 2],
            poles: [0; 2],
            partial: [0; 2],
            differences: [0; ZEROS],
            weights: [0; ZEROS],
        }
    }

    pub(super) fn scale(&self) -> i32 {
        self.scale
    }

    /// SUBTRA: what the prediction missed.
    pub(super) fn difference(&self, value: i32) -> i32 {
        saturate(value - self.signal)
    }

    /// What the other end had, of the finest code that came.
    pub(super) fn rebuild(&self, inverse: i32) -> i32 {
        let value = self.signal + ((self.scale * inverse) >> 15);
        // LIMIT
        value.clamp(-16384, 16383)
    }

    /// Follows a code, of which the lower half gives four bits and the upper two.
    pub(super) fn adapt(&mut self, code: u8) {
        let code = usize::from(code);
        let difference = (self.scale * self.form.inverse[code]) >> 15;
        self.rescale(self.form.steps[code]);
        self.predict(difference);
    }

    /// LOGSCL, LOGSCH, SCALEL, SCALEH.
    fn rescale(&mut self, step: i32) {
        let leaked = (self.logarithm * 127) >> 7;
        self.logarithm = (leaked + step).clamp(0, self.form.most_logarithm);
        let mantissa = EXPONENTIALS[usize::try_from(self.logarithm >> 6 & 31).unwrap_or(0)];
        let shift = self.form.shift - (self.logarithm >> 11);
        let scale = if shift < 0 {
            mantissa << -shift
        } else {
            mantissa >> shift
        };
        self.scale = scale << 2;
    }

    fn predict(&mut self, difference: i32) {
        // RECONS, PARREC
        let rebuilt = saturate(self.signal + difference);
        let partial = saturate(self.zeros + difference);
        self.move_poles(partial);
        self.move_zeros(difference);
        // DELAYA
        self.rebuilt = [rebuilt, self.rebuilt[0]];
        self.partial = [partial, self.partial[0]];
        self.differences.copy_within(..ZEROS - 1, 1);
        self.differences[0] = difference;
        // FILTEP, FILTEZ, PREDIC
        let poles = saturate(weighted(&self.poles, &self.rebuilt));
        self.zeros = saturate(weighted(&self.weights, &self.differences));
        self.signal = saturate(poles + self.zeros);
    }

    /// UPPOL2, UPPOL1: the poles stay where the filter is stable.
    fn move_poles(&mut self, partial: i32) {
        let [first, second] = self.poles;
        let agrees = |with: i32| (partial < 0) == (with < 0);
        let quadruple = saturate(first << 2);
        let turned = if agrees(self.partial[0]) {
            saturate(-quadruple)
        } else {
            quadruple
        };
        let push = if agrees(self.partial[1]) { 128 } else { -128 };
        let second = (push + (turned >> 7) + ((second * 32512) >> 15)).clamp(-12288, 12288);
        let push = if agrees(self.partial[0]) { 192 } else { -192 };
        let most = 15360 - second;
        let first = (push + ((first * 32640) >> 15)).clamp(-most, most);
        self.poles = [first, second];
    }

    /// UPZERO
    fn move_zeros(&mut self, difference: i32) {
        let push = if difference == 0 { 0 } else { 128 };
        for (weight, before) in self.weights.iter_mut().zip(self.differences) {
            let agrees = (difference < 0) == (before < 0);
            let push = if agrees { push } else { -push };
            *weight = saturate(push + ((*weight * 32640) >> 15));
        }
    }
}

fn weighted(weights: &[i32], values: &[i32]) -> i32 {
    let each = weights.iter().zip(values);
    each.map(|(weight, value)| (weight * saturate(value << 1)) >> 15)
        .sum()
}

fn saturate(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

const ZEROS: usize = 6;
/// G.722, table 18: 2048 times 2^(n/32).
const EXPONENTIALS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
