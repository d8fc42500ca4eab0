//! Comfort noise (RFC 3389 §3): how loud silence is, and its spectrum.
//!
//! The payload is a level and reflection coefficients. What is made of it is
//! for whoever plays it.

/// A description of the noise behind a talker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise<'a> {
    /// In dBov below zero, 0..127.
    pub level: u8,
    coefficients: &'a [u8],
}

/// Why a payload is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not even a level.
    #[error("comfort noise without a level")]
    Empty,
    /// A model of a higher order than any sender has.
    #[error("{0} coefficients of comfort noise are too many")]
    Order(usize),
}

impl<'a> Noise<'a> {
    /// White noise of a level.
    pub fn white(level: u8) -> Self {
        Self {
            level: level.min(QUIETEST),
            coefficients: &[],
        }
    }

    /// Reads a payload.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Fault> {
        let (level, coefficients) = payload.split_first().ok_or(Fault::Empty)?;
        if coefficients.len() > ORDER {
            return Err(Fault::Order(coefficients.len()));
        }
        // RFC 3389 §3.1: the most significant bit is unused.
        let level = level & QUIETEST;
        Ok(Self {
            level,
            coefficients,
        })
    }

    /// Replaces what `out` holds.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(self.level);
        out.extend_from_slice(self.coefficients);
    }

    /// RFC 3389 §3.2: the reflection coefficients, each between -1 and 1.
    pub fn coefficients(&self) -> impl Iterator<Item = f32> + 'a {
        let each = self.coefficients.iter();
        // 255 is reserved, and read as the largest.
        each.map(|one| (f32::from((*one).min(254)) - 127.0) * 258.0 / 32768.0)
    }
}

/// In dBov below zero.
const QUIETEST: u8 = 127;
/// Coefficients of a model; senders have about ten.
const ORDER: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_may_stand_alone() {
        let noise = Noise::parse(&[0xc0]).expect("a level");
        assert_eq!(noise, Noise::white(64));
        let mut out = Vec::new();
        noise.write(&mut out);
        assert_eq!(out, [64]);
    }

    #[test]
    fn coefficients_are_evenly_spaced_between_minus_one_and_one() {
        let noise = Noise::parse(&[40, 127, 254, 0]).expect("a model");
        let read: Vec<f32> = noise.coefficients().collect();
        assert_eq!(read, [0.0, 32766.0 / 32768.0, -32766.0 / 32768.0]);
    }

    #[test]
    fn an_empty_payload_and_one_without_end_are_refused() {
        assert_eq!(Noise::parse(&[]), Err(Fault::Empty));
        assert_eq!(Noise::parse(&[0; 40]), Err(Fault::Order(39)));
    }
}
